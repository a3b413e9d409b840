// Sets of link keys as SQL parameters: three arrays that `unnest` turns into rows, sorted as the primary key is. Every
// transaction takes row locks in this order, so that intake and settling never wait for each other in a ring.
import type { LinkKey } from './row.js';

export const keysTable = 'unnest($1::uuid[], $2::text[], $3::text[])';

export function keyArrays(keys: readonly LinkKey[]): [string[], string[], string[]] {
  const sorted = [...keys].sort(compareKeys);
  return [sorted.map((k) => k.syncId), sorted.map((k) => k.entityType), sorted.map((k) => k.sourceId)];
}

export function compareKeys(a: LinkKey, b: LinkKey): number {
  return compare(a.syncId, b.syncId) || compare(a.entityType, b.entityType) || compare(a.sourceId, b.sourceId);
}

export function keyOf({ syncId, entityType, sourceId }: LinkKey): LinkKey {
  return { syncId, entityType, sourceId };
}

export function keyText(key: LinkKey): string {
  return `${key.syncId}/${key.entityType}/${key.sourceId}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
