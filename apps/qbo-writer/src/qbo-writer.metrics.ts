// Metrics of the writer. Closed label sets; a realm id is a log field, never a label.
import { counter, gauge, histogram } from '#common/metrics';

export const attemptsTotal = counter({
  name: 'sync_write_attempts_total',
  help: 'Attempts to change a target record, by what came of them.',
  labelNames: ['operation', 'outcome', 'lane'] as const,
});

export const decisionsTotal = counter({
  name: 'sync_write_decisions_total',
  help: 'Links settled or put aside without a call.',
  labelNames: ['plan', 'lane'] as const,
});

export const settleSeconds = histogram({
  name: 'sync_write_settle_seconds',
  help: 'From the desired state being known to the target having it.',
  labelNames: ['lane'] as const,
});

export const batchItems = histogram({
  name: 'sync_write_batch_items',
  help: 'Records in a batch that was sent; 30 is what one can hold.',
  buckets: [1, 2, 3, 5, 8, 12, 16, 20, 25, 30],
});

export const runnable = gauge({
  name: 'sync_write_runnable',
  help: 'Links that could be written now.',
  labelNames: ['lane'] as const,
});

export const runnableAgeSeconds = gauge({
  name: 'sync_write_runnable_age_seconds',
  help: 'Age of the oldest link that could be written now.',
  labelNames: ['lane'] as const,
});

export const realmsOwned = gauge({ name: 'sync_writer_realms', help: 'Companies this process writes for.' });

export const takenTotal = counter({
  name: 'sync_write_taken_total',
  help: 'Desired states taken in, by what they made of the link.',
  labelNames: ['state'] as const,
});
