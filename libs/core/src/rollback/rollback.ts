// Taking one link back, decided with everything on the table. What we made is deleted, or made inactive where QuickBooks
// deletes none; what was there before gets back the values that it had; what a person has changed since our last write, or
// has built upon, is held, and goes only after somebody said so by name (a redrive). Nothing is guessed: a link of which
// nobody wrote down whether we made its record is held, too.
//
// Order: a record goes only after everything of the sync that refers to it. Ranks give that order (turns, storage: links.ts);
// a type that points at itself, and what is held, are asked of the links (facts.moving, facts.held).
//
// What a person was asked stands in the hash of what is applied (`asked:ROLLBACK.EDITED`): released, the same question is not
// asked again. It holds for what was shown: another edit since then is another question.
import { contentHash } from '../canonical/index.js';
import { isSingleton } from '../links/adoption.js';
import { diffAnswer, type Difference } from '../links/difference.js';
import { driftText } from '../links/drift.js';
import type { Link } from '../links/link.js';
import { changedFields, completed, projection } from '../links/sparse.js';
import type { Json } from '../model/json.js';
import { definitionOf, knownType, type EntityDefinition } from '../registry/index.js';
import { answersIn, markedWith, stays, type Origin, type RolledBack } from './outcome.js';

/** What is done about a link: of the plans of a writer (links/plan.ts) those that take back. */
export type RollbackPlan =
  | {
      kind: 'noop';
      why: 'equal' | 'already-removed' | 'rolled-back';
      rolledBack?: RolledBack;
      code?: string;
      reason?: string;
    }
  | { kind: 'read'; targetId: string }
  | { kind: 'delete'; body: Json }
  | { kind: 'deactivate'; body: Json; applied: Json }
  | { kind: 'update'; body: Json; applied: Json; drift: Difference[]; deferred: [] }
  | { kind: 'postpone'; code: string; reason: string }
  | { kind: 'hold'; code: string; reason: string; asked?: { mark: string; syncToken?: string } };

export interface RollbackFacts {
  origin?: Origin | undefined;
  /** the record as it was before we first wrote to it */
  beforeImage?: Json | undefined;
  /** hash of what the record said after our last write; undefined: it was not written down */
  seenHash?: string | undefined;
  /** the target's record as just read; null: it is gone */
  targetNow?: Json | null | undefined;
  /** links of the sync that refer to this one and are on their way back, as "Invoice/9" */
  moving: readonly string[];
  /** and those that a person must decide about */
  held: readonly string[];
}

/** Above every version that a source can have: what arrives later about the same record is older than the rollback. */
export const rollbackVersion = (id: string): string => `~rollback/${id}`;
export const rollbackHash = (id: string): string => `rollback:${id}`;

/** Children before parents: what can be deleted first of all, names and what else there is after them. */
export function rollbackRank({ operations, rank }: EntityDefinition): number {
  return operations.includes('delete') ? -rank : 100 - rank;
}

/** A call of which the answer was lost may have made a record that we could not tell from others. */
export const mayExistFault = 'QBO.READ_BACK';

export function planRollback(link: Link, facts: RollbackFacts, lastFault?: string): RollbackPlan {
  const { target } = link;
  if (link.applied?.hash === link.desired.hash) return { kind: 'noop', why: 'equal' };
  if (!target) {
    if (lastFault !== mayExistFault || isAnswered(link, 'ROLLBACK.MAY_EXIST')) return ended('nothing');
    return ask(
      link,
      'ROLLBACK.MAY_EXIST',
      `an answer was lost, and a ${link.entityType} of the target may be ours: look for it, delete it by hand, then try again`,
    );
  }
  switch (facts.origin) {
    case undefined:
      if (isAnswered(link, 'ROLLBACK.UNKNOWN_ORIGIN')) return ended('left');
      return ask(
        link,
        'ROLLBACK.UNKNOWN_ORIGIN',
        `nobody wrote down whether ${link.entityType} ${target.id} of the target was there before this sync: delete it by hand or leave it, then try again; it is left then`,
      );
    case 'made':
      return planRemoval(link, target, facts);
    case 'adopted':
      return planReturn(link, target, facts);
  }
}

