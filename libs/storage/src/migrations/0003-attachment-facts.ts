// What the target's copy of an attachment says by us (so that a changed note or reference is told from an equal one), and how
// many copies were thrown away because their bytes were not the source's. Locks attachment_links for a moment; nothing is
// rewritten.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AttachmentFacts1763700000003 implements MigrationInterface {
  name = 'AttachmentFacts1763700000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table attachment_links
      -- metadata the target has by us
      add column applied jsonb,
      -- part of the next upload's request id: QBO would replay the old answer for the old one
      add column discarded int not null default 0`);
    // Who waits for a record, and which target ids are taken.
    await runner.query(
      'create index attachment_links_target on attachment_links (sync_id, target_id) where target_id is not null',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index attachment_links_target');
    await runner.query('alter table attachment_links drop column applied, drop column discarded');
  }
}
