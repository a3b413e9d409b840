// Leases on a real PostgreSQL: one owner at a time, and a fence that a zombie cannot pass.
import { freshDatabase } from '../fresh-database.fixture.js';
import type { FreshDatabase } from '../fresh-database.fixture.js';
import { FenceLost, RealmLeases } from './realm-leases.js';

describe('realm leases', () => {
  let fresh: FreshDatabase;
  let leases: RealmLeases;
  beforeAll(async () => {
    fresh = await freshDatabase({ databasePool: 10 });
    leases = new RealmLeases(fresh.db);
  });
  afterAll(() => fresh.drop());
  const expire = (realmId: string) =>
    fresh.db.query(`update realm_leases set expires_at = now() - interval '1 second' where realm_id = $1`, [realmId]);

  it('go to exactly one of twenty who ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => leases.acquire('1', 'writer', `process ${n}`, 60_000)),
    );
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  it('of different purposes do not exclude each other', async () => {
    expect(await leases.acquire('2', 'writer', 'a', 60_000)).toBeDefined();
    expect(await leases.acquire('2', 'attachments', 'b', 60_000)).toBeDefined();
    expect(await leases.acquire('2', 'writer', 'b', 60_000)).toBeUndefined();
  });

  it('keep their fence while the same owner asks in time, and raise it with every change of owner', async () => {
    expect(await leases.acquire('3', 'writer', 'a', 60_000)).toEqual({ fence: 1n });
    expect(await leases.acquire('3', 'writer', 'a', 60_000)).toEqual({ fence: 1n });
    await leases.release('3', 'writer', 'a');
    expect(await leases.acquire('3', 'writer', 'b', 60_000)).toEqual({ fence: 2n });
    await expire('3');
    // Its own, but it slept: somebody may have acted in between.
    expect(await leases.acquire('3', 'writer', 'b', 60_000)).toEqual({ fence: 3n });
  });

  it('fence out a zombie: whoever slept through its expiry cannot commit work, before and after a new owner came', async () => {
    const zombie = (await leases.acquire('4', 'writer', 'zombie', 60_000))!;
    await fresh.db.withTransaction((tx) => leases.assertFence(tx, '4', 'writer', zombie.fence));
    await expire('4');
    const work = () => fresh.db.withTransaction((tx) => leases.assertFence(tx, '4', 'writer', zombie.fence));
    await expect(work()).rejects.toBeInstanceOf(FenceLost);
    const next = (await leases.acquire('4', 'writer', 'next', 60_000))!;
    expect(next.fence).toBeGreaterThan(zombie.fence);
    await expect(work()).rejects.toBeInstanceOf(FenceLost);
    expect(await leases.renew('zombie', 'writer', ['4'], 60_000)).toEqual(['4']);
    await leases.release('4', 'writer', 'zombie');
    await fresh.db.withTransaction((tx) => leases.assertFence(tx, '4', 'writer', next.fence));
  });

  it('cannot be taken over in the middle of a transaction that asserted its fence', async () => {
    const mine = (await leases.acquire('5', 'writer', 'a', 60_000))!;
    let taken = false;
    let ended: Promise<unknown> = Promise.resolve();
    await fresh.db.withTransaction(async (tx) => {
      await leases.assertFence(tx, '5', 'writer', mine.fence);
      const takeover = expire('5')
        .then(() => leases.acquire('5', 'writer', 'b', 60_000))
        .then(() => (taken = true));
      await fresh.db.query('select pg_sleep(0.05)');
      expect(taken).toBe(false);
      ended = takeover;
    });
    await ended;
    await expect(
      fresh.db.withTransaction((tx) => leases.assertFence(tx, '5', 'writer', mine.fence)),
    ).rejects.toBeInstanceOf(FenceLost);
  });

  it('are renewed together, and the lost ones are named', async () => {
    for (const realm of ['6', '7', '8']) await leases.acquire(realm, 'capture', 'a', 60_000);
    await expire('7');
    expect(await leases.renew('a', 'capture', ['6', '7', '8', '9'], 60_000)).toEqual(['7', '9']);
  });
});
