// Copies that are not made yet and bring in the same goods on the same day (core: stock-order.ts).
import type { Receipt } from '#core';
import type { Database } from '../database.js';
import { keyText } from './keys.js';
import type { Lane, LinkKey } from './row.js';

export interface ReceiptToMake extends LinkKey, Receipt {
  lane: Lane;
}

/**
 * For each of these, what was entered before it and is on its way still. Bulk work is picked in the order of entry: what is
 * ready of it need not be looked through for more of the same.
 */
export async function enteredBefore(
  db: Database,
  receipts: readonly ReceiptToMake[],
  types: readonly string[],
): Promise<Map<string, LinkKey[]>> {
  const before = new Map<string, LinkKey[]>();
  if (receipts.length === 0) return before;
  const rows = await db.query<{ n: number; entity_type: string; source_id: string }>(
    `with receipt as (
       select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[]) with ordinality
         as r (sync_id, source_id, date, items, live, n)),
     open as materialized (
       select sync_id, entity_type, source_id, state, lane, desired_payload ->> 'TxnDate' as date, desired_references
       from links where sync_id in (select sync_id from receipt) and entity_type = any($6::text[])
         and state in ('ready', 'sending', 'waiting', 'backoff', 'uncertain')
         and (state <> 'ready' or lane = 'live' or exists (select from receipt where live))
         and (target_id is null or target_deleted) and desired_op = 'upsert'
         and desired_payload ->> 'TxnDate' in (select date from receipt))
     select r.n::int, o.entity_type, o.source_id from receipt r join open o on o.sync_id = r.sync_id and o.date = r.date
     where (length(o.source_id), o.source_id) < (length(r.source_id), r.source_id)
       and exists (select from jsonb_to_recordset(o.desired_references) as i ("entityType" text, "sourceId" text)
         where i."entityType" = 'Item' and i."sourceId" = any(string_to_array(r.items, ' ')))
     order by r.n, length(o.source_id), o.source_id`,
    [
      receipts.map((one) => one.syncId),
      receipts.map((one) => one.sourceId),
      receipts.map((one) => one.date),
      receipts.map((one) => one.items.join(' ')),
      receipts.map((one) => one.lane === 'live'),
      types,
    ],
  );
  for (const { n, entity_type: entityType, source_id: sourceId } of rows) {
    const receipt = receipts[n - 1]!;
    const known = before.get(keyText(receipt)) ?? [];
    before.set(keyText(receipt), [...known, { syncId: receipt.syncId, entityType, sourceId }]);
  }
  return before;
}

/** Syncs of which a backfill is still reading, or was a moment ago: what it read last is on its way. */
export async function beingRead(db: Database, syncIds: readonly string[], at: Date): Promise<Set<string>> {
  if (syncIds.length === 0) return new Set();
  const rows = await db.query<{ sync_id: string }>(
    `select distinct sync_id from jobs where sync_id = any($1::uuid[]) and kind = 'backfill'
       and (state in ('queued', 'running') or finished_at > $2::timestamptz - interval '5 seconds')`,
    [syncIds, at],
  );
  return new Set(rows.map((row) => row.sync_id));
}
