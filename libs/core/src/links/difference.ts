// QBO can answer 200 and have dropped a link or recomputed a tax. A difference is recorded, never ignored.
import type { Json } from '../model/json.js';

export interface Difference {
  /** dotted */
  path: string;
  sent: unknown;
  answered: unknown;
}

/** Differences between what was sent and what came back, in the fields we sent; noise and server-made values left out. */
export function diffAnswer(_entityType: string, _sent: Json, _answered: Json): Difference[] {
  throw new Error('not built yet');
}
