// The kafkajs adapter of the port. What it promises beyond kafkajs, and which measured defect each point answers:
// - nothing thrown by a batch's owner reaches kafkajs, whose own retry would crash the consumer after five;
// - heartbeats go out while a slow batch is in hand (kafkajs sends them only between callbacks);
// - commits go through the batch's own callback: once a stop has begun, consumer.commitOffsets resolves and sends nothing;
// - a consumer that crashed is replaced by a new one after a pause with jitter, or declared dead (onFatal) when its error
//   cannot heal: kafkajs itself would stop for good and leave a process that looks alive;
// - fetches wait 250 ms at most, because stop() waits for the one in flight.
import { Kafka, logLevel } from 'kafkajs';
import type { Admin, Consumer, EachBatchPayload, KafkaConfig, LogEntry, Producer, RetryOptions } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import type { Clock } from '#common/clock';
import { systemClock } from '#common/clock';
import { backoffCeilingMs } from '#common/lifecycle';
import type { Log } from '#common/logging';
import type {
  BatchHold,
  Consumption,
  LogClient,
  LogConsumer,
  LogProducer,
  LogRecord,
  OutgoingMessage,
  PartitionRange,
  FetchedBatch,
  TopicState,
  TopicWish,
} from './port.js';
import { ProducerBroken, TooLarge } from './port.js';
import { deferred } from './deferred.js';
import { putOutPredecessors, roundRobinOf, thisProcess } from './predecessor.js';
import { guardIdleTimers } from './timer-guard.js';

// Take-over after a kill -9 is the session time-out plus 0.1 s (by the process that is started again in its place: at once,
// predecessor.ts); kafkajs' 30 s would leave a partition unread for half a minute. 6 s is also the broker's default minimum.
const sessionTimeoutMs = 6000;
const heartbeatMs = 500;
const rebalanceTimeoutMs = 30_000;
/** One question and one request: some 20 ms. */
const putOutMs = 2_000;
const fetchWaitMs = 250;
const bytesPerPartition = 1024 * 1024;
// About 9 s in all: longer than the election after a leader's death (3 to 5.5 s measured), short enough that a caller
// learns of an absent broker while it still cares. Never more than 400 ms apart: pauses that go on doubling to 2 s made a
// producer sleep up to 2 s past the new leader's election.
const sendRetry: RetryOptions = { initialRetryTime: 100, maxRetryTime: 400, retries: 24 };
const adminRetry: RetryOptions = { initialRetryTime: 100, maxRetryTime: 1000, retries: 4 };
// About 5 s. Also what a producer's own questions about leaders are asked again with, inside of its send.
const consumeRetry: RetryOptions = { initialRetryTime: 100, maxRetryTime: 500, retries: 12 };

// ConfigResourceTypes.TOPIC: kafkajs does not offer that enum as a named import to ES modules.
const topicResource = 2;

export interface KafkajsOptions {
  brokers: string[];
  clientId: string;
  log: Log;
  clock?: Clock;
  ssl?: KafkaConfig['ssl'];
  sasl?: KafkaConfig['sasl'];
  /** only tests shorten these */
  sessionTimeoutMs?: number;
}

export class KafkajsLog implements LogClient {
  private readonly kafka: Kafka;
  private readonly admin: Admin;
  private adminConnected?: Promise<void>;
  private readonly clock: Clock;

  constructor(private readonly o: KafkajsOptions) {
    guardIdleTimers();
    this.clock = o.clock ?? systemClock;
    const config: KafkaConfig = {
      brokers: o.brokers,
      clientId: o.clientId,
      ...(o.ssl && { ssl: o.ssl }),
      ...(o.sasl && { sasl: o.sasl }),
      connectionTimeout: 3000,
      requestTimeout: 30_000,
      retry: consumeRetry,
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => forward(o.log, entry),
    };
    this.kafka = new Kafka(config);
    this.admin = this.kafka.admin({ retry: adminRetry });
  }

  async connect(): Promise<void> {
    await this.connectedAdmin();
  }

