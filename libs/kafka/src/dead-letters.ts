// Records that nobody can use: kept byte for byte in dead.letters.v1 under Kafka Connect's header names, so that any tool
// made for Connect's dead letters reads ours, and the partition goes on.
import { topics } from '#contracts';
import type { LogRecord, OutgoingMessage } from './port.js';
import type { EventProducer, RawRecord } from './producer.js';

export interface Rejection {
  record: LogRecord;
  /** part of the pipeline that gave up, in Connect's words */
  stage: 'VALUE_CONVERTER' | 'HEADER_CONVERTER' | 'TASK_PUT';
  code: string;
  message: string;
}

export class DeadLetters {
  constructor(private readonly producer: Pick<EventProducer, 'sendAll'>) {}

  /** Resolves when every letter is durable: only then the batch it came from may be committed. */
  async add(
    at: { topic: string; partition: number; groupId: string },
    rejections: readonly Rejection[],
  ): Promise<void> {
    await this.producer.sendAll(rejections.map((rejection) => letter(at, rejection)));
  }
}

function letter(at: { topic: string; partition: number; groupId: string }, rejection: Rejection): RawRecord {
  const { record, stage, code, message } = rejection;
  const headers: OutgoingMessage['headers'] = {};
  for (const [name, value] of Object.entries(record.headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) headers[name] = first;
  }
  const error = '__connect.errors.';
  headers[`${error}topic`] = at.topic;
  headers[`${error}partition`] = String(at.partition);
  headers[`${error}offset`] = record.offset;
  headers[`${error}connector.name`] = at.groupId;
  headers[`${error}task.id`] = '0';
  headers[`${error}stage`] = stage;
  headers[`${error}class.name`] = 'BatchServer';
  headers[`${error}exception.class.name`] = code;
  headers[`${error}exception.message`] = message;
  return {
    topic: topics.deadLetters.name,
    message: { key: record.key?.toString('utf8') ?? '', value: record.value, headers },
  };
}
