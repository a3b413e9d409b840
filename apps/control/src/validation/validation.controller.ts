// Reports that a migration team signs: made by POST, kept, shown by GET.
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Length, Matches, Min } from 'class-validator';
import { notFound } from '#common/problems';
import { Syncs, Validations } from '#storage';
import type { Validation } from '#storage';
import { findSync } from '../syncs/find-sync.js';
import { ValidationCheck } from './validation-check.js';

class Validate {
  /** who signs */
  @Length(1, 200)
  author!: string;

  /** what for: before the backfill, before the cut-over, ... */
  @Length(3, 2000)
  reason!: string;

  /** the day of the trial balances, yyyy-mm-dd; today unless said */
  @IsOptional()
  @Matches(/^\d{4}-\d{2}-\d{2}$/, { message: '$property must be a day, yyyy-mm-dd' })
  asOf?: string;
}

class ValidationQuery {
  /** which one; the newest unless said */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  number?: number;
}

@Controller('v1/syncs/:id/validation')
export class ValidationController {
  constructor(
    private readonly syncs: Syncs,
    private readonly validations: Validations,
    private readonly check: ValidationCheck,
  ) {}

  @Post()
  async validate(@Param('id') id: string, @Body() body: Validate) {
    return view(await this.check.run(await findSync(this.syncs, id), body));
  }

  @Get()
  async show(@Param('id') id: string, @Query() query: ValidationQuery) {
    const sync = await findSync(this.syncs, id);
    const [found, validations] = await Promise.all([
      this.validations.find(sync.id, query.number),
      this.validations.heads(sync.id),
    ]);
    if (!found) {
      const hint =
        validations.length > 0
          ? 'Without a number the newest one is shown.'
          : `POST /v1/syncs/${id}/validation makes one.`;
      throw notFound('validation', query.number === undefined ? id : String(query.number), hint);
    }
    return { ...view(found), validations };
  }
}

const view = ({ number, at, author, reason, report: { own: _, ...report } }: Validation) => ({
  number,
  at,
  author,
  reason,
  ...report,
});
