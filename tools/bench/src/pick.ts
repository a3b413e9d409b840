// pick: what it costs to choose the next work with ten thousand companies against ten: whose turn it is (core schedule), which
// company nobody owns has work (one index), and the rows themselves (another). Most of the companies sleep, as in life.
import { randomUUID } from 'node:crypto';
import { RealmSchedule } from '#core';
import { Database, Links, RealmWork } from '#storage';
import { median, withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';

/** Ready rows of each company that has work. */
const rowsEach = 40;
/** Companies with work at once, in both cases: what differs is how many sleep beside them. */
const awake = 10;

interface World {
  db: Database;
  links: Links;
  work: RealmWork;
  schedule: RealmSchedule;
  realms: string[];
  drop(): Promise<void>;
}

async function world(databaseUrl: string, count: number, rowsOfSleepers: number): Promise<World> {
  const databaseSchema = `bench_${randomUUID().slice(0, 8)}`;
  const db = await Database.connect({ databaseUrl, databaseSchema, databasePool: 4, applicationName: 'bench' });
  await db.migrate();
  const organization = randomUUID();
  await db.query('insert into organizations (id, name) values ($1, $2)', [organization, 'Bench']);
  await db.query(
    `insert into companies (realm_id, organization_id, name)
     select p || n, $1::uuid, 'Company' from generate_series(1, $2::int) n, unnest(array['s', 't']) p`,
    [organization, count],
  );
  await db.query(
    `insert into syncs (id, organization_id, source_realm_id, target_realm_id)
     select gen_random_uuid(), $1::uuid, 's' || n, 't' || n from generate_series(1, $2::int) n`,
    [organization, count],
  );
  await db.query(
    `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
       desired_version, desired_hash, desired_op, desired_payload, mapping_version, change_id)
     select s.id, 'Invoice', i::text, $1::uuid, s.source_realm_id, s.target_realm_id,
       case when substr(s.target_realm_id, 2)::int <= $2::int then 'ready' else 'settled' end, 'bulk', 7, 'v', 'h', 'upsert',
       '{"TxnDate": "2026-01-01"}', 0, 'c'
     from syncs s, generate_series(1, case when substr(s.target_realm_id, 2)::int <= $2::int then $3::int else $4::int end) i`,
    [organization, awake, rowsEach, rowsOfSleepers],
  );
  await db.query(
    `insert into realm_work (realm_id, purpose, due_at) select target_realm_id, 'writer', 'infinity' from syncs
     on conflict do nothing`,
  );
  await db.query('analyze');
  const schedule = new RealmSchedule();
  const realms = Array.from({ length: count }, (_, n) => `t${n + 1}`);
  for (const [n, realmId] of realms.slice(awake).entries()) {
    schedule.join(realmId);
    schedule.end(schedule.next(0)!.realmId, { spent: 0, untilMs: 1e15 + n });
  }
  for (const realmId of realms.slice(0, awake)) schedule.join(realmId);
  return {
    db,
    links: new Links(db),
    work: new RealmWork(db),
    schedule,
    realms,
    drop: async () => {
      await db.query(`drop schema ${databaseSchema} cascade`);
      await db.close();
    },
  };
}

/** One choice: the turn, the index of due companies, the rows. */
async function choose({ links, work, schedule }: World): Promise<void> {
  const turn = schedule.next(0)!;
  await work.unowned('writer', new Date(), 20);
  const rows = await links.pick(turn.realmId, ['Invoice'], 30, { lane: 'bulk' });
  if (rows.length !== 30) throw new Error(`${turn.realmId} has ${rows.length} rows`);
  schedule.end(turn.realmId, { spent: rows.length, again: 'bulk' });
}

async function timed(world: World): Promise<number> {
  const beganMs = performance.now();
  await choose(world);
  return performance.now() - beganMs;
}

export const bench: Bench = {
  about: 'choosing the next work with 10,000 companies against 10 (goal 1.2)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      say('filling two databases');
      const few = await world(addresses.SYNC_DATABASE_URL, 10, 0);
      const many = await world(addresses.SYNC_DATABASE_URL, 10_000, quick ? 10 : 30);
      const [warmUps, choices] = quick ? [60, 1_000] : [300, 10_000];
      const ms = { few: [] as number[], many: [] as number[] };
      // In turns, one by one: what else the machine does falls on both alike.
      for (let n = 0; n < warmUps + choices; n++) {
        const [a, b] =
          n % 2 === 0 ? [await timed(few), await timed(many)] : [await timed(many), await timed(few)].reverse();
        if (n < warmUps) continue;
        ms.few.push(a!);
        ms.many.push(b!);
      }
      await few.drop();
      await many.drop();
      return {
        ratio: (median(ms.many) / median(ms.few)).toFixed(2),
        ms_10: median(ms.few).toFixed(3),
        ms_10000: median(ms.many).toFixed(3),
        choices,
      };
    }),
};
