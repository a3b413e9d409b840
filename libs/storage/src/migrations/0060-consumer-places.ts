// Where consumers stand, beside what they wrote (consumer-places/consumer-places.ts). New table, locks nothing. Of no
// organization: offsets of whole topics.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ConsumerPlaces1763700000060 implements MigrationInterface {
  name = 'ConsumerPlaces1763700000060';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table consumer_places (
      group_id text not null,
      topic text not null,
      partition int not null,
      next_offset bigint not null,
      noted_at timestamptz not null,
      primary key (group_id, topic, partition)
    ) with (fillfactor = 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table consumer_places');
  }
}
