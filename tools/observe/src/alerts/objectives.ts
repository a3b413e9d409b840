// What is promised: changes arrive in time, writes are done, webhooks are taken, money is equal, the audit chain holds.
// Burn rates over two windows (Google's SRE workbook): the long one says that it matters, the short one that it still goes
// on. 14.4 times the allowed rate uses 2 % of a month's budget in an hour, 6 times 5 % in six hours, once 10 % in three days.
import type { Alert, RecordingRule, Step } from './alert.js';

export interface Objective {
  id: string;
  /** for people */
  says: string;
  /** allowed share of bad events */
  budget: number;
  bad: (window: string) => string;
  all: (window: string) => string;
}

const live = 'since="change"';
const freshLimit = (limit: number) => ({
  bad: (w: string) =>
    `sum(rate(sync_freshness_seconds_count{${live}}[${w}])) - sum(rate(sync_freshness_seconds_bucket{${live},le="${limit}"}[${w}]))`,
  all: (w: string) => `sum(rate(sync_freshness_seconds_count{${live}}[${w}]))`,
});

export const objectives = {
  fresh: {
    id: 'fresh',
    says: '99 % of live changes are in the target within 2 minutes',
    budget: 0.01,
    ...freshLimit(120),
  },
  veryFresh: {
    id: 'arrived',
    says: '99.9 % of live changes are in the target within 15 minutes',
    budget: 0.001,
    ...freshLimit(900),
  },
  written: {
    id: 'written',
    says: '99.9 % of what is settled is not given up as failed',
    budget: 0.001,
    bad: (w) => `sum(rate(sync_settled_total{outcome="failed"}[${w}])) or vector(0)`,
    all: (w) => `sum(rate(sync_settled_total[${w}]))`,
  },
  acknowledged: {
    id: 'acknowledged',
    says: '99.9 % of genuine webhooks are answered with 200',
    budget: 0.001,
    bad: (w) => `sum(rate(sync_webhook_deliveries_total{outcome="unavailable"}[${w}])) or vector(0)`,
    all: (w) => `sum(rate(sync_webhook_deliveries_total{outcome=~"accepted|unavailable"}[${w}]))`,
  },
} satisfies Record<string, Objective>;

export const windows = ['5m', '30m', '1h', '6h', '3d'] as const;
type Window = (typeof windows)[number];
const ratio = ({ id }: Objective, window: Window): string => `sync:${id}:bad_ratio_rate${window}`;

// Without a single event the ratio is 0/0 and no sample: nothing happened, so nothing is late.
export const recordingRules: RecordingRule[] = Object.values<Objective>(objectives).flatMap((objective) =>
  windows.map((window) => ({
    record: ratio(objective, window),
    expr: `(${objective.bad(window)}) / (${objective.all(window)})`,
  })),
);

const burns = (objective: Objective, times: number, long: Window, short: Window): string => {
  const limit = Number((times * objective.budget).toPrecision(3));
  return `${ratio(objective, long)} > ${limit} and ${ratio(objective, short)} > ${limit}`;
};

const fresh = (within: string, all: string, limit = '120') => ({
  [`sync_freshness_seconds_bucket{since="change",le="${limit}"}`]: within,
  'sync_freshness_seconds_count{since="change"}': all,
});

const whereItWaits: Step[] = [
  {
    say: 'Which stage takes the time',
    promql: 'histogram_quantile(0.95, sum by (stage, le) (rate(sync_stage_duration_seconds_bucket[10m])))',
  },
  { say: 'Work that could be done and is not', promql: 'max by (lane) (sync_write_runnable_age_seconds)' },
  {
    say: 'Companies with most waiting',
    sql: `select target_realm_id, lane, count(*), min(desired_at) as oldest from links where state in ('ready', 'sending', 'backoff', 'uncertain') group by 1, 2 order by 3 desc limit 10`,
  },
  { say: 'One sync from all sides', api: 'GET /v1/syncs/{id}' },
];
const ifSlow = [
  'A stage stands out: see its app first (restart it when its log repeats one error; work is rows, nothing is lost).',
  'The writer is behind and the quota is not used: more writer processes (`kubectl -n qbo-sync scale deployment/qbo-writer --replicas=4`), or look at PostgreSQL.',
  'The quota is full: bulk work takes it; pause a backfill until the live work is through (`npm run syncctl -- pause SYNC`).',
  'QuickBooks is slow or down: nothing to do but wait; what waits is written when it answers again.',
];

