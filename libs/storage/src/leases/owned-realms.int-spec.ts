// Owners of companies over a real PostgreSQL: several in one process stand for several processes, their loops only note when
// they were woken.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#common/clock';
import { createLog } from '#common/logging';
import { freshDatabase, type FreshDatabase } from '../fresh-database.fixture.js';
import { Links } from '../links/links.js';
import { OwnedRealms, type RealmLoop } from './owned-realms.js';
import { RealmLeases } from './realm-leases.js';
import { RealmWork } from './realm-work.js';
import type { Seat } from './turns.js';

/** Does nothing but rest: each turn puts its company to rest and notes the time. */
class RestingLoop implements RealmLoop {
  readonly turns: number[] = [];
  isLost = false;
  private readonly finished: Promise<void>;

  constructor(
    readonly realmId: string,
    readonly fence: bigint,
    private readonly seat: Seat,
    private readonly work: RealmWork,
    /** the moment it rests until; undefined: until woken */
    private readonly next: () => Date | undefined = () => undefined,
  ) {
    this.finished = this.run();
  }

  wake(lane: 'live' | 'bulk'): void {
    this.seat.wake(lane);
  }

  idleMs(): number {
    return Date.now() - (this.turns.at(-1) ?? Date.now());
  }

  async stop(): Promise<void> {
    this.seat.leave();
    await this.finished;
  }

  lose(): void {
    this.isLost = true;
    this.seat.leave();
  }

  private async run(): Promise<void> {
    for (let turn = await this.seat.next(); turn; turn = await this.seat.next()) {
      const atMs = Date.now();
      await this.work.rest('writer', this.realmId, () => Promise.resolve(this.next()));
      // Noted when it rests: work that a test makes now finds the company asleep.
      this.turns.push(atMs);
      turn.end({ spent: 0, restMs: Number.POSITIVE_INFINITY });
    }
  }
}

interface Process {
  realms: OwnedRealms<RestingLoop>;
  loops: Map<string, RestingLoop>;
  /** from now on nothing it does reaches the database: a process that was killed, or stopped */
  freeze(): void;
}

