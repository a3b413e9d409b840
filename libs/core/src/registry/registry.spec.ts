import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { segmentsOf } from '../canonical/paths.js';
import type { EntityDefinition } from './definition.js';
import { definitionOf, entityTypes, knownType, typeOfJsonName, typesInRankOrder } from './registry.js';

interface CatalogueField {
  name: string;
  type?: string;
  refTo?: string[];
  readOnly?: boolean;
  neverCopy?: boolean;
}
interface CatalogueEntity {
  entity: string;
  endpoint: string;
  operations: string[];
  cdc: boolean;
  webhook: boolean;
  cdcUnverified?: boolean;
  jsonName?: string;
  requiredOnSparse?: string[];
  wraps?: string[];
  fields: CatalogueField[];
  lines?: { detailType: string | null; detailField?: string; fields: CatalogueField[] }[];
}

// What is known of QBO's types, as data; the emulator keeps its own copy.
const catalogue = JSON.parse(
  readFileSync(join(process.cwd(), 'tools/qbo-emulator/src/catalogue/qbo-entities.json'), 'utf8'),
) as { entities: CatalogueEntity[] };
// No records of its own: the door by which tax codes and rates are made.
const known = catalogue.entities.filter(({ entity }) => entity !== 'TaxService');
/** Types of other systems, which no company has as records of this API. */
const outside = new Set([
  'Project',
  'ShipMethod',
  'TaxExemption',
  'PayrollItem',
  'TaxClassification',
  'RecurringTransaction',
]);

describe('the entity registry', () => {
  const all = Object.values(entityTypes);

  it('knows every type that the catalogue knows, and no other', () => {
    expect(Object.keys(entityTypes).sort()).toEqual(known.map(({ entity }) => entity).sort());
  });

  it.each(known.map((entry) => [entry.entity, entry] as const))('%s agrees with the catalogue', (type, entry) => {
    const definition = definitionOf(type);
    expect(definition.endpoint).toBe(entry.endpoint);
    expect(definition.jsonName).toBe(entry.jsonName);
    for (const field of entry.requiredOnSparse ?? []) expect(definition.requiredOnSparse).toContain(field);
    expect([...(definition.wraps ?? [])].sort()).toEqual([...(entry.wraps ?? [])].sort());
    // Never claims to hear more than QBO tells; a type it does not hear of is swept.
    if (definition.cdc) expect(entry.cdc).toBe(true);
    if (definition.policy === 'carried') expect(definition.operations).toContain('create');
    const offered = new Set([...entry.operations, ...(['ExchangeRate', 'TaxCode'].includes(type) ? ['create'] : [])]);
    const claimed = definition.operations.filter((operation) => !offered.has(operation));
    expect(claimed).toEqual([]);
    if (entry.operations.includes('query')) expect(definition.operations).toContain('query');
    if (entry.operations.includes('delete') && definition.policy === 'carried')
      expect(definition.operations).toContain('delete');
    if (entry.operations.includes('void')) expect(definition.voidForm).not.toBe('none');
  });

  it.each(
    known
      .filter(({ entity }) => definitionOf(entity).policy === 'carried')
      .map((entry) => [entry.entity, entry] as const),
  )('%s explains every reference of the catalogue: followed, or never sent', (type, entry) => {
    const definition = definitionOf(type);
    const unexplained = referencesOf(entry).filter((path) => !isExplained(definition, path));
    expect(unexplained).toEqual([]);
  });

  it.each(known.map((entry) => [entry.entity, entry] as const))(
    '%s sends nothing that must never be copied',
    (type, entry) => {
      const secrets = entry.fields.filter(({ neverCopy }) => neverCopy).map(({ name }) => name);
      expect(secrets.filter((name) => !definitionOf(type).readOnly.includes(name))).toEqual([]);
    },
  );

  it.each(all.map((definition) => [definition.type, definition] as const))(
    '%s says nothing impossible',
    (type, definition) => {
      expect(entityTypes[type]).toBe(definition);
      const paths = [...definition.readOnly, ...definition.noise, ...definition.references.map((rule) => rule.path)];
      for (const path of paths) expect(() => segmentsOf(path)).not.toThrow();
      expect(new Set(definition.references.map((rule) => rule.path)).size).toBe(definition.references.length);
      if (definition.voidForm !== 'none') expect(definition.operations).toContain('void');
      if (definition.category === 'name-list') expect(definition.operations).toContain('deactivate');
      if (definition.batchable) expect(definition.category).toBe('transaction');
      if (definition.policy === 'reported') expect(definition.reportedBecause).toMatch(/\w+ \w+/);
      const targets = definition.references.flatMap((rule) => rule.types);
      expect(targets.filter((target) => !knownType(target))).toEqual([]);
      // A reference to a record that is never carried would wait for ever.
      expect(targets.filter((target) => definitionOf(target).policy === 'reported')).toEqual([]);
    },
  );

  it('puts parents before children: a type never points at one of a higher rank, but for rings that can be broken', () => {
    for (const definition of all) {
      for (const rule of definition.references) {
        for (const parent of rule.types.filter(knownType)) {
          if (rule.deferrable) continue;
          const risen = definitionOf(parent).rank > definition.rank ? `${definition.type} -> ${parent}` : undefined;
          expect(risen).toBeUndefined();
        }
      }
    }
    const ranks = typesInRankOrder().map((definition) => definition.rank);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });

  it('knows no type by a name that every object has', () => {
    expect(knownType('toString')).toBe(false);
    expect(() => definitionOf('constructor')).toThrow(RangeError);
  });

  it('finds the type of a key in an answer', () => {
    expect(typeOfJsonName('CreditCardPaymentTxn')).toBe('CreditCardPayment');
    expect(typeOfJsonName('Invoice')).toBe('Invoice');
    expect(typeOfJsonName('Unheard')).toBe('Unheard');
  });
});

/** Paths of a type's own references, header and lines, that may be written. */
function referencesOf({ fields, lines = [] }: CatalogueEntity): string[] {
  const own = (list: CatalogueField[]) =>
    list
      .filter((f) => f.type === 'ref' && !f.readOnly && !(f.refTo ?? []).some((t) => outside.has(t)))
      .map((f) => f.name);
  return [
    ...own(fields),
    ...lines
      .filter(({ detailType }) => detailType !== null && !/^(GroupLine|SubTotal|TDSLine|TaxLine)/.test(detailType))
      .flatMap((line) => own(line.fields).map((name) => `Line.*.${line.detailField ?? line.detailType}.${name}`)),
  ];
}

function isExplained({ references, readOnly }: EntityDefinition, path: string): boolean {
  return references.some((rule) => rule.path === path) || readOnly.includes(path);
}
