// What to do about one link now, decided once with everything on the table.
import { isVoided } from '../canonical/index.js';
import { tableKeyField } from '../mapping/adoption-key.js';
import { freeNumberKey } from '../mapping/document-number.js';
import type { Json } from '../model/json.js';
import {
  bindReferences,
  namedLineReferences,
  ruleOf,
  waitKey,
  withLinesFound,
  type MissingReference,
  type Resolve,
} from '../references/index.js';
import { definitionOf, type EntityDefinition } from '../registry/index.js';
import { chooseTwin, isSingleton, lookupsFor, type Lookup } from './adoption.js';
import { isResting, madeAwake, waking } from './asleep.js';
import { changedBeginning, firstForm, withKnownBeginning } from './beginnings.js';
import {
  holderLookups,
  nameFault,
  namesakeLookups,
  numberLookups,
  numbersChecked,
  numberTooLong,
  planCollision,
  withKeptSuffix,
} from './collisions.js';
import type { Collision, CollisionPolicy, Namesake } from './collisions.js';
import { diffAnswer, type Difference } from './difference.js';
import { defaultDrift, driftText, judgeDrift, type DriftPolicy } from './drift.js';
import { stillHeld, withoutMembers } from './frozen.js';
import type { Link } from './link.js';
import { namedAside } from './names-in-turn.js';
import {
  changedAt,
  conflictText,
  contest,
  editedFields,
  isKnown,
  keptHere,
  missesParent,
  yieldsTo,
  type PairFacts,
} from './pair.js';
import { planRollback, type RollbackFacts } from '../rollback/rollback.js';
import type { RolledBack } from '../rollback/outcome.js';
import type { StockTurn } from './stock-order.js';
import { withRoundingLine, type RoundingPolicy } from './rounding.js';
import { completed, projection, sparseChanges } from './sparse.js';

export interface WriteFacts {
  /** target ids of source records already applied */
  resolve: Resolve;
  /**
   * What the look-ups of an earlier `lookup` plan found in the target: undefined when not asked yet, an empty list when
   * nothing was found.
   */
  candidates?: readonly Json[];
  /** records of other types that have the name, or the name it would get */
  namesakes?: readonly Namesake[];
  /** target ids of this type that already belong to another source record: they are nobody's twin any more */
  taken?: ReadonlySet<string>;
  /** the target's record as just read, when a `read` plan or a stale token asked for it; null: it is gone */
  targetNow?: Json | null;
  /** code of the last refusal of this desired version: after a duplicate fault a twin is looked for in any case */
  lastFault?: string;
  policy: WritePolicy;
  /** set while nothing may be sent to the target (paused sync, revoked grant) */
  blocked?: { code: string; reason: string };
  /** of what this record holds frozen in the target (frozen.ts): what must change, and cannot until it is let go */
  letGo?: readonly MissingReference[];
  /** lines, with their ids, of the copy of a record whose lines are named one by one; undefined when not known */
  linesOf?: (entityType: string, sourceId: string) => readonly Json[] | undefined;
  /** whether work on that record, of the same sync, is on its way */
  isChanging?: (entityType: string, sourceId: string) => boolean;
  /** it brings stock in, and others that do so on the same day come first */
  stockTurn?: StockTurn;
  /** transactions of the sync are still on their way: a name that they may use is not made inactive yet */
  dependentsPending?: boolean;
  /** there is an opposite sync (pair.ts) */
  pair?: PairFacts;
  /** the sync is taken back (rollback.ts) */
  rollback?: RollbackFacts;
}

/** What is told with the result of a write, known when it is planned. */
export interface Notice {
  code: string;
  reason: string;
}

export interface WritePolicy {
  /** look for a twin by natural key before creating */
  adopt: { lists: boolean; transactions: boolean };
  /** an adopted twin is brought in line with the source, or left as it is until the source changes */
  twins: 'align' | 'leave';
  /** the target's record was edited by a person since we wrote it */
  drift: DriftPolicy;
  /** a copy whose source record a mapping rule leaves out from now on; left where it is unless said */
  excluded?: 'leave' | 'remove' | 'hold';
  /** a name or number that something else in the target has; held unless said */
  collisions?: CollisionPolicy;
  /** cents that two companies' arithmetic cannot agree on; only recorded unless said */
  rounding?: RoundingPolicy;
}

