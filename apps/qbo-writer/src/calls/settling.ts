// The end of a call, as one decision over its rows: what each link becomes, what is announced, whether the call stays open.
// Pure; the store runs it on rows under lock and writes what it says.
import {
  defaultRetryPolicy,
  marked,
  mayWake,
  settle,
  transition,
  type AttemptFacts,
  type Difference,
  type Json,
  type Outcome,
  type RetryPolicy,
  type RoundingPolicy,
  type Settled,
  type Timing,
  type WriteAnswer,
} from '#core';
import {
  keyText,
  waitName,
  type AttemptRecord,
  type CallEnd,
  type CallRecord,
  type Decided,
  type LinkChange,
  type LinkKey,
  type StoredLink,
  type Told,
} from '#storage';
import { announce } from '../results.js';

export interface CallAnswer {
  answers: WriteAnswer[];
  /** positions that an earlier answer settled */
  settledBefore: readonly number[];
  /** records of ours that hold a refused one frozen, by link */
  holders?: ReadonlyMap<string, readonly LinkKey[]>;
  /** copies of ours that a refused one refers to and that take no documents in the target, by link */
  sleepers?: ReadonlyMap<string, readonly LinkKey[]>;
  /** what a sync does about cents that the two companies' arithmetic cannot agree on; only recorded when absent */
  rounding?: (syncId: string) => RoundingPolicy;
  httpStatus?: number | undefined;
  tid?: string | undefined;
}

// Ten re-reads instead of five, about six minutes: a transaction that QBO refuses because of another one (an open balance, a
// link) heals when that one's own change arrives, which may itself be backing off.
const retryPolicy: RetryPolicy = { ...defaultRetryPolicy, maxRereads: 10 };

/** One line of log and metrics per entity. */
export interface AttemptEnd {
  stored: StoredLink;
  attempt: AttemptRecord;
  outcome: string;
  result: Outcome | undefined;
  differences: Difference[];
  attempts: number;
}

export function settleCall(
  call: CallRecord,
  answer: CallAnswer,
  rows: readonly StoredLink[],
  timing: { at: Date; jitter: () => number },
): Decided & { ends: AttemptEnd[]; call: CallEnd } {
  const byKey = new Map(rows.map((row) => [keyText(row), row]));
  const changes: LinkChange[] = [];
  const ends: AttemptEnd[] = [];
  const attempts: CallEnd['attempts'] = [];
  let uncertain = false;
  let happened = false;
  for (const [position, attempt] of call.attempts.entries()) {
    if (answer.settledBefore.includes(position)) continue;
    const stored = byKey.get(keyText(attempt));
    if (!stored || !['sending', 'uncertain'].includes(stored.link.state.kind)) {
      // Somebody settled this link another way meanwhile (a redrive by hand): the row's own state stands.
      attempts.push({ position, outcome: 'overtaken' });
      continue;
    }
    const own = judged(attempt, answer.answers[position]!);
    const holders = answer.holders?.get(keyText(attempt)) ?? [];
    const rounding = answer.rounding?.(stored.syncId);
    const sleepers = (answer.sleepers?.get(keyText(attempt)) ?? []).flatMap((name) => byKey.get(keyText(name)) ?? []);
    const waitsFor = {
      frozenBy: holders.map(waitName),
      restingOn: sleepers.filter(({ link }) => mayWake(link)).map(waitName),
    };
    const when = { nowMs: timing.at.getTime(), jitter: timing.jitter(), policy: retryPolicy };
    const settled = settledOrFailed(stored, attempt, waitsFor, own, when, rounding);
    const result = withMerger(withNotice(settled.result, attempt.told?.notice), stored);
    const isUncertain = own.kind === 'failed' && own.failure.kind === 'uncertain';
    uncertain ||= isUncertain;
    happened ||= own.kind === 'done' || own.failure.kind === 'refused';
    const outcome =
      own.kind === 'done' ? (result?.outcome ?? 'done') : (result?.outcome ?? settled.step?.kind ?? 'failed');
    const code = own.kind === 'failed' && own.failure.kind === 'refused' ? own.failure.code : result?.code;
    const reason = own.kind === 'failed' ? own.failure.reason : result?.reason;
    if (!isUncertain) attempts.push({ position, outcome, code, reason });
    const tries = stored.link.attempts + 1;
    changes.push({
      key: { syncId: stored.syncId, entityType: stored.entityType, sourceId: stored.sourceId },
      state: settled.state,
      attempts: settled.attempts,
      applied: settled.applied,
      target: settled.target,
      wakes: settled.wakes,
      origin: settled.origin,
      seenHash: settled.seenHash,
      rolledBack: settled.rolledBack,
      differences: own.kind === 'done' ? shortened([...settled.differences, ...keptBy(attempt)]) : undefined,
      announce:
        result &&
        announce(stored, {
          outcome: result,
          version: attempt.version,
          targetId: settled.target?.id,
          targetSyncToken: settled.target?.syncToken,
          attempt: tries,
          requestId: attempt.requestId,
          tid: answer.tid,
          settledAt: timing.at,
        }),
    });
    ends.push({ stored, attempt, outcome, result, differences: settled.differences, attempts: tries });
    for (const holder of holders) {
      const row = byKey.get(keyText(holder));
      if (settled.state.kind === 'waiting' && row) wakeHolder(row, changes);
    }
    if (['waiting', 'backoff'].includes(settled.state.kind))
      for (const sleeper of sleepers) wakeSleeper(sleeper, changes);
  }
  const state = uncertain ? 'unknown' : happened || ends.length === 0 ? 'answered' : 'abandoned';
  return { changes, ends, call: { id: call.id, state, httpStatus: answer.httpStatus, tid: answer.tid, attempts } };
}

