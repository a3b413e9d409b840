// Replays: a person wants a sync's desired state computed again (new mapping, new target), from the compacted topic and
// never from the source's API. A replay publishes what every change of the source becomes now, in the bulk lane. What the
// writer has taken in under the rules of now, or newer, it would leave as it is: it is asked about a batch at a time, and is
// neither mapped nor told.
//
// Modes: idle -> running (start) -> stopped (stop, for good). In `running` at most one job is worked on; its progress (next
// offset per partition) is written down after each batch was acknowledged, so whoever claims it next goes on from there.
import { failpoint } from '#common/failpoints';
import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Lifecycle, Repeated } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { topics, type ChangeEvent } from '#contracts';
import { TopicReader } from '#kafka';
import type { ReceivedRecord, RecordBatch } from '#kafka';
import { Jobs, Links, MappingLayers, Syncs, type Job } from '#storage';
import { ChangesMapping } from '../changes.mapping.js';
import { mappedTotal, replaysTotal } from '../mapper.metrics.js';

/** How long a job stays with a process that stopped renewing. */
export const JOB_LEASE_MS = Symbol('job lease in ms');
const pollMs = 1_000;
/** One is decoded while PostgreSQL is asked about another; what is noted of one may be overtaken, and is then read again. */
const partitionsAtOnce = 3;

interface ReplayProgress {
  /** next offset to read, per partition */
  offsets: Record<number, string>;
  /** changes of the source read so far */
  read: number;
  /** of these known to the writer under the rules of now, so not told again */
  known: number;
  /** records published */
  published: number;
}

@Injectable()
export class ReplayWorker implements OnApplicationBootstrap {
  private readonly owner = `mapper-${hostname()}-${process.pid}`;
  private readonly log = createLog('replay');

  constructor(
    private readonly jobs: Jobs,
    private readonly syncs: Syncs,
    private readonly links: Links,
    private readonly layers: MappingLayers,
    private readonly mapping: ChangesMapping,
    private readonly reader: TopicReader,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
    @Inject(JOB_LEASE_MS) private readonly leaseMs: number,
  ) {}

  onApplicationBootstrap(): void {
    const { clock, log } = this;
    const { stopping } = this.lifecycle;
    // Interrupted, the job keeps its progress and its lease runs out.
    const loop = new Repeated((until) => this.next(until), { clock, log, stopping, failed: 'replay interrupted' });
    this.lifecycle.onDrain('replays', () => loop.stop());
    loop.start();
  }

  private async next(stopping: AbortSignal): Promise<number> {
    const job = await this.jobs.claim('replay', this.owner, this.leaseMs);
    if (!job) return pollMs;
    await this.work(job, stopping);
    return 0;
  }

  private async work(job: Job, stopping: AbortSignal): Promise<void> {
    const sync = await this.syncs.find(job.syncId);
    if (!sync) {
      await this.jobs.finish(job.id, this.owner, { kind: 'failed', error: `there is no sync ${job.syncId}` });
      replaysTotal.inc({ outcome: 'failed' });
      return;
    }
    const types = Array.isArray(job.params.types) ? new Set<string>(job.params.types as string[]) : undefined;
    const progress: ReplayProgress = { offsets: {}, read: 0, known: 0, published: 0, ...job.progress };
    const lost = new AbortController();
    const signal = AbortSignal.any([stopping, lost.signal]);
    const facts = { jobId: job.id, syncId: sync.id, realm: sync.sourceRealmId };
    this.log.info({ ...facts, resumed: progress.read > 0 }, 'replay.started');

    const onBatch = async (batch: RecordBatch<ChangeEvent>, place: { offsets: Record<number, string> }) => {
      const changes = batch.records.filter(
        ({ value }) => value?.realmId === sync.sourceRealmId && (!types || types.has(value.entityType)),
      );
      // Looked up per batch: a mapping that changes meanwhile holds from here on, and a replay follows it anyway.
      const ruleSets = await this.layers.ruleSets([{ syncId: sync.id, organizationId: sync.organizationId }]);
      const news = await this.newsOf(changes, sync.id, ruleSets.get(sync.id)!.version);
      const published = await this.mapping.publish(news, () => [sync], ruleSets, 'bulk');
      progress.published += published;
      progress.read += changes.length;
      progress.known += changes.length - news.length;
      mappedTotal.inc({ outcome: 'known', lane: 'bulk' }, changes.length - news.length);
      // Only this batch's own partition: other partitions may be read ahead of what was published.
      progress.offsets = { ...progress.offsets, [batch.partition]: place.offsets[batch.partition]! };
      const mine =
        (await this.jobs.progress(job.id, this.owner, { ...progress })) &&
        (await this.jobs.renew(job.id, this.owner, this.leaseMs));
      await failpoint('replay.page-noted');
      if (!mine) lost.abort();
    };
    const end = await this.reader.read<ChangeEvent>(
      topics.changes.name,
      { fromOffsets: progress.offsets, signal, concurrency: partitionsAtOnce },
      onBatch,
    );
    if (lost.signal.aborted) {
      this.log.info(facts, 'replay.taken_over');
    } else if (!end.complete) {
      await this.jobs.release(job.id, this.owner);
      replaysTotal.inc({ outcome: 'given_back' });
      this.log.info(facts, 'replay.given_back');
    } else {
      await this.jobs.progress(job.id, this.owner, { ...progress, offsets: end.offsets });
      await this.jobs.finish(job.id, this.owner, { kind: 'done' });
      replaysTotal.inc({ outcome: 'done' });
      this.log.info(
        { ...facts, read: progress.read, known: progress.known, published: progress.published },
        'replay.done',
      );
    }
  }

  /** Without what the writer has taken in under these rules already. It has no rows of files: all of them are news. */
  private async newsOf(
    changes: readonly ReceivedRecord<ChangeEvent>[],
    syncId: string,
    mappingVersion: number,
  ): Promise<ReceivedRecord<ChangeEvent>[]> {
    const told = changes.map((change) => {
      const { entityType, id: sourceId, version } = change.value!;
      return { change, syncId, entityType, sourceId, version, mappingVersion };
    });
    return (await this.links.newsOf(told)).map(({ change }) => change);
  }
}
