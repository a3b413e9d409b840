// Reads what a client sent against the catalogue: unknown properties, formats, lengths, enumerations. Answers a clean
// copy in the service's own field order with read-only fields dropped, or throws the fault the service gives. Pure.
import { enumValues, objectType, type EntityType, type Field, type ObjectType } from '../catalogue/catalogue.js';
import type { Rec } from '../types.js';
import { invalidId, refusal, unknownProperty, unsupportedProperty } from './refusals.js';

/** Envelope words a client may echo on any object; they carry nothing. */
const IGNORED = new Set(['domain', 'sparse', 'status', 'IdDomain', 'xmlns']);
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:T[0-9:.]*)?(?:Z|[+-]\d{2}:?\d{2})?$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const EMAIL = /^[^\s@,]+@[^\s@,]+(?:\s*,\s*[^\s@,]+@[^\s@,]+)*$/;
// Amounts have at most ten digits before the point (the widest a report column holds); quantities and rates share it.
const LARGEST = 99_999_999_999.99;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export interface ShapeContext {
  readonly country: string;
  readonly creating: boolean;
}

function blank(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}

function empty(value: unknown): boolean {
  return (
    blank(value) || (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0)
  );
}

function isObject(value: unknown): value is Rec {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readDate(value: unknown, name: string): string {
  const text = String(value);
  const m = DATE.exec(text);
  if (!m) throw refusal('2060', `Invalid Date Format : ${name}=${text.slice(0, 40)}, expected YYYY-MM-DD`, name);
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])];
  const longest = month === 2 && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) ? 28 : DAYS[month - 1];
  if (month < 1 || month > 12 || day < 1 || day > longest!) {
    throw refusal('2070', `Invalid Date : ${name}=${text.slice(0, 40)}`, name);
  }
  if (year < 1900 || year > 2199) throw refusal('2190', `Date out of range : ${name}=${text.slice(0, 40)}`, name);
  return `${m[1]}-${m[2]}-${m[3]}`;
}

function readDecimal(value: unknown, field: Field): number {
  const n = typeof value === 'number' ? value : NUMBER.test(String(value).trim()) ? Number(value) : Number.NaN;
  if (typeof value === 'boolean' || typeof value === 'object' || Number.isNaN(n)) {
    const code = field.integer ? '2080' : '2100';
    throw refusal(code, `Invalid Number : ${field.name}=${String(value).slice(0, 40)} is not a number`, field.name);
  }
  if (!Number.isFinite(n) || Math.abs(n) > LARGEST) {
    throw refusal(field.integer ? '2090' : '2110', `Invalid Number : ${field.name} is out of range`, field.name);
  }
  if (field.integer && !Number.isInteger(n)) throw refusal('2090', `Invalid Number : ${field.name}=${n}`, field.name);
  if (field.range && (n < field.range[0] || n > field.range[1])) {
    throw refusal(
      '2240',
      `Number out of range : ${field.name}=${n}, Min:${field.range[0]} Max:${field.range[1]}`,
      field.name,
    );
  }
  return n;
}

function readBoolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw refusal('2230', `Invalid Boolean : ${name}=${String(value).slice(0, 40)}`, name);
}

function readString(value: unknown, field: Field, context: ShapeContext): string {
  if (typeof value === 'object') throw unsupportedProperty(field.name);
  const text = String(value);
  const most = field.maxLengthByLocale?.[context.country] ?? field.maxLength;
  if (most !== undefined && text.length > most) {
    throw refusal(
      '2050',
      `String length is either shorter or longer than supported by specification. Min:0 Max:${most} supplied length:${text.length}`,
      field.name,
    );
  }
  if (field.forbiddenChars) {
    for (const bad of field.forbiddenChars) {
      if (text.includes(bad)) {
        throw refusal('2040', `Invalid String : ${field.name} contains a character that is not supported`, field.name);
      }
    }
  }
  if (field.pattern && !new RegExp(field.pattern).test(text)) {
    throw field.name === 'Code'
      ? refusal('2220', `Invalid Currency : ${text.slice(0, 20)}`, field.name)
      : refusal('2040', `Invalid String : ${field.name}=${text.slice(0, 40)}`, field.name);
  }
  return text;
}

function readEnum(value: unknown, field: Field): string {
  const text = typeof value === 'object' ? '' : String(value);
  const allowed = enumValues(field);
  if (allowed && !allowed.includes(text)) {
    const kin = allowed.find((a) => a.toLowerCase() === text.toLowerCase());
    if (kin) return kin;
    throw refusal('2170', `Invalid Enumeration : ${field.name}=${text.slice(0, 60)}`, field.name);
  }
  if (field.rejectedOnWrite?.includes(text)) {
    throw refusal('2170', `Invalid Enumeration : ${field.name}=${text}`, field.name);
  }
  return text;
}

function readRef(value: unknown, field: Field): Rec | undefined {
  if (typeof value === 'string' || typeof value === 'number') return { value: String(value), name: undefined };
  if (!isObject(value)) throw unsupportedProperty(field.name);
  for (const key of Object.keys(value)) {
    if (key !== 'value' && key !== 'name' && key !== 'type') throw unsupportedProperty(key);
  }
  if (blank(value['value'])) return undefined;
  if (typeof value['value'] === 'object') throw unsupportedProperty(field.name);
  // The name slot keeps the captured key order (value, name, type); JSON leaves it out until a name is resolved.
  const ref: Rec = { value: String(value['value']), name: undefined };
  if ((field.typeValues || field.refTo?.includes('*')) && !blank(value['type'])) ref['type'] = String(value['type']);
  return ref;
}

