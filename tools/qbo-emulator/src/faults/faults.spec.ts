// Fault rules: which request they pick, how often, and at which point of the request the server must act.
import { VirtualClock } from '../clock/index.js';
import { type FaultPoint, type FaultRequest, FaultRules, faultKinds, withoutFirstLink } from './index.js';

const create: FaultRequest = {
  realmId: '77',
  method: 'POST',
  path: '/v3/company/77/invoice',
  operation: 'create',
  entity: 'Invoice',
};

it.each<[object, boolean]>([
  [{}, true],
  [{ realmId: '77' }, true],
  [{ realmId: '78' }, false],
  [{ method: 'post', operation: 'CREATE', entity: 'invoice' }, true],
  [{ entity: 'Bill' }, false],
  [{ operation: 'update' }, false],
  [{ pathPattern: '/company/\\d+/invoice$' }, true],
  [{ pathPattern: '/v3/company/*/invoice' }, true],
  [{ pathPattern: '/oauth2/' }, false],
])('a rule for %j picks the invoice create: %s', (match, picked) => {
  const rules = new FaultRules(new VirtualClock());
  rules.add({ match, fault: 'throttle' });
  expect(rules.match(create) !== undefined).toBe(picked);
});

it('applies so many times, after so many calls, and not before its time', async () => {
  const clock = new VirtualClock();
  const rules = new FaultRules(clock);
  const { id } = rules.add({ match: {}, fault: 'stale', times: 2, skip: 1, afterMs: 1_000 });
  const hits = (): boolean[] => Array.from({ length: 5 }, () => rules.match(create) !== undefined);
  expect(hits()).toEqual([false, false, false, false, false]);
  await clock.advance(1_000);
  expect(hits()).toEqual([false, true, true, false, false]);
  expect(rules.list()).toMatchObject([{ id, applied: 2 }]);
  expect([rules.remove(id), rules.remove(id), rules.list()]).toEqual([true, false, []]);
});

it('a probability is kept over many requests and repeats with its seed', () => {
  const run = (seed: number): number[] => {
    const rules = new FaultRules(new VirtualClock());
    rules.add({ match: {}, fault: 'reset-before-commit', probability: 0.3, seed });
    return Array.from({ length: 2_000 }, (_, n) => (rules.match(create) ? n : -1)).filter((n) => n >= 0);
  };
  expect(run(7)).toEqual(run(7));
  expect(run(7)).not.toEqual(run(8));
  expect(Math.abs(run(7).length / 2_000 - 0.3)).toBeLessThan(0.05);
});

const points: Record<(typeof faultKinds)[number], FaultPoint> = {
  http: 'before-commit',
  throttle: 'before-commit',
  'timeout-before-commit': 'before-commit',
  'timeout-after-commit': 'after-commit',
  'reset-before-commit': 'before-commit',
  'reset-after-commit': 'after-commit',
  'truncate-body': 'answer',
  slow: 'answer',
  stale: 'before-commit',
  'partial-batch': 'before-commit',
  'drop-link': 'before-commit',
  'html-503': 'before-commit',
  unauthorized: 'before-commit',
  forbidden: 'before-commit',
};
it.each(faultKinds)('%s says where it acts', (fault) => {
  const rules = new FaultRules(new VirtualClock());
  rules.add({ match: {}, fault });
  expect(rules.match(create)).toMatchObject({ kind: fault, point: points[fault] });
});

it('takes parameters beside the fault or inside it, and refuses a fault nobody knows', () => {
  const rules = new FaultRules(new VirtualClock());
  rules.add({ match: {}, fault: 'http', status: 502, body: 'bad gateway', times: 1 });
  rules.add({ match: {}, fault: { kind: 'http', status: 418, body: { tea: true } }, times: 1 });
  rules.add({ match: {}, fault: 'http', times: 1 });
  expect(rules.match(create)!.answer).toEqual({ status: 502, contentType: 'text/plain', body: 'bad gateway' });
  expect(rules.match(create)!.answer).toEqual({ status: 418, contentType: 'application/json', body: '{"tea":true}' });
  expect(rules.match(create)!.answer!.body).toContain('"code":"10000"');
  expect(() => rules.add({ match: {}, fault: 'gremlins' })).toThrow(/No fault is called 'gremlins'/);
  expect(() => rules.add({ match: {}, fault: 'slow', times: 'often' })).toThrow(/'times'/);
});

it('forgets exactly one link, with a line that is nothing else, and leaves the body itself alone', () => {
  const link = { TxnId: '1' };
  const bill = { Line: [{ Amount: 1 }, { Amount: 2, DetailType: 'ItemBasedExpenseLineDetail', LinkedTxn: [link] }] };
  expect(withoutFirstLink(bill)!.Line).toEqual([{ Amount: 1 }, { ...bill.Line[1], LinkedTxn: [] }]);
  expect(bill.Line[1]!.LinkedTxn).toHaveLength(1);
  expect(
    withoutFirstLink({
      Line: [
        { Amount: 1, LinkedTxn: [link] },
        { Amount: 2, LinkedTxn: [link] },
      ],
    })!.Line,
  ).toHaveLength(1);
  expect(withoutFirstLink({ Line: [{ Amount: 1 }] })).toBeUndefined();
});
