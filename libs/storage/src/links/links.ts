// The store of links, the writer's work list: what each target record should be, what it is, and why it is not yet.
// Promises: a newer desired version wins whatever the order of arrival; a link is claimed together with the written-down
// call or not at all; one transaction settles a call, wakes who waited and announces the outcome; every change by a writer
// carries the fence of its lease. Decisions are made by the caller (libs/core) on rows read under lock.
import { failpoint } from '#common/failpoints';
import { Injectable } from '@nestjs/common';
import {
  goesOnWithNews,
  releaseName,
  restsKnown,
  waitPatienceMs,
  type Applied,
  type Json,
  type LinkState,
  type Reference,
  type Target,
} from '#core';
import { Database } from '../database.js';
import type { Tx } from '../database.js';
import { FenceLost } from '../leases/realm-leases.js';
import { Outbox, type OutboxRecord } from '../outbox/outbox.js';
import { compareKeys, keyArrays, keysTable, keyText } from './keys.js';
import {
  lockPairs,
  makePlaces,
  writeMirrors,
  type MirrorChange,
  type MirrorPlace,
  type PlannedRow,
} from './mirrors.js';
import {
  dueSweeps,
  sweepDone,
  sweepLater,
  sweptAlone,
  writtenCounts,
  type DueSweep,
  type SweepReport,
} from './sweeps.js';
import { settingsStand } from '../configuration/settings-versions.js';
import { storedLink, waitName, type Lane, type LinkKey, type LinkRecord, type StoredLink } from './row.js';

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

export interface LinkChange {
  key: LinkKey;
  state: LinkState;
  attempts: number;
  applied?: Applied | undefined;
  target?: Target | undefined;
  beforeImage?: Json | undefined;
  /** what the answer showed otherwise; an empty list: nothing any more, undefined: nothing was written */
  differences?: readonly { path: string; sent: unknown; answered: unknown; cause?: string }[] | undefined;
  /** the target's id is known now: who waited for this link may go on */
  wakes: boolean;
  announce?: OutboxRecord | undefined;
}

export interface AttemptRecord extends LinkKey {
  operation: 'create' | 'update' | 'delete' | 'void' | 'deactivate' | 'adopt';
  requestId: string;
  version: string;
  desiredHash: string;
  generation: number;
  /** exact bytes */
  body: string;
  /** whole body the target has by us when this succeeds */
  applied?: Json | undefined;
  /** references left out to break a ring, as "Type/id" */
  deferred: readonly string[];
  /** a second step follows */
  partial: boolean;
  /** known when planned, told when settled */
  told?: Told | undefined;
}

export interface Told {
  notice?: { code: string; reason: string } | undefined;
  /** what the other side of the pair had changed and not carried (core: pair.ts) */
  pending?: Json | undefined;
  /** edits in the target that the policy leaves there */
  kept?: readonly { path: string; sent: unknown; answered: unknown }[] | undefined;
}

export interface CallRecord {
  id: string;
  targetRealmId: string;
  requestId: string;
  kind: 'single' | 'batch';
  attempts: AttemptRecord[];
}

export interface OpenCall extends CallRecord {
  /** positions whose outcome is written down already: a batch that was answered in part */
  settled: number[];
  state: 'claimed' | 'unknown';
  fence: bigint;
  sends: number;
  claimedAt: Date;
  /** latest due time among the links that are not settled yet */
  dueAt: Date;
}

export interface CallEnd {
  id: string;
  /** unknown: may have happened, stays open. abandoned: certainly did not happen */
  state: 'answered' | 'unknown' | 'abandoned';
  httpStatus?: number | undefined;
  tid?: string | undefined;
  attempts: { position: number; outcome: string; code?: string | undefined; reason?: string | undefined }[];
}

export interface Decided {
  changes: LinkChange[];
  call?: CallEnd;
  /** links of opposite syncs that follow; only of keys that were named as `mirrors` */
  mirrors?: MirrorChange[];
}

const columns = `sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane,
  desired_version, desired_hash, desired_op, desired_payload, desired_references, natural_key, mapping_version::text,
  change_id, traceparent, applied_version, applied_hash, applied_payload, target_id, target_sync_token, target_deleted,
  waiting_on, due_at, attempts, failure_code, failure_reason, generation, desired_at, merged_into, exclusion`;

/** Waiting, or held because of who it waits for: both go on when that one does. */
const isWaiting = `(l.state in ('waiting', 'held') and (l.state = 'waiting' or l.failure_code like 'PARENT.%'))`;
/** Link p is the one that `name`, an element of waiting_on of link l, names. */
const isParentNamed = `p.sync_id = l.sync_id and p.entity_type = split_part(regexp_replace(name, '^release:', ''), '/', 1)
  and p.source_id = split_part(name, '/', 2)`;

/** Code of links that are held because their target company must be reconnected first. */
export const reconnectNeeded = 'TARGET.RECONNECT_NEEDED';

/** Ids of QuickBooks are one sequence for each company. Served by the index links_pick_in_order. */
const orderOfEntry = `(case when lane = 'bulk' then lpad(source_id, 20, '0') collate "C" end)`;

@Injectable()
export class Links {
  private readonly outbox = new Outbox();

  constructor(private readonly db: Database) {}

