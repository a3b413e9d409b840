// What intake and replay share: changes of one company in their topic, mapper and writer as processes, and raw kafkajs beside.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes, Kafka, logLevel, type Admin } from 'kafkajs';
import { changeEventId, topics, type ChangeEvent } from '#contracts';
import { KafkaClient } from '#kafka';
import type { Addresses } from '#testing';
import { invoiceSnapshot } from './invoice.js';
import { Writing, type Tenant } from './writing.js';

const rawBatch = 500;
const settledAtOnce = 20_000;
/** A run that hangs says so. */
const patienceMs = 600_000;

export class Pipeline {
  private constructor(
    readonly writing: Writing,
    readonly tenant: Tenant,
    private readonly client: KafkaClient,
    private readonly kafka: Kafka,
    private readonly admin: Admin,
    readonly records: number,
  ) {}

  /** A company with so many changes in its topic, and nobody who reads it yet. */
  static async start(addresses: Addresses, records: number): Promise<Pipeline> {
    const writing = await Writing.start(addresses, []);
    const tenant = await writing.tenant();
    const brokers = addresses.SYNC_KAFKA_BROKERS.split(',');
    const client = await KafkaClient.connect({
      brokers,
      registryUrl: addresses.SYNC_REGISTRY_URL,
      topicPrefix: writing.topicPrefix,
      clientId: 'bench',
    });
    const kafka = new Kafka({ brokers, clientId: 'bench-raw', logLevel: logLevel.NOTHING });
    // The next ones are made while these are on their way.
    let onTheWay: Promise<void> = Promise.resolve();
    for (let from = 0; from < records; from += 5_000) {
      const some = Array.from({ length: Math.min(5_000, records - from) }, (_, n) => change(tenant, from + n));
      const sent = client.producer.publishAll(
        some.map((value) => ({
          topic: topics.changes.name,
          key: `${value.realmId}/Invoice/${value.id}`,
          id: changeEventId(value),
          time: new Date(0),
          value,
        })),
      );
      await onTheWay;
      onTheWay = sent;
    }
    await onTheWay;
    const admin = kafka.admin();
    await admin.connect();
    return new Pipeline(writing, tenant, client, kafka, admin, records);
  }

  async stop(): Promise<void> {
    await this.writing.stop();
    await this.client.close();
    await this.admin.disconnect();
  }

  /** As if the mapper had read all changes and the writer had settled all of them: what a replay finds that has nothing to do. */
  async allSettled(): Promise<void> {
    const { tenant, records, writing } = this;
    const { version } = change(tenant, 0);
    const payload = JSON.stringify(invoiceSnapshot('1', 1));
    // Some at a time: a statement may take a minute.
    for (let from = 1; from <= records; from += settledAtOnce) {
      await writing.db.query(
        `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
           desired_version, desired_hash, desired_op, desired_payload, mapping_version, change_id, applied_version, applied_hash,
           target_id, target_sync_token, settled_at)
         select s.id, 'Invoice', n, s.organization_id, s.source_realm_id, s.target_realm_id, 'settled', 'bulk', 7,
           $2, 'h', 'upsert', $3, 0, 'change', $2, 'h', n, '0', now()
         from syncs s, (select generate_series($4::int, $5::int)::text as n) numbers where s.id = $1`,
        [tenant.syncId, version, payload, from, Math.min(records, from + settledAtOnce - 1)],
      );
    }
    await writing.db.query('analyze links');
    const topic = writing.topicPrefix + topics.changes.name;
    const ends = await this.admin.fetchTopicOffsets(topic);
    await this.admin.setOffsets({
      groupId: `${writing.topicPrefix}sync-mapper`,
      topic,
      partitions: ends.map(({ partition, high }) => ({ partition, offset: high })),
    });
  }

  /**
   * Records of its topic that the writer is done with, as it committed: their rows are there. Counting the rows themselves, of a
   * million, again and again costs as much as what is measured.
   */
  async takenByWriter(): Promise<number> {
    const topic = this.writing.topicPrefix + topics.writes.name;
    const [found] = await this.admin.fetchOffsets({
      groupId: `${this.writing.topicPrefix}sync-qbo-writer`,
      topics: [topic],
    });
    return found!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  }

  /** Records a second from a twentieth of them to all. */
  async rateUntilAllAre(count: () => Promise<number>): Promise<number> {
    let began: { atMs: number; count: number } | undefined;
    for (const giveUpAtMs = performance.now() + patienceMs; ;) {
      const now = { atMs: performance.now(), count: await count() };
      if (!began && now.count >= this.records / 20) began = now;
      if (began && now.count >= this.records) {
        return ((now.count - began.count) / (now.atMs - began.atMs)) * 1_000;
      }
      if (now.atMs > giveUpAtMs) throw new Error(`${now.count} of ${this.records} came in time`);
      await sleep(50);
    }
  }

  /** Raw kafkajs: read and parsed; with `copy` also written to a topic of its own and read from there. */
  async raw(copy: boolean): Promise<number> {
    const from = this.writing.topicPrefix + topics.changes.name;
    if (!copy) return this.rawRead(from);
    const to = `${this.writing.topicPrefix}copy-${randomUUID().slice(0, 6)}`;
    await this.admin.createTopics({
      topics: [{ topic: to, numPartitions: topics.changes.partitions }],
      waitForLeaders: true,
    });
    const producer = this.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    const consumer = this.kafka.consumer({ groupId: `bench-${randomUUID()}` });
    await Promise.all([producer.connect(), consumer.connect()]);
    await consumer.subscribe({ topics: [from], fromBeginning: true });
    const rate = this.rawRead(to);
    await consumer.run({
      partitionsConsumedConcurrently: 3,
      eachBatch: async ({ batch }) => {
        for (let at = 0; at < batch.messages.length; at += rawBatch) {
          const messages = batch.messages.slice(at, at + rawBatch).map(({ key, value }) => {
            const event = JSON.parse(value!.toString('utf8', 5)) as ChangeEvent;
            // The five bytes of the registry's frame go along, so that the second hop parses the same.
            const head = value!.subarray(0, 5);
            return {
              key,
              value: Buffer.concat([head, Buffer.from(JSON.stringify(event))]),
              partition: batch.partition,
            };
          });
          await producer.send({ topic: to, acks: -1, compression: CompressionTypes.None, messages });
        }
      },
    });
    const perSecond = await rate;
    await Promise.all([consumer.disconnect(), producer.disconnect()]);
    return perSecond;
  }

  private async rawRead(topic: string): Promise<number> {
    const consumer = this.kafka.consumer({ groupId: `bench-${randomUUID()}` });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    let seen = 0;
    let checksum = 0;
    await consumer.run({
      partitionsConsumedConcurrently: 3,
      eachBatch: ({ batch }) => {
        for (const { value } of batch.messages)
          checksum += (JSON.parse(value!.toString('utf8', 5)) as ChangeEvent).id.length;
        seen += batch.messages.length;
        return Promise.resolve();
      },
    });
    const perSecond = await this.rateUntilAllAre(() => Promise.resolve(seen));
    await consumer.disconnect();
    if (checksum === 0) throw new Error('nothing was read');
    return perSecond;
  }
}

function change({ source }: Tenant, n: number): ChangeEvent {
  const id = String(n + 1);
  const at = '2026-11-20T18:00:00.000Z';
  return {
    realmId: source,
    entityType: 'Invoice',
    id,
    version: `${at}_0000000001_${at}`,
    deleted: false,
    contentHash: 'a'.repeat(64),
    lane: 'bulk',
    origin: { kind: 'cdc' },
    snapshot: invoiceSnapshot(id, n),
  };
}
