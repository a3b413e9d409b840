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
}

/** Not of pairs: there an edit in the target is a change that the opposite sync carries. */
export const sweptAlone = `s.state = 'active' and not exists (select from syncs o
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

export async function requestSweep(tx: Tx, syncId: string, at: Date): Promise<void> {
  await tx.query('update syncs set sweep_due_at = $2, sweep_requested = true where id = $1', [syncId, at]);
  // The company's writer may sleep until something falls due.
  await tx.query(
    `select realm_work_is_due(array_agg(target_realm_id), 'writer', array_agg($2::timestamptz)) from syncs where id = $1`,
    [syncId, at],
  );
}

export async function sweepOf(db: Database, syncId: string): Promise<{ dueAt: Date; last: SweepReport | null }> {
  const [row] = await db.query<{ sweep_due_at: Date; sweep: SweepReport | null }>(
    'select sweep_due_at, sweep from syncs where id = $1',
    [syncId],
  );
  return { dueAt: row!.sweep_due_at, last: row!.sweep };
}
