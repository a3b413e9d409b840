// What must hold for every document, and what must never happen for any input: a crash that is not QBO's own fault.
import fc from 'fast-check';
import { QboFault, type Rec } from '../types.js';
import { cents, plus } from '../money/index.js';
import { RecordedCompany } from '../ledger/recorded-company.js';
import { Ledger, POSTING_TYPES } from '../ledger/index.js';
import { selfcheckLedger } from '../reports/selfcheck.js';
import { computeDocument } from './index.js';

const ref = (value: string): Rec => ({ value });

function company(country: string, percents: readonly number[]): RecordedCompany {
  const c = new RecordedCompany();
  c.info = { Country: country };
  c.put('TaxAgency', { Id: '1', DisplayName: 'Revenue' });
  const list = (prefix: string): Rec => ({
    TaxRateDetail: percents.map((RateValue, i) => {
      c.put('TaxRate', { Id: prefix + i, RateValue, AgencyRef: ref('1') });
      return { TaxRateRef: ref(prefix + i), TaxOrder: i };
    }),
  });
  c.put('TaxCode', { Id: '5', SalesTaxRateList: list('s'), PurchaseTaxRateList: list('p') });
  c.put('TaxCode', { Id: '6', SalesTaxRateList: { TaxRateDetail: [] }, PurchaseTaxRateList: { TaxRateDetail: [] } });
  const account = (Id: string, Name: string, AccountType: string, AccountSubType: string): void =>
    void c.put('Account', { Id, Name, FullyQualifiedName: Name, AccountType, AccountSubType, Active: true });
  account('1', 'Checking', 'Bank', 'Checking');
  account('2', 'Retained Earnings', 'Equity', 'RetainedEarnings');
  account('8', 'Sales', 'Income', 'SalesOfProductIncome');
  account('12', 'Discounts', 'Income', 'DiscountsRefundsGiven');
  c.put('Item', { Id: '1', Name: 'Thing', Type: 'Service', IncomeAccountRef: ref('8') });
  c.put('Customer', { Id: '1', DisplayName: 'Customer' });
  return c;
}

const percents = fc.array(
  fc.integer({ min: 0, max: 30_000 }).map((n) => n / 1000),
  { minLength: 1, maxLength: 3 },
);
const amounts = fc.array(fc.integer({ min: -100_000, max: 10_000_000 }), { minLength: 1, maxLength: 12 });
const basis = fc.constantFrom('TaxExcluded', 'TaxInclusive', 'NotApplicable');