  /**
   * One statement for a whole Kafka batch. The version decides, not the order of arrival; the same version counts again
   * only under a newer mapping. A link whose call is on its way keeps its state: the answer must be settled first.
   */
  async intake(
    desired: readonly DesiredLink[],
    at: Date,
    announce: (failed: DesiredLink[]) => OutboxRecord[] = () => [],
  ): Promise<Taken[]> {
    const newest = newestOfEach(desired);
    if (newest.length === 0) return [];
    return againAfterDeadlock(() =>
      this.db.withTransaction(async (tx) => {
        await tellWork(tx, newest, at);
        const taken = await takeIn(tx, newest, at);
        const isTaken = new Set(taken.map(keyText));
        for (const one of newest)
          if (one.mergedInto !== undefined && isTaken.has(keyText(one))) await repoint(tx, one, at);
        const failed = new Set(taken.filter((t) => t.state === 'failed').map(keyText));
        await this.outbox.addAll(tx, announce(newest.filter((d) => failed.has(keyText(d)))));
        return taken;
      }),
    );
  }

  /**
   * When a writer has something to do for this company that nobody needs to tell: now, when a back-off or a doubt is over,
   * when a wait should be looked at again, when the target may be asked for its closing date. Undefined: only something new
   * makes work, and the triggers under `realm_work` say so.
   */
  async nextMoment(
    tx: Tx,
    realmId: string,
    at: Date,
    { waitingLookMs, watched }: { waitingLookMs: number; watched: readonly string[] },
  ): Promise<Date | undefined> {
    const [row] = await tx.query<{ next: Date | null }>(
      `with active as (select id from syncs where target_realm_id = $1 and state = 'active'),
         company as (select status = 'connected' as connected from companies where realm_id = $1)
       select least(
         -- what is ready is sent, or without a connection held with that reason
         (select $2::timestamptz where exists (select from active a where exists (
            select from links l where l.sync_id = a.id and l.state = 'ready'))),
         (select min(due_at) from links where target_realm_id = $1 and state in ('backoff', 'uncertain')),
         (select $2::timestamptz from company where connected and exists (
            select from links where target_realm_id = $1 and state = 'sending')),
         (select $2::timestamptz from company where connected and exists (
            select from calls where target_realm_id = $1 and state = 'claimed')),
         (select $2::timestamptz from company where connected and exists (
            select from links where target_realm_id = $1 and state = 'held' and failure_code = $3)),
         -- What ends a wait wakes it; that it does not end, or that what holds a link in the target is gone, must be looked
         -- for: ever slower the longer it lasts.
         (select $2::timestamptz + least(interval '5 minutes', greatest($4 * interval '1 millisecond', ($2 - max(due_at)) / 4))
            from company, links where connected and target_realm_id = $1
              and (state = 'waiting' or (state = 'held' and failure_code = any($5)))),
         (select min(s.sweep_due_at) from company, syncs s where connected and s.target_realm_id = $1 and ${sweptAlone})
       ) as next`,
      [realmId, at, reconnectNeeded, waitingLookMs, watched],
    );
    return row?.next ?? undefined;
  }

  /** Back-off that is over becomes ready again; answers the earliest time at which more will. */
  async releaseDue(realmId: string, at: Date): Promise<Date | undefined> {
    await this.db.query(
      `update links set state = 'ready' where target_realm_id = $1 and state = 'backoff' and due_at <= $2`,
      [realmId, at],
    );
    const [next] = await this.db.query<{ due_at: Date | null }>(
      `select min(due_at) as due_at from links where target_realm_id = $1 and state in ('backoff', 'uncertain')`,
      [realmId],
    );
    return next?.due_at ?? undefined;
  }

  /**
   * Ready work of the given types: live before bulk, parents before children; then live work oldest first, bulk work in the
   * source's order of entry, by which QuickBooks costs the stock of one day. Only active syncs; of one lane when it is named,
   * and without what the caller has in hand.
   */
  async pick(
    realmId: string,
    types: readonly string[],
    limit: number,
    { lane, except = [] }: { lane?: Lane; except?: readonly LinkKey[] } = {},
  ): Promise<StoredLink[]> {
    const rows = await this.db.query<LinkRecord>(
      `select ${columns} from links l
       where target_realm_id = $1 and state = 'ready' and lane = any($4) and entity_type = any($2)
         and sync_id in (select id from syncs where target_realm_id = $1 and state = 'active')
         and not exists (select from unnest($5::uuid[], $6::text[], $7::text[]) as h (sync_id, entity_type, source_id)
                         where h.sync_id = l.sync_id and h.entity_type = l.entity_type and h.source_id = l.source_id)
       order by lane desc, rank, ${orderOfEntry}, due_at limit $3`,
      [realmId, types, limit, lane === undefined ? ['live', 'bulk'] : [lane], ...keyArrays(except)],
    );
    return rows.map(storedLink);
  }

  /** Links as they are now, without a lock. */
  async find(keys: readonly LinkKey[]): Promise<StoredLink[]> {
    if (keys.length === 0) return [];
    const rows = await this.db.query<LinkRecord>(
      `select ${columns} from links where (sync_id, entity_type, source_id) in (select * from ${keysTable})`,
      keyArrays(keys),
    );
    return rows.map(storedLink);
  }

