// Publishing events. Resolves after the brokers' acknowledgement; refuses a value that breaks its schema before anything
// is sent. Accumulates per partition (5 ms, 500 records or 512 KiB, whichever is first: kafkajs has no linger) and sends
// ONE partition per send(): a send that spans brokers loses acknowledged records on failover (measured on three nodes).
//
// A bucket (one partition) is: empty -> lingering (timer runs) -> sending (one send in flight; later records queue) ->
// empty or sending again. Order per key holds because a key has one bucket and a bucket one send.
//
// After ANY failed send the producer is replaced before the next one. The failed batch may be in the log although its
// acknowledgement was lost; kafkajs then gives its sequence numbers to the next, different batch, and the broker would
// take a batch of the same size for the repetition and drop it while saying "done". A new producer id rules that out.
import type { TopicName } from '#contracts';
import { encodeHeaders, topicNamed } from '#contracts';
import type { Log } from '#common/logging';
import { isTracing, openSpan, type TraceSpan } from '#common/tracing';
import { publishedTotal } from './kafka.metrics.js';
import { partitionOf } from './murmur2.js';
import type { Deferred } from './deferred.js';
import { deferred } from './deferred.js';
import type { LogClient, LogProducer, OutgoingMessage } from './port.js';
import { ProducerBroken, TooLarge } from './port.js';
import { InvalidEvent, type ValueCodec } from './schemas.js';

export interface EventRecord<T> {
  topic: TopicName | (string & {});
  key: string;
  /** ce_id: deterministic, so that a second publishing is recognised */
  id: string;
  time: Date;
  /** default: the catalogue's type for the topic */
  type?: string;
  /** default: `/sync/<client id>` */
  source?: string;
  /** default: the key */
  subject?: string;
  traceparent?: string;
  /** null: a tombstone */
  value: T | null;
}

const lingerMs = 5;
const maxRecords = 500;
const maxBytes = 512 * 1024;
const maxResends = 3;
// What may wait for Kafka in one process. While Kafka is away callers are refused at once beyond it, instead of the process
// growing until it is killed; at a kilobyte a record this is about a minute of the busiest webhook door.
const maxWaitingBytes = 128 * 1024 * 1024;
/** What a record costs on the wire besides key and value: headers and framing. */
const overheadBytes = 300;

/** One publishAll: settled when its last record is. */
interface Delivery extends Deferred<void> {
  open: number;
}

interface Bucket {
  readonly topic: string;
  readonly partition: number;
  queue: { message: OutgoingMessage; bytes: number; delivery: Delivery }[];
  bytes: number;
  timer?: NodeJS.Timeout;
  sending: boolean;
}

/** Too much waits for Kafka already; nothing of this publishing was taken. */
export class ProducerFull extends Error {
  constructor(waitingBytes: number) {
    super(`${waitingBytes} bytes wait for Kafka already`);
    this.name = 'ProducerFull';
  }
}

/** A message for a topic outside the value schemas (dead letters). */
export interface RawRecord {
  topic: string;
  message: OutgoingMessage;
}

export class EventProducer {
  private readonly buckets = new Map<string, Bucket>();
  private current?: Promise<LogProducer>;
  private closing = false;
  private waitingBytes = 0;
  private readonly inFlight = new Set<Promise<void>>();
  private readonly retired = new WeakSet<LogProducer>();

  constructor(
    private readonly o: {
      client: LogClient;
      codec: ValueCodec;
      topicPrefix: string;
      clientId: string;
      log: Log;
      maxWaitingBytes?: number;
    },
  ) {}

  publish(record: EventRecord<unknown>): Promise<void> {
    return this.publishAll([record]);
  }

  /** All or none is refused by validation; delivery is per partition, so a rejection means "some may not be there". */
  async publishAll(records: readonly EventRecord<unknown>[]): Promise<void> {
    if (records.length === 0) return;
    if (!isTracing()) return this.sendAll(records.map((record) => this.encode(record)));
    const spans = records.map(sending);
    try {
      await this.sendAll(
        records.map((record, at) =>
          this.encode({ ...record, ...carried(spans[at]?.traceparent ?? record.traceparent) }),
        ),
      );
      for (const span of spans) span?.end();
    } catch (error) {
      for (const span of spans) span?.end(error);
      throw error;
    }
  }

  /** Bytes as they are; the key chooses the partition. */
  async sendAll(records: readonly RawRecord[]): Promise<void> {
    if (this.closing) throw new Error('the producer is closed');
    for (const { topic } of records) if (!topicNamed(topic)) throw new Error(`the catalogue has no topic ${topic}`);
    if (this.waitingBytes >= (this.o.maxWaitingBytes ?? maxWaitingBytes)) throw new ProducerFull(this.waitingBytes);
    const delivery: Delivery = Object.assign(deferred(), { open: records.length });
    for (const { topic, message } of records) this.enqueue(topic, message, delivery);
    await delivery.promise;
  }

  /** Sends what is waiting, then leaves. */
  async close(): Promise<void> {
    this.closing = true;
    for (const bucket of this.buckets.values()) this.flush(bucket);
    while (this.inFlight.size > 0) await Promise.all(this.inFlight);
    const current = this.current;
    this.current = undefined;
    await current?.then((producer) => producer.close()).catch(() => undefined);
  }

