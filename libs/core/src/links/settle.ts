// The end of one attempt: what the link becomes, whether waiters wake, what is announced. The shell writes all of it in
// one transaction: link, attempt, woken waiters, outbox.
import { contentHash, isVoided, withIdentity, withoutNoise } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { definitionOf, knownType } from '../registry/index.js';
import { nextStep, type Failure, type RetryPolicy, type Step } from '../retry/index.js';
import { mayBeAsleep } from './asleep.js';
import { frozenByHand, frozenFault, frozenTries, releaseName } from './frozen.js';
import { diffAnswer, type Difference } from './difference.js';
import type { Applied, Link, Target } from './link.js';
import { isRoundingLine, moneyCode, moneyDifferences, type MoneyDifference } from './money.js';
import { defaultRounding, pendingRounding, planCorrection, roundingHash } from './rounding.js';
import type { Correction, RoundingPolicy } from './rounding.js';
import { answersIn, markedWith, type Origin, type RolledBack } from '../rollback/outcome.js';
import { transition, type LinkState } from './state.js';

/** What an attempt was made of; the desired version may have moved on since. */
export interface AttemptFacts {
  operation: 'create' | 'update' | 'delete' | 'void' | 'deactivate' | 'adopt' | 'noop';
  version: string;
  hash: string;
  /** whole bound body, from the plan */
  applied?: Json;
  /** what was sent, to be compared with the answer */
  body?: Json;
  /** the twin, for an adoption without a call */
  twin?: { id: string; syncToken: string };
  /** references left out to break a ring, as "Type/id" */
  deferred?: readonly string[];
  /** found gone already, with operation `noop` */
  gone?: boolean;
  /** a second step follows (plan `create`, partial) */
  partial?: boolean;
  /** records of ours that hold this one frozen in the target, as "Deposit/9" */
  frozenBy?: readonly string[];
  /** what it refers to that is at rest in the target and may be woken by a write on its way, as "Item/6" (asleep.ts) */
  restingOn?: readonly string[];
}

export type WriteAnswer =
  /** `record`: the object as answered (absent for a delete or a decision without a call) */
  { kind: 'done'; record?: Json } | { kind: 'failed'; failure: Failure };

export interface Outcome {
  outcome: 'created' | 'updated' | 'deleted' | 'voided' | 'adopted' | 'unchanged' | 'held' | 'failed' | 'drift';
  code?: string;
  reason?: string;
}

export interface Settled {
  state: LinkState;
  applied?: Applied;
  target?: Target;
  attempts: number;
  /** links waiting on this one may go on */
  wakes: boolean;
  /** what to announce in sync.results; undefined while the link is still under way */
  result?: Outcome;
  /** what the target has otherwise than it was told, and amounts it computed otherwise, with their cause */
  differences: (Difference | MoneyDifference)[];
  /** for a failure: what the shell does next */
  step?: Step;
  /** hash of what the record says, as the answer showed it (canonical: content.ts) */
  seenHash?: string;
  /** known from now on: whose the target's record is */
  origin?: Origin;
  /** this attempt took the link back */
  rolledBack?: RolledBack;
}

export interface Timing {
  nowMs: number;
  /** in [0, 1) */
  jitter: number;
  policy: RetryPolicy;
}

/** @throws IllegalTransition when the link is in no state that can end an attempt */
export function settle(
  link: Link,
  attempt: AttemptFacts,
  answer: WriteAnswer,
  timing: Timing,
  rounding: RoundingPolicy = defaultRounding,
): Settled {
  return answer.kind === 'done'
    ? settleDone(link, attempt, answer.record, rounding)
    : settleFailed(link, attempt, answer.failure, timing);
}

const outcomes = {
  create: 'created',
  update: 'updated',
  delete: 'deleted',
  deactivate: 'deleted',
  void: 'voided',
  adopt: 'adopted',
  noop: 'unchanged',
} as const;

