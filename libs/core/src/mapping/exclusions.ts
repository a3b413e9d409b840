// Which records of a type a sync leaves out: filters over the source record, as data.
import { Decimal } from 'decimal.js';
import { isEmpty } from '../canonical/noise.js';
import { places } from '../canonical/paths.js';
import type { Json } from '../model/json.js';
import { MappingFailure } from './failure.js';
import type { ExclusionFilter, FilterCondition, Merged } from './rules.js';

/** The reason of the first filter that matches. @throws MappingFailure for a filter that says nothing understandable */
export function exclusionOf(filters: readonly Merged<ExclusionFilter>[], source: Json): string | undefined {
  for (const { value: filter, from } of filters) {
    const layers = from.map(({ layer, id }) => `${layer} ${id}`).join(', ');
    if (!Array.isArray(filter?.where) || filter.where.length === 0) {
      // Without a condition it would match everything: a slip must not empty a company.
      throw new MappingFailure('MAPPING.BAD_RULE', `an exclusion needs conditions (${layers})`);
    }
    try {
      if (filter.where.every((condition) => holds(condition, source)))
        return `${String(filter.reason || 'excluded by a filter')} (${layers})`;
    } catch (error) {
      throw new MappingFailure('MAPPING.BAD_RULE', `exclusion: ${(error as Error).message} (${layers})`);
    }
  }
  return undefined;
}

function holds(condition: FilterCondition, source: Json): boolean {
  const values = places(source, String(condition.path))
    .map(({ value }) => value)
    .filter((value) => !isEmpty(value));
  const { equals, oneOf, startsWith, below, above, missing } = condition;
  const said = [equals, oneOf, startsWith, below, above, missing].filter((one) => one !== undefined);
  if (said.length === 0) throw new RangeError(`nothing is asked of "${condition.path}"`);
  if (missing !== undefined && missing !== (values.length === 0)) return false;
  if (said.length === 1 && missing !== undefined) return true;
  return values.some(
    (value) =>
      (equals === undefined || same(value, equals)) &&
      (oneOf === undefined || oneOf.some((one) => same(value, one))) &&
      (startsWith === undefined || fold(value).startsWith(fold(startsWith))) &&
      (below === undefined || compare(value, below) < 0) &&
      (above === undefined || compare(value, above) > 0),
  );
}

function fold(value: unknown): string {
  return typeof value === 'object' ? '' : String(value).trim().toLowerCase();
}

function same(value: unknown, wanted: unknown): boolean {
  return fold(value) === fold(wanted);
}

/** Amounts as decimals; texts (dates in ISO form) by their order. NaN when they cannot be compared: neither below nor above. */
function compare(value: unknown, bound: string | number): number {
  if (typeof value === 'number' && /^[+-]?\d*\.?\d+$/.test(String(bound))) {
    return new Decimal(value).comparedTo(new Decimal(bound));
  }
  if (typeof value !== 'string' || typeof bound !== 'string') return NaN;
  return value < bound ? -1 : value > bound ? 1 : 0;
}
