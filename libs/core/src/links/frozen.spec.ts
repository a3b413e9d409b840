import type { Json } from '../model/json.js';
import { freezesOthers, holderTypesOf, judgeFrozenByHand, withoutMembers } from './frozen.js';
import type { Link } from './link.js';
import { defaultWritePolicy, planWrite, type WriteFacts } from './plan.js';
import { settle } from './settle.js';
import { defaultRetryPolicy } from '../retry/index.js';

const line = (id: string, amount: number): Json => ({ Amount: amount, LinkedTxn: [{ TxnId: id, TxnType: 'Payment' }] });
const reference = (at: number, sourceId: string) => ({
  path: ['Line', String(at), 'LinkedTxn', '0', 'TxnId'],
  entityType: 'Payment',
  sourceId,
});
const deposit = (count: number, more: Partial<Link> = {}): Link => {
  const ids = Array.from({ length: count }, (_, at) => String(at + 1));
  const hash = 'h1';
  return {
    entityType: 'Deposit',
    sourceId: '9',
    state: { kind: 'ready' },
    desired: {
      version: 'v1',
      hash,
      op: 'upsert',
      payload: { Line: ids.map((id) => line('', Number(id))) },
      references: ids.map((id, at) => reference(at, id)),
    },
    applied: { version: 'v1', hash, payload: { Line: ids.map((id) => line(`t${id}`, Number(id))) } },
    target: { id: 't9', syncToken: '3', deleted: false },
    generation: 0,
    attempts: 0,
    ...more,
  };
};
const facts = (letGo: string[]): WriteFacts => ({
  resolve: (_, id) => `t${id}`,
  policy: defaultWritePolicy,
  letGo: letGo.map((sourceId) => ({ type: 'Payment', sourceId })),
});
const timing = { nowMs: 0, jitter: 0, policy: defaultRetryPolicy };

describe('what a deposit holds frozen', () => {
  it('is said by the registry', () => {
    expect(freezesOthers('Deposit')).toBe(true);
    expect(freezesOthers('Payment')).toBe(false);
    expect(holderTypesOf('Payment')).toEqual(['Deposit']);
    expect(holderTypesOf('Invoice')).toEqual([]);
  });

  it('stays as it is when nobody wants out', () => {
    expect(planWrite(deposit(2), facts([]))).toEqual({ kind: 'noop', why: 'equal' });
  });

  it('is let go by an update without its line, to be taken in again when it is done', () => {
    const plan = planWrite(deposit(2), facts(['1']));
    expect(plan).toMatchObject({
      kind: 'update',
      body: { Id: 't9', SyncToken: '3', sparse: true, Line: [line('t2', 2)] },
      deferred: [{ type: 'Payment', sourceId: '1' }],
    });
  });

  it('is let go by a deletion where nothing else would be left', () => {
    expect(planWrite(deposit(1), facts(['1']))).toEqual({
      kind: 'delete',
      body: { Id: 't9', SyncToken: '3' },
      deferred: [{ type: 'Payment', sourceId: '1' }],
    });
  });

  it('after that deletion the deposit waits, and is made again', () => {
    const sending = deposit(1, { state: { kind: 'sending' } });
    const attempt = { operation: 'delete', version: 'v1', hash: 'h1', deferred: ['Payment/1'] } as const;
    const settled = settle(sending, attempt, { kind: 'done' }, timing);
    expect(settled).toMatchObject({ state: { kind: 'waiting', on: ['Payment/1'] }, target: { deleted: true } });
    const gone = deposit(1, { applied: settled.applied!, target: settled.target! });
    expect(planWrite(gone, facts(['1']))).toMatchObject({ kind: 'postpone', code: 'FROZEN.MEMBER_CHANGING' });
    expect(planWrite(gone, facts([]))).toMatchObject({ kind: 'create', body: { Line: [line('t1', 1)] } });
  });

  it('is not taken in again while it is still changing', () => {
    const without = { version: 'v1', hash: 'partial:h1', payload: { Line: [line('t2', 2)] } };
    expect(planWrite(deposit(2, { applied: without }), facts(['1']))).toMatchObject({ kind: 'postpone' });
    expect(planWrite(deposit(2, { applied: without }), facts([]))).toMatchObject({
      kind: 'update',
      body: { Line: [line('t1', 1), line('t2', 2)] },
    });
  });

  it('needs no second step when the newer deposit does not hold it any more', () => {
    const { desired, ...rest } = deposit(2);
    const newer = { ...desired, hash: 'h2', payload: { Line: [line('', 2)] }, references: [reference(0, '2')] };
    expect(planWrite({ ...rest, desired: newer }, facts(['1']))).toMatchObject({
      kind: 'update',
      body: { Line: [line('t2', 2)] },
      deferred: [],
    });
  });

  it('waits, when it is refused, for its deposit to let it go, however often that takes', () => {
    const payment: Link = {
      ...deposit(0),
      entityType: 'Payment',
      sourceId: '1',
      state: { kind: 'sending' },
      attempts: 99,
    };
    const failure = { kind: 'refused', class: 'reread', code: '6540', reason: 'deposited' } as const;
    const attempt = { operation: 'update', version: 'v1', hash: 'h1' } as const;
    const settled = settle(payment, { ...attempt, frozenBy: ['Deposit/9'] }, { kind: 'failed', failure }, timing);
    expect(settled).toMatchObject({ state: { kind: 'waiting', on: ['release:Deposit/9'] }, attempts: 100 });
    // A deposit that a person made in the target is not ours to open; one of ours may be on its way for the first tries.
    const tried = (attempts: number) =>
      settle({ ...payment, attempts }, attempt, { kind: 'failed', failure }, timing).state;
    expect([0, 1, 2].map((attempts) => tried(attempts).kind)).toEqual(['backoff', 'backoff', 'held']);
    expect(tried(2)).toMatchObject({ code: 'FROZEN.BY_HAND' });
  });

  it.each<[string, Json | null, string[], string]>([
    ['a deposit of a person', { LinkedTxn: [{ TxnType: 'Deposit', TxnId: '7' }] }, [], 'hold'],
    ['a deposit of ours', { LinkedTxn: [{ TxnType: 'Deposit', TxnId: '7' }] }, ['7'], 'release'],
    ['an invoice only', { LinkedTxn: [{ TxnType: 'Invoice', TxnId: '7' }] }, [], 'release'],
    ['nothing', {}, [], 'release'],
    ['a record that is gone', null, [], 'release'],
  ])('is judged by what holds it in the target: %s', (_, record, ours, kind) => {
    const verdict = judgeFrozenByHand('Payment', record, new Set(ours));
    expect(verdict.kind).toBe(kind);
    if (verdict.kind === 'hold') expect(verdict.reason).toContain('Deposit 7 of the target');
  });

  it('leaves lines alone that link to nothing', () => {
    const body = { Line: [{ Amount: 5 }, line('t1', 1)] };
    expect(withoutMembers(body, new Set(['t1']))).toEqual({ Line: [{ Amount: 5 }] });
    expect(withoutMembers({}, new Set(['t1']))).toEqual({});
  });
});
