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
} from '#core';
import type { Lane, WriteEvent } from '#contracts';
import {
  Companies,
  Grants,
  Links,
  LinkReport,
  MappingLayers,
  RealmLeases,
  RealmWork,
  Syncs,
  type Database,
  type LinkView,
} from '#storage';
import { buryOwner, startGround, TwoCompanies, type Company } from '#testing/two-companies';
import { desiredLink } from '../src/intake/desired-link.js';
import { RealmWriter } from '../src/realm/realm-writer.js';
import { Writers } from '../src/realm/writers.js';

const defaultRules = mergeLayers([defaultTemplate]);
/** Short enough for a test, long enough for an emulator on a busy machine. */
const answerTimeoutMs = 1_500;

export type { Company };

export class Installation extends TwoCompanies {
  readonly writers: Writers[] = [];
  /** the mapping of the sync; `begin` makes it the built-in template again */
  rules = defaultRules;

  static async start(): Promise<Installation> {
    return new Installation(await startGround('writer-test'));
  }

  override async begin(settings: Json = {}, companies: { source?: Json; target?: Json } = {}): Promise<void> {
    await super.begin(settings, companies);
    this.rules = defaultRules;
  }

  protected override stopProcesses(): Promise<unknown> {
    return Promise.all(this.writers.splice(0).map((writers) => writers.stop()));
  }

  /** A writer process, as far as its database and QBO see it. */
  startWriter(o: { sweepIntervalMs?: number; crashWhen?: (moment: 'claimed' | 'answered') => boolean } = {}): Writers {
    const log = createLog('writer-test');
    const clock = systemClock;
    const life: Life = { dead: false, owner: '' };
    const links = new CrashingLinks(this.db, life, o.crashWhen ?? (() => false));
    const { client, gate } = this.startClient(answerTimeoutMs);
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
      // The shortest of the ladder: half of its ceiling.
      random: () => 0,
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
            ...{ batchSize: 30, callsInFlight: 4, waitingLookMs: 300 },
            ...(o.sweepIntervalMs !== undefined && { sweepIntervalMs: o.sweepIntervalMs }),
          }),
      },
      // No test here waits for a lease to run out: a machine that stands still for seconds must not take one away.
      { leaseMs: 60_000, lookMs: 50 },
    );
    life.owner = writers.owner;
    writers.start();
    this.writers.push(writers);
    return writers;
  }

  // --- the source's side -------------------------------------------------------------------------------------------

  /** A person saves a record in the source. */
  async save(entityType: string, body: Json): Promise<Json> {
    return this.write(this.source, entityType, body);
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
  async until(done: (links: LinkView[]) => boolean, withinMs = 60_000): Promise<LinkView[]> {
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
}

/** The process dies: after this nothing it does reaches the database any more. */
class Crash extends Error {}

interface Life {
  dead: boolean;
  owner: string;
}

class CrashingLeases extends RealmLeases {
  constructor(
    db: Database,
    private readonly life: Life,
  ) {
    super(db);
  }

  /** All are lost: the loops of the dead end. */
  override renew: RealmLeases['renew'] = (...args) =>
    this.life.dead ? Promise.resolve([...args[2]]) : RealmLeases.prototype.renew.apply(this, args);

  override acquire: RealmLeases['acquire'] = (...args) =>
    this.life.dead ? Promise.resolve(undefined) : RealmLeases.prototype.acquire.apply(this, args);
}

class CrashingLinks extends Links {
  constructor(
    private readonly database: Database,
    private readonly life: Life,
    private readonly crashWhen: (moment: 'claimed' | 'answered') => boolean,
  ) {
    super(database);
  }

  override claim: Links['claim'] = async (...args) => {
    this.assertAlive();
    const call = await Links.prototype.claim.apply(this, args as never);
    if (call && this.crashWhen('claimed')) await this.die();
    return call;
  };

  override async decide(...args: Parameters<Links['decide']>): ReturnType<Links['decide']> {
    this.assertAlive();
    if (args[5] !== undefined && this.crashWhen('answered')) await this.die();
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

  private async die(): Promise<never> {
    this.life.dead = true;
    await buryOwner(this.database, this.life.owner);
    throw new Crash('killed');
  }

  private assertAlive(): void {
    if (this.life.dead) throw new Crash('killed');
  }
}
