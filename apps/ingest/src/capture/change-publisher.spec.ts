// One record that cannot be told must not keep its company from being read: the others are told, it is put aside by name.
import { topics, type ChangeEvent } from '#contracts';
import type { Json, Reading } from '#core';
import { KafkaClient, MemoryLog, MemorySchemas } from '#kafka';
import type { CaptureStore, Tx } from '#storage';
import { ChangePublisher } from './change-publisher.js';

it('a record larger than its topic takes becomes a dead letter by its name, once, and everything else is told', async () => {
  const kafka = await KafkaClient.connect(
    { brokers: [], registryUrl: '', topicPrefix: '', clientId: 'spec' },
    { port: new MemoryLog(), schemas: new MemorySchemas() },
  );
  const captured = new Map<string, unknown>();
  const store = {
    publishing: (_realm: string, fn: (tx: Tx) => Promise<unknown>) => fn({} as Tx),
    captured: () => Promise.resolve(new Map(captured)),
    heirs: () => Promise.resolve(new Map()),
    record: (_tx: Tx, _realm: string, rows: { type: string; id: string; captured: unknown }[]) => {
      for (const one of rows) captured.set(`${one.type}/${one.id}`, one.captured);
      return Promise.resolve();
    },
    mergesTold: () => Promise.resolve(),
    suspectMerges: () => Promise.resolve(),
  } as unknown as CaptureStore;
  const publisher = new ChangePublisher(kafka.producer, store, () => new Date('2026-11-21T12:00:00Z'));
  const invoice = (id: string, more: Json = {}): Reading => ({
    kind: 'record',
    type: 'Invoice',
    id,
    snapshot: { Id: id, SyncToken: '0', MetaData: { LastUpdatedTime: '2026-11-21T11:00:00Z' }, ...more },
  });
  const line = { Description: 'x'.repeat(1_000) };
  const huge = invoice('2', { Line: Array.from({ length: 10_000 }, () => line) });
  const publication = {
    lane: 'live',
    origin: { kind: 'cdc' },
    observedAt: '2026-11-21T12:00:00Z',
    traceparent: '',
  } as const;
  await publisher.publish('1', [invoice('1'), huge, invoice('3')], publication);
  await publisher.publish('1', [huge], publication);

  const told: string[] = [];
  await kafka.reader.read<ChangeEvent>(topics.changes.name, {}, (batch) => {
    told.push(...batch.records.map(({ value }) => value!.id));
    return Promise.resolve();
  });
  expect(told.sort()).toEqual(['1', '3']);
  const letters: string[] = [];
  const ranges = (await kafka.port.offsets(topics.deadLetters.name)).map(({ partition, low, high }) => ({
    partition,
    from: low,
    to: high,
  }));
  await kafka.port.readRanges({
    topic: topics.deadLetters.name,
    ranges,
    onBatch: ({ records }) => {
      for (const { key, headers } of records)
        letters.push(`${String(key)} ${String(headers['__connect.errors.exception.class.name'])}`);
      return Promise.resolve();
    },
  });
  expect(letters).toEqual(['1/Invoice/2 CHANGE.CANNOT_BE_TOLD']);
  await kafka.close();
});
