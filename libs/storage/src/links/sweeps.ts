// Sweeps of targets: which are due, what the last one of a sync found, and the links of the records that one looks at.
import type { Database, Tx } from '../database.js';

export interface DueSweep {
  syncId: string;
  createdAt: Date;
  /** a person asked: everything is compared, not just what changed */
  full: boolean;
  last: SweepReport | undefined;
}

export interface SweepReport {
  at: string;
  full: boolean;
  /** records of the target that were compared with what we wrote */
  compared: number;
  drifted: number;
  gone: number;
  /** types of which the target has another number of records than we wrote: fewer are missing, more are its own */
  counts?: Record<string, { written: number; there: number }>;
}

/** Not of pairs: there an edit in the target is a change that the opposite sync carries. */
export const sweptAlone = `s.state = 'active' and s.rollback_began_at is null and not exists (select from syncs o
  where o.source_realm_id = s.target_realm_id and o.target_realm_id = s.source_realm_id)`;

export async function dueSweeps(db: Database, realmId: string, at: Date): Promise<DueSweep[]> {
  const rows = await db.query<{ id: string; created_at: Date; sweep_requested: boolean; sweep: SweepReport | null }>(
    `select s.id, s.created_at, s.sweep_requested, s.sweep from syncs s where s.target_realm_id = $1 and s.sweep_due_at <= $2 and ${sweptAlone}`,
    [realmId, at],
  );
  return rows.map((row) => ({
    syncId: row.id,
    createdAt: row.created_at,
    full: row.sweep_requested,
    last: row.sweep ?? undefined,
  }));
}

export async function sweepDone(db: Database, syncId: string, report: SweepReport, nextAt: Date): Promise<void> {
  await db.query('update syncs set sweep = $2, sweep_due_at = $3, sweep_requested = false where id = $1', [
    syncId,
    JSON.stringify(report),
    nextAt,
  ]);
}

/** Nothing was written there yet: there is nothing to tell, only when to look again. */
export async function sweepLater(db: Database, syncId: string, nextAt: Date): Promise<void> {
  await db.query('update syncs set sweep_due_at = $2 where id = $1', [syncId, nextAt]);
}

/** How many records of each type a sync has written that should be there. */
export async function writtenCounts(db: Database, syncId: string): Promise<Map<string, number>> {
  const rows = await db.query<{ entity_type: string; records: number }>(
    `select entity_type, count(*)::int as records from links where sync_id = $1 and target_id is not null
       and not target_deleted and state = 'settled' group by 1 order by 1`,
    [syncId],
  );
  return new Map(rows.map((row) => [row.entity_type, row.records]));
}

export async function requestSweep(tx: Tx, syncId: string, at: Date): Promise<void> {
  await tx.query('update syncs set sweep_due_at = $2, sweep_requested = true where id = $1', [syncId, at]);
}

export async function sweepOf(db: Database, syncId: string): Promise<{ dueAt: Date; last: SweepReport | null }> {
  const [row] = await db.query<{ sweep_due_at: Date; sweep: SweepReport | null }>(
    'select sweep_due_at, sweep from syncs where id = $1',
    [syncId],
  );
  return { dueAt: row!.sweep_due_at, last: row!.sweep };
}
