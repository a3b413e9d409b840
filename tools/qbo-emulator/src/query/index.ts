// Runs a statement of QBO's query language over a company: parse, check every property against the catalogue, filter,
// order, page, project. Pure reading; the answer's rows are the stored records themselves unless a projection was asked.
import type { CompanyView, Rec } from '../types.js';
import { type Condition, type Literal, type SortKey, type Statement, parseStatement } from './parser.js';
import { parseMoment, storedMoment } from './moment.js';
import { type Property, type Queryable, invalidQuery, queryableNamed } from './properties.js';

export { parseMoment, storedMoment } from './moment.js';
export { parseStatement } from './parser.js';

export interface QueryAnswer {
  /** Canonical entity name of the catalogue. */
  entity: string;
  /** Key of the rows in the answer: differs from the entity only for CreditCardPayment (CreditCardPaymentTxn). */
  jsonName: string;
  rows?: Rec[];
  /** Only for COUNT(*). */
  count?: number;
  startPosition: number;
  /** The number of rows returned. */
  maxResults: number;
  /** Present for the types whose captured answers carry it. */
  totalCount?: number;
  /** Rows are projections, flagged sparse. */
  partial?: boolean;
}

const defaultPage = 100;
const largestPage = 1000;

export function runQuery(statement: string, company: CompanyView): QueryAnswer {
  const parsed = parseStatement(statement);
  const entity = queryableNamed(parsed.entity);
  const fields = parsed.fields.map((path) => existing(entity, path));
  const filter = compileFilter(parsed.where, entity, company);
  const order = parsed.orderBy.map((key) => sortable(entity, key));
  const startPosition = smallestOne(parsed.startPosition ?? 1);
  const pageSize = Math.min(smallestOne(parsed.maxResults ?? defaultPage), largestPage);

  const matching = (): Rec[] => filter.candidates(company).filter(filter.accepts);
  const base = { entity: entity.name, jsonName: entity.jsonName };
  if (parsed.select === 'count') return { ...base, count: matching().length, startPosition, maxResults: 0 };

  const ordered =
    keptPage(filter, order, entity, company, startPosition - 1, pageSize) ??
    orderedPage(matching(), order, entity, startPosition - 1, pageSize);
  const partial = parsed.select === 'fields';
  const rows = partial ? ordered.map((rec) => project(rec, fields)) : ordered;
  return {
    ...base,
    rows,
    startPosition,
    maxResults: rows.length,
    ...(entity.totalCount && rows.length > 0 ? { totalCount: rows.length } : {}),
    ...(partial ? { partial } : {}),
  };
}

/** What a statement asks for, without running it: batch and journal want the entity. */
export function statementEntity(statement: string): Statement['entity'] {
  return queryableNamed(parseStatement(statement).entity).name;
}

function smallestOne(value: number): number {
  if (value < 1) throw invalidQuery(`value ${value} is too small. Min allowed value is 1`);
  return value;
}

function existing(entity: Queryable, path: string): Property {
  const property = entity.property(path);
  if (!property) throw invalidQuery(`Property ${path} not found for Entity ${entity.name}`);
  return property;
}

function sortable(entity: Queryable, key: SortKey): { property: Property; descending: boolean } {
  const property = existing(entity, key.path);
  if (!property.sortable) throw invalidQuery(`property '${key.path}' is not sortable`);
  return { property, descending: key.descending };
}

// ---- filtering -------------------------------------------------------------------------------------------------------

interface Filter {
  /** Ids were named: only these are candidates. */
  readonly byId: boolean;
  candidates(company: CompanyView): Rec[];
  accepts(rec: Rec): boolean;
}
type Test = (value: unknown) => boolean;

