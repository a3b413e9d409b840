// What the installation is asked about itself, as SQL. Each runs over one index or a small table; the largest, over links,
// reads its index by state. Runbooks show the same statements to a person.

export const questions = {
  reconciled: `select class, count(*)::int as n from (
      select case
        when state = 'settled' and desired_op = 'rollback' then 'taken_back'
        when state = 'settled' and desired_op = 'exclude' then 'excluded'
        when state = 'settled' and differences is null then 'equal'
        when state = 'settled' and exists (select from jsonb_array_elements(differences) d
          where coalesce(d ->> 'cause', 'told') = 'unknown') then 'unexplained'
        when state = 'settled' then 'differs'
        when state in ('held', 'failed', 'uncertain') then state
        else 'on_the_way' end as class
      from links) t group by class`,
  held: `select case when failure_code ~ '^[A-Z]+[.]' then split_part(failure_code, '.', 1) else 'QBO' end as family,
      count(*)::int as n from links where state in ('held', 'failed') group by 1`,
  ages: `select
      (select extract(epoch from clock_timestamp() - min(desired_at)) from links where state = 'uncertain')::float8 as uncertain,
      (select extract(epoch from clock_timestamp() - min(event_time)) from outbox where refused is null)::float8 as outbox,
      (select count(*) from outbox where refused is null)::int as waiting,
      (select count(*) from outbox where refused is not null)::int as refused,
      (select extract(epoch from min(least(refresh_expires_at, refresh_hard_expires_at)) - clock_timestamp())
         from oauth_grants join companies using (realm_id) where status = 'connected')::float8 as token,
      (select max(extract(epoch from clock_timestamp() - first_used_at)) from token_keys
         where key_id in (select split_part(refresh_token_sealed, '.', 2) from oauth_grants))::float8 as key,
      (select max(extract(epoch from clock_timestamp() - coalesce(complete_up_to, cdc_since))) from capture_cursors
         where realm_id in (select source_realm_id from syncs where state = 'active'))::float8 as capture,
      (select count(*) from capture_cursors where failures > 0)::int as failing,
      (select count(*) from pg_stat_activity)::float8 / current_setting('max_connections')::int as connections,
      pg_database_size(current_database())::float8 as bytes`,
  companies: `select status, count(*)::int as n from companies group by status`,
  handovers: `select purpose, sum(fence)::int as n from realm_leases group by purpose`,
  jobs: `select kind, state, count(*)::int as n, sum(case when kind = 'replay' then coalesce((progress ->> 'read')::float8, 0)
        else coalesce((select sum((value ->> 'count')::float8) from jsonb_each(progress -> 'types')
          where jsonb_typeof(progress -> 'types') = 'object'), 0) end)::float8 as records
      from jobs where state in ('queued', 'running') or finished_at > clock_timestamp() - interval '7 days' group by kind, state`,
  organizations: 'select id from organizations',
  realms: 'select realm_id as id from governor_state',
} as const;
