// Settings of a sync have versions, as mapping rules have: who changed them, when and why. `syncs.settings` stays what applies
// now. A column with a constant default (no rewrite) and a new table; rows that exist become version 1, and so does every new
// sync, whoever makes it.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SettingsVersions1763700000056 implements MigrationInterface {
  name = 'SettingsVersions1763700000056';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table syncs add column settings_version integer not null default 1');
    await runner.query(`create table sync_settings (
      sync_id uuid not null references syncs (id) on delete cascade,
      version integer not null,
      organization_id uuid not null references organizations (id),
      settings jsonb not null,
      author text not null,
      reason text not null,
      created_at timestamptz not null default now(),
      primary key (sync_id, version)
    )`);
    await runner.query('alter table sync_settings enable row level security');
    await runner.query('alter table sync_settings force row level security');
    const ofTenant = `organization_id = nullif(current_setting('sync.organization_id', true), '')::uuid`;
    await runner.query(
      `create policy sync_settings_of_tenant on sync_settings to sync_tenant using (${ofTenant}) with check (${ofTenant})`,
    );
    await runner.query(
      'create policy sync_settings_of_worker on sync_settings to current_user using (true) with check (true)',
    );
    // What was written about the past stays written.
    await runner.query('grant select, insert on sync_settings to sync_tenant');
    await runner.query(`
create function first_settings() returns trigger language plpgsql security definer set search_path from current as $$
begin
  insert into sync_settings (sync_id, version, organization_id, settings, author, reason, created_at)
    values (new.id, new.settings_version, new.organization_id, new.settings, 'admin', 'the sync was made', new.created_at);
  return null;
end $$;
create trigger syncs_inserted_first_settings after insert on syncs for each row execute function first_settings();
insert into sync_settings (sync_id, version, organization_id, settings, author, reason, created_at)
  select id, settings_version, organization_id, settings, 'admin', 'the sync was made', created_at from syncs;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop trigger syncs_inserted_first_settings on syncs;
drop function first_settings();
drop table sync_settings;
alter table syncs drop column settings_version;`);
  }
}
