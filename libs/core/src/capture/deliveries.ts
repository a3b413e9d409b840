// What a webhook delivery says, in either of Intuit's forms (qbo-api.md 9): CloudEvents (an array, realms mixed) and the
// legacy form. Total: whatever is malformed is counted, never thrown; hints only, the state always comes from a read.
import { typeNamed } from '../registry/index.js';

export interface Hint {
  entityType: string;
  id: string;
  /** create, update, delete, merge, void, emailed; as told when it is none of them */
  operation: string;
  eventId?: string;
  time?: string;
  deletedId?: string;
}

export type Delivery =
  | { readonly kind: 'hints'; readonly byRealm: ReadonlyMap<string, Hint[]>; readonly malformed: number }
  | { readonly kind: 'unreadable'; readonly reason: string };

// Both `void` and `voided` are seen; sources disagree which one QBO sends.
const operations: Readonly<Record<string, string>> = {
  created: 'create',
  updated: 'update',
  deleted: 'delete',
  merged: 'merge',
  voided: 'void',
};

export function readDelivery(body: unknown): Delivery {
  if (Array.isArray(body)) return collect(body.map(cloudEvent));
  if (isObject(body) && Array.isArray(body.eventNotifications)) return collect(body.eventNotifications.flatMap(legacy));
  if (isObject(body) && body.specversion !== undefined) return collect([cloudEvent(body)]);
  return { kind: 'unreadable', reason: 'neither a list of CloudEvents nor eventNotifications' };
}

type Found = { realmId: string; hint?: Hint } | undefined;

function cloudEvent(event: unknown): Found {
  if (!isObject(event)) return undefined;
  const realmId = textOf(event.intuitaccountid);
  const id = textOf(event.intuitentityid);
  const [vendor, entity, verb] = (textOf(event.type) ?? '').split('.');
  if (!realmId || !id || vendor !== 'qbo' || !entity || !verb) return undefined;
  const data = isObject(event.data) ? event.data : {};
  return {
    realmId,
    hint: hint(entity, id, verb, {
      eventId: textOf(event.id),
      time: textOf(event.time),
      deletedId: textOf(data.deletedid) ?? textOf(data.deletedId),
    }),
  };
}

function legacy(notification: unknown): Found[] {
  if (!isObject(notification)) return [undefined];
  const realmId = textOf(notification.realmId);
  const entities: unknown = isObject(notification.dataChangeEvent) ? notification.dataChangeEvent.entities : undefined;
  if (!realmId || !Array.isArray(entities)) return [undefined];
  // A notification without entities still says that the realm has news.
  if (entities.length === 0) return [{ realmId }];
  return entities.map((entity: unknown) => {
    if (!isObject(entity)) return undefined;
    const [name, id, operation] = [textOf(entity.name), textOf(entity.id), textOf(entity.operation)];
    if (!name || !id || !operation) return undefined;
    const extra = { time: textOf(entity.lastUpdated), deletedId: textOf(entity.deletedId) };
    return { realmId, hint: hint(name, id, operation, extra) };
  });
}

function hint(
  entity: string,
  id: string,
  verb: string,
  extra: { [K in 'eventId' | 'time' | 'deletedId']?: string | undefined },
): Hint {
  const told = verb.toLowerCase();
  const found: Hint = {
    entityType: typeNamed(entity) ?? entity,
    id,
    operation: operations[told] ?? told,
  };
  for (const name of ['eventId', 'time', 'deletedId'] as const) {
    const value = extra[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function collect(found: readonly Found[]): Delivery {
  const byRealm = new Map<string, Hint[]>();
  let malformed = 0;
  for (const entry of found) {
    if (!entry || !/^\d{1,20}$/.test(entry.realmId)) {
      malformed++;
      continue;
    }
    let hints = byRealm.get(entry.realmId);
    if (!hints) byRealm.set(entry.realmId, (hints = []));
    if (entry.hint) hints.push(entry.hint);
  }
  return { kind: 'hints', byRealm, malformed };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Intuit's longest are ids of 36 characters; a longer text names nothing, and must not swell a record past what Kafka takes.
const longestText = 200;

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '' && value.length <= longestText) return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}
