// References inside records: finding them by the catalogue, refusing bad ones, and showing the live name of what they
// point to. Only `value` counts on input; a sent name is dropped and the answer carries the real one.
import { entityType, objectType, type Field, type ObjectType } from '../catalogue/catalogue.js';
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { badReference, notFound, refusal } from './refusals.js';

type Visit = (field: Field, ref: Rec, holder: Rec) => void;

interface Walk {
  readonly refs: readonly Field[];
  readonly nested: readonly { readonly name: string; readonly many: boolean; readonly type: ObjectType }[];
}

const walks = new WeakMap<ObjectType, Walk>();

/** Which fields of a type are references and which lead to more of them; computed once per type. */
function walkOf(type: ObjectType): Walk {
  const known = walks.get(type);
  if (known) return known;
  const refs: Field[] = [];
  const nested: { name: string; many: boolean; type: ObjectType }[] = [];
  const walk: Walk = { refs, nested };
  walks.set(type, walk);
  for (const field of type.fields.values()) {
    if (field.type === 'ref') refs.push(field);
    else if (field.type === 'object' && field.of) {
      const inner = objectType(field.of);
      if (inner && leadsToRefs(inner)) nested.push({ name: field.name, many: false, type: inner });
    } else if (field.type === 'array' && field.items?.of) {
      const inner = objectType(field.items.of);
      if (inner && leadsToRefs(inner)) nested.push({ name: field.name, many: true, type: inner });
    }
  }
  return walk;
}

function leadsToRefs(type: ObjectType): boolean {
  for (const field of type.fields.values()) {
    if (field.type === 'ref' || field.of || field.items?.of) return true;
  }
  return false;
}

const lineType = objectType('Line');
const lineDetails = new Map(
  [...(lineType?.fields.values() ?? [])].flatMap((field) => {
    const inner = field.type === 'object' && field.of ? objectType(field.of) : undefined;
    return inner ? [[field.name, inner] as const] : [];
  }),
);

export function eachRef(rec: Rec, type: ObjectType, visit: Visit): void {
  if (type === lineType) {
    // A line names the one detail it has: looking there only is what keeps 1,000 rendered documents within 20 ms.
    const detailType = rec['DetailType'] as string | undefined;
    const inner = detailType === undefined ? undefined : lineDetails.get(detailType);
    if (inner && rec[detailType!]) {
      eachRef(rec[detailType!], inner, visit);
      return;
    }
  }
  const { refs, nested } = walkOf(type);
  for (const field of refs) {
    const ref = rec[field.name];
    if (ref && typeof ref === 'object' && ref.value !== undefined) visit(field, ref, rec);
  }
  for (const { name, many, type: inner } of nested) {
    const value = rec[name];
    if (!value) continue;
    if (many) {
      if (Array.isArray(value)) for (const item of value) if (item) eachRef(item, inner, visit);
    } else eachRef(value, inner, visit);
  }
}

const PSEUDO_TAX_CODES = new Set(['TAX', 'NON', 'CustomSalesTax']);
const SPECIAL_ITEMS = new Set(['SHIPPING_ITEM_ID', 'GRATUITY_ITEM_ID']);
const TYPE_OF_NAME: Record<string, string> = { customer: 'Customer', vendor: 'Vendor', employee: 'Employee' };

/** The entity type a reference points to, or undefined when nothing readable stands behind it. */
export function targetType(field: Field, ref: Rec, holder: Rec): string | undefined {
  const to = field.refTo;
  if (!to || field.refExternal || to[0] === '*') return undefined;
  if (to.length === 1) return to[0];
  const named = TYPE_OF_NAME[String(ref['type'] ?? holder['Type'] ?? '').toLowerCase()];
  return named ?? to[0];
}

function isPseudo(type: string, id: string): boolean {
  return (type === 'TaxCode' && PSEUDO_TAX_CODES.has(id)) || (type === 'Item' && SPECIAL_ITEMS.has(id));
}

/**
 * Refuses references that do not stand: unknown ones with 2500, inactive ones with 610 unless `before` already had them
 * (a reference made while its target was active stays valid), accounts of the wrong type with 6430.
 */
