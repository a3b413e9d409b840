// Links that wait for others: woken when those settle, told what they wait for and why it does not come, and held when a
// wait does not end by itself (core: waits.ts).
import { releaseName, waitPatienceMs } from '#core';
import type { Database, Tx } from '../database.js';
import type { LinkChange } from './changes.js';
import { compareKeys, keyArrays, keysTable, keyText } from './keys.js';
import { columns, storedLink, waitName, type LinkKey, type LinkRecord, type StoredLink } from './row.js';

/** Waiting, or held because of who it waits for: both go on when that one does. */
export const isWaiting = `(l.state in ('waiting', 'held') and (l.state = 'waiting' or l.failure_code like 'PARENT.%'))`;
/** Link p is the one that `name`, an element of waiting_on of link l, names. */
export const isParentNamed = `p.sync_id = l.sync_id and p.entity_type = split_part(regexp_replace(name, '^release:', ''), '/', 1)
  and p.source_id = split_part(name, '/', 2)`;

/** Code of links that are held because their target company must be reconnected first. */
export const reconnectNeeded = 'TARGET.RECONNECT_NEEDED';

/** Looked at in 0.1 to 0.4 s: a hundred thousand at once took ten seconds, and the rows' locks as long. */
export const waitsInPage = 2_000;
const beforeAll: LinkKey = { syncId: '00000000-0000-0000-0000-000000000000', entityType: '', sourceId: '' };

export async function wakeWaiters(tx: Tx, changes: readonly LinkChange[], at: Date): Promise<number> {
  let woken = 0;
  const freed = changes.filter((c) => c.wakes || c.target?.deleted === true);
  for (const [syncId, names] of bySync(freed, (c) => [
    ...(c.wakes ? [waitName(c.key)] : []),
    releaseName(waitName(c.key)),
  ])) {
    // No join: right after a large intake the planner knows nothing of the table, and a join of waiters with themselves
    // took a second per thousand of them.
    const rows = await tx.query<{ state: string }>(
      `update links l set waiting_on = array(select n from unnest(l.waiting_on) n where n <> all($2::text[])),
         state = case when l.waiting_on <@ $2::text[] then 'ready' else l.state end,
         due_at = case when l.waiting_on <@ $2::text[] then $3 else l.due_at end,
         failure_code = case when l.waiting_on <@ $2::text[] then null else l.failure_code end,
         failure_reason = case when l.waiting_on <@ $2::text[] then null else l.failure_reason end
       where l.sync_id = $1 and ${isWaiting} and l.waiting_on && $2::text[]
       returning l.state`,
      [syncId, names, at],
    );
    woken += rows.filter((r) => r.state === 'ready').length;
  }
  // A parent that got stuck: its waiters say so at once.
  for (const [syncId, names] of bySync(changes.filter((c) => c.state.kind === 'failed' || c.state.kind === 'held'))) {
    await tx.query(
      `update links l set failure_code = case p.state when 'failed' then 'PARENT.FAILED' else 'PARENT.HELD' end,
         failure_reason = 'waits for ' || p.entity_type || ' ' || p.source_id || ', which is ' || p.state || ': ' || coalesce(p.failure_reason, '')
       from links p
       where p.sync_id = $1 and p.entity_type || '/' || p.source_id = any($2::text[])
         and (p.entity_type, p.source_id) in (select split_part(n, '/', 1), split_part(n, '/', 2) from unnest($2::text[]) n)
         and l.sync_id = $1 and ${isWaiting} and l.waiting_on && array[p.entity_type || '/' || p.source_id]`,
      [syncId, names],
    );
  }
  return woken;
}

/**
 * Links that wait for each other: two, or a ring of at most six, which is longer than any chain of types QuickBooks has. Walked
 * from each of the given links along those of its parents that wait too; `first` is the parent through which it comes back.
 */
const rings = `with recursive walk (sync_id, start, first, here, steps) as (
    select l.sync_id, l.entity_type || '/' || l.source_id, name, name, 1
    from links l cross join lateral unnest(l.waiting_on) as name
    where (l.sync_id, l.entity_type, l.source_id) in (select * from unnest($2::uuid[], $3::text[], $4::text[]))
      and name not like 'release:%'
    union
    select w.sync_id, w.start, w.first, name, w.steps + 1
    from walk w join links l on l.sync_id = w.sync_id and l.entity_type = split_part(w.here, '/', 1)
        and l.source_id = split_part(w.here, '/', 2) and ${isWaiting}
      cross join lateral unnest(l.waiting_on) as name
    where w.steps < 6 and w.here <> w.start and name not like 'release:%'
  ), ring as materialized (select distinct sync_id, start, first from walk where here = start)`;
const noRings = `with ring as (select null::uuid as sync_id, null::text as start, null::text as first where false)`;
const closesRing = `(l.sync_id, l.entity_type || '/' || l.source_id, name) in (select sync_id, start, first from ring)`;

