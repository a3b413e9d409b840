// Links held because of their parent are woken like waiting ones, so the index of waiters covers them. Takes a lock on links
// for as long as the held and waiting rows take to index: seconds at a million rows.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EndlessWaits1763700000009 implements MigrationInterface {
  name = 'EndlessWaits1763700000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create index links_waiting_or_held on links using gin (waiting_on) where state in ('waiting', 'held')`,
    );
    await runner.query('drop index links_waiting');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`create index links_waiting on links using gin (waiting_on) where state = 'waiting'`);
    await runner.query('drop index links_waiting_or_held');
  }
}
