// A tenant's mapping layers. A layer is never changed: a new one takes its place, with who and why. What is desired changes
// with the next change of a record; a replay applies new rules to all of them.
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { IsIn, IsObject, IsOptional, Length } from 'class-validator';
import { rulesFor } from '#core';
import type { LayerRules } from '#core';
import { Database, LinkReport, MappingLayers, Syncs } from '#storage';
import type { StoredMappingLayer, SyncRow } from '#storage';
import { findSync } from '../syncs/find-sync.js';
import { AuditTrail } from '../audit-trail.js';
import { mistakes, notFound } from '#common/problems';
import { judgeRules } from './judge-rules.js';

class AddLayer {
  @IsOptional()
  @IsIn(['sync', 'organization'])
  layer: 'sync' | 'organization' = 'sync';

  @IsObject()
  rules!: LayerRules;

  @Length(1, 200)
  author!: string;

  @Length(1, 2000)
  reason!: string;
}

@Controller('v1/syncs/:id/mapping')
export class MappingController {
  constructor(
    private readonly db: Database,
    private readonly syncs: Syncs,
    private readonly layers: MappingLayers,
    private readonly links: LinkReport,
    private readonly audit: AuditTrail,
  ) {}

  @Post()
  async add(@Param('id') id: string, @Body() body: AddLayer) {
    const sync = await findSync(this.syncs, id);
    const odd = judgeRules(body.rules);
    if (odd.length > 0) throw mistakes(odd);
    const { layer, rules, author, reason } = body;
    const { organizationId } = sync;
    const place =
      layer === 'sync' ? ({ layer, syncId: sync.id, organizationId } as const) : ({ layer, organizationId } as const);
    const version = await this.db.withTenant(organizationId, async (tx) => {
      const added = await this.layers.add(tx, place, { rules, author, reason });
      await this.audit.tell(tx, {
        organizationId,
        action: 'mapping.layer.added',
        subject: sync.id,
        details: { layer, version: added, author, reason },
      });
      return added;
    });
    const stored = (await this.layers.of(scopeOf(sync))).find((each) => each.id === version);
    return stored ? layerView(stored) : { version, layer, rules, author, reason };
  }

  /** What applies now, or applied at a version. */
  @Get()
  async contributing(@Param('id') id: string, @Query('version') version?: string) {
    const layers = await this.layers.of(scopeOf(await findSync(this.syncs, id)), versionOf(version));
    return { version: Math.max(0, ...layers.map((layer) => layer.id)), layers: layers.map(layerView) };
  }

  /** Which layers made one record what it is: the version it was mapped under, and each rule of its type with who spoke. */
  @Get('records/:type/:sourceId')
  async ofRecord(@Param('id') id: string, @Param('type') entityType: string, @Param('sourceId') sourceId: string) {
    const sync = await findSync(this.syncs, id);
    const [link] = (await this.links.page(sync.id, { types: [entityType], sourceId }, 1)).items;
    if (!link) throw notFound('link', `${entityType}/${sourceId}`, `GET /v1/syncs/${sync.id}/links lists them.`);
    const version = Number(link.mappingVersion);
    const [ruleSet, layers] = await Promise.all([
      this.layers.ruleSetAt(scopeOf(sync), version),
      this.layers.of(scopeOf(sync), version),
    ]);
    return { entityType, sourceId, version, layers: layers.map(layerView), rules: rulesFor(ruleSet, entityType) };
  }
}

function versionOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw mistakes([{ field: 'version', message: 'is a number, as in the answer of GET mapping' }]);
  return Number(text);
}

const scopeOf = (sync: SyncRow) => ({ syncId: sync.id, organizationId: sync.organizationId });

const layerView = ({ id, layer, rules, author, reason, createdAt }: StoredMappingLayer) => ({
  version: id,
  layer,
  rules,
  author,
  reason,
  createdAt,
});
