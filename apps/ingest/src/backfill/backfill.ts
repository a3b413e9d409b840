// One backfill job from its progress to its end. Trouble that time or a person mends (quota, no answer, revoked grant,
// Kafka away) makes it wait where it is; a type that QBO refuses to list is noted and the rest goes on.
import { failpoint } from '#common/failpoints';
import type { Clock } from '#common/clock';
import { backoffCeilingMs } from '#common/lifecycle';
import type { Log } from '#common/logging';
import { definitionOf, typesInRankOrder } from '#core';
import type { EntityDefinition } from '#core';
import type { Job, Jobs } from '#storage';
import type { ChangePublisher } from '../capture/change-publisher.js';
import type { ReadOptions, ReadPage, SourceReader } from '../capture/source-reader.js';
import { isFeatureOff, SourceUnread } from '../capture/source-reader.js';
import { traced } from '#common/tracing';
import { newTraceparent } from '../door/traceparent.js';
import { backfillPagesTotal } from '../ingest.metrics.js';

export class JobLost extends Error {
  constructor(readonly jobId: string) {
    super(`job ${jobId} is no longer ours`);
    this.name = 'JobLost';
  }
}

interface TypeProgress {
  /** position of the next page */
  start: number;
  done: boolean;
  /** records published */
  count: number;
  error?: string;
  /** why there was nothing to read, where that is in order */
  note?: string;
}

/** As stored in jobs.progress. */
export interface BackfillProgress {
  types: Record<string, TypeProgress>;
  /** by type, what COUNT(*) said at the start */
  expected: Record<string, number>;
}

const waitMinMs = 1000;
const waitMaxMs = 30_000;
// A record deleted while we page shifts the rest towards pages already read. The count at the end tells; a second pass
// over one type is cheap because it publishes only what is new.
const maxPasses = 3;

export class Backfill {
  private readonly progress: BackfillProgress;
  private readonly traceparent = newTraceparent();

  constructor(
    private readonly o: {
      reader: SourceReader;
      publisher: ChangePublisher;
      jobs: Pick<Jobs, 'progress'>;
      owner: string;
      clock: Clock;
      log: Log;
    },
    private readonly job: Job,
    private readonly realmId: string,
    private readonly signal: AbortSignal,
  ) {
    const { types = {}, expected = {} } = job.progress as Partial<BackfillProgress>;
    this.progress = { types, expected };
  }

  get totals(): { published: number; expected: number } {
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    return {
      published: sum(Object.values(this.progress.types).map(({ count }) => count)),
      expected: sum(Object.values(this.progress.expected)),
    };
  }

  async run(): Promise<{ kind: 'done' } | { kind: 'failed'; error: string }> {
    const definitions = this.definitions();
    await this.countAll(definitions);
    for (const definition of definitions) await this.runType(definition);
    const errors = Object.entries(this.progress.types).flatMap(([type, { error }]) =>
      error ? `${type}: ${error}` : [],
    );
    return errors.length === 0 ? { kind: 'done' } : { kind: 'failed', error: errors.join('; ') };
  }

  /** `params.types` narrows a job to some types. */
  private definitions(): EntityDefinition[] {
    const wanted: unknown = this.job.params.types;
    const known = typesInRankOrder().filter(({ operations }) => operations.includes('query'));
    return Array.isArray(wanted) ? known.filter(({ type }) => wanted.includes(type)) : known;
  }

  private async countAll(definitions: readonly EntityDefinition[]): Promise<void> {
    for (const definition of definitions) {
      if (this.progress.expected[definition.type] !== undefined) continue;
      const count = await this.patiently(definition.type, () =>
        this.o.reader.count(this.realmId, definition, this.options()),
      );
      this.progress.expected[definition.type] = count ?? 0;
    }
    await this.save();
  }

