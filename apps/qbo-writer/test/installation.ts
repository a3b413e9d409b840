// A writer with everything real around it but Kafka: PostgreSQL, and a source and a target company in an emulator that shares
// no code with us. A record of the source is read over the API, mapped by the core and taken in, as ingest and mapper do.
import { randomUUID } from 'node:crypto';
import { systemClock } from '#common/clock';
import { createLog } from '#common/logging';
import {
  definitionOf,
  encodeVersion,
  defaultTemplate,
  mapChange,
  mergeLayers,
  typesInRankOrder,
  withTaxCode,
  type Json,
  unpacedPolicy,
} from '#core';
import type { Lane, WriteEvent } from '#contracts';
import { Breakers, IntuitTokens, QboClient, qboEnvironment, TokenCustody, TokenSeal, Transport } from '#qbo';
import {
  Companies,
  Database,
  GovernorStore,
  Grants,
  Links,
  LinkReport,
  MappingLayers,
  RealmLeases,
  RealmWork,
  Syncs,
  type LinkView,
} from '#storage';
import { freshDatabase, startEmulator, type EmulatorApp, type FreshDatabase, type RunningEmulator } from '#testing';
import { desiredLink } from '../src/intake/desired-link.js';
import { RealmWriter } from '../src/realm/realm-writer.js';
import { Writers } from '../src/realm/writers.js';

const defaultRules = mergeLayers([defaultTemplate]);
/** Short enough for a test, long enough for an emulator on a busy machine. */
const answerTimeoutMs = 1_500;

export interface Company {
  realmId: string;
  accessToken: string;
}

export class Installation {
  readonly organizationId = randomUUID();
  readonly writers: Writers[] = [];
  private readonly clients: QboClient[] = [];
  private readonly gates: GovernorStore[] = [];
  syncId = '';
  /** the mapping of the sync; `begin` makes it the built-in template again */
  rules = defaultRules;
  source!: Company;
  target!: Company;

  private constructor(
    readonly emulator: RunningEmulator,
    readonly app: EmulatorApp,
    readonly database: FreshDatabase,
    readonly db: Database,
  ) {}

  static async start(): Promise<Installation> {
    const emulator = await startEmulator();
    const app = await emulator.createApp();
    await emulator.limits({ all: false });
    const database = await freshDatabase();
    const db = await Database.connect({ ...database, databasePool: 10, applicationName: 'writer-test' });
    await db.migrate();
    const installation = new Installation(emulator, app, database, db);
    await db.query('insert into organizations (id, name) values ($1, $2)', [installation.organizationId, 'Test']);
    return installation;
  }

