// Posting rules one by one, with made-up records: what each form puts on which account, what it leaves open, and what a
// write tells the engine.
import type { Rec } from '../types.js';
import { centsText, cents } from '../money/index.js';
import { selfcheckLedger } from '../reports/selfcheck.js';
import { RecordedCompany } from './recorded-company.js';
import { Ledger } from './index.js';

const ref = (value: string): Rec => ({ value });

function setup(): {
  c: RecordedCompany;
  ledger: Ledger;
  post: (type: string, rec: Rec) => ReturnType<Ledger['post']>;
  of: (type: string, id: string) => string[];
} {
  const c = new RecordedCompany();
  const account = (Id: string, Name: string, AccountType: string, AccountSubType: string): void =>
    void c.put('Account', { Id, Name, FullyQualifiedName: Name, AccountType, AccountSubType, Active: true });
  account('1', 'Checking', 'Bank', 'Checking');
  account('2', 'Retained Earnings', 'Equity', 'RetainedEarnings');
  account('3', 'Undeposited Funds', 'Other Current Asset', 'UndepositedFunds');
  account('4', 'Opening Balance Equity', 'Equity', 'OpeningBalanceEquity');
  account('5', 'A/R', 'Accounts Receivable', 'AccountsReceivable');
  account('6', 'A/P', 'Accounts Payable', 'AccountsPayable');
  account('7', 'Card', 'Credit Card', 'CreditCard');
  account('8', 'Sales', 'Income', 'SalesOfProductIncome');
  account('9', 'Costs', 'Expense', 'OtherMiscellaneousServiceCost');
  account('10', 'COGS', 'Cost of Goods Sold', 'SuppliesMaterialsCogs');
  account('11', 'Inventory', 'Other Current Asset', 'Inventory');
  account('12', 'Shipping Income', 'Income', 'ServiceFeeIncome');
  c.prefs.SalesFormsPrefs = { DefaultShippingAccount: '12' };
  c.put('Customer', { Id: '1', DisplayName: 'Parent' });
  c.put('Customer', { Id: '2', DisplayName: 'Child', ParentRef: ref('1') });
  c.put('Customer', { Id: '3', DisplayName: 'Other' });
  c.put('Vendor', { Id: '1', DisplayName: 'Vendor' });
  c.put('Item', { Id: '1', Name: 'Service', Type: 'Service', IncomeAccountRef: ref('8'), ExpenseAccountRef: ref('9') });
  c.put('Item', {
    Id: '2',
    Name: 'Widget',
    Type: 'Inventory',
    PurchaseCost: 4,
    InvStartDate: '2026-01-01',
    IncomeAccountRef: ref('8'),
    ExpenseAccountRef: ref('10'),
    AssetAccountRef: ref('11'),
  });
  const ledger = new Ledger(c);
  return {
    c,
    ledger,
    post: (type, rec) => ledger.post(type, c.put(type, rec)),
    of: (type, id) =>
      ledger
        .lines({ type, id })
        .map((l) => `${c.get('Account', l.accountId)?.Name} ${centsText(cents(l.debit) - cents(l.credit))}`),
  };
}

const sale = (amount: number, item = '1', more: Rec = {}): Rec => ({
  Amount: amount,
  DetailType: 'SalesItemLineDetail',
  SalesItemLineDetail: { ItemRef: ref(item), ...more },
});
const bought = (amount: number, quantity: number): Rec => ({
  Amount: amount,
  DetailType: 'ItemBasedExpenseLineDetail',
  ItemBasedExpenseLineDetail: { ItemRef: ref('2'), Qty: quantity },
});
const invoice = (Id: string, total: number, lines: Rec[], more: Rec = {}): Rec => ({
  Id,
  TxnDate: '2026-03-01',
  CustomerRef: ref('1'),
  TotalAmt: total,
  Line: lines,
  ...more,
});
const paid = (Id: string, total: number, links: [string, string, number][], more: Rec = {}): Rec => ({
  Id,
  TxnDate: '2026-03-02',
  CustomerRef: ref('1'),
  TotalAmt: total,
  Line: links.map(([TxnType, TxnId, Amount]) => ({ Amount, LinkedTxn: [{ TxnId, TxnType }] })),
  ...more,
});

