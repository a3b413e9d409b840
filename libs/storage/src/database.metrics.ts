// Metrics of a process's connection to PostgreSQL.
import { gauge } from '#common/metrics';

export const poolConnections = gauge({
  name: 'sync_database_pool_connections',
  help: 'Connections of this process: busy, idle, and callers that wait for one.',
  labelNames: ['state'] as const,
});

export const clockSkewSeconds = gauge({
  name: 'sync_clock_skew_seconds',
  help: "How far this process's clock is from PostgreSQL's; positive: ahead.",
});