describe('every document', () => {
  it('outside the US adds up, keeps what it computed when saved again, and posts balanced', () => {
    fc.assert(
      fc.property(
        percents,
        amounts,
        basis,
        fc.integer({ min: 0, max: 2500 }),
        fc.boolean(),
        (rates, nets, GlobalTaxCalculation, off, byGross) => {
          const c = company('GB', rates);
          const inclusive = GlobalTaxCalculation === 'TaxInclusive';
          const lines: Rec[] = nets.map((n, i) => ({
            DetailType: 'SalesItemLineDetail',
            ...(inclusive && byGross ? {} : { Amount: n / 100 }),
            SalesItemLineDetail: {
              ItemRef: ref('1'),
              TaxCodeRef: ref(i % 4 === 3 ? '6' : '5'),
              ...(inclusive && byGross ? { TaxInclusiveAmt: n / 100 } : {}),
            },
          }));
          const discount = off > 0 && nets.reduce((a, b) => a + b, 0) > 0 && !inclusive;
          if (discount)
            lines.push({
              DetailType: 'DiscountLineDetail',
              DiscountLineDetail: { PercentBased: true, DiscountPercent: off / 100 },
            });
          const rec: Rec = { Id: '9', TxnDate: '2026-01-01', CustomerRef: ref('1'), GlobalTaxCalculation, Line: lines };
          computeDocument('Invoice', rec, c, { ...rec });

          const tax = (rec.TxnTaxDetail.TaxLine ?? []).reduce(
            (sum: number, line: Rec) => plus(sum, cents(line.Amount)),
            0,
          );
          expect(cents(rec.TxnTaxDetail.TotalTax)).toBe(tax);
          const own = rec.Line.filter((l: Rec) => l.SalesItemLineDetail).reduce(
            (sum: number, l: Rec) => plus(sum, cents(l.Amount)),
            0,
          );
          const sub = rec.Line.find((l: Rec) => l.SubTotalLineDetail);
          expect(cents(sub.Amount)).toBe(own);
          const reduced = discount ? cents(rec.Line.at(-1).Amount) : 0;
          expect(cents(rec.TotalAmt)).toBe(own - reduced + tax);
          if (inclusive && byGross) expect(cents(rec.TotalAmt)).toBe(nets.reduce(plus, 0));

          const again = JSON.parse(JSON.stringify(rec)) as Rec;
          const given = JSON.parse(JSON.stringify(rec)) as Rec;
          // Without the tax lines, so that this is a computation and not an override.
          delete given.TxnTaxDetail;
          computeDocument('Invoice', again, c, given);
          expect(JSON.stringify(again)).toBe(JSON.stringify(rec));

          const ledger = new Ledger(c);
          ledger.post('Invoice', c.put('Invoice', rec));
          expect(selfcheckLedger(c, ledger)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('in the US taxes the base once per rate, whatever the lines are', () => {
    fc.assert(
      fc.property(percents, amounts, fc.boolean(), (rates, nets, ApplyTaxAfterDiscount) => {
        const c = company('US', rates);
        const lines = nets.map((n, i) => ({
          DetailType: 'SalesItemLineDetail',
          Amount: n / 100,
          SalesItemLineDetail: { ItemRef: ref('1'), TaxCodeRef: ref(i % 3 ? 'TAX' : 'NON') },
        }));
        const rec: Rec = {
          Id: '9',
          CustomerRef: ref('1'),
          ApplyTaxAfterDiscount,
          Line: lines,
          TxnTaxDetail: { TxnTaxCodeRef: ref('5') },
        };
        computeDocument('SalesReceipt', rec, c, { ...rec });
        const base = nets.filter((_, i) => i % 3).reduce((a, b) => a + b, 0);
        for (const line of rec.TxnTaxDetail.TaxLine ?? [])
          expect(cents(line.TaxLineDetail.NetAmountTaxable)).toBe(base);
        expect(cents(rec.TotalAmt)).toBe(nets.reduce(plus, 0) + cents(rec.TxnTaxDetail.TotalTax));
      }),
      { numRuns: 150 },
    );
  });
});

/** Values no client should send. */
const junk = fc.oneof(
  fc.constantFrom(
    null,
    undefined,
    true,
    '',
    'x',
    '1e400',
    '-1e-400',
    '99999999999999999999',
    1e308,
    -1e308,
    1e-320,
    0.1,
    -7,
    [],
    {},
    [[]],
    '__proto__',
    NaN,
  ),
  fc.double(),
  fc.string({ maxLength: 12 }),
  fc.object({ maxDepth: 2, maxKeys: 3 }),
);
const orJunk = <T>(good: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: junk });
const anyRef = orJunk(fc.constantFrom('1', '2', '5', '8', '12', 'TAX', 'NON', 'SHIPPING_ITEM_ID', '404').map(ref));
const anyAmount = orJunk(
  fc.oneof(
    fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 100),
    fc.constantFrom(1e12, 9e15, 1e20),
  ),
);
const detail = orJunk(
  fc.record(
    {
      ItemRef: anyRef,
      AccountRef: anyRef,
      ItemAccountRef: anyRef,
      TaxCodeRef: anyRef,
      Qty: anyAmount,
      UnitPrice: anyAmount,
      TaxInclusiveAmt: anyAmount,
      DiscountPercent: anyAmount,
      PercentBased: orJunk(fc.boolean()),
      PostingType: orJunk(fc.constantFrom('Debit', 'Credit')),
      TaxAmount: anyAmount,
      Entity: anyRef,
      QtyDiff: anyAmount,
      Line: junk,
    },
    { requiredKeys: [] },
  ),
);
const kinds = [
  'SalesItemLineDetail',
  'DiscountLineDetail',
  'SubTotalLineDetail',
  'GroupLineDetail',
  'AccountBasedExpenseLineDetail',
  'ItemBasedExpenseLineDetail',
  'JournalEntryLineDetail',
  'DepositLineDetail',
  'ItemAdjustmentLineDetail',
];
const anyLine = fc
  .tuple(
    orJunk(fc.constantFrom(...kinds)),
    detail,
    anyAmount,
    orJunk(
      fc.array(
        fc.record({
          TxnId: orJunk(fc.constantFrom('9', '10')),
          TxnType: orJunk(fc.constantFrom('Invoice', 'CreditMemo', 'StatementCharge')),
        }),
      ),
    ),
  )
  .map(([DetailType, body, Amount, LinkedTxn]) => ({
    DetailType,
    Amount,
    LinkedTxn,
    ...(typeof DetailType === 'string' ? { [DetailType]: body } : {}),
  }));
const anyRecord = fc.record(
  {
    Line: orJunk(fc.array(orJunk(anyLine), { maxLength: 4 })),
    TotalAmt: anyAmount,
    Amount: anyAmount,
    Deposit: anyAmount,
    TxnDate: orJunk(fc.constantFrom('2026-01-01', '0000-00-00', '9999-99-99')),
    CustomerRef: anyRef,
    VendorRef: anyRef,
    AccountRef: anyRef,
    CurrencyRef: orJunk(fc.constantFrom(ref('USD'), ref('EUR'))),
    ExchangeRate: anyAmount,
    GlobalTaxCalculation: orJunk(basis),
    TxnTaxDetail: orJunk(
      fc.record({
        TxnTaxCodeRef: anyRef,
        TotalTax: anyAmount,
        TaxLine: orJunk(
          fc.array(orJunk(fc.record({ Amount: anyAmount, TaxLineDetail: orJunk(fc.record({ TaxRateRef: anyRef })) }))),
        ),
      }),
    ),
    PrivateNote: orJunk(fc.constant('Voided')),
    CashBack: orJunk(fc.record({ Amount: anyAmount, AccountRef: anyRef })),
    LinkedTxn: junk,
  },
  { requiredKeys: [] },
);

describe('bad input', () => {
  it('ends in a QBO fault or in balanced books, never in a crash or a half-made change', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...POSTING_TYPES, 'Estimate', 'PurchaseOrder'),
        anyRecord,
        fc.constantFrom('US', 'GB'),
        fc.boolean(),
        (type, raw, country, multi) => {
          const c = company(country, [20, 5]);
          c.multi = multi;
          const ledger = new Ledger(c);
          ledger.post(
            'Invoice',
            c.put('Invoice', {
              Id: '10',
              TxnDate: '2026-01-01',
              CustomerRef: ref('1'),
              TotalAmt: 5,
              Line: [{ Amount: 5, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: ref('1') } }],
            }),
          );
          const before = JSON.stringify(ledger.lines());
          const rec: Rec = { ...raw, Id: '9' };
          try {
            computeDocument(type, rec, c, { ...raw });
            ledger.post(type, rec);
          } catch (error) {
            if (!(error instanceof QboFault)) throw error;
            expect(JSON.stringify(ledger.lines())).toBe(before);
            return;
          }
          let sum = 0;
          for (const posting of ledger.postings()) for (const line of posting.lines) sum = plus(sum, line.home);
          expect(sum).toBe(0);
          ledger.remove(type, '9');
          expect(JSON.stringify(ledger.lines())).toBe(before);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('raw records are posted as they are, without a crash', () => {
    fc.assert(
      fc.property(fc.constantFrom(...POSTING_TYPES), anyRecord, (type, raw) => {
        const c = company('US', [8]);
        const ledger = new Ledger(c);
        try {
          ledger.post(type, { ...raw, Id: '9' });
        } catch (error) {
          if (!(error instanceof QboFault)) throw error;
        }
        let sum = 0;
        for (const posting of ledger.postings()) for (const line of posting.lines) sum = plus(sum, line.home);
        expect(sum).toBe(0);
      }),
      // JSON may hold an object that String() throws at.
      { numRuns: 1500, examples: [['Invoice', { TxnDate: { toString: {} } } as never]] },
    );
  });
});
