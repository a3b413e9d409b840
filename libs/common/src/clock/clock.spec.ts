import fc from 'fast-check';
import { ManualClock, systemClock } from './index.js';

describe('ManualClock', () => {
  it('wakes sleepers in the order of their due times, and equal ones in the order of falling asleep', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 }), async (spans) => {
        const clock = new ManualClock(0);
        const woken: { i: number; ms: number }[] = [];
        spans.forEach((ms, i) => void clock.sleep(ms).then(() => woken.push({ i, ms: clock.nowMs() })));
        await clock.advance(100);
        const expected = spans.map((ms, i) => ({ i, ms })).sort((a, b) => a.ms - b.ms || a.i - b.i);
        expect(woken).toEqual(expected);
        expect(clock.nowMs()).toBe(100);
      }),
    );
  });

  it('wakes a loop that sleeps again inside the span as often as it is due', async () => {
    const clock = new ManualClock(0);
    const turns: number[] = [];
    void (async () => {
      for (;;) {
        await clock.sleep(10);
        turns.push(clock.nowMs());
      }
    })();
    await clock.advance(35);
    expect(turns).toEqual([10, 20, 30]);
    expect(clock.sleeping).toBe(1);
  });

  it('wakes a sleeper at once when its signal aborts, and forgets it', async () => {
    const clock = new ManualClock(0);
    const stop = new AbortController();
    const sleep = clock.sleep(1000, stop.signal);
    stop.abort();
    await sleep;
    expect(clock.sleeping).toBe(0);
    await clock.sleep(1000, stop.signal);
  });
});

it('the system clock ends a sleep when its signal aborts, before or during it', async () => {
  const stop = new AbortController();
  const sleep = systemClock.sleep(60_000, stop.signal);
  stop.abort();
  await sleep;
  await systemClock.sleep(60_000, stop.signal);
});
