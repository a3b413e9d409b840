// Long operations a person starts. A job is claimed under a lease; `progress` is what whoever claims it next resumes from.
// States: queued -> running (claimed) -> done | failed; queued or running -> cancelled. A running job whose lease ended is
// claimable again: its worker died.
import { Injectable } from '@nestjs/common';
import type { Json } from '#core';
import { Database } from '../database.js';
import type { Tx } from '../database.js';
import { JobEntity } from './entities.js';
import { olderThan } from './pages.js';
import type { Page, PageRequest } from './pages.js';

export type JobKind = 'backfill' | 'replay' | 'rollback';

export interface Job {
  id: string;
  organizationId: string;
  syncId: string;
  kind: JobKind;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  params: Json;
  progress: Json;
  error: string | null;
  owner: string | null;
  leaseExpiresAt: Date | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

@Injectable()
export class Jobs {
  constructor(private readonly db: Database) {}

  /** `running`: the sync has an unfinished job of this kind, nothing was written. */
  async create(
    tx: Tx,
    job: { id: string; organizationId: string; syncId: string; kind: JobKind; params: Json },
  ): Promise<{ kind: 'created'; job: Job } | { kind: 'unfinished'; jobId: string }> {
    // The sync's row serializes two people who press the button together.
    await tx.query('select from syncs where id = $1 for no key update', [job.syncId]);
    const [unfinished] = await tx.query<{ id: string }>(
      `select id from jobs where sync_id = $1 and kind = $2 and state in ('queued', 'running') limit 1`,
      [job.syncId, job.kind],
    );
    if (unfinished) return { kind: 'unfinished', jobId: unfinished.id };
    await tx.query('insert into jobs (id, organization_id, sync_id, kind, params) values ($1, $2, $3, $4, $5)', [
      job.id,
      job.organizationId,
      job.syncId,
      job.kind,
      JSON.stringify(job.params),
    ]);
    return { kind: 'created', job: (await this.find(job.id, tx))! };
  }

  async find(id: string, tx: Tx = this.db): Promise<Job | undefined> {
    return (await this.db.entities(tx).getRepository(JobEntity).findOneBy({ id })) ?? undefined;
  }

  async list(page: PageRequest & { syncId: string }, tx: Tx = this.db): Promise<Page<Job>> {
    const query = this.db.entities(tx).getRepository(JobEntity).createQueryBuilder('j');
    query.where('j.sync_id = :syncId', page);
    return olderThan(query, 'j', 'id', page);
  }

  /** The oldest job of a kind that nobody works on; another worker's claim is stepped over, not waited for. */
  async claim(kind: JobKind, owner: string, leaseMs: number): Promise<Job | undefined> {
    const [row] = await this.db.query<{ id: string }>(
      `update jobs set state = 'running', owner = $2, started_at = coalesce(started_at, now()),
              lease_expires_at = clock_timestamp() + $3 * interval '1 millisecond'
       where id = (select id from jobs
                   where kind = $1 and (state = 'queued' or (state = 'running' and lease_expires_at <= clock_timestamp()))
                   order by created_at limit 1 for update skip locked)
       returning id`,
      [kind, owner, leaseMs],
    );
    return row && this.find(row.id);
  }

  /** Prolongs the lease; false: the job is no longer this owner's (taken over, cancelled, done), stop working on it. */
  async renew(id: string, owner: string, leaseMs: number): Promise<boolean> {
    return this.byOwner(
      this.db,
      id,
      owner,
      `lease_expires_at = clock_timestamp() + $3 * interval '1 millisecond'`,
      leaseMs,
    );
  }

  /** Writes down how far it is, in the caller's transaction when given; false as with `renew`. */
  async progress(id: string, owner: string, progress: Json, tx: Tx = this.db): Promise<boolean> {
    return this.byOwner(tx, id, owner, 'progress = $3', JSON.stringify(progress));
  }

  async finish(
    id: string,
    owner: string,
    outcome: { kind: 'done' } | { kind: 'failed'; error: string },
  ): Promise<boolean> {
    const end = `state = '${outcome.kind}', finished_at = now(), lease_expires_at = null, error = $3`;
    return this.byOwner(this.db, id, owner, end, outcome.kind === 'failed' ? outcome.error : null);
  }

  /** Gives the job back at once (a stop); the next worker resumes from its progress. */
  async release(id: string, owner: string): Promise<boolean> {
    return this.byOwner(this.db, id, owner, `lease_expires_at = clock_timestamp(), owner = $3`, null);
  }

  /** What a person started and no longer makes sense. Answers how many. */
  async cancelUnfinished(tx: Tx, syncId: string, kinds: readonly JobKind[]): Promise<number> {
    const rows = await tx.query(
      `update jobs set state = 'cancelled', finished_at = now(), lease_expires_at = null
       where sync_id = $1 and kind = any($2) and state in ('queued', 'running') returning id`,
      [syncId, kinds],
    );
    return rows.length;
  }

  private async byOwner(tx: Tx, id: string, owner: string, set: string, value: unknown): Promise<boolean> {
    const rows = await tx.query(
      `update jobs set ${set} where id = $1 and owner = $2 and state = 'running' returning id`,
      [id, owner, value],
    );
    return rows.length > 0;
  }
}
