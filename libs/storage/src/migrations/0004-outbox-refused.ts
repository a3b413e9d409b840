// An announcement that breaks its own schema can never be published: it is marked with the reason and stepped over, so
// that one bug does not silence everybody. It stays for a person to read. Locks outbox for a moment, rewrites nothing.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OutboxRefused1763700000004 implements MigrationInterface {
  name = 'OutboxRefused1763700000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table outbox add column refused text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table outbox drop column refused');
  }
}
