// The schedule as a whole: shares, lanes, sleep, and that nobody starves among ten thousand.
import * as fc from 'fast-check';
import { RealmSchedule, type TurnLane } from './realm-schedule.js';

const policy = { quantum: 30, bulkEvery: 10 };

/** Every company always has bulk rows and takes what `greed` says. */
function serve(schedule: RealmSchedule, turns: number, greed: (realmId: string, allowance: number) => number) {
  const rows = new Map<string, number>();
  for (let n = 0; n < turns; n++) {
    const turn = schedule.next(0)!;
    const spent = greed(turn.realmId, turn.allowance);
    rows.set(turn.realmId, (rows.get(turn.realmId) ?? 0) + spent);
    schedule.end(turn.realmId, { spent, again: 'bulk' });
  }
  return rows;
}

describe('the schedule of companies', () => {
  it('gives ten thousand companies a turn each before anybody has a second one', () => {
    const schedule = new RealmSchedule(policy);
    for (let n = 0; n < 10_000; n++) schedule.join(String(n));
    const rows = serve(schedule, 10_000, (_, allowance) => allowance);
    expect(rows.size).toBe(10_000);
    expect(new Set(rows.values())).toEqual(new Set([30]));
  });

  it('gives equal shares of rows to companies that want more, whatever each takes at a turn', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 2, maxLength: 12 }), (sizes) => {
        const schedule = new RealmSchedule(policy);
        for (const n of sizes.keys()) schedule.join(String(n));
        // Work comes in pieces of a company's own size, which may overdraw: it waits that much longer for its next turn.
        const rows = serve(schedule, 400 * sizes.length, (realm, allowance) => {
          const size = sizes[Number(realm)]!;
          return Math.max(1, Math.ceil(allowance / size)) * size;
        });
        const shares = [...rows.values()];
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(0.05 * Math.max(...shares) + 200);
      }),
      { numRuns: 100 },
    );
  });

  it('takes live work first, and lets bulk have every tenth turn however much live work there is', () => {
    const schedule = new RealmSchedule(policy);
    for (let n = 0; n < 50; n++) schedule.join(`live ${n}`, 'live');
    schedule.join('backfill', 'bulk');
    const lanes: TurnLane[] = [];
    for (let n = 0; n < 100; n++) {
      const turn = schedule.next(0)!;
      lanes.push(turn.lane);
      schedule.end(turn.realmId, { spent: 1, again: turn.lane });
    }
    expect(lanes.filter((lane) => lane === 'bulk')).toHaveLength(10);
    expect(lanes[0]).toBe('live');
  });

  it('moves a company whose bulk work waits to the front of nobody but to the live ring when an edit comes', () => {
    const schedule = new RealmSchedule(policy);
    for (let n = 0; n < 100; n++) schedule.join(String(n));
    schedule.wake('99', 'live');
    expect(schedule.next(0)).toMatchObject({ realmId: '99', lane: 'live' });
    schedule.end('99', { spent: 1 });
    // Its bulk work still waits for its turn.
    const later = Array.from({ length: 100 }, () => schedule.next(0)!.realmId);
    expect(later).toContain('99');
  });

  it('lets nobody save up: a company that was quiet has one quantum like the others', () => {
    const schedule = new RealmSchedule(policy);
    schedule.join('quiet');
    for (let n = 0; n < 50; n++) {
      expect(schedule.next(0)!.allowance).toBe(30);
      schedule.end('quiet', { spent: 0 });
      schedule.wake('quiet', 'bulk');
    }
  });

  it('wakes each sleeper at its moment and not before, and keeps a wake that comes during a turn', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 60 }), (moments) => {
        const schedule = new RealmSchedule(policy);
        for (const [n, untilMs] of moments.entries()) {
          schedule.join(String(n));
          schedule.next(0);
          schedule.end(String(n), { spent: 0, untilMs });
        }
        const woken: [string, number][] = [];
        for (let nowMs = 0; nowMs <= 1_000; nowMs++) {
          for (let turn = schedule.next(nowMs); turn; turn = schedule.next(nowMs)) {
            woken.push([turn.realmId, nowMs]);
            schedule.end(turn.realmId, { spent: 0 });
          }
        }
        expect(new Map(woken)).toEqual(new Map(moments.map((atMs, n) => [String(n), atMs])));
        expect(woken).toHaveLength(moments.length);
      }),
    );
    const schedule = new RealmSchedule(policy);
    schedule.join('1');
    schedule.next(0);
    schedule.wake('1', 'live');
    schedule.end('1', { spent: 0, untilMs: 5_000 });
    expect(schedule.next(0)).toMatchObject({ realmId: '1', lane: 'live' });
  });

  it('never loses a company: after any order of events it is in turn, in a ring, or asleep until a wake or its moment', () => {
    const event = fc.record({
      realm: fc.integer({ min: 0, max: 4 }).map(String),
      what: fc.constantFrom('wake live', 'wake bulk', 'turn', 'end asleep', 'end again', 'leave'),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const schedule = new RealmSchedule(policy);
        const seated = new Set<string>();
        const inTurn = new Set<string>();
        let nowMs = 0;
        for (const { realm, what } of events) {
          nowMs += 10;
          if (what === 'leave') {
            schedule.leave(realm);
            seated.delete(realm);
            inTurn.delete(realm);
          } else if (what.startsWith('wake')) {
            if (!seated.has(realm)) schedule.join(realm);
            seated.add(realm);
            schedule.wake(realm, what.endsWith('live') ? 'live' : 'bulk');
          } else if (what === 'turn') {
            const turn = schedule.next(nowMs);
            if (turn) inTurn.add(turn.realmId);
          } else if (inTurn.delete(realm)) {
            schedule.end(
              realm,
              what === 'end again' ? { spent: 31, again: 'bulk' } : { spent: 1, untilMs: nowMs + 50 },
            );
          }
        }
        for (const realm of inTurn) schedule.end(realm, { spent: 0, again: 'bulk' });
        const reached = new Set<string>();
        for (let turn = schedule.next(nowMs + 1_000); turn; turn = schedule.next(nowMs + 1_000)) {
          reached.add(turn.realmId);
          schedule.end(turn.realmId, { spent: 0 });
        }
        for (const realm of seated) {
          if (reached.has(realm)) continue;
          schedule.wake(realm, 'bulk');
          expect(schedule.next(nowMs + 1_000)?.realmId).toBe(realm);
          schedule.end(realm, { spent: 0 });
        }
      }),
      { numRuns: 500 },
    );
  });
});
