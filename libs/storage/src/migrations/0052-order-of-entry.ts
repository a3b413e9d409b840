// Bulk work is picked in the source's order of entry: QuickBooks numbers what a company enters, and costs the stock of one day
// in that order. The index replaces the one that `pick` used before. Takes a lock on links while it is built.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OrderOfEntry1763700000052 implements MigrationInterface {
  name = 'OrderOfEntry1763700000052';

  async up(runner: QueryRunner): Promise<void> {
    // Numbers of up to 20 digits as text of one length; the same expression stands in `pick`.
    await runner.query(`create index links_pick_in_order on links (target_realm_id, state, lane desc, rank,
      (case when lane = 'bulk' then lpad(source_id, 20, '0') collate "C" end), due_at)`);
    await runner.query('drop index links_pick');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('create index links_pick on links (target_realm_id, state, lane desc, rank, due_at)');
    await runner.query('drop index links_pick_in_order');
  }
}
