import type { Json } from '../model/json.js';
import { withLinesFound } from './named-lines.js';

const line = (item: string, qty: number, more: Json = {}): Json => ({
  DetailType: 'ItemBasedExpenseLineDetail',
  Amount: qty * 10,
  ItemBasedExpenseLineDetail: { ItemRef: { value: item }, Qty: qty, UnitPrice: 10 },
  ...more,
});
const receipt = (item: string, qty: number, lineId: string): Json =>
  line(item, qty, { LinkedTxn: [{ TxnId: '900', TxnType: 'PurchaseOrder', TxnLineId: lineId }] });
const reference = (n: number) => ({
  path: ['Line', String(n), 'LinkedTxn', '0', 'TxnId'],
  entityType: 'PurchaseOrder',
  sourceId: '50',
});
const idsIn = (body: Json): unknown[] =>
  (body.Line as Json[]).map((one) => (one.LinkedTxn as Json[] | undefined)?.[0]?.TxnLineId);
const find = (lines: Json[], copy: Json[] | undefined): unknown[] =>
  idsIn(
    withLinesFound(
      'Bill',
      { Line: lines },
      lines.map((_, n) => reference(n)),
      () => copy,
    ),
  );

it('names the lines of the copy, which were numbered anew', () => {
  const copy = [line('7', 3, { Id: '4' }), line('8', 2, { Id: '5' })];
  expect(find([receipt('7', 3, '1'), receipt('8', 2, '3')], copy)).toEqual(['4', '5']);
});

it('finds a line by what it says, also when only some of the order is received, or less of it', () => {
  const copy = [line('7', 3, { Id: '1' }), line('8', 2, { Id: '2' }), line('9', 5, { Id: '3' })];
  expect(find([receipt('9', 4, '6')], copy)).toEqual(['3']);
});

it('takes equal lines in their order, and each once', () => {
  const copy = [line('7', 3, { Id: '11' }), line('7', 3, { Id: '12' })];
  expect(find([receipt('7', 3, '2'), receipt('7', 3, '1')], copy)).toEqual(['12', '11']);
});

it('two lines that receive one line of the order still do', () => {
  expect(find([receipt('7', 1, '9'), receipt('7', 2, '9')], [line('7', 3, { Id: '2' })])).toEqual(['2', '2']);
});

it('leaves what it knows nothing about', () => {
  expect(find([receipt('7', 3, '1')], undefined)).toEqual(['1']);
  expect(find([receipt('7', 3, '1')], [])).toEqual(['1']);
});