  /** Fresh companies and a sync between them: what each test begins with. */
  async begin(settings: Json = {}, companies: { source?: Json; target?: Json } = {}): Promise<void> {
    this.source = await this.company('Source', companies.source);
    this.target = await this.company('Target', companies.target);
    this.syncId = randomUUID();
    this.rules = defaultRules;
    await this.db.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id, settings) values ($1, $2, $3, $4, $5)`,
      [this.syncId, this.organizationId, this.source.realmId, this.target.realmId, JSON.stringify(settings)],
    );
  }

  async end(): Promise<void> {
    await this.emulator.clearFaults();
    await Promise.all(this.writers.splice(0).map((writers) => writers.stop()));
    await Promise.all(this.clients.splice(0).map((client) => client.close()));
    await Promise.all(this.gates.splice(0).map((gate) => gate.close()));
  }

  async stop(): Promise<void> {
    await this.end();
    await this.db.close();
    await this.database.drop();
    await this.emulator.stop();
  }

  /** A writer process, as far as its database and QBO see it. */
  startWriter(
    o: { leaseMs?: number; sweepIntervalMs?: number; crashWhen?: (moment: 'claimed' | 'answered') => boolean } = {},
  ): Writers {
    const log = createLog('writer-test');
    const clock = systemClock;
    const life: Life = { dead: false };
    const links = new CrashingLinks(this.db, life, o.crashWhen ?? (() => false));
    const gate = new GovernorStore(this.db, clock);
    this.gates.push(gate);
    // The emulator's limits are off; spacing would only make the test slow.
    gate.policy = unpacedPolicy;
    const client = new QboClient({
      environment: qboEnvironment(this.emulator.url),
      tokens: this.custody(),
      gate,
      clock,
      app: 'sync',
      breakers: new Breakers(undefined, { realm: { resetMs: 300 }, platform: { resetMs: 300 } }),
      transport: new Transport({ answerTimeoutMs }),
    });
    this.clients.push(client);
    const work = new RealmWork(this.db);
    const ports = {
      db: this.db,
      links,
      work,
      syncs: new Syncs(this.db),
      layers: new MappingLayers(this.db),
      companies: new Companies(this.db),
      grants: new Grants(this.db),
      client,
      clock,
      log,
      random: Math.random,
      outlook: (realmId: string, lane: Lane) => gate.outlook(realmId, lane),
      announced: () => {},
    };
    const writers = new Writers(
      {
        purpose: 'writer',
        work,
        leases: new CrashingLeases(this.db, life),
        clock,
        log,
        open: (realmId, fence, seat) =>
          new RealmWriter(realmId, fence, seat, ports, {
            ...{ batchSize: 30, callsInFlight: 4 },
            ...(o.sweepIntervalMs !== undefined && { sweepIntervalMs: o.sweepIntervalMs }),
          }),
      },
      { leaseMs: o.leaseMs ?? 5_000, lookMs: 50 },
    );
    writers.start();
    this.writers.push(writers);
    return writers;
  }

  custody(): TokenCustody {
    const endpoint = new IntuitTokens({
      environment: qboEnvironment(this.emulator.url),
      clientId: this.app.clientId,
      clientSecret: this.app.clientSecret,
    });
    return new TokenCustody({
      grants: new Grants(this.db),
      endpoint,
      seal: new TokenSeal(Buffer.alloc(32, 1)),
      clock: systemClock,
    });
  }

  async reconnect(company: Company): Promise<void> {
    const grant = await this.emulator.grant(this.app.clientId, company.realmId);
    const { refreshTokenExpiresIn, ...tokens } = grant;
    const pair = this.custody().sealPair(this.organizationId, company.realmId, {
      ...tokens,
      refreshExpiresIn: refreshTokenExpiresIn,
    });
    await new Grants(this.db).store(this.db, company.realmId, pair);
    await this.db.query(`update companies set status = 'connected', status_reason = null where realm_id = $1`, [
      company.realmId,
    ]);
    company.accessToken = grant.accessToken;
  }

  // --- the source's side -------------------------------------------------------------------------------------------

  /** A person saves a record in the source. */
  async save(entityType: string, body: Json): Promise<Json> {
    return this.write(this.source, entityType, body);
  }

  async write(company: Company, entityType: string, body: Json, query = ''): Promise<Json> {
    const path = `${definitionOf(entityType).endpoint}${query}`;
    const answer = await this.emulator.api(company.realmId, company.accessToken, 'POST', path, body);
    if (answer.status !== 200) throw new Error(`${entityType}: ${JSON.stringify(answer.body)}`);
    return answer.body[entityType] as Json;
  }

  async query(company: Company, statement: string): Promise<Json[]> {
    const answer = await this.emulator.api(
      company.realmId,
      company.accessToken,
      'GET',
      `query?query=${encodeURIComponent(statement)}`,
    );
    const rows: unknown = Object.values((answer.body as Json).QueryResponse as Json).find((value) =>
      Array.isArray(value),
    );
    return (rows ?? []) as Json[];
  }

  async sourceAccount(accountType: string): Promise<string> {
    const [account] = await this.query(this.source, `select * from Account where AccountType = '${accountType}'`);
    return String(account!.Id);
  }

  /** Customer, income item and an invoice of one line. */
  async saveInvoice(customerId: string, itemId: string, amount: number, more: Json = {}): Promise<Json> {
    return this.save('Invoice', {
      CustomerRef: { value: customerId },
      Line: [
        {
          Amount: amount,
          DetailType: 'SalesItemLineDetail',
          SalesItemLineDetail: { ItemRef: { value: itemId }, Qty: 1, UnitPrice: amount },
        },
      ],
      ...more,
    });
  }

  // --- capture and mapping -------------------------------------------------------------------------------------------

  event(entityType: string, snapshot: Json, lane: Lane = 'live'): WriteEvent {
    const deleted = snapshot.status === 'Deleted';
    const version = encodeVersion({
      lastUpdatedTime: String((snapshot.MetaData as Json | undefined)?.LastUpdatedTime ?? new Date().toISOString()),
      syncToken: deleted ? 9_999_999_999 : Number(snapshot.SyncToken),
      observedAt: new Date().toISOString(),
    });
    const mapped = mapChange(
      {
        realmId: this.source.realmId,
        entityType,
        id: String(snapshot.Id),
        version,
        deleted,
        ...(deleted ? {} : { snapshot }),
      } as never,
      this.rules,
    );
    if (mapped.kind !== 'write') throw new Error(`${entityType} ${String(snapshot.Id)}: ${JSON.stringify(mapped)}`);
    return {
      ...mapped.write,
      syncId: this.syncId,
      organizationId: this.organizationId,
      sourceRealmId: this.source.realmId,
      targetRealmId: this.target.realmId,
      lane,
      changeId: randomUUID(),
    } as WriteEvent;
  }

  /** Takes in records of the source, as one Kafka batch would bring them. */
  async take(events: readonly WriteEvent[]): Promise<void> {
    const taken = await new Links(this.db).intake(
      events.map((event) => desiredLink(event, undefined)),
      new Date(),
    );
    if (taken.length > 0) for (const writers of this.writers) writers.wake(this.target.realmId, 'live');
  }

  async carry(entityType: string, ...snapshots: Json[]): Promise<void> {
    await this.take(snapshots.map((snapshot) => this.event(entityType, snapshot)));
  }

  /** Everything the source holds, lane bulk, in no special order. */
  async sourceEvents(): Promise<WriteEvent[]> {
    const events: WriteEvent[] = [];
    for (const { type, endpoint, category, policy } of typesInRankOrder().reverse()) {
      if (policy === 'reported' || type === 'Attachable') continue;
      const where = category === 'name-list' ? ' where Active in (true, false)' : '';
      const codes = type === 'TaxRate' ? await this.query(this.source, 'select * from TaxCode maxresults 1000') : [];
      for (const found of await this.query(this.source, `select * from ${endpoint}${where} maxresults 1000`)) {
        const row = type === 'TaxRate' ? withTaxCode(found, codes) : found;
        if (type === 'TaxRate' && !('UsedBy' in row)) continue;
        events.push(this.event(type, row, 'bulk'));
      }
    }
    return events;
  }

  // --- the target's side -------------------------------------------------------------------------------------------

  async links(): Promise<LinkView[]> {
    return (await new LinkReport(this.db).page(this.syncId, {}, 5_000)).items;
  }

  async link(entityType: string, sourceId: unknown): Promise<LinkView> {
    const found = (await this.links()).find((l) => l.entityType === entityType && l.sourceId === String(sourceId));
    if (!found) throw new Error(`no link for ${entityType} ${String(sourceId)}`);
    return found;
  }

  /** Waits until `done` says so; shows where everything stands when it does not. */
  async until(done: (links: LinkView[]) => boolean, withinMs = 20_000): Promise<LinkView[]> {
    const giveUpAt = Date.now() + withinMs;
    for (;;) {
      const links = await this.links();
      if (done(links)) return links;
      if (Date.now() > giveUpAt) {
        const open = links.filter((l) => l.state !== 'settled');
        throw new Error(
          `not reached; open: ${JSON.stringify(open.map((l) => [l.entityType, l.sourceId, l.state, l.failureCode, l.failureReason, l.attempts]))}`,
        );
      }
      await systemClock.sleep(20);
    }
  }

  /** Every link is settled. */
  quiet(withinMs?: number): Promise<LinkView[]> {
    return this.until((links) => links.length > 0 && links.every((l) => l.state === 'settled'), withinMs);
  }

  async targetRecord(entityType: string, sourceId: unknown): Promise<Json> {
    const { targetId } = await this.link(entityType, sourceId);
    const answer = await this.emulator.api(
      this.target.realmId,
      this.target.accessToken,
      'GET',
      `${definitionOf(entityType).endpoint}/${targetId}`,
    );
    return (answer.body[entityType] ?? answer.body) as Json;
  }

  async targetStats(): Promise<Json> {
    return (await this.emulator.stats(this.target.realmId)) as Json;
  }

  async results(): Promise<Json[]> {
    const rows = await this.db.query<{ value: Json }>('select value from outbox order by id');
    return rows.map((row) => row.value).filter((value) => value.syncId === this.syncId);
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
}

/** The process dies: after this nothing it does reaches the database any more. */
class Crash extends Error {}

interface Life {
  dead: boolean;
}

class CrashingLeases extends RealmLeases {
  constructor(
    db: Database,
    private readonly life: Life,
  ) {
    super(db);
  }

  override renew: RealmLeases['renew'] = (...args) =>
    this.life.dead ? Promise.reject(new Crash('killed')) : RealmLeases.prototype.renew.apply(this, args);

  override acquire: RealmLeases['acquire'] = (...args) =>
    this.life.dead ? Promise.reject(new Crash('killed')) : RealmLeases.prototype.acquire.apply(this, args);
}

class CrashingLinks extends Links {
  constructor(
    db: Database,
    private readonly life: Life,
    private readonly crashWhen: (moment: 'claimed' | 'answered') => boolean,
  ) {
    super(db);
  }

  override claim: Links['claim'] = async (...args) => {
    this.assertAlive();
    const call = await Links.prototype.claim.apply(this, args as never);
    if (call && this.crashWhen('claimed')) this.die();
    return call;
  };

  override async decide(...args: Parameters<Links['decide']>): ReturnType<Links['decide']> {
    this.assertAlive();
    if (args[5] !== undefined && this.crashWhen('answered')) this.die();
    return super.decide(...args);
  }

  override async pick(...args: Parameters<Links['pick']>): ReturnType<Links['pick']> {
    this.assertAlive();
    return super.pick(...args);
  }

  override async openCalls(...args: Parameters<Links['openCalls']>): ReturnType<Links['openCalls']> {
    this.assertAlive();
    return super.openCalls(...args);
  }

  private die(): never {
    this.life.dead = true;
    throw new Crash('killed');
  }

  private assertAlive(): void {
    if (this.life.dead) throw new Crash('killed');
  }
}
