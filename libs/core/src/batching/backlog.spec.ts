// What a backlog makes of a company's quota: the writer's choice (pack.ts) over the governor (pacing), in virtual time, against
// the most that the limits leave as a linear program. No database, no emulator: what binds is seen here first.
//
// The program, per minute, for b batches of 30 and s single calls that take Tb and Ts seconds:
//   most of 30 b + s, where a slot of the minute is held until its answer and a minute more:
//   b (60 + Tb) <= 40 x 60      b (60 + Tb) + s (60 + Ts) <= 500 x 60      b Tb + s Ts <= calls in flight x 60
// A batch carries thirty times a single, so b is as large as its own limit lets it, and s takes what is left.
import { admit, complete, defaultPacingPolicy as policy, initialPacing, outlook } from '../pacing/index.js';
import { CallCosts } from './costs.js';
import { packCalls } from './pack.js';

const callsInFlight = 7;
const caller = { app: 'installation', class: 'bulk' as const, by: 'writer' };

interface Times {
  callMs: number;
  itemMs: number;
}

/** Rows a minute that the limits leave. */
function most({ callMs, itemMs }: Times): number {
  const [batch, single] = [(callMs + 30 * itemMs) / 1_000, (callMs + itemMs) / 1_000];
  const batches = Math.min((policy.batchesPerMinute * 60) / (60 + batch), (callsInFlight * 60) / batch);
  const singles = Math.min(
    (policy.perMinute * 60 - batches * (60 + batch)) / (60 + single),
    (callsInFlight * 60 - batches * batch) / single,
  );
  return 30 * batches + Math.max(0, singles);
}

interface Played {
  /** once the first minute is over, in which the burst of the beginning counts */
  rowsPerMinute: number;
  /** for how long each live edit waited for leave, ascending */
  liveWaitsMs: number[];
}

/** A backlog, and a live edit beside it every so often; answers come up to `jitterMs` sooner or later. */
function play(
  { callMs, itemMs }: Times,
  minutes: number,
  { editEveryMs = Infinity, jitterMs = 0 }: { editEveryMs?: number; jitterMs?: number } = {},
): Played {
  let pacing = initialPacing();
  let nowMs = 1_000_000;
  const startMs = nowMs;
  const costs = new CallCosts();
  const queues: Record<'single' | 'batch', number[]> = { single: [], batch: [] };
  // As in the governor's store: lanes of one class take turns.
  let lanes: ('single' | 'batch')[] = ['single', 'batch'];
  let ends: { atMs: number; items: number; grantId: number; sentMs: number; live: boolean }[] = [];
  let [done, before, row, batches] = [0, 0, 0, 0];
  let editMs = startMs + editEveryMs;
  const liveWaitsMs: number[] = [];
  let seed = 1;
  const tookMs = (items: number): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return callMs + items * itemMs + Math.round((2 * (seed / 2_147_483_647) - 1) * jitterMs);
  };

  const pack = (): void => {
    const onTheirWay = ends.filter(({ live }) => !live).length + queues.single.length + queues.batch.length;
    const stock = Array.from({ length: 120 }, () => ({
      keys: [String((row += 1))],
      batchable: true,
      itemMs: costs.itemOf('Invoice'),
      bytes: 500,
    }));
    const { calls } = packCalls(stock, {
      calls: callsInFlight - onTheirWay,
      callsInAll: callsInFlight,
      batchesOnTheirWay: batches,
      batchesInLine: queues.batch.length,
      batchSize: policy.batchItems,
      touched: new Set(),
      backlog: true,
      callMs: costs.perCallMs,
      outlook: outlook(pacing, policy, nowMs, caller),
    });
    for (const { length } of calls) {
      if (length > 1) batches += 1;
      queues[length > 1 ? 'batch' : 'single'].push(length);
    }
  };

  /** Whoever may go goes; @returns when to ask again */
  const letGo = (): number => {
    let againMs = editMs;
    if (nowMs >= editMs) {
      const { state, decision } = admit(pacing, policy, nowMs, { ...caller, class: 'live', kind: 'single' });
      pacing = state;
      if (decision.kind === 'go') {
        liveWaitsMs.push(nowMs - editMs);
        ends.push({ atMs: nowMs + tookMs(1), items: 1, grantId: decision.grantId, sentMs: nowMs, live: true });
        againMs = editMs += editEveryMs;
      } else againMs = decision.untilMs;
    }
    for (const kind of [...lanes]) {
      while (queues[kind].length > 0) {
        const { state, decision } = admit(pacing, policy, nowMs, { ...caller, kind });
        pacing = state;
        if (decision.kind === 'wait') {
          againMs = Math.min(againMs, decision.untilMs);
          break;
        }
        const items = queues[kind].shift()!;
        lanes = [...lanes.filter((one) => one !== kind), kind];
        ends.push({ atMs: nowMs + tookMs(items), items, grantId: decision.grantId, sentMs: nowMs, live: false });
      }
    }
    return againMs;
  };

  for (const untilMs = startMs + minutes * 60_000; nowMs < untilMs;) {
    for (const end of ends.filter(({ atMs }) => atMs <= nowMs)) {
      pacing = complete(pacing, policy, nowMs, end.grantId, 'ok', { items: end.items });
      costs.learn(
        Array.from({ length: end.items }, () => 'Invoice'),
        nowMs - end.sentMs,
      );
      if (end.items > 1) batches -= 1;
      if (!end.live) done += end.items;
    }
    ends = ends.filter(({ atMs }) => atMs > nowMs);
    pack();
    if (nowMs - startMs < 60_000) before = done;
    nowMs = Math.max(nowMs + 1, Math.min(letGo(), ...ends.map(({ atMs }) => atMs), untilMs));
  }
  return {
    rowsPerMinute: (done - before) / (minutes - 1),
    liveWaitsMs: liveWaitsMs.sort((a, b) => a - b),
  };
}

describe('a backlog', () => {
  it.each([
    ['as fast as a company of ordinary size is seen to answer', { callMs: 350, itemMs: 60 }],
    ['by a slow hour, in which calls in flight bind', { callMs: 700, itemMs: 120 }],
    ['with items so slow that batches take most calls', { callMs: 400, itemMs: 250 }],
  ] as [string, Times][])('uses what the limits leave, %s', (_, times) => {
    const share = play(times, 3).rowsPerMinute / most(times);
    expect(share).toBeGreaterThan(0.95);
    expect(share).toBeLessThan(1.05);
  });

  // Sent as they came, ten at once and then none for a second, they kept an edit waiting for up to a second.
  it('leaves a live edit a slot within a few tenths of a second', () => {
    const { liveWaitsMs } = play({ callMs: 300, itemMs: 0 }, 3, { editEveryMs: 1_500, jitterMs: 50 });
    expect(liveWaitsMs.length).toBeGreaterThan(100);
    expect(liveWaitsMs.at(-1)).toBeLessThan(300);
  });
});
