// Why an act cannot be done to a type: by QuickBooks' own rules (operations by entity, linked transactions), in words.
import { definitionOf, knownType } from '#core';
import type { ActName } from './acts.js';
import { rows, type Row } from './rows.js';

const own: Readonly<Record<string, string>> = {
  TaxService: 'a way of making tax codes, not a record: see TaxCode',
  TaxRate: 'a rate lives and ends with the tax code that uses it: see TaxCode',
  TaxCode: 'a tax code can only be made, through the tax service',
};

const names = new Set([
  'Account',
  'Class',
  'CompanyCurrency',
  'Customer',
  'Department',
  'Employee',
  'Item',
  'PaymentMethod',
  'Term',
  'Vendor',
]);

/** A reason, or undefined when the act can be done. */
/** Types whose records hold the link to one of this type: the link is written and judged from their side. */
export function ownersOf(type: string, act: 'link' | 'unlink'): string[] {
  return Object.entries(rows).flatMap(([owner, row]) =>
    Object.keys((act === 'link' ? row.links : row.unlinks) ?? {}).includes(type) ? [owner] : [],
  );
}

/** Names that a person can merge in the product's own screens. */
export const mergeable = ['Account', 'Class', 'Customer', 'Department', 'Employee', 'Item', 'PaymentMethod', 'Vendor'];

export function whyImpossible(type: string, act: ActName): string | undefined {
  const row = rows[type];
  if (type === 'TaxCode' && act === 'create') return undefined;
  if (own[type]) return own[type];
  const reported = knownType(type) ? definitionOf(type).reportedBecause : undefined;
  if (!row) return reported ?? 'the type is not in the registry yet';
  return reasons[act](type, row);
}

const isName = (type: string): boolean => names.has(type);
const noUpdate = (type: string): string | undefined => {
  if (type === 'TaxAgency') return 'QuickBooks offers no update of a tax agency';
  if (type === 'RecurringTransaction') return 'QuickBooks offers no update of a template: it is deleted and made again';
  return undefined;
};

const reasons: Record<ActName, (type: string, row: Row) => string | undefined> = {
  create: () => undefined,
  'field set': (type, row) =>
    noUpdate(type) ?? (row.set ? undefined : 'it has no optional field beside those of the other acts'),
  'field changed': (type, row) =>
    noUpdate(type) ?? (row.change ? undefined : 'its only fields are its name and its place in the tree'),
  'field cleared': (type, row) =>
    noUpdate(type) ?? (row.clear ? undefined : 'it has no optional text that QuickBooks would clear'),
  'line added': noLines,
  'line removed': noLines,
  'lines reordered': noLines,
  'reference changed': (type, row) =>
    noUpdate(type) ?? (row.reference ? undefined : 'it refers to nothing, or QuickBooks fixes what it refers to'),
  delete: (type, row) => {
    if (isName(type)) return 'names are never deleted, only made inactive';
    if (type === 'RecurringTransaction') return undefined;
    return row.ends === 'delete' ? undefined : 'QuickBooks offers no deletion of it';
  },
  void: (type, row) => {
    if (row.voids || row.zeroed) return undefined;
    return isName(type) ? 'only transactions are voided' : 'QuickBooks offers no void of it';
  },
  deactivate: onlyNames,
  reactivate: onlyNames,
  rename: (type, row) =>
    row.rename ? undefined : isName(type) ? 'its name is its ISO code' : 'it has no name of its own',
  merge: (type) => {
    if (mergeable.includes(type)) return undefined;
    return isName(type)
      ? 'QuickBooks tells of no merge of this list (operations by entity, webhook letters)'
      : 'only names are merged';
  },
  link: (type, row) => (row.links || ownersOf(type, 'link').length > 0 ? undefined : 'no document links to it'),
  unlink: (type, row) => {
    if (row.unlinks || ownersOf(type, 'unlink').length > 0) return undefined;
    return row.links || ownersOf(type, 'link').length > 0
      ? 'its links end with the record itself, see delete'
      : 'no document links to it';
  },
  'created again': (type, row) =>
    row.ends === 'delete' || type === 'RecurringTransaction'
      ? undefined
      : 'it cannot be deleted, so not made again: see reactivate',
  'its own act': (_type, row) => (row.own ? undefined : 'it has no act beyond those of every record'),
};

function noLines(type: string, row: Row): string | undefined {
  return row.lines ? undefined : (noUpdate(type) ?? 'it has no lines, or all of them are links');
}

function onlyNames(type: string): string | undefined {
  return isName(type) ? undefined : 'only names are made inactive';
}
