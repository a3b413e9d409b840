// Records that the mapping leaves out are rows too: their children say why they do not come, and what was carried before
// follows the sync's policy. A nullable column and a wider check; not validated against old rows, which hold none of it, so
// the lock lasts milliseconds.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const check = (ops: string): string =>
  `alter table links add constraint links_op check (desired_op in (${ops})) not valid`;

export class Exclusions1763700000021 implements MigrationInterface {
  name = 'Exclusions1763700000021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table links add column exclusion text');
    await runner.query('alter table links drop constraint links_op');
    await runner.query(check(`'upsert', 'delete', 'void', 'fail', 'exclude'`));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`delete from links where desired_op = 'exclude' and target_id is null`);
    await runner.query('alter table links drop constraint links_op');
    await runner.query(check(`'upsert', 'delete', 'void', 'fail'`));
    await runner.query('alter table links drop column exclusion');
  }
}
