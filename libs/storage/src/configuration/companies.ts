// Connected QBO companies. Status: connected | reconnect_needed (its work is held, nothing is lost) | disconnected.
import { Injectable } from '@nestjs/common';
import { Database } from '../database.js';
import type { Tx } from '../database.js';
import { CompanyEntity } from './entities.js';
import { olderThan } from './pages.js';
import type { Page, PageRequest } from './pages.js';

export interface Company {
  realmId: string;
  organizationId: string;
  name: string;
  status: 'connected' | 'reconnect_needed' | 'disconnected';
  statusReason: string | null;
  homeCurrency: string | null;
  connectedAt: Date;
}

@Injectable()
export class Companies {
  constructor(private readonly db: Database) {}

  /**
   * Connects a company or connects it again; a realm never moves to another organization.
   * `elsewhere`: another organization has it, nothing was written.
   */
  async connect(
    tx: Tx,
    company: { realmId: string; organizationId: string; name: string; homeCurrency: string | null },
  ): Promise<{ kind: 'connected'; company: Company; again: boolean } | { kind: 'elsewhere' }> {
    const [row] = await tx.query<{ again: boolean }>(
      `insert into companies as known (realm_id, organization_id, name, home_currency) values ($1, $2, $3, $4)
       on conflict (realm_id) do update
         set name = excluded.name, status = 'connected', status_reason = null, connected_at = now(),
             home_currency = coalesce(excluded.home_currency, known.home_currency)
         where known.organization_id = excluded.organization_id
       returning xmax <> 0 as again`,
      [company.realmId, company.organizationId, company.name, company.homeCurrency],
    );
    if (!row) return { kind: 'elsewhere' };
    return { kind: 'connected', company: (await this.find(company.realmId, tx))!, again: row.again };
  }

  async find(realmId: string, tx: Tx = this.db): Promise<Company | undefined> {
    return (await this.db.entities(tx).getRepository(CompanyEntity).findOneBy({ realmId })) ?? undefined;
  }

  async list(page: PageRequest & { organizationId?: string | undefined }, tx: Tx = this.db): Promise<Page<Company>> {
    const query = this.db.entities(tx).getRepository(CompanyEntity).createQueryBuilder('c');
    if (page.organizationId) query.andWhere('c.organization_id = :organizationId', page);
    return olderThan(query, 'c', 'realm_id', page, 'connected_at');
  }

  /** What was learnt about the company after it was connected. */
  async describe(tx: Tx, realmId: string, facts: { name: string; homeCurrency: string | null }): Promise<void> {
    await this.db.entities(tx).getRepository(CompanyEntity).update({ realmId }, facts);
  }
}
