// What is special about a type, one small entry each: rules that the catalogue cannot say as data. Anything general
// belongs to the engine; anything here names its evidence or says that it is inferred.
import { Decimal } from 'decimal.js';
import {
  accountTypeByName,
  accountTypeBySubType,
  entityNamed,
  unclassifiedSubTypes,
  type EntityType,
} from '../catalogue/catalogue.js';
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import type { Engine, Happening } from './engine.js';
import { renameDescendants } from './names.js';
import { business, refusal, requiredMissing, unsupported } from './refusals.js';

export interface TypeRule {
  /** After reading, before required fields are checked. */
  readonly read?: (company: Company, rec: Rec, before: Rec | undefined) => void;
  /** After defaults and lines, before references are checked. */
  readonly settle?: (company: Company, rec: Rec, before: Rec | undefined, options: { person?: boolean }) => void;
  /** With id and times given, before the record is stored for the first time. */
  readonly create?: (company: Company, rec: Rec) => void;
  /** Follow-up writes (opening balances). `body` is what the client sent. */
  readonly created?: (engine: Engine, rec: Rec, body: Rec, happenings: Happening[]) => void;
  readonly updated?: (engine: Engine, rec: Rec, before: Rec, happenings: Happening[]) => void;
  readonly removed?: (engine: Engine, rec: Rec) => void;
}

const PERSON_NAME_PARTS = ['Title', 'GivenName', 'MiddleName', 'FamilyName', 'Suffix'];

function needsSomeName(rec: Rec): void {
  if (rec['DisplayName']) return;
  if (PERSON_NAME_PARTS.some((part) => rec[part]) || rec['CompanyName']) return;
  throw refusal(
    '6080',
    'Name missing : DisplayName or one of Title, GivenName, MiddleName, FamilyName, Suffix is required',
    'DisplayName',
  );
}

/** Accounts the books cannot do without; the service refuses to retire them. */
const SYSTEM_SUBTYPES = new Set([
  ...['AccountsReceivable', 'AccountsPayable', 'UndepositedFunds', 'RetainedEarnings', 'OpeningBalanceEquity'],
  ...['GlobalTaxPayable', 'SalesTaxPayable', 'ExchangeGainOrLoss'],
]);

function refuseWithBalance(rec: Rec, before: Rec | undefined, balance: unknown): void {
  if (rec['Active'] !== false || before?.['Active'] === false) return;
  if (Number(balance ?? 0) !== 0)
    throw refusal('6220', 'List object has a balance : it cannot be made inactive until the balance is 0', 'Active');
}

function settleAccount(company: Company, rec: Rec, before: Rec | undefined): void {
  const type = accountTypeByName.get(rec['AccountType']);
  if (!type)
    throw refusal('6010', 'Invalid account type : neither AccountType nor AccountSubType was given', 'AccountType');
  if (!before && type.type === 'Non-Posting')
    throw refusal('6010', 'Invalid account type : Non-Posting accounts cannot be created', 'AccountType');
  if (before && before['AccountType'] !== rec['AccountType'] && before['AccountSubType'] === rec['AccountSubType']) {
    rec['AccountSubType'] = type.default;
  }
  const subType = rec['AccountSubType'] as string;
  if (!type.subTypes.includes(subType) && !unclassifiedSubTypes.has(subType)) {
    throw accountTypeBySubType.has(subType)
      ? refusal(
          '6010',
          `Invalid account type : AccountSubType ${subType} does not belong to AccountType ${type.type}`,
          'AccountSubType',
        )
      : refusal('2170', `Invalid Enumeration : ${String(subType).slice(0, 60)}`, 'AccountSubType');
  }
  rec['Classification'] = type.classification;
  if (!before && (rec['AccountSubType'] === 'RetainedEarnings' || rec['AccountSubType'] === 'UndepositedFunds')) {
    if (company.accountBySubType(rec['AccountSubType']))
      throw business(`There can be only one account of type ${rec['AccountSubType']}.`);
  }
  if (rec['Active'] === false && before && before['Active'] !== false) {
    if (SYSTEM_SUBTYPES.has(before['AccountSubType']))
      throw business(`${before['Name']} is used by the system and cannot be made inactive.`);
    refuseWithBalance(rec, before, before['CurrentBalance']);
    for (const child of company.childrenOf('Account', before['Id'])) {
      if (company.get('Account', child)?.['Active'] !== false)
        throw business('An account with active sub-accounts cannot be made inactive.');
    }
  }
  if (!before) {
    checkAccountLimit(company);
    delete rec['OpeningBalance'];
    delete rec['OpeningBalanceDate'];
  }
}

