// An attachment worker with everything real around it but Kafka: PostgreSQL, and a source and a target company in an
// emulator that shares no code with us. The records that files hang on are written by hand, as the writer would leave them.
import { createHash, randomUUID } from 'node:crypto';
import { systemClock } from '#common/clock';
import { createLog } from '#common/logging';
import { defaultTemplate, encodeVersion, mapChange, mergeLayers, type Json } from '#core';
import {
  AttachmentLinks,
  FenceLost,
  Grants,
  RealmLeases,
  RealmWork,
  type Database,
  type StoredAttachment,
} from '#storage';
import { buryOwner, startGround, TwoCompanies, type Company } from '#testing/two-companies';
import { Carriers } from '../src/realm/carriers.js';
import { RealmCarrier } from '../src/realm/realm-carrier.js';

const rules = mergeLayers([defaultTemplate]);
/** Short enough for a test, long enough for an emulator on a busy machine. */
const answerTimeoutMs = 2_500;

/** Where the process dies: after a claim was written, or after the answer came and before it was written. */
export type CrashMoment = 'claimed' | 'answered' | 'verified';

export class Installation extends TwoCompanies {
  private readonly running: Carriers[] = [];
  private crashing: CrashingAttachments | undefined;

  static async start(): Promise<Installation> {
    return new Installation(await startGround('attachments-test'));
  }

  protected override stopProcesses(): Promise<unknown> {
    return Promise.all(this.running.splice(0).map((carriers) => carriers.stop()));
  }

  /** A worker process, as far as its database and QBO see it. */
  startWorker(o: { crashAt?: CrashMoment } = {}): Carriers {
    const log = createLog('attachments-test');
    const clock = systemClock;
    const links = new CrashingAttachments(this.db, o.crashAt);
    if (o.crashAt) this.crashing = links;
    const { client } = this.startClient(answerTimeoutMs);
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
      // No test here waits for a lease to run out: a machine that stands still for seconds must not take one away.
      { leaseMs: 60_000, lookMs: 50 },
    );
    links.owner = carriers.owner;
    carriers.start();
    this.running.push(carriers);
    return carriers;
  }

  get hasCrashed(): boolean {
    return this.crashing?.dead ?? false;
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

  save(company: Company, body: Json, operation = ''): Promise<Json> {
    return this.write(company, 'Attachable', body, operation);
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

  async until(snapshot: Json, done: (row: StoredAttachment) => boolean, withinMs = 60_000): Promise<StoredAttachment> {
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
  copies(company: Company = this.target): Promise<Json[]> {
    return this.query(company, 'select * from Attachable maxresults 1000');
  }

  /** The hash of the bytes the target would give a person. */
  async bytesOf(copy: Json): Promise<string> {
    const { realmId, accessToken } = this.target;
    const place = await this.emulator.api(realmId, accessToken, 'GET', `download/${String(copy.Id)}`);
    const content = await (await fetch(String(place.body))).arrayBuffer();
    return sha256(Buffer.from(content));
  }

  private async makeInvoice(company: Company): Promise<string> {
    const post = async (type: string, body: Json): Promise<string> =>
      String((await this.write(company, type, body)).Id);
    const [account] = await this.query(company, `select * from Account where AccountType = 'Income'`);
    const income = String(account!.Id);
    const name = randomUUID().slice(0, 8);
    const customer = await post('Customer', { DisplayName: `Customer ${name}` });
    const item = await post('Item', { Name: `Item ${name}`, Type: 'Service', IncomeAccountRef: { value: income } });
    const detail = { ItemRef: { value: item }, Qty: 1, UnitPrice: 10 };
    return post('Invoice', {
      CustomerRef: { value: customer },
      Line: [{ Amount: 10, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: detail }],
    });
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
  owner = '';

  constructor(
    private readonly database: Database,
    private readonly crashAt: CrashMoment | undefined,
  ) {
    super(database);
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
      await buryOwner(this.database, this.owner);
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
