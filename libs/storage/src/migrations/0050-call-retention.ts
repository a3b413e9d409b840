// Settled calls are found by their age (links/call-retention.ts). An index over calls that have ended: writes to `calls` wait
// while it is built, a second per million of them.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CallRetention1763700000050 implements MigrationInterface {
  name = 'CallRetention1763700000050';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index calls_ended on calls (answered_at) where state in ('answered', 'abandoned')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index calls_ended');
  }
}
