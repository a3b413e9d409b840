// Metrics of the governor as one process sees it. Closed label sets; how full a company's quota is stands in its status.
import { counter, gauge, histogram } from '#common/metrics';

export const quotaGrants = counter({
  name: 'sync_quota_grants_total',
  help: 'Calls the governor let go.',
  labelNames: ['kind', 'class'] as const,
});
export const quotaWaitSeconds = histogram({
  name: 'sync_quota_grant_wait_seconds',
  help: 'Time a call stood in line for its grant.',
  labelNames: ['class'] as const,
});
export const quotaRefused = counter({
  name: 'sync_quota_refused_total',
  help: 'Answers of QBO that said "too many requests", in any service.',
});
export const quotaStatements = counter({
  name: 'sync_quota_statements_total',
  help: 'Statements to PostgreSQL that pacing cost: reads and writes of the row, signs of life.',
  labelNames: ['what'] as const,
});
export const platformOpen = gauge({
  name: 'sync_platform_circuit_open',
  help: 'The circuit of the whole platform as this process last heard of it: 1 open, 0 closed.',
});
export const readsMetered = gauge({
  name: 'sync_reads_metered',
  help: 'Metered reads of this month, all companies and processes (QuickBooks counts them per workspace).',
});
export const readsForecast = gauge({
  name: 'sync_reads_forecast',
  help: 'Metered reads at the end of this month if it goes on like the last seven days.',
});
export const readsAllowance = gauge({
  name: 'sync_reads_allowance',
  help: 'Metered reads the month allows.',
});
export const readsGuard = gauge({
  name: 'sync_reads_guard',
  help: 'What the guard of the allowance slows: 0 nothing, 1 sweeps, 2 bulk look-ups too. Live capture never.',
});