/** Says on each of these waiting links what it waits for. */
export async function explainWaits(
  tx: Tx,
  realmId: string,
  keys: readonly LinkKey[],
  o: { rings: boolean },
): Promise<void> {
  await tx.query(
    `${o.rings ? rings : noRings}
     update links l set failure_code = why.code, failure_reason = why.reason
     from (
       select distinct on (l.sync_id, l.entity_type, l.source_id) l.sync_id, l.entity_type, l.source_id,
         case when p.sync_id is null then 'PARENT.UNKNOWN'
              when ${closesRing} then 'PARENT.RING'
              when p.desired_op = 'exclude' and (p.target_id is null or p.target_deleted) then 'PARENT.EXCLUDED'
              when p.state = 'failed' then 'PARENT.FAILED'
              -- a connection comes back for all at once; nobody needs to look at each child
              when p.state = 'held' and p.failure_code = '${reconnectNeeded}' then 'PARENT.PENDING'
              when p.state = 'held' then 'PARENT.HELD' when p.target_deleted or p.desired_op = 'delete' then 'PARENT.REMOVED'
              else 'PARENT.PENDING' end as code,
         'waits for ' || replace(regexp_replace(name, '^release:', ''), '/', ' ')
           || case when name like 'release:%' then ' to let it go' else '' end || case
           when p.sync_id is null then ', which has not arrived'
           when ${closesRing} then ', which waits for it'
           when p.desired_op = 'exclude' and (p.target_id is null or p.target_deleted)
             then ', which the mapping leaves out: ' || coalesce(p.exclusion, 'excluded')
           when p.state in ('failed', 'held') then ', which is ' || p.state || ': ' || coalesce(p.failure_reason, '')
           when p.target_deleted or p.desired_op = 'delete' then ', which is removed'
           else ', which is ' || p.state end as reason
       from unnest($2::uuid[], $3::text[], $4::text[]) as k (sync_id, entity_type, source_id)
         -- one by one: a planner that has not counted yet reads all of the company's waits for a hundred of them
         cross join lateral (select * from links o
           where o.sync_id = k.sync_id and o.entity_type = k.entity_type and o.source_id = k.source_id limit 1) l
         cross join lateral unnest(l.waiting_on) as name
         left join links p on ${isParentNamed}
       where l.target_realm_id = $1 and ${isWaiting}
       -- the reason that asks for a person comes first
       order by l.sync_id, l.entity_type, l.source_id, (p.state in ('failed', 'held')) desc nulls last, p.sync_id is null desc,
         ${closesRing} desc
     ) why
     where l.sync_id = why.sync_id and l.entity_type = why.entity_type and l.source_id = why.source_id
       and (l.failure_code, l.failure_reason) is distinct from (why.code, why.reason)`,
    [realmId, ...keyArrays(keys)],
  );
}

/**
 * A wait that does not end by itself is held, with the parent as the reason, and goes back to waiting when the parent is on
 * its way again (core: waits.ts). Answers the links that became held.
 */
export async function holdEndlessWaits(tx: Tx, keys: readonly LinkKey[], at: Date): Promise<StoredLink[]> {
  const patience = Object.entries(waitPatienceMs).filter(([, ms]) => Number.isFinite(ms));
  await tx.query(
    `update links l set state = 'waiting' where (l.sync_id, l.entity_type, l.source_id) in (select * from ${keysTable})
       and l.state = 'held' and l.failure_code like 'PARENT.%' and l.failure_code <> all($4::text[])`,
    [...keyArrays(keys), patience.map(([code]) => code)],
  );
  const rows = await tx.query<LinkRecord>(
    `update links l set state = 'held' from unnest($4::text[], $5::bigint[]) as w (code, patience_ms)
     where (l.sync_id, l.entity_type, l.source_id) in (select * from ${keysTable}) and l.state = 'waiting'
       and l.failure_code = w.code and l.due_at <= $6::timestamptz - w.patience_ms * interval '1 millisecond'
     returning ${columns
       .split(',')
       .map((column) => `l.${column.trim()}`)
       .join(', ')}`,
    [...keyArrays(keys), patience.map(([code]) => code), patience.map(([, ms]) => ms), at],
  );
  return rows.map(storedLink);
}

function bySync(
  changes: readonly LinkChange[],
  namesOf: (change: LinkChange) => string[] = ({ key }) => [waitName(key)],
): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const change of changes) {
    const { syncId } = change.key;
    names.set(syncId, [...(names.get(syncId) ?? []), ...namesOf(change)]);
  }
  return names;
}

export interface Wait {
  key: LinkKey;
  version: string;
  /** names of parents, as `waitName` gives them */
  on: readonly string[];
}