function compileFilter(where: readonly Condition[], entity: Queryable, company: CompanyView): Filter {
  const plain: ((rec: Rec) => boolean)[] = [];
  // Conditions on elements of one list belong together: type and id must be those of the same attachment reference.
  const perList = new Map<string, { rest: readonly string[]; test: Test }[]>();
  let ids: string[] | undefined;
  let namesActive = false;
  for (const condition of where) {
    const property = existing(entity, condition.path);
    if (!property.filterable) throw invalidQuery(`property '${condition.path}' is not queryable`);
    const test = compileTest(condition, property, company);
    if (property.path[0] === 'Active') namesActive = true;
    if (property.type === 'id' && property.path.length === 1) ids ??= condition.values.map((value) => value.text);
    if (property.listStep !== undefined) {
      const list = property.path.slice(0, property.listStep + 1).join('.');
      const rest = property.path.slice(property.listStep + 1);
      perList.set(list, [...(perList.get(list) ?? []), { rest, test }]);
    } else plain.push(compileReader(property.path, test));
  }
  for (const [list, tests] of perList) {
    plain.push((rec) => {
      const elements = valueAt(rec, list.split('.'));
      return (
        Array.isArray(elements) &&
        elements.some((one) => tests.every(({ rest, test }) => test(refValue(valueAt(one, rest)))))
      );
    });
  }
  if (entity.hasActive && !namesActive) plain.push((rec) => rec.Active !== false);
  return {
    byId: ids !== undefined,
    accepts: (rec) => plain.every((test) => test(rec)),
    // A lookup by Id does not walk the company.
    candidates: (view) =>
      ids ? [...new Set(ids)].flatMap((id) => recordOf(view, entity.name, id)) : recordsOf(view, entity.name),
  };
}

function recordsOf(company: CompanyView, type: string): Rec[] {
  if (type === 'CompanyInfo') return [company.companyInfo()];
  if (type === 'Preferences') return [company.preferences()];
  return [...company.all(type)];
}

function recordOf(company: CompanyView, type: string, id: string): Rec[] {
  if (type === 'CompanyInfo' || type === 'Preferences') return recordsOf(company, type).filter((rec) => rec.Id === id);
  const rec = company.get(type, id);
  return rec ? [rec] : [];
}

function compileReader(path: readonly string[], test: Test): (rec: Rec) => boolean {
  const [first, second] = path as [string, string?];
  if (path.length === 1) return (rec) => test(refValue(rec[first]));
  if (path.length === 2) return (rec) => test(refValue(rec[first]?.[second!]));
  return (rec) => test(refValue(valueAt(rec, path)));
}

function valueAt(from: unknown, path: readonly string[]): unknown {
  let value = from;
  for (const step of path) value = (value as Rec | null | undefined)?.[step];
  return value;
}

// A reference is compared by its id, an e-mail by its address: what a person would write after the equals sign.
function refValue(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const object = value as Rec;
  return object.value ?? object.Address ?? object.FreeFormNumber ?? object.URI;
}

function compileTest(condition: Condition, property: Property, company: CompanyView): Test {
  const { operator, values } = condition;
  if (property.type === 'id' && operator !== '=' && operator !== 'IN') {
    throw invalidQuery(`operator ${operator} is not supported for property '${condition.path}'`);
  }
  // A single space in quotes is how QBO spells null.
  if (operator === '=' && values[0]!.kind === 'string' && values[0]!.text.trim() === '') return isEmpty;
  if (operator === 'LIKE') return compileLike(values[0]!.text);
  switch (property.type) {
    case 'moment':
      return compare(
        operator,
        values.map((v) => momentOf(v, condition, company)),
        (value) => storedMoment(value as string),
      );
    case 'date':
      return compare(
        operator,
        values.map((v) => dateOf(v, condition, company)),
        (value) => dayText(value),
      );
    case 'number':
      return compare(
        operator,
        values.map((v) => numberOf(v, condition)),
        (value) => (value === undefined || value === null ? undefined : Number(value)),
      );
    case 'boolean':
      return compare(
        operator,
        values.map((v) => booleanOf(v, condition)),
        (value) => (value === true ? 1 : 0),
      );
    default:
      return compare(
        operator,
        values.map((v) => textOf(v, company)),
        (value) => (value === undefined || value === null ? undefined : String(value).toLowerCase()),
      );
  }
}

const isEmpty: Test = (value) => value === undefined || value === null || value === '';

function compare<T extends string | number>(
  operator: Condition['operator'],
  wanted: readonly T[],
  read: (value: unknown) => T | undefined,
): Test {
  const [one] = wanted as [T];
  const check =
    (accepts: (value: T) => boolean): Test =>
    (value) => {
      const stored = read(value);
      return stored !== undefined && accepts(stored);
    };
  switch (operator) {
    case 'IN': {
      const set = new Set(wanted);
      return check((value) => set.has(value));
    }
    case '<':
      return check((value) => value < one);
    case '>':
      return check((value) => value > one);
    case '<=':
      return check((value) => value <= one);
    case '>=':
      return check((value) => value >= one);
    default:
      return check((value) => value === one);
  }
}

