// Names and numbers that move between records of the source: A is called B from now on and B is called A, a new customer gets
// the name of one that was renamed, a document is deleted and entered again under its number. The copies are written one after
// the other and in no certain order, so the name that one is to get is often still that of another copy of ours. That is no
// collision but a matter of turns:
//
//   - the holder is to be called otherwise, or to go, and is on its way: it goes first
//   - both wait for each other (or the holder, which is to become inactive, for documents of the one that waits): who has
//     waited a while steps aside or is made aside, under a name that says whose it is, and gets its own when the other has moved
//   - the holder has not heard yet that it is to be called otherwise: a moment is given to the news
//
// What is held all the same is let go when the holder's copy gets another name (`freesName`). Pure.
import type { Json } from '../model/json.js';
import { definitionOf } from '../registry/index.js';
import { longestNameOf, nameFault, numberFault } from './collisions.js';
import type { Link } from './link.js';
import type { Plan } from './plan.js';
import type { StateName } from './state.js';
import { isEnteredBefore } from './stock-order.js';

type Held = Extract<Plan, { kind: 'hold' }>;

/** A copy of the same sync that has the name or number. */
export interface HoldingCopy {
  entityType: string;
  sourceId: string;
  targetId: string;
  state: StateName;
  /** as far as we know, the name or number is to stay with it */
  keeps: boolean;
  /** it is to get just what this one has: the two change places, and this one moves first */
  swaps: boolean;
}

/** Time for news that are on their way over another partition. */
const newsMs = 15_000;
/** Each look is a metered read: who waits long looks seldom. */
const lookAgainMs = (waitedMs: number): number => Math.min(60_000, Math.max(1_000, waitedMs / 3));
/** Most names are free by then: who waits longer waits for one that waits for it. */
const stepAsideMs = 4_000;
const patienceMs = 10 * 60_000;

const underWay: readonly StateName[] = ['ready', 'sending', 'backoff', 'uncertain', 'waiting'];

/** Fields of a record that no other record may have the same of. */
export function singularFields(entityType: string): string[] {
  const { nameField, docNumberField, uniqueFields = [] } = definitionOf(entityType);
  return [nameField, docNumberField?.field, ...uniqueFields].filter((field) => field !== undefined);
}

/** Which of its fields stand in the way, by the code of the collision. */
function contested(entityType: string, code: string): string[] {
  const { nameField } = definitionOf(entityType);
  return singularFields(entityType).filter((field) => (field === nameField) === (code === 'COLLISION.NAME'));
}

const turn = 'COLLISION.TURN';

/** Who waits for its turn asks the target as after the refusal that it would get. */
export function faultBehind(entityType: string, code: string): string {
  if (code !== turn) return code;
  return definitionOf(entityType).docNumberField ? numberFault : nameFault;
}

export const isCollision = (plan: Plan): plan is Held =>
  plan.kind === 'hold' && (plan.code === 'COLLISION.NAME' || plan.code === 'COLLISION.NUMBER');

/** @param holder the link whose copy has what `link` is to get */
export function holdingCopy(link: Link, code: string, holder: Link): HoldingCopy | undefined {
  const { entityType, sourceId, target, desired } = holder;
  if (!target) return undefined;
  const of = (type: string, payload: Json | undefined): unknown[] =>
    contested(type, code).flatMap((field) => text(payload?.[field]) ?? []);
  const [wanted, has] = [of(link.entityType, link.desired.payload), of(link.entityType, link.applied?.payload)];
  // QuickBooks puts a word behind the name of what becomes inactive, which our content leaves out.
  const leaves = desired.op === 'delete' || (isInactive(desired.payload) && underWay.includes(holder.state.kind));
  const its = leaves ? [] : of(entityType, desired.payload);
  const isBelow = isEnteredBefore(link.sourceId, sourceId);
  return {
    ...{ entityType, sourceId, targetId: target.id, state: holder.state.kind },
    keeps: its.some((value) => wanted.includes(value)),
    swaps: isBelow && its.some((value) => has.includes(value)),
  };
}