  /** Target ids of source records, by `syncId/type/id`. A name made inactive still has its id; a deleted transaction does not. */
  async targetIds(keys: readonly LinkKey[], keptWhenRemoved: readonly string[]): Promise<Map<string, string>> {
    if (keys.length === 0) return new Map();
    const rows = await this.db.query<{ sync_id: string; entity_type: string; source_id: string; target_id: string }>(
      `select sync_id, entity_type, source_id, target_id from links
       where (sync_id, entity_type, source_id) in (select * from ${keysTable})
         and target_id is not null and applied_version is not null and (not target_deleted or entity_type = any($4))`,
      [...keyArrays(keys), keptWhenRemoved],
    );
    return new Map(
      rows.map((r) => [keyText({ syncId: r.sync_id, entityType: r.entity_type, sourceId: r.source_id }), r.target_id]),
    );
  }

  /** Records of these syncs that the source merged away, each with the one it lives on in, by `syncId/type/id`. */
  async mergers(syncIds: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.db.query<{ sync_id: string; entity_type: string; source_id: string; merged_into: string }>(
      `select sync_id, entity_type, source_id, merged_into from links
       where sync_id = any($1::uuid[]) and merged_into is not null`,
      [syncIds],
    );
    return new Map(
      rows.map((r) => [
        keyText({ syncId: r.sync_id, entityType: r.entity_type, sourceId: r.source_id }),
        r.merged_into,
      ]),
    );
  }

  /** Which of these target records a sync has linked already: a twin is adopted by one source record only. */
  async linkedTargets(syncId: string, entityType: string, targetIds: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.db.query<{ source_id: string; target_id: string }>(
      `select source_id, target_id from links where sync_id = $1 and entity_type = $2 and target_id = any($3)`,
      [syncId, entityType, targetIds],
    );
    return new Map(rows.map((r) => [r.target_id, r.source_id]));
  }

  /**
   * Writes a call down before it is made. Only links that are still ready for the planned version take part; `compose`
   * builds the call from those. Undefined when none is left.
   * @throws FenceLost
   */
  async claim<P extends PlannedRow>(
    realmId: string,
    fence: bigint,
    planned: readonly P[],
    at: Date,
    compose: (claimed: P[]) => CallRecord,
  ): Promise<CallRecord | undefined> {
    return this.db.withTransaction(async (tx) => {
      await assertFence(tx, realmId, fence);
      const sorted = [...planned].sort((a, b) => compareKeys(a.key, b.key));
      await lockPairs(tx, sorted);
      const rows = await tx.query<{ sync_id: string; entity_type: string; source_id: string }>(
        `update links l set state = 'sending', failure_code = null, failure_reason = null,
           -- the first one: what was there before we ever touched it
           before_image = coalesce(l.before_image, nullif(p.before_image, '')::jsonb)
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
           as p (sync_id, entity_type, source_id, version, before_image, applied_version, mirror_sync, mirror_id)
         where l.sync_id = p.sync_id and l.entity_type = p.entity_type and l.source_id = p.source_id
           and l.state = 'ready' and l.desired_version = p.version
           -- planned on top of what is applied now; the opposite sync may have moved that
           and coalesce(l.applied_version, '-') = p.applied_version
           and (p.mirror_sync = '' or not exists (select from links m where m.sync_id = nullif(p.mirror_sync, '')::uuid
             and m.entity_type = p.entity_type and m.source_id = p.mirror_id and m.state in ('sending', 'uncertain')))
           -- paused since it was chosen
           and l.sync_id in (select id from syncs where target_realm_id = $9 and state = 'active')
         returning l.sync_id, l.entity_type, l.source_id`,
        [
          ...keyArrays(sorted.map((p) => p.key)),
          sorted.map((p) => p.version),
          sorted.map((p) => (p.beforeImage === undefined ? '' : JSON.stringify(p.beforeImage))),
          sorted.map((p) => p.appliedVersion ?? '-'),
          sorted.map((p) => p.mirror?.syncId ?? ''),
          sorted.map((p) => p.mirror?.sourceId ?? ''),
          realmId,
        ],
      );
      const claimed = new Set(
        rows.map((r) => keyText({ syncId: r.sync_id, entityType: r.entity_type, sourceId: r.source_id })),
      );
      const members = planned.filter((p) => claimed.has(keyText(p.key)));
      if (members.length === 0) return undefined;
      const call = compose(members);
      await insertCall(tx, call, fence, at);
      return call;
    });
  }

  /** Calls of which the end is not known, oldest first: after a crash, and after an answer that was lost. */
  async openCalls(realmId: string): Promise<OpenCall[]> {
    const rows = await this.db.query<{
      id: string;
      request_id: string;
      kind: 'single' | 'batch';
      state: 'claimed' | 'unknown';
      fence: string;
      sends: number;
      claimed_at: Date;
      due_at: Date | null;
      attempts: AttemptRecord[];
      settled: number[];
    }>(
      `select c.id, c.request_id, c.kind, c.state, c.fence, c.sends, c.claimed_at, max(l.due_at) filter (where a.outcome is null) as due_at,
         json_agg(json_build_object('syncId', a.sync_id, 'entityType', a.entity_type, 'sourceId', a.source_id,
           'operation', a.operation, 'requestId', a.request_id, 'version', a.version, 'desiredHash', a.desired_hash,
           'generation', a.generation, 'body', a.body, 'applied', a.applied, 'deferred', a.deferred,
           'partial', a.partial, 'told', a.told) order by a.position) as attempts,
         coalesce(array_agg(a.position::int) filter (where a.outcome is not null), '{}') as settled
       from calls c join attempts a on a.call_id = c.id
         left join links l on l.sync_id = a.sync_id and l.entity_type = a.entity_type and l.source_id = a.source_id
       where c.target_realm_id = $1 and c.state in ('claimed', 'unknown')
       group by c.id order by c.claimed_at`,
      [realmId],
    );
    return rows.map((r) => ({
      id: r.id,
      targetRealmId: realmId,
      requestId: r.request_id,
      kind: r.kind,
      state: r.state,
      fence: BigInt(r.fence),
      sends: r.sends,
      claimedAt: r.claimed_at,
      dueAt: r.due_at ?? r.claimed_at,
      attempts: r.attempts.map((a) => ({ ...a, applied: a.applied ?? undefined, told: a.told ?? undefined })),
      settled: r.settled,
    }));
  }

