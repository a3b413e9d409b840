// What the target is known to hold although this database does not say so: it was restored to an earlier moment, and the
// results that were announced since then tell which records exist. A link without its target gets it back with its content
// unknown (the next plan reads the record), and a record whose link is gone altogether gets a link that desires nothing yet.
// So nothing that exists is made a second time.
import { definitionOf, knownType, unknownContent } from '#core';
import type { Database } from '../database.js';

export interface AnnouncedResult {
  syncId: string;
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
  entityType: string;
  sourceId: string;
  version: string;
  changeId: string;
  targetId: string;
  targetSyncToken?: string | undefined;
}

/** Above every fence that a process of the time before the restore can hold: they rise by one with each owner. */
const fenceStep = 1_000_000_000;

/** Answers how many links did not know their record. Above zero only in a database that was set back. */
export async function recallTargets(db: Database, results: readonly AnnouncedResult[]): Promise<number> {
  const newest = new Map<string, AnnouncedResult>();
  for (const one of results) {
    if (!knownType(one.entityType)) continue;
    const key = `${one.syncId}/${one.entityType}/${one.sourceId}`;
    const known = newest.get(key);
    if (!known || one.version >= known.version) newest.set(key, one);
  }
  if (newest.size === 0) return 0;
  const rows = [...newest.values()].map((one) => ({ ...one, rank: definitionOf(one.entityType).rank }));
  return db.withTransaction(async (tx) => {
    const recalled = await tx.query(
      `insert into links as l (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
         desired_version, desired_hash, desired_op, mapping_version, change_id, applied_version, applied_hash, target_id,
         target_sync_token)
       select r."syncId", r."entityType", r."sourceId", r."organizationId", r."sourceRealmId", r."targetRealmId", 'settled', 'bulk',
         r.rank, '', $2, 'upsert', 0, r."changeId", '', $2, r."targetId", r."targetSyncToken"
       from jsonb_to_recordset($1::jsonb) as r ("syncId" uuid, "entityType" text, "sourceId" text, "organizationId" uuid,
         "sourceRealmId" text, "targetRealmId" text, rank smallint, version text, "changeId" text, "targetId" text,
         "targetSyncToken" text)
       where exists (select from syncs s where s.id = r."syncId")
         -- the target of a merged or adopted name may be another link's by now
         and not exists (select from links o where o.sync_id = r."syncId" and o.target_realm_id = r."targetRealmId"
           and o.entity_type = r."entityType" and o.target_id = r."targetId")
       order by 1, 2, 3
       on conflict (sync_id, entity_type, source_id) do update set target_id = excluded.target_id,
         target_sync_token = excluded.target_sync_token, target_deleted = false, applied_version = '',
         applied_hash = excluded.applied_hash, applied_payload = null
       -- a call on its way is sent again under its own request id and brings the record itself
       where (l.target_id is null or l.target_deleted) and l.state not in ('sending', 'uncertain')
         and coalesce(l.applied_version, '') < (select r.version from jsonb_to_recordset($1::jsonb) as r ("syncId" uuid,
           "entityType" text, "sourceId" text, version text) where r."syncId" = l.sync_id and r."entityType" = l.entity_type
           and r."sourceId" = l.source_id) collate "C"
       returning l.sync_id`,
      [JSON.stringify(rows), unknownContent],
    );
    // A process that was not stopped may hold a fence higher than any that this database remembers.
    if (recalled.length > 0) await tx.query('update realm_leases set fence = fence + $1', [fenceStep]);
    return recalled.length;
  });
}
