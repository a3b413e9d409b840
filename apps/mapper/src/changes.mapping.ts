// Maps decoded changes for their syncs and publishes what they became. Used by the consumer (all syncs of the source) and
// by the replay (one sync).
import { failpoint } from '#common/failpoints';
import { Injectable } from '@nestjs/common';
import { entityKey, type RuleSet } from '#core';
import type { ChangeEvent, Lane } from '#contracts';
import { createLog } from '#common/logging';
import { traced } from '#common/tracing';
import { EventProducer, InvalidEvent, RecordRejected } from '#kafka';
import type { EventRecord, ReceivedRecord } from '#kafka';
import { mappedRecord, type SyncPair } from './mapped-records.js';
import { mappedTotal } from './mapper.metrics.js';

interface Published {
  /** position of the change in its batch */
  index: number;
  record: EventRecord<unknown>;
}

@Injectable()
export class ChangesMapping {
  private readonly log = createLog('mapper');

  constructor(private readonly producer: EventProducer) {}

  /**
   * Resolves when Kafka has acknowledged everything the changes became; answers how many records that were.
   * @param lane overrides the change's own lane: a replay is bulk work
   * @throws RecordRejected for a change whose mapped record breaks its schema
   */
  async publish(
    changes: readonly ReceivedRecord<ChangeEvent>[],
    syncsOf: (realmId: string) => readonly SyncPair[],
    ruleSets: ReadonlyMap<string, RuleSet>,
    lane?: Lane,
  ): Promise<number> {
    const published: Published[] = [];
    changes.forEach((change, index) => {
      // A tombstone of compaction: the record before it said "deleted" already.
      if (change.value === null) return;
      const syncs = syncsOf(change.value.realmId);
      if (syncs.length === 0) mappedTotal.inc({ outcome: 'unmatched', lane: lane ?? change.value.lane });
      for (const sync of syncs) {
        const record = this.mapOne(change, change.value, sync, ruleSets.get(sync.id)!, lane ?? change.value.lane);
        if (record) published.push({ index, record });
      }
    });
    await this.send(published);
    return published.length;
  }

  private mapOne(
    change: ReceivedRecord<ChangeEvent>,
    value: ChangeEvent,
    sync: SyncPair,
    rules: RuleSet,
    lane: Lane,
  ): EventRecord<unknown> | undefined {
    const { outcome, record, code, reason } = traced(
      `map ${value.entityType}`,
      { parent: change.traceparent ?? 'root', attributes: { 'sync.id': sync.id } },
      (span) => {
        const traceparent = span.traceparent ?? change.traceparent;
        const mapped = mappedRecord(value, { changeId: change.id, time: change.time, traceparent, lane }, sync, rules);
        span.set({ 'sync.outcome': mapped.outcome });
        return mapped;
      },
    );
    mappedTotal.inc({ outcome, lane });
    const facts = {
      realm: value.realmId,
      entityKey: entityKey(value.realmId, value.entityType, value.id),
      changeId: change.id,
      traceparent: change.traceparent,
      syncId: sync.id,
      outcome,
      ...(code ? { code } : {}),
      ...(reason ? { reason } : {}),
    };
    if (outcome === 'failed') this.log.warn(facts, 'change.mapped');
    else this.log.debug(facts, 'change.mapped');
    return record;
  }

  private async send(published: readonly Published[]): Promise<void> {
    if (published.length > 0) await failpoint('mapper.before-publish');
    try {
      await this.producer.publishAll(published.map(({ record }) => record));
      if (published.length > 0) await failpoint('mapper.published');
    } catch (error) {
      if (!(error instanceof InvalidEvent)) throw error;
      // One value breaks its schema and the producer refused all before sending any. Found one by one: sent twice is
      // harmless (same ids), stopping the partition would not be.
      for (const { index, record } of published) {
        try {
          await this.producer.publish(record);
        } catch (reason) {
          if (!(reason instanceof InvalidEvent)) throw reason;
          throw new RecordRejected(index, 'MAPPER.INVALID_RESULT', reason.message);
        }
      }
    }
  }
}
