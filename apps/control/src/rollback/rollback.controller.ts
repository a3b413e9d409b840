// A sync is taken back: what that would do, and the word that it shall be done.
import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import { Length } from 'class-validator';
import { Syncs } from '#storage';
import { findSync } from '../syncs/find-sync.js';
import { jobView } from '../syncs/syncs.controller.js';
import { RollbackCommand } from './rollback-command.js';

/** Taking back what a whole sync wrote is somebody's decision. */
class StartRollback {
  /** who decides */
  @Length(1, 200)
  author!: string;

  /** why */
  @Length(3, 2000)
  reason!: string;
}

@Controller('v1/syncs/:id/rollback')
export class RollbackController {
  constructor(
    private readonly syncs: Syncs,
    private readonly command: RollbackCommand,
  ) {}

  /** Without effect: a preview before it begins, and how far it is after that. */
  @Get()
  async look(@Param('id') id: string) {
    return this.command.look(await findSync(this.syncs, id));
  }

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  async begin(@Param('id') id: string, @Body() body: StartRollback) {
    return jobView(await this.command.begin(await findSync(this.syncs, id), body));
  }
}
