// What the registry says about every copy of a type, before any rule: identity less what cannot or must not be copied.
import { omit, pick, stripDeletedSuffix, withoutNoise, withoutShownLinks } from '../canonical/index.js';
import { isServerLine } from '../canonical/noise.js';
import { withReplacements } from '../canonical/replacements.js';
import { specialCasesOf } from '../canonical/special-cases.js';
import type { Json } from '../model/json.js';
import type { EntityDefinition } from '../registry/index.js';
import { withNeededTaxLines } from './tax-lines.js';

/**
 * The source record with the list positions that the body will have: QBO's own lines are gone, the lines of a bundle stand
 * in its place (bundles cannot be made through the API, and their lines post the same), everything else is there.
 */
export function sourceOf(snapshot: Json): Json {
  if (!Array.isArray(snapshot.Line)) return snapshot;
  return { ...snapshot, Line: expanded(snapshot.Line as Json[]) };
}

function expanded(lines: readonly Json[]): Json[] {
  return lines
    .filter((line) => !isServerLine(line))
    .flatMap((line) => {
      const inner: unknown = line?.DetailType === 'GroupLineDetail' ? line.GroupLineDetail?.Line : undefined;
      return Array.isArray(inner) ? expanded(inner as Json[]) : [line];
    });
}

/** What a record began with, known from beside it: set last, since no rule may open a balance and this is none of a rule's. */
export function setBeginnings(body: Json, definition: EntityDefinition, source: Json): void {
  for (const { from } of specialCasesOf(definition, source)) {
    for (const [field, path] of Object.entries(from ?? {})) {
      const value = pick(source, path)[0];
      if (value !== undefined) body[field] = value;
    }
  }
}

/** The identity mapping: what of the snapshot is sent when no rule says otherwise. */
export function identityBody(definition: EntityDefinition, source: Json): Json {
  let body = withoutShownLinks(definition, omit(withoutNoise(source), definition.readOnly));
  for (const special of specialCasesOf(definition, source)) {
    if (special.omit) body = omit(body, special.omit);
    for (const [field, value] of Object.entries(special.defaults ?? {})) body[field] ??= value;
    Object.assign(body, special.set);
  }
  body = withReplacements(definition, body);
  const { nameField } = definition;
  if (nameField && source.Active === false && typeof body[nameField] === 'string') {
    body[nameField] = stripDeletedSuffix(body[nameField]);
  }
  // NotApplicable refuses any tax detail (6170).
  if (source.GlobalTaxCalculation === 'NotApplicable') delete body.TxnTaxDetail;
  return withNeededTaxLines(body);
}

/** What would identify a twin in another company: the key fields as texts, from the body or, where QBO computes them, the source. */
export function naturalKeyOf(
  definition: EntityDefinition,
  body: Json,
  source: Json,
): Record<string, string> | undefined {
  const key: Record<string, string> = {};
  for (const field of new Set(definition.naturalKeys.flat())) {
    if (field.endsWith('Ref')) continue;
    const value: unknown = body[field] ?? (definition.readOnly.includes(field) ? source[field] : undefined);
    if (typeof value === 'string' || typeof value === 'number') key[field] = String(value);
  }
  return Object.keys(key).length > 0 ? key : undefined;
}
