// When each company has work: one row per company and purpose, kept true by triggers on the tables that make work, so that
// choosing the next company is one look into one index however many companies sleep, and nobody who makes work (a consumer,
// a person's "again", a resumed sync) can forget to say so. A row that becomes due is told on a channel (realm-work.ts).
// New tables and triggers: no rewrite; each trigger takes its table's lock for milliseconds.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const onTable = {
  links: { purpose: 'writer', makesWork: `state in ('ready', 'sending', 'backoff', 'uncertain')` },
  attachment_links: { purpose: 'attachments', makesWork: `state in ('ready', 'sending', 'backoff', 'uncertain')` },
} as const;

export class RealmWork1763700000040 implements MigrationInterface {
  name = 'RealmWork1763700000040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table realm_work (
  realm_id text not null,
  purpose text not null constraint realm_work_purpose check (purpose in ('writer', 'attachments')),
  -- something may be done from then on; infinity: only something new could make work
  due_at timestamptz not null,
  primary key (purpose, realm_id)
) with (fillfactor = 70);
create index realm_work_due on realm_work (purpose, due_at);

-- Processes that take companies of a purpose: how many share them decides how many each may take.
create table realm_owners (
  owner text not null,
  purpose text not null,
  expires_at timestamptz not null,
  primary key (purpose, owner)
);
create index realm_leases_held on realm_leases (purpose, expires_at);`);
    // A company that is due already is only share-locked: everybody may say it at once, and whoever puts it to rest waits for
    // them and then looks at what they wrote.
    await runner.query(`
create function realm_work_is_due(realms text[], its_purpose text, due timestamptz[]) returns void
language plpgsql security definer set search_path from current as $$
declare one record; told boolean;
begin
  for one in select u.realm, min(u.at) as at from unnest(realms, due) as u (realm, at) group by u.realm order by u.realm loop
    perform from realm_work w where w.purpose = its_purpose and w.realm_id = one.realm and w.due_at <= one.at for share;
    if found then continue; end if;
    insert into realm_work as w (realm_id, purpose, due_at) values (one.realm, its_purpose, one.at)
      on conflict (purpose, realm_id) do update set due_at = least(w.due_at, excluded.due_at);
    perform pg_notify('realm_work_' || current_schema(), its_purpose || ' ' || one.realm);
  end loop;
end $$`);
    for (const [table, { purpose, makesWork }] of Object.entries(onTable)) {
      await runner.query(`
create function ${table}_make_work() returns trigger language plpgsql security definer set search_path from current as $$
declare realms text[]; due timestamptz[];
begin
  select array_agg(realm), array_agg(at) into realms, due from (
    select target_realm_id as realm, min(due_at) as at from changed where ${makesWork} group by target_realm_id) t;
  if realms is not null then perform realm_work_is_due(realms, '${purpose}', due); end if;
  return null;
end $$;
create trigger ${table}_inserted_make_work after insert on ${table} referencing new table as changed
  for each statement execute function ${table}_make_work();
create trigger ${table}_updated_make_work after update on ${table} referencing new table as changed
  for each statement execute function ${table}_make_work();`);
    }
    await runner.query(`
create function resumed_make_work() returns trigger language plpgsql security definer set search_path from current as $$
begin
  perform realm_work_is_due(array[new.target_realm_id], p, array['-infinity'::timestamptz]) from unnest(array['writer', 'attachments']) as p;
  return null;
end $$;
create trigger syncs_resumed_make_work after update of state on syncs
  for each row when (new.state = 'active' and old.state <> 'active') execute function resumed_make_work();

create function connection_makes_work() returns trigger language plpgsql security definer set search_path from current as $$
begin
  perform realm_work_is_due(array_agg(t.realm), p, array_agg('-infinity'::timestamptz))
  from unnest(array['writer', 'attachments']) as p cross join (
    select new.realm_id as realm union select target_realm_id from syncs where source_realm_id = new.realm_id) t
  group by p;
  return null;
end $$;
create trigger companies_connection_makes_work after update of status on companies
  for each row when (new.status is distinct from old.status) execute function connection_makes_work();

insert into realm_work (realm_id, purpose, due_at)
  select distinct s.target_realm_id, p, '-infinity'::timestamptz from syncs s cross join unnest(array['writer', 'attachments']) as p;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop trigger companies_connection_makes_work on companies;
drop trigger syncs_resumed_make_work on syncs;`);
    for (const table of Object.keys(onTable)) {
      await runner.query(`drop trigger ${table}_inserted_make_work on ${table};
drop trigger ${table}_updated_make_work on ${table};
drop function ${table}_make_work();`);
    }
    await runner.query(`
drop function connection_makes_work();
drop function resumed_make_work();
drop function realm_work_is_due(text[], text, timestamptz[]);
drop index realm_leases_held;
drop table realm_owners, realm_work;`);
  }
}
