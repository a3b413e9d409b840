// The canonical content of a record: what it says, without noise and computed fields, keys sorted, numbers normalised.
// Two snapshots with equal content are the same version, whatever SyncToken and LastUpdatedTime say (qbo-api.md 2.3).
import type { Json } from '../model/json.js';

export function canonicalContent(_type: string, _snapshot: Json): Json {
  throw new Error('not built yet');
}

export function contentHash(_type: string, _snapshot: Json): string {
  throw new Error('not built yet');
}

/** Hash of the content of a deletion: the hash of nothing, "deleted". */
export const deletedHash = 'deleted';

export function desiredHash(_op: string, _payload: Json | undefined, _references: readonly object[]): string {
  throw new Error('not built yet');
}