function settleDone(link: Link, attempt: AttemptFacts, record: Json | undefined, rounding: RoundingPolicy): Settled {
  const { operation } = attempt;
  const removed = operation === 'delete' || operation === 'deactivate';
  const deferred = attempt.deferred ?? [];
  const leftByVoid = contentLeftByVoid(link, attempt, record);
  const unfinished = attempt.partial === true || deferred.length > 0 || leftByVoid !== undefined;
  const fields = record && attempt.body && !removed ? diffAnswer(link.entityType, attempt.body, record) : [];
  // Put back is what was there, whatever it adds up to.
  const isBack = isRollback(link, attempt);
  const money = record && !removed && !isBack ? moneyOfAnswer(link, attempt, record) : [];
  // One path is told once, by the one that knows the cause.
  const differences = [...money, ...fields.filter(({ path }) => !money.some((one) => one.path === path))];
  const tries = triesBefore(link, attempt);
  const correction: Correction = unfinished ? { kind: 'none' } : correctionOf(link, attempt, money, rounding, tries);
  // A hash that equals no desired one: the rest of the work shows as a difference until it is done.
  const hash = unfinished ? `partial:${attempt.hash}` : hashAfter(attempt.hash, correction, tries);
  const { kind: corrects } = correction;
  const state =
    deferred.length > 0
      ? transition(link.state, { kind: 'parent-missing', on: deferred })
      : corrects === 'hold'
        ? transition(link.state, { kind: 'held', code: correction.code, reason: correction.reason })
        : transition(link.state, { kind: 'settled', moved: link.desired.hash !== hash });
  return {
    state,
    applied: {
      version: attempt.version,
      hash,
      payload:
        leftByVoid ?? appliedPayload(attempt.applied ?? (removed ? undefined : link.applied?.payload), record, fields),
    },
    target: targetAfter(link, attempt, record, removed),
    attempts: 0,
    // A removed parent gives its children nothing to bind to.
    wakes: !removed,
    result:
      corrects === 'hold'
        ? { outcome: 'held', code: correction.code, reason: `${outcomes[operation]}, but ${correction.reason}` }
        : {
            outcome: outcomes[operation],
            ...(balancedByLine(attempt, money) ??
              describe(differences, moneyCode(money) ?? renumbered(link.entityType, differences))),
          },
    differences,
    ...(record && !removed && knownType(link.entityType)
      ? { seenHash: contentHash(link.entityType, withIdentity(link.entityType, record)) }
      : {}),
    ...(operation === 'create' || operation === 'adopt' ? { origin: origins[operation] } : {}),
    ...(isBack && operation in rolledBackBy
      ? { rolledBack: rolledBackBy[operation as keyof typeof rolledBackBy] }
      : {}),
  };
}

const origins = { create: 'made', adopt: 'adopted' } as const;
const rolledBackBy = { delete: 'deleted', deactivate: 'inactive', update: 'put-back' } as const;

/** Not what was on its way when the rollback began. */
const isRollback = ({ desired }: Link, attempt: AttemptFacts): boolean =>
  desired.op === 'rollback' && desired.hash === attempt.hash;

/** Rounding lines that this version of the document was given before this attempt, this one's among them. */
function triesBefore({ applied }: Link, attempt: AttemptFacts): number {
  const pending = pendingRounding(applied?.hash);
  return pending?.desiredHash === attempt.hash ? pending.tries : 0;
}

/** A total that came back otherwise, where the sync's policy is a visible rounding line (rounding.ts). */
function correctionOf(
  link: Link,
  attempt: AttemptFacts,
  money: readonly MoneyDifference[],
  rounding: RoundingPolicy,
  tries: number,
): Correction {
  const total = money.find(({ path }) => path === 'TotalAmt');
  // A newer version is desired already: its own answer decides.
  if (!total || !attempt.applied || link.desired.hash !== attempt.hash) return { kind: 'none' };
  return planCorrection(attempt.applied, total.sent, total.answered, rounding, tries);
}

function hashAfter(desiredHash: string, correction: Correction, tries: number): string {
  switch (correction.kind) {
    case 'none':
      return desiredHash;
    case 'line':
      return roundingHash({ tries: tries + 1, cents: correction.cents, desiredHash });
    case 'hold':
      // Redriven, it is compared anew.
      return `money:${desiredHash}`;
    default:
      return correction satisfies never;
  }
}

/** The total agrees because of a rounding line: told with its amount, so that nobody wonders about the line. */
function balancedByLine(
  { applied }: AttemptFacts,
  money: readonly MoneyDifference[],
): { code: string; reason: string } | undefined {
  const ours = ((applied?.Line as Json[] | undefined) ?? []).filter(isRoundingLine);
  if (ours.length === 0 || money.some(({ path }) => path === 'TotalAmt')) return undefined;
  const told = money.map(
    ({ path, sent, answered, cause }) => `; ${path}: ${text(sent)} -> ${text(answered)} (${cause})`,
  );
  return { code: 'MONEY.ROUNDING_LINE', reason: `a rounding line of ${text(ours[0]!.Amount)}${told.join('')}` };
}

