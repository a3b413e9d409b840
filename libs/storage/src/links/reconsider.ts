// Links that changed settings may decide otherwise become ready: the writer plans them anew under what is said now.
import type { Reconsidered } from '#core';
import type { Tx } from '../database.js';

/** Answers how many. An edit that was left in the target is read again first: its token is forgotten. */
export async function reconsider(tx: Tx, syncId: string, what: readonly Reconsidered[], at: Date): Promise<number> {
  if (what.length === 0) return 0;
  const rows = await tx.query(
    `update links l set state = 'ready', attempts = 0, due_at = $3, failure_code = null, failure_reason = null,
       applied_hash = case when l.state = 'settled' and r.kept and l.desired_op <> 'exclude' then 'drifted:' || l.applied_hash else l.applied_hash end,
       target_sync_token = case when l.state = 'settled' and r.kept and l.desired_op <> 'exclude' then null else l.target_sync_token end
     from jsonb_to_recordset($2::jsonb) as r ("entityType" text, codes jsonb, kept boolean, excluded boolean)
     where l.sync_id = $1 and l.entity_type = r."entityType" and l.desired_op <> 'fail'
       and ((l.state = 'held' and r.codes ? l.failure_code)
         or (l.state = 'settled' and r.kept and l.desired_op <> 'exclude' and l.differences @> '[{"cause": "DRIFT.KEPT"}]')
         or (l.state = 'settled' and r.excluded and l.desired_op = 'exclude' and l.target_id is not null and not l.target_deleted))
     returning 1`,
    [syncId, JSON.stringify(what), at],
  );
  return rows.length;
}
