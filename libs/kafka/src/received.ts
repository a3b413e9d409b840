// From a fetched batch to decoded records. Synchronous once schemas are known; the records keep the log's order. Headers
// are decoded when asked for: most handlers look at one or two of a record's five attributes.
import type { RawHeaders } from '#contracts';
import { decodeHeaders, headerText } from '#contracts';
import { isTracing, openSpan } from '#common/tracing';
import type { Rejection } from './dead-letters.js';
import type { LogRecord } from './port.js';
import type { ValueCodec } from './schemas.js';

/** Read its fields by name: most are computed when asked for, so `{ ...record }` would lose them. */
export interface ReceivedRecord<T> {
  readonly key: string;
  /** null: a tombstone */
  readonly value: T | null;
  readonly id: string;
  readonly time: Date;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly traceparent?: string;
  readonly offset: string;
  /** when the log took it */
  readonly timestamp: Date;
}

export interface RecordBatch<T> {
  /** the catalogue's name, without the environment's prefix */
  topic: string;
  partition: number;
  records: ReceivedRecord<T>[];
}

class Received implements ReceivedRecord<unknown> {
  /** of the span this process handles it in */
  private handledAs: string | undefined;

  constructor(
    private readonly raw: LogRecord,
    readonly value: unknown,
  ) {}

  get key(): string {
    return this.raw.key?.toString('utf8') ?? '';
  }
  get id(): string {
    return headerText(this.raw.headers, 'ce_id') ?? '';
  }
  get time(): Date {
    return new Date(headerText(this.raw.headers, 'ce_time') ?? NaN);
  }
  get type(): string {
    return headerText(this.raw.headers, 'ce_type') ?? '';
  }
  get source(): string {
    return headerText(this.raw.headers, 'ce_source') ?? '';
  }
  get subject(): string {
    return headerText(this.raw.headers, 'ce_subject') ?? '';
  }
  get traceparent(): string | undefined {
    return this.handledAs ?? headerText(this.raw.headers, 'traceparent');
  }

  /** From now on what follows from the record follows from this span. */
  handleAs(traceparent: string | undefined): void {
    this.handledAs = traceparent;
  }
  get offset(): string {
    return this.raw.offset;
  }
  get timestamp(): Date {
    return new Date(Number(this.raw.timestamp));
  }

  /** For logs and failures of tests: the attributes, not the bytes behind them. */
  toJSON(): object {
    const { key, id, type, source, subject, traceparent, offset, value } = this;
    return { key, id, type, source, subject, traceparent, offset, value };
  }
}

/** A span per record of a batch, from here until the function answered is called; what is published meanwhile hangs below. */
export function traceHandling(batch: RecordBatch<unknown>, groupId: string): (error?: unknown) => void {
  if (!isTracing()) return () => undefined;
  const spans = batch.records.flatMap((record) => {
    if (record.traceparent === undefined) return [];
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': batch.topic,
      'messaging.destination.partition.id': String(batch.partition),
      'messaging.consumer.group.name': groupId,
      'messaging.message.id': record.id,
      'messaging.kafka.offset': record.offset,
      'messaging.batch.message_count': batch.records.length,
    };
    const span = openSpan(`process ${batch.topic}`, { parent: record.traceparent, kind: 'consumer', attributes });
    (record as Received).handleAs(span.traceparent);
    return [span];
  });
  return (error) => {
    for (const span of spans) span.end(error);
  };
}

/** The log's own record behind a received one, for a dead letter. */
export function rawOf(record: ReceivedRecord<unknown>): LogRecord {
  return (record as unknown as { raw: LogRecord }).raw;
}

/** Whether the attributes every consumer relies on are there, without making objects of them. */
function attributesPresent(headers: RawHeaders): boolean {
  return (
    headers.ce_id !== undefined &&
    headers.ce_type !== undefined &&
    headers.ce_source !== undefined &&
    headers.ce_time !== undefined &&
    headers.ce_specversion !== undefined
  );
}

/** Rejects only when the registry cannot be asked; what cannot be decoded is in `rejected`. */
export async function receive(
  codec: ValueCodec,
  topic: string,
  raw: readonly LogRecord[],
): Promise<{ records: ReceivedRecord<unknown>[]; rejected: Rejection[] }> {
  await codec.learn(raw.map((record) => record.value));
  const records: ReceivedRecord<unknown>[] = [];
  const rejected: Rejection[] = [];
  for (const record of raw) {
    if (!attributesPresent(record.headers)) {
      const found = decodeHeaders(record.headers);
      const message = 'invalid' in found ? `missing or malformed: ${found.invalid.join(', ')}` : 'malformed';
      rejected.push({ record, stage: 'HEADER_CONVERTER', code: 'HEADERS.INVALID', message });
      continue;
    }
    if (record.value === null) {
      records.push(new Received(record, null));
      continue;
    }
    const decoded = codec.decode(topic, record.value);
    if ('failure' in decoded) rejected.push({ record, stage: 'VALUE_CONVERTER', ...decoded.failure });
    else records.push(new Received(record, decoded.value));
  }
  return { records, rejected };
}
