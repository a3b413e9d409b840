// Backfill jobs: the same changes as capture, paged by query in the order of dependency ranks, lane bulk. Each page is
// published and written into the job's progress in one transaction, so whoever takes the job over goes on with the next
// page. Modes of the loop: idle -> running -> stopping (the page in hand ends, the job is given back) -> stopped.
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Lifecycle, Repeated } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { EventProducer } from '#kafka';
import { QboClient } from '#qbo';
import { CaptureStore, Jobs, Syncs } from '#storage';
import type { Job } from '#storage';
import { ChangePublisher } from '../capture/change-publisher.js';
import { SourceReader } from '../capture/source-reader.js';
import { jobsTotal } from '../ingest.metrics.js';
import type { Settings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { Backfill, JobLost } from './backfill.js';

const pollMs = 1000;

@Injectable()
export class BackfillLoop implements OnApplicationBootstrap {
  private readonly log = createLog('backfill');
  private readonly owner = `ingest-${randomUUID()}`;
  private readonly active = new Set<Promise<void>>();
  private readonly loop: Repeated;
  private readonly reader: SourceReader;
  private readonly publisher: ChangePublisher;

  constructor(
    @Inject(Jobs) private readonly jobs: Jobs,
    @Inject(Syncs) private readonly syncs: Syncs,
    @Inject(CaptureStore) store: CaptureStore,
    @Inject(QboClient) qbo: QboClient,
    @Inject(EventProducer) producer: EventProducer,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'backfillsAtOnce' | 'jobLeaseMs'>,
  ) {
    const now = () => clock.now();
    this.reader = new SourceReader(qbo, now);
    this.publisher = new ChangePublisher(producer, store, now);
    this.loop = new Repeated((stopping) => this.take(stopping), { clock, log: this.log, failed: 'jobs not read' });
  }

  onApplicationBootstrap(): void {
    this.lifecycle.onDrain('backfill loop', () => this.stop());
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.active);
  }

  private async take(stopping: AbortSignal): Promise<number> {
    while (this.active.size < this.settings.backfillsAtOnce && !stopping.aborted) {
      const job = await this.jobs.claim('backfill', this.owner, this.settings.jobLeaseMs);
      if (!job) break;
      const work = this.work(job, stopping).finally(() => this.active.delete(work));
      this.active.add(work);
    }
    return pollMs;
  }

  private async work(job: Job, stopping: AbortSignal): Promise<void> {
    const lost = new AbortController();
    const signal = AbortSignal.any([stopping, lost.signal]);
    const renewal = setInterval(() => {
      this.jobs
        .renew(job.id, this.owner, this.settings.jobLeaseMs)
        .then((ours) => !ours && lost.abort(new JobLost(job.id)))
        .catch((error: unknown) => this.log.warn({ job: job.id, err: error }, 'lease not renewed'));
    }, this.settings.jobLeaseMs / 4);
    const fields = { job: job.id, sync: job.syncId };
    try {
      const sync = await this.syncs.find(job.syncId);
      if (!sync) throw new Error(`sync ${job.syncId} does not exist`);
      const { reader, publisher, jobs, owner, clock, log } = this;
      const backfill = new Backfill({ reader, publisher, jobs, owner, clock, log }, job, sync.sourceRealmId, signal);
      const outcome = await backfill.run();
      await this.jobs.finish(job.id, this.owner, outcome);
      jobsTotal.inc({ outcome: outcome.kind });
      this.log.info({ ...fields, realm: sync.sourceRealmId, outcome, ...backfill.totals }, 'backfill.ended');
    } catch (error) {
      if (lost.signal.aborted || error instanceof JobLost) this.log.warn(fields, 'backfill.given_up');
      else if (stopping.aborted) await this.jobs.release(job.id, this.owner).catch(() => undefined);
      // Anything else (PostgreSQL away): the lease runs out and the job is taken up again where it was.
      else this.log.error({ ...fields, err: error }, 'backfill.interrupted');
    } finally {
      clearInterval(renewal);
    }
  }
}
