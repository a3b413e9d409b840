// Notifications say "look": one statement per batch marks the companies as due. A second telling raises a counter, nothing
// else. What a look cannot find out by itself, that one name became another, is kept.
import { failpoint } from '#common/failpoints';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { topics } from '#contracts';
import { definitionOf, knownType } from '#core';
import type { NotificationEvent } from '#contracts';
import type { BatchContext, RecordBatch } from '#kafka';
import { CaptureStore } from '#storage';
import type { Settings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { CaptureLoop } from './capture-loop.js';
import type { LookHints } from './capture-loop.js';

@Controller()
export class NotificationsController {
  constructor(
    @Inject(CaptureStore) private readonly store: CaptureStore,
    @Inject(CaptureLoop) private readonly loop: CaptureLoop,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'coalesceMs'>,
  ) {}

  @EventPattern<string>(topics.notifications.name)
  async on(@Payload() batch: RecordBatch<NotificationEvent>, @Ctx() _context: BatchContext): Promise<void> {
    const requests: { realmId: string; notifiedAt: Date | null }[] = [];
    const hints = new Map<string, LookHints>();
    const merges: { realmId: string; type: string; id: string; mergedInto: string }[] = [];
    for (const { value, traceparent } of batch.records) {
      if (!value) continue;
      const receivedAt = new Date(value.receivedAt);
      const notifiedAt = value.source === 'webhook' && !Number.isNaN(receivedAt.getTime()) ? receivedAt : null;
      requests.push({ realmId: value.realmId, notifiedAt });
      let known = hints.get(value.realmId);
      if (!known) hints.set(value.realmId, (known = { traceparent, uncovered: new Set() }));
      known.traceparent ??= traceparent;
      for (const { entityType, id, operation, deletedId } of value.entities) {
        if (knownType(entityType) && !definitionOf(entityType).cdc) known.uncovered.add(entityType);
        if (operation === 'merge' && deletedId !== undefined && knownType(entityType))
          merges.push({ realmId: value.realmId, type: entityType, id: deletedId, mergedInto: id });
      }
    }
    // Written down: a look by another process, or a later one, must know it too.
    await this.store.noteMerges(merges, this.clock.now());
    const dueAt = new Date(this.clock.nowMs() + this.settings.coalesceMs);
    await failpoint('notified.before-mark');
    const raised = await this.store.requestLooks(requests, dueAt);
    await failpoint('notified.marked');
    this.loop.expect(raised, dueAt, hints);
  }
}
