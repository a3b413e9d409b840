// memory: the writer's resident size with a backlog of a million rows that it works on, against a quiet writer.
import { setTimeout as sleep } from 'node:timers/promises';
import { withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';
import { Writing } from './writing.js';

export const bench: Bench = {
  about: "the writer's memory with a million rows of backlog against quiet (goal 1.5)",
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      const writing = await Writing.start(addresses);
      try {
        const [quietOne, busyOne] = [await writing.tenant(), await writing.tenant()];
        const largest = async (seconds: number, meanwhile?: () => Promise<unknown>): Promise<number> => {
          let mb = 0;
          for (let n = 0; n < seconds * 2; n++) {
            await meanwhile?.();
            mb = Math.max(mb, await writing.rssMb());
            await sleep(500);
          }
          return mb;
        };
        // Quiet is not asleep: a few edits, so that everything is loaded that work needs.
        const edit = () => writing.edit(quietOne);
        await largest(quick ? 3 : 20, edit);
        const quiet = await largest(quick ? 5 : 20, edit);
        const rows = quick ? 100_000 : 1_000_000;
        say(`quiet ${quiet.toFixed(0)} MB; ${rows} rows come`);
        await writing.backlog(busyOne, rows);
        const busy = await largest(quick ? 12 : 120, edit);
        return { ratio: (busy / quiet).toFixed(2), quiet_mb: quiet.toFixed(0), busy_mb: busy.toFixed(0), rows };
      } finally {
        await writing.stop();
      }
    }),
};