  /** Notes that a call goes out (again) under this fence. False: it was settled meanwhile. @throws FenceLost */
  async noteSend(realmId: string, fence: bigint, callId: string): Promise<boolean> {
    return this.db.withTransaction(async (tx) => {
      await assertFence(tx, realmId, fence);
      const rows = await tx.query(
        `update calls set sends = sends + 1, fence = $2 where id = $1 and state in ('claimed', 'unknown') and fence <= $2 returning id`,
        [callId, String(fence)],
      );
      return rows.length === 1;
    });
  }

  /**
   * Decides about links on their rows under lock and writes everything that follows in one transaction: links, the end of
   * the call, its attempts, who wakes, what is announced. Undefined when another writer settled the call before, or when
   * `settings`, versions by sync, are no longer what the syncs say: then nothing was decided.
   * @throws FenceLost
   */
  async decide(
    realmId: string,
    fence: bigint,
    keys: readonly LinkKey[],
    at: Date,
    decision: (links: StoredLink[]) => Decided,
    callId?: string,
    mirrors: readonly MirrorPlace[] = [],
    settings: ReadonlyMap<string, number> = new Map(),
  ): Promise<{ woken: number; changes: LinkChange[] } | undefined> {
    return this.db.withTransaction(async (tx) => {
      await assertFence(tx, realmId, fence);
      if (!(await settingsStand(tx, settings))) return undefined;
      if (callId !== undefined) {
        const open = await tx.query(`select from calls where id = $1 and state in ('claimed', 'unknown') for update`, [
          callId,
        ]);
        if (open.length === 0) return undefined;
      }
      const rows = await this.lockWithMirrors(tx, keys, mirrors, at);
      const { changes: own, call, mirrors: mirrored = [] } = decision(rows.map(storedLink));
      await writeMirrors(tx, mirrored, at);
      const changes = [...own, ...mirrored];
      await writeChanges(tx, changes, at);
      if (call) await writeCallEnd(tx, call, at);
      await reanchorFiles(tx, rows, changes, at);
      const woken = await wakeWaiters(tx, changes, at);
      await this.outbox.addAll(
        tx,
        changes.flatMap((change) => (change.announce ? [change.announce] : [])),
      );
      if (call) await failpoint('writer.settling');
      return { woken, changes };
    });
  }

  /**
   * Makes links wait for parents. The parents' rows are locked first: a parent that settles at this moment either is seen
   * as applied here, or sees this link waiting. A link whose parents turn out to be applied stays ready.
   * @throws FenceLost
   */
  async park(
    realmId: string,
    fence: bigint,
    waits: readonly { key: LinkKey; version: string; on: readonly string[] }[],
    at: Date,
  ): Promise<void> {
    if (waits.length === 0) return;
    await this.db.withTransaction(async (tx) => {
      await assertFence(tx, realmId, fence);
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
      await explainWaits(
        tx,
        realmId,
        sorted.map((w) => w.key),
      );
    });
  }

  /**
   * The safety net under the wakes: a link whose parents are all applied becomes ready, and every other waiting link says
   * what it waits for and why that does not come. Level-triggered, so a lost wake costs one interval and nothing else.
   */
  async recheckWaiting(
    realmId: string,
    fence: bigint,
    at: Date,
    announceHeld: (held: StoredLink[]) => OutboxRecord[] = () => [],
  ): Promise<number> {
    return this.db.withTransaction(async (tx) => {
      await assertFence(tx, realmId, fence);
      const rows = await tx.query(
        `update links l set state = 'ready', waiting_on = '{}', due_at = $2, failure_code = null, failure_reason = null
         where l.target_realm_id = $1 and ${isWaiting} and not exists (
           select from unnest(l.waiting_on) as name where case when name like 'release:%'
             -- who holds it frozen has nothing left to do, or has let it go
             then exists (select from links p where ${isParentNamed} and not p.target_deleted and p.state <> 'settled'
               and not p.waiting_on @> array[l.entity_type || '/' || l.source_id])
             else not exists (select from links p where ${isParentNamed} and p.target_id is not null
               and p.applied_version is not null and not p.target_deleted) end)
         returning l.sync_id`,
        [realmId, at],
      );
      await explainWaits(tx, realmId);
      await this.outbox.addAll(tx, announceHeld(await holdEndlessWaits(tx, realmId, at)));
      return rows.length;
    });
  }

