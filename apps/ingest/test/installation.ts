// ingest on real Kafka, PostgreSQL and a real emulator, for its tests: one source company that is captured, ingest inside
// this process (or as a process of its own, to be killed), and a view of what came into the log.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { Test } from '@nestjs/testing';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { systemClock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle, ServiceModule } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { topics } from '#contracts';
import type { ChangeEvent, NotificationEvent } from '#contracts';
import type { Json } from '#core';
import { BatchServer, EventProducer, KafkaClient } from '#kafka';
import type { EventRecord, ReceivedRecord } from '#kafka';
import { TokenCustody } from '#qbo';
import { Companies, Database, Grants, Jobs, Organizations, Syncs } from '#storage';
import { freshDatabase, freshTopicPrefix, infrastructure, startEmulator } from '#testing';
import type { EmulatorApp, EmulatorGrant, FreshDatabase, RunningEmulator } from '#testing';
import { IngestModule } from '../src/ingest.module.js';
import type { Settings } from '../src/settings.js';

const tokenKey = randomBytes(32).toString('base64');

/** The producer with a switch: thrown, Kafka does not acknowledge. Stopping the shared broker would stop other tests. */
class SwitchedProducer {
  away = false;
  constructor(private readonly real: EventProducer) {}

  publish(record: EventRecord<unknown>): Promise<void> {
    return this.publishAll([record]);
  }

  publishAll(records: EventRecord<unknown>[]): Promise<void> {
    return this.away ? Promise.reject(new Error('no acknowledgement')) : this.real.publishAll(records);
  }

  sendAll: EventProducer['sendAll'] = (records) =>
    this.away ? Promise.reject(new Error('no acknowledgement')) : this.real.sendAll(records);
}

export interface Company {
  realmId: string;
  organizationId: string;
  syncId: string;
}

export class Installation {
  emulator!: RunningEmulator;
  app!: EmulatorApp;
  /** what people in the source work with: an app of its own, or their edits would use up ingest's ten requests a second */
  private person!: EmulatorApp;
  settings!: Settings;
  db!: Database;
  kafka!: KafkaClient;
  producer!: SwitchedProducer;
  readonly log = createLog('ingest-spec');
  private database!: FreshDatabase;
  private port!: number;
  private nest: NestFastifyApplication | undefined;
  private startedWith = '';
  private readonly read = new Map<string, { offsets: Record<number, string>; records: ReceivedRecord<unknown>[] }>();
  private lifecycle!: Lifecycle;
  private health!: Health;

