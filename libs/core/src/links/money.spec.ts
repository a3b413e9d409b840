import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { Money } from '../money/index.js';
import { moneyCode, moneyDifferences, roundingAllowance, roundingDescription } from './money.js';
import { pendingRounding, planCorrection, roundingHash, withRoundingLine, type RoundingPolicy } from './rounding.js';

const line = (Amount: number): Json => ({ Amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: {} });
const discount = (Amount: number): Json => ({ Amount, DetailType: 'DiscountLineDetail', DiscountLineDetail: {} });
const subTotal = (Amount: number): Json => ({ Amount, DetailType: 'SubTotalLineDetail', SubTotalLineDetail: {} });
const applied = (Amount: number, TxnType: string): Json => ({ Amount, LinkedTxn: [{ TxnId: '7', TxnType }] });
const taxed = (TotalTax: number): Json => ({ TxnTaxDetail: { TotalTax } });

interface Case {
  body: Json;
  answered: Json;
  sourceTotal?: string;
  created?: boolean;
}

const told = ({ body, answered, sourceTotal, created = true }: Case) =>
  moneyDifferences({ body, created, sourceTotal }, answered).map((d) => [d.path, d.cause, d.sent, d.answered]);

describe('what the target computed', () => {
  it.each<[string, Case]>([
    [
      'lines, discount and tax',
      {
        body: { Line: [line(305), discount(30.5)], ...taxed(19.22) },
        answered: {
          TotalAmt: 293.72,
          Balance: 293.72,
          Line: [line(305), subTotal(305), discount(30.5)],
          ...taxed(19.22),
        },
      },
    ],
    ['tenths that floats cannot add', { body: { Line: [line(0.1), line(0.2)] }, answered: { TotalAmt: 0.3 } }],
    [
      'a home total at the rate sent',
      {
        body: { Line: [line(100.01)], ExchangeRate: 1.23456789 },
        answered: { TotalAmt: 100.01, HomeTotalAmt: 123.47, ExchangeRate: 1.23456789 },
      },
    ],
    [
      'a payment that is partly applied',
      {
        body: { TotalAmt: 100, Line: [applied(60, 'Invoice')] },
        answered: { TotalAmt: 100, UnappliedAmt: 40, Line: [applied(60, 'Invoice')] },
      },
    ],
    [
      'a credit that pays an invoice, no money moved',
      {
        body: { TotalAmt: 0, Line: [applied(60, 'Invoice'), applied(60, 'CreditMemo')] },
        answered: { TotalAmt: 0, UnappliedAmt: 0, Line: [applied(60, 'Invoice'), applied(60, 'CreditMemo')] },
      },
    ],
    ['a deposit on the invoice', { body: { Line: [line(50)], Deposit: 20 }, answered: { TotalAmt: 50, Balance: 30 } }],
    [
      'an update of what was paid meanwhile',
      { body: { Line: [line(50)] }, answered: { TotalAmt: 50, Balance: 0 }, created: false },
    ],
    [
      'a journal, whose total QBO shows as 0',
      { body: { Line: [{ Amount: 9, DetailType: 'JournalEntryLineDetail' }] }, answered: { TotalAmt: 0 } },
    ],
    ['an answer without amounts', { body: { Line: [line(50)] }, answered: { Id: '1' } }],
  ])('is what it must be: %s', (_what, given) => {
    expect(told(given)).toEqual([]);
  });

  it.each<[string, string, Case, unknown[][]]>([
    [
      'another tax',
      'MONEY.TAX_RECOMPUTED',
      { body: { Line: [line(100)], ...taxed(8) }, answered: { TotalAmt: 109.5, ...taxed(9.5) } },
      [
        ['TxnTaxDetail.TotalTax', 'tax-recomputed', 8, 9.5],
        ['TotalAmt', 'tax-recomputed', 108, 109.5],
      ],
    ],
    [
      'tax where the source had none',
      'MONEY.TAX_RECOMPUTED',
      { body: { Line: [line(100)] }, answered: { TotalAmt: 108, ...taxed(8) } },
      [
        ['TxnTaxDetail.TotalTax', 'tax-recomputed', 0, 8],
        ['TotalAmt', 'tax-recomputed', 100, 108],
      ],
    ],
    [
      'a cent of tax, rounded on the document instead of by line',
      'MONEY.ROUNDING',
      { body: { Line: [line(75), line(72)], ...taxed(10.44) }, answered: { TotalAmt: 157.43, ...taxed(10.43) } },
      [
        ['TxnTaxDetail.TotalTax', 'rounding', 10.44, 10.43],
        ['TotalAmt', 'rounding', 157.44, 157.43],
      ],
    ],
    [
      'lines that were never the whole',
      'MONEY.LINES_DO_NOT_ADD_UP',
      { body: { Line: [line(50)] }, sourceTotal: '75', answered: { TotalAmt: 50 } },
      [['TotalAmt', 'lines-do-not-add-up', 75, 50]],
    ],
    [
      'a link that was dropped',
      'MONEY.LINK_DROPPED',
      {
        body: { TotalAmt: 100, Line: [applied(60, 'Invoice')] },
        answered: { TotalAmt: 100, UnappliedAmt: 100, Line: [] },
      },
      [['UnappliedAmt', 'link-dropped', 40, 100]],
    ],
    [
      'a credit that the target applied by itself',
      'MONEY.AUTO_APPLIED',
      { body: { Line: [line(50)] }, answered: { TotalAmt: 50, Balance: 20 } },
      [['Balance', 'auto-applied', 50, 20]],
    ],
    [
      'another exchange rate',
      'MONEY.RATE',
      {
        body: { Line: [line(100)], ExchangeRate: 1.25 },
        answered: { TotalAmt: 100, HomeTotalAmt: 100, ExchangeRate: 1 },
      },
      [
        ['ExchangeRate', 'rate', 1.25, 1],
        ['HomeTotalAmt', 'rate', 125, 100],
      ],
    ],
    [
      'a home total rounded otherwise',
      'MONEY.ROUNDING',
      {
        body: { Line: [line(0.5)], ExchangeRate: 1.01 },
        answered: { TotalAmt: 0.5, HomeTotalAmt: 0.5, ExchangeRate: 1.01 },
      },
      [['HomeTotalAmt', 'rounding', 0.51, 0.5]],
    ],
    [
      'nothing we can explain',
      'MONEY.UNKNOWN',
      { body: { Line: [line(100)] }, answered: { TotalAmt: 93 } },
      [['TotalAmt', 'unknown', 100, 93]],
    ],
  ])('differs by %s: %s', (_what, code, given, expected) => {
    expect(told(given)).toEqual(expected);
    const { body, answered, sourceTotal, created = true } = given;
    expect(moneyCode(moneyDifferences({ body, created, sourceTotal }, answered))).toBe(code);
  });

  const cents = fc.integer({ min: -5_000_000, max: 500_000_000 });
  const lines = fc.array(cents, { minLength: 1, maxLength: 12 });

  it('is found whenever the total is off, whatever the amounts, and never when it is right', () => {
    fc.assert(
      fc.property(lines, cents, fc.integer({ min: -300, max: 300 }), (amounts, tax, off) => {
        const body = { Line: amounts.map((c) => line(c / 100)), ...taxed(tax / 100) };
        const total = amounts.reduce((sum, c) => sum + BigInt(c), BigInt(tax));
        const answered = { TotalAmt: Number(total + BigInt(off)) / 100, ...taxed(tax / 100) };
        const found = moneyDifferences({ body, created: false }, answered);
        expect(found.length).toBe(off === 0 ? 0 : 1);
        if (off !== 0)
          expect(found[0]!.cause).toBe(Math.abs(off) <= Math.min(amounts.length, 5) ? 'rounding' : 'unknown');
      }),
    );
  });
});

