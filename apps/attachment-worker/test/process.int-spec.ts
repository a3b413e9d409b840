// The attachment worker as its own OS process over real Kafka: sync.attachments in, a target company in the emulator,
// sync.results out, and a kill -9 in the middle of an upload.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '#common/clock';
import { topics, type AttachmentEvent, type ResultEvent } from '#contracts';
import { KafkaClient } from '#kafka';
import { freshTopicPrefix, infrastructure } from '#testing';
import { Installation, sha256 } from './installation.js';

describe('the attachment worker process', () => {
  let w: Installation;
  let kafka: KafkaClient;
  const topicPrefix = freshTopicPrefix();
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    w = await Installation.start();
    await w.begin();
    kafka = await KafkaClient.connect({ ...infrastructure(), topicPrefix, clientId: 'spec' });
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await kafka.close();
    await w.stop();
  });

  function startProcess(): ChildProcess {
    const { brokers, registryUrl } = infrastructure();
    const child = spawn(process.execPath, [join('dist', 'apps', 'attachment-worker', 'src', 'main.js')], {
      stdio: 'ignore',
      env: {
        ...process.env,
        SYNC_KAFKA_BROKERS: brokers.join(','),
        SYNC_REGISTRY_URL: registryUrl,
        SYNC_TOPIC_PREFIX: topicPrefix,
        SYNC_DATABASE_URL: w.database.databaseUrl,
        SYNC_DATABASE_SCHEMA: w.database.databaseSchema,
        SYNC_DATABASE_POOL: '4',
        SYNC_HTTP_PORT: '0',
        SYNC_QBO_ENVIRONMENT: w.emulator.url,
        SYNC_QBO_CLIENT_ID: w.app.clientId,
        SYNC_QBO_CLIENT_SECRET: w.app.clientSecret,
        SYNC_TOKEN_KEY: Buffer.alloc(32, 1).toString('base64'),
        SYNC_ATTACHMENTS_LEASE: '2s',
      },
    });
    children.push(child);
    return child;
  }

  async function results(): Promise<ResultEvent[]> {
    const found: ResultEvent[] = [];
    await kafka.reader.read<ResultEvent>(topics.results.name, {}, (batch) => {
      found.push(...batch.records.flatMap(({ value }) => (value ? [value] : [])));
      return Promise.resolve();
    });
    return found;
  }

  async function until(what: string, done: () => Promise<boolean>): Promise<void> {
    const giveUpAt = Date.now() + 40_000;
    while (!(await done())) {
      if (Date.now() > giveUpAt) throw new Error(`not reached: ${what}`);
      await systemClock.sleep(50);
    }
  }

  it('carries a file once although it is killed with SIGKILL while its upload is under way', async () => {
    const invoice = await w.invoice();
    await invoice.settle();
    const content = randomBytes(200_000);
    const file = await w.attach(invoice.sourceId, 'receipt.pdf', content);
    // The file is taken, the answer never comes: at the kill nobody knows.
    await w.emulator.fault({
      fault: 'timeout-after-commit',
      match: { realmId: w.target.realmId, operation: 'upload' },
      times: 1,
    });
    const event: AttachmentEvent = {
      syncId: w.syncId,
      organizationId: w.organizationId,
      sourceRealmId: w.source.realmId,
      targetRealmId: w.target.realmId,
      attachableId: String(file.Id),
      version: '2026-01-01T00:00:00.000Z_0000000000_2026-01-01T00:00:00.000Z',
      lane: 'live',
      deleted: false,
      changeId: 'change-1',
      fileName: 'receipt.pdf',
      contentType: 'application/pdf',
      size: content.length,
      references: [{ entityType: 'Invoice', sourceId: invoice.sourceId, includeOnSend: false }],
    };
    await kafka.producer.publish({
      topic: topics.attachments.name,
      key: event.targetRealmId,
      id: 'event-1',
      time: new Date(),
      value: event,
    });

    const first = startProcess();
    await until('the copy is in the target', async () => (await w.copies()).length === 1);
    expect((await w.row(file)).link).toMatchObject({ state: { kind: 'sending' }, uploadOpen: true });
    first.kill('SIGKILL');
    await once(first, 'exit');

    const second = startProcess();
    await until('the announcement', async () => (await results()).some((result) => result.outcome === 'attached'));
    const copies = await w.copies();
    expect(copies).toHaveLength(1);
    expect((await w.row(file)).link).toMatchObject({
      state: { kind: 'settled' },
      target: { id: copies[0]!.Id as string },
      sourceSha256: sha256(content),
      targetSha256: sha256(content),
    });
    expect((await results()).map(({ entityType, sourceId, outcome }) => [entityType, sourceId, outcome])).toEqual([
      ['Attachable', String(file.Id), 'attached'],
    ]);

    second.kill('SIGTERM');
    const [code] = (await once(second, 'exit')) as [number | null];
    expect(code).toBe(0);
  });
});