/** What holds a refused record frozen has work again, though nothing else is desired of it. */
function wakeHolder({ syncId, entityType, sourceId, link }: StoredLink, changes: LinkChange[]): void {
  const key = { syncId, entityType, sourceId };
  if (link.state.kind !== 'settled' || changes.some((change) => keyText(change.key) === keyText(key))) return;
  const state = transition(link.state, { kind: 'released' });
  changes.push({ key, state, attempts: 0, applied: link.applied, target: link.target, wakes: false });
}

/** What a refused document needs, a name or an order, gets ready to take it (core: asleep.ts). */
function wakeSleeper({ syncId, entityType, sourceId, link }: StoredLink, changes: LinkChange[]): void {
  const key = { syncId, entityType, sourceId };
  const woken = marked(link);
  if (!woken || changes.some((change) => keyText(change.key) === keyText(key))) return;
  const { state, attempts, applied, target } = woken;
  const ready = state.kind === 'settled' ? transition(state, { kind: 'released' }) : state;
  changes.push({ key, state: ready, attempts, applied, target, wakes: false });
}

/** For people: a list of whole lines is not kept a second time. */
function shortened(differences: readonly Difference[]): Difference[] {
  const short = (value: unknown): unknown =>
    typeof value === 'object' && value !== null ? JSON.stringify(value).slice(0, 200) : (value ?? null);
  return differences.slice(0, 20).map((one) => ({ ...one, sent: short(one.sent), answered: short(one.answered) }));
}

/**
 * One answer that breaks the core must not keep its whole batch from being settled, and sent again for ever. The link fails
 * with what was thrown; what the target made is kept, so that nothing is made twice.
 */
function settledOrFailed(
  stored: StoredLink,
  attempt: AttemptRecord,
  waitsFor: Pick<AttemptFacts, 'frozenBy' | 'restingOn'>,
  answer: WriteAnswer,
  timing: Timing,
  rounding: RoundingPolicy | undefined,
): Settled {
  const { link } = stored;
  try {
    return settle(link, { ...attemptFacts(attempt), ...waitsFor }, answer, timing, rounding);
  } catch (error) {
    const record = answer.kind === 'done' ? answer.record : undefined;
    const made = record?.Id === undefined ? link.target : { id: String(record.Id), deleted: false };
    const failure = { code: 'SETTLE.BROKEN', reason: (error as Error).message };
    return {
      state: transition(link.state, { kind: 'failed', ...failure }),
      applied: link.applied,
      target: made,
      attempts: link.attempts,
      wakes: false,
      result: { outcome: 'failed', ...failure },
      differences: [],
    };
  }
}

/** What was known when the write was planned: an edit that it overwrote, or one of its own that another overruled. */
function withNotice(result: Outcome | undefined, notice: Told['notice']): Outcome | undefined {
  return result?.outcome === 'updated' && notice ? { outcome: 'drift', ...notice } : result;
}

/** The two records differ on purpose. */
function keptBy({ told }: AttemptRecord): Difference[] {
  return (told?.kept ?? []).map((one) => ({ ...one, cause: 'DRIFT.KEPT' }));
}

/** Why a name went: QuickBooks merges names in its own screens only, so the copy is made inactive instead. */
function withMerger(result: Outcome | undefined, { entityType, mergedInto }: StoredLink): Outcome | undefined {
  if (result?.outcome !== 'deleted' || mergedInto === undefined) return result;
  return { ...result, code: 'NAME.MERGED', reason: `merged into ${entityType} ${mergedInto} in the source` };
}

/** What an answer means for this operation, where the code alone does not say. */
function judged(attempt: AttemptRecord, answer: WriteAnswer): WriteAnswer {
  if (answer.kind !== 'failed' || answer.failure.kind !== 'refused' || answer.failure.code !== '610') return answer;
  switch (attempt.operation) {
    case 'delete':
      // What should be gone is gone.
      return { kind: 'done' };
    case 'update':
    case 'void':
    case 'deactivate':
      // Either a parent or the record itself is missing; only a read of the record tells which.
      return { kind: 'failed', failure: { ...answer.failure, class: 'reread' } };
    default:
      return answer;
  }
}

function attemptFacts(attempt: AttemptRecord): AttemptFacts {
  return {
    operation: attempt.operation,
    version: attempt.version,
    hash: attempt.desiredHash,
    body: JSON.parse(attempt.body) as Json,
    deferred: attempt.deferred,
    partial: attempt.partial,
    ...(attempt.applied === undefined ? {} : { applied: attempt.applied }),
  };
}
