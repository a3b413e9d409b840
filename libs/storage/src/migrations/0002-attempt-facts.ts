// What an attempt was made of, kept beside its bytes: after a crash the next process settles the call without planning it
// anew, because the desired version may have moved on since. Locks attempts for a moment; the columns are filled for new
// rows only, so nothing is rewritten.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AttemptFacts1763700000002 implements MigrationInterface {
  name = 'AttemptFacts1763700000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table attempts
      -- whole body the target has by us when this attempt succeeds
      add column applied jsonb,
      -- references left out to break a ring, as "Type/id"
      add column deferred text[] not null default '{}',
      -- a second step follows: a record cannot be created inactive
      add column partial boolean not null default false`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table attempts drop column applied, drop column deferred, drop column partial');
  }
}
