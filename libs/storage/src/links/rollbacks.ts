// Syncs that are taken back: from when on, which links and files are told so, how far it is. A rollback is nothing but another
// wish for each link (core: rollback.ts), carried by the writer like any other.
import { rollbackHash, rollbackVersion, type Json, type LinkKind, type Origin, type RolledBack } from '#core';
import type { Database, Tx } from '../database.js';
import { keyArrays, keysTable, keyText } from './keys.js';
import type { LinkKey } from './row.js';

export interface StoredRollbackFacts {
  origin: Origin | undefined;
  beforeImage: Json | undefined;
  seenHash: string | undefined;
  /** links that refer to it and are on their way back, as "Invoice/9"; the first few */
  moving: string[];
  /** and those that a person must decide about */
  held: string[];
}

/** Of those who refer to a record: one is enough to wait for, a few are enough to tell. */
const namesShown = 5;

/** False: it had begun before. From this commit on nothing of the source is taken in, and nothing is carried. */
export async function beginRollback(tx: Tx, syncId: string, at: Date): Promise<boolean> {
  const begun = await tx.query(
    'update syncs set rollback_began_at = $2 where id = $1 and rollback_began_at is null returning id',
    [syncId, at],
  );
  return begun.length === 1;
}

/** So many links are told at once: a second, where a statement may take a minute. */
const toldAtOnce = 10_000;

/**
 * Every link and file of the sync is told to go back; what is on its way ends first and keeps its state. Level-triggered: said
 * again it finds what slipped in meanwhile. A page at a time, and no turn begins before all are told (`rollback_told_at`).
 */
async function tellRollback(db: Database, of: RollbackOf, at: Date): Promise<void> {
  const [version, hash] = [rollbackVersion(of.jobId), rollbackHash(of.jobId)];
  const underWay = `state in ('sending', 'uncertain')`;
  const ranks = JSON.stringify(Object.fromEntries(of.ranks.map(({ type, rank }) => [type, rank])));
  for (let after: [string, string] | undefined = ['', '']; after !== undefined;) {
    // By a range of keys and without a join: a planner that has not counted lately can do nothing wrong with it.
    const [end]: { entity_type: string; source_id: string }[] = await db.query(
      `select entity_type, source_id from links where sync_id = $1 and (entity_type, source_id) > ($2, $3)
       order by entity_type, source_id offset ${toldAtOnce - 1} limit 1`,
      [of.syncId, ...after],
    );
    await db.query(
      `update links set desired_op = 'rollback', desired_version = $2, desired_hash = $3, change_id = $3, lane = 'bulk',
         rank = coalesce(($4::jsonb ->> entity_type)::smallint, 0), waiting_on = '{}', exclusion = null, desired_at = $5,
         traceparent = null,
         state = case when ${underWay} then state else 'ready' end,
         attempts = case when ${underWay} then attempts else 0 end,
         due_at = case when ${underWay} then due_at else $5 end,
         -- an answer that was lost and not found again is remembered: what it made may be there
         failure_code = case when ${underWay} or failure_code = 'QBO.READ_BACK' then failure_code end,
         failure_reason = case when ${underWay} or failure_code = 'QBO.READ_BACK' then failure_reason end
       where sync_id = $1 and (entity_type, source_id) > ($6, $7)
         and ($8::text is null or (entity_type, source_id) <= ($8, $9)) and desired_op <> 'rollback'`,
      [of.syncId, version, hash, ranks, at, ...after, end?.entity_type ?? null, end?.source_id ?? null],
    );
    after = end && [end.entity_type, end.source_id];
  }
  await db.withTransaction(async (tx) => {
    await tx.query(
      `update attachment_links set desired_deleted = true, desired_version = $2, lane = 'bulk', desired_at = $4,
         traceparent = null, waiting_on = '{}', failure_code = null, failure_reason = null,
         change_id = case when target_id is null and request_id is null then $3 || ':nothing' else $3 end,
         state = case when ${underWay} then state else 'ready' end,
         attempts = case when ${underWay} then attempts else 0 end,
         due_at = case when ${underWay} then due_at else $4 end
       where sync_id = $1 and desired_version <> $2`,
      [of.syncId, version, hash, at],
    );
    await tx.query('update syncs set rollback_told_at = coalesce(rollback_told_at, $2) where id = $1', [of.syncId, at]);
  });
}

