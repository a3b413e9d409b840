// When the target of a sync is next compared with what was written there, and what the last comparison found. Two columns
// without a rewrite (the default is a constant for the rows that exist) and one nullable: locks syncs for a moment.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Sweeps1763700000046 implements MigrationInterface {
  name = 'Sweeps1763700000046';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table syncs add column sweep_due_at timestamptz not null default now() + interval '6 hours',
      add column sweep_requested boolean not null default false, add column sweep jsonb`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table syncs drop column sweep_due_at, drop column sweep_requested, drop column sweep`);
  }
}