describe('a rounding line', () => {
  const policy: RoundingPolicy = { kind: 'line', itemId: '90', accountId: '91', zeroTaxCodeId: 'NON' };

  it.each<[string, number, number, RoundingPolicy, object]>([
    ['is not made when nothing differs', 10, 10, policy, { kind: 'none' }],
    ['is not made where the policy only records', 10, 10.01, { kind: 'record' }, { kind: 'none' }],
    ['takes a cent away', 10, 10.01, policy, { kind: 'line', cents: -1 }],
    ['adds two', 10, 9.98, policy, { kind: 'line', cents: 2 }],
    ['is not made beyond a cent per line', 10, 9.97, policy, { kind: 'hold', code: 'MONEY.TOO_FAR' }],
    ['needs somewhere to go', 10, 9.99, { kind: 'line' }, { kind: 'hold', code: 'MONEY.NO_ROUNDING_ACCOUNT' }],
  ])('%s', (_what, mustBe, is, chosen, expected) => {
    expect(planCorrection({ Line: [line(6), line(4)] }, mustBe, is, chosen)).toMatchObject(expected);
  });

  it('stands visibly on a line of its own, with no tax', () => {
    const bill = { Line: [{ Amount: 5, DetailType: 'AccountBasedExpenseLineDetail' }] };
    expect(planCorrection(bill, 5, 4.99, policy)).toMatchObject({
      body: {
        Line: [
          bill.Line[0],
          {
            Description: roundingDescription,
            Amount: 0.01,
            AccountBasedExpenseLineDetail: { AccountRef: { value: '91' }, TaxCodeRef: { value: 'NON' } },
          },
        ],
      },
    });
  });

  it('brings the total to what it must be, in at most 1 cent per line and 5 per document, or asks a person', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: -9, max: 9 }),
        fc.integer({ min: -4, max: 4 }),
        (count, off, before) => {
          const own = Array.from({ length: count }, () => line(1));
          const earlier = before === 0 ? [] : [{ ...line(before / 100), Description: roundingDescription }];
          const body = { Line: [...own, ...earlier] };
          const is = new Money(count * 100 + off + before).dividedBy(100).toNumber();
          const plan = planCorrection(body, count, is, policy);
          // `off` is what the target makes of the document by itself.
          if (off + before === 0) return expect(plan.kind).toBe('none');
          const allowed = Math.abs(off) <= Math.min(count, 5);
          expect(plan.kind).toBe(allowed ? 'line' : 'hold');
          if (plan.kind !== 'line') return;
          expect(plan.cents + off).toBe(0);
          expect((plan.body.Line as Json[]).filter((l) => l.Description === roundingDescription).length).toBe(
            off === 0 ? 0 : 1,
          );
          expect(roundingAllowance({ Line: own }).times(100).toNumber()).toBeLessThanOrEqual(5);
        },
      ),
    );
  });

  it("is given up after three that did not help: what moves with it (a discount, a tax) is a person's question", () => {
    const body = { Line: [line(6), { ...line(0.01), Description: roundingDescription }] };
    expect(planCorrection(body, 6, 6.01, policy, 2)).toMatchObject({ kind: 'line', cents: 0 });
    expect(planCorrection(body, 6, 6.01, policy, 3)).toMatchObject({ kind: 'hold', code: 'MONEY.TOO_FAR' });
  });

  it('is never given to what has no lines of its own: a payment, a journal', () => {
    const payment = { Line: [applied(5, 'Invoice')] };
    const journal = { Line: [{ Amount: 5, DetailType: 'JournalEntryLineDetail' }] };
    for (const body of [payment, journal]) expect(planCorrection(body, 5, 5.01, policy)).toEqual({ kind: 'none' });
  });

  it('says its gross where prices hold the tax', () => {
    const body = { Line: [line(5)], GlobalTaxCalculation: 'TaxInclusive' };
    const plan = planCorrection(body, 5.01, 5, policy) as { body: Json };
    expect((plan.body.Line as Json[])[1]).toMatchObject({
      Amount: 0.01,
      SalesItemLineDetail: { TaxInclusiveAmt: 0.01 },
    });
  });

  it('stays while the lines stay, is replaced when decided anew, and goes when they change', () => {
    const had = { ...line(-0.02), Description: roundingDescription };
    const applied = { hash: 'old', payload: { Line: [line(6), had] } };
    const amounts = (body: Json) => (body.Line as Json[]).map(({ Amount }) => Amount as unknown);
    expect(amounts(withRoundingLine({ Line: [line(6)], PrivateNote: 'x' }, applied, 'new', policy))).toEqual([
      6, -0.02,
    ]);
    expect(amounts(withRoundingLine({ Line: [line(7)] }, applied, 'new', policy))).toEqual([7]);
    const pending = { ...applied, hash: roundingHash({ tries: 1, cents: 3, desiredHash: 'new' }) };
    expect(amounts(withRoundingLine({ Line: [line(6)] }, pending, 'new', policy))).toEqual([6, 0.03]);
    // A newer version came before the line was written: its own answer decides.
    expect(amounts(withRoundingLine({ Line: [line(7)] }, pending, 'newer', policy))).toEqual([7]);
  });

  it('keeps in the applied hash what is still to be done', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.integer({ min: -5, max: 5 }), fc.base64String(), (tries, cents, desiredHash) => {
        const pending = { tries, cents, desiredHash };
        expect(pendingRounding(roundingHash(pending))).toEqual(pending);
      }),
    );
    expect(pendingRounding('partial:abc')).toBeUndefined();
  });
});
