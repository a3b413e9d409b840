// batch and migrate: the writer in virtual time against an emulator with QBO's limits on (apps/qbo-writer/test/virtual-main).
// Loaded by path, as a program: tools start apps, they do not import them.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';

interface Outcome {
  tookMs: number;
  left: number;
  settled: number;
  requests: number;
  batches: number;
  throttled: number;
  peaks: Record<string, number>;
  failed: unknown[];
}

/** A quiet QBO: what a company of ordinary size is seen to take. */
const qboTimes = { callMs: 350, itemMs: 60 };
/** Calls of one company in a minute: 500, of which 40 may be batches of 30 (qbo-api.md 8.1). */
const operationsPerMinute = 40 * 30 + 460;

function run(
  task: Record<string, unknown>,
  env: Record<string, string>,
  say: (text: string) => void,
): Promise<Outcome> {
  const file = join(process.cwd(), 'dist', 'apps', 'qbo-writer', 'test', 'virtual-main.js');
  const child = spawn(process.execPath, [file, JSON.stringify({ ...qboTimes, ...task })], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, SYNC_LOG_LEVEL: 'error' },
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => say(chunk.toString().trim()));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      if (code !== 0) return reject(new Error(`the virtual writer ended with ${code}: ${said}`));
      // Errors that were logged stand in lines of their own.
      const line = said.split('\n').find((one) => one.startsWith('{"tookMs"'));
      if (line === undefined) return reject(new Error(`the virtual writer said nothing: ${said}`));
      const outcome = JSON.parse(line) as Outcome;
      if (outcome.throttled > 0) return reject(new Error(`QBO refused ${outcome.throttled} calls (429)`));
      if (outcome.failed.length > 0)
        return reject(new Error(`not everything settled: ${JSON.stringify(outcome.failed)}`));
      resolve(outcome);
    });
  });
}

export const batch: Bench = {
  about: 'operations per minute and company against one call per record under the same limiter (goal 3.0)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      const minutes = quick ? 1 : 5;
      const rate = async (batchSize: number): Promise<Outcome> => {
        const transactions = Math.ceil((batchSize === 1 ? 520 : operationsPerMinute * 1.05) * minutes);
        return run({ transactions, names: 20, namesFirst: true, batchSize, minutes }, { ...addresses }, say);
      };
      const packed = await rate(30);
      const single = await rate(1);
      return {
        ratio: (packed.settled / packed.tookMs / (single.settled / single.tookMs)).toFixed(2),
        per_minute: Math.round(packed.settled / (packed.tookMs / 60_000)),
        single_per_minute: Math.round(single.settled / (single.tookMs / 60_000)),
        batches: packed.batches,
        throttled: packed.throttled + single.throttled,
        minutes,
      };
    }),
};

export const migrate: Bench = {
  about: 'virtual clock: time for transactions with lists and links against the least the quota allows (goal 1.05)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      // Four whole minutes: the first seconds and the last ones, in which the quota is not spent, are some ten.
      const transactions = quick ? 6_635 : 100_000;
      // A name is a call of its own, one at a time; transactions of names that are there go beside them.
      // Those of four minutes are few, or what is measured is the first seconds, in which nothing but names can go.
      const names = quick ? 5 : 500;
      const outcome = await run({ transactions, names, batchSize: 30 }, { ...addresses }, say);
      const least = leastMs(transactions, names);
      return {
        ratio: (outcome.tookMs / least).toFixed(3),
        minutes: (outcome.tookMs / 60_000).toFixed(1),
        least_minutes: (least / 60_000).toFixed(1),
        transactions,
        names,
        requests: outcome.requests,
        batches: outcome.batches,
        throttled: outcome.throttled,
      };
    }),
};

/**
 * The least time in which the quota lets so much through: full minutes carry 1,660 operations; what is left over fits in
 * the beginning of one more, its batches as fast as spacing lets them.
 */
function leastMs(transactions: number, names: number): number {
  const operations = transactions + names;
  const full = Math.floor(operations / operationsPerMinute);
  const rest = operations - full * operationsPerMinute;
  const spacingMs = 120;
  const calls = rest <= 1_200 ? Math.ceil(rest / 30) : 40 + (rest - 1_200);
  return full * 60_000 + calls * spacingMs;
}