const ACCOUNT_LIMIT = 250;
const LIMITED_PLANS = /SIMPLE|ESSENTIAL|PLUS/i;

function checkAccountLimit(company: Company): void {
  if (company.count('Account') < ACCOUNT_LIMIT || !LIMITED_PLANS.test(planOf(company))) return;
  let active = 0;
  for (const account of company.all('Account')) if (account['Active'] !== false) active += 1;
  if (active >= ACCOUNT_LIMIT) throw business(`Usage limit reached: this plan has at most ${ACCOUNT_LIMIT} accounts.`);
}

function opening(amount: unknown): number {
  const n = Number(amount ?? 0);
  return Number.isFinite(n) ? n : 0;
}

/** An opening balance is a transaction of its own: a Deposit for banks, else a JournalEntry (ledger.md 1.5). */
function openAccount(engine: Engine, rec: Rec, body: Rec, happenings: Happening[]): void {
  const { company } = engine;
  const amount = opening(body['OpeningBalance']);
  if (amount === 0 || rec['Classification'] === 'Revenue' || rec['Classification'] === 'Expense') return;
  const equity = company.ensureAccount({
    name: 'Opening Balance Equity',
    type: 'Equity',
    subType: 'OpeningBalanceEquity',
  });
  const date = body['OpeningBalanceDate'] ?? company.today();
  if (rec['AccountType'] === 'Bank' && amount > 0) {
    const deposit = engine.create('Deposit', {
      DepositToAccountRef: { value: rec['Id'] },
      TxnDate: date,
      PrivateNote: 'Opening Balance',
      Line: [
        { Amount: amount, DetailType: 'DepositLineDetail', DepositLineDetail: { AccountRef: { value: equity['Id'] } } },
      ],
    });
    happenings.push(...deposit.happenings);
    return;
  }
  const debit = (rec['Classification'] === 'Asset') === amount > 0;
  const line = (accountId: string, posting: string): Rec => ({
    Description: 'Opening Balance',
    Amount: Math.abs(amount),
    DetailType: 'JournalEntryLineDetail',
    JournalEntryLineDetail: { PostingType: posting, AccountRef: { value: accountId } },
  });
  const entry = engine.create('JournalEntry', {
    TxnDate: date,
    PrivateNote: 'Opening Balance',
    Line: [line(rec['Id'], debit ? 'Debit' : 'Credit'), line(equity['Id'], debit ? 'Credit' : 'Debit')],
  });
  happenings.push(...entry.happenings);
}

function openCustomer(engine: Engine, rec: Rec, body: Rec, happenings: Happening[]): void {
  const amount = opening(body['Balance']);
  if (amount <= 0) return;
  const { company } = engine;
  const date = body['OpenBalanceDate'] || company.today();
  const income = company.ensureAccount({ name: 'Services', type: 'Income', subType: 'ServiceFeeIncome' });
  let item: Rec | undefined;
  for (const candidate of company.all('Item'))
    if (candidate['Type'] === 'Service' && candidate['Active'] !== false) {
      item = candidate;
      break;
    }
  item ??= engine.create('Item', { Name: 'Services', Type: 'Service', IncomeAccountRef: { value: income['Id'] } }).rec;
  const invoice = engine.create('Invoice', {
    CustomerRef: { value: rec['Id'] },
    TxnDate: date,
    DueDate: date,
    PrivateNote: 'Opening Balance',
    Line: [
      {
        Amount: amount,
        Description: 'Opening Balance',
        DetailType: 'SalesItemLineDetail',
        SalesItemLineDetail: { ItemRef: { value: item['Id'] } },
      },
    ],
  });
  happenings.push(...invoice.happenings);
}

