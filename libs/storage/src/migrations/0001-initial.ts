// The first schema. Every table that belongs to an organization carries organization_id and forces row-level security:
// a transaction opened for one organization (Database.withTenant) runs as role sync_tenant and sees only its rows; the
// login that migrates has a policy of its own, which lets the apps work across organizations. A tenant has no right at
// all on the other tables, save reading its own organization and adding to the outbox.
// Runs as a superuser, or as an ordinary role that may create in the schema; that one needs CREATEROLE once, or a
// database administrator's `create role sync_tenant nologin; grant sync_tenant to <login>` before.
// Locks: creates only, nothing existing is touched.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const tenantTables = [
  'companies',
  'oauth_grants',
  'syncs',
  'mapping_layers',
  'jobs',
  'links',
  'attachment_links',
  'sync_log',
  'audit_log',
];

export class Initial1763700000001 implements MigrationInterface {
  name = 'Initial1763700000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table organizations (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null default now()
);

-- One connected QBO company. status: connected | reconnect_needed (its work is held) | disconnected.
create table companies (
  realm_id text primary key,
  organization_id uuid not null references organizations (id),
  name text not null,
  status text not null default 'connected' constraint companies_status check (status in ('connected', 'reconnect_needed', 'disconnected')),
  status_reason text,
  -- from CompanyInfo and Preferences when the grant was checked; null = not asked yet
  home_currency text,
  connected_at timestamptz not null default now()
);
create index companies_by_organization on companies (organization_id);

-- Sealed tokens (AES-256-GCM, libs/qbo). grant_version rises with every stored pair; refresh_started_at is written before a refresh call.
create table oauth_grants (
  realm_id text primary key references companies (realm_id),
  organization_id uuid not null references organizations (id),
  access_token_sealed text not null,
  refresh_token_sealed text not null,
  previous_refresh_token_sealed text,
  access_expires_at timestamptz not null,
  refresh_expires_at timestamptz not null,
  refresh_hard_expires_at timestamptz,
  refresh_started_at timestamptz,
  refreshed_at timestamptz,
  grant_version bigint not null default 1
);

create table syncs (
  id uuid primary key,
  organization_id uuid not null references organizations (id),
  source_realm_id text not null references companies (realm_id),
  target_realm_id text not null references companies (realm_id),
  state text not null default 'active' constraint syncs_state check (state in ('active', 'paused')),
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint syncs_pair unique (source_realm_id, target_realm_id),
  constraint syncs_two_companies check (source_realm_id <> target_realm_id)
);
create index syncs_by_target on syncs (target_realm_id);

-- Mapping rules as data. A row is never changed: a new version is a new row. layer: template (all organizations) | organization | sync.
-- A sync's mapping version is the highest id among the layers that contribute to it.
create table mapping_layers (
  id bigint generated always as identity primary key,
  layer text not null constraint mapping_layers_layer check (layer in ('template', 'organization', 'sync')),
  organization_id uuid references organizations (id),
  sync_id uuid references syncs (id),
  rules jsonb not null,
  author text not null,
  reason text not null,
  created_at timestamptz not null default now()
);
create index mapping_layers_lookup on mapping_layers (layer, organization_id, sync_id, id desc);