  async producer(): Promise<LogProducer> {
    const producer = this.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      retry: sendRetry,
      // kafkajs asks its partitioner also for messages that name their partition.
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
    });
    await producer.connect();
    return new KafkajsProducer(producer);
  }

  consume(o: Consumption): LogConsumer {
    const putOut = async (ended: ReadonlySet<string>): Promise<void> => {
      try {
        const gone = await putOutPredecessors(this.kafka, await this.connectedAdmin(), o.groupId, ended);
        if (gone > 0)
          this.o.log.info({ group: o.groupId, members: gone }, 'members that nobody is any more are put out');
      } catch (error) {
        // Their session ends by itself.
        this.o.log.debug({ group: o.groupId, reason: (error as Error).message }, 'no members could be put out');
      }
    };
    const sessionTimeout = this.o.sessionTimeoutMs ?? sessionTimeoutMs;
    return new KafkajsConsumer(this.kafka, o, this.o.log, this.clock, sessionTimeout, putOut);
  }

  async readRanges(o: RangeReading): Promise<void> {
    const open = new Map(o.ranges.filter((range) => range.from < range.to).map((range) => [range.partition, range]));
    for (let failures = 1; open.size > 0 && !o.signal?.aborted; failures++) {
      try {
        await this.readOnce(o, open);
      } catch (error) {
        if (error instanceof ReaderGaveUp) throw error.cause;
        // An election or a lost connection: go on where the ranges stand now.
        if (failures > 5 || !mayHeal(error as Error)) throw error;
        await this.clock.sleep(backoffCeilingMs(failures, 200, 5000), o.signal);
      }
    }
  }

  /** Reads until no range is open; each range's `from` moves with what was delivered. */
  private async readOnce(o: RangeReading, open: Map<number, PartitionRange>): Promise<void> {
    // kafkajs cannot read without a group. A group of its own that nobody else can join, and removed afterwards, comes to
    // the same. Positions are set by seek: writing them as committed offsets first (admin.setOffsets) costs 5 s, because
    // it waits for a fetch of an internal consumer.
    const groupId = `reader-${randomUUID()}`;
    const known = await this.offsets(o.topic);
    const end = deferred();
    const passed = (partition: number, next: bigint) => {
      const range = open.get(partition);
      if (range && next >= range.to) open.delete(partition);
      else if (range && next > range.from) open.set(partition, { ...range, from: next });
      if (open.size === 0) end.resolve();
    };
    const consumer = this.kafka.consumer({
      groupId,
      ...consumerSettings,
      sessionTimeout: sessionTimeoutMs,
      retry: { ...consumeRetry, restartOnFailure: () => Promise.resolve(false) },
    });
    const abort = () => end.resolve();
    o.signal?.addEventListener('abort', abort, { once: true });
    let broken = false;
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      broken = true;
      end.reject(payload.error);
    });
    // Batches in which compaction left nothing never reach eachBatch.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) passed(payload.partition, BigInt(payload.lastOffset) + 1n);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [o.topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: o.concurrency ?? 1,
        eachBatch: async ({ batch, heartbeat, isRunning }) => {
          const range = open.get(batch.partition);
          if (!range || o.signal?.aborted || !isRunning()) return;
          const records = batch.messages.filter(
            ({ offset }) => BigInt(offset) < range.to && BigInt(offset) >= range.from,
          );
          // Unref: a handler that never ends must not keep a process that wants to.
          const beat = setInterval(() => void heartbeat().catch(() => undefined), heartbeatMs).unref();
          try {
            if (records.length > 0) await o.onBatch({ ...describe(batch), records: records as LogRecord[] });
            passed(batch.partition, BigInt(batch.lastOffset()) + 1n);
          } catch (error) {
            end.reject(new ReaderGaveUp(error));
          } finally {
            clearInterval(beat);
          }
        },
      });
      // A group that could not be joined (its coordinator still loads) ends in a crash before this: `run` resolves all the
      // same, and a pause would fail with an error that says nothing of why.
      for (const { partition, low } of broken ? [] : known) {
        const range = open.get(partition);
        if (!range) consumer.pause([{ topic: o.topic, partitions: [partition] }]);
        else if (range.from > low) consumer.seek({ topic: o.topic, partition, offset: String(range.from) });
      }
      await end.promise;
    } finally {
      o.signal?.removeEventListener('abort', abort);
      await consumer.disconnect().catch(() => undefined);
      // Left over, it would expire by itself; removing it keeps the list of groups readable.
      await this.connectedAdmin()
        .then((admin) => admin.deleteGroups([groupId]))
        .catch(() => undefined);
    }
  }

  createTopics(wishes: TopicWish[]): Promise<void> {
    return this.ask((admin) => createMissing(admin, wishes));
  }

  describeTopics(names: string[], settings: string[] = []): Promise<TopicState[]> {
    return this.ask((admin) => describeThose(admin, names, settings));
  }

  async offsets(topic: string): Promise<{ partition: number; low: bigint; high: bigint }[]> {
    const found = await this.ask((admin) => offsetsOf(admin, topic));
    return found
      .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  async committed(groupId: string, topic: string): Promise<{ partition: number; offset: bigint | undefined }[]> {
    const [found] = await this.ask((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
    return (found?.partitions ?? []).map(({ partition, offset }) => ({
      partition,
      offset: offset === '-1' ? undefined : BigInt(offset),
    }));
  }

  async close(): Promise<void> {
    if (!this.adminConnected) return;
    await this.adminConnected.catch(() => undefined);
    this.adminConnected = undefined;
    await this.admin.disconnect();
  }

  /** kafkajs' admin does not repeat what an election or a new leader made fail, and goes on asking the leaders it knows:
   * a fresh client asks anew. */
  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      return await question(await this.connectedAdmin());
    } catch (error) {
      if (!mayHeal(error as Error)) throw error;
    }
    for (let attempt = 1; ; attempt++) {
      await this.clock.sleep(150 * attempt);
      const admin = this.kafka.admin({ retry: adminRetry });
      try {
        await admin.connect();
        return await question(admin);
      } catch (error) {
        if (attempt === 4 || !mayHeal(error as Error)) throw error;
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    }
  }

  private async connectedAdmin(): Promise<Admin> {
    this.adminConnected ??= this.admin.connect().catch((error: unknown) => {
      this.adminConnected = undefined;
      throw error;
    });
    await this.adminConnected;
    return this.admin;
  }
}

type RangeReading = Parameters<LogClient['readRanges']>[0];

/** Whoever reads could not use a batch: not the client's trouble, so not repeated. */
class ReaderGaveUp extends Error {
  constructor(override readonly cause: unknown) {
    super('the reader gave up');
  }
}

class KafkajsProducer implements LogProducer {
  constructor(private readonly producer: Producer) {}

  async send(topic: string, partition: number, messages: OutgoingMessage[]): Promise<void> {
    try {
      await this.producer.send({ topic, acks: -1, messages: messages.map((message) => ({ ...message, partition })) });
    } catch (error) {
      const type = protocolTypeOf(error) ?? '';
      if (type === 'MESSAGE_TOO_LARGE') throw new TooLarge(topic, { cause: error });
      throw outOfStep.has(type) ? new ProducerBroken((error as Error).message, { cause: error }) : error;
    }
  }

  close(): Promise<void> {
    return this.producer.disconnect();
  }
}

// A topic that was deleted and made again counts too: the producer keeps asking for the old one, for every send.
const outOfStep = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_TOPIC_OR_PARTITION',
]);