/** A vendor's opening balance is a Bill on Miscellaneous, made in the same second (captured). */
function openVendor(engine: Engine, rec: Rec, body: Rec, happenings: Happening[]): void {
  const amount = opening(body['Balance']);
  if (amount <= 0) return;
  const date = body['OpenBalanceDate'] || engine.company.today();
  const account = engine.company.ensureAccount({
    name: 'Miscellaneous',
    type: 'Other Expense',
    subType: 'OtherMiscellaneousExpense',
  });
  const bill = engine.create('Bill', {
    VendorRef: { value: rec['Id'] },
    TxnDate: date,
    DueDate: date,
    PrivateNote: 'Opening Balance',
    Line: [
      {
        Amount: amount,
        DetailType: 'AccountBasedExpenseLineDetail',
        AccountBasedExpenseLineDetail: { AccountRef: { value: account['Id'] } },
      },
    ],
  });
  happenings.push(...bill.happenings);
}

const ITEM_TYPES = new Set([
  'Inventory',
  'Service',
  'NonInventory',
  'Category',
  'Group',
  'Bundle',
  'Assembly',
  'Fixed Asset',
]);
const CREATABLE_ITEM_TYPES = new Set(['Inventory', 'Service', 'NonInventory', 'Category']);

function settleItem(company: Company, rec: Rec, before: Rec | undefined, options: { person?: boolean }): void {
  const type = rec['Type'] as string;
  if (!ITEM_TYPES.has(type)) throw refusal('2120', `Invalid Type : ${String(type).slice(0, 40)}`, 'Type');
  if (!before && !CREATABLE_ITEM_TYPES.has(type) && !options.person)
    throw refusal('2120', `Invalid Type : items of type ${type} cannot be created`, 'Type');
  if (type === 'Category') {
    for (const name of ['UnitPrice', 'PurchaseCost', 'Taxable', 'TrackQtyOnHand', 'DeferredRevenue']) delete rec[name];
    return;
  }
  if (type === 'Inventory') {
    if (rec['TrackQtyOnHand'] !== true)
      throw refusal('6520', 'TrackQtyOnHand must be true for an inventory item', 'TrackQtyOnHand');
    if (rec['QtyOnHand'] === undefined)
      throw refusal('6520', 'Quantity missing : QtyOnHand is required for an inventory item', 'QtyOnHand');
    for (const name of ['InvStartDate', 'AssetAccountRef', 'IncomeAccountRef', 'ExpenseAccountRef']) {
      if (rec[name] === undefined) throw requiredMissing(name);
    }
    if (company.preferences()['ProductAndServicesPrefs']?.QuantityOnHand === false) {
      throw refusal('5030', 'Feature Not Supported Error : inventory tracking is switched off in this company');
    }
  } else {
    if (before?.['TrackQtyOnHand'] === true) throw business('TrackQtyOnHand cannot be undone.', 'TrackQtyOnHand');
    if (rec['IncomeAccountRef'] === undefined && rec['ExpenseAccountRef'] === undefined && type !== 'Group') {
      throw requiredMissing(type === 'Service' ? 'IncomeAccountRef' : 'IncomeAccountRef');
    }
  }
  if (before && before['TrackQtyOnHand'] === true && rec['TrackQtyOnHand'] === false) {
    throw business('TrackQtyOnHand cannot be undone.', 'TrackQtyOnHand');
  }
  if (before && type === 'Inventory') rec['QtyOnHand'] = before['QtyOnHand'];
  if (before && type === 'Inventory') refuseWithBalance(rec, before, 0);
}

/** Quantity on hand at the start is a system transaction: asset against Opening Balance Equity, dated InvStartDate. */
function openItem(engine: Engine, rec: Rec): void {
  if (rec['Type'] !== 'Inventory') return;
  engine.company.startInventory(rec);
}

/** Categories have no inactive state: setting Active false deletes them (qbo-api.md 2.6). */
function itemUpdated(engine: Engine, rec: Rec, before: Rec, happenings: Happening[]): void {
  if (rec['Type'] === 'Category' && rec['Active'] === false) {
    engine.company.bury('Item', rec['Id']);
    happenings.length = 0;
    happenings.push({ type: 'Item', id: rec['Id'], act: 'delete' });
    return;
  }
  if (rec['FullyQualifiedName'] !== before['FullyQualifiedName']) renameDescendants(engine.company, 'Item', rec['Id']);
}

