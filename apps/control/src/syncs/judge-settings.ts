// Mistakes in the settings of a sync, all at once, when they are given: the writer tolerates anything, and a word misspelt
// would silently be the default. Pure.
import { driftWords, goneWords, knownType } from '#core';
import type { FieldMistake } from '#common/problems';
import { flag, oneOf, shape, text, wrong, type Check } from '../mapping/judge-rules.js';

const targetId: Check = (value, field) =>
  typeof value === 'string' && /^[\w:-]{1,40}$/.test(value)
    ? []
    : wrong(field, 'must be an id of the target, as a text');
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const driftWord = oneOf(...driftWords);
const fieldName = /^[A-Z][A-Za-z0-9]*$/;

const driftFields: Check = (value, field) =>
  isObject(value)
    ? Object.entries(value).flatMap(([name, word]) =>
        fieldName.test(name)
          ? driftWord(word, `${field}.${name}`)
          : wrong(`${field}.${name}`, 'must be a field of the record by its first name, e.g. "PrivateNote" or "Line"'),
      )
    : wrong(field, 'must say a word for each field, e.g. {"PrivateNote": "keep"}');

const driftOfType = shape({ default: driftWord, fields: driftFields, gone: oneOf(...goneWords) });

const driftWordOrShape: Check = (value, field) =>
  isObject(value) ? driftOfType(value, field) : driftWord(value, field);

/** One word for all types, or by type a word or a shape. */
const drift: Check = (value, field) => {
  if (!isObject(value)) return driftWord(value, field);
  return Object.entries(value).flatMap(([type, word]) =>
    type !== 'default' && !knownType(type)
      ? wrong(`${field}.${type}`, 'is no entity type this system carries; "default" means all others')
      : driftWordOrShape(word, `${field}.${type}`),
  );
};

const roundingShape = shape({
  'kind!': oneOf('record', 'line'),
  itemId: targetId,
  accountId: targetId,
  zeroTaxCodeId: targetId,
});

const rounding: Check = (value, field) => {
  const mistakes = roundingShape(value, field);
  if (mistakes.length > 0 || !isObject(value) || value.kind !== 'line') return mistakes;
  return value.itemId === undefined && value.accountId === undefined
    ? wrong(field, 'needs itemId (sales), accountId (purchases), or both for its line')
    : [];
};

const settings = shape({
  adopt: shape({ lists: flag, transactions: flag }),
  twins: oneOf('align', 'leave'),
  drift,
  collisions: shape({ names: oneOf('hold', 'suffix'), numbers: oneOf('hold', 'suffix', 'check') }),
  rounding,
  excluded: oneOf('leave', 'remove', 'hold'),
  note: text,
});

export const judgeSettings = (value: unknown): FieldMistake[] => settings(value, 'settings');
