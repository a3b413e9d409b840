// The six boards. Every query runs in `npm run observe:check` against a real Prometheus and PostgreSQL under the demo's load
// and must answer something; what is rightly nothing in health says `or vector(0)`.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { objectives } from '../alerts/index.js';
import type { Objective } from '../alerts/index.js';
import { board, figure, lines, rows } from './panel.js';

const every = (w: Objective, window: string) => `(${w.bad(window)}) / (${w.all(window)})`;
/** Share of the month's allowance that is left; the range of the query is what Prometheus keeps. */
const budgetLeft = (objective: Objective) =>
  `clamp_min(1 - (${every(objective, '30d')}) / ${objective.budget}, 0) or vector(1)`;
const freshP = (p: number, since: string) =>
  `histogram_quantile(${p}, sum by (le) (rate(sync_freshness_seconds_bucket{since="${since}"}[$__rate_interval])))`;
const klass = (name: string) => `max(sync_reconciliation_records{class="${name}"})`;

const firing = (severity: string) => `max by (alertname, board) (ALERTS{alertstate="firing",severity="${severity}"})`;
/** The names of what fires, each with its board: 2 pages, 1 waits for the day, 0 nothing. */
const toTouch = `label_join(2 * ${firing('page')} or ${firing('ticket')}, "look", " → board ", "alertname", "board") or (label_replace(vector(0), "look", "nothing fires", "", "") unless on () ALERTS{alertstate="firing"})`;
/**
 * 1 when any sign says so. What settled lately is one of them only: when nothing moves, nothing settles late. The ages come from
 * writer and control; without those there is no verdict at all.
 */
const late = `clamp_max(${[
  'max(sync_write_runnable_age_seconds{lane="live"}) > bool 120',
  // Three looks that failed.
  'max(sync_capture_age_seconds) > bool 900',
  'max(sync_outbox_age_seconds) > bool 120',
  `(${every(objectives.fresh, '5m')}) > bool ${objectives.fresh.budget} or vector(0)`,
  'count(ALERTS{alertstate="firing",alertname=~"PartitionStalled|UncertainWrites|AppNotScraped"}) or vector(0)',
]
  .map((sign) => `(${sign})`)
  .join(' + ')}, 1)`;