// Only % is a wildcard. Matched piece by piece instead of as a regular expression: a hostile pattern stays linear.
function compileLike(pattern: string): Test {
  const pieces = pattern.toLowerCase().split('%');
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  return (value) => {
    if (value === undefined || value === null) return false;
    const text = String(value).toLowerCase();
    if (pieces.length === 1) return text === first;
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= text.length - last.length;
  };
}

function badValue(literal: Literal, condition: Condition): Error {
  return invalidQuery(`Invalid value '${literal.text}' for property '${condition.path}'`);
}

function momentOf(literal: Literal, condition: Condition, company: CompanyView): number {
  const text = literal.kind === 'current-date' ? company.today() : literal.text;
  const moment = parseMoment(text, company.utcOffsetMinutes());
  if (moment === undefined) throw badValue(literal, condition);
  return moment;
}

const dayText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, 10) : undefined;

function dateOf(literal: Literal, condition: Condition, company: CompanyView): string {
  if (literal.kind === 'current-date') return company.today();
  if (parseMoment(literal.text, 0) === undefined) throw badValue(literal, condition);
  return literal.text.trim().slice(0, 10);
}

function numberOf(literal: Literal, condition: Condition): number {
  const value = literal.text.trim() === '' ? Number.NaN : Number(literal.text);
  if (!Number.isFinite(value)) throw badValue(literal, condition);
  return value;
}

function booleanOf(literal: Literal, condition: Condition): number {
  const text = literal.text.toLowerCase();
  if (text !== 'true' && text !== 'false') throw badValue(literal, condition);
  return text === 'true' ? 1 : 0;
}

function textOf(literal: Literal, company: CompanyView): string {
  return literal.kind === 'current-date' ? company.today() : literal.text.toLowerCase();
}

// ---- ordering and paging ---------------------------------------------------------------------------------------------

type SortValue = number | string;
type SortBy = { read: (rec: Rec) => SortValue; descending: boolean; numeric: boolean };

/**
 * The page by an order the company keeps: only the records up to its end are looked at. Covers the order of documents
 * when none is asked for, and its exact opposite, ascending by time of change.
 */
function keptPage(
  filter: Filter,
  order: readonly { property: Property; descending: boolean }[],
  entity: Queryable,
  company: CompanyView,
  skip: number,
  size: number,
): Rec[] | undefined {
  if (filter.byId || entity.defaultOrder !== 'updated-desc' || order.length > 1) return undefined;
  const [asked] = order;
  if (asked && (asked.descending || asked.property.path.join('.') !== 'MetaData.LastUpdatedTime')) return undefined;
  const kept = company.newestFirst?.(entity.name);
  if (!kept) return undefined;
  const page: Rec[] = [];
  let matched = 0;
  for (let n = 0; n < kept.length && page.length < size; n++) {
    const rec = kept[asked ? kept.length - 1 - n : n]!;
    if (filter.accepts(rec) && ++matched > skip) page.push(rec);
  }
  return page;
}

function orderedPage(
  rows: Rec[],
  keys: { property: Property; descending: boolean }[],
  entity: Queryable,
  skip: number,
  size: number,
): Rec[] {
  if (skip >= rows.length) return [];
  const order = keys.length > 0 ? keys.map(sortBy) : defaultOrder(entity);
  const wanted = skip + size;
  const [primary] = order as [SortBy];
  const values = rows.map(primary.read);
  let indexes: number[] | Uint32Array = Uint32Array.from(rows.keys());
  // The first pages of a large company need only its extreme rows: cut the rest off by selection before sorting.
  if (primary.numeric && wanted * 4 < rows.length) indexes = extremes(values as number[], wanted, primary.descending);
  const rest = order.slice(1);
  const sorted = indexes.sort((a, b) => {
    const byPrimary = compareValues(values[a]!, values[b]!, primary.descending);
    if (byPrimary !== 0) return byPrimary;
    for (const key of rest) {
      const difference = compareValues(key.read(rows[a]!), key.read(rows[b]!), key.descending);
      if (difference !== 0) return difference;
    }
    return idNumber(rows[a]!) - idNumber(rows[b]!);
  });
  return Array.from(sorted.slice(skip, wanted), (index) => rows[index]!);
}

