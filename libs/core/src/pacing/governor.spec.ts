// What one decision of the governor is. That no window is ever exceeded whatever happens is the property over random lives
// of a quota: tools/bench/src/pacing/pacing.spec.ts.
import * as fc from 'fast-check';
import { betterOffset, databaseTime, type ClockOffset } from './database-clock.js';
import {
  admit,
  bury,
  complete,
  initialPacing,
  storedPacing,
  unknownPast,
  usage,
  type CallRequest,
  type PacingState,
} from './governor.js';
import { callClasses, defaultPacingPolicy as policy, qboLimits, type CallClass } from './policy.js';

const call = (of: CallClass = 'live', more: Partial<CallRequest> = {}): CallRequest => ({
  kind: 'single',
  app: 'intuit app',
  class: of,
  by: 'one',
  ...more,
});

const ask = (state: PacingState, nowMs: number, request = call()) => admit(state, policy, nowMs, request);

const go = (state: PacingState, nowMs: number, request = call()) => {
  const admitted = ask(state, nowMs, request);
  if (admitted.decision.kind !== 'go') throw new Error(`must wait until ${admitted.decision.untilMs}`);
  return { state: admitted.state, grantId: admitted.decision.grantId };
};

const waits = (state: PacingState, nowMs: number, request = call()): number | undefined => {
  const { decision } = ask(state, nowMs, request);
  return decision.kind === 'wait' ? decision.untilMs : undefined;
};

/** So many calls of a class answered in one second of the past, spacing long over. */
const spent = (calls: Partial<Record<CallClass, number>>, second = 10, batches = 0): PacingState => ({
  ...initialPacing(),
  answered: [
    {
      second,
      total: Object.values(calls).reduce((sum, count) => sum + count, 0),
      calls,
      batches: batches > 0 ? { 'intuit app': batches } : {},
    },
  ],
});

/** Calls every 200 ms, each answered after what `tookMs` says. */
const practised = (tookMs: (n: number) => number, by = 'one', from = initialPacing(), startMs = 0) => {
  let state = from;
  for (let n = 0; n < 30; n += 1) {
    const sent = go(state, startMs + n * 200, call('live', { by }));
    state = complete(sent.state, policy, startMs + n * 200 + tookMs(n), sent.grantId, 'ok');
  }
  return state;
};

/** Sends as fast as it is let for ten seconds, answered after what `tookMs` says: calls a second. */
const sentInASecond = (start: PacingState, startMs: number, tookMs: (n: number) => number): number => {
  let state = start;
  const sent: { atMs: number; id: number; done: boolean }[] = [];
  for (let nowMs = startMs; nowMs < startMs + 10_000; nowMs += 10) {
    for (const one of sent.filter(({ atMs, id, done }) => !done && atMs + tookMs(id) <= nowMs)) {
      state = complete(state, policy, nowMs, one.id, 'ok');
      one.done = true;
    }
    const admitted = ask(state, nowMs);
    state = admitted.state;
    if (admitted.decision.kind === 'go') sent.push({ atMs: nowMs, id: admitted.decision.grantId, done: false });
  }
  return sent.length / 10;
};

