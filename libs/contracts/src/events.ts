// The values of every topic: one interface per event, its JSON Schema in schemas.ts. A value is what a consumer gets
// after decoding; CloudEvents attributes travel in headers (headers.ts).
import type { Json } from '#core';

/** Which class of work a change is: an edit that someone waits for, or one of many in a backfill or replay. */
export type Lane = 'live' | 'bulk';

/** `qbo.notifications.v1`, key: source realm. "This realm has news." */
export interface NotificationEvent {
  realmId: string;
  source: 'webhook' | 'operator';
  /** UTC ISO 8601 */
  receivedAt: string;
  /** What the webhook named; empty when an operator asked for a look. Hints only: state always comes from a read. */
  entities: {
    entityType: string;
    id: string;
    operation: string;
    eventId?: string;
    time?: string;
    deletedId?: string;
  }[];
}

/** `qbo.changes.v1`, key: realm/type/id. A full snapshot, or the fact of its deletion. */
export interface ChangeEvent {
  realmId: string;
  entityType: string;
  id: string;
  /** encoded version (core, model/version.ts) */
  version: string;
  deleted: boolean;
  /** set when this record was merged into another one of the same type */
  mergedInto?: string;
  /** canonical content hash, hex SHA-256; of a deletion: the hash of nothing, "deleted" */
  contentHash: string;
  lane: Lane;
  /** how it was learnt; `jobId` for backfill */
  origin: { kind: 'cdc' | 'query' | 'backfill' | 'sweep'; jobId?: string };
  /** UTC ISO 8601; earliest webhook that announced it, when one did */
  notifiedAt?: string;
  /** the raw QBO object; absent for a deletion */
  snapshot?: Json;
}

/** A reference left symbolic by the mapper; the writer binds it to the target's id when it sends. */
export interface SymbolicReference {
  /** where the `{value}` object stands in `payload`, e.g. ["Line", "0", "SalesItemLineDetail", "ItemRef"] */
  path: string[];
  entityType: string;
  /** id in the source company */
  sourceId: string;
}

/** `sync.writes.v1`, key: target realm. What one target entity should be. */
export interface WriteEvent {
  syncId: string;
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
  entityType: string;
  sourceId: string;
  version: string;
  lane: Lane;
  /**
   * `fail`: the mapping failed for this record; `failure` says why and nothing is written to the target. `exclude`: a rule
   * leaves the record out; `failure` says which
   */
  op: 'upsert' | 'delete' | 'void' | 'fail' | 'exclude';
  /** hash of op + payload + references; equal to what is applied means nothing to do */
  desiredHash: string;
  /** target entity with the references left out */
  payload?: Json;
  references: SymbolicReference[];
  /** values that identify a twin in the target, from the entity registry: {"DisplayName": "..."} */
  naturalKey?: Record<string, string>;
  /** with op `delete`: the source merged this record into that one of the same type */
  mergedInto?: string;
  mappingVersion: number;
  /** ce_id of the change it came from */
  changeId: string;
  failure?: { code: string; message: string };
}

/** `sync.results.v1`, key: target realm. Outcome of an attempt, or of a decision that needed no call. */
export interface ResultEvent {
  syncId: string;
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
  entityType: string;
  sourceId: string;
  version: string;
  changeId: string;
  outcome:
    'created' | 'updated' | 'deleted' | 'voided' | 'adopted' | 'unchanged' | 'held' | 'failed' | 'attached' | 'drift';
  targetId?: string;
  targetSyncToken?: string;
  /** number of the attempt for this version, from 1; 0 when no call was made */
  attempt: number;
  requestId?: string;
  /** intuit_tid of the answer */
  tid?: string;
  code?: string;
  reason?: string;
  lane: Lane;
  /** UTC ISO 8601 */
  settledAt: string;
  durationMs: number;
}

/** `sync.attachments.v1`, key: target realm. A file to carry. */
export interface AttachmentEvent {
  syncId: string;
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
  /** id of the Attachable in the source */
  attachableId: string;
  version: string;
  lane: Lane;
  deleted: boolean;
  changeId: string;
  fileName?: string;
  contentType?: string;
  /** bytes, as the source says */
  size?: number;
  note?: string;
  category?: string;
  /** the records it hangs on, by source id */
  references: { entityType: string; sourceId: string; includeOnSend: boolean }[];
}

/** `audit.events.v1`, key: organization. Who did what. */
export interface AuditEvent {
  organizationId: string;
  actor: string;
  action: string;
  subject: string;
  /** UTC ISO 8601 */
  at: string;
  details: Json;
}
