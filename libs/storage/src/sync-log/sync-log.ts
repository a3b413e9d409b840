// The sync log: one row per step in the life of a record, partitioned by month. Append is one statement per batch and a
// no-op for what is there already, so a redelivered batch costs a little and changes nothing.
import { Injectable } from '@nestjs/common';
import { Database } from '../database.js';
import type { Tx } from '../database.js';

export type SyncLogStage = 'notified' | 'captured' | 'mapped' | 'settled' | 'attachment';

export interface SyncLogEntry {
  /** from the event, never from the reader's clock: with eventId and stage it is the row's identity */
  at: Date;
  eventId: string;
  stage: SyncLogStage;
  organizationId?: string | undefined;
  syncId?: string | undefined;
  realmId: string;
  entityType: string;
  entityId: string;
  version?: string | undefined;
  targetRealmId?: string | undefined;
  targetId?: string | undefined;
  targetSyncToken?: string | undefined;
  outcome?: string | undefined;
  attempt?: number | undefined;
  requestId?: string | undefined;
  tid?: string | undefined;
  code?: string | undefined;
  reason?: string | undefined;
  changeId?: string | undefined;
  traceparent?: string | undefined;
  durationMs?: number | undefined;
  details?: unknown;
}

/** As it is read: every field there, null where nothing was said. */
export type SyncLogRow = { id: string; at: Date; stage: SyncLogStage } & {
  [K in Exclude<keyof SyncLogEntry, 'at' | 'stage' | 'durationMs' | 'attempt' | 'details'>]-?: NonNullable<
    SyncLogEntry[K]
  > | null;
} & { durationMs: number | null; attempt: number | null; details: unknown };

export interface SyncLogFilter {
  syncId?: string | undefined;
  organizationId?: string | undefined;
  realmId?: string | undefined;
  entityType?: string | undefined;
  entityId?: string | undefined;
  stage?: string | undefined;
  outcome?: string | undefined;
  /** inclusive */
  from?: Date | undefined;
  /** exclusive */
  to?: Date | undefined;
}

export interface SyncLogCursor {
  at: string;
  id: string;
}

const columns = `id::text, at, event_id as "eventId", stage, organization_id as "organizationId", sync_id as "syncId",
  realm_id as "realmId", entity_type as "entityType", entity_id as "entityId", version, target_realm_id as "targetRealmId",
  target_id as "targetId", target_sync_token as "targetSyncToken", outcome, attempt, request_id as "requestId", tid, code,
  reason, change_id as "changeId", traceparent, duration_ms as "durationMs", details`;

const filterConditions: Record<keyof SyncLogFilter, string> = {
  syncId: 'sync_id = ',
  organizationId: 'organization_id = ',
  realmId: 'realm_id = ',
  entityType: 'entity_type = ',
  entityId: 'entity_id = ',
  stage: 'stage = ',
  outcome: 'outcome = ',
  from: 'at >= ',
  to: 'at < ',
};

@Injectable()
export class SyncLog {
  /** months whose partition this process has seen */
  private readonly prepared = new Set<string>();

  constructor(private readonly db: Database) {}

  /** When the webhook came that announced what ended here; ends that no webhook announced are left out. */
  async announced(ends: readonly SyncLogEntry[]): Promise<{ at: Date; notifiedAt: Date }[]> {
    if (ends.length === 0) return [];
    return this.db.query<{ at: Date; notifiedAt: Date }>(
      `select e.at, (c.details ->> 'notifiedAt')::timestamptz as "notifiedAt"
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) as e (realm, type, id, change, at)
       join sync_log c on c.realm_id = e.realm and c.entity_type = e.type and c.entity_id = e.id and c.event_id = e.change
         and c.stage = 'captured'
         -- One partition, at most two: what ends now was captured lately.
         and c.at > e.at - interval '7 days' and c.at <= e.at
       where c.details ? 'notifiedAt'`,
      [
        ends.map((end) => end.realmId),
        ends.map((end) => end.entityType),
        ends.map((end) => end.entityId),
        ends.map((end) => end.changeId ?? ''),
        ends.map((end) => end.at),
      ],
    );
  }

