// Reading the sync log: filtered pages, and the life of one record.
import { Controller, Get, Param, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, IsUUID, Matches, Max, Min } from 'class-validator';
import { entityKey, parseEntityKey } from '#core';
import { AttachmentReport, LinkReport, SyncLog } from '#storage';
import type { SyncLogCursor } from '#storage';
import { attachable } from './log-entries.js';
import { mistakes, notFound } from '#common/problems';

const stages = ['notified', 'captured', 'mapped', 'settled', 'attachment'];

class SyncLogQuery {
  @IsOptional()
  @IsUUID()
  sync?: string;

  @IsOptional()
  @IsUUID()
  organization?: string;

  @IsOptional()
  @Matches(/^\d{1,20}$/, { message: 'realm must be digits' })
  realm?: string;

  @IsOptional()
  @IsString()
  type?: string;

  @IsOptional()
  @IsString()
  id?: string;

  @IsOptional()
  @IsIn(stages)
  stage?: string;

  @IsOptional()
  @IsString()
  outcome?: string;

  @IsOptional()
  @IsISO8601({ strict: true })
  from?: string;

  @IsOptional()
  @IsISO8601({ strict: true })
  to?: string;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit: number = 50;

  @IsOptional()
  @IsString()
  cursor?: string;
}

@Controller('v1')
export class SyncLogController {
  constructor(
    private readonly syncLog: SyncLog,
    private readonly links: LinkReport,
    private readonly attachments: AttachmentReport,
  ) {}

  @Get('sync-log')
  async list(@Query() query: SyncLogQuery) {
    const page = await this.syncLog.list(
      {
        syncId: query.sync,
        organizationId: query.organization,
        realmId: query.realm,
        entityType: query.type,
        entityId: query.id,
        stage: query.stage,
        outcome: query.outcome,
        from: query.from === undefined ? undefined : new Date(query.from),
        to: query.to === undefined ? undefined : new Date(query.to),
      },
      { limit: query.limit, after: query.cursor === undefined ? undefined : decodeCursor(query.cursor) },
    );
    const next = page.next && Buffer.from(JSON.stringify([page.next.at, page.next.id])).toString('base64url');
    return { items: page.items, ...(next && { next }) };
  }

  @Get('changes/:realm/:type/:id')
  async life(@Param('realm') realm: string, @Param('type') type: string, @Param('id') id: string) {
    return this.lifeOf(entityKey(realm, type, id));
  }

  /** The same with the key as one url-encoded segment. */
  @Get('changes/:key')
  async lifeByKey(@Param('key') key: string) {
    return this.lifeOf(key);
  }

  private async lifeOf(key: string) {
    const parsed = parseEntityKey(key);
    if (!parsed) throw mistakes([{ field: 'key', message: `"${key}" is not realm/type/id` }]);
    const { realmId, entityType, id } = parsed;
    const [steps, targets] = await Promise.all([
      this.syncLog.life(realmId, entityType, id),
      entityType === attachable ? this.attachments.ofRecord(realmId, id) : this.targetsOf(realmId, entityType, id),
    ]);
    if (steps.length === 0 && targets.length === 0) {
      throw notFound(
        'record',
        key,
        'Nothing is known of it yet. Is the type spelt as QuickBooks spells it, and is the id the source’s?',
      );
    }
    return { key, steps, targets };
  }

  /**
   * Without the bodies: this page tells what happened, not what the books say. What an adopted record was before is a thing
   * that happened to it, and nobody else knows it any more.
   */
  private async targetsOf(realmId: string, entityType: string, id: string) {
    const links = await this.links.ofRecord(realmId, entityType, id);
    return links.map(({ desired: _desired, applied: _applied, beforeImage, ...link }) => ({
      ...link,
      ...(beforeImage && { beforeImage }),
    }));
  }
}

function decodeCursor(cursor: string): SyncLogCursor {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && !Number.isNaN(Date.parse(String(parts[0]))) && /^\d+$/.test(String(parts[1]))) {
      return { at: String(parts[0]), id: String(parts[1]) };
    }
  } catch {
    // Falls through to the one refusal.
  }
  throw mistakes([{ field: 'cursor', message: 'is not a cursor of this list; take "next" of the page before' }]);
}
