// One of everything: every type a person can make, every kind of link a company can hold, and the ends a record can come
// to (voided, deleted, inactive, merged). Used by the sample company and as the seed of every generated one.
import { QboFault, type Rec } from '../types.js';
import { type Bookkeeper, cents } from './bookkeeper.js';
import { dayAfter } from './chance.js';

export interface Refused {
  what: string;
  why: string;
}

export class Attempts {
  readonly refused: Refused[] = [];

  /** A company that lacks a feature (plan, locale, preference) simply does not get that kind; the reason is kept. */
  run<T>(what: string, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof QboFault)) throw error;
      this.refused.push({ what, why: `${error.code} ${error.message}: ${error.detail}` });
      return undefined;
    }
  }
}

/** Lists first: everything that documents refer to. */
export function enterLists(
  books: Bookkeeper,
  attempts: Attempts,
  startDate: string,
  size: { customers: number; vendors: number; items: number; currency?: string },
): void {
  const { company, chance } = books;
  const run = attempts.run.bind(attempts);
  const landscaping = run('Account', () => books.ledgerAccount('Income', 'ServiceFeeIncome', 'Landscaping'));
  if (landscaping)
    run('Account tree', () =>
      books.ledgerAccount('Income', 'ServiceFeeIncome', 'Garden Care', {
        SubAccount: true,
        ParentRef: { value: landscaping.Id },
      }),
    );
  const vehicles = run('Account', () => books.ledgerAccount('Expense', 'Auto', 'Vehicles'));
  if (vehicles)
    run('Account tree', () =>
      books.ledgerAccount('Expense', 'Auto', 'Fuel', { SubAccount: true, ParentRef: { value: vehicles.Id } }),
    );
  run('Account opening balance', () =>
    books.ledgerAccount('Bank', 'MoneyMarket', 'Reserve Account', {
      OpeningBalance: 25_000,
      OpeningBalanceDate: startDate,
    }),
  );
  run('Account', () => books.ledgerAccount('Fixed Asset', 'Vehicles', 'Pickup Truck'));
  const north = run('Class', () => books.listEntry('Class', 'Residential'));
  if (north)
    run('Class tree', () => books.listEntry('Class', 'Gardens', { SubClass: true, ParentRef: { value: north.Id } }));
  run('Class', () => books.listEntry('Class', 'Commercial'));
  const yard = run('Department', () => books.listEntry('Department', 'Main Yard'));
  if (yard)
    run('Department tree', () =>
      books.listEntry('Department', 'Greenhouse', { SubDepartment: true, ParentRef: { value: yard.Id } }),
    );
  run('Term', () => books.listEntry('Term', 'Net 45', { DueDays: 45 }));
  run('Term by date', () => books.listEntry('Term', '15th of the month', { DayOfMonthDue: 15, DueNextMonthDays: 5 }));
  run('PaymentMethod', () => books.listEntry('PaymentMethod', 'Bank Transfer', { Type: 'NON_CREDIT_CARD' }));
  const agency = run('TaxAgency', () => books.create('TaxAgency', { DisplayName: 'Nursery Levy Office' }));
  if (agency) {
    // TaxCode and TaxRate are made together by the tax service.
    const detail = { TaxRateName: 'Nursery Levy', RateValue: '2', TaxAgencyId: agency.Id, TaxApplicableOn: 'Sales' };
    run('TaxCode and TaxRate', () =>
      books.actor.create('TaxCode', { TaxCode: 'Nursery Levy', TaxRateDetails: [detail] }),
    );
  }
  run('CustomerType', () => books.actor.put('CustomerType', { Name: 'Household', Active: true }));
  for (let n = 0; n < 3; n++) run('Employee', () => books.employee());

  if (size.currency && company.multicurrency()) {
    run('CompanyCurrency', () => books.create('CompanyCurrency', { Code: size.currency }));
    run('ExchangeRate', () =>
      books.actor.create('ExchangeRate', {
        SourceCurrencyCode: size.currency,
        TargetCurrencyCode: company.homeCurrency(),
        Rate: 1.0875,
        AsOfDate: startDate,
      }),
    );
    // The product makes a control account per currency with the first foreign name; the engine finds this one by then.
    for (const [name, type, subType] of [
      ['Accounts Receivable (A/R)', 'Accounts Receivable', 'AccountsReceivable'],
      ['Accounts Payable (A/P)', 'Accounts Payable', 'AccountsPayable'],
    ] as const) {
      if (!company.accountBySubType(subType, size.currency))
        company.ensureAccount({ name: `${name} - ${size.currency}`, type, subType, currency: size.currency });
    }
    run('foreign Customer', () => books.customer({ currency: size.currency, name: 'Maison Verte' }));
    run('foreign Vendor', () => books.vendor({ currency: size.currency, name: 'Terracotta Import' }));
  }
  for (let n = 0; n < size.vendors; n++) run('Vendor', () => books.vendor());
  let parent: Rec | undefined;
  for (let n = 0; n < size.customers; n++) {
    const job = parent !== undefined && (n === 1 || chance.happens(0.2));
    const made = run('Customer', () => books.customer(job ? { parent } : {}));
    if (made && !job) parent = made;
    else if (made && chance.happens(0.25) && Number(made.Level ?? 1) < 3) parent = made;
  }
  const category = run('Item Category', () => books.item('Category', { name: 'Garden Goods' }));
  for (let n = 0; n < size.items; n++) {
    const kind = (['Service', 'Inventory', 'NonInventory', 'Service', 'Inventory'] as const)[n % 5]!;
    run(`Item ${kind}`, () =>
      books.item(kind, { startDate, parent: category && chance.happens(0.3) ? category : undefined }),
    );
  }
  const members = ['Inventory', 'Service'].flatMap((type) => books.find('Item', (rec) => rec.Type === type) ?? []);
  run('Item Group', () => books.item('Group', { name: 'Starter Garden', members }));
  run('Budget', () =>
    books.actor.put('Budget', {
      Name: 'This year',
      StartDate: `${books.date.slice(0, 4)}-01-01`,
      EndDate: `${books.date.slice(0, 4)}-12-31`,
      BudgetType: 'ProfitAndLoss',
      BudgetEntryType: 'Monthly',
      Active: true,
      BudgetDetail: [
        {
          BudgetDate: `${books.date.slice(0, 4)}-01-01`,
          Amount: 4_000,
          AccountRef: { value: books.account('ServiceFeeIncome').Id },
        },
      ],
    }),
  );
}

