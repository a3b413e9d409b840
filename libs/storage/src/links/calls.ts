// Calls as they are written down: before they are made, with the exact bytes of each attempt, and what became of them.
import type { Json } from '#core';
import type { Database, Tx } from '../database.js';
import type { LinkKey } from './row.js';

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

export async function insertCall(tx: Tx, call: CallRecord, fence: bigint, at: Date): Promise<void> {
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

export async function writeCallEnd(tx: Tx, call: CallEnd, at: Date): Promise<void> {
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

/** Calls of which the end is not known, oldest first. */
export async function openCalls(db: Database, realmId: string, except: readonly string[]): Promise<OpenCall[]> {
  const rows = await db.query<{
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
     where c.target_realm_id = $1 and c.state in ('claimed', 'unknown') and c.id <> all($2::uuid[])
     group by c.id order by c.claimed_at`,
    [realmId, except],
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

/** Since when a call that may be creating a record of a type has no end, by `syncId/type`. */
export async function openCreations(
  db: Database,
  syncIds: readonly string[],
  types: readonly string[],
): Promise<Map<string, Date>> {
  const rows = await db.query<{ sync_id: string; entity_type: string; since: Date }>(
    `select a.sync_id, a.entity_type, min(c.claimed_at) as since
     from calls c join attempts a on a.call_id = c.id
     where c.state in ('claimed', 'unknown') and a.outcome is null and a.operation = 'create'
       and a.sync_id = any($1::uuid[]) and a.entity_type = any($2)
     group by 1, 2`,
    [syncIds, types],
  );
  return new Map(rows.map((r) => [`${r.sync_id}/${r.entity_type}`, r.since]));
}