// Transactions are not looked up by default: in a migration every look-up is a metered read, and numbers of two companies'
// documents collide without meaning the same document. A duplicate fault (6140) still leads to a look-up.
export const defaultWritePolicy: WritePolicy = {
  adopt: { lists: true, transactions: false },
  twins: 'align',
  drift: defaultDrift,
};

export interface Creation {
  kind: 'create';
  body: Json;
  applied: Json;
  deferred: MissingReference[];
  partial: boolean;
}

/** `applied` is the whole bound body, to be stored as applied_payload when the call has succeeded. */
export type Plan =
  /** nothing to send: settle at once */
  | {
      kind: 'noop';
      why: 'equal' | 'nothing-to-remove' | 'already-removed' | 'excluded' | 'overruled' | 'rolled-back';
      applied?: Json;
      code?: string;
      reason?: string;
      /** what a person edited in the target and the policy leaves there */
      kept?: Difference[];
      rolledBack?: RolledBack;
    }
  /** a person deleted our copy and the policy wants it back: made again in the next step */
  | { kind: 'gone' }
  /** the opposite sync made this record from that one of the target: they belong together; then plan again */
  | { kind: 'pair'; targetId: string; syncToken?: string }
  /** one query per look-up, then plan again with `candidates` */
  | { kind: 'lookup'; lookups: Lookup[] }
  /** read the target's record by id, then plan again with `targetNow` */
  | { kind: 'read'; targetId: string }
  /**
   * `deferred`: references left out to break a ring; after settling, the link waits for them.
   * `partial`: a second step follows (a record cannot be created inactive).
   */
  | Creation
  /** the twin is linked; `update` brings it in line when it differs (none: settle at once) */
  | { kind: 'adopt'; targetId: string; syncToken: string; beforeImage: Json; update?: Json; applied: Json }
  | {
      kind: 'update';
      body: Json;
      applied: Json;
      drift: Difference[];
      deferred: MissingReference[];
      notice?: Notice;
      kept?: Difference[];
      /** what a person made of the record, before this goes over it */
      beforeImage?: Json;
      /** a second step follows (asleep.ts) */
      partial?: true;
    }
  /** `deferred`: made again once these are done (frozen.ts) */
  /** `again`: a type without updates, made anew with its changes in the next step */
  | { kind: 'delete'; body: Json; deferred?: MissingReference[]; again?: boolean }
  | { kind: 'void'; body: Json; applied: Json }
  /** name lists cannot be deleted */
  | { kind: 'deactivate'; body: Json; applied: Json }
  | { kind: 'wait'; missing: MissingReference[] }
  /** not now; ask again later */
  | { kind: 'postpone'; code: string; reason: string; delayMs?: number }
  /** `seen`: what the target has instead of what we applied; released, the link is written on top of that */
  /** `aside`: how it could be made all the same, under a name that nobody has (names-in-turn.ts) */
  /** `asked`: a rollback's question, remembered so that it is asked once, and the token of what was shown */
  | {
      kind: 'hold';
      code: string;
      reason: string;
      candidates?: string[];
      seen?: { payload: Json; syncToken: string };
      aside?: Creation;
      asked?: { mark: string; syncToken?: string };
    }
  | { kind: 'fail'; code: string; reason: string };

const duplicateFaults = new Set(['QBO.600', 'QBO.630', 'QBO.6140', 'QBO.6240']);