function treeUpdated(entity: string) {
  return (engine: Engine, rec: Rec, before: Rec): void => {
    const { company } = engine;
    if (rec['FullyQualifiedName'] !== before['FullyQualifiedName']) renameDescendants(company, entity, rec['Id']);
    if (rec['ParentRef']?.value !== before['ParentRef']?.value) {
      company.adoptedBy(entity, rec['Id'], rec['ParentRef']?.value, before['ParentRef']?.value);
    }
  };
}

function settleNamed(rec: Rec, before: Rec | undefined): void {
  if (before && rec['DisplayName'] === undefined) rec['DisplayName'] = before['DisplayName'];
}

function unbilledCharges(company: Company, id: string): boolean {
  for (const charge of company.all('ReimburseCharge')) {
    if (charge['CustomerRef']?.value === id && charge['HasBeenInvoiced'] !== true) return true;
  }
  return false;
}

function positive(name: string) {
  return (_company: Company, rec: Rec): void => {
    if (Number(rec[name] ?? 0) < 0) throw refusal('2290', `Negative Amount : ${name} must not be negative`, name);
  };
}

function checkPurchase(company: Company, rec: Rec): void {
  const account = company.get('Account', rec['AccountRef']?.value);
  const card = account?.['AccountType'] === 'Credit Card';
  if (account && rec['PaymentType'] === 'CreditCard' && !card) {
    throw refusal('6430', 'Invalid account type: PaymentType CreditCard needs a Credit Card account.', 'AccountRef');
  }
  if (account && rec['PaymentType'] !== 'CreditCard' && card) {
    throw refusal(
      '6430',
      `Invalid account type: PaymentType ${rec['PaymentType']} needs a Bank account.`,
      'AccountRef',
    );
  }
  if (rec['Credit'] === true && rec['PaymentType'] !== 'CreditCard')
    throw business('Credit can be set only with PaymentType CreditCard.', 'Credit');
  if (rec['PaymentType'] !== 'CreditCard') delete rec['Credit'];
  if (rec['PaymentType'] === 'Check') rec['PrintStatus'] ??= 'NotSet';
  // The type of the payee is shown even when it was not sent; a bare id is looked up in the shared name sequence.
  const entity = rec['EntityRef'] as Rec | undefined;
  if (entity && !entity['type']) {
    const kind = ['Vendor', 'Customer', 'Employee'].find((t) => company.get(t, entity['value']));
    if (kind) entity['type'] = kind;
  }
}

function checkBillPayment(_company: Company, rec: Rec): void {
  if (rec['PayType'] === 'Check') {
    const zero = Number(rec['TotalAmt'] ?? 0) === 0;
    if (!rec['CheckPayment'] && !zero) throw requiredMissing('CheckPayment');
    if (!zero && rec['CheckPayment']?.BankAccountRef === undefined) throw requiredMissing('BankAccountRef');
    rec['CheckPayment'] ??= {};
    rec['CheckPayment'].PrintStatus ??= 'NotSet';
    delete rec['CreditCardPayment'];
  } else if (rec['PayType'] === 'CreditCard') {
    if (rec['CreditCardPayment']?.CCAccountRef === undefined) throw requiredMissing('CCAccountRef');
    delete rec['CheckPayment'];
  }
  // The A/P account is derived from the bill; a sent one is not echoed (measured).
  delete rec['APAccountRef'];
}

function checkTransfer(_company: Company, rec: Rec): void {
  positive('Amount')(_company, rec);
  if (rec['FromAccountRef']?.value === rec['ToAccountRef']?.value)
    throw business('You cannot transfer from and to the same account.');
}