  /** Answers how many entries were new. */
  async append(entries: readonly SyncLogEntry[]): Promise<number> {
    if (entries.length === 0) return 0;
    await this.ensurePartitions(entries.map((entry) => entry.at));
    const inserted = await this.db.query<{ n: number }>(
      `with fresh as (
         insert into sync_log (at, event_id, stage, organization_id, sync_id, realm_id, entity_type, entity_id, version,
           target_realm_id, target_id, target_sync_token, outcome, attempt, request_id, tid, code, reason, change_id,
           traceparent, duration_ms, details)
         select r.at, r."eventId", r.stage, coalesce(r."organizationId", c.organization_id), r."syncId", r."realmId",
           r."entityType", r."entityId", r.version, r."targetRealmId", r."targetId", r."targetSyncToken", r.outcome, r.attempt,
           r."requestId", r.tid, r.code, r.reason, r."changeId", r.traceparent, round(r."durationMs")::int, r.details
         from jsonb_to_recordset($1::jsonb) as r (at timestamptz, "eventId" text, stage text, "organizationId" uuid,
           "syncId" uuid, "realmId" text, "entityType" text, "entityId" text, version text, "targetRealmId" text,
           "targetId" text, "targetSyncToken" text, outcome text, attempt int, "requestId" text, tid text, code text,
           reason text, "changeId" text, traceparent text, "durationMs" numeric, details jsonb)
         left join companies c on c.realm_id = r."realmId"
         -- A publisher that crashed and did it again may have stamped a later time: the event id decides, not the moment.
         where not exists (select from sync_log s where s.realm_id = r."realmId" and s.entity_type = r."entityType"
           and s.entity_id = r."entityId" and s.event_id = r."eventId" and s.stage = r.stage)
         on conflict (at, event_id, stage, entity_type, entity_id) do nothing
         returning 1)
       select count(*)::int as n from fresh`,
      [JSON.stringify(entries)],
    );
    return inserted[0]!.n;
  }

  /** Newest first. */
  async list(
    filter: SyncLogFilter,
    page: { limit: number; after?: SyncLogCursor | undefined },
    tx: Tx = this.db,
  ): Promise<{ items: SyncLogRow[]; next: SyncLogCursor | undefined }> {
    const params: unknown[] = [page.limit + 1];
    const conditions: string[] = [];
    for (const [name, condition] of Object.entries(filterConditions)) {
      const value = filter[name as keyof SyncLogFilter];
      if (value !== undefined) conditions.push(condition + `$${params.push(value)}`);
    }
    if (page.after) {
      const at = params.push(page.after.at);
      const id = params.push(page.after.id);
      conditions.push(`(at, id) < ($${at}::timestamptz, $${id}::bigint)`);
    }
    const rows = await tx.query<SyncLogRow & { place: string }>(
      `select ${columns}, to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as place from sync_log
       ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''} order by at desc, sync_log.id desc limit $1`,
      params,
    );
    const last = rows[page.limit - 1];
    return {
      items: rows.slice(0, page.limit).map(({ place: _place, ...row }) => row),
      next: rows.length > page.limit && last ? { at: last.place, id: last.id } : undefined,
    };
  }

  /** The life of one record in the order it happened; of steps of one moment, the earlier stage first. */
  async life(
    realmId: string,
    entityType: string,
    entityId: string,
    limit = 1000,
    tx: Tx = this.db,
  ): Promise<SyncLogRow[]> {
    return tx.query<SyncLogRow>(
      `select * from (
         select ${columns} from sync_log where realm_id = $1 and entity_type = $2 and entity_id = $3
         order by sync_log.at desc, sync_log.id desc limit $4) newest
       order by at, array_position(array['notified', 'captured', 'mapped', 'settled', 'attachment'], stage), id::bigint`,
      [realmId, entityType, entityId, limit],
    );
  }

  /** Makes the partitions of a month and the next; called ahead of time by the audit app, and by append for its batch. */
  async ensurePartitions(moments: readonly Date[]): Promise<void> {
    const months = new Set(moments.map((at) => at.toISOString().slice(0, 7)));
    for (const month of months) {
      if (this.prepared.has(month)) continue;
      await this.db.query('select sync_log_ensure_partition($1)', [`${month}-01T00:00:00Z`]);
      this.prepared.add(month);
    }
  }
}
