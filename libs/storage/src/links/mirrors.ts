// Links of opposite syncs (core: pair.ts): made and brought up to date in the transaction that settles the write they mirror.
import { unknownContent, type Json } from '#core';
import type { Tx } from '../database.js';
import type { LinkChange } from './changes.js';
import type { DesiredLink } from './intake.js';
import { compareKeys, keyArrays, keysTable } from './keys.js';
import type { LinkKey } from './row.js';

/** Where a mirror is, or is made. */
export interface MirrorPlace extends LinkKey {
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
  rank: number;
  changeId: string;
}

export interface MirrorChange extends LinkChange {
  /** undefined: what it desires stays */
  desired?: DesiredLink | undefined;
}

export interface PlannedRow {
  key: LinkKey;
  version: string;
  beforeImage?: Json | undefined;
  /** what was applied when this was planned */
  appliedVersion?: string | undefined;
  /** the link of the opposite sync for the same two records: not both may have a call under way */
  mirror?: LinkKey | undefined;
}

/** Two claims for one pair of records wait for each other here, whichever sync they are of. */
export async function lockPairs(tx: Tx, planned: readonly PlannedRow[]): Promise<void> {
  const paired = planned.filter((p) => p.mirror !== undefined);
  if (paired.length === 0) return;
  const keys = [...planned.map((p) => p.key), ...paired.map((p) => p.mirror!)];
  await tx.query(
    `select from links where (sync_id, entity_type, source_id) in (select * from ${keysTable})
     order by sync_id, entity_type, source_id for update`,
    keyArrays(keys),
  );
}

/** Settled, without content and without a target: nobody finds work in it. */
export async function makePlaces(tx: Tx, places: readonly MirrorPlace[], at: Date): Promise<void> {
  if (places.length === 0) return;
  await tx.query(
    `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
       desired_version, desired_hash, desired_op, mapping_version, change_id, due_at, desired_at)
     select "syncId", "entityType", "sourceId", "organizationId", "sourceRealmId", "targetRealmId", 'settled', 'live', rank,
       '', '${unknownContent}', 'upsert', 0, "changeId", $2, $2
     from jsonb_to_recordset($1::jsonb) as p ("syncId" uuid, "entityType" text, "sourceId" text, "organizationId" uuid,
       "sourceRealmId" text, "targetRealmId" text, rank smallint, "changeId" text)
     on conflict (sync_id, entity_type, source_id) do nothing`,
    [JSON.stringify([...places].sort(compareKeys)), at],
  );
}

/** What mirrors desire; the rest of them is written like any other change. */
export async function writeMirrors(tx: Tx, mirrors: readonly MirrorChange[], at: Date): Promise<void> {
  if (mirrors.length === 0) return;
  const sorted = [...mirrors].sort((a, b) => compareKeys(a.key, b.key));
  // One target record is one link's: an earlier counterpart of it is gone.
  await tx.query(
    `update links l set target_id = null, target_sync_token = null
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as m (sync_id, entity_type, source_id, target_id)
     where l.sync_id = m.sync_id and l.entity_type = m.entity_type and l.target_id = m.target_id and l.source_id <> m.source_id`,
    [
      sorted.map((m) => m.key.syncId),
      sorted.map((m) => m.key.entityType),
      sorted.map((m) => m.key.sourceId),
      sorted.map((m) => m.target?.id ?? ''),
    ],
  );
  const desired = sorted.flatMap((mirror) => mirror.desired ?? []);
  if (desired.length === 0) return;
  await tx.query(
    `update links l set desired_version = d.version, desired_hash = d.hash, desired_op = d.op, desired_payload = d.payload,
       desired_references = d."references", natural_key = d."naturalKey", mapping_version = d."mappingVersion",
       change_id = d."changeId", desired_at = $2, waiting_on = '{}'
     from jsonb_to_recordset($1::jsonb) as d ("syncId" uuid, "entityType" text, "sourceId" text, version text, hash text, op text,
       payload jsonb, "references" jsonb, "naturalKey" jsonb, "mappingVersion" bigint, "changeId" text)
     where l.sync_id = d."syncId" and l.entity_type = d."entityType" and l.source_id = d."sourceId"`,
    [JSON.stringify(desired), at],
  );
}

/**
 * For a sync that begins while its opposite one is at work: every pair of records that this one has linked. What our mapping
 * makes of them is learnt from their next change.
 */
export async function mirrorAll(
  tx: Tx,
  o: { syncId: string; organizationId: string; sourceRealmId: string; targetRealmId: string; oppositeId: string },
): Promise<number> {
  const rows = await tx.query(
    `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
       desired_version, desired_hash, desired_op, mapping_version, change_id, applied_version, applied_hash, target_id)
     select $1, l.entity_type, l.target_id, $2, $3, $4, 'settled', 'live', abs(l.rank), '', '${unknownContent}', 'upsert', 0,
       l.change_id, '', '${unknownContent}', l.source_id
     from links l where l.sync_id = $5 and l.target_id is not null and l.applied_version is not null and not l.target_deleted
     order by l.entity_type, l.target_id
     on conflict do nothing returning 1`,
    [o.syncId, o.organizationId, o.sourceRealmId, o.targetRealmId, o.oppositeId],
  );
  return rows.length;
}