export function planWrite(link: Link, facts: WriteFacts): Plan {
  const { desired } = link;
  if (desired.op === 'fail') {
    return { kind: 'fail', ...(desired.failure ?? { code: 'MAPPING.FAILED', reason: 'the mapping failed' }) };
  }
  if (facts.blocked) return { kind: 'hold', ...facts.blocked };
  if (desired.op === 'rollback') return planRollback(link, facts.rollback ?? { moving: [], held: [] }, facts.lastFault);
  const first = facts.pair && planInPair(link, facts.pair);
  if (first) return first;
  if (desired.op === 'delete') return planRemoval(link, facts);
  if (desired.op === 'exclude') return planExclusion(link, facts);
  const equal = link.applied?.hash === desired.hash && link.target && !link.target.deleted;
  if (equal && !facts.letGo?.length) return { kind: 'noop', why: 'equal' };
  if (!desired.payload)
    return { kind: 'fail', code: 'PLAN.NO_PAYLOAD', reason: 'nothing says what the target should be' };
  return planUpsert(link, desired.payload, facts);
}

/** What the other side of the pair has to do with it; undefined: nothing that stands in the way. */
function planInPair(link: Link, pair: PairFacts): Plan | undefined {
  const yielding = yieldsTo(link, pair);
  if (yielding) return { kind: 'postpone', ...yielding };
  if (link.target || link.desired.op === 'delete') return undefined;
  if (pair.madeFrom) {
    const { sourceId, syncToken } = pair.madeFrom;
    return { kind: 'pair', targetId: sourceId, ...(syncToken === undefined ? {} : { syncToken }) };
  }
  if (!pair.beingMade) return undefined;
  const reason = 'the opposite sync has a call under way that may be what made this record';
  return { kind: 'postpone', code: 'PAIR.BEING_MADE', reason };
}

function planRemoval(link: Link, facts: WriteFacts): Plan {
  const { target } = link;
  if (!target || target.deleted) return { kind: 'noop', why: 'nothing-to-remove' };
  // The copy was deleted in its own company too.
  if (facts.pair?.other?.op === 'delete') return { kind: 'noop', why: 'already-removed' };
  if (facts.targetNow === null) return { kind: 'noop', why: 'already-removed' };
  const definition = definitionOf(link.entityType);
  if (definition.policy === 'adopted' || isSingleton(link.entityType, link.applied?.payload ?? {})) {
    // Not ours: it was only linked.
    return { kind: 'noop', why: 'nothing-to-remove' };
  }
  const key = targetKey(link, facts);
  if (!key) return { kind: 'read', targetId: target.id };
  if (definition.operations.includes('delete')) return { kind: 'delete', body: key };
  if (facts.dependentsPending) return postponedDeactivation;
  const applied = { ...link.applied?.payload, Active: false };
  return {
    kind: 'deactivate',
    body: { ...key, sparse: true, ...required(definition, applied), Active: false },
    applied,
  };
}

/**
 * A filter says what the sync looks after, not what shall be in the target's books: so a copy is left unless the sync's
 * policy says otherwise, and listed as left. A filter that turns out wrong costs nothing that way.
 */
function planExclusion(link: Link, facts: WriteFacts): Plan {
  const { target } = link;
  if (!target || target.deleted) return { kind: 'noop', why: 'nothing-to-remove' };
  const because = `the mapping leaves it out: ${link.desired.exclusion ?? 'excluded'}`;
  switch (facts.policy.excluded ?? 'leave') {
    case 'leave':
      return {
        kind: 'noop',
        why: 'excluded',
        code: 'EXCLUDED.LEFT',
        reason: `${because}; ${link.entityType} ${target.id} of the target stays as it is`,
      };
    case 'remove':
      return planRemoval(link, facts);
    case 'hold':
      return {
        kind: 'hold',
        code: 'EXCLUDED.HELD',
        reason: `${because}; ${link.entityType} ${target.id} is still there`,
      };
  }
}

const postponedDeactivation: Plan = {
  kind: 'postpone',
  code: 'DEACTIVATE.DEPENDENTS_PENDING',
  reason: 'transactions that may use it are still on their way',
};

