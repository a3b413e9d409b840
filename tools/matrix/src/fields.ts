// Every writable field of every carried type, set, changed and cleared by a person in the source. The fields come from the
// emulator's catalogue, not from a list of ours, so that one which nobody thought of is tried as well.
import { definitionOf, knownType, withoutNoise } from '#core';
import type { Raw } from '#testing';
import { types } from './acts.js';
import { ref, type Bench } from './bench.js';
import { catalogue, type CatalogueField } from './catalogue.js';
import { payBill, rows } from './rows.js';

export type FieldAct = 'field set' | 'field changed' | 'field cleared';
export const fieldSteps: readonly FieldAct[] = ['field set', 'field changed', 'field cleared'];

export interface FieldStory {
  type: string;
  field: string;
  make: (b: Bench) => Promise<Raw>;
  /** what is sent for the field, in the order of `fieldSteps` */
  values: (b: Bench) => readonly [unknown, unknown, unknown?] | undefined;
}

/** Fields that acts of their own try, each with its column. */
export const byOtherActs = new Set([
  'Active',
  'Line',
  'LinkedTxn',
  'ParentRef',
  'SubAccount',
  'SubClass',
  'SubDepartment',
  'AttachableRef',
]);
/** What makes the record what it is: another value is another record, or its kind decides about it. */
export const kinds = new Set([
  'Type',
  'AccountType',
  'AccountSubType',
  'NameOf',
  'PaymentType',
  'PayType',
  'Credit',
  'CurrencyRef',
  'TotalAmt',
  'Job',
  'TrackQtyOnHand',
  'ExchangeRate',
  'Code',
  'SourceCurrencyCode',
  'AsOfDate',
  // of a file: they come with its bytes
  'FileName',
  'ContentType',
]);

export function fieldStories(only?: string): FieldStory[] {
  return types
    .filter((type) => rows[type] && knownType(type) && type !== 'RecurringTransaction' && type !== 'ExchangeRate')
    .filter(
      (type) =>
        definitionOf(type).operations.includes('update') || definitionOf(type).operations.includes('sparse-update'),
    )
    .filter((type) => only === undefined || only === type)
    .flatMap((type) => catalogue(type).fields.flatMap((field) => storyOf(type, field)));
}

/**
 * Not taken over on purpose (the registry says so), of another country's books, or of a form that no single value fills and
 * that lines and links bring along.
 */
export function isLeftOut(type: string, field: CatalogueField): boolean {
  const { readOnly, noise, writeOnce, forced, nameField } = definitionOf(type);
  const { name } = field;
  if ([...readOnly, ...noise, ...writeOnce, ...Object.keys(forced), 'CustomField'].includes(name)) return true;
  if (name === nameField || ['Id', 'SyncToken', 'MetaData', 'domain', 'sparse'].includes(name)) return true;
  if (Object.keys(withoutNoise({ [name]: 'x' })).length === 0) return true;
  return (field.locales && !field.locales.includes('US')) || valuesOf(type, field) === undefined;
}

function storyOf(type: string, field: CatalogueField): FieldStory[] {
  const { name } = field;
  if (field.readOnly || field.writeOnCreateOnly || byOtherActs.has(name) || kinds.has(name)) return [];
  if (isLeftOut(type, field)) return [];
  const sample = valuesOf(type, field);
  if (!sample) return [];
  const row = rows[type]!;
  return [
    {
      type,
      field: name,
      make: async (b) => {
        const body = type === 'BillPayment' ? await payBill(b) : row.make(b);
        if (body[name] === undefined) return b.save(type, body);
        const { [name]: given, ...without } = body;
        // Where QuickBooks wants it from the beginning, the first step changes it.
        return b.save(type, without).catch(() => b.save(type, { ...without, [name]: given as unknown }));
      },
      values: (b) => {
        const pair = sample(b);
        // A choice has no empty value: a person can only choose another one.
        if (field.type === 'enum') return pair && [pair[0], pair[1]];
        return pair && [pair[0], pair[1], field.type === 'string' ? '' : null];
      },
    },
  ];
}

type Pair = (b: Bench) => readonly [unknown, unknown] | undefined;

function valuesOf(type: string, field: CatalogueField): Pair | undefined {
  switch (field.type) {
    case 'string': {
      if (field.pattern) return undefined;
      const long = Math.min(field.maxLength ?? 20, 20);
      return () => [`first ${field.name}`.slice(0, long), `other ${field.name}`.slice(0, long)];
    }
    case 'decimal':
      return () => [3, 4];
    case 'boolean':
      return () => [true, false];
    case 'date':
      return () => ['2026-03-01', '2026-03-02'];
    case 'enum': {
      const [one, other] = field.enum ?? [];
      return one !== undefined && other !== undefined ? () => [other, one] : undefined;
    }
    case 'ref':
      return (b) => refs(b, type, field);
    case 'object':
      return objects[field.of ?? ''];
    default:
      return undefined;
  }
}

const objects: Readonly<Record<string, Pair>> = {
  TelephoneNumber: () => [{ FreeFormNumber: '555 0201' }, { FreeFormNumber: '555 0202' }],
  EmailAddress: () => [{ Address: 'one@example.com' }, { Address: 'two@example.com' }],
  WebSiteAddress: () => [{ URI: 'http://one.example.com' }, { URI: 'http://two.example.com' }],
  PhysicalAddress: () => [
    { Line1: '1 First Street', City: 'Springfield' },
    { Line1: '2 Second Street', City: 'Shelbyville' },
  ],
  MemoRef: () => [{ value: 'first memo' }, { value: 'other memo' }],
};

function refs(b: Bench, type: string, { name, refTo = [] }: CatalogueField): readonly [unknown, unknown] | undefined {
  const pair = (one: Raw, other: Raw) => [ref(one), ref(other)] as const;
  const accounts: Readonly<Record<string, readonly [Raw, Raw]>> = {
    IncomeAccountRef: [b.income, b.otherIncome],
    ExpenseAccountRef: [b.expense, b.otherExpense],
    AdjustAccountRef: [b.shrinkage, b.expense],
    CreditCardAccountRef: [b.card, b.card],
    ARAccountRef: [b.receivable, b.receivable],
    APAccountRef: [b.payable, b.payable],
  };
  if (name === 'EntityRef') {
    return [
      { type: 'Vendor', value: b.vendor.Id as string },
      { type: 'Vendor', value: b.otherVendor.Id as string },
    ];
  }
  switch (refTo[0]) {
    case 'Account': {
      const [one, other] = accounts[name] ?? (type === 'Purchase' ? [b.savings, b.bank] : [b.bank, b.savings]);
      return pair(one, other);
    }
    case 'Customer':
      return pair(b.customer, b.otherCustomer);
    case 'Vendor':
      return pair(b.vendor, b.otherVendor);
    case 'Employee':
      return pair(b.employee, b.otherEmployee);
    case 'Item':
      return pair(b.service, b.otherService);
    case 'Class':
      return pair(b.parentClass, b.otherClass);
    case 'Department':
      return pair(b.parentDepartment, b.otherDepartment);
    case 'Term':
      return pair(b.term, b.otherTerm);
    case 'PaymentMethod':
      return pair(b.method, b.otherMethod);
    case 'TaxCode':
      return [{ value: 'NON' }, { value: 'TAX' }];
    case 'ShipMethod':
      return [{ value: 'UPS' }, { value: 'FedEx' }];
    default:
      return undefined;
  }
}
