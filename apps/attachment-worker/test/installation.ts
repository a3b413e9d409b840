// An attachment worker with everything real around it but Kafka: PostgreSQL, and a source and a target company in an
// emulator that shares no code with us. The records that files hang on are written by hand, as the writer would leave them.
import { createHash, randomUUID } from 'node:crypto';
import { systemClock } from '#common/clock';
import { createLog } from '#common/logging';
import { defaultTemplate, encodeVersion, mapChange, mergeLayers, unpacedPolicy, type Json } from '#core';
import { Breakers, IntuitTokens, QboClient, qboEnvironment, TokenCustody, TokenSeal, Transport } from '#qbo';
import {
  AttachmentLinks,
  Database,
  FenceLost,
  GovernorStore,
  Grants,
  RealmLeases,
  RealmWork,
  type StoredAttachment,
} from '#storage';
import { freshDatabase, startEmulator, type EmulatorApp, type FreshDatabase, type RunningEmulator } from '#testing';
import { Carriers } from '../src/realm/carriers.js';
import { RealmCarrier } from '../src/realm/realm-carrier.js';

const rules = mergeLayers([defaultTemplate]);
/** Short enough for a test, long enough for an emulator on a busy machine. */
const answerTimeoutMs = 2_500;

export interface Company {
  realmId: string;
  accessToken: string;
}

/** Where the process dies: after a claim was written, or after the answer came and before it was written. */
export type CrashMoment = 'claimed' | 'answered' | 'verified';

