// Advances rollbacks: one look at each open one every second, slower while only a person can go on. Nothing is remembered
// between two looks, every look may be made twice or by two processes at once, and whoever dies in the middle is missed by
// nobody: the rows say what is left (storage: rollbacks.ts). The writes themselves are the writer's.
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Lifecycle, Repeated } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { rollbackRank, typesInRankOrder } from '#core';
import { advanceRollback, Database, openRollbacks } from '#storage';
import { AuditTrail } from '../audit-trail.js';

const lookMs = 1_000;
/** Nothing moves: a person decides, and whose decision it is may wait five seconds for the next step. */
const heldLookMs = 5_000;
/** At most a twentieth of the time goes into looking, however many links there are. */
const share = 20;

const ranks = typesInRankOrder().map((definition) => ({ type: definition.type, rank: rollbackRank(definition) }));

@Injectable()
export class RollbackLoop implements OnApplicationBootstrap {
  private readonly log = createLog('rollback');
  private readonly nextLookMs = new Map<string, number>();

  constructor(
    private readonly db: Database,
    private readonly audit: AuditTrail,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    const { clock, log } = this;
    const { stopping } = this.lifecycle;
    const loop = new Repeated(() => this.lookAtAll(), { clock, log, stopping, failed: 'rollbacks not advanced' });
    this.lifecycle.onDrain('rollbacks', () => loop.stop());
    loop.start();
  }

  private async lookAtAll(): Promise<number> {
    for (const open of await openRollbacks(this.db)) await this.look(open);
    return lookMs;
  }

  private async look(open: Awaited<ReturnType<typeof openRollbacks>>[number]): Promise<void> {
    const { syncId, organizationId, jobId, told, params } = open;
    const startedMs = this.clock.nowMs();
    if (startedMs < (this.nextLookMs.get(syncId) ?? 0)) return;
    const { counts, ended } = await advanceRollback(
      this.db,
      { syncId, jobId, told, ranks },
      this.clock.now(),
      (tx, ends) => {
        const outcomes = ends.map(({ entityType, outcome, count }) => ({ entityType, outcome, count }));
        const details = { jobId, ...params, outcomes };
        return this.audit.tell(tx, { organizationId, action: 'sync.rolled_back', subject: syncId, details });
      },
    );
    if (!told || ended) this.log.info({ syncId, jobId, counts }, ended ? 'rollback.done' : 'rollback.told');
    const moves = counts.some(({ outcome }) => outcome === 'open');
    const nowMs = this.clock.nowMs();
    this.nextLookMs.set(syncId, nowMs + Math.max(moves ? lookMs : heldLookMs, share * (nowMs - startedMs)));
    if (ended) this.nextLookMs.delete(syncId);
  }
}
