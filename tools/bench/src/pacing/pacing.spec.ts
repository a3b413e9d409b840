// I-06 over random lives of a quota, as an independent server counts. Ten thousand of them: `npm run pacing-proof`.
import * as fc from 'fast-check';
import { broken, play, saturated, schedules, shareOf } from './claims.js';

describe('pacing, whatever happens between us and the server', () => {
  it('exceeds no window: latencies, jitter, stalls, hand-overs, crashes, skewed clocks, other apps, restores (I-06)', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        expect(broken(schedule, play(schedule))).toBeUndefined();
      }),
      // The same lives at each run; `npm run pacing-proof` looks for new ones.
      { numRuns: 250, seed: 1 },
    );
  });

  it('uses at least 97 % of the limit when there is work without end', () => {
    fc.assert(
      fc.property(saturated, (schedule) => {
        const counted = play(schedule);
        expect(broken(schedule, counted)).toBeUndefined();
        expect(shareOf(schedule, counted)).toBeGreaterThanOrEqual(0.97);
      }),
      { numRuns: 10, seed: 1 },
    );
  });
});
