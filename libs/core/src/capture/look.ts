// One look at a source company: from where to read, whether the answer can be trusted to be whole, and what then.
//
// Change data capture (CDC) answers at most 1,000 objects of all types together, cuts silently, and looks back 30 days at
// most (qbo-api.md 6). So: one call for all types; a full answer counts as cut and is asked again type by type; a type that
// alone fills an answer is read by query pages over a closed window, and its deletions are found by comparing ids, because
// CDC puts tombstones last, where the cut is. A cursor beyond the look-back compares everything.
import type { EntityDefinition } from '../registry/index.js';
import type { Window } from './statements.js';

export interface LookPolicy {
  /** read again this far behind the cursor: commits on QBO's side become visible a little out of order */
  readonly overlapMs: number;
  /** CDC's look-back, less a margin for clocks that differ */
  readonly lookBackMs: number;
  /** objects in one answer that mean "cut" */
  readonly fullAnswer: number;
}

const day = 24 * 60 * 60 * 1000;

export const defaultLookPolicy: LookPolicy = {
  overlapMs: 120_000,
  lookBackMs: 30 * day - 6 * 60 * 60 * 1000,
  fullAnswer: 1000,
};

export type LookPlan =
  | { readonly kind: 'changes'; readonly since: string; readonly types: readonly string[] }
  | { readonly kind: 'compare-all'; readonly types: readonly string[] };

export function planLook(
  cursor: Date,
  nowMs: number,
  definitions: readonly EntityDefinition[],
  policy: LookPolicy = defaultLookPolicy,
): LookPlan {
  const types = definitions.filter(({ cdc }) => cdc).map(({ type }) => type);
  const sinceMs = cursor.getTime() - policy.overlapMs;
  if (nowMs - sinceMs > policy.lookBackMs) return { kind: 'compare-all', types };
  return { kind: 'changes', since: new Date(sinceMs).toISOString(), types };
}

export type AnswerVerdict = { readonly kind: 'whole' } | { readonly kind: 'by-type' } | { readonly kind: 'by-pages' };

/** Whether a CDC answer is everything there is. */
export function judgeAnswer(
  objects: number,
  typesAsked: number,
  policy: LookPolicy = defaultLookPolicy,
): AnswerVerdict {
  if (objects < policy.fullAnswer) return { kind: 'whole' };
  return typesAsked > 1 ? { kind: 'by-type' } : { kind: 'by-pages' };
}

/** Types whose records can vanish: transactions and files are deleted, name lists are merged away. */
export function canVanish({ category, operations }: EntityDefinition): boolean {
  return category !== 'supporting' || operations.includes('delete');
}

/**
 * Where the cursor goes after a look: to the time the first answer itself gave (QBO's clock, to which LastUpdatedTime
 * belongs), never to the largest LastUpdatedTime seen, which can lie in the future (qbo-api.md 2.3). Without such a time:
 * to when the read began by our clock. Never backwards.
 */
export function nextCursor(cursor: Date, answeredAt: string | undefined, startedAt: Date): Date {
  const answered = new Date(answeredAt ?? NaN);
  const next = Number.isNaN(answered.getTime()) ? startedAt : answered;
  return next > cursor ? next : cursor;
}

export function windowOf(since: string, until: Date): Window {
  return { from: since, to: until.toISOString() };
}

/** When to look next: at once (after the coalescing pause) if something was announced meanwhile, else after the interval. */
export function nextDue(
  o: { requested: bigint; done: bigint; nowMs: number },
  policy: { coalesceMs: number; intervalMs: number },
): Date {
  return new Date(o.nowMs + (o.requested > o.done ? policy.coalesceMs : policy.intervalMs));
}