  private encode(record: EventRecord<unknown>): RawRecord {
    const { topic, key, id, time, traceparent } = record;
    const value = record.value === null ? null : this.o.codec.encode(topic, record.value);
    const headers = encodeHeaders({
      id,
      time,
      type: record.type ?? topicNamed(topic)?.eventType ?? topic,
      source: record.source ?? `/sync/${this.o.clientId}`,
      subject: record.subject ?? key,
      ...(traceparent === undefined ? {} : { traceparent }),
    });
    return { topic, message: { key, value, headers } };
  }

  private enqueue(topic: string, message: OutgoingMessage, delivery: Delivery): void {
    // The catalogue's count is the broker's: a start refuses to go on where they differ.
    const partition = partitionOf(message.key ?? '', topicNamed(topic)!.partitions);
    const name = `${topic}#${partition}`;
    let bucket = this.buckets.get(name);
    if (!bucket) {
      bucket = { topic, partition, queue: [], bytes: 0, sending: false };
      this.buckets.set(name, bucket);
    }
    const bytes = overheadBytes + (message.key?.length ?? 0) + (message.value?.length ?? 0);
    bucket.queue.push({ message, bytes, delivery });
    bucket.bytes += bytes;
    this.waitingBytes += bytes;
    if (bucket.sending) return;
    if (bucket.queue.length >= maxRecords || bucket.bytes >= maxBytes) this.flush(bucket);
    else bucket.timer ??= setTimeout(() => this.flush(bucket), lingerMs);
  }

  private flush(bucket: Bucket): void {
    clearTimeout(bucket.timer);
    bucket.timer = undefined;
    if (bucket.sending || bucket.queue.length === 0) return;
    bucket.sending = true;
    const work = this.drain(bucket).finally(() => this.inFlight.delete(work));
    this.inFlight.add(work);
  }

  /** Sends until the bucket is empty; what arrived during a send has lingered long enough. */
  private async drain(bucket: Bucket): Promise<void> {
    while (bucket.queue.length > 0) {
      const batch = takeBatch(bucket);
      await this.deliver(bucket, batch);
      for (const { bytes } of batch) this.waitingBytes -= bytes;
    }
    bucket.sending = false;
  }

  private async deliver(bucket: Bucket, batch: Bucket['queue']): Promise<void> {
    const { topic, partition } = bucket;
    try {
      await this.send(
        bucket,
        batch.map(({ message }) => message),
      );
      for (const { delivery } of batch) if (--delivery.open === 0) delivery.resolve();
      publishedTotal.inc({ topic, outcome: 'acknowledged' }, batch.length);
    } catch (error) {
      if (error instanceof TooLarge && batch.length > 1) {
        // A topic made by an older version, or with a limit of its operator's: whatever fits goes, in its order.
        for (const one of batch) await this.deliver(bucket, [one]);
        return;
      }
      publishedTotal.inc({ topic, outcome: 'failed' }, batch.length);
      const failure =
        error instanceof TooLarge
          ? new InvalidEvent(topic, error.message)
          : new Error(`${topic}/${partition}: ${batch.length} records were not acknowledged`, { cause: error });
      for (const { delivery } of batch) delivery.reject(failure);
    }
  }

  private async send(bucket: Bucket, messages: OutgoingMessage[]): Promise<void> {
    for (let resends = 0; ; resends++) {
      const producer = await this.connected();
      try {
        await producer.send(this.o.topicPrefix + bucket.topic, bucket.partition, messages);
        return;
      } catch (error) {
        this.replace(producer);
        if (!(error instanceof ProducerBroken) || resends >= maxResends) throw error;
        // Consumers compare versions and ids, so the same records twice are harmless; lost ones are not.
        this.o.log.warn(
          { topic: bucket.topic, partition: bucket.partition, reason: error.message },
          'producer replaced',
        );
      }
    }
  }

  private connected(): Promise<LogProducer> {
    if (!this.current) {
      const made = this.o.client.producer();
      this.current = made;
      made.catch(() => {
        if (this.current === made) this.current = undefined;
      });
    }
    return this.current;
  }

  /** The first failure of a producer retires it; sends of other buckets on it may still end well. */
  private replace(failed: LogProducer): void {
    if (this.retired.has(failed)) return;
    this.retired.add(failed);
    this.current = undefined;
    // Its last sends end before their own time-outs; only then the connection goes.
    void Promise.allSettled(this.inFlight).then(() => failed.close().catch(() => undefined));
  }
}

/** What no trace led to gets none: nobody would find it. */
function sending({ topic, id, key, traceparent }: EventRecord<unknown>): TraceSpan | undefined {
  if (traceparent === undefined) return undefined;
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.type': 'send',
    'messaging.destination.name': topic,
    'messaging.message.id': id,
    'messaging.kafka.message.key': key,
  };
  return openSpan(`send ${topic}`, { parent: traceparent, kind: 'producer', attributes });
}

const carried = (traceparent: string | undefined) => (traceparent === undefined ? {} : { traceparent });

function takeBatch(bucket: Bucket): Bucket['queue'] {
  let count = 0;
  let bytes = 0;
  for (const { bytes: size } of bucket.queue) {
    if (count > 0 && (count === maxRecords || bytes + size > maxBytes)) break;
    count++;
    bytes += size;
  }
  bucket.bytes -= bytes;
  return bucket.queue.splice(0, count);
}