const consumerSettings = {
  heartbeatInterval: heartbeatMs,
  rebalanceTimeout: rebalanceTimeoutMs,
  maxWaitTimeInMs: fetchWaitMs,
  maxBytesPerPartition: bytesPerPartition,
  allowAutoTopicCreation: false,
};

/**
 * One consumer of a group, for as long as its owner wants. Modes: running (a kafkajs consumer works, or the next one is
 * being built after a pause) -> stopping (no new batch is taken; those in hand finish and commit) -> stopped. `dead` is
 * entered from running when an error cannot heal; the owner was told by onFatal.
 */
class KafkajsConsumer implements LogConsumer {
  readonly joined: Promise<void>;
  private readonly firstJoin = deferred<void>();
  private readonly stopping = new AbortController();
  private readonly holds = new Set<AbortController>();
  private begun: Promise<void> = Promise.resolve();
  /** what the last kafkajs consumer of ours was in the group */
  private readonly ended = new Set<string>();
  private readonly loop: Promise<void>;

  constructor(
    private readonly kafka: Kafka,
    private readonly o: Consumption,
    private readonly log: Log,
    private readonly clock: Clock,
    private readonly sessionTimeout: number,
    /** what a dead process of this machine, or a consumer of our own that broke, left in the group; never fails */
    private readonly putOutPredecessors: (ended: ReadonlySet<string>) => Promise<void>,
  ) {
    this.joined = this.firstJoin.promise;
    // Nobody is obliged to wait for the join.
    this.joined.catch(() => undefined);
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.releaseAll();
    await this.loop;
    this.firstJoin.reject(new Error('stopped before the group was joined'));
  }

