// Metrics of the governor as one process sees it. Closed label sets; how full a company's quota is stands in its status.
import { counter, histogram } from '#common/metrics';

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
