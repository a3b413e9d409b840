// The field catalogue as data the engine runs on: 40 entity types, their operations, fields, sequences, defaults and
// links. One generic engine reads it; nothing here knows a rule of a single type.
import raw from './qbo-entities.json' with { type: 'json' };
import { entityFieldOrder, objectFieldOrder } from './field-order.js';

export type FieldType = 'string' | 'date' | 'datetime' | 'decimal' | 'boolean' | 'enum' | 'ref' | 'object' | 'array';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly of?: string;
  readonly items?: { readonly type: FieldType; readonly of?: string };
  readonly refTo?: readonly string[];
  readonly refKey?: string;
  readonly refExternal?: boolean;
  readonly typeValues?: readonly string[];
  readonly accountTypes?: readonly string[];
  readonly maxLength?: number;
  readonly maxLengthByLocale?: Readonly<Record<string, number>>;
  readonly forbiddenChars?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly enumRef?: string;
  readonly range?: readonly [number, number];
  readonly integer?: boolean;
  readonly readOnly?: boolean;
  readonly writeOnCreateOnly?: boolean;
  readonly required?: boolean;
  readonly requiredWhen?: string;
  readonly requiredOnUpdate?: boolean;
  readonly rejectedOnWrite?: readonly string[];
  readonly locales?: readonly string[];
  readonly masked?: boolean;
  readonly filterable?: boolean;
  readonly sortable?: boolean;
}

export interface LinkedTxnRule {
  readonly header?: readonly string[];
  readonly headerReadOnly?: readonly string[];
  readonly headerMax?: number;
  readonly line?: readonly string[];
  readonly lineReadOnly?: readonly string[];
}

export interface EntityType {
  readonly entity: string;
  readonly category: 'name-list' | 'transaction' | 'supporting';
  readonly endpoint: string;
  /** The key the object has in answers; differs from the entity name for CreditCardPayment only. */
  readonly jsonName: string;
  readonly operations: ReadonlySet<string>;
  readonly cdc: boolean;
  readonly webhook: boolean;
  readonly webhookOperations: readonly string[];
  readonly idSequence: string;
  readonly unique: readonly (readonly string[])[];
  readonly parent?: string;
  readonly parentRestrict?: string;
  readonly maxDepth?: number;
  readonly plan?: readonly string[];
  readonly requiresPreference?: string;
  readonly locales?: readonly string[];
  readonly totalCount?: boolean;
  readonly docNumberSequence?: string;
  readonly nonPosting?: boolean;
  readonly voidUiOnly?: boolean;
  readonly fullUpdateOnly?: boolean;
  readonly linkedTxn?: LinkedTxnRule;
  readonly createDefaults: Readonly<Record<string, unknown>>;
  readonly requiredOnSparse: readonly string[];
  readonly rejectedOnWrite: Readonly<Record<string, readonly string[]>>;
  readonly creatableTypes?: readonly string[];
  readonly wraps?: readonly string[];
  readonly detailTypes: ReadonlySet<string>;
  readonly linkedOnlyLines: boolean;
  readonly fields: ReadonlyMap<string, Field>;
  readonly order: readonly string[];
}

export interface ObjectType {
  readonly fields: ReadonlyMap<string, Field>;
  readonly order: readonly string[];
}

export interface AccountTypeRow {
  readonly type: string;
  readonly classification: string;
  readonly normal: string;
  readonly default: string;
  readonly subTypes: readonly string[];
}

interface RawEntity {
  entity: string;
  endpoint: string;
  operations: string[];
  fields: Field[];
  lines?: { detailType: string | null; linkedOnly?: boolean }[];
  [key: string]: unknown;
}

// The JSON is wider than any literal type TypeScript can infer usefully; its shape is checked by the catalogue's spec.
const source = raw as unknown as {
  entities: RawEntity[];
  commonTypes: Record<string, Field[]>;
  accountTypes: AccountTypeRow[];
  accountSubTypesUnclassified: string[];
  accountsWithoutSubAccounts: string[];
  enums: Record<string, string[]>;
};

