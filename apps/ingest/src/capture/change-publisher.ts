// From readings to changes in qbo.changes.v1: judge each against what was published before, publish the news, remember it.
// All under the company's publishing lock, and remembered only after Kafka's acknowledgement: a crash in between publishes
// the same content once more, which consumers recognise by its hash.
import { failpoint } from '#common/failpoints';
import { changeEventId, encodeHeaders, topics } from '#contracts';
import type { ChangeEvent, Lane } from '#contracts';
import { definitionOf, entityKey, judgeReading, toldAgain } from '#core';
import type { Captured, Reading } from '#core';
import { DeadLetters, InvalidEvent } from '#kafka';
import type { EventProducer, EventRecord } from '#kafka';
import type { CaptureStore, OpenMerge, RecordKey, Tx } from '#storage';
import { readingsTotal } from '../ingest.metrics.js';

export interface Publication {
  lane: Lane;
  origin: ChangeEvent['origin'];
  /** when the reads began */
  observedAt: string;
  traceparent: string;
  notifiedAt?: Date | null;
  /** publish what is known as well (backfill: another sync may need it), under the version it is known by */
  known?: 'again';
}

/** A record that no topic takes: said among the dead letters, by name. Its next version has a chance again. */
const cannotBeTold = 'CHANGE.CANNOT_BE_TOLD';

export class ChangePublisher {
  private readonly deadLetters: DeadLetters;

  constructor(
    private readonly producer: Pick<EventProducer, 'publishAll' | 'sendAll'>,
    private readonly store: CaptureStore,
    private readonly now: () => Date,
  ) {
    this.deadLetters = new DeadLetters(producer);
  }

  /** Resolves when everything is durable; `then` runs in the same transaction, after the acknowledgement. */
  async publish(
    realmId: string,
    readings: readonly Reading[],
    o: Publication,
    then?: (tx: Tx) => Promise<void>,
  ): Promise<{ published: number }> {
    if (readings.length === 0 && !then) return { published: 0 };
    return this.store.publishing(realmId, async (tx) => {
      const captured = await this.store.captured(tx, realmId, readings);
      const vanished = readings.filter(({ kind, type }) => kind === 'gone' && isName(type));
      const heirs = await this.store.heirs(tx, realmId, vanished);
      const news: (RecordKey & { captured: Captured })[] = [];
      const records: EventRecord<ChangeEvent>[] = [];
      for (const reading of readings) {
        const key = `${reading.type}/${reading.id}`;
        const verdict = judgeReading(reading, captured.get(key), o.observedAt);
        readingsTotal.inc({ origin: o.origin.kind, verdict: verdict.kind });
        if (verdict.kind === 'news') {
          news.push({ type: reading.type, id: reading.id, captured: verdict.captured });
          // The same record twice in one answer: the second is judged against the first.
          captured.set(key, verdict.captured);
        }
        if (verdict.kind === 'news' || (verdict.kind === 'known' && o.known === 'again')) {
          records.push(this.record(realmId, reading, verdict.captured, o, heirs.get(key)));
        }
      }
      if (records.length > 0) await failpoint('capture.before-publish');
      await this.tell(records);
      if (records.length > 0) await failpoint('capture.published');
      await this.store.record(tx, realmId, lastOfEach(news));
      const told = vanished.filter(({ type, id }) => news.some((one) => one.type === type && one.id === id));
      const hasHeir = ({ type, id }: RecordKey) => heirs.has(`${type}/${id}`);
      await this.store.mergesTold(tx, realmId, told.filter(hasHeir), this.now());
      await this.store.suspectMerges(
        tx,
        realmId,
        told.filter((one) => !hasHeir(one)),
        this.now(),
      );
      await then?.(tx);
      if (records.length > 0) await failpoint('capture.recorded');
      return { published: records.length };
    });
  }

  /** Tombstones that were published before everything about the merger was known: told once more, as a later version. */
  async tellMerges(realmId: string, merges: readonly OpenMerge[], o: Publication): Promise<{ published: number }> {
    return this.store.publishing(realmId, async (tx) => {
      const captured = await this.store.captured(tx, realmId, merges);
      const again = merges.flatMap(({ type, id, mergedInto }) => {
        const known = captured.get(`${type}/${id}`);
        return known?.deleted ? [{ type, id, mergedInto, captured: toldAgain(known, o.observedAt) }] : [];
      });
      await this.producer.publishAll(
        again.map((one) => this.record(realmId, { kind: 'gone', ...one }, one.captured, o, one.mergedInto)),
      );
      await this.store.record(tx, realmId, again);
      await this.store.mergesTold(tx, realmId, merges, this.now());
      return { published: again.length };
    });
  }

  /** One record that cannot be told (larger than any topic takes) must not keep its company from being read for ever. */
  private async tell(records: readonly EventRecord<ChangeEvent>[]): Promise<void> {
    try {
      return await this.producer.publishAll(records);
    } catch (error) {
      if (!(error instanceof InvalidEvent)) throw error;
    }
    for (const record of records) {
      try {
        await this.producer.publishAll([record]);
      } catch (error) {
        if (!(error instanceof InvalidEvent)) throw error;
        await this.putAside(record, error.message);
      }
    }
  }

  private async putAside(record: EventRecord<ChangeEvent>, message: string): Promise<void> {
    const { topic, key, id, time } = record;
    const headers = encodeHeaders({ id, time, type: 'qbo.entity.changed', source: record.source ?? '', subject: key });
    // Without its value, which is what nobody takes; and it never was in the log.
    const letter = { key: Buffer.from(key), value: null, headers, offset: '-1', timestamp: String(time.getTime()) };
    await this.deadLetters.add({ topic, partition: -1, groupId: 'sync-ingest' }, [
      { record: letter, stage: 'VALUE_CONVERTER', code: cannotBeTold, message },
    ]);
  }

  private record(
    realmId: string,
    reading: Reading,
    captured: Captured,
    o: Publication,
    mergedInto: string | undefined,
  ): EventRecord<ChangeEvent> {
    const value: ChangeEvent = {
      realmId,
      entityType: reading.type,
      id: reading.id,
      version: captured.version,
      deleted: captured.deleted,
      ...(mergedInto === undefined ? {} : { mergedInto }),
      contentHash: captured.contentHash,
      lane: o.lane,
      origin: o.origin,
      ...(o.notifiedAt ? { notifiedAt: o.notifiedAt.toISOString() } : {}),
      ...(reading.kind === 'record' ? { snapshot: reading.snapshot } : {}),
    };
    return {
      topic: topics.changes.name,
      key: entityKey(realmId, reading.type, reading.id),
      id: changeEventId(value),
      time: this.now(),
      source: `qbo/${realmId}`,
      traceparent: o.traceparent,
      value,
    };
  }
}

const isName = (type: string): boolean => definitionOf(type).category === 'name-list';

/** PostgreSQL refuses to touch a row twice in one statement. */
function lastOfEach<T extends RecordKey>(rows: readonly T[]): T[] {
  return [...new Map(rows.map((row) => [`${row.type}/${row.id}`, row])).values()];
}
