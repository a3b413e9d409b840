// Begins the rollback of a sync, and says what it would do or has done. Beginning is one row: from that commit on the writer
// carries nothing of the sync forward, and the intake takes nothing in; who advances it (rollback-loop.ts) tells every link.
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Problem } from '#common/problems';
import { rollbackForecast, rolledBackOutcomes } from '#core';
import { beginRollback, Database, Jobs, rollbackCounts, rollbackKinds, Syncs } from '#storage';
import type { Job, SyncRow } from '#storage';
import { AuditTrail } from '../audit-trail.js';
import { stateOf } from '../syncs/sync-state.js';

interface Count {
  entityType: string;
  outcome: string;
  code?: string | null;
  count: number;
}

@Injectable()
export class RollbackCommand {
  constructor(
    private readonly db: Database,
    private readonly syncs: Syncs,
    private readonly jobs: Jobs,
    private readonly audit: AuditTrail,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws Problem */
  async begin(sync: SyncRow, { author, reason }: { author: string; reason: string }): Promise<Job> {
    const { organizationId, id: syncId } = sync;
    await this.refusePair(sync);
    return this.db.withTenant(organizationId, async (tx) => {
      if (!(await beginRollback(tx, syncId, this.clock.now()))) throw begun(sync);
      // What reads the source for this sync has nobody to read for any more.
      const cancelled = await this.jobs.cancelUnfinished(tx, syncId, ['backfill', 'replay']);
      const params = { author, reason };
      const outcome = await this.jobs.create(tx, {
        id: randomUUID(),
        organizationId,
        syncId,
        kind: 'rollback',
        params,
      });
      if (outcome.kind === 'unfinished') throw begun(sync);
      await this.audit.tell(tx, {
        ...{ organizationId, action: 'sync.rollback.started', subject: syncId },
        details: { jobId: outcome.job.id, author, reason, cancelledJobs: cancelled },
      });
      return outcome.job;
    });
  }

  async look(sync: SyncRow) {
    const begun = sync.rollbackBeganAt !== null;
    const counts = begun ? await rollbackCounts(this.db, sync.id) : await this.forecast(sync);
    const job = begun
      ? (await this.jobs.list({ syncId: sync.id, limit: 50 })).items.find(({ kind }) => kind === 'rollback')
      : undefined;
    const heldFor: Record<string, number> = {};
    for (const { code, outcome, count } of counts)
      if (outcome === 'held')
        heldFor[code ?? 'ROLLBACK.UNKNOWN_ORIGIN'] = (heldFor[code ?? 'ROLLBACK.UNKNOWN_ORIGIN'] ?? 0) + count;
    return {
      syncId: sync.id,
      state: stateOf(sync),
      begun,
      beganAt: sync.rollbackBeganAt,
      endedAt: sync.rolledBackAt,
      job: job ? { id: job.id, state: job.state, ...job.params } : null,
      total: summed(counts),
      byType: Object.fromEntries(
        [...new Set(counts.map(({ entityType }) => entityType))].map((type) => [
          type,
          summed(counts.filter(({ entityType }) => entityType === type)),
        ]),
      ),
      heldFor,
    };
  }

  /** From our own rows: what a person changed in the target since is known only when its turn comes. */
  private async forecast(sync: SyncRow): Promise<Count[]> {
    const { kinds, files } = await rollbackKinds(this.db, sync.id);
    const counts: Count[] = kinds.map((kind) => ({
      entityType: kind.entityType,
      outcome: rollbackForecast(kind),
      code:
        kind.mayExist && !kind.hasTarget
          ? 'ROLLBACK.MAY_EXIST'
          : kind.origin === null
            ? 'ROLLBACK.UNKNOWN_ORIGIN'
            : 'ROLLBACK.NOT_POSSIBLE',
      count: kind.count,
    }));
    return files > 0 ? [...counts, { entityType: 'Attachable', outcome: 'deleted', count: files }] : counts;
  }

  /** Of two opposite syncs each would carry the deletions of the other to where the records came from. @throws Problem */
  private async refusePair(sync: SyncRow): Promise<void> {
    const syncs = await this.syncs.ofOrganization(sync.organizationId);
    const opposite = syncs.find(
      (one) => one.sourceRealmId === sync.targetRealmId && one.targetRealmId === sync.sourceRealmId,
    );
    if (opposite && opposite.rolledBackAt === null)
      throw new Problem({
        status: 409,
        code: 'ROLLBACK.PAIR',
        title: 'One of two opposite syncs is not taken back',
        detail: `Sync ${opposite.id} would carry every deletion in ${sync.targetRealmId} to ${sync.sourceRealmId}, where the records came from.`,
        hint: 'A rollback is for a one-off migration. Pause both syncs and decide by hand.',
      });
  }
}

function summed(counts: readonly Count[]): Record<string, number> {
  const sums: Record<string, number> = Object.fromEntries(
    [...rolledBackOutcomes, 'held', 'open'].map((name) => [name, 0]),
  );
  for (const { outcome, count } of counts) sums[outcome] = (sums[outcome] ?? 0) + count;
  return sums;
}

const begun = (sync: SyncRow): Problem =>
  new Problem({
    status: 409,
    code: 'ROLLBACK.BEGUN',
    title: 'The rollback of this sync has begun',
    detail: `Sync ${sync.id} is being taken back, or has been.`,
    hint: `GET /v1/syncs/${sync.id}/rollback shows how far it is.`,
  });