function checkTime(_company: Company, rec: Rec): void {
  if ((rec['NameOf'] === 'Employee' && rec['VendorRef']) || (rec['NameOf'] === 'Vendor' && rec['EmployeeRef'])) {
    throw refusal('6290', 'Invalid employee or vendor : the name given is not the one NameOf tells of', 'NameOf');
  }
  if (rec['NameOf'] === 'Employee' && !rec['EmployeeRef']) throw requiredMissing('EmployeeRef');
  if (rec['NameOf'] === 'Vendor' && !rec['VendorRef']) throw requiredMissing('VendorRef');
  const hasTime = rec['Hours'] !== undefined || rec['Minutes'] !== undefined || rec['Seconds'] !== undefined;
  if (!hasTime && !(rec['StartTime'] && rec['EndTime']))
    throw refusal('6320', 'Invalid time activity : Hours and Minutes, or StartTime and EndTime, are required', 'Hours');
  if (rec['BillableStatus'] === 'Billable') {
    if (!rec['CustomerRef']) throw refusal('6310', 'A billable time activity needs a CustomerRef', 'CustomerRef');
    if (rec['HourlyRate'] === undefined) throw requiredMissing('HourlyRate');
  }
  if (Number(rec['Minutes'] ?? 0) > 59 || Number(rec['Hours'] ?? 0) < 0)
    throw refusal('2240', 'Number out of range : Minutes', 'Minutes');
}

function checkTerm(_company: Company, rec: Rec): void {
  if (rec['DueDays'] === undefined && rec['DayOfMonthDue'] === undefined) throw requiredMissing('DueDays');
  if (rec['DueDays'] !== undefined && rec['DayOfMonthDue'] !== undefined) {
    throw refusal('2600', 'Conflicting elements : DueDays and DayOfMonthDue', 'DueDays');
  }
  rec['Type'] = rec['DueDays'] !== undefined ? 'STANDARD' : 'DATE_DRIVEN';
}

function checkMail(_company: Company, rec: Rec): void {
  if (rec['EmailStatus'] === 'NeedToSend' && !rec['BillEmail']?.Address && !rec['POEmail']?.Address) {
    throw refusal('6420', 'Email Address Missing : EmailStatus NeedToSend needs an address', 'BillEmail');
  }
}

function checkJournal(company: Company, rec: Rec): void {
  const lines = ((rec['Line'] as Rec[] | undefined) ?? []).filter((l) => l['JournalEntryLineDetail']);
  if (lines.length < 2) throw refusal('6440', 'Split line needed : a journal entry has at least two lines', 'Line');
  for (const line of lines) {
    const detail = line['JournalEntryLineDetail'] as Rec;
    const account = company.get('Account', detail['AccountRef']?.value);
    const kind = detail['Entity']?.Type as string | undefined;
    const filled = detail['Entity']?.EntityRef?.value;
    if (account?.['AccountType'] === 'Accounts Receivable' && (kind !== 'Customer' || !filled)) {
      throw business('When you use Accounts Receivable, you must choose a customer in the Name field.', 'Entity');
    }
    if (account?.['AccountType'] === 'Accounts Payable' && (kind !== 'Vendor' || !filled)) {
      throw business('When you use Accounts Payable, you must choose a vendor in the Name field.', 'Entity');
    }
  }
}

function settlePayment(_company: Company, rec: Rec): void {
  positive('TotalAmt')(_company, rec);
  if (
    rec['CreditCardPayment']?.CreditChargeInfo?.Number &&
    /\d{13,}/.test(String(rec['CreditCardPayment'].CreditChargeInfo.Number))
  ) {
    throw refusal('6530', 'A card number must not be sent to this service', 'CreditCardPayment');
  }
  // A zero payment moves no money, so it names no account (captured: Payment 74).
  if (Number(rec['TotalAmt']) === 0) delete rec['DepositToAccountRef'];
}

function settleAttachable(company: Company, rec: Rec, before: Rec | undefined): void {
  if (!rec['FileName'] && !rec['Note']) throw requiredMissing('Note');
  for (const ref of (rec['AttachableRef'] as Rec[] | undefined) ?? []) {
    const kind = String(ref['EntityRef']?.type ?? '');
    if (NO_ATTACHMENTS.has(kind.toLowerCase()))
      throw refusal('6050', `Attachments are not supported for ${kind}`, 'AttachableRef');
    const id = ref['EntityRef']?.value as string | undefined;
    if (id === undefined) continue;
    if (!kind) throw requiredMissing('EntityRef.type');
    const named = `${entityNamed(kind)?.entity ?? kind} ${id}`;
    // What it pointed to before may be gone by now: files survive what they belong to.
    if (!pointsTo(before, kind, id) && !company.get(entityNamed(kind)?.entity ?? '', id))
      throw business(`The entity ${named} that you are trying to link does not exist. ${named}`);
    ref['IncludeOnSend'] ??= false;
  }
}

