import { contentHash } from '../canonical/index.js';
import { defaultRetryPolicy, type Failure } from '../retry/index.js';
import type { Json } from '../model/json.js';
import { diffAnswer } from './difference.js';
import type { Link } from './link.js';
import { defaultWritePolicy, planWrite } from './plan.js';
import { settle, type AttemptFacts } from './settle.js';

const timing = { nowMs: 1_000_000, jitter: 0, policy: defaultRetryPolicy };
const sending: Link = {
  entityType: 'Invoice',
  sourceId: '5',
  state: { kind: 'sending' },
  desired: { version: 'v2', hash: 'h2', op: 'upsert', references: [] },
  generation: 0,
  attempts: 1,
};
const attempt: AttemptFacts = {
  operation: 'create',
  version: 'v2',
  hash: 'h2',
  applied: { Line: [] },
  body: { Line: [] },
};
const record: Json = { Id: '70', SyncToken: '0', Line: [] };
const failed = (failure: Failure, link: Link = sending) => settle(link, attempt, { kind: 'failed', failure }, timing);

describe('settling what was done', () => {
  it('knows the target, wakes the waiters and announces it', () => {
    expect(settle(sending, attempt, { kind: 'done', record }, timing)).toEqual({
      state: { kind: 'settled' },
      applied: { version: 'v2', hash: 'h2', payload: { Line: [] } },
      target: { id: '70', syncToken: '0', deleted: false },
      // for a rollback: whose it is, and what it said
      origin: 'made',
      seenHash: contentHash('Invoice', record),
      attempts: 0,
      wakes: true,
      result: { outcome: 'created' },
      differences: [],
    });
  });

  it('goes on when a newer version is desired by now', () => {
    const moved = { ...sending, desired: { ...sending.desired, hash: 'h3' } };
    expect(settle(moved, attempt, { kind: 'done', record }, timing).state).toEqual({ kind: 'ready' });
  });

  it('goes on with the second step of a record that is created inactive', () => {
    const settled = settle(sending, { ...attempt, partial: true }, { kind: 'done', record }, timing);
    expect(settled.state).toEqual({ kind: 'ready' });
    expect(settled.applied!.hash).not.toBe('h2');
  });

  it('waits for what was left out to break a ring, while its own waiters wake', () => {
    const settled = settle(sending, { ...attempt, deferred: ['Vendor/3'] }, { kind: 'done', record }, timing);
    expect(settled.state).toEqual({ kind: 'waiting', on: ['Vendor/3'] });
    expect(settled.wakes).toBe(true);
  });

  it('goes on with an edit that a void overtook before it was sent', () => {
    const wished = { PrivateNote: 'Voided - note 4', DueDate: '2026-11-30', Line: [] };
    const voiding: Link = {
      ...sending,
      desired: { ...sending.desired, op: 'void', payload: wished },
      applied: { version: 'v1', hash: 'h1', payload: { PrivateNote: 'Order 1', DueDate: '2026-11-30', Line: [] } },
      target: { id: '70', syncToken: '0', deleted: false },
    };
    const facts: AttemptFacts = { ...attempt, operation: 'void', applied: wished, body: { Id: '70', SyncToken: '0' } };
    const answered = { Id: '70', SyncToken: '1', PrivateNote: 'Voided - Order 1', DueDate: '2026-11-30', Line: [] };
    const settled = settle(voiding, facts, { kind: 'done', record: answered }, timing);
    expect(settled.state).toEqual({ kind: 'ready' });
    expect(settled.result).toEqual({ outcome: 'voided' });
    const next = planWrite({ ...voiding, ...settled }, { resolve: () => undefined, policy: defaultWritePolicy });
    expect(next).toMatchObject({ kind: 'update', body: { Id: '70', SyncToken: '1', PrivateNote: 'Voided - note 4' } });
    // With nothing missing the void is the end of it.
    const whole = settle(
      voiding,
      facts,
      { kind: 'done', record: { ...answered, PrivateNote: 'Voided - note 4' } },
      timing,
    );
    expect(whole.state).toEqual({ kind: 'settled' });
  });

  it('remembers a deletion and wakes nobody', () => {
    const live = { ...sending, target: { id: '70', syncToken: '3', deleted: false } };
    const settled = settle(live, { ...attempt, operation: 'delete', applied: undefined }, { kind: 'done' }, timing);
    expect(settled.target).toEqual({ id: '70', syncToken: '3', deleted: true });
    expect(settled).toMatchObject({ wakes: false, result: { outcome: 'deleted' } });
  });

  it('says so when the target gave the copy another number', () => {
    const body = { DocNumber: 'A-1', Line: [] };
    const invoice = { ...sending, entityType: 'Invoice' };
    const record = { Id: '70', SyncToken: '0', DocNumber: '1001', Line: [] };
    const settled = settle(invoice, { ...attempt, body, applied: body }, { kind: 'done', record }, timing);
    expect(settled.result).toMatchObject({ outcome: 'created', code: 'ANSWER.RENUMBERED' });
  });

  it.each([
    ['Invoice', 'MONEY.AUTO_APPLIED'],
    ['RefundReceipt', undefined],
    ['SalesReceipt', undefined],
  ])('a new %s without an open balance: %s', (entityType, code) => {
    const body = { Line: [{ Amount: 100, DetailType: 'SalesItemLineDetail' }] };
    const record = { Id: '70', SyncToken: '0', TotalAmt: 100, Balance: 0, ...body };
    const made = settle(
      { ...sending, entityType },
      { ...attempt, body, applied: body },
      { kind: 'done', record },
      timing,
    );
    expect(made.result?.code).toBe(code);
  });

  it('says so when the target computed another total, with the cause', () => {
    const line = { Amount: 100, DetailType: 'SalesItemLineDetail' };
    const body = { Line: [line], TxnTaxDetail: { TotalTax: 8 } };
    const record = { Id: '70', SyncToken: '0', TotalAmt: 109, TxnTaxDetail: { TotalTax: 9 }, Line: [line] };
    const invoice = { ...sending, entityType: 'Invoice' };
    const settled = settle(invoice, { ...attempt, body, applied: body }, { kind: 'done', record }, timing);
    expect(settled.result).toMatchObject({
      outcome: 'created',
      code: 'MONEY.TAX_RECOMPUTED',
      reason: 'TxnTaxDetail.TotalTax: 8 -> 9 (tax-recomputed); TotalAmt: 108 -> 109 (tax-recomputed)',
    });
    expect(settled.state.kind).toBe('settled');
    // A computed total is never sent, so it is no part of what was applied.
    expect(settled.applied!.payload).not.toHaveProperty('TotalAmt');
  });

  it('records a link that QBO dropped with a 200', () => {
    const body = { Line: [{ Amount: 5, LinkedTxn: [{ TxnId: '9', TxnType: 'Invoice' }] }] };
    const answered = { Id: '70', SyncToken: '0', Line: [{ Amount: 5 }] };
    const payment = { ...sending, entityType: 'Payment' };
    const settled = settle(payment, { ...attempt, body }, { kind: 'done', record: answered }, timing);
    expect(settled.differences.map((difference) => difference.path)).toEqual(['Line.0.LinkedTxn']);
    expect(settled.result).toMatchObject({ outcome: 'created', code: 'ANSWER.DIFFERS' });
    // What the target has is kept, so that the next update sends the link again and no drift is seen meanwhile.
    expect(settled.applied!.payload).toEqual({ Line: [{ Amount: 5 }] });
    expect(diffAnswer('Payment', settled.applied!.payload!, answered)).toEqual([]);
    expect(settled.state.kind).toBe('settled');
  });
});

