// QuickBooks' limits and tokens, PostgreSQL, clocks, processes.
import { appNames } from '../../../dev/src/apps.js';
import type { Alert, Step } from './alert.js';

const day = 86_400;
const apps = appNames.join('|');
const up = (values: string) => Object.fromEntries(appNames.map((app) => [`up{app="${app}"}`, values]));

const reads = (metered: string, allowance: string) => ({
  'sync_reads_metered{app="ingest"}': metered,
  'sync_reads_allowance{app="ingest"}': allowance,
});
const forecast = (values: string, allowance: string) => ({
  'sync_reads_forecast{app="ingest"}': values,
  'sync_reads_allowance{app="ingest"}': allowance,
});
const readers: Step[] = [
  {
    say: 'Whose reads, and what for',
    sql: `select realm_id, purpose, sum(reads) as reads from metered_reads where day >= date_trunc('month', now() at time zone 'UTC') group by 1, 2 order by 3 desc limit 20`,
  },
  { say: 'What kind of calls', promql: 'sum by (app, call) (increase(sync_qbo_reads_total[1d]))' },
];
const fewerReads = [
  'Lengthen SYNC_CAPTURE_LOOK_INTERVAL for companies with webhooks; postpone backfills; ask for the next tier.',
];

export const platformAlerts: Alert[] = [
  {
    name: 'QuotaMinuteHigh',
    board: 'quota',
    expr: 'max(sync_quota_utilisation_ratio{rank="1"}) > 0.8',
    for: '15m',
    severity: 'ticket',
    summary: 'A company uses more than 80 % of its calls a minute',
    fires: { series: { 'sync_quota_utilisation_ratio{rank="1"}': '0.9x40' }, at: '30m' },
    silent: { series: { 'sync_quota_utilisation_ratio{rank="1"}': '0.4x40' }, at: '30m' },
    meaning:
      'For a quarter of an hour the busiest company was near QuickBooks’ 500 calls a minute. A backfill does that on purpose.',
    impact: 'None by itself: live work goes first. New bulk work takes longer.',
    diagnosis: [
      { say: 'How full, by rank', promql: 'max by (rank) (sync_quota_utilisation_ratio)' },
      {
        say: 'Running jobs',
        sql: `select sync_id, kind, state, started_at from jobs where state in ('queued', 'running')`,
      },
      { say: 'A sync’s quota', api: 'GET /v1/syncs/{id}' },
    ],
    mitigation: [
      'Without a running job: another program uses the same company, or records are edited in masses. Wait, or pause what is less important.',
    ],
  },
  {
    name: 'QuotaMonthHigh',
    board: 'quota',
    // ingest reads every minute; what a process that reads nothing last heard may be old.
    expr: 'max(sync_reads_metered{app="ingest"}) / max(sync_reads_allowance{app="ingest"}) > 0.8',
    severity: 'ticket',
    summary: 'Eighty percent of the month’s metered reads are used',
    fires: { series: reads('399000+1000x30', '500000x30'), at: '20m' },
    silent: { series: reads('300000+1000x30', '500000x30'), at: '20m' },
    meaning:
      'All companies together have made more than 80 % of the reads that Intuit’s tier allows in a calendar month (500 000 in the Builder tier).',
    impact: 'Beyond the allowance reads cost money or are refused.',
    diagnosis: readers,
    mitigation: fewerReads,
  },
  {
    name: 'ReadsForecastHigh',
    board: 'quota',
    expr: 'max(sync_reads_forecast{app="ingest"}) > max(sync_reads_allowance{app="ingest"})',
    // A backfill of a large company ends within the hour; the pace of seven days hardly notices it.
    for: '1h',
    severity: 'ticket',
    summary: 'At this pace the month’s metered reads will not last',
    fires: { series: forecast('600000x90', '500000x90'), at: '80m' },
    silent: { series: forecast('480000x90', '500000x90'), at: '80m' },
    meaning:
      'If the rest of the month goes on like the last seven days, more reads are made than the allowance holds. Sweeps of targets and bulk reads are slowed by themselves meanwhile; live capture never is.',
    impact:
      'Edits made in targets are noticed later, backfills take longer. What live syncs carry is untouched until the allowance ends.',
    diagnosis: [
      { say: 'What is slowed: 0 nothing, 1 sweeps, 2 bulk reads too', promql: 'max(sync_reads_guard)' },
      ...readers,
    ],
    mitigation: fewerReads,
  },
  {
    name: 'Throttled',
    board: 'quota',
    expr: 'sum(increase(sync_quota_rejected_total[10m])) > 0',
    severity: 'ticket',
    summary: 'QuickBooks said "too many requests"',
    fires: { series: { sync_quota_rejected_total: '0x10 3x20' }, at: '15m' },
    silent: { series: { sync_quota_rejected_total: '3x40' }, at: '30m' },
    meaning: 'The governor is built so that this does not happen; it paces all processes below every limit.',
    impact: 'The company is left alone for a minute, then paced lower for a while.',
    diagnosis: [
      { say: 'Companies that are left alone', promql: 'max(sync_quota_frozen_companies)' },
      {
        say: 'Rows of the governor',
        sql: 'select realm_id, updated_at, version from governor_state order by updated_at desc limit 10',
      },
    ],
    mitigation: [
      'Another program shares the company’s quota: its owner knows. Alone and again: report it with the tid from the log.',
    ],
  },
  {
    name: 'BreakerOpen',
    board: 'quota',
    // The circuit that all processes share, and each one's own.
    expr: 'max by (scope) (label_replace(sync_platform_circuit_open, "scope", "platform", "", "")) > 0 or max by (scope) (sync_breaker_open) > 0',
    for: '10m',
    severity: 'page',
    summary: 'QuickBooks has not answered for ten minutes',
    fires: { series: { sync_platform_circuit_open: '1x30', 'sync_breaker_open{scope="platform"}': '0x30' }, at: '20m' },
    silent: { series: { 'sync_breaker_open{scope="platform"}': '0x10 1x5 0x20' }, at: '20m' },
    meaning:
      'Calls are held back because most of the last ones had no answer: scope "platform" for all companies, "realm" for how many.',
    impact: 'Nothing is sent there. Everything waits in its rows and goes on by itself.',
    diagnosis: [
      { say: 'How calls end', promql: 'sum by (outcome) (rate(sync_qbo_call_seconds_count[10m]))' },
      {
        say: 'Calls that are open',
        sql: `select target_realm_id, count(*), min(claimed_at) from calls where state in ('claimed', 'unknown') group by 1`,
      },
    ],
    mitigation: ['status.developer.intuit.com. If QuickBooks is well: our way out (network policy, proxy, DNS).'],
  },
  {
    name: 'TokenExpiring',
    board: 'overview',
    expr: `min(sync_token_expiry_seconds) < ${14 * day}`,
    severity: 'ticket',
    summary: 'A company’s connection ends within 14 days',
    fires: { series: { sync_token_expiry_seconds: `${13 * day}x20` }, at: '10m' },
    silent: { series: { sync_token_expiry_seconds: `${90 * day}x20` }, at: '10m' },
    meaning:
      'A refresh token is near its end: unused for too long, or near the five years after which Intuit wants a person to consent again.',
    impact: 'Then the company must be connected anew; until then its work is held.',
    diagnosis: [
      {
        say: 'Which',
        sql: 'select c.realm_id, c.name, least(g.refresh_expires_at, g.refresh_hard_expires_at) as ends from oauth_grants g join companies c using (realm_id) order by 3 limit 10',
      },
    ],
    mitigation: ['Ask the owner to connect it again; what is there stays.'],
  },
  {
    name: 'TokenKeyOld',
    board: 'overview',
    // A year: what auditors ask for, and often enough that people still know how it is done.
    expr: `max(sync_token_key_age_seconds) > ${365 * day}`,
    severity: 'ticket',
    summary: 'The key that seals tokens is older than a year',
    fires: { series: { sync_token_key_age_seconds: `${366 * day}x20` }, at: '10m' },
    silent: { series: { sync_token_key_age_seconds: `${100 * day}x20` }, at: '10m' },
    meaning: 'A grant in the database is sealed with a key that has been in use for more than a year.',
    impact: 'None yet. The longer a key is in use, the more copies of it there may be.',
    diagnosis: [
      {
        say: 'Keys by their ids, since when and until when they sealed',
        sql: 'select key_id, first_used_at, last_used_at from token_keys order by first_used_at',
      },
    ],
    mitigation: [
      'Make a new key (`openssl rand -base64 32`) and replace the old one in three rollouts, as docs/deployment.md says under "Replacing the token key". Nobody has to reconnect.',
      "Before the old key goes, one key must be left: `select split_part(refresh_token_sealed, '.', 2) as key, count(*) from oauth_grants group by 1`.",
    ],
  },
  {
    name: 'TokenRenewalFailing',
    board: 'overview',
    expr: 'sum(increase(sync_token_renewals_total{outcome!="tokens"}[15m])) > 2',
    severity: 'page',
    summary: 'Access tokens cannot be renewed',
    fires: { series: { 'sync_token_renewals_total{outcome="unavailable"}': '0+1x30' }, at: '20m' },
    silent: { series: { 'sync_token_renewals_total{outcome="tokens"}': '0+5x30' }, at: '20m' },
    meaning: 'Intuit’s token endpoint refuses or does not answer.',
    impact: 'After an hour no call can be made.',
    diagnosis: [
      { say: 'How renewals end', promql: 'sum by (outcome) (increase(sync_token_renewals_total[1h])) or vector(0)' },
      {
        say: 'Companies whose connection is lost',
        sql: `select realm_id, name, status, status_reason from companies where status <> 'connected'`,
      },
    ],
    mitigation: [
      'invalid_client: the client secret was changed; set it. One company: ReconnectNeeded. All: Intuit’s status page.',
    ],
  },
  {
    name: 'ReconnectNeeded',
    board: 'overview',
    expr: 'max(sync_companies{status="reconnect_needed"}) > 0',
    for: '5m',
    severity: 'ticket',
    summary: 'A company must be connected again by its owner',
    fires: { series: { 'sync_companies{status="reconnect_needed"}': '1x20' }, at: '10m' },
    silent: { series: { 'sync_companies{status="reconnect_needed"}': '0x20' }, at: '10m' },
    meaning: 'Intuit no longer takes its refresh token: somebody disconnected the app, or it ran out.',
    impact: 'Nothing is read from or written to it; its work is held and goes on after.',
    diagnosis: [
      {
        say: 'Which and why',
        sql: `select realm_id, name, status_reason from companies where status = 'reconnect_needed'`,
      },
      { say: 'The same by the API', api: 'GET /v1/companies' },
    ],
    mitigation: ['Ask its owner to connect it again (`npm run syncctl -- companies connect REALM`).'],
  },
  {
    name: 'DatabaseConnectionsHigh',
    board: 'overview',
    expr: 'max(sync_database_connections_ratio) > 0.8',
    for: '5m',
    severity: 'page',
    summary: 'PostgreSQL has almost no connection left',
    fires: { series: { sync_database_connections_ratio: '0.9x20' }, at: '10m' },
    silent: { series: { sync_database_connections_ratio: '0.4x20' }, at: '10m' },
    meaning: 'More than 80 % of max_connections are in use.',
    impact: 'The next process does not start; a restart may not come back.',
    diagnosis: [
      {
        say: 'Who has them',
        sql: 'select application_name, state, count(*) from pg_stat_activity group by 1, 2 order by 3 desc',
      },
    ],
    mitigation: ['Fewer processes, a smaller SYNC_DATABASE_POOL, or a larger max_connections.'],
  },
  {
    name: 'DatabasePoolStarved',
    board: 'overview',
    expr: 'max by (app) (sync_database_pool_connections{state="waiting"}) > 5',
    for: '10m',
    severity: 'ticket',
    summary: 'Callers queue for a connection to PostgreSQL',
    fires: { series: { 'sync_database_pool_connections{app="audit",state="waiting"}': '9x30' }, at: '20m' },
    silent: { series: { 'sync_database_pool_connections{app="audit",state="waiting"}': '1x30' }, at: '20m' },
    meaning: 'One process has more to ask of the database at once than it has connections, for ten minutes.',
    impact: 'That app is slow.',
    diagnosis: [
      {
        say: 'Statements that run long',
        sql: `select pid, application_name, clock_timestamp() - query_start as took, left(query, 80) as query from pg_stat_activity where state <> 'idle' order by query_start limit 10`,
      },
    ],
    mitigation: [
      'A lock: end its holder (`select pg_terminate_backend(PID)`). Load: more processes or a larger SYNC_DATABASE_POOL.',
    ],
  },
  {
    name: 'DiskFilling',
    board: 'overview',
    // From the kubelet: only a cluster knows its volumes.
    expr: 'min by (persistentvolumeclaim) (kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes) < 0.15',
    for: '15m',
    severity: 'page',
    summary: 'A volume of Kafka or PostgreSQL is 85 % full',
    fires: {
      series: {
        'kubelet_volume_stats_available_bytes{persistentvolumeclaim="data"}': '10x40',
        'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="data"}': '100x40',
      },
      at: '30m',
    },
    silent: {
      series: {
        'kubelet_volume_stats_available_bytes{persistentvolumeclaim="data"}': '60x40',
        'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="data"}': '100x40',
      },
      at: '30m',
    },
    meaning: 'Less than 15 % of a volume is free. Known in Kubernetes only; elsewhere watch the disks yourself.',
    impact: 'A full disk stops PostgreSQL or a broker.',
    diagnosis: [
      { say: 'How large the database is', promql: 'max(sync_database_bytes)' },
      {
        say: 'Its largest tables',
        sql: 'select relname, pg_size_pretty(pg_total_relation_size(relid)) as size from pg_stat_user_tables order by pg_total_relation_size(relid) desc limit 10',
      },
    ],
    mitigation: [
      'Enlarge the volume. Old months of the sync log can be detached and dropped (partitions sync_log_yYYYYmMM).',
    ],
  },
  {
    name: 'ClockSkew',
    board: 'overview',
    expr: 'max by (app) (abs(sync_clock_skew_seconds)) > 2',
    for: '5m',
    severity: 'ticket',
    summary: 'A process’s clock is two seconds off the database’s',
    fires: { series: { 'sync_clock_skew_seconds{app="mapper"}': '-3x20' }, at: '10m' },
    silent: { series: { 'sync_clock_skew_seconds{app="mapper"}': '0.02x20' }, at: '10m' },
    meaning:
      'Leases and quota use the database’s clock, so nothing breaks; measured ages are wrong, and webhooks’ times too.',
    impact: 'Figures mislead. Beyond a quarter of a second the governor corrects for it.',
    diagnosis: [{ say: 'Which', promql: 'max by (app, instance) (abs(sync_clock_skew_seconds))' }],
    mitigation: ['Mend time synchronisation of that node (chrony, timesyncd).'],
  },
  {
    name: 'EventLoopSlow',
    board: 'pipeline',
    expr: 'max by (app) (nodejs_eventloop_lag_p99_seconds) > 1',
    for: '10m',
    severity: 'ticket',
    summary: 'A process is too busy to answer within a second',
    fires: { series: { 'nodejs_eventloop_lag_p99_seconds{app="mapper"}': '2x30' }, at: '20m' },
    silent: { series: { 'nodejs_eventloop_lag_p99_seconds{app="mapper"}': '0.02x30' }, at: '20m' },
    meaning: 'Its event loop is held up for more than a second at a time.',
    impact: 'Heartbeats are late: it may lose its partitions and leases.',
    diagnosis: [{ say: 'Which', promql: 'max by (app) (nodejs_eventloop_lag_p99_seconds)' }],
    mitigation: ['Give it CPU or more processes. It stays: a profile of that process belongs into the report.'],
  },
  {
    name: 'AppNotScraped',
    board: 'overview',
    expr: [`up{app=~"${apps}"} == 0`, ...appNames.map((app) => `absent(up{app="${app}"})`)].join(' or '),
    for: '3m',
    severity: 'page',
    summary: 'An app does not answer',
    fires: { series: { ...up('1x20'), 'up{app="mapper"}': '0x20' }, at: '10m' },
    silent: { series: up('1x20'), at: '10m' },
    meaning: 'No process of an app could be scraped, or one of several does not answer.',
    impact: 'Its stage stands still, unless another process of it runs.',
    diagnosis: [{ say: 'Which', promql: 'up' }],
    mitigation: ['Its log, its readiness (`/health/ready` says which check fails), its restarts.'],
  },
  {
    name: 'WatchBlind',
    board: 'overview',
    expr: 'absent(sync_reconciliation_records{class="equal"}) or absent(kafka_consumergroup_lag)',
    for: '10m',
    severity: 'page',
    summary: 'The state of the books or of Kafka is not known',
    fires: { series: { 'up{app="control"}': '1x30' }, at: '20m' },
    silent: {
      series: {
        'sync_reconciliation_records{class="equal"}': '5x30',
        'kafka_consumergroup_lag{consumergroup="a"}': '0x30',
      },
      at: '20m',
    },
    meaning:
      'control answers, and cannot ask PostgreSQL or the brokers. Alerts that rest on these figures are silent meanwhile.',
    impact: 'You would not hear of anything else.',
    diagnosis: [
      {
        say: 'What is missing',
        promql: 'absent(sync_reconciliation_records) or absent(kafka_consumergroup_lag) or vector(0)',
      },
      { say: 'A statement of the same kind', sql: 'select state, count(*) from links group by state' },
    ],
    mitigation: ['Bring back what is away. Both there: restart control and read its log.'],
  },
];