function planRemoval(link: Link, target: NonNullable<Link['target']>, facts: RollbackFacts): RollbackPlan {
  const { entityType } = link;
  const definition = definitionOf(entityType);
  const deletes = definition.operations.includes('delete');
  if (target.deleted) return ended(deletes ? 'gone' : 'inactive');
  if (stays(definition)) {
    return ended(
      'stays',
      `QuickBooks neither deletes a ${entityType} nor makes it inactive; ${target.id} stays, unused`,
    );
  }
  const order = planOrder(facts);
  if (order) return order;
  const now = facts.targetNow;
  if (now === undefined) return { kind: 'read', targetId: target.id };
  if (now === null) return { kind: 'noop', why: 'already-removed', rolledBack: 'gone' };
  if (!deletes && now.Active === false) return ended('inactive');
  const edited = planEdited(link, now, isAddedTo(link, now, facts.seenHash) ? 'something that we never wrote' : '');
  if (edited) return edited;
  const strangers = strangersLinked(link, now);
  if (strangers.length > 0 && !isAnswered(link, 'ROLLBACK.LINKED')) {
    return ask(
      link,
      'ROLLBACK.LINKED',
      `${strangers.join(', ')} of the target, which this sync did not make, is linked to ${entityType} ${target.id}: unlink it there, or try again to delete ${entityType} ${target.id} all the same`,
      now,
    );
  }
  const key = { Id: target.id, SyncToken: String(now.SyncToken) };
  if (deletes) return { kind: 'delete', body: key };
  const stock = planStock(link, target.id, now);
  if (stock) return stock;
  const applied = { ...link.applied?.payload, Active: false };
  const required = Object.fromEntries(
    definition.requiredOnSparse.filter((field) => field in now).map((field) => [field, now[field] as unknown]),
  );
  return { kind: 'deactivate', body: { ...key, sparse: true, ...required, Active: false }, applied };
}

function planReturn(link: Link, target: NonNullable<Link['target']>, facts: RollbackFacts): RollbackPlan {
  const { entityType } = link;
  const definition = definitionOf(entityType);
  const before = facts.beforeImage;
  // Mapped to and never written: tax rates, the accounts that every company has.
  if (definition.policy === 'adopted' || isSingleton(entityType, before ?? {})) return ended('left');
  if (!target.deleted && before && String(before.SyncToken) === target.syncToken) return ended('left');
  const lost = (why: string): RollbackPlan =>
    isAnswered(link, 'ROLLBACK.NOT_POSSIBLE')
      ? ended('left')
      : ask(
          link,
          'ROLLBACK.NOT_POSSIBLE',
          `${entityType} ${target.id} of the target was there before this sync, and ${why}: put it right by hand (beforeImage says what it was), then try again; it is left then`,
        );
  if (!before) return lost('what it was is not known');
  if (target.deleted && definition.category !== 'name-list')
    return lost('was deleted with its original; QuickBooks brings none back');
  if (facts.moving.length > 0) return postponed(facts.moving);
  const now = facts.targetNow;
  if (now === undefined) return { kind: 'read', targetId: target.id };
  if (now === null) return { kind: 'noop', why: 'already-removed', rolledBack: 'gone' };
  const wanted = formerValues(link, before, now);
  const base = projection(now, wanted.spoken);
  const changes = changedFields(entityType, base, wanted.values);
  if (Object.keys(changes).length === 0) return ended('left');
  const edited = planEdited(link, now);
  if (edited) return edited;
  if (!definition.operations.some((operation) => operation === 'update' || operation === 'sparse-update'))
    return lost('QuickBooks takes no update of such a record');
  const body = {
    Id: target.id,
    SyncToken: String(now.SyncToken),
    sparse: true,
    ...completed(definition, changes, wanted.values),
  };
  return { kind: 'update', body, applied: wanted.values, drift: [], deferred: [] };
}

/**
 * What it said before, in the fields that we may have written; a field that it did not have then is cleared. An inactive
 * record has another name than it had awake: it gets its own again.
 */
function formerValues({ entityType, applied }: Link, before: Json, now: Json): { values: Json; spoken: Json } {
  const { nameField } = definitionOf(entityType);
  const activity = now.Active === before.Active ? {} : { Active: before.Active ?? true };
  const spoken = { ...applied?.payload, ...activity };
  const name =
    'Active' in activity && nameField && nameField in before ? { [nameField]: before[nameField] as unknown } : {};
  return { values: { ...projection({ Active: true, ...before }, spoken), ...name }, spoken: { ...spoken, ...name } };
}

