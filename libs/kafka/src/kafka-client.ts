// Everything one process has of Kafka, built in the right order: client -> topics -> schemas -> producer.
import type { Clock } from '#common/clock';
import { systemClock } from '#common/clock';
import type { Health } from '#common/health';
import { untilAvailable } from '#common/lifecycle';
import type { Log } from '#common/logging';
import { createLog } from '#common/logging';
import { credentialsOf } from './credentials.js';
import type { KafkaCredentials } from './credentials.js';
import { CatalogueMismatch, ensureCatalogue } from './catalogue.js';
import { DeadLetters } from './dead-letters.js';
import { GroupLag } from './group-lag.js';
import { KafkajsLog } from './kafkajs-log.js';
import type { LogClient } from './port.js';
import { EventProducer } from './producer.js';
import { RegistrySchemas, ValueCodec } from './schemas.js';
import type { SchemaStore } from './schemas.js';
import { TopicReader } from './topic-reader.js';

export interface KafkaOptions extends KafkaCredentials {
  brokers: string[];
  registryUrl: string;
  /** separates environments on one cluster; part of topic names, group ids and schema subjects */
  topicPrefix: string;
  clientId: string;
}

export interface KafkaSurroundings {
  clock?: Clock;
  log?: Log;
  /** ends the wait for brokers and registry at start */
  signal?: AbortSignal;
  health?: Health;
  /** instead of kafkajs and the registry, in tests */
  port?: LogClient;
  schemas?: SchemaStore;
}

export class KafkaClient {
  readonly producer: EventProducer;
  readonly reader: TopicReader;
  readonly lag: GroupLag;
  readonly deadLetters: DeadLetters;
  private asking: Promise<true | string> | undefined;

  private constructor(
    readonly topicPrefix: string,
    readonly port: LogClient,
    readonly codec: ValueCodec,
    readonly clock: Clock,
    readonly log: Log,
    readonly health: Health | undefined,
    clientId: string,
  ) {
    this.producer = new EventProducer({ client: port, codec, topicPrefix, clientId, log });
    this.reader = new TopicReader({ client: port, codec, topicPrefix });
    this.lag = new GroupLag({ client: port, topicPrefix });
    this.deadLetters = new DeadLetters(this.producer);
  }

  /** Waits for brokers and registry, creates missing topics, checks their settings, registers the schemas. */
  static async connect(o: KafkaOptions, around: KafkaSurroundings = {}): Promise<KafkaClient> {
    const clock = around.clock ?? systemClock;
    const log = around.log ?? createLog('kafka');
    const signal = around.signal ?? new AbortController().signal;
    const port =
      around.port ??
      new KafkajsLog({ brokers: o.brokers, clientId: o.clientId, log, clock, ...(await credentialsOf(o)) });
    const codec = new ValueCodec(around.schemas ?? new RegistrySchemas(o.registryUrl, o.clientId), o.topicPrefix);
    const wait = { clock, log, signal };
    const mismatch = await untilAvailable('kafka', () => prepareTopics(port, o.topicPrefix, log), wait);
    if (mismatch) throw mismatch;
    await untilAvailable('schema registry', () => codec.registerAll(), wait);
    return new KafkaClient(o.topicPrefix, port, codec, clock, log, around.health, o.clientId);
  }

  /** True while a broker answers. Probes that come while one is still waiting share it. */
  answers(): Promise<true | string> {
    this.asking ??= this.port
      .describeTopics([`${this.topicPrefix}qbo.changes.v1`])
      .then(
        () => true as const,
        (error: unknown) => (error as Error).message,
      )
      .finally(() => (this.asking = undefined));
    return this.asking;
  }

  async close(): Promise<void> {
    await this.producer.close();
    await this.port.close();
  }
}

/** A catalogue that differs will not change by waiting: it is handed out instead of thrown. */
async function prepareTopics(port: LogClient, prefix: string, log: Log): Promise<CatalogueMismatch | undefined> {
  try {
    await port.connect();
    await ensureCatalogue(port, prefix, log);
    return undefined;
  } catch (error) {
    if (error instanceof CatalogueMismatch) return error;
    throw error;
  }
}
