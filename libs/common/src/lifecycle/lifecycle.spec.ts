import { ManualClock } from '../clock/index.js';
import { createLog } from '../logging/index.js';
import { Lifecycle, StoppedWaiting, untilAvailable } from './index.js';

const log = createLog('spec');
log.level = 'silent';

it('drains in the order of registration, after the stop signal, also when one of them fails', async () => {
  const lifecycle = new Lifecycle();
  const seen: string[] = [];
  const drain = (name: string, fail = false) =>
    lifecycle.onDrain(name, async () => {
      seen.push(`${name} ${lifecycle.stopping.aborted}`);
      if (fail) throw new Error('stuck');
    });
  drain('intake');
  drain('calls', true);
  drain('outbox');
  expect(await lifecycle.drain(log)).toEqual(['calls']);
  expect(seen).toEqual(['intake true', 'calls true', 'outbox true']);
});

it('waits longer after each failure, up to the ceiling, and answers the value', async () => {
  const clock = new ManualClock(0);
  const tries: number[] = [];
  const value = untilAvailable(
    'kafka',
    async () => {
      tries.push(clock.nowMs());
      if (tries.length < 6) throw new Error('refused');
      return 'there';
    },
    { clock, log, signal: new AbortController().signal, minMs: 100, maxMs: 1000, random: () => 1 },
  );
  await clock.advance(10_000);
  expect(await value).toBe('there');
  expect(tries).toEqual([0, 100, 300, 700, 1500, 2500]);
});

it('stops waiting when the process stops', async () => {
  const clock = new ManualClock(0);
  const stop = new AbortController();
  const waiting = untilAvailable('postgresql', () => Promise.reject(new Error('refused')), {
    clock,
    log,
    signal: stop.signal,
    random: () => 1,
  });
  const outcome = waiting.catch((error: unknown) => error);
  await clock.advance(50);
  stop.abort();
  expect(await outcome).toBeInstanceOf(StoppedWaiting);
});
