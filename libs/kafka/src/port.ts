// The thin port under everything here: what this system asks of a Kafka client, and no more. kafkajs is frozen and the
// classic group protocol will not live for ever, so the client must be replaceable; every adapter passes contract-suite.ts.
import type { RawHeaders } from '#contracts';

export interface OutgoingMessage {
  key: string | null;
  value: Buffer | null;
  headers: Record<string, string | Buffer>;
}

export interface LogRecord {
  key: Buffer | null;
  value: Buffer | null;
  headers: RawHeaders;
  offset: string;
  /** epoch milliseconds as text, as the protocol has it */
  timestamp: string;
}

export interface FetchedBatch {
  topic: string;
  partition: number;
  records: LogRecord[];
  /** offset after the last record the log holds */
  highWatermark: string;
  /** last offset the batch covers; a compacted or control record may make it larger than the last record's */
  lastOffset: string;
}

/** What a batch's consumer may do while it holds the batch. */
export interface BatchHold {
  /** True once the batch is no longer ours to finish: the group rebalances or the consumer stops. Give up retries then. */
  readonly released: boolean;
  /** Aborts when `released` becomes true, so that back-off ends early. */
  readonly releasing: AbortSignal;
  /** Makes the batch done: position and committed offset move behind it. A batch that was not committed comes again. */
  commit(): Promise<void>;
}

export interface PartitionPlace {
  topic: string;
  partition: number;
  /** offset of the next record */
  next: bigint;
}

export interface Consumption {
  groupId: string;
  topics: string[];
  /** Called for one batch per partition at a time. Must not throw; if it does all the same, the batch comes again. */
  onBatch(batch: FetchedBatch, hold: BatchHold): Promise<void>;
  /** How many partitions are worked on at once. */
  concurrency?: number;
  /**
   * Asked after each join, before any batch of it is handed out: where to begin instead of what the group committed. Asked
   * again while it fails.
   */
  beginAt?(partitions: { topic: string; partition: number }[]): Promise<readonly PartitionPlace[]>;
  onAssigned?(partitions: { topic: string; partition: number }[]): void;
  onRebalancing?(): void;
  /** The loop turned, with or without records: food for a watchdog. */
  onTurn?(): void;
  /** The consumer broke and builds itself anew (broker away and the like). */
  onTrouble?(error: Error): void;
  /** The consumer broke for good (wrong settings, a bug): nothing will come any more. The owner should leave, not limp. */
  onFatal(error: Error): void;
}

export interface LogConsumer {
  /** Resolves when the group was joined for the first time. */
  readonly joined: Promise<void>;
  /** Batches in hand are finished and committed, then the group is left. Idempotent. */
  stop(): Promise<void>;
}

export interface LogProducer {
  /** All messages go to one partition; resolves after all in-sync replicas have them. */
  send(topic: string, partition: number, messages: OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}

export interface TopicWish {
  name: string;
  partitions: number;
  config: Readonly<Record<string, string>>;
}

export interface TopicState {
  name: string;
  partitions: number;
  replicas: number;
  config: Record<string, string>;
}

export interface PartitionRange {
  partition: number;
  /** first offset to read */
  from: bigint;
  /** offset to stop before */
  to: bigint;
}

export interface LogClient {
  /** Rejects when no broker answers. Idempotent. */
  connect(): Promise<void>;
  /** A new idempotent producer; the caller closes it. */
  producer(): Promise<LogProducer>;
  consume(o: Consumption): LogConsumer;
  /** Reads ranges of one topic outside of any lasting group. Resolves at the end of all ranges or when aborted. */
  readRanges(o: {
    topic: string;
    ranges: PartitionRange[];
    signal?: AbortSignal;
    /** at most so many partitions in hand at once, one batch of each; default 1 */
    concurrency?: number;
    onBatch(batch: FetchedBatch): Promise<void>;
  }): Promise<void>;
  /** Creates what is missing; an existing topic is left alone. */
  createTopics(wishes: TopicWish[]): Promise<void>;
  /** State of those that exist, with the settings named in `settings`. */
  describeTopics(names: string[], settings?: string[]): Promise<TopicState[]>;
  /** Per partition: first offset kept and offset after the last. */
  offsets(topic: string): Promise<{ partition: number; low: bigint; high: bigint }[]>;
  /** Per partition what a group committed; undefined where nothing was. */
  committed(groupId: string, topic: string): Promise<{ partition: number; offset: bigint | undefined }[]>;
  close(): Promise<void>;
}

/** A send failed because this producer's numbering is out of step; a new producer can send the same again. */
export class ProducerBroken extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProducerBroken';
  }
}

/** The broker takes no record of this size: its topic's limit is lower than the catalogue's, and asking again will not help. */
export class TooLarge extends Error {
  constructor(topic: string, options?: ErrorOptions) {
    super(`more than ${topic} takes (max.message.bytes)`, options);
    this.name = 'TooLarge';
  }
}