function pointsTo(rec: Rec | undefined, kind: string, id: string): boolean {
  return ((rec?.['AttachableRef'] as Rec[] | undefined) ?? []).some(
    ({ EntityRef: to }) => to?.value === id && String(to?.type).toLowerCase() === kind.toLowerCase(),
  );
}

const NO_ATTACHMENTS = new Set([
  'taxcode',
  'taxrate',
  'taxagency',
  'term',
  'paymentmethod',
  'companyinfo',
  'preferences',
  'class',
  'department',
  'budget',
  'exchangerate',
  'attachable',
]);

const personal = (opened?: TypeRule['created']): TypeRule => ({
  read: (_company, rec, before) => {
    settleNamed(rec, before);
    needsSomeName(rec);
  },
  ...(opened && { created: opened }),
});

const RULES: Readonly<Record<string, TypeRule>> = {
  Account: {
    read: (_company, rec, before) => {
      if (rec['OpeningBalance'] && !rec['OpeningBalanceDate'] && !before) {
        throw refusal(
          '6060',
          'Opening balance date missing : OpeningBalanceDate is required with OpeningBalance',
          'OpeningBalanceDate',
        );
      }
      if (!rec['AccountType'] && !rec['AccountSubType'])
        throw refusal('6010', 'Invalid account type : neither AccountType nor AccountSubType was given', 'AccountType');
    },
    settle: settleAccount,
    create: (company, rec) =>
      void (
        Number(rec['Id']) < company.apiAccountFloor && company.startSequenceAt('accounts', company.apiAccountFloor)
      ),
    created: openAccount,
    updated: treeUpdated('Account'),
  },
  Customer: {
    ...personal(openCustomer),
    settle: (company, rec, before) => {
      if (!before) {
        delete rec['OpenBalanceDate'];
        rec['Balance'] = 0;
      } else if (
        company.switches.billWithParent === 'fixed' &&
        (rec['BillWithParent'] === true) !== (before['BillWithParent'] === true)
      ) {
        throw refusal('6130', 'Cannot change who the customer bills with : BillWithParent', 'BillWithParent');
      }
      // What is adjusted away is the customer's own balance; that of a job still stands in the way.
      const adjusted = company.behaviour().deactivateWithBalance === 'adjust' ? Number(before?.['Balance'] ?? 0) : 0;
      const left = new Decimal(Number(before?.['BalanceWithJobs'] ?? 0)).minus(adjusted);
      refuseWithBalance(rec, before, left.toNumber());
      if (rec['Active'] === false && before && before['Active'] !== false && unbilledCharges(company, before['Id'])) {
        throw refusal('6280', 'Customer has unbilled charges : it cannot be made inactive', 'Active');
      }
      ensureCurrency(company, rec);
    },
    updated: treeUpdated('Customer'),
  },
  Vendor: {
    ...personal(openVendor),
    settle: (company, rec, before) => {
      if (!before) {
        delete rec['OpenBalanceDate'];
        rec['Balance'] = 0;
      }
      if (before && rec['PrintOnCheckName'] === undefined) rec['PrintOnCheckName'] = rec['DisplayName'];
      refuseWithBalance(rec, before, before?.['Balance']);
      if (rec['TaxIdentifier'] && !before) rec['TaxIdentifier'] = masked(rec['TaxIdentifier']);
      ensureCurrency(company, rec);
    },
  },
  Employee: {
    read: (company, rec, before) => {
      settleNamed(rec, before);
      if (!before && !rec['GivenName'] && !rec['FamilyName'] && !rec['DisplayName']) throw requiredMissing('GivenName');
      void company;
    },
    settle: (_company, rec, before) => {
      if (rec['SSN'] && rec['SSN'] !== before?.['SSN']) rec['SSN'] = masked(rec['SSN']);
    },
  },
  Item: { settle: settleItem, created: openItem, updated: itemUpdated },
  Class: { updated: treeUpdated('Class') },
  Department: { updated: treeUpdated('Department') },
  Term: { settle: checkTerm },
  Invoice: { settle: checkMail },
  Estimate: { settle: checkMail },
  SalesReceipt: { settle: checkMail },
  CreditMemo: { settle: checkMail },
  RefundReceipt: { settle: checkMail },
  PurchaseOrder: { settle: checkMail },
  Payment: { settle: settlePayment },
  BillPayment: { settle: checkBillPayment },
  Purchase: { settle: checkPurchase },
  Transfer: { settle: checkTransfer },
  CreditCardPayment: { settle: positive('Amount') },
  JournalEntry: { settle: checkJournal },
  TimeActivity: { settle: checkTime },
  Attachable: { settle: settleAttachable },
  CompanyCurrency: {
    settle: (_company, rec) => void (rec['Name'] ??= CURRENCY_NAME(rec['Code'])),
  },
};

