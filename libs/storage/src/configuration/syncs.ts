// Syncs: directed pairs source company -> target company.
import { Injectable } from '@nestjs/common';
import type { Json } from '#core';
import { Database } from '../database.js';
import type { Tx } from '../database.js';
import { SyncEntity } from './entities.js';
import { olderThan } from './pages.js';
import type { Page, PageRequest } from './pages.js';

export interface SyncRow {
  id: string;
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
  state: 'active' | 'paused';
  /** since then it takes nothing in any more, and what it wrote goes back */
  rollbackBeganAt: Date | null;
  /** all of it went back */
  rolledBackAt: Date | null;
  settings: Json;
  /** counts from 1; each change is one more */
  settingsVersion: number;
  createdAt: Date;
}

@Injectable()
export class Syncs {
  constructor(private readonly db: Database) {}

  /** Until the transaction ends nobody else adds a sync: what is judged about pairs stays true until it is acted on. */
  async lockPairs(tx: Tx): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('sync pairs of ' || current_schema(), 0))`);
  }

  /** `exists`: this pair has a sync already, nothing was written. Starts capture of the source from `captureSince` on. */
  async create(
    tx: Tx,
    sync: Pick<SyncRow, 'id' | 'organizationId' | 'sourceRealmId' | 'targetRealmId' | 'settings'> & {
      captureSince: Date;
    },
  ): Promise<{ kind: 'created'; sync: SyncRow } | { kind: 'exists' }> {
    const { captureSince, ...row } = sync;
    const inserted = await tx.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id, settings) values ($1, $2, $3, $4, $5)
       on conflict on constraint syncs_pair do nothing returning id`,
      [row.id, row.organizationId, row.sourceRealmId, row.targetRealmId, JSON.stringify(row.settings)],
    );
    if (inserted.length === 0) return { kind: 'exists' };
    // A second sync of the same source finds the cursor there; it needs a backfill, not an older cursor.
    await tx.query(
      `insert into capture_cursors (realm_id, cdc_since, due_at) values ($1, $2, $2) on conflict (realm_id) do nothing`,
      [row.sourceRealmId, captureSince],
    );
    return { kind: 'created', sync: (await this.find(row.id, tx))! };
  }

  async find(id: string, tx: Tx = this.db): Promise<SyncRow | undefined> {
    return (await this.db.entities(tx).getRepository(SyncEntity).findOneBy({ id })) ?? undefined;
  }

  /** Of these source companies, paused ones too (a paused sync still learns what is desired), but none that is taken back. */
  async activeBySource(realmIds: readonly string[], tx: Tx = this.db): Promise<SyncRow[]> {
    return tx.query<SyncRow>(
      `${columns} where source_realm_id = any($1) and rollback_began_at is null order by created_at, id`,
      [realmIds],
    );
  }

  async ofOrganization(organizationId: string, tx: Tx = this.db): Promise<SyncRow[]> {
    return tx.query<SyncRow>(`${columns} where organization_id = $1 order by created_at, id`, [organizationId]);
  }

  /** Every sync that writes into these target companies; `state` says whether it may send. */
  async byTarget(realmIds: readonly string[], tx: Tx = this.db): Promise<SyncRow[]> {
    return tx.query<SyncRow>(`${columns} where target_realm_id = any($1) order by created_at, id`, [realmIds]);
  }

  async list(page: PageRequest & { organizationId?: string | undefined }, tx: Tx = this.db): Promise<Page<SyncRow>> {
    const query = this.db.entities(tx).getRepository(SyncEntity).createQueryBuilder('s');
    if (page.organizationId) query.andWhere('s.organization_id = :organizationId', page);
    return olderThan(query, 's', 'id', page);
  }

  /** Answers false when it was in that state already. */
  async setState(tx: Tx, id: string, state: SyncRow['state']): Promise<boolean> {
    const changed = await tx.query('update syncs set state = $2 where id = $1 and state <> $2 returning id', [
      id,
      state,
    ]);
    return changed.length > 0;
  }
}

const columns = `select id, organization_id as "organizationId", source_realm_id as "sourceRealmId",
  target_realm_id as "targetRealmId", state, rollback_began_at as "rollbackBeganAt", rolled_back_at as "rolledBackAt", settings, settings_version as "settingsVersion", created_at as "createdAt" from syncs`;
