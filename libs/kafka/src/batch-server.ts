// A Nest transport strategy that hands whole decoded batches to ordinary @EventPattern handlers. Decorators, pipes,
// guards, interceptors and filters work as with any transport, but once per batch: the stock server does it per record and
// reaches 0.15 to 0.27 of raw kafkajs.
//
// The life of a batch: decode (what cannot be decoded goes to dead.letters.v1) -> handler -> commit. A handler that throws
// gets the same batch again after a pause, for as long as the batch is ours: a record is never skipped because a database
// was away. It may throw RecordRejected to have one record dead-lettered. Nothing ever reaches the client's own retry.
//
// Modes of the server: idle -> listening (listen) -> closing (batches in hand finish and commit) -> closed. A consumer that
// breaks for good takes the process with it (onFatal): a process that looks alive and reads nothing is the worst state.
import { failpoint } from '#common/failpoints';
import { BaseRpcContext, RpcException, Server } from '@nestjs/microservices';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import { finalize, isObservable, lastValueFrom } from 'rxjs';
import type { TopicName } from '#contracts';
import { topicNamed } from '#contracts';
import type { Watchdog } from '#common/health';
import { backoffCeilingMs } from '#common/lifecycle';
import type { Rejection } from './dead-letters.js';
import type { KafkaClient } from './kafka-client.js';
import * as metrics from './kafka.metrics.js';
import { GroupPlaces, type ConsumerPlaces } from './group-places.js';
import type { BatchHold, FetchedBatch, LogConsumer, LogRecord } from './port.js';
import { rawOf, receive, traceHandling } from './received.js';
import type { RecordBatch } from './received.js';

/** `@EventPattern<string>(topic, BATCHES)` binds a handler to this transport only, where an app has several. */
export const BATCHES = Symbol('kafka batches');

/** Thrown by a handler: this one record can never be handled. It becomes a dead letter, the rest is handed in again. */
export class RecordRejected extends RpcException {
  constructor(
    /** position in the batch that was handed in */
    readonly index: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'RecordRejected';
  }

  // Nest's default filter replaces errors by what getError() answers; this one must arrive as it is.
  override getError(): object {
    return this;
  }
}

export interface BatchPlace {
  groupId: string;
  topic: string;
  partition: number;
  /** times this batch was handed in before, in this process */
  retries: number;
  /** aborts when the batch is no longer ours to finish: rebalance or stop */
  signal: AbortSignal;
}

export class BatchContext extends BaseRpcContext<[BatchPlace]> {
  constructor(readonly place: BatchPlace) {
    super([place]);
  }
}

export interface BatchServerOptions {
  client: KafkaClient;
  /** without the environment's prefix: `sync-mapper` */
  groupId: string;
  /** partitions worked on at once, default 3 */
  concurrency?: number;
  /** a batch in hand for longer than this without an outcome fails liveness */
  maxSilenceMs?: number;
  /** without them the group begins where Kafka says */
  places?: ConsumerPlaces;
  /** a topic has fewer records than this group has read: its data was lost. What it held can be asked for again here. */
  logLost?: (topic: TopicName) => Promise<unknown>;
  /** the consumer is dead for good; default: log and exit 1 */
  onFatal?: (error: Error) => void;
}

type Mode = 'idle' | 'listening' | 'closing' | 'closed';
interface Route {
  topic: TopicName;
  handler: MessageHandler;
}

const retryMinMs = 100;
const retryMaxMs = 10_000;
/** From here on a failing handler makes the process not ready: about three seconds of trying. */
const retriesUntilStuck = 5;

export class BatchServer extends Server implements CustomTransportStrategy {
  override readonly transportId = BATCHES;
  override readonly propagatesEventHandlerErrors = true;
  private mode: Mode = 'idle';
  private consumer?: LogConsumer;
  private joined = false;
  private trouble?: string;
  /** partitions whose batch keeps failing in its handler, and why */
  private readonly stuck = new Map<string, string>();
  private watchdog?: Watchdog;
  private places?: GroupPlaces;
  private readonly routes = new Map<string, Route>();

