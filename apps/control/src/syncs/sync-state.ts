// What a sync is, in one word for people, and what can no longer be asked of one that is taken back.
import { Problem } from '#common/problems';
import type { SyncRow } from '#storage';

/** A rollback can be paused and resumed as the sync could. */
export function stateOf(sync: SyncRow): 'active' | 'paused' | 'rolling_back' | 'rolled_back' {
  if (sync.rolledBackAt !== null) return 'rolled_back';
  return sync.rollbackBeganAt !== null && sync.state === 'active' ? 'rolling_back' : sync.state;
}

/** @throws Problem SYNC.ROLLED_BACK: nothing is carried forward any more */
export function assertCarries(sync: SyncRow): void {
  if (sync.rollbackBeganAt !== null) throw rolledBack(sync);
}

/** @throws Problem SYNC.ROLLED_BACK: nothing is left to be paused or resumed */
export function assertUnfinished(sync: SyncRow): void {
  if (sync.rolledBackAt !== null) throw rolledBack(sync);
}

const rolledBack = (sync: SyncRow): Problem =>
  new Problem({
    status: 409,
    code: 'SYNC.ROLLED_BACK',
    title: 'This sync is taken back',
    detail: `Sync ${sync.id} carries nothing any more since ${sync.rollbackBeganAt!.toISOString()}.`,
    hint: `GET /v1/syncs/${sync.id}/rollback shows what became of its records. A rollback is final.`,
  });