describe('owned companies', () => {
  let fresh: FreshDatabase;
  let organizationId: string;
  const running: Process[] = [];
  /** let frozen processes go on, so that they notice their loss and end with their test */
  const thaws: (() => Promise<void>)[] = [];
  // Short for a test; a machine with much else to do still renews in time.
  const leaseMs = 4_000;

  beforeAll(async () => {
    fresh = await freshDatabase({ databasePool: 12 });
  });
  afterAll(() => fresh.drop());
  beforeEach(async () => {
    organizationId = randomUUID();
    await fresh.db.query('insert into organizations (id, name) values ($1, $2)', [organizationId, 'Test']);
  });
  afterEach(async () => {
    await Promise.all(thaws.splice(0).map((thaw) => thaw()));
    await Promise.all(running.splice(0).map(({ realms }) => realms.stop()));
    await fresh.db.query('truncate realm_work, realm_leases, realm_owners');
  });

  function start(o: { quietMs?: number; lookMs?: number } = {}): Process {
    let frozen = false;
    let thawed = (): void => undefined;
    const thaw = new Promise<void>((resolve) => (thawed = resolve));
    const work = new RealmWork(fresh.db);
    class Leases extends RealmLeases {
      override renew: RealmLeases['renew'] = (...args) =>
        (frozen ? thaw : Promise.resolve()).then(() => RealmLeases.prototype.renew.apply(this, args));
      override acquire: RealmLeases['acquire'] = (...args) =>
        frozen ? Promise.resolve(undefined) : RealmLeases.prototype.acquire.apply(this, args);
    }
    const loops = new Map<string, RestingLoop>();
    const realms = new OwnedRealms<RestingLoop>(
      {
        purpose: 'writer',
        work,
        leases: new Leases(fresh.db),
        clock: systemClock,
        log: createLog('owned-realms-test'),
        open: (realmId, fence, seat) => {
          const loop = new RestingLoop(realmId, fence, seat, work);
          loops.set(realmId, loop);
          return loop;
        },
      },
      { leaseMs, lookMs: 200, ...o },
    );
    realms.start();
    const process = {
      realms,
      loops,
      freeze: () => {
        frozen = true;
        running.splice(running.indexOf(process), 1);
        thaws.push(() => {
          thawed();
          return realms.stop();
        });
      },
    };
    running.push(process);
    return process;
  }

  const due = (realmIds: readonly string[]) =>
    fresh.db.query(`select realm_work_is_due($1::text[], 'writer', array_fill(now(), array[$2::int]))`, [
      realmIds,
      realmIds.length,
    ]);
  const realmIds = (count: number) => Array.from({ length: count }, (_, n) => `realm-${n}`);
  const until = async (done: () => boolean, withinMs = 60_000) => {
    for (const giveUpAt = Date.now() + withinMs; !done(); await sleep(5)) {
      if (Date.now() > giveUpAt)
        throw new Error(
          `not reached: ${JSON.stringify(running.map(({ realms, loops }) => [realms.realms().length, loops.size, [...loops.values()].filter((l) => l.turns.length > 0).length]))}`,
        );
    }
  };
  const shares = () => running.map(({ realms }) => realms.realms().length).sort((a, b) => a - b);

  it('are spread evenly over processes that start one after the other; nobody hoards', async () => {
    start();
    await due(realmIds(30));
    await until(() => shares()[0] === 30);
    start();
    start();
    // What the first gives back has work again for another: due by somebody's word.
    const again = setInterval(() => void due(realmIds(30)).catch(() => undefined), 100);
    await until(() => shares().join() === '10,10,10').finally(() => clearInterval(again));
  });

  it('of a killed process go on at another one within the lease, under a higher fence', async () => {
    const killed = start();
    await due(['a']);
    await until(() => killed.loops.has('a'));
    const other = start();
    killed.freeze();
    const atMs = Date.now();
    const again = setInterval(() => void due(['a']).catch(() => undefined), 50);
    await until(() => other.loops.has('a')).finally(() => clearInterval(again));
    expect(Date.now() - atMs).toBeLessThan(leaseMs + 30_000);
    expect(other.loops.get('a')!.fence).toBeGreaterThan(killed.loops.get('a')!.fence);
  });

  it('hear of work at once, with or without a loop, whoever made it', async () => {
    // Looks only every hour: what comes sooner was told.
    const one = start({ lookMs: 3_600_000 });
    const listens = () =>
      fresh.db.query(`select from pg_stat_activity where query = $1 and state = 'idle'`, [
        `listen "realm_work_${fresh.db.schema}"`,
      ]);
    while ((await listens()).length === 0) await sleep(20);
    const links = new Links(fresh.db);
    const [source, target, syncId] = ['1', '2', randomUUID()];
    await fresh.db.query(
      `insert into companies (realm_id, organization_id, name) select unnest($1::text[]), $2, 'Company'`,
      [[source, target], organizationId],
    );
    await fresh.db.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)`,
      [syncId, organizationId, source, target],
    );
    const write = (version: string) =>
      links.intake(
        [
          {
            syncId,
            entityType: 'Customer',
            sourceId: '7',
            organizationId,
            sourceRealmId: source!,
            targetRealmId: target!,
            lane: 'live',
            rank: 1,
            version,
            hash: version,
            op: 'upsert',
            references: [],
            mappingVersion: 0,
            changeId: 'c',
          },
        ],
        new Date(),
      );
    const told = async (makeWork: () => Promise<unknown>) => {
      const turnsBefore = one.loops.get(target!)?.turns.length ?? 0;
      await makeWork();
      await until(() => (one.loops.get(target!)?.turns.length ?? 0) > turnsBefore);
    };
    // That it is to be swept one day is the first work of a sync.
    await until(() => (one.loops.get(target!)?.turns.length ?? 0) > 0);
    await told(() => write('v1'));
    await told(() => write('v2'));
    await told(() =>
      fresh.db
        .query(`update links set state = 'failed' where sync_id = $1`, [syncId])
        .then(() => fresh.db.query(`update links set state = 'ready' where sync_id = $1`, [syncId])),
    );
    await fresh.db.query(`update syncs set state = 'paused' where id = $1`, [syncId]);
    await told(() => fresh.db.query(`update syncs set state = 'active' where id = $1`, [syncId]));
    await fresh.db.query(`update companies set status = 'reconnect_needed' where realm_id = $1`, [source]);
    await told(() => fresh.db.query(`update companies set status = 'connected' where realm_id = $1`, [source]));
  });

  it('at rest cost no statement of their own: as many statements with 300 as with 3', async () => {
    const statements = async (count: number) => {
      const one = start();
      await due(realmIds(count));
      await until(
        () => one.realms.realms().length === count && [...one.loops.values()].every((l) => l.turns.length > 0),
      );
      await sleep(100);
      let asked = 0;
      const query = fresh.db.query.bind(fresh.db);
      const spy = jest.spyOn(fresh.db, 'query').mockImplementation((...args: Parameters<typeof query>) => {
        asked++;
        return query(...args);
      });
      await sleep(1_500);
      spy.mockRestore();
      await one.realms.stop();
      running.splice(running.indexOf(one), 1);
      await fresh.db.query('truncate realm_work, realm_leases, realm_owners');
      return asked;
    };
    const few = await statements(3);
    // One statement of each would be 297 more; a renewal or two fall on either side of the 1.5 s on a busy machine.
    expect(await statements(300)).toBeLessThan(few + 50);
  });

  it('loses no work that is made while a company is put to rest', async () => {
    const work = new RealmWork(fresh.db);
    await due(['b']);
    let made: Promise<unknown> | undefined;
    // Made in a transaction that ends after the look: its share lock is waited for, or it finds the company at rest.
    await fresh.db.withTransaction(async (tx) => {
      await tx.query(`select realm_work_is_due(array['b'], 'writer', array['2020-01-01'::timestamptz])`);
      made = work.rest('writer', 'b', async (inside) => {
        const [row] = await inside.query<{ n: number }>(
          'select count(*)::int as n from organizations where name = $1',
          ['made'],
        );
        return row!.n > 0 ? new Date(0) : undefined;
      });
      await sleep(50);
      await tx.query(`insert into organizations (id, name) values ($1, 'made')`, [randomUUID()]);
    });
    expect(await made).toEqual(new Date(0));
    expect(await work.unowned('writer', new Date(), 10)).toEqual(['b']);
  });

  it('are all given back at the end: another process has them at once', async () => {
    const one = start();
    await due(realmIds(5));
    await until(() => one.realms.realms().length === 5);
    await one.realms.stop();
    running.splice(0);
    const held = await fresh.db.query(`select from realm_leases where expires_at > now()`);
    expect(held).toEqual([]);
    expect(await fresh.db.query('select from realm_owners')).toEqual([]);
  });
});
