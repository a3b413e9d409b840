// What changes a sync: each command is one transaction with its audit event.
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { canonicalText, patched, reconsideredBy, typesInRankOrder, type Json } from '#core';
import {
  addSettings,
  Companies,
  Database,
  Jobs,
  lockSettings,
  mirrorAll,
  mirrorAllFiles,
  reconsider,
  requestSweep,
  settingsVersions,
  Syncs,
} from '#storage';
import type { Company, Job, JobKind, SettingsVersion, SyncRow } from '#storage';
import { AuditTrail } from '../audit-trail.js';
import { mistakes, notFound, Problem } from '#common/problems';
import { judgePair } from './judge-pair.js';
import { judgeSettings } from './judge-settings.js';

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

  /**
   * A new version of the settings. What stayed undone because of the old ones is ready again in the same transaction, and the
   * writer plans it under the new ones; a round that was planned under the old ones decides nothing any more (links.decide).
   * The same settings once more are no version. @throws Problem
   */
  async changeSettings(sync: SyncRow, change: SettingsChange): Promise<{ sync: SyncRow; reconsidered: number }> {
    const fixed = Object.entries(change.fixed).filter(
      ([name, value]) => value !== undefined && value !== sync[name as keyof SyncRow],
    );
    if (fixed.length > 0) throw neverChanges(fixed.map(([name]) => name));
    const { organizationId, id: syncId } = sync;
    return this.db.withTenant(organizationId, async (tx) => {
      const now = (await lockSettings(tx, syncId))!;
      if (change.version !== undefined && change.version !== now.version) throw changedMeanwhile(syncId, now.version);
      const settings = patched(now.settings, change.patch);
      const odd = judgeSettings(settings);
      if (odd.length > 0) throw mistakes(odd);
      const same = { ...sync, settings: now.settings, settingsVersion: now.version };
      if (canonicalText(settings) === canonicalText(now.settings)) return { sync: same, reconsidered: 0 };
      const { author, reason } = change;
      const version = now.version + 1;
      await addSettings(tx, { syncId, organizationId, version, settings, author, reason });
      const what = reconsideredBy(
        now.settings,
        settings,
        typesInRankOrder().map(({ type }) => type),
      );
      const reconsidered = await reconsider(tx, syncId, what, this.clock.now());
      await this.audit.tell(tx, {
        ...{ organizationId, action: 'sync.settings.changed', subject: syncId },
        details: { version, before: now.settings, settings, author, reason, reconsidered },
      });
      return { sync: { ...same, settings, settingsVersion: version }, reconsidered };
    });
  }

  /** The newest hundred, newest first. */
  settingsVersions(sync: SyncRow): Promise<SettingsVersion[]> {
    return settingsVersions(this.db, sync.id, 100);
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

export interface SettingsChange {
  patch: Json;
  /** the version that the patch was made for */
  version?: number | undefined;
  author: string;
  reason: string;
  /** what a sync is for ever, when the caller names it */
  fixed: Partial<Pick<SyncRow, 'sourceRealmId' | 'targetRealmId' | 'organizationId'>>;
}

const neverChanges = (fields: readonly string[]): Problem =>
  new Problem({
    status: 409,
    code: 'SYNC.FIXED',
    title: 'A sync keeps its two companies for ever',
    detail: `${fields.join(', ')} cannot be changed: every record that was written belongs to these two companies.`,
    hint: 'Make another sync with POST /v1/syncs, and pause this one.',
  });

const changedMeanwhile = (id: string, version: number): Problem =>
  new Problem({
    status: 409,
    code: 'SETTINGS.CHANGED',
    title: 'The settings were changed meanwhile',
    detail: `Sync ${id} has version ${version} of its settings by now.`,
    hint: `Look at them with GET /v1/syncs/${id}/settings, and change that version.`,
  });

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
