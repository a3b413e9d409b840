import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { Money, toCents } from '../money/index.js';
import { withNeededTaxLines } from './tax-lines.js';

const sale = (Amount: number, code: string): Json => ({
  Amount,
  DetailType: 'SalesItemLineDetail',
  SalesItemLineDetail: { TaxCodeRef: { value: code } },
});
const taxLine = (Amount: number, TaxPercent: number, NetAmountTaxable: number, more: Json = {}): Json => ({
  Amount,
  DetailType: 'TaxLineDetail',
  TaxLineDetail: { TaxRateRef: { value: '3' }, PercentBased: true, TaxPercent, NetAmountTaxable, ...more },
});
const body = (lines: Json[], taxLines: Json[], more: Json = {}): Json => ({
  Line: lines,
  TxnTaxDetail: { TotalTax: 1, TaxLine: taxLines },
  ...more,
});
const kept = (given: Json): boolean => 'TaxLine' in (withNeededTaxLines(given).TxnTaxDetail as Json);

describe('tax lines', () => {
  it.each<[string, boolean, Json]>([
    [
      'US tax as computed (worked case 1)',
      false,
      body([sale(422, 'TAX')], [taxLine(29.96, 7.1, 422), taxLine(8.44, 2, 422)]),
    ],
    ['US tax that a person set', true, body([sale(422, 'TAX')], [taxLine(29.97, 7.1, 422)])],
    ['a rate given as an amount', true, body([sale(10, 'TAX')], [taxLine(1, 10, 10, { PercentBased: false })])],
    ['a base beyond the lines (worked case 6)', true, body([sale(320, 'TAX')], [taxLine(46.6, 8, 582.5)])],
    [
      'a base that a discount lowers',
      false,
      body([sale(100, 'TAX'), { Amount: 10, DetailType: 'DiscountLineDetail' }], [taxLine(7.65, 8.5, 90)]),
    ],
    ['VAT on top', true, body([sale(100, '5')], [taxLine(20, 20, 100)], { GlobalTaxCalculation: 'TaxExcluded' })],
    ['VAT inside', true, body([sale(100, '5')], [taxLine(20, 20, 100)], { GlobalTaxCalculation: 'TaxInclusive' })],
    ['lines that name no rate', false, body([sale(10, 'TAX')], [{ Amount: 3, TaxLineDetail: {} }])],
  ])('%s: sent %s', (_what, expected, given) => {
    expect(kept(given)).toBe(expected);
  });

  it('are reduced to what QuickBooks takes, and nothing else of the document moves', () => {
    const given = body([sale(10, 'TAX')], [taxLine(2, 10, 10, { OverrideDeltaAmount: 1, TaxInclusiveAmount: 0 })]);
    expect(withNeededTaxLines(given)).toEqual(body([sale(10, 'TAX')], [taxLine(2, 10, 10)]));
    const untaxed = { Line: [sale(1, 'NON')], TxnTaxDetail: { TotalTax: 0 } };
    expect(withNeededTaxLines(untaxed)).toBe(untaxed);
  });

  it('of a US document are sent exactly when the tax is not rate times base to the cent', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(12_000), fc.integer({ min: -2, max: 2 }), (cents, thousandths, off) => {
        const [base, percent] = [new Money(cents).dividedBy(100), new Money(thousandths).dividedBy(1000)];
        const amount = toCents(base.times(percent).dividedBy(100)).plus(new Money(off).dividedBy(100));
        const line = taxLine(amount.toNumber(), percent.toNumber(), base.toNumber());
        expect(kept(body([sale(base.toNumber(), 'TAX')], [line]))).toBe(off !== 0);
      }),
    );
  });
});
