// Two syncs with swapped companies are a pair: every record has a link in each, its own and the mirror, and what one sync
// writes must not come back through the other. Pure.
//
// How that rests. When a sync settles a write, the same transaction brings the mirror up to date: the answer of QuickBooks is
// mapped by the opposite sync's own rules, and that is at once what the mirror desires and what it has applied. So the change
// that capture will tell of it is equal to what is applied, and no work. Equality of content decides, not a time: an edit that
// a person made before or after our write differs in just the fields that the person touched, and only those are carried. For
// the same reason two mappings need not be inverses of each other: a number that gets a prefix one way is content of both
// bases, and is not sent back.
//
// Both sides edited before either was carried: each sync sends the fields that its own side changed. A field that both changed
// goes to the later edit (LastUpdatedTime of QuickBooks; a tie goes to the elder sync) and what lost is told with the result.
// What one side deleted or voided is deleted or voided in both: QuickBooks has no way back from either.
import { canonicalText } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { decodeVersion } from '../model/version.js';
import { bindReferences, type Resolve } from '../references/index.js';
import type { Applied, Desired, Link, Target } from './link.js';
import { changedFields } from './sparse.js';
import { transition, type LinkState, type StateName } from './state.js';

/** Hash of a mirror when it is known which records belong together, and not what our mapping makes of the one: no content has it. */
export const unknownContent = 'mirror';

export interface PairFacts {
  /** this sync is the elder of the two */
  elder: boolean;
  /** when the younger of the two began: what changed before is nobody's new edit */
  since: string;
  /** the link of the opposite sync for the same two records */
  other?: OtherSide;
  /** for a record without a target: the one of the other company that the opposite sync made it from */
  madeFrom?: { sourceId: string; syncToken?: string };
  /** somebody deleted the copy of what this one refers to in its own company, and the original cannot follow it yet */
  parentGone?: { entityType: string; sourceId: string; targetId: string; state: StateName; reason?: string };
  /** for a record without a target: a call of the opposite sync that may be making it has no end yet */
  beingMade?: boolean;
}

export interface OtherSide {
  state: StateName;
  op: Desired['op'];
  /** LastUpdatedTime of what it desires */
  changedAt: string;
  /** what a person changed over there and was not carried yet; null: cleared */
  pending: Json;
}

/** States in which the other side will act without anybody's help. */
const underWay: readonly StateName[] = ['ready', 'backoff', 'waiting'];
const calling: readonly StateName[] = ['sending', 'uncertain'];

export function isUnderWay(other: OtherSide | undefined): other is OtherSide {
  return other !== undefined && underWay.includes(other.state);
}

/** Why this link must let the other side go first; undefined: it need not. */
export function yieldsTo(link: Link, { other }: PairFacts): { code: string; reason: string } | undefined {
  if (other === undefined) return undefined;
  if (calling.includes(other.state)) {
    return { code: 'PAIR.OTHER_SENDING', reason: 'the opposite sync has a call for these two records under way' };
  }
  const stronger = rankOfOp(other.op) > rankOfOp(link.desired.op);
  if (stronger && isUnderWay(other) && other.op !== link.desired.op) {
    const reason = `the copy was ${other.op === 'delete' ? 'deleted' : 'voided'} in its own company; that goes first`;
    return { code: 'PAIR.REMOVED_THERE', reason };
  }
  return undefined;
}

/** Its copy was deleted over there, and the deletion here was refused: nothing is left to write this edit to. */
export function keptHere(
  { entityType, sourceId, target }: Link,
  { other }: PairFacts,
): { kind: 'hold'; code: 'PAIR.KEPT_HERE'; reason: string } | undefined {
  if (other?.op !== 'delete' || [...underWay, ...calling].includes(other.state)) return undefined;
  const reason = `its copy ${target?.id ?? ''} was deleted in its own company, and ${entityType} ${sourceId} cannot be deleted here: see the link of the opposite sync. Keep one of the two`;
  return { kind: 'hold', code: 'PAIR.KEPT_HERE', reason };
}

/** What refers to a record whose copy was deleted over there cannot be written: nothing is there to refer to. */
export function missesParent({
  parentGone,
}: PairFacts): { kind: 'postpone' | 'hold'; code: 'PAIR.PARENT_GONE'; reason: string } | undefined {
  if (!parentGone) return undefined;
  const { entityType, sourceId, targetId, state, reason } = parentGone;
  const gone = `refers to ${entityType} ${sourceId}, whose copy ${targetId} was deleted in its own company`;
  if (underWay.includes(state) || calling.includes(state)) {
    return { kind: 'postpone', code: 'PAIR.PARENT_GONE', reason: `${gone}; that goes first` };
  }
  const here = reason === undefined ? '' : `; here it cannot be deleted: ${reason}`;
  return { kind: 'hold', code: 'PAIR.PARENT_GONE', reason: `${gone}${here}. Keep one of the two` };
}

function rankOfOp(op: Desired['op']): number {
  return op === 'delete' ? 2 : op === 'void' ? 1 : 0;
}

/** What a person changed in a link's source since it was last carried: field -> value, null for a cleared one. */
export function pendingOf(link: Link, resolve: Resolve): Json {
  const { desired, applied } = link;
  if (!isKnown(applied) || !desired.payload) return {};
  if (applied.hash === desired.hash || desired.op === 'delete' || desired.op === 'fail') return {};
  const bound = bindReferences(desired.payload, desired.references, resolve, () => true);
  return bound.kind === 'bound' ? editedFields(link.entityType, applied.payload, bound.body) : {};
}

/**
 * The fields that somebody changed. The answer to a write and what capture reads of the same record are not written alike: a
 * rate of nothing is 0 in the one and absent in the other, and that is nobody's edit.
 */
