// Ids are strings, kept apart by brand: a realm id is not a QBO id. QBO ids reach 21 digits, so they are never numbers
// (qbo-api.md 1.1).
declare const brand: unique symbol;
type Branded<T extends string> = string & { readonly [brand]?: T };

/** QBO company id, 9 to 20 digits. */
export type RealmId = Branded<'RealmId'>;
/** Id of one QBO object inside its realm and type. */
export type QboId = Branded<'QboId'>;
/** UUID of an organization (a tenant). */
export type OrganizationId = Branded<'OrganizationId'>;
/** UUID of a sync: a directed pair source company -> target company. */
export type SyncId = Branded<'SyncId'>;

/** `realm/type/id`, the key of a change in `qbo.changes.v1` and of a record's life in the sync log. */
export type EntityKey = Branded<'EntityKey'>;

export function entityKey(realmId: RealmId, entityType: string, id: QboId): EntityKey {
  return `${realmId}/${entityType}/${id}`;
}

/** Splits an entity key; undefined when the text is not one. */
export function parseEntityKey(key: string): { realmId: RealmId; entityType: string; id: QboId } | undefined {
  const match = /^(\d{1,20})\/([A-Za-z]+)\/([^/\s]{1,64})$/.exec(key);
  return match ? { realmId: match[1]!, entityType: match[2]!, id: match[3]! } : undefined;
}
