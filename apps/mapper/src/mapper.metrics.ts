// What the mapper counts. Closed label sets; a realm is a log field, never a label.
import { counter, histogram } from '#common/metrics';

/** outcome: write | attachment | excluded | failed | unmatched (no sync has this source) | known (a replay's, and left out); lane: live | bulk */
export const mappedTotal = counter({
  name: 'sync_mapper_changes_total',
  help: 'Changes mapped, once per sync of their source company.',
  labelNames: ['outcome', 'lane'],
});

export const batchSeconds = histogram({
  name: 'sync_mapper_batch_seconds',
  help: 'From a decoded batch of changes to the acknowledgement of what it became.',
});

/** From the source's change record to the mapped record, for live changes. */
export const mappedAfterSeconds = histogram({
  name: 'sync_mapper_lag_seconds',
  help: 'Age of a live change when it was mapped: since its record was written to the log.',
});

/** outcome: done | failed | given_back */
export const replaysTotal = counter({
  name: 'sync_mapper_replays_total',
  help: 'Replay jobs ended by this process.',
  labelNames: ['outcome'],
});
