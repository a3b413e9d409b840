// Where QBO keeps the identity of the few types that do not carry an Id of their own on the outside: a template wears the
// one of what it wraps, an exchange rate is known by its currency and day.
import type { Json } from '../model/json.js';
import { definitionOf, knownType } from '../registry/registry.js';

/** The record with Id, SyncToken and MetaData where every other type has them. */
export function withIdentity(type: string, record: Json): Json {
  if (record.Id !== undefined || !knownType(type)) return record;
  const { wraps, idFields } = definitionOf(type);
  const wrapped = wraps?.find((name) => typeof record[name] === 'object' && record[name] !== null);
  if (wrapped) {
    const { Id, SyncToken, MetaData } = record[wrapped] as Json;
    return { Id: Id as string, SyncToken: SyncToken as string, MetaData: MetaData as Json, ...record };
  }
  if (!idFields || idFields.some((field) => !record[field])) return record;
  return { ...record, Id: idFields.map((field) => String(record[field])).join('|') };
}
