// One look at one source company, from the cursor to the cursor moved. The cursor moves in the transaction of the last
// publication, after Kafka's acknowledgement: a look that breaks anywhere is simply done again.
import type { Log } from '#common/logging';
import { canVanish, definitionOf, judgeAnswer, nextCursor, planLook, windowOf } from '#core';
import type { EntityDefinition, LookPolicy, Reading } from '#core';
import type { CaptureCursor, CaptureStore, OpenMerge, Tx } from '#storage';
import type { ChangePublisher, Publication } from './change-publisher.js';
import type { ReadOptions, SourceReader } from './source-reader.js';
import { SourceUnread } from './source-reader.js';

export type LookOutcome = 'whole' | 'by_type' | 'by_pages' | 'compare_all';

export interface LookResult {
  outcome: LookOutcome;
  published: number;
}

// QBO refuses a changedSince that is too old with a fault whose code is not documented; a refusal of an old cursor is
// taken for that one.
const oldCursorMs = 20 * 24 * 60 * 60 * 1000;

export class Look {
  private published = 0;

  constructor(
    private readonly o: {
      reader: SourceReader;
      publisher: ChangePublisher;
      store: CaptureStore;
      now: () => Date;
      definitions: readonly EntityDefinition[];
      policy: LookPolicy;
      sweepIntervalMs: number;
      mergeGraceMs: number;
      dueAt: (requested: bigint, done: bigint) => Date;
      log: Log;
    },
    private readonly cursor: CaptureCursor,
    private readonly hints: {
      traceparent: string;
      uncovered: ReadonlySet<string>;
    },
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<LookResult> {
    const outcome = await this.look();
    await this.healMerges();
    return { ...outcome, published: this.published };
  }

  private async look(): Promise<LookResult> {
    const { policy, definitions, now } = this.o;
    const startedAt = now();
    const uncovered = definitions.filter((d) => !d.cdc && d.operations.includes('query'));
    if (!this.cursor.sweepDueAt || this.cursor.sweepDueAt <= startedAt) {
      await this.sweep(uncovered);
      await this.sweepDone();
    } else if (this.hints.uncovered.size > 0) {
      await this.sweep(uncovered.filter(({ type }) => this.hints.uncovered.has(type)));
    }
    const plan = planLook(this.cursor.cdcSince, startedAt.getTime(), definitions, policy);
    if (plan.kind === 'compare-all') return this.compareAll(plan.types, startedAt);
    let answer;
    try {
      answer = await this.o.reader.changes(this.cursor.realmId, plan.types, plan.since, this.options('live'));
    } catch (error) {
      const old = startedAt.getTime() - this.cursor.cdcSince.getTime() > oldCursorMs;
      if (!(error instanceof SourceUnread) || error.why !== 'refused' || !old) throw error;
      return this.compareAll(plan.types, startedAt);
    }
    const next = nextCursor(this.cursor.cdcSince, answer.time, startedAt);
    const publication = this.publication('cdc', answer.observedAt);
    if (judgeAnswer(answer.count, plan.types.length, policy).kind === 'whole') {
      await this.publish(answer.readings, publication, (tx) => this.finish(tx, next));
      return { outcome: 'whole', published: this.published };
    }
    const outcome = await this.byType(plan.types, plan.since, next);
    await this.publish([], publication, (tx) => this.finish(tx, next));
    return { outcome, published: this.published };
  }

  /** A cut answer: each type alone, and a type that alone fills an answer by pages of a closed window. */
  private async byType(types: readonly string[], since: string, until: Date): Promise<LookOutcome> {
    let outcome: LookOutcome = 'by_type';
    for (const type of types) {
      const answer = await this.o.reader.changes(this.cursor.realmId, [type], since, this.options('live'));
      // What a cut answer holds is still true; above all its tombstones.
      await this.publish(answer.readings, this.publication('cdc', answer.observedAt));
      if (judgeAnswer(answer.count, 1, this.o.policy).kind === 'whole') continue;
      outcome = 'by_pages';
      const definition = definitionOf(type);
      const pages = this.o.reader.window(this.cursor.realmId, definition, windowOf(since, until), this.options('live'));
      for await (const page of pages) await this.publish(page.readings, this.publication('query', page.observedAt));
      await this.findVanished(definition);
    }
    return outcome;
  }

  private async compareAll(types: readonly string[], startedAt: Date): Promise<LookResult> {
    for (const type of types) {
      const definition = definitionOf(type);
      const seen = new Set<string>();
      for await (const page of this.o.reader.all(this.cursor.realmId, definition, this.options('bulk'))) {
        for (const { id } of page.readings) seen.add(id);
        // Nobody waits for one of these: they are the work of a month.
        await this.publish(page.readings, { ...this.publication('query', page.observedAt), lane: 'bulk' });
      }
      await this.findVanished(definition, seen);
    }
    await this.publish([], this.publication('query', startedAt.toISOString()), (tx) => this.finish(tx, startedAt));
    return { outcome: 'compare_all', published: this.published };
  }

  /** Records we published that the company has no more. Asked for by id once more before they are called gone. */
  private async findVanished(definition: EntityDefinition, seen?: ReadonlySet<string>): Promise<void> {
    if (!canVanish(definition)) return;
    const { realmId } = this.cursor;
    const living = await this.o.store.publishing(realmId, (tx) => this.o.store.livingIds(tx, realmId, definition.type));
    if (living.size === 0) return;
    const present = new Set(seen);
    if (!seen) {
      for await (const page of this.o.reader.all(realmId, definition, this.options('bulk'))) {
        for (const { id } of page.readings) present.add(id);
      }
    }
    const missing = [...living].filter((id) => !present.has(id));
    const observedAt = this.o.now().toISOString();
    const existing = await this.o.reader.existing(realmId, definition, missing, this.options('live'));
    const gone = missing.filter((id) => !existing.has(id));
    await this.publish(
      gone.map((id): Reading => ({ kind: 'gone', type: definition.type, id })),
      this.publication('query', observedAt),
    );
  }

  /**
   * What follows from a merger beyond the tombstone. The tombstone may have been published before the notification named the
   * heir: it is told again. A tombstone that CDC does not show is looked for. And a name that is gone with no notification
   * in time: QBO moves the records that referred to it without touching them, so no CDC answer will ever tell of them; they
   * are read again, which costs pages, once per lost notification of a rare act.
   */
  private async healMerges(): Promise<void> {
    const { realmId } = this.cursor;
    const { store, publisher, now } = this.o;
    const open = await store.openMerges(realmId);
    if (open.length === 0) return;
    const observedAt = now().toISOString();
    const publication = this.publication('query', observedAt);
    const named = open.filter((one) => one.mergedInto !== undefined);
    const before = named.filter((one) => one.captured?.deleted);
    if (before.length > 0) this.published += (await publisher.tellMerges(realmId, before, publication)).published;
    const unseen = named.filter((one) => !one.captured?.deleted);
    for (const [type, merges] of byType(unseen)) {
      const ids = merges.map(({ id }) => id);
      const existing = await this.o.reader.existing(realmId, definitionOf(type), ids, this.options('live'));
      await this.publish(
        ids.filter((id) => !existing.has(id)).map((id): Reading => ({ kind: 'gone', type, id })),
        publication,
        // Where QBO still shows it, its tombstone comes later and finds the heir in the table.
        (tx) => store.mergesTold(tx, realmId, merges, now()),
      );
    }
    const patience = now().getTime() - this.o.mergeGraceMs;
    const silent = open.filter((one) => one.mergedInto === undefined && one.learnedAt.getTime() <= patience);
    if (silent.length > 0) await this.rereadReferringTo(silent);
  }

  private async rereadReferringTo(names: readonly OpenMerge[]): Promise<void> {
    const { realmId } = this.cursor;
    const merged = new Set(names.map(({ type }) => type));
    const referring = this.o.definitions.filter(
      ({ operations, references }) =>
        operations.includes('query') && references.some(({ types }) => types.some((type) => merged.has(type))),
    );
    this.o.log.info({ realm: realmId, names: names.length, types: referring.length }, 'merge.unexplained');
    for (const definition of referring) {
      try {
        for await (const page of this.o.reader.all(realmId, definition, this.options('bulk')))
          await this.publish(page.readings, { ...this.publication('query', page.observedAt), lane: 'bulk' });
      } catch (error) {
        if (!(error instanceof SourceUnread) || error.why !== 'refused') throw error;
        this.o.log.warn({ realm: realmId, type: definition.type, reason: error.message }, 'type not read again');
      }
    }
    // The tombstones once more: a copy that could not be put away while records referred to it can be now.
    const publication = this.publication('query', this.o.now().toISOString());
    this.published += (await this.o.publisher.tellMerges(realmId, names, publication)).published;
  }

  /** Types that CDC does not cover are few and short: read whole, compared by hash. */
  private async sweep(definitions: readonly EntityDefinition[]): Promise<void> {
    const { realmId } = this.cursor;
    for (const definition of definitions) {
      try {
        const seen = new Set<string>();
        for await (const page of this.o.reader.all(realmId, definition, this.options('live'))) {
          for (const { id } of page.readings) seen.add(id);
          await this.publish(page.readings, this.publication('sweep', page.observedAt));
        }
        // No tombstone tells of these.
        await this.findVanished(definition, seen);
      } catch (error) {
        // A company without sales tax may refuse to list it; that must not stop what CDC tells.
        if (!(error instanceof SourceUnread) || error.why !== 'refused') throw error;
        this.o.log.warn({ realm: realmId, type: definition.type, reason: error.message }, 'type not swept');
      }
    }
  }

  private async sweepDone(): Promise<void> {
    const { realmId } = this.cursor;
    const dueAt = new Date(this.o.now().getTime() + this.o.sweepIntervalMs);
    await this.o.store.publishing(realmId, (tx) => this.o.store.sweepDone(tx, realmId, dueAt));
  }

  private async finish(tx: Tx, cdcSince: Date): Promise<void> {
    const lookDone = this.cursor.lookRequested;
    await this.o.store.finishLook(tx, this.cursor.realmId, {
      lookDone,
      cdcSince,
      dueAt: (requested) => this.o.dueAt(requested, lookDone),
    });
  }

  private async publish(readings: readonly Reading[], o: Publication, then?: (tx: Tx) => Promise<void>): Promise<void> {
    this.signal.throwIfAborted();
    const { published } = await this.o.publisher.publish(this.cursor.realmId, readings, o, then);
    this.published += published;
  }

  private publication(kind: 'cdc' | 'query' | 'sweep', observedAt: string): Publication {
    return {
      lane: 'live',
      origin: { kind },
      observedAt,
      traceparent: this.hints.traceparent,
      notifiedAt: this.cursor.notifiedAt,
    };
  }

  private options(requestClass: ReadOptions['class']): ReadOptions {
    return { class: requestClass, signal: this.signal };
  }
}

function byType(merges: readonly OpenMerge[]): Map<string, OpenMerge[]> {
  const types = new Map<string, OpenMerge[]>();
  for (const one of merges) types.set(one.type, [...(types.get(one.type) ?? []), one]);
  return types;
}