export function checkReferences(company: Company, entity: string, rec: Rec, before: Rec | undefined): void {
  const definition = entityType(entity);
  let kept: Set<string> | undefined;
  const keptRefs = (): Set<string> => {
    if (!kept) {
      const set = new Set<string>();
      if (before) eachRef(before, definition, (field, ref) => set.add(`${field.name}|${ref['value']}`));
      kept = set;
    }
    return kept;
  };
  eachRef(rec, definition, (field, ref, holder) => {
    const id = ref['value'] as string;
    if (field.refTo?.[0] === 'CompanyCurrency') {
      checkCurrency(company, field, id);
      return;
    }
    const type = targetType(field, ref, holder);
    if (!type || isPseudo(type, id)) return;
    const target = company.get(type, id);
    if (!target) {
      if (before && keptRefs().has(`${field.name}|${id}`)) return;
      throw badReference(type, id.slice(0, 40), field.name);
    }
    if (target['Active'] === false && !keptRefs().has(`${field.name}|${id}`)) throw notFound(field.name);
    if (type === 'Account' && field.accountTypes && !accountFits(field, target, entity)) {
      if (before && keptRefs().has(`${field.name}|${id}`)) return;
      throw refusal(
        '6430',
        `Invalid account type: ${field.name} must be of type ${field.accountTypes.join(' or ')}, ${target['Name']} is ${target['AccountType']}.`,
        field.name,
      );
    }
  });
}

// The catalogue names the documented types; the service takes their kin as well (Other Income for Income and so on).
const KIN: Record<string, readonly string[]> = {
  Income: ['Other Income'],
  Expense: ['Other Expense', 'Cost of Goods Sold'],
  'Cost of Goods Sold': ['Expense'],
};

function accountFits(field: Field, account: Rec, entity: string): boolean {
  const type = account['AccountType'] as string;
  if (field.accountTypes!.includes(type)) return true;
  if (entity === 'Item') return field.accountTypes!.some((t) => KIN[t]?.includes(type));
  // Deposits take any balance-sheet line in practice except the two control accounts of the other side.
  if (entity === 'Deposit' && field.name === 'AccountRef') return type !== 'Non-Posting';
  return false;
}

function checkCurrency(company: Company, field: Field, code: string): void {
  if (code === company.homeCurrency()) return;
  if (!/^[A-Z]{3}$/.test(code)) throw refusal('2220', `Invalid Currency : ${code.slice(0, 20)}`, field.name);
  if (!company.multicurrency()) {
    throw refusal(
      '6000',
      `Business Validation Error: Multi Currency should be enabled to perform this operation.`,
      field.name,
    );
  }
}

// --- names ----------------------------------------------------------------------------------------------------------
/** References that are shown without a name, as captured. */
const NAMELESS = new Set([
  'TaxCodeRef',
  'TxnTaxCodeRef',
  'TaxRateRef',
  'AgencyRef',
  'ParentRef',
  'DefaultTaxCodeRef',
  'TermRef',
]);
const NAMELESS_AT = new Set([
  ...['Payment.DepositToAccountRef', 'Payment.PaymentMethodRef', 'Bill.SalesTermRef', 'Deposit.PaymentMethodRef'],
  ...['Customer.PaymentMethodRef', 'Customer.SalesTermRef'],
]);

export const CURRENCY_NAMES: Readonly<Record<string, string>> = {
  USD: 'United States Dollar',
  EUR: 'Euro',
  GBP: 'British Pound Sterling',
  CAD: 'Canadian Dollar',
  AUD: 'Australian Dollar',
  INR: 'Indian Rupee',
  JPY: 'Japanese Yen',
  CHF: 'Swiss Franc',
  NZD: 'New Zealand Dollar',
  MXN: 'Mexican Peso',
  SEK: 'Swedish Krona',
  NOK: 'Norwegian Krone',
  DKK: 'Danish Krone',
  PLN: 'Polish Zloty',
  SGD: 'Singapore Dollar',
  HKD: 'Hong Kong Dollar',
  ZAR: 'South African Rand',
  CNY: 'Chinese Yuan',
  BRL: 'Brazilian Real',
};

function liveName(company: Company, type: string, id: string): string | undefined {
  const target = company.get(type, id);
  if (!target) return undefined;
  switch (type) {
    case 'Account':
    case 'Item':
    case 'Class':
    case 'Department':
      return target['FullyQualifiedName'] ?? target['Name'];
    case 'Customer':
    case 'Vendor':
    case 'Employee':
    case 'TaxAgency':
      return target['DisplayName'];
    default:
      return target['Name'];
  }
}

/** Brings the shown names up to date, in place: names are resolved when read, so a rename shows everywhere at once. */
export function refreshNames(company: Company, entity: string, rec: Rec): Rec {
  eachRef(rec, entityType(entity), (field, ref, holder) => {
    if (field.refTo?.[0] === 'CompanyCurrency') {
      ref['name'] = CURRENCY_NAMES[ref['value']] ?? ref['value'];
      return;
    }
    if (NAMELESS.has(field.name) || NAMELESS_AT.has(`${entity}.${field.name}`)) {
      if (ref['name'] !== undefined) ref['name'] = undefined;
      return;
    }
    const type = targetType(field, ref, holder);
    const name = type && liveName(company, type, ref['value']);
    // A reference into something this company never had (imported) keeps the name it came with.
    if (name !== undefined) ref['name'] = name;
  });
  return rec;
}
