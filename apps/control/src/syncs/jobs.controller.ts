// One job.
import { Controller, Get, Param } from '@nestjs/common';
import { Jobs } from '#storage';
import { notFound } from '#common/problems';
import { isUuid } from '../uuid.js';
import { jobView } from './syncs.controller.js';

@Controller('v1/jobs')
export class JobsController {
  constructor(private readonly jobs: Jobs) {}

  @Get(':id')
  async one(@Param('id') id: string) {
    const job = isUuid(id) ? await this.jobs.find(id) : undefined;
    if (!job) throw notFound('job', id, 'GET /v1/syncs/{id} shows the last jobs of a sync.');
    return jobView(job);
  }
}
