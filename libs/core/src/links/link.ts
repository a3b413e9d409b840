// A link as decisions see it: the row of table `links` without its bookkeeping.
import type { Json } from '../model/json.js';
import type { Reference } from '../references/index.js';
import type { LinkState } from './state.js';

export interface Link {
  entityType: string;
  sourceId: string;
  state: LinkState;
  desired: Desired;
  applied?: Applied;
  target?: Target;
  /** rises only when a person says "create it again" */
  generation: number;
  /** tries made for the desired version */
  attempts: number;
}

export interface Desired {
  version: string;
  hash: string;
  /** rollback: as it was before this sync */
  op: 'upsert' | 'delete' | 'void' | 'fail' | 'exclude' | 'rollback';
  payload?: Json;
  references: Reference[];
  naturalKey?: Record<string, string>;
  failure?: { code: string; reason: string };
  /** with op `exclude`: which rule leaves it out */
  exclusion?: string;
}

export interface Applied {
  version: string;
  hash: string;
  /** the whole bound body the target has by us (ids of the target), the base of the next sparse update */
  payload?: Json;
}

export interface Target {
  id: string;
  /** unknown after a lost answer: read before the next write */
  syncToken?: string;
  /** deleted, voided away or made inactive by us */
  deleted: boolean;
}