/** Locks the parents' rows, then makes those links wait whose parents are not applied. */
export async function parkOn(tx: Tx, waits: readonly Wait[], at: Date): Promise<void> {
  const parents = waits.flatMap(({ key, on }) => on.map((name) => parentKey(key.syncId, name)));
  await tx.query(
    `select from links where (sync_id, entity_type, source_id) in (select * from ${keysTable})
     order by sync_id, entity_type, source_id for share`,
    keyArrays(parents),
  );
  const sorted = [...waits].sort((a, b) => compareKeys(a.key, b.key));
  await tx.query(
    `update links l set state = 'waiting', waiting_on = w.missing, due_at = $6
     from (
       select k.sync_id, k.entity_type, k.source_id, k.version, array_agg(distinct m.name) as missing
       from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) as k (sync_id, entity_type, source_id, version, names)
         cross join lateral unnest(string_to_array(k.names, ' ')) as m (name)
       where not exists (
         select from links p where p.sync_id = k.sync_id and p.entity_type = split_part(m.name, '/', 1)
           and p.source_id = split_part(m.name, '/', 2) and p.target_id is not null and p.applied_version is not null
           and not p.target_deleted)
       group by 1, 2, 3, 4
     ) w
     where l.sync_id = w.sync_id and l.entity_type = w.entity_type and l.source_id = w.source_id
       and l.state = 'ready' and l.desired_version = w.version`,
    [...keyArrays(sorted.map((w) => w.key)), sorted.map((w) => w.version), sorted.map((w) => w.on.join(' ')), at],
  );
}

function parentKey(syncId: string, name: string): LinkKey {
  const slash = name.indexOf('/');
  return { syncId, entityType: name.slice(0, slash), sourceId: name.slice(slash + 1) };
}

/** Of these links, those whose parents are all applied, or have let them go, become ready, woken before or not. Answers how many. */
export async function wakeApplied(tx: Tx, keys: readonly LinkKey[], at: Date): Promise<number> {
  // Parents by their keys and nothing else: asked as "not exists" it became a look at all of a sync's settled links for each.
  const rows = await tx.query(
    `with blocked as materialized (
       select l.sync_id, l.entity_type, l.source_id
       from links l cross join lateral unnest(l.waiting_on) as name left join links p on ${isParentNamed}
       where (l.sync_id, l.entity_type, l.source_id) in (select * from ${keysTable}) and case when name like 'release:%'
         -- who holds it frozen has nothing left to do, or has let it go
         then p.sync_id is not null and not p.target_deleted and p.state <> 'settled'
           and not p.waiting_on @> array[l.entity_type || '/' || l.source_id]
         else p.target_id is null or p.applied_version is null or p.target_deleted end)
     update links l set state = 'ready', waiting_on = '{}', due_at = $4, failure_code = null, failure_reason = null
     where (l.sync_id, l.entity_type, l.source_id) in (select * from ${keysTable}) and ${isWaiting}
       and (l.sync_id, l.entity_type, l.source_id) not in (select * from blocked)
     returning l.sync_id`,
    [...keyArrays(keys), at],
  );
  return rows.length;
}

/** The next of those who wait in a company, in the order of their keys, a page of them; from the beginning without `after`. */
export async function waitsAfter(tx: Tx, realmId: string, after: LinkKey | undefined): Promise<LinkKey[]> {
  const { syncId, entityType, sourceId } = after ?? beforeAll;
  const rows = await tx.query<{ sync_id: string; entity_type: string; source_id: string }>(
    `select sync_id, entity_type, source_id from waits_after($1, $2, $3, $4, $5)`,
    [realmId, syncId, entityType, sourceId, waitsInPage],
  );
  return rows.map((r) => ({ syncId: r.sync_id, entityType: r.entity_type, sourceId: r.source_id }));
}

/** Who waits for each of these records to let it go, by key. */
export async function waitingForRelease(
  db: Database,
  keys: readonly LinkKey[],
): Promise<Map<string, { type: string; sourceId: string }[]>> {
  const waiters = new Map<string, { type: string; sourceId: string }[]>();
  if (keys.length === 0) return waiters;
  const rows = await db.query<{ sync_id: string; entity_type: string; source_id: string; waiting_on: string[] }>(
    `select l.sync_id, l.entity_type, l.source_id, l.waiting_on from links l
     where ${isWaiting} and l.sync_id = any($1::uuid[]) and l.waiting_on && $2::text[]`,
    [[...new Set(keys.map((key) => key.syncId))], keys.map((key) => releaseName(waitName(key)))],
  );
  for (const key of keys) {
    const own = rows.filter((r) => r.sync_id === key.syncId && r.waiting_on.includes(releaseName(waitName(key))));
    if (own.length > 0) {
      waiters.set(
        keyText(key),
        own.map((r) => ({ type: r.entity_type, sourceId: r.source_id })),
      );
    }
  }
  return waiters;
}
