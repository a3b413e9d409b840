// handover: three writers as processes on one company, with attachments and look-ups beside them; every 20 s one of them is
// killed (kill -9, calls in flight) and another begins, so the quota changes hands. The emulator's counters judge.
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchRun, Metrics } from './bench.js';
import { measureShare } from './pacing/company.js';
import type { SenderPlan } from './pacing/sender.js';

export const bench: Bench = {
  about: 'share= of the quota used while owners are killed every 20 s, throttled= 429s; goals 0.95 and 0',
  run,
};

const killEveryMs = 20_000;
const latency = { meanMs: 80, jitterMs: 20 };
const lanes: SenderPlan['lanes'] = [
  { class: 'bulk', kind: 'single', callers: 6, pauseMs: 0 },
  { class: 'bulk', kind: 'batch', callers: 1, pauseMs: 0 },
  { class: 'attachments', kind: 'single', callers: 1, pauseMs: 500 },
  { class: 'interactive', kind: 'single', callers: 1, pauseMs: 3_000 },
];

async function run({ quick, say }: BenchRun): Promise<Metrics> {
  const seconds = quick ? 45 : 300;
  let kills = 0;
  const { share, throttled, peaks } = await measureShare(seconds, latency, async (plan) => {
    const writers = await Promise.all([0, 1, 2].map(() => begin({ ...plan, lanes })));
    return async (untilMs) => {
      try {
        for (let turn = 0; Date.now() + killEveryMs < untilMs; turn += 1) {
          await sleep(killEveryMs);
          await end(writers[turn % 3]!);
          kills += 1;
          say(`writer ${turn % 3} killed`);
          writers[turn % 3] = await begin({ ...plan, lanes });
        }
        await sleep(Math.max(0, untilMs - Date.now()));
      } finally {
        await Promise.all(writers.map(end));
      }
    };
  });
  return { share: share.toFixed(4), throttled, seconds, kills, ...peaks };
}

/** Resolves when it sends. */
async function begin(plan: SenderPlan): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['dist/tools/bench/src/pacing/sender-main.js'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BENCH_SENDER: JSON.stringify(plan) },
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`a writer ended at its start (${code})`)));
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await exited;
}
