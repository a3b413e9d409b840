// The store of links on real PostgreSQL: order of arrival, claims, waiting and waking, fences.
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterReceipt, encodeVersion, type LinkState } from '#core';
import { freshDatabase, freshRealmId, type FreshDatabase } from '#testing';
import { Database } from '../database.js';
import { FenceLost, RealmLeases } from '../leases/realm-leases.js';
import {
  LinkReport,
  Links,
  recallTargets,
  type CallRecord,
  type DesiredLink,
  type LinkChange,
  type StoredLink,
} from './index.js';
import { waitsInPage } from './waits.js';

const at = new Date('2026-11-21T12:00:00Z');
const version = (n: number) =>
  encodeVersion({
    lastUpdatedTime: new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString(),
    syncToken: n,
    observedAt: '2026-01-02T00:00:00Z',
  });

describe('links', () => {
  let database: FreshDatabase;
  let db: Database;
  let links: Links;
  let leases: RealmLeases;
  let syncId: string;
  let realmId: string;
  let fence: bigint;
  const organizationId = randomUUID();

  beforeAll(async () => {
    database = await freshDatabase();
    db = await Database.connect({ ...database, applicationName: 'links-test' });
    await db.migrate();
    links = new Links(db);
    leases = new RealmLeases(db);
    await db.query('insert into organizations (id, name) values ($1, $2)', [organizationId, 'Test']);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });
  beforeEach(async () => {
    [syncId, realmId] = [randomUUID(), freshRealmId()];
    const source = freshRealmId();
    for (const realm of [source, realmId]) {
      await db.query('insert into companies (realm_id, organization_id, name) values ($1, $2, $3)', [
        realm,
        organizationId,
        realm,
      ]);
    }
    await db.query(
      'insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)',
      [syncId, organizationId, source, realmId],
    );
    fence = (await leases.acquire(realmId, 'writer', 'test', 60_000))!.fence;
  });

  const desired = (sourceId: string, n: number, more: Partial<DesiredLink> = {}): DesiredLink => ({
    syncId,
    entityType: 'Customer',
    sourceId,
    organizationId,
    sourceRealmId: 'source',
    targetRealmId: realmId,
    lane: 'bulk',
    rank: 4,
    version: version(n),
    hash: `hash-${n}`,
    op: 'upsert',
    payload: { DisplayName: `name ${n}` },
    references: [],
    mappingVersion: 1,
    changeId: `change-${n}`,
    ...more,
  });
  const key = (sourceId: string, entityType = 'Customer') => ({ syncId, entityType, sourceId });
  const one = async (sourceId: string, entityType = 'Customer'): Promise<StoredLink> =>
    (await links.find([key(sourceId, entityType)]))[0]!;
  const callOf = (members: { stored: StoredLink }[]): CallRecord => ({
    id: randomUUID(),
    targetRealmId: realmId,
    requestId: randomUUID(),
    kind: members.length === 1 ? 'single' : 'batch',
    attempts: members.map(({ stored }, n) => ({
      ...key(stored.sourceId, stored.entityType),
      operation: 'create',
      requestId: `r${n}`,
      version: stored.link.desired.version,
      desiredHash: stored.link.desired.hash,
      generation: 0,
      body: `{"n":${n},"big":12345678901234567890.10}`,
      applied: { n },
      deferred: [],
      partial: false,
    })),
  });
  const claim = (stored: StoredLink[], by = fence) =>
    links.claim(
      realmId,
      by,
      stored.map((s) => ({ key: key(s.sourceId, s.entityType), version: s.link.desired.version, stored: s })),
      at,
      callOf,
    );
  const settled = (stored: StoredLink, targetId: string, state: LinkState = { kind: 'settled' }): LinkChange => ({
    key: key(stored.sourceId, stored.entityType),
    state,
    attempts: 0,
    applied: { version: stored.link.desired.version, hash: stored.link.desired.hash },
    target: { id: targetId, syncToken: '0', deleted: false },
    wakes: true,
  });
  const settle = (call: CallRecord, by = fence) =>
    links.decide(
      realmId,
      by,
      call.attempts,
      at,
      (rows) => ({
        changes: rows.map((row, n) => settled(row, `t-${row.entityType}-${row.sourceId}-${n}`)),
        call: {
          id: call.id,
          state: 'answered',
          attempts: call.attempts.map((_, position) => ({ position, outcome: 'created' })),
        },
      }),
      call.id,
    );

  it('ends with the newest version whatever the order, the batches and the repetitions (I-03)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 5,
        }),
        async (batches) => {
          const sourceId = randomUUID();
          for (const batch of batches)
            await links.intake(
              batch.map((n) => desired(sourceId, n)),
              at,
            );
          const newest = Math.max(...batches.flat());
          expect((await one(sourceId)).link.desired).toMatchObject({
            version: version(newest),
            hash: `hash-${newest}`,
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes the same version again only under a newer mapping', async () => {
    await links.intake([desired('1', 1)], at);
    expect(await links.intake([desired('1', 1, { hash: 'other' })], at)).toEqual([]);
    expect(await links.intake([desired('1', 1, { hash: 'other', mappingVersion: 2 })], at)).toMatchObject([
      { state: 'ready' },
    ]);
  });

  it('takes what is news among a replay of what is known, as it takes it alone', async () => {
    await links.intake([desired('1', 1), desired('2', 1), desired('3', 1)], at);
    const rowVersions = () =>
      db.query('select source_id, xmin, xmax from links where sync_id = $1 order by 1', [syncId]);
    const replay = [desired('1', 1), desired('2', 1), desired('3', 1)];
    expect(await links.intake(replay, at)).toEqual([]);
    const before = await rowVersions();
    expect(await links.intake(replay, at)).toEqual([]);
    // Not even locked.
    expect(await rowVersions()).toEqual(before);
    const mixed = [desired('1', 1), desired('2', 2), desired('3', 1, { mappingVersion: 2 }), desired('4', 1)];
    expect((await links.intake(mixed, at)).map((one) => one.sourceId)).toEqual(['2', '3', '4']);
    expect((await one('2')).link.desired.version).toBe(version(2));
  });

  it('says beforehand what it would take in, in the order asked', async () => {
    const telling = fc.tuple(fc.nat(3), fc.nat(2), fc.nat(2));
    await fc.assert(
      fc.asyncProperty(
        fc.array(telling, { maxLength: 8 }),
        fc.uniqueArray(telling, { selector: ([id]) => id }),
        async (before, after) => {
          await db.query('delete from links where sync_id = $1', [syncId]);
          const told = (all: typeof before) =>
            all.map(([id, n, mappingVersion]) => desired(String(id), n, { mappingVersion }));
          for (const one of told(before)) await links.intake([one], at);
          const news = await links.newsOf(told(after));
          // A store that has seen no repeats asks nobody: the statement that writes decides.
          const taken = new Set((await new Links(db).intake(told(after), at)).map((one) => one.sourceId));
          expect(news).toEqual(told(after).filter((one) => taken.has(one.sourceId)));
        },
      ),
      { numRuns: 20 },
    );
  });

  it('settles at once what the target has already, and keeps a call on its way in its state', async () => {
    await links.intake([desired('1', 1)], at);
    const call = (await claim([await one('1')]))!;
    expect(await links.intake([desired('1', 2)], at)).toMatchObject([{ state: 'sending' }]);
    await settle(call);
    expect(await links.intake([desired('1', 3, { hash: (await one('1')).link.applied!.hash })], at)).toMatchObject([
      { state: 'settled' },
    ]);
  });

  it('picks live before bulk, parents before children, and nothing of a paused sync', async () => {
    const later = new Date(at.getTime() + 1_000);
    await links.intake(
      [
        desired('9', 1),
        desired('child', 1, { rank: 7, entityType: 'Invoice' }),
        desired('live', 1, { lane: 'live', rank: 7 }),
      ],
      later,
    );
    await links.intake([desired('8', 1)], at);
    const order = async () => (await links.pick(realmId, ['Customer', 'Invoice'], 10)).map((l) => l.sourceId);
    expect(await order()).toEqual(['live', '8', '9', 'child']);
    await db.query(`update syncs set state = 'paused' where id = $1`, [syncId]);
    expect(await order()).toEqual([]);
  });

  it('picks names first that the first of those who wait are waiting for, then the others in their order', async () => {
    const names = ['1', '2', '3', '4', '5'].map((id) => desired(id, 1));
    const invoices = ['10', '11'].map((id) => desired(id, 1, { entityType: 'Invoice', rank: 7 }));
    await links.intake([...names, ...invoices], at);
    const picked = async (limit: number) =>
      (await links.pickAwaited(realmId, ['Customer'], limit, { lane: 'bulk', except: [key('1')] })).map(
        (l) => l.sourceId,
      );
    expect(await picked(9)).toEqual(['2', '3', '4', '5']);
    const wait = async (id: string, on: string[]) => ({
      key: key(id, 'Invoice'),
      version: (await one(id, 'Invoice')).link.desired.version,
      on: on.map((name) => `Customer/${name}`),
    });
    await links.park(realmId, fence, [await wait('11', ['3', '1']), await wait('10', ['5'])], at);
    expect(await picked(9)).toEqual(['5', '3', '2', '4']);
    expect(await picked(1)).toEqual(['5']);
    expect(await links.pickAwaited(realmId, ['Customer'], 9, { lane: 'live' })).toEqual([]);
  });

  it('of live names, half are those that are ready for longest: new ones that others wait for never keep an older edit', async () => {
    await links.intake([desired('old', 1, { entityType: 'Item', rank: 6, lane: 'live' })], at);
    const soon = new Date(at.getTime() + 1_000);
    const names = Array.from({ length: 9 }, (_, n) => desired(String(n), 1, { lane: 'live' }));
    await links.intake([...names, desired('10', 1, { entityType: 'Invoice', rank: 7, lane: 'live' })], soon);
    const { version: planned } = (await one('10', 'Invoice')).link.desired;
    const on = ['Customer/7', 'Customer/8'];
    await links.park(realmId, fence, [{ key: key('10', 'Invoice'), version: planned, on }], soon);
    const picked = async (limit: number) =>
      (await links.pickAwaited(realmId, ['Customer', 'Item'], limit, { lane: 'live' })).map((l) => l.sourceId);
    expect((await picked(4))[0]).toBe('old');
    expect((await picked(4)).slice(2).sort()).toEqual(['7', '8']);
    // Who waits for nothing is not in the way when all of them fit.
    expect((await picked(20)).slice(0, 2).sort()).toEqual(['7', '8']);
  });

  it('picks bulk work in the order in which the source entered it, live work in the order in which it came', async () => {
    const later = new Date(at.getTime() + 1_000);
    await links.intake([desired('100', 1), desired('9', 1), desired('31', 1, { lane: 'live' })], at);
    await links.intake([desired('10', 1), desired('30', 1, { lane: 'live' })], later);
    const picked = await links.pick(realmId, ['Customer'], 10);
    expect(picked.map((l) => l.sourceId)).toEqual(['31', '30', '9', '10', '100']);
  });

  it('picks a removal first that came last among many of its type', async () => {
    await links.intake(
      Array.from({ length: 9 }, (_, n) => desired(String(n), 1, { rank: 7 })),
      at,
    );
    await links.intake([desired('99', 1, { op: 'delete', rank: -7 })], at);
    expect((await links.pick(realmId, ['Customer'], 2)).map((l) => l.sourceId)).toEqual(['99', '0']);
  });

  it('reads no more than it picks, however much else is ready and whatever the planner believes', async () => {
    await links.intake([desired('1', 1), desired('2', 1)], at);
    await db.query('analyze links');
    await db.query(
      `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
         desired_version, desired_hash, desired_op, mapping_version, change_id)
       select sync_id, 'Invoice', n::text, organization_id, source_realm_id, target_realm_id, state, lane, 7,
         desired_version, 'h', desired_op, 0, 'c' from links cross join generate_series(1, 2000) n
       where target_realm_id = $1 and source_id = '1'`,
      [realmId],
    );
    await db.withTransaction(async (tx) => {
      // Counted for each transaction by itself.
      const readSoFar = async () => {
        const [row] = await tx.query<{ n: string }>(
          `select pg_stat_get_xact_tuples_returned('links'::regclass) + pg_stat_get_xact_tuples_fetched('links'::regclass)
             + (select sum(pg_stat_get_xact_tuples_fetched(indexrelid)) from pg_index where indrelid = 'links'::regclass) as n`,
        );
        return Number(row!.n);
      };
      const inside = new Links(tx as never as Database);
      for (const types of [['Customer'], ['Invoice', 'Payment']]) {
        const before = await readSoFar();
        const picked = await inside.pick(realmId, types, 20, { lane: 'bulk', except: [key('1'), key('1', 'Invoice')] });
        expect(picked).toHaveLength(types.includes('Customer') ? 1 : 20);
        const read = (await readSoFar()) - before;
        expect(read).toBeGreaterThanOrEqual(picked.length);
        expect(read).toBeLessThanOrEqual(21);
      }
    });
  });

  it('claims only what is still ready for the planned version, and writes the exact bytes down', async () => {
    await links.intake([desired('1', 1), desired('2', 1)], at);
    const planned = [await one('1'), await one('2')];
    await links.intake([desired('2', 2)], at);
    const call = (await claim(planned))!;
    expect(call.attempts.map((a) => a.sourceId)).toEqual(['1']);
    const [open] = await links.openCalls(realmId);
    expect(open).toMatchObject({ id: call.id, state: 'claimed', sends: 1, settled: [] });
    expect(open!.attempts).toEqual(call.attempts);
    expect(await claim(planned)).toBeUndefined();
  });

  it('settles a call once: the second settling finds it done', async () => {
    await links.intake([desired('1', 1)], at);
    const call = (await claim([await one('1')]))!;
    expect(await settle(call)).toMatchObject({ woken: 0 });
    expect(await settle(call)).toBeUndefined();
    expect(await links.openCalls(realmId)).toEqual([]);
  });

  it('lets nobody claim, settle or send with a fence that is over', async () => {
    await links.intake([desired('1', 1), desired('2', 1)], at);
    const call = (await claim([await one('1')]))!;
    await leases.release(realmId, 'writer', 'test');
    const next = (await leases.acquire(realmId, 'writer', 'other', 60_000))!.fence;
    await expect(claim([await one('2')])).rejects.toBeInstanceOf(FenceLost);
    await expect(settle(call)).rejects.toBeInstanceOf(FenceLost);
    await expect(links.noteSend(realmId, fence, call.id)).rejects.toBeInstanceOf(FenceLost);
    expect(await links.noteSend(realmId, next, call.id)).toBe(true);
    expect(await settle(call, next)).toBeDefined();
  });

  it('wakes a child when the last of its parents is settled, in that same transaction', async () => {
    await links.intake([desired('p1', 1), desired('p2', 1), desired('c', 1, { entityType: 'Invoice', rank: 7 })], at);
    const child = await one('c', 'Invoice');
    await links.park(
      realmId,
      fence,
      [{ key: key('c', 'Invoice'), version: child.link.desired.version, on: ['Customer/p1', 'Customer/p2'] }],
      at,
    );
    expect((await one('c', 'Invoice')).link.state).toMatchObject({
      kind: 'waiting',
      on: ['Customer/p1', 'Customer/p2'],
    });
    await settle((await claim([await one('p1')]))!);
    expect((await one('c', 'Invoice')).link.state).toMatchObject({ kind: 'waiting', on: ['Customer/p2'] });
    expect(await settle((await claim([await one('p2')]))!)).toMatchObject({ woken: 1 });
    expect((await one('c', 'Invoice')).link.state).toEqual({ kind: 'ready' });
  });

  it('lets the next bring in goods when the one before it has ended, and nobody who waits for another one (STOCK.ORDER)', async () => {
    const bills = ['1', '2', '3'].map((id) => desired(id, 1, { entityType: 'Bill', rank: 7 }));
    await links.intake(bills, at);
    const after = async (sourceId: string, before: string): Promise<LinkChange> => {
      const reason = afterReceipt({ entityType: 'Bill', sourceId: before });
      const state = { kind: 'backoff', dueAtMs: at.getTime() + 2_000, code: 'STOCK.ORDER', reason } as const;
      return { key: key(sourceId, 'Bill'), state, attempts: 0, wakes: false };
    };
    const changes = [await after('2', '1'), await after('3', '2')];
    await links.decide(realmId, fence, [key('2', 'Bill'), key('3', 'Bill')], at, () => ({ changes }));
    await settle((await claim([await one('1', 'Bill')]))!);
    expect((await one('2', 'Bill')).link.state).toEqual({ kind: 'ready' });
    expect((await one('3', 'Bill')).link.state).toMatchObject({ kind: 'backoff' });
  });

  it('does not park a child whose parent settled between planning and parking', async () => {
    await links.intake([desired('p1', 1), desired('c', 1, { entityType: 'Invoice', rank: 7 })], at);
    const child = await one('c', 'Invoice');
    await settle((await claim([await one('p1')]))!);
    await links.park(
      realmId,
      fence,
      [{ key: key('c', 'Invoice'), version: child.link.desired.version, on: ['Customer/p1'] }],
      at,
    );
    expect((await one('c', 'Invoice')).link.state).toEqual({ kind: 'ready' });
  });

  it('loses no wake when parking and settling run at the same time', async () => {
    for (let round = 0; round < 25; round++) {
      const [p, c] = [`p${round}`, `c${round}`];
      await links.intake([desired(p, 1), desired(c, 1, { entityType: 'Invoice', rank: 7 })], at);
      const child = await one(c, 'Invoice');
      const call = (await claim([await one(p)]))!;
      await Promise.all([
        settle(call),
        links.park(
          realmId,
          fence,
          [{ key: key(c, 'Invoice'), version: child.link.desired.version, on: [`Customer/${p}`] }],
          at,
        ),
      ]);
      expect((await one(c, 'Invoice')).link.state).toEqual({ kind: 'ready' });
    }
  });

  describe('a wait that does not end by itself', () => {
    const parked = async () => {
      await links.intake([desired('p1', 1), desired('c', 1, { entityType: 'Invoice', rank: 7 })], at);
      const { version } = (await one('c', 'Invoice')).link.desired;
      await links.park(realmId, fence, [{ key: key('c', 'Invoice'), version, on: ['Customer/p1'] }], at);
    };
    const parentIs = (columns: string) =>
      db.query(`update links set ${columns} where sync_id = $1 and source_id = 'p1'`, [syncId]);
    const later = (ms: number) => new Date(at.getTime() + ms);
    const recheck = (ms = 0) => links.recheckWaiting(realmId, fence, later(ms));
    const child = async () => (await one('c', 'Invoice')).link.state;

    it.each([
      ['is failed', `state = 'failed', failure_reason = 'too long'`, 'PARENT.FAILED', 'which is failed: too long'],
      [
        'is held',
        `state = 'held', failure_code = 'DRIFT', failure_reason = 'edited'`,
        'PARENT.HELD',
        'which is held: edited',
      ],
      ['was removed', `state = 'settled', desired_op = 'delete'`, 'PARENT.REMOVED', 'which is removed'],
      [
        'is left out by the mapping',
        `state = 'settled', desired_op = 'exclude', exclusion = 'old years'`,
        'PARENT.EXCLUDED',
        'which the mapping leaves out: old years',
      ],
    ])('is held with the parent and its state as the reason: the parent %s', async (_, columns, code, reason) => {
      await parked();
      await parentIs(columns);
      await recheck();
      expect(await child()).toEqual({ kind: 'held', code, reason: `waits for Customer p1, ${reason}` });
    });

    it('is held when nobody has heard of the parent for ten minutes', async () => {
      await parked();
      await db.query(`delete from links where sync_id = $1 and source_id = 'p1'`, [syncId]);
      await recheck(599_000);
      expect((await child()).kind).toBe('waiting');
      await recheck(600_000);
      expect(await child()).toMatchObject({ kind: 'held', code: 'PARENT.UNKNOWN' });
    });

    it('is held when the parent waits for the child, and goes on when another version of one points elsewhere', async () => {
      await links.intake([desired('a', 1), desired('b', 1), desired('c', 1)], at);
      const waits = async (id: string, parent: string) => ({
        key: key(id),
        version: (await one(id)).link.desired.version,
        on: [`Customer/${parent}`],
      });
      await links.park(realmId, fence, [await waits('a', 'b'), await waits('b', 'a'), await waits('c', 'b')], at);
      await recheck();
      const ring = { kind: 'held', code: 'PARENT.RING', reason: 'waits for Customer b, which waits for it' };
      expect((await one('a')).link.state).toEqual(ring);
      expect((await one('b')).link.state).toMatchObject({ kind: 'held', code: 'PARENT.RING' });
      // Who waits for one of them is in no ring.
      await recheck();
      expect((await one('c')).link.state).toMatchObject({ kind: 'held', code: 'PARENT.HELD' });
      expect((await one('a')).link.state).toEqual(ring);
      await links.intake([desired('a', 2)], at);
      expect((await one('a')).link.state).toEqual({ kind: 'ready' });
      await settle((await claim([await one('a')]))!);
      expect((await one('b')).link.state).toEqual({ kind: 'ready' });
    });

    it('is announced once', async () => {
      await parked();
      await parentIs(`state = 'failed'`);
      const held: string[] = [];
      const note = (rows: StoredLink[]) => {
        held.push(...rows.map((row) => row.sourceId));
        return [];
      };
      await links.recheckWaiting(realmId, fence, at, note);
      await links.recheckWaiting(realmId, fence, at, note);
      expect(held).toEqual(['c']);
    });

    it('is a wait again while the parent is on its way, and over when the parent settles after all', async () => {
      await parked();
      await parentIs(`state = 'failed'`);
      await recheck();
      await parentIs(`state = 'ready'`);
      await recheck();
      expect((await child()).kind).toBe('waiting');
      await parentIs(`state = 'failed'`);
      await recheck();
      expect((await child()).kind).toBe('held');
      await parentIs(`state = 'ready'`);
      expect(await settle((await claim([await one('p1')]))!)).toMatchObject({ woken: 1 });
      expect(await child()).toEqual({ kind: 'ready' });
    });

    it('gives way to a newer version of the child, which may point elsewhere', async () => {
      await parked();
      await parentIs(`state = 'failed'`);
      await recheck();
      await links.intake([desired('c', 2, { entityType: 'Invoice', rank: 7 })], at);
      expect(await child()).toEqual({ kind: 'ready' });
    });
  });

  it('says on a waiting link what keeps its parent away, and frees it when nothing does', async () => {
    await links.intake([desired('p1', 1), desired('c', 1, { entityType: 'Invoice', rank: 7 })], at);
    const child = await one('c', 'Invoice');
    await links.park(
      realmId,
      fence,
      [{ key: key('c', 'Invoice'), version: child.link.desired.version, on: ['Customer/p1'] }],
      at,
    );
    const report = new LinkReport(db);
    const reason = async () => (await report.page(syncId, { types: ['Invoice'] }, 10)).items[0]!.failureReason;
    expect(await reason()).toBe('waits for Customer p1, which is ready');
    await links.decide(realmId, fence, [key('p1')], at, ([parent]) => ({
      changes: [
        {
          key: key('p1'),
          state: { kind: 'failed', code: 'QBO.2050', reason: 'too long' },
          attempts: parent!.link.attempts,
          wakes: false,
        },
      ],
    }));
    expect(await reason()).toBe('waits for Customer p1, which is failed: too long');
    // A wake that was lost (a restore, a hand in the database) is made up for by the recheck.
    await db.query(
      `update links set state = 'settled', target_id = '9', applied_version = desired_version, applied_hash = 'x' where sync_id = $1 and source_id = 'p1'`,
      [syncId],
    );
    expect(await links.recheckWaiting(realmId, fence, at)).toEqual({ woken: 1, next: undefined });
    expect((await one('c', 'Invoice')).link.state).toEqual({ kind: 'ready' });
  });

  it('looks at those who wait a page at a time, and begins again when all were looked at', async () => {
    await links.intake([desired('p1', 1)], at);
    const count = waitsInPage + 10;
    await db.query(
      `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
         desired_version, desired_hash, desired_op, mapping_version, change_id, waiting_on)
       select sync_id, 'Invoice', lpad(n::text, 5, '0'), organization_id, source_realm_id, target_realm_id, 'waiting', lane, 7,
         desired_version, 'h', desired_op, 0, 'c', '{Customer/p1}' from links cross join generate_series(1, $2::int) n
       where target_realm_id = $1`,
      [realmId, count],
    );
    await db.query(
      `update links set state = 'settled', target_id = '9', applied_version = desired_version where sync_id = $1 and source_id = 'p1'`,
      [syncId],
    );
    const first = await links.recheckWaiting(realmId, fence, at);
    expect(first).toEqual({ woken: waitsInPage, next: key(String(waitsInPage).padStart(5, '0'), 'Invoice') });
    expect(await links.recheckWaiting(realmId, fence, at, undefined, first.next)).toEqual({
      woken: 10,
      next: undefined,
    });
    expect(await links.recheckWaiting(realmId, fence, at)).toEqual({ woken: 0, next: undefined });
  });

  it('takes in and settles side by side without a deadlock', async () => {
    const ids = Array.from({ length: 30 }, (_, n) => `x${n}`);
    await links.intake(
      ids.map((id) => desired(id, 1)),
      at,
    );
    const calls: CallRecord[] = [];
    for (const group of [ids.slice(0, 15).reverse(), ids.slice(15)])
      calls.push((await claim(await links.find(group.map((id) => key(id)))))!);
    const batches = Array.from({ length: 10 }, (_, n) =>
      [...ids].sort(() => (n % 2 ? 1 : -1)).map((id) => desired(id, n + 2)),
    );
    await Promise.all([...calls.map((call) => settle(call)), ...batches.map((batch) => links.intake(batch, at))]);
    expect((await links.find(ids.map((id) => key(id)))).every((l) => l.link.desired.version === version(11))).toBe(
      true,
    );
  });

  it('pages by key without gaps, counts by state, and redrives once', async () => {
    await links.intake(
      Array.from({ length: 7 }, (_, n) => desired(`s${n}`, 1)),
      at,
    );
    await db.query(
      `update links set state = 'failed', failure_code = 'X' where sync_id = $1 and source_id in ('s1', 's2')`,
      [syncId],
    );
    const report = new LinkReport(db);
    const seen: string[] = [];
    for (let cursor: string | undefined, more = true; more;) {
      const page = await report.page(syncId, {}, 3, cursor);
      seen.push(...page.items.map((i) => i.sourceId));
      cursor = page.next;
      more = cursor !== undefined;
    }
    expect(seen).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6']);
    expect(await report.counts(syncId)).toEqual([
      { entityType: 'Customer', state: 'failed', count: 2 },
      { entityType: 'Customer', state: 'ready', count: 5 },
    ]);
    const redrive = () => db.withTransaction((tx) => report.redrive(tx, syncId, {}, at));
    expect(await redrive()).toHaveLength(2);
    expect(await redrive()).toEqual([]);
    await expect(report.page(syncId, {}, 3, 'nonsense')).rejects.toBeInstanceOf(RangeError);
  });

  it.each([
    ['DRIFT', 'held'],
    ['QBO.6200', 'held'],
    ['QBO.6220', 'ready'],
    ['QBO.620', 'ready'],
    ['BOOKS.CLOSED', 'held'],
    ['NUMBER.TOO_LONG', 'ready'],
    ['COLLISION.NAME', 'ready'],
    ['ADOPT.TABLE', 'ready'],
    ['PARENT.FAILED', 'ready'],
  ])('what is held by %s is %s after another desired state arrived', async (code, state) => {
    await links.intake([desired('1', 1)], at);
    await db.query(`update links set state = 'held', failure_code = $2 where sync_id = $1`, [syncId, code]);
    await links.intake([desired('1', 2)], at);
    expect((await one('1')).link.state.kind).toBe(state);
  });

  it('a name merged into one that is merged away itself: what named the first has work again, each time', async () => {
    const references = [{ path: ['CustomerRef'], entityType: 'Customer', sourceId: '1' }];
    const merged = (sourceId: string, mergedInto: string) => desired(sourceId, 2, { op: 'delete', mergedInto });
    const settled = () =>
      db.query(`update links set state = 'settled', applied_hash = desired_hash where sync_id = $1`, [syncId]);
    await links.intake([desired('1', 1), desired('2', 1), desired('3', 1)], at);
    await links.intake([desired('9', 1, { entityType: 'Invoice', references })], at);
    for (const [loser, heir] of [
      ['1', '2'],
      ['2', '3'],
    ] as const) {
      await settled();
      await links.intake([merged(loser, heir)], at);
      expect((await one('9', 'Invoice')).link.state.kind).toBe('ready');
    }
    // Told again, and by nobody's doing a ring: nothing new, and an end.
    await settled();
    await links.intake([desired('3', 2, { op: 'delete', mergedInto: '1' })], at);
    expect((await one('9', 'Invoice')).link.state.kind).toBe('ready');
  });

  it('gives records of the target back to links that a restored database has forgotten, and nothing to those that know theirs', async () => {
    await links.intake([desired('known', 1), desired('forgotten', 1), desired('sending', 1)], at);
    await settle((await claim([await one('known')]))!);
    await claim([await one('sending')]);
    const result = (sourceId: string, targetId: string, n = 1) => ({
      ...{ ...key(sourceId), organizationId, sourceRealmId: 'source', targetRealmId: realmId, version: version(n) },
      ...{ changeId: 'c', targetId, targetSyncToken: '0' },
    });
    const known = (await one('known')).link.target!.id;
    const told = [result('known', known), result('forgotten', '71'), result('sending', '72'), result('gone', '73', 2)];
    const stranger = { ...result('stranger', '74'), syncId: randomUUID() };
    expect(await recallTargets(db, [...told, stranger])).toBe(2);
    expect((await one('forgotten')).link).toMatchObject({
      state: { kind: 'ready' },
      target: { id: '71', deleted: false },
    });
    expect((await one('sending')).link.target).toBeUndefined();
    // Nothing is desired of it until the intake says so again; its record is known.
    const gone = (await one('gone')).link;
    expect(gone).toMatchObject({ state: { kind: 'settled' }, target: { id: '73' } });
    expect(await recallTargets(db, told)).toBe(0);
    // Whoever acted before the restore may no longer.
    await expect(claim([await one('forgotten')])).rejects.toBeInstanceOf(FenceLost);
    await links.intake([desired('gone', 3)], at);
    expect((await one('gone')).link).toMatchObject({ state: { kind: 'ready' }, target: { id: '73' } });
  });

  it('holds and frees the work of a company as a whole', async () => {
    await links.intake([desired('1', 1), desired('2', 1)], at);
    expect(await links.holdRealm(realmId, fence, 'reconnect it')).toBe(2);
    expect((await one('1')).link.state).toEqual({
      kind: 'held',
      code: 'TARGET.RECONNECT_NEEDED',
      reason: 'reconnect it',
    });
    expect(await links.releaseRealm(realmId, at)).toBe(2);
    expect((await one('1')).link.state).toEqual({ kind: 'ready' });
  });
});
