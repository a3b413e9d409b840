// What is done to each type, as data: bodies and small changes. Everything a type does not say is not possible for it, with
// the reason that `impossible.ts` gives.
import type { Raw } from '#testing';
import { ref, type Bench } from './bench.js';

/** One step of a story about one record; each step is carried before the next. Answers the record it is about. */
export type Step = (b: Bench, record: Raw) => Promise<Raw>;
export type Story = readonly Step[];

export interface Row {
  readonly make: (b: Bench) => Raw;
  readonly change?: Raw | ((b: Bench) => Raw);
  /** a field that `make` leaves out */
  readonly set?: (b: Bench) => Raw;
  /** a field that QuickBooks clears by an empty value */
  readonly clear?: string;
  readonly lines?: (b: Bench, amounts: readonly number[]) => Raw[];
  readonly reference?: (b: Bench) => Raw;
  readonly rename?: string;
  readonly ends: 'delete' | 'deactivate' | 'never';
  readonly voids?: true;
  /** voided in the product only: what the API shows of it afterwards */
  readonly zeroed?: (b: Bench) => Raw;
  readonly links?: Readonly<Record<string, Story>>;
  readonly unlinks?: Readonly<Record<string, Story>>;
  readonly own?: Readonly<Record<string, Story>>;
}

const note: Raw = { PrivateNote: 'changed note' };
const memo = () => ({ PrivateNote: 'first note' });

const make =
  (type: string, body: (b: Bench) => Raw | Promise<Raw>): Step =>
  async (b) =>
    b.save(type, await body(b));
const change =
  (type: string, patch: (b: Bench, record: Raw) => Raw): Step =>
  async (b, record) =>
    b.change(type, record.Id as string, patch(b, record));

const sales = (b: Bench, amounts: readonly number[]): Raw[] => amounts.map((amount) => b.saleLine(amount));
const expenses = (b: Bench, amounts: readonly number[]): Raw[] => amounts.map((amount) => b.expenseLine(amount));
const zeroSale = (b: Bench): Raw => ({
  PrivateNote: 'Voided',
  Line: [{ ...b.saleLine(0), Amount: 0, SalesItemLineDetail: { ItemRef: ref(b.service), Qty: 0, UnitPrice: 0 } }],
});

const salesForm: Row = {
  make: (b) => ({ ...b.sale(), ...memo() }),
  change: note,
  set: () => ({ CustomerMemo: { value: 'Thank you' } }),
  clear: 'PrivateNote',
  lines: sales,
  reference: (b) => ({ CustomerRef: ref(b.otherCustomer) }),
  ends: 'delete',
};
const purchaseForm: Row = {
  make: (b) => ({ ...b.purchase(), ...memo() }),
  change: note,
  set: (b) => ({ DepartmentRef: ref(b.parentDepartment) }),
  clear: 'PrivateNote',
  lines: expenses,
  reference: (b) => ({ VendorRef: ref(b.otherVendor) }),
  ends: 'delete',
};
const treeOf = (
  type: string,
  parent: 'parentAccount' | 'parentClass' | 'parentDepartment',
  flag: string,
  more: Raw = {},
): Row => ({
  make: (b) => ({ Name: b.name(type), ...more }),
  ...(type === 'Account' && { change: { Description: 'changed' }, clear: 'Description' }),
  set: (b) => ({ [flag]: true, ParentRef: ref(b[parent]) }),
  reference: (b) => ({ [flag]: true, ParentRef: ref(b[parent]) }),
  rename: 'Name',
  ends: 'deactivate',
});

