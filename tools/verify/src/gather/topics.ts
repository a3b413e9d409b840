// The topics from their first to their last record, with a plain client and a plain reader of the wire form: a zero byte,
// four bytes of schema id, JSON.
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { guardIdleTimers } from '#kafka';
import type { Raw } from '#testing';
import type { TopicRecord, Topics } from '../evidence.js';

const names: Record<keyof Topics, string> = {
  notifications: 'qbo.notifications.v1',
  changes: 'qbo.changes.v1',
  writes: 'sync.writes.v1',
  results: 'sync.results.v1',
  deadLetters: 'dead.letters.v1',
};
/** Who consumes what: how far they are behind is part of being at rest. */
const groups = ['sync-ingest', 'sync-mapper', 'sync-qbo-writer', 'sync-attachment-worker', 'sync-audit'];
const readTimeoutMs = 120_000;

export class Log {
  private readonly kafka: Kafka;

  constructor(
    brokers: string[],
    private readonly prefix: string,
  ) {
    guardIdleTimers();
    this.kafka = new Kafka({ clientId: 'verify', brokers, logLevel: logLevel.NOTHING });
  }

  async read(): Promise<Topics> {
    const admin = this.kafka.admin();
    await admin.connect();
    const groupId = `verify-${randomBytes(6).toString('hex')}`;
    const consumer = this.kafka.consumer({ groupId, maxWaitTimeInMs: 100, sessionTimeout: 30_000 });
    const read: Topics = { notifications: [], changes: [], writes: [], results: [], deadLetters: [] };
    try {
      const missing = new Map<string, bigint>();
      const kinds = new Map<string, keyof Topics>();
      for (const [kind, name] of Object.entries(names) as [keyof Topics, string][]) {
        kinds.set(this.prefix + name, kind);
        for (const { partition, high, low } of await admin.fetchTopicOffsets(this.prefix + name))
          if (BigInt(high) > BigInt(low)) missing.set(`${this.prefix + name}/${partition}`, BigInt(high));
      }
      if (missing.size === 0) return read;
      await consumer.connect();
      await consumer.subscribe({ topics: [...kinds.keys()], fromBeginning: true });
      let done: () => void = () => undefined;
      const finished = new Promise<void>((resolve) => (done = resolve));
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
          const kind = kinds.get(batch.topic)!;
          for (const message of batch.messages) {
            read[kind].push({
              partition: batch.partition,
              offset: message.offset,
              at: new Date(Number(message.timestamp)),
              key: message.key?.toString() ?? null,
              id: text(message.headers?.ce_id),
              value: valueOf(message.value),
            });
            resolveOffset(message.offset);
          }
          // Compaction may have taken the last ones away: the batch's own end counts.
          const place = `${batch.topic}/${batch.partition}`;
          if (BigInt(batch.lastOffset()) + 1n >= (missing.get(place) ?? 0n)) missing.delete(place);
          if (missing.size === 0) done();
          await heartbeat();
        },
      });
      const timeout = setTimeout(done, readTimeoutMs);
      await finished;
      clearTimeout(timeout);
      if (missing.size > 0) throw new Error(`topics were not read to their end: ${[...missing.keys()].join(', ')}`);
    } finally {
      await consumer.disconnect();
      await admin.deleteGroups([groupId]).catch(() => undefined);
      await admin.disconnect();
    }
    for (const records of Object.values(read) as TopicRecord[][])
      records.sort((a, b) => a.partition - b.partition || Number(BigInt(a.offset) - BigInt(b.offset)));
    return read;
  }

  /** Records not yet consumed, by group. */
  async lag(): Promise<Map<string, bigint>> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      const ends = new Map<string, { partition: number; high: string; low: string }[]>();
      const found = new Map<string, bigint>();
      for (const group of groups) {
        const committed = await admin.fetchOffsets({ groupId: this.prefix + group });
        for (const { topic, partitions } of committed) {
          if (!ends.has(topic)) ends.set(topic, await admin.fetchTopicOffsets(topic));
          for (const { partition, high, low } of ends.get(topic)!) {
            const at = partitions.find((one) => one.partition === partition)?.offset ?? '-1';
            const lag = BigInt(high) - (at === '-1' ? BigInt(low) : BigInt(at));
            if (lag > 0n) found.set(group, (found.get(group) ?? 0n) + lag);
          }
        }
      }
      return found;
    } finally {
      await admin.disconnect();
    }
  }
}

function valueOf(bytes: Buffer | null): Raw {
  if (bytes === null) return null;
  try {
    return JSON.parse(bytes.subarray(bytes[0] === 0 ? 5 : 0).toString('utf8'));
  } catch {
    return undefined;
  }
}

const text = (header: Buffer | string | (Buffer | string)[] | undefined): string | undefined =>
  header === undefined ? undefined : String(Array.isArray(header) ? header[0] : header);
