// The writer as a whole: sync.writes in, a target company in the emulator, sync.results out, over real Kafka.
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { systemClock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle, ServiceModule } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { topics, type ResultEvent, type WriteEvent } from '#contracts';
import { BatchServer, EventProducer, KafkaClient, TopicReader } from '#kafka';
import { freshTopicPrefix, infrastructure } from '#testing';
import { WriterModule } from '../src/writer.module.js';
import { Installation } from './installation.js';

describe('the writer process', () => {
  let w: Installation;
  let app: NestFastifyApplication;
  const lifecycle = new Lifecycle();

  beforeAll(async () => {
    w = await Installation.start();
    await w.begin();
    const { brokers, registryUrl } = infrastructure();
    const settings = {
      ...w.database,
      databasePool: 8,
      brokers,
      registryUrl,
      topicPrefix: freshTopicPrefix(),
      qboEnvironment: w.emulator.url,
      qboClientId: w.app.clientId,
      qboClientSecret: w.app.clientSecret,
      tokenKey: Buffer.alloc(32, 1).toString('base64'),
      leaseMs: 5_000,
      batchSize: 30,
      callsInFlight: 4,
      rowsInHand: 1_000,
      sweepIntervalMs: 3_600_000,
      callsKeptMs: 30 * 86_400_000,
    };
    const root = ServiceModule.forRoot({
      clock: systemClock,
      lifecycle,
      health: new Health(systemClock),
      app: WriterModule.forRoot(settings),
    });
    app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    const server = new BatchServer({ client: app.get(KafkaClient), groupId: 'sync-qbo-writer' });
    app.connectMicroservice({ strategy: server }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    await server.ready();
  });

  afterAll(async () => {
    await lifecycle.drain(createLog('test'));
    await app.close();
    await w.stop();
  });

  const results = async (): Promise<ResultEvent[]> => {
    const found: ResultEvent[] = [];
    await app.get(TopicReader).read<ResultEvent>(topics.results.name, { signal: lifecycle.stopping }, async (batch) => {
      found.push(...batch.records.flatMap((record) => (record.value ? [record.value] : [])));
    });
    return found;
  };

  /** A dead letter keeps its original bytes, which are no value of the dead letters' own topic: counted, not decoded. */
  const letters = async (): Promise<number> => {
    const reader = app.get(TopicReader);
    const { records, skipped } = await reader.read(
      topics.deadLetters.name,
      { signal: lifecycle.stopping },
      async () => {},
    );
    return records + skipped;
  };

  it('carries what sync.writes says and tells sync.results what became of it', async () => {
    const buyer = await w.save('Customer', { DisplayName: 'Northwind' });
    const item = await w.save('Item', {
      Name: 'Work',
      Type: 'Service',
      IncomeAccountRef: { value: await w.sourceAccount('Income') },
    });
    const invoice = await w.saveInvoice(buyer.Id, item.Id, 99.95);
    const events: WriteEvent[] = await w.sourceEvents();
    const broken: WriteEvent = {
      ...events[0]!,
      sourceId: '999999',
      op: 'fail',
      references: [],
      failure: { code: 'MAPPING.TEST', message: 'no' },
    };
    delete broken.payload;
    // Of a sync that nobody knows: PostgreSQL refuses it, and the rest of its batch goes on.
    const stranger: WriteEvent = { ...events[1]!, syncId: randomUUID() };
    await app.get(EventProducer).publishAll(
      [events[0]!, stranger, ...events.slice(1), broken].map((value) => ({
        topic: topics.writes.name,
        key: value.targetRealmId,
        id: value.changeId + value.sourceId,
        time: new Date(),
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        value,
      })),
    );
    await w.until(
      (links) => links.length > events.length && links.every((l) => ['settled', 'failed'].includes(l.state)),
      40_000,
    );
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 99.95 });
    // The relay empties the outbox right after.
    await w.until(() => true);
    for (let tries = 0; (await w.results()).length > 0 && tries < 400; tries++) await systemClock.sleep(50);
    const told = await results();
    const about = (type: string, id: unknown) =>
      told.filter((r) => r.entityType === type && r.sourceId === String(id)).map((r) => r.outcome);
    expect(about('Invoice', invoice.Id)).toEqual(['created']);
    expect(about('Customer', buyer.Id)).toEqual(['created']);
    expect(about(broken.entityType, '999999')).toEqual(['failed']);
    expect(await letters()).toBe(1);
    const address = await app.getUrl();
    const metrics = await (await fetch(`${address}/metrics`)).text();
    expect(metrics).toMatch(/sync_write_attempts_total\{operation="create",outcome="created",lane="bulk"[^}]*\} \d/);
    expect(metrics).toContain('sync_write_runnable_age_seconds');
    // Every company's id is 16 digits; none may be a label.
    expect(metrics).not.toContain(w.target.realmId);
  });

  it('goes on with the other companies of a partition while one of them is slow and one does not answer', async () => {
    const each = 8;
    const events: WriteEvent[][] = [];
    const companies: { realmId: string; syncId: string }[] = [];
    for (const _ of ['silent', 'slow', 'well']) {
      await w.begin();
      const names = [];
      for (let n = 0; n < each; n += 1)
        names.push(w.event('Vendor', await w.save('Vendor', { DisplayName: `V ${n}` })));
      events.push(names);
      companies.push({ realmId: w.target.realmId, syncId: w.syncId });
    }
    const [silent, slow, well] = companies as [(typeof companies)[0], (typeof companies)[0], (typeof companies)[0]];
    await w.emulator.fault({ match: { realmId: silent.realmId }, fault: 'reset-before-commit' });
    await w.emulator.fault({ match: { realmId: slow.realmId }, fault: 'slow', ms: 2_500 });
    const { port, topicPrefix } = app.get(KafkaClient);
    const topic = topicPrefix + topics.writes.name;
    // One key, one partition: each record of the well company stands behind one of each ill company.
    await app.get(EventProducer).publishAll(
      Array.from({ length: each }, (_, n) => events.map((of) => of[n]!))
        .flat()
        .map((value) => ({
          topic: topics.writes.name,
          key: 'one partition',
          id: value.changeId,
          time: new Date(),
          value,
        })),
    );
    const settled = async (syncId: string): Promise<number> => {
      const [row] = await w.db.query<{ n: number }>(
        `select count(*)::int as n from links where sync_id = $1 and state = 'settled'`,
        [syncId],
      );
      return row!.n;
    };
    for (let tries = 0; (await settled(well.syncId)) < each && tries < 400; tries++) await systemClock.sleep(50);
    expect(await settled(well.syncId)).toBe(each);
    expect(await settled(silent.syncId)).toBe(0);
    expect(await settled(slow.syncId)).toBeLessThan(each);
    // Nobody waits in Kafka: the consumer is through, whoever's work is still to be done.
    const ends = new Map((await port.offsets(topic)).map(({ partition, high }) => [partition, high]));
    const behind = async () =>
      (await port.committed(`${topicPrefix}sync-qbo-writer`, topic)).filter(
        ({ partition, offset }) => offset !== undefined && offset < ends.get(partition)!,
      );
    for (let tries = 0; (await behind()).length > 0 && tries < 200; tries++) await systemClock.sleep(50);
    expect(await behind()).toEqual([]);
    expect(await settled(slow.syncId)).toBeLessThan(each);
    await w.emulator.clearFaults();
    for (let tries = 0; (await settled(slow.syncId)) < each && tries < 600; tries++) await systemClock.sleep(50);
    expect(await settled(slow.syncId)).toBe(each);
  });
});
