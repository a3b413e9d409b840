// Adopt before create: is there a record in the target that already is this one? Names compare without regard to case and
// without the suffix of inactive records. One match is a twin; several are a person's question; a record that belongs to
// another source record already is nobody's twin.
import { sameName } from '../canonical/names.js';
import { tableKeyField } from '../mapping/adoption-key.js';
import type { Json } from '../model/json.js';
import { definitionOf, type EntityDefinition, type Singleton } from '../registry/index.js';

/**
 * One look-up in the target: `select * from <entityType> where <field> = '<value>'`, and without a field the whole list.
 * Both must include inactive records (`Active in (true, false)`) of name lists. Equal fields may be merged with IN.
 */
export interface Lookup {
  entityType: string;
  field?: string;
  value?: string;
}

export type Adoption =
  | { kind: 'adopt'; twin: Json; by: readonly string[] }
  | { kind: 'create' }
  /** several records could be meant: a person decides */
  | { kind: 'ambiguous'; candidates: string[] }
  /** a table of the mapping names a record that cannot be it */
  | { kind: 'wrong-table'; reason: string }
  /** QBO makes records of this kind itself and none was found */
  | { kind: 'no-twin'; name: string };

/** The look-ups that would find a twin of `body`; none when nothing identifies it. */
export function lookupsFor(entityType: string, body: Json, naturalKey: Record<string, string>): Lookup[] {
  const { lookup, naturalKeys } = definitionOf(entityType);
  const named = naturalKey[tableKeyField];
  if (named !== undefined) return [{ entityType, field: tableKeyField, value: named }];
  const identified = naturalKeys.some((key) => keyIsSet(key, body, naturalKey));
  if (!identified && !singletonOf(entityType, body)) return [];
  if (lookup.by === 'list') return [{ entityType }];
  // By its name, and by its number where the rules leave it nothing else.
  const fields = [lookup.field, ...naturalKeys.flat().filter((field) => !field.endsWith('Ref') && field !== 'Type')];
  const field = fields.find((one) => naturalKey[one]);
  return field ? [{ entityType, field, value: naturalKey[field]! }] : [];
}

/** @param body bound to the target's ids, so that parents and names compare by id */
export function chooseTwin(
  entityType: string,
  body: Json,
  naturalKey: Record<string, string>,
  candidates: readonly Json[],
  taken: ReadonlySet<string> = new Set(),
): Adoption {
  const named = naturalKey[tableKeyField];
  if (named !== undefined) return chooseNamed(entityType, body, named, candidates, taken);
  const free = candidates.filter((candidate) => !taken.has(String(candidate.Id)));
  const singleton = singletonOf(entityType, body);
  if (singleton) return chooseSingleton(singleton, naturalKey, candidates, free, body);
  const definition = definitionOf(entityType);
  // A currency cannot be changed later: a customer in euros is no twin of one in dollars.
  const possible = definition.writeOnce.includes('CurrencyRef') ? free.filter((one) => sameCurrency(one, body)) : free;
  for (const key of definition.naturalKeys.filter((fields) => keyIsSet(fields, body, naturalKey))) {
    const twins = preferActive(
      possible.filter((candidate) => matches(key, definition, body, naturalKey, candidate)),
      body,
    );
    if (twins.length === 1) return { kind: 'adopt', twin: twins[0]!, by: key };
    if (twins.length > 1) return { kind: 'ambiguous', candidates: idsOf(twins) };
  }
  const creatable = (definition.createNeeds ?? []).every((field) => field in body);
  return definition.policy === 'adopted' || !creatable
    ? { kind: 'no-twin', name: `${entityType} "${naturalKey.Name ?? ''}"` }
    : { kind: 'create' };
}

/** What cannot be changed later must agree: an account of another type is no place for these postings. */
const kinds = ['AccountType', 'Type'];

