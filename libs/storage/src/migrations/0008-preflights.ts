// What a comparison of a sync's two companies found before anything was written. One row per sync: only the newest look
// counts, what was decided in spite of it stands in the audit log. New table, locks nothing.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Preflights1763700000008 implements MigrationInterface {
  name = 'Preflights1763700000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table preflights (
      sync_id uuid primary key references syncs (id) on delete cascade,
      organization_id uuid not null references organizations (id),
      checked_at timestamptz not null,
      -- [{code, severity, subject, source, target, whatToDo}]
      findings jsonb not null
    )`);
    await runner.query('alter table preflights enable row level security');
    await runner.query('alter table preflights force row level security');
    const ofTenant = `organization_id = nullif(current_setting('sync.organization_id', true), '')::uuid`;
    await runner.query(
      `create policy preflights_of_tenant on preflights to sync_tenant using (${ofTenant}) with check (${ofTenant})`,
    );
    await runner.query(
      'create policy preflights_of_worker on preflights to current_user using (true) with check (true)',
    );
    await runner.query('grant select, insert, update, delete on preflights to sync_tenant');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table preflights');
  }
}
