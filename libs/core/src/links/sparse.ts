// Sparse updates: what changed against what we applied, cleared fields as explicit null, Line always whole. A full update
// would null whatever it omits (qbo-api.md 2.2).
import { canonicalText, withoutNoise } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { definitionOf, type EntityDefinition } from '../registry/index.js';

/**
 * The changed fields, without Id and SyncToken; undefined when nothing changed.
 * @param options.clear false for an adopted twin: what it has beyond ours stays
 */
export function sparseChanges(
  entityType: string,
  applied: Json,
  desired: Json,
  options: { clear: boolean } = { clear: true },
): Json | undefined {
  const definition = definitionOf(entityType);
  const changes = changedFields(entityType, applied, desired, options);
  if (Object.keys(changes).length === 0) return undefined;
  return completed(definition, changes, desired);
}

/** What QBO wants to see beside the changed fields. */
export function completed(definition: EntityDefinition, changed: Json, desired: Json): Json {
  const changes = { ...changed };
  // An override of the tax lives only as long as it is sent again (tax-and-currency.md 9).
  if (Array.isArray((desired.TxnTaxDetail as Json | undefined)?.TaxLine)) {
    for (const field of ['TxnTaxDetail', 'GlobalTaxCalculation']) {
      if (field in desired) changes[field] = desired[field] as unknown;
    }
  }
  for (const field of definition.requiredOnSparse) if (field in desired) changes[field] = desired[field] as unknown;
  // QBO renamed the inactive record; whether it takes the suffix back by itself is not documented.
  const { nameField } = definition;
  if (changes.Active === true && nameField && nameField in desired) changes[nameField] = desired[nameField] as unknown;
  return changes;
}

/** The fields in which `desired` differs from `applied`, and nothing beside them; null says that a field is cleared. */
export function changedFields(
  entityType: string,
  applied: Json,
  desired: Json,
  options: { clear: boolean } = { clear: true },
): Json {
  const definition = definitionOf(entityType);
  const fixed = new Set(definition.writeOnce);
  const changes: Json = {};
  const linked = statusesOfLinks(definition);
  for (const [field, value] of Object.entries(desired)) {
    // The copy's own links have made it so or will: said by us it could undo what a newer link has made of it.
    if (!(field in applied) && linked.some((one) => one.field === field && one.free === value)) continue;
    if (!fixed.has(field) && !isSame(applied[field], value)) changes[field] = value as unknown;
  }
  for (const { field, free, closed } of linked) {
    // Closed by a person once and now by a link: closed it would take none.
    if (!(field in desired) && applied[field] === closed) changes[field] = free;
  }
  if (options.clear) {
    for (const field of Object.keys(applied)) {
      if (field in desired || fixed.has(field) || definition.notClearable.includes(field)) continue;
      if (isSame(applied[field], undefined)) continue;
      // An omitted list would stay as it is; an empty one empties it.
      changes[field] = field === 'Line' ? [] : null;
    }
  }
  return changes;
}

/** Statuses that links make: the field, its value with links and without. */
function statusesOfLinks({ specialCases }: EntityDefinition): { field: string; closed: unknown; free: unknown }[] {
  return specialCases.flatMap(({ when, unlinked = {} }) =>
    Object.entries(unlinked).map(([field, free]) => ({ field, free, closed: when[field] })),
  );
}

/** The part of a target's record that `desired` speaks about, free of noise: a base for `sparseChanges`. */
export function projection(record: Json, desired: Json): Json {
  const known = withoutNoise(record);
  const fields = Object.keys(desired).filter((field) => field in known);
  return Object.fromEntries(fields.map((field) => [field, known[field] as unknown]));
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalText(blank(a)) === canonicalText(blank(b));
}

/** null, "" and absence all say "no value". */
function blank(value: unknown): unknown {
  return value === undefined || value === '' ? null : value;
}