  private async run(): Promise<void> {
    for (let failures = 1; !this.stopping.signal.aborted; failures++) {
      await this.clearTheWay();
      const startedMs = this.clock.nowMs();
      const error = await this.runOne();
      if (!error) return;
      if (!mayHeal(error)) {
        this.o.onFatal(error);
        return;
      }
      // A consumer that worked for a while starts counting anew.
      if (this.clock.nowMs() - startedMs > 60_000) failures = 1;
      this.o.onTrouble?.(error);
      const pauseMs = Math.max(50, Math.random() * backoffCeilingMs(failures, 200, 5000));
      this.log.warn(
        { group: this.o.groupId, failures, pauseMs: Math.round(pauseMs), reason: error.message },
        'consumer broke, building a new one',
      );
      await this.clock.sleep(pauseMs, this.stopping.signal);
    }
  }

  /** A coordinator that is being elected holds nobody up: then their session ends by itself. */
  private async clearTheWay(): Promise<void> {
    const asked = new AbortController();
    const patience = AbortSignal.any([asked.signal, this.stopping.signal]);
    const putOut = this.putOutPredecessors(this.ended).finally(() => asked.abort());
    await Promise.race([putOut, this.clock.sleep(putOutMs, patience)]);
  }

  /** Runs one kafkajs consumer to its end: undefined when it was asked to stop, else what broke it. */
  private async runOne(): Promise<Error | undefined> {
    const end = deferred<Error | undefined>();
    const consumer = this.kafka.consumer({
      groupId: this.o.groupId,
      ...consumerSettings,
      sessionTimeout: this.sessionTimeout,
      partitionAssigners: [roundRobinOf(thisProcess)],
      retry: { ...consumeRetry, restartOnFailure: () => Promise.resolve(false) },
    });
    this.listen(consumer, (error) => end.resolve(error));
    let memberId: string | undefined;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => (memberId = payload.memberId));
    const stop = () => end.resolve(undefined);
    this.stopping.signal.addEventListener('abort', stop, { once: true });
    try {
      await consumer.connect();
      // From the beginning: what arrived before a group existed is desired state too.
      await consumer.subscribe({ topics: this.o.topics, fromBeginning: true });
      if (this.stopping.signal.aborted) return undefined;
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.o.concurrency ?? 3,
        eachBatch: (payload) => this.take(payload),
      });
      return await end.promise;
    } catch (error) {
      return error as Error;
    } finally {
      this.stopping.signal.removeEventListener('abort', stop);
      // Waits for the batches in hand; their commits still go out.
      await consumer.disconnect().catch(() => undefined);
      if (memberId !== undefined) {
        this.ended.clear();
        this.ended.add(memberId);
      }
    }
  }

  private listen(consumer: Consumer, broke: (error: Error) => void): void {
    const { events } = consumer;
    consumer.on(events.CRASH, ({ payload }) => broke(payload.error));
    consumer.on(events.FETCH, () => this.o.onTurn?.());
    consumer.on(events.REBALANCING, () => {
      this.releaseAll();
      this.o.onRebalancing?.();
    });
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic, partition })),
      );
      // One after the other: a rebalance may come while the last one is still being answered.
      this.begun = this.begun.then(() => this.begin(consumer, assigned));
      this.firstJoin.resolve();
      this.o.onTurn?.();
      this.o.onAssigned?.(assigned);
    });
  }

  /**
   * Moves to where the owner wants to begin. Batches that were fetched before that wait for it and are stale then: kafkajs
   * fetches from a node again only when all it fetched there is handled, and a seek makes what is in hand stale until then.
   */
  private async begin(consumer: Consumer, assigned: { topic: string; partition: number }[]): Promise<void> {
    const { beginAt } = this.o;
    if (!beginAt) return;
    const { signal } = this.stopping;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        for (const { topic, partition, next } of await beginAt.call(this.o, assigned)) {
          consumer.seek({ topic, partition, offset: String(next) });
        }
        return;
      } catch (error) {
        this.log.warn({ group: this.o.groupId, reason: (error as Error).message }, 'where to begin is not known yet');
        await this.clock.sleep(backoffCeilingMs(failures, 200, 5000), signal);
      }
    }
  }

  private async take({
    batch,
    heartbeat,
    resolveOffset,
    commitOffsetsIfNecessary,
    isRunning,
    isStale,
  }: EachBatchPayload): Promise<void> {
    // The database may be away for longer than a session lasts.
    const waiting = setInterval(() => void heartbeat().catch(() => undefined), heartbeatMs);
    await this.begun.finally(() => clearInterval(waiting));
    if (!isRunning() || isStale() || this.stopping.signal.aborted) return;
    const releasing = new AbortController();
    this.holds.add(releasing);
    let astray: Error | undefined;
    // kafkajs sends nothing when the interval has not passed yet. A refused heartbeat means that the group moves on: the
    // owner may finish what it does, and the next thing kafkajs does by itself is to join again.
    const beat = setInterval(() => void heartbeat().catch(() => releasing.abort()), heartbeatMs).unref();
    const hold: BatchHold = {
      get released() {
        return releasing.signal.aborted;
      },
      releasing: releasing.signal,
      commit: async () => {
        const partitions = [{ partition: batch.partition, offset: String(BigInt(batch.lastOffset()) + 1n) }];
        try {
          await commitOffsetsIfNecessary({ topics: [{ topic: batch.topic, partitions }] });
        } catch (error) {
          if (wentAstray(error as Error)) astray = error as Error;
          throw error;
        }
        resolveOffset(batch.lastOffset());
      },
    };
    try {
      await this.o.onBatch({ ...describe(batch), records: batch.messages as LogRecord[] }, hold);
    } catch (error) {
      // A refused commit (lost partition) ends here as well: the batch is read again by whoever owns it.
      this.log.warn(
        { group: this.o.groupId, topic: batch.topic, partition: batch.partition, reason: (error as Error).message },
        'batch not finished, it will come again',
      );
    } finally {
      clearInterval(beat);
      this.holds.delete(releasing);
    }
    // Told to kafkajs as what makes it find the coordinator anew and join again, at once and as often as it takes.
    if (astray) throw Object.assign(astray, { type: 'NOT_COORDINATOR_FOR_GROUP' });
  }

  private releaseAll(): void {
    for (const hold of this.holds) hold.abort();
  }
}

