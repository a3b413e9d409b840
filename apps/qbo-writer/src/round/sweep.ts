// The sweep of a target: notices what a person edited or deleted there although nothing is to be written. Now and then by one
// change-data-capture call per company (types one by one when that answer is full), and whole when a person asks. It only
// finds: what it finds becomes ready, is read and planned like any other work, and the policy decides (core: drift.ts).
import { randomUUID } from 'node:crypto';
import {
  definitionOf,
  judgeAnswer,
  judgeSwept,
  pageSize,
  statementOfAll,
  statementOfCount,
  transition,
  typeOfJsonName,
  withIdentity,
  type Json,
  type Swept,
} from '#core';
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import type { QboClient } from '#qbo';
import type { DueSweep, LinkChange, Links, StoredLink, SweepReport } from '#storage';
import { TargetUnavailable } from './target-reader.js';

/** Change data capture looks back 30 days; older than this everything is compared. */
const lookBackMs = 29 * 24 * 60 * 60_000;
/** Our clock is not that of QuickBooks. */
const overlapMs = 5 * 60_000;
const linksAtOnce = 500;
/** QuickBooks takes so many in one batch. */
const queriesAtOnce = 30;

/** `null`: gone. */
type Seen = Map<string, Json | null>;

export class Sweep {
  constructor(
    private readonly realmId: string,
    private readonly fence: bigint,
    private readonly ports: {
      links: Links;
      client: QboClient;
      clock: Clock;
      log: Log;
      intervalMs: number;
      slowness?: () => number;
    },
  ) {}

  /** Whether something was swept. @throws FenceLost, TargetUnavailable */
  async look(signal: AbortSignal): Promise<boolean> {
    const { links, clock, log, intervalMs } = this.ports;
    const due = await links.dueSweeps(this.realmId, clock.now());
    for (const one of due) {
      const at = clock.now();
      const types = await links.writtenTypes(one.syncId);
      if (types.length === 0 && !one.full) {
        await links.sweepLater(one.syncId, new Date(at.getTime() + intervalMs));
        continue;
      }
      const report = await this.sweep(one, types, at, signal).catch((error: unknown) => {
        // QuickBooks said no to this very question: asked again in the next interval, and nothing else waits for it.
        if (!(error instanceof TargetUnavailable) || error.answer.kind !== 'refused') throw error;
        log.warn({ realm: this.realmId, sync: one.syncId, reason: error.message }, 'target not swept');
        return one.last ?? { at: one.createdAt.toISOString(), full: false, compared: 0, drifted: 0, gone: 0 };
      });
      await links.sweepDone(one.syncId, report, new Date(at.getTime() + intervalMs * (this.ports.slowness?.() ?? 1)));
      log.info({ realm: this.realmId, sync: one.syncId, ...report }, 'target swept');
    }
    return due.length > 0;
  }

  private async sweep(due: DueSweep, types: readonly string[], at: Date, signal: AbortSignal): Promise<SweepReport> {
    const since = due.last ? new Date(due.last.at) : due.createdAt;
    const full = due.full || at.getTime() - since.getTime() > lookBackMs;
    const report: SweepReport = { at: at.toISOString(), full, compared: 0, drifted: 0, gone: 0 };
    const from = new Date(since.getTime() - overlapMs).toISOString();
    const whole = new Set(full ? types : await this.sweepChanges(due.syncId, types, from, report, signal));
    const counts = await this.count(due.syncId, types, signal);
    // Fewer than we wrote: which they are is worth a page or two, changes do not always tell of it.
    for (const [type, { written, there }] of Object.entries(counts)) if (there < written) whole.add(type);
    for (const type of whole) await this.sweepWhole(due.syncId, type, report, signal);
    return Object.keys(counts).length > 0 ? { ...report, counts } : report;
  }

  /** Types of which the target has more or fewer records than we wrote: one call for all of them. */
  private async count(
    syncId: string,
    types: readonly string[],
    signal: AbortSignal,
  ): Promise<NonNullable<SweepReport['counts']>> {
    const written = await this.ports.links.writtenCounts(syncId);
    const asked = types.filter((type) => definitionOf(type).operations.includes('query'));
    const counts: NonNullable<SweepReport['counts']> = {};
    for (let from = 0; from < asked.length; from += queriesAtOnce) {
      const items = asked
        .slice(from, from + queriesAtOnce)
        .map((type) => ({ bId: type, Query: statementOfCount(definitionOf(type)) }));
      const batch = { requestId: randomUUID(), body: JSON.stringify({ BatchItemRequest: items }) };
      const answer = await this.ports.client.batch(this.realmId, batch, { class: 'bulk', purpose: 'sweep', signal });
      if (answer.kind !== 'ok') throw new TargetUnavailable(answer);
      for (const [type, item] of answer.value.items) {
        // A feature that is switched off has no records to count.
        if (item.kind !== 'ok' || item.value.totalCount === undefined) continue;
        const row = { written: written.get(type) ?? 0, there: Number(item.value.totalCount) };
        if (row.written !== row.there) counts[type] = row;
      }
    }
    return counts;
  }