  /** Links of these types that hold a record of the target frozen, as far as we wrote them (core: frozen.ts). */
  async holdersOf(syncId: string, holderTypes: readonly string[], targetId: string): Promise<LinkKey[]> {
    const rows = await this.db.query<{ entity_type: string; source_id: string }>(
      `select entity_type, source_id from links where sync_id = $1 and entity_type = any($2) and not target_deleted
         and jsonb_path_exists(applied_payload, '$.Line[*].LinkedTxn[*] ? (@.TxnId == $id)', jsonb_build_object('id', $3::text))`,
      [syncId, holderTypes, targetId],
    );
    return rows.map((r) => ({ syncId, entityType: r.entity_type, sourceId: r.source_id }));
  }

  /** What these records refer to and we put to rest in the target (core: asleep.ts), by `syncId/type/id`. */
  async restingParents(keys: readonly LinkKey[]): Promise<Map<string, LinkKey[]>> {
    const parents = new Map<string, LinkKey[]>();
    if (keys.length === 0) return parents;
    const rows = await this.db.query<
      Record<'sync_id' | 'child_type' | 'child_id' | 'entity_type' | 'source_id', string>
    >(
      `select distinct l.sync_id, l.entity_type as child_type, l.source_id as child_id, p.entity_type, p.source_id
       from links l
         cross join lateral jsonb_to_recordset(l.desired_references) as r ("entityType" text, "sourceId" text)
         left join links m on m.sync_id = l.sync_id and m.entity_type = r."entityType" and m.source_id = r."sourceId"
         join links p on p.sync_id = l.sync_id and p.entity_type = r."entityType"
           -- a merged name is bound to the one it became
           and p.source_id = coalesce(m.merged_into, r."sourceId")
       where (l.sync_id, l.entity_type, l.source_id) in (select * from ${keysTable})
         and p.applied_payload @> any($4::jsonb[]) and not p.target_deleted`,
      [...keyArrays(keys), restsKnown.map(({ field, value }) => JSON.stringify({ [field]: value }))],
    );
    for (const { sync_id: syncId, child_type, child_id, entity_type: entityType, source_id: sourceId } of rows) {
      const child = keyText({ syncId, entityType: child_type, sourceId: child_id });
      parents.set(child, [...(parents.get(child) ?? []), { syncId, entityType, sourceId }]);
    }
    return parents;
  }

