// What the service fills in when a client leaves it out: the catalogue's `createDefaults` resolved against the company,
// plus the few captured fills that depend on another record. Applied on create and again on a full update.
import { accountTypeByName, accountTypeBySubType, entityType } from '../catalogue/catalogue.js';
import { plusDays } from '../company/time.js';
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { refusal } from './refusals.js';

type Resolve = (company: Company, rec: Rec, entity: string) => unknown;

function joined(rec: Rec, ...names: string[]): string | undefined {
  const text = names
    .map((n) => rec[n])
    .filter(Boolean)
    .join(' ');
  return text === '' ? undefined : text;
}

function partyCurrency(company: Company, type: string, ref: Rec | undefined): Rec {
  const currency = ref && company.get(type, ref['value'])?.['CurrencyRef']?.value;
  return { value: currency ?? company.homeCurrency(), name: undefined };
}

function accountRef(account: Rec | undefined): Rec | undefined {
  return account && { value: account['Id'], name: undefined };
}

export function dueDate(company: Company, rec: Rec, termRef: Rec | undefined, fallbackDays: number): string {
  const from = rec['TxnDate'] as string;
  const term = termRef && company.get('Term', termRef['value']);
  if (!term) return plusDays(from, fallbackDays);
  if (term['Type'] === 'DATE_DRIVEN' || term['DueDays'] === undefined) return dayDrivenDue(from, term);
  return plusDays(from, Number(term['DueDays'] ?? 0));
}

/** "Due on day N": of this month, or of the next when the document comes too close to it. */
function dayDrivenDue(from: string, term: Rec): string {
  const [year, month, day] = from.split('-').map(Number) as [number, number, number];
  const dueDay = Number(term['DayOfMonthDue'] ?? 1);
  const grace = Number(term['DueNextMonthDays'] ?? 0);
  const skip = dueDay - day < grace || day > dueDay ? 1 : 0;
  const lastDay = new Date(Date.UTC(year, month + skip, 0)).getUTCDate();
  const at = new Date(Date.UTC(year, month - 1 + skip, Math.min(dueDay, lastDay)));
  return at.toISOString().slice(0, 10);
}

const RESOLVERS: Record<string, Resolve> = {
  $today: (company) => company.today(),
  $home: (company) => ({ value: company.homeCurrency(), name: undefined }),
  '$CustomerRef.CurrencyRef|home': (company, rec) => partyCurrency(company, 'Customer', rec['CustomerRef']),
  '$VendorRef.CurrencyRef|home': (company, rec) => partyCurrency(company, 'Vendor', rec['VendorRef']),
  '$AccountRef.CurrencyRef|home': (company, rec) => partyCurrency(company, 'Account', rec['AccountRef']),
  '$CustomerRef.BillAddr': (company, rec) => copyOf(company.get('Customer', rec['CustomerRef']?.value)?.['BillAddr']),
  '$CustomerRef.ShipAddr': (company, rec) => copyOf(company.get('Customer', rec['CustomerRef']?.value)?.['ShipAddr']),
  // A check says where it is sent: the vendor's own address, id and all (captured: Purchase 109, 115).
  '$check to vendor': (company, rec) =>
    rec['PaymentType'] === 'Check' && rec['EntityRef']?.type === 'Vendor'
      ? copyOf(company.get('Vendor', rec['EntityRef'].value)?.['BillAddr'])
      : undefined,
  $company: (company, _rec, entity) => (entity === 'Customer' ? companyTaxCode(company) : shipFrom(company)),
  $defaultAP: (company, rec) =>
    // The ledger makes the control account of a currency at its first use; what it owes stays on it.
    accountRef(
      company.get(
        'Account',
        company.ledger.account('AccountsPayable', rec['CurrencyRef']?.value ?? company.homeCurrency()),
      ),
    ),
  $UndepositedFunds: (company) => accountRef(company.accountBySubType('UndepositedFunds')),
  $companySetting: (company) => company.preferences()['SalesFormsPrefs']?.ETransactionPaymentEnabled === true,
  '$terms|TxnDate+30d': (company, rec) => dueDate(company, rec, rec['SalesTermRef'], 30),
  '$terms|TxnDate': (company, rec) => dueDate(company, rec, rec['SalesTermRef'], 0),
  '$GivenName FamilyName|DisplayName': (_company, rec) =>
    rec['CompanyName'] ?? joined(rec, 'GivenName', 'FamilyName') ?? rec['DisplayName'],
  $DisplayName: (_company, rec) => rec['DisplayName'],
  '$Title GivenName MiddleName FamilyName Suffix': (_company, rec) =>
    joined(rec, 'Title', 'GivenName', 'MiddleName', 'FamilyName', 'Suffix') ?? rec['CompanyName'],
  '$GivenName MiddleName FamilyName': (_company, rec) => joined(rec, 'GivenName', 'MiddleName', 'FamilyName'),
  // Left to computeDocument, the numbering and the ledger.
  $TotalAmt: () => undefined,
  '$TotalAmt-applied': () => undefined,
  $seq: () => undefined,
  '$accountTypes.default': (_company, rec) => accountTypeByName.get(rec['AccountType'])?.default,
  '$accountTypes.classification': (_company, rec) =>
    (accountTypeByName.get(rec['AccountType']) ?? accountTypeBySubType.get(rec['AccountSubType']))?.classification,
};

