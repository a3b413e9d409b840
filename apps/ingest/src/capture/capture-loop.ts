// The capture loop: takes companies whose look is due, a few side by side, each under its lease. Modes: idle -> running
// (start) -> stopping (stop: no new look begins; those under way end or abort) -> stopped. `active` may be non-empty in
// running and stopping only.
import { failpoint } from '#common/failpoints';
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle, backoffCeilingMs } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { traced } from '#common/tracing';
import type { TraceSpan } from '#common/tracing';
import { defaultLookPolicy, nextDue, typesInRankOrder } from '#core';
import { EventProducer } from '#kafka';
import { QboClient } from '#qbo';
import { CaptureStore, RealmLeases } from '#storage';
import type { CaptureCursor } from '#storage';
import { newTraceparent } from '../door/traceparent.js';
import { lookSeconds, looksTotal } from '../ingest.metrics.js';
import type { Settings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { ChangePublisher } from './change-publisher.js';
import { Look } from './look.js';
import { SourceReader, SourceUnread } from './source-reader.js';

// Looks raised by another process, and those whose interval has passed, are found at this pace; those raised in this
// process wake the loop at their moment.
const pollMs = 500;
/** Another process holds the lease: leave the company alone for so long. */
const elsewhereMs = 1000;
const retryMinMs = 1000;
const retryMaxMs = 300_000;

/** What notifications told besides "look". A second ingest process may look instead and not know them: they only explain. */
export interface LookHints {
  /** trace of the earliest one */
  traceparent: string | undefined;
  /** types that were announced and that change data capture does not cover: they are swept at once */
  uncovered: Set<string>;
}

@Injectable()
export class CaptureLoop implements OnApplicationBootstrap {
  private readonly log = createLog('capture');
  private readonly owner = `ingest-${randomUUID()}`;
  private readonly active = new Map<string, Promise<void>>();
  private readonly elsewhere = new Map<string, number>();
  /** of notifications that no look has answered yet, as far as this process has seen them; by realm */
  private readonly hints = new Map<string, LookHints>();
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private wakeAtMs = Infinity;
  private loop?: Promise<void>;
  private readonly reader: SourceReader;
  private readonly publisher: ChangePublisher;

  constructor(
    @Inject(CaptureStore) private readonly store: CaptureStore,
    @Inject(RealmLeases) private readonly leases: RealmLeases,
    @Inject(QboClient) qbo: QboClient,
    @Inject(EventProducer) producer: EventProducer,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
    @Inject(Health) private readonly health: Health,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    const now = () => clock.now();
    this.reader = new SourceReader(qbo, now);
    this.publisher = new ChangePublisher(producer, store, now);
  }

  onApplicationBootstrap(): void {
    this.lifecycle.onDrain('capture loop', () => this.stop());
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.nap.abort();
    await this.loop;
    await Promise.all(this.active.values());
  }

  /** Something is due at this moment: do not sleep through it. */
  expect(realmIds: readonly string[], dueAt: Date, hints: ReadonlyMap<string, LookHints>): void {
    for (const realmId of realmIds) {
      const told = hints.get(realmId);
      if (told) this.remember(realmId, told);
    }
    if (dueAt.getTime() >= this.wakeAtMs) return;
    this.wakeAtMs = dueAt.getTime();
    this.nap.abort();
  }

  /** The earliest trace stays; types add up. */
  private remember(realmId: string, told: LookHints): void {
    const known = this.hints.get(realmId);
    this.hints.set(realmId, {
      traceparent: known?.traceparent ?? told.traceparent,
      uncovered: new Set([...(known?.uncovered ?? []), ...told.uncovered]),
    });
  }

  private async run(): Promise<void> {
    const watchdog = this.health.watchdog('capture loop', { maxSilenceMs: 120_000 });
    for (let failures = 0; !this.stopping.signal.aborted;) {
      watchdog.progress();
      let pauseMs = pollMs;
      try {
        await this.startDue();
        failures = 0;
      } catch (error) {
        failures++;
        pauseMs = Math.max(100, Math.random() * backoffCeilingMs(failures, 200, 10_000));
        this.log.warn({ err: error, failures, pauseMs: Math.round(pauseMs) }, 'due companies not read');
      }
      this.nap = new AbortController();
      const nowMs = this.clock.nowMs();
      const napMs = Math.min(pauseMs, Math.max(0, this.wakeAtMs - nowMs));
      await this.clock.sleep(napMs, this.nap.signal);
      if (this.wakeAtMs <= this.clock.nowMs()) this.wakeAtMs = Infinity;
    }
    watchdog.idle();
  }

  private async startDue(): Promise<void> {
    const free = this.settings.looksAtOnce - this.active.size;
    if (free <= 0) return;
    const nowMs = this.clock.nowMs();
    for (const [realmId, untilMs] of this.elsewhere) if (untilMs <= nowMs) this.elsewhere.delete(realmId);
    const due = await this.store.due(new Date(nowMs), free, [...this.active.keys(), ...this.elsewhere.keys()]);
    for (const realmId of due) {
      const work = this.lookUnderLease(realmId).finally(() => {
        this.active.delete(realmId);
        // A place is free, and the look may have left something due.
        this.nap.abort();
      });
      this.active.set(realmId, work);
    }
  }

  private async lookUnderLease(realmId: string): Promise<void> {
    // Renewed three times in its span.
    const leaseMs = this.settings.captureLeaseMs;
    const abort = new AbortController();
    const stop = () => abort.abort(new Error('stopping'));
    let renewal: NodeJS.Timeout | undefined;
    try {
      const lease = await this.leases.acquire(realmId, 'capture', this.owner, leaseMs);
      if (!lease) {
        this.elsewhere.set(realmId, this.clock.nowMs() + elsewhereMs);
        return;
      }
      this.stopping.signal.addEventListener('abort', stop, { once: true });
      if (this.stopping.signal.aborted) stop();
      renewal = setInterval(() => {
        this.leases
          .renew(this.owner, 'capture', [realmId], leaseMs)
          .then((lost) => lost.length > 0 && abort.abort(new Error('lease lost')))
          .catch((error: unknown) => this.log.warn({ realm: realmId, err: error }, 'lease not renewed'));
      }, leaseMs / 3);
      await failpoint('look.leased');
      await this.look(realmId, abort.signal);
      await failpoint('look.done');
      await this.leases.release(realmId, 'capture', this.owner);
    } catch (error) {
      this.log.warn({ realm: realmId, err: error }, 'look not begun or not ended in order');
    } finally {
      clearInterval(renewal);
      this.stopping.signal.removeEventListener('abort', stop);
    }
  }

  private async look(realmId: string, signal: AbortSignal): Promise<void> {
    const cursor = await this.store.cursor(realmId);
    if (!cursor) return;
    const parent = this.hints.get(realmId)?.traceparent ?? 'root';
    await traced('look', { parent, attributes: { 'sync.realm': realmId } }, (span) =>
      this.lookWithin(span, cursor, signal),
    );
  }

  private async lookWithin(span: TraceSpan, cursor: CaptureCursor, signal: AbortSignal): Promise<void> {
    const { realmId } = cursor;
    const told = this.hints.get(realmId);
    const traceparent = span.traceparent ?? told?.traceparent ?? newTraceparent();
    const uncovered = told?.uncovered ?? new Set<string>();
    this.hints.delete(realmId);
    const startedMs = this.clock.nowMs();
    const { coalesceMs, lookIntervalMs: intervalMs } = this.settings;
    const look = new Look(
      {
        reader: this.reader,
        publisher: this.publisher,
        store: this.store,
        now: () => this.clock.now(),
        definitions: typesInRankOrder(),
        policy: { ...defaultLookPolicy, overlapMs: this.settings.overlapMs },
        sweepIntervalMs: this.settings.sweepIntervalMs,
        mergeGraceMs: this.settings.mergeGraceMs,
        dueAt: (requested, done) => nextDue({ requested, done, nowMs: this.clock.nowMs() }, { coalesceMs, intervalMs }),
        log: this.log,
      },
      cursor,
      { traceparent, uncovered },
      signal,
    );
    try {
      const { outcome, published } = await look.run();
      const durationMs = this.clock.nowMs() - startedMs;
      span.set({ 'sync.outcome': outcome, 'sync.published': published });
      looksTotal.inc({ outcome });
      lookSeconds.observe(durationMs / 1000);
      this.log[published > 0 ? 'info' : 'debug'](
        { realm: realmId, traceparent, outcome, published, durationMs },
        'look.done',
      );
    } catch (error) {
      this.remember(realmId, { traceparent: told?.traceparent ?? traceparent, uncovered });
      if (signal.aborted) return;
      await this.lookFailed(realmId, cursor.failures + 1, error as Error);
    }
  }

  private async lookFailed(realmId: string, failures: number, error: Error): Promise<void> {
    const held = error instanceof SourceUnread && error.why === 'held';
    looksTotal.inc({ outcome: held ? 'held' : 'failed' });
    // A held company is not picked until it is connected again, and then at once.
    const pauseMs = held
      ? 0
      : Math.max(retryMinMs / 2, Math.random() * backoffCeilingMs(failures, retryMinMs, retryMaxMs));
    const fields = { realm: realmId, failures, pauseMs: Math.round(pauseMs), reason: error.message };
    if (error instanceof SourceUnread) this.log.warn(fields, held ? 'look.held' : 'look.failed');
    else this.log.error({ ...fields, err: error }, 'look.failed');
    await this.store.failLook(realmId, error.message, new Date(this.clock.nowMs() + pauseMs));
  }
}