  /** Who waits for each of these records to let it go. */
  async waitingForRelease(keys: readonly LinkKey[]): Promise<Map<string, { type: string; sourceId: string }[]>> {
    const waiters = new Map<string, { type: string; sourceId: string }[]>();
    if (keys.length === 0) return waiters;
    const rows = await this.db.query<{ sync_id: string; entity_type: string; source_id: string; waiting_on: string[] }>(
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

  /** The company's grant is gone: what could be sent is held, each row saying so. Answers how many. */
  async holdRealm(realmId: string, fence: bigint, reason: string): Promise<number> {
    return this.db.withTransaction(async (tx) => {
      await assertFence(tx, realmId, fence);
      const rows = await tx.query(
        `update links set state = 'held', failure_code = $2, failure_reason = $3
         where target_realm_id = $1 and state in ('ready', 'backoff') returning sync_id`,
        [realmId, reconnectNeeded, reason],
      );
      return rows.length;
    });
  }

  /** And goes on: what was held for that reason is ready again. */
  async releaseRealm(realmId: string, at: Date): Promise<number> {
    const rows = await this.db.query(
      `update links set state = 'ready', due_at = $3, failure_code = null, failure_reason = null
       where target_realm_id = $1 and state = 'held' and failure_code = $2 returning sync_id`,
      [realmId, reconnectNeeded, at],
    );
    return rows.length;
  }

  /** Links of a realm that are held for one of these reasons. */
  async heldFor(realmId: string, codes: readonly string[], limit: number): Promise<StoredLink[]> {
    const rows = await this.db.query<LinkRecord>(
      `select ${columns} from links where target_realm_id = $1 and state = 'held' and failure_code = any($2)
       order by due_at limit $3`,
      [realmId, codes, limit],
    );
    return rows.map(storedLink);
  }

  /**
   * Of these names, those that something of the given types on its way may still need active: what refers to the name, and
   * any bulk work, since a backfill's next record may refer to it. Only what still moves counts. A wait for a record nobody
   * has heard of is none but for the name itself: it may never end, and other names must not stay active for it.
   */
  async stillNeeded(keys: readonly LinkKey[], types: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const rows = await this.db.query<{ sync_id: string; entity_type: string; source_id: string }>(
      `select k.sync_id, k.entity_type, k.source_id from ${keysTable} as k (sync_id, entity_type, source_id)
       where exists (
         select from links l where l.sync_id = k.sync_id and l.entity_type = any($4)
           and l.state in ('ready', 'sending', 'waiting', 'backoff', 'uncertain')
           and (l.lane = 'bulk' and (l.state <> 'waiting' or l.failure_code is distinct from 'PARENT.UNKNOWN')
             or l.desired_references @> jsonb_build_array(jsonb_build_object('entityType', k.entity_type, 'sourceId', k.source_id))))`,
      [...keyArrays(keys), types],
    );
    return new Set(rows.map((r) => keyText({ syncId: r.sync_id, entityType: r.entity_type, sourceId: r.source_id })));
  }

  /** Age of the oldest work that could be done now, in ms, per lane. */
  async runnableAge(at: Date): Promise<{ lane: Lane; ageMs: number; count: number }[]> {
    const rows = await this.db.query<{ lane: Lane; oldest: Date; count: number }>(
      `select lane, min(due_at) as oldest, count(*)::int as count from links
       where state = 'ready' and sync_id in (select id from syncs where state = 'active') group by lane`,
    );
    return rows.map((r) => ({ lane: r.lane, ageMs: Math.max(0, at.getTime() - r.oldest.getTime()), count: r.count }));
  }

  /**
   * Mirrors that are not there yet are made first, empty, so that they can be locked and decided about like the others. Sync
   * by sync, in the order in which every transaction takes its locks.
   */
  private async lockWithMirrors(
    tx: Tx,
    keys: readonly LinkKey[],
    mirrors: readonly MirrorPlace[],
    at: Date,
  ): Promise<LinkRecord[]> {
    if (mirrors.length === 0) return this.lock(tx, keys);
    const all = [...keys, ...mirrors];
    const rows: LinkRecord[] = [];
    for (const syncId of [...new Set(all.map((key) => key.syncId))].sort()) {
      await makePlaces(
        tx,
        mirrors.filter((place) => place.syncId === syncId),
        at,
      );
      rows.push(
        ...(await this.lock(
          tx,
          all.filter((key) => key.syncId === syncId),
        )),
      );
    }
    return rows;
  }

  /** Since when a call of each of these syncs that may be creating a record of the type has no end, by `syncId/type`. */
  async openCreations(syncIds: readonly string[], types: readonly string[]): Promise<Map<string, Date>> {
    const rows = await this.db.query<{ sync_id: string; entity_type: string; since: Date }>(
      `select a.sync_id, a.entity_type, min(c.claimed_at) as since
       from calls c join attempts a on a.call_id = c.id
       where c.state in ('claimed', 'unknown') and a.outcome is null and a.operation = 'create'
         and a.sync_id = any($1::uuid[]) and a.entity_type = any($2)
       group by 1, 2`,
      [syncIds, types],
    );
    return new Map(rows.map((r) => [`${r.sync_id}/${r.entity_type}`, r.since]));
  }

  dueSweeps(realmId: string, at: Date): Promise<DueSweep[]> {
    return dueSweeps(this.db, realmId, at);
  }

  sweepDone(syncId: string, report: SweepReport, nextAt: Date): Promise<void> {
    return sweepDone(this.db, syncId, report, nextAt);
  }

  sweepLater(syncId: string, nextAt: Date): Promise<void> {
    return sweepLater(this.db, syncId, nextAt);
  }

  writtenCounts(syncId: string): Promise<Map<string, number>> {
    return writtenCounts(this.db, syncId);
  }

  /** Types of which a sync has written records. */
  async writtenTypes(syncId: string): Promise<string[]> {
    const rows = await this.db.query<{ entity_type: string }>(
      'select distinct entity_type from links where sync_id = $1 and target_id is not null order by 1',
      [syncId],
    );
    return rows.map((row) => row.entity_type);
  }

  /** Target ids of a type that should be there. */
  async writtenIds(syncId: string, entityType: string): Promise<string[]> {
    const rows = await this.db.query<{ target_id: string }>(
      `select target_id from links where sync_id = $1 and entity_type = $2 and state = 'settled'
         and target_id is not null and not target_deleted`,
      [syncId, entityType],
    );
    return rows.map((row) => row.target_id);
  }

  async byTarget(syncId: string, entityType: string, targetIds: readonly string[]): Promise<StoredLink[]> {
    const rows = await this.db.query<LinkRecord>(
      `select ${columns} from links where sync_id = $1 and entity_type = $2 and target_id = any($3)`,
      [syncId, entityType, targetIds],
    );
    return rows.map(storedLink);
  }

  /** Own rows and everybody who waits for them, locked in key order. */
  private async lock(tx: Tx, keys: readonly LinkKey[]): Promise<LinkRecord[]> {
    const names = keys.flatMap((key) => [waitName(key), releaseName(waitName(key))]);
    await tx.query(
      `select from links where (sync_id, entity_type, source_id) in (
         select * from ${keysTable}
         union
         select l.sync_id, l.entity_type, l.source_id from links l
         where ${isWaiting} and l.waiting_on && $4::text[] and l.sync_id = any($1::uuid[]))
       order by sync_id, entity_type, source_id for update`,
      [...keyArrays(keys), names],
    );
    return tx.query<LinkRecord>(
      `select ${columns} from links where (sync_id, entity_type, source_id) in (select * from ${keysTable})`,
      keyArrays(keys),
    );
  }
}

/**
 * Said before the rows are written and in one order, so that two batches about the same companies cannot block each other
 * through the triggers; and told in any case: a loop whose calls are on their way hears of live work at once.
 */
async function tellWork(tx: Tx, desired: readonly DesiredLink[], at: Date): Promise<void> {
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

async function takeIn(tx: Tx, newest: readonly DesiredLink[], at: Date): Promise<Taken[]> {
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
async function repoint(tx: Tx, { syncId, entityType, sourceId }: DesiredLink, at: Date): Promise<void> {
  await tx.query(
    // Another hash than the one applied, or on its way to be: whatever the state, there is more to do.
    `update links set desired_hash = 'merged:' || desired_hash, due_at = case when state = 'settled' then $4 else due_at end,
       state = case when state = 'settled' then 'ready' else state end
     where sync_id = $1 and desired_op in ('upsert', 'void')
       and desired_references @> jsonb_build_array(jsonb_build_object('entityType', $2::text, 'sourceId', $3::text))`,
    [syncId, entityType, sourceId, at],
  );
}

/**
 * Intake of one sync and a settling that moves its mirrors (opposite syncs) may wait for each other; PostgreSQL ends one of
 * them, and nothing of it has happened. A redelivered batch would do as well; this is sooner.
 */
async function againAfterDeadlock<T>(work: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as { code?: unknown }).code !== '40P01' || tries <= 1) throw error;
    return againAfterDeadlock(work, tries - 1);
  }
}

function newestOfEach(desired: readonly DesiredLink[]): DesiredLink[] {
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
 * Without locking the lease's row, unlike RealmLeases.assertFence: several settlings a second, each holding it, starved the
 * renewal of that very lease. What can slip through is a transaction that began under the old owner and ends under the new
 * one; row states and the state of the call guard it, and the new owner looks for open calls again and again.
 * @throws FenceLost
 */
async function assertFence(tx: Tx, realmId: string, fence: bigint): Promise<void> {
  const held = await tx.query(
    `select from realm_leases where realm_id = $1 and purpose = 'writer' and fence = $2 and expires_at > clock_timestamp()`,
    [realmId, String(fence)],
  );
  if (held.length === 0) throw new FenceLost(realmId, 'writer', fence);
}

function parentKey(syncId: string, name: string): LinkKey {
  const slash = name.indexOf('/');
  return { syncId, entityType: name.slice(0, slash), sourceId: name.slice(slash + 1) };
}

async function insertCall(tx: Tx, call: CallRecord, fence: bigint, at: Date): Promise<void> {
  // sends counts this first send too: the call follows the commit at once, and a crash in between must count as sent.
  await tx.query(
    `insert into calls (id, target_realm_id, request_id, kind, fence, state, sends, claimed_at) values ($1, $2, $3, $4, $5, 'claimed', 1, $6)`,
    [call.id, call.targetRealmId, call.requestId, call.kind, String(fence), at],
  );
  await tx.query(
    `insert into attempts (call_id, position, sync_id, entity_type, source_id, operation, request_id, version, desired_hash, generation, body, applied, deferred, partial, told)
     select $1, position - 1, "syncId", "entityType", "sourceId", operation, "requestId", version, "desiredHash", generation, body,
       applied, array(select jsonb_array_elements_text(deferred)), partial, told
     from rows from (jsonb_to_recordset($2::jsonb) as ("syncId" uuid, "entityType" text, "sourceId" text, operation text,
       "requestId" text, version text, "desiredHash" text, generation int, body text, applied jsonb, deferred jsonb,
       partial boolean, told jsonb)) with ordinality
       as a ("syncId", "entityType", "sourceId", operation, "requestId", version, "desiredHash", generation, body, applied,
         deferred, partial, told, position)`,
    [call.id, JSON.stringify(call.attempts)],
  );
}

async function writeChanges(tx: Tx, changes: readonly LinkChange[], at: Date): Promise<void> {
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
  }));
  await tx.query(
    `update links l set state = c.state, due_at = c."dueAt", failure_code = c.code, failure_reason = c.reason,
       waiting_on = array(select jsonb_array_elements_text(c."waitingOn")), attempts = c.attempts,
       applied_version = c."appliedVersion", applied_hash = c."appliedHash", applied_payload = c."appliedPayload",
       target_id = c."targetId", target_sync_token = c."targetSyncToken", target_deleted = c."targetDeleted",
       -- the first one: what was there before we ever touched it
       before_image = coalesce(l.before_image, c."beforeImage"),
       differences = case when c.differences is null then l.differences else nullif(c.differences, '[]') end,
       settled_at = case when c.state = 'settled' then $2 else l.settled_at end
     from jsonb_to_recordset($1::jsonb) as c ("syncId" uuid, "entityType" text, "sourceId" text, state text, "waitingOn" jsonb,
       "dueAt" timestamptz, code text, reason text, attempts int, "appliedVersion" text, "appliedHash" text,
       "appliedPayload" jsonb, "targetId" text, "targetSyncToken" text, "targetDeleted" boolean, "beforeImage" jsonb, differences jsonb)
     where l.sync_id = c."syncId" and l.entity_type = c."entityType" and l.source_id = c."sourceId"`,
    [JSON.stringify(rows), at],
  );
}

