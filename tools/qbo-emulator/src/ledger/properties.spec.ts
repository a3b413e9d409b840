// What must hold for every history: random companies, random documents of every type, random edits, voids and deletes,
// in one currency and in several. The identities themselves live in `selfcheckLedger`.
import fc from 'fast-check';
import type { Rec } from '../types.js';
import { centsNumber } from '../money/index.js';
import { selfcheckLedger } from '../reports/selfcheck.js';
import { computeDocument } from '../tax/index.js';
import { RecordedCompany } from './recorded-company.js';
import { Ledger, POSTING_TYPES } from './index.js';

const ref = (value: string): Rec => ({ value });

function emptyCompany(multi: boolean): RecordedCompany {
  const c = new RecordedCompany();
  c.multi = multi;
  const account = (Id: string, Name: string, AccountType: string, AccountSubType: string, currency = 'USD'): void =>
    void c.put('Account', {
      Id,
      Name,
      FullyQualifiedName: Name,
      AccountType,
      AccountSubType,
      Active: true,
      CurrencyRef: ref(currency),
    });
  account('1', 'Checking', 'Bank', 'Checking');
  account('2', 'Retained Earnings', 'Equity', 'RetainedEarnings');
  account('3', 'Undeposited Funds', 'Other Current Asset', 'UndepositedFunds');
  account('4', 'Opening Balance Equity', 'Equity', 'OpeningBalanceEquity');
  account('5', 'A/R', 'Accounts Receivable', 'AccountsReceivable');
  account('6', 'A/P', 'Accounts Payable', 'AccountsPayable');
  account('7', 'Card', 'Credit Card', 'CreditCard');
  account('8', 'Income', 'Income', 'SalesOfProductIncome');
  account('9', 'Costs', 'Expense', 'OtherMiscellaneousServiceCost');
  account('10', 'COGS', 'Cost of Goods Sold', 'SuppliesMaterialsCogs');
  account('11', 'Inventory Asset', 'Other Current Asset', 'Inventory');
  account('12', 'Discounts', 'Income', 'DiscountsRefundsGiven');
  account('13', 'EUR bank', 'Bank', 'Checking', 'EUR');
  account('14', 'Under costs', 'Expense', 'OtherMiscellaneousServiceCost');
  c.get('Account', '14')!.ParentRef = ref('9');
  c.put('TaxAgency', { Id: '1', DisplayName: 'Revenue' });
  c.put('TaxRate', { Id: '1', RateValue: 8.25, AgencyRef: ref('1') });
  c.put('TaxCode', { Id: '2', SalesTaxRateList: { TaxRateDetail: [{ TaxRateRef: ref('1'), TaxOrder: 0 }] } });
  for (const id of ['1', '2', '3', '4']) {
    const parent = id === '2' || id === '3' ? { ParentRef: ref(String(Number(id) - 1)), Job: true } : {};
    c.put('Customer', {
      Id: id,
      DisplayName: `Customer ${id}`,
      CurrencyRef: ref(multi && id === '4' ? 'EUR' : 'USD'),
      ...parent,
    });
    c.put('Vendor', { Id: id, DisplayName: `Vendor ${id}`, CurrencyRef: ref(multi && id === '4' ? 'EUR' : 'USD') });
  }
  const stock = {
    IncomeAccountRef: ref('8'),
    ExpenseAccountRef: ref('10'),
    AssetAccountRef: ref('11'),
    InvStartDate: '2025-02-01',
  };
  c.put('Item', { Id: '1', Name: 'Service', Type: 'Service', IncomeAccountRef: ref('8'), ExpenseAccountRef: ref('9') });
  c.put('Item', { Id: '2', Name: 'Widget', Type: 'Inventory', PurchaseCost: 3.33, ...stock });
  c.put('Item', { Id: '3', Name: 'Gadget', Type: 'Inventory', PurchaseCost: 0.07, ...stock });
  return c;
}

/** One random number stream decides a document; the history is a list of such decisions. */
interface Step {
  act: 'new' | 'edit' | 'void' | 'delete';
  type: string;
  seeds: number[];
}

const amountOf = (seed: number): number => centsNumber((seed % 99_999) + 1);
const dateOf = (seed: number): string => new Date(Date.UTC(2025, 0, 1 + (seed % 700))).toISOString().slice(0, 10);

