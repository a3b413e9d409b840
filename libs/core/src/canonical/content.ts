// The canonical content of a record: what it says, without noise and computed fields, keys sorted, numbers normalised.
// Two snapshots with equal content are the same version, whatever SyncToken and LastUpdatedTime say (qbo-api.md 2.3): a
// payment that links to an invoice moves the invoice's token, balance and LinkedTxn, and none of that is an edit.
import type { Json } from '../model/json.js';
import { definitionOf } from '../registry/registry.js';
import { isEmpty, withoutNoise } from './noise.js';
import { withoutShownLinks } from './own-links.js';
import { omit } from './paths.js';
import { canonicalText, sha256Hex } from './text.js';

export function canonicalContent(type: string, snapshot: Json): Json {
  const definition = definitionOf(type);
  const content = withoutShownLinks(definition, omit(withoutNoise(snapshot), definition.noise));
  for (const [field, meaning] of Object.entries(definition.absentMeans)) {
    if (content[field] === meaning) delete content[field];
  }
  // Taking noise out of a nested object may have emptied it.
  for (const [field, value] of Object.entries(content)) if (isEmpty(value)) delete content[field];
  return sorted(content) as Json;
}

/** Hex SHA-256. The type is part of it: a Class and a Department of one name are not one record. */
export function contentHash(type: string, snapshot: Json): string {
  return sha256Hex(`${type}:${canonicalText(canonicalContent(type, snapshot))}`);
}

/** Hash of the content of a deletion: the hash of nothing, whatever was deleted. */
export const deletedHash = sha256Hex('deleted');

/** Equal to what is applied means nothing to do. References count by path, type and source id, in any order. */
export function desiredHash(
  op: string,
  payload: Json | undefined,
  references: readonly { path: readonly string[]; entityType: string; sourceId: string }[],
): string {
  const pointers = references.map(({ path, entityType, sourceId }) => [...path, entityType, sourceId].join(' ')).sort();
  return sha256Hex(canonicalText([op, payload ?? null, pointers]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted((value as Json)[name])]));
}
