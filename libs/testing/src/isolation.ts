// A corner of one's own in shared services, so that test files run side by side on one PostgreSQL and one Kafka.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { infrastructure } from './infrastructure.js';

/** Short, unique, fit for a schema, a topic or a realm. */
const mark = (): string => randomBytes(5).toString('hex');

/** `t1a2b3c4d5e.`: a prefix for topics and groups. */
export const freshTopicPrefix = (): string => `t${mark()}.`;

/** A realm id nobody else uses: 16 digits, as QBO's are. */
export const freshRealmId = (): string =>
  `9${BigInt(`0x${randomBytes(8).toString('hex')}`)
    .toString()
    .padStart(15, '0')
    .slice(0, 15)}`;

export interface FreshDatabase {
  databaseUrl: string;
  databaseSchema: string;
  /** small, so that many files share one server */
  databasePool: number;
  drop(): Promise<void>;
}

/** An empty schema; spread it into a database configuration and drop it in afterAll. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const { databaseUrl } = infrastructure();
  const databaseSchema = `t_${mark()}`;
  await statement(databaseUrl, `create schema ${databaseSchema}`);
  return {
    databaseUrl,
    databaseSchema,
    databasePool: 5,
    drop: () => statement(databaseUrl, `drop schema if exists ${databaseSchema} cascade`),
  };
}

async function statement(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query('set client_min_messages = warning');
    await client.query(sql);
  } finally {
    await client.end();
  }
}