class History {
  readonly ledger: Ledger;
  nextId = 100;

  constructor(readonly company: RecordedCompany) {
    this.ledger = new Ledger(company);
  }

  run(step: Step): void {
    const { seeds } = step;
    const existing = [...this.company.all(step.type)];
    const target = existing[seeds[0] % Math.max(1, existing.length)];
    if (step.act === 'new' || !target) {
      this.save(step.type, { ...this.document(step.type, seeds), Id: String(this.nextId++) });
      return;
    }
    const linked = this.ledger.payersOf(step.type, target.Id).length > 0;
    if (step.act === 'delete') {
      // Payments of a deleted document stay and become unapplied.
      if (this.isDeposited(step.type, target.Id)) return;
      this.company.drop(step.type, target.Id);
      this.ledger.remove(step.type, target.Id);
    } else if (step.act === 'void') {
      if (linked || this.isDeposited(step.type, target.Id)) return;
      const lines = step.type === 'JournalEntry' || step.type === 'InventoryAdjustment' ? [] : target.Line;
      const rec = {
        ...target,
        PrivateNote: 'Voided',
        TotalAmt: 0,
        Amount: 0,
        Line: zeroed(lines),
        TxnTaxDetail: {},
        Deposit: 0,
        CashBack: undefined,
      };
      this.company.put(step.type, rec);
      this.ledger.post(step.type, rec);
    } else if (!linked) this.save(step.type, { ...this.document(step.type, seeds), Id: target.Id });
    else {
      // What is linked keeps amount and name; its date and, abroad, its rate may change.
      const rec: Rec = { ...target, TxnDate: dateOf(seeds[5]) };
      if (rec.CurrencyRef?.value === 'EUR') rec.ExchangeRate = rateOf(seeds[6]);
      this.save(step.type, rec);
    }
  }

  save(type: string, rec: Rec): void {
    computeDocument(type, rec, this.company, rec);
    this.company.put(type, rec);
    this.ledger.post(type, rec);
  }

  private isDeposited(type: string, id: string): boolean {
    return [...this.company.all('Deposit')].some((d) =>
      (d.Line ?? []).some((l: Rec) => l.LinkedTxn?.some((x: Rec) => x.TxnType === type && x.TxnId === id)),
    );
  }