/**
 * A commit went to a broker that does not coordinate the group, or is not there any more. Two joins that overlap in kafkajs, while
 * coordinators move, leave its commits with the broker of the one and its heartbeats with that of the other: heartbeats go on, and
 * every commit is refused until somebody joins again.
 */
function wentAstray({ name, type }: Error & { type?: string }): boolean {
  return type === 'NOT_COORDINATOR_FOR_GROUP' || name === 'KafkaJSBrokerNotFound';
}

function describe(batch: EachBatchPayload['batch']): Omit<FetchedBatch, 'records'> {
  return {
    topic: batch.topic,
    partition: batch.partition,
    highWatermark: batch.highWatermark,
    lastOffset: batch.lastOffset(),
  };
}

/** While a partition has no leader kafkajs leaves it out, and with none at all it fails in its own code: both mean "ask
 * again". A replay that believed a list without a partition would miss what that partition holds. */
async function offsetsOf(admin: Admin, topic: string): ReturnType<Admin['fetchTopicOffsets']> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const expected = topics[0]?.partitions.length ?? 0;
  const found = await admin.fetchTopicOffsets(topic).catch((error: unknown) => {
    if ((error as Error).name === 'TypeError') return [];
    throw error;
  });
  if (found.length === expected && expected > 0) return found;
  const missing = new Error(`${expected - found.length} of ${expected} partitions of ${topic} have no leader`);
  throw Object.assign(missing, { retriable: true });
}

