// What comes out of mapping one change.
import type { Json } from '../model/json.js';
import type { Reference } from '../references/index.js';

/** The part of a `ChangeEvent` (libs/contracts) that mapping reads. */
export interface SourceChange {
  realmId: string;
  entityType: string;
  id: string;
  version: string;
  deleted: boolean;
  mergedInto?: string;
  snapshot?: Json;
}

/** A `WriteEvent` (libs/contracts) without the ids of the sync and the lane. */
export interface MappedWrite {
  entityType: string;
  sourceId: string;
  version: string;
  op: 'upsert' | 'delete' | 'void';
  desiredHash: string;
  payload?: Json;
  references: Reference[];
  naturalKey?: Record<string, string>;
  /** with op `delete`: the source merged this record into that one of the same type */
  mergedInto?: string;
  mappingVersion: number;
}

/** An `AttachmentEvent` (libs/contracts) without the ids of the sync and the lane. */
export interface MappedAttachment {
  attachableId: string;
  version: string;
  deleted: boolean;
  fileName?: string;
  contentType?: string;
  size?: number;
  note?: string;
  category?: string;
  references: { entityType: string; sourceId: string; includeOnSend: boolean }[];
}

export type Mapped =
  | { kind: 'write'; write: MappedWrite }
  | { kind: 'attachment'; attachment: MappedAttachment }
  /** not carried, on purpose; `mappingVersion`: a rule says so, and another version of the rules may say otherwise */
  | { kind: 'excluded'; reason: string; mappingVersion?: number }
  /** this record cannot be mapped; the others go on */
  | { kind: 'failed'; code: string; message: string; mappingVersion: number };