/**
 * A token moves when a payment is linked, too; what the record says does not. So it is asked only where the token moved: a
 * field that we never sent (a note that a person added) is no difference from what we applied.
 */
function isAddedTo({ entityType, target }: Link, now: Json, seenHash: string | undefined): boolean {
  if (seenHash === undefined || target?.syncToken === String(now.SyncToken)) return false;
  return contentHash(entityType, now) !== seenHash;
}

/** @returns undefined when nobody but us has written it since */
function planEdited(link: Link, now: Json, added = ''): RollbackPlan | undefined {
  const { entityType, applied, target } = link;
  const edits = applied?.payload ? diffAnswer(entityType, applied.payload, now) : [];
  if (edits.length === 0 && added === '') return undefined;
  // Asked about this very state of it.
  if (isAnswered(link, 'ROLLBACK.EDITED') && target?.syncToken === String(now.SyncToken)) return undefined;
  return ask(
    link,
    'ROLLBACK.EDITED',
    `edited in the target since we wrote it: ${edits.length > 0 ? driftText(edits) : added}; try again to take it back all the same`,
    now,
  );
}

/**
 * All that moved its stock is taken back by now: what is left is the quantity that it began with. QuickBooks posted that when the
 * item was made, and no API takes it back: made inactive like that, its value would stay in the books.
 */
function planStock(link: Link, targetId: string, now: Json): RollbackPlan | undefined {
  const left = Number(now.QtyOnHand ?? 0);
  const { beginnings } = definitionOf(link.entityType);
  if (left === 0 || !beginnings.includes('QtyOnHand') || isAnswered(link, 'ROLLBACK.STOCK')) return undefined;
  return ask(
    link,
    'ROLLBACK.STOCK',
    `${link.entityType} ${targetId} began with stock, of which ${left} are left on hand with their value: take them out by an inventory adjustment against the account of opening balances, dated ${String(now.InvStartDate ?? 'as the item began')}, then try again`,
    now,
  );
}

function planOrder({ moving, held }: RollbackFacts): RollbackPlan | undefined {
  if (moving.length > 0) return postponed(moving);
  if (held.length === 0) return undefined;
  const reason = `${some(held)} of the source refers to it, and its copy is held; it goes on by itself when that one is decided`;
  return { kind: 'hold', code: 'ROLLBACK.DEPENDENT', reason };
}

const postponed = (moving: readonly string[]): RollbackPlan => ({
  kind: 'postpone',
  code: 'ROLLBACK.ORDER',
  reason: `${some(moving)} of the source refers to it, and goes first`,
});

const some = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');

/** Documents of the target that link to this one and that it does not link to by our hand. Ours are gone by now. */
function strangersLinked({ applied }: Link, now: Json): string[] {
  const own = new Set(linksOf(applied?.payload).map(({ TxnId }) => String(TxnId)));
  // What QuickBooks makes itself, and takes away itself: charges for billable expenses.
  const isPeoples = ({ TxnType }: Json) =>
    !knownType(String(TxnType)) || definitionOf(String(TxnType)).policy !== 'reported';
  return listOf(now.LinkedTxn)
    .filter((one) => isPeoples(one) && !own.has(String(one.TxnId)))
    .map(({ TxnType, TxnId }) => `${String(TxnType)} ${String(TxnId)}`);
}

const linksOf = (body: Json | undefined): Json[] => [
  ...listOf(body?.LinkedTxn),
  ...listOf(body?.Line).flatMap((line) => listOf(line.LinkedTxn)),
];

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

function ended(rolledBack: RolledBack, reason?: string): RollbackPlan {
  return {
    kind: 'noop',
    why: 'rolled-back',
    rolledBack,
    ...(reason === undefined ? {} : { code: 'ROLLBACK.STAYS', reason }),
  };
}

function ask(link: Link, code: string, reason: string, now?: Json): RollbackPlan {
  const syncToken = now === undefined ? undefined : String(now.SyncToken);
  const asked = { mark: markedWith(link.applied?.hash, code), ...(syncToken === undefined ? {} : { syncToken }) };
  return { kind: 'hold', code, reason, asked };
}

/** Asked, and released since. */
const isAnswered = (link: Link, code: string): boolean => answersIn(link.applied?.hash).includes(code);