describe('sales forms', () => {
  it('an invoice with a deposit debits A/R only for the rest', () => {
    const { post, of, ledger } = setup();
    post('Invoice', invoice('10', 100, [sale(100)], { Deposit: 30, DepositToAccountRef: ref('1') }));
    expect(of('Invoice', '10')).toEqual(['A/R 70.00', 'Checking 30.00', 'Sales -100.00']);
    expect(ledger.openBalance('Invoice', '10')).toBe('70.00');
  });

  it('shipping goes to its own account, a bundle posts its parts, documentation nothing', () => {
    const { post, of } = setup();
    const bundle = { DetailType: 'GroupLineDetail', GroupLineDetail: { Line: [sale(10), sale(20)] } };
    const text = { Amount: 99, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: {} };
    post(
      'SalesReceipt',
      invoice('10', 35, [bundle, sale(5, 'SHIPPING_ITEM_ID'), text, { DetailType: 'DescriptionOnly' }]),
    );
    expect(of('SalesReceipt', '10')).toEqual([
      'Undeposited Funds 35.00',
      'Sales -10.00',
      'Sales -20.00',
      'Shipping Income -5.00',
    ]);
  });

  it('a hidden line of a delayed charge posts to the account of the charge', () => {
    const { post, of, ledger } = setup();
    ledger.postSystem({
      type: 'StatementCharge',
      id: '9',
      date: '2026-02-01',
      charge: { accountId: '12', amount: 75 },
    });
    post(
      'Invoice',
      invoice('10', 75, [{ Amount: 75, DetailType: 'SubTotalLineDetail' }], {
        LinkedTxn: [{ TxnId: '9', TxnType: 'StatementCharge' }],
      }),
    );
    expect(of('Invoice', '10')).toEqual(['A/R 75.00', 'Shipping Income -75.00']);
    expect(of('StatementCharge', '9')).toEqual([]);
  });

  it('a void keeps nothing, at its own date too', () => {
    const { c, post, of, ledger } = setup();
    post('Invoice', invoice('10', 100, [sale(100)]));
    post('Invoice', invoice('10', 0, [sale(0)], { PrivateNote: 'Voided' }));
    expect(of('Invoice', '10')).toEqual([]);
    expect(ledger.trialBalance()).toEqual([]);
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });

  it('class, department, name and memo stand on the lines', () => {
    const { post, ledger } = setup();
    post('Invoice', {
      ...invoice('10', 100, [sale(100, '1', { ClassRef: ref('k1') })], {
        ClassRef: ref('k0'),
        DepartmentRef: ref('d1'),
        PrivateNote: 'note',
        DocNumber: '1001',
      }),
    });
    const [source, detail] = ledger.lines();
    expect(source).toMatchObject({
      classId: 'k0',
      departmentId: 'd1',
      memo: 'note',
      docNumber: '1001',
      name: { type: 'Customer', id: '1' },
    });
    expect(detail).toMatchObject({ classId: 'k1', departmentId: 'd1', memo: 'note' });
  });
});

