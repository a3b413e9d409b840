// replay: everything a sync ever saw is told again, and nothing is to be done: records a second until the job has looked at the
// last one, from a twentieth of them on (the job's start costs a second whatever their number), against a raw read of the topic
// in the same way; and the calls QBO got for it.
import { randomUUID } from 'node:crypto';
import { withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';
import { Pipeline } from './pipeline.js';

export const bench: Bench = {
  about: 'a replay with nothing to do against a raw read of the topic (goal 0.25), and calls to QBO (goal 0)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      // Less than a hundred thousand are over before the mapper's code is compiled.
      const pipeline = await Pipeline.start(addresses, quick ? 100_000 : 1_000_000);
      try {
        const { writing, tenant, records } = pipeline;
        const { db } = writing;
        say(`${records} changes are there`);
        await pipeline.allSettled();
        say('and settled');
        await writing.startApp('qbo-writer');
        await writing.startApp('mapper');
        const rawBefore = await pipeline.raw(false);
        const before = await writing.emulator.stats(tenant.target);
        const jobId = randomUUID();
        const progress = async (): Promise<{ read: number; known: number }> => {
          const [job] = await db.query<{ progress: { read?: number; known?: number } }>(
            'select progress from jobs where id = $1',
            [jobId],
          );
          return { read: job?.progress.read ?? 0, known: job?.progress.known ?? 0 };
        };
        const rate = pipeline.rateUntilAllAre(async () => (await progress()).read);
        await db.query(
          `insert into jobs (id, organization_id, sync_id, kind) select $1, organization_id, id, 'replay' from syncs where id = $2`,
          [jobId, tenant.syncId],
        );
        const ours = await rate;
        const rawAfter = await pipeline.raw(false);
        // Before and after: whatever else the machine does falls on both.
        const raw = (rawBefore + rawAfter) / 2;
        const after = await writing.emulator.stats(tenant.target);
        const { known } = await progress();
        if (known !== records) throw new Error(`${records - known} records were told again`);
        const [{ n: open }] = (await db.query(`select count(*)::int as n from links where state <> 'settled'`)) as [
          { n: number },
        ];
        if (open > 0) throw new Error(`${open} records had something to do`);
        return {
          ratio: (ours / raw).toFixed(2),
          calls: Number(after.requests) - Number(before.requests),
          ours_per_s: Math.round(ours),
          raw_per_s: Math.round(raw),
          records,
        };
      } finally {
        await pipeline.stop();
      }
    }),
};
