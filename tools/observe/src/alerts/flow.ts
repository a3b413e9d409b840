// Where work may get stuck: topics, groups, the outbox, capture, jobs, what people have to decide.
import type { Alert, Step } from './alert.js';

const group = 'consumergroup="sync-mapper",topic="qbo.changes.v1",partition="3"';
const lag = (values: string, offset: string) => ({
  [`kafka_consumergroup_lag{${group}}`]: values,
  [`kafka_consumergroup_current_offset{${group}}`]: offset,
});
const held: Step[] = [
  {
    say: 'Reasons, most frequent first',
    sql: `select failure_code, entity_type, count(*), min(failure_reason) from links where state = 'held' group by 1, 2 order by 3 desc limit 20`,
  },
  { say: 'A sync’s own list', api: 'GET /v1/syncs/{id}/links' },
];

export const flowAlerts: Alert[] = [
  {
    name: 'DeadLettersGrowing',
    board: 'kafka',
    expr: 'max(sync_dead_letters) - max(sync_dead_letters offset 15m) > 0',
    severity: 'page',
    summary: 'Records were put aside because no consumer could take them',
    fires: { series: { sync_dead_letters: '0x20 2x10' }, at: '25m' },
    silent: { series: { sync_dead_letters: '4x40' }, at: '30m' },
    meaning:
      'A record could not be decoded or its handler refused it again and again; it lies in dead.letters.v1 with the reason.',
    impact: 'That record’s change is not carried until it is redriven. Everything behind it goes on.',
    diagnosis: [
      {
        say: 'Which group and topic',
        promql:
          'sum by (group, topic) (increase(sync_kafka_records_total{outcome="dead-lettered"}[1h])) > 0 or vector(0)',
      },
      { say: 'Whether the installation is sound otherwise', run: 'npm run verify' },
    ],
    mitigation: [
      'Read what lies there and why: `npm run dead-letters`; all of one, with its headers: `npm run dead-letters -- show PLACE`.',
      'What its reader can take by now (a finished rollout, a mended bug) is tried again, once, with an audit entry: `npm run dead-letters -- redrive --code CODE --author NAME --reason TEXT`.',
      '`CHANGE.CANNOT_BE_TOLD` with `max.message.bytes`: the topic was made with a lower limit than the catalogue has (each start says so). Raise it, then `npm run syncctl -- look REALM`.',
      'A reader older than its writer: finish the rollout. Then let the source be read again: `npm run syncctl -- look REALM`, or a replay of the sync.',
    ],
  },
  {
    name: 'PartitionStalled',
    board: 'kafka',
    expr: 'max by (consumergroup, topic, partition) (kafka_consumergroup_lag) > 0 and max by (consumergroup, topic, partition) (delta(kafka_consumergroup_current_offset[15m])) == 0',
    for: '5m',
    severity: 'page',
    summary: 'A partition has records and nobody takes them',
    fires: { series: lag('5x40', '100x40'), at: '30m' },
    silent: { series: lag('5x40', '100+1x40'), at: '30m' },
    meaning:
      'For a quarter of an hour the group’s position in this partition did not move though records wait. Stuck, not slow.',
    impact: 'Companies whose records are in this partition stand still at this stage.',
    diagnosis: [
      { say: 'Which', promql: 'topk(10, max by (consumergroup, topic, partition) (kafka_consumergroup_lag))' },
      {
        say: 'Batches that are given again and again',
        promql: 'sum by (group, topic) (increase(sync_kafka_batch_retries_total[15m])) or vector(0)',
      },
    ],
    mitigation: [
      'Restart the app of that group: its consumer is built anew and goes on at the committed offset.',
      'It retries one batch: its log names the error; a poisonous record is put aside after its tries.',
    ],
  },
  {
    name: 'RebalanceStorm',
    board: 'kafka',
    expr: 'max by (group) (increase(sync_kafka_rebalances_total[10m])) > 3',
    for: '5m',
    severity: 'ticket',
    summary: 'A consumer group is assigned again and again',
    fires: { series: { 'sync_kafka_rebalances_total{group="sync-mapper"}': '0+1x40' }, at: '30m' },
    silent: { series: { 'sync_kafka_rebalances_total{group="sync-mapper"}': '0x10 2x30' }, at: '30m' },
    meaning:
      'Members come and go: crashing processes, a broker that is too slow to answer heartbeats, or processes starved of CPU.',
    impact: 'Every assignment stops the whole group for a moment.',
    diagnosis: [
      { say: 'Which group', promql: 'topk(5, sum by (group) (increase(sync_kafka_rebalances_total[10m])))' },
      { say: 'Processes that cannot keep up', promql: 'max by (app) (nodejs_eventloop_lag_p99_seconds)' },
    ],
    mitigation: ['Look for restarts of its pods; give them CPU. During a rollout it is normal and ends with it.'],
  },
  {
    name: 'ConsumerRebuilt',
    board: 'kafka',
    expr: 'sum by (group) (increase(sync_kafka_consumer_rebuilds_total[30m])) > 3',
    severity: 'ticket',
    summary: 'A consumer keeps breaking and being built anew',
    fires: { series: { 'sync_kafka_consumer_rebuilds_total{group="sync-audit"}': '0+1x40' }, at: '35m' },
    silent: { series: { 'sync_kafka_consumer_rebuilds_total{group="sync-audit"}': '1x40' }, at: '35m' },
    meaning: 'The Kafka client ended with an error and was replaced, several times within half an hour.',
    impact: 'Its stage pauses each time.',
    diagnosis: [
      { say: 'Which', promql: 'sum by (group) (increase(sync_kafka_consumer_rebuilds_total[30m])) or vector(0)' },
    ],
    mitigation: ['The app’s log says why ("consumer broke"). Mostly the brokers or the network to them.'],
  },
  {
    name: 'LiveWorkOld',
    board: 'pipeline',
    expr: 'max(sync_write_runnable_age_seconds{lane="live"}) > 900',
    for: '5m',
    severity: 'page',
    summary: 'Live work that could be done has waited for fifteen minutes',
    fires: { series: { 'sync_write_runnable_age_seconds{lane="live"}': '0+60x40' }, at: '30m' },
    silent: { series: { 'sync_write_runnable_age_seconds{lane="live"}': '30x40' }, at: '30m' },
    meaning:
      'A change is ready to be written, nothing it refers to is missing, its sync is active, and no writer took it. What never settles does not show in the freshness objective; here it does.',
    impact: 'At least one company is not written.',
    diagnosis: [
      {
        say: 'Whose work',
        sql: `select target_realm_id, lane, count(*), min(due_at) from links where state = 'ready' group by 1, 2 order by 4 limit 10`,
      },
      {
        say: 'Who has the right to act for it',
        sql: `select realm_id, owner, fence, expires_at from realm_leases where purpose = 'writer' order by expires_at limit 20`,
      },
      { say: 'Whether its quota is used up', promql: 'max by (rank) (sync_quota_utilisation_ratio)' },
    ],
    mitigation: [
      'A lease that is renewed and does nothing: restart that writer. No lease: start a writer.',
      'Quota full: see QuotaMinuteHigh.',
    ],
  },
  {
    name: 'WeAreTheBottleneck',
    board: 'quota',
    expr: 'max(sync_write_runnable_age_seconds{lane="live"}) > 300 and on () max(sync_quota_utilisation_ratio{rank="1"}) < 0.5',
    for: '10m',
    severity: 'ticket',
    summary: 'Work waits though QuickBooks would take more',
    fires: {
      series: {
        'sync_write_runnable_age_seconds{lane="live"}': '600x40',
        'sync_quota_utilisation_ratio{rank="1"}': '0.2x40',
      },
      at: '30m',
    },
    silent: {
      series: {
        'sync_write_runnable_age_seconds{lane="live"}': '600x40',
        'sync_quota_utilisation_ratio{rank="1"}': '0.9x40',
      },
      at: '30m',
    },
    meaning: 'Live work is five minutes old while even the busiest company uses less than half of its minute.',
    impact: 'Slower than it could be.',
    diagnosis: [
      { say: 'Processes that are busy', promql: 'max by (app) (nodejs_eventloop_lag_p99_seconds)' },
      {
        say: 'Statements that run long',
        sql: `select pid, application_name, state, clock_timestamp() - query_start as took, left(query, 80) as query from pg_stat_activity where state <> 'idle' order by query_start limit 10`,
      },
      {
        say: 'Callers waiting for a connection',
        promql: 'max by (app) (sync_database_pool_connections{state="waiting"})',
      },
    ],
    mitigation: ['More writer processes, more CPU for PostgreSQL, or a larger pool, as the three say.'],
  },
  {
    name: 'UncertainWrites',
    board: 'pipeline',
    expr: 'max(sync_uncertain_age_seconds) > 600',
    for: '5m',
    severity: 'page',
    summary: 'For ten minutes it is not known whether a write was done',
    fires: { series: { sync_uncertain_age_seconds: '0+60x40' }, at: '30m' },
    silent: { series: { sync_uncertain_age_seconds: '45x40' }, at: '30m' },
    meaning:
      'A call was sent and no answer could be had; it is sent again with the same request id or looked for in the target, and neither has succeeded.',
    impact: 'That record waits. It is never written twice: the request id sees to it.',
    diagnosis: [
      {
        say: 'The calls',
        sql: `select target_realm_id, request_id, kind, state, sends, claimed_at, http_status, tid from calls where state in ('claimed', 'unknown') order by claimed_at limit 20`,
      },
      { say: 'Answers of QuickBooks', promql: 'sum by (call, outcome) (rate(sync_qbo_call_seconds_count[10m]))' },
    ],
    mitigation: [
      'QuickBooks is down: wait. One company: give its `tid` to Intuit’s support. Never delete the row: it is what prevents a second write.',
    ],
  },
  {
    name: 'OutboxOld',
    board: 'pipeline',
    expr: 'max(sync_outbox_age_seconds) > 60',
    for: '5m',
    severity: 'page',
    summary: 'Announcements wait in PostgreSQL instead of going to Kafka',
    fires: { series: { sync_outbox_age_seconds: '0+60x30' }, at: '20m' },
    silent: { series: { sync_outbox_age_seconds: '2x30' }, at: '20m' },
    meaning: 'The relay cannot publish what was written with a settled record.',
    impact: 'Results and audit events are late; no write is affected.',
    diagnosis: [
      {
        say: 'What waits',
        sql: 'select topic, count(*), min(event_time) from outbox where refused is null group by topic',
      },
      { say: 'Whether Kafka takes records', promql: 'sum by (topic, outcome) (rate(sync_kafka_published_total[10m]))' },
    ],
    mitigation: ['Bring the brokers back. Any of control, qbo-writer or attachment-worker relays for all.'],
  },
  {
    name: 'OutboxRefused',
    board: 'pipeline',
    expr: 'max(sync_outbox_records{state="refused"}) > 0',
    severity: 'ticket',
    summary: 'Kafka refuses an announcement for good',
    fires: { series: { 'sync_outbox_records{state="refused"}': '0x5 1x10' }, at: '10m' },
    silent: { series: { 'sync_outbox_records{state="refused"}': '0x20' }, at: '10m' },
    meaning: 'A record does not fit its schema or its topic’s size; it stands in the outbox with the reason.',
    impact: 'The sync log or the audit log lacks an entry.',
    diagnosis: [
      {
        say: 'Which and why',
        sql: 'select id, topic, key, refused, event_time from outbox where refused is not null order by id limit 20',
      },
    ],
    mitigation: [
      'A bug in what wrote it: report it with the row. Set `refused = null` after the fix and it goes again.',
    ],
  },
  {
    name: 'CaptureBehind',
    board: 'pipeline',
    expr: 'max(sync_capture_age_seconds) > 3600',
    for: '10m',
    severity: 'page',
    summary: 'A source company has not been read completely for an hour',
    fires: { series: { sync_capture_age_seconds: '0+120x60' }, at: '50m' },
    silent: { series: { sync_capture_age_seconds: '290x60' }, at: '50m' },
    meaning:
      'Every source of an active sync is looked at every few minutes; for one of them no look has ended well in an hour.',
    impact: 'Its changes are not seen. QuickBooks tells changes of 30 days at most.',
    diagnosis: [
      {
        say: 'Which, and its error',
        sql: 'select realm_id, due_at, complete_up_to, failures, last_error from capture_cursors order by complete_up_to nulls first limit 10',
      },
      { say: 'The company’s connection', api: 'GET /v1/companies/{realmId}' },
    ],
    mitigation: [
      'Needs to be reconnected: ask its owner. An error of ours: restart ingest, then `npm run syncctl -- look REALM`.',
    ],
  },
  {
    name: 'CaptureFailing',
    board: 'pipeline',
    expr: 'max(sync_capture_failing) > 0',
    for: '15m',
    severity: 'ticket',
    summary: 'Looks at a source company keep failing',
    fires: { series: { sync_capture_failing: '1x40' }, at: '30m' },
    silent: { series: { sync_capture_failing: '0x20 1x3 0x20' }, at: '30m' },
    meaning: 'The last look at a source ended with an error, for a quarter of an hour.',
    impact: 'Its changes come late.',
    diagnosis: [
      {
        say: 'Which, and its error',
        sql: 'select realm_id, failures, last_error from capture_cursors where failures > 0 order by failures desc limit 10',
      },
    ],
    mitigation: ['As last_error says; it is tried again by itself.'],
  },
  {
    name: 'HeldGrowing',
    board: 'overview',
    expr: 'max(sync_reconciliation_records{class="held"}) - max(sync_reconciliation_records{class="held"} offset 6h) > 50',
    severity: 'ticket',
    summary: 'Fifty more records wait for a person than six hours ago',
    fires: { series: { 'sync_reconciliation_records{class="held"}': '3x380 80x30' }, at: '400m' },
    silent: { series: { 'sync_reconciliation_records{class="held"}': '80x420' }, at: '400m' },
    meaning: 'Records are held for reasons that only a person can remove, and the number jumped.',
    impact: 'They are not in the target; what refers to them waits.',
    diagnosis: held,
    mitigation: [
      'One reason for all of them: one decision (closed books, a missing account, a collision of names). docs/failure-modes.md says which; then redrive.',
    ],
  },
  {
    name: 'JobFailed',
    board: 'replay',
    expr: 'sum by (kind) (max by (kind, state) (sync_jobs{state="failed"})) - (sum by (kind) (max by (kind, state) (sync_jobs{state="failed"} offset 1h)) or sum by (kind) (max by (kind, state) (sync_jobs{state="failed"})) * 0) > 0',
    severity: 'ticket',
    summary: 'A backfill or replay failed',
    fires: { series: { 'sync_jobs{kind="backfill",state="failed"}': '_x20 1x50' }, at: '30m' },
    silent: { series: { 'sync_jobs{kind="backfill",state="failed"}': '1x200' }, at: '150m' },
    meaning: 'A job gave up within the last hour.',
    impact: 'Records it had not reached are not carried.',
    diagnosis: [
      {
        say: 'The job',
        sql: `select id, sync_id, kind, error, progress, finished_at from jobs where state = 'failed' order by finished_at desc limit 5`,
      },
      { say: 'The same by the API', api: 'GET /v1/jobs/{id}' },
    ],
    mitigation: [
      'Remove what error says, then start it again (`POST /v1/syncs/{id}/backfill`): what is there already is not written twice.',
    ],
  },
  {
    name: 'LeasesFlapping',
    board: 'pipeline',
    expr: 'sum(max by (purpose) (sync_lease_handovers)) - sum(max by (purpose) (sync_lease_handovers offset 10m)) > 3 * sum(max by (status) (sync_companies))',
    for: '10m',
    severity: 'ticket',
    summary: 'The right to act for companies changes hands all the time',
    fires: {
      series: { 'sync_lease_handovers{purpose="writer"}': '0+20x60', 'sync_companies{status="connected"}': '10x60' },
      at: '40m',
    },
    silent: {
      series: { 'sync_lease_handovers{purpose="writer"}': '0+1x60', 'sync_companies{status="connected"}': '10x60' },
      at: '40m',
    },
    meaning:
      'Leases run out before they are renewed: processes that are killed, starved or cut off from PostgreSQL. A company without work also gives its lease back, so some hand-overs are normal.',
    impact: 'Each change costs the company a lease time of standstill.',
    diagnosis: [
      {
        say: 'Owners',
        sql: 'select purpose, owner, count(*), max(fence) from realm_leases group by 1, 2 order by 3 desc',
      },
      { say: 'Processes that cannot keep up', promql: 'max by (app) (nodejs_eventloop_lag_p99_seconds)' },
    ],
    mitigation: ['Look for restarts and out-of-memory kills of qbo-writer; give it CPU; lengthen SYNC_WRITER_LEASE.'],
  },
];