export const objectiveAlerts: Alert[] = [
  {
    name: 'FreshnessBurnFast',
    board: 'overview',
    expr: burns(objectives.fresh, 14.4, '1h', '5m'),
    severity: 'page',
    summary: 'More than 14 % of live changes need longer than two minutes',
    fires: { series: fresh('0+8x120', '0+10x120'), at: '90m' },
    silent: { series: fresh('0+100x120', '0+100x120'), at: '90m' },
    meaning:
      'Of the live changes of the last hour, and of the last five minutes, so many reached their target later than two minutes after the edit that a month’s allowance would be gone in two days.',
    impact: 'People see old figures in the target company. Nothing is lost: what is late is still on its way.',
    diagnosis: whereItWaits,
    mitigation: ifSlow,
  },
  {
    name: 'FreshnessBurnSlow',
    board: 'overview',
    expr: burns(objectives.fresh, 6, '6h', '30m'),
    severity: 'page',
    summary: 'More than 6 % of live changes need longer than two minutes, for hours',
    fires: { series: fresh('0+9x90', '0+10x90'), at: '7h', step: '5m' },
    silent: { series: fresh('0+98x90', '0+100x90'), at: '7h', step: '5m' },
    meaning: 'A slower burn of the freshness budget: five percent of a month’s allowance in six hours.',
    impact: 'A part of the companies, or one stage, is steadily late.',
    diagnosis: whereItWaits,
    mitigation: ifSlow,
  },
  {
    name: 'FreshnessBudgetLow',
    board: 'overview',
    expr: burns(objectives.fresh, 1, '3d', '6h'),
    severity: 'ticket',
    summary: 'The freshness budget is being used as fast as it grows',
    fires: { series: fresh('0+97x500', '0+100x500'), at: '3d', step: '10m' },
    silent: { series: fresh('0+995x500', '0+1000x500'), at: '3d', step: '10m' },
    meaning:
      'Over three days more than one percent of live changes were late: no incident, but the objective is missed if it stays so.',
    impact: 'The promise of two minutes is not kept for the month.',
    diagnosis: whereItWaits,
    mitigation: [
      'Look for what is regular: one company, one hour of the day, one type. Capacity and the interval of looks are settings (docs/deployment.md).',
    ],
  },
  {
    name: 'ChangesVeryLate',
    board: 'overview',
    expr: burns(objectives.veryFresh, 14.4, '1h', '5m'),
    severity: 'page',
    summary: 'Live changes need longer than fifteen minutes',
    fires: { series: fresh('0+95x120', '0+100x120', '900'), at: '90m' },
    silent: { series: fresh('0+100x120', '0+100x120', '900'), at: '90m' },
    meaning: 'More than 1.4 % of live changes were fifteen minutes late or more.',
    impact: 'Some company is practically not synced.',
    diagnosis: whereItWaits,
    mitigation: ifSlow,
  },
  {
    name: 'WritesFailingFast',
    board: 'overview',
    expr: burns(objectives.written, 14.4, '1h', '5m'),
    severity: 'page',
    summary: 'More than 1.4 % of what is settled is given up as failed',
    fires: {
      series: {
        'sync_settled_total{outcome="failed"}': '0+1x120',
        'sync_settled_total{outcome="updated"}': '0+20x120',
      },
      at: '90m',
    },
    silent: {
      series: {
        'sync_settled_total{outcome="failed"}': '0+0x120',
        'sync_settled_total{outcome="updated"}': '0+20x120',
      },
      at: '90m',
    },
    meaning:
      'Writes are given up: QuickBooks refused them for a reason that trying again does not change, or the tries are used up.',
    impact: 'These records are not in the target, and what refers to them waits.',
    diagnosis: [
      {
        say: 'The reasons',
        sql: `select failure_code, entity_type, count(*), min(failure_reason) from links where state = 'failed' group by 1, 2 order by 3 desc limit 20`,
      },
      { say: 'What a code means and what to do', run: 'npm run failure-modes' },
      { say: 'The life of one record', api: 'GET /v1/changes/{realm}/{type}/{id}' },
    ],
    mitigation: [
      'One code everywhere: a change on QuickBooks’ side or a bad release; roll back (docs/deployment.md) and redrive.',
      'One company: its settings or closed books; tell its owner.',
      'When the cause is gone: `npm run syncctl -- redrive SYNC --author NAME --reason WHY`.',
    ],
  },
  {
    name: 'WritesFailingSlow',
    board: 'overview',
    expr: burns(objectives.written, 6, '6h', '30m'),
    severity: 'ticket',
    summary: 'More than 0.6 % of what is settled is given up as failed, for hours',
    fires: {
      series: {
        'sync_settled_total{outcome="failed"}': '0+1x90',
        'sync_settled_total{outcome="updated"}': '0+99x90',
      },
      at: '7h',
      step: '5m',
    },
    silent: {
      series: {
        'sync_settled_total{outcome="failed"}': '0+1x90',
        'sync_settled_total{outcome="updated"}': '0+999x90',
      },
      at: '7h',
      step: '5m',
    },
    meaning: 'A steady share of writes is refused for good.',
    impact: 'Records are missing in targets until somebody decides about them.',
    diagnosis: [
      {
        say: 'The reasons',
        sql: `select failure_code, entity_type, count(*) from links where state = 'failed' group by 1, 2 order by 3 desc limit 20`,
      },
    ],
    mitigation: ['Per code as docs/failure-modes.md says; then redrive.'],
  },
  {
    name: 'WebhooksRefused',
    board: 'pipeline',
    expr: burns(objectives.acknowledged, 14.4, '1h', '5m'),
    severity: 'page',
    summary: 'Genuine webhooks are answered with "not now"',
    fires: {
      series: {
        'sync_webhook_deliveries_total{outcome="accepted"}': '0+9x120',
        'sync_webhook_deliveries_total{outcome="unavailable"}': '0+1x120',
      },
      at: '90m',
    },
    silent: { series: { 'sync_webhook_deliveries_total{outcome="accepted"}': '0+9x120' }, at: '90m' },
    meaning: 'Kafka did not acknowledge notifications within 2.5 seconds, so the door asked Intuit to deliver again.',
    impact:
      'Changes are found by the periodic look instead of at once. Intuit disables an endpoint that refuses for long.',
    diagnosis: [
      {
        say: 'How long answers take',
        promql: 'histogram_quantile(0.99, sum by (le) (rate(sync_webhook_ack_seconds_bucket[10m])))',
      },
      { say: 'Whether Kafka takes records', promql: 'sum by (topic, outcome) (rate(sync_kafka_published_total[10m]))' },
    ],
    mitigation: [
      'Bring the brokers back; the door needs nothing else. Missed webhooks heal by themselves at the next look.',
    ],
  },
  {
    name: 'MoneyUnexplained',
    board: 'overview',
    expr: 'max(sync_reconciliation_records{class="unexplained"}) > 0',
    severity: 'page',
    summary: 'An amount in a target differs and nobody knows why',
    fires: { series: { 'sync_reconciliation_records{class="unexplained"}': '0x5 1x20' }, at: '10m' },
    silent: { series: { 'sync_reconciliation_records{class="unexplained"}': '0x30' }, at: '10m' },
    meaning:
      'QuickBooks answered a write with an amount other than the one that must come out, and none of the known causes (rounding, rate, tax, link) explains it. Correctness has no budget: one is enough.',
    impact: 'The books of source and target differ by that amount.',
    diagnosis: [
      {
        say: 'The records',
        sql: `select sync_id, entity_type, source_id, target_id, differences from links where state = 'settled' and differences is not null and exists (select from jsonb_array_elements(differences) d where d ->> 'cause' = 'unknown') limit 20`,
      },
      { say: 'What made the copy what it is', api: 'GET /v1/syncs/{id}/mapping/records/{type}/{sourceId}' },
      { say: 'Whether the installation as a whole is sound', run: 'npm run verify' },
    ],
    mitigation: [
      'Open both documents; correct the source or the mapping rule and the record goes again.',
      'Several at once after a release: pause the syncs (`npm run syncctl -- pause SYNC`) and roll back.',
    ],
  },
  {
    name: 'AuditChainBroken',
    board: 'overview',
    expr: 'max(sync_audit_chain_broken) > 0',
    severity: 'page',
    summary: 'The audit chain of an organization does not hold',
    fires: { series: { sync_audit_chain_broken: '0x5 1x20' }, at: '10m' },
    silent: { series: { sync_audit_chain_broken: '0x30' }, at: '10m' },
    meaning: 'An entry of the audit log was changed, removed or put in after it was written.',
    impact: 'Who did what can no longer be proven from that entry on. Treat it as a break-in until explained.',
    diagnosis: [
      {
        say: 'Which organizations there are',
        sql: 'select organization_id, count(*), max(sequence) from audit_log group by 1',
      },
      { say: 'The first bad entry', api: 'GET /v1/audit-log/{organizationId}/verify' },
    ],
    mitigation: [
      'Keep a copy of the database as it is. Compare with the last backup whose chain holds. Change the database’s credentials.',
    ],
  },
];