  private document(type: string, s: number[]): Rec {
    const abroad = this.company.multi && s[1] % 4 === 3;
    const party = abroad ? '4' : String((s[1] % 3) + 1);
    const head: Rec = {
      TxnDate: dateOf(s[2]),
      DueDate: dateOf(s[2] + 30),
      CustomerRef: ref(party),
      VendorRef: ref(party),
      ClassRef: ref('c1'),
      CurrencyRef: ref(abroad ? 'EUR' : 'USD'),
      ...(abroad ? { ExchangeRate: rateOf(s[6]) } : {}),
    };
    const bank = abroad ? '13' : '1';
    const quantity = (s[3] % 7) + 1;
    const sales = (): Rec[] =>
      [0, 1].map((i) => ({
        DetailType: 'SalesItemLineDetail',
        Amount: amountOf(s[3 + i]),
        SalesItemLineDetail: {
          ItemRef: ref(String((s[4 + i] % 3) + 1)),
          Qty: s[4 + i] % 3 === 0 ? undefined : quantity,
          TaxCodeRef: ref(s[5] % 2 ? 'TAX' : 'NON'),
        },
      }));
    const salesForm = (): Rec => ({
      ...head,
      Line: [
        ...sales(),
        ...(s[7] % 3 === 0
          ? [{ DetailType: 'DiscountLineDetail', DiscountLineDetail: { PercentBased: true, DiscountPercent: 7.5 } }]
          : []),
      ],
      TxnTaxDetail: s[7] % 2 ? { TxnTaxCodeRef: ref('2') } : {},
    });
    const purchases = (): Rec[] => [
      {
        DetailType: 'AccountBasedExpenseLineDetail',
        Amount: amountOf(s[3]),
        AccountBasedExpenseLineDetail: { AccountRef: ref(s[3] % 2 ? '9' : '14') },
      },
      {
        DetailType: 'ItemBasedExpenseLineDetail',
        Amount: amountOf(s[4]),
        ItemBasedExpenseLineDetail: { ItemRef: ref(String((s[5] % 3) + 1)), Qty: quantity },
      },
    ];
    switch (type) {
      case 'Invoice':
        return { ...salesForm(), ...(s[0] % 5 === 0 && !abroad ? { Deposit: 1, DepositToAccountRef: ref('3') } : {}) };
      case 'SalesReceipt':
      case 'RefundReceipt':
        return { ...salesForm(), DepositToAccountRef: ref(abroad ? '13' : '3') };
      case 'CreditMemo':
        return salesForm();
      case 'Bill':
      case 'VendorCredit':
        return { ...head, Line: purchases() };
      case 'Purchase':
        return {
          ...head,
          AccountRef: ref(bank),
          PaymentType: 'CreditCard',
          Credit: s[7] % 3 === 0,
          EntityRef: { ...ref(party), type: 'Vendor' },
          Line: purchases(),
        };
      case 'Payment':
        return this.payment(
          head,
          ['Invoice', 'CreditMemo'],
          'CustomerRef',
          { DepositToAccountRef: ref(abroad ? '13' : '3') },
          s,
        );
      case 'BillPayment':
        return this.payment(
          head,
          ['Bill', 'VendorCredit'],
          'VendorRef',
          { PayType: 'Check', CheckPayment: { BankAccountRef: ref(bank) } },
          s,
        );
      case 'CreditCardPayment':
        return {
          TxnDate: dateOf(s[2]),
          Amount: amountOf(s[3]),
          BankAccountRef: ref('1'),
          CreditCardAccountRef: ref('7'),
        };
      case 'Transfer':
        return abroad
          ? { ...head, Amount: amountOf(s[3]), FromAccountRef: ref('13'), ToAccountRef: ref('1') }
          : { TxnDate: dateOf(s[2]), Amount: amountOf(s[3]), FromAccountRef: ref('1'), ToAccountRef: ref('3') };
      case 'Deposit':
        return this.deposit(s);
      case 'JournalEntry': {
        const line = (PostingType: string, Amount: number, account: string, Entity?: Rec): Rec => ({
          DetailType: 'JournalEntryLineDetail',
          Amount,
          JournalEntryLineDetail: { PostingType, AccountRef: ref(account), ...(Entity ? { Entity } : {}) },
        });
        const customer = { Type: 'Customer', EntityRef: ref(String((s[1] % 3) + 1)) };
        const amount = amountOf(s[3]);
        return {
          TxnDate: dateOf(s[2]),
          Line:
            s[7] % 2
              ? [line('Debit', amount, '5', customer), line('Credit', amount, '8')]
              : [line('Debit', amount, '2'), line('Credit', amount, '1')],
        };
      }
      default:
        return {
          TxnDate: dateOf(s[2]),
          AdjustAccountRef: ref('10'),
          Line: [
            {
              DetailType: 'ItemAdjustmentLineDetail',
              ItemAdjustmentLineDetail: { ItemRef: ref(String((s[5] % 2) + 2)), QtyDiff: (s[3] % 9) - 4 },
            },
          ],
        };
    }
  }

  /** Pays or uses up to three open documents of one name, in part or in full, with something left over now and then. */
  private payment(head: Rec, types: string[], field: string, more: Rec, s: number[]): Rec {
    const lines: Rec[] = [];
    let total = 0;
    types.forEach((type, side) => {
      const open = [...this.company.all(type)].filter(
        (rec) => rec[field]?.value === head[field].value && Number(this.ledger.openBalance(type, rec.Id)) > 0,
      );
      for (const rec of open.slice(s[3] % 3, (s[3] % 3) + 1 + (s[4] % 2))) {
        const left = Math.round(Number(this.ledger.openBalance(type, rec.Id)) * 100);
        const part = s[5] % 3 === 0 ? left : 1 + (s[6] % left);
        total += side === 0 ? part : -part;
        lines.push({ Amount: centsNumber(part), LinkedTxn: [{ TxnId: rec.Id, TxnType: type }] });
      }
    });
    // Credits beyond the charges cannot be paid out: leave them unused.
    if (total < 0) return { ...head, ...more, TotalAmt: amountOf(s[3]), Line: [] };
    const extra = s[7] % 4 === 0 ? s[0] % 5000 : 0;
    return { ...head, ...more, TotalAmt: centsNumber(total + extra), Line: lines };
  }

