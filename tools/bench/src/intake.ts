// intake: changes in their topic to rows of the work list, through mapper and writer as processes (schemas, mapping layers,
// registry framing, PostgreSQL), against raw kafkajs that parses, copies to a second topic and reads from there.
import { withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';
import { Pipeline } from './pipeline.js';

export const bench: Bench = {
  about: 'change to desired row through mapper and writer against a raw kafkajs two-hop copy (goal 0.30)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      const pipeline = await Pipeline.start(addresses, quick ? 20_000 : 200_000);
      try {
        const { writing, tenant, records } = pipeline;
        say(`${records} changes are there`);
        // Learned, not sent: what is measured ends at the row.
        await writing.db.query(`update syncs set state = 'paused' where id = $1`, [tenant.syncId]);
        const rawBefore = await pipeline.raw(true);
        await writing.startApp('qbo-writer');
        const rate = pipeline.rateUntilAllAre(() => pipeline.takenByWriter());
        await writing.startApp('mapper');
        const ours = await rate;
        const rawAfter = await pipeline.raw(true);
        // Before and after: whatever else the machine does falls on both.
        const raw = (rawBefore + rawAfter) / 2;
        return {
          ratio: (ours / raw).toFixed(2),
          ours_per_s: Math.round(ours),
          raw_per_s: Math.round(raw),
          records,
        };
      } finally {
        await pipeline.stop();
      }
    }),
};
