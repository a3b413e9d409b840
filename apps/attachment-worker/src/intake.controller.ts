// sync.attachments -> rows of `attachment_links`. Nothing slow: one statement for a batch, then the loops are woken.
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { CLOCK, type Clock } from '#common/clock';
import { topics, type AttachmentEvent } from '#contracts';
import { BATCHES, type RecordBatch } from '#kafka';
import { AttachmentLinks, type DesiredAttachmentRow } from '#storage';
import { Carriers } from './realm/carriers.js';

@Controller()
export class IntakeController {
  constructor(
    @Inject(AttachmentLinks) private readonly links: AttachmentLinks,
    @Inject(Carriers) private readonly carriers: Carriers,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @EventPattern<string>(topics.attachments.name, BATCHES)
  async take(@Payload() batch: RecordBatch<AttachmentEvent>): Promise<void> {
    const rows = batch.records.flatMap(({ value, traceparent }) => (value ? [desiredRow(value, traceparent)] : []));
    const news = await this.links.intake(rows, this.clock.now());
    for (const realmId of new Set(news.map((row) => row.targetRealmId))) this.carriers.wake(realmId);
  }
}

function desiredRow(event: AttachmentEvent, traceparent: string | undefined): DesiredAttachmentRow {
  const { version, deleted, fileName, contentType, size, note, category, references } = event;
  return {
    syncId: event.syncId,
    attachableId: event.attachableId,
    organizationId: event.organizationId,
    sourceRealmId: event.sourceRealmId,
    targetRealmId: event.targetRealmId,
    lane: event.lane,
    desired: { version, deleted, fileName, contentType, size, note, category, references },
    changeId: event.changeId,
    traceparent,
  };
}
