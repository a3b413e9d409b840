// The store of links, the writer's work list: what each target record should be, what it is, and why it is not yet. Its parts:
// intake.ts (what should be), calls.ts, changes.ts (what a decision writes), waits.ts, mirrors.ts (opposite syncs), sweeps.ts.
// Promises: a newer desired version wins whatever the order of arrival; a link is claimed together with the written-down
// call or not at all; one transaction settles a call, wakes who waited and announces the outcome; every change by a writer
// carries the fence of its lease. Decisions are made by the caller (libs/core) on rows read under lock.
import { failpoint } from '#common/failpoints';
import { Injectable } from '@nestjs/common';
import { releaseName, restsKnown, typesInRankOrder } from '#core';
import { settingsStand } from '../configuration/settings-versions.js';
import { Database } from '../database.js';
import type { Tx } from '../database.js';
import { FenceLost } from '../leases/realm-leases.js';
import { Outbox, type OutboxRecord } from '../outbox/outbox.js';
import {
  insertCall,
  openCalls,
  openCreations,
  writeCallEnd,
  type CallEnd,
  type CallRecord,
  type OpenCall,
} from './calls.js';
import { letCollisionsGo, reanchorFiles, writeChanges, type LinkChange } from './changes.js';
import {
  againAfterDeadlock,
  newestOfEach,
  newsOf,
  repoint,
  takeIn,
  tellWork,
  type DesiredLink,
  type Taken,
  type Told,
} from './intake.js';
import { compareKeys, keyArrays, keysTable, keyText } from './keys.js';
import {
  lockPairs,
  makePlaces,
  writeMirrors,
  type MirrorChange,
  type MirrorPlace,
  type PlannedRow,
} from './mirrors.js';
import { columns, storedLink, waitName, type Lane, type LinkKey, type LinkRecord, type StoredLink } from './row.js';
import { beingRead, enteredBefore, wakeReceipts, type ReceiptToMake } from './stock.js';
import { rollbackFacts, type StoredRollbackFacts } from './rollbacks.js';
import {
  dueSweeps,
  sweepDone,
  sweepLater,
  sweptAlone,
  writtenCounts,
  type DueSweep,
  type SweepReport,
} from './sweeps.js';
import {
  explainWaits,
  holdEndlessWaits,
  isWaiting,
  parkOn,
  reconnectNeeded,
  waitingForRelease,
  waitsAfter,
  waitsInPage,
  wakeApplied,
  wakeWaiters,
  type Wait,
} from './waits.js';

export interface Decided {
  changes: LinkChange[];
  call?: CallEnd;
  /** links of opposite syncs that follow; only of keys that were named as `mirrors` */
  mirrors?: MirrorChange[];
}

/** A sync that is taken back carries nothing any more but what takes it back. */
const carrying = `state = 'active' and rollback_began_at is null`;

/** So many of those who wait are asked what they wait for: some hundred names, which is a minute's work one at a time. */
const firstWaiters = 200;
const everyType = typesInRankOrder().map((one) => one.type);