/**
 * A void only zeroes what the target has. An edit that the void overtook before it was sent (a note, a date, a customer)
 * is still missing then: what the target shows instead, so that an update follows. Undefined: nothing is missing.
 */
function contentLeftByVoid(link: Link, attempt: AttemptFacts, record: Json | undefined): Json | undefined {
  const wished = attempt.applied;
  if (attempt.operation !== 'void' || !record || !wished) return undefined;
  const missing = diffAnswer(link.entityType, wished, record);
  if (missing.length === 0) return undefined;
  const shown = appliedPayload(wished, record, missing)!;
  // What does not read as a void would be voided again, and again.
  return isVoided(link.entityType, shown) ? shown : undefined;
}

/**
 * What the target has, not what we wished: fields that came back otherwise are kept as they came back. So the next update
 * sends them again, and a tax that QBO recomputed is not taken for the edit of a person.
 */
function appliedPayload(
  payload: Json | undefined,
  record: Json | undefined,
  differences: readonly Difference[],
): Json | undefined {
  if (!payload || !record || differences.length === 0) return payload;
  const shown = withoutNoise(record);
  const applied = { ...payload };
  for (const { path } of differences) {
    const field = path.split('.')[0]!;
    if (field in shown) applied[field] = shown[field] as unknown;
    else delete applied[field];
  }
  return applied;
}

function moneyOfAnswer(link: Link, attempt: AttemptFacts, record: Json): MoneyDifference[] {
  const definition = knownType(link.entityType) ? definitionOf(link.entityType) : undefined;
  if (definition?.category !== 'transaction' || attempt.operation === 'void' || !attempt.applied) return [];
  // The key belongs to the desired version; when that has moved on, the lines alone say what must be.
  const sourceTotal = link.desired.hash === attempt.hash ? link.desired.naturalKey?.TotalAmt : undefined;
  const created = attempt.operation === 'create' && !definition.paidAtOnce;
  return moneyDifferences({ body: attempt.applied, sourceTotal, created }, record);
}

function targetAfter(
  link: Link,
  attempt: AttemptFacts,
  record: Json | undefined,
  removed: boolean,
): Target | undefined {
  const id = (record?.Id as string | undefined) ?? attempt.twin?.id ?? link.target?.id;
  if (id === undefined) return undefined;
  const syncToken = (record?.SyncToken as string | undefined) ?? attempt.twin?.syncToken ?? link.target?.syncToken;
  const deleted = removed || attempt.gone === true || (attempt.operation === 'noop' && link.desired.op === 'delete');
  return { id: String(id), syncToken: syncToken === undefined ? undefined : String(syncToken), deleted };
}

/** The target numbers its documents itself (CustomTxnNumbers is off): the copy is right but for the number on it. */
function renumbered(entityType: string, differences: readonly Difference[]): string | undefined {
  const field = knownType(entityType) ? definitionOf(entityType).docNumberField?.field : undefined;
  const all = differences.length > 0 && differences.every(({ path }) => path === field);
  return all ? 'ANSWER.RENUMBERED' : undefined;
}

function describe(
  differences: readonly (Difference | MoneyDifference)[],
  known: string | undefined,
): { code?: string; reason?: string } {
  if (differences.length === 0) return {};
  const shown = differences
    .slice(0, 5)
    .map((one) => `${one.path}: ${text(one.sent)} -> ${text(one.answered)}${'cause' in one ? ` (${one.cause})` : ''}`);
  const more = differences.length > 5 ? ` and ${differences.length - 5} more` : '';
  return { code: known ?? 'ANSWER.DIFFERS', reason: shown.join('; ') + more };
}

function text(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 120);
}

