-- Role sync_reader: what the board Company and the SQL of docs/runbooks ask, and nothing else. No token, no body of a record, no
-- key of the books: whoever may look at Grafana may send any statement as this role. Run by an owner of the tables that may
-- create roles, after the migrations, as often as one likes; with search_path on the installation's schema when that is not
-- public. The password is set apart: alter role sync_reader password '...'.
-- test/observe/reader.int-spec.ts runs every such statement as this role.
do $$ begin
  if not exists (select from pg_roles where rolname = 'sync_reader') then
    create role sync_reader login;
  end if;
  execute format('grant usage on schema %I to sync_reader', current_schema());
end $$;
alter role sync_reader set default_transaction_read_only = on;
-- A board's question takes milliseconds; one that takes longer was not meant.
alter role sync_reader set statement_timeout = '10s';
-- Statements of others, by text: runbooks look for what runs long.
grant pg_read_all_stats to sync_reader;

grant select (id, name, created_at) on organizations to sync_reader;
grant select on companies, syncs, jobs, capture_cursors, realm_leases, governor_state, calls, metered_reads, token_keys,
  company_circuits, platform_circuit to sync_reader;
grant select (realm_id, organization_id, access_expires_at, refresh_expires_at, refresh_hard_expires_at, refreshed_at, grant_version)
  on oauth_grants to sync_reader;
grant select (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank, desired_version,
  desired_op, applied_version, target_id, target_deleted, waiting_on, due_at, attempts, failure_code, failure_reason, generation,
  desired_at, settled_at, differences) on links to sync_reader;
grant select (sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state, lane, desired_version, target_id,
  waiting_on, due_at, attempts, failure_code, failure_reason, desired_at, settled_at) on attachment_links to sync_reader;
grant select (id, topic, key, event_time, refused) on outbox to sync_reader;
grant select (at, id, stage, organization_id, sync_id, realm_id, entity_type, entity_id, version, target_realm_id, target_id, outcome,
  attempt, request_id, tid, code, reason, duration_ms) on sync_log to sync_reader;
grant select (organization_id, sequence, at, actor, action, subject) on audit_log to sync_reader;

-- Row-level security hides every organization from everybody; this role looks across them.
do $$ declare name text; begin
  foreach name in array array['organizations', 'companies', 'oauth_grants', 'syncs', 'jobs', 'links', 'attachment_links', 'sync_log', 'audit_log'] loop
    execute format('drop policy if exists reader on %I', name);
    execute format('create policy reader on %I for select to sync_reader using (true)', name);
  end loop;
end $$;
