// fair: what 200 companies notice of one whose QuickBooks is 200 times slower, and of one that backfills a million records:
// p99 from wanted to settled of the others, against the same load without it, in turns.
import { setTimeout as sleep } from 'node:timers/promises';
import { withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';
import { percentile, Writing, type Tenant } from './writing.js';

const tenants = 200;
/** QBO's own time; the slow company's is 200 times this. */
const qboMs = 50;
/** Of all companies together: each has an edit every 13 s. */
const editEveryMs = 65;
/** A backfill whose rows are all there at once begins with half a minute's batches (policy.batchBurstMs), for some 8 s. */
const editsOfBeginning = 120;

export const bench: Bench = {
  about: 'p99 of 200 quiet companies beside a 200 times slower one and beside a backfill, against without (goal 1.25)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      const writing = await Writing.start(addresses);
      try {
        say(`${tenants} companies`);
        const all: Tenant[] = [];
        for (let n = 0; n < tenants; n += 10)
          all.push(...(await Promise.all(Array.from({ length: 10 }, () => writing.tenant()))));
        const [slow, large] = [all[0]!, all[1]!];
        const others = all.slice(2);
        await writing.emulator.limits({ latency: { meanMs: qboMs, jitterMs: 5 } });

        /** One span of ordinary work; the times of the companies that are nobody special. */
        const span = async (besides?: Tenant, edits = quick ? 80 : 600): Promise<number[]> => {
          const since = new Date();
          for (let n = 0; n < edits; n++) {
            await writing.edit(others[n % others.length]!);
            if (besides && n % 10 === 0) await writing.edit(besides);
            await sleep(editEveryMs);
          }
          return writing.settleTimes(since, { except: [slow.target, large.target] });
        };
        await span();
        const ms = { quiet: [] as number[], slow: [] as number[], backfill: [] as number[] };
        const rounds = quick ? 2 : 3;
        for (let round = 0; round < rounds; round++) {
          ms.quiet.push(...(await span()));
          const { id } = await writing.emulator.fault({
            match: { realmId: slow.target },
            fault: 'slow',
            ms: 200 * qboMs,
            probability: 1,
          });
          ms.slow.push(...(await span(slow)));
          await writing.emulator.steer('DELETE', `faults/${id}`);
        }
        // Last: a backfill of this size does not end within the benchmark. It is let go when all of it is there, which no
        // backfill that reads its source page by page is like: what its first seconds cost the others stands by itself.
        await writing.pause(large, true);
        await writing.backlog(large, quick ? 20_000 : 1_000_000);
        await writing.pause(large, false);
        const beginning = await span(undefined, editsOfBeginning);
        for (let round = 0; round < rounds; round++) ms.backfill.push(...(await span()));
        const quiet = percentile(ms.quiet, 99);
        say(`p50: quiet ${p50(ms.quiet)}, beside a slow one ${p50(ms.slow)}, beside a backfill ${p50(ms.backfill)} ms`);
        const [bySlow, byBackfill] = [percentile(ms.slow, 99) / quiet, percentile(ms.backfill, 99) / quiet];
        return {
          ratio: Math.max(bySlow, byBackfill).toFixed(2),
          slow_ratio: bySlow.toFixed(2),
          backfill_ratio: byBackfill.toFixed(2),
          beginning_ratio: (percentile(beginning, 99) / quiet).toFixed(2),
          quiet_p99_ms: quiet.toFixed(0),
          tenants,
        };
      } finally {
        await writing.stop();
      }
    }),
};

const p50 = (ms: readonly number[]): string => percentile(ms, 50).toFixed(0);