describe('payments and open balances', () => {
  it('the whole payment credits A/R, links only move open balances', () => {
    const { c, post, ledger } = setup();
    post('Invoice', invoice('10', 100, [sale(100)]));
    post('CreditMemo', invoice('11', 30, [sale(30)]));
    post(
      'Payment',
      paid('12', 90, [
        ['Invoice', '10', 100],
        ['CreditMemo', '11', 30],
      ]),
    );
    expect(ledger.openBalance('Invoice', '10')).toBe('0.00');
    expect(ledger.openBalance('CreditMemo', '11')).toBe('0.00');
    expect(ledger.openBalance('Payment', '12')).toBe('20.00');
    expect(ledger.customerBalance('1')).toBe('-20.00');
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });

  it('paying a deleted or voided invoice leaves the money unapplied', () => {
    const { c, post, ledger } = setup();
    post('Invoice', invoice('10', 100, [sale(100)]));
    post('Payment', paid('12', 100, [['Invoice', '10', 100]]));
    c.drop('Invoice', '10');
    const effects = ledger.remove('Invoice', '10');
    expect(effects.documents).toEqual([
      { type: 'Invoice', id: '10' },
      { type: 'Payment', id: '12' },
    ]);
    expect(ledger.openBalance('Payment', '12')).toBe('100.00');
    expect(ledger.customerBalance('1')).toBe('-100.00');
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });

  it('a bank deposit empties the account that held the money, whichever was saved first', () => {
    const { c, post, of, ledger } = setup();
    const deposit = {
      Id: '20',
      TxnDate: '2026-03-05',
      DepositToAccountRef: ref('1'),
      TotalAmt: 90,
      CashBack: { AccountRef: ref('9'), Amount: 5 },
      Line: [
        { Amount: 100, LinkedTxn: [{ TxnId: '12', TxnType: 'Payment', TxnLineId: '0' }] },
        { Amount: -5, DetailType: 'DepositLineDetail', DepositLineDetail: { AccountRef: ref('9') } },
      ],
    };
    post('Deposit', deposit);
    post('Payment', paid('12', 100, []));
    expect(of('Deposit', '20')).toEqual(['Checking 90.00', 'Costs 5.00', 'Undeposited Funds -100.00', 'Costs 5.00']);
    expect(ledger.lines({ type: 'Deposit', id: '20' })[2].name).toEqual({ type: 'Customer', id: '1' });
    expect(ledger.accountBalance('3')).toBe('0.00');
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });

  it('a journal line on A/R is a charge or a credit by its sign, and can be paid', () => {
    const { c, post, ledger } = setup();
    const entry = (Id: string, side: string, other: string): Rec => ({
      Id,
      TxnDate: '2026-03-01',
      Line: [
        {
          Amount: 50,
          JournalEntryLineDetail: {
            PostingType: side,
            AccountRef: ref('5'),
            Entity: { Type: 'Customer', EntityRef: ref('1') },
          },
        },
        { Amount: 50, JournalEntryLineDetail: { PostingType: other, AccountRef: ref('8') } },
      ],
    });
    post('JournalEntry', entry('30', 'Debit', 'Credit'));
    post('JournalEntry', entry('31', 'Credit', 'Debit'));
    post(
      'Payment',
      paid('32', 0, [
        ['JournalEntry', '30', 50],
        ['JournalEntry', '31', 50],
      ]),
    );
    expect([ledger.openBalance('JournalEntry', '30'), ledger.openBalance('JournalEntry', '31')]).toEqual([
      '0.00',
      '0.00',
    ]);
    expect(ledger.openBalance('Payment', '32')).toBe('0.00');
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });

  it('a default account that was merged away or made inactive is looked for again', () => {
    const { c, post, of } = setup();
    post('SalesReceipt', invoice('10', 5, [sale(5)]));
    c.drop('Account', '3');
    c.put('Account', {
      Id: '33',
      Name: 'Undeposited',
      AccountType: 'Other Current Asset',
      AccountSubType: 'UndepositedFunds',
      Active: true,
    });
    post('SalesReceipt', invoice('11', 5, [sale(5)]));
    expect(of('SalesReceipt', '11')[0]).toBe('Undeposited 5.00');
  });

  it('an account that becomes a P&L account shows 0 from then on', () => {
    const { c, post, ledger } = setup();
    post('SalesReceipt', invoice('10', 5, [sale(5)], { DepositToAccountRef: ref('11') }));
    expect(ledger.accountBalance('11')).toBe('5.00');
    c.put('Account', {
      ...c.get('Account', '11'),
      AccountType: 'Expense',
      AccountSubType: 'OtherMiscellaneousServiceCost',
    });
    expect(ledger.accountBalance('11')).toBe('0.00');
  });

  it('balances with jobs follow a customer that moves to another parent', () => {
    const { c, post, ledger } = setup();
    post('Invoice', invoice('10', 100, [sale(100)], { CustomerRef: ref('2') }));
    expect([ledger.customerBalance('1'), ledger.customerBalanceWithJobs('1')]).toEqual(['0.00', '100.00']);
    c.put('Customer', { Id: '2', DisplayName: 'Child', ParentRef: ref('3') });
    ledger.listChanged('Customer', '2');
    expect([ledger.customerBalanceWithJobs('1'), ledger.customerBalanceWithJobs('3')]).toEqual(['0.00', '100.00']);
  });
});

describe('what a write tells the engine', () => {
  it('names accounts whose shown balance moved, never P&L or Retained Earnings, and ancestors', () => {
    const { post } = setup();
    const effects = post('Invoice', invoice('10', 100, [sale(100)], { CustomerRef: ref('2') }));
    expect(effects).toMatchObject({
      accounts: ['5'],
      customers: ['2'],
      parentCustomers: ['1'],
      vendors: [],
      items: [],
    });
  });

  it('is silent about an edit that leaves the balances as they are', () => {
    const { post } = setup();
    post('Invoice', invoice('10', 100, [sale(100)]));
    const effects = post('Invoice', invoice('10', 100, [sale(60), sale(40)], { TxnDate: '2026-01-01' }));
    expect([effects.accounts, effects.customers]).toEqual([[], []]);
  });

  it('a write too large for exact books is refused and changes nothing', () => {
    const { c, post, ledger } = setup();
    post('Invoice', invoice('10', 9e12, [sale(9e12)]));
    const before = JSON.stringify(ledger.lines());
    for (let i = 0; i < 5; i++) {
      expect(() => ledger.post('Invoice', invoice('11', 9e13, [sale(9e13)]))).toThrow(
        expect.objectContaining({ code: '6000' }),
      );
      expect(() => ledger.post('Invoice', invoice('10', 8e13, [sale(8e13)]))).toThrow(
        expect.objectContaining({ code: '6000' }),
      );
    }
    expect(JSON.stringify(ledger.lines())).toBe(before);
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });
});

