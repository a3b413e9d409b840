// Copies that are not made yet and bring in the same goods on the same day (core: stock-order.ts).
import { afterReceipt, readMayComeMs, receivingTypes, type Receipt } from '#core';
import type { Database, Tx } from '../database.js';
import type { LinkChange } from './changes.js';
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

/** Syncs of which a backfill reads now, or did a moment ago: what it read last may be on its way for so long still. */
export async function beingRead(
  db: Database,
  syncIds: readonly string[],
  at: Date,
): Promise<Map<string, 'now' | { forMs: number }>> {
  if (syncIds.length === 0) return new Map();
  const rows = await db.query<{ sync_id: string; now: boolean; for_ms: number | null }>(
    `select sync_id, bool_or(state in ('queued', 'running')) as now,
       max(extract(epoch from finished_at - $2::timestamptz) * 1000 + $3)::float as for_ms
     from jobs where sync_id = any($1::uuid[]) and kind = 'backfill'
       and (state in ('queued', 'running') or finished_at > $2::timestamptz - $3 * interval '1 millisecond')
     group by sync_id`,
    [syncIds, at, readMayComeMs],
  );
  return new Map(rows.map((row) => [row.sync_id, row.now ? 'now' : { forMs: row.for_ms! }]));
}

/** Who waits to bring in goods after one whose write has ended now, however: looked at again at once. */
export async function wakeReceipts(tx: Tx, changes: readonly LinkChange[], at: Date): Promise<void> {
  const ended = changes.filter(
    ({ key, state }) => ['settled', 'held', 'failed'].includes(state.kind) && receivingTypes.includes(key.entityType),
  );
  for (const syncId of new Set(ended.map(({ key }) => key.syncId))) {
    const after = ended.filter(({ key }) => key.syncId === syncId).map(({ key }) => afterReceipt(key));
    await tx.query(
      // What somebody else has in hand is not waited for: it is looked at again by itself.
      `update links set state = 'ready', due_at = $3 where (sync_id, entity_type, source_id) in (
         select sync_id, entity_type, source_id from links
         where sync_id = $1 and state = 'backoff' and entity_type = any($4::text[])
           and failure_code = 'STOCK.ORDER' and failure_reason = any($2::text[])
         for update skip locked)`,
      [syncId, after, at, receivingTypes],
    );
  }
}
