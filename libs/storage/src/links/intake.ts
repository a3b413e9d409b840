// What should be, taken in: one statement for a whole Kafka batch, in which the version decides and not the order of arrival.
import { goesOnWithNews, type Json, type LinkState, type Reference } from '#core';
import type { Database, Tx } from '../database.js';
import { compareKeys, keyText } from './keys.js';
import type { Lane, LinkKey } from './row.js';

/** What `sync.writes` says about one entity. */
export interface DesiredLink extends LinkKey {
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
  lane: Lane;
  /** order among work of one lane, lower first */
  rank: number;
  version: string;
  hash: string;
  op: 'upsert' | 'delete' | 'void' | 'fail' | 'exclude';
  payload?: Json | undefined;
  references: Reference[];
  naturalKey?: Record<string, string> | undefined;
  mappingVersion: number;
  changeId: string;
  traceparent?: string | undefined;
  failure?: { code: string; reason: string } | undefined;
  /** the source merged this record into that one of the same type */
  mergedInto?: string | undefined;
  /** with op `exclude`: which rule leaves it out */
  exclusion?: string | undefined;
}

/** What intake did with one event; events that were older than what is stored are not mentioned. */
export interface Taken extends LinkKey {
  state: LinkState['kind'];
}

/**
 * Said before the rows are written and in one order, so that two batches about the same companies cannot block each other
 * through the triggers; and told in any case: a loop whose calls are on their way hears of live work at once.
 */
export async function tellWork(tx: Tx, desired: readonly DesiredLink[], at: Date): Promise<void> {
  const realms = [...new Set(desired.map((one) => one.targetRealmId))].sort();
  await tx.query(`select realm_work_is_due($1::text[], 'writer', array_fill($2::timestamptz, array[$3::int]))`, [
    realms,
    at,
    realms.length,
  ]);
  await tx.query(
    `select pg_notify('realm_work_' || current_schema(), 'writer ' || realm) from unnest($1::text[]) realm`,
    [realms],
  );
}

/** What decides whether a telling is news. */
export interface Told extends LinkKey {
  version: string;
  mappingVersion: number;
}

/**
 * Of these, in their order, what is newer than what is stored, by the rule of `takeIn`: what is left out here, it would leave as
 * it is. Only asks: an upsert that changes nothing locks its row all the same, and that is a write.
 */
export async function newsOf<T extends Told>(db: Database, told: readonly T[]): Promise<T[]> {
  const rows = await db.query<{ n: number }>(
    // A question per row, not a join: whatever is believed of the table's size, each is one step down the primary key.
    `select d.n::int from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[]) with ordinality
         as d (sync_id, entity_type, source_id, version, mapping_version, n)
     where (select l.desired_version > d.version or l.desired_version = d.version and l.mapping_version >= d.mapping_version
       from links l where l.sync_id = d.sync_id and l.entity_type = d.entity_type and l.source_id = d.source_id) is not true`,
    [
      told.map((one) => one.syncId),
      told.map((one) => one.entityType),
      told.map((one) => one.sourceId),
      told.map((one) => one.version),
      told.map((one) => one.mappingVersion),
    ],
  );
  const news = new Set(rows.map(({ n }) => n));
  return told.filter((_, at) => news.has(at + 1));
}