describe('settling what failed', () => {
  it.each<[string, Failure, string, string | undefined]>([
    ['a stale token', { kind: 'refused', class: 'reread', code: '5010', reason: 'stale' }, 'backoff', undefined],
    ['an overload', { kind: 'refused', class: 'wait', code: '10000', reason: 'x' }, 'backoff', undefined],
    ['a missing parent', { kind: 'refused', class: 'parent-missing', code: '2500', reason: 'x' }, 'backoff', undefined],
    ['a 429', { kind: 'throttled', reason: '429' }, 'backoff', undefined],
    ['an open breaker', { kind: 'unsent', reason: 'open' }, 'backoff', undefined],
    ['a lost answer', { kind: 'uncertain', reason: 'cut' }, 'uncertain', undefined],
    ['a revoked grant', { kind: 'unauthorized', reason: 'revoked' }, 'held', 'held'],
    ['a closed period', { kind: 'refused', class: 'operator', code: '6200', reason: 'closed' }, 'held', 'held'],
    ['a refused field', { kind: 'refused', class: 'never', code: '2010', reason: 'x' }, 'failed', 'failed'],
  ])('%s', (_, failure, state, outcome) => {
    const settled = failed(failure);
    expect(settled.state.kind).toBe(state);
    expect(settled.result?.outcome).toBe(outcome);
    expect(settled.wakes).toBe(false);
  });

  it('forgets a stale token, so that the next plan reads', () => {
    const link = { ...sending, target: { id: '70', syncToken: '3', deleted: false } };
    const settled = failed({ kind: 'refused', class: 'reread', code: '5010', reason: 'stale' }, link);
    expect(settled.target).toEqual({ id: '70', deleted: false });
  });

  it('does not count what was not the fault of the record', () => {
    expect(failed({ kind: 'throttled', reason: '429' }).attempts).toBe(1);
    expect(failed({ kind: 'uncertain', reason: 'cut' }).attempts).toBe(2);
  });

  it('lets a newer desired version mend what this one could not do', () => {
    const moved = { ...sending, desired: { ...sending.desired, hash: 'h3' } };
    const settled = failed({ kind: 'refused', class: 'never', code: '2010', reason: 'x' }, moved);
    expect(settled).toMatchObject({ state: { kind: 'ready' }, attempts: 0, result: { outcome: 'failed' } });
  });
});