const payInvoice =
  (amount: number) =>
  async (b: Bench): Promise<Raw> => {
    const invoice = await b.save('Invoice', b.sale(50));
    return {
      CustomerRef: ref(b.customer),
      TotalAmt: amount,
      Line: [{ Amount: amount, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
    };
  };
const applied = (b: Bench, invoice: Raw, other: Raw, type: string): Raw => ({
  CustomerRef: ref(b.customer),
  TotalAmt: 0,
  Line: [
    { Amount: 20, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] },
    { Amount: 20, LinkedTxn: [{ TxnId: other.Id, TxnType: type }] },
  ],
});
const payBill = async (b: Bench): Promise<Raw> => {
  const bill = await b.save('Bill', b.purchase(40));
  return {
    ...{ VendorRef: ref(b.vendor), PayType: 'Check', TotalAmt: 40, ...memo() },
    CheckPayment: { BankAccountRef: ref(b.bank) },
    Line: [{ Amount: 40, LinkedTxn: [{ TxnId: bill.Id, TxnType: 'Bill' }] }],
  };
};
const depositOf = (b: Bench, parts: readonly { type: string; rec: Raw; amount: number }[], lines: Raw[] = []): Raw => ({
  DepositToAccountRef: ref(b.bank),
  Line: [
    ...parts.map(({ type, rec, amount }) => ({
      Amount: amount,
      LinkedTxn: [{ TxnId: rec.Id, TxnType: type, TxnLineId: '0' }],
    })),
    ...lines,
  ],
});
const received = (b: Bench): Promise<Raw> =>
  b.save('Payment', { CustomerRef: ref(b.customer), TotalAmt: 30, DepositToAccountRef: ref(b.undeposited) });
const receipt = (b: Bench): Promise<Raw> =>
  b.save('SalesReceipt', { ...b.sale(25), DepositToAccountRef: ref(b.undeposited) });

/** A journal entry of one account against another, each side with the name that account asks for. */
const entryOf = (
  b: Bench,
  debit: Raw,
  credit: Raw,
  amount: number,
  party?: { type: string; rec: Raw },
): Promise<Raw> => {
  const side = (PostingType: string, account: Raw): Raw => ({
    ...{ DetailType: 'JournalEntryLineDetail', Amount: amount },
    JournalEntryLineDetail: {
      ...{ PostingType, AccountRef: ref(account) },
      ...(party &&
        /Receivable|Payable/.test(String(account.AccountType)) && {
          Entity: { Type: party.type, EntityRef: ref(party.rec) },
        }),
    },
  });
  return b.save('JournalEntry', { Line: [side('Debit', debit), side('Credit', credit)] });
};
/** What a deposit can hold besides payments: each posted to Undeposited Funds. */
const depositable: Readonly<Record<string, (b: Bench) => Promise<{ rec: Raw; amount: number }>>> = {
  Payment: async (b) => ({ rec: await received(b), amount: 30 }),
  SalesReceipt: async (b) => ({ rec: await receipt(b), amount: 25 }),
  RefundReceipt: async (b) => ({
    rec: await b.save('RefundReceipt', { ...b.sale(5), DepositToAccountRef: ref(b.undeposited) }),
    amount: -5,
  }),
  JournalEntry: async (b) => ({ rec: await entryOf(b, b.undeposited, b.income, 17), amount: 17 }),
  Transfer: async (b) => ({
    rec: await b.save('Transfer', { FromAccountRef: ref(b.bank), ToAccountRef: ref(b.undeposited), Amount: 18 }),
    amount: 18,
  }),
  BillPayment: async (b) => ({
    rec: await b.save('BillPayment', await payBill(b)),
    amount: -40,
  }),
};
const depositWith =
  (type: string): Step =>
  async (b) => {
    const { rec, amount } = await depositable[type]!(b);
    return b.save('Deposit', depositOf(b, [{ type, rec, amount }], [b.depositLine(60)]));
  };
/** Takes the linked line out again: what is left is a line of its own. */
const undeposit = change('Deposit', (b) => ({ Line: [b.depositLine(60)] }));
const forDeposits = (story: (type: string) => Story): Readonly<Record<string, Story>> =>
  Object.fromEntries(Object.keys(depositable).map((type) => [type, story(type)]));

const creditedBy: Readonly<Record<string, (b: Bench) => Promise<Raw>>> = {
  CreditMemo: async (b) =>
    applied(b, await b.save('Invoice', b.sale(20)), await b.save('CreditMemo', b.sale(20)), 'CreditMemo'),
  JournalEntry: async (b) =>
    applied(
      b,
      await b.save('Invoice', b.sale(20)),
      await entryOf(b, b.expense, b.receivable, 20, { type: 'Customer', rec: b.customer }),
      'JournalEntry',
    ),
  // A refund by cheque posts to receivables; the credit memo that it pays back and the cheque are set off by a payment of 0.
  Purchase: async (b) => {
    const cheque = await b.save('Purchase', {
      ...{ PaymentType: 'Check', AccountRef: ref(b.bank), EntityRef: { type: 'Customer', value: b.customer.Id } },
      Line: [
        {
          ...b.expenseLine(20, b.receivable),
          AccountBasedExpenseLineDetail: { AccountRef: ref(b.receivable), CustomerRef: ref(b.customer) },
        },
      ],
    });
    const memo = await b.save('CreditMemo', b.sale(20));
    return {
      ...{ CustomerRef: ref(b.customer), TotalAmt: 0 },
      Line: [
        { Amount: 20, LinkedTxn: [{ TxnId: cheque.Id, TxnType: 'Expense' }] },
        { Amount: 20, LinkedTxn: [{ TxnId: memo.Id, TxnType: 'CreditMemo' }] },
      ],
    };
  },
};

const paidOff: Readonly<Record<string, (b: Bench) => Promise<Raw>>> = {
  VendorCredit: async (b) =>
    setOff(b, await b.save('Bill', b.purchase(30)), await b.save('VendorCredit', b.purchase(30)), 'VendorCredit'),
  JournalEntry: async (b) =>
    setOff(
      b,
      await b.save('Bill', b.purchase(30)),
      await entryOf(b, b.payable, b.income, 30, { type: 'Vendor', rec: b.vendor }),
      'JournalEntry',
    ),
  // A vendor pays money back: a line of a deposit that posts to payables.
  Deposit: async (b) =>
    setOff(
      b,
      await b.save('Bill', b.purchase(30)),
      await b.save('Deposit', {
        DepositToAccountRef: ref(b.bank),
        Line: [
          {
            ...{ Amount: 30, DetailType: 'DepositLineDetail' },
            DepositLineDetail: { AccountRef: ref(b.payable), Entity: { type: 'VENDOR', value: b.vendor.Id } },
          },
        ],
      }),
      'Deposit',
    ),
};
const setOff = (b: Bench, bill: Raw, credit: Raw, type: string): Raw => ({
  ...{ VendorRef: ref(b.vendor), PayType: 'Check', TotalAmt: 0, CheckPayment: { PrintStatus: 'NotSet' } },
  Line: [
    { Amount: 30, LinkedTxn: [{ TxnId: bill.Id, TxnType: 'Bill' }] },
    { Amount: 30, LinkedTxn: [{ TxnId: credit.Id, TxnType: type }] },
  ],
});
/** The same bill payment without what set it off: the bill is paid from the bank. */
const paidFromTheBank = change('BillPayment', (b, record) => ({
  ...{ TotalAmt: 30, CheckPayment: { BankAccountRef: ref(b.bank) } },
  Line: [{ Amount: 30, LinkedTxn: record.Line[0].LinkedTxn as Raw }],
}));

const timeOf = (b: Bench): Promise<Raw> =>
  b.save('TimeActivity', {
    ...{ NameOf: 'Employee', EmployeeRef: ref(b.employee), Hours: 2, BillableStatus: 'Billable', HourlyRate: 30 },
    CustomerRef: ref(b.customer),
    ItemRef: ref(b.service),
  });
const invoiceForTime: Step = async (b) => {
  const hours = await timeOf(b);
  const line = { ...b.saleLine(60), LinkedTxn: [{ TxnId: hours.Id, TxnType: 'TimeActivity' }] };
  return b.save('Invoice', { CustomerRef: ref(b.customer), Line: [line] });
};
const forEstimate =
  (type: string): Step =>
  async (b) => {
    const estimate = await b.save('Estimate', b.sale(44));
    return b.save(type, { ...b.sale(44), LinkedTxn: [{ TxnId: estimate.Id, TxnType: 'Estimate' }] });
  };
/** Goods of an order arrive with a bill, or are paid at once. */
const receiving =
  (type: 'Bill' | 'Purchase'): Step =>
  async (b) => {
    const order = await b.save('PurchaseOrder', { VendorRef: ref(b.vendor), Line: [b.itemLine(33)] });
    const LinkedTxn = [{ TxnId: order.Id, TxnType: 'PurchaseOrder', TxnLineId: order.Line[0].Id as string }];
    const head =
      type === 'Bill'
        ? { VendorRef: ref(b.vendor) }
        : { PaymentType: 'Cash', AccountRef: ref(b.bank), EntityRef: { type: 'Vendor', value: b.vendor.Id as string } };
    return b.save(type, {
      ...head,
      Line: [{ ...b.itemLine(33), LinkedTxn }],
      LinkedTxn: [{ TxnId: order.Id, TxnType: 'PurchaseOrder' }],
    });
  };
const unreceive = (type: 'Bill' | 'Purchase'): Step => change(type, (b) => ({ LinkedTxn: [], Line: [b.itemLine(33)] }));

const noteOnInvoice: Step = async (b) => {
  const invoice = await b.save('Invoice', b.sale());
  return b.save('Attachable', {
    Note: 'a note on an invoice',
    AttachableRef: [{ EntityRef: { type: 'Invoice', value: invoice.Id } }],
  });
};

export const rows: Readonly<Record<string, Row>> = {
  Account: treeOf('Account', 'parentAccount', 'SubAccount', {
    ...{ AccountType: 'Expense', AccountSubType: 'OfficeGeneralAdministrativeExpenses', Description: 'first' },
  }),
  Class: treeOf('Class', 'parentClass', 'SubClass'),
  Department: treeOf('Department', 'parentDepartment', 'SubDepartment'),
  Term: {
    make: (b) => ({ Name: b.name('Term'), DueDays: 12 }),
    change: { DueDays: 13 },
    set: () => ({ DiscountPercent: 2, DiscountDays: 5 }),
    rename: 'Name',
    ends: 'deactivate',
  },
  PaymentMethod: {
    make: (b) => ({ Name: b.name('Method') }),
    change: { Type: 'CREDIT_CARD' },
    rename: 'Name',
    ends: 'deactivate',
  },
  CompanyCurrency: { make: () => ({ Code: currencies.pop() }), ends: 'deactivate' },
  Customer: {
    make: (b) => ({ DisplayName: b.name('Customer'), Notes: 'first' }),
    change: { Notes: 'changed' },
    set: () => ({ PrimaryPhone: { FreeFormNumber: '555 0100' } }),
    clear: 'Notes',
    reference: (b) => ({ SalesTermRef: ref(b.term) }),
    rename: 'DisplayName',
    ends: 'deactivate',
    own: {
      'sub-customer, then renamed parent': [
        async (b) => {
          const parent = await b.save('Customer', { DisplayName: b.name('Parent') });
          return b.save('Customer', { DisplayName: b.name('Sub'), Job: true, ParentRef: ref(parent) });
        },
        async (b, record) => {
          await b.change('Customer', record.ParentRef.value as string, { DisplayName: b.name('Renamed parent') });
          return record;
        },
      ],
    },
  },
  Vendor: {
    make: (b) => ({ DisplayName: b.name('Vendor'), AcctNum: '1' }),
    change: { AcctNum: '2' },
    set: () => ({ PrimaryPhone: { FreeFormNumber: '555 0101' } }),
    clear: 'AcctNum',
    reference: (b) => ({ TermRef: ref(b.term) }),
    rename: 'DisplayName',
    ends: 'deactivate',
  },
  Employee: {
    make: (b) => ({ GivenName: 'Person', FamilyName: b.name('Employee') }),
    change: { HiredDate: '2026-02-01' },
    set: () => ({ PrimaryPhone: { FreeFormNumber: '555 0102' } }),
    rename: 'FamilyName',
    ends: 'deactivate',
  },
  Item: {
    make: (b) => ({ Name: b.name('Item'), Type: 'Service', Description: 'first', IncomeAccountRef: ref(b.income) }),
    change: { UnitPrice: 12.5 },
    set: () => ({ Sku: 'SKU-1' }),
    clear: 'Description',
    reference: (b) => ({ IncomeAccountRef: ref(b.otherIncome) }),
    rename: 'Name',
    ends: 'deactivate',
    own: {
      'inventory with opening stock': [
        make('Item', (b) => ({
          ...{
            Name: b.name('Stock'),
            Type: 'Inventory',
            TrackQtyOnHand: true,
            QtyOnHand: 10,
            InvStartDate: '2026-01-01',
            PurchaseCost: 3,
          },
          IncomeAccountRef: ref(b.income),
          ExpenseAccountRef: ref(b.cogs),
          AssetAccountRef: ref(b.stockAsset),
        })),
      ],
      category: [make('Item', (b) => ({ Name: b.name('Category'), Type: 'Category' }))],
    },
  },
  TaxAgency: { make: (b) => ({ DisplayName: b.name('Agency') }), ends: 'never' },
  ExchangeRate: { make: () => ({ SourceCurrencyCode: 'EUR', AsOfDate: '2026-03-04', Rate: 1.25 }), ends: 'never' },
  Attachable: {
    make: () => ({ Note: 'a note on its own' }),
    change: { Note: 'another note' },
    ends: 'delete',
    links: { Invoice: [noteOnInvoice] },
    unlinks: { Invoice: [noteOnInvoice, change('Attachable', () => ({ AttachableRef: [] }))] },
  },
  Estimate: {
    ...salesForm,
    own: {
      accepted: [
        make('Estimate', (b) => b.sale()),
        change('Estimate', () => ({ TxnStatus: 'Accepted', AcceptedBy: 'Ada', AcceptedDate: '2026-05-05' })),
      ],
    },
  },
  Invoice: {
    ...salesForm,
    voids: true,
    links: { Estimate: [forEstimate('Invoice')], TimeActivity: [invoiceForTime] },
    unlinks: {
      Estimate: [forEstimate('Invoice'), change('Invoice', () => ({ LinkedTxn: [] }))],
      TimeActivity: [invoiceForTime, change('Invoice', (b) => ({ LinkedTxn: [], Line: [b.saleLine(60)] }))],
    },
    own: {
      'to be e-mailed': [
        make('Invoice', (b) => b.sale()),
        change('Invoice', () => ({ EmailStatus: 'NeedToSend', BillEmail: { Address: 'ada@example.com' } })),
      ],
      paid: [
        make('Invoice', (b) => b.sale(35)),
        async (b, record) => {
          await b.save('Payment', {
            ...{ CustomerRef: ref(b.customer), TotalAmt: 35 },
            Line: [{ Amount: 35, LinkedTxn: [{ TxnId: record.Id, TxnType: 'Invoice' }] }],
          });
          return record;
        },
      ],
    },
  },
  SalesReceipt: {
    ...salesForm,
    voids: true,
    links: { Estimate: [forEstimate('SalesReceipt')] },
    unlinks: { Estimate: [forEstimate('SalesReceipt'), change('SalesReceipt', () => ({ LinkedTxn: [] }))] },
  },
  CreditMemo: { ...salesForm, zeroed: zeroSale },
  RefundReceipt: {
    ...salesForm,
    make: (b) => ({ ...b.sale(), ...memo(), DepositToAccountRef: ref(b.bank) }),
    zeroed: zeroSale,
  },
  Payment: {
    make: (b) => ({ CustomerRef: ref(b.customer), TotalAmt: 15, ...memo() }),
    change: note,
    set: () => ({ PaymentRefNum: '4711' }),
    clear: 'PrivateNote',
    reference: (b) => ({ CustomerRef: ref(b.otherCustomer) }),
    ends: 'delete',
    voids: true,
    links: {
      Invoice: [make('Payment', payInvoice(50))],
      ...Object.fromEntries(Object.entries(creditedBy).map(([type, body]) => [type, [make('Payment', body)]])),
    },
    unlinks: {
      Invoice: [make('Payment', payInvoice(45)), change('Payment', () => ({ Line: [] }))],
      ...Object.fromEntries(
        Object.entries(creditedBy).map(([type, body]) => [
          type,
          [make('Payment', body), change('Payment', () => ({ Line: [] }))],
        ]),
      ),
    },
    own: {
      'partly unapplied': [
        make('Payment', payInvoice(40)),
        change('Payment', (_b, record) => ({ Line: [{ Amount: 10, LinkedTxn: record.Line[0].LinkedTxn as Raw }] })),
      ],
      'edited inside a deposit': [
        async (b) => {
          const payment = await received(b);
          await b.save('Deposit', depositOf(b, [{ type: 'Payment', rec: payment, amount: 30 }]));
          return b.read('Payment', payment.Id as string);
        },
        // QuickBooks lets nobody edit it in its deposit: out, edited, in again, before the sync sees any of it.
        async (b, record) => {
          const at = (record.LinkedTxn as Raw[]).find(({ TxnType }) => TxnType === 'Deposit').TxnId as string;
          const { Line } = await b.read('Deposit', at);
          await b.change('Deposit', at, { Line: [b.depositLine(1)] });
          const edited = await b.change('Payment', record.Id as string, { PrivateNote: 'edited while deposited' });
          await b.change('Deposit', at, { Line: [{ Amount: 30, LinkedTxn: Line[0].LinkedTxn as Raw }] });
          return edited;
        },
      ],
    },
  },
  Bill: {
    ...purchaseForm,
    links: { PurchaseOrder: [receiving('Bill')] },
    unlinks: { PurchaseOrder: [receiving('Bill'), unreceive('Bill')] },
  },
  VendorCredit: purchaseForm,
  PurchaseOrder: {
    ...purchaseForm,
    make: (b) => ({ VendorRef: ref(b.vendor), Line: [b.itemLine(40)], ...memo() }),
    lines: (b, amounts) => amounts.map((amount) => b.itemLine(amount)),
    own: {
      closed: [
        make('PurchaseOrder', (b) => ({ VendorRef: ref(b.vendor), Line: [b.itemLine(40)] })),
        change('PurchaseOrder', () => ({ POStatus: 'Closed' })),
      ],
    },
  },
  Purchase: {
    make: (b) => ({ PaymentType: 'Cash', AccountRef: ref(b.bank), Line: [b.expenseLine(20)], ...memo() }),
    change: note,
    set: (b) => ({ EntityRef: { type: 'Vendor', value: b.vendor.Id } }),
    clear: 'PrivateNote',
    lines: expenses,
    reference: (b) => ({ AccountRef: ref(b.savings) }),
    ends: 'delete',
    zeroed: (b) => ({ PrivateNote: 'Voided', Line: [b.expenseLine(0)] }),
    links: { PurchaseOrder: [receiving('Purchase')] },
    unlinks: { PurchaseOrder: [receiving('Purchase'), unreceive('Purchase')] },
    own: {
      check: [make('Purchase', (b) => ({ PaymentType: 'Check', AccountRef: ref(b.bank), Line: [b.expenseLine(21)] }))],
      'card charge': [
        make('Purchase', (b) => ({ PaymentType: 'CreditCard', AccountRef: ref(b.card), Line: [b.expenseLine(22)] })),
      ],
      'card credit': [
        make('Purchase', (b) => ({
          PaymentType: 'CreditCard',
          Credit: true,
          AccountRef: ref(b.card),
          Line: [b.expenseLine(23)],
        })),
      ],
    },
  },
  BillPayment: {
    make: () => ({}),
    change: note,
    reference: (b) => ({ CheckPayment: { BankAccountRef: ref(b.savings) } }),
    clear: 'PrivateNote',
    ends: 'delete',
    voids: true,
    links: {
      Bill: [make('BillPayment', payBill)],
      ...Object.fromEntries(Object.entries(paidOff).map(([type, body]) => [type, [make('BillPayment', body)]])),
    },
    unlinks: {
      Bill: [
        make('BillPayment', async (b) => {
          const [one, other] = [await b.save('Bill', b.purchase(20)), await b.save('Bill', b.purchase(15))];
          return {
            ...{ VendorRef: ref(b.vendor), PayType: 'Check', TotalAmt: 35 },
            CheckPayment: { BankAccountRef: ref(b.bank) },
            Line: [
              { Amount: 20, LinkedTxn: [{ TxnId: one.Id, TxnType: 'Bill' }] },
              { Amount: 15, LinkedTxn: [{ TxnId: other.Id, TxnType: 'Bill' }] },
            ],
          };
        }),
        change('BillPayment', (_b, record) => ({ TotalAmt: 20, Line: [record.Line[0]] })),
      ],
      ...Object.fromEntries(
        Object.entries(paidOff).map(([type, body]) => [type, [make('BillPayment', body), paidFromTheBank]]),
      ),
    },
  },
  CreditCardPayment: {
    make: (b) => ({ CreditCardAccountRef: ref(b.card), BankAccountRef: ref(b.bank), Amount: 12, ...memo() }),
    change: note,
    clear: 'PrivateNote',
    reference: (b) => ({ BankAccountRef: ref(b.savings) }),
    ends: 'delete',
  },
  Deposit: {
    make: (b) => ({ ...depositOf(b, [], [b.depositLine(8)]), ...memo() }),
    change: note,
    set: (b) => ({ DepartmentRef: ref(b.parentDepartment) }),
    clear: 'PrivateNote',
    lines: (b, amounts) => amounts.map((amount) => b.depositLine(amount)),
    reference: (b) => ({ DepositToAccountRef: ref(b.savings) }),
    ends: 'delete',
    links: forDeposits((type) => [depositWith(type)]),
    unlinks: forDeposits((type) => [depositWith(type), undeposit]),
    own: {
      edited: [
        async (b) =>
          b.save(
            'Deposit',
            depositOf(b, [{ type: 'Payment', rec: await received(b), amount: 30 }], [b.depositLine(5)]),
          ),
        change('Deposit', (b, record) => ({ Line: [record.Line[0], b.depositLine(7)] })),
      ],
    },
  },
  Transfer: {
    make: (b) => ({ FromAccountRef: ref(b.bank), ToAccountRef: ref(b.savings), Amount: 11, ...memo() }),
    change: note,
    clear: 'PrivateNote',
    reference: (b) => ({ ToAccountRef: ref(b.undeposited) }),
    ends: 'delete',
    zeroed: () => ({ PrivateNote: 'Voided', Amount: 0 }),
  },
  JournalEntry: {
    make: (b) => ({ Line: b.journalLines([5, 6]), ...memo() }),
    change: note,
    set: () => ({ Adjustment: true }),
    clear: 'PrivateNote',
    lines: (b, amounts) => b.journalLines(amounts),
    reference: (b) => ({ Line: b.journalLines([5, 6], b.savings) }),
    ends: 'delete',
  },
  InventoryAdjustment: {
    make: (b) => ({
      AdjustAccountRef: ref(b.shrinkage),
      ...memo(),
      Line: [
        { DetailType: 'ItemAdjustmentLineDetail', ItemAdjustmentLineDetail: { ItemRef: ref(b.stock), QtyDiff: -1 } },
      ],
    }),
    change: note,
    clear: 'PrivateNote',
    ends: 'delete',
    own: {
      'quantity changed': [
        make('InventoryAdjustment', (b) => ({
          AdjustAccountRef: ref(b.shrinkage),
          Line: [
            {
              DetailType: 'ItemAdjustmentLineDetail',
              ItemAdjustmentLineDetail: { ItemRef: ref(b.stock), QtyDiff: -2 },
            },
          ],
        })),
        change('InventoryAdjustment', (b, record) => ({
          Line: [
            {
              Id: record.Line[0].Id,
              DetailType: 'ItemAdjustmentLineDetail',
              ItemAdjustmentLineDetail: { ItemRef: ref(b.stock), QtyDiff: -3 },
            },
          ],
        })),
      ],
    },
  },
  TimeActivity: {
    make: (b) => ({ NameOf: 'Employee', EmployeeRef: ref(b.employee), Hours: 2, Minutes: 30, Description: 'first' }),
    change: { Description: 'changed' },
    set: (b) => ({ CustomerRef: ref(b.customer) }),
    clear: 'Description',
    reference: (b) => ({ EmployeeRef: ref(b.otherEmployee) }),
    ends: 'delete',
  },
  RecurringTransaction: {
    make: (b) => ({
      Invoice: {
        ...b.sale(),
        RecurringInfo: {
          ...{ Name: b.name('Monthly'), RecurType: 'Automated' },
          ScheduleInfo: { IntervalType: 'Monthly', NumInterval: 1, DayOfMonth: 1 },
        },
      },
    }),
    ends: 'never',
  },
};

const currencies = ['SEK', 'NOK', 'DKK', 'CHF', 'GBP', 'JPY'];
export { payBill };
