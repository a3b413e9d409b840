// Places of consumers on real PostgreSQL, and the jobs that make anew what a lost topic held.
import { randomUUID } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from '../fresh-database.fixture.js';
import { ConsumerPlaces } from './consumer-places.js';

let fresh: FreshDatabase;
let places: ConsumerPlaces;
beforeAll(async () => {
  fresh = await freshDatabase();
  places = new ConsumerPlaces(fresh.db);
});
afterAll(() => fresh.drop());

it('are kept per group, topic and partition, and may go back', async () => {
  const place = (partition: number, next: bigint) => ({ topic: 'a', partition, next });
  await places.note('one', [place(0, 7n), place(1, 9_007_199_254_740_993n)]);
  await places.note('two', [place(0, 1n)]);
  await places.note('one', [place(0, 3n)]);
  const found = (await places.load('one')).sort((a, b) => a.partition - b.partition);
  expect(found).toMatchObject([place(0, 3n), place(1, 9_007_199_254_740_993n)]);
});

it('ask for one job of every sync, however often a loss is noticed', async () => {
  const organizationId = randomUUID();
  await fresh.db.query(`insert into organizations (id, name) values ($1, 'o')`, [organizationId]);
  await fresh.db.query(
    `insert into companies (realm_id, organization_id, name) select n::text, $1, 'c' from generate_series(1, 4) n`,
    [organizationId],
  );
  for (const [from, to] of [
    ['1', '2'],
    ['3', '4'],
  ])
    await fresh.db.query(
      'insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)',
      [randomUUID(), organizationId, from, to],
    );
  const made = await Promise.all([1, 2, 3].map(() => places.rebuild('backfill', 'lost')));
  expect(made.sort()).toEqual([0, 0, 2]);
  expect(await places.rebuild('replay', 'lost')).toBe(2);
  const [job] = await fresh.db.query<{ params: unknown }>(`select params from jobs where kind = 'backfill' limit 1`);
  expect(job!.params).toEqual({ because: 'lost' });
});
