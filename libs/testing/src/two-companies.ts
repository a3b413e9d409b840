// What the tests of an app that writes to QuickBooks stand on: PostgreSQL, and a source and a target company in an emulator that
// shares no code with us. An app's own Installation adds its processes. Apart from index.ts, because it loads the stores.
import { randomUUID } from 'node:crypto';
import { systemClock } from '#common/clock';
import { definitionOf, unpacedPolicy, type Json } from '#core';
import { Breakers, IntuitTokens, QboClient, qboEnvironment, TokenCustody, TokenSeal, Transport } from '#qbo';
import { Database, GovernorStore, Grants } from '#storage';
import { startEmulator, type EmulatorApp, type RunningEmulator } from './emulator.js';
import { freshDatabase, type FreshDatabase } from './isolation.js';

export interface Company {
  realmId: string;
  accessToken: string;
}

export interface Ground {
  emulator: RunningEmulator;
  app: EmulatorApp;
  database: FreshDatabase;
  db: Database;
  organizationId: string;
}

/** An emulator without limits, an app in it, and a database with our tables and one organization. */
export async function startGround(applicationName: string): Promise<Ground> {
  const [emulator, database] = await Promise.all([startEmulator(), freshDatabase()]);
  const app = await emulator.createApp();
  await emulator.limits({ all: false });
  const db = await Database.connect({ ...database, databasePool: 10, applicationName });
  await db.migrate();
  const organizationId = randomUUID();
  await db.query('insert into organizations (id, name) values ($1, $2)', [organizationId, 'Test']);
  return { emulator, app, database, db, organizationId };
}

/** As if a process had been dead for long. What its leases are for has tests of its own, and only those wait for them. */
export async function buryOwner(db: Database, owner: string): Promise<void> {
  await db.query(`update realm_leases set expires_at = clock_timestamp() - interval '1 second' where owner = $1`, [
    owner,
  ]);
  await db.query('delete from realm_owners where owner = $1', [owner]);
}

export abstract class TwoCompanies {
  readonly organizationId: string;
  readonly emulator: RunningEmulator;
  readonly app: EmulatorApp;
  readonly database: FreshDatabase;
  readonly db: Database;
  syncId = '';
  source!: Company;
  target!: Company;
  private readonly ends: (() => Promise<unknown>)[] = [];

  protected constructor({ emulator, app, database, db, organizationId }: Ground) {
    this.emulator = emulator;
    this.app = app;
    this.database = database;
    this.db = db;
    this.organizationId = organizationId;
  }

  /** Fresh companies and a sync between them: what each test begins with. */
  async begin(settings: Json = {}, companies: { source?: Json; target?: Json } = {}): Promise<void> {
    this.source = await this.company('Source', companies.source);
    this.target = await this.company('Target', companies.target);
    this.syncId = randomUUID();
    await this.db.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id, settings) values ($1, $2, $3, $4, $5)`,
      [this.syncId, this.organizationId, this.source.realmId, this.target.realmId, JSON.stringify(settings)],
    );
  }

  /** The app's processes of this test. */
  protected abstract stopProcesses(): Promise<unknown>;

  async end(): Promise<void> {
    await this.emulator.clearFaults();
    await this.stopProcesses();
    for (const end of this.ends.splice(0)) await end();
    // The next test's processes would act for the companies of this one, too.
    await this.db.query('delete from realm_work');
  }

  async stop(): Promise<void> {
    await this.end();
    await this.db.close();
    await this.database.drop();
    await this.emulator.stop();
  }

  /** The client of one process, and its governor; both end with the test. */
  protected startClient(answerTimeoutMs: number): { client: QboClient; gate: GovernorStore } {
    const gate = new GovernorStore(this.db, systemClock);
    // The emulator's limits are off; spacing would only make the test slow.
    gate.policy = unpacedPolicy;
    const client = new QboClient({
      environment: qboEnvironment(this.emulator.url),
      tokens: this.custody(),
      gate,
      clock: systemClock,
      app: 'sync',
      breakers: new Breakers(undefined, { realm: { resetMs: 300 }, platform: { resetMs: 300 } }),
      transport: new Transport({ answerTimeoutMs }),
    });
    this.ends.push(async () => {
      await client.close();
      await gate.close();
    });
    return { client, gate };
  }

  custody(): TokenCustody {
    const environment = qboEnvironment(this.emulator.url);
    const { clientId, clientSecret } = this.app;
    return new TokenCustody({
      grants: new Grants(this.db),
      endpoint: new IntuitTokens({ environment, clientId, clientSecret }),
      seal: new TokenSeal(Buffer.alloc(32, 1)),
      clock: systemClock,
    });
  }

  /** A fresh company, connected. */
  async company(name: string, more: Json = {}): Promise<Company> {
    const { realmId } = await this.emulator.createCompany({ name, ...more });
    await this.db.query(`insert into companies (realm_id, organization_id, name) values ($1, $2, $3)`, [
      realmId,
      this.organizationId,
      name,
    ]);
    const company = { realmId, accessToken: '' };
    await this.reconnect(company);
    return company;
  }

  async reconnect(company: Company): Promise<void> {
    const { refreshTokenExpiresIn, ...tokens } = await this.emulator.grant(this.app.clientId, company.realmId);
    const pair = this.custody().sealPair(this.organizationId, company.realmId, {
      ...tokens,
      refreshExpiresIn: refreshTokenExpiresIn,
    });
    await new Grants(this.db).store(this.db, company.realmId, pair);
    await this.db.query(`update companies set status = 'connected', status_reason = null where realm_id = $1`, [
      company.realmId,
    ]);
    company.accessToken = tokens.accessToken;
  }

  /** A person writes. */
  async write({ realmId, accessToken }: Company, entityType: string, body: Json, query = ''): Promise<Json> {
    const path = `${definitionOf(entityType).endpoint}${query}`;
    const answer = await this.emulator.api(realmId, accessToken, 'POST', path, body);
    if (answer.status !== 200) throw new Error(`${entityType}: ${JSON.stringify(answer.body)}`);
    return answer.body[entityType] as Json;
  }

  async query({ realmId, accessToken }: Company, statement: string): Promise<Json[]> {
    const path = `query?query=${encodeURIComponent(statement)}`;
    const answer = await this.emulator.api(realmId, accessToken, 'GET', path);
    const rows: unknown = Object.values((answer.body as Json).QueryResponse as Json).find((value) =>
      Array.isArray(value),
    );
    return (rows ?? []) as Json[];
  }

  /** What was announced of this test's sync, in order. */
  async results(): Promise<Json[]> {
    const rows = await this.db.query<{ value: Json }>('select value from outbox order by id');
    return rows.map((row) => row.value).filter((value) => value.syncId === this.syncId);
  }
}
