// A link that waits for another one: which waits end by themselves, and which are a person's question. Nobody waits for ever:
// a wait that will not end is held with the parent and its state as the reason, and goes on by itself once the parent comes
// after all. The codes stand on every waiting link.

export type WaitCode =
  | 'PARENT.PENDING'
  | 'PARENT.UNKNOWN'
  | 'PARENT.FAILED'
  | 'PARENT.HELD'
  | 'PARENT.REMOVED'
  | 'PARENT.EXCLUDED'
  /** both wait for each other, or a few in a ring: only another version of one of them ends that */
  | 'PARENT.RING';

/**
 * How long a wait of this kind may last before it is held, in ms. A parent nobody has heard of may be on its way in another
 * partition: a backfill brings parents first, so after ten minutes it is not. What the mapping leaves out is known at once.
 */
export const waitPatienceMs: Readonly<Record<WaitCode, number>> = {
  'PARENT.PENDING': Number.POSITIVE_INFINITY,
  'PARENT.UNKNOWN': 600_000,
  'PARENT.FAILED': 0,
  'PARENT.HELD': 0,
  'PARENT.REMOVED': 0,
  'PARENT.EXCLUDED': 0,
  'PARENT.RING': 0,
};

/** Held because of its parent, not by a person's wish: a newer version, or the parent, brings it on. */
export function isHeldByParent(code: string): boolean {
  return code.startsWith('PARENT.');
}
