// promtool's tests of the two verdicts at the top of the board Overview: that they say "late" and "not true" when it is so, and
// nothing at all when those are gone who would know.
import { stringify } from 'yaml';
import { queries } from './boards.js';

const healthy: Readonly<Record<string, string>> = {
  'sync_write_runnable_age_seconds{lane="live"}': '3x20',
  sync_capture_age_seconds: '40x20',
  sync_outbox_age_seconds: '0x20',
  'sync_freshness_seconds_count{since="change"}': '0+60x20',
  'sync_freshness_seconds_bucket{since="change",le="120"}': '0+60x20',
  'sync_reconciliation_records{class="unexplained"}': '0x20',
  sync_audit_chain_broken: '0x20',
};
const fresh = 'Are the books fresh?';
const sound = 'Are they true?';

/** what is otherwise than in health (undefined: gone), and what the panel says then (undefined: nothing) */
const cases: [panel: string, what: string, changed: Record<string, string | undefined>, says: number | undefined][] = [
  [fresh, 'fresh in health', {}, 0],
  [
    fresh,
    'fresh at night, when nothing is settled',
    {
      'sync_freshness_seconds_count{since="change"}': '100x20',
      'sync_freshness_seconds_bucket{since="change",le="120"}': '100x20',
    },
    0,
  ],
  [fresh, 'late when changes arrive late', { 'sync_freshness_seconds_bucket{since="change",le="120"}': '0+55x20' }, 1],
  [
    fresh,
    'late when nothing moves: no change settles, so none settles late',
    {
      'sync_freshness_seconds_count{since="change"}': '100x20',
      'sync_freshness_seconds_bucket{since="change",le="120"}': '100x20',
      'sync_write_runnable_age_seconds{lane="live"}': '0+60x20',
    },
    1,
  ],
  [fresh, 'late when a source is not read', { sync_capture_age_seconds: '0+60x20' }, 1],
  [fresh, 'late when announcements wait', { sync_outbox_age_seconds: '0+60x20' }, 1],
  [
    fresh,
    'late when a partition stands still',
    { 'ALERTS{alertname="PartitionStalled",alertstate="firing"}': '1x20' },
    1,
  ],
  [fresh, 'not known without a writer', { 'sync_write_runnable_age_seconds{lane="live"}': undefined }, undefined],
  [fresh, 'not known without control', { sync_capture_age_seconds: undefined }, undefined],
  [sound, 'true in health', {}, 0],
  [sound, 'not true by one amount', { 'sync_reconciliation_records{class="unexplained"}': '1x20' }, 1],
  [sound, 'not true by one chain', { sync_audit_chain_broken: '1x20' }, 1],
  [
    sound,
    'not known without reconciliation',
    { 'sync_reconciliation_records{class="unexplained"}': undefined },
    undefined,
  ],
];

/** file name -> text */
export function verdictTests(): Map<string, string> {
  const query = (panel: string): string => queries().find((each) => each.panel === panel)!.text;
  const tests = cases.map(([panel, what, changed, says]) => ({
    name: `${panel} ${what}`,
    interval: '1m',
    input_series: Object.entries({ ...healthy, ...changed }).flatMap(([series, values]) =>
      values === undefined ? [] : [{ series, values }],
    ),
    promql_expr_test: [
      { expr: query(panel), eval_time: '16m', exp_samples: says === undefined ? [] : [{ labels: '{}', value: says }] },
    ],
  }));
  const written = '# Written by "npm run observe:generate" (tools/observe/src/boards/verdicts.ts): change it there.\n';
  return new Map([
    [
      'observe/tests/overview.yml',
      written + stringify({ evaluation_interval: '1m', tests }, { lineWidth: 0, singleQuote: true }),
    ],
  ]);
}