export function editedFields(
  entityType: string,
  base: Json,
  body: Json,
  options: { clear: boolean } = { clear: true },
): Json {
  const changed = changedFields(entityType, base, body, options);
  return Object.fromEntries(
    Object.entries(changed).filter(
      ([field, value]) => canonicalText(meaning(base[field]) ?? null) !== canonicalText(meaning(value) ?? null),
    ),
  );
}

/** Without what says nothing: 0, false and emptiness come back as absence here and there. */
function meaning(value: unknown): unknown {
  if (value === null || value === '' || value === 0 || value === false) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((element) => meaning(element) ?? null);
  if (typeof value !== 'object') return value;
  const said = Object.entries(value as Json).flatMap(([name, inner]) => {
    const kept = meaning(inner);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

export interface Contest {
  /** what is sent */
  kept: Json;
  /** what the other side's later edit overrules; the values are ours */
  lost: Json;
}

/** Which of our changed fields stand against what was changed on the other side and is still on its way. */
export function contest(link: Link, changes: Json, { other, elder }: PairFacts): Contest {
  if (!isUnderWay(other)) return { kept: changes, lost: {} };
  const ours = changedAt(link.desired.version);
  const weLose = other.changedAt > ours || (other.changedAt === ours && !elder);
  const kept: Json = {};
  const lost: Json = {};
  for (const [field, value] of Object.entries(changes)) {
    if (!Object.hasOwn(other.pending, field)) kept[field] = value as unknown;
    else if (canonicalText(other.pending[field]) === canonicalText(value)) continue;
    else if (weLose) lost[field] = value as unknown;
    else kept[field] = value as unknown;
  }
  return { kept, lost };
}

/** For people. */
export function conflictText(which: 'won' | 'lost', values: Json): string {
  const fields = Object.entries(values).map(
    ([field, value]) => `${field} (${(JSON.stringify(value) ?? 'empty').slice(0, 80)})`,
  );
  return which === 'lost'
    ? `edited in both companies; the later edit of the other one stands, this one is lost: ${fields.join(', ')}`
    : `edited in both companies; this edit stands, the other one is lost: ${fields.join(', ')}`;
}

/** LastUpdatedTime of an encoded version; the beginning of time for a mirror that was never told anything. */
export function changedAt(version: string): string {
  return version === '' ? '' : decodeVersion(version).lastUpdatedTime;
}

export interface Reflection {
  /**
   * what the opposite sync's mapping makes of the record as answered; absent: nothing that it carries. `moved`: it names
   * something that lives on in another name, and `body` what the record over there still says
   */
  seen?: { desired: Desired; body: Json; moved?: boolean };
  /** fields that our write named */
  written: readonly string[];
  /**
   * What a person had changed over there and was not carried yet when our write was planned. The SyncToken that QuickBooks
   * accepted says that nothing came in between; what came later is newer than the answer, and stays desired.
   */
  pendingBefore: Json;
  /** our write removed the record that the mirror speaks of; `version`: of that removal */
  removed?: { version: string; hash: string };
  /** the record of the other company, which the mirror writes to */
  target: Target;
}

export interface Reflected {
  state: LinkState;
  /** undefined: what it desires stays */
  desired?: Desired;
  applied: Applied;
  target: Target;
  /** what a person changed over there and our write went over */
  lost: Json;
}

/** What the mirror becomes by a write of ours. Undefined: it has a call of its own under way, and settles itself. */
export function reflect(mirror: Link, reflection: Reflection): Reflected | undefined {
  const { seen, written, pendingBefore, removed, target } = reflection;
  if (calling.includes(mirror.state.kind)) return undefined;
  if (removed && !seen) {
    const { hash, version } = removed;
    const desired: Desired = {
      version: mirror.desired.version > version ? mirror.desired.version : version,
      hash,
      op: 'delete',
      references: [],
    };
    const state = transition(mirror.state, { kind: 'desired', work: false });
    return { state, desired, applied: { version, hash }, target: { ...target, deleted: true }, lost: pendingBefore };
  }
  const base = isKnown(mirror.applied) ? mirror.applied.payload : undefined;
  if (!seen) {
    // Not carried by the opposite sync, or not readable: the pair is known, its content is not.
    const applied = base && mirror.applied ? mirror.applied : { version: '', hash: unknownContent };
    const work = mirror.desired.hash !== applied.hash;
    return { state: transition(mirror.state, { kind: 'desired', work }), applied, target, lost: {} };
  }
  const left = base ? Object.keys(pendingBefore).filter((field) => !written.includes(field)) : [];
  const payload = { ...seen.body };
  for (const field of left) {
    const before: unknown = base![field];
    if (before === undefined) delete payload[field];
    else payload[field] = before;
  }
  const hash = left.length > 0 || seen.moved ? `partial:${seen.desired.hash}` : seen.desired.hash;
  const desired = seen.desired.version >= mirror.desired.version ? seen.desired : mirror.desired;
  const lost = Object.entries(pendingBefore).filter(
    ([field, value]) =>
      written.includes(field) && canonicalText(value ?? null) !== canonicalText(seen.body[field] ?? null),
  );
  return {
    state: transition(mirror.state, { kind: 'desired', work: desired.hash !== hash }),
    desired,
    applied: { version: seen.desired.version, hash, payload },
    target: removed ? { ...target, deleted: true } : target,
    lost: Object.fromEntries(lost),
  };
}

/** Whether the content that our mapping made of the source was ever written down. */
export function isKnown(applied: Applied | undefined): applied is Applied & { payload: Json } {
  return applied?.payload !== undefined && applied.hash !== unknownContent;
}
