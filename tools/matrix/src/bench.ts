// The source company of the matrix: what every record needs around it, and a person's calls to the API.
import type { EmulatorClient, Raw } from '#testing';

export const ref = (record: Raw): Raw => ({ value: String(record.Id) });

export class Bench {
  bank!: Raw;
  savings!: Raw;
  card!: Raw;
  expense!: Raw;
  otherExpense!: Raw;
  income!: Raw;
  otherIncome!: Raw;
  receivable!: Raw;
  payable!: Raw;
  shrinkage!: Raw;
  undeposited!: Raw;
  cogs!: Raw;
  stockAsset!: Raw;
  customer!: Raw;
  otherCustomer!: Raw;
  vendor!: Raw;
  otherVendor!: Raw;
  employee!: Raw;
  otherEmployee!: Raw;
  service!: Raw;
  otherService!: Raw;
  stock!: Raw;
  parentAccount!: Raw;
  parentClass!: Raw;
  parentDepartment!: Raw;
  term!: Raw;
  otherClass!: Raw;
  otherDepartment!: Raw;
  otherTerm!: Raw;
  method!: Raw;
  otherMethod!: Raw;
  private n = 0;

  constructor(
    readonly emulator: EmulatorClient,
    readonly realmId: string,
    private readonly token: string,
  ) {}

  name(what: string): string {
    return `${what} ${++this.n}`;
  }

  async furnish(): Promise<void> {
    const accounts = await this.query('Account');
    const account = (name: string): Raw => {
      const found = accounts.find((one) => one.Name === name);
      if (!found) throw new Error(`the source has no account "${name}"`);
      return found;
    };
    this.bank = account('Checking');
    this.savings = account('Savings');
    this.card = account('Mastercard');
    this.expense = account('Utilities');
    this.income = account('Sales of Product Income');
    this.cogs = account('Cost of Goods Sold');
    this.stockAsset = account('Inventory Asset');
    this.shrinkage = account('Inventory Shrinkage');
    this.receivable = accounts.find((one) => one.AccountType === 'Accounts Receivable')!;
    this.payable = accounts.find((one) => one.AccountType === 'Accounts Payable')!;
    this.undeposited = accounts.find((one) => one.AccountSubType === 'UndepositedFunds')!;
    this.otherExpense = accounts.find((one) => one.AccountType === 'Expense' && one.Id !== this.expense.Id)!;
    this.otherIncome = accounts.find((one) => one.AccountType === 'Income' && one.Id !== this.income.Id)!;
    this.parentAccount = await this.save('Account', { Name: 'Costs', AccountType: 'Expense' });
    this.customer = await this.save('Customer', { DisplayName: 'First Customer' });
    this.otherCustomer = await this.save('Customer', { DisplayName: 'Second Customer' });
    this.vendor = await this.save('Vendor', { DisplayName: 'First Vendor' });
    this.otherVendor = await this.save('Vendor', { DisplayName: 'Second Vendor' });
    this.employee = await this.save('Employee', { GivenName: 'First', FamilyName: 'Employee' });
    this.otherEmployee = await this.save('Employee', { GivenName: 'Second', FamilyName: 'Employee' });
    this.service = await this.save('Item', {
      Name: 'First Service',
      Type: 'Service',
      IncomeAccountRef: ref(this.income),
    });
    this.otherService = await this.save('Item', {
      ...{ Name: 'Second Service', Type: 'Service' },
      IncomeAccountRef: ref(this.income),
      ExpenseAccountRef: ref(this.expense),
    });
    this.stock = await this.save('Item', {
      ...{
        Name: 'Stock',
        Type: 'Inventory',
        TrackQtyOnHand: true,
        QtyOnHand: 100,
        InvStartDate: '2026-01-01',
        PurchaseCost: 4,
      },
      IncomeAccountRef: ref(this.income),
      ExpenseAccountRef: ref(this.cogs),
      AssetAccountRef: ref(this.stockAsset),
    });
    this.parentClass = await this.save('Class', { Name: 'Top Class' });
    this.parentDepartment = await this.save('Department', { Name: 'Top Place' });
    this.term = await this.save('Term', { Name: 'Net 77', DueDays: 77 });
    this.otherTerm = await this.save('Term', { Name: 'Net 78', DueDays: 78 });
    this.otherClass = await this.save('Class', { Name: 'Other Class' });
    this.otherDepartment = await this.save('Department', { Name: 'Other Place' });
    this.method = await this.save('PaymentMethod', { Name: 'Shells' });
    this.otherMethod = await this.save('PaymentMethod', { Name: 'Beads' });
  }

  async query(type: string): Promise<Raw[]> {
    const statement = encodeURIComponent(`select * from ${type} maxresults 1000`);
    const { status, body } = await this.emulator.api(this.realmId, this.token, 'GET', `query?query=${statement}`);
    if (status !== 200) throw new Error(`query of ${type}: ${JSON.stringify(body)}`);
    return (Object.values<Raw>(body.QueryResponse).find((one) => Array.isArray(one)) ?? []) as Raw[];
  }

  async read(type: string, id: string): Promise<Raw> {
    const { status, body } = await this.emulator.api(this.realmId, this.token, 'GET', `${type.toLowerCase()}/${id}`);
    if (status !== 200) throw new Error(`read of ${type} ${id}: ${JSON.stringify(body)}`);
    return body[jsonName(type)] as Raw;
  }

  /** The answer as it is, refusals included. */
  post(path: string, body: Raw): Promise<{ status: number; body: Raw }> {
    return this.emulator.api(this.realmId, this.token, 'POST', path, body);
  }