function planUpsert(link: Link, payload: Json, facts: WriteFacts): Plan {
  const isDeferrable = (reference: Parameters<typeof ruleOf>[1]) =>
    ruleOf(link.entityType, reference)?.deferrable === true;
  const bound = bindReferences(payload, link.desired.references, facts.resolve, isDeferrable);
  if (bound.kind === 'missing') return { kind: 'wait', missing: bound.missing };
  const deferred = link.desired.references
    .filter((reference) => facts.resolve(reference.entityType, reference.sourceId) === undefined)
    .map(({ entityType: type, sourceId }) => ({ type, sourceId }));
  const definition = definitionOf(link.entityType);
  const exists = link.target && (!link.target.deleted || definition.category === 'name-list');
  const members = stillHeld(facts.letGo ?? [], link.desired.references);
  const changing = namedLineReferences(link.entityType, link.desired.references).find(({ entityType, sourceId }) =>
    facts.isChanging?.(entityType, sourceId),
  );
  if (changing) {
    const reason = `names lines of ${waitKey(changing.entityType, changing.sourceId)}, which is being changed`;
    return { kind: 'postpone', code: 'LINES.CHANGING', reason };
  }
  const body = facts.linesOf
    ? withLinesFound(link.entityType, bound.body, link.desired.references, facts.linesOf)
    : bound.body;
  const orphaned = facts.pair && missesParent(facts.pair);
  if (orphaned) return orphaned;
  if (!exists && facts.stockTurn) return { kind: 'postpone', ...facts.stockTurn };
  if (members.length > 0) return planLettingGo(link, body, members, exists ? deferred : undefined, facts);
  return exists ? planChange(link, body, deferred, facts) : planCreation(link, body, deferred, facts);
}

/** See frozen.ts. @param deferred undefined when the target has no such record at the moment */
function planLettingGo(
  link: Link,
  body: Json,
  members: MissingReference[],
  deferred: MissingReference[] | undefined,
  facts: WriteFacts,
): Plan {
  const changing: Plan = {
    kind: 'postpone',
    code: 'FROZEN.MEMBER_CHANGING',
    reason: `made again once ${waitingOn(members).join(', ')} has changed`,
  };
  if (!deferred) return changing;
  const ids = new Set(members.map(({ type, sourceId }) => String(facts.resolve(type, sourceId))));
  const rest = withoutMembers(body, ids);
  if (Array.isArray(rest.Line) && rest.Line.length === 0) {
    if (facts.targetNow === null) return changing;
    const key = targetKey(link, facts);
    return key ? { kind: 'delete', body: key, deferred: members } : { kind: 'read', targetId: link.target!.id };
  }
  const plan = planChange(link, rest, [...deferred, ...members], facts);
  return plan.kind === 'noop' ? changing : plan;
}

