// Metrics of the audit app.
import { counter } from '#common/metrics';

/** stage: notified | captured | mapped | settled | attachment | audit. outcome: new | seen (a redelivery). */
export const entriesTotal = counter({
  name: 'sync_audit_entries_total',
  help: 'Entries received for the sync log and the audit chain.',
  labelNames: ['stage', 'outcome'],
});
