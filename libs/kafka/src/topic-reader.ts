// Reads a topic from its start (or from given offsets) to the end as of the call: for replay. No group keeps its place;
// the caller keeps the returned progress and can go on from it. Undecodable records are skipped and counted: the
// consumers that own the topic have already put them among the dead letters.
import { receive } from './received.js';
import type { RecordBatch } from './received.js';
import type { LogClient } from './port.js';
import type { ValueCodec } from './schemas.js';

export interface Progress {
  /** next offset to read, per partition */
  offsets: Record<number, string>;
  records: number;
  skipped: number;
  /** false when the read was aborted before the end */
  complete: boolean;
}

export class TopicReader {
  constructor(private readonly o: { client: LogClient; codec: ValueCodec; topicPrefix: string }) {}

  async read<T>(
    topic: string,
    o: { fromOffsets?: Record<number, string>; signal?: AbortSignal; concurrency?: number },
    onBatch: (batch: RecordBatch<T>, progress: Readonly<Progress>) => Promise<void>,
  ): Promise<Progress> {
    const name = this.o.topicPrefix + topic;
    const ends = await this.o.client.offsets(name);
    const progress: Progress = { offsets: {}, records: 0, skipped: 0, complete: false };
    const ranges = ends.map(({ partition, low, high }) => {
      const wanted = o.fromOffsets?.[partition];
      const from = wanted === undefined || BigInt(wanted) < low ? low : BigInt(wanted);
      progress.offsets[partition] = String(from);
      return { partition, from, to: high };
    });
    await this.o.client.readRanges({
      topic: name,
      ranges,
      ...(o.signal ? { signal: o.signal } : {}),
      ...(o.concurrency ? { concurrency: o.concurrency } : {}),
      onBatch: async (batch) => {
        const { records, rejected } = await receive(this.o.codec, topic, batch.records);
        const last = batch.records.at(-1);
        if (last) progress.offsets[batch.partition] = String(BigInt(last.offset) + 1n);
        progress.records += records.length;
        progress.skipped += rejected.length;
        if (records.length > 0) {
          await onBatch({ topic, partition: batch.partition, records: records as RecordBatch<T>['records'] }, progress);
        }
      },
    });
    if (!o.signal?.aborted) {
      for (const { partition, to } of ranges) progress.offsets[partition] = String(to);
      progress.complete = true;
    }
    return progress;
  }
}