function planCreation(link: Link, body: Json, deferred: MissingReference[], facts: WriteFacts): Plan {
  const { entityType } = link;
  const definition = definitionOf(entityType);
  const naturalKey = link.desired.naturalKey ?? {};
  const lookups = mayAdopt(definition, link, body, facts) ? lookupsFor(entityType, body, naturalKey) : [];
  if (lookups.length > 0) {
    if (!facts.candidates)
      return { kind: 'lookup', lookups: [...lookups, ...namesakeLookups(entityType, body, facts.policy.collisions)] };
    const adoption = chooseTwin(entityType, body, naturalKey, facts.candidates, facts.taken);
    switch (adoption.kind) {
      case 'adopt':
        return planAdoption(link, body, adoption.twin, facts);
      case 'ambiguous':
        return {
          kind: 'hold',
          code: 'ADOPT.AMBIGUOUS',
          reason: `several ${entityType} records of the target could be this one: ${adoption.candidates.join(', ')}`,
          candidates: adoption.candidates,
        };
      case 'wrong-table':
        return { kind: 'hold', code: 'ADOPT.TABLE', reason: adoption.reason };
      case 'no-twin':
        return {
          kind: 'hold',
          code: 'ADOPT.NO_TWIN',
          reason: `the target has no ${adoption.name}, which QBO makes itself`,
        };
      case 'create':
        break;
      default:
        return adoption satisfies never;
    }
  } else if (definition.policy === 'adopted') {
    return { kind: 'hold', code: 'ADOPT.NO_KEY', reason: `nothing identifies this ${entityType} in the target` };
  }
  // Nothing is to be adopted, and the target refused a double: a person is told who has the name or number.
  if (lookups.length === 0 && !facts.candidates && facts.lastFault && duplicateFaults.has(facts.lastFault)) {
    const holders = holderLookups(entityType, body, facts.lastFault, facts.policy.collisions);
    if (holders.length > 0) return { kind: 'lookup', lookups: holders };
  }
  if (collisionPolicy(link, facts)?.numbers === 'check' && !facts.candidates) {
    const numbered = numberLookups(entityType, body);
    if (numbered.length > 0) return { kind: 'lookup', lookups: numbered };
  }
  if (definition.needsLines && !(body.Line as unknown[] | undefined)?.length) {
    const reason = `${entityType} without lines: voided, or all that was in it was taken out; QuickBooks makes none such, so the target has none, and nothing of it is in the ledger`;
    return { kind: 'hold', code: 'CREATE.NO_LINES', reason };
  }
  const collision = collisionOf(link, body, facts);
  const made = (wanted: Json): Creation => {
    const open = madeAwake(entityType, wanted, facts.dependentsPending);
    const { body: created, applied, unfinished } = firstForm(open ?? wanted);
    return { kind: 'create', body: created, applied, deferred, partial: unfinished || open !== undefined };
  };
  if (collision.kind === 'free') return made(collision.body);
  const aside = namedAside(link, body, collision.code);
  if (!aside) return collision;
  const creation: Creation = { ...made(aside), partial: true };
  // What is made inactive in the next step gets a word behind its name by QuickBooks, and stands in nobody's way.
  const leaves = body.Active === false && definition.nameField !== undefined && collision.code === 'COLLISION.NAME';
  return leaves ? creation : { ...collision, aside: creation };
}

/** `hold` of the mapping rule `documentNumber` says it for records of a type, the sync's setting for all. */
function collisionPolicy(link: Link, facts: WriteFacts): CollisionPolicy | undefined {
  const { collisions } = facts.policy;
  return link.desired.naturalKey && freeNumberKey in link.desired.naturalKey ? numbersChecked(collisions) : collisions;
}

/** @param body with the name and number that the copy is to have */
function collisionOf(link: Link, body: Json, facts: WriteFacts, copy = link.target?.id): Collision {
  return planCollision(link.entityType, body, {
    // The copy itself is nobody it could collide with.
    candidates: (facts.candidates ?? []).filter((one) => String(one.Id) !== copy),
    namesakes: facts.namesakes ?? [],
    fault: facts.lastFault,
    attempts: link.attempts,
    policy: collisionPolicy(link, facts),
  });
}

function mayAdopt(definition: EntityDefinition, link: Link, body: Json, facts: WriteFacts): boolean {
  if (definition.policy === 'adopted' || isSingleton(link.entityType, body)) return true;
  if (!link.desired.naturalKey) return false;
  if (tableKeyField in link.desired.naturalKey) return true;
  if (facts.lastFault && duplicateFaults.has(facts.lastFault)) return true;
  const { lists, transactions } = facts.policy.adopt;
  return definition.category === 'transaction' ? transactions : lists;
}

function planAdoption(link: Link, wanted: Json, twin: Json, facts: WriteFacts): Plan {
  const { entityType } = link;
  const targetId = String(twin.Id);
  const syncToken = String(twin.SyncToken);
  // The target refused to bring the twin in line: something else has the name or number that it is to get.
  const collision: Collision =
    facts.lastFault === nameFault ? collisionOf(link, wanted, facts, targetId) : { kind: 'free', body: wanted };
  if (collision.kind === 'hold') return collision;
  const { body } = collision;
  const before = projection(twin, body);
  const adopted = { kind: 'adopt', targetId, syncToken, beforeImage: twin } as const;
  const untouched = isSingleton(entityType, body) || definitionOf(entityType).policy === 'adopted';
  // What is applied is what is desired: a singleton that differs in its name is still the same singleton.
  if (untouched || facts.policy.twins === 'leave') return { ...adopted, update: undefined, applied: body };
  const changes = sparseChanges(entityType, before, body, { clear: false });
  const update = changes && { Id: targetId, SyncToken: syncToken, sparse: true, ...changes };
  return { ...adopted, update, applied: body };
}

