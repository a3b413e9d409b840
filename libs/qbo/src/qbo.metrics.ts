// What every app that calls QuickBooks counts, in the same names. Closed label sets; a realm is a log field, never a label.
import { counter, gauge, histogram } from '#common/metrics';

export const callSeconds = histogram({
  name: 'sync_qbo_call_seconds',
  help: 'Calls to QuickBooks, from sending to the answer.',
  labelNames: ['call', 'outcome'] as const,
});

export const quotaWaitSeconds = histogram({
  name: 'sync_quota_wait_seconds',
  help: "Time a call waited for the governor's leave.",
  labelNames: ['call'] as const,
});

export const throttledTotal = counter({
  name: 'sync_quota_rejected_total',
  help: 'Answers of QuickBooks that said "too many requests".',
});

export const readsTotal = counter({
  name: 'sync_qbo_reads_total',
  help: 'Calls that read from QuickBooks and count against the monthly allowance.',
  labelNames: ['call'] as const,
});

export const breakerOpen = gauge({
  name: 'sync_breaker_open',
  help: 'Circuits that are not closed: the platform (0 or 1) and how many companies.',
  labelNames: ['scope'] as const,
});

export const tokenRenewals = counter({
  name: 'sync_token_renewals_total',
  help: 'Renewals of access tokens.',
  labelNames: ['outcome'] as const,
});
