// What a decision changes on links, written in one statement, the files that hang on records that were made again, and who was
// held because of a name that is free now.
import { freesName, type Applied, type Json, type LinkState, type Origin, type RolledBack, type Target } from '#core';
import type { Tx } from '../database.js';
import type { OutboxRecord } from '../outbox/outbox.js';
import { keyText } from './keys.js';
import type { LinkKey, LinkRecord } from './row.js';

export interface LinkChange {
  key: LinkKey;
  state: LinkState;
  attempts: number;
  applied?: Applied | undefined;
  target?: Target | undefined;
  beforeImage?: Json | undefined;
  /** whose the target's record is; the first word stands */
  origin?: Origin | undefined;
  /** hash of what the record said in the answer */
  seenHash?: string | undefined;
  /** the link was taken back, and how */
  rolledBack?: RolledBack | undefined;
  /** what the answer showed otherwise; an empty list: nothing any more, undefined: nothing was written */
  differences?: readonly { path: string; sent: unknown; answered: unknown; cause?: string }[] | undefined;
  /** the target's id is known now: who waited for this link may go on */
  wakes: boolean;
  announce?: OutboxRecord | undefined;
}

export async function writeChanges(tx: Tx, changes: readonly LinkChange[], at: Date): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map((c) => ({
    ...c.key,
    state: c.state.kind,
    waitingOn: c.state.kind === 'waiting' ? c.state.on : [],
    dueAt: c.state.kind === 'backoff' || c.state.kind === 'uncertain' ? new Date(c.state.dueAtMs) : at,
    code: 'code' in c.state ? c.state.code : null,
    reason: 'reason' in c.state ? c.state.reason : null,
    attempts: c.attempts,
    appliedVersion: c.applied?.version ?? null,
    appliedHash: c.applied?.hash ?? null,
    appliedPayload: c.applied?.payload ?? null,
    targetId: c.target?.id ?? null,
    targetSyncToken: c.target?.syncToken ?? null,
    targetDeleted: c.target?.deleted ?? false,
    beforeImage: c.beforeImage ?? null,
    differences: c.differences ?? null,
    origin: c.origin ?? null,
    seenHash: c.seenHash ?? null,
    rolledBack: c.rolledBack ?? null,
  }));
  await tx.query(
    `update links l set state = c.state, due_at = c."dueAt", failure_code = c.code, failure_reason = c.reason,
       waiting_on = array(select jsonb_array_elements_text(c."waitingOn")), attempts = c.attempts,
       applied_version = c."appliedVersion", applied_hash = c."appliedHash", applied_payload = c."appliedPayload",
       target_id = c."targetId", target_sync_token = c."targetSyncToken", target_deleted = c."targetDeleted",
       -- the first one: what was there before we ever touched it
       before_image = coalesce(l.before_image, c."beforeImage"),
       origin = coalesce(l.origin, c.origin), seen_hash = coalesce(c."seenHash", l.seen_hash),
       rolled_back = coalesce(c."rolledBack", l.rolled_back),
       differences = case when c.differences is null then l.differences else nullif(c.differences, '[]') end,
       settled_at = case when c.state = 'settled' then $2 else l.settled_at end
     from jsonb_to_recordset($1::jsonb) as c ("syncId" uuid, "entityType" text, "sourceId" text, state text, "waitingOn" jsonb,
       "dueAt" timestamptz, code text, reason text, attempts int, "appliedVersion" text, "appliedHash" text,
       "appliedPayload" jsonb, "targetId" text, "targetSyncToken" text, "targetDeleted" boolean, "beforeImage" jsonb, differences jsonb,
       origin text, "seenHash" text, "rolledBack" text)
     where l.sync_id = c."syncId" and l.entity_type = c."entityType" and l.source_id = c."sourceId"`,
    [JSON.stringify(rows), at],
  );
}

function byKey(rows: readonly LinkRecord[]): Map<string, LinkRecord> {
  return new Map(
    rows.map((row) => [keyText({ syncId: row.sync_id, entityType: row.entity_type, sourceId: row.source_id }), row]),
  );
}

/**
 * A record that was made again has another id in the target: files that hung on the old one hang on nothing. They have work
 * again; the plan of a file finds the new id.
 */
export async function reanchorFiles(
  tx: Tx,
  before: readonly LinkRecord[],
  changes: readonly LinkChange[],
  at: Date,
): Promise<void> {
  const known = byKey(before);
  const remade = changes.filter(({ key, target }) => {
    const row = known.get(keyText(key));
    if (!row || !target || target.deleted || target.id === row.target_id) return false;
    return row.target_id !== null || row.generation > 0;
  });
  for (const { key } of remade) {
    await tx.query(
      `update attachment_links set state = 'ready', due_at = $4
       where sync_id = $1 and state = 'settled' and not desired_deleted
         and desired -> 'references' @> jsonb_build_array(jsonb_build_object('entityType', $2::text, 'sourceId', $3::text))`,
      [key.syncId, key.entityType, key.sourceId, at],
    );
  }
}

/** Held because a copy had the name or number that it is to get: goes on when that copy has another one, or is gone. */
export async function letCollisionsGo(
  tx: Tx,
  before: readonly LinkRecord[],
  changes: readonly LinkChange[],
  at: Date,
): Promise<void> {
  const known = byKey(before);
  for (const { key, applied, target } of changes) {
    const row = known.get(keyText(key));
    if (!row?.target_id || row.target_deleted) continue;
    if (!freesName(key.entityType, row.applied_payload ?? undefined, applied?.payload, target?.deleted === true))
      continue;
    await tx.query(
      // The holders stand in the reason, as collisions.ts writes them there.
      `update links set state = 'ready', due_at = $4, failure_code = null, failure_reason = null
       where sync_id = $1 and target_realm_id = $2 and state = 'held' and failure_code in ('COLLISION.NAME', 'COLLISION.NUMBER')
         and failure_reason ~ $3`,
      [key.syncId, row.target_realm_id, `[ ]${key.entityType} ${row.target_id}( \\(inactive\\))?(,|$)`, at],
    );
  }
}