  private deposit(s: number[]): Rec {
    const waiting = [...this.company.all('Payment')].filter(
      (rec) =>
        rec.DepositToAccountRef?.value === '3' && Number(rec.TotalAmt) > 0 && !this.isDeposited('Payment', rec.Id),
    );
    return {
      TxnDate: dateOf(s[2]),
      DepositToAccountRef: ref('1'),
      Line: [
        ...waiting
          .slice(0, s[3] % 3)
          .map((rec) => ({ Amount: rec.TotalAmt, LinkedTxn: [{ TxnId: rec.Id, TxnType: 'Payment', TxnLineId: '0' }] })),
        { Amount: amountOf(s[4]) + 10, DetailType: 'DepositLineDetail', DepositLineDetail: { AccountRef: ref('8') } },
      ],
      ...(s[5] % 3 === 0 ? { CashBack: { AccountRef: ref('4'), Amount: 3 } } : {}),
    };
  }
}

function zeroed(lines: Rec[] | undefined): Rec[] {
  return (lines ?? []).map((line) => {
    const copy = JSON.parse(JSON.stringify(line)) as Rec;
    copy.Amount = 0;
    delete copy.LinkedTxn;
    for (const detail of ['SalesItemLineDetail', 'ItemBasedExpenseLineDetail']) if (copy[detail]) copy[detail].Qty = 0;
    return copy;
  });
}

const rateOf = (seed: number): number => 0.5 + (seed % 12_345) / 10_000;

const steps = (size: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      act: fc.oneof(
        { weight: 5, arbitrary: fc.constant('new' as const) },
        { weight: 2, arbitrary: fc.constant('edit' as const) },
        { weight: 1, arbitrary: fc.constant('void' as const) },
        { weight: 1, arbitrary: fc.constant('delete' as const) },
      ),
      type: fc.constantFrom(...POSTING_TYPES),
      seeds: fc.array(fc.nat({ max: 1_000_000 }), { minLength: 8, maxLength: 8 }),
    }),
    { maxLength: size, size: 'max' },
  );

describe('every history', () => {
  it.each([
    ['one currency', false],
    ['several currencies', true],
  ])('keeps all identities of the books (%s)', (_name, multi) => {
    fc.assert(
      fc.property(steps(60), (history) => {
        const books = new History(emptyCompany(multi));
        for (const step of history) books.run(step);
        expect(selfcheckLedger(books.company, books.ledger)).toEqual([]);
      }),
      { numRuns: 70 },
    );
  });

  it('leaves nothing behind once everything is deleted', () => {
    fc.assert(
      fc.property(steps(40), fc.nat(), (history, turn) => {
        const books = new History(emptyCompany(true));
        for (const step of history) books.run(step);
        const all = POSTING_TYPES.flatMap((type) =>
          [...books.company.all(type)].map((rec) => [type, String(rec.Id)] as const),
        );
        for (let i = 0; i < all.length; i++) {
          const [type, id] = all[(i * 7919 + turn) % all.length];
          books.company.drop(type, id);
          books.ledger.remove(type, id);
        }
        for (const [type, id] of all) books.ledger.remove(type, id);
        expect(books.ledger.lines()).toEqual([]);
        expect(books.ledger.trialBalance()).toEqual([]);
        for (const id of ['1', '2', '3', '4']) {
          expect(books.ledger.customerBalanceWithJobs(id)).toBe('0.00');
          expect(books.ledger.vendorBalance(id)).toBe('0.00');
        }
        expect(books.ledger.stockItems()).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same books whatever the order of independent edits', () => {
    fc.assert(
      fc.property(steps(40), fc.infiniteStream(fc.nat()), (history, dice) => {
        const books = new History(emptyCompany(true));
        for (const step of history) books.run(step);
        const records = POSTING_TYPES.flatMap((type) => [...books.company.all(type)].map((rec) => ({ type, rec })));
        const shuffled = records.map((r) => ({ ...r, at: dice.next().value })).sort((a, b) => a.at - b.at);
        const other = new Ledger(books.company);
        for (const { type, rec } of shuffled) other.post(type, rec);
        const lines = (ledger: Ledger): string[] =>
          ledger
            .lines()
            .map((line) => JSON.stringify(line))
            .sort();
        expect(lines(other)).toEqual(lines(books.ledger));
      }),
      { numRuns: 40 },
    );
  });
});
