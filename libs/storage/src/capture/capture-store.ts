// Capture in PostgreSQL: per source company what is desired (look_requested) and applied (look_done, cursor), and per
// source record what was last published. Publishing for one company is serialised by `publishing`, over all processes: in
// a compacted topic the last record wins, so an older state must never be appended after a newer one.
import { Injectable } from '@nestjs/common';
import type { Captured } from '#core';
import { Database } from '../database.js';
import type { Tx } from '../database.js';

export interface CaptureCursor {
  realmId: string;
  lookRequested: bigint;
  lookDone: bigint;
  cdcSince: Date;
  completeUpTo: Date | null;
  notifiedAt: Date | null;
  sweepDueAt: Date | null;
  failures: number;
}

export interface RecordKey {
  type: string;
  id: string;
}

/** A name of the source that became another one, or is gone without a word of where to (`mergedInto` undefined). */
export interface OpenMerge extends RecordKey {
  mergedInto: string | undefined;
  learnedAt: Date;
  /** what was published of it, if anything */
  captured: Captured | undefined;
}

/** A company whose changes are captured, or one we only know. */
export type RealmRole = 'source' | 'known' | 'unknown';

@Injectable()
export class CaptureStore {
  constructor(private readonly db: Database) {}

  async roleOf(realmId: string): Promise<RealmRole> {
    const [row] = await this.db.query<{ source: boolean }>(
      `select exists (select from capture_cursors c where c.realm_id = companies.realm_id) as source
       from companies where realm_id = $1`,
      [realmId],
    );
    return !row ? 'unknown' : row.source ? 'source' : 'known';
  }

  /** Marks companies as due; a realm without a cursor is none of ours to capture and is passed over. */
  async requestLooks(
    requests: readonly { realmId: string; notifiedAt: Date | null }[],
    dueAt: Date,
  ): Promise<string[]> {
    if (requests.length === 0) return [];
    // Ordered, so that two batches that raise the same companies cannot deadlock.
    const rows = await this.db.query<{ realm_id: string }>(
      `with asked as (
         select realm_id, count(*) as times, min(notified_at) as notified_at
         from unnest($1::text[], $2::timestamptz[]) as t (realm_id, notified_at) group by realm_id
       ), held as (
         select c.realm_id from capture_cursors c join asked using (realm_id) order by c.realm_id for update of c
       )
       update capture_cursors c
       set look_requested = c.look_requested + asked.times, due_at = least(c.due_at, $3),
           notified_at = least(c.notified_at, asked.notified_at)
       from asked join held using (realm_id) where c.realm_id = asked.realm_id
       returning c.realm_id`,
      [requests.map((r) => r.realmId), requests.map((r) => r.notifiedAt), dueAt],
    );
    return rows.map((row) => row.realm_id);
  }

  /** Companies to look at now, longest due first. A company that needs a person (reconnect) is left alone; nothing is lost. */
  async due(now: Date, limit: number, except: readonly string[] = []): Promise<string[]> {
    const rows = await this.db.query<{ realm_id: string }>(
      `select c.realm_id from capture_cursors c join companies co using (realm_id)
       where c.due_at <= $1 and co.status = 'connected' and c.realm_id <> all($3::text[])
       order by c.due_at limit $2`,
      [now, limit, except],
    );
    return rows.map((row) => row.realm_id);
  }

  async cursor(realmId: string): Promise<CaptureCursor | undefined> {
    const [row] = await this.db.query<
      Omit<CaptureCursor, 'lookRequested' | 'lookDone'> & Record<'lookRequested' | 'lookDone', string>
    >(
      `select realm_id as "realmId", look_requested as "lookRequested", look_done as "lookDone", cdc_since as "cdcSince",
              complete_up_to as "completeUpTo", notified_at as "notifiedAt", sweep_due_at as "sweepDueAt", failures
       from capture_cursors where realm_id = $1`,
      [realmId],
    );
    return row && { ...row, lookRequested: BigInt(row.lookRequested), lookDone: BigInt(row.lookDone) };
  }

