// The port on a log in this process: deterministic, for tests that need a log but no broker. One group member per group
// and consumer; a batch is handed out as soon as it is there, in partition order.
import type {
  BatchHold,
  Consumption,
  FetchedBatch,
  LogClient,
  LogConsumer,
  LogProducer,
  LogRecord,
  OutgoingMessage,
  PartitionRange,
  TopicState,
  TopicWish,
} from './port.js';

interface MemoryTopic {
  wish: TopicWish;
  partitions: LogRecord[][];
}

const maxBatch = 500;

export class MemoryLog implements LogClient {
  private readonly topics = new Map<string, MemoryTopic>();
  /** group -> topic/partition -> next offset */
  private readonly commits = new Map<string, Map<string, bigint>>();
  private readonly consumers = new Set<MemoryConsumer>();
  private nowMs = 0;

  connect(): Promise<void> {
    return Promise.resolve();
  }

  producer(): Promise<LogProducer> {
    return Promise.resolve({
      send: (topic, partition, messages) => this.append(topic, partition, messages),
      close: () => Promise.resolve(),
    });
  }

  consume(o: Consumption): LogConsumer {
    const consumer = new MemoryConsumer(this, o);
    this.consumers.add(consumer);
    consumer.start();
    return consumer;
  }

  async readRanges(o: {
    topic: string;
    ranges: PartitionRange[];
    signal?: AbortSignal;
    onBatch(batch: FetchedBatch): Promise<void>;
  }): Promise<void> {
    for (const { partition, from, to } of o.ranges) {
      for (let next = from; next < to && !o.signal?.aborted;) {
        const batch = this.fetch(o.topic, partition, next, to);
        if (!batch) break;
        await o.onBatch(batch);
        next = BigInt(batch.lastOffset) + 1n;
      }
    }
  }

  createTopics(wishes: TopicWish[]): Promise<void> {
    for (const wish of wishes) {
      if (this.topics.has(wish.name)) continue;
      this.topics.set(wish.name, { wish, partitions: Array.from({ length: wish.partitions }, () => []) });
    }
    return Promise.resolve();
  }

  describeTopics(names: string[], settings: string[] = []): Promise<TopicState[]> {
    return Promise.resolve(
      names.flatMap((name) => {
        const topic = this.topics.get(name);
        if (!topic) return [];
        const known = Object.entries(topic.wish.config).filter(([setting]) => settings.includes(setting));
        return [{ name, partitions: topic.partitions.length, replicas: 1, config: Object.fromEntries(known) }];
      }),
    );
  }

  offsets(topic: string): Promise<{ partition: number; low: bigint; high: bigint }[]> {
    return Promise.resolve(
      this.topic(topic).partitions.map((log, partition) => ({ partition, low: 0n, high: BigInt(log.length) })),
    );
  }

  committed(groupId: string, topic: string): Promise<{ partition: number; offset: bigint | undefined }[]> {
    return Promise.resolve(
      this.topic(topic).partitions.map((_, partition) => ({
        partition,
        offset: this.commits.get(groupId)?.get(`${topic}/${partition}`),
      })),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.stop()));
  }

  /** Next batch of a partition, or undefined at its end. */
  fetch(name: string, partition: number, from: bigint, to?: bigint): FetchedBatch | undefined {
    const log = this.topic(name).partitions[partition] ?? [];
    const end = Math.min(Number(from) + maxBatch, to === undefined ? log.length : Number(to), log.length);
    const records = log.slice(Number(from), end);
    if (records.length === 0) return undefined;
    return { topic: name, partition, records, highWatermark: String(log.length), lastOffset: String(end - 1) };
  }

  partitionsOf(name: string): number {
    return this.topic(name).partitions.length;
  }

  position(groupId: string, topic: string, partition: number): bigint {
    return this.commits.get(groupId)?.get(`${topic}/${partition}`) ?? 0n;
  }

  commit(groupId: string, topic: string, partition: number, next: bigint): void {
    let group = this.commits.get(groupId);
    if (!group) this.commits.set(groupId, (group = new Map()));
    group.set(`${topic}/${partition}`, next);
  }

  forget(consumer: MemoryConsumer): void {
    this.consumers.delete(consumer);
  }

  private async append(name: string, partition: number, messages: OutgoingMessage[]): Promise<void> {
    const log = this.topic(name).partitions[partition];
    if (!log) throw new Error(`topic ${name} has no partition ${partition}`);
    for (const { key, value, headers } of messages) {
      log.push({
        key: key === null ? null : Buffer.from(key),
        value,
        headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
        offset: String(log.length),
        timestamp: String(++this.nowMs),
      });
    }
    for (const consumer of this.consumers) consumer.wake();
    await Promise.resolve();
  }

  private topic(name: string): MemoryTopic {
    const topic = this.topics.get(name);
    if (!topic) throw new Error(`topic ${name} does not exist`);
    return topic;
  }
}

/** Modes: working (a pass over all partitions runs) <-> resting (nothing new) -> stopped. */
class MemoryConsumer implements LogConsumer {
  readonly joined = Promise.resolve();
  private readonly stopping = new AbortController();
  private work: Promise<void> = Promise.resolve();
  private again = false;
  private begun: boolean;
  private working = false;

  constructor(
    private readonly log: MemoryLog,
    private readonly o: Consumption,
  ) {
    this.begun = o.beginAt === undefined;
  }

  start(): void {
    const partitions = this.o.topics.flatMap((topic) =>
      Array.from({ length: this.log.partitionsOf(topic) }, (_, partition) => ({ topic, partition })),
    );
    this.o.onAssigned?.(partitions);
    const { beginAt } = this.o;
    if (!beginAt) return this.wake();
    void beginAt.call(this.o, partitions).then((places) => {
      for (const { topic, partition, next } of places) this.log.commit(this.o.groupId, topic, partition, next);
      this.begun = true;
      this.wake();
    });
  }

  wake(): void {
    this.again = true;
    if (!this.begun || this.working || this.stopping.signal.aborted) return;
    this.working = true;
    this.work = this.passes().finally(() => {
      this.working = false;
      // A record that came between the last look and this line must not wait for the next one.
      if (this.again) this.wake();
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.work;
    this.log.forget(this);
  }

  private async passes(): Promise<void> {
    await Promise.resolve();
    while (this.again && !this.stopping.signal.aborted) {
      this.again = false;
      for (const topic of this.o.topics) {
        for (let partition = 0; partition < this.log.partitionsOf(topic); partition++)
          await this.drain(topic, partition);
      }
      this.o.onTurn?.();
    }
  }

  private async drain(topic: string, partition: number): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const batch = this.log.fetch(topic, partition, this.log.position(this.o.groupId, topic, partition));
      if (!batch) return;
      const { signal } = this.stopping;
      let committed = false;
      const hold: BatchHold = {
        get released() {
          return signal.aborted;
        },
        releasing: signal,
        commit: () => {
          this.log.commit(this.o.groupId, topic, partition, BigInt(batch.lastOffset) + 1n);
          committed = true;
          return Promise.resolve();
        },
      };
      await this.o.onBatch(batch, hold).catch(() => undefined);
      // Not committed: it comes again, but other work of this process must get a turn in between.
      if (!committed) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