const CURRENCY_NAME = (code: string): string => {
  try {
    return new Intl.DisplayNames('en', { type: 'currency' }).of(code) ?? code;
  } catch {
    return code;
  }
};

function masked(value: unknown): string {
  const text = String(value);
  return text.length <= 4 ? text : `${'X'.repeat(text.length - 4)}${text.slice(-4)}`;
}

/** Using an unknown currency on a name adds it to the company's list by itself (qbo-api.md 13.1). */
function ensureCurrency(company: Company, rec: Rec): void {
  const code = rec['CurrencyRef']?.value as string | undefined;
  if (!code || code === company.homeCurrency() || !company.multicurrency()) return;
  if (!/^[A-Z]{3}$/.test(code)) throw refusal('2220', `Invalid Currency : ${code.slice(0, 20)}`, 'CurrencyRef');
  if (company.nameHolder('CompanyCurrency', code, undefined)) return;
  const time = company.now();
  company.insert('CompanyCurrency', {
    Code: code,
    Name: CURRENCY_NAME(code),
    Active: true,
    domain: 'QBO',
    sparse: false,
    Id: company.nextId('companycurrencies'),
    SyncToken: '0',
    MetaData: { CreateTime: time, LastUpdatedTime: time },
  });
}

const NO_RULE: TypeRule = {};

export function ruleFor(entity: string): TypeRule {
  return RULES[entity] ?? NO_RULE;
}

export function isUserAct(act: string): boolean {
  return act !== 'emailed';
}

// --- plan and preference gates -------------------------------------------------------------------------------------
export function planOf(company: Company): string {
  for (const pair of (company.companyInfo()['NameValue'] as Rec[] | undefined) ?? []) {
    if (pair['Name'] === 'OfferingSku') return String(pair['Value']);
  }
  return 'QuickBooks Online Plus';
}

const SWITCHED_BY: Readonly<Record<string, (prefs: Rec) => boolean>> = {
  Class: (p) =>
    p['AccountingInfoPrefs']?.ClassTrackingPerTxn === true ||
    p['AccountingInfoPrefs']?.ClassTrackingPerTxnLine === true,
  Department: (p) => p['AccountingInfoPrefs']?.TrackDepartments === true,
  Estimate: (p) => p['SalesFormsPrefs']?.AllowEstimates !== false,
  CompanyCurrency: (p) => p['CurrencyPrefs']?.MultiCurrencyEnabled === true,
  ExchangeRate: (p) => p['CurrencyPrefs']?.MultiCurrencyEnabled === true,
};

/** Refuses a type that the plan lacks (5020) or that is switched off in the company (5030), or that the locale has not (500). */
export function gate(company: Company, type: EntityType): void {
  if (type.plan) {
    const plan = planOf(company).toLowerCase();
    if (!type.plan.some((p) => plan.includes(p.toLowerCase()))) {
      throw refusal('5020', `Permission Denied Error : ${type.entity} is not available in ${planOf(company)}`);
    }
  }
  if (type.locales && !type.locales.includes(company.country()))
    throw unsupported(`${type.entity} in ${company.country()}`);
  const on = SWITCHED_BY[type.entity];
  if (on && !on(company.preferences())) {
    throw refusal('5030', `Feature Not Supported Error : ${type.entity} is switched off in this company`);
  }
}