  static async start(webhookFormat: 'cloudevents' | 'legacy' = 'cloudevents'): Promise<Installation> {
    const i = new Installation();
    i.port = await freePort();
    [i.emulator, i.database] = await Promise.all([startEmulator(), freshDatabase()]);
    i.app = await i.emulator.createApp({ webhookUrl: `${i.url}/webhooks/intuit`, webhookFormat });
    i.person = await i.emulator.createApp({ name: 'person' });
    await i.emulator.webhooks({ enabled: true, minDelayMs: 0, maxDelayMs: 0, aggregateMs: 0 });
    i.settings = {
      ...infrastructure(),
      topicPrefix: freshTopicPrefix(),
      databaseUrl: i.database.databaseUrl,
      databaseSchema: i.database.databaseSchema,
      databasePool: i.database.databasePool,
      qboEnvironment: i.emulator.url,
      qboClientId: i.app.clientId,
      qboClientSecret: i.app.clientSecret,
      qboWebhookVerifierToken: i.app.verifierToken,
      tokenKey,
      lookIntervalMs: 3_600_000,
      coalesceMs: 50,
      overlapMs: 120_000,
      sweepIntervalMs: 3_600_000,
      mergeGraceMs: 3_600_000,
      captureLeaseMs: 15_000,
      jobLeaseMs: 30_000,
      looksAtOnce: 8,
      backfillsAtOnce: 2,
    };
    i.kafka = await KafkaClient.connect({ ...i.settings, clientId: 'ingest-spec' });
    i.db = await Database.connect({ ...i.settings, applicationName: 'ingest-spec' });
    await i.db.migrate();
    return i;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts ingest inside this process; one that runs with the same settings goes on. */
  async startIngest(settings: Partial<Settings> = {}): Promise<void> {
    const wanted = JSON.stringify(settings);
    if (this.nest && this.startedWith === wanted) return;
    await this.stopIngest();
    this.startedWith = wanted;
    this.lifecycle = new Lifecycle();
    this.health = new Health(systemClock);
    this.producer = new SwitchedProducer(this.kafka.producer);
    const module = await Test.createTestingModule({
      imports: [
        ServiceModule.forRoot({
          clock: systemClock,
          lifecycle: this.lifecycle,
          health: this.health,
          app: IngestModule.forRoot({ ...this.settings, ...settings }),
        }),
      ],
    })
      .overrideProvider(EventProducer)
      .useValue(this.producer)
      .compile();
    const nest = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
      rawBody: true,
      logger: false,
    });
    const strategy = new BatchServer({ client: nest.get(KafkaClient), groupId: 'sync-ingest' });
    nest.connectMicroservice({ strategy });
    this.nest = nest;
    await nest.startAllMicroservices();
    await nest.listen(this.port, '127.0.0.1');
    await strategy.ready();
  }

  async stopIngest(): Promise<void> {
    if (!this.nest) return;
    await this.lifecycle.drain(this.log);
    await this.nest.close();
    this.health.close();
    this.nest = undefined;
  }

  /** ingest as its own process, by its built main file; resolves when it says it is ready. */
  async spawnIngest(env: Record<string, string> = {}): Promise<ChildProcess> {
    const s = this.settings;
    const child = spawn(process.execPath, [join(process.cwd(), 'dist/apps/ingest/src/main.js')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        SYNC_KAFKA_BROKERS: s.brokers.join(','),
        SYNC_REGISTRY_URL: s.registryUrl,
        SYNC_TOPIC_PREFIX: s.topicPrefix,
        SYNC_DATABASE_URL: s.databaseUrl,
        SYNC_DATABASE_SCHEMA: s.databaseSchema,
        SYNC_DATABASE_POOL: '5',
        SYNC_HTTP_PORT: String(this.port),
        SYNC_QBO_ENVIRONMENT: s.qboEnvironment,
        SYNC_QBO_CLIENT_ID: s.qboClientId,
        SYNC_QBO_CLIENT_SECRET: s.qboClientSecret,
        SYNC_QBO_WEBHOOK_VERIFIER_TOKEN: s.qboWebhookVerifierToken,
        SYNC_TOKEN_KEY: s.tokenKey,
        ...env,
      },
    });
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.once('exit', (code) => reject(new Error(`ingest left with ${code}: ${said.slice(-2000)}`)));
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('"msg":"ready"')) resolve();
      });
    });
    return child;
  }

  /** A source company with a sync; capture begins at `since`. */
  async company(
    o: { since?: Date; preset?: string; [detail: string]: unknown } = {},
    custody = this.custody,
  ): Promise<Company & { grant: EmulatorGrant }> {
    const { since = new Date(Date.now() - 1000), ...detail } = o;
    const { realmId } = await this.emulator.createCompany({ name: `Source ${randomUUID().slice(0, 8)}`, ...detail });
    const grant = await this.emulator.grant(this.app.clientId, realmId);
    const organizationId = randomUUID();
    const syncId = randomUUID();
    const target = String(BigInt(`0x${randomBytes(7).toString('hex')}`));
    await this.db.withTransaction(async (tx) => {
      await new Organizations(this.db).create(tx, { id: organizationId, name: 'Spec' });
      const companies = new Companies(this.db);
      const base = { organizationId, homeCurrency: null };
      await companies.connect(tx, { ...base, realmId, name: 'Source' });
      await companies.connect(tx, { ...base, realmId: target, name: 'Target' });
      const sealed = custody().sealPair(organizationId, realmId, {
        accessToken: grant.accessToken,
        refreshToken: grant.refreshToken,
        expiresIn: grant.expiresIn,
        refreshExpiresIn: grant.refreshTokenExpiresIn,
      });
      await new Grants(this.db).store(tx, realmId, sealed);
      await new Syncs(this.db).create(tx, {
        id: syncId,
        organizationId,
        sourceRealmId: realmId,
        targetRealmId: target,
        settings: {},
        captureSince: since,
      });
    });
    const person = await this.emulator.grant(this.person.clientId, realmId);
    return { realmId, organizationId, syncId, grant: person };
  }

  /** The person connects the company again. */
  async reconnect(company: Company): Promise<void> {
    const { realmId, organizationId } = company;
    const grant = await this.emulator.grant(this.app.clientId, realmId);
    await this.db.withTransaction(async (tx) => {
      await new Companies(this.db).connect(tx, { realmId, organizationId, name: 'Source', homeCurrency: null });
      const { accessToken, refreshToken, expiresIn, refreshTokenExpiresIn: refreshExpiresIn } = grant;
      const pair = this.custody().sealPair(organizationId, realmId, {
        accessToken,
        refreshToken,
        expiresIn,
        refreshExpiresIn,
      });
      await new Grants(this.db).store(tx, realmId, pair);
    });
    this.custody().forget(realmId);
  }

  async backfill(company: Company): Promise<string> {
    const id = randomUUID();
    const { organizationId, syncId } = company;
    const jobs = new Jobs(this.db);
    await this.db.withTransaction((tx) =>
      jobs.create(tx, { id, organizationId, syncId, kind: 'backfill', params: {} }),
    );
    return id;
  }

  job(id: string) {
    return new Jobs(this.db).find(id);
  }

  /** A write by a person's own tool in the source. */
  async save(
    company: { realmId: string; grant: EmulatorGrant },
    type: string,
    record: Json,
    query = '',
  ): Promise<Json> {
    const path = `${type.toLowerCase()}${query}`;
    const { status, body } = await this.emulator.api(company.realmId, company.grant.accessToken, 'POST', path, record);
    if (status !== 200) throw new Error(`${type}: ${status} ${JSON.stringify(body)}`);
    return body[type] as Json;
  }

  async changes(realmId: string): Promise<ReceivedRecord<ChangeEvent>[]> {
    const all = await this.records<ChangeEvent>(topics.changes.name);
    return all.filter((record) => record.value?.realmId === realmId);
  }

  async notifications(realmId: string): Promise<ReceivedRecord<NotificationEvent>[]> {
    const all = await this.records<NotificationEvent>(topics.notifications.name);
    return all.filter((record) => record.key === realmId);
  }

  async cursor(realmId: string): Promise<Json> {
    const [row] = await this.db.query<Json>('select * from capture_cursors where realm_id = $1', [realmId]);
    return row!;
  }

  /** A delivery as Intuit would make it. */
  deliver(body: string | Buffer, signature?: string): Promise<Response> {
    const signed = createHmac('sha256', this.app.verifierToken).update(body).digest('base64');
    return fetch(`${this.url}/webhooks/intuit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'intuit-signature': signature ?? signed },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
  }

  async stop(): Promise<void> {
    await this.stopIngest();
    await this.kafka.close();
    await this.db.close();
    await this.emulator.stop();
    await this.database.drop();
  }

  private readonly custody = (): TokenCustody => {
    if (!this.nest) throw new Error('ingest does not run');
    return this.nest.get(TokenCustody);
  };

  private async records<T>(topic: string): Promise<ReceivedRecord<T>[]> {
    // From where the last look ended: each reading of something new joins a group, which takes its time.
    const known = this.read.get(topic) ?? { offsets: {}, records: [] };
    this.read.set(topic, known);
    const { offsets } = await this.kafka.reader.read<T>(topic, { fromOffsets: known.offsets }, (batch) => {
      known.records.push(...batch.records);
      return Promise.resolve();
    });
    known.offsets = offsets;
    return known.records as ReceivedRecord<T>[];
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Looks again until it is so; what it never became is in the failure. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  withinMs = 60_000,
): Promise<T> {
  const endMs = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > endMs)
      throw new Error(`not so within ${withinMs} ms; last seen: ${JSON.stringify(seen)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