function planChange(link: Link, desired: Json, deferred: MissingReference[], facts: WriteFacts): Plan {
  const { entityType, target } = link;
  const definition = definitionOf(entityType);
  const begun = withKnownBeginning(definition, desired, link.applied?.payload);
  const named = withKeptSuffix(entityType, begun, link.applied?.payload);
  const body = withRoundingLine(named, link.applied, link.desired.hash, facts.policy.rounding);
  if (definition.policy === 'adopted' || isSingleton(entityType, body))
    return { kind: 'noop', why: 'equal', applied: body };
  if (facts.pair) return planPairedChange(link, body, deferred, facts, facts.pair);
  if (facts.targetNow === null) {
    // Names cannot be deleted: one that is gone was merged away, and a new one would be a stranger.
    if (facts.policy.drift.gone === 'recreate' && definition.category === 'transaction') return { kind: 'gone' };
    // Else making another is a person's decision: redrive with a new generation.
    return { kind: 'hold', code: 'DRIFT.TARGET_GONE', reason: `${entityType} ${target!.id} was deleted in the target` };
  }
  const key = targetKey(link, facts);
  if (!key) return { kind: 'read', targetId: target!.id };
  const applied = link.applied?.payload ?? {};
  const drift = facts.targetNow && link.applied?.payload ? diffAnswer(entityType, applied, facts.targetNow) : [];
  const { held, kept, overwritten } = judgeDrift(drift, facts.policy.drift);
  if (held.length > 0) {
    return {
      kind: 'hold',
      code: 'DRIFT',
      reason: `edited in the target since we wrote it: ${driftText(held)}`,
      seen: { payload: withTheirs(applied, held, facts.targetNow!), syncToken: key.SyncToken },
    };
  }
  const beginning = changedBeginning(definition, body, applied);
  if (beginning) {
    return {
      kind: 'hold',
      code: 'BEGINNING.CHANGED',
      reason: `how it began was changed in the source (${beginning.text}); no API does that: adjust ${entityType} ${target!.id} of the target by hand, then try again`,
      // Told once: released, or edited again, the rest of it goes on.
      seen: { payload: { ...applied, ...beginning.now }, syncToken: key.SyncToken },
    };
  }
  if (link.desired.op === 'void' && definition.voidForm !== 'none' && !isVoided(entityType, applied)) {
    const form = definition.voidForm === 'include-void' ? { sparse: true } : {};
    return { kind: 'void', body: { ...key, ...form }, applied: body };
  }
  const woken = planWaking(link, body, key, facts);
  if (woken) return woken;
  if (isResting(entityType, body) && !isResting(entityType, applied) && facts.dependentsPending)
    return planBeforeRest(entityType, body, applied, key);
  const renamed = planRename(link, body, facts);
  if (renamed.kind !== 'free') return renamed;
  // What is kept stays in the base as we applied it: it is sent only when the source changes that very field.
  const drifted = overwritten.map((difference) => difference.path.split('.')[0]!);
  const base = Object.fromEntries(Object.entries(applied).filter(([field]) => !drifted.includes(field)));
  const changes = sparseChanges(entityType, base, renamed.body);
  const remembered = kept.length > 0 ? { kept } : {};
  if (!changes) return { kind: 'noop', why: 'equal', applied: renamed.body, ...remembered };
  if (hasLostItsLines(definition, link, changes)) return { kind: 'delete', body: key, again: true };
  if (!definition.operations.some((operation) => operation === 'update' || operation === 'sparse-update')) {
    return { kind: 'delete', body: key, again: true };
  }
  return {
    kind: 'update',
    body: { ...key, sparse: true, ...changes },
    ...{ applied: renamed.body, drift: overwritten, deferred, ...remembered },
    ...(overwritten.length > 0 ? { beforeImage: facts.targetNow! } : {}),
  };
}

