// Metric names of ingest. Label sets are closed; a realm is a log field, never a label.
import { counter, histogram } from '#common/metrics';

export const deliveriesTotal = counter({
  name: 'sync_webhook_deliveries_total',
  help: 'Webhook deliveries by answer: accepted, bad_signature, malformed, too_large, unavailable.',
  labelNames: ['outcome'],
});
export const ackSeconds = histogram({
  name: 'sync_webhook_ack_seconds',
  help: 'From a webhook in hand to its answer; Intuit waits three seconds.',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3],
});
export const webhookEventsTotal = counter({
  name: 'sync_webhook_events_total',
  help: 'Realms named by accepted deliveries: published, unknown_realm, not_a_source; and malformed events.',
  labelNames: ['outcome'],
});
export const looksTotal = counter({
  name: 'sync_capture_looks_total',
  help: 'Looks at source companies by outcome: whole, by_type, by_pages, compare_all, failed, held.',
  labelNames: ['outcome'],
});
export const lookSeconds = histogram({
  name: 'sync_capture_look_seconds',
  help: 'From the start of a look to its cursor moved.',
});
export const readingsTotal = counter({
  name: 'sync_capture_readings_total',
  help: 'Records read from source companies, by where they came from and what they were: news, known, stale.',
  labelNames: ['origin', 'verdict'],
});
export const backfillPagesTotal = counter({
  name: 'sync_backfill_pages_total',
  help: 'Query pages of backfill jobs that were published.',
});
export const jobsTotal = counter({
  name: 'sync_backfill_jobs_total',
  help: 'Backfill jobs that ended, by outcome: done, failed.',
  labelNames: ['outcome'],
});

// There from the first scrape on: a rate never sees what a counter was born with, and these two make an objective.
for (const outcome of ['accepted', 'unavailable']) deliveriesTotal.inc({ outcome }, 0);