function chooseNamed(
  entityType: string,
  body: Json,
  id: string,
  candidates: readonly Json[],
  taken: ReadonlySet<string>,
): Adoption {
  const wrong = (reason: string): Adoption => ({
    kind: 'wrong-table',
    reason: `the table names ${entityType} ${id}: ${reason}`,
  });
  const twin = candidates.find((candidate) => String(candidate.Id) === id);
  if (!twin) return wrong('the target has no such record');
  if (taken.has(id)) return wrong('another record of the source has it already');
  const field = kinds.find((kind) => body[kind] !== undefined && twin[kind] !== body[kind]);
  if (field) return wrong(`its ${field} is ${String(twin[field])}, and this one's is ${String(body[field])}`);
  if (!sameCurrency(twin, body)) return wrong('it is in another currency');
  return { kind: 'adopt', twin, by: ['table'] };
}

/** Records that every company has once by QBO's own doing: mapped by (type, subtype), never created or changed. */
export function isSingleton(entityType: string, body: Json): boolean {
  return singletonOf(entityType, body) !== undefined;
}

function singletonOf(entityType: string, body: Json): Singleton | undefined {
  return definitionOf(entityType).singletons?.find((singleton) => hasAll(body, singleton.match));
}

function chooseSingleton(
  singleton: Singleton,
  naturalKey: Record<string, string>,
  candidates: readonly Json[],
  free: readonly Json[],
  body: Json,
): Adoption {
  const isOne = (candidate: Json) => hasAll(candidate, singleton.match) && sameCurrency(candidate, body);
  const all = candidates.filter(isOne);
  const ones = free.filter(isOne);
  if (ones.length === 1) return { kind: 'adopt', twin: ones[0]!, by: Object.keys(singleton.match) };
  if (ones.length > 1) {
    const named = ones.filter((candidate) => sameName(String(candidate.Name), naturalKey.Name ?? ''));
    return named.length === 1
      ? { kind: 'adopt', twin: named[0]!, by: ['Name', ...Object.keys(singleton.match)] }
      : { kind: 'ambiguous', candidates: idsOf(ones) };
  }
  // The source has a second one that a person made, and the first took the target's own. Or QBO makes one at the first use of
  // a currency (receivables in euros, gains): made beforehand, it is the one that QBO will use.
  const inOtherCurrency = candidates.some((candidate) => hasAll(candidate, singleton.match));
  return all.length > 0 || inOtherCurrency || singleton.atFirstUse
    ? { kind: 'create' }
    : { kind: 'no-twin', name: singleton.name };
}

function matches(
  key: readonly string[],
  definition: EntityDefinition,
  body: Json,
  naturalKey: Record<string, string>,
  candidate: Json,
): boolean {
  return key.every((field) => {
    const isReference = field.endsWith('Ref');
    const ours: unknown = isReference ? (body[field] as Json | undefined)?.value : naturalKey[field];
    const theirs: unknown = isReference ? (candidate[field] as Json | undefined)?.value : candidate[field];
    if (isReference) return (ours ?? undefined) === (theirs ?? undefined);
    if (ours === undefined || theirs === undefined || theirs === null) return false;
    if (field === definition.nameField) return sameName(String(ours), String(theirs));
    if (typeof theirs === 'number') return Number(ours) === theirs;
    return String(ours).trim().toLowerCase() === String(theirs).trim().toLowerCase();
  });
}

/** A reference may be absent in both (no parent); every other field of the key must have a value. */
function keyIsSet(key: readonly string[], body: Json, naturalKey: Record<string, string>): boolean {
  return key.every((field) => (field.endsWith('Ref') ? field === 'ParentRef' || field in body : !!naturalKey[field]));
}

/** An inactive record whose name was freed by the suffix is a twin only of an inactive one. */
function preferActive(twins: Json[], body: Json): Json[] {
  const active = twins.filter((twin) => twin.Active !== false);
  return active.length > 0 ? active : body.Active === false ? twins : [];
}

function hasAll(record: Json, match: Readonly<Record<string, string>>): boolean {
  return Object.entries(match).every(([field, value]) => record[field] === value);
}

function sameCurrency(a: Json, b: Json): boolean {
  const left = (a.CurrencyRef as Json | undefined)?.value as string | undefined;
  const right = (b.CurrencyRef as Json | undefined)?.value as string | undefined;
  return left === undefined || right === undefined || left === right;
}

function idsOf(records: readonly Json[]): string[] {
  return records.map((record) => String(record.Id));
}
