// `npm run bench -- NAME [--quick]`: runs one benchmark of the table and prints its line. Without a name: what there is.
import { parseArgs } from 'node:util';
import type { Bench } from './bench.js';

/** A benchmark registers here; it is loaded only when it is asked for. */
const benches: Record<string, () => Promise<{ bench: Bench }>> = {
  batch: () => import('./batch.js'),
  consume: () => import('./consume.js'),
  cost: () => import('./cost.js'),
  emulator: () => import('./emulator.js'),
  fair: () => import('./fair.js'),
  flood: () => import('./flood.js'),
  grants: () => import('./grants.js'),
  handover: () => import('./handover.js'),
  intake: () => import('./intake.js'),
  latency: () => import('./latency.js'),
  live: () => import('./live.js'),
  memory: () => import('./memory.js'),
  migrate: () => import('./migrate.js'),
  pick: () => import('./pick.js'),
  quota: () => import('./quota.js'),
  replay: () => import('./replay.js'),
  webhook: () => import('./webhook.js'),
};

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const load = benches[positionals[0] ?? ''];
if (!load) {
  const lines = await Promise.all(
    Object.entries(benches).map(async ([name, entry]) => `  ${name.padEnd(10)} ${(await entry()).bench.about}`),
  );
  process.stdout.write(`usage: npm run bench -- NAME [--quick]\n${lines.join('\n')}\n`);
  process.exit(positionals.length === 0 ? 0 : 2);
}
const { bench } = await load();
const metrics = await bench.run({
  quick: values.quick,
  say: (text) => process.stderr.write(`bench ${positionals[0]}: ${text}\n`),
});
const line = Object.entries(metrics).map(([name, value]) => `${name}=${value}`);
process.stdout.write(`bench ${positionals[0]} ${line.join(' ')}\n`);
process.exit(0);
