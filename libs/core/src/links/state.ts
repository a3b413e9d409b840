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
  /** desired and target are equal; `moved` = a newer desired version arrived while the call was on its way */
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

/** @throws IllegalTransition */
export function transition(_from: LinkState, _event: LinkEvent): LinkState {
  throw new Error('not built yet');
}