describe('the comparison of an answer with what was sent', () => {
  const cases: [string, Json, Json, string[]][] = [
    [
      'labels, sub-totals, ids and rewritten addresses are no difference',
      {
        CustomerRef: { value: '1' },
        BillAddr: { Line1: 'a' },
        Line: [{ Amount: 5 }],
        EmailStatus: 'NotSet',
      },
      {
        CustomerRef: { value: '1', name: 'Amy' },
        BillAddr: { Id: '9', Line1: 'A' },
        Line: [
          { Id: '1', Amount: 5 },
          { Amount: 5, DetailType: 'SubTotalLineDetail' },
        ],
        EmailStatus: 'EmailSent',
      },
      [],
    ],
    ['numbers compare as numbers', { ExchangeRate: 1.5 }, { ExchangeRate: '1.50' }, []],
    ['cleared and absent are one', { PrivateNote: null, TxnTaxDetail: { TotalTax: 0 } }, {}, []],
    [
      'a recomputed tax is a difference',
      { TxnTaxDetail: { TotalTax: 8 } },
      { TxnTaxDetail: { TotalTax: 7.99 } },
      ['TxnTaxDetail.TotalTax'],
    ],
    ['a missing line is a difference', { Line: [{ Amount: 5 }, { Amount: 6 }] }, { Line: [{ Amount: 5 }] }, ['Line']],
    [
      'another parent is a difference',
      { CustomerRef: { value: '1' } },
      { CustomerRef: { value: '2' } },
      ['CustomerRef.value'],
    ],
    ['a dropped number is a difference', { DocNumber: '1037' }, { DocNumber: '1' }, ['DocNumber']],
  ];
  it.each(cases)('%s', (_, sent, answered, paths) => {
    expect(diffAnswer('Invoice', sent, answered).map((difference) => difference.path)).toEqual(paths);
  });

  it('takes the suffix of an inactive name for the name', () => {
    expect(
      diffAnswer('Customer', { DisplayName: 'Ann', Active: false }, { DisplayName: 'Ann (deleted)', Active: false }),
    ).toEqual([]);
  });
});
