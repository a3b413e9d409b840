// One pool of PostgreSQL connections over a TypeORM DataSource, and the three ways to use it: a single statement, a
// transaction as the apps' own login (works for all organizations), a transaction as one organization (row-level security).
// Promises: a transaction's role and organization end with it, whatever happens, so nothing leaks through the pool; rows
// come back as rows for every command (TypeORM alone answers [rows, count] for update and delete).
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DataSource, MigrationExecutor } from 'typeorm';
import type { EntityManager, Logger, QueryRunner } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type { Log } from '#common/logging';
import { configurationEntities } from './configuration/entities.js';
import { migrations } from './migrations/index.js';

/** Runs statements: inside a transaction, or (the Database itself) each on its own. Parameters are positional: $1, $2. */
export interface Tx {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- rows are typed by the statement that reads them
  query<R = any>(sql: string, params?: unknown[]): Promise<R[]>;
}

/** Hearing a channel until stopped. */
export interface Listening {
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  databaseUrl: string;
  /** tables live here; created by migrate() when absent */
  databaseSchema: string;
  /** connections at most */
  databasePool: number;
  applicationName: string;
}

// A statement that takes a minute is a bug or a lock nobody gives back; ending it lets the loop try again.
const statementTimeoutMs = 60_000;
const connectTimeoutMs = 10_000;
// A channel whose connection was lost is opened again at this pace; what was told meanwhile is found by looking.
const listenAgainMs = 1_000;
// One lock for all schemas of a database: roles and grants are shared between schemas.
const migrationLock = 7_120_240_001;

class Connection implements Tx {
  constructor(private readonly runner: QueryRunner) {}

  get manager(): EntityManager {
    return this.runner.manager;
  }

  query<R>(sql: string, params: unknown[] = []): Promise<R[]> {
    return rowsOf<R>(this.runner, sql, params);
  }
}

// TypeORM writes to the console even with logging off; what fails is thrown, and the caller logs it with its context.
const nothing = (): void => undefined;
const quiet: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};

export class Database implements Tx {
  private readonly listening = new Set<Listening>();

  private constructor(
    private readonly source: DataSource,
    readonly schema: string,
    private readonly options: DatabaseOptions,
  ) {}

  static async connect(o: DatabaseOptions): Promise<Database> {
    if (!/^[a-z_][a-z0-9_]*$/.test(o.databaseSchema)) throw new RangeError(`"${o.databaseSchema}" is no schema name`);
    const source = new DataSource({
      type: 'postgres',
      url: o.databaseUrl,
      schema: o.databaseSchema,
      poolSize: o.databasePool,
      applicationName: o.applicationName,
      connectTimeoutMS: connectTimeoutMs,
      entities: configurationEntities,
      migrations,
      migrationsTableName: 'schema_migrations',
      migrationsTransactionMode: 'all',
      installExtensions: false,
      synchronize: false,
      logger: quiet,
      extra: {
        options: `-c search_path=${o.databaseSchema} -c timezone=UTC -c statement_timeout=${statementTimeoutMs} -c idle_in_transaction_session_timeout=${statementTimeoutMs}`,
        keepAlive: true,
      },
    });
    await source.initialize();
    return new Database(source, o.databaseSchema, o);
  }

  async query<R>(sql: string, params: unknown[] = []): Promise<R[]> {
    return this.withRunner((runner) => rowsOf<R>(runner, sql, params));
  }

