// replay: everything a sync ever saw is told again, and nothing is to be done: records a second until the writer has looked at
// the last one, from a twentieth of them on (the job's start costs a second whatever their number), against a raw read of
// the topic in the same way; and the calls QBO got for it.
import { randomUUID } from 'node:crypto';
import { withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';
import { Pipeline } from './pipeline.js';

const settledAtOnce = 20_000;

export const bench: Bench = {
  about: 'a replay with nothing to do against a raw read of the topic (goal 0.25), and calls to QBO (goal 0)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      const pipeline = await Pipeline.start(addresses, quick ? 20_000 : 1_000_000);
      try {
        const { writing, tenant, records } = pipeline;
        const { db } = writing;
        await db.query(`update syncs set state = 'paused' where id = $1`, [tenant.syncId]);
        await writing.startApp('qbo-writer');
        const taken = pipeline.rateUntilAllAre(() => pipeline.takenByWriter());
        await writing.startApp('mapper');
        await taken;
        say(`${records} records are known; now as if all were written`);
        // Some at a time: a statement may take a minute.
        for (let at = 0; at < records; at += settledAtOnce) {
          await db.query(
            `update links set state = 'settled', applied_version = desired_version, applied_hash = desired_hash,
               target_id = source_id, target_sync_token = '0', settled_at = now()
             where sync_id = $1 and entity_type = 'Invoice' and source_id = any(array(select generate_series($2::int, $3::int)::text))`,
            [tenant.syncId, at + 1, Math.min(records, at + settledAtOnce)],
          );
        }
        await db.query(`update syncs set state = 'active' where id = $1`, [tenant.syncId]);
        const rawBefore = await pipeline.raw(false);
        const before = await writing.emulator.stats(tenant.target);
        const jobId = randomUUID();
        const read = pipeline.rateUntilAllAre(async () => {
          const [job] = await db.query<{ read: number }>(
            `select coalesce((progress ->> 'read')::int, 0) as read from jobs where id = $1`,
            [jobId],
          );
          return job?.read ?? 0;
        });
        await db.query(
          `insert into jobs (id, organization_id, sync_id, kind) select $1, organization_id, id, 'replay' from syncs where id = $2`,
          [jobId, tenant.syncId],
        );
        const ours = await read;
        const rawAfter = await pipeline.raw(false);
        // Before and after: whatever else the machine does falls on both.
        const raw = (rawBefore + rawAfter) / 2;
        const after = await writing.emulator.stats(tenant.target);
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
