// Metrics of the audit app. It hears of every step of every record, so freshness and stages are measured here, in one place.
import { counter, histogram } from '#common/metrics';

/** stage: notified | captured | mapped | settled | attachment | audit. outcome: new | seen (a redelivery). */
export const entriesTotal = counter({
  name: 'sync_audit_entries_total',
  help: 'Entries received for the sync log and the audit chain.',
  labelNames: ['stage', 'outcome'],
});

// 120 s and 900 s are the two limits of the objective (docs/metrics.md).
const buckets = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600];

/** since: change (the source's own time of it) | notified (the webhook). Live changes that reached the target. */
export const freshnessSeconds = histogram({
  name: 'sync_freshness_seconds',
  help: 'Age of a live change when the target had it: since the source changed, or since its webhook came.',
  labelNames: ['since'],
  buckets,
});

/** stage: capture (webhook to log) | map (log to desired write) | write (desired to settled) | attachment */
export const stageSeconds = histogram({
  name: 'sync_stage_duration_seconds',
  help: 'How long a live change spent in each stage.',
  labelNames: ['stage'],
  buckets,
});

/** outcome: as in sync.results.v1 */
export const settledTotal = counter({
  name: 'sync_settled_total',
  help: 'Ends of attempts and decisions, by outcome.',
  labelNames: ['outcome', 'lane'],
});

// There from the first scrape on: a rate never sees what a counter was born with, so the first failure, or the first late
// change, of a process would count for nothing in the objectives.
for (const lane of ['live', 'bulk']) settledTotal.inc({ outcome: 'failed', lane }, 0);
for (const since of ['change', 'notified']) freshnessSeconds.zero({ since });
