import type { Difference } from '../../equal/src/judgement.js';
import { ok, judged } from '../../verify/src/verdict.js';
import type { Violation } from '../../verify/src/verdict.js';
import { closingLine, countsOf, isGood, sumOf } from './count.js';

const ids = Array.from({ length: 13 }, (_, n) => `I-${String(n + 1).padStart(2, '0')}`);
const report = (broken: Record<string, Violation[]> = {}) => ({
  judgements: ids.map((id) => ({ id, verdict: broken[id] ? judged(broken[id], '') : ok('seen') })),
});
const difference = (what: Difference['what'], key: string) => ({ what, key, text: '', cause: '' });
const violation = (id: string): Violation => ({ what: 'wrong', record: { realmId: '1', type: 'Bill', id } });

it('equal books and thirteen kept promises are nothing but zeros', () => {
  const counted = countsOf([{ differences: [] }], report(), []);
  expect(isGood(counted)).toBe(true);
  expect(closingLine(7, 3000, 30, counted)).toBe(
    'chaos: seed=7 changes=3000 kills=30 lost=0 doubled=0 reordered=0 over_quota=0 invariants=13/13',
  );
});

it.each([
  ['a missing record', [difference('missing', 'Bill/1')], {}, [], 'lost'],
  ['a record that differs', [difference('field', 'Bill/1')], {}, [], 'lost'],
  ['a record of the target that stands for none', [difference('extra', 'Bill/9')], {}, [], 'doubled'],
  ['two source records on one copy', [difference('shared', 'Bill/9')], {}, [], 'doubled'],
  ['a version nobody knows of', [], { 'I-01': [violation('1')] }, [], 'lost'],
  ['two copies of one record', [], { 'I-02': [violation('1')] }, [], 'doubled'],
  ['an older version after a newer', [], { 'I-03': [violation('1')] }, [], 'reordered'],
  ['a window of the journal', [], { 'I-06': [violation('1')] }, [], 'overQuota'],
  ["QuickBooks' own counter", [], {}, ['company 1: peakPerSecond 11 of 10'], 'overQuota'],
] as const)('%s is counted as %s', (_what, differences, broken, quota, as) => {
  const counted = countsOf([{ differences: [...differences] }], report(broken as never), quota);
  expect(counted[as]).toBe(1);
  expect(isGood(counted)).toBe(false);
});

it('what the comparison and the checker both name is one record', () => {
  const counted = countsOf(
    [{ differences: [difference('missing', 'Bill/1')] }],
    report({ 'I-01': [violation('1')] }),
    [],
  );
  expect(counted.lost).toBe(1);
});

it('an invariant that was not judged is not kept', () => {
  const { judgements } = report();
  judgements[11] = { id: 'I-12', verdict: { kind: 'not judged', why: 'no replay' } as never };
  expect(isGood(countsOf([], { judgements }, []))).toBe(false);
});

it('rounds are summed, and an invariant holds when it held in each', () => {
  const good = countsOf([], report(), []);
  const bad = countsOf([], report({ 'I-01': [violation('1'), violation('2')] }), []);
  expect(sumOf([good, bad, bad])).toMatchObject({ lost: 4, invariantsHeld: 12, invariants: 13 });
});
