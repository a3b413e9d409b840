// From a failure to the next step of a link. Pure: the jitter arrives as a number in [0, 1).
import type { FaultClass } from './fault-class.js';

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
}

export type Step =
  /** the same request again, same request id */
  | { kind: 'retry'; delayMs: number }
  /** read the target's record (or SyncToken), plan anew, after the delay */
  | { kind: 'reread'; delayMs: number }
  /** the answer is unknown: repeat with the same request id, or read back */
  | { kind: 'uncertain'; delayMs: number }
  /** look whether a parent was made inactive or is missing, wait for it */
  | { kind: 'wait-for-parent'; delayMs: number }
  /** a record of this name or number exists: look for the twin and adopt it */
  | { kind: 'adopt'; delayMs: number }
  /** a person or a renewed grant must act; nothing is lost meanwhile */
  | { kind: 'hold'; until: 'reconnected' | 'operator'; code: string; reason: string }
  /** a person must act on this record */
  | { kind: 'fail'; code: string; reason: string };

export const defaultRetryPolicy: RetryPolicy = { baseMs: 1_000, maxMs: 120_000, maxAttempts: 8, maxRereads: 5 };

/**
 * @param attempt tries made so far for this desired version, from 1
 * @param jitter in [0, 1)
 */
export function nextStep(_failure: Failure, _attempt: number, _policy: RetryPolicy, _jitter: number): Step {
  throw new Error('not built yet');
}
