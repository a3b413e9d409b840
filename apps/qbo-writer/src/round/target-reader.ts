// What the planner asks the target: twins by name or number, and single records. Reads are metered money, so look-ups of one
// type and field share one query, and what was found is remembered for a while. What is remembered is only a hint: a wrong
// one ends in a duplicate or stale fault, and a link with a fault behind it is looked up afresh.
import { definitionOf, withIdentity, type Json, type Lookup } from '#core';
import type { Clock } from '#common/clock';
import { faultText, type QboAnswer, type QboClient, type RequestClass } from '#qbo';

/** The target declines to show this record: a matter of this record, not of the company. */
export class ReadRefused extends Error {
  constructor(
    readonly code: string,
    reason: string,
  ) {
    super(reason);
    this.name = 'ReadRefused';
  }
}

/** The target could not be asked just now; the answer says why. Nothing was changed. */
export class TargetUnavailable extends Error {
  constructor(readonly answer: Exclude<QboAnswer<unknown>, { kind: 'ok' }>) {
    super('reason' in answer ? answer.reason : answer.kind);
    this.name = 'TargetUnavailable';
  }
}

const rememberMs = 60_000;
const pageSize = 1_000;
/** Values in one IN (...): about 4 kB of statement, which any proxy on the way lets through as a body. */
const valuesPerQuery = 50;

export class TargetReader {
  private readonly found = new Map<string, { rows: Json[]; atMs: number }>();

  constructor(
    private readonly realmId: string,
    private readonly ports: { client: QboClient; clock: Clock },
  ) {}

  /** Rows of each look-up, by `lookupKey`. @throws TargetUnavailable */
  async lookUp(
    wanted: readonly { lookup: Lookup; fresh: boolean }[],
    callClass: RequestClass,
    signal: AbortSignal,
  ): Promise<Map<string, Json[]>> {
    const now = this.ports.clock.nowMs();
    const groups = new Map<string, Map<string, Lookup>>();
    for (const { lookup, fresh } of wanted) {
      const known = this.found.get(lookupKey(lookup));
      if (known && !fresh && now - known.atMs < rememberMs) continue;
      const group = `${lookup.entityType} ${lookup.field ?? ''}`;
      groups.set(group, (groups.get(group) ?? new Map<string, Lookup>()).set(lookupKey(lookup), lookup));
    }
    for (const lookups of groups.values()) {
      const all = [...lookups.values()];
      for (let at = 0; at < all.length; at += valuesPerQuery) {
        await this.ask(all.slice(at, at + valuesPerQuery), callClass, signal);
      }
    }
    this.forgetOld();
    return new Map(wanted.map(({ lookup }) => [lookupKey(lookup), this.found.get(lookupKey(lookup))?.rows ?? []]));
  }

  /** The record now; null when the target has none of that id. @throws TargetUnavailable, ReadRefused */
  async read(entityType: string, id: string, callClass: RequestClass, signal: AbortSignal): Promise<Json | null> {
    const answer = await this.ports.client.read(this.realmId, entityType, id, { class: callClass, signal });
    if (answer.kind === 'ok') return (answer.value.status as string | undefined) === 'Deleted' ? null : answer.value;
    if (answer.kind !== 'refused') throw new TargetUnavailable(answer);
    if (answer.faults.some((fault) => fault.code === '610')) return null;
    throw new ReadRefused(answer.faults[0]?.code ?? '', faultText(answer.faults));
  }

  /** Up to which day the target's books are closed; undefined when they are open. @throws TargetUnavailable */
  async closingDate(signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.ports.client.query(this.realmId, 'select * from Preferences', { class: 'bulk', signal });
    if (answer.kind !== 'ok') throw new TargetUnavailable(answer);
    const accounting = answer.value.rows[0]?.AccountingInfoPrefs as Json | undefined;
    return (accounting?.BookCloseDate as string | undefined) || undefined;
  }

  /** Records of a type that were created in a time window. @throws TargetUnavailable */
  async createdBetween(entityType: string, from: Date, to: Date, signal: AbortSignal): Promise<Json[]> {
    const where = `MetaData.CreateTime >= '${from.toISOString()}' and MetaData.CreateTime <= '${to.toISOString()}'`;
    return this.pages(entityType, where, 'bulk', signal);
  }

  /**
   * One query for many values. Should QBO's parser choke on one of them, the others must not wait for it: they are asked in
   * halves. The value it cannot read has no twin we could find, and QBO's own check of names still stands.
   */
  private async ask(lookups: Lookup[], callClass: RequestClass, signal: AbortSignal): Promise<void> {
    const { entityType, field } = lookups[0]!;
    const values = lookups.map((lookup) => `'${escaped(lookup.value ?? '')}'`);
    const where = field === undefined ? '' : `${field} in (${values.join(', ')})`;
    let rows: Json[];
    try {
      rows = await this.pages(entityType, where, callClass, signal);
    } catch (error) {
      if (!(error instanceof TargetUnavailable) || error.answer.kind !== 'refused' || field === undefined) throw error;
      const middle = Math.ceil(lookups.length / 2);
      if (lookups.length === 1) rows = [];
      else {
        await this.ask(lookups.slice(0, middle), callClass, signal);
        return this.ask(lookups.slice(middle), callClass, signal);
      }
    }
    const atMs = this.ports.clock.nowMs();
    for (const lookup of lookups) {
      const own = field === undefined ? rows : rows.filter((row) => sameText(row[field], lookup.value));
      this.found.set(lookupKey(lookup), { rows: own, atMs });
    }
  }

  private async pages(
    entityType: string,
    where: string,
    callClass: RequestClass,
    signal: AbortSignal,
  ): Promise<Json[]> {
    const { endpoint, category } = definitionOf(entityType);
    // Without this a name list hides its inactive records, and QBO refuses their names all the same.
    const active = category === 'name-list' ? 'Active in (true, false)' : '';
    const conditions = [where, active].filter((condition) => condition !== '').join(' and ');
    const rows: Json[] = [];
    for (let start = 1; ; start += pageSize) {
      const statement = `select * from ${endpoint}${conditions === '' ? '' : ` where ${conditions}`} startposition ${start} maxresults ${pageSize}`;
      const answer = await this.ports.client.query(this.realmId, statement, { class: callClass, signal });
      if (answer.kind !== 'ok') throw new TargetUnavailable(answer);
      rows.push(...answer.value.rows.map((row) => withIdentity(entityType, row)));
      if (answer.value.rows.length < pageSize) return rows;
    }
  }

  private forgetOld(): void {
    const before = this.ports.clock.nowMs() - rememberMs;
    for (const [key, { atMs }] of this.found) if (atMs < before) this.found.delete(key);
  }
}

export function lookupKey({ entityType, field, value }: Lookup): string {
  return `${entityType}|${field ?? ''}|${(value ?? '').trim().toLowerCase()}`;
}

// QBO compares values without regard to case (qbo-api.md 5.1).
function sameText(a: unknown, b: string | undefined): boolean {
  return typeof a === 'string' && b !== undefined && a.trim().toLowerCase() === b.trim().toLowerCase();
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/'/g, "\\'");
}
