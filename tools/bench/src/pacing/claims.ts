// The claims about pacing as fast-check properties, for the unit test (a few hundred schedules) and for the long proof
// (`npm run pacing-proof`, ten thousand).
import * as fc from 'fast-check';
import { callClasses, qboLimits } from '#core';
import { play, type Counted, type Schedule } from './schedule.js';

const minutes = 3;
const lane = fc.record({
  class: fc.constantFrom(...callClasses),
  callers: fc.integer({ min: 1, max: 12 }),
  batchShare: fc.constantFrom(0, 0, 0.1, 0.5, 1),
  pauseMs: fc.constantFrom(0, 0, 50, 500, 5_000),
});
const moment = fc.integer({ min: 0, max: minutes * 60_000 });
// What changes within our own process may be large; a route changes by tens of milliseconds.
const regime = fc.record({
  atMs: moment,
  lagMs: fc.constantFrom(0, 0, 50, 200, 600),
  wayMs: fc.integer({ min: 0, max: 80 }),
});
const process = fc.record({
  // As far off as clocks of machines are found to be, and farther.
  skewMs: fc.oneof(fc.integer({ min: -2_000, max: 2_000 }), fc.constantFrom(-3_600_000, 3_600_000)),
  // A database on a machine that is starved answers late.
  databaseMs: fc.constantFrom(4, 4, 40, 300),
  oneWayMs: fc.integer({ min: 0, max: 250 }),
  jitterMs: fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 0, max: 1_500 }),
  ),
  regimes: fc.array(regime, { maxLength: 6 }).map((found) => found.sort((a, b) => a.atMs - b.atMs)),
  stalls: fc.array(fc.record({ atMs: moment, forMs: fc.integer({ min: 50, max: 6_000 }) }), { maxLength: 3 }),
  crashes: fc.array(fc.record({ atMs: moment, downMs: fc.integer({ min: 0, max: 20_000 }) }), { maxLength: 2 }),
  lanes: fc.array(lane, { minLength: 1, maxLength: 3 }),
});

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  minutes: fc.constant(minutes),
  processes: fc.array(process, { minLength: 1, maxLength: 4 }),
  serverMs: fc.oneof(
    fc.record({ min: fc.constant(2), max: fc.integer({ min: 3, max: 400 }) }),
    // so even that nearly all of a call's way is known
    fc.record({ min: fc.constant(20), max: fc.integer({ min: 21, max: 30 }) }),
    fc.record({ min: fc.integer({ min: 50, max: 300 }), max: fc.integer({ min: 301, max: 6_000 }) }),
  ),
  itemMs: fc.oneof(
    fc.constant({ min: 0, max: 0 }),
    fc.record({ min: fc.integer({ min: 1, max: 60 }), max: fc.integer({ min: 61, max: 200 }) }),
    fc.record({ min: fc.constant(60), max: fc.integer({ min: 60, max: 70 }) }),
  ),
  otherApp: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ perMinute: 0, lump: 1 }) },
    {
      weight: 1,
      arbitrary: fc.record({ perMinute: fc.integer({ min: 20, max: 400 }), lump: fc.constantFrom(1, 5, 60) }),
    },
  ),
  restores: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Schedule['restores']>([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ atMs: moment, byMs: fc.integer({ min: 1, max: 120_000 }) }), { maxLength: 2 }),
    },
  ),
});

/** One process, demand without end, a network as between two data centres: what is there to be used is used. */
export const saturated: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  minutes: fc.constant(5),
  processes: fc.array(
    fc.record({
      skewMs: fc.integer({ min: -2_000, max: 2_000 }),
      oneWayMs: fc.integer({ min: 0, max: 60 }),
      jitterMs: fc.integer({ min: 0, max: 20 }),
      databaseMs: fc.constant(4),
      regimes: fc.constant([]),
      stalls: fc.constant([]),
      crashes: fc.constant([]),
      lanes: fc.constant([
        { class: 'bulk' as const, callers: 12, batchShare: 0.1, pauseMs: 0 },
        { class: 'live' as const, callers: 1, batchShare: 0, pauseMs: 3_000 },
      ]),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  serverMs: fc.record({ min: fc.constant(20), max: fc.integer({ min: 21, max: 120 }) }),
  itemMs: fc.constant({ min: 1, max: 3 }),
  otherApp: fc.constant({ perMinute: 0, lump: 1 }),
  restores: fc.constant<Schedule['restores']>([]),
});

/** What is wrong with what the server counted; undefined when nothing is. */
export function broken(schedule: Schedule, counted: Counted): string | undefined {
  const over = [
    ['a minute', counted.peakPerMinute, qboLimits.perMinute.max],
    ['a second', counted.peakPerSecond, qboLimits.perSecond.max],
    ['in flight', counted.peakInFlight, qboLimits.inFlight.max],
    ['batches of a minute', counted.peakBatchesPerMinute, qboLimits.batchesPerMinute.max],
  ].find(([, seen, max]) => Number(seen) > Number(max));
  if (over) return `${over[1]} in ${over[0]}, where ${over[2]} are allowed`;
  // Nobody can know of another app before the first refusal; without one there is none.
  if (schedule.otherApp.perMinute === 0 && counted.throttled > 0) return `${counted.throttled} refusals`;
  return undefined;
}

export const shareOf = (schedule: Schedule, counted: Counted): number =>
  counted.steady / ((schedule.minutes - 1) * qboLimits.perMinute.max);

export { play };
