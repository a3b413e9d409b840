// Mapping layers: rows that are never changed, a new version is a new row. What applies to a sync is the newest row of each
// layer (template, organization, sync) under the template that is built in.
// Promises: a rule set is looked up by its row ids, so a batch costs one small query and rules are read and merged once
// per version. Refuses: judging the rules; a bad one becomes a named failure of the records it touches (libs/core).
import { Injectable } from '@nestjs/common';
import { defaultTemplate, mergeLayers, type LayerName, type LayerRules, type MappingLayer, type RuleSet } from '#core';
import { Database, type Tx } from '../database.js';

export interface MappingScope {
  syncId: string;
  organizationId: string;
}

export interface NewMappingLayer {
  rules: LayerRules;
  author: string;
  reason: string;
}

export interface StoredMappingLayer extends MappingLayer {
  author: string;
  reason: string;
  createdAt: Date;
}

/** Merged rule sets kept in memory; a set is some kilobytes, an installation has some per sync. */
const keptRuleSets = 500;

@Injectable()
export class MappingLayers {
  private readonly kept = new Map<string, RuleSet>();

  constructor(private readonly db: Database) {}

  /** Adds a version of a layer; answers its id, which is the mapping version from now on. */
  async add(
    tx: Tx,
    place:
      { layer: 'template' } | { layer: 'organization'; organizationId: string } | ({ layer: 'sync' } & MappingScope),
    layer: NewMappingLayer,
  ): Promise<number> {
    const [row] = await tx.query<{ id: string }>(
      `insert into mapping_layers (layer, organization_id, sync_id, rules, author, reason)
       values ($1, $2, $3, $4, $5, $6) returning id`,
      [
        place.layer,
        'organizationId' in place ? place.organizationId : null,
        'syncId' in place ? place.syncId : null,
        JSON.stringify(layer.rules),
        layer.author,
        layer.reason,
      ],
    );
    return Number(row!.id);
  }

  /** The layers that apply to a sync now, or applied at a version, with who made them and why. */
  async of(scope: MappingScope, atVersion?: number): Promise<StoredMappingLayer[]> {
    const rows = await this.db.query<LayerRecord>(
      `select distinct on (layer) id, layer, rules, author, reason, created_at from mapping_layers
       where (${belongs('$1', '$2')}) and ($3::bigint is null or id <= $3) order by layer, id desc`,
      [scope.organizationId, scope.syncId, atVersion ?? null],
    );
    return rows.map((row) => ({
      id: Number(row.id),
      layer: row.layer,
      rules: row.rules,
      author: row.author,
      reason: row.reason,
      createdAt: row.created_at,
    }));
  }

  /** The rule set a sync had at a mapping version: to explain what a record became. */
  async ruleSetAt(scope: MappingScope, version: number): Promise<RuleSet> {
    return mergeLayers([defaultTemplate, ...(await this.of(scope, version))]);
  }

  /** Rule sets that apply now, by sync id. One query tells which rows; rows and merged sets are kept by id. */
  async ruleSets(scopes: readonly MappingScope[]): Promise<Map<string, RuleSet>> {
    const found = new Map<string, RuleSet>();
    if (scopes.length === 0) return found;
    const layerIds = await this.newestIds(scopes);
    for (const scope of scopes) {
      const ids = layerIds.get(scope.syncId) ?? [];
      const key = ids.join(' ');
      const ruleSet = this.kept.get(key) ?? (await this.merged(ids));
      // Moved to the end: the first entry is the one not asked for the longest.
      this.kept.delete(key);
      this.kept.set(key, ruleSet);
      if (this.kept.size > keptRuleSets) this.kept.delete(this.kept.keys().next().value!);
      found.set(scope.syncId, ruleSet);
    }
    return found;
  }

  private async newestIds(scopes: readonly MappingScope[]): Promise<Map<string, string[]>> {
    const rows = await this.db.query<{ sync_id: string; ids: string[] }>(
      `select s.sync_id, array_agg(newest.id::text order by newest.id) as ids
       from unnest($1::uuid[], $2::uuid[]) as s (sync_id, organization_id)
         cross join lateral (
           select max(l.id) as id from mapping_layers l
           where ${belongs('s.organization_id', 's.sync_id', 'l.')} group by l.layer
         ) newest
       group by s.sync_id`,
      [scopes.map((scope) => scope.syncId), scopes.map((scope) => scope.organizationId)],
    );
    return new Map(rows.map((row) => [row.sync_id, row.ids]));
  }

  private async merged(ids: readonly string[]): Promise<RuleSet> {
    const rows =
      ids.length === 0
        ? []
        : await this.db.query<LayerRecord>(`select id, layer, rules from mapping_layers where id = any($1::bigint[])`, [
            ids,
          ]);
    const layers = rows.map(({ id, layer, rules }) => ({ id: Number(id), layer, rules }));
    return mergeLayers([defaultTemplate, ...layers]);
  }
}

interface LayerRecord {
  id: string;
  layer: LayerName;
  rules: LayerRules;
  author: string;
  reason: string;
  created_at: Date;
}

function belongs(organizationId: string, syncId: string, prefix = ''): string {
  return `${prefix}layer = 'template' or (${prefix}layer = 'organization' and ${prefix}organization_id = ${organizationId})
    or (${prefix}layer = 'sync' and ${prefix}sync_id = ${syncId})`;
}