/** What is held because something that refers to it is held goes on when nothing does any more. Answers how many. */
async function releaseDependents(db: Database, syncId: string, at: Date): Promise<number> {
  const rows = await db.query(
    `update links p set state = 'ready', due_at = $2, failure_code = null, failure_reason = null
     where p.sync_id = $1 and p.state = 'held' and p.failure_code = 'ROLLBACK.DEPENDENT' and not exists (
       select from (select * from links c where c.desired_op = 'rollback' and c.desired_references @>
           jsonb_build_array(jsonb_build_object('entityType', p.entity_type, 'sourceId', p.source_id)) offset 0) c
       where c.sync_id = p.sync_id and c.state <> 'settled')
     returning 1`,
    [syncId, at],
  );
  return rows.length;
}

export interface RollbackCount {
  entityType: string;
  outcome: RolledBack | 'held' | 'open';
  /** of what is held */
  code: string | null;
  count: number;
}

/** How far it is: links by type and how they ended; `open` are on their way. Files count as type Attachable. */
export async function rollbackCounts(db: Database | Tx, syncId: string): Promise<RollbackCount[]> {
  return db.query<RollbackCount>(
    `select entity_type as "entityType", case when state in ('held', 'failed') then 'held' when state <> 'settled' then 'open'
         else coalesce(rolled_back, 'nothing') end as outcome,
       case when state in ('held', 'failed') then failure_code end as code, count(*)::int as count
     from links where sync_id = $1 group by 1, 2, 3
     union all
     select 'Attachable', case when state in ('held', 'failed') then 'held' when state <> 'settled' then 'open'
         when change_id like '%:nothing' then 'nothing' else 'deleted' end,
       case when state in ('held', 'failed') then failure_code end, count(*)::int
     from attachment_links where sync_id = $1 group by 1, 2, 3
     order by 1, 2, 3`,
    [syncId],
  );
}

/** Links of a sync whose rollback has not begun, by what a forecast looks at (core: outcome.ts); and its files. */
export async function rollbackKinds(
  db: Database,
  syncId: string,
): Promise<{ kinds: (LinkKind & { count: number })[]; files: number }> {
  const kinds = await db.query<LinkKind & { count: number }>(
    `select entity_type as "entityType", origin, target_id is not null as "hasTarget", target_deleted as "targetDeleted",
       before_image is not null as "hasBeforeImage", coalesce(before_image ->> 'SyncToken' = target_sync_token, false) as untouched,
       coalesce(failure_code = 'QBO.READ_BACK', false) as "mayExist", count(*)::int as count
     from links where sync_id = $1 group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2`,
    [syncId],
  );
  const [files] = await db.query<{ count: number }>(
    'select count(*)::int as count from attachment_links where sync_id = $1 and target_id is not null',
    [syncId],
  );
  return { kinds, files: files!.count };
}

/**
 * One look at a rollback: whoever is not told yet is told, whoever may go on goes on, and when nothing is left the end is
 * written down, once, with what the caller does in the same transaction. Two processes may look at once: every statement says
 * the same however often it is said.
 */
export async function advanceRollback(
  db: Database,
  of: RollbackOf,
  at: Date,
  onEnd: (tx: Tx, counts: RollbackCount[]) => Promise<void> = () => Promise.resolve(),
): Promise<{ counts: RollbackCount[]; ended: boolean }> {
  const first = await rollbackCounts(db, of.syncId);
  if (!of.told || !first.some(({ outcome }) => outcome === 'open')) await tellRollback(db, of, at);
  await releaseDependents(db, of.syncId, at);
  return db.withTransaction(async (tx) => {
    const counts = await rollbackCounts(tx, of.syncId);
    const ended = await endRollback(tx, of, at);
    const state = ended ? `state = 'done', finished_at = $3` : `state = 'running'`;
    await tx.query(
      `update jobs set ${state}, started_at = coalesce(started_at, $3), progress = $2 where id = $1 and state in ('queued', 'running')`,
      [of.jobId, JSON.stringify(progressOf(counts)), at],
    );
    if (ended) await onEnd(tx, counts);
    return { counts, ended };
  });
}

