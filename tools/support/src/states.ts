// What the tables say, counted: never a body, a name, a token. Every statement names its columns.
import pg from 'pg';
import { worded } from './wording.js';

const counts = {
  migrations: 'select name from schema_migrations order by id',
  syncs: `select id, source_realm_id, target_realm_id, state, created_at from syncs order by created_at`,
  companies: 'select realm_id, status, home_currency from companies order by realm_id',
  grants: `select realm_id, access_expires_at, refresh_expires_at, refreshed_at, grant_version::text from oauth_grants order by realm_id`,
  links: `select sync_id, entity_type, state, lane, count(*)::int as links, min(desired_at) as oldest from links
    group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
  files: `select sync_id, state, count(*)::int as files, min(desired_at) as oldest from attachment_links
    group by 1, 2 order by 1, 2`,
  troubles: `select sync_id, entity_type, state, failure_code, count(*)::int as links from links
    where failure_code is not null group by 1, 2, 3, 4 order by 5 desc limit 200`,
  calls:
    'select target_realm_id, kind, state, count(*)::int as calls, max(claimed_at) as newest from calls group by 1, 2, 3',
  leases: 'select realm_id, purpose, owner, fence::text, expires_at from realm_leases order by 1, 2',
  work: 'select realm_id, purpose, due_at from realm_work order by due_at limit 1000',
  governor: 'select realm_id, state, updated_at from governor_state order by 1',
  outbox: `select topic, count(*)::int as records, count(refused)::int as refused, min(event_time) as oldest from outbox group by 1`,
  sizes: `select relname as table, pg_total_relation_size(oid) as bytes, reltuples::bigint::text as rows from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') order by 2 desc`,
} as const;

/** Their reasons are texts, and go through the wording. */
const told = {
  errors: `select sync_id, source_realm_id, entity_type, source_id, state, attempts, failure_code, failure_reason as reason, desired_at
    from links where failure_code is not null order by desired_at desc limit 200`,
  cursors: `select realm_id, look_requested::text, look_done::text, due_at, notified_at, cdc_since, complete_up_to, sweep_due_at,
    failures, last_error as reason from capture_cursors order by 1`,
  jobs: `select id, sync_id, kind, state, error as reason, owner, created_at, started_at, finished_at from jobs
    order by created_at desc limit 200`,
} as const;

export async function statesOf(
  database: { url: string; schema: string },
  vocabulary: ReadonlySet<string>,
): Promise<Record<string, unknown>> {
  const client = new pg.Client({
    connectionString: database.url,
    options: `-c search_path=${database.schema} -c statement_timeout=30000 -c default_transaction_read_only=on`,
  });
  await client.connect();
  try {
    const states: Record<string, unknown> = {};
    const [version] = (await client.query<{ version: string }>('select version()')).rows;
    states.postgresql = version!.version;
    for (const [name, sql] of Object.entries(counts)) states[name] = await rows(client, sql);
    for (const [name, sql] of Object.entries(told)) {
      const found = await rows(client, sql);
      states[name] = Array.isArray(found)
        ? found.map((row) => ({
            ...row,
            reason: typeof row.reason === 'string' ? worded(row.reason, vocabulary) : null,
          }))
        : found;
    }
    return states;
  } finally {
    await client.end();
  }
}

/** A table that another version does not have is said so, and the rest goes on. */
async function rows(client: pg.Client, sql: string): Promise<Record<string, unknown>[] | string> {
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } catch (error) {
    return `not read: ${(error as { code?: string }).code ?? 'unknown'}`;
  }
}
