// Tenants.
import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { IsOptional, IsUUID, Length } from 'class-validator';
import { Database, Organizations } from '#storage';
import type { Organization } from '#storage';
import { AuditTrail } from '../audit-trail.js';
import { PageQuery, pageAnswer, pageRequest } from '../pages.js';
import { notFound, Problem } from '#common/problems';
import { isUuid } from '../uuid.js';

class CreateOrganization {
  @Length(1, 200)
  name!: string;

  /** chosen by the caller to make a repeated request harmless */
  @IsOptional()
  @IsUUID()
  id?: string;
}

@Controller('v1/organizations')
export class OrganizationsController {
  constructor(
    private readonly db: Database,
    private readonly organizations: Organizations,
    private readonly audit: AuditTrail,
  ) {}

  @Post()
  async create(@Body() body: CreateOrganization) {
    const id = body.id ?? randomUUID();
    const created = await this.db.withTransaction(async (tx) => {
      if (await this.organizations.find(id, tx)) {
        throw new Problem({
          status: 409,
          code: 'ORGANIZATION.EXISTS',
          title: 'This organization exists',
          detail: `There is an organization ${id} already.`,
          hint: `GET /v1/organizations/${id}, or leave "id" out to get a new one.`,
        });
      }
      const organization = await this.organizations.create(tx, { id, name: body.name });
      await this.audit.tell(tx, {
        organizationId: id,
        action: 'organization.created',
        subject: id,
        details: { name: body.name },
      });
      return organization;
    });
    return organizationView(created);
  }

  @Get()
  async list(@Query() query: PageQuery) {
    return pageAnswer(await this.organizations.list(pageRequest(query)), organizationView);
  }

  @Get(':id')
  async one(@Param('id') id: string) {
    const organization = isUuid(id) ? await this.organizations.find(id) : undefined;
    if (!organization) throw notFound('organization', id, 'GET /v1/organizations lists them.');
    return organizationView(organization);
  }
}

const organizationView = ({ id, name, createdAt }: Organization) => ({ id, name, createdAt });
