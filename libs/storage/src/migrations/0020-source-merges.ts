// Names that the source merged into others, kept until everybody was told: a notification may come long after the
// tombstone, before it, or never, and the process that heard it may be gone by then. New table, locks nothing.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SourceMerges1763700000020 implements MigrationInterface {
  name = 'SourceMerges1763700000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table source_merges (
      realm_id text not null,
      entity_type text not null,
      -- the one that is gone
      entity_id text not null,
      -- the one that stays; null: the name is gone and nobody has said where to
      merged_into text,
      learned_at timestamptz not null,
      -- null: not every change that follows from it was published yet
      told_at timestamptz,
      primary key (realm_id, entity_type, entity_id)
    )`);
    await runner.query('create index source_merges_open on source_merges (realm_id) where told_at is null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table source_merges');
  }
}