  /** Answers the types of which an answer was cut: those are read whole. */
  private async sweepChanges(
    syncId: string,
    types: readonly string[],
    since: string,
    report: SweepReport,
    signal: AbortSignal,
  ): Promise<string[]> {
    const told = types.filter((type) => definitionOf(type).cdc);
    if (told.length === 0) return [];
    const answer = await this.ports.client.cdc(this.realmId, told, since, { class: 'bulk', purpose: 'sweep', signal });
    if (answer.kind !== 'ok') throw new TargetUnavailable(answer);
    const cut = judgeAnswer(answer.value.count, told.length).kind !== 'whole';
    if (cut && told.length > 1) {
      const left: string[] = [];
      for (const type of told) left.push(...(await this.sweepChanges(syncId, [type], since, report, signal)));
      return left;
    }
    if (cut) return [...told];
    for (const [name, objects] of Object.entries(answer.value.objects)) {
      const type = typeOfJsonName(name);
      if (type !== undefined && told.includes(type)) await this.compare(syncId, type, seenIn(type, objects), report);
    }
    return [];
  }

  /** Every record of a type against every link of it: also what is not there any more. */
  private async sweepWhole(syncId: string, type: string, report: SweepReport, signal: AbortSignal): Promise<void> {
    const definition = definitionOf(type);
    if (!definition.operations.includes('query')) return;
    const present: Seen = new Map();
    for (let start = 1; ; start += pageSize) {
      const statement = statementOfAll(definition, start);
      const answer = await this.ports.client.query(this.realmId, statement, {
        class: 'bulk',
        purpose: 'sweep',
        signal,
      });
      // A feature that is switched off has no records to show.
      if (answer.kind === 'refused') return;
      if (answer.kind !== 'ok') throw new TargetUnavailable(answer);
      for (const [id, record] of seenIn(type, answer.value.rows)) present.set(id, record);
      if (answer.value.rows.length < pageSize) break;
    }
    for (const id of await this.ports.links.writtenIds(syncId, type)) if (!present.has(id)) present.set(id, null);
    await this.compare(syncId, type, present, report);
  }

  private async compare(syncId: string, type: string, seen: Seen, report: SweepReport): Promise<void> {
    const { links, clock } = this.ports;
    const ids = [...seen.keys()];
    for (let from = 0; from < ids.length; from += linksAtOnce) {
      const stored = await links.byTarget(syncId, type, ids.slice(from, from + linksAtOnce));
      report.compared += stored.length;
      const verdict = (one: StoredLink): Swept => judgeSwept(one.link, seen.get(one.link.target?.id ?? '') ?? null);
      const found = stored.filter((one) => verdict(one) !== 'equal');
      if (found.length === 0) continue;
      await links.decide(this.realmId, this.fence, found, clock.now(), (rows) => {
        const still = rows.filter(
          (row) => row.syncId === syncId && row.entityType === type && verdict(row) !== 'equal',
        );
        for (const row of still) report[verdict(row) === 'gone' ? 'gone' : 'drifted']++;
        return { changes: still.map(released) };
      });
    }
  }
}

function seenIn(type: string, objects: readonly Json[]): Seen {
  const seen: Seen = new Map();
  for (const object of objects) {
    const record = withIdentity(type, object);
    if (record.Id !== undefined) seen.set(String(record.Id), record.status === 'Deleted' ? null : record);
  }
  return seen;
}

/** Ready, under a hash that nothing is desired under, and without its token: the next plan reads the record. */
function released({ syncId, entityType, sourceId, link }: StoredLink): LinkChange {
  return {
    key: { syncId, entityType, sourceId },
    state: transition(link.state, { kind: 'released' }),
    attempts: 0,
    applied: link.applied && { ...link.applied, hash: `drifted:${link.applied.hash}` },
    target: link.target && { id: link.target.id, deleted: false },
    wakes: false,
  };
}
