// Calls and attempts are the proof of what was sent, and what a crash goes on from. Once settled they are only proof, told in
// the sync log as well: they are kept for a while and then removed, a few at a time, so that no statement holds many locks.
// One process removes at a time (advisory lock); calls whose end is not known are never touched.
import type { Clock } from '#common/clock';
import { Repeated } from '#common/lifecycle';
import type { Log } from '#common/logging';
import type { Database } from '../database.js';

export interface CallRetentionOptions {
  clock: Clock;
  log: Log;
  keepMs: number;
  /** calls removed in one transaction; a batch call brings up to 30 attempts along */
  atOnce?: number;
}

/** Two million calls a day is what a hundred saturated companies make: 500 a time, as long as there are any, keeps up. */
const defaultAtOnce = 500;
const lookMs = 60_000;
/** Between two removals, so that they never take more than their share of the database. */
const breathMs = 50;

export class CallRetention {
  private readonly loop: Repeated;

  constructor(
    private readonly db: Database,
    private readonly o: CallRetentionOptions,
  ) {
    const { clock, log } = o;
    const step = async () => ((await this.removeSome()) > 0 ? breathMs : lookMs);
    this.loop = new Repeated(step, { clock, log, failed: 'old calls not removed', maxPauseMs: lookMs });
  }

  start(): void {
    this.loop.start();
  }

  /** Resolves when the removal in hand has ended. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** One small removal; answers how many calls. */
  async removeSome(): Promise<number> {
    const { clock, keepMs, atOnce = defaultAtOnce } = this.o;
    return this.db.withTransaction(async (tx) => {
      const [lock] = await tx.query<{ mine: boolean }>(
        `select pg_try_advisory_xact_lock(hashtextextended('call retention of ' || current_schema(), 0)) as mine`,
      );
      if (!lock!.mine) return 0;
      const old = await tx.query<{ id: string }>(
        `select id from calls where state in ('answered', 'abandoned') and answered_at < $1 order by answered_at limit $2`,
        [new Date(clock.nowMs() - keepMs), atOnce],
      );
      if (old.length === 0) return 0;
      const ids = old.map((row) => row.id);
      await tx.query('delete from attempts where call_id = any($1::uuid[])', [ids]);
      await tx.query('delete from calls where id = any($1::uuid[])', [ids]);
      return ids.length;
    });
  }
}
