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

export const callSeconds = histogram({
  name: 'sync_qbo_call_seconds',
  help: 'Calls to QBO from sending to the answer.',
  labelNames: ['call', 'outcome'] as const,
});

export const quotaWaitSeconds = histogram({
  name: 'sync_quota_wait_seconds',
  help: "Time a call waited for the governor's leave.",
  labelNames: ['call'] as const,
});

export const throttledTotal = counter({
  name: 'sync_quota_rejected_total',
  help: 'Answers of QBO that said "too many requests".',
});

export const breakerState = gauge({
  name: 'sync_breaker_open',
  help: 'Circuits that are not closed: the platform (0 or 1) and how many companies.',
  labelNames: ['scope'] as const,
});

export const realmsOwned = gauge({ name: 'sync_writer_realms', help: 'Companies this process writes for.' });

export const tokenRenewals = counter({
  name: 'sync_token_renewals_total',
  help: 'Renewals of access tokens.',
  labelNames: ['outcome'] as const,
});

export const takenTotal = counter({
  name: 'sync_write_taken_total',
  help: 'Desired states taken in, by what they made of the link.',
  labelNames: ['state'] as const,
});