/** Accepted although the catalogue's pages leave them out: older SDKs send them with every object. */
const TOLERATED_FIELDS: Record<string, readonly Field[]> = {
  PurchaseOrder: [
    { name: 'PrintStatus', type: 'string' },
    { name: 'POEmail', type: 'object', of: 'EmailAddress' },
  ],
  Purchase: [{ name: 'Memo', type: 'string' }],
  TaxService: [{ name: 'Id', type: 'string' }],
};

/** The same for nested objects. */
const TOLERATED_PARTS: Record<string, readonly Field[]> = {
  TimeTrackingPrefs: [{ name: 'MarkTimeEntriesBillable', type: 'boolean' }],
  ReportPrefs: [{ name: 'CalcAgingReportFromTxnDate', type: 'boolean' }],
};

function toEntity(e: RawEntity): EntityType {
  const fields = new Map([...e.fields, ...(TOLERATED_FIELDS[e.entity] ?? [])].map((f) => [f.name, f]));
  const detailTypes = new Set((e.lines ?? []).flatMap((l) => (l.detailType ? [l.detailType] : [])));
  return {
    ...(e as unknown as EntityType),
    jsonName: (e['jsonName'] as string | undefined) ?? e.entity,
    operations: new Set(e.operations),
    createDefaults: (e['createDefaults'] as Record<string, unknown> | undefined) ?? {},
    requiredOnSparse: (e['requiredOnSparse'] as string[] | undefined) ?? [],
    rejectedOnWrite: (e['rejectedOnWrite'] as Record<string, string[]> | undefined) ?? {},
    detailTypes,
    linkedOnlyLines: (e.lines ?? []).some((l) => l.linkedOnly === true),
    fields,
    order: entityFieldOrder(e.entity, [...fields.keys()]),
  };
}

export const entityTypes: readonly EntityType[] = source.entities.map(toEntity);
export const accountTypes: readonly AccountTypeRow[] = source.accountTypes;
export const accountsWithoutSubAccounts: ReadonlySet<string> = new Set(source.accountsWithoutSubAccounts);
export const unclassifiedSubTypes: ReadonlySet<string> = new Set(source.accountSubTypesUnclassified);
export const accountTypeByName = new Map(accountTypes.map((row) => [row.type, row]));
export const accountTypeBySubType = new Map(accountTypes.flatMap((row) => row.subTypes.map((s) => [s, row] as const)));

const byEndpoint = new Map(entityTypes.map((t) => [t.endpoint, t]));
const byName = new Map(entityTypes.flatMap((t) => [t.entity, t.jsonName].map((n) => [n.toLowerCase(), t] as const)));
const byExactName = new Map(entityTypes.map((t) => [t.entity, t]));

export function entityAtEndpoint(segment: string): EntityType | undefined {
  return byEndpoint.get(segment);
}

/** By entity or JSON name, in any case. */
export function entityNamed(name: string): EntityType | undefined {
  return byName.get(name.toLowerCase());
}

export function entityType(name: string): EntityType {
  const found = byExactName.get(name);
  if (!found) throw new Error(`no entity type ${name} in the catalogue`);
  return found;
}

const objectTypes = new Map<string, ObjectType>(
  Object.entries(source.commonTypes).map(([name, listed]) => {
    const fields = [...listed, ...(TOLERATED_PARTS[name] ?? [])];
    const names = fields.map((f) => f.name);
    return [name, { fields: new Map(fields.map((f) => [f.name, f])), order: objectFieldOrder(name, names) }];
  }),
);

/** The fields of a nested object type such as `PhysicalAddress`, `Line` or `line:SalesItemLineDetail`. */
export function objectType(of: string): ObjectType | undefined {
  if (of.startsWith('line:')) return objectTypes.get(of.slice(5));
  if (of.startsWith('entity:')) return byExactName.get(of.slice(7));
  return objectTypes.get(of);
}

export function enumValues(field: Field): readonly string[] | undefined {
  if (field.enum) return field.enum;
  if (field.enumRef && source.enums[field.enumRef]) return source.enums[field.enumRef];
  return undefined;
}

/** `QtyOnHand` moves the books only for these; everything else with lines is a posting transaction unless marked. */
export const postingTypes: ReadonlySet<string> = new Set(
  entityTypes
    .filter(
      (t) => t.category === 'transaction' && !t.nonPosting && !['TimeActivity', 'ReimburseCharge'].includes(t.entity),
    )
    .map((t) => t.entity),
);
