// The governor's state and its two events: a call asks to be sent, a call was answered. The state is JSON-safe: it lives
// in one row per realm and is changed under that row's lock, so every process paces by the same window.
import type { CallClass, PacingPolicy } from './policy.js';

export interface PacingState {
  policy: PacingPolicy;
  /** grants not answered yet */
  open: { id: number; app: string; kind: 'single' | 'batch'; atMs: number }[];
  /** answered calls of the last minute, counted by the second of their answer: at most 62 entries */
  answered: { second: number; calls: number; batches: Record<string, number> }[];
  /** per app: earliest time of its next send */
  nextSendMs: Record<string, number>;
  frozenUntilMs: number;
  /** share of the full rate at `factorAtMs` */
  factor: number;
  factorAtMs: number;
  nextGrantId: number;
}

export interface CallRequest {
  kind: 'single' | 'batch';
  app: string;
  class: CallClass;
}

export type Decision = { kind: 'go'; grantId: number } | { kind: 'wait'; untilMs: number };

export function initialPacing(_policy: PacingPolicy): PacingState {
  throw new Error('not built yet');
}

/** Asks for one call. The returned state must be kept whatever the decision is. */
export function admit(
  _state: PacingState,
  _policy: PacingPolicy,
  _nowMs: number,
  _call: CallRequest,
): { state: PacingState; decision: Decision } {
  throw new Error('not built yet');
}

/** A call was answered. An unknown or timed-out grant is ignored, so reporting twice is harmless. */
export function complete(
  _state: PacingState,
  _nowMs: number,
  _grantId: number,
  _outcome: 'ok' | 'throttled',
): PacingState {
  throw new Error('not built yet');
}
