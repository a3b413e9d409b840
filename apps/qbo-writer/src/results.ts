// Announcements for sync.results: what became of one desired version.
import { createHash } from 'node:crypto';
import { topics, type ResultEvent } from '#contracts';
import type { DesiredLink, OutboxRecord, StoredLink } from '#storage';
import type { Outcome } from '#core';

export interface AnnouncedFacts {
  outcome: Outcome;
  /** the version this outcome is about; the desired one may have moved on */
  version: string;
  targetId?: string | undefined;
  targetSyncToken?: string | undefined;
  /** tries made for this version; 0 when no call was made */
  attempt: number;
  requestId?: string | undefined;
  tid?: string | undefined;
  settledAt: Date;
}

export function announce(link: StoredLink, facts: AnnouncedFacts): OutboxRecord {
  const value: ResultEvent = {
    syncId: link.syncId,
    organizationId: link.organizationId,
    sourceRealmId: link.sourceRealmId,
    targetRealmId: link.targetRealmId,
    entityType: link.entityType,
    sourceId: link.sourceId,
    version: facts.version,
    changeId: link.changeId,
    outcome: facts.outcome.outcome,
    ...(facts.targetId === undefined ? {} : { targetId: facts.targetId }),
    ...(facts.targetSyncToken === undefined ? {} : { targetSyncToken: facts.targetSyncToken }),
    attempt: facts.attempt,
    ...(facts.requestId === undefined ? {} : { requestId: facts.requestId }),
    ...(facts.tid === undefined ? {} : { tid: facts.tid }),
    ...(facts.outcome.code === undefined ? {} : { code: facts.outcome.code }),
    ...(facts.outcome.reason === undefined ? {} : { reason: facts.outcome.reason }),
    lane: link.lane,
    settledAt: facts.settledAt.toISOString(),
    durationMs: Math.max(0, facts.settledAt.getTime() - link.desiredAt.getTime()),
  };
  return {
    topic: topics.results.name,
    key: link.targetRealmId,
    eventId: resultId(value),
    eventTime: facts.settledAt,
    traceparent: link.traceparent,
    value,
  };
}

/** The same announcement with another outcome. */
export function retold(record: OutboxRecord, outcome: Outcome): OutboxRecord {
  const value = { ...(record.value as unknown as ResultEvent), ...outcome };
  return { ...record, eventId: resultId(value), value };
}

/** Held because of the record it waits for, as the row says. */
export function announceHeld(held: StoredLink, at: Date): OutboxRecord {
  const { state, desired, target } = held.link;
  const why = state.kind === 'held' ? { code: state.code, reason: state.reason } : {};
  const outcome: Outcome = { outcome: 'held', ...why };
  return announce(held, { outcome, version: desired.version, targetId: target?.id, attempt: 0, settledAt: at });
}

/** A mapping that failed: known at intake, no call will ever be made for it. */
export function announceFailedMapping(desired: DesiredLink, at: Date): OutboxRecord {
  const value: ResultEvent = {
    syncId: desired.syncId,
    organizationId: desired.organizationId,
    sourceRealmId: desired.sourceRealmId,
    targetRealmId: desired.targetRealmId,
    entityType: desired.entityType,
    sourceId: desired.sourceId,
    version: desired.version,
    changeId: desired.changeId,
    outcome: 'failed',
    attempt: 0,
    code: desired.failure?.code ?? 'MAPPING.FAILED',
    reason: desired.failure?.reason ?? 'the mapping failed',
    lane: desired.lane,
    settledAt: at.toISOString(),
    durationMs: 0,
  };
  return {
    topic: topics.results.name,
    key: desired.targetRealmId,
    eventId: resultId(value),
    eventTime: at,
    traceparent: desired.traceparent,
    value,
  };
}

/** One id per outcome of one try of one version: a second delivery of the same announcement is dropped by it. */
function resultId(value: ResultEvent): string {
  const parts = [
    value.syncId,
    value.entityType,
    value.sourceId,
    value.version,
    value.outcome,
    value.attempt,
    value.requestId,
    value.code,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
