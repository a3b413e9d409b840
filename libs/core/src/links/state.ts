// The states of a link and what may happen in each. `ready -> sending -> settled` is the good road; every other state is
// a reason why the row is not on it, and knows what brings it back.
//
//   ready      desired differs from applied; may be picked
//   sending    a call is written down (claimed) and may be on its way
//   settled    the target has what is desired
//   waiting    a reference is not yet applied; settling that parent wakes it
//   backoff    tried and refused for now; due at a time
//   held       a person, a renewed grant or an opened period must come first; release brings it back
//   uncertain  sent, no trustworthy answer; sent again with the same request id, or read back
//   failed     a person must act; a redrive or a newer desired version brings it back

import { goesOnWithNews } from './waits.js';

const newsBringsItOn = new RegExp(goesOnWithNews);

export type LinkState =
  | { kind: 'ready' }
  | { kind: 'sending' }
  | { kind: 'settled' }
  | { kind: 'waiting'; on: readonly string[] }
  | { kind: 'backoff'; dueAtMs: number; code: string; reason: string }
  | { kind: 'held'; code: string; reason: string }
  | { kind: 'uncertain'; dueAtMs: number; reason: string }
  | { kind: 'failed'; code: string; reason: string };

export type StateName = LinkState['kind'];

export type LinkEvent =
  /** intake stored a newer desired version; `work` = its hash differs from what is applied */
  | { kind: 'desired'; work: boolean; failure?: { code: string; reason: string } }
  /** the attempt is written down, the call follows */
  | { kind: 'claimed' }
  /** desired and target are equal; `moved` = more is desired than this call brought (a newer version, a second step) */
  | { kind: 'settled'; moved: boolean }
  | { kind: 'parent-missing'; on: readonly string[] }
  /** a parent was settled; `left` = what is still missing */
  | { kind: 'parent-settled'; left: readonly string[] }
  | { kind: 'refused-for-now'; dueAtMs: number; code: string; reason: string }
  | { kind: 'due' }
  | { kind: 'answer-lost'; dueAtMs: number; reason: string }
  | { kind: 'held'; code: string; reason: string }
  | { kind: 'failed'; code: string; reason: string }
  /** a person (or a renewed grant) lets it go on */
  | { kind: 'released' };

export class IllegalTransition extends Error {
  constructor(
    readonly from: StateName,
    readonly event: LinkEvent['kind'],
  ) {
    super(`a link in state "${from}" cannot take event "${event}"`);
    this.name = 'IllegalTransition';
  }
}

/**
 * Which event each state takes. A newer desired version may arrive at any time; while a call is on its way or its answer
 * is unknown it only waits in the row (`desired` keeps the state), because that call must be settled first.
 */
export const allowedEvents: Readonly<Record<StateName, readonly LinkEvent['kind'][]>> = {
  ready: ['desired', 'claimed', 'settled', 'parent-missing', 'refused-for-now', 'held', 'failed', 'released'],
  sending: ['desired', 'settled', 'parent-missing', 'refused-for-now', 'answer-lost', 'held', 'failed'],
  settled: ['desired', 'released'],
  // held: the parent will not come by itself
  waiting: ['desired', 'parent-missing', 'parent-settled', 'held', 'failed', 'released'],
  backoff: ['desired', 'due', 'parent-settled', 'held', 'failed', 'released'],
  // parent-missing, parent-settled: held because of its parent
  held: ['desired', 'held', 'released', 'parent-missing', 'parent-settled'],
  // claimed = the same call is sent again; settled = a read-back showed the effect
  uncertain: ['desired', 'claimed', 'settled', 'parent-missing', 'answer-lost', 'refused-for-now', 'held', 'failed'],
  failed: ['desired', 'failed', 'released'],
};

/** @throws IllegalTransition */
export function transition(from: LinkState, event: LinkEvent): LinkState {
  if (!allowedEvents[from.kind].includes(event.kind)) throw new IllegalTransition(from.kind, event.kind);
  switch (event.kind) {
    case 'desired':
      return onDesired(from, event);
    case 'claimed':
      return { kind: 'sending' };
    case 'settled':
      return event.moved ? { kind: 'ready' } : { kind: 'settled' };
    case 'parent-missing':
      return { kind: 'waiting', on: event.on };
    case 'parent-settled':
      return event.left.length > 0 ? { kind: 'waiting', on: event.left } : { kind: 'ready' };
    case 'refused-for-now':
      return { kind: 'backoff', dueAtMs: event.dueAtMs, code: event.code, reason: event.reason };
    case 'answer-lost':
      return { kind: 'uncertain', dueAtMs: event.dueAtMs, reason: event.reason };
    case 'held':
      return { kind: 'held', code: event.code, reason: event.reason };
    case 'failed':
      return { kind: 'failed', code: event.code, reason: event.reason };
    case 'due':
    case 'released':
      return { kind: 'ready' };
    default:
      return event satisfies never;
  }
}

function onDesired(from: LinkState, event: Extract<LinkEvent, { kind: 'desired' }>): LinkState {
  if (from.kind === 'sending' || from.kind === 'uncertain') return from;
  if (event.failure) return { kind: 'failed', ...event.failure };
  if (!event.work) return { kind: 'settled' };
  // What a person was asked to decide is not overtaken by the next edit.
  if (from.kind === 'held' && !newsBringsItOn.test(from.code)) return from;
  return { kind: 'ready' };
}
