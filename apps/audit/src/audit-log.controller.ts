// Reading the audit chain of an organization, and proving that nobody changed it.
import { Controller, Get, Param, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { AuditLog } from '#storage';
import { notFound } from '#common/problems';

const sequenceRule = { message: '$property must be a sequence number' };

class AuditLogQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit: number = 50;

  @IsOptional()
  @Matches(/^\d{1,18}$/, sequenceRule)
  before?: string;
}

class AnchorQuery {
  @IsOptional()
  @Matches(/^\d{1,18}$/, sequenceRule)
  sequence?: string;

  @IsOptional()
  @Matches(/^[0-9a-f]{64}$/, { message: 'hash must be 64 hex digits' })
  hash?: string;
}

@Controller('v1/audit-log')
export class AuditLogController {
  constructor(private readonly auditLog: AuditLog) {}

  @Get(':organizationId')
  async list(@Param('organizationId') organizationId: string, @Query() query: AuditLogQuery) {
    assertUuid(organizationId);
    const items = await this.auditLog.list(organizationId, { limit: query.limit, before: query.before });
    return { items };
  }

  @Get(':organizationId/verify')
  async verify(@Param('organizationId') organizationId: string, @Query() { sequence, hash }: AnchorQuery) {
    assertUuid(organizationId);
    return this.auditLog.verify(organizationId, sequence && hash ? { sequence, hash } : undefined);
  }
}

function assertUuid(id: string): void {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return;
  throw notFound('organization', id, 'GET /v1/organizations of control lists them.');
}
