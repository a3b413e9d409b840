// The name or number of a copy is taken in the target by something that is no twin, at its making or at a later rename.
// Customers, vendors and employees share one space of names, inactive ones included; every other list has its own, parent by
// parent; document numbers are unique where the company says so. Two answers: a visible suffix, or a person decides with the
// holders named. Never a guess.
import type { Json } from '../model/json.js';
import { definitionOf, typesInRankOrder } from '../registry/index.js';
import type { Lookup } from './adoption.js';

/** `settings.collisions` of a sync. */
export interface CollisionPolicy {
  names: 'hold' | 'suffix';
  /** check: asked before a document is made, and held, also where QuickBooks would take the number twice */
  numbers: 'hold' | 'suffix' | 'check';
}

export const defaultCollisionPolicy: CollisionPolicy = { names: 'hold', numbers: 'hold' };

/** A record of another type that holds the name. */
export interface Namesake {
  entityType: string;
  record: Json;
}

export type Collision =
  | { kind: 'free'; body: Json }
  | { kind: 'hold'; code: 'COLLISION.NAME' | 'COLLISION.NUMBER'; reason: string; candidates: string[] }
  | { kind: 'hold'; code: 'NUMBER.TOO_LONG'; reason: string };

/** The policy of a record whose mapping rule says that its number must be nobody else's. */
export function numbersChecked(policy: CollisionPolicy = defaultCollisionPolicy): CollisionPolicy {
  return { ...policy, numbers: 'check' };
}

const sharedField = 'DisplayName';
/** Of the names that people share; the other lists take less. */
const longestSharedName = 500;
const longestName: Readonly<Record<string, number>> = { Term: 31, PaymentMethod: 31 };
const longestListName = 100;
const namedPeople = typesInRankOrder()
  .filter(({ nameField, policy }) => nameField === sharedField && policy === 'carried')
  .map(({ type }) => type);

/** Asked before a name is written, so that a taken one is told before and not by a refusal. */
export function namesakeLookups(entityType: string, body: Json, policy?: CollisionPolicy): Lookup[] {
  const name: unknown = body[sharedField];
  if (!namedPeople.includes(entityType) || typeof name !== 'string' || name === '') return [];
  const others = namedPeople.filter((type) => type !== entityType);
  const values = policy?.names === 'suffix' ? [name, suffixed(entityType, name)] : [name];
  return others.flatMap((type) => values.map((value) => ({ entityType: type, field: sharedField, value })));
}

/** Asked after a refusal that says so: who in the target has the name or the number that this record is to get. */
export function holderLookups(entityType: string, body: Json, fault: string, policy?: CollisionPolicy): Lookup[] {
  if (fault === numberFault) return numberLookups(entityType, body);
  const { lookup, nameField } = definitionOf(entityType);
  const name: unknown = nameField && body[nameField];
  if (typeof name !== 'string' || name === '') return [];
  if (lookup.by === 'list') return [{ entityType }];
  const values = policy?.names === 'suffix' ? [name, suffixed(entityType, name)] : [name];
  const own = values.map((value) => ({ entityType, field: lookup.field, value }));
  return [...own, ...namesakeLookups(entityType, body, policy)];
}

/** Documents of the target with the number of this one. */
export function numberLookups(entityType: string, body: Json): Lookup[] {
  const field = definitionOf(entityType).docNumberField?.field;
  const number: unknown = field && body[field];
  return field && typeof number === 'string' && number !== '' ? [{ entityType, field, value: number }] : [];
}

/** Refused so often for a number that nobody seems to have, a person must look. */
const triesOfNumber = 4;
export const numberFault = 'QBO.6140';
/** Of names, and of account numbers where the company has them. */
export const nameFault = 'QBO.6240';

export interface CollisionFacts {
  /** of the same type; none of them was chosen as the twin */
  candidates: readonly Json[];
  namesakes: readonly Namesake[];
  /** code of the last refusal */
  fault?: string | undefined;
  /** refusals so far */
  attempts: number;
  policy?: CollisionPolicy | undefined;
}

/** @param body bound, about to be created or to get another name or number */
export function planCollision(entityType: string, body: Json, facts: CollisionFacts): Collision {
  const { names, numbers } = facts.policy ?? defaultCollisionPolicy;
  const tooLong = numberTooLong(entityType, body);
  if (tooLong) return tooLong;
  if (facts.fault === numberFault || numbers === 'check') {
    const numbered = planNumber(entityType, body, facts, numbers);
    if (facts.fault === numberFault || numbered.kind === 'hold') return numbered;
  }
  const { nameField } = definitionOf(entityType);
  const name: unknown = nameField && body[nameField];
  if (!nameField || typeof name !== 'string') return { kind: 'free', body };
  const own = facts.candidates
    .filter((record) => namedPeople.includes(entityType) || sameParent(record, body))
    .map((record) => ({ entityType, record }));
  const holdersOf = (wanted: string) =>
    [...facts.namesakes, ...own].filter(({ entityType: type, record }) =>
      isSame(record[definitionOf(type).nameField ?? nameField], wanted),
    );
  const holders = holdersOf(name);
  if (holders.length === 0) return takenNumber(entityType, body, facts) ?? { kind: 'free', body };
  const other = suffixed(entityType, name);
  if (names === 'suffix' && holdersOf(other).length === 0)
    return { kind: 'free', body: { ...body, [nameField]: other } };
  return {
    kind: 'hold',
    code: 'COLLISION.NAME',
    reason: `the target has the name "${name}" already: ${holders.map(told).join(', ')}`,
    candidates: holders.map(({ entityType: type, record }) => `${type}/${String(record.Id)}`),
  };
}