/** What the product makes of a billable expense, where the engine has not made it already. */
function reimburseCharge(books: Bookkeeper, expense: Rec, customer: Rec): Rec {
  const made = [...books.company.all('ReimburseCharge')].find((rec) =>
    (rec.LinkedTxn as Rec[] | undefined)?.some(({ TxnId }) => TxnId === expense.Id),
  );
  return (
    made ??
    books.actor.put('ReimburseCharge', {
      TxnDate: expense.TxnDate,
      CurrencyRef: expense.CurrencyRef,
      LinkedTxn: [{ TxnId: expense.Id, TxnType: 'Purchase' }],
      Line: [
        {
          Id: '1',
          LineNum: 1,
          Amount: expense.TotalAmt,
          DetailType: 'ReimburseLineDetail',
          ReimburseLineDetail: { MarkupInfo: { PercentBased: false } },
        },
      ],
      CustomerRef: { value: customer.Id, name: customer.DisplayName },
      HasBeenInvoiced: false,
      Amount: expense.TotalAmt,
    })
  );
}

/** Documents of every type, tied together in every way QBO knows. */
export function enterEveryLink(books: Bookkeeper, attempts: Attempts): void {
  const run = attempts.run.bind(attempts);
  const { company, chance } = books;
  const home = company.homeCurrency();
  const local = (rec: Rec): boolean => (rec.CurrencyRef?.value ?? home) === home;
  const customer = books.find('Customer', (rec) => local(rec) && rec.Job !== true) ?? books.customer();
  const vendor = books.find('Vendor', local) ?? books.vendor();
  const service = books.find('Item', (rec) => rec.Type === 'Service') ?? books.item('Service');
  const stock = books.find('Item', (rec) => rec.Type === 'Inventory');
  const receivable = books.account('AccountsReceivable');
  const payable = books.account('AccountsPayable');
  const undeposited = company.accountBySubType('UndepositedFunds');
  const savings = company.accountBySubType('Savings') ?? books.bank();
  const fresh = (type: string, rec: Rec | undefined): Rec | undefined => rec && company.get(type, rec.Id as string);
  const bill = (): Rec => books.bill({ vendor, lines: [books.expenseLine()] });
  const invoice = (): Rec => books.invoice({ customer, lines: [books.salesLine(service, 3)] });
  const next = (): void => void (books.date = books.date < company.today() ? dayAfter(books.date, 1) : books.date);

  // Sales: estimate, time, several invoices, credits, refunds.
  const estimate = run('Estimate', () =>
    books.salesDocument('Estimate', { customer, lines: [books.salesLine(service, 4)] }),
  );
  if (estimate)
    run('Invoice from Estimate', () =>
      books.invoice({
        customer,
        lines: [books.salesLine(service, 4)],
        more: { LinkedTxn: [{ TxnId: estimate.Id, TxnType: 'Estimate' }] },
      }),
    );
  const hours = run('TimeActivity', () => books.timeActivity({ billable: true, customer }));
  if (hours)
    run('Invoice from TimeActivity', () =>
      books.invoice({
        customer,
        lines: [{ ...books.salesLine(service, 2), LinkedTxn: [{ TxnId: hours.Id, TxnType: 'TimeActivity' }] }],
      }),
    );
  const billable = (): Rec => books.purchase({ how: 'Cash', lines: [books.expenseLine({ customer, billable: true })] });
  const charge = run('ReimburseCharge', () => reimburseCharge(books, billable(), customer));
  run('ReimburseCharge left open', () => reimburseCharge(books, billable(), customer));
  if (charge) {
    run('Invoice from ReimburseCharge', () =>
      books.invoice({
        customer,
        lines: [{ ...books.salesLine(service, 1), LinkedTxn: [{ TxnId: charge.Id, TxnType: 'ReimburseCharge' }] }],
      }),
    );
  }
  next();
  const [first, second, third] = [invoice(), invoice(), invoice()];
  const full = run('Payment in full', () => books.payment([first]));
  run('Payment in part', () => books.payment([second], { cents: Math.floor(cents(second.Balance) / 2) }));
  run('Payment that leaves a rest', () => books.payment([invoice()], { cents: 5_000 }));
  run('Payment of two Invoices', () => books.payment([fresh('Invoice', second)!, third]));
  run('Payment on account', () => books.payment([invoice()], { cents: 5_000, unapplied: true }));
  const memo = run('CreditMemo', () =>
    books.salesDocument('CreditMemo', { customer, lines: [books.salesLine(service, 1)] }),
  );
  const owed = invoice();
  if (memo)
    run('Payment with CreditMemo', () =>
      books.applyCredit(
        { type: 'Invoice', rec: owed },
        { type: 'CreditMemo', rec: memo },
        Math.min(cents(memo.Balance), cents(owed.Balance)),
      ),
    );
  const bank = books.bank();
  const arEntry = run('JournalEntry on A/R', () =>
    books.journal([
      { account: bank, cents: 4_000, posting: 'Debit' },
      { account: receivable, cents: 4_000, posting: 'Credit', entity: { type: 'Customer', rec: customer } },
    ]),
  );
  if (arEntry)
    run('Payment with JournalEntry', () =>
      books.applyCredit(
        { type: 'Invoice', rec: fresh('Invoice', owed)! },
        { type: 'JournalEntry', rec: arEntry },
        Math.min(4_000, cents(fresh('Invoice', owed)!.Balance)),
      ),
    );
  const refundedMemo = run('CreditMemo to refund', () =>
    books.salesDocument('CreditMemo', { customer, lines: [books.salesLine(service, 1)] }),
  );
  if (refundedMemo) {
    const sum = cents(refundedMemo.TotalAmt);
    const check = run('Purchase on A/R', () =>
      books.purchase({
        how: 'Check',
        payee: { type: 'Customer', rec: customer },
        lines: [{ ...books.expenseLine({ account: receivable, cents: sum }) }],
      }),
    );
    if (check)
      run('Payment with Expense', () =>
        books.applyCredit({ type: 'Expense', rec: check }, { type: 'CreditMemo', rec: refundedMemo }, sum),
      );
  }
  const receipt = run('SalesReceipt', () =>
    books.salesDocument('SalesReceipt', { customer, lines: [books.salesLine(service, 2)] }),
  );
  const refund = run('RefundReceipt', () =>
    books.salesDocument('RefundReceipt', {
      customer,
      lines: [books.salesLine(service, 1)],
      more: { DepositToAccountRef: { value: (undeposited ?? bank).Id } },
    }),
  );
  next();

  // Money to the bank: everything that can sit in a deposit.
  if (full && receipt) {
    run('Deposit of Payment and SalesReceipt', () =>
      books.deposit(
        [
          { type: 'Payment', rec: full, cents: cents(full.TotalAmt) },
          { type: 'SalesReceipt', rec: receipt, cents: cents(receipt.TotalAmt) },
        ],
        { cashBackCents: 1_000 },
      ),
    );
  }
  if (refund)
    run('Deposit with RefundReceipt', () =>
      books.deposit([{ type: 'RefundReceipt', rec: refund, cents: -cents(refund.TotalAmt) }], {
        lines: [books.depositLine(books.account('ServiceFeeIncome'), cents(refund.TotalAmt) + 12_500)],
      }),
    );
  if (undeposited) {
    const entry = run('JournalEntry on Undeposited Funds', () =>
      books.journal([
        { account: undeposited, cents: 7_500, posting: 'Debit' },
        { account: books.account('ServiceFeeIncome'), cents: 7_500, posting: 'Credit' },
      ]),
    );
    if (entry)
      run('Deposit of JournalEntry', () => books.deposit([{ type: 'JournalEntry', rec: entry, cents: 7_500 }]));
    const moved = run('Transfer to Undeposited Funds', () => books.transfer(savings, undeposited, 3_000));
    if (moved) run('Deposit of Transfer', () => books.deposit([{ type: 'Transfer', rec: moved, cents: 3_000 }]));
  }
  run('Deposit on its own', () =>
    books.deposit([], {
      lines: [
        books.depositLine(company.accountBySubType('InterestEarned') ?? books.account('ServiceFeeIncome'), 1_250),
      ],
    }),
  );
  next();

  // Purchases: orders, bills, credits, every way to pay.
  const order = run('PurchaseOrder', () => books.purchaseOrder({ vendor }));
  if (order) run('Bill from PurchaseOrder', () => books.billFromOrder(order));
  const cashOrder = run('PurchaseOrder', () => books.purchaseOrder({ vendor, lines: [books.purchasedItemLine()] }));
  if (cashOrder) {
    const line = (cashOrder.Line as Rec[])[0]!;
    const detail = { ...(line[line.DetailType as string] as Rec) };
    run('Purchase from PurchaseOrder', () =>
      books.purchase({
        how: 'Check',
        payee: { type: 'Vendor', rec: vendor },
        lines: [
          {
            DetailType: line.DetailType,
            Amount: line.Amount,
            [line.DetailType as string]: detail,
            LinkedTxn: [{ TxnId: cashOrder.Id, TxnType: 'PurchaseOrder', TxnLineId: line.Id }],
          },
        ],
      }),
    );
  }
  run('PurchaseOrder left open', () => books.purchaseOrder());
  run('BillPayment by check', () => books.billPayment([bill()]));
  run('BillPayment by card', () => books.billPayment([bill(), bill()], { byCard: true }));
  const partly = bill();
  run('BillPayment in part', () => books.billPayment([partly], { cents: Math.floor(cents(partly.Balance) / 3) }));
  const credit = run('VendorCredit', () =>
    books.bill({ type: 'VendorCredit', vendor, lines: [books.expenseLine({ cents: 900 })] }),
  );
  const due = books.bill({ vendor, lines: [books.expenseLine({ cents: 20_000 })] });
  if (credit)
    run('BillPayment with VendorCredit', () =>
      books.billPayment([due], {
        cents: cents(due.Balance),
        credits: [{ type: 'VendorCredit', rec: credit, cents: cents(credit.TotalAmt) }],
      }),
    );
  const apEntry = run('JournalEntry on A/P', () =>
    books.journal([
      { account: payable, cents: 2_500, posting: 'Debit', entity: { type: 'Vendor', rec: vendor } },
      { account: bank, cents: 2_500, posting: 'Credit' },
    ]),
  );
  const dueToo = books.bill({ vendor, lines: [books.expenseLine({ cents: 8_000 })] });
  if (apEntry)
    run('BillPayment with JournalEntry', () =>
      books.billPayment([dueToo], {
        cents: cents(dueToo.Balance),
        credits: [{ type: 'JournalEntry', rec: apEntry, cents: 2_500 }],
      }),
    );
  const back = run('Deposit from a vendor', () =>
    books.deposit([], { lines: [books.depositLine(payable, 1_800, { type: 'Vendor', rec: vendor })] }),
  );
  const returned =
    back &&
    run('VendorCredit refunded', () =>
      books.bill({ type: 'VendorCredit', vendor, lines: [books.expenseLine({ cents: 1_800 })] }),
    );
  if (back && returned) {
    const sides = [
      { type: 'Deposit', rec: back },
      { type: 'VendorCredit', rec: returned },
    ];
    run('BillPayment with Deposit', () => books.tieToCredit(vendor, sides, 1_800));
  }
  run('Purchase by card', () => books.purchase({ how: 'CreditCard' }));
  run('Purchase refunded to the card', () =>
    books.purchase({ how: 'CreditCard', credit: true, lines: [books.expenseLine({ cents: 1_500 })] }),
  );
  run('Transfer', () =>
    books.transfer(bank, bank.Id === savings.Id ? books.account('MoneyMarket', 'Checking') : savings, 50_000),
  );
  run('CreditCardPayment', () => books.cardPayment(9_900));
  if (stock) run('InventoryAdjustment', () => books.stockCount(stock, chance.pick([-2, 3])));
  run('Invoice of goods', () => stock && books.invoice({ customer, lines: [books.salesLine(stock, 2)] }));
  run('RecurringTransaction', () =>
    books.create('RecurringTransaction', {
      Invoice: {
        CustomerRef: { value: customer.Id },
        Line: [books.salesLine(service, 1)],
        RecurringInfo: {
          Name: `Monthly care ${books.idsOf('RecurringTransaction').length + 1}`,
          RecurType: 'Automated',
          Active: true,
          ScheduleInfo: { IntervalType: 'Monthly', NumInterval: 1, DayOfMonth: 1, StartDate: company.today() },
        },
      },
    }),
  );

  // Foreign money, both ways.
  if (company.multicurrency()) {
    const abroad = books.find('Customer', (rec) => !local(rec));
    if (abroad)
      run('foreign Invoice and Payment', () =>
        books.payment([books.invoice({ customer: abroad, lines: [books.salesLine(service, 2)] })]),
      );
    const importer = books.find('Vendor', (rec) => !local(rec));
    if (importer)
      run('foreign Bill and BillPayment', () =>
        books.billPayment([books.bill({ vendor: importer, lines: [books.expenseLine()] })]),
      );
  }

  // Files, and the ends of records.
  run('Attachable on Invoice', () => books.attachment({ type: 'Invoice', rec: owed }));
  run('Attachable on Bill', () => books.attachment({ type: 'Bill', rec: partly }));
  run('Attachable note', () =>
    books.create('Attachable', {
      Note: 'Gate code 4711, dog is friendly',
      AttachableRef: [{ EntityRef: { type: 'Customer', value: customer.Id } }],
    }),
  );
  const mistaken = invoice();
  run('voided Invoice', () => books.actor.void('Invoice', mistaken.Id as string));
  const double = bill();
  run('deleted Bill', () => books.actor.remove('Bill', double.Id as string));
  const leaver = run('Customer', () => books.customer());
  if (leaver) run('inactive Customer', () => books.actor.update('Customer', { Id: leaver.Id, Active: false }));
  const [kept, twin] = [run('Vendor', () => books.vendor()), run('Vendor', () => books.vendor())];
  if (kept && twin) {
    run('Bill of the twin', () => books.bill({ vendor: twin, lines: [books.expenseLine()] }));
    run('merged Vendor', () => books.actor.merge('Vendor', kept.Id as string, twin.Id as string));
  }
}
