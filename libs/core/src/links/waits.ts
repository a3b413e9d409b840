// A link that waits for another one: which waits end by themselves, and which are a person's question. Nobody waits for ever:
// a wait that will not end is held with the parent and its state as the reason, and goes on by itself once the parent comes
// after all. The codes stand on every waiting link.

import { othersFirstCodes } from '../retry/index.js';

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

/**
 * Codes of what is held and goes on when the source says something newer, as a regular expression that PostgreSQL reads alike:
 * held because of its parent or of another record of the target, or asked about the desired state itself, which another one (a
 * rule, a table, a name in the source) answers, or asks again. What a person was asked to decide stays.
 */
export const goesOnWithNews = `^((PARENT|NUMBER|COLLISION|ADOPT)[.]|PAIR[.](PARENT_GONE|KEPT_HERE)$|(${othersFirstCodes.join('|').replaceAll('.', '[.]')})$)`;