describe('stock', () => {
  const bill = (Id: string, TxnDate: string, amount: number, quantity: number): Rec => ({
    Id,
    TxnDate,
    VendorRef: ref('1'),
    TotalAmt: amount,
    Line: [bought(amount, quantity)],
  });
  const sold = (Id: string, TxnDate: string, quantity: number): Rec =>
    invoice(Id, 0, [sale(0, '2', { Qty: quantity })], { TxnDate });

  it('is costed first in, first out, exactly', () => {
    const { c, post, of, ledger } = setup();
    post('Bill', bill('10', '2026-01-02', 10, 3)); // 3.33 each, and a cent
    post('Bill', bill('11', '2026-01-03', 20, 2));
    post('Invoice', sold('12', '2026-01-04', 2));
    post('Invoice', sold('13', '2026-01-05', 2));
    expect(of('Invoice', '12')).toEqual(['COGS 6.67', 'Inventory -6.67']);
    expect(of('Invoice', '13')).toEqual(['COGS 13.33', 'Inventory -13.33']);
    expect([ledger.itemQuantity('2'), ledger.itemValue('2')]).toEqual(['1', '10.00']);
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });

  it('a back-dated purchase, an edit or a delete re-costs later sales at their own dates', () => {
    const { post, of, ledger } = setup();
    post('Bill', bill('10', '2026-01-02', 10, 1));
    post('Invoice', sold('12', '2026-01-05', 1));
    expect(of('Invoice', '12')).toEqual(['COGS 10.00', 'Inventory -10.00']);
    post('Bill', bill('11', '2026-01-01', 3, 1));
    expect(of('Invoice', '12')).toEqual(['COGS 3.00', 'Inventory -3.00']);
    ledger.remove('Bill', '11');
    expect(of('Invoice', '12')).toEqual(['COGS 10.00', 'Inventory -10.00']);
  });

  it('may go negative: last known cost for now, the real one when the bill arrives', () => {
    const { post, of, ledger } = setup();
    post('Invoice', sold('12', '2026-01-05', 4));
    expect(ledger.itemQuantity('2')).toBe('-4');
    expect(of('Invoice', '12')).toEqual([]);
    post('Bill', bill('10', '2026-01-06', 10, 2));
    expect(of('Invoice', '12')).toEqual(['COGS 20.00', 'Inventory -20.00'].map((l) => l.replace('20.00', '10.00')));
    post('Bill', bill('11', '2026-01-07', 30, 3));
    expect(of('Invoice', '12')).toEqual(['COGS 30.00', 'Inventory -30.00']);
    expect([ledger.itemQuantity('2'), ledger.itemValue('2')]).toEqual(['1', '10.00']);
  });

  it('returns come back at the newest consumed cost, adjustments at the item cost, vendor credits at their amount', () => {
    const { c, post, of, ledger } = setup();
    post('Bill', bill('10', '2026-01-02', 10, 2));
    post('Invoice', sold('12', '2026-01-05', 1));
    post('CreditMemo', { ...sold('13', '2026-01-06', 1) });
    expect(of('CreditMemo', '13')).toEqual(['COGS -5.00', 'Inventory 5.00']);
    const adjust = (Id: string, QtyDiff: number): Rec => ({
      Id,
      TxnDate: '2026-01-07',
      AdjustAccountRef: ref('9'),
      Line: [{ DetailType: 'ItemAdjustmentLineDetail', ItemAdjustmentLineDetail: { ItemRef: ref('2'), QtyDiff } }],
    });
    post('InventoryAdjustment', adjust('14', 2));
    expect(of('InventoryAdjustment', '14')).toEqual(['Costs -8.00', 'Inventory 8.00']);
    post('InventoryAdjustment', adjust('15', -1));
    expect(of('InventoryAdjustment', '15')).toEqual(['Costs 5.00', 'Inventory -5.00']);
    post('VendorCredit', { ...bill('16', '2026-01-08', 6, 1) });
    expect(of('VendorCredit', '16')).toEqual(['A/P 6.00', 'Inventory -6.00', 'COGS -1.00', 'Inventory 1.00']);
    expect([ledger.itemQuantity('2'), ledger.itemValue('2')]).toEqual(['2', '8.00']);
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });

  it('nothing moves before the start date, and the cost then is an expense', () => {
    const { post, of, ledger } = setup();
    post('Bill', bill('10', '2025-12-31', 10, 2));
    post('Invoice', sold('12', '2025-12-31', 1));
    expect(of('Bill', '10')).toEqual(['A/P -10.00', 'COGS 10.00']);
    expect([of('Invoice', '12'), ledger.itemQuantity('2')]).toEqual([[], '0']);
  });

  it('starting quantities stand against Opening Balance Equity', () => {
    const { post, of, ledger } = setup();
    ledger.postSystem({
      type: 'InventoryStartingValue',
      id: '9',
      date: '2026-01-01',
      docNumber: 'START',
      start: { itemId: '2', quantity: 3, value: 9 },
    });
    expect(of('InventoryStartingValue', '9')).toEqual(['Inventory 9.00', 'Opening Balance Equity -9.00']);
    post('Invoice', sold('12', '2026-01-01', 1));
    expect(of('Invoice', '12')).toEqual(['COGS 3.00', 'Inventory -3.00']);
    ledger.removeSystem('InventoryStartingValue', '9');
    expect(ledger.systemTransactions()).toEqual([]);
    expect(ledger.itemQuantity('2')).toBe('-1');
  });

  it('a starting quantity is the first movement of its day, whatever its id: no document names an item before it is made', () => {
    const movements = (ledger: Ledger, post: (type: string, rec: Rec) => unknown): (() => void)[] => [
      () => void post('CreditMemo', sold('10', '2026-01-01', 2)),
      () => void post('Bill', bill('11', '2026-01-01', 25, 5)),
      () => void post('Invoice', sold('12', '2026-01-01', 4)),
      () =>
        ledger.postSystem({
          type: 'InventoryStartingValue',
          id: 'start-2',
          date: '2026-01-01',
          docNumber: 'START',
          start: { itemId: '2', quantity: 3, value: 9 },
        }),
    ];
    // In which order they are told does not matter.
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
    ]) {
      const { c, ledger, post, of } = setup();
      for (const step of order) movements(ledger, post)[step]!();
      expect(of('CreditMemo', '10')).toEqual(['COGS -6.00', 'Inventory 6.00']);
      expect(of('Invoice', '12')).toEqual(['COGS 12.00', 'Inventory -12.00']);
      expect([ledger.itemQuantity('2'), ledger.itemValue('2')]).toEqual(['6', '28.00']);
      expect(selfcheckLedger(c, ledger)).toEqual([]);
    }
  });

  it('a starting quantity below zero comes before the sales of its day', () => {
    const { ledger, post, of } = setup();
    post('Bill', bill('11', '2026-01-01', 5, 1));
    post('Bill', bill('13', '2026-01-01', 7, 1));
    post('Invoice', sold('12', '2026-01-01', 1));
    ledger.postSystem({
      type: 'InventoryStartingValue',
      id: 'start-2',
      date: '2026-01-01',
      docNumber: 'START',
      start: { itemId: '2', quantity: -1, value: 0 },
    });
    expect(of('Invoice', '12')).toEqual(['COGS 7.00', 'Inventory -7.00']);
  });

  it('a merged item takes its starting quantity along', () => {
    const { c, post, ledger } = setup();
    c.put('Item', { ...c.get('Item', '2'), Id: '3', Name: 'Gadget' });
    ledger.postSystem({
      type: 'InventoryStartingValue',
      id: '9',
      date: '2026-01-01',
      start: { itemId: '3', quantity: 3, value: 9 },
    });
    post('Invoice', sold('12', '2026-01-02', 1));
    c.drop('Item', '3');
    expect(ledger.mergeInto('Item', '3', '2')).toHaveLength(1);
    expect(ledger.mergeInto('Item', '3', '2')).toEqual([]);
    expect([ledger.itemQuantity('2'), ledger.itemValue('2'), ledger.itemQuantity('3')]).toEqual(['2', '6.00', '0']);
    expect(selfcheckLedger(c, ledger)).toEqual([]);
  });

  it('with delayed costing the quantity moves at once and the cost when it is settled', () => {
    const { c, post, of, ledger } = setup();
    c.switches = { costing: 'delayed' };
    post('Bill', bill('10', '2026-01-02', 10, 2));
    post('Invoice', sold('12', '2026-01-05', 1));
    expect([ledger.itemQuantity('2'), of('Invoice', '12')]).toEqual(['1', []]);
    expect(ledger.settleCosts()).toBe(true);
    expect(of('Invoice', '12')).toEqual(['COGS 5.00', 'Inventory -5.00']);
    expect(ledger.settleCosts()).toBe(false);
  });
});
