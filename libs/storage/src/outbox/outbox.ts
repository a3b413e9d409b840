// Announcements that are true exactly when the transaction that made them true has committed.
import { Injectable } from '@nestjs/common';
import type { Tx } from '../database.js';

export interface OutboxRecord {
  topic: string;
  key: string;
  /** deterministic, so that a consumer drops a second delivery */
  eventId: string;
  eventTime: Date;
  traceparent?: string | undefined;
  value: unknown;
}

@Injectable()
export class Outbox {
  async add(tx: Tx, record: OutboxRecord): Promise<void> {
    await this.addAll(tx, [record]);
  }

  /** One statement for many; ids follow the order given. */
  async addAll(tx: Tx, records: readonly OutboxRecord[]): Promise<void> {
    if (records.length === 0) return;
    await tx.query(
      `insert into outbox (topic, key, event_id, event_time, traceparent, value)
       select topic, key, event_id, event_time::timestamptz, nullif(traceparent, ''), value
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
         with ordinality as r (topic, key, event_id, event_time, traceparent, value, place)
       order by place`,
      [
        records.map((r) => r.topic),
        records.map((r) => r.key),
        records.map((r) => r.eventId),
        records.map((r) => r.eventTime.toISOString()),
        records.map((r) => r.traceparent ?? ''),
        records.map((r) => JSON.stringify(r.value)),
      ],
    );
  }
}
