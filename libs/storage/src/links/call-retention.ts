// Calls and attempts are the proof of what was sent, and what a crash goes on from. Once settled they are only proof, told in
// the sync log as well: they are kept for a while and then removed, a few at a time, so that no statement holds many locks.
// One process removes at a time (advisory lock); calls whose end is not known are never touched.
//
// Modes: idle -> running (start) -> stopped (stop, for good).
import type { Clock } from '#common/clock';
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
  private mode: 'idle' | 'running' | 'stopped' = 'idle';
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly o: CallRetentionOptions,
  ) {}

  start(): void {
    if (this.mode !== 'idle') throw new Error(`retention starts once; this one is ${this.mode}`);
    this.mode = 'running';
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.mode = 'stopped';
    this.stopping.abort();
    await this.loop;
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

  private async run(): Promise<void> {
    const { clock, log } = this.o;
    while (this.mode === 'running') {
      let removed = 0;
      try {
        removed = await this.removeSome();
      } catch (error) {
        log.warn({ err: error }, 'old calls not removed, will try again');
      }
      await clock.sleep(removed > 0 ? breathMs : lookMs, this.stopping.signal);
    }
  }
}
