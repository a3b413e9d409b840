// What our transport costs: change events through BatchServer (schema-checked decoding, one interceptor, a Nest handler,
// commit after it) against raw kafkajs eachBatch + JSON.parse, on the same topic, in turns. The stock Nest server with one
// interceptor reaches 0.15; the goal is 0.75.
import { randomUUID } from 'node:crypto';
import { Controller, Injectable, Module, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload } from '@nestjs/microservices';
import { Kafka, logLevel } from 'kafkajs';
import type { Observable } from 'rxjs';
import { changeEventId, topics } from '#contracts';
import type { ChangeEvent } from '#contracts';
import { BatchServer, KafkaClient } from '#kafka';
import type { RecordBatch } from '#kafka';
import { invoiceSnapshot } from './invoice.js';
import { median, withInfrastructure } from './bench.js';
import type { Bench, BenchRun, Metrics } from './bench.js';

const topic = topics.changes.name;

/** Counts records until all came; time runs from the first one, so that joining the group is not measured. */
class Counter {
  private seen = 0;
  private startedMs = 0;
  private checksum = 0;
  readonly done: Promise<number>;
  private finish!: (perSecond: number) => void;

  constructor(private readonly expected: number) {
    this.done = new Promise((resolve) => (this.finish = resolve));
  }

  take(values: readonly (ChangeEvent | null)[]): void {
    if (this.seen === 0) this.startedMs = performance.now();
    // Something is looked at, so that no engine may skip making it.
    for (const value of values) this.checksum += value!.id.length;
    this.seen += values.length;
    if (this.seen >= this.expected) this.finish((this.seen / (performance.now() - this.startedMs)) * 1000);
  }
}

let counter: Counter;

@Injectable()
class PassThrough implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Controller()
class ChangesHandler {
  @EventPattern<string>(topic)
  @UseInterceptors(PassThrough)
  on(@Payload() batch: RecordBatch<ChangeEvent>): Promise<void> {
    counter.take(batch.records.map((record) => record.value));
    return Promise.resolve();
  }
}

@Module({ controllers: [ChangesHandler] })
class BenchModule {}

function change(n: number): ChangeEvent {
  const id = String(n);
  return {
    realmId: '9130350000000001',
    entityType: 'Invoice',
    id,
    version: `2026-11-20T18:00:00.000Z_0000000001_2026-11-20T19:00:00.${String(n % 1000).padStart(3, '0')}Z`,
    deleted: false,
    contentHash: 'a'.repeat(64),
    lane: 'live',
    origin: { kind: 'cdc' },
    snapshot: invoiceSnapshot(id, n),
  };
}

async function fill(client: KafkaClient, records: number): Promise<void> {
  for (let from = 0; from < records; from += 5000) {
    const some = Array.from({ length: Math.min(5000, records - from) }, (_, n) => change(from + n));
    await client.producer.publishAll(
      some.map((value) => ({
        topic,
        key: `${value.realmId}/Invoice/${value.id}`,
        id: changeEventId(value),
        time: new Date(0),
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        value,
      })),
    );
  }
}

async function ours(client: KafkaClient, records: number): Promise<number> {
  counter = new Counter(records);
  const server = new BatchServer({ client, groupId: `bench-${randomUUID()}` });
  const app = await NestFactory.createMicroservice(BenchModule, { strategy: server, logger: false });
  await app.listen();
  const perSecond = await counter.done;
  await app.close();
  return perSecond;
}

async function raw(brokers: string[], fullTopic: string, records: number): Promise<number> {
  const count = new Counter(records);
  const kafka = new Kafka({ brokers, clientId: 'bench', logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `bench-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [fullTopic], fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 3,
    eachBatch: ({ batch }) => {
      // 5 bytes of registry frame before the JSON.
      count.take(batch.messages.map(({ value }) => JSON.parse(value!.toString('utf8', 5)) as ChangeEvent));
      return Promise.resolve();
    },
  });
  const perSecond = await count.done;
  await consumer.disconnect();
  return perSecond;
}

export const bench: Bench = {
  about: 'our Nest handlers against raw kafkajs eachBatch + JSON.parse (ratio, goal 0.75)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      const brokers = addresses.SYNC_KAFKA_BROKERS.split(',');
      const client = await KafkaClient.connect({
        brokers,
        registryUrl: addresses.SYNC_REGISTRY_URL,
        topicPrefix: `bench-${randomUUID().slice(0, 8)}.`,
        clientId: 'bench',
      });
      const records = quick ? 40_000 : 150_000;
      const rounds = quick ? 5 : 7;
      say(`publishing ${records} records`);
      await fill(client, records);
      const rates = { ours: [] as number[], raw: [] as number[] };
      // One round of each before it counts: the first pays for compiling.
      for (let round = 0; round <= rounds; round++) {
        const a = await raw(brokers, client.topicPrefix + topic, records);
        const b = await ours(client, records);
        say(`round ${round}: raw ${Math.round(a)}/s, ours ${Math.round(b)}/s${round === 0 ? ' (warm-up)' : ''}`);
        if (round === 0) continue;
        rates.raw.push(a);
        rates.ours.push(b);
      }
      await client.close();
      const ratio = median(rates.ours) / median(rates.raw);
      return {
        ratio: ratio.toFixed(2),
        ours_per_s: Math.round(median(rates.ours)),
        raw_per_s: Math.round(median(rates.raw)),
        records,
        rounds,
      };
    }),
};
