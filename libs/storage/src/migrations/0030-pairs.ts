// What is known of a write when it is planned and told when it is settled: an edit in the target that it overwrites, what the
// other side of a pair of opposite syncs had pending. Written down with the call, so that a crash between the two loses neither.
// A nullable column without a default: locks attempts for a moment, rewrites nothing.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Pairs1763700000030 implements MigrationInterface {
  name = 'Pairs1763700000030';

  async up(runner: QueryRunner): Promise<void> {
    // {notice?: {code, reason}, pending?: {field: value}}
    await runner.query('alter table attempts add column told jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table attempts drop column told');
  }
}
