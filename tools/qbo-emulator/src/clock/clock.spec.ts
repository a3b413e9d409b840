// Emulator time: alarms ring at their own time, in order, and one long advance equals many short ones.
import { RealClock, VirtualClock } from './index.js';

describe('VirtualClock', () => {
  it('stands still until it is advanced', async () => {
    const clock = new VirtualClock(1_000);
    expect(clock.now()).toBe(1_000);
    await clock.advance(250);
    expect(clock.now()).toBe(1_250);
  });

  it('rings alarms in time order, each at its own time, also those set by an alarm', async () => {
    const clock = new VirtualClock(0);
    const rung: [string, number][] = [];
    clock.setTimer(30, () => rung.push(['late', clock.now()]));
    clock.setTimer(10, () => {
      rung.push(['early', clock.now()]);
      clock.setTimer(5, () => rung.push(['nested', clock.now()]));
    });
    await clock.advance(100);
    expect(rung).toEqual([
      ['early', 10],
      ['nested', 15],
      ['late', 30],
    ]);
  });

  it('does not ring a cancelled alarm and refuses to run backwards', async () => {
    const clock = new VirtualClock(0);
    let rang = 0;
    clock.setTimer(10, () => rang++)();
    await clock.advance(20);
    expect(rang).toBe(0);
    await expect(clock.set(5)).rejects.toThrow(/backwards/);
  });
});

describe('RealClock', () => {
  it('rings the alarms that an advance passes, at once and at their own time', async () => {
    const clock = new RealClock();
    const start = clock.now();
    const seen: number[] = [];
    clock.setTimer(60_000, () => seen.push(clock.now() - start));
    await clock.advance(3_600_000);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeGreaterThanOrEqual(60_000);
    expect(seen[0]).toBeLessThan(61_000);
    expect(clock.now() - start).toBeGreaterThanOrEqual(3_600_000);
  });

  it('runs with the wall between advances', () => {
    let wall = 5_000;
    const clock = new RealClock(() => wall);
    wall += 70;
    expect(clock.now()).toBe(5_070);
  });
});
