// A document whose name is inactive in the target already, because the news that the name was made inactive came first, or the
// document was filled in long after it. QuickBooks takes no document with an inactive name (610), though it lets those be that
// have one. So the name is woken for as long as its documents are on their way:
//
//   1. the document is refused, and each name it refers to that we made inactive is marked and gets ready; the document waits
//      for it, however long its turn takes (a name that the source woke itself has its own write on the way)
//   2. the marked name is made active, under its own name
//   3. the document is sent again and taken
//   4. the name is inactive again once nothing that may use it is on its way: the wait of every name that leaves (plan.ts)
//
// So is an order that a person closed when a part of it was received: a bill that comes later is refused (620).
//
// The mark stands in the hash of what is applied, where it also says that the name is not as it should be: a crash between two
// steps loses nothing.
import type { Json } from '../model/json.js';
import { definitionOf, typesInRankOrder, type RestRule } from '../registry/index.js';
import type { Failure } from '../retry/index.js';
import type { Link } from './link.js';

const mark = 'asleep:';

/** How a record of this type is when it takes no documents; undefined: it always takes them, or never. */
export function restOf(type: string): RestRule | undefined {
  const { category, rest } = definitionOf(type);
  return rest ?? (category === 'name-list' ? { field: 'Active', value: false, awake: true } : undefined);
}

/** What rest looks like in what is applied, in any type. */
export const restsKnown: readonly RestRule[] = [
  ...new Map(
    typesInRankOrder().flatMap(({ type }) => {
      const rest = restOf(type);
      return rest ? [[rest.field, rest] as const] : [];
    }),
  ).values(),
];

/** Types whose documents a record of this type takes only while it is awake. */
export function takenTypesOf(type: string): string[] {
  const all = typesInRankOrder().filter(({ category }) => category === 'transaction');
  // Any document may have a name on it; an order is only for those that link to it.
  const taken = definitionOf(type).rest
    ? all.filter(({ references }) =>
        references.some(({ kind, types }) => kind === 'linked-txn' && types.includes(type)),
      )
    : all;
  return taken.map((one) => one.type);
}

/** Whether the refusal may be because of what is at rest. */
export function mayBeAsleep(failure: Failure): boolean {
  return failure.kind === 'refused' && (failure.class === 'parent-missing' || failure.code === '620');
}

export function isResting(type: string, body: Json | undefined): boolean {
  const rest = restOf(type);
  return rest !== undefined && body?.[rest.field] === rest.value;
}

/** The link of a record that is to be woken; undefined when it is not asleep, or cannot be woken now. */
export function marked(link: Link): Link | undefined {
  const { applied, desired, state, target } = link;
  if (!applied || !isResting(link.entityType, applied.payload)) return undefined;
  if (desired.op !== 'upsert' || !target || target.deleted) return undefined;
  if (!['settled', 'ready', 'backoff'].includes(state.kind) || isMarked(applied.hash)) return undefined;
  return { ...link, applied: { ...applied, hash: mark + applied.hash } };
}

/** At rest, and a write of it is on its way that may wake it: who was refused because of it waits for that. */
export function mayWake(link: Link): boolean {
  const moves = ['ready', 'sending', 'backoff', 'uncertain', 'waiting'].includes(link.state.kind);
  return isResting(link.entityType, link.applied?.payload) && (moves || marked(link) !== undefined);
}

/** What is sent to wake it; undefined when it is not to be woken. */
export function waking(
  { entityType, applied }: Link,
  body: Json,
  dependentsPending: boolean | undefined,
): Json | undefined {
  if (!applied || !isMarked(applied.hash) || !dependentsPending) return undefined;
  if (!isResting(entityType, body) || !isResting(entityType, applied.payload)) return undefined;
  const { field, awake } = restOf(entityType)!;
  return { [field]: awake };
}

/** The form in which it is made while what it must take is on its way; undefined when it can be made as it is. */
export function madeAwake(type: string, body: Json, dependentsPending: boolean | undefined): Json | undefined {
  const rest = definitionOf(type).rest;
  if (!rest || !dependentsPending || !isResting(type, body)) return undefined;
  return Object.fromEntries(Object.entries(body).filter(([field]) => field !== rest.field));
}

/** Whether only its coming to rest, or its waking, is left to be done: the rest of the copy is as desired. */
export function isContentApplied({ applied, desired }: Link): boolean {
  return applied !== undefined && [desired.hash, `partial:${desired.hash}`, mark + desired.hash].includes(applied.hash);
}

const isMarked = (hash: string): boolean => hash.startsWith(mark);