function settleFailed(link: Link, attempt: AttemptFacts, failure: Failure, timing: Timing): Settled {
  // A call that was throttled or never left says nothing about this record.
  const counted = failure.kind === 'refused' || failure.kind === 'uncertain';
  const attempts = link.attempts + (counted ? 1 : 0);
  const frozenBy = attempt.frozenBy ?? [];
  if (failure.kind === 'refused' && failure.code === frozenFault && frozenBy.length > 0) {
    // Not a fault of this record, so no number of tries makes it fail; the token is read anew when it is let go.
    return {
      state: transition(link.state, { kind: 'parent-missing', on: frozenBy.map(releaseName) }),
      applied: link.applied,
      target: link.target && withoutToken(link.target),
      attempts,
      wakes: false,
      differences: [],
    };
  }
  const restingOn = attempt.restingOn ?? [];
  if (failure.kind === 'refused' && restingOn.length > 0 && (mayBeAsleep(failure) || failure.code === '610')) {
    // Not a fault of this record either: a name may wait for its turn for minutes. The token may be why as well: read anew.
    // Counted all the same: the next try needs a request id of its own.
    return {
      state: transition(link.state, { kind: 'parent-missing', on: restingOn }),
      applied: link.applied,
      target: link.target && withoutToken(link.target),
      attempts,
      wakes: false,
      differences: [],
    };
  }
  if (failure.kind === 'refused' && failure.code === frozenFault && attempts >= frozenTries) {
    const held = {
      code: frozenByHand,
      reason: `held by a record of the target that this sync did not make: ${failure.reason}`,
    };
    return {
      state: transition(link.state, { kind: 'held', ...held }),
      applied: link.applied,
      target: link.target && withoutToken(link.target),
      attempts,
      wakes: false,
      result: { outcome: 'held', ...held },
      differences: [],
    };
  }
  const step = nextStep(failure, Math.max(1, attempts), timing.policy, timing.jitter);
  const unchanged = { applied: link.applied, target: link.target, attempts, wakes: false, differences: [], step };
  const later = (delayMs: number, code: string): LinkState =>
    transition(link.state, {
      kind: 'refused-for-now',
      dueAtMs: timing.nowMs + delayMs,
      code,
      reason: failure.reason,
    });
  const code = failure.kind === 'refused' ? `QBO.${failure.code}` : `QBO.${failure.kind.toUpperCase()}`;
  switch (step.kind) {
    case 'retry':
    case 'wait-for-parent':
    case 'adopt':
      return { ...unchanged, state: later(step.delayMs, code) };
    case 'reread':
      // Forgetting the token makes the next plan a read.
      return { ...unchanged, state: later(step.delayMs, code), target: link.target && withoutToken(link.target) };
    case 'uncertain': {
      const event = { kind: 'answer-lost', dueAtMs: timing.nowMs + step.delayMs, reason: failure.reason } as const;
      return { ...unchanged, state: transition(link.state, event) };
    }
    case 'hold': {
      // Of what was on its way when the rollback began nobody needs to decide anything any more.
      if (link.desired.op === 'rollback' && !isRollback(link, attempt))
        return { ...unchanged, attempts: 0, state: transition(link.state, { kind: 'settled', moved: true }) };
      const { code: heldCode, reason } = step;
      const state = transition(link.state, { kind: 'held', code: heldCode, reason });
      return { ...unchanged, state, result: { outcome: 'held', code: heldCode, reason } };
    }
    case 'fail': {
      if (isRollback(link, attempt)) {
        return settleRefusedBack(link, attempt, unchanged, step);
      }
      // A newer desired version may mend what this one could not do.
      const moved = link.desired.hash !== attempt.hash;
      const event = moved
        ? ({ kind: 'settled', moved: true } as const)
        : ({ kind: 'failed', code: step.code, reason: step.reason } as const);
      return {
        ...unchanged,
        attempts: moved ? 0 : attempts,
        state: transition(link.state, event),
        result: { outcome: 'failed', code: step.code, reason: step.reason },
      };
    }
    default:
      return step satisfies never;
  }
}

/**
 * No newer version of the source can mend it: with QuickBooks' words it is a person's. Redriven and refused with the same words
 * once more, it stays in the target (an account that the system uses), and that is told.
 */
function settleRefusedBack(
  link: Link,
  attempt: AttemptFacts,
  unchanged: Omit<Settled, 'state'>,
  { code, reason }: { code: string; reason: string },
): Settled {
  const version = link.applied?.version ?? '';
  if (!answersIn(link.applied?.hash).includes(code)) {
    const applied = { ...link.applied, version, hash: markedWith(link.applied?.hash, code) };
    const state = transition(link.state, { kind: 'held', code, reason });
    return { ...unchanged, applied, state, result: { outcome: 'held', code, reason } };
  }
  return {
    ...unchanged,
    applied: { ...link.applied, version: attempt.version, hash: attempt.hash },
    state: transition(link.state, { kind: 'settled', moved: false }),
    result: { outcome: 'unchanged', code: 'ROLLBACK.STAYS', reason },
    rolledBack: 'stays',
  };
}

function withoutToken({ id, deleted }: Target): Target {
  return { id, deleted };
}
