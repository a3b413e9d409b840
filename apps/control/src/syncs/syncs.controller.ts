// Syncs and what a person does with them: create, look at, pause, resume, backfill, replay, redrive.
import { Body, Controller, Get, HttpCode, HttpStatus, Param, Patch, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { knownType } from '#core';
import type { Json } from '#core';
import { AttachmentReport, LinkReport, Syncs } from '#storage';
import type { Job, SyncRow } from '#storage';
import { findSync } from './find-sync.js';
import { OrganizationPageQuery, pageAnswer, pageRequest } from '../pages.js';
import { mistakes, notFound } from '#common/problems';
import { judgeSettings } from './judge-settings.js';
import { attachable, LinkRedrive, redrivable } from './link-redrive.js';
import { PreflightCheck, preflightView } from './preflight-check.js';
import { SyncCommands } from './sync-commands.js';
import { assertCarries, assertUnfinished, stateOf } from './sync-state.js';
import { SyncStatus } from './sync-status.js';

const realmIdRule = { message: '$property must be digits, as Intuit shows the realm id' };
const linkStates = ['ready', 'sending', 'settled', 'waiting', 'backoff', 'held', 'uncertain', 'failed'] as const;

class CreateSync {
  @Matches(/^\d{1,20}$/, realmIdRule)
  sourceRealmId!: string;

  @Matches(/^\d{1,20}$/, realmIdRule)
  targetRealmId!: string;

  /** told by the companies; when given, it must be theirs */
  @IsOptional()
  @IsUUID()
  organizationId?: string;

  @IsOptional()
  @IsObject()
  settings: Json = {};
}

class StartJob {
  /** none: every type of the registry */
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  types?: string[];
}

class StartBackfill extends StartJob {
  /** why to start although the preflight blocks; told to the audit log */
  @IsOptional()
  @Length(3, 500)
  override?: string;
}

class StartReplay extends StartJob {}

class LinksQuery {
  /** comma-separated */
  @IsOptional()
  @IsString()
  state?: string;

  /** comma-separated */
  @IsOptional()
  @IsString()
  type?: string;

  /** comma-separated: what is wanted of the target; `exclude` lists what the mapping leaves out, with the rule */
  @IsOptional()
  @IsString()
  op?: string;

  @IsOptional()
  @IsString()
  sourceId?: string;

  @IsOptional()
  @IsString()
  targetId?: string;

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

/** Trying again what was held is somebody's decision; it is kept in the audit log with the act. */
class Decision {
  /** who decides */
  @Length(1, 200)
  author!: string;

  /** why */
  @Length(3, 2000)
  reason!: string;
}

/** Settings are versions, as mapping rules are: who changed them and why is kept. */
class ChangeSync extends Decision {
  /** a merge patch: what is named changes, null takes it away, the rest stays */
  @IsObject()
  settings!: Json;

  /** the version that the patch was made for; another one by now is refused */
  @IsOptional()
  @IsInt()
  @Min(1)
  version?: number;

  /** never changes; named so that the refusal can say so */
  @IsOptional()
  @IsString()
  sourceRealmId?: string;

  /** never changes */
  @IsOptional()
  @IsString()
  targetRealmId?: string;

  /** never changes */
  @IsOptional()
  @IsString()
  organizationId?: string;
}

class RedriveOne extends Decision {
  /** the target record was removed by hand: make a new one instead of repeating the old request */
  @IsOptional()
  @IsBoolean()
  createAgain: boolean = false;
}

class RedriveMany extends Decision {
  @IsOptional()
  @IsArray()
  @IsIn(redrivable, { each: true })
  states: string[] = [...redrivable];

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  types?: string[];
}

@Controller('v1/syncs')
export class SyncsController {
  constructor(
    private readonly syncs: Syncs,
    private readonly commands: SyncCommands,
    private readonly status: SyncStatus,
    private readonly preflight: PreflightCheck,
    private readonly links: LinkReport,
    private readonly attachments: AttachmentReport,
    private readonly redrive: LinkRedrive,
  ) {}

  @Post()
  async create(@Body() body: CreateSync) {
    const odd = judgeSettings(body.settings);
    if (odd.length > 0) throw mistakes(odd);
    const sync = await this.commands.create(body);
    await this.preflight.tryRun(sync);
    return syncView(sync);
  }

  @Get()
  async list(@Query() query: OrganizationPageQuery) {
    const page = await this.syncs.list({ ...pageRequest(query), organizationId: query.organizationId });
    return pageAnswer(page, syncView);
  }

  @Get(':id')
  async one(@Param('id') id: string) {
    const sync = await findSync(this.syncs, id);
    const [status, preflight] = await Promise.all([this.status.of(sync), this.preflight.stored(sync)]);
    return { ...syncView(sync), ...status, preflight: preflightView(preflight) };
  }

  @Patch(':id')
  async change(@Param('id') id: string, @Body() body: ChangeSync) {
    const sync = await findSync(this.syncs, id);
    assertCarries(sync);
    const { settings, version, author, reason, ...fixed } = body;
    const changed = await this.commands.changeSettings(sync, { patch: settings, version, author, reason, fixed });
    return { ...syncView(changed.sync), reconsidered: changed.reconsidered };
  }

  /** What applies now, or applied as a version, and who changed it. */
  @Get(':id/settings')
  async settings(@Param('id') id: string, @Query('version') version?: string) {
    const sync = await findSync(this.syncs, id);
    const versions = await this.commands.settingsVersions(sync);
    const wanted = version === undefined ? versions[0] : versions.find((one) => String(one.version) === version);
    if (!wanted) throw notFound('version', version ?? '', `GET /v1/syncs/${sync.id}/settings lists them.`);
    return { ...wanted, versions: versions.map(({ settings: _, ...about }) => about) };
  }

  /** Reads both companies now. */
  @Get(':id/preflight')
  async preflightNow(@Param('id') id: string) {
    return preflightView(await this.preflight.run(await findSync(this.syncs, id)));
  }

  @Post(':id/backfill')
  @HttpCode(HttpStatus.ACCEPTED)
  async backfill(@Param('id') id: string, @Body() body: StartBackfill) {
    const sync = await findSync(this.syncs, id);
    assertCarries(sync);
    const types = checkTypes(body.types);
    await this.preflight.admitBackfill(sync, body.override);
    return jobView(await this.commands.start(sync, 'backfill', { types }));
  }

  @Post(':id/replay')
  @HttpCode(HttpStatus.ACCEPTED)
  async replay(@Param('id') id: string, @Body() body: StartReplay) {
    const sync = await findSync(this.syncs, id);
    assertCarries(sync);
    return jobView(await this.commands.start(sync, 'replay', { types: checkTypes(body.types) }));
  }

  /** The whole target is compared with what was written there, soon. */
  @Post(':id/sweep')
  @HttpCode(HttpStatus.ACCEPTED)
  async sweep(@Param('id') id: string) {
    const sync = await findSync(this.syncs, id);
    assertCarries(sync);
    return { syncId: sync.id, requestedAt: await this.commands.sweep(sync) };
  }

  @Post(':id/pause')
  @HttpCode(HttpStatus.OK)
  async pause(@Param('id') id: string) {
    return syncView(await this.commands.setState(await this.unfinished(id), 'paused'));
  }

  @Post(':id/resume')
  @HttpCode(HttpStatus.OK)
  async resume(@Param('id') id: string) {
    return syncView(await this.commands.setState(await this.unfinished(id), 'active'));
  }

  @Get(':id/links')
  async listLinks(@Param('id') id: string, @Query() query: LinksQuery) {
    const sync = await findSync(this.syncs, id);
    const states = listed(query.state);
    const odd = states?.filter((state) => !linkStates.some((known) => known === state)) ?? [];
    if (odd.length > 0) {
      throw mistakes(
        odd.map((state) => ({ field: 'state', message: `"${state}" is none of ${linkStates.join(', ')}` })),
      );
    }
    const types = listed(query.type);
    const filter = { states, types, ops: listed(query.op), sourceId: query.sourceId, targetId: query.targetId };
    if (types?.includes(attachable)) {
      if (types.length > 1) {
        throw mistakes([{ field: 'type', message: `${attachable} is listed alone: files are a list of their own` }]);
      }
      return this.attachments.page(sync.id, filter, query.limit, query.cursor);
    }
    try {
      return await this.links.page(sync.id, filter, query.limit, query.cursor);
    } catch (error) {
      if (error instanceof RangeError) throw mistakes([{ field: 'cursor', message: error.message }]);
      throw error;
    }
  }

  @Post(':id/links/:type/:sourceId/redrive')
  @HttpCode(HttpStatus.OK)
  async redriveOne(
    @Param('id') id: string,
    @Param('type') entityType: string,
    @Param('sourceId') sourceId: string,
    @Body() body: RedriveOne,
  ) {
    return this.redrive.one(await findSync(this.syncs, id), { entityType, sourceId }, body.createAgain, body);
  }

  @Post(':id/links/redrive')
  @HttpCode(HttpStatus.OK)
  async redriveMany(@Param('id') id: string, @Body() body: RedriveMany) {
    return this.redrive.many(await findSync(this.syncs, id), body.states, body.types, body);
  }

  private async unfinished(id: string): Promise<SyncRow> {
    const sync = await findSync(this.syncs, id);
    assertUnfinished(sync);
    return sync;
  }
}

const listed = (text: string | undefined): string[] | undefined => {
  const items = (text ?? '').split(',').filter((item) => item !== '');
  return items.length > 0 ? items : undefined;
};

function checkTypes(types: string[] | undefined): string[] | undefined {
  const odd = types?.filter((type) => !knownType(type)) ?? [];
  if (odd.length > 0) {
    throw mistakes(odd.map((type) => ({ field: 'types', message: `"${type}" is no entity type this system carries` })));
  }
  return types;
}

export const syncView = (sync: SyncRow) => ({
  id: sync.id,
  organizationId: sync.organizationId,
  sourceRealmId: sync.sourceRealmId,
  targetRealmId: sync.targetRealmId,
  state: stateOf(sync),
  rollbackBeganAt: sync.rollbackBeganAt,
  rolledBackAt: sync.rolledBackAt,
  settings: sync.settings,
  settingsVersion: sync.settingsVersion,
  createdAt: sync.createdAt,
});

export const jobView = (job: Job) => ({
  id: job.id,
  syncId: job.syncId,
  kind: job.kind,
  state: job.state,
  params: job.params,
  progress: job.progress,
  error: job.error,
  createdAt: job.createdAt,
  startedAt: job.startedAt,
  finishedAt: job.finishedAt,
});
