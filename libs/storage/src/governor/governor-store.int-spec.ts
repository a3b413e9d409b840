// The governor over three processes on a real PostgreSQL, in time that the test moves. The judge is an independent count
// of what a server would have seen, with random latency both ways.
import { ManualClock, systemClock } from '#common/clock';
import type { Clock } from '#common/clock';
import type { Database } from '../database.js';
import { freshDatabase } from '../fresh-database.fixture.js';
import type { FreshDatabase } from '../fresh-database.fixture.js';
import { GovernorClosed, GovernorStore } from './governor-store.js';
import type { GovernorRequest } from './governor-store.js';

describe('the governor', () => {
  let fresh: FreshDatabase;
  let databases: Database[];
  let busy = 0;
  let statements = 0;
  beforeAll(async () => {
    fresh = await freshDatabase();
    databases = [fresh.db, await fresh.another(), await fresh.another()];
    for (const db of databases) {
      const real = db.withSession.bind(db);
      db.withSession = async (work) => {
        busy += 1;
        return real((session) =>
          work({
            query: (sql, parameters) => {
              statements += 1;
              return session.query(sql, parameters);
            },
          }),
        ).finally(() => (busy -= 1));
      };
    }
  });
  const opened: GovernorStore[] = [];
  // What a test left in flight beats in real time as long as its process lives.
  afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));
  afterAll(() => fresh.drop());

  /** A process, as far as its database sees it. */
  const open = (db: Database, clock: Clock): GovernorStore => {
    const store = new GovernorStore(db, clock);
    opened.push(store);
    return store;
  };
  /** The same, in the time of the test. */
  const storeOf = (db: Database, clock: ManualClock): GovernorStore => {
    const store = open(db, clock);
    store.timeOf = 'clock';
    return store;
  };

  /** Lets every started statement end and everything that follows from it start. */
  async function settled(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 3;) {
      await new Promise((resolve) => setImmediate(resolve));
      quietTurns = busy > 0 ? 0 : quietTurns + 1;
    }
  }

  async function pass(clock: ManualClock, ms: number, stepMs = 20): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await settled();
      await clock.advance(stepMs);
    }
    await settled();
  }

  let seed = 7;
  const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;

  /** Most marks in any window of `ms`. */
  function peak(marks: number[], ms: number): number {
    const sorted = [...marks].sort((a, b) => a - b);
    let start = 0;
    let most = 0;
    for (let end = 0; end < sorted.length; end++) {
      while (sorted[end]! - sorted[start]! >= ms) start++;
      most = Math.max(most, end - start + 1);
    }
    return most;
  }

  it('shared by three processes never exceeds a window, and uses nearly all of it (I-06)', async () => {
    const clock = new ManualClock();
    const realm = 'r1';
    const start = clock.nowMs();
    const arrivals: number[] = [];
    const batchArrivals: number[] = [];
    let inFlight = 0;
    let mostInFlight = 0;
    const stop = new AbortController();
    const worker = async (store: GovernorStore, request: GovernorRequest) => {
      while (!stop.signal.aborted) {
        const grant = await store.acquire(realm, request, stop.signal).catch(() => undefined);
        if (!grant) return;
        mostInFlight = Math.max(mostInFlight, ++inFlight);
        await clock.sleep(random() * 60);
        arrivals.push(clock.nowMs());
        if (request.kind === 'batch') batchArrivals.push(clock.nowMs());
        await clock.sleep(40 + random() * 200);
        inFlight -= 1;
        await grant.complete('ok');
      }
    };
    const apps = ['qbo-writer', 'attachment-worker', 'ingest'];
    const workers = databases.flatMap((db, n) => {
      const store = storeOf(db, clock);
      return [
        worker(store, { kind: 'batch', app: apps[n]!, class: 'live' }),
        ...[1, 2, 3].map(() => worker(store, { kind: 'single', app: apps[n]!, class: 'live' })),
      ];
    });
    // The burst of the beginning is over after a few seconds; then one whole minute.
    await pass(clock, 66_000, 40);
    expect(peak(arrivals, 60_000)).toBeLessThanOrEqual(500);
    expect(peak(arrivals, 1000)).toBeLessThanOrEqual(10);
    expect(peak(batchArrivals, 60_000)).toBeLessThanOrEqual(40);
    expect(mostInFlight).toBeLessThanOrEqual(10);
    expect(arrivals.filter((atMs) => atMs - start >= 6_000).length).toBeGreaterThanOrEqual(0.95 * 500);
    stop.abort(new Error('the test is over'));
    await pass(clock, 1000);
    await Promise.all(workers);
  });

  it('of one process serves callers in the order they came, at one statement a call', async () => {
    const clock = new ManualClock();
    const store = storeOf(fresh.db, clock);
    const order: number[] = [];
    const times: number[] = [];
    const start = clock.nowMs();
    const before = statements;
    const calls = Array.from({ length: 40 }, async (_, n) => {
      const grant = await store.acquire('r2', { kind: 'single', app: 'a', class: 'live' });
      order.push(n);
      times.push(clock.nowMs() - start);
      await clock.sleep(30);
      await grant.complete('ok');
    });
    await pass(clock, 6_000, 10);
    await Promise.all(calls);
    expect(order).toEqual([...Array(40).keys()]);
    // Eight or nine at once, the rest at the policy's interval.
    expect(times[8]).toBeLessThan(150);
    expect(times[39]! - times[9]!).toBeGreaterThan(30 * 118);
    expect(times[39]! - times[9]!).toBeLessThan(30 * 130);
    // A write each; beside them a few reads, signs of life, the tail of answers and wants.
    expect(statements - before).toBeLessThan(40 * 1.5);
  });

  it('freezes a realm for all processes on a 429, and no other realm', async () => {
    const clock = new ManualClock();
    const [one, two] = databases.map((db) => storeOf(db, clock)) as [GovernorStore, GovernorStore];
    const request: GovernorRequest = { kind: 'single', app: 'a', class: 'live' };
    await (await one.acquire('r3', request)).complete('throttled');
    let granted = 0;
    const waiting = two.acquire('r3', request).then(() => (granted = clock.nowMs()));
    await two.acquire('r4', request);
    await pass(clock, 59_000, 500);
    expect(granted).toBe(0);
    expect((await two.quotaUse(['r3'])).get('r3')).toMatchObject({ frozenUntil: expect.any(Date), factor: 0.7 });
    await pass(clock, 2000, 100);
    await waiting;
    expect(granted).toBeGreaterThan(0);
  });

  it('lets a caller go that stops waiting, and gives its turn to the next', async () => {
    const clock = new ManualClock();
    const store = storeOf(fresh.db, clock);
    const request: GovernorRequest = { kind: 'single', app: 'a', class: 'live' };
    await store.acquire('r5', request);
    const leaving = new AbortController();
    const gone = store.acquire('r5', request, leaving.signal);
    const next = store.acquire('r5', request);
    leaving.abort(new Error('stopping'));
    await expect(gone).rejects.toThrow('stopping');
    await pass(clock, 200);
    await next;
  });

  it('frees what a process that died left open when it has said nothing for ten seconds', async () => {
    const clock = new ManualClock();
    const died = storeOf(databases[1]!, clock);
    const request: GovernorRequest = { kind: 'single', app: 'a', class: 'interactive' };
    const held = Array.from({ length: 10 }, () => died.acquire('r6', request));
    await pass(clock, 2_000);
    await Promise.all(held);
    // From now on it says nothing.
    Object.assign(died, { beat: () => Promise.resolve() });
    let granted = 0;
    const start = clock.nowMs();
    const waiting = storeOf(fresh.db, clock)
      .acquire('r6', request)
      .then(() => (granted = clock.nowMs() - start));
    await pass(clock, 6_000, 100);
    expect(granted).toBe(0);
    await pass(clock, 8_000, 100);
    await waiting;
    expect(granted).toBeGreaterThan(6_000);
  });

  it('keeps what a process has in flight while it only waits for a slow answer', async () => {
    const clock = new ManualClock();
    const slow = storeOf(databases[1]!, clock);
    const request: GovernorRequest = { kind: 'single', app: 'a', class: 'interactive' };
    const held = Array.from({ length: 10 }, () => slow.acquire('r7', request));
    await pass(clock, 2_000);
    const grants = await Promise.all(held);
    let granted = 0;
    const waiting = storeOf(fresh.db, clock)
      .acquire('r7', request)
      .then(() => (granted = clock.nowMs()));
    await pass(clock, 30_000, 200);
    expect(granted).toBe(0);
    expect(grants.some((grant) => grant.fresh())).toBe(false);
    await grants[0]!.complete('ok');
    await pass(clock, 2_000, 50);
    await waiting;
  });

  it('closed, refuses who waits and who comes, stores the answers it has, and leaves no timer behind', async () => {
    const clock = new ManualClock();
    const store = storeOf(databases[1]!, clock);
    const request: GovernorRequest = { kind: 'single', app: 'a', class: 'interactive' };
    const held = Array.from({ length: 10 }, () => store.acquire('r8', request));
    const answered = store.acquire('r9', request);
    await pass(clock, 2_000);
    const grants = await Promise.all(held);
    const refused = store.acquire('r8', request).catch((reason: unknown) => reason);
    await pass(clock, 100);
    await (await answered).complete('ok');
    await store.close();
    expect(await refused).toBeInstanceOf(GovernorClosed);
    await expect(store.acquire('r8', request)).rejects.toBeInstanceOf(GovernorClosed);
    // The answer that was to ride along with the next grant is told, and so is one that comes late.
    await grants[0]!.complete('ok');
    await settled();
    const use = await store.quotaUse(['r8', 'r9']);
    expect([use.get('r8')!.inFlight, use.get('r9')!.inFlight]).toEqual([9, 0]);
    expect(clock.sleeping).toBe(0);
  });

  describe('when the database is not what it was', () => {
    const request: GovernorRequest = { kind: 'single', app: 'a', class: 'live' };
    /** Milliseconds until the store lets the next call go. */
    const waitOf = async (store: GovernorStore, clock: ManualClock, realm: string): Promise<number> => {
      const start = clock.nowMs();
      let grantedMs = -1;
      const waiting = store.acquire(realm, request).then(() => (grantedMs = clock.nowMs() - start));
      await pass(clock, 3_000, 100);
      if (grantedMs < 0) await pass(clock, 62_000, 500);
      await waiting;
      return grantedMs;
    };

    it.each<[string, (realm: string) => Promise<unknown>]>([
      [
        'set back to an earlier moment',
        (realm) =>
          fresh.db.query(
            `update governor_state set version = 2, state = jsonb_set(state, '{answered}', '[]') where realm_id = $1`,
            [realm],
          ),
      ],
      [
        'set back to before the company',
        (realm) => fresh.db.query('delete from governor_state where realm_id = $1', [realm]),
      ],
      [
        'written by another version of this program',
        (realm) =>
          fresh.db.query(
            `update governor_state set version = version + 1, state = '{"open": []}' where realm_id = $1`,
            [realm],
          ),
      ],
    ])('%s, it waits until every window is surely empty', async (what, spoil) => {
      const clock = new ManualClock();
      const store = storeOf(databases[1]!, clock);
      const realm = `spoilt ${what}`;
      for (let n = 0; n < 5; n += 1) {
        const grant = store.acquire(realm, request);
        await pass(clock, 200);
        await (await grant).complete('ok');
        await pass(clock, 400);
      }
      await spoil(realm);
      // A process without a memory, and the one with it, in either order: the first to notice freezes for all.
      expect(await waitOf(store, clock, realm)).toBeGreaterThanOrEqual(60_000);
    });

    it('started on older data than anybody here remembers, it waits; what was written since the start is trusted', async () => {
      const startedSecondsAgo = async () =>
        (await fresh.db.query<{ s: string }>(`select extract(epoch from now() - pg_postmaster_start_time()) as s`))[0]!
          .s;
      const real = open(fresh.db, systemClock);
      await (await real.acquire('restarted', request)).complete('ok');
      await fresh.db.query(
        `update governor_state set updated_at = pg_postmaster_start_time() - interval '1 s' where realm_id = 'restarted'`,
      );
      const another = open(databases[1]!, systemClock);
      const stop = AbortSignal.timeout(1_500);
      const waiting = another.acquire('restarted', request, stop).then(
        () => 'granted',
        () => 'waiting',
      );
      // The PostgreSQL of a test run may be older than a minute; then there is nothing to wait out.
      expect(await waiting).toBe(Number(await startedSecondsAgo()) < 59 ? 'waiting' : 'granted');
    });
  });

  it('lets calls go although each statement stands in line for a connection longer than a decision is good for', async () => {
    const db = await fresh.another({ databasePool: 2 });
    const store = open(db, systemClock);
    const stop = new AbortController();
    // Four that want two connections for 300 ms each: whoever comes waits about as long as all of them take.
    const hogs = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) await db.query('select pg_sleep(0.3)');
    });
    const granted = Array.from({ length: 8 }, async (_, n) => {
      const grant = await store.acquire(`in line ${n}`, { kind: 'single', app: 'a', class: 'live' }, stop.signal);
      await grant.complete('ok');
    });
    const patience = setTimeout(() => stop.abort(new Error('the governor let nobody go')), 12_000);
    try {
      await Promise.all(granted);
    } finally {
      clearTimeout(patience);
      stop.abort();
      await Promise.all(hogs);
    }
  });

  it("paces by the database's time: processes whose clocks are hours apart share a second as one", async () => {
    const skewed = (skewMs: number): Clock => ({
      nowMs: () => Date.now() + skewMs,
      now: () => new Date(Date.now() + skewMs),
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    });
    const sent: number[] = [];
    const until = Date.now() + 4_000;
    const stores = [0, 3_600_000, -7_200_000].map((skewMs, n) => open(databases[n]!, skewed(skewMs)));
    await Promise.all(
      stores.flatMap((store) =>
        Array.from({ length: 4 }, async () => {
          while (Date.now() < until) {
            const grant = await store.acquire('skewed', { kind: 'single', app: 'a', class: 'live' });
            sent.push(Date.now());
            await systemClock.sleep(5);
            await grant.complete('ok');
          }
        }),
      ),
    );
    expect(peak(sent, 1_000)).toBeLessThanOrEqual(10);
    expect(sent.length).toBeGreaterThan(30);
  });
});