  /** A look is done: cursor and watermark only rise. `dueAt` is asked with what was requested meanwhile. */
  async finishLook(
    tx: Tx,
    realmId: string,
    o: { lookDone: bigint; cdcSince: Date; dueAt: (requested: bigint) => Date },
  ): Promise<void> {
    const [row] = await tx.query<{ look_requested: string }>(
      'select look_requested from capture_cursors where realm_id = $1 for update',
      [realmId],
    );
    if (!row) return;
    await tx.query(
      `update capture_cursors
       set look_done = $2, cdc_since = greatest(cdc_since, $3), complete_up_to = greatest(complete_up_to, $3),
           due_at = $4, notified_at = case when look_requested <= $2 then null else notified_at end,
           failures = 0, last_error = null
       where realm_id = $1`,
      [realmId, String(o.lookDone), o.cdcSince, o.dueAt(BigInt(row.look_requested))],
    );
  }

  async failLook(realmId: string, error: string, dueAt: Date): Promise<void> {
    await this.db.query(
      'update capture_cursors set failures = failures + 1, last_error = $2, due_at = $3 where realm_id = $1',
      [realmId, error.slice(0, 1000), dueAt],
    );
  }

  async sweepDone(tx: Tx, realmId: string, dueAt: Date): Promise<void> {
    await tx.query('update capture_cursors set sweep_due_at = $2 where realm_id = $1', [realmId, dueAt]);
  }

  /** One publisher per company at a time; what `fn` writes is committed only if it resolves, i.e. after Kafka's ack. */
  async publishing<T>(realmId: string, fn: (tx: Tx) => Promise<T>): Promise<T> {
    return this.db.withTransaction(async (tx) => {
      await tx.query(
        `select pg_advisory_xact_lock(hashtextextended('capture of ' || current_schema() || '.' || $1, 0))`,
        [realmId],
      );
      return fn(tx);
    });
  }

  /** What was published of these records, by `type/id`. */
  async captured(tx: Tx, realmId: string, keys: readonly RecordKey[]): Promise<Map<string, Captured>> {
    if (keys.length === 0) return new Map();
    const rows = await tx.query<{
      entity_type: string;
      entity_id: string;
      version: string;
      content_hash: string;
      deleted: boolean;
    }>(
      `select e.entity_type, e.entity_id, e.version, e.content_hash, e.deleted
       from unnest($2::text[], $3::text[]) as k (type, id)
       join captured_entities e on e.realm_id = $1 and e.entity_type = k.type and e.entity_id = k.id`,
      [realmId, keys.map((key) => key.type), keys.map((key) => key.id)],
    );
    return new Map(
      rows.map((row) => [
        `${row.entity_type}/${row.entity_id}`,
        { version: row.version, contentHash: row.content_hash, deleted: row.deleted },
      ]),
    );
  }

  async record(tx: Tx, realmId: string, rows: readonly (RecordKey & { captured: Captured })[]): Promise<void> {
    if (rows.length === 0) return;
    await tx.query(
      `insert into captured_entities as known (realm_id, entity_type, entity_id, version, content_hash, deleted)
       select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[])
       on conflict (realm_id, entity_type, entity_id) do update
         set version = excluded.version, content_hash = excluded.content_hash, deleted = excluded.deleted
         where excluded.version > known.version`,
      [
        realmId,
        rows.map((row) => row.type),
        rows.map((row) => row.id),
        rows.map((row) => row.captured.version),
        rows.map((row) => row.captured.contentHash),
        rows.map((row) => row.captured.deleted),
      ],
    );
  }

  /** Ids of a type that were published and not deleted. */
  async livingIds(tx: Tx, realmId: string, type: string): Promise<Set<string>> {
    const rows = await tx.query<{ entity_id: string }>(
      'select entity_id from captured_entities where realm_id = $1 and entity_type = $2 and not deleted',
      [realmId, type],
    );
    return new Set(rows.map((row) => row.entity_id));
  }

