// The migration as a program: what a rollout runs before any new process.
import { spawnSync } from 'node:child_process';
import pg from 'pg';

const databaseUrl = process.env.SYNC_DATABASE_URL!;
const schema = `migrate_${process.pid}`;
const migrate = (env: Record<string, string>): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/apps/control/src/migrate.js'], {
    env: { ...env },
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
};

afterAll(async () => {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  await client.query(`drop schema if exists ${schema} cascade`);
  await client.end();
});

it('brings an empty schema up to date with nothing but the database address, and a second run does nothing', () => {
  const settings = { SYNC_DATABASE_URL: databaseUrl, SYNC_DATABASE_SCHEMA: schema };
  const first = migrate(settings);
  expect([first.status, first.said]).toEqual([0, expect.stringContaining('Initial1763700000001')]);
  const second = migrate(settings);
  expect([second.status, second.said]).toEqual([0, expect.stringContaining('"migrations":[]')]);
});

it('says what is missing and exits 78, so that a Job fails for a reason one can read', () => {
  const { status, said } = migrate({});
  expect([status, said]).toEqual([78, expect.stringContaining('SYNC_DATABASE_URL is not set')]);
});
