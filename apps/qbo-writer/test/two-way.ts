// Companies with syncs between them in any direction, and looks at them: what capture and the mapper would bring, without Kafka.
import { randomUUID } from 'node:crypto';
import {
  defaultTemplate,
  judgeReading,
  mapChange,
  mergeLayers,
  readingOf,
  typesInRankOrder,
  type Captured,
  type Json,
  type LayerRules,
  type Reading,
} from '#core';
import type { WriteEvent } from '#contracts';
import type { Database } from '#storage';
import { Links, mirrorAll } from '#storage';
import { desiredLink } from '../src/intake/desired-link.js';
import type { Company, Installation } from './installation.js';

export interface Direction {
  id: string;
  from: Company;
  to: Company;
  rules: LayerRules | undefined;
}

const types = typesInRankOrder().filter((one) => one.cdc && one.policy !== 'reported' && one.type !== 'Attachable');

export class Looks {
  readonly syncs: Direction[] = [];
  private readonly known = new Map<string, Captured>();
  private readonly since = new Map<string, string>();
  private readonly merged = new Map<string, string>();

  constructor(private readonly w: Installation) {}

  /** As control does it: with the mirrors of what an opposite sync has linked already. */
  async sync(from: Company, to: Company, rules?: LayerRules): Promise<Direction> {
    const id = randomUUID();
    const { db, organizationId } = this.w;
    await db.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id, created_at) values ($1, $2, $3, $4, $5)`,
      [id, organizationId, from.realmId, to.realmId, new Date()],
    );
    if (rules) {
      await db.query(
        `insert into mapping_layers (layer, organization_id, sync_id, rules, author, reason)
         values ('sync', $1, $2, $3, 'test', 'test')`,
        [organizationId, id, JSON.stringify(rules)],
      );
    }
    const opposite = this.syncs.find((one) => one.from === to && one.to === from);
    const pair = { syncId: id, organizationId, sourceRealmId: from.realmId, targetRealmId: to.realmId };
    if (opposite) await mirrorAll(db, { ...pair, oppositeId: opposite.id });
    const direction = { id, from, to, rules };
    this.syncs.push(direction);
    return direction;
  }

  /** Everything a company holds, for one sync. */
  async backfill(sync: Direction): Promise<void> {
    const readings: Reading[] = [];
    for (const { type, endpoint, category } of types) {
      const where = category === 'name-list' ? ' where Active in (true, false)' : '';
      for (const row of await this.w.query(sync.from, `select * from ${endpoint}${where} maxresults 1000`)) {
        const reading = readingOf(type, row);
        if (reading) readings.push(reading);
      }
    }
    this.news(sync.from, readings);
    await this.take([sync], readings);
  }

  /** One look at a company for all syncs that read it; answers how many changes were news. */
  async look(company: Company): Promise<number> {
    const since = this.since.get(company.realmId) ?? new Date(Date.now() - 3_600_000).toISOString();
    const startedAt = new Date(Date.now() - 5_000).toISOString();
    const names = types.map(({ type }) => type).join(',');
    const answer = await this.w.emulator.api(
      company.realmId,
      company.accessToken,
      'GET',
      `cdc?entities=${names}&changedSince=${encodeURIComponent(since)}`,
    );
    const readings: Reading[] = [];
    for (const response of answer.body.CDCResponse[0].QueryResponse as Json[]) {
      for (const [type, rows] of Object.entries(response)) {
        if (!Array.isArray(rows)) continue;
        for (const row of rows as Json[]) {
          const reading = readingOf(type, row);
          if (reading) readings.push(reading);
        }
      }
    }
    this.since.set(company.realmId, startedAt);
    const news = this.news(company, readings);
    await this.take(
      this.syncs.filter((one) => one.from === company),
      news,
    );
    return news.length;
  }

  /** What a notification tells of a merge; change data capture shows only that the name is gone. */
  noteMerge(company: Company, type: string, loser: string, winner: string): void {
    this.merged.set(`${company.realmId}/${type}/${loser}`, winner);
  }

  private news(company: Company, readings: readonly Reading[]): Reading[] {
    const observedAt = new Date().toISOString();
    return readings.filter((reading) => {
      const key = `${company.realmId}/${reading.type}/${reading.id}`;
      const verdict = judgeReading(reading, this.known.get(key), observedAt);
      if (verdict.kind !== 'news') return false;
      this.known.set(key, verdict.captured);
      return true;
    });
  }

  private mergerOf({ realmId }: Company, { type, id }: Reading): { mergedInto?: string } {
    const mergedInto = this.merged.get(`${realmId}/${type}/${id}`);
    return mergedInto === undefined ? {} : { mergedInto };
  }

  private async take(syncs: readonly Direction[], readings: readonly Reading[]): Promise<void> {
    for (const sync of syncs) {
      const rules = mergeLayers([
        defaultTemplate,
        ...(sync.rules ? [{ id: 1, layer: 'sync' as const, rules: sync.rules }] : []),
      ]);
      const events = readings.flatMap((reading): WriteEvent[] => {
        const { version } = this.known.get(`${sync.from.realmId}/${reading.type}/${reading.id}`)!;
        const change = { realmId: sync.from.realmId, entityType: reading.type, id: reading.id, version };
        const mapped = mapChange(
          reading.kind === 'gone'
            ? { ...change, deleted: true, ...this.mergerOf(sync.from, reading) }
            : { ...change, deleted: false, snapshot: reading.snapshot },
          rules,
        );
        if (mapped.kind !== 'write') return [];
        return [
          {
            ...mapped.write,
            syncId: sync.id,
            organizationId: this.w.organizationId,
            sourceRealmId: sync.from.realmId,
            targetRealmId: sync.to.realmId,
            lane: 'live',
            changeId: randomUUID(),
          } as WriteEvent,
        ];
      });
      const taken = await new Links(this.w.db).intake(
        events.map((event) => desiredLink(event, undefined)),
        new Date(),
      );
      if (taken.length > 0) for (const writers of this.w.writers) writers.wake(sync.to.realmId, 'live');
    }
  }
}

/** Links that are not at rest, of all syncs. */
export function openLinks(db: Database): Promise<Json[]> {
  return db.query<Json>(
    `select s.source_realm_id as from, entity_type, source_id, target_id, l.state, failure_code, failure_reason, desired_op, waiting_on from links l
     join syncs s on s.id = l.sync_id where l.state <> 'settled' order by entity_type, source_id`,
  );
}
