// Up to where each group of consumers has read, as this database knows it: what was read up to there is in its tables, or in
// what followed from them. Kafka keeps the same for itself; the two differ when one of them was set back. A database restored
// to an earlier moment is behind Kafka, and its consumers go back to where it stands; a topic that lost its records is behind
// the database.
import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database } from '../database.js';
import type { JobKind } from '../configuration/index.js';

export interface ConsumerPlace {
  topic: string;
  partition: number;
  /** offset of the next record */
  next: bigint;
}

@Injectable()
export class ConsumerPlaces {
  constructor(private readonly db: Database) {}

  async load(groupId: string): Promise<(ConsumerPlace & { notedAt: Date })[]> {
    const rows = await this.db.query<{ topic: string; partition: number; next: string; noted_at: Date }>(
      'select topic, partition, next_offset as next, noted_at from consumer_places where group_id = $1',
      [groupId],
    );
    return rows.map(({ next, noted_at: notedAt, ...at }) => ({ ...at, next: BigInt(next), notedAt }));
  }

  /** May go back: a topic that begins anew begins at its start. */
  async note(groupId: string, places: readonly ConsumerPlace[]): Promise<void> {
    if (places.length === 0) return;
    await this.db.query(
      `insert into consumer_places as p (group_id, topic, partition, next_offset, noted_at)
       select $1, t.topic, t.partition, t.next, clock_timestamp()
       from unnest($2::text[], $3::int[], $4::bigint[]) as t (topic, partition, next)
       order by 2, 3
       on conflict (group_id, topic, partition) do update set next_offset = excluded.next_offset, noted_at = excluded.noted_at
         where p.next_offset <> excluded.next_offset`,
      [groupId, places.map((p) => p.topic), places.map((p) => p.partition), places.map((p) => String(p.next))],
    );
  }

  /**
   * A job of this kind for every sync: what a lost topic held is made anew. One that was under way begins again, since what it
   * had published is gone. Answers how many were made.
   */
  async rebuild(kind: JobKind, because: string): Promise<number> {
    return this.db.withTransaction(async (tx) => {
      // Two processes that notice together make one job: the syncs' rows serialize them, as people who press together.
      const syncs = await tx.query<{ id: string; organization_id: string }>(
        'select id, organization_id from syncs order by id for no key update',
      );
      await tx.query(
        `update jobs set progress = '{}', state = 'queued', owner = null, lease_expires_at = null
         where kind = $1 and state in ('queued', 'running') and params ->> 'because' is distinct from $2`,
        [kind, because],
      );
      const made = await tx.query(
        `insert into jobs (id, organization_id, sync_id, kind, params)
         select n.id, n.organization_id, n.sync_id, $4, jsonb_build_object('because', $5::text)
         from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as n (id, organization_id, sync_id)
         where not exists (select from jobs j where j.sync_id = n.sync_id and j.kind = $4 and j.state in ('queued', 'running'))
         returning id`,
        [syncs.map(() => randomUUID()), syncs.map((s) => s.organization_id), syncs.map((s) => s.id), kind, because],
      );
      return made.length;
    });
  }
}
