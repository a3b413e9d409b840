import type { Link } from './link.js';
import {
  afterReceipt,
  isEnteredBefore,
  readMayComeMs,
  receiptOf,
  receivingTypes,
  stockPatienceMs,
  stockTurn,
} from './stock-order.js';

const link = (entityType: string, more: Partial<Link> = {}, TxnDate: unknown = '2026-01-05'): Link => ({
  entityType,
  sourceId: '9',
  state: { kind: 'ready' },
  desired: {
    ...{ version: 'v', hash: 'h', op: 'upsert', payload: { TxnDate } },
    references: ['1', '2', '2'].map((sourceId, n) => ({ path: ['Line', String(n)], entityType: 'Item', sourceId })),
  },
  generation: 0,
  attempts: 0,
  ...more,
});
const isStock = (id: string): boolean => id === '2';

describe('goods that come in on one day', () => {
  it('come with documents that bring them, each item once', () => {
    expect(receivingTypes).toEqual(expect.arrayContaining(['Bill', 'Purchase', 'CreditMemo', 'RefundReceipt']));
    expect(receiptOf(link('Bill'), isStock)).toEqual({ date: '2026-01-05', items: ['2'] });
  });

  it.each<[string, Link]>([
    ['a sale', link('Invoice')],
    ['a copy that is made already', link('Bill', { target: { id: '7', deleted: false } })],
    ['a removal', link('Bill', { desired: { ...link('Bill').desired, op: 'delete' } })],
    ['a document without a date', link('Bill', {}, null)],
  ])('are not asked about for %s', (_, one) => {
    expect(receiptOf(one, isStock)).toBeUndefined();
  });

  it('are made anew in turn, too', () => {
    expect(receiptOf(link('Bill', { target: { id: '7', deleted: true } }), isStock)).toBeDefined();
  });

  it('count in the order of ids, which are numbers', () => {
    expect(['10', '9', '100'].sort((a, b) => (isEnteredBefore(a, b) ? -1 : 1))).toEqual(['9', '10', '100']);
  });

  const calm = { before: [], first: false, waitedMs: 0 };
  it.each([
    ['nothing is before it', calm, undefined],
    [
      'something is before it',
      { ...calm, before: [{ entityType: 'Bill', sourceId: '8' }] },
      /Bill 8, entered before it/,
    ],
    ['a backfill is reading', { ...calm, reading: 'now' as const }, /still being read/],
    ['what a backfill read may be on its way', { ...calm, reading: { forMs: 300 } }, /still being read/],
    ['it was heard of just now', { ...calm, first: true }, /entered just before it/],
    ['it waited for too long', { ...calm, reading: 'now' as const, waitedMs: stockPatienceMs + 1 }, undefined],
  ])('wait for their turn: %s', (_, facts, why) => {
    const turn = stockTurn(facts);
    if (why) expect(turn?.reason).toMatch(why);
    else expect(turn).toBeUndefined();
  });

  it('sleep no longer than what a backfill has read may be on its way', () => {
    expect(stockTurn({ ...calm, reading: { forMs: 300 } })?.delayMs).toBe(300);
    expect(stockTurn({ ...calm, reading: 'now' })!.delayMs).toBeLessThanOrEqual(readMayComeMs);
  });

  it('are found by whom they wait for', () => {
    const before = [{ entityType: 'Bill', sourceId: '8' }];
    expect(stockTurn({ ...calm, before })?.reason).toBe(afterReceipt(before[0]!));
  });
});
