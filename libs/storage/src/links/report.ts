// Links as people look at them: counts, pages, one record; and the two things a person may tell them: try again, and
// "create it again" (a new generation, because QBO would replay the old answer for the old request id).
import { Injectable } from '@nestjs/common';
import type { Json, LinkState } from '#core';
import { Database } from '../database.js';
import type { Tx } from '../database.js';
import type { Lane, LinkKey } from './row.js';

export interface LinkCount {
  entityType: string;
  state: LinkState['kind'];
  count: number;
}

export interface LinkView extends LinkKey {
  state: LinkState['kind'];
  lane: Lane;
  op: string;
  targetId: string | null;
  targetSyncToken: string | null;
  desiredVersion: string;
  appliedVersion: string | null;
  mappingVersion: string;
  waitingOn: string[];
  failureCode: string | null;
  failureReason: string | null;
  /** with op `exclude`: the rule that leaves it out */
  exclusion: string | null;
  /** what the target has otherwise than it was told; null: nothing */
  differences: { path: string; sent: unknown; answered: unknown; cause?: string }[] | null;
  attempts: number;
  generation: number;
  dueAt: Date;
  desiredAt: Date;
  settledAt: Date | null;
  changeId: string;
}

export interface LinkFilter {
  states?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
  sourceId?: string | undefined;
  targetId?: string | undefined;
  ops?: readonly string[] | undefined;
}

export interface LinkPage {
  items: LinkView[];
  /** hand it back for the next page; absent on the last */
  next?: string;
}

const viewColumns = `sync_id as "syncId", entity_type as "entityType", source_id as "sourceId", state, lane, desired_op as op,
  target_id as "targetId", target_sync_token as "targetSyncToken", desired_version as "desiredVersion",
  applied_version as "appliedVersion", mapping_version::text as "mappingVersion", waiting_on as "waitingOn",
  failure_code as "failureCode", failure_reason as "failureReason", exclusion, differences, attempts, generation, due_at as "dueAt",
  desired_at as "desiredAt", settled_at as "settledAt", change_id as "changeId"`;

@Injectable()
export class LinkReport {
  constructor(private readonly db: Database) {}

  async counts(syncId: string): Promise<LinkCount[]> {
    return this.db.query<LinkCount>(
      `select entity_type as "entityType", state, count(*)::int as count from links where sync_id = $1
       group by entity_type, state order by entity_type, state`,
      [syncId],
    );
  }

  /** Oldest desired first would need a sort of everything; by key the page is an index range and never shifts. */
  async page(syncId: string, filter: LinkFilter, limit: number, cursor?: string): Promise<LinkPage> {
    const [afterType, afterId] = cursor === undefined ? ['', ''] : decodeCursor(cursor);
    const rows = await this.db.query<LinkView>(
      `select ${viewColumns} from links
       where sync_id = $1 and ($2::text[] is null or state = any($2)) and ($3::text[] is null or entity_type = any($3))
         and ($4::text is null or source_id = $4) and ($5::text is null or target_id = $5) and ($9::text[] is null or desired_op = any($9))
         and (entity_type, source_id) > ($6, $7)
       order by entity_type, source_id limit $8`,
      [
        syncId,
        filter.states ?? null,
        filter.types ?? null,
        filter.sourceId ?? null,
        filter.targetId ?? null,
        afterType,
        afterId,
        limit + 1,
        filter.ops ?? null,
      ],
    );
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return rows.length > limit && last ? { items, next: encodeCursor(last.entityType, last.sourceId) } : { items };
  }

  /** One record in every sync of its source company, with what it is and what it was before we touched it. */
  async ofRecord(
    sourceRealmId: string,
    entityType: string,
    sourceId: string,
  ): Promise<(LinkView & { desired: Json | null; applied: Json | null; beforeImage: Json | null })[]> {
    return this.db.query(
      `select ${viewColumns}, desired_payload as desired, applied_payload as applied, before_image as "beforeImage"
       from links where sync_id in (select id from syncs where source_realm_id = $1) and entity_type = $2 and source_id = $3`,
      [sourceRealmId, entityType, sourceId],
    );
  }

  /** Writes of a sync that are not done and need nobody: what "lag" means to a person. */
  async lag(syncId: string): Promise<{ pending: number; oldestDesiredAt: Date | null }> {
    const [row] = await this.db.query<{ pending: number; oldestDesiredAt: Date | null }>(
      `select count(*)::int as pending, min(desired_at) as "oldestDesiredAt" from links
       where sync_id = $1 and state in ('ready', 'sending', 'waiting', 'backoff', 'uncertain')`,
      [syncId],
    );
    return row!;
  }

  async lastFailure(
    syncId: string,
  ): Promise<Pick<LinkView, 'entityType' | 'sourceId' | 'failureCode' | 'failureReason' | 'state'> | undefined> {
    const [row] = await this.db.query<
      Pick<LinkView, 'entityType' | 'sourceId' | 'failureCode' | 'failureReason' | 'state'>
    >(
      `select entity_type as "entityType", source_id as "sourceId", failure_code as "failureCode", failure_reason as "failureReason", state
       from links where sync_id = $1 and state in ('failed', 'held') order by due_at desc limit 1`,
      [syncId],
    );
    return row;
  }

  /**
   * Held and failed links are tried again from the start. `createAgain` raises the generation: the record was removed from
   * the target by hand and must be made anew. A failed mapping has nothing to send; it heals by a newer change or a replay.
   * Answers what was released; the caller writes the audit entry in the same transaction.
   */
  async redrive(
    tx: Tx,
    syncId: string,
    filter: LinkFilter & { createAgain?: boolean },
    at: Date,
  ): Promise<{ entityType: string; sourceId: string }[]> {
    return tx.query(
      `update links set state = 'ready', attempts = 0, due_at = $6, failure_code = null, failure_reason = null,
         generation = generation + case when $7 then 1 else 0 end,
         target_id = case when $7 then null else target_id end,
         target_sync_token = case when $7 then null else target_sync_token end,
         target_deleted = target_deleted and not $7,
         applied_version = case when $7 then null else applied_version end,
         applied_hash = case when $7 then null else applied_hash end,
         applied_payload = case when $7 then null else applied_payload end
       where sync_id = $1 and state = any($2) and desired_op <> 'fail'
         and ($3::text[] is null or entity_type = any($3)) and ($4::text is null or source_id = $4)
         and ($5::text is null or target_id = $5)
         -- a rollback makes nothing, and must not forget what it is to take away
         and not ($7 and desired_op = 'rollback')
       returning entity_type as "entityType", source_id as "sourceId"`,
      [
        syncId,
        filter.states ?? ['held', 'failed'],
        filter.types ?? null,
        filter.sourceId ?? null,
        filter.targetId ?? null,
        at,
        filter.createAgain ?? false,
      ],
    );
  }
}

function encodeCursor(entityType: string, sourceId: string): string {
  return Buffer.from(JSON.stringify([entityType, sourceId])).toString('base64url');
}

/** @throws RangeError when the text is no cursor of ours */
function decodeCursor(cursor: string): [string, string] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.length === 2) return [String(parts[0]), String(parts[1])];
  } catch {
    // Falls through to the one error that names the value.
  }
  throw new RangeError(`"${cursor}" is not a cursor of this list`);
}
