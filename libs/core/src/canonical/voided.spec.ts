import type { Json } from '../model/json.js';
import { sameName, stripDeletedSuffix } from './names.js';
import { isVoided } from './voided.js';

describe('a void', () => {
  const zeroLine = { Amount: 0, DetailType: 'SalesItemLineDetail' };
  const cases: [string, string, Json, boolean][] = [
    ['note, zero total, zero lines', 'Invoice', { PrivateNote: 'Voided', TotalAmt: 0, Line: [zeroLine] }, true],
    ['note with more text', 'Invoice', { PrivateNote: 'Voided - wrong customer', TotalAmt: 0 }, true],
    [
      'a sub-total line is not looked at',
      'Invoice',
      { PrivateNote: 'Voided', TotalAmt: 0, Line: [{ Amount: 0, DetailType: 'SubTotalLineDetail' }] },
      true,
    ],
    ['a payload carries no total', 'Invoice', { PrivateNote: 'Voided', Line: [zeroLine] }, true],
    ['a payment without lines', 'Payment', { PrivateNote: 'Voided', TotalAmt: 0, Line: [] }, true],
    ['an amount is left', 'Invoice', { PrivateNote: 'Voided', TotalAmt: 5 }, false],
    ['a line amount is left', 'Invoice', { PrivateNote: 'Voided', Line: [{ Amount: 5 }] }, false],
    ['a link is left', 'Invoice', { PrivateNote: 'Voided', TotalAmt: 0, LinkedTxn: [{ TxnId: '1' }] }, false],
    ['zero, but nobody says voided', 'Invoice', { TotalAmt: 0, Line: [zeroLine] }, false],
    ['the word stands later in the note', 'Invoice', { PrivateNote: 'was Voided', TotalAmt: 0 }, false],
    ['a name list has no void', 'Customer', { PrivateNote: 'Voided' }, false],
  ];
  it.each(cases)('%s (%s): recognised rightly', (_, type, record, expected) => {
    expect(isVoided(type, record)).toBe(expected);
  });
});

describe('names of inactive records', () => {
  it.each([
    ['Ann (deleted)', 'Ann'],
    ['Ann (Deleted)', 'Ann'],
    ['Ann (deleted-1)', 'Ann'],
    ['Ann (deleted) & Sons', 'Ann (deleted) & Sons'],
    ['Ann', 'Ann'],
  ])('%s -> %s', (name, expected) => {
    expect(stripDeletedSuffix(name)).toBe(expected);
  });

  it('compare without suffix and case', () => {
    expect(sameName('NET 30', 'Net 30 (deleted)')).toBe(true);
    expect(sameName('Net 30', 'Net 15')).toBe(false);
  });
});
