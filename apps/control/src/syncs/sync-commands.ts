// What changes a sync: each command is one transaction with its audit event.
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import type { Json } from '#core';
import { Companies, Database, Jobs, mirrorAll, mirrorAllFiles, requestSweep, Syncs } from '#storage';
import type { Company, Job, JobKind, SyncRow } from '#storage';
import { AuditTrail } from '../audit-trail.js';
import { notFound, Problem } from '#common/problems';
import { judgePair } from './judge-pair.js';

@Injectable()
export class SyncCommands {
  constructor(
    private readonly db: Database,
    private readonly companies: Companies,
    private readonly syncs: Syncs,
    private readonly jobs: Jobs,
    private readonly audit: AuditTrail,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Creates the sync and, with it, the capture cursor of its source: every change from this moment on will be seen. */
  async create(request: {
    sourceRealmId: string;
    targetRealmId: string;
    organizationId?: string;
    settings: Json;
  }): Promise<SyncRow> {
    const [source, target] = await Promise.all([
      this.company(request.sourceRealmId),
      this.company(request.targetRealmId),
    ]);
    return this.db.withTransaction(async (tx) => {
      await this.syncs.lockPairs(tx);
      const syncs = await this.syncs.ofOrganization(source.organizationId, tx);
      const refusal = judgePair({ source, target, organizationId: request.organizationId, syncs });
      if (refusal) throw new Problem(refusal);
      const { organizationId } = source;
      const outcome = await this.syncs.create(tx, {
        id: randomUUID(),
        organizationId,
        sourceRealmId: source.realmId,
        targetRealmId: target.realmId,
        settings: request.settings,
        captureSince: this.clock.now(),
      });
      if (outcome.kind === 'exists') throw pairExists(source.realmId, target.realmId);
      const opposite = syncs.find(
        (one) => one.sourceRealmId === target.realmId && one.targetRealmId === source.realmId,
      );
      // What the opposite sync linked is linked for this one too: nothing of it is made a second time.
      const mirrored = opposite ? await mirrorAll(tx, { ...pairOf(outcome.sync), oppositeId: opposite.id }) : 0;
      if (opposite) await mirrorAllFiles(tx, opposite.id);
      await this.audit.tell(tx, {
        organizationId,
        action: 'sync.created',
        subject: outcome.sync.id,
        details: {
          ...{ sourceRealmId: source.realmId, targetRealmId: target.realmId, settings: request.settings },
          ...(opposite ? { opposite: opposite.id, mirrored } : {}),
        },
      });
      return outcome.sync;
    });
  }

  /** Idempotent; only a change is told. */
  async setState(sync: SyncRow, state: SyncRow['state']): Promise<SyncRow> {
    await this.db.withTenant(sync.organizationId, async (tx) => {
      if (!(await this.syncs.setState(tx, sync.id, state))) return;
      const action = state === 'paused' ? 'sync.paused' : 'sync.resumed';
      await this.audit.tell(tx, { organizationId: sync.organizationId, action, subject: sync.id, details: {} });
    });
    return { ...sync, state };
  }

  /** @throws Problem for one of two opposite syncs: each carries what is edited in the target of the other */
  async sweep(sync: SyncRow): Promise<Date> {
    const syncs = await this.syncs.ofOrganization(sync.organizationId);
    if (syncs.some((one) => one.sourceRealmId === sync.targetRealmId && one.targetRealmId === sync.sourceRealmId)) {
      throw nothingToSweep(sync.id);
    }
    const at = this.clock.now();
    const { organizationId, id: subject } = sync;
    await this.db.withTransaction(async (tx) => {
      await requestSweep(tx, sync.id, at);
      await this.audit.tell(tx, { organizationId, action: 'sync.sweep.requested', subject, details: {} });
    });
    return at;
  }

  async start(sync: SyncRow, kind: JobKind, params: Json): Promise<Job> {
    const { organizationId } = sync;
    return this.db.withTenant(organizationId, async (tx) => {
      const outcome = await this.jobs.create(tx, { id: randomUUID(), organizationId, syncId: sync.id, kind, params });
      if (outcome.kind === 'unfinished') throw unfinished(kind, outcome.jobId);
      await this.audit.tell(tx, {
        organizationId,
        action: `sync.${kind}.started`,
        subject: sync.id,
        details: { jobId: outcome.job.id, params },
      });
      return outcome.job;
    });
  }

  private async company(realmId: string): Promise<Company> {
    const company = await this.companies.find(realmId);
    if (!company) throw notFound('company', realmId, 'Connect it with POST /v1/companies first.');
    return company;
  }
}

const pairOf = ({ id: syncId, organizationId, sourceRealmId, targetRealmId }: SyncRow) => ({
  ...{ syncId, organizationId, sourceRealmId, targetRealmId },
});

const nothingToSweep = (id: string): Problem =>
  new Problem({
    status: 409,
    code: 'SWEEP.PAIR',
    title: 'One of two opposite syncs is not swept',
    detail: `What is edited in the target of ${id} is a change that the opposite sync carries.`,
    hint: 'Ask for a look: POST /v1/companies/{realmId}/look.',
  });

const pairExists = (source: string, target: string): Problem =>
  new Problem({
    status: 409,
    code: 'SYNC.EXISTS',
    title: 'This pair has a sync',
    detail: `There is a sync from ${source} to ${target} already.`,
    hint: 'GET /v1/syncs lists it; change that one.',
  });

const unfinished = (kind: JobKind, jobId: string): Problem =>
  new Problem({
    status: 409,
    code: 'JOB.UNFINISHED',
    title: `A ${kind} is at work`,
    detail: `Job ${jobId} of this sync is not finished.`,
    hint: `Watch it at GET /v1/jobs/${jobId}; start another when it is done.`,
  });
