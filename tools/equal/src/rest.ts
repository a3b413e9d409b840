// When is a sync at rest? When nothing of it moves any more, seen several times in a row. A company of 20,000 transactions takes a
// quarter of an hour, so not the time counts but the progress: only a sync that moves nothing for long has stopped.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Control, SyncState } from '../../installation/src/control.js';

/** A throttled company rests for a minute, and a writer that was killed rests for its lease: longer than both together. */
export const stuckAfterMs = 90_000;
const calmLooks = 2;
const shownEveryMs = 30_000;

export class Rest {
  constructor(
    private readonly control: Control,
    private readonly broken: Promise<never>,
    private readonly say: (text: string) => void,
  ) {}

  /** @returns why it is not at rest, if it does not come to rest */
  async of(syncId: string, what: string, say = this.say): Promise<string | undefined> {
    let calm = 0;
    let [seen, seenAt, shownAt] = ['', performance.now(), performance.now()];
    let last = '';
    for (;;) {
      const state = await Promise.race([this.control.sync(syncId), this.broken]);
      const failed = state.jobs.find((job) => job.state === 'failed');
      if (failed) throw new Error(`${what}: the ${failed.kind} failed: ${failed.error}`);
      const working = state.jobs.some((job) => job.state === 'queued' || job.state === 'running');
      calm = state.quiet && !working ? calm + 1 : 0;
      if (calm >= calmLooks) {
        say(`${what}: at rest, ${JSON.stringify(state.counts.byState)}${last && `; last moved: ${last}`}`);
        return undefined;
      }
      last = state.motion.join(', ') || last;
      const now = performance.now();
      const progress = progressOf(state);
      if (progress !== seen) [seen, seenAt] = [progress, now];
      if (now - seenAt > stuckAfterMs)
        return `nothing moved for ${stuckAfterMs / 1000} s: ${state.motion.join('; ')}; last error ${JSON.stringify(state.lastError)}`;
      if (now - shownAt > shownEveryMs) {
        shownAt = now;
        say(`${what}: ${JSON.stringify(state.counts.byState)}`);
      }
      // Counting 26,000 links is work for the same two cores.
      await sleep(state.counts.total > 5_000 ? 2_000 : 400);
    }
  }
}

/** Whatever changes when work is done. */
const progressOf = ({ counts, attachments, jobs }: SyncState): string =>
  JSON.stringify([counts.byType, attachments, jobs.map(({ id, state, progress }) => [id, state, progress])]);