/** QuickBooks takes no update to no lines (2250). What says no amount any more is removed, and held as a new one would be. */
function hasLostItsLines({ needsLines }: EntityDefinition, { desired }: Link, changes: Json): boolean {
  const emptied = Array.isArray(changes.Line) && changes.Line.length === 0;
  return needsLines === true && emptied && Number(desired.naturalKey?.TotalAmt ?? NaN) === 0;
}

/** What is left to wait for may itself wait for what else has changed: a bill for the lines of its order. */
function planBeforeRest(entityType: string, body: Json, applied: Json, key: Json): Plan {
  const open = madeAwake(entityType, body, true);
  const changes = open && sparseChanges(entityType, applied, open);
  if (!changes) return postponedDeactivation;
  return {
    kind: 'update',
    body: { ...key, sparse: true, ...changes },
    applied: open,
    drift: [],
    deferred: [],
    partial: true,
  };
}

/** See asleep.ts. */
function planWaking(link: Link, body: Json, key: Json, facts: WriteFacts): Plan | undefined {
  const woken = waking(link, body, facts.dependentsPending);
  if (!woken) return undefined;
  const awake = { ...link.applied?.payload, ...woken };
  // Its name may be somebody else's by now.
  const applied = facts.lastFault === nameFault ? (namedAside(link, awake, 'COLLISION.NAME') ?? awake) : awake;
  const changes = completed(definitionOf(link.entityType), woken, applied);
  return {
    kind: 'update',
    body: { ...key, sparse: true, ...changes },
    applied,
    drift: [],
    deferred: [],
    partial: true,
  };
}

/** A new name or number was refused because something else has it: who has, then the same answers as at a creation. */
function planRename(link: Link, body: Json, facts: WriteFacts): Collision | Extract<Plan, { kind: 'lookup' }> {
  const { lastFault } = facts;
  const renumbered = planRenumbering(link, body, facts);
  if (renumbered) return renumbered;
  if (lastFault === undefined || !duplicateFaults.has(lastFault)) return { kind: 'free', body };
  const lookups = facts.candidates ? [] : holderLookups(link.entityType, body, lastFault, facts.policy.collisions);
  if (lookups.length > 0) return { kind: 'lookup', lookups };
  const collision = collisionOf(link, body, facts);
  const has: unknown = link.applied?.payload?.[definitionOf(link.entityType).nameField ?? ''];
  // What becomes inactive goes under the name that it has, where QuickBooks wants its own to be free even for that.
  if (collision.kind === 'hold' && collision.code === 'COLLISION.NAME' && body.Active === false && has !== undefined)
    return { kind: 'free', body: { ...body, [definitionOf(link.entityType).nameField!]: has } };
  return collision;
}

/** Another number than the copy has: too long, or to be asked for before it is written. */
function planRenumbering(link: Link, body: Json, facts: WriteFacts): ReturnType<typeof planRename> | undefined {
  const field = definitionOf(link.entityType).docNumberField?.field;
  if (!field || body[field] === link.applied?.payload?.[field]) return undefined;
  const tooLong = numberTooLong(link.entityType, body);
  if (tooLong || collisionPolicy(link, facts)?.numbers !== 'check') return tooLong;
  if (facts.candidates) return collisionOf(link, body, facts);
  const lookups = numberLookups(link.entityType, body);
  return lookups.length > 0 ? { kind: 'lookup', lookups } : undefined;
}

/**
 * A change in a pair. What a person edits in the target is no drift here: it is a change that the opposite sync carries, so
 * only what this side changed is sent, less what the other side's later edit overrules.
 */
