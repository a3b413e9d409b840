// Reading a topic again, lag, and the registry's judgement, on the real services.
import { randomUUID } from 'node:crypto';
import { topics, valueSchemas } from '#contracts';
import type { AuditEvent } from '#contracts';
import { KafkaClient } from './index.js';
import { RegistrySchemas } from './schemas.js';

const options = {
  brokers: process.env.SYNC_KAFKA_BROKERS!.split(','),
  registryUrl: process.env.SYNC_REGISTRY_URL!,
  clientId: 'spec',
};
const prefix = (): string => `spec-${randomUUID().slice(0, 8)}.`;
const topic = topics.audit.name;

describe('TopicReader', () => {
  let client: KafkaClient;
  beforeAll(async () => {
    client = await KafkaClient.connect({ ...options, topicPrefix: prefix() });
  });
  afterAll(() => client.close());

  const publish = (from: number, count: number): Promise<void> =>
    client.producer.publishAll(
      Array.from({ length: count }, (_, n) => ({
        topic,
        key: `org-${(from + n) % 7}`,
        id: String(from + n),
        time: new Date(),
        value: { organizationId: 'o', actor: 'a', action: 'b', subject: String(from + n), at: 't', details: {} },
      })),
    );

  it('reads to the end as of the call, and goes on from its own progress', async () => {
    await publish(0, 200);
    const read: string[] = [];
    const onBatch = (batch: { records: { value: AuditEvent | null }[] }): Promise<void> => {
      read.push(...batch.records.map(({ value }) => value!.subject));
      return Promise.resolve();
    };
    const first = await client.reader.read<AuditEvent>(topic, {}, onBatch);
    expect(first).toMatchObject({ records: 200, skipped: 0, complete: true });
    expect(new Set(read).size).toBe(200);
    await publish(200, 30);
    read.length = 0;
    const second = await client.reader.read<AuditEvent>(topic, { fromOffsets: first.offsets }, onBatch);
    expect(second.records).toBe(30);
    expect(read.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => 200 + n));
    expect((await client.reader.read(topic, { fromOffsets: second.offsets }, onBatch)).records).toBe(0);
  });

  it('says that it is incomplete when it was aborted, and where it is', async () => {
    const abort = new AbortController();
    const progress = await client.reader.read(topic, { signal: abort.signal }, () => {
      abort.abort();
      return Promise.resolve();
    });
    expect(progress.complete).toBe(false);
    const rest = await client.reader.read(topic, { fromOffsets: progress.offsets }, () => Promise.resolve());
    expect(progress.records + rest.records).toBe(230);
  });

  it('leaves no group behind and no lag is invented for a group that never read', async () => {
    expect(await client.lag.lag(['sync-nobody'])).toEqual([]);
  });
});

describe('the schema registry', () => {
  const store = new RegistrySchemas(options.registryUrl, 'spec');
  const schema = valueSchemas[topic]!;

  it('gives the same schema the same id, and finds it by id', async () => {
    const subject = `${prefix()}${topic}-value`;
    const id = await store.register(subject, schema);
    expect(await store.register(subject, schema)).toBe(id);
    expect(await new RegistrySchemas(options.registryUrl, 'other').find(id)).toEqual(schema);
    expect(await store.find(2_000_000_000)).toBeUndefined();
  });

  it('lets a schema grow by an optional field and refuses to let one shrink or demand more', async () => {
    const subject = `${prefix()}${topic}-value`;
    await store.register(subject, schema);
    const more = { ...schema, properties: { ...schema.properties, note: { type: 'string' } } };
    await expect(store.register(subject, more)).resolves.toBeGreaterThan(0);
    await expect(store.register(subject, { ...more, required: [...schema.required!, 'note'] })).rejects.toThrow();
    const { actor: _gone, ...fewer } = schema.properties!;
    await expect(store.register(subject, { ...schema, properties: fewer })).rejects.toThrow();
  });
});
