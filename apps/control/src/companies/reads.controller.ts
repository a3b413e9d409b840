// The month's metered reads: how many, of whom, what for, how it will end, and what the guard slows because of it.
import { Controller, Get, Query } from '@nestjs/common';
import { IsOptional, Matches } from 'class-validator';
import { GovernorStore } from '#storage';

class ReadsQuery {
  @IsOptional()
  @Matches(/^\d{4}-(0[1-9]|1[0-2])$/, { message: 'month must be like 2026-11' })
  month?: string;
}

@Controller('v1/reads')
export class ReadsController {
  constructor(private readonly governor: GovernorStore) {}

  @Get()
  async month(@Query() { month }: ReadsQuery) {
    return this.governor.reads.report(month === undefined ? undefined : `${month}-01`);
  }
}
