// Announcements for sync.results: what became of one desired version of an attachment.
import { eventIdOf, topics, type ResultEvent } from '#contracts';
import type { OutboxRecord, StoredAttachment } from '#storage';

export interface AttachmentOutcome {
  outcome: 'attached' | 'updated' | 'deleted' | 'held' | 'failed';
  code?: string;
  reason?: string;
}

export function announce(
  stored: StoredAttachment,
  outcome: AttachmentOutcome,
  facts: { at: Date; targetId?: string | undefined; targetSyncToken?: string | undefined; tid?: string | undefined },
): OutboxRecord {
  const { link } = stored;
  const targetId = facts.targetId ?? link.target?.id;
  const targetSyncToken = facts.targetSyncToken ?? link.target?.syncToken;
  const value: ResultEvent = {
    syncId: stored.syncId,
    organizationId: stored.organizationId,
    sourceRealmId: stored.sourceRealmId,
    targetRealmId: stored.targetRealmId,
    entityType: 'Attachable',
    sourceId: stored.attachableId,
    version: link.desired.version,
    changeId: stored.changeId,
    ...outcome,
    ...(targetId === undefined ? {} : { targetId }),
    ...(targetSyncToken === undefined ? {} : { targetSyncToken }),
    attempt: link.attempts + 1,
    ...(stored.requestId === undefined ? {} : { requestId: stored.requestId }),
    ...(facts.tid === undefined ? {} : { tid: facts.tid }),
    lane: stored.lane,
    settledAt: facts.at.toISOString(),
    durationMs: Math.max(0, facts.at.getTime() - stored.desiredAt.getTime()),
  };
  const { syncId, sourceId, version, attempt } = value;
  return {
    topic: topics.results.name,
    key: stored.targetRealmId,
    eventId: eventIdOf(
      'attachment result',
      syncId,
      sourceId,
      version,
      outcome.outcome,
      String(attempt),
      outcome.code ?? '',
    ),
    eventTime: facts.at,
    traceparent: stored.traceparent,
    value,
  };
}