-- Long operations a person starts. state: queued | running | done | failed | cancelled. progress is what a restart resumes from.
create table jobs (
  id uuid primary key,
  organization_id uuid not null references organizations (id),
  sync_id uuid not null references syncs (id),
  kind text not null constraint jobs_kind check (kind in ('backfill', 'replay')),
  state text not null default 'queued' constraint jobs_state check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  params jsonb not null default '{}',
  progress jsonb not null default '{}',
  error text,
  owner text,
  lease_expires_at timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
create index jobs_runnable on jobs (kind, created_at) where state in ('queued', 'running');
create index jobs_by_sync on jobs (sync_id, created_at desc);

-- Capture, one row per source company. desired = look_requested (a counter), applied = look_done.
create table capture_cursors (
  realm_id text primary key references companies (realm_id),
  look_requested bigint not null default 0,
  look_done bigint not null default 0,
  due_at timestamptz not null default now(),
  -- earliest webhook not yet answered by a look
  notified_at timestamptz,
  -- CDC is read from here (less the overlap); moved only after Kafka acknowledged everything read
  cdc_since timestamptz not null,
  complete_up_to timestamptz,
  sweep_due_at timestamptz,
  failures int not null default 0,
  last_error text
);
create index capture_cursors_due on capture_cursors (due_at);

-- What was last published per source entity: the dedupe by content hash.
create table captured_entities (
  realm_id text not null,
  entity_type text not null,
  entity_id text not null,
  version text collate "C" not null,
  content_hash text not null,
  deleted boolean not null,
  primary key (realm_id, entity_type, entity_id)
);

-- The heart: per (sync, source entity) what the target should be and what it is (design: desired against applied).
-- state: ready | sending | settled | waiting | backoff | held | uncertain | failed.
create table links (
  sync_id uuid not null references syncs (id),
  entity_type text not null,
  source_id text not null,
  organization_id uuid not null,
  source_realm_id text not null,
  target_realm_id text not null,
  state text not null constraint links_state check (state in ('ready', 'sending', 'settled', 'waiting', 'backoff', 'held', 'uncertain', 'failed')),
  lane text not null constraint links_lane check (lane in ('live', 'bulk')),
  -- dependency rank of the type, parents first
  rank smallint not null,
  desired_version text collate "C" not null,
  desired_hash text not null,
  desired_op text not null constraint links_op check (desired_op in ('upsert', 'delete', 'void', 'fail')),
  desired_payload jsonb,
  desired_references jsonb not null default '[]',
  natural_key jsonb,
  mapping_version bigint not null,
  change_id text not null,
  traceparent text,
  applied_version text collate "C",
  applied_hash text,
  applied_payload jsonb,
  target_id text,
  target_sync_token text,
  target_deleted boolean not null default false,
  -- record as it was before we changed or adopted it
  before_image jsonb,
  -- "Customer/58": the source entities this one waits for
  waiting_on text[] not null default '{}',
  due_at timestamptz not null default now(),
  attempts int not null default 0,
  failure_code text,
  failure_reason text,
  -- rises only when a person says "create it again": QBO replays the old answer for an old request id
  generation int not null default 0,
  desired_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (sync_id, entity_type, source_id)
) with (fillfactor = 80);
create index links_pick on links (target_realm_id, state, lane desc, rank, due_at);
create index links_waiting on links using gin (waiting_on) where state = 'waiting';
create index links_by_state on links (sync_id, state, entity_type);
create unique index links_one_target on links (target_realm_id, entity_type, target_id, sync_id) where target_id is not null;

-- One HTTP call to a target, written down before it is made. After a crash the same call is sent again byte for byte.
create table calls (
  id uuid primary key,
  target_realm_id text not null,
  request_id text not null,
  kind text not null constraint calls_kind check (kind in ('single', 'batch')),
  fence bigint not null,
  state text not null constraint calls_state check (state in ('claimed', 'answered', 'unknown', 'abandoned')),
  sends int not null default 0,
  http_status int,
  tid text,
  claimed_at timestamptz not null,
  answered_at timestamptz
);
create index calls_open on calls (target_realm_id, claimed_at) where state in ('claimed', 'unknown');

-- One entity inside a call, in the call's order.
create table attempts (
  call_id uuid not null references calls (id),
  position smallint not null,
  sync_id uuid not null,
  entity_type text not null,
  source_id text not null,
  -- create | update | delete | void | deactivate | adopt
  operation text not null,
  request_id text not null,
  version text collate "C" not null,
  desired_hash text not null,
  generation int not null,
  body text not null,
  outcome text,
  code text,
  reason text,
  primary key (call_id, position)
);
create index attempts_by_link on attempts (sync_id, entity_type, source_id);

-- Exclusive right to act for a realm. fence rises at every change of owner; every claim carries it.
create table realm_leases (
  realm_id text not null,
  purpose text not null constraint realm_leases_purpose check (purpose in ('capture', 'writer', 'attachments')),
  owner text not null,
  fence bigint not null,
  expires_at timestamptz not null,
  primary key (realm_id, purpose)
);

-- The governor's window per realm, shared by every service: pure state of libs/core pacing, changed under a row lock.
create table governor_state (
  realm_id text primary key,
  state jsonb not null,
  updated_at timestamptz not null
);

-- Announcements written in the same transaction as the fact they announce.
create table outbox (
  id bigint generated always as identity primary key,
  topic text not null,
  key text not null,
  event_id text not null,
  event_time timestamptz not null,
  traceparent text,
  value jsonb not null
);

-- Files. state as in links.
create table attachment_links (
  sync_id uuid not null references syncs (id),
  attachable_id text not null,
  organization_id uuid not null,
  source_realm_id text not null,
  target_realm_id text not null,
  state text not null constraint attachment_links_state check (state in ('ready', 'sending', 'settled', 'waiting', 'backoff', 'held', 'uncertain', 'failed')),
  lane text not null,
  desired_version text collate "C" not null,
  desired_deleted boolean not null default false,
  desired jsonb not null,
  change_id text not null,
  traceparent text,
  applied_version text collate "C",
  target_id text,
  target_sync_token text,
  request_id text,
  source_sha256 text,
  target_sha256 text,
  bytes bigint,
  waiting_on text[] not null default '{}',
  due_at timestamptz not null default now(),
  attempts int not null default 0,
  failure_code text,
  failure_reason text,
  fence bigint,
  desired_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (sync_id, attachable_id)
);
create index attachment_links_pick on attachment_links (target_realm_id, state, due_at);

-- The sync log: one row per step in the life of a record. Partitioned by month; (event_id, stage, at) makes a second delivery a no-op.
create table sync_log (
  at timestamptz not null,
  id bigint generated always as identity,
  event_id text not null,
  stage text not null constraint sync_log_stage check (stage in ('notified', 'captured', 'mapped', 'settled', 'attachment')),
  organization_id uuid,
  sync_id uuid,
  realm_id text not null,
  entity_type text not null,
  entity_id text not null,
  version text,
  target_realm_id text,
  target_id text,
  target_sync_token text,
  outcome text,
  attempt int,
  request_id text,
  tid text,
  code text,
  reason text,
  change_id text,
  traceparent text,
  duration_ms int,
  details jsonb,
  primary key (at, id),
  constraint sync_log_once unique (at, event_id, stage, entity_type, entity_id)
) partition by range (at);
create index sync_log_by_entity on sync_log (realm_id, entity_type, entity_id, at);
create index sync_log_by_sync on sync_log (sync_id, at desc, id desc);
create table sync_log_default partition of sync_log default;

-- Who did what, chained per organization: hash = sha256(previous hash | sequence | row).
create table audit_log (
  organization_id uuid not null,
  sequence bigint not null,
  event_id text not null,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  details jsonb not null,
  previous_hash text not null,
  hash text not null,
  primary key (organization_id, sequence),
  constraint audit_log_once unique (organization_id, event_id)
);

-- Makes the partition of the month that holds a moment; the sync log's store calls it ahead and before it inserts.
-- Answers whether the partition is there: false when the default partition already has rows of that month.
create function sync_log_ensure_partition(moment timestamptz) returns boolean language plpgsql as $$
declare
  month timestamp := date_trunc('month', moment at time zone 'UTC');
  name text := 'sync_log_y' || to_char(month, 'YYYY"m"MM');
begin
  if to_regclass(format('%I.%I', current_schema(), name)) is not null then return true; end if;
  perform pg_advisory_xact_lock(hashtextextended('partition of ' || current_schema() || '.' || name, 0));
  if to_regclass(format('%I.%I', current_schema(), name)) is not null then return true; end if;
  begin
    execute format('create table %I partition of sync_log for values from (%L) to (%L)', name,
      month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
  exception
    when check_violation then return false;
    -- made while we waited for the lock
    when duplicate_table then return true;
  end;
  execute format('alter table %I enable row level security', name);
  execute format('alter table %I force row level security', name);
  return true;
end $$;
`);
    await runner.query(`do $$ begin
  if not exists (select from pg_roles where rolname = 'sync_tenant') then
    begin
      create role sync_tenant nologin;
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  if not pg_has_role(current_user, 'sync_tenant', 'SET') then
    execute format('grant sync_tenant to %I with inherit false, set true', current_user);
  end if;
  execute format('grant usage on schema %I to sync_tenant', current_schema());
exception when insufficient_privilege then
  raise exception 'this login may not become role sync_tenant, which every tenant transaction does. As an administrator run: %',
    format('create role sync_tenant nologin; grant sync_tenant to %I;', current_user) using errcode = 'insufficient_privilege';
end $$`);
    for (const table of tenantTables) {
      const ofTenant = `organization_id = nullif(current_setting('sync.organization_id', true), '')::uuid`;
      await protect(runner, table, ofTenant);
      await runner.query(`grant select, insert, update, delete on ${table} to sync_tenant`);
    }
    await protect(runner, 'organizations', `id = nullif(current_setting('sync.organization_id', true), '')::uuid`);
    await runner.query(`
-- What was written about the past stays written.
revoke update, delete on sync_log, audit_log from sync_tenant;
grant select on organizations to sync_tenant;
grant insert on outbox to sync_tenant;
-- The template layer belongs to nobody and is everybody's to read.
create policy mapping_layers_template on mapping_layers for select to sync_tenant using (layer = 'template');
-- Reached through sync_log only, where the policies are; with none of its own nobody but a superuser reads it directly.
alter table sync_log_default enable row level security;
alter table sync_log_default force row level security`);
  }

  async down(runner: QueryRunner): Promise<void> {
    // Role sync_tenant stays: other schemas of the same server may use it.
    await runner.query(
      `do $$ begin execute format('revoke usage on schema %I from sync_tenant', current_schema()); end $$`,
    );
    await runner.query(`drop function sync_log_ensure_partition(timestamptz)`);
    await runner.query(`drop table audit_log, sync_log, attachment_links, outbox, governor_state, realm_leases, attempts, calls,
      links, captured_entities, capture_cursors, jobs, mapping_layers, syncs, oauth_grants, companies, organizations`);
  }
}

/** Row-level security for one table: tenants see what `ofTenant` says, the migrating login sees everything. */
async function protect(runner: QueryRunner, table: string, ofTenant: string): Promise<void> {
  await runner.query(`alter table ${table} enable row level security`);
  // Forcing keeps the policies on for the tables' owner, which is no superuser in production.
  await runner.query(`alter table ${table} force row level security`);
  await runner.query(
    `create policy ${table}_of_tenant on ${table} to sync_tenant using (${ofTenant}) with check (${ofTenant})`,
  );
  await runner.query(`create policy ${table}_of_worker on ${table} to current_user using (true) with check (true)`);
}
