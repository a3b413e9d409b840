// One circuit for all companies and processes: who may send, who probes, and how the companies come back.
import fc from 'fast-check';
import {
  closedPlatform,
  isPlatformTrouble,
  platformLeave,
  probed,
  probeTaken,
  tripped,
  type PlatformCircuit,
} from './platform-circuit.js';

const open = tripped(closedPlatform, 1_000_000)!;
const realms = Array.from({ length: 1_000 }, (_, n) => `46208163650${String(n).padStart(8, '0')}`);

describe('the circuit of the platform', () => {
  it('open, lets nothing pass before a probe is due; then a write may ask for it, a read only when nobody wrote', () => {
    expect(platformLeave(open, 1_004_999, 'r', 'write')).toMatchObject({ kind: 'refused', why: 'open' });
    expect(platformLeave(open, 1_005_000, 'r', 'write')).toEqual({ kind: 'probe' });
    expect(platformLeave(open, 1_005_000, 'r', 'read')).toMatchObject({ kind: 'refused', untilMs: 1_015_000 });
    expect(platformLeave(open, 1_015_000, 'r', 'read')).toEqual({ kind: 'probe' });
  });

  it('gives the probe to one, and to another when that one must be dead', () => {
    const taken = probeTaken(open, 1_005_000)!;
    expect(probeTaken(taken, 1_005_001)).toBeUndefined();
    expect(platformLeave(taken, 1_020_000, 'r', 'write').kind).toBe('refused');
    expect(probeTaken(taken, 1_005_000 + 150_000)).toBeDefined();
  });

  it('waits longer after each probe without an answer, and at most a minute', () => {
    let circuit: PlatformCircuit = open;
    const waits: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      const nowMs = circuit.probeAtMs;
      circuit = probed(probeTaken(circuit, nowMs)!, nowMs, false)!;
      waits.push(circuit.probeAtMs - nowMs);
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it('healed, lets the companies begin evenly over as long as the outage was, at most half a minute', () => {
    const healedMs = open.sinceMs + 600_000;
    const healed = probed(open, healedMs, true)!;
    const begin = (nowMs: number) =>
      realms.filter((id) => platformLeave(healed, nowMs, id, 'write').kind === 'go').length;
    for (const second of [3, 6, 9, 12, 15, 18, 21, 24, 27]) {
      // A thousand over 30 s: a hundred every three seconds.
      expect(begin(healedMs + second * 1000) - begin(healedMs + (second - 3) * 1000)).toBeGreaterThan(60);
      expect(begin(healedMs + second * 1000) - begin(healedMs + (second - 3) * 1000)).toBeLessThan(140);
    }
    expect(begin(healedMs + 30_000)).toBe(1_000);
    const short = probed(open, open.sinceMs + 5_000, true)!;
    expect(platformLeave(short, open.sinceMs + 10_000, 'any', 'read').kind).toBe('go');
  });

  it('never lets two processes probe at once, whatever the order of what they do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ what: fc.constantFrom('trip', 'take', 'fail', 'answer'), ms: fc.nat(40_000) }), {
          maxLength: 60,
        }),
        (steps) => {
          let circuit = closedPlatform;
          let nowMs = 1_000_000;
          let probeSinceMs: number | undefined;
          for (const { what, ms } of steps) {
            nowMs += ms;
            const before = circuit;
            if (what === 'trip') circuit = tripped(circuit, nowMs) ?? circuit;
            else if (what === 'take') {
              const taken = probeTaken(circuit, nowMs);
              if (!taken) continue;
              // A probe still out is over by now: nobody's call takes so long.
              if (probeSinceMs !== undefined) expect(nowMs - probeSinceMs).toBeGreaterThanOrEqual(150_000);
              probeSinceMs = nowMs;
              circuit = taken;
            } else if (probeSinceMs !== undefined) {
              probeSinceMs = undefined;
              circuit = probed(circuit, nowMs, what === 'answer') ?? circuit;
            }
            expect(circuit.version - before.version).toBe(circuit === before ? 0 : 1);
          }
        },
      ),
    );
  });
});

describe('a call without an answer', () => {
  const health = (silent: number, answering: number) => [
    ...Array.from({ length: silent }, () => ({ lastAnswerMs: 0, lastSilenceMs: 99_000 })),
    ...Array.from({ length: answering }, () => ({ lastAnswerMs: 99_000, lastSilenceMs: 98_000 })),
  ];
  it.each<[string, number, number, boolean]>([
    ['of one company is its own', 1, 0, false],
    ['of one among answering ones is its own', 1, 5, false],
    ['of half the companies is not the platform', 10, 10, false],
    ['of all companies is the platform', 2, 0, true],
    ['of nearly all is the platform', 9, 1, true],
  ])('%s', (_name, silent, answering, expected) => {
    expect(isPlatformTrouble(health(silent, answering), 100_000, 30_000)).toBe(expected);
  });

  it('is not judged by what was long ago', () => {
    expect(isPlatformTrouble(health(9, 0), 200_000, 30_000)).toBe(false);
  });
});