  private async runType({ type }: EntityDefinition): Promise<void> {
    const definition = definitionOf(type);
    for (let pass = 1; pass <= maxPasses; pass++) {
      const state = (this.progress.types[type] ??= { start: 1, done: false, count: 0 });
      if (state.done) return;
      const seen = new Set<string>();
      const whole = state.start === 1;
      let pages = 0;
      for (; !state.done; pages++) {
        const ended = await this.patiently(type, () => this.page(definition, state, pass, seen));
        if (ended === undefined) return;
      }
      // A resumed pass saw only its own part; it is trusted, the periodic compare is behind it. And one page is one answer: nothing
      // moved meanwhile, and a third of a small company's reads would only ask that.
      if (!whole || pages === 1 || pass === maxPasses) return;
      const now = await this.patiently(type, () => this.o.reader.count(this.realmId, definition, this.options()));
      if (now === undefined || now <= seen.size) return;
      this.o.log.warn(
        { job: this.job.id, realm: this.realmId, type, seen: seen.size, now },
        'records moved while paging, reading the type again',
      );
      Object.assign(state, { start: 1, done: false });
    }
  }

  /** Reads, publishes and notes one page. */
  private page(definition: EntityDefinition, state: TypeProgress, pass: number, seen: Set<string>): Promise<true> {
    // A trace per page: one of a whole backfill would hold a hundred thousand records.
    return traced('backfill page', { parent: 'root', attributes: { 'sync.job': this.job.id } }, ({ traceparent }) =>
      this.pageWithin(traceparent ?? this.traceparent, definition, state, pass, seen),
    );
  }

  private async pageWithin(
    traceparent: string,
    definition: EntityDefinition,
    state: TypeProgress,
    pass: number,
    seen: Set<string>,
  ): Promise<true> {
    const pages = this.o.reader.all(this.realmId, definition, { ...this.options(), from: state.start });
    const page = (await pages.next()).value as (ReadPage & { next: number | undefined }) | undefined;
    if (!page) throw new Error(`no page of ${definition.type}`);
    await failpoint('backfill.page-read');
    const next: TypeProgress = {
      start: page.next ?? state.start,
      done: page.next === undefined,
      count: state.count,
    };
    await this.o.publisher.publish(
      this.realmId,
      page.readings,
      {
        lane: 'bulk',
        origin: { kind: 'backfill', jobId: this.job.id },
        observedAt: page.observedAt,
        traceparent,
        // A new sync of a company captured before needs also what is known; a second pass does not.
        ...(pass === 1 ? { known: 'again' as const } : {}),
      },
      async (tx) => {
        next.count += page.readings.filter((reading) => !seen.has(reading.id)).length;
        const progress = { ...this.progress, types: { ...this.progress.types, [definition.type]: next } };
        if (!(await this.o.jobs.progress(this.job.id, this.o.owner, progress, tx))) throw new JobLost(this.job.id);
      },
    );
    await failpoint('backfill.page-noted');
    for (const { id } of page.readings) seen.add(id);
    Object.assign(state, next);
    backfillPagesTotal.inc();
    return true;
  }

  private async save(): Promise<void> {
    if (!(await this.o.jobs.progress(this.job.id, this.o.owner, this.progress))) throw new JobLost(this.job.id);
  }

  /** Repeats what time or a person mends; undefined: QBO refused, noted for this type. */
  private async patiently<T>(type: string, step: () => Promise<T>): Promise<T | undefined> {
    for (let failures = 1; ; failures++) {
      this.signal.throwIfAborted();
      try {
        return await step();
      } catch (error) {
        this.signal.throwIfAborted();
        if (error instanceof JobLost) throw error;
        if (error instanceof SourceUnread && error.why === 'refused') {
          // What a company does not have, and what is only reported, is noted and fails no job.
          const harmless = isFeatureOff(error) || definitionOf(type).policy === 'reported';
          const noted = harmless ? { note: error.message } : { error: error.message };
          this.progress.types[type] = { start: 1, done: true, count: 0, ...noted };
          await this.save();
          return undefined;
        }
        const pauseMs = Math.max(waitMinMs / 2, Math.random() * backoffCeilingMs(failures, waitMinMs, waitMaxMs));
        const fields = { job: this.job.id, realm: this.realmId, type, failures, pauseMs: Math.round(pauseMs) };
        this.o.log.warn({ ...fields, reason: (error as Error).message }, 'backfill.waiting');
        await this.o.clock.sleep(pauseMs, this.signal);
      }
    }
  }

  private options(): ReadOptions {
    return { class: 'bulk', signal: this.signal };
  }
}
