import { ManualClock } from '../clock/index.js';
import { Health } from './index.js';

function health() {
  const clock = new ManualClock(0);
  const it = new Health(clock);
  it.close(); // the ticker is real time; these tests move their own
  return { clock, health: it };
}

it('is not ready before it accepts work and after it stopped, whatever the probes say', async () => {
  const { health: h } = health();
  h.register('kafka', () => true);
  expect(await h.ready()).toEqual({ status: 'failing', checks: { process: 'starting or stopping', kafka: true } });
  h.accept(true);
  expect((await h.ready()).status).toBe('ok');
  h.accept(false);
  expect((await h.ready()).status).toBe('failing');
});

it('names the probe that fails, also when it throws', async () => {
  const { health: h } = health();
  h.accept(true);
  h.register('kafka', async () => 'no broker answers');
  h.register('postgresql', () => Promise.reject(new Error('connection refused')));
  expect(await h.ready()).toEqual({
    status: 'failing',
    checks: { process: true, kafka: 'no broker answers', postgresql: 'connection refused' },
  });
});

it('stays live while everything around it is away: liveness asks no probe', () => {
  const { health: h } = health();
  h.register('postgresql', () => 'away');
  expect(h.live()).toEqual({ status: 'ok', checks: { 'event-loop': true } });
});

it('a loop that must move fails liveness after its silence, and only while work is expected (I-10)', () => {
  const { clock, health: h } = health();
  h.watchdog('intake', { maxSilenceMs: 5000 });
  void clock.advance(6000);
  expect(h.live().checks.intake).toBe(true);
});

it.each<
  [
    string,
    (dog: { progress(): void; idle(): void }, pass: (ms: number) => Promise<void>) => Promise<void>,
    true | string,
  ]
>([
  ['never began', async (_dog, pass) => pass(9000), true],
  ['moved in time', async (dog, pass) => (dog.progress(), await pass(4000), dog.progress(), await pass(4000)), true],
  ['went quiet', async (dog, pass) => (dog.progress(), await pass(5001)), 'no progress for 5001 ms (limit 5000 ms)'],
  ['had nothing to do', async (dog, pass) => (dog.progress(), dog.idle(), await pass(9000)), true],
])('a watched loop that %s', async (_what, act, expected) => {
  const { clock, health: h } = health();
  await act(h.watchdog('loop', { maxSilenceMs: 5000 }), (ms) => clock.advance(ms));
  expect(h.live().checks.loop).toBe(expected);
});

it('timers that have not fired for ten seconds fail liveness', async () => {
  const { clock, health: h } = health();
  await clock.advance(10_001);
  expect(h.live().checks['event-loop']).toBe('timers have not fired for 10001 ms');
});