@Injectable()
export class Links {
  private readonly outbox = new Outbox();
  /** most of what was told last was known */
  private repeats = false;

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
    const all = newestOfEach(desired);
    const newest = this.repeats ? await newsOf(this.db, all) : all;
    const taken = newest.length === 0 ? [] : await this.takeIn(newest, at, announce);
    this.repeats = taken.length < all.length / 2;
    return taken;
  }

  /** Of what could be told of records, in its order, what `intake` would take in. */
  newsOf<T extends Told>(told: readonly T[]): Promise<T[]> {
    return told.length === 0 ? Promise.resolve([]) : newsOf(this.db, told);
  }

  private takeIn(
    newest: readonly DesiredLink[],
    at: Date,
    announce: (failed: DesiredLink[]) => OutboxRecord[],
  ): Promise<Taken[]> {
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
   * source's order of entry, by which QuickBooks costs the stock of one day. Only active syncs; of one that is
   * taken back what has its turn (migration rollbacks); of one lane when it is named,
   * and without what the caller has in hand. Reads no more rows than it was asked for (migration pick-by-type).
   */
  async pick(
    realmId: string,
    types: readonly string[],
    limit: number,
    { lane, except = [] }: { lane?: Lane; except?: readonly LinkKey[] } = {},
  ): Promise<StoredLink[]> {
    const rows = await this.db.query<LinkRecord>(
      `select ${columns} from pick_links($1, 'ready', $2, $3, $4, $5, $6, $7)`,
      [realmId, lane === undefined ? ['live', 'bulk'] : [lane], types, limit, ...keyArrays(except)],
    );
    return rows.map(storedLink);
  }

  /**
   * Of the ready work of the given types, what the first of those who wait are waiting for, in their order: with names one at a
   * time, transactions begin when their own names are there and not when all of a company's are. The others follow as in `pick`.
   * Live names that do not all fit: half of them are those that have been ready for longest, whatever their type. An edit of an
   * item waited for minutes behind new customers and what new documents waited for, while its company had a backlog.
   */
  async pickAwaited(
    realmId: string,
    types: readonly string[],
    limit: number,
    { lane, except = [] }: { lane: Lane; except?: readonly LinkKey[] },
  ): Promise<StoredLink[]> {
    const inOrder = await this.pick(realmId, types, limit, { lane, except });
    // For most of a migration there is no name left: nobody need be asked what they wait for.
    if (inOrder.length === 0) return [];
    const rows = await this.db.query<LinkRecord>(
      `with first as (
         select sync_id, waiting_on, ordinality as place
         from pick_links($1, 'waiting', '{live,bulk}', $8, ${firstWaiters}, '{}', '{}', '{}') with ordinality
       ), awaited as (
         select sync_id, split_part(name, '/', 1) as entity_type, split_part(name, '/', 2) as source_id, min(place) as place
         from first cross join lateral unnest(waiting_on) as name group by 1, 2, 3
       )
       select ${columns} from awaited a join links l using (sync_id, entity_type, source_id)
       where target_realm_id = $1 and state = 'ready' and lane = $4 and entity_type = any($2)
         and sync_id in (select id from syncs where target_realm_id = $1 and ${carrying})
         and not exists (select from unnest($5::uuid[], $6::text[], $7::text[]) as h (sync_id, entity_type, source_id)
                         where h.sync_id = l.sync_id and h.entity_type = l.entity_type and h.source_id = l.source_id)
       order by a.place limit $3`,
      [realmId, types, limit, lane, ...keyArrays(except), everyType],
    );
    const longest =
      lane === 'live' && inOrder.length === limit ? await this.pickOldest(realmId, types, limit, except) : [];
    const chosen = new Map<string, StoredLink>();
    for (const one of [...longest.slice(0, Math.ceil(limit / 2)), ...rows.map(storedLink), ...inOrder])
      if (!chosen.has(keyText(one))) chosen.set(keyText(one), one);
    return [...chosen.values()].slice(0, limit);
  }

  /** Live work of these types, ready for longest first. */
  private async pickOldest(
    realmId: string,
    types: readonly string[],
    limit: number,
    except: readonly LinkKey[],
  ): Promise<StoredLink[]> {
    const rows = await this.db.query<LinkRecord>(
      `select ${columns} from unnest($2::text[]) as its_type
         cross join lateral pick_links($1, 'ready', '{live}', array[its_type], $3, $4, $5, $6)
       order by due_at limit $3`,
      [realmId, types, limit, ...keyArrays(except)],
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

  /** Links of a sync whose copies these are, `Type/id` of the target each. */
  async ofCopies(syncId: string, targetRealmId: string, copies: readonly string[]): Promise<StoredLink[]> {
    const names = copies.map((copy) => copy.split('/') as [string, string]);
    const rows = await this.db.query<LinkRecord>(
      `select ${columns} from links where sync_id = $1 and target_realm_id = $2
         and (entity_type, target_id) in (select * from unnest($3::text[], $4::text[]))`,
      [syncId, targetRealmId, names.map(([type]) => type), names.map(([, id]) => id)],
    );
    return rows.map(storedLink);
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
           and l.sync_id in (select id from syncs where target_realm_id = $9 and state = 'active'
             and (rollback_began_at is null or l.desired_op = 'rollback'))
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

  /**
   * Calls of which the end is not known, oldest first: after a crash, and after an answer that was lost.
   * @param except ids of calls that the caller has in hand
   */
  openCalls(realmId: string, except: readonly string[] = []): Promise<OpenCall[]> {
    return openCalls(this.db, realmId, except);
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
      await letCollisionsGo(tx, rows, changes, at);
      await wakeReceipts(tx, changes, at);
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
  async park(realmId: string, fence: bigint, waits: readonly Wait[], at: Date): Promise<void> {
    if (waits.length === 0) return;
    await this.db.withTransaction(async (tx) => {
      await assertFence(tx, realmId, fence);
      await parkOn(tx, waits, at);
      await explainWaits(
        tx,
        realmId,
        waits.map((w) => w.key),
        // One that closes just now is found by the next look at those who wait.
        { rings: false },
      );
    });
  }

  /**
   * The safety net under the wakes: a link whose parents are all applied becomes ready, and every other waiting link says
   * what it waits for and why that does not come. Level-triggered, so a lost wake costs one interval and nothing else. Looks at
   * one page of those who wait; `next`, when there are more, is where to go on.
   */
  async recheckWaiting(
    realmId: string,
    fence: bigint,
    at: Date,
    announceHeld: (held: StoredLink[]) => OutboxRecord[] = () => [],
    after?: LinkKey,
  ): Promise<{ woken: number; next: LinkKey | undefined }> {
    return this.db.withTransaction(async (tx) => {
      await assertFence(tx, realmId, fence);
      const keys = await waitsAfter(tx, realmId, after);
      const next = keys.length < waitsInPage ? undefined : keys.at(-1);
      if (keys.length === 0) return { woken: 0, next };
      const woken = await wakeApplied(tx, keys, at);
      await explainWaits(tx, realmId, keys, { rings: true });
      await this.outbox.addAll(tx, announceHeld(await holdEndlessWaits(tx, keys, at)));
      return { woken, next };
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
  waitingForRelease(keys: readonly LinkKey[]): Promise<Map<string, { type: string; sourceId: string }[]>> {
    return waitingForRelease(this.db, keys);
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

  /** What a rollback must know of these links, by key. */
  rollbackFacts(keys: readonly LinkKey[]): Promise<Map<string, StoredRollbackFacts>> {
    return rollbackFacts(this.db, keys);
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
  openCreations(syncIds: readonly string[], types: readonly string[]): Promise<Map<string, Date>> {
    return openCreations(this.db, syncIds, types);
  }

  enteredBefore(receipts: readonly ReceiptToMake[], types: readonly string[]): Promise<Map<string, LinkKey[]>> {
    return enteredBefore(this.db, receipts, types);
  }

  beingRead(syncIds: readonly string[], at: Date): ReturnType<typeof beingRead> {
    return beingRead(this.db, syncIds, at);
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
