// Field rules, static values and overrides: from the source's fields to the target's.
import { isEmpty } from '../canonical/noise.js';
import { copyOf, places, removeAt, segmentsOf, setAt, type Place } from '../canonical/paths.js';
import type { Json } from '../model/json.js';
import { MappingFailure } from './failure.js';
import type { FieldRule, Merged, MergedRules, Override } from './rules.js';
import { applyTransforms } from './transforms.js';

/** Applies the rules to `body` in place. `source` is the record before anything was left out, with the same list positions. */
export function applyFieldRules(body: Json, source: Json, rules: MergedRules): void {
  for (const [to, rule] of Object.entries(rules.fields))
    guarded(`field rule "${to}"`, rule, () => applyField(body, source, rule.value));
  for (const [to, rule] of Object.entries(rules.static)) {
    guarded(`static value "${to}"`, rule, () => setAt(body, segmentsOf(to), copyOf(rule.value)));
  }
  for (const rule of rules.overrides) guarded('override', rule, () => applyOverride(body, source, rule.value));
}

/** Names the layers in whatever goes wrong inside. */
function guarded(what: string, rule: Merged<unknown>, apply: () => void): void {
  const layers = rule.from.map(({ layer, id }) => `${layer} ${id}`).join(', ');
  try {
    apply();
  } catch (error) {
    if (error instanceof MappingFailure) throw new MappingFailure(error.code, `${error.message} (${layers})`);
    throw new MappingFailure('MAPPING.BAD_RULE', `${what}: ${(error as Error).message} (${layers})`);
  }
}

function applyField(body: Json, source: Json, rule: FieldRule): void {
  const name = `${rule.from} -> ${rule.to}`;
  const to = segmentsOf(rule.to);
  const stars = (segments: readonly string[]) => segments.filter((segment) => segment === '*').length;
  if (stars(segmentsOf(rule.from)) !== stars(to)) {
    throw new MappingFailure('MAPPING.BAD_RULE', `${name}: both sides need the same number of lists`);
  }
  const found = places(source, rule.from);
  if (stars(to) === 0 && found.length === 0) found.push({ segments: [], value: undefined });
  for (const place of found) {
    const value = applyTransforms(copyOf(place.value), rule.transforms ?? [], name, source);
    assertAllowed(value, rule, name);
    const target = resolved(to, rule.from, place);
    if (isEmpty(value)) removeAt(body, target);
    else setAt(body, target, value);
  }
}

function assertAllowed(value: unknown, rule: FieldRule, name: string): void {
  if (isEmpty(value)) {
    if (rule.required) throw new MappingFailure('MAPPING.REQUIRED', `${name}: came out empty`);
    return;
  }
  if (rule.maxLength !== undefined && String(value).length > rule.maxLength) {
    const length = String(value).length;
    throw new MappingFailure('MAPPING.TOO_LONG', `${name}: ${length} characters, ${rule.maxLength} are allowed`);
  }
  if (rule.oneOf && !rule.oneOf.includes(String(value))) {
    throw new MappingFailure(
      'MAPPING.NOT_ALLOWED',
      `${name}: "${String(value)}" is not one of ${rule.oneOf.join(', ')}`,
    );
  }
}

/** The positions that `*` stood for on the source side, put in on the target side. */
function resolved(to: readonly string[], from: string, place: Place): string[] {
  const positions = from.split('.').flatMap((segment, at) => (segment === '*' ? [place.segments[at]!] : []));
  return to.map((segment) => (segment === '*' ? positions.shift()! : segment));
}

function applyOverride(body: Json, source: Json, { when, set }: Override): void {
  const applies = Object.entries(when).every(([path, wanted]) =>
    places(source, path).some(({ value }) => fold(value) === fold(wanted)),
  );
  if (!applies) return;
  for (const [path, value] of Object.entries(set)) setAt(body, segmentsOf(path), copyOf(value));
}

function fold(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