export interface RollbackOf {
  syncId: string;
  jobId: string;
  /** every link was told to go back */
  told: boolean;
  /** in which order, by type (core: rollbackRank) */
  ranks: readonly { type: string; rank: number }[];
}

/** Rollbacks that have begun and not ended, for whoever advances them. */
export async function openRollbacks(
  db: Database,
): Promise<{ syncId: string; organizationId: string; jobId: string; told: boolean; params: Json }[]> {
  return db.query(
    `select s.id as "syncId", s.organization_id as "organizationId", j.id as "jobId", s.rollback_told_at is not null as told, j.params
     from syncs s join jobs j on j.sync_id = s.id and j.kind = 'rollback' and j.state in ('queued', 'running')
     where s.rollback_began_at is not null and s.rolled_back_at is null order by s.rollback_began_at, s.id`,
  );
}

/** `{deleted: 12, "put-back": 1, held: 2, open: 0, ...}`, and what is held by code. */
function progressOf(counts: readonly RollbackCount[]): Json {
  const progress: Record<string, number> = {};
  const held: Record<string, number> = {};
  for (const { outcome, code, count } of counts) {
    progress[outcome] = (progress[outcome] ?? 0) + count;
    if (outcome === 'held') held[code ?? ''] = (held[code ?? ''] ?? 0) + count;
  }
  return { ...progress, told: true, heldFor: held };
}

/** Writes down that all of it went back, if it did: nothing open, nothing held, nothing told otherwise. */
async function endRollback(tx: Tx, { syncId }: RollbackOf, at: Date): Promise<boolean> {
  const ended = await tx.query(
    `update syncs set rolled_back_at = $2 where id = $1 and rollback_told_at is not null and rolled_back_at is null
       and not exists (select from links where sync_id = $1 and (state <> 'settled' or desired_op <> 'rollback'))
       and not exists (select from attachment_links where sync_id = $1 and (state <> 'settled' or not desired_deleted))
     returning id`,
    [syncId, at],
  );
  return ended.length === 1;
}

export async function rollbackFacts(db: Database, keys: readonly LinkKey[]): Promise<Map<string, StoredRollbackFacts>> {
  if (keys.length === 0) return new Map();
  const rows = await db.query<{
    sync_id: string;
    entity_type: string;
    source_id: string;
    origin: Origin | null;
    before_image: Json | null;
    seen_hash: string | null;
    moving: string[];
    held: string[];
  }>(
    `select l.sync_id, l.entity_type, l.source_id, l.origin, l.before_image, l.seen_hash, c.moving, c.held from links l
       cross join lateral (
         select coalesce(array_agg(name) filter (where on_its_way), '{}') as moving,
           coalesce(array_agg(name) filter (where not on_its_way), '{}') as held from (
           select entity_type || '/' || source_id as name, state not in ('held', 'failed') as on_its_way
           -- the fence keeps a planner that has not counted lately from reading every link of the sync instead of the index
           from (select * from links c where c.desired_op = 'rollback' and c.desired_references @>
               jsonb_build_array(jsonb_build_object('entityType', l.entity_type, 'sourceId', l.source_id)) offset 0) c
           where c.sync_id = l.sync_id and c.state <> 'settled'
             and (c.entity_type, c.source_id) <> (l.entity_type, l.source_id)
           order by 2 desc limit ${namesShown}) few) c
     where (l.sync_id, l.entity_type, l.source_id) in (select * from ${keysTable})`,
    keyArrays(keys),
  );
  return new Map(
    rows.map((row) => [
      keyText({ syncId: row.sync_id, entityType: row.entity_type, sourceId: row.source_id }),
      {
        origin: row.origin ?? undefined,
        beforeImage: row.before_image ?? undefined,
        seenHash: row.seen_hash ?? undefined,
        moving: row.moving,
        held: row.held,
      },
    ]),
  );
}
