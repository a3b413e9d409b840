// What each event says in the sync log. Pure. Times come from the event: they are part of an entry's identity, so that the
// same event delivered twice is one entry.
import type { AttachmentEvent, ChangeEvent, NotificationEvent, ResultEvent, WriteEvent } from '#contracts';
import { decodeVersion } from '#core';
import type { SyncLogEntry } from '#storage';

/** The part of a received record that is used here. */
export interface Envelope<T> {
  id: string;
  time: Date;
  traceparent?: string;
  value: T | null;
}

/** The type under which files stand in results and in the log. */
export const attachable = 'Attachable';
/** A look that names nothing in particular. */
const everything = '*';

export function notificationEntries(record: Envelope<NotificationEvent>): SyncLogEntry[] {
  if (!record.value) return [];
  const { realmId, source, receivedAt, entities } = record.value;
  const named = entities.length > 0 ? entities : [{ entityType: everything, id: everything, operation: 'look' }];
  return named.map((entity) => ({
    at: moment(receivedAt, record.time),
    eventId: record.id,
    stage: 'notified',
    realmId,
    entityType: entity.entityType,
    entityId: entity.id,
    outcome: entity.operation,
    traceparent: record.traceparent,
    details: { source, ...pick(entity, 'eventId', 'time', 'deletedId') },
  }));
}

export function changeEntries(record: Envelope<ChangeEvent>): SyncLogEntry[] {
  if (!record.value) return [];
  const change = record.value;
  return [
    {
      at: observedAt(change.version, record.time),
      eventId: record.id,
      stage: 'captured',
      realmId: change.realmId,
      entityType: change.entityType,
      entityId: change.id,
      version: change.version,
      outcome: change.origin.kind,
      changeId: record.id,
      traceparent: record.traceparent,
      details: {
        deleted: change.deleted,
        lane: change.lane,
        ...pick(change.origin, 'jobId'),
        ...pick(change, 'mergedInto', 'notifiedAt', 'contentHash'),
      },
    },
  ];
}

export function writeEntries(record: Envelope<WriteEvent>): SyncLogEntry[] {
  if (!record.value) return [];
  const write = record.value;
  return [
    {
      ...syncFacts(write),
      at: record.time,
      eventId: record.id,
      stage: 'mapped',
      entityType: write.entityType,
      entityId: write.sourceId,
      outcome: write.op,
      code: write.failure?.code,
      reason: write.failure?.message,
      traceparent: record.traceparent,
      details: {
        lane: write.lane,
        mappingVersion: write.mappingVersion,
        desiredHash: write.desiredHash,
        references: write.references.map((reference) => `${reference.entityType}/${reference.sourceId}`),
      },
    },
  ];
}

export function attachmentEntries(record: Envelope<AttachmentEvent>): SyncLogEntry[] {
  if (!record.value) return [];
  const file = record.value;
  return [
    {
      ...syncFacts(file),
      at: record.time,
      eventId: record.id,
      stage: 'mapped',
      entityType: attachable,
      entityId: file.attachableId,
      outcome: file.deleted ? 'delete' : 'upsert',
      traceparent: record.traceparent,
      details: {
        lane: file.lane,
        ...pick(file, 'fileName', 'contentType', 'size'),
        references: file.references.map((reference) => `${reference.entityType}/${reference.sourceId}`),
      },
    },
  ];
}

export function resultEntries(record: Envelope<ResultEvent>): SyncLogEntry[] {
  if (!record.value) return [];
  const result = record.value;
  return [
    {
      ...syncFacts(result),
      at: moment(result.settledAt, record.time),
      eventId: record.id,
      stage: result.entityType === attachable ? 'attachment' : 'settled',
      entityType: result.entityType,
      entityId: result.sourceId,
      targetId: result.targetId,
      targetSyncToken: result.targetSyncToken,
      outcome: result.outcome,
      attempt: result.attempt,
      requestId: result.requestId,
      tid: result.tid,
      code: result.code,
      reason: result.reason,
      traceparent: record.traceparent,
      durationMs: result.durationMs,
      details: { lane: result.lane },
    },
  ];
}

type SyncEvent = Pick<
  WriteEvent,
  'syncId' | 'organizationId' | 'sourceRealmId' | 'targetRealmId' | 'version' | 'changeId'
>;

const syncFacts = (event: SyncEvent) => ({
  syncId: event.syncId,
  organizationId: event.organizationId,
  realmId: event.sourceRealmId,
  targetRealmId: event.targetRealmId,
  version: event.version,
  changeId: event.changeId,
});

/** A change is logged at the moment it was seen, which its version carries; its own time may be hours earlier. */
function observedAt(version: string, otherwise: Date): Date {
  try {
    return moment(decodeVersion(version).observedAt, otherwise);
  } catch {
    return otherwise;
  }
}

function moment(text: string, otherwise: Date): Date {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? otherwise : new Date(ms);
}

function pick<T extends object, K extends keyof T>(from: T, ...names: K[]): Partial<Pick<T, K>> {
  return Object.fromEntries(
    names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]),
  ) as Partial<Pick<T, K>>;
}