export async function takeIn(tx: Tx, newest: readonly DesiredLink[], at: Date): Promise<Taken[]> {
  const rows = await tx.query<{
    sync_id: string;
    entity_type: string;
    source_id: string;
    state: Taken['state'];
  }>(
    `insert into links as l (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane,
         rank, desired_version, desired_hash, desired_op, desired_payload, desired_references, natural_key, mapping_version,
         change_id, traceparent, failure_code, failure_reason, due_at, desired_at, merged_into, exclusion)
       select "syncId", "entityType", "sourceId", "organizationId", "sourceRealmId", "targetRealmId",
         case op when 'fail' then 'failed' when 'exclude' then 'settled' else 'ready' end, lane, rank, version, hash, op, payload, "references", "naturalKey",
         "mappingVersion", "changeId", traceparent, failure ->> 'code', failure ->> 'reason', $2, $2, "mergedInto", exclusion
       from jsonb_to_recordset($1::jsonb) as d ("syncId" uuid, "entityType" text, "sourceId" text, "organizationId" uuid,
         "sourceRealmId" text, "targetRealmId" text, lane text, rank smallint, version text, hash text, op text, payload jsonb,
         "references" jsonb, "naturalKey" jsonb, "mappingVersion" bigint, "changeId" text, traceparent text, failure jsonb, "mergedInto" text, exclusion text)
       -- one that is taken back hears nothing of its source any more; no join, for the order of the rows is that of the locks
       where "syncId" <> all(array(select id from syncs where rollback_began_at is not null))
       on conflict (sync_id, entity_type, source_id) do update set
         state = case
           when l.state in ('sending', 'uncertain') then l.state
           when excluded.desired_op = 'fail' then 'failed'
           -- never carried: there is nothing to decide
           when excluded.desired_op = 'exclude' and (l.target_id is null or l.target_deleted) then 'settled'
           when l.applied_hash = excluded.desired_hash then 'settled'
           -- what a person was asked to decide is not overtaken by the next edit
           when l.state = 'held' and l.failure_code !~ '${goesOnWithNews}' then 'held'
           else 'ready' end,
         applied_version = case
           when l.state not in ('sending', 'uncertain') and excluded.desired_op <> 'fail' and l.applied_hash = excluded.desired_hash
           then excluded.desired_version else l.applied_version end,
         -- what is not yet done keeps the better lane: a replay must not put a live edit at the end of the line
         lane = case when l.state <> 'settled' and l.lane = 'live' then 'live' else excluded.lane end,
         rank = excluded.rank,
         desired_version = excluded.desired_version, desired_hash = excluded.desired_hash, desired_op = excluded.desired_op,
         desired_payload = excluded.desired_payload, desired_references = excluded.desired_references,
         natural_key = excluded.natural_key, mapping_version = excluded.mapping_version,
         change_id = excluded.change_id, traceparent = excluded.traceparent,
         failure_code = case when l.state in ('sending', 'uncertain') or l.state = 'held' and excluded.desired_op <> 'fail'
             and l.applied_hash is distinct from excluded.desired_hash then l.failure_code else excluded.failure_code end,
         failure_reason = case when l.state in ('sending', 'uncertain') or l.state = 'held' and excluded.desired_op <> 'fail'
             and l.applied_hash is distinct from excluded.desired_hash then l.failure_reason else excluded.failure_reason end,
         waiting_on = '{}',
         attempts = case when l.state in ('sending', 'uncertain') then l.attempts else 0 end,
         due_at = case when l.state in ('sending', 'uncertain') then l.due_at else excluded.due_at end,
         desired_at = excluded.desired_at,
         -- a tombstone told again by a replay says it no more; a record that is there again is none
         exclusion = excluded.exclusion,
         merged_into = case when excluded.desired_op = 'delete' then coalesce(excluded.merged_into, l.merged_into) end
       where excluded.desired_version > l.desired_version
          or (excluded.desired_version = l.desired_version and excluded.mapping_version > l.mapping_version)
       returning l.sync_id, l.entity_type, l.source_id, l.state`,
    [JSON.stringify(newest), at],
  );
  return rows.map((r) => ({ syncId: r.sync_id, entityType: r.entity_type, sourceId: r.source_id, state: r.state }));
}

/**
 * The source says nothing of the records that referred to a merged one, though they refer to the other one now. So they
 * have work again: binding (Links.mergers) gives them the other one's id.
 */
export async function repoint(tx: Tx, { syncId, entityType, sourceId }: DesiredLink, at: Date): Promise<void> {
  await wakeRefused(tx, { syncId, entityType, sourceId }, at);
  await tx.query(
    // Another hash than the one applied, or on its way to be: whatever the state, there is more to do.
    // What was bound to this name only because an earlier one was merged into it still names that earlier one.
    `with recursive names (source_id) as (
       select $3::text
       union
       select l.source_id from links l join names n on l.merged_into = n.source_id
       where l.sync_id = $1 and l.entity_type = $2)
     update links set desired_hash = 'merged:' || desired_hash, due_at = case when state = 'settled' then $4 else due_at end,
       state = case when state = 'settled' then 'ready' else state end
     where sync_id = $1 and desired_op in ('upsert', 'void') and desired_references @> any(array(
       select jsonb_build_array(jsonb_build_object('entityType', $2::text, 'sourceId', n.source_id)) from names n))`,
    [syncId, entityType, sourceId, at],
  );
}

/**
 * Intake of one sync and a settling that moves its mirrors (opposite syncs) may wait for each other; PostgreSQL ends one of
 * them, and nothing of it has happened. A redelivered batch would do as well; this is sooner.
 */
export async function againAfterDeadlock<T>(work: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as { code?: unknown }).code !== '40P01' || tries <= 1) throw error;
    return againAfterDeadlock(work, tries - 1);
  }
}

export function newestOfEach(desired: readonly DesiredLink[]): DesiredLink[] {
  const newest = new Map<string, DesiredLink>();
  for (const one of desired) {
    const known = newest.get(keyText(one));
    const newer =
      known === undefined ||
      one.version > known.version ||
      (one.version === known.version && one.mappingVersion >= known.mappingVersion);
    if (newer) newest.set(keyText(one), one);
  }
  return [...newest.values()].sort(compareKeys);
}

/**
 * In a pair: what the opposite sync writes for a name whose copy was merged away here was refused, for the copy is gone. Now
 * that it is known where it lives on, that can be written.
 */
async function wakeRefused(tx: Tx, { syncId, entityType, sourceId }: LinkKey, at: Date): Promise<void> {
  await tx.query(
    `with there as (
       select o.id from syncs s join syncs o on o.source_realm_id = s.target_realm_id and o.target_realm_id = s.source_realm_id
         and o.organization_id = s.organization_id where s.id = $1),
     name as (
       select n.sync_id, n.source_id from links n join there on n.sync_id = there.id
       where n.entity_type = $2 and n.target_id = $3)
     update links l set state = 'ready', attempts = 0, due_at = $4
     from name where l.sync_id = name.sync_id and l.state in ('backoff', 'failed') and l.failure_code = any($5)
       and l.desired_references @> jsonb_build_array(jsonb_build_object('entityType', $2::text, 'sourceId', name.source_id))`,
    [syncId, entityType, sourceId, at, ['QBO.2500', 'QBO.610']],
  );
}
