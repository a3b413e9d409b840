// What a write touches in the target: its own record, and the transactions it links or linked, which change with it (balance,
// SyncToken, open amount). Two writes that touch the same record must not be on their way at once: QBO promises no order,
// neither within a batch nor between calls.
import type { Json } from '#core';
import { keyText } from '#storage';
import type { PlannedWrite } from './compose.js';

export function touchedBy({ key, stored, attempt }: PlannedWrite): string[] {
  const linked = [stored.link.applied?.payload, attempt.applied].flatMap((body) =>
    body ? linkedTransactions(body) : [],
  );
  const own = stored.link.target ? [`${key.entityType} ${stored.link.target.id}`] : [];
  return [...new Set([keyText(key), ...own, ...linked])];
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
