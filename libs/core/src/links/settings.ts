// Settings of a sync: what the writer reads out of them, and which links a change of them is about. Pure.
// The writer tolerates anything and takes the default for what makes no sense; control refuses that beforehand.
import { canonicalText } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { driftPolicy, type DriftPolicy } from './drift.js';
import { defaultWritePolicy, type WritePolicy } from './plan.js';
import { defaultRounding, type RoundingPolicy } from './rounding.js';

/**
 * `settings` of a sync: `{adopt: {lists, transactions}, twins, drift, excluded, collisions: {names, numbers}, rounding}`, each
 * optional. `drift`: drift.ts.
 */
export function writePolicy(settings: Json, entityType: string): WritePolicy {
  const adopt = (settings.adopt ?? {}) as Partial<WritePolicy['adopt']>;
  const collisions = (settings.collisions ?? {}) as Json;
  return {
    adopt: { ...defaultWritePolicy.adopt, ...adopt },
    twins: settings.twins === 'leave' ? 'leave' : defaultWritePolicy.twins,
    excluded: settings.excluded === 'remove' || settings.excluded === 'hold' ? settings.excluded : 'leave',
    drift: driftPolicy(settings.drift, entityType),
    collisions: {
      names: collisions.names === 'suffix' ? 'suffix' : 'hold',
      numbers: collisions.numbers === 'suffix' || collisions.numbers === 'check' ? collisions.numbers : 'hold',
    },
    rounding: roundingPolicy(settings),
  };
}

/** `settings.rounding`: `{kind: "record" or "line", itemId, accountId, zeroTaxCodeId}`. */
export function roundingPolicy(settings: Json | undefined): RoundingPolicy {
  const rounding: unknown = settings?.rounding;
  if (typeof rounding !== 'object' || rounding === null || (rounding as Json).kind !== 'line') return defaultRounding;
  const text = (name: string): Record<string, string> => {
    const value: unknown = (rounding as Json)[name];
    return typeof value === 'string' && value !== '' ? { [name]: value } : {};
  };
  return { kind: 'line', ...text('itemId'), ...text('accountId'), ...text('zeroTaxCodeId') };
}

/** A JSON merge patch (RFC 7396): null takes a setting away, an object goes into the one that is there. */
export function patched(settings: Json, patch: Json): Json {
  const result = { ...settings };
  for (const [name, value] of Object.entries(patch)) {
    const before: unknown = result[name];
    if (value === null) delete result[name];
    else result[name] = isObject(value) ? patched(isObject(before) ? before : {}, value) : value;
  }
  return result;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Links of one type that the new settings may decide otherwise: they are planned again. */
export interface Reconsidered {
  entityType: string;
  /** held with one of these */
  codes: string[];
  /** settled with an edit of the target that was left there */
  kept: boolean;
  /** left out by a mapping rule, with a copy that still stands */
  excluded: boolean;
}

/**
 * What was decided under the old settings and would be decided otherwise now. What was written stays written: an adopted
 * twin, a suffix, a rounding line are facts of the target by now. A held edit (`DRIFT`) is let go only where the new word for
 * every field is "overwrite": its base is what the person wrote, so to let it go is to write over it.
 */
export function reconsideredBy(before: Json, after: Json, entityTypes: readonly string[]): Reconsidered[] {
  return entityTypes.flatMap((entityType) => {
    const [old, now] = [writePolicy(before, entityType), writePolicy(after, entityType)];
    const changed = (part: keyof WritePolicy): boolean => canonicalText(old[part]) !== canonicalText(now[part]);
    const codes = [
      ...(changed('adopt') || changed('twins') ? ['ADOPT.AMBIGUOUS', 'ADOPT.NO_TWIN', 'ADOPT.NO_KEY'] : []),
      ...(changed('collisions') ? ['COLLISION.NAME', 'COLLISION.NUMBER', 'NUMBER.TOO_LONG'] : []),
      ...(changed('rounding') ? ['MONEY.TOO_FAR', 'MONEY.NO_ROUNDING_ACCOUNT'] : []),
      ...(changed('excluded') ? ['EXCLUDED.HELD'] : []),
      ...(wordsOf(old.drift).includes('hold') && !wordsOf(now.drift).some((word) => word !== 'overwrite')
        ? ['DRIFT']
        : []),
      ...(old.drift.gone !== now.drift.gone && now.drift.gone === 'recreate' ? ['DRIFT.TARGET_GONE'] : []),
    ];
    const kept = changed('drift') && wordsOf(old.drift).includes('keep');
    const excluded = changed('excluded');
    return codes.length > 0 || kept || excluded ? [{ entityType, codes, kept, excluded }] : [];
  });
}

const wordsOf = ({ default: word, fields = {} }: DriftPolicy): string[] => [word, ...Object.values(fields)];