/**
 * A record that was made again has another id in the target: files that hung on the old one hang on nothing. They have work
 * again; the plan of a file finds the new id.
 */
async function reanchorFiles(
  tx: Tx,
  before: readonly LinkRecord[],
  changes: readonly LinkChange[],
  at: Date,
): Promise<void> {
  const known = new Map(
    before.map((row) => [keyText({ syncId: row.sync_id, entityType: row.entity_type, sourceId: row.source_id }), row]),
  );
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

async function writeCallEnd(tx: Tx, call: CallEnd, at: Date): Promise<void> {
  await tx.query(
    `update calls set state = $2, http_status = $3, tid = $4, answered_at = case when $2 = 'unknown' then null else $5::timestamptz end where id = $1`,
    [call.id, call.state, call.httpStatus ?? null, call.tid ?? null, at],
  );
  await tx.query(
    `update attempts a set outcome = e.outcome, code = e.code, reason = e.reason
     from jsonb_to_recordset($2::jsonb) as e (position smallint, outcome text, code text, reason text)
     where a.call_id = $1 and a.position = e.position`,
    [call.id, JSON.stringify(call.attempts)],
  );
}

async function wakeWaiters(tx: Tx, changes: readonly LinkChange[], at: Date): Promise<number> {
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
 * Links that wait for each other: two, or a ring of at most six, which is longer than any chain of types QuickBooks has. Among
 * waiting links whose parents wait too, which are few even in a storm of children.
 */
const rings = `with recursive edge as (
    select l.sync_id, l.entity_type || '/' || l.source_id as child, name as parent
    from links l cross join lateral unnest(l.waiting_on) as name
    where l.target_realm_id = $1 and ${isWaiting} and name not like 'release:%'
      and exists (select from links p where ${isParentNamed} and p.waiting_on <> '{}')
  ), walk (sync_id, start, here, steps) as (
    select sync_id, child, parent, 1 from edge
    union
    select w.sync_id, w.start, e.parent, w.steps + 1
    from walk w join edge e on e.sync_id = w.sync_id and e.child = w.here where w.steps < 6 and w.here <> w.start
  ), ring as (select distinct sync_id, start as name from walk where here = start)`;
const noRings = `with ring as (select null::uuid as sync_id, null::text as name where false)`;
const inRing = (link: string): string =>
  `exists (select from ring r where r.sync_id = ${link}.sync_id and r.name = ${link}.entity_type || '/' || ${link}.source_id)`;

/** Says on each waiting link what it waits for. Without keys: on all of a realm. */
async function explainWaits(tx: Tx, realmId: string, keys?: readonly LinkKey[]): Promise<void> {
  const narrowed =
    keys === undefined
      ? ''
      : `and (l.sync_id, l.entity_type, l.source_id) in (select * from unnest($2::uuid[], $3::text[], $4::text[]))`;
  await tx.query(
    // Rings are looked for where everything is looked at; a ring that closes just now can wait for that.
    `${keys === undefined ? rings : noRings}
     update links l set failure_code = why.code, failure_reason = why.reason
     from (
       select distinct on (l.sync_id, l.entity_type, l.source_id) l.sync_id, l.entity_type, l.source_id,
         case when p.sync_id is null then 'PARENT.UNKNOWN'
              when ${inRing('l')} and ${inRing('p')} then 'PARENT.RING'
              when p.desired_op = 'exclude' and (p.target_id is null or p.target_deleted) then 'PARENT.EXCLUDED'
              when p.state = 'failed' then 'PARENT.FAILED'
              -- a connection comes back for all at once; nobody needs to look at each child
              when p.state = 'held' and p.failure_code = '${reconnectNeeded}' then 'PARENT.PENDING'
              when p.state = 'held' then 'PARENT.HELD' when p.target_deleted or p.desired_op = 'delete' then 'PARENT.REMOVED'
              else 'PARENT.PENDING' end as code,
         'waits for ' || replace(regexp_replace(name, '^release:', ''), '/', ' ')
           || case when name like 'release:%' then ' to let it go' else '' end || case
           when p.sync_id is null then ', which has not arrived'
           when ${inRing('l')} and ${inRing('p')} then ', which waits for it'
           when p.desired_op = 'exclude' and (p.target_id is null or p.target_deleted)
             then ', which the mapping leaves out: ' || coalesce(p.exclusion, 'excluded')
           when p.state in ('failed', 'held') then ', which is ' || p.state || ': ' || coalesce(p.failure_reason, '')
           when p.target_deleted or p.desired_op = 'delete' then ', which is removed'
           else ', which is ' || p.state end as reason
       from links l cross join lateral unnest(l.waiting_on) as name
         left join links p on ${isParentNamed}
       where l.target_realm_id = $1 and ${isWaiting} ${narrowed}
       -- the reason that asks for a person comes first
       order by l.sync_id, l.entity_type, l.source_id, (p.state in ('failed', 'held')) desc nulls last, p.sync_id is null desc
     ) why
     where l.sync_id = why.sync_id and l.entity_type = why.entity_type and l.source_id = why.source_id
       and (l.failure_code, l.failure_reason) is distinct from (why.code, why.reason)`,
    keys === undefined ? [realmId] : [realmId, ...keyArrays(keys)],
  );
}

/**
 * A wait that does not end by itself is held, with the parent as the reason, and goes back to waiting when the parent is on
 * its way again (core: waits.ts). Answers the links that became held.
 */
async function holdEndlessWaits(tx: Tx, realmId: string, at: Date): Promise<StoredLink[]> {
  const patience = Object.entries(waitPatienceMs).filter(([, ms]) => Number.isFinite(ms));
  await tx.query(
    `update links l set state = 'waiting' where l.target_realm_id = $1 and l.state = 'held' and l.failure_code like 'PARENT.%'
       and l.failure_code <> all($2::text[])`,
    [realmId, patience.map(([code]) => code)],
  );
  const rows = await tx.query<LinkRecord>(
    `update links l set state = 'held' from unnest($2::text[], $3::bigint[]) as w (code, patience_ms)
     where l.target_realm_id = $1 and l.state = 'waiting' and l.failure_code = w.code
       and l.due_at <= $4::timestamptz - w.patience_ms * interval '1 millisecond'
     returning ${columns
       .split(',')
       .map((column) => `l.${column.trim()}`)
       .join(', ')}`,
    [realmId, patience.map(([code]) => code), patience.map(([, ms]) => ms), at],
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
