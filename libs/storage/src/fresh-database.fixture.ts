// For specs: a Database with the migrations run, in a schema of its own on the PostgreSQL of the test run.
import { randomBytes } from 'node:crypto';
import { Database } from './database.js';

export interface FreshDatabase {
  db: Database;
  databaseUrl: string;
  schema: string;
  /** another process's view of the same schema; closed with the first */
  another(o?: { databasePool?: number; databaseUrl?: string }): Promise<Database>;
  drop(): Promise<void>;
}

export function testDatabaseUrl(): string {
  const found = process.env.TEST_DATABASE_URL ?? process.env.SYNC_DATABASE_URL;
  if (!found) throw new Error('no PostgreSQL for this test run: the global set-up of the integration tests starts one');
  return found;
}

export async function freshDatabase(o: { databasePool?: number; migrate?: boolean } = {}): Promise<FreshDatabase> {
  const databaseUrl = testDatabaseUrl();
  const schema = `t_${randomBytes(6).toString('hex')}`;
  const opened: Database[] = [];
  const another = async ({ databasePool = 4, databaseUrl: url = databaseUrl } = {}): Promise<Database> => {
    const db = await Database.connect({
      databaseUrl: url,
      databaseSchema: schema,
      databasePool,
      applicationName: 'spec',
    });
    opened.push(db);
    return db;
  };
  const db = await another(o);
  if (o.migrate ?? true) await db.migrate();
  return {
    db,
    databaseUrl,
    schema,
    another,
    drop: async () => {
      await db.query(`drop schema if exists ${schema} cascade`);
      await Promise.all(opened.map((each) => each.close()));
    },
  };
}