function copyOf(address: Rec | undefined): Rec | undefined {
  return address && { ...address };
}

/** The company's address as two free lines, `City, ST  ZIP` with two spaces (captured). */
function shipFrom(company: Company): Rec | undefined {
  const address = company.companyInfo()['CompanyAddr'] as Rec | undefined;
  if (!address?.['Line1']) return undefined;
  const city = `${address['City'] ?? ''}, ${address['CountrySubDivisionCode'] ?? ''}  ${address['PostalCode'] ?? ''}`;
  return { Line1: address['Line1'], Line2: city };
}

function companyTaxCode(company: Company): Rec | undefined {
  if (company.country() !== 'US' || company.preferences()['TaxPrefs']?.UsingSalesTax !== true) return undefined;
  for (const code of company.all('TaxCode')) {
    if (code['Active'] !== false && code['TaxGroup'] === true) return { value: code['Id'] };
  }
  return undefined;
}

const EXTRA_DEFAULTS: Record<string, Readonly<Record<string, unknown>>> = {
  CreditMemo: { ShipFromAddr: '$company' },
  Estimate: { ShipFromAddr: '$company' },
  SalesReceipt: { BillAddr: '$CustomerRef.BillAddr', ShipAddr: '$CustomerRef.ShipAddr', FreeFormAddress: true },
  RefundReceipt: {
    ...{ BillAddr: '$CustomerRef.BillAddr', ShipAddr: '$CustomerRef.ShipAddr', FreeFormAddress: true, CustomField: [] },
    ...{ TxnTaxDetail: { TotalTax: 0 }, Balance: 0 },
  },
  Vendor: { BillRate: 0, CostRate: 0 },
  PurchaseOrder: { APAccountRef: '$defaultAP' },
  Term: { Type: '$termType', DiscountPercent: 0, DiscountDays: undefined },
  Purchase: { PrintStatus: undefined, RemitToAddr: '$check to vendor' },
  InventoryAdjustment: { TxnDate: '$today' },
  CreditCardPayment: { TxnDate: '$today', CurrencyRef: '$home' },
  Customer: {},
};
/** Catalogue defaults that captures contradict: an unlinked Estimate has no LinkedTxn at all. */
const WITHDRAWN: Record<string, readonly string[]> = { Estimate: ['LinkedTxn'] };

RESOLVERS['$termType'] = (_company, rec) => (rec['DueDays'] !== undefined ? 'STANDARD' : 'DATE_DRIVEN');

// Order matters: the party's currency and the dates feed later defaults.
const FIRST = ['TxnDate', 'CurrencyRef', 'AccountSubType', 'DisplayName'];

const tables = new Map<string, readonly (readonly [string, unknown])[]>();

function defaultsOf(entity: string): readonly (readonly [string, unknown])[] {
  const known = tables.get(entity);
  if (known) return known;
  const withdrawn = WITHDRAWN[entity] ?? [];
  const merged = { ...entityType(entity).createDefaults, ...EXTRA_DEFAULTS[entity] };
  const rows = Object.entries(merged).filter(([name]) => !withdrawn.includes(name));
  rows.sort(([a], [b]) => Number(FIRST.includes(b)) - Number(FIRST.includes(a)));
  tables.set(entity, rows);
  return rows;
}

/** Every address gets an id of its own, or keeps the one it had. In place. */
export function identifyAddresses(company: Company, entity: string, rec: Rec, before: Rec | undefined): void {
  for (const field of entityType(entity).fields.values()) {
    if (field.of !== 'PhysicalAddress' || field.type !== 'object') continue;
    const address = rec[field.name] as Rec | undefined;
    if (!address || address['Id'] !== undefined) continue;
    const id = (before?.[field.name]?.Id as string | undefined) ?? company.nextId('addresses');
    rec[field.name] = { Id: id, ...address };
  }
}

/** Defaults are at most one level deep; records must not share them. */
function fresh(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? [] : { ...value };
}

export function applyDefaults(company: Company, entity: string, rec: Rec): void {
  if (entity === 'Account' && rec['AccountType'] === undefined && rec['AccountSubType'] !== undefined) {
    const row = accountTypeBySubType.get(rec['AccountSubType']);
    if (!row) throw refusal('6010', `Invalid account type: AccountSubType=${rec['AccountSubType']}`, 'AccountSubType');
    rec['AccountType'] = row.type;
  }
  for (const [name, value] of defaultsOf(entity)) {
    if (rec[name] !== undefined || value === undefined) continue;
    const resolve = typeof value === 'string' && value.startsWith('$') ? RESOLVERS[value] : undefined;
    const filled = resolve ? resolve(company, rec, entity) : fresh(value);
    if (filled !== undefined && filled !== null) rec[name] = filled;
  }
}
