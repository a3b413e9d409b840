// Transforms: a closed list of small functions over one value. No patterns and no code, so that no rule can take long.
import { MappingFailure } from './failure.js';
import type { Transform } from './rules.js';

export function applyTransforms(value: unknown, transforms: readonly Transform[], rule: string): unknown {
  return transforms.reduce((current, transform) => applyOne(current, transform, rule), value);
}

function applyOne(value: unknown, transform: Transform, rule: string): unknown {
  const isAbsent = value === undefined || value === null || value === '';
  if (transform.use === 'default') return isAbsent ? transform.value : value;
  if (isAbsent) return value;
  const text = textOf(value, rule);
  switch (transform.use) {
    case 'trim':
      return text.trim();
    case 'upper':
      return text.toUpperCase();
    case 'lower':
      return text.toLowerCase();
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
