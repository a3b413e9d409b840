// From the topics into the log and back over HTTP, on real Kafka and PostgreSQL.
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { systemClock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle, ServiceModule } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { changeEventId, eventIdOf, topics } from '#contracts';
import type { ChangeEvent, NotificationEvent, ResultEvent, WriteEvent } from '#contracts';
import { encodeVersion } from '#core';
import { BatchServer, EventProducer, KafkaClient } from '#kafka';
import { Companies, Database, Organizations } from '#storage';
import { freshDatabase, freshRealmId, freshTopicPrefix, infrastructure } from '#testing';
import type { FreshDatabase } from '#testing';
import { auditGroup, AuditModule } from './audit.module.js';

const start = Date.UTC(2026, 10, 21, 10);
const at = (second: number): Date => new Date(start + second * 1000);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the audit app', () => {
  const adminKey = 'a key that only this test knows';
  const lifecycle = new Lifecycle();
  const organizationId = randomUUID();
  const syncId = randomUUID();
  const realmId = freshRealmId();
  const targetRealmId = freshRealmId();
  let database: FreshDatabase;
  let app: NestFastifyApplication;
  let address: string;
  let producer: EventProducer;
  let db: Database;

  beforeAll(async () => {
    database = await freshDatabase();
    const { brokers, registryUrl, databaseUrl } = infrastructure();
    const config = {
      databaseUrl,
      databaseSchema: database.databaseSchema,
      databasePool: 4,
      brokers,
      registryUrl,
      topicPrefix: freshTopicPrefix(),
      adminKey,
    };
    const root = ServiceModule.forRoot({
      clock: systemClock,
      lifecycle,
      health: new Health(systemClock),
      app: AuditModule.forRoot(config),
    });
    app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    const strategy = new BatchServer({ client: app.get(KafkaClient), groupId: auditGroup });
    app.connectMicroservice({ strategy }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    address = await app.getUrl();
    producer = app.get(EventProducer);
    db = app.get(Database);
    await app.get(Organizations).create(db, { id: organizationId, name: 'Tenant' });
    await app.get(Companies).connect(db, { realmId, organizationId, name: 'Source', homeCurrency: null });
    await strategy.ready();
  });

  afterAll(async () => {
    await lifecycle.drain(createLog('spec'));
    await app.close();
    await database.drop();
  });

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked at field by field
  async function ask(url: string, key = adminKey): Promise<{ status: number; body: any }> {
    const answer = await fetch(`${address}${url}`, { headers: { authorization: `Bearer ${key}` } });
    return { status: answer.status, body: await answer.json() };
  }

  const version = encodeVersion({
    lastUpdatedTime: at(0).toISOString(),
    syncToken: 3,
    observedAt: at(2).toISOString(),
  });

  function lifeOf(id: string) {
    const notification: NotificationEvent = {
      realmId,
      source: 'webhook',
      receivedAt: at(1).toISOString(),
      entities: [{ entityType: 'Invoice', id, operation: 'updated', eventId: `hook ${id}` }],
    };
    const change: ChangeEvent = {
      realmId,
      entityType: 'Invoice',
      id,
      version,
      deleted: false,
      contentHash: 'hash',
      lane: 'live',
      origin: { kind: 'cdc' },
      snapshot: { Id: id },
    };
    const changeId = changeEventId(change);
    const common = {
      syncId,
      organizationId,
      sourceRealmId: realmId,
      targetRealmId,
      version,
      changeId,
      lane: 'live' as const,
    };
    const write: WriteEvent = {
      ...common,
      entityType: 'Invoice',
      sourceId: id,
      op: 'upsert',
      desiredHash: 'desired',
      payload: { DocNumber: '1' },
      references: [{ path: ['CustomerRef'], entityType: 'Customer', sourceId: '9' }],
      mappingVersion: 4,
    };
    const result = (attempt: number, outcome: ResultEvent['outcome'], o: Partial<ResultEvent>): ResultEvent => ({
      ...common,
      entityType: 'Invoice',
      sourceId: id,
      outcome,
      attempt,
      settledAt: at(3 + attempt).toISOString(),
      durationMs: 41.4,
      ...o,
    });
    const failed = result(1, 'failed', { code: '6140', reason: 'Duplicate Document Number', requestId: 'r1' });
    const created = result(2, 'created', { targetId: '97', targetSyncToken: '0', requestId: 'r2', tid: 'tid-2' });
    return [
      {
        topic: topics.notifications.name,
        key: realmId,
        id: eventIdOf('n', id),
        time: at(1),
        traceparent,
        value: notification,
      },
      {
        topic: topics.changes.name,
        key: `${realmId}/Invoice/${id}`,
        id: changeId,
        time: at(0),
        traceparent,
        value: change,
      },
      { topic: topics.writes.name, key: targetRealmId, id: eventIdOf('w', id), time: at(3), traceparent, value: write },
      {
        topic: topics.results.name,
        key: targetRealmId,
        id: eventIdOf('f', id),
        time: at(4),
        traceparent,
        value: failed,
      },
      {
        topic: topics.results.name,
        key: targetRealmId,
        id: eventIdOf('c', id),
        time: at(5),
        traceparent,
        value: created,
      },
    ];
  }

  async function untilLogged(entries: number, id: string): Promise<void> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const [row] = await db.query<{ n: number }>('select count(*)::int as n from sync_log where entity_id = $1', [id]);
      if (row!.n >= entries) return;
      if (Date.now() > deadline) throw new Error(`only ${row!.n} of ${entries} entries of ${id} in the log`);
      await systemClock.sleep(50);
    }
  }

  it('tells the life of one record in order, with target id and token, under both spellings of the key', async () => {
    await producer.publishAll(lifeOf('145').reverse());
    await untilLogged(5, '145');
    const { body } = await ask(`/v1/changes/${realmId}/Invoice/145`);
    expect(body.steps.map((step: { stage: string; outcome: string }) => `${step.stage} ${step.outcome}`)).toEqual([
      'notified updated',
      'captured cdc',
      'mapped upsert',
      'settled failed',
      'settled created',
    ]);
    expect(body.steps[0]).toMatchObject({ organizationId, traceparent, at: at(1).toISOString() });
    expect(body.steps[1]).toMatchObject({ organizationId, version, at: at(2).toISOString() });
    expect(body.steps[2]).toMatchObject({
      syncId,
      targetRealmId,
      details: { references: ['Customer/9'], mappingVersion: 4 },
    });
    expect(body.steps[3]).toMatchObject({ attempt: 1, code: '6140', requestId: 'r1', targetId: null });
    expect(body.steps[4]).toMatchObject({
      attempt: 2,
      targetId: '97',
      targetSyncToken: '0',
      tid: 'tid-2',
      durationMs: 41,
    });
    expect((await ask(`/v1/changes/${encodeURIComponent(`${realmId}/Invoice/145`)}`)).body).toEqual(body);
  });

  it('writes a redelivered event once, also when its publisher stamped a later time', async () => {
    const life = lifeOf('146');
    await producer.publishAll(life);
    await producer.publishAll(life);
    await producer.publishAll(life.map((record) => ({ ...record, time: new Date(record.time.getTime() + 60_000) })));
    // A record of the same keys behind them: when it is in the log, so are they.
    await producer.publishAll(lifeOf('147').map((record) => ({ ...record, key: record.key.replace('147', '146') })));
    await untilLogged(5, '147');
    expect((await ask(`/v1/changes/${realmId}/Invoice/146`)).body.steps).toHaveLength(5);
  });

  it('puts entries into the partition of their month', async () => {
    const rows = await db.query<{ name: string }>('select distinct tableoid::regclass::text as name from sync_log');
    expect(rows).toEqual([{ name: 'sync_log_y2026m11' }]);
  });

  it('filters the log and pages through it without skipping or repeating', async () => {
    await producer.publishAll(['201', '202', '203'].flatMap(lifeOf));
    for (const id of ['201', '202', '203']) await untilLogged(5, id);
    const filtered = await ask(`/v1/sync-log?sync=${syncId}&type=Invoice&id=202&stage=settled&outcome=created`);
    expect(filtered.body.items).toHaveLength(1);
    const window = `from=${at(3).toISOString()}&to=${at(5).toISOString()}`;
    const inside = await ask(`/v1/sync-log?realm=${realmId}&id=202&${window}`);
    expect(inside.body.items.map((item: { stage: string }) => item.stage)).toEqual(['settled', 'mapped']);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await ask(`/v1/sync-log?realm=${realmId}&limit=4${cursor && `&cursor=${cursor}`}`);
      seen.push(...(body.items as { id: string }[]).map((item) => item.id));
      cursor = body.next ?? '';
    } while (cursor);
    const all = await db.query<{ id: string }>('select id::text from sync_log order by at desc, sync_log.id desc');
    expect(seen).toEqual(all.map((row) => row.id));
  });

  it('chains audit events per organization, and verifies the chain', async () => {
    const events = [1, 2, 3].map((n) => ({
      topic: topics.audit.name,
      key: organizationId,
      id: `audit ${n}`,
      time: at(n),
      value: {
        organizationId,
        actor: 'admin',
        action: 'sync.paused',
        subject: syncId,
        at: at(n).toISOString(),
        details: { n, b: 1, a: [] },
      },
    }));
    await producer.publishAll([...events, ...events]);
    const deadline = Date.now() + 20_000;
    while ((await ask(`/v1/audit-log/${organizationId}`)).body.items.length < 3 && Date.now() < deadline)
      await systemClock.sleep(50);
    const { body } = await ask(`/v1/audit-log/${organizationId}`);
    expect(body.items.map((item: { eventId: string }) => item.eventId)).toEqual(['audit 3', 'audit 2', 'audit 1']);
    const verdict = await ask(`/v1/audit-log/${organizationId}/verify`);
    expect(verdict.body).toMatchObject({ kind: 'intact', entries: 3, head: { sequence: '3' } });
  });

  it('refuses a wrong key, odd filters and unknown records with a problem', async () => {
    expect(await ask('/v1/sync-log', 'guessed')).toMatchObject({ status: 401 });
    const odd = await ask('/v1/sync-log?sync=x&stage=lost&from=yesterday&limit=9999');
    expect(odd.status).toBe(400);
    expect(odd.body.errors.map((error: { field: string }) => error.field).sort()).toEqual([
      'from',
      'limit',
      'stage',
      'sync',
    ]);
    expect(await ask(`/v1/changes/${realmId}/Invoice/999`)).toMatchObject({ status: 404 });
    expect(await ask('/v1/changes/nonsense')).toMatchObject({ status: 400 });
    expect(await ask('/v1/nothing')).toMatchObject({ status: 404, body: { code: 'ROUTE.UNKNOWN' } });
  });
});
