// Two names of the source that became one: what referred to the one that is gone refers to the other from then on. Adds a
// column without a default and an index over the few rows that have a value: no rewrite, a lock of milliseconds.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class MergedRecords1763700000010 implements MigrationInterface {
  name = 'MergedRecords1763700000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table links add column merged_into text');
    await runner.query('create index links_merged on links (sync_id) where merged_into is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table links drop column merged_into');
  }
}