async function createMissing(admin: Admin, wishes: readonly TopicWish[]): Promise<void> {
  const present = new Set(await admin.listTopics());
  const missing = wishes.filter(({ name }) => !present.has(name));
  if (missing.length === 0) return;
  await admin.createTopics({
    waitForLeaders: true,
    topics: missing.map(({ name, partitions, config }) => ({
      topic: name,
      numPartitions: partitions,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    })),
  });
}

async function describeThose(admin: Admin, names: readonly string[], settings: string[]): Promise<TopicState[]> {
  const present = new Set(await admin.listTopics());
  const wanted = names.filter((name) => present.has(name));
  if (wanted.length === 0) return [];
  const { topics } = await admin.fetchTopicMetadata({ topics: wanted });
  const configs = new Map<string, Record<string, string>>();
  if (settings.length > 0) {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: wanted.map((name) => ({ type: topicResource, name, configNames: settings })),
    });
    for (const { resourceName, configEntries } of resources) {
      configs.set(resourceName, Object.fromEntries(configEntries.map((e) => [e.configName, e.configValue])));
    }
  }
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.length,
    replicas: partitions[0]?.replicas.length ?? 0,
    config: configs.get(name) ?? {},
  }));
}

function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let e = error; typeof e === 'object' && e !== null && chain.length < 10; e = (e as Error).cause) {
    chain.push(e as Error);
  }
  return chain;
}

function protocolTypeOf(error: unknown): string | undefined {
  return causes(error)
    .map((e) => (e as { type?: unknown }).type)
    .find((type): type is string => typeof type === 'string');
}

/** Whether a new consumer may fare better. Unknown errors are bugs: leaving and starting anew is safer than limping. */
function mayHeal(error: Error): boolean {
  return causes(error).some(
    (e) =>
      (e as { retriable?: boolean }).retriable === true ||
      /^KafkaJS(NumberOfRetriesExceeded|Connection\w*|RequestTimeout|BrokerNotFound|NoBrokerAvailable|MetadataNotLoaded|TopicMetadataNotLoaded|StaleTopicMetadata\w*|GroupCoordinatorNotFound|StaleTopicMetadataAssignment|LockTimeout|Timeout)(Error)?$/.test(
        e.name,
      ) ||
      ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'UNKNOWN_TOPIC_OR_PARTITION', 'FENCED_LEADER_EPOCH'].includes(
        protocolTypeOf(e) ?? '',
      ),
  );
}

function forward(log: Log, { level, namespace, log: { message, ...rest } }: LogEntry): void {
  const fields = { client: namespace, ...pick(rest) };
  // Said at every producer: a failed producer is replaced here (producer.ts), so its retries need not be endless.
  // kafkajs calls a lost connection or a rebalance an error; for us both are weather.
  const known = message.startsWith('Limiting retries for the idempotent producer');
  if (level <= logLevel.WARN && !known) log.warn(fields, message);
  else log.debug(fields, message);
}

function pick(rest: Record<string, unknown>): Record<string, unknown> {
  const { groupId, topic, partition, broker, error, retryCount } = rest;
  return { groupId, topic, partition, broker, error: error instanceof Error ? error.message : error, retryCount };
}
