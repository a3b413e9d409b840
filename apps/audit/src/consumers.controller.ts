// Everything that happens is written down: five topics into the sync log, audit events into the chain. One bulk statement
// per batch; committed offsets follow the rows, and a redelivered batch finds its rows there.
import { failpoint } from '#common/failpoints';
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { topics } from '#contracts';
import type { AttachmentEvent, AuditEvent, ChangeEvent, NotificationEvent, ResultEvent, WriteEvent } from '#contracts';
import { BATCHES } from '#kafka';
import type { ReceivedRecord, RecordBatch } from '#kafka';
import { AuditLog, SyncLog } from '#storage';
import type { AuditEntry, SyncLogEntry } from '#storage';
import { entriesTotal, freshnessSeconds, settledTotal, stageSeconds } from './audit.metrics.js';
import { measured } from './freshness.js';
import { attachmentEntries, changeEntries, notificationEntries, resultEntries, writeEntries } from './log-entries.js';

// Keeps one statement below a few megabytes and a few hundred milliseconds.
const entriesPerStatement = 2000;

@Controller()
export class ConsumersController {
  constructor(
    private readonly syncLog: SyncLog,
    private readonly auditLog: AuditLog,
  ) {}

  @EventPattern<string>(topics.notifications.name, BATCHES)
  async onNotifications(@Payload() batch: RecordBatch<NotificationEvent>): Promise<void> {
    await this.write(batch, notificationEntries);
  }

  @EventPattern<string>(topics.changes.name, BATCHES)
  async onChanges(@Payload() batch: RecordBatch<ChangeEvent>): Promise<void> {
    await this.write(batch, changeEntries);
  }

  @EventPattern<string>(topics.writes.name, BATCHES)
  async onWrites(@Payload() batch: RecordBatch<WriteEvent>): Promise<void> {
    await this.write(batch, writeEntries);
  }

  @EventPattern<string>(topics.attachments.name, BATCHES)
  async onAttachments(@Payload() batch: RecordBatch<AttachmentEvent>): Promise<void> {
    await this.write(batch, attachmentEntries);
  }

  @EventPattern<string>(topics.results.name, BATCHES)
  async onResults(@Payload() batch: RecordBatch<ResultEvent>): Promise<void> {
    await this.write(batch, resultEntries);
  }

  @EventPattern<string>(topics.audit.name, BATCHES)
  async onAudit(@Payload() batch: RecordBatch<AuditEvent>): Promise<void> {
    const byOrganization = new Map<string, AuditEntry[]>();
    for (const { id, value } of batch.records) {
      if (!value) continue;
      const entries = byOrganization.get(value.organizationId) ?? [];
      byOrganization.set(value.organizationId, entries);
      const { actor, action, subject, details } = value;
      entries.push({ eventId: id, at: new Date(value.at), actor, action, subject, details });
    }
    for (const [organizationId, entries] of byOrganization) {
      const added = await this.auditLog.append(organizationId, entries);
      entriesTotal.inc({ stage: 'audit', outcome: 'new' }, added);
      entriesTotal.inc({ stage: 'audit', outcome: 'seen' }, entries.length - added);
    }
  }

  private async write<T>(
    batch: RecordBatch<T>,
    entriesOf: (record: ReceivedRecord<T>) => SyncLogEntry[],
  ): Promise<void> {
    await failpoint('audit.before-write');
    const entries = batch.records.flatMap(entriesOf);
    for (let start = 0; start < entries.length; start += entriesPerStatement) {
      const chunk = entries.slice(start, start + entriesPerStatement);
      const added = await this.syncLog.append(chunk);
      const { stage } = chunk[0]!;
      entriesTotal.inc({ stage, outcome: 'new' }, added);
      entriesTotal.inc({ stage, outcome: 'seen' }, chunk.length - added);
      // A redelivered batch was measured already; one that is new in part is measured again, which moves no objective.
      if (added > 0) await this.measure(chunk);
    }
  }

  private async measure(entries: readonly SyncLogEntry[]): Promise<void> {
    const ends: SyncLogEntry[] = [];
    for (const entry of entries) {
      if (entry.stage === 'settled' || entry.stage === 'attachment') {
        const { lane } = entry.details as { lane: string };
        settledTotal.inc({ outcome: entry.outcome ?? 'unknown', lane });
      }
      const found = measured(entry);
      if (found === undefined) continue;
      stageSeconds.observe({ stage: found.stage }, found.seconds);
      if (found.sinceChangeSeconds === undefined) continue;
      freshnessSeconds.observe({ since: 'change' }, found.sinceChangeSeconds);
      ends.push(entry);
    }
    for (const { at, notifiedAt } of await this.syncLog.announced(ends)) {
      const seconds = Math.max(0, at.getTime() - notifiedAt.getTime()) / 1_000;
      freshnessSeconds.observe({ since: 'notified' }, seconds);
    }
    await failpoint('audit.written');
  }
}
