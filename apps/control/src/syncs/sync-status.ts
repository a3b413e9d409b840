// The whole state of one sync on one page: counts, capture, jobs, lag, quota, the last thing that went wrong, and whether
// anything still moves.
import { Injectable } from '@nestjs/common';
import { typesInRankOrder } from '#core';
import { AttachmentReport, Companies, Database, GovernorStore, Jobs, LinkReport, sweepOf } from '#storage';
import type { Company, QuotaUse, SyncRow } from '#storage';
import { KafkaLag } from './kafka-lag.js';
import { motionOf } from './quiet.js';

const jobsShown = 5;

@Injectable()
export class SyncStatus {
  constructor(
    private readonly db: Database,
    private readonly companies: Companies,
    private readonly jobs: Jobs,
    private readonly links: LinkReport,
    private readonly files: AttachmentReport,
    private readonly governor: GovernorStore,
    private readonly kafka: KafkaLag,
  ) {}

  async of(sync: SyncRow) {
    // Stages are read in the order in which work passes through them: capture and jobs, Kafka, links, files. Work that moves on
    // meanwhile is met again further down; in any other order it could slip past and the sync look quiet.
    const [capture, jobs] = await Promise.all([
      this.capture(sync.sourceRealmId),
      this.jobs.list({ syncId: sync.id, limit: jobsShown }),
    ]);
    const lag = await this.kafka.read();
    const counts = await this.links.counts(sync.id);
    const [reported, attachments, writes, outbox, quota, platform, circuits, lastError, source, target] =
      await Promise.all([
        this.reported(sync.sourceRealmId),
        this.files.counts(sync.id),
        this.links.lag(sync.id),
        this.outbox(),
        this.governor.quotaUse([sync.sourceRealmId, sync.targetRealmId]),
        this.governor.platform.read(),
        this.governor.platform.companies([sync.sourceRealmId, sync.targetRealmId]),
        this.links.lastFailure(sync.id),
        this.companies.find(sync.sourceRealmId),
        this.companies.find(sync.targetRealmId),
      ]);
    const byState: Record<string, number> = {};
    const byType: Record<string, Record<string, number>> = {};
    for (const { entityType, state, count } of counts) {
      byState[state] = (byState[state] ?? 0) + count;
      (byType[entityType] ??= {})[state] = count;
    }
    const heldBack = (byState.held ?? 0) + (byState.failed ?? 0) + (attachments.held ?? 0) + (attachments.failed ?? 0);
    const unfinished = jobs.items.filter(
      (job) =>
        (job.state === 'queued' || job.state === 'running') &&
        // A rollback that waits for nothing but a person does not move.
        !(job.kind === 'rollback' && job.progress.told === true && heldBack > 0),
    );
    const motion = motionOf({
      links: byState,
      attachments,
      unfinishedJobs: unfinished.length,
      lookPending: capture?.lookPending ?? false,
      outbox: outbox.size,
      kafkaLag: lag?.reduce((sum, entry) => sum + entry.lag, 0),
    });
    return {
      sweep: await sweepOf(this.db, sync.id),
      source: companySummary(source),
      target: companySummary(target),
      quiet: motion.length === 0,
      motion,
      counts: { total: counts.reduce((sum, entry) => sum + entry.count, 0), byState, byType },
      reported,
      attachments,
      capture: capture ?? null,
      jobs: jobs.items.map((job) => ({
        id: job.id,
        kind: job.kind,
        state: job.state,
        // started by itself, because records were lost: libs/storage, consumer-places.ts
        because: (job.params.because as string | undefined) ?? null,
        progress: job.progress,
        error: job.error,
        createdAt: job.createdAt,
        startedAt: job.startedAt,
        finishedAt: job.finishedAt,
      })),
      lag: { kafka: lag ?? null, writes: { pending: writes.pending, oldestDesiredAt: writes.oldestDesiredAt } },
      outbox,
      quota: { source: quotaView(quota.get(sync.sourceRealmId)), target: quotaView(quota.get(sync.targetRealmId)) },
      circuits: {
        platform: platform.open ? { state: 'open', since: new Date(platform.sinceMs) } : { state: 'closed' },
        source: circuits.get(sync.sourceRealmId) ?? { state: 'closed' },
        target: circuits.get(sync.targetRealmId) ?? { state: 'closed' },
      },
      lastError: lastError ?? null,
    };
  }

  private async capture(realmId: string) {
    const [row] = await this.db.query<{
      completeUpTo: Date | null;
      cdcSince: Date;
      dueAt: Date;
      notifiedAt: Date | null;
      lookRequested: string;
      lookDone: string;
      lookPending: boolean;
      failures: number;
      lastError: string | null;
    }>(
      `select complete_up_to as "completeUpTo", cdc_since as "cdcSince", due_at as "dueAt", notified_at as "notifiedAt",
         look_requested as "lookRequested", look_done as "lookDone",
         look_requested > look_done or notified_at is not null or complete_up_to is null as "lookPending", failures, last_error as "lastError"
       from capture_cursors where realm_id = $1`,
      [realmId],
    );
    return row;
  }

  /** What the source has and no sync carries: said with its reason and number, never passed over in silence. */
  private async reported(realmId: string): Promise<{ type: string; records: number; reason: string }[]> {
    const types = typesInRankOrder().filter(({ policy }) => policy === 'reported');
    const rows = await this.db.query<{ type: string; records: number }>(
      `select entity_type as type, count(*)::int as records from captured_entities
       where realm_id = $1 and entity_type = any($2) and not deleted group by entity_type`,
      [realmId, types.map(({ type }) => type)],
    );
    const records = new Map(rows.map((row) => [row.type, row.records]));
    return types.map(({ type, reportedBecause: reason = '' }) => ({ type, records: records.get(type) ?? 0, reason }));
  }

  private async outbox(): Promise<{ size: number; oldest: Date | null; refused: number }> {
    const [row] = await this.db.query<{ size: number; oldest: Date | null; refused: number }>(
      `select count(*) filter (where refused is null)::int as size, min(event_time) filter (where refused is null) as oldest,
         count(refused)::int as refused from outbox`,
    );
    return row!;
  }
}

const companySummary = (company: Company | undefined) =>
  company && {
    realmId: company.realmId,
    name: company.name,
    status: company.status,
    statusReason: company.statusReason,
    homeCurrency: company.homeCurrency,
  };

const quotaView = (use: QuotaUse | undefined) => use ?? null;
