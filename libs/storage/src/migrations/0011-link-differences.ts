// What the target has otherwise than it was told, as seen in the answer to the last write: null when nothing. A nullable
// column without a default: locks links for a moment, rewrites nothing.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class LinkDifferences1763700000011 implements MigrationInterface {
  name = 'LinkDifferences1763700000011';

  async up(runner: QueryRunner): Promise<void> {
    // [{path, sent, answered, cause?}]
    await runner.query('alter table links add column differences jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table links drop column differences');
  }
}
