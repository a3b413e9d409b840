// What to do about one link now, decided once with everything on the table.
import type { Json } from '../model/json.js';
import type { MissingReference, Resolve } from '../references/index.js';
import type { Lookup } from './adoption.js';
import type { Difference } from './difference.js';
import type { Link } from './link.js';

export interface WriteFacts {
  /** target ids of source records already applied */
  resolve: Resolve;
  /**
   * What the look-ups of an earlier `lookup` plan found in the target: undefined when not asked yet, an empty list when
   * nothing was found.
   */
  candidates?: readonly Json[];
  /** the target's record as just read, when a `read` plan or a stale token asked for it; null: it is gone */
  targetNow?: Json | null;
  policy: WritePolicy;
  /** true while nothing may be sent to the target (paused sync, revoked grant) */
  blocked?: { code: string; reason: string };
}

export interface WritePolicy {
  /** look for a twin by natural key before creating */
  adopt: { lists: boolean; transactions: boolean };
  /** the target's record was edited by a person since we wrote it */
  drift: 'overwrite' | 'hold';
}

export const defaultWritePolicy: WritePolicy = { adopt: { lists: true, transactions: false }, drift: 'overwrite' };

/** `applied` is the whole bound body, to be stored as applied_payload when the call has succeeded. */
export type Plan =
  /** nothing to send: settle at once */
  | { kind: 'noop'; why: 'equal' | 'nothing-to-remove' | 'already-removed'; applied?: Json }
  /** one query per look-up, then plan again with `candidates` */
  | { kind: 'lookup'; lookups: Lookup[] }
  /** read the target's record by id, then plan again with `targetNow` */
  | { kind: 'read'; targetId: string }
  /** `deferred`: references left out to break a ring; after settling, the link waits for them */
  | { kind: 'create'; body: Json; applied: Json; deferred: MissingReference[] }
  /** the twin is linked; `update` brings it in line when it differs (none: settle at once) */
  | { kind: 'adopt'; targetId: string; syncToken: string; beforeImage: Json; update?: Json; applied: Json }
  | { kind: 'update'; body: Json; applied: Json; drift: Difference[] }
  | { kind: 'delete'; body: Json }
  | { kind: 'void'; body: Json; applied: Json }
  /** name lists cannot be deleted */
  | { kind: 'deactivate'; body: Json; applied: Json }
  | { kind: 'wait'; missing: MissingReference[] }
  | { kind: 'hold'; code: string; reason: string; candidates?: string[] }
  | { kind: 'fail'; code: string; reason: string };

export function planWrite(_link: Link, _facts: WriteFacts): Plan {
  throw new Error('not built yet');
}
