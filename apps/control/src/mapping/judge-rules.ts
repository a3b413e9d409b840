// Mistakes in mapping rules as a person writes them, all at once. Pure. The evaluator tolerates anything (a bad rule is a
// named failure of the records it touches); this is so that the author hears of it now and not from a thousand records.
import { knownType } from '#core';
import type { EntityRules, FieldRule, FilterCondition, LayerRules, Transform } from '#core';
import type { FieldMistake } from '#common/problems';

export type Check = (value: unknown, field: string) => FieldMistake[];

export const wrong = (field: string, message: string): FieldMistake[] => [{ field, message }];
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const text: Check = (value, field) =>
  typeof value === 'string' && value !== '' ? [] : wrong(field, 'must be a text');
export const flag: Check = (value, field) => (typeof value === 'boolean' ? [] : wrong(field, 'must be true or false'));
const flagOrText: Check = (value, field) =>
  typeof value === 'boolean' || typeof value === 'string' ? [] : wrong(field, 'must be true, false or a reason');
const scalar: Check = (value, field) =>
  ['string', 'number', 'boolean'].includes(typeof value) ? [] : wrong(field, 'must be a text, a number, true or false');
const count: Check = (value, field) =>
  Number.isInteger(value) && Number(value) > 0 ? [] : wrong(field, 'must be a positive whole number');
const wholeNumber: Check = (value, field) => (Number.isInteger(value) ? [] : wrong(field, 'must be a whole number'));
const anything: Check = () => [];
export const oneOf =
  (...options: string[]): Check =>
  (value, field) =>
    options.includes(String(value)) ? [] : wrong(field, `must be one of ${options.join(', ')}`);
const listOf =
  (item: Check): Check =>
  (value, field) =>
    Array.isArray(value)
      ? value.flatMap((each, index) => item(each, `${field}.${index}`))
      : wrong(field, 'must be a list');
const tableOf =
  (item: Check): Check =>
  (value, field) =>
    isObject(value)
      ? Object.entries(value).flatMap(([key, each]) => item(each, `${field}.${key}`))
      : wrong(field, 'must be an object');

/** An object with known fields; names ending in `!` must be there. */
export function shape(fields: Record<string, Check>): Check {
  const required = Object.keys(fields).filter((name) => name.endsWith('!'));
  const checks = Object.fromEntries(Object.entries(fields).map(([name, check]) => [name.replace('!', ''), check]));
  return (value, field) => {
    if (!isObject(value)) return wrong(field, 'must be an object');
    return [
      ...required
        .map((name) => name.replace('!', ''))
        .filter((name) => !(name in value))
        .flatMap((name) => wrong(`${field}.${name}`, 'is missing')),
      ...Object.entries(value).flatMap(([name, each]) => {
        const check = checks[name];
        return check ? check(each, `${field}.${name}`) : wrong(`${field}.${name}`, 'there is no such field');
      }),
    ];
  };
}

/** By the value of one field: each variant has a shape of its own. */
function variant(tag: string, shapes: Record<string, Check>): Check {
  return (value, field) => {
    if (!isObject(value)) return wrong(field, 'must be an object');
    const check = shapes[String(value[tag])];
    return check ? check(value, field) : wrong(`${field}.${tag}`, `must be one of ${Object.keys(shapes).join(', ')}`);
  };
}

const plain = shape({ 'use!': text });
const withText = shape({ 'use!': text, 'text!': text });
const transform = variant('use', {
  trim: plain,
  upper: plain,
  lower: plain,
  toUpperCase: plain,
  toLowerCase: plain,
  titleCase: plain,
  toString: plain,
  toNumber: plain,
  abs: plain,
  multiply: shape({ 'use!': text, 'by!': scalar }),
  round: shape({ 'use!': text, 'places!': wholeNumber }),
  formatDate: shape({ 'use!': text, from: text, 'to!': text }),
  concat: shape({ 'use!': text, 'parts!': listOf(anything), separator: anything }),
  substring: shape({ 'use!': text, 'start!': wholeNumber, end: wholeNumber }),
  split: shape({ 'use!': text, 'separator!': text, 'index!': wholeNumber }),
  prefix: withText,
  suffix: withText,
  replace: shape({ 'use!': text, 'find!': text, 'with!': anything }),
  truncate: shape({ 'use!': text, 'length!': count }),
  default: shape({ 'use!': text, 'value!': scalar }),
  table: shape({ 'use!': text, 'entries!': tableOf(text), otherwise: oneOf('keep', 'empty', 'fail') }),
} satisfies Record<Transform['use'], Check>);

const fieldRule = shape({
  'from!': text,
  'to!': text,
  transforms: listOf(transform),
  required: flag,
  maxLength: count,
  oneOf: listOf(text),
} satisfies Record<keyof Omit<FieldRule, 'from' | 'to'> | 'from!' | 'to!', Check>);

const referencePolicy = variant('kind', {
  follow: shape({ 'kind!': text }),
  drop: shape({ 'kind!': text }),
  fixed: shape({ 'kind!': text, 'value!': text }),
  table: shape({ 'kind!': text, 'entries!': tableOf(text), otherwise: oneOf('follow', 'fail', 'drop') }),
});

const filterCondition = shape({
  'path!': text,
  equals: scalar,
  oneOf: listOf(scalar),
  startsWith: text,
  below: scalar,
  above: scalar,
  missing: flag,
} satisfies Record<keyof Omit<FilterCondition, 'path'> | 'path!', Check>);

const tooLong = oneOf('hold', 'drop', 'cut');
const affix = shape({ 'kind!': text, 'text!': text, tooLong });

const entityRules = shape({
  excluded: flagOrText,
  exclude: listOf(shape({ 'reason!': text, 'where!': listOf(filterCondition) })),
  adopt: (value, field) =>
    typeof value === 'object'
      ? shape({ by: oneOf('name', 'number', 'key', 'never'), table: tableOf(text) })(value, field)
      : flag(value, field),
  omit: listOf(text),
  keep: listOf(text),
  fields: listOf(fieldRule),
  static: tableOf(anything),
  overrides: listOf(shape({ 'when!': tableOf(scalar), 'set!': tableOf(anything) })),
  references: tableOf(referencePolicy),
  redirect: tableOf(text),
  documentNumber: variant('kind', {
    keep: shape({ 'kind!': text, tooLong }),
    drop: shape({ 'kind!': text }),
    hold: shape({ 'kind!': text, tooLong }),
    prefix: affix,
    suffix: affix,
  }),
} satisfies Record<keyof EntityRules, Check>);

const layerRules = shape({
  entities: (value, field) => [
    ...(isObject(value) ? Object.keys(value) : [])
      .filter((type) => type !== '*' && !knownType(type))
      .flatMap((type) => wrong(`${field}.${type}`, 'is no entity type this system carries; "*" means all')),
    ...tableOf(entityRules)(value, field),
  ],
} satisfies Record<keyof LayerRules, Check>);

export const judgeRules = (rules: unknown): FieldMistake[] => layerRules(rules, 'rules');
