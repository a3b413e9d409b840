// What was sent is kept for as long as was said, and what is not known to have ended for ever.
import { randomUUID } from 'node:crypto';
import { ManualClock } from '#common/clock';
import { createLog } from '#common/logging';
import { freshDatabase, type FreshDatabase } from '../fresh-database.fixture.js';
import { CallRetention } from './call-retention.js';

const day = 86_400_000;

describe('the retention of calls', () => {
  let fresh: FreshDatabase;
  const clock = new ManualClock();
  const retention = () =>
    new CallRetention(fresh.db, { clock, log: createLog('retention-test'), keepMs: 30 * day, atOnce: 10 });
  const call = async (state: string, ageMs: number) => {
    const id = randomUUID();
    const answeredAt = state === 'answered' || state === 'abandoned' ? new Date(clock.nowMs() - ageMs) : null;
    await fresh.db.query(
      `insert into calls (id, target_realm_id, request_id, kind, fence, state, claimed_at, answered_at)
       values ($1, '1', 'r', 'single', 1, $2, $3, $4)`,
      [id, state, new Date(clock.nowMs() - ageMs), answeredAt],
    );
    await fresh.db.query(
      `insert into attempts (call_id, position, sync_id, entity_type, source_id, operation, request_id, version, desired_hash,
         generation, body) values ($1, 0, $1, 'Invoice', '1', 'create', 'r', 'v', 'h', 0, '{}')`,
      [id],
    );
    return id;
  };
  const kept = async () =>
    (await fresh.db.query<{ id: string }>('select id from calls join attempts on call_id = id'))
      .map(({ id }) => id)
      .sort();

  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.drop());
  beforeEach(() => fresh.db.query('truncate calls cascade'));

  it('removes what ended long ago, with its attempts, and nothing else', async () => {
    for (const state of ['answered', 'abandoned']) await call(state, 31 * day);
    const stay = [
      await call('answered', 29 * day),
      await call('abandoned', 0),
      // Whoever goes on after a crash needs these, however old they are.
      await call('claimed', 400 * day),
      await call('unknown', 400 * day),
    ];
    expect(await retention().removeSome()).toBe(2);
    expect(await kept()).toEqual(stay.sort());
  });

  it('goes in small steps until nothing is old', async () => {
    for (let n = 0; n < 25; n++) await call('answered', 40 * day);
    const steps = [];
    for (let removed = -1; removed !== 0;) steps.push((removed = await retention().removeSome()));
    expect(steps).toEqual([10, 10, 5, 0]);
  });
});