  /** Merges that notifications told, for companies that are captured. Told twice is once; one that names another heir is news. */
  async noteMerges(merges: readonly (RecordKey & { realmId: string; mergedInto: string })[], at: Date): Promise<void> {
    if (merges.length === 0) return;
    const last = [...new Map(merges.map((one) => [`${one.realmId}/${one.type}/${one.id}`, one])).values()];
    await this.db.query(
      `insert into source_merges as known (realm_id, entity_type, entity_id, merged_into, learned_at)
       select m.realm_id, m.type, m.id, m.heir, $5
       from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as m (realm_id, type, id, heir)
       where exists (select from capture_cursors c where c.realm_id = m.realm_id)
       order by 1, 2, 3
       on conflict (realm_id, entity_type, entity_id) do update set merged_into = excluded.merged_into, told_at = null
         where known.merged_into is distinct from excluded.merged_into`,
      [last.map((m) => m.realmId), last.map((m) => m.type), last.map((m) => m.id), last.map((m) => m.mergedInto), at],
    );
  }

  /** Into which record each of these was merged, by `type/id`, as far as it is known. */
  async heirs(tx: Tx, realmId: string, keys: readonly RecordKey[]): Promise<Map<string, string>> {
    if (keys.length === 0) return new Map();
    const rows = await tx.query<{ entity_type: string; entity_id: string; merged_into: string }>(
      `select m.entity_type, m.entity_id, m.merged_into from unnest($2::text[], $3::text[]) as k (type, id)
       join source_merges m on m.realm_id = $1 and m.entity_type = k.type and m.entity_id = k.id
       where m.merged_into is not null`,
      [realmId, keys.map((key) => key.type), keys.map((key) => key.id)],
    );
    return new Map(rows.map((row) => [`${row.entity_type}/${row.entity_id}`, row.merged_into]));
  }

  /** Names that are gone although nobody deletes names: merged, and the notification has not come or is lost. */
  async suspectMerges(tx: Tx, realmId: string, keys: readonly RecordKey[], at: Date): Promise<void> {
    if (keys.length === 0) return;
    await tx.query(
      `insert into source_merges (realm_id, entity_type, entity_id, learned_at)
       select distinct $1, type, id, $4::timestamptz from unnest($2::text[], $3::text[]) as k (type, id)
       on conflict do nothing`,
      [realmId, keys.map((key) => key.type), keys.map((key) => key.id), at],
    );
  }

  async mergesTold(tx: Tx, realmId: string, keys: readonly RecordKey[], at: Date): Promise<void> {
    if (keys.length === 0) return;
    await tx.query(
      `update source_merges m set told_at = $4 from unnest($2::text[], $3::text[]) as k (type, id)
       where m.realm_id = $1 and m.entity_type = k.type and m.entity_id = k.id`,
      [realmId, keys.map((key) => key.type), keys.map((key) => key.id), at],
    );
  }

  /** Merges from which something still follows. */
  async openMerges(realmId: string): Promise<OpenMerge[]> {
    const rows = await this.db.query<{
      type: string;
      id: string;
      merged_into: string | null;
      learned_at: Date;
      version: string | null;
      content_hash: string | null;
      deleted: boolean | null;
    }>(
      `select m.entity_type as type, m.entity_id as id, m.merged_into, m.learned_at, e.version, e.content_hash, e.deleted
       from source_merges m left join captured_entities e
         on e.realm_id = m.realm_id and e.entity_type = m.entity_type and e.entity_id = m.entity_id
       where m.realm_id = $1 and m.told_at is null order by m.entity_type, m.entity_id`,
      [realmId],
    );
    return rows.map((row) => ({
      type: row.type,
      id: row.id,
      mergedInto: row.merged_into ?? undefined,
      learnedAt: row.learned_at,
      captured:
        row.version === null
          ? undefined
          : { version: row.version, contentHash: row.content_hash!, deleted: row.deleted! },
    }));
  }
}