  async save(type: string, body: Raw, query = ''): Promise<Raw> {
    const path = `${type.toLowerCase()}${query}`;
    const answer = await this.emulator.api(this.realmId, this.token, 'POST', path, body);
    const fault = answer.body?.Fault?.Error?.[0];
    if (answer.status !== 200 || fault)
      throw new Error(
        `QuickBooks refuses: ${fault ? `${fault.code} ${fault.Detail ?? fault.Message}` : answer.status}`,
      );
    return (answer.body[jsonName(type)] ?? answer.body) as Raw;
  }

  /** A sparse change of what the record is now. */
  async change(type: string, id: string, patch: Raw): Promise<Raw> {
    const now = await this.read(type, id);
    const required: Raw = {};
    for (const field of [
      'CustomerRef',
      'VendorRef',
      'PaymentType',
      'PayType',
      'NameOf',
      'Line',
      'TotalAmt',
      'AttachableRef',
    ])
      if (now[field] !== undefined && requiredOnSparse[type]?.includes(field)) required[field] = now[field];
    const sparse = type === 'Attachable' ? now : { sparse: true };
    return this.save(type, { ...sparse, ...required, Id: now.Id, SyncToken: now.SyncToken, ...patch });
  }

  async end(type: string, id: string, how: 'delete' | 'void'): Promise<void> {
    const { Id, SyncToken } = await this.read(type, id);
    const included = type === 'SalesReceipt' || type === 'BillPayment';
    const query =
      how === 'delete' ? '?operation=delete' : included ? '?operation=update&include=void' : '?operation=void';
    await this.save(type, { Id, SyncToken, ...(included && how === 'void' && { sparse: true }) }, query);
  }

  // --- bodies --------------------------------------------------------------------------------------------------------

  /** A document that refers to this name. */
  async uses(type: string, name: Raw): Promise<{ type: string; id: string }> {
    const expense = (more: Raw): Raw => ({
      ...{ PaymentType: 'Cash', AccountRef: ref(this.bank) },
      Line: [{ ...this.expenseLine(3), AccountBasedExpenseLineDetail: { AccountRef: ref(this.expense), ...more } }],
    });
    const bodies: Readonly<Record<string, [string, Raw]>> = {
      Account: ['Purchase', expense({ AccountRef: ref(name) })],
      Class: ['Purchase', expense({ ClassRef: ref(name) })],
      Customer: ['Invoice', { ...this.sale(6), CustomerRef: ref(name) }],
      Department: ['Purchase', { ...expense({}), DepartmentRef: ref(name) }],
      Employee: ['TimeActivity', { NameOf: 'Employee', EmployeeRef: ref(name), Hours: 1 }],
      Item: ['Invoice', { ...this.sale(6), Line: [this.saleLine(6, name)] }],
      PaymentMethod: ['Payment', { CustomerRef: ref(this.customer), TotalAmt: 6, PaymentMethodRef: ref(name) }],
      Vendor: ['Bill', { ...this.purchase(6), VendorRef: ref(name) }],
    };
    const [user, body] = bodies[type]!;
    return { type: user, id: String((await this.save(user, body)).Id) };
  }

  saleLine(amount: number, item: Raw = this.service, more: Raw = {}): Raw {
    return {
      ...{ DetailType: 'SalesItemLineDetail', Amount: amount, Description: `for ${amount}`, ...more },
      SalesItemLineDetail: { ItemRef: ref(item), Qty: 1, UnitPrice: amount },
    };
  }

  expenseLine(amount: number, account: Raw = this.expense): Raw {
    return {
      ...{ DetailType: 'AccountBasedExpenseLineDetail', Amount: amount, Description: `for ${amount}` },
      AccountBasedExpenseLineDetail: { AccountRef: ref(account) },
    };
  }

  itemLine(amount: number): Raw {
    return {
      ...{ DetailType: 'ItemBasedExpenseLineDetail', Amount: amount },
      ItemBasedExpenseLineDetail: { ItemRef: ref(this.otherService), Qty: 1, UnitPrice: amount },
    };
  }

  journalLines(amounts: readonly number[], credit: Raw = this.bank): Raw[] {
    const line = (PostingType: string, amount: number, account: Raw): Raw => ({
      ...{ DetailType: 'JournalEntryLineDetail', Amount: amount, Description: `for ${amount}` },
      JournalEntryLineDetail: { PostingType, AccountRef: ref(account) },
    });
    const sum = amounts.reduce((all, one) => all + one, 0);
    return [...amounts.map((amount) => line('Debit', amount, this.expense)), line('Credit', sum, credit)];
  }

  depositLine(amount: number): Raw {
    return {
      ...{ DetailType: 'DepositLineDetail', Amount: amount, Description: `for ${amount}` },
      DepositLineDetail: { AccountRef: ref(this.income) },
    };
  }

  sale(amount = 50): Raw {
    return { CustomerRef: ref(this.customer), Line: [this.saleLine(amount)] };
  }

  purchase(amount = 40): Raw {
    return { VendorRef: ref(this.vendor), Line: [this.expenseLine(amount)] };
  }
}

export const jsonName = (type: string): string => (type === 'CreditCardPayment' ? 'CreditCardPaymentTxn' : type);

/** What even a sparse update must repeat, by the reference pages. */
const requiredOnSparse: Readonly<Record<string, readonly string[]>> = {
  Bill: ['VendorRef', 'Line'],
  BillPayment: ['VendorRef', 'PayType', 'Line', 'TotalAmt'],
  VendorCredit: ['VendorRef', 'Line'],
  PurchaseOrder: ['VendorRef', 'Line'],
  Purchase: ['PaymentType', 'Line'],
  Payment: ['CustomerRef', 'TotalAmt', 'Line'],
  TimeActivity: ['NameOf'],
};
