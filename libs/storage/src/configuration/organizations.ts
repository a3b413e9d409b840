// Tenants.
import { Injectable } from '@nestjs/common';
import { Database } from '../database.js';
import type { Tx } from '../database.js';
import { OrganizationEntity } from './entities.js';
import { olderThan } from './pages.js';
import type { Page, PageRequest } from './pages.js';

export interface Organization {
  id: string;
  name: string;
  createdAt: Date;
}

@Injectable()
export class Organizations {
  constructor(private readonly db: Database) {}

  async create(tx: Tx, organization: { id: string; name: string }): Promise<Organization> {
    const repository = this.db.entities(tx).getRepository(OrganizationEntity);
    await repository.insert(organization);
    return repository.findOneByOrFail({ id: organization.id });
  }

  async find(id: string, tx: Tx = this.db): Promise<Organization | undefined> {
    return (await this.db.entities(tx).getRepository(OrganizationEntity).findOneBy({ id })) ?? undefined;
  }

  async list(page: PageRequest, tx: Tx = this.db): Promise<Page<Organization>> {
    const query = this.db.entities(tx).getRepository(OrganizationEntity).createQueryBuilder('o');
    return olderThan(query, 'o', 'id', page);
  }
}
