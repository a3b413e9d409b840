// What a write touches in the target: its own record, and the transactions it links or linked, which change with it (balance,
// SyncToken, open amount). Two writes that touch the same record must not be on their way at once: QBO promises no order,
// neither within a batch nor between calls. And the goods that it brings in: what they cost depends on who came first.
import type { Json } from '#core';
import { keyText } from '#storage';
import type { PlannedWrite } from './compose.js';

export function touchedBy({ key, stored, attempt, receipt }: PlannedWrite): string[] {
  const linked = [stored.link.applied?.payload, attempt.applied].flatMap((body) =>
    body ? linkedTransactions(body) : [],
  );
  const own = stored.link.target ? [`${key.entityType} ${stored.link.target.id}`] : [];
  const goods = receipt?.items.map((item) => `stock ${key.syncId} ${item} ${receipt.date}`) ?? [];
  return [...new Set([keyText(key), ...own, ...linked, ...goods])];
}

/** By the target's ids: bodies are bound. */
function linkedTransactions(body: Json): string[] {
  const lists = [body, ...(Array.isArray(body.Line) ? (body.Line as Json[]) : [])].map(
    (part) => part.LinkedTxn as unknown,
  );
  return lists.flatMap((list) =>
    Array.isArray(list) ? (list as Json[]).map((one) => `${String(one.TxnType)} ${String(one.TxnId)}`) : [],
  );
}