const EMAIL_TYPES = new Set(['EmailAddress']);

function readValue(value: unknown, field: Field, context: ShapeContext, depth: number): unknown {
  switch (field.type) {
    case 'string':
      return readString(value, field, context);
    case 'date':
      return readDate(value, field.name);
    case 'datetime':
      if (typeof value !== 'string' || !DATE_TIME.test(value)) {
        throw refusal('2060', `Invalid Date Format : ${field.name}`, field.name);
      }
      return value;
    case 'decimal':
      return readDecimal(value, field);
    case 'boolean':
      return readBoolean(value, field.name);
    case 'enum':
      return readEnum(value, field);
    case 'ref':
      return readRef(value, field);
    case 'object': {
      if (!isObject(value)) throw unsupportedProperty(field.name);
      const type = field.of ? objectType(field.of) : undefined;
      if (!type) return { ...value };
      const clean = readObject(value, type, context, depth + 1, field.of!);
      if (EMAIL_TYPES.has(field.of!) && clean['Address'] !== undefined && !EMAIL.test(clean['Address'])) {
        throw refusal('2210', 'Email Address does not conform to the syntax rules of RFC 822.', 'Address');
      }
      return clean;
    }
    case 'array': {
      // A single object where a list belongs is what XML-born clients send; the service reads it as a list of one.
      const list = Array.isArray(value) ? value : isObject(value) ? [value] : undefined;
      if (!list) throw unsupportedProperty(field.name);
      if (list.length > 10_000) throw business10k(field.name);
      const item: Field = { name: field.name, ...field.items, type: field.items?.type ?? 'string' };
      return list.map((v) => {
        if (blank(v)) throw unsupportedProperty(field.name);
        return readValue(v, item, context, depth + 1);
      });
    }
  }
}

const business10k = (name: string) =>
  refusal('6000', `Business Validation Error: more than 10000 ${name} elements`, name);

// Seven levels cover the deepest catalogue path (template > line > group > line > detail > ref); more is an attack.
const DEEPEST = 12;

function readObject(given: Rec, type: ObjectType, context: ShapeContext, depth: number, owner: string): Rec {
  if (depth > DEEPEST) throw unsupportedProperty(owner);
  const known = type.fields;
  for (const key of Object.keys(given)) {
    const field = known.get(key);
    if (field) {
      if (field.name.endsWith('Ex') && !empty(given[key])) throw unsupportedProperty(key);
    } else if (!IGNORED.has(key) && !empty(given[key])) {
      throw unknownProperty(key, owner.replace(/^\w+:/, ''), type.order);
    }
  }
  const clean: Rec = {};
  for (const name of type.order) {
    const value = given[name];
    if (value === undefined) continue;
    const field = known.get(name);
    if (!field || (field.readOnly && !KEPT_READ_ONLY.has(name))) continue;
    if (blank(value)) {
      // Remembered as null: a sparse update clears the field with it, a create treats it as absent.
      clean[name] = null;
      continue;
    }
    const read = readValue(value, field, context, depth);
    if (read !== undefined) clean[name] = read;
  }
  return clean;
}

/** Read-only to clients but needed to find the object or the line that is meant. */
const KEPT_READ_ONLY = new Set(['Id', 'SyncToken']);

export function readEntity(given: unknown, type: EntityType, context: ShapeContext): Rec {
  if (!isObject(given)) throw unsupportedProperty(type.entity);
  for (const key of Object.keys(given)) {
    if (key.endsWith('Ex') && !empty(given[key])) throw unsupportedProperty(key);
  }
  const clean = readObject(given, type, context, 0, type.entity);
  if (clean['Id'] === null) delete clean['Id'];
  if (clean['Id'] !== undefined && !/^-?\d{1,25}$/.test(clean['Id'])) {
    throw invalidId(clean['Id']);
  }
  return clean;
}

/** Strips the nulls that `readEntity` keeps, all the way down: on a create an empty field is an absent one. */
export function withoutNulls(rec: Rec): Rec {
  for (const key of Object.keys(rec)) {
    const value = rec[key];
    if (value === null) delete rec[key];
    else if (Array.isArray(value)) {
      for (const item of value) if (isObject(item)) withoutNulls(item);
    } else if (isObject(value)) withoutNulls(value);
  }
  return rec;
}

/** Rewrites a record in the service's field order; unknown fields (imported noise) keep their place at the end. */
export function inFieldOrder(rec: Rec, type: EntityType): Rec {
  const ordered: Rec = {};
  const slots = type.linkedTxn !== undefined;
  for (const name of type.order) {
    // A link that appears later must stand in its captured place: the slot is kept, JSON leaves it out while empty.
    if (rec[name] !== undefined || (slots && name === 'LinkedTxn')) ordered[name] = rec[name];
  }
  for (const name of Object.keys(rec)) if (!(name in ordered) && rec[name] !== undefined) ordered[name] = rec[name];
  return ordered;
}
