import { kindOf, recoveryTable, type Sample } from './recovery.js';

const sample = (kind: string, ms: number | undefined, joined = false): Sample => ({ kind, ms, joined });

it('says how often, how long in the middle and at most, and whether the goal was kept', () => {
  const table = recoveryTable(
    [sample('app kill', 4_000), sample('app kill', 14_000), sample('app kill', 5_000), sample('network cut', 900)],
    120_000,
  );
  expect(table).toEqual([
    'time to recover from  count  p50    max     goal',
    'app kill              3      5.0 s  14.0 s  <= 15 s, kept',
    'network cut           1      0.9 s  0.9 s   -',
  ]);
});

it('one that was not over within the limit is over the goal, and shown so', () => {
  expect(recoveryTable([sample('postgres kill', undefined)], 120_000)[1]).toContain('over 120 s');
  expect(recoveryTable([sample('postgres kill', undefined)], 120_000)[1]).toContain('1 over');
});

it('what met another fault is shown, and not judged by the goal', () => {
  expect(recoveryTable([sample('broker kill', 30_000, true), sample('broker kill', 3_000)], 120_000)[1]).toBe(
    'broker kill           2      3.0 s  30.0 s  <= 10 s, kept (1 beside another fault, 30.0 s at most)',
  );
  expect(recoveryTable([sample('broker kill', 9_000, true), sample('broker kill', 3_000)], 120_000)[1]).toMatch(
    /kept$/,
  );
});

it('freezes are told apart by their length, QuickBooks by its trouble', () => {
  expect(kindOf({ kind: 'app-freeze', app: 'mapper', sessions: 1.5 })).toBe('app freeze 1.5 sessions');
  expect(kindOf({ kind: 'quickbooks', trouble: 'throttled', company: 0, forMs: 1 })).toBe('QuickBooks: throttled');
});
