// Attachments as people look at them: counts, pages, and "try again". Shaped like the report of links, with the Attachable's
// id as source id, so that one list can show both.
import { Injectable } from '@nestjs/common';
import { allAnchorsReady } from '../attachments/attachment-links.js';
import { Database } from '../database.js';
import type { Tx } from '../database.js';

export interface AttachmentView {
  syncId: string;
  entityType: 'Attachable';
  sourceId: string;
  state: string;
  lane: string;
  op: 'upsert' | 'delete';
  targetId: string | null;
  targetSyncToken: string | null;
  desiredVersion: string;
  appliedVersion: string | null;
  fileName: string | null;
  bytes: string | null;
  sourceSha256: string | null;
  targetSha256: string | null;
  waitingOn: string[];
  failureCode: string | null;
  failureReason: string | null;
  attempts: number;
  dueAt: Date;
  desiredAt: Date;
  settledAt: Date | null;
  changeId: string;
}

export interface AttachmentFilter {
  states?: readonly string[] | undefined;
  sourceId?: string | undefined;
  targetId?: string | undefined;
}

const viewColumns = `sync_id as "syncId", 'Attachable' as "entityType", attachable_id as "sourceId", state, lane,
  case when desired_deleted then 'delete' else 'upsert' end as op, target_id as "targetId", target_sync_token as "targetSyncToken",
  desired_version as "desiredVersion", applied_version as "appliedVersion", desired ->> 'fileName' as "fileName", bytes::text,
  source_sha256 as "sourceSha256", target_sha256 as "targetSha256", waiting_on as "waitingOn", failure_code as "failureCode",
  failure_reason as "failureReason", attempts, due_at as "dueAt", desired_at as "desiredAt", settled_at as "settledAt",
  change_id as "changeId"`;

@Injectable()
export class AttachmentReport {
  constructor(private readonly db: Database) {}

  /** By state; what waits for records that are all there is ready, though its carrier looks at it only within the minute. */
  async counts(syncId: string): Promise<Record<string, number>> {
    const rows = await this.db.query<{ state: string; count: number }>(
      `select case when a.state = 'waiting' and ${allAnchorsReady} then 'ready' else a.state end as state, count(*)::int as count
       from attachment_links a where sync_id = $1 group by 1 order by 1`,
      [syncId],
    );
    return Object.fromEntries(rows.map((row) => [row.state, row.count]));
  }

  /** By id; `after` is the last id of the page before. */
  async page(
    syncId: string,
    filter: AttachmentFilter,
    limit: number,
    after = '',
  ): Promise<{ items: AttachmentView[]; next?: string }> {
    const rows = await this.db.query<AttachmentView>(
      `select ${viewColumns} from attachment_links
       where sync_id = $1 and ($2::text[] is null or state = any($2)) and ($3::text is null or attachable_id = $3)
         and ($4::text is null or target_id = $4) and attachable_id > $5
       order by attachable_id limit $6`,
      [syncId, filter.states ?? null, filter.sourceId ?? null, filter.targetId ?? null, after, limit + 1],
    );
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return rows.length > limit && last ? { items, next: last.sourceId } : { items };
  }

  /** In every sync of its source company. */
  async ofRecord(sourceRealmId: string, attachableId: string): Promise<AttachmentView[]> {
    return this.db.query<AttachmentView>(
      `select ${viewColumns} from attachment_links
       where sync_id in (select id from syncs where source_realm_id = $1) and attachable_id = $2`,
      [sourceRealmId, attachableId],
    );
  }

  /**
   * Tried again from the start; an uncertain upload only sooner, because it may have happened and must be looked for first.
   * `createAgain`: the copy was removed from the target by hand; a new upload needs a new request
   * id, and the number of discarded copies is part of it. The caller tells the audit trail in the same transaction.
   */
  async redrive(
    tx: Tx,
    syncId: string,
    filter: AttachmentFilter & { createAgain?: boolean },
    at: Date,
  ): Promise<{ entityType: 'Attachable'; sourceId: string }[]> {
    return tx.query(
      `update attachment_links set state = case state when 'uncertain' then state else 'ready' end, attempts = 0, due_at = $4,
         failure_code = null, failure_reason = null,
         discarded = discarded + case when $5 then 1 else 0 end,
         request_id = case when $5 then null else request_id end,
         target_id = case when $5 then null else target_id end,
         target_sync_token = case when $5 then null else target_sync_token end,
         applied_version = case when $5 then null else applied_version end,
         applied = case when $5 then null else applied end
       where sync_id = $1 and state = any($2) and ($3::text is null or attachable_id = $3)
         and (state <> 'uncertain' or due_at > $4 and not $5)
       returning 'Attachable' as "entityType", attachable_id as "sourceId"`,
      [syncId, filter.states ?? ['held', 'failed'], filter.sourceId ?? null, at, filter.createAgain ?? false],
    );
  }
}
