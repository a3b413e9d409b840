import type { Entry, Stamped } from './journal.js';
import { keptOf } from './kept.js';
import type { Act } from './plan.js';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const act = (second: number, n: number, of: Act): Stamped<Entry> => ({
  ...{ at: at(second), what: 'act', changes: 0 },
  planned: { n, atChange: 0, joined: false, act: of },
});
const companies: Stamped<Entry> = { at: at(0), what: 'companies', realmIds: ['1', '2'] };
const spans = (...journal: Stamped<Entry>[]) =>
  keptOf([companies, ...journal]).map(({ fromMs, toMs, whom }) => [
    ...[fromMs, toMs].map((ms) => (ms - Date.parse(at(0))) / 1000),
    whom,
  ]);

it.each<[what: string, journal: Stamped<Entry>[], spans: unknown[]]>([
  [
    'a blow at our processes is felt by everybody until the canary arrives, not until the process is back',
    [
      act(10, 0, { kind: 'app-kill', app: 'mapper' }),
      { at: at(13), what: 'healed', n: 0 },
      { at: at(17), what: 'recovered', n: 0, afterMs: 7_000 },
    ],
    [[10, 17, 'everybody']],
  ],
  [
    'a line that was slow too',
    [
      act(10, 0, { kind: 'network', trouble: 'delay', link: 'a-b', forMs: 4_000 }),
      { at: at(15), what: 'recovered', n: 0, afterMs: 1_000 },
    ],
    [[10, 15, 'everybody']],
  ],
  [
    'what QuickBooks does in one company keeps that company waiting and nobody else',
    [
      act(10, 0, { kind: 'quickbooks', trouble: 'throttled', company: 1, forMs: 4_000 }),
      { at: at(74), what: 'recovered', n: 0, afterMs: 60_000 },
    ],
    [[10, 74, '2']],
  ],
  [
    'a grant that was taken away until it was called again',
    [
      act(10, 0, { kind: 'grant-revoked', company: 0, forMs: 4_000 }),
      { at: at(14), what: 'healed', n: 0 },
      { at: at(15), what: 'recovered', n: 0, afterMs: 1_000 },
    ],
    [[10, 15, '1']],
  ],
  [
    'what nobody called for any more: until it was undone',
    [
      act(10, 0, { kind: 'quickbooks', trouble: 'server errors', company: 0, forMs: 4_000 }),
      { at: at(14), what: 'healed', n: 0 },
      { at: at(90), what: 'changes', done: 3 },
    ],
    [[10, 14, '1']],
  ],
  [
    'lost webhooks and a second writer keep nobody waiting',
    [
      act(10, 0, { kind: 'webhooks', dropRate: 1, duplicateRate: 0, shuffle: false, forMs: 4_000 }),
      act(11, 1, { kind: 'writer-added' }),
      act(12, 2, { kind: 'writer-removed' }),
    ],
    [],
  ],
  [
    'two at once are two spans',
    [
      act(10, 0, { kind: 'postgres-kill' }),
      act(11, 1, { kind: 'app-stop', app: 'mapper' }),
      { at: at(16), what: 'recovered', n: 1, afterMs: 5_000 },
      { at: at(18), what: 'recovered', n: 0, afterMs: 8_000 },
    ],
    [
      [10, 18, 'everybody'],
      [11, 16, 'everybody'],
    ],
  ],
])('%s', (_, journal, expected) => {
  expect(spans(...journal)).toEqual(expected);
});
