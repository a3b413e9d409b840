// Transforms: a closed list of small functions over one value. No patterns and no code, so that no rule can take long.
// Arithmetic is on exact decimals; a number that JSON could not carry exactly is a failure, never a rounded amount.
import { Decimal } from 'decimal.js';
import { isEmpty } from '../canonical/noise.js';
import { places } from '../canonical/paths.js';
import type { Json } from '../model/json.js';
import { formatDate } from './dates.js';
import { MappingFailure } from './failure.js';
import type { Transform } from './rules.js';

/** @param source the record that `concat` may take other fields from */
export function applyTransforms(
  value: unknown,
  transforms: readonly Transform[],
  rule: string,
  source: Json = {},
): unknown {
  return transforms.reduce((current, transform) => applyOne(current, transform, rule, source), value);
}

function applyOne(value: unknown, transform: Transform, rule: string, source: Json): unknown {
  const isAbsent = value === undefined || value === null || value === '';
  if (transform.use === 'default') return isAbsent ? transform.value : value;
  if (transform.use === 'concat') return concatenated(value, transform, rule, source);
  if (isAbsent) return value;
  const text = textOf(value, rule);
  switch (transform.use) {
    case 'trim':
      return text.trim();
    case 'upper':
    case 'toUpperCase':
      return text.toUpperCase();
    case 'lower':
    case 'toLowerCase':
      return text.toLowerCase();
    case 'titleCase':
      return titleCase(text);
    case 'toString':
      return text;
    case 'toNumber':
      return numberOf(decimalOf(text, rule), rule);
    case 'multiply':
      return numberOf(decimalOf(text, rule).times(factorOf(transform.by, rule)), rule);
    case 'abs':
      return numberOf(decimalOf(text, rule).abs(), rule);
    case 'round':
      return numberOf(rounded(decimalOf(text, rule), transform.places, rule), rule);
    case 'formatDate':
      return dateIn(text, transform, rule);
    case 'substring':
      return substring(text, transform, rule);
    case 'split':
      return part(text, transform, rule);
    case 'prefix':
      return String(transform.text) + text;
    case 'suffix':
      return text + String(transform.text);
    case 'replace':
      return transform.find === '' ? text : text.replaceAll(String(transform.find), () => String(transform.with));
    case 'truncate':
      return truncated(text, transform.length, rule);
    case 'table':
      return fromTable(text, transform, rule);
    default:
      throw badRule(rule, `there is no transform "${String((transform as { use?: unknown }).use)}"`);
  }
}

/** Texts as they are, other fields of the record by path, the value itself as `{value: true}`; what is empty adds nothing. */
function concatenated(
  value: unknown,
  { parts, separator = '' }: Extract<Transform, { use: 'concat' }>,
  rule: string,
  source: Json,
): string | undefined {
  if (!Array.isArray(parts)) throw badRule(rule, 'concat needs a list of parts');
  const texts = parts.map((one: unknown) => {
    if (typeof one === 'string') return one;
    const { field } = (one ?? {}) as { field?: unknown };
    const found = field === undefined ? value : places(source, String(field))[0]?.value;
    return isEmpty(found) ? '' : textOf(found, rule);
  });
  const joined = texts.filter((text) => text !== '').join(String(separator));
  return joined === '' ? undefined : joined;
}

function titleCase(text: string): string {
  // After a space or a hyphen a word begins; an apostrophe is inside one ("Baker's").
  return text
    .toLowerCase()
    .replace(/(^|[\s-])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase());
}

function decimalOf(text: string, rule: string): Decimal {
  const plain = text.trim();
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i.test(plain)) return new Decimal(plain);
  throw new MappingFailure('MAPPING.NOT_ALLOWED', `${rule}: "${text.slice(0, 60)}" is not a number`);
}

function factorOf(by: unknown, rule: string): Decimal {
  if (typeof by !== 'number' && typeof by !== 'string') throw badRule(rule, 'multiply needs a number in "by"');
  return decimalOf(String(by), rule);
}

/** Half away from zero, as QBO rounds amounts. */
function rounded(value: Decimal, decimals: unknown, rule: string): Decimal {
  if (!Number.isInteger(decimals) || (decimals as number) < 0 || (decimals as number) > 7) {
    throw badRule(rule, 'round needs 0 to 7 places');
  }
  return value.toDecimalPlaces(decimals as number, Decimal.ROUND_HALF_UP);
}

function numberOf(value: Decimal, rule: string): number {
  const number = value.toNumber();
  if (Number.isFinite(number) && new Decimal(number).equals(value)) return number === 0 ? 0 : number;
  throw new MappingFailure(
    'MAPPING.NOT_ALLOWED',
    `${rule}: ${value.toString()} has more digits than a number can hold`,
  );
}

function dateIn(text: string, { from, to }: Extract<Transform, { use: 'formatDate' }>, rule: string): string {
  const result = formatDate(text.trim(), from, to);
  if (result.kind === 'done') return result.text;
  if (result.kind === 'bad-pattern') throw badRule(rule, result.reason);
  throw new MappingFailure('MAPPING.NOT_ALLOWED', `${rule}: "${text.slice(0, 40)}" ${result.reason}`);
}

function substring(text: string, { start, end }: Extract<Transform, { use: 'substring' }>, rule: string): string {
  const isPosition = (at: unknown) => Number.isInteger(at) && (at as number) >= 0;
  if (!isPosition(start) || (end !== undefined && !isPosition(end)))
    throw badRule(rule, 'substring counts positions from 0');
  return [...text].slice(start, end).join('');
}

/** The part at an index; negative ones count from the end. */
function part(
  text: string,
  { separator, index }: Extract<Transform, { use: 'split' }>,
  rule: string,
): string | undefined {
  if (typeof separator !== 'string' || separator === '') throw badRule(rule, 'split needs a separator');
  if (!Number.isInteger(index)) throw badRule(rule, 'split needs the index of a part');
  return text.split(separator).at(index);
}

function truncated(text: string, length: number, rule: string): string {
  if (!Number.isInteger(length) || length < 1) throw badRule(rule, 'truncate needs a length of 1 or more');
  // By code point: half a surrogate pair is not a character.
  return [...text].slice(0, length).join('');
}

function fromTable(text: string, table: Extract<Transform, { use: 'table' }>, rule: string): unknown {
  if (typeof table.entries !== 'object' || table.entries === null) throw badRule(rule, 'the table has no entries');
  if (Object.hasOwn(table.entries, text)) return table.entries[text];
  const otherwise = table.otherwise ?? 'keep';
  if (otherwise === 'keep') return text;
  if (otherwise === 'empty') return undefined;
  throw new MappingFailure('MAPPING.NOT_ALLOWED', `${rule}: the table has no entry for "${text}"`);
}

function textOf(value: unknown, rule: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw badRule(rule, 'a transform needs a text, a number or a truth value, not an object');
}

function badRule(rule: string, what: string): MappingFailure {
  return new MappingFailure('MAPPING.BAD_RULE', `${rule}: ${what}`);
}