  constructor(private readonly o: BatchServerOptions) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    const { client } = this.o;
    for (const [pattern, handler] of this.messageHandlers) {
      const topic = topicNamed(pattern);
      if (!topic) throw new Error(`handler for "${pattern}": the catalogue has no such topic`);
      this.routes.set(client.topicPrefix + pattern, { topic: topic.name as TopicName, handler });
    }
    if (this.routes.size === 0) throw new Error(`group ${this.o.groupId} has no handlers`);
    this.mode = 'listening';
    this.consume();
    client.health?.register(`consumer ${this.o.groupId}`, () => this.readiness());
    // Not awaited: a start while Kafka is away is "not ready", not "hanging".
    callback();
  }

  /** Resolves when the group is joined; for tests and tools. */
  async ready(): Promise<void> {
    await this.consumer?.joined;
  }

  async close(): Promise<void> {
    if (this.mode === 'closing' || this.mode === 'closed') return;
    this.mode = 'closing';
    await this.consumer?.stop();
    await this.places?.stop();
    this.watchdog?.idle();
    this.mode = 'closed';
  }

  on(): never {
    throw new Error('this transport has no events; read its status by health and metrics');
  }

  unwrap<T>(): T {
    return this.consumer as T;
  }

  private readiness(): true | string {
    if (this.trouble) return this.trouble;
    for (const [partition, reason] of this.stuck) return `${partition} is handed in again and again: ${reason}`;
    return this.joined || 'group not joined yet';
  }

  private consume(): void {
    const { client, groupId } = this.o;
    const watchdog = client.health?.watchdog(`consumer ${groupId}`, { maxSilenceMs: this.o.maxSilenceMs ?? 120_000 });
    this.watchdog = watchdog;
    // There from the first scrape on: a rate never sees what a counter was born with, and the first trouble is alerted on.
    metrics.rebalancesTotal.inc({ group: groupId }, 0);
    metrics.consumerRebuildsTotal.inc({ group: groupId }, 0);
    for (const { topic } of this.routes.values()) {
      metrics.batchRetriesTotal.inc({ group: groupId, topic }, 0);
      metrics.recordsTotal.inc({ group: groupId, topic, outcome: 'dead-lettered' }, 0);
    }
    const { places: store, logLost } = this.o;
    const places = store && new GroupPlaces({ client, groupId, store, logLost });
    this.places = places;
    places?.start();
    this.consumer = client.port.consume({
      groupId: client.topicPrefix + groupId,
      topics: [...this.routes.keys()],
      concurrency: this.o.concurrency ?? 3,
      ...(places && { beginAt: (partitions) => places.beginAt(partitions) }),
      onBatch: async (batch, hold) => {
        watchdog?.progress();
        await this.handleBatch(batch, hold, () => watchdog?.progress());
        watchdog?.progress();
      },
      onAssigned: (partitions) => {
        this.joined = true;
        this.trouble = undefined;
        metrics.rebalancesTotal.inc({ group: groupId });
        metrics.assignedPartitions.set({ group: groupId }, partitions.length);
      },
      onRebalancing: () => metrics.assignedPartitions.set({ group: groupId }, 0),
      // Every fetch, also an empty one, is a turn: a loop that stopped turning is noticed within maxSilenceMs.
      onTurn: () => watchdog?.progress(),
      onTrouble: (error) => {
        watchdog?.progress();
        this.joined = false;
        this.trouble = error.message;
        metrics.consumerRebuildsTotal.inc({ group: groupId });
      },
      onFatal: (error) => this.die(error),
    });
  }

  private die(error: Error): void {
    this.trouble = error.message;
    if (this.o.onFatal) return this.o.onFatal(error);
    this.o.client.log.fatal({ err: error, group: this.o.groupId }, 'consumer is dead, leaving');
    process.exit(1);
  }

  private async handleBatch(batch: FetchedBatch, hold: BatchHold, progress: () => void): Promise<void> {
    const route = this.routes.get(batch.topic);
    if (!route) return hold.commit();
    const labels = { group: this.o.groupId, topic: route.topic };
    const timer = metrics.batchSeconds.startTimer(labels);
    const place = `${route.topic}/${batch.partition}`;
    const oldest = Number(batch.records[0]?.timestamp);
    if (oldest > 0) metrics.lagSeconds.set(labels, Math.max(0, (this.o.client.clock.nowMs() - oldest) / 1000));
    // Records that became dead letters in this hold of the batch: later passes leave them out.
    const buried = new Set<LogRecord>();
    for (let retries = 0; ; retries++) {
      try {
        await failpoint('consumer.before-handler');
        while ((await this.deliver(route, batch, buried, hold, retries)) === 'again');
        break;
      } catch (error) {
        progress();
        this.stuck.delete(place);
        if (hold.released) return;
        metrics.batchRetriesTotal.inc(labels);
        if (retries >= retriesUntilStuck) this.stuck.set(place, asError(error).message);
        const pauseMs = Math.max(10, Math.random() * backoffCeilingMs(retries + 1, retryMinMs, retryMaxMs));
        this.o.client.log.warn(
          { ...labels, partition: batch.partition, retries, pauseMs: Math.round(pauseMs), err: asError(error) },
          'handler failed, the batch is handed in again',
        );
        await this.o.client.clock.sleep(pauseMs, hold.releasing);
        if (hold.released) {
          this.stuck.delete(place);
          return;
        }
      }
    }
    this.stuck.delete(place);
    await failpoint('consumer.before-commit');
    await hold.commit();
    this.places?.passed({ topic: batch.topic, partition: batch.partition, next: BigInt(batch.lastOffset) + 1n });
    await failpoint('consumer.committed');
    metrics.recordsTotal.inc({ ...labels, outcome: 'handled' }, batch.records.length - buried.size);
    timer();
  }

  /** One pass over a batch. `again`: the handler rejected one record, now buried. Throws when the pass must be repeated. */
  private async deliver(
    route: Route,
    batch: FetchedBatch,
    buried: Set<LogRecord>,
    hold: BatchHold,
    retries: number,
  ): Promise<'done' | 'again'> {
    const alive = buried.size === 0 ? batch.records : batch.records.filter((record) => !buried.has(record));
    const { records, rejected } = await receive(this.o.client.codec, route.topic, alive);
    if (rejected.length > 0) await this.bury(route, batch, rejected, buried);
    if (records.length === 0) return 'done';
    const place = {
      groupId: this.o.groupId,
      topic: route.topic,
      partition: batch.partition,
      retries,
      signal: hold.releasing,
    };
    const handed = { topic: route.topic, partition: batch.partition, records };
    const ended = traceHandling(handed, this.o.groupId);
    try {
      await this.call(route.handler, handed, new BatchContext(place));
      ended();
      return 'done';
    } catch (error) {
      ended(error);
      if (!(error instanceof RecordRejected)) throw error;
      const record = records[error.index];
      if (!record) throw new Error(`a handler rejected record ${error.index} of ${records.length}`, { cause: error });
      const rejection: Rejection = {
        record: rawOf(record),
        stage: 'TASK_PUT',
        code: error.code,
        message: error.message,
      };
      await this.bury(route, batch, [rejection], buried);
      return 'again';
    }
  }

  private async call(handler: MessageHandler, batch: RecordBatch<unknown>, context: BatchContext): Promise<void> {
    // The base class types this as void; it answers the promise of the whole run.
    await (this.runWithProcessingHooks(context, async (ended) => {
      const result: unknown = await handler(batch, context);
      if (isObservable(result)) await lastValueFrom(result.pipe(finalize(ended)), { defaultValue: undefined });
      else ended();
    }) as unknown as Promise<void>);
  }

  private async bury(
    route: Route,
    batch: FetchedBatch,
    rejections: readonly Rejection[],
    buried: Set<LogRecord>,
  ): Promise<void> {
    const { client, groupId } = this.o;
    await client.deadLetters.add({ topic: route.topic, partition: batch.partition, groupId }, rejections);
    for (const { record } of rejections) buried.add(record);
    metrics.recordsTotal.inc({ group: groupId, topic: route.topic, outcome: 'dead-lettered' }, rejections.length);
    for (const { record, code, message } of rejections) {
      client.log.error(
        {
          group: groupId,
          topic: route.topic,
          partition: batch.partition,
          offset: record.offset,
          code,
          reason: message,
        },
        'record dead-lettered',
      );
    }
  }
}

function asError(error: unknown): Error {
  // Nest's default filter logs the original and passes on {status, message}.
  return error instanceof Error ? error : new Error(String((error as { message?: unknown })?.message ?? error));
}
