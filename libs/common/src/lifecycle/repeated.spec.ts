import { ManualClock } from '../clock/index.js';
import { createLog } from '../logging/index.js';
import { Repeated } from './repeated.js';

const log = createLog('repeated-test');

describe('a repeated step', () => {
  it('goes on after the pause it asked for, and at once after none', async () => {
    const clock = new ManualClock();
    const pauses = [0, 0, 5_000, 1_000];
    let steps = 0;
    const repeated = new Repeated(() => Promise.resolve(pauses[steps++] ?? 60_000), { clock, log, failed: 'nothing' });
    repeated.start();
    repeated.start();
    await clock.advance(4_999);
    expect(steps).toBe(3);
    await clock.advance(1);
    expect(steps).toBe(4);
    await repeated.stop();
  });

  it('that fails is tried again, after ten seconds at the most', async () => {
    const clock = new ManualClock();
    let steps = 0;
    const repeated = new Repeated(
      () => {
        steps += 1;
        return Promise.reject(new Error('away'));
      },
      { clock, log, failed: 'nothing done' },
    );
    repeated.start();
    for (let n = 0; n < 30; n += 1) {
      const before = steps;
      await clock.advance(10_000);
      expect(steps).toBeGreaterThan(before);
      // and never in a hurry
      expect(steps - before).toBeLessThanOrEqual(100);
    }
    await repeated.stop();
  });

  it('in hand is waited for by a stop, hears of it, and is the last', async () => {
    let [steps, heard] = [0, false];
    const repeated = new Repeated(
      (stopping) =>
        new Promise((resolve) => {
          steps += 1;
          stopping.addEventListener('abort', () => {
            heard = true;
            resolve(0);
          });
        }),
      { clock: new ManualClock(), log, failed: 'nothing' },
    );
    repeated.start();
    await repeated.stop();
    expect({ steps, heard }).toEqual({ steps: 1, heard: true });
  });

  it('is not begun when the process stops already', async () => {
    let steps = 0;
    const repeated = new Repeated(() => Promise.resolve((steps += 1)), {
      clock: new ManualClock(),
      log,
      failed: 'nothing',
      stopping: AbortSignal.abort(),
    });
    repeated.start();
    await repeated.stop();
    expect(steps).toBe(0);
  });
});
