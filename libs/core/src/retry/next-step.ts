// From a failure to the next step of a link. Pure: the jitter arrives as a number in [0, 1).
import type { FaultClass } from './fault-table.js';

export type Failure =
  /** QBO refused, by fault code */
  | { kind: 'refused'; class: FaultClass; code: string; reason: string }
  /** 429; the governor freezes the realm by itself */
  | { kind: 'throttled'; reason: string }
  /** sent, no trustworthy answer */
  | { kind: 'uncertain'; reason: string }
  /** never left this machine: breaker open, connection refused */
  | { kind: 'unsent'; reason: string }
  /** token custody gave up */
  | { kind: 'unauthorized'; reason: string };

export interface RetryPolicy {
  /** first delay of the exponential ladder */
  readonly baseMs: number;
  readonly maxMs: number;
  /** tries before a refusal that should have healed becomes a failure */
  readonly maxAttempts: number;
  /** tries of 'reread' before giving up: somebody else keeps writing this record */
  readonly maxRereads: number;
  /** tries of 'others-first' before it is held: what clears the way may be on its own way, a minute long */
  readonly maxOthersFirst: number;
  /** tries of 'adopt': when the look-up finds no twin, the name is held by a record of another type */
  readonly maxAdoptions: number;
}

export type Step =
  /** the same request again, same request id */
  | { kind: 'retry'; delayMs: number }
  /** read the target's record (or SyncToken), plan anew, after the delay */
  | { kind: 'reread'; delayMs: number }
  /** the answer is unknown: repeat with the same request id, or read back */
  | { kind: 'uncertain'; delayMs: number }
  /** a parent was made inactive or is missing: look at it, plan anew after the delay */
  | { kind: 'wait-for-parent'; delayMs: number }
  /** a record of this name or number exists: look for the twin and adopt it */
  | { kind: 'adopt'; delayMs: number }
  /** a person or a renewed grant must act; nothing is lost meanwhile */
  | { kind: 'hold'; until: 'reconnected' | 'operator'; code: string; reason: string }
  /** a person must act on this record */
  | { kind: 'fail'; code: string; reason: string };

// 1s 2s 4s ... 64s 120s: about four minutes in all. Long enough for a throttling window (60 s) to pass several times,
// short enough that a stuck record is in front of a person while they still remember the edit.
export const defaultRetryPolicy: RetryPolicy = {
  baseMs: 1_000,
  maxMs: 120_000,
  maxAttempts: 8,
  maxRereads: 5,
  maxOthersFirst: 6,
  maxAdoptions: 2,
};

/**
 * @param attempt tries made so far for this desired version, from 1
 * @param jitter in [0, 1)
 */
export function nextStep(failure: Failure, attempt: number, policy: RetryPolicy, jitter: number): Step {
  const delayMs = backoffMs(attempt, policy, jitter);
  switch (failure.kind) {
    case 'throttled':
    case 'unsent':
      // Not this record's fault: no number of tries makes it fail.
      return { kind: 'retry', delayMs };
    case 'uncertain':
      return { kind: 'uncertain', delayMs };
    case 'unauthorized':
      return { kind: 'hold', until: 'reconnected', code: 'TARGET.RECONNECT_NEEDED', reason: failure.reason };
    case 'refused':
      return onRefusal(failure, attempt, policy, delayMs);
    default:
      return failure satisfies never;
  }
}

function onRefusal(
  { class: faultClass, code, reason }: Extract<Failure, { kind: 'refused' }>,
  attempt: number,
  policy: RetryPolicy,
  delayMs: number,
): Step {
  const failed: Step = { kind: 'fail', code: `QBO.${code}`, reason };
  switch (faultClass) {
    case 'never':
      return failed;
    case 'operator':
      return { kind: 'hold', until: 'operator', code: `QBO.${code}`, reason };
    case 'authenticate':
      // The client has already renewed the token and tried once more (qbo-api.md 11.2, "A once").
      return { kind: 'hold', until: 'reconnected', code: `QBO.${code}`, reason };
    case 'wait':
      return attempt < policy.maxAttempts ? { kind: 'retry', delayMs } : failed;
    case 'reread':
      // The first re-read is free: a payment moved the token, no contention is to be expected.
      return attempt <= policy.maxRereads ? { kind: 'reread', delayMs: attempt === 1 ? 0 : delayMs } : failed;
    case 'others-first':
      if (attempt <= policy.maxOthersFirst) return { kind: 'reread', delayMs };
      return { kind: 'hold', until: 'operator', code: `QBO.${code}`, reason };
    case 'parent-missing':
      return attempt < policy.maxAttempts ? { kind: 'wait-for-parent', delayMs } : failed;
    case 'duplicate-adopt':
      return attempt <= policy.maxAdoptions ? { kind: 'adopt', delayMs: 0 } : failed;
    default:
      return faultClass satisfies never;
  }
}

/** Half fixed, half jitter: spread enough to part a herd, never so short that the ladder means nothing. */
export function backoffMs(attempt: number, policy: Pick<RetryPolicy, 'baseMs' | 'maxMs'>, jitter: number): number {
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * jitter);
}
