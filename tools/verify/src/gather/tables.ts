// The tables, by the checker's own SQL: nothing of libs/storage, whose view of a row is part of what is judged.
import pg from 'pg';
import type { Tables } from '../evidence.js';

export class Database {
  private readonly pool: pg.Pool;

  constructor(url: string, schema: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 2, options: `-c search_path=${schema}` });
  }

  async rows<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.pool.query(sql, values)).rows as T[];
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  /** One moment: a repeatable read, so that no row is seen before and its partner after a commit. */
  async tables(): Promise<Tables> {
    const client = await this.pool.connect();
    try {
      await client.query('begin isolation level repeatable read read only');
      const rows = async <T>(sql: string): Promise<T[]> => (await client.query(sql)).rows as T[];
      const [outbox] = await rows<Tables['outbox']>(
        `select count(*) filter (where refused is null)::int as waiting, count(refused)::int as refused from outbox`,
      );
      const tables: Tables = {
        organizations: await rows('select id from organizations'),
        companies: await rows('select realm_id, organization_id, status, status_reason from companies'),
        grants: await rows(
          `select realm_id, organization_id, refresh_token_sealed, grant_version::text, refresh_started_at from oauth_grants`,
        ),
        syncs: await rows(
          `select id, organization_id, source_realm_id, target_realm_id, created_at,
             case when rollback_began_at is null then state else 'rolled back' end as state from syncs`,
        ),
        layers: await rows('select layer, organization_id, sync_id, rules from mapping_layers'),
        jobs: await rows('select id, sync_id, kind, state, params, error, started_at, finished_at from jobs'),
        cursors: await rows('select realm_id, complete_up_to from capture_cursors'),
        links: await rows(
          `select sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane,
             desired_version, desired_op, applied_version, target_id, target_deleted, waiting_on, failure_code,
             failure_reason, generation, merged_into, differences, settled_at from links`,
        ),
        files: await rows(
          `select sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state, desired_version,
             desired_deleted, target_id, request_id, source_sha256, target_sha256, waiting_on, failure_code, failure_reason
           from attachment_links`,
        ),
        calls: await rows(
          `select id, target_realm_id, request_id, kind, fence::text, state, sends, http_status, tid, claimed_at, answered_at
           from calls order by claimed_at`,
        ),
        attempts: await rows(
          `select call_id, position, sync_id, entity_type, source_id, operation, request_id, version, desired_hash, generation,
             md5(body) as body_md5, array(select jsonb_object_keys(body::jsonb)) as fields, outcome, code, reason from attempts`,
        ),
        log: await rows(
          `select at, stage, organization_id, sync_id, realm_id, entity_type, entity_id, version, target_realm_id, target_id,
             target_sync_token, outcome, request_id, code, duration_ms, details ->> 'lane' as lane from sync_log order by at, id`,
        ),
        audit: await rows(
          `select organization_id, sequence::text, event_id, at, actor, action, subject, details, previous_hash, hash
           from audit_log order by organization_id, audit_log.sequence`,
        ),
        outbox: outbox!,
      };
      await client.query('commit');
      return tables;
    } finally {
      client.release();
    }
  }
}
