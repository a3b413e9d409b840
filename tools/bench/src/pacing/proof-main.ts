// `npm run pacing-proof [-- --runs 10000]`: the claims about pacing over many random schedules; the unit test runs a few
// hundred of the same. Prints the peaks the independent server counted, and the share of the limit that saturation used.
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { broken, play, saturated, schedules, shareOf } from './claims.js';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string' } } });
const runs = Number(values.runs);
const seed = values.seed === undefined ? {} : { seed: Number(values.seed) };
const startedMs = performance.now();

const peaks = { minute: 0, second: 0, inFlight: 0, batches: 0 };
let calls = 0;
let played = 0;
fc.assert(
  fc.property(schedules, (schedule) => {
    const counted = play(schedule);
    peaks.minute = Math.max(peaks.minute, counted.peakPerMinute);
    peaks.second = Math.max(peaks.second, counted.peakPerSecond);
    peaks.inFlight = Math.max(peaks.inFlight, counted.peakInFlight);
    peaks.batches = Math.max(peaks.batches, counted.peakBatchesPerMinute);
    calls += counted.calls;
    played += 1;
    if (played % 500 === 0) process.stderr.write(`pacing-proof: ${played} schedules, ${calls} calls\n`);
    const wrong = broken(schedule, counted);
    if (wrong !== undefined) throw new Error(wrong);
  }),
  { numRuns: runs, ...seed },
);

const shares: number[] = [];
fc.assert(
  fc.property(saturated, (schedule) => {
    const counted = play(schedule);
    const wrong = broken(schedule, counted);
    if (wrong !== undefined) throw new Error(wrong);
    shares.push(shareOf(schedule, counted));
    if (shares.at(-1)! < 0.97) throw new Error(`only ${shares.at(-1)} of the limit was used`);
  }),
  { numRuns: Math.max(20, Math.round(runs / 50)), ...seed },
);
const { minute, second, inFlight, batches } = peaks;
const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
process.stdout.write(
  `pacing-proof schedules=${played} calls=${calls} peak_minute=${minute} peak_second=${second} peak_in_flight=${inFlight}` +
    ` peak_batches=${batches} violations=0 share_mean=${mean.toFixed(4)} share_least=${Math.min(...shares).toFixed(4)}` +
    ` seconds=${Math.round((performance.now() - startedMs) / 1000)}\n`,
);