/**
 * @param holders of everything that has the name or number in the target, in the order of `plan.candidates`; undefined: not ours
 * @param waitedMs since the record was last told otherwise
 */
export function inTurn(link: Link, plan: Held, holders: readonly (HoldingCopy | undefined)[], waitedMs: number): Plan {
  if (holders.length === 0) return plan;
  const ours = holders.filter((holder) => holder !== undefined);
  if (ours.length < holders.length) return plan;
  // Settled and to be called otherwise: it has moved since the target was asked.
  if (ours.some(({ keeps, state }) => !keeps && (state === 'held' || state === 'failed'))) return plan;
  const [holder] = ours as [HoldingCopy, ...HoldingCopy[]];
  const wait = (why: string): Plan => ({
    kind: 'postpone',
    code: turn,
    reason: `${holder.entityType} ${holder.targetId}, the copy of ${holder.sourceId}, still has its ${plan.code === 'COLLISION.NAME' ? 'name' : 'number'}${why}`,
    delayMs: lookAgainMs(waitedMs),
  });
  if (ours.some(({ keeps }) => keeps)) return waitedMs < newsMs ? wait(', as far as the source has told') : plan;
  // It goes on all the same when the name is free; a person is told by then.
  if (waitedMs > patienceMs) return plan;
  if (waitedMs < stepAsideMs && !ours.some(({ swaps }) => swaps)) return wait(' and is to get another one');
  return stepAside(link, plan) ?? wait(' and is to get another one');
}

/** What it is to be in the target for a moment, under a name or number that says whose it is; undefined: it has none to change. */
export function namedAside({ entityType, sourceId }: Link, body: Json, code: string): Json | undefined {
  const [field] = contested(entityType, code).filter((one) => text(body[one]) !== undefined);
  return field === undefined
    ? undefined
    : { ...body, [field]: asideOf(entityType, field, String(body[field]), sourceId) };
}

/** Undefined when it has stepped aside already. */
function stepAside(link: Link, { code, aside: creation }: Held): Plan | undefined {
  const { entityType, target, applied, desired } = link;
  if (!target || target.deleted) return creation;
  if (!target.syncToken || !applied?.payload || !desired.payload) return undefined;
  const aside = namedAside(link, desired.payload, code);
  const [field] = contested(entityType, code).filter((one) => aside?.[one] !== desired.payload?.[one]);
  if (!aside || field === undefined || applied.payload[field] === aside[field]) return undefined;
  const payload: Json = { ...applied.payload, [field]: aside[field] };
  const required = definitionOf(entityType).requiredOnSparse.filter((one) => one in payload);
  return {
    kind: 'update',
    body: {
      ...{ Id: target.id, SyncToken: target.syncToken, sparse: true },
      ...Object.fromEntries(required.map((one) => [one, payload[one] as unknown])),
      [field]: aside[field],
    },
    applied: payload,
    drift: [],
    deferred: [],
    partial: true,
  };
}

function asideOf(entityType: string, field: string, value: string, sourceId: string): string {
  const { nameField, docNumberField } = definitionOf(entityType);
  const mark = `~${sourceId}`;
  if (field === nameField) return `${value.slice(0, longestNameOf(entityType) - mark.length - 3)} (${mark})`;
  return field === docNumberField?.field ? mark.slice(0, docNumberField.maxLength) : mark;
}

/** Whether a name or number of the copy is free after this, so that who was held because of it may go on. */
export function freesName(
  entityType: string,
  before: Json | undefined,
  after: Json | undefined,
  gone: boolean,
): boolean {
  if (!before) return false;
  if (isInactive(after) && !isInactive(before)) return true;
  return singularFields(entityType).some(
    (field) => text(before[field]) !== undefined && (gone || text(before[field]) !== text(after?.[field])),
  );
}

const isInactive = (payload: Json | undefined): boolean => payload?.Active === false;

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().toLowerCase() : undefined;
}