  /** As the apps' own login: every organization's rows. Commits when `fn` resolves, rolls back when it throws. */
  async withTransaction<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    return this.withRunner(async (runner) => {
      await runner.startTransaction();
      try {
        const result = await fn(new Connection(runner));
        await runner.commitTransaction();
        return result;
      } catch (error) {
        // The connection may be what broke; then there is nothing left to roll back and `error` says why.
        if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      }
    });
  }

  /** As one organization: its rows only, enforced by PostgreSQL. Both settings are local to the transaction. */
  async withTenant<T>(organizationId: string, fn: (tx: Tx) => Promise<T>): Promise<T> {
    return this.withTransaction(async (tx) => {
      await tx.query(`select set_config('sync.organization_id', $1, true), set_config('role', 'sync_tenant', true)`, [
        organizationId,
      ]);
      return fn(tx);
    });
  }

  /** One connection for a while, each statement on its own: for session locks that outlive a commit. */
  async withSession<T>(fn: (session: Tx) => Promise<T>): Promise<T> {
    return this.withRunner((runner) => fn(new Connection(runner)));
  }

  /** How the pool's connections are used just now. */
  pool(): { busy: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = (this.source.driver as PostgresDriver).master as pg.Pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  /** TypeORM's view of the same connection, for the stores of configuration tables. */
  entities(tx: Tx): EntityManager {
    if (tx instanceof Connection) return tx.manager;
    if (tx === this) return this.source.manager;
    throw new TypeError('this Tx was not opened by this Database');
  }

  /**
   * Hears a channel on a connection of its own, beside the pool. What is told while that connection is away is not told
   * again: whoever listens also looks now and then.
   */
  listen(channel: string, log: Log, heard: (payload: string) => void): Listening {
    let client: pg.Client | undefined;
    const stopping = new AbortController();
    const once = async (): Promise<void> => {
      const opened = new pg.Client({
        connectionString: this.options.databaseUrl,
        application_name: `${this.options.applicationName} hears`,
        connectionTimeoutMillis: connectTimeoutMs,
        keepAlive: true,
      });
      client = opened;
      const ended = new Promise<void>((resolve) => opened.once('end', resolve));
      // Without a listener an error of an idle connection would end the process; 'end' follows it.
      opened.on('error', () => undefined);
      opened.on('notification', ({ payload }) => heard(payload ?? ''));
      try {
        await opened.connect();
        await opened.query(`listen "${channel}"`);
        if (!stopping.signal.aborted) await ended;
      } finally {
        await opened.end().catch(() => undefined);
      }
    };
    const running = (async () => {
      while (!stopping.signal.aborted) {
        await once().catch((error: unknown) => log.warn({ err: error, channel }, 'channel not heard, will try again'));
        await sleep(listenAgainMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    })();
    const listening: Listening = {
      stop: async () => {
        stopping.abort();
        this.listening.delete(listening);
        await client?.end().catch(() => undefined);
        await running;
      },
    };
    this.listening.add(listening);
    return listening;
  }

  /** Brings the schema up to date; several processes may call it at once. Answers the names of what it ran. */
  async migrate(): Promise<string[]> {
    return this.withMigrationLock(async (runner) => {
      const known = await rowsOf(runner, 'select from pg_namespace where nspname = $1', [this.schema]);
      if (known.length === 0) await runner.query(`create schema ${this.schema}`);
      const executor = new MigrationExecutor(this.source, runner);
      executor.transaction = 'all';
      return (await executor.executePendingMigrations()).map((migration) => migration.name);
    });
  }

  /** Undoes the newest migration; for tests and for a person at a terminal. */
  async revertLastMigration(): Promise<void> {
    await this.withMigrationLock((runner) => new MigrationExecutor(this.source, runner).undoLastMigration());
  }

  async close(): Promise<void> {
    await Promise.all([...this.listening].map((each) => each.stop()));
    if (this.source.isInitialized) await this.source.destroy();
  }

  /** Nest's hook: pools close after consumers and HTTP. */
  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  private async withMigrationLock<T>(fn: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return this.withRunner(async (runner) => {
      await runner.query('set statement_timeout = 0');
      await runner.query('select pg_advisory_lock($1)', [migrationLock]);
      try {
        return await fn(runner);
      } finally {
        await runner.query('select pg_advisory_unlock($1)', [migrationLock]);
        await runner.query(`set statement_timeout = ${statementTimeoutMs}`);
      }
    });
  }

  private async withRunner<T>(fn: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.connect();
      return await fn(runner);
    } finally {
      await runner.release();
    }
  }
}

async function rowsOf<R>(runner: QueryRunner, sql: string, params: unknown[]): Promise<R[]> {
  const result = await runner.query(sql, params, true);
  return (result.records ?? []) as R[];
}