const overview = () =>
  board({
    uid: 'qbo-sync-overview',
    title: 'Overview',
    says: 'Are the books fresh, are they true, what waits for a person.',
  })
    .withPanel(
      figure(
        {
          title: 'Are the books fresh?',
          says: 'Late: live work, an announcement or a source has waited too long, or the last five minutes used more of the budget than there is. Board Pipeline says where.',
          unit: 'none',
          words: { 0: ['FRESH', 'green'], 1: ['LATE', 'red'] },
          queries: { verdict: late },
        },
        6,
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Are they true?',
          says: 'Not true: an amount differs and nobody knows why, or the audit chain does not hold. Runbooks MoneyUnexplained, AuditChainBroken.',
          unit: 'none',
          words: { 0: ['TRUE', 'green'], 1: ['NOT TRUE', 'red'] },
          queries: { verdict: `clamp_max(${klass('unexplained')} + max(sync_audit_chain_broken), 1)` },
        },
        6,
      ),
    )
    .withPanel(
      figure(
        {
          title: 'What to touch',
          says: 'Every alert that fires: its runbook has the same name (docs/runbooks); the board that shows it stands behind it. Red pages, yellow waits for the day.',
          unit: 'none',
          limits: [1, 2],
          names: true,
          queries: { '{{look}}': toTouch },
        },
        12,
      ),
    )
    .withPanel(
      figure({
        title: 'Fresh: budget left',
        says: `${objectives.fresh.says}. 100 % = nothing of the month’s allowance used. Falling: board Pipeline.`,
        unit: 'percentunit',
        wanted: [0.01, 0.25],
        queries: { left: budgetLeft(objectives.fresh) },
      }),
    )
    .withPanel(
      figure({
        title: 'Arrived: budget left',
        says: `${objectives.veryFresh.says}.`,
        unit: 'percentunit',
        wanted: [0.01, 0.25],
        queries: { left: budgetLeft(objectives.veryFresh) },
      }),
    )
    .withPanel(
      figure({
        title: 'Money unexplained',
        says: 'Records whose amounts differ for no known reason. Anything but 0: runbook MoneyUnexplained.',
        unit: 'none',
        limits: [1, 1],
        queries: { records: klass('unexplained') },
      }),
    )
    .withPanel(
      figure({
        title: 'Equal',
        says: 'Records whose copy is what it should be.',
        unit: 'short',
        queries: { records: klass('equal') },
      }),
    )
    .withPanel(
      figure({
        title: 'Held for a person',
        says: 'Board Company lists them with their reasons.',
        unit: 'short',
        limits: [1, 100],
        queries: { records: klass('held') },
      }),
    )
    .withPanel(
      figure({
        title: 'Failed',
        says: 'Given up; docs/failure-modes.md says per code what to do.',
        unit: 'short',
        limits: [1, 10],
        queries: { records: klass('failed') },
      }),
    )
    .withPanel(
      lines({
        title: 'Age of a change when the target has it',
        says: 'Since the source’s own time of the change, and since its webhook.',
        unit: 's',
        queries: {
          'p50 since change': freshP(0.5, 'change'),
          'p99 since change': freshP(0.99, 'change'),
          'p99 since webhook': freshP(0.99, 'notified'),
        },
      }),
    )
    .withPanel(
      lines({
        title: 'How copies stand to their sources',
        says: 'Reconciliation by class. "On the way" falls back to 0 when the sources rest.',
        queries: { '{{class}}': 'max by (class) (sync_reconciliation_records)' },
      }),
    )
    .withPanel(
      lines({
        title: 'What is held, by reason',
        says: 'Families of reasons; QBO is a refusal of QuickBooks itself.',
        queries: {
          '{{family}}':
            'max by (family) (sync_held_records) or (label_replace(vector(0), "family", "nothing", "", "") unless on () sync_held_records)',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Settled per second, by outcome',
        says: 'What became of changes.',
        unit: 'ops',
        queries: { '{{outcome}}': 'sum by (outcome) (rate(sync_settled_total[$__rate_interval]))' },
      }),
    )
    .withPanel(
      figure({
        title: 'Companies connected',
        says: 'Of those that were ever connected.',
        queries: { '{{status}}': 'max by (status) (sync_companies)' },
      }),
    )
    .withPanel(
      figure({
        title: 'Next connection ends in',
        says: 'The first refresh token that ends for good.',
        unit: 's',
        queries: { left: 'min(sync_token_expiry_seconds)' },
      }),
    )
    .withPanel(
      figure({
        title: 'Token key in use for',
        says: 'A key is replaced once a year. Runbook TokenKeyOld.',
        unit: 's',
        queries: { age: 'max(sync_token_key_age_seconds)' },
      }),
    )
    .withPanel(
      figure({
        title: 'Audit chains broken',
        says: 'Runbook AuditChainBroken.',
        unit: 'none',
        limits: [1, 1],
        queries: { chains: 'max(sync_audit_chain_broken)' },
      }),
    )
    .withPanel(
      figure({
        title: 'PostgreSQL connections',
        says: 'Of those it allows.',
        unit: 'percentunit',
        limits: [0.6, 0.8],
        queries: { used: 'max(sync_database_connections_ratio)' },
      }),
    )
    .withPanel(
      figure({ title: 'Database', says: 'Its size.', unit: 'bytes', queries: { size: 'max(sync_database_bytes)' } }),
    )
    .withPanel(
      lines({
        title: 'Clocks against PostgreSQL',
        says: 'Per app; beyond 2 s figures mislead.',
        unit: 's',
        queries: { '{{app}}': 'max by (app) (abs(sync_clock_skew_seconds))' },
      }),
    )
    .withPanel(
      lines({
        title: 'Connections of the apps',
        says: 'Callers that wait for a connection should be none.',
        queries: { '{{app}} {{state}}': 'sum by (app, state) (sync_database_pool_connections)' },
      }),
    );

const rate = (metric: string, by: string) => `sum by (${by}) (rate(${metric}[$__rate_interval]))`;
const p95 = (metric: string, by: string) =>
  `histogram_quantile(0.95, sum by (${by}, le) (rate(${metric}_bucket[$__rate_interval])))`;

const pipeline = () =>
  board({
    uid: 'qbo-sync-pipeline',
    title: 'Pipeline',
    says: 'Rate, errors and duration per stage, from webhook to settled write.',
  })
    .withPanel(
      lines({
        title: 'Rate: webhooks',
        says: 'Deliveries by answer.',
        unit: 'ops',
        queries: {
          '{{outcome}}': rate('sync_webhook_deliveries_total', 'outcome'),
          'events {{outcome}}': rate('sync_webhook_events_total', 'outcome'),
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Duration: answer to a webhook',
        says: 'Intuit waits three seconds.',
        unit: 's',
        queries: { p95: p95('sync_webhook_ack_seconds', 'app') },
      }),
    )
    .withPanel(
      lines({
        title: 'Rate: looks at sources',
        says: 'By how they were made; failed ones are tried again.',
        unit: 'ops',
        queries: { '{{outcome}}': rate('sync_capture_looks_total', 'outcome') },
      }),
    )
    .withPanel(
      lines({
        title: 'Duration: looks',
        says: 'From its start to the cursor moved.',
        unit: 's',
        queries: { p95: p95('sync_capture_look_seconds', 'app') },
      }),
    )
    .withPanel(
      lines({
        title: 'Rate: readings',
        says: 'Records read from sources: news, known already, older than what is known.',
        unit: 'ops',
        queries: { '{{origin}} {{verdict}}': rate('sync_capture_readings_total', 'origin, verdict') },
      }),
    )
    .withPanel(
      lines({
        title: 'Rate: mapped',
        says: 'Changes by what the rules made of them.',
        unit: 'ops',
        queries: { '{{outcome}} {{lane}}': rate('sync_mapper_changes_total', 'outcome, lane') },
      }),
    )
    .withPanel(
      lines({
        title: 'Duration: mapping',
        says: 'Batches, and the age of a live change when it was mapped.',
        unit: 's',
        queries: {
          'batch p95': p95('sync_mapper_batch_seconds', 'app'),
          'age p95': p95('sync_mapper_lag_seconds', 'app'),
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Duration: each stage of a live change',
        says: 'Where the time goes.',
        unit: 's',
        queries: { '{{stage}} p95': p95('sync_stage_duration_seconds', 'stage') },
      }),
    )
    .withPanel(
      lines({
        title: 'Rate: write attempts',
        says: 'By operation and outcome.',
        unit: 'ops',
        queries: { '{{operation}} {{outcome}}': rate('sync_write_attempts_total', 'operation, outcome') },
      }),
    )
    .withPanel(
      lines({
        title: 'Rate: decisions without a call',
        says: 'Unchanged, waiting for a parent, held.',
        unit: 'ops',
        queries: {
          '{{plan}}': rate('sync_write_decisions_total', 'plan'),
          'taken {{state}}': rate('sync_write_taken_total', 'state'),
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Duration: desired to settled',
        says: 'By lane.',
        unit: 's',
        queries: { '{{lane}} p95': p95('sync_write_settle_seconds', 'lane') },
      }),
    )
    .withPanel(
      lines({
        title: 'Age of work that could be done',
        says: 'The oldest; what a stuck writer looks like.',
        unit: 's',
        queries: {
          '{{lane}}': 'max by (lane) (sync_write_runnable_age_seconds)',
          uncertain: 'max(sync_uncertain_age_seconds)',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Links that could be written',
        says: 'By lane.',
        queries: { '{{lane}}': 'max by (lane) (sync_write_runnable)' },
      }),
    )
    .withPanel(
      lines({
        title: 'Files',
        says: 'Steps, ends and bytes of attachments.',
        unit: 'ops',
        queries: {
          'step {{plan}}': `${rate('sync_attachments_steps_total', 'plan')} or vector(0)`,
          'end {{outcome}}': `${rate('sync_attachments_settled_total', 'outcome')} or vector(0)`,
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Bytes of files',
        says: 'Carried and read back.',
        unit: 'Bps',
        queries: { '{{direction}}': `${rate('sync_attachments_bytes_total', 'direction')} or vector(0)` },
      }),
    )
    .withPanel(
      lines({
        title: 'Duration: a file',
        says: 'From its first step to its last.',
        unit: 's',
        queries: { p95: `${p95('sync_attachments_carry_seconds', 'app')} or vector(0)` },
      }),
    )
    .withPanel(
      lines({
        title: 'Companies in hand, and hand-overs',
        says: 'What each process has the right to act for, and how often that right moved.',
        queries: {
          writer: 'sum(sync_writer_realms)',
          files: 'sum(sync_attachments_realms)',
          'hand-overs {{purpose}}': 'max by (purpose) (sync_lease_handovers)',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Capture',
        says: 'How far back a source is known completely, and looks that fail.',
        unit: 's',
        queries: { age: 'max(sync_capture_age_seconds)', failing: 'max(sync_capture_failing)' },
      }),
    )
    .withPanel(
      lines({
        title: 'Outbox',
        says: 'Announcements that are not in Kafka yet.',
        queries: { '{{state}}': 'max by (state) (sync_outbox_records)', 'age (s)': 'max(sync_outbox_age_seconds)' },
      }),
    )
    .withPanel(
      lines({
        title: 'Sync log',
        says: 'Entries by stage.',
        unit: 'ops',
        queries: { '{{stage}}': rate('sync_audit_entries_total', 'stage') },
      }),
    )
    .withPanel(
      lines({
        title: 'Event loop',
        says: 'The 99th percentile of its lag, by app.',
        unit: 's',
        queries: { '{{app}}': 'max by (app) (nodejs_eventloop_lag_p99_seconds)' },
      }),
    )
    .withPanel(
      lines({
        title: 'Memory',
        says: 'Resident, by app.',
        unit: 'bytes',
        queries: { '{{app}}': 'max by (app) (process_resident_memory_bytes)' },
      }),
    )
    .withPanel(
      lines({
        title: 'CPU',
        says: 'Cores in use, by app.',
        queries: { '{{app}}': 'sum by (app) (rate(process_cpu_seconds_total[$__rate_interval]))' },
      }),
    );

const kafka = () =>
  board({ uid: 'qbo-sync-kafka', title: 'Kafka', says: 'Groups, topics, batches.' })
    .withPanel(
      figure({
        title: 'Dead letters',
        says: 'Records nobody could take. Runbook DeadLettersGrowing.',
        unit: 'none',
        limits: [1, 10],
        queries: { records: 'max(sync_dead_letters)' },
      }),
    )
    .withPanel(
      figure({
        title: 'Records behind, all groups',
        says: 'A number alone says little: see the age beside it.',
        queries: { records: 'sum(max by (consumergroup, topic) (kafka_consumergroup_lag_sum))' },
      }),
    )
    .withPanel(
      lines(
        {
          title: 'Records behind',
          says: 'By group and topic.',
          queries: { '{{consumergroup}} {{topic}}': 'max by (consumergroup, topic) (kafka_consumergroup_lag_sum)' },
        },
        16,
      ),
    )
    .withPanel(
      lines({
        title: 'Behind in time',
        says: 'Age of the oldest record of the batch taken last.',
        unit: 's',
        queries: { '{{group}} {{topic}}': 'max by (group, topic) (sync_kafka_lag_seconds)' },
      }),
    )
    .withPanel(
      lines({
        title: 'The slowest partitions',
        says: 'One that stands while others move is stuck: runbook PartitionStalled.',
        queries: {
          '{{consumergroup}} {{topic}}/{{partition}}':
            'topk(5, max by (consumergroup, topic, partition) (kafka_consumergroup_lag))',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Taken per second',
        says: 'By how far groups move.',
        unit: 'ops',
        queries: {
          '{{consumergroup}}':
            'sum by (consumergroup) (max by (consumergroup, topic, partition) (rate(kafka_consumergroup_current_offset[$__rate_interval])))',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Written per second',
        says: 'By the end of each topic.',
        unit: 'ops',
        queries: {
          '{{topic}}':
            'sum by (topic) (max by (topic, partition) (rate(kafka_topic_partition_current_offset[$__rate_interval])))',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Records handled',
        says: 'By outcome.',
        unit: 'ops',
        queries: { '{{group}} {{outcome}}': rate('sync_kafka_records_total', 'group, outcome') },
      }),
    )
    .withPanel(
      lines({
        title: 'Records published',
        says: 'By topic and outcome.',
        unit: 'ops',
        queries: { '{{topic}} {{outcome}}': rate('sync_kafka_published_total', 'topic, outcome') },
      }),
    )
    .withPanel(
      lines({
        title: 'Batch to commit',
        says: '95th percentile.',
        unit: 's',
        queries: { '{{group}} {{topic}}': p95('sync_kafka_batch_seconds', 'group, topic') },
      }),
    )
    .withPanel(
      lines({
        title: 'Batches given again',
        says: 'Their handler threw.',
        queries: { '{{group}}': 'sum by (group) (increase(sync_kafka_batch_retries_total[10m])) or vector(0)' },
      }),
    )
    .withPanel(
      lines({
        title: 'Rebalances and rebuilt consumers',
        says: 'In ten minutes; normal at a rollout.',
        queries: {
          '{{group}}': 'sum by (group) (increase(sync_kafka_rebalances_total[10m]))',
          'rebuilt {{group}}': 'sum by (group) (increase(sync_kafka_consumer_rebuilds_total[10m])) or vector(0)',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Partitions held',
        says: 'Per app; their sum is twelve a topic.',
        queries: { '{{group}}': 'sum by (group) (sync_kafka_assigned_partitions)' },
      }),
    );

const quota = () =>
  board({
    uid: 'qbo-sync-quota',
    title: 'Quota and cost',
    says: 'How much of QuickBooks’ limits is used, what waits for it, what reads cost.',
  })
    .withPanel(
      figure({
        title: 'Busiest company',
        says: 'Of its 500 calls a minute.',
        unit: 'percentunit',
        limits: [0.8, 0.95],
        queries: { used: 'max(sync_quota_utilisation_ratio{rank="1"})' },
      }),
    )
    .withPanel(
      figure({
        title: 'Refused (429) in an hour',
        says: 'Should be none: the governor stays below every limit.',
        unit: 'none',
        limits: [1, 5],
        queries: { refused: 'sum(increase(sync_quota_rejected_total[1h]))' },
      }),
    )
    .withPanel(
      figure({
        title: 'Companies left alone',
        says: 'After a 429, or after the database was restored.',
        unit: 'none',
        limits: [1, 3],
        queries: { companies: 'max(sync_quota_frozen_companies)' },
      }),
    )
    .withPanel(
      figure({
        title: 'Circuits open',
        says: 'QuickBooks does not answer. Runbook BreakerOpen.',
        unit: 'none',
        limits: [1, 1],
        queries: {
          '{{scope}}': 'max by (scope) (sync_breaker_open)',
          'shared by all processes': 'max(sync_platform_circuit_open)',
        },
      }),
    )
    .withPanel(
      figure({
        title: 'Metered reads, this month',
        says: '500 000 a month are in Intuit’s Builder tier. Counted in PostgreSQL, all processes together.',
        unit: 'percentunit',
        limits: [0.8, 1],
        // ingest reads every minute; the number of a process that reads nothing would be an old one.
        queries: { used: 'max(sync_reads_metered{app="ingest"}) / max(sync_reads_allowance{app="ingest"})' },
      }),
    )
    .withPanel(
      figure({
        title: 'Forecast of the month',
        says: 'As the last seven days went. From 90 % of the allowance sweeps are slowed, beyond it bulk reads; live capture never.',
        limits: [400000, 500000],
        queries: { reads: 'max(sync_reads_forecast{app="ingest"})' },
      }),
    )
    .withPanel(
      figure({
        title: 'Reads slowed',
        says: '0 nothing, 1 sweeps of targets, 2 bulk look-ups and backfills too, so that the month’s reads last. Live capture never.',
        limits: [1, 2],
        queries: { guard: 'max(sync_reads_guard)' },
      }),
    )
    .withPanel(
      lines({
        title: 'Use of the minute',
        says: 'The five companies that use most; no company is a label, board Company has each.',
        unit: 'percentunit',
        queries: { 'rank {{rank}}': 'max by (rank) (sync_quota_utilisation_ratio)' },
      }),
    )
    .withPanel(
      lines({
        title: 'Calls',
        says: 'By kind and how they ended.',
        unit: 'ops',
        queries: { '{{call}} {{outcome}}': rate('sync_qbo_call_seconds_count', 'call, outcome') },
      }),
    )
    .withPanel(
      lines({
        title: 'Wait for leave',
        says: '95th percentile, by kind of call.',
        unit: 's',
        queries: { '{{call}}': p95('sync_quota_wait_seconds', 'call') },
      }),
    )
    .withPanel(
      lines({
        title: 'Time of an answer',
        says: '95th percentile, by kind of call.',
        unit: 's',
        queries: { '{{call}}': p95('sync_qbo_call_seconds', 'call') },
      }),
    )
    .withPanel(
      lines({
        title: 'Leave given',
        says: 'By class: interactive, live, attachments, bulk.',
        unit: 'ops',
        queries: {
          '{{kind}} {{class}}': rate('sync_quota_grants_total', 'kind, class'),
          refused: 'sum(rate(sync_quota_refused_total[$__rate_interval]))',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Line for leave',
        says: 'By class: bulk waits so that live does not.',
        unit: 's',
        queries: { '{{class}} p95': p95('sync_quota_grant_wait_seconds', 'class') },
      }),
    )
    .withPanel(
      lines({
        title: 'Batch fill',
        says: 'Records in a batch, of 30. Fuller batches are cheaper.',
        queries: {
          mean: 'sum(rate(sync_write_batch_items_sum[$__rate_interval])) / sum(rate(sync_write_batch_items_count[$__rate_interval]))',
          p95: p95('sync_write_batch_items', 'app'),
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Reads by kind and app',
        says: 'What the monthly allowance goes into.',
        unit: 'ops',
        queries: { '{{app}} {{call}}': rate('sync_qbo_reads_total', 'app, call') },
      }),
    )
    .withPanel(
      lines({
        title: 'What pacing costs PostgreSQL',
        says: 'Statements of the governor.',
        unit: 'ops',
        queries: { '{{what}}': rate('sync_quota_statements_total', 'what') },
      }),
    )
    .withPanel(
      lines({
        title: 'Tokens renewed',
        says: 'By how it ended, in an hour.',
        queries: { '{{outcome}}': 'sum by (outcome) (increase(sync_token_renewals_total[1h])) or vector(0)' },
      }),
    );

const ofCompany = (column: string) => `${column} = '$realm'`;
const company = () =>
  board({
    uid: 'qbo-sync-company',
    title: 'Company',
    says: 'One company from PostgreSQL: no company is ever a metric’s label.',
    company: true,
  })
    .withPanel(
      rows(
        'Company',
        'Its connection.',
        `select realm_id, name, status, status_reason, home_currency, connected_at from companies where ${ofCompany('realm_id')}`,
        24,
        4,
      ),
    )
    .withPanel(
      rows(
        'Syncs',
        'From it and into it.',
        `select id, source_realm_id, target_realm_id, state, created_at from syncs where ${ofCompany('source_realm_id')} or ${ofCompany('target_realm_id')} order by created_at`,
        12,
      ),
    )
    .withPanel(
      rows(
        'Capture',
        'When it was last read completely.',
        `select due_at, complete_up_to, cdc_since, notified_at, failures, last_error from capture_cursors where ${ofCompany('realm_id')} union all select null, null, null, null, null, 'nobody reads this company' where not exists (select from capture_cursors where ${ofCompany('realm_id')})`,
        12,
      ),
    )
    .withPanel(
      rows(
        'Records by type and state',
        'Where it is the source or the target.',
        `select entity_type, state, lane, count(*), min(desired_at) as oldest, max(settled_at) as latest from links where ${ofCompany('source_realm_id')} or ${ofCompany('target_realm_id')} group by 1, 2, 3 order by 4 desc`,
        12,
        10,
      ),
    )
    .withPanel(
      rows(
        'Latest steps',
        'The sync log.',
        `select at, stage, entity_type, entity_id, outcome, code, reason, target_id, duration_ms from sync_log where (${ofCompany('realm_id')} or sync_id = any (array(select id from syncs where ${ofCompany('target_realm_id')}))) and at > now() - interval '7 days' order by at desc limit 50`,
        12,
        10,
      ),
    )
    .withPanel(
      rows(
        'Held and failed',
        'With the reason; a row that says so when there is none.',
        `select entity_type, source_id, state, failure_code, failure_reason, attempts, desired_at from links where (${ofCompany('source_realm_id')} or ${ofCompany('target_realm_id')}) and state in ('held', 'failed') union all select 'none', '', '', '', '', 0, now() where not exists (select from links where (${ofCompany('source_realm_id')} or ${ofCompany('target_realm_id')}) and state in ('held', 'failed')) limit 100`,
      ),
    )
    .withPanel(
      rows(
        'Amounts that came back otherwise',
        'With their causes.',
        `select entity_type, source_id, target_id, differences::text from links where (${ofCompany('source_realm_id')} or ${ofCompany('target_realm_id')}) and differences is not null union all select 'none', '', '', '' where not exists (select from links where (${ofCompany('source_realm_id')} or ${ofCompany('target_realm_id')}) and differences is not null) limit 100`,
        12,
      ),
    )
    .withPanel(
      rows(
        'Calls',
        'The latest to it.',
        `select claimed_at, answered_at, kind, state, sends, http_status, tid, request_id from calls where ${ofCompany('target_realm_id')} union all select null, null, 'none', '', 0, null, '', '' where not exists (select from calls where ${ofCompany('target_realm_id')}) order by 1 desc nulls last limit 50`,
        12,
      ),
    )
    .withPanel(
      rows(
        'Quota',
        'State of the governor; the API explains it (GET /v1/syncs/{id}).',
        `select updated_at, version, left(state::text, 200) as state from governor_state where ${ofCompany('realm_id')}`,
        12,
        5,
      ),
    )
    .withPanel(
      rows(
        'Who acts for it',
        'Leases.',
        `select purpose, owner, fence, expires_at from realm_leases where ${ofCompany('realm_id')}`,
        12,
        5,
      ),
    );

const replay = () =>
  board({
    uid: 'qbo-sync-replay',
    title: 'Replay and backfill',
    says: 'Long jobs: how far, how fast, at whose expense.',
  })
    .withPanel(
      figure(
        {
          title: 'Jobs',
          says: 'Of the last seven days, and all unfinished ones.',
          unit: 'none',
          queries: { '{{kind}} {{state}}': 'max by (kind, state) (sync_jobs)' },
        },
        12,
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Records read by jobs',
          says: 'Of those jobs.',
          queries: { '{{kind}}': 'max by (kind) (sync_job_records)' },
        },
        12,
      ),
    )
    .withPanel(
      lines({
        title: 'Backfill pages',
        says: 'Published per second.',
        unit: 'ops',
        queries: { pages: 'sum(rate(sync_backfill_pages_total[$__rate_interval]))' },
      }),
    )
    .withPanel(
      lines({
        title: 'Jobs ended',
        says: 'By outcome, in an hour.',
        queries: {
          'backfill {{outcome}}': 'sum by (outcome) (increase(sync_backfill_jobs_total[1h])) or vector(0)',
          'replay {{outcome}}': 'sum by (outcome) (increase(sync_mapper_replays_total[1h])) or vector(0)',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Bulk work mapped',
        says: 'By outcome.',
        unit: 'ops',
        queries: {
          '{{outcome}}':
            'sum by (outcome) (rate(sync_mapper_changes_total{lane="bulk"}[$__rate_interval])) or vector(0)',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Bulk work settled',
        says: 'By outcome. A replay of an equal target settles all as unchanged.',
        unit: 'ops',
        queries: {
          '{{outcome}}': 'sum by (outcome) (rate(sync_settled_total{lane="bulk"}[$__rate_interval])) or vector(0)',
        },
      }),
    )
    .withPanel(
      lines({
        title: 'Live work beside it',
        says: 'Must stay as it is without a job.',
        unit: 's',
        queries: { '{{lane}} p95': p95('sync_write_settle_seconds', 'lane') },
      }),
    )
    .withPanel(
      lines({
        title: 'Use of the quota',
        says: 'The busiest company, and how long bulk stands in line.',
        queries: {
          used: 'max(sync_quota_utilisation_ratio{rank="1"})',
          'bulk waits p95 (s)':
            'histogram_quantile(0.95, sum by (le) (rate(sync_quota_grant_wait_seconds_bucket{class="bulk"}[$__rate_interval]))) or vector(0)',
        },
      }),
    );

export const boards = (): Map<string, Dashboard> =>
  new Map([
    ['overview', overview().build()],
    ['pipeline', pipeline().build()],
    ['kafka', kafka().build()],
    ['quota', quota().build()],
    ['company', company().build()],
    ['replay', replay().build()],
  ]);

export const boardFiles = (): Map<string, string> =>
  new Map([...boards()].map(([name, made]) => [`observe/boards/${name}.json`, `${JSON.stringify(made, null, 2)}\n`]));

export interface Query {
  board: string;
  panel: string;
  language: 'promql' | 'sql';
  text: string;
  /** one figure of now; otherwise over the time shown */
  instant: boolean;
}

/** Every query of every board. */
export function queries(): Query[] {
  return [...boards()].flatMap(([name, made]) =>
    (made.panels ?? []).flatMap((panel) => {
      const { title, targets } = panel as {
        title: string;
        targets: { expr?: string; rawSql?: string; instant?: boolean }[];
      };
      return targets.map(({ expr, rawSql, instant = false }): Query => ({
        board: name,
        panel: title,
        instant,
        ...(rawSql === undefined ? { language: 'promql', text: expr! } : { language: 'sql', text: rawSql }),
      }));
    }),
  );
}

/** Statements behind the choices at the top of a board. */
export const choices = (): string[] =>
  [...boards().values()].flatMap(({ templating }) =>
    (templating?.list ?? []).flatMap(({ type, query }) =>
      type === 'query' && typeof query === 'string' ? [query] : [],
    ),
  );