function defaultOrder(entity: Queryable): SortBy[] {
  const newestIdFirst: SortBy = { read: idNumber, descending: true, numeric: true };
  if (entity.defaultOrder === 'updated-desc') {
    return [
      { read: (rec) => storedMoment(rec.MetaData?.LastUpdatedTime), descending: true, numeric: true },
      newestIdFirst,
    ];
  }
  const byId: SortBy = { read: idNumber, descending: false, numeric: true };
  if (entity.defaultOrder === 'id') return [byId];
  return [{ read: nameOf, descending: false, numeric: false }, byId];
}

const nameOf = (rec: Rec): string => String(rec.FullyQualifiedName ?? rec.DisplayName ?? rec.Name ?? '').toLowerCase();
const idNumber = (rec: Rec): number => Number(rec.Id ?? 0);

function sortBy({ property, descending }: { property: Property; descending: boolean }): SortBy {
  const raw = (rec: Rec): unknown => refValue(valueAt(rec, property.path));
  switch (property.type) {
    case 'id':
      return { read: idNumber, descending, numeric: true };
    case 'number':
      return { read: (rec) => Number(raw(rec) ?? Number.NEGATIVE_INFINITY), descending, numeric: true };
    case 'moment':
      return { read: (rec) => storedMoment(raw(rec) as string), descending, numeric: true };
    case 'boolean':
      return { read: (rec) => (raw(rec) === true ? 1 : 0), descending, numeric: true };
    case 'ref':
      return { read: (rec) => Number(raw(rec) ?? Number.NEGATIVE_INFINITY), descending, numeric: true };
    default:
      return { read: (rec) => String(raw(rec) ?? '').toLowerCase(), descending, numeric: false };
  }
}

function compareValues(a: SortValue, b: SortValue, descending: boolean): number {
  if (a === b) return 0;
  const ascending = a < b ? -1 : 1;
  return descending ? -ascending : ascending;
}

/** Indexes of at least `wanted` rows that no other row precedes (ties at the edge all included). */
function extremes(values: readonly number[], wanted: number, descending: boolean): number[] {
  const sample = Float64Array.from(values);
  const rank = descending ? sample.length - wanted : wanted - 1;
  const edge = valueAtRank(sample, rank);
  const kept: number[] = [];
  for (let i = 0; i < values.length; i++) if (descending ? values[i]! >= edge : values[i]! <= edge) kept.push(i);
  return kept;
}

/** The value that would stand at `rank` if sorted ascending (quickselect; reorders its array). */
function valueAtRank(values: Float64Array, rank: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i <= j) {
        const kept = values[i]!;
        values[i++] = values[j]!;
        values[j--] = kept;
      }
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else break;
  }
  return values[rank]!;
}

// ---- projection ------------------------------------------------------------------------------------------------------

// A projected row keeps its record's order of fields, is flagged sparse and always names its Id.
function project(rec: Rec, fields: readonly Property[]): Rec {
  const whole = new Set<string>(['domain', 'Id']);
  const parts = new Map<string, string[][]>();
  for (const { path } of fields) {
    if (path.length === 1) whole.add(path[0]!);
    else parts.set(path[0]!, [...(parts.get(path[0]!) ?? []), path.slice(1)]);
  }
  const row: Rec = {};
  for (const [field, value] of Object.entries(rec)) {
    if (field === 'sparse') row.sparse = true;
    else if (whole.has(field)) row[field] = value;
    else if (parts.has(field)) row[field] = projectPart(value, parts.get(field)!);
  }
  row.sparse = true;
  return row;
}

function projectPart(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (Array.isArray(value)) return value.map((one) => projectPart(one, paths));
  if (value === null || typeof value !== 'object') return value;
  const part: Rec = {};
  for (const [step, ...rest] of paths) {
    const inner = (value as Rec)[step!];
    if (inner !== undefined) part[step!] = rest.length > 0 ? projectPart(inner, [rest]) : inner;
  }
  return part;
}
