// A document whose name is inactive in the target already, because the news that the name was made inactive came first, or the
// document was filled in long after it. QuickBooks takes no document with an inactive name (610), though it lets those be that
// have one. So the name is woken for as long as its documents are on their way:
//
//   1. the document is refused, and each name it refers to that we made inactive is marked and gets ready
//   2. the marked name is made active, under its own name
//   3. the document is sent again and taken
//   4. the name is inactive again once nothing that may use it is on its way: the wait of every name that leaves (plan.ts)
//
// The mark stands in the hash of what is applied, where it also says that the name is not as it should be: a crash between two
// steps loses nothing.
import type { Json } from '../model/json.js';
import type { Failure } from '../retry/index.js';
import type { Link } from './link.js';

const mark = 'asleep:';

/** Whether the refusal may be because of an inactive name. */
export function mayBeAsleep(failure: Failure): boolean {
  return failure.kind === 'refused' && failure.class === 'parent-missing';
}

/** The link of a name that is to be woken; undefined when it is not asleep, or cannot be woken now. */
export function marked(link: Link): Link | undefined {
  const { applied, desired, state, target } = link;
  if (!applied || applied.payload?.Active !== false || desired.op !== 'upsert' || !target || target.deleted)
    return undefined;
  if (!['settled', 'ready', 'backoff'].includes(state.kind) || isMarked(applied.hash)) return undefined;
  return { ...link, applied: { ...applied, hash: mark + applied.hash } };
}

/** The copy as it is while it is awake; undefined when it is not to be woken. */
export function awake({ applied }: Link, body: Json, dependentsPending: boolean | undefined): Json | undefined {
  if (!applied || !isMarked(applied.hash) || !dependentsPending) return undefined;
  return body.Active === false && applied.payload?.Active === false ? { ...applied.payload, Active: true } : undefined;
}

const isMarked = (hash: string): boolean => hash.startsWith(mark);
