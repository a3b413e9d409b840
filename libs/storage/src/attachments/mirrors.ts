// Files of opposite syncs: what one sync uploaded is linked for the other in the same transaction, with the hashes of both
// copies and the metadata that its original has. So the change that capture tells of the copy is equal to what is applied.
import type { Tx } from '../database.js';
import type { AttachmentKey } from './row.js';

/** The row of the opposite sync for the copy that row `a` has made; `s` and `o` are the two syncs. */
const mirrors = `
  insert into attachment_links as m (sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state, lane,
    desired_version, desired, change_id, applied_version, applied, target_id, source_sha256, target_sha256, bytes)
  select o.id, a.target_id, o.organization_id, o.source_realm_id, o.target_realm_id, 'settled', 'live',
    -- lower than any version: the first change that capture tells of is taken in
    '0', a.desired || '{"references": []}'::jsonb, 'echo:' || a.change_id,
    '0', jsonb_strip_nulls(jsonb_build_object(
      'AttachableRef', coalesce((select jsonb_agg(jsonb_build_object(
        'EntityRef', jsonb_build_object('type', r ->> 'entityType', 'value', r ->> 'sourceId'), 'IncludeOnSend', r -> 'includeOnSend'))
        from jsonb_array_elements(a.desired -> 'references') r), '[]'::jsonb),
      'FileName', a.desired -> 'fileName', 'ContentType', a.desired -> 'contentType', 'Note', a.desired -> 'note',
      'Category', a.desired -> 'category')),
    a.attachable_id, a.target_sha256, a.source_sha256, a.bytes
  from attachment_links a join syncs s on s.id = a.sync_id
    join syncs o on o.source_realm_id = s.target_realm_id and o.target_realm_id = s.source_realm_id
      and o.organization_id = s.organization_id
  where a.target_id is not null and not a.desired_deleted`;

const follows = `on conflict (sync_id, attachable_id) do update set applied_version = excluded.applied_version,
    applied = excluded.applied, target_id = excluded.target_id, target_sync_token = null,
    source_sha256 = excluded.source_sha256, target_sha256 = excluded.target_sha256, bytes = excluded.bytes
  -- with a call of its own under way it settles itself
  where m.state not in ('sending', 'uncertain')`;

/**
 * Before the first lock of a change: each of two opposite syncs would lock its own row first and then the other's, and of two
 * that wait for each other one is rolled back, its call made and not written down, and the other side takes it for a person's.
 */
export async function takeTurnOfPair(tx: Tx, syncId: string): Promise<void> {
  await tx.query(
    `select pg_advisory_xact_lock(hashtextextended(
       'files ' || least(s.source_realm_id, s.target_realm_id) || ' ' || greatest(s.source_realm_id, s.target_realm_id), 0))
     from syncs s join syncs o on o.source_realm_id = s.target_realm_id and o.target_realm_id = s.source_realm_id
     where s.id = $1`,
    [syncId],
  );
}

/** After a change of a row that has a copy in its target. */
export async function mirrorCopy(tx: Tx, { syncId, attachableId }: AttachmentKey): Promise<void> {
  await tx.query(`${mirrors} and a.sync_id = $1 and a.attachable_id = $2 ${follows}`, [syncId, attachableId]);
}

/** The copy is removed: its tombstone asks for nothing. */
export async function forgetCopy(tx: Tx, { syncId }: AttachmentKey, targetId: string): Promise<void> {
  await tx.query(
    `update attachment_links m set target_id = null, target_sync_token = null, applied = null, applied_version = null,
       source_sha256 = null, target_sha256 = null, desired_deleted = true, state = 'settled'
     from syncs s join syncs o on o.source_realm_id = s.target_realm_id and o.target_realm_id = s.source_realm_id
     where s.id = $1 and m.sync_id = o.id and m.attachable_id = $2 and m.state not in ('sending', 'uncertain')`,
    [syncId, targetId],
  );
}

/** For a sync that begins while its opposite one is at work. */
export async function mirrorAllFiles(tx: Tx, oppositeId: string): Promise<void> {
  await tx.query(`${mirrors} and a.sync_id = $1 ${follows}`, [oppositeId]);
}

/**
 * Not of row `a`: the opposite sync may be making this very file, or is at work on the same two. A file that it is uploading
 * has this name (a note: this text) and no id yet.
 */
export const notUnderWayThere = `not exists (
  select from syncs s join syncs o on o.source_realm_id = s.target_realm_id and o.target_realm_id = s.source_realm_id
    join attachment_links m on m.sync_id = o.id and m.state in ('sending', 'uncertain', 'backoff')
  where s.id = a.sync_id and case when m.target_id is not null then m.target_id = a.attachable_id and m.state <> 'backoff'
    else m.request_id is not null and a.target_id is null
      and m.desired ->> 'fileName' is not distinct from a.desired ->> 'fileName'
      and (m.desired ? 'fileName' or m.desired ->> 'note' is not distinct from a.desired ->> 'note') end)`;