function planPairedChange(
  link: Link,
  body: Json,
  deferred: MissingReference[],
  facts: WriteFacts,
  pair: PairFacts,
): Plan {
  const { entityType, target, applied } = link;
  const definition = definitionOf(entityType);
  if (target?.deleted) {
    // A name is gone for good only by a merge, and its copy here was made inactive for that. That it comes back written a
    // little otherwise is no news; that a person wakes it up is: a name that the other company does not have any more.
    if (body.Active === false) return { kind: 'noop', why: 'already-removed', applied: body };
    return planCreation(link, body, deferred, facts);
  }
  if (facts.targetNow === null) {
    const kept = keptHere(link, pair);
    if (kept) return kept;
    return {
      kind: 'postpone',
      code: 'PAIR.REMOVED_THERE',
      reason: `${entityType} ${target!.id} is gone from the target`,
    };
  }
  // Nothing says what our mapping made of it when the two were brought together. What was last changed before both syncs
  // were there is nobody's edit to carry; for a later one the target itself is what we compare with.
  const known = isKnown(applied);
  if (!known && changedAt(link.desired.version) <= pair.since) return { kind: 'noop', why: 'equal', applied: body };
  const key = targetKey(link, facts);
  if (!key || (!known && !facts.targetNow)) return { kind: 'read', targetId: target!.id };
  const base = known ? applied.payload : projection(facts.targetNow!, body);
  if (link.desired.op === 'void' && definition.voidForm !== 'none' && !isVoided(entityType, base)) {
    if (pair.other?.op === 'void') return { kind: 'noop', why: 'equal', applied: body };
    const form = definition.voidForm === 'include-void' ? { sparse: true } : {};
    return { kind: 'void', body: { ...key, ...form }, applied: body };
  }
  const woken = planWaking(link, body, key, facts);
  if (woken) return woken;
  if (isResting(entityType, body) && !isResting(entityType, base) && facts.dependentsPending)
    return planBeforeRest(entityType, body, base, key);
  const renamed = planRename(link, body, facts);
  if (renamed.kind !== 'free') return renamed;
  const { kept, lost } = contest(link, editedFields(entityType, base, renamed.body, { clear: known }), pair);
  const isLost = Object.keys(lost).length > 0;
  const notice = { code: 'CONFLICT.LOST', reason: conflictText('lost', lost) };
  if (Object.keys(kept).length === 0) {
    return isLost
      ? { kind: 'noop', why: 'overruled', applied: body, ...notice }
      : { kind: 'noop', why: 'equal', applied: body };
  }
  if (!definition.operations.some((operation) => operation === 'update' || operation === 'sparse-update')) {
    return { kind: 'delete', body: key, again: true };
  }
  const changes = completed(definition, kept, renamed.body);
  return {
    kind: 'update',
    body: { ...key, sparse: true, ...changes },
    ...{ applied: renamed.body, drift: [], deferred },
    ...(isLost ? { notice } : {}),
  };
}

/** What we applied, with the fields that a person edited as they are now. */
function withTheirs(applied: Json, drift: readonly Difference[], targetNow: Json): Json {
  const theirs = projection(targetNow, applied);
  const payload = { ...applied };
  for (const { path } of drift) {
    const field = path.split('.')[0]!;
    if (field in theirs) payload[field] = theirs[field] as unknown;
    else delete payload[field];
  }
  return payload;
}

function targetKey(link: Link, facts: WriteFacts): { Id: string; SyncToken: string } | undefined {
  const token: unknown = facts.targetNow?.SyncToken ?? link.target?.syncToken;
  return token === undefined || token === null ? undefined : { Id: link.target!.id, SyncToken: String(token) };
}

function required(definition: EntityDefinition, body: Json): Json {
  return Object.fromEntries(definition.requiredOnSparse.filter((f) => f in body).map((f) => [f, body[f] as unknown]));
}

/** "Customer/58" of each, for links.waiting_on. */
export function waitingOn(missing: readonly MissingReference[]): string[] {
  return missing.map(({ type, sourceId }) => waitKey(type, sourceId));
}
