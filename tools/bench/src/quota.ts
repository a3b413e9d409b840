// quota: a company with work without end. Real clock: the real client and governor against the emulator, whose counters
// judge. Virtual clock: hours of the same decisions in the model of pacing/schedule.ts, whose server counts for itself.
import type { Bench, BenchRun, Metrics } from './bench.js';
import { measureShare } from './pacing/company.js';
import { play, shareOf } from './pacing/claims.js';
import type { Schedule } from './pacing/schedule.js';
import { send } from './pacing/sender.js';

export const bench: Bench = {
  about: 'share= of the quota used by a saturated company, throttled= 429s; goals 0.97 and 0',
  run,
};

const latency = { meanMs: 80, jitterMs: 20 };

async function run({ quick, say }: BenchRun): Promise<Metrics> {
  const seconds = quick ? 35 : 300;
  const minutes = quick ? 30 : 300;
  const schedule: Schedule = {
    seed: 1,
    minutes,
    processes: [
      {
        skewMs: 0,
        databaseMs: 4,
        oneWayMs: 30,
        jitterMs: 10,
        regimes: [],
        stalls: [],
        crashes: [],
        lanes: [
          { class: 'bulk', callers: 12, batchShare: 0.08, pauseMs: 0 },
          { class: 'live', callers: 2, batchShare: 0, pauseMs: 2_000 },
        ],
      },
    ],
    serverMs: { min: 40, max: 120 },
    itemMs: { min: 1, max: 3 },
    otherApp: { perMinute: 0, lump: 1 },
    restores: [],
  };
  const counted = play(schedule);
  const virtual = shareOf(schedule, counted);
  say(`${minutes} virtual minutes: ${virtual.toFixed(4)} of the limit, ${counted.throttled} x 429`);
  const real = await measureShare(seconds, latency, (plan) =>
    Promise.resolve((untilMs: number) =>
      send(
        {
          ...plan,
          lanes: [
            { class: 'bulk', kind: 'single', callers: 10, pauseMs: 0 },
            { class: 'bulk', kind: 'batch', callers: 2, pauseMs: 0 },
            { class: 'live', kind: 'single', callers: 1, pauseMs: 2_000 },
          ],
        },
        AbortSignal.timeout(untilMs - Date.now()),
      ),
    ),
  );
  return {
    share: Math.min(virtual, real.share).toFixed(4),
    throttled: counted.throttled + real.throttled,
    share_real: real.share.toFixed(4),
    share_virtual: virtual.toFixed(4),
    seconds,
    virtual_minutes: minutes,
    ...real.peaks,
  };
}