describe('the governor', () => {
  it('knows every limit with its date and source', () => {
    for (const known of Object.values(qboLimits)) {
      expect(known).toMatchObject({
        asOf: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        source: expect.stringContaining('https'),
      });
    }
    expect(policy).toMatchObject({ perMinute: 500, perSecond: 10, inFlight: 10, batchesPerMinute: 40, batchItems: 30 });
    expect(policy.batchesPerMinuteOfRealm).toBe(120);
  });

  it('lets ten be in flight per app and not eleven, and keeps some of them from slow bulk work', () => {
    let state = initialPacing();
    for (let n = 0; n < 8; n += 1) state = go(state, n * 1_000, call('bulk')).state;
    expect(waits(state, 9_000, call('bulk'))).toBe(9_050);
    state = go(state, 9_000, call('live')).state;
    expect(waits(state, 10_000, call('live'))).toBe(10_050);
    state = go(state, 10_000, call('interactive')).state;
    expect(waits(state, 11_000, call('interactive'))).toBe(11_050);
    expect(waits(state, 11_000, call('interactive', { app: 'another app' }))).toBeUndefined();
  });

  it('lets no eleventh call into a second until the first of ten was answered a second ago', () => {
    let state = initialPacing();
    const ids: number[] = [];
    for (let n = 0; n < 10; n += 1) {
      const sent = go(state, 10_000 + n * 120, call('interactive'));
      state = sent.state;
      ids.push(sent.grantId);
    }
    for (const id of ids) state = complete(state, policy, 12_000 + id, id, 'ok');
    expect(waits(state, 12_100, call('interactive'))).toBe(12_000 + 1_000 + 10 + ids[0]!);
  });

  it('sends wider apart the more the answers jitter, whatever their mean', () => {
    const steady = sentInASecond(
      practised(() => 400),
      60_000,
      () => 400,
    );
    const uneven = (n: number) => 100 + (n % 5) * 150;
    const jittery = sentInASecond(practised(uneven), 60_000, uneven);
    expect(steady).toBeGreaterThan(8);
    expect(jittery).toBeLessThan(steady - 0.5);
  });

  describe('what may change from one call to the next', () => {
    /** Ten calls answered in one moment after practice: how long until the next may go. */
    const held = (state: PacingState, atMs: number): number => {
      const answered = Array.from({ length: 10 }, () => ({ app: 'intuit app', atMs }));
      return (waits({ ...state, recent: answered }, atMs) ?? atMs) - atMs;
    };

    it('is not known of its way: what our own process takes before it sends', () => {
      // 600 ms from grant to sending, each time; then 4 ms there and back.
      let state = initialPacing();
      for (let n = 0; n < 30; n += 1) {
        const sent = go(state, n * 200);
        state = complete(sent.state, policy, n * 200 + 604, sent.grantId, 'ok', { tookMs: 4 });
      }
      expect(held(state, 20_000)).toBeGreaterThanOrEqual(1_000);
    });

    it('nor a part of the way that a shorter route would not take', () => {
      const way = held(
        practised(() => 500),
        20_000,
      );
      expect(way).toBe(1_000 + 10 - (500 - 100));
      expect(
        held(
          practised(() => 90),
          20_000,
        ),
      ).toBe(1_010);
    });

    it('an answer that came at some time until T frees nothing that is free at T only', () => {
      const sent = go({ ...initialPacing(), recent: [{ app: 'intuit app', atMs: 10_000 }] }, 10_500);
      const state = complete(sent.state, policy, 11_200, sent.grantId, 'ok');
      expect(state.recent.map(({ atMs }) => atMs)).toEqual([10_000, 11_200]);
    });
  });

  describe('beside batches', () => {
    /** A backlog: batches of `items` every 1.5 s, single calls whenever they are let; calls a second, all together. */
    const mixed = (items: number, batchMs: number, startMs = 0): number => {
      let state = initialPacing();
      let sent = 0;
      const open: { id: number; endsMs: number; items: number }[] = [];
      for (let nowMs = startMs; nowMs < startMs + 60_000; nowMs += 10) {
        for (const one of open.filter(({ endsMs }) => endsMs <= nowMs)) {
          state = complete(state, policy, nowMs, one.id, 'ok', { items: one.items });
          open.splice(open.indexOf(one), 1);
        }
        const asked = nowMs % 1_500 === 0 ? (['batch', 'single'] as const) : (['single'] as const);
        for (const kind of asked) {
          const admitted = ask(state, nowMs, call('live', { kind }));
          state = admitted.state;
          if (admitted.decision.kind !== 'go') continue;
          const isBatch = kind === 'batch';
          open.push({
            id: admitted.decision.grantId,
            endsMs: nowMs + (isBatch ? batchMs : 410),
            items: isBatch ? items : 1,
          });
          if (nowMs >= startMs + 30_000) sent += 1;
        }
      }
      return sent / 30;
    };

    it('their work is not taken for jitter: the calls of a minute go out though every tenth takes two seconds', () => {
      expect(mixed(30, 2_150)).toBeGreaterThan(8.2);
    });

    it('but a batch that took so long for two items was held up on its way, and widens the spacing', () => {
      let state = practised(() => 400);
      for (let n = 0; n < 30; n += 1) {
        const sent = go(state, 6_000 + n * 2_000, call('live', { kind: 'batch' }));
        state = complete(sent.state, policy, 6_000 + n * 2_000 + 2_150, sent.grantId, 'ok', { items: 30 });
      }
      const atMs = 80_000;
      // All ten answered in one moment: when the next may go says what is known of their way.
      const slot = (items: number) => {
        let full = state;
        const ids = Array.from({ length: 10 }, (_, n) => {
          const sent = go(full, atMs + n * 200, call('interactive', { kind: 'batch' }));
          full = sent.state;
          return sent.grantId;
        });
        for (const id of ids) full = complete(full, policy, atMs + 4_000, id, 'ok', { items });
        return waits(full, atMs + 4_000, call('interactive'))! - (atMs + 4_000);
      };
      expect(slot(30)).toBeLessThanOrEqual(60);
      expect(slot(2)).toBeGreaterThan(500);
    });

    it('the way of a far process is not taken for work of its batches', () => {
      // 480 ms there and back, nothing to do at the server: of its batches as little is known as of its single calls.
      let state = practised(() => 480, 'far');
      for (let n = 0; n < 30; n += 1) {
        const sent = go(state, 7_000 + n * 2_000, call('attachments', { kind: 'batch', by: 'far' }));
        state = complete(sent.state, policy, 7_000 + n * 2_000 + 480, sent.grantId, 'ok', { items: 30 });
      }
      state = practised(() => 4, 'near', state, 70_000);
      const atMs = 80_000;
      const answered = Array.from({ length: 10 }, () => ({ app: 'intuit app', atMs, items: 30 }));
      expect(waits({ ...state, recent: answered }, atMs, call('live', { by: 'near' }))).toBeGreaterThanOrEqual(
        atMs + 1_000,
      );
    });
  });

  it('frees the slot of a minute a minute after its answer, not with the whole second', () => {
    const ms = Array.from({ length: 500 }, (_, n) => n * 2);
    const state: PacingState = {
      ...initialPacing(),
      answered: [{ second: 10, total: 500, ms, calls: { bulk: 500 }, batches: {} }],
    };
    expect(waits(state, 70_000)).toBe(70_010);
    expect(waits(state, 70_010)).toBeUndefined();
    expect([70_000, 70_010, 70_500, 71_009].map((nowMs) => usage(state, policy, nowMs).held)).toEqual([
      500, 499, 254, 0,
    ]);
  });

  it('takes a process that nobody knows for one on another network', () => {
    const state = practised(() => 400);
    const known = sentInASecond(state, 60_000, () => 400);
    let unknown = practised(() => 30, 'two', state, 10_000);
    unknown = { ...unknown, delays: { ...unknown.delays, two: { ...unknown.delays.two!, samples: 3 } } };
    expect(sentInASecond(unknown, 60_000, () => 400)).toBeLessThan(known);
  });

  it('lets a realm have 40 batches of an app and 120 of all, while singles go on', () => {
    const state = spent({ bulk: 40 }, 10, 40);
    expect(waits(state, 20_000, call('live', { kind: 'batch' }))).toBe(71_010);
    expect(waits(state, 20_000, call('live', { kind: 'batch', app: 'another app' }))).toBeUndefined();
    expect(waits(state, 20_000)).toBeUndefined();
    const all: PacingState = {
      ...initialPacing(),
      answered: [{ second: 10, total: 120, calls: { bulk: 120 }, batches: { a: 40, b: 40, c: 40 } }],
    };
    expect(waits(all, 20_000, call('live', { kind: 'batch', app: 'd' }))).toBe(71_010);
  });

  it('freezes for a minute at a 429, cuts the rate once for all calls in flight, and grows back', () => {
    const first = go(initialPacing(), 0);
    const second = go(first.state, 120);
    let state = complete(second.state, policy, 1_000, first.grantId, 'throttled');
    state = complete(state, policy, 1_001, second.grantId, 'throttled');
    expect(waits(state, 2_000)).toBe(61_000);
    expect(usage(state, policy, 61_000).factor).toBeCloseTo(0.7);
    expect(usage(state, policy, 61_000 + 5 * 60_000).factor).toBeCloseTo(0.8);
    expect(usage(state, policy, 61_000 + 60 * 60_000).factor).toBe(1);
    expect(usage(state, policy, 61_000).shared).toBe(false);
  });

  it('learns from a 429 below its own count that another app takes a share, rests below it, and probes beyond', () => {
    const sent = go(spent({ bulk: 300 }), 20_000);
    const state = complete(sent.state, policy, 21_000, sent.grantId, 'throttled');
    const limitAt = (minutes: number) => Math.round(usage(state, policy, 81_000 + minutes * 60_000).limit);
    expect(usage(state, policy, 81_000).shared).toBe(true);
    expect([0, 4, 8, 12, 20].map(limitAt)).toEqual([211, 251, 286, 286, 361]);
    expect(limitAt(60)).toBe(500);
  });

  it('rests twice as long below a wall that it met again', () => {
    const meet = (from: PacingState, atMs: number, calls: number) => {
      const filled: PacingState = { ...from, answered: spent({ bulk: calls }, Math.floor(atMs / 1000) - 10).answered };
      const sent = go(filled, atMs);
      return complete(sent.state, policy, atMs + 500, sent.grantId, 'throttled');
    };
    const once = meet(initialPacing(), 20_000, 300);
    const twice = meet(once, 20_000 + 15 * 60_000, 290);
    const sinceMs = 14 * 60_000;
    const least = (calls: number) => Math.round(calls * 0.95);
    expect(usage(once, policy, 80_500 + sinceMs).limit).toBeGreaterThan(least(300) + 10);
    expect(Math.round(usage(twice, policy, 80_500 + 15 * 60_000 + sinceMs).limit)).toBe(least(291));
  });

  describe('with classes', () => {
    it('lends all but one slot of the minute to whoever is alone, also to bulk', () => {
      expect(waits(spent({ bulk: 498 }), 20_000, call('bulk'))).toBeUndefined();
      expect(waits(spent({ bulk: 499 }), 20_000, call('bulk'))).toBe(71_010);
    });

    it('has a slot for a live edit in a minute that bulk has spent', () => {
      expect(waits(spent({ bulk: 499 }), 20_000, call('live'))).toBeUndefined();
      expect(waits(spent({ bulk: 500 }), 20_000, call('live'))).toBe(71_010);
    });

    it('lets bulk go one by one, ten a second, and the others as they come', () => {
      const sent = go(initialPacing(), 20_000, call('bulk')).state;
      expect(waits(sent, 20_000, call('bulk'))).toBe(20_100);
      expect(waits(sent, 20_000, call('bulk', { kind: 'batch' }))).toBe(20_100);
      expect(waits(sent, 20_100, call('bulk'))).toBeUndefined();
      expect(waits(sent, 20_000, call('live'))).toBeUndefined();
    });

    it('lets nobody pass for one that waits for its own gap only', () => {
      // Bulk has not had its floor and live has: a want of bulk would go first.
      const sent = go(spent({ live: 300 }), 20_000, call('bulk')).state;
      const asked = ask(sent, 20_050, call('bulk'));
      expect(asked.decision.kind).toBe('wait');
      expect(waits(asked.state, 20_050, call('live'))).toBeUndefined();
    });

    it('a company that lends bulk no live slot at a small ceiling still lets bulk send', () => {
      const ceiling = { share: 0.004, atMs: 20_000, restMs: 300_000 };
      expect(waits({ ...initialPacing(), ceiling }, 20_000, call('bulk'))).toBeUndefined();
    });

    it.each(callClasses.slice(0, 3))(
      'gives the next slot to %s when it wants one, though bulk asks first',
      (urgent) => {
        let state = spent({ bulk: 500 });
        state = ask(state, 71_000, call('bulk', { by: 'two' })).state;
        const waiting = ask(state, 71_000, call(urgent));
        expect(waiting.keep).toBe(true);
        // The second is free; bulk asks a hair earlier.
        const bulk = ask(waiting.state, 71_010, call('bulk', { by: 'two' }));
        expect(bulk.decision).toEqual({ kind: 'wait', untilMs: 71_035 });
        expect(waits(bulk.state, 71_012, call(urgent))).toBeUndefined();
      },
    );

    it('serves bulk below its floor before live above its own', () => {
      let state = spent({ live: 500 - policy.floors.bulk, bulk: policy.floors.bulk });
      state = ask(state, 70_500, call('bulk', { by: 'two' })).state;
      const halfGone: PacingState = {
        ...state,
        answered: [{ second: 40, total: 400, calls: { live: 380, bulk: 20 }, batches: {} }],
      };
      expect(waits(halfGone, 70_600, call('live'))).toBe(70_625);
      expect(waits(halfGone, 70_600, call('bulk', { by: 'two' }))).toBeUndefined();
    });

    it('does not hold a slot for one that stopped waiting', () => {
      const state = ask(spent({ bulk: 500 }), 71_000, call('live')).state;
      expect(waits(state, 71_500, call('bulk'))).toBe(71_525);
      expect(waits(state, 71_751, call('bulk'))).toBeUndefined();
    });

    it('does not let a batch that waits for its own window hold up singles', () => {
      const waiting = ask(spent({ live: 40 }, 10, 40), 20_000, call('live', { kind: 'batch' }));
      expect(waits(waiting.state, 20_000, call('bulk'))).toBeUndefined();
      expect(waits(waiting.state, 71_010, call('bulk', { kind: 'batch' }))).toBeUndefined();
    });
  });

  it('frees the slot of a call that nobody reports: 140 s as open, then a minute as answered', () => {
    const { state } = go(initialPacing(), 0);
    const held = (nowMs: number) => usage(state, policy, nowMs).held;
    expect([139_999, 200_000, 202_000].map(held)).toEqual([1, 1, 0]);
  });

  it('counts what a dead process left open as answered when its death is known', () => {
    const mine = go(initialPacing(), 0);
    const theirs = go(mine.state, 200, call('live', { by: 'two' }));
    const state = bury(theirs.state, policy, 10_000, ({ by }) => by === 'two');
    expect(usage(state, policy, 10_000)).toMatchObject({ inFlight: 1, held: 2 });
    expect(usage(state, policy, 71_100)).toMatchObject({ inFlight: 1, held: 1 });
  });

  it('takes a second report of one answer as no news, and an unsent call as none', () => {
    const { state, grantId } = go(initialPacing(), 0);
    const once = complete(state, policy, 500, grantId, 'ok');
    expect(complete(once, policy, 600, grantId, 'throttled')).toEqual(once);
    expect(usage(complete(state, policy, 500, grantId, 'unsent'), policy, 500).held).toBe(0);
  });

  it('sends nothing for a minute after a past that it does not know', () => {
    expect(waits(unknownPast(initialPacing(), 5_000), 6_000)).toBe(66_000);
    expect(waits(storedPacing({ of: 'another version' }, 5_000), 6_000)).toBe(66_000);
    expect(waits(storedPacing(JSON.parse(JSON.stringify(initialPacing())), 5_000), 6_000)).toBeUndefined();
  });

  it('stays JSON: what was stored and read again decides the same', () => {
    const { state } = go(
      practised(() => 80),
      50_005,
    );
    const stored = storedPacing(JSON.parse(JSON.stringify(state)), 50_500);
    expect(ask(stored, 50_500)).toEqual(ask(state, 50_500));
  });
});