/** A field that only one record of the list may have, where the target said so by a refusal. */
function takenNumber(entityType: string, body: Json, { fault, candidates }: CollisionFacts): Collision | undefined {
  if (fault !== nameFault) return undefined;
  for (const field of definitionOf(entityType).uniqueFields ?? []) {
    const number: unknown = body[field];
    if (typeof number !== 'string' || number === '') continue;
    const holders = candidates.filter((record) => isSame(record[field], number));
    if (holders.length > 0) return numberTaken(entityType, number, holders);
  }
  return undefined;
}

function numberTaken(entityType: string, number: string, holders: readonly Json[]): Collision {
  const who = holders.map((record) => told({ entityType, record })).join(', ');
  return {
    kind: 'hold',
    code: 'COLLISION.NUMBER',
    reason: `the target has the number "${number}" already${who ? `: ${who}` : ''}`,
    candidates: holders.map((record) => `${entityType}/${String(record.Id)}`),
  };
}

/** QBO would refuse it (2050) or cut it, and a cut number is another document's. */
export function numberTooLong(entityType: string, body: Json): Collision | undefined {
  const rule = definitionOf(entityType).docNumberField;
  const number: unknown = rule && body[rule.field];
  if (!rule || typeof number !== 'string' || number.length <= rule.maxLength) return undefined;
  const reason = `the number "${number}" has ${number.length} characters, and QuickBooks takes ${rule.maxLength}`;
  return { kind: 'hold', code: 'NUMBER.TOO_LONG', reason };
}

function planNumber(
  entityType: string,
  body: Json,
  facts: CollisionFacts,
  policy: CollisionPolicy['numbers'],
): Collision {
  const rule = definitionOf(entityType).docNumberField;
  const number: unknown = rule && body[rule.field];
  if (!rule || typeof number !== 'string' || number === '') return { kind: 'free', body };
  if (policy === 'suffix') {
    // The number of the try is the suffix: -2 after the first refusal, then -3.
    const suffix = `-${Math.max(facts.attempts, 1) + 1}`;
    return { kind: 'free', body: { ...body, [rule.field]: number.slice(-(rule.maxLength - suffix.length)) + suffix } };
  }
  const holders = facts.candidates.filter(
    (record) => isSame(record[rule.field], number) && sameSeries(entityType, record, body),
  );
  // Who had it when it was refused may be gone by now: a document deleted and entered again under its number.
  const isAskedAgain = facts.fault === numberFault && facts.attempts < triesOfNumber;
  if (holders.length === 0 && (facts.fault !== numberFault || isAskedAgain)) return { kind: 'free', body };
  return numberTaken(entityType, number, holders);
}

/** What was given a suffix when it was made keeps it: the desired name or number would be refused again. */
export function withKeptSuffix(entityType: string, body: Json, applied: Json | undefined): Json {
  if (!applied) return body;
  const kept = { ...body };
  const { nameField } = definitionOf(entityType);
  const [wanted, has]: unknown[] = nameField ? [body[nameField], applied[nameField]] : [];
  if (nameField && typeof wanted === 'string' && isSame(has, suffixed(entityType, wanted))) kept[nameField] = has;
  const rule = definitionOf(entityType).docNumberField;
  if (rule) {
    const [number, given]: unknown[] = [body[rule.field], applied[rule.field]];
    const base = typeof given === 'string' ? /^(.+)-\d{1,2}$/.exec(given)?.[1] : undefined;
    const cut = base !== undefined && (given as string).length === rule.maxLength;
    if (typeof number === 'string' && base !== undefined && (number === base || (cut && number.endsWith(base)))) {
      kept[rule.field] = given;
    }
  }
  return kept;
}

/** "Acme" of a vendor becomes "Acme (V)". */
function suffixed(entityType: string, name: string): string {
  const suffix = ` (${entityType.charAt(0)})`;
  return name.slice(0, longestNameOf(entityType) - suffix.length) + suffix;
}

export function longestNameOf(entityType: string): number {
  return namedPeople.includes(entityType) ? longestSharedName : (longestName[entityType] ?? longestListName);
}

function told({ entityType, record }: Namesake): string {
  return `${entityType} ${String(record.Id)}${record.Active === false ? ' (inactive)' : ''}`;
}

function isSame(a: unknown, b: string): boolean {
  return typeof a === 'string' && a.trim().toLowerCase() === b.trim().toLowerCase();
}

/** Two sub-accounts of one name under two parents are no collision. */
function sameParent(record: Json, body: Json): boolean {
  const [theirs, ours] = [record, body].map((one) => (one.ParentRef as Json | undefined)?.value as unknown);
  return (theirs ?? undefined) === (ours ?? undefined);
}

/** Bills are numbered by their vendors, checks by their account; sales forms and journals by the company. */
function sameSeries(entityType: string, record: Json, body: Json): boolean {
  const giver = definitionOf(entityType)
    .naturalKeys.flat()
    .find((field) => field === 'VendorRef' || field === 'AccountRef');
  if (giver === undefined) return true;
  const [theirs, ours] = [record, body].map((one) => (one[giver] as Json | undefined)?.value as unknown);
  return theirs === undefined || ours === undefined || theirs === ours;
}
