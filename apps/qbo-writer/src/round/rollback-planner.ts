// Plans links that are taken back: what our own rows know of each, the target's records as they are now, then the core's word.
// Reads are metered: the records of a round are read by one query for each type, and by themselves only when that query does
// not show them, for "not shown" is not yet "gone".
import { planWrite, writePolicy, type Json, type Plan, type RollbackFacts } from '#core';
import type { RequestClass } from '#qbo';
import { keyText, type Links, type StoredLink } from '#storage';
import type { Planned } from './planner.js';
import { lookupKey, ReadRefused, type TargetReader } from './target-reader.js';

export class RollbackPlanner {
  constructor(private readonly ports: { links: Links; reader: TargetReader }) {}

  /** @throws TargetUnavailable when the target could not be asked; nothing has happened then */
  async plan(stored: readonly StoredLink[], callClass: RequestClass, signal: AbortSignal): Promise<Planned[]> {
    const known = await this.ports.links.rollbackFacts(stored);
    const decide = (one: StoredLink, targetNow?: Json | null): Plan =>
      plannedBack(one, { moving: [], held: [], ...known.get(keyText(one)), targetNow });
    const first = stored.map((one) => ({ stored: one, plan: decide(one) }));
    const asking = first.filter(({ plan }) => plan.kind === 'read').map((one) => one.stored);
    const records = await this.read(asking, callClass, signal);
    return first.map(({ stored: one, plan }) => {
      if (plan.kind !== 'read') return { stored: one, plan };
      const record = records.get(keyText(one));
      if (record instanceof ReadRefused)
        return { stored: one, plan: { kind: 'hold', code: `QBO.${record.code}`, reason: record.message } };
      return { stored: one, plan: decide(one, record ?? null) };
    });
  }

  private async read(
    stored: readonly StoredLink[],
    callClass: RequestClass,
    signal: AbortSignal,
  ): Promise<Map<string, Json | null | ReadRefused>> {
    const lookups = stored.map(({ entityType, link }) => ({
      lookup: { entityType, field: 'Id', value: link.target!.id },
      fresh: true,
    }));
    const rows = await this.ports.reader.lookUp(lookups, callClass, signal);
    const found = new Map<string, Json | null | ReadRefused>();
    for (const [at, one] of stored.entries()) {
      const [row] = rows.get(lookupKey(lookups[at]!.lookup)) ?? [];
      found.set(keyText(one), row ?? (await this.readOne(one, callClass, signal)));
    }
    return found;
  }

  private async readOne(
    { entityType, link }: StoredLink,
    callClass: RequestClass,
    signal: AbortSignal,
  ): Promise<Json | null | ReadRefused> {
    try {
      return await this.ports.reader.read(entityType, link.target!.id, callClass, signal);
    } catch (error) {
      if (error instanceof ReadRefused) return error;
      throw error;
    }
  }
}

/** One record that breaks the planner must not stop its company: it is held, with what was thrown. */
function plannedBack({ link, entityType, lastFault }: StoredLink, rollback: RollbackFacts): Plan {
  try {
    return planWrite(link, {
      resolve: () => undefined,
      policy: writePolicy({}, entityType),
      rollback,
      ...(lastFault === undefined ? {} : { lastFault }),
    });
  } catch (error) {
    return { kind: 'hold', code: 'PLAN.BROKEN', reason: (error as Error).message };
  }
}