describe("the database's clock", () => {
  const exchange = (sentMs: number, receivedMs: number, databaseMs: number) => ({ sentMs, receivedMs, databaseMs });

  it('is known best from the quickest answer', () => {
    const slow = betterOffset(undefined, exchange(0, 100, 1_090));
    expect(slow.offsetMs).toBe(1_040);
    const quick = betterOffset(slow, exchange(200, 202, 1_221));
    expect(quick.offsetMs).toBe(1_020);
    expect(betterOffset(quick, exchange(300, 340, 1_338))).toBe(quick);
  });

  it('is asked anew when somebody set a clock', () => {
    const known = betterOffset(undefined, exchange(0, 2, 1_001));
    expect(betterOffset(known, exchange(100, 140, 5_120)).offsetMs).toBe(5_000);
  });

  it('is never beyond what is said of it, however slow the statements are', () => {
    const legMs = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.tuple(legMs, legMs), { minLength: 1 }), (aheadMs, exchanges) => {
        let known: ClockOffset | undefined;
        let nowMs = 0;
        for (const [outMs, backMs] of exchanges) {
          const sentMs = nowMs;
          nowMs += outMs + backMs;
          known = betterOffset(known, exchange(sentMs, nowMs, sentMs + outMs + aheadMs));
          const { fromMs, toMs } = databaseTime(known, nowMs);
          expect(fromMs).toBeLessThanOrEqual(nowMs + aheadMs);
          expect(toMs).toBeGreaterThanOrEqual(nowMs + aheadMs);
        }
      }),
    );
  });
});
