// What people configure, on a real PostgreSQL: jobs are claimed once and resumed, renewals of a grant happen one at a time.
import { randomUUID } from 'node:crypto';
import { freshDatabase } from '../fresh-database.fixture.js';
import type { FreshDatabase } from '../fresh-database.fixture.js';
import { Companies } from './companies.js';
import { GrantMissing, Grants } from './grants.js';
import type { SealedPair } from './grants.js';
import { Jobs } from './jobs.js';
import { Organizations } from './organizations.js';
import { Syncs } from './syncs.js';

describe('configuration', () => {
  let fresh: FreshDatabase;
  let jobs: Jobs;
  let grants: Grants;
  const organizationId = randomUUID();
  const syncId = randomUUID();
  beforeAll(async () => {
    fresh = await freshDatabase({ databasePool: 6 });
    const { db } = fresh;
    jobs = new Jobs(db);
    grants = new Grants(db);
    const companies = new Companies(db);
    await new Organizations(db).create(db, { id: organizationId, name: 'Tenant' });
    for (const realmId of ['1', '2'])
      await companies.connect(db, { realmId, organizationId, name: realmId, homeCurrency: null });
    const sync = { id: syncId, organizationId, sourceRealmId: '1', targetRealmId: '2', settings: {} };
    await new Syncs(db).create(db, { ...sync, captureSince: new Date() });
  });
  afterAll(() => fresh.drop());

  describe('a job', () => {
    const start = async (kind: 'backfill' | 'replay') => {
      const outcome = await jobs.create(fresh.db, { id: randomUUID(), organizationId, syncId, kind, params: {} });
      if (outcome.kind !== 'created') throw new Error('there is one already');
      return outcome.job.id;
    };

    it('is claimed by one of many workers, and by nobody else while its lease lasts', async () => {
      const id = await start('replay');
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, n) => jobs.claim('replay', `worker ${n}`, 60_000)),
      );
      expect(claims.filter(Boolean).map((job) => job!.id)).toEqual([id]);
      expect(await jobs.claim('backfill', 'worker', 60_000)).toBeUndefined();
      const owner = claims.find(Boolean)!.owner!;
      expect(await jobs.finish(id, owner, { kind: 'done' })).toBe(true);
      expect(await jobs.find(id)).toMatchObject({ state: 'done', error: null, finishedAt: expect.any(Date) });
    });

    it('is resumed by the next worker from the progress of one that died, which then may no longer speak', async () => {
      const id = await start('backfill');
      await jobs.claim('backfill', 'dead', 60_000);
      expect(await jobs.progress(id, 'dead', { types: { Customer: { start: 2001 } } })).toBe(true);
      expect(await jobs.renew(id, 'dead', 60_000)).toBe(true);
      await fresh.db.query(`update jobs set lease_expires_at = now() - interval '1 second' where id = $1`, [id]);
      const resumed = await jobs.claim('backfill', 'next', 60_000);
      expect(resumed).toMatchObject({ id, owner: 'next', progress: { types: { Customer: { start: 2001 } } } });
      expect(await jobs.progress(id, 'dead', {})).toBe(false);
      expect(await jobs.renew(id, 'dead', 60_000)).toBe(false);
      expect(await jobs.finish(id, 'dead', { kind: 'done' })).toBe(false);
      expect(await jobs.finish(id, 'next', { kind: 'failed', error: 'source is gone' })).toBe(true);
      expect(await jobs.find(id)).toMatchObject({ state: 'failed', error: 'source is gone' });
    });

    it('given back at a stop is claimable at once', async () => {
      const id = await start('replay');
      await jobs.claim('replay', 'stopping', 60_000);
      await jobs.release(id, 'stopping');
      expect(await jobs.claim('replay', 'next', 60_000)).toMatchObject({ id });
      await jobs.finish(id, 'next', { kind: 'done' });
    });

    it('of a kind is unfinished at most once per sync, however many start it together', async () => {
      const starts = await Promise.all(
        Array.from({ length: 6 }, () =>
          fresh.db.withTransaction((tx) =>
            jobs.create(tx, { id: randomUUID(), organizationId, syncId, kind: 'replay', params: {} }),
          ),
        ),
      );
      expect(starts.filter((outcome) => outcome.kind === 'created')).toHaveLength(1);
    });
  });

  describe('a grant', () => {
    const pair = (n: number): SealedPair => ({
      accessTokenSealed: `access ${n}`,
      refreshTokenSealed: `refresh ${n}`,
      accessExpiresAt: new Date(),
      refreshExpiresAt: new Date(),
      refreshHardExpiresAt: null,
      refreshedAt: new Date(),
    });

    it('keeps the refresh token before the last, and forgets that a renewal was under way', async () => {
      await grants.store(fresh.db, '1', pair(1));
      await grants.alone('1', async (_grant, held) => {
        await held.noteRefreshStarted(new Date());
        // Durable before Intuit is called: another process sees it while the lock is held.
        expect((await grants.find('1'))!.refreshStartedAt).not.toBeNull();
        await held.store(pair(2));
      });
      expect(await grants.find('1')).toMatchObject({
        refreshTokenSealed: 'refresh 2',
        previousRefreshTokenSealed: 'refresh 1',
        refreshStartedAt: null,
        grantVersion: '2',
        reconnectReason: null,
      });
    });

    it('is renewed by one process at a time; whoever waited sees the new pair (I-07)', async () => {
      const other = new Grants(await fresh.another());
      let inside = 0;
      let most = 0;
      const seen: string[] = [];
      await Promise.all(
        [grants, other, grants, other].map((store) =>
          store.alone('1', async (grant, held) => {
            most = Math.max(most, ++inside);
            seen.push(grant.grantVersion);
            await fresh.db.query('select pg_sleep(0.01)');
            await held.store(pair(10 + seen.length));
            inside -= 1;
          }),
        ),
      );
      expect(most).toBe(1);
      expect(seen).toEqual(['2', '3', '4', '5']);
    });

    it('gives the lock back when the renewal throws', async () => {
      await expect(grants.alone('1', () => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer');
      await grants.alone('1', async () => undefined);
    });

    it('that a person must mend says why, until new tokens are connected', async () => {
      await grants.alone('1', (_grant, held) => held.markReconnectNeeded('invalid_grant'));
      expect(await grants.find('1')).toMatchObject({ reconnectReason: 'invalid_grant' });
      await new Companies(fresh.db).connect(fresh.db, { realmId: '1', organizationId, name: '1', homeCurrency: null });
      expect(await grants.find('1')).toMatchObject({ reconnectReason: null });
    });

    it('tells which key seals it, and since when: what a rotation is watched by', async () => {
      const sealedWith = (key: string, n: number) => ({ ...pair(n), refreshTokenSealed: `s1.${key}.nonce.text.tag` });
      await grants.store(fresh.db, '1', sealedWith('0ldkey00', 8));
      await grants.store(fresh.db, '1', sealedWith('newkey00', 9));
      const keys = await fresh.db.query<{ key_id: string }>(
        `select key_id from token_keys where key_id like '%key00' and first_used_at <= last_used_at order by first_used_at`,
      );
      expect(keys.map(({ key_id }) => key_id)).toEqual(['0ldkey00', 'newkey00']);
    });

    it('of a company that was never connected is missing', async () => {
      await expect(grants.alone('404', async () => undefined)).rejects.toBeInstanceOf(GrantMissing);
      await expect(grants.store(fresh.db, '404', pair(1))).rejects.toBeInstanceOf(GrantMissing);
    });
  });
});
