// Three layers become one rule set: template, then organization, then sync; the later one decides, all that spoke are
// recorded. Within a layer, rules for a type come after rules for `*`. A layer is untrusted data: what has no meaning is
// kept as a defect, which later fails the records it touches by name.
import { isReserved } from './paths.js';
import type { Contribution, EntityRules, LayerName, MappingLayer, Merged, MergedRules, RuleSet } from './rules.js';

const order: Record<LayerName, number> = { template: 0, organization: 1, sync: 2 };
export const anyType = '*';

export function mergeLayers(layers: readonly MappingLayer[]): RuleSet {
  const sorted = [...layers].sort((a, b) => order[a.layer] - order[b.layer] || a.id - b.id);
  const types = new Set<string>([anyType]);
  for (const { rules } of sorted) for (const type of Object.keys(entitiesOf(rules))) types.add(type);
  const entities: Record<string, MergedRules> = {};
  for (const type of types) if (!isReserved(type)) entities[type] = mergedFor(type, sorted);
  return {
    version: sorted.reduce((highest, layer) => Math.max(highest, layer.id), 0),
    layers: sorted.map(({ layer, id }) => ({ layer, id })),
    entities,
  };
}

/** The rules for a type: its own, which include those for `*`. */
export function rulesFor(rules: RuleSet, type: string): MergedRules {
  const own = Object.hasOwn(rules.entities, type) ? rules.entities[type] : undefined;
  return own ?? rules.entities[anyType] ?? emptyRules();
}

function mergedFor(type: string, layers: readonly MappingLayer[]): MergedRules {
  const merged = emptyRules();
  for (const { layer, id, rules } of layers) {
    const entities = entitiesOf(rules);
    const spoken = type === anyType ? [anyType] : [anyType, type];
    for (const name of spoken) {
      const own: unknown = Object.hasOwn(entities, name) ? entities[name] : undefined;
      if (own !== undefined) addLayer(merged, own, { layer, id }, name);
    }
  }
  return merged;
}

function addLayer(merged: MergedRules, own: unknown, from: Contribution, name: string): void {
  const defect = (what: string) => merged.defects.push(`${from.layer} layer ${from.id}, ${name}: ${what}`);
  if (!isRecord(own)) return void defect('is not an object');
  const rules = own as EntityRules;
  if (rules.excluded !== undefined) merged.excluded = over(merged.excluded, rules.excluded, from);
  if (rules.adopt !== undefined) merged.adopt = over(merged.adopt, rules.adopt, from);
  if (rules.documentNumber !== undefined) {
    merged.documentNumber = over(merged.documentNumber, rules.documentNumber, from);
  }
  for (const path of listOf(rules.omit, 'omit', defect)) setRule(merged.omit, String(path), true, from, defect);
  for (const path of listOf(rules.keep, 'keep', defect)) setRule(merged.omit, String(path), false, from, defect);
  for (const rule of listOf(rules.fields, 'fields', defect)) {
    if (isRecord(rule) && typeof rule.to === 'string') setRule(merged.fields, rule.to, rule, from, defect);
    else defect('a field rule has no "to"');
  }
  for (const rule of listOf(rules.overrides, 'overrides', defect)) merged.overrides.push({ value: rule, from: [from] });
  for (const filter of listOf(rules.exclude, 'exclude', defect)) merged.exclude.push({ value: filter, from: [from] });
  for (const [key, value] of entriesOf(rules.static, 'static', defect))
    setRule(merged.static, key, value, from, defect);
  for (const [key, value] of entriesOf(rules.references, 'references', defect)) {
    setRule(merged.references, key, value, from, defect);
  }
  for (const [key, value] of entriesOf(rules.redirect, 'redirect', defect)) {
    setRule(merged.redirect, key, value, from, defect);
  }
}

function setRule<T>(
  rules: Record<string, Merged<T>>,
  key: string,
  value: T,
  from: Contribution,
  defect: (what: string) => void,
): void {
  if (isReserved(key)) return defect(`"${key}" is not a name`);
  rules[key] = over(Object.hasOwn(rules, key) ? rules[key] : undefined, value, from);
}

function over<T>(earlier: Merged<T> | undefined, value: T, from: Contribution): Merged<T> {
  return { value, from: [...(earlier?.from ?? []), from] };
}

function listOf<T>(value: T[] | undefined, what: string, defect: (what: string) => void): T[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  defect(`"${what}" is not a list`);
  return [];
}

function entriesOf<T>(
  value: Record<string, T> | undefined,
  what: string,
  defect: (what: string) => void,
): [string, T][] {
  if (value === undefined) return [];
  if (isRecord(value)) return Object.entries(value);
  defect(`"${what}" is not an object`);
  return [];
}

function entitiesOf(rules: unknown): Record<string, unknown> {
  return isRecord(rules) && isRecord(rules.entities) ? rules.entities : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function emptyRules(): MergedRules {
  return { omit: {}, fields: {}, static: {}, overrides: [], exclude: [], references: {}, redirect: {}, defects: [] };
}
