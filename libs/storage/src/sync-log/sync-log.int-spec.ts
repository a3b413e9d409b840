// The sync log's partitions on a real PostgreSQL. What it says and how it is read: apps/audit.
import { randomUUID } from 'node:crypto';
import { freshDatabase } from '../fresh-database.fixture.js';
import type { FreshDatabase } from '../fresh-database.fixture.js';
import { SyncLog } from './sync-log.js';
import type { SyncLogEntry } from './sync-log.js';

describe('the sync log', () => {
  let fresh: FreshDatabase;
  const organizationId = randomUUID();
  beforeAll(async () => {
    fresh = await freshDatabase({ databasePool: 10 });
  });
  afterAll(() => fresh.drop());

  const entry = (at: string, n = 1): SyncLogEntry => ({
    at: new Date(at),
    eventId: `event ${n}`,
    stage: 'mapped',
    organizationId,
    realmId: '1',
    entityType: 'Invoice',
    entityId: String(n),
  });
  const places = () =>
    fresh.db.query<{ place: string; n: number }>(
      'select tableoid::regclass::text as place, count(*)::int as n from sync_log group by 1 order by 1',
    );

  it('makes the partition of a month once, however many processes need it first', async () => {
    const added = await Promise.all(
      Array.from({ length: 8 }, (_, n) => new SyncLog(fresh.db).append([entry('2026-03-31T23:59:59.999Z', n)])),
    );
    expect(added.reduce((sum, n) => sum + n, 0)).toBe(8);
    expect(await places()).toEqual([{ place: 'sync_log_y2026m03', n: 8 }]);
  });

  it('cuts months at midnight UTC', async () => {
    await new SyncLog(fresh.db).append([entry('2026-04-01T00:00:00Z', 20), entry('2026-03-31T23:59:59.999Z', 21)]);
    expect(await places()).toEqual([
      { place: 'sync_log_y2026m03', n: 9 },
      { place: 'sync_log_y2026m04', n: 1 },
    ]);
  });

  it('goes on in the default partition when that holds rows of the month already', async () => {
    await fresh.db.query(
      `insert into sync_log (at, event_id, stage, realm_id, entity_type, entity_id)
       values ('2027-01-05', 'old', 'mapped', '1', 'Invoice', 'x')`,
    );
    expect(await new SyncLog(fresh.db).append([entry('2027-01-06T00:00:00Z', 30)])).toBe(1);
    expect((await places()).find(({ place }) => place === 'sync_log_default')!.n).toBe(2);
  });

  it('shows a tenant its entries through the log only, never a partition directly', async () => {
    const seen = await fresh.db.withTenant(organizationId, (tx) => tx.query('select organization_id from sync_log'));
    expect(new Set(seen.map((row) => row.organization_id))).toEqual(new Set([organizationId]));
    await expect(
      fresh.db.withTenant(organizationId, (tx) => tx.query('select from sync_log_y2026m03')),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(fresh.db.withTenant(organizationId, (tx) => tx.query('delete from sync_log'))).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('keeps one entry of two that are told twice in one batch', async () => {
    const twice = entry('2026-04-02T00:00:00Z', 40);
    expect(await new SyncLog(fresh.db).append([twice, twice])).toBe(1);
    expect(await new SyncLog(fresh.db).append([twice])).toBe(0);
  });
});