export class Installation {
  readonly organizationId = randomUUID();
  private readonly running: Carriers[] = [];
  private readonly clients: QboClient[] = [];
  private readonly gates: GovernorStore[] = [];
  private crashing: CrashingAttachments | undefined;
  syncId = '';
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
    const db = await Database.connect({ ...database, databasePool: 10, applicationName: 'attachments-test' });
    await db.migrate();
    const installation = new Installation(emulator, app, database, db);
    await db.query('insert into organizations (id, name) values ($1, $2)', [installation.organizationId, 'Test']);
    return installation;
  }

  /** Fresh companies and a sync between them: what each test begins with. */
  async begin(): Promise<void> {
    this.source = await this.connectCompany('Source');
    this.target = await this.connectCompany('Target');
    this.syncId = randomUUID();
    await this.db.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)`,
      [this.syncId, this.organizationId, this.source.realmId, this.target.realmId],
    );
  }

  async end(): Promise<void> {
    await this.emulator.clearFaults();
    await Promise.all(this.running.splice(0).map((carriers) => carriers.stop()));
    await Promise.all(this.clients.splice(0).map((client) => client.close()));
    await Promise.all(this.gates.splice(0).map((gate) => gate.close()));
  }

  async stop(): Promise<void> {
    await this.end();
    await this.db.close();
    await this.database.drop();
    await this.emulator.stop();
  }

  /** A worker process, as far as its database and QBO see it. */
  startWorker(o: { leaseMs?: number; crashAt?: CrashMoment } = {}): Carriers {
    const log = createLog('attachments-test');
    const clock = systemClock;
    const links = new CrashingAttachments(this.db, o.crashAt);
    if (o.crashAt) this.crashing = links;
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
    const grants = new Grants(this.db);
    const work = new RealmWork(this.db);
    const ports = {
      links,
      work,
      client,
      clock,
      log,
      // The shortest of the ladder: half of its ceiling.
      random: () => 0,
      reconnectNeeded: (realmId: string, reason: string) => grants.markReconnectNeeded(this.db, realmId, reason),
      announced: () => {},
    };
    const carriers = new Carriers(
      {
        purpose: 'attachments',
        work,
        leases: new MortalLeases(this.db, links),
        clock,
        log,
        open: (realmId, fence, seat) => new RealmCarrier(realmId, fence, seat, ports, { filesInFlight: 2 }),
      },
      { leaseMs: o.leaseMs ?? 5_000 },
    );
    carriers.start();
    this.running.push(carriers);
    return carriers;
  }

  get hasCrashed(): boolean {
    return this.crashing?.dead ?? false;
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

  // --- the source's side -------------------------------------------------------------------------------------------

  /** An invoice in both companies; the link between them as the writer leaves it, or not there yet. */
  async invoice(): Promise<{ sourceId: string; targetId: string; settle: () => Promise<void> }> {
    const [source, target] = await Promise.all([this.makeInvoice(this.source), this.makeInvoice(this.target)]);
    const settle = async (): Promise<void> => {
      await this.db.query(
        `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane,
           rank, desired_version, desired_hash, desired_op, mapping_version, change_id, applied_version, applied_hash, target_id)
         values ($1, 'Invoice', $2, $3, $4, $5, 'settled', 'live', 7, 'v', 'h', 'upsert', 0, 'c', 'v', 'h', $6)`,
        [this.syncId, source, this.organizationId, this.source.realmId, this.target.realmId, target],
      );
    };
    return { sourceId: source, targetId: target, settle };
  }

  /** A person attaches a file to an invoice of the source. */
  async attach(invoiceId: string, fileName: string, content: Buffer, more: Json = {}): Promise<Json> {
    const metadata = {
      FileName: fileName,
      ContentType: 'application/pdf',
      AttachableRef: [{ EntityRef: { type: 'Invoice', value: invoiceId } }],
      ...more,
    };
    const form = new FormData();
    form.append('file_metadata_0', new Blob([JSON.stringify(metadata)], { type: 'application/json' }));
    form.append('file_content_0', new Blob([Uint8Array.from(content)], { type: 'application/pdf' }), fileName);
    const response = await fetch(`${this.emulator.url}/v3/company/${this.source.realmId}/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.source.accessToken}`, accept: 'application/json' },
      body: form,
    });
    const answer = (await response.json()) as Json;
    return answer.AttachableResponse[0].Attachable as Json;
  }

  async save(company: Company, body: Json, operation = ''): Promise<Json> {
    const path = `attachable${operation}`;
    const answer = await this.emulator.api(company.realmId, company.accessToken, 'POST', path, body);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return answer.body.Attachable as Json;
  }

  /** Takes in Attachables of the source, as capture, mapper and one Kafka batch would bring them. */
  async take(...snapshots: Json[]): Promise<void> {
    await this.takeFor({ id: this.syncId, from: this.source, to: this.target }, snapshots);
  }

  /** The other way round: Attachables of the target for an opposite sync. */
  async takeBack(oppositeId: string, ...snapshots: Json[]): Promise<void> {
    await this.takeFor({ id: oppositeId, from: this.target, to: this.source }, snapshots);
  }

  private async takeFor(sync: { id: string; from: Company; to: Company }, snapshots: Json[]): Promise<void> {
    const rows = snapshots.map((snapshot) => {
      const deleted = snapshot.status === 'Deleted';
      const version = encodeVersion({
        lastUpdatedTime: String((snapshot.MetaData as Json | undefined)?.LastUpdatedTime ?? new Date().toISOString()),
        syncToken: deleted ? 9_999_999_999 : Number(snapshot.SyncToken),
        observedAt: new Date().toISOString(),
      });
      const id = String(snapshot.Id);
      const change = { realmId: sync.from.realmId, entityType: 'Attachable', id, version, deleted };
      const mapped = mapChange({ ...change, ...(deleted ? {} : { snapshot }) }, rules);
      if (mapped.kind !== 'attachment') throw new Error(JSON.stringify(mapped));
      const { attachableId, ...desired } = mapped.attachment;
      return {
        syncId: sync.id,
        attachableId,
        organizationId: this.organizationId,
        sourceRealmId: sync.from.realmId,
        targetRealmId: sync.to.realmId,
        lane: 'live' as const,
        desired,
        changeId: randomUUID(),
      };
    });
    await new AttachmentLinks(this.db).intake(rows, new Date());
    for (const carriers of this.running) carriers.wake(sync.to.realmId);
  }

  // --- the target's side -------------------------------------------------------------------------------------------

  async row(snapshot: Json): Promise<StoredAttachment> {
    const found = await new AttachmentLinks(this.db).find({ syncId: this.syncId, attachableId: String(snapshot.Id) });
    if (!found) throw new Error(`no row for Attachable ${String(snapshot.Id)}`);
    return found;
  }

  async until(snapshot: Json, done: (row: StoredAttachment) => boolean, withinMs = 20_000): Promise<StoredAttachment> {
    const giveUpAt = Date.now() + withinMs;
    for (;;) {
      const row = await this.row(snapshot);
      if (done(row)) return row;
      if (Date.now() > giveUpAt) throw new Error(`not reached: ${JSON.stringify(row.link)}`);
      await systemClock.sleep(20);
    }
  }

  settled(snapshot: Json): Promise<StoredAttachment> {
    return this.until(snapshot, (row) => row.link.state.kind === 'settled');
  }

  /** What the target company has, as its own API says. */
  async copies(company: Company = this.target): Promise<Json[]> {
    const query = encodeURIComponent('select * from Attachable maxresults 1000');
    const { realmId, accessToken } = company;
    const answer = await this.emulator.api(realmId, accessToken, 'GET', `query?query=${query}`);
    return ((answer.body as Json).QueryResponse.Attachable ?? []) as Json[];
  }

  /** The hash of the bytes the target would give a person. */
  async bytesOf(copy: Json): Promise<string> {
    const { realmId, accessToken } = this.target;
    const place = await this.emulator.api(realmId, accessToken, 'GET', `download/${String(copy.Id)}`);
    const content = await (await fetch(String(place.body))).arrayBuffer();
    return sha256(Buffer.from(content));
  }

  async results(): Promise<Json[]> {
    const rows = await this.db.query<{ value: Json }>('select value from outbox order by id');
    return rows.map((row) => row.value).filter((value) => value.syncId === this.syncId);
  }

  private custody(): TokenCustody {
    const environment = qboEnvironment(this.emulator.url);
    return new TokenCustody({
      grants: new Grants(this.db),
      endpoint: new IntuitTokens({ environment, clientId: this.app.clientId, clientSecret: this.app.clientSecret }),
      seal: new TokenSeal(Buffer.alloc(32, 1)),
      clock: systemClock,
    });
  }

  private async makeInvoice(company: Company): Promise<string> {
    const post = async (type: string, body: Json): Promise<string> => {
      const path = type.toLowerCase();
      const answer = await this.emulator.api(company.realmId, company.accessToken, 'POST', path, body);
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
      return String((answer.body[type] as Json).Id);
    };
    const query = encodeURIComponent(`select * from Account where AccountType = 'Income'`);
    const accounts = await this.emulator.api(company.realmId, company.accessToken, 'GET', `query?query=${query}`);
    const income = String((accounts.body as Json).QueryResponse.Account[0].Id);
    const name = randomUUID().slice(0, 8);
    const customer = await post('Customer', { DisplayName: `Customer ${name}` });
    const item = await post('Item', { Name: `Item ${name}`, Type: 'Service', IncomeAccountRef: { value: income } });
    const detail = { ItemRef: { value: item }, Qty: 1, UnitPrice: 10 };
    return post('Invoice', {
      CustomerRef: { value: customer },
      Line: [{ Amount: 10, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: detail }],
    });
  }

  private async connectCompany(name: string): Promise<Company> {
    const { realmId } = await this.emulator.createCompany({ name });
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

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A dead process takes no company. */
class MortalLeases extends RealmLeases {
  constructor(
    db: Database,
    private readonly life: { dead: boolean },
  ) {
    super(db);
  }

  override acquire: RealmLeases['acquire'] = (...args) =>
    this.life.dead ? Promise.resolve(undefined) : RealmLeases.prototype.acquire.apply(this, args);
}

/** The process dies: after this nothing it does reaches the database any more. */
class CrashingAttachments extends AttachmentLinks {
  dead = false;

  constructor(
    db: Database,
    private readonly crashAt: CrashMoment | undefined,
  ) {
    super(db);
  }

  override async change(...args: Parameters<AttachmentLinks['change']>): ReturnType<AttachmentLinks['change']> {
    this.assertAlive();
    const [realmId, fence, key, at, decide] = args;
    let dies = false;
    const after = await super.change(realmId, fence, key, at, (now) => {
      const decided = decide(now);
      const brings = decided?.change;
      if (this.crashAt === 'answered' && brings?.target) return void (dies = true);
      if (this.crashAt === 'verified' && brings?.targetSha256) return void (dies = true);
      return decided;
    });
    if (this.crashAt === 'claimed' && after?.link.uploadOpen) dies = true;
    if (dies) {
      this.dead = true;
      this.assertAlive();
    }
    return after;
  }

  override async release(...args: Parameters<AttachmentLinks['release']>): Promise<void> {
    this.assertAlive();
    await super.release(...args);
  }

  private assertAlive(): void {
    // As a zombie is told: the loop ends and writes nothing more.
    if (this.dead) throw new FenceLost('dead', 'attachments', 0n);
  }
}
