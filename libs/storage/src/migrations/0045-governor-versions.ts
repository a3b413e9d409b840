// The governor's row gets a version: a process changes it with one statement if nobody else did meanwhile, and notices a
// database that was set back. Processes say that they live, so that what a dead one left in flight is not waited for.
// A column with a constant default: no rewrite, governor_state is locked for a moment.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class GovernorVersions1763700000045 implements MigrationInterface {
  name = 'GovernorVersions1763700000045';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table governor_state add column version bigint not null default 1;
      -- Changed several times a second and seldom read by others: room on the page lets the change stay on it.
      alter table governor_state set (fillfactor = 50);
      create table governor_processes (
        process text primary key,
        seen_at timestamptz not null
      );`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table governor_processes; alter table governor_state drop column version');
  }
}
