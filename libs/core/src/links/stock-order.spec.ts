import type { Link } from './link.js';
import { isEnteredBefore, receiptOf, receivingTypes, stockPatienceMs, stockTurn } from './stock-order.js';

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

  const calm = { before: [], reading: false, first: false, waitedMs: 0 };
  it.each([
    ['nothing is before it', calm, undefined],
    [
      'something is before it',
      { ...calm, before: [{ entityType: 'Bill', sourceId: '8' }] },
      /Bill 8, entered before it/,
    ],
    ['a backfill is reading', { ...calm, reading: true }, /still being read/],
    ['it was heard of just now', { ...calm, first: true }, /entered just before it/],
    ['it waited for too long', { ...calm, reading: true, waitedMs: stockPatienceMs + 1 }, undefined],
  ])('wait for their turn: %s', (_, facts, why) => {
    const turn = stockTurn(facts);
    if (why) expect(turn?.reason).toMatch(why);
    else expect(turn).toBeUndefined();
  });
});
