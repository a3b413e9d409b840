// From one change and one sync to the records to publish. Pure between decode and publish: same change, same rules, same
// records with the same ids, so a second delivery is recognised everywhere.
import { desiredHash, mapChange, type Mapped, type RuleSet } from '#core';
import { eventIdOf, topics, type AttachmentEvent, type ChangeEvent, type Lane, type WriteEvent } from '#contracts';
import type { EventRecord } from '#kafka';

/** What is known of a change beside its value. */
export interface ChangeContext {
  changeId: string;
  time: Date;
  traceparent?: string | undefined;
  lane: Lane;
}

export interface SyncPair {
  id: string;
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
}

export type MappedOutcome = Mapped['kind'];

export interface MappedRecord {
  outcome: MappedOutcome;
  /** absent for what no rule could ever carry */
  record?: EventRecord<WriteEvent | AttachmentEvent>;
  code?: string;
  reason?: string;
}

export function mappedRecord(
  change: ChangeEvent,
  context: ChangeContext,
  sync: SyncPair,
  rules: RuleSet,
): MappedRecord {
  const mapped = mapChange(change, rules);
  switch (mapped.kind) {
    case 'write':
      return { outcome: 'write', record: writeRecord({ ...mapped.write, ...idsOf(sync, context) }, context) };
    case 'attachment': {
      const value: AttachmentEvent = { ...mapped.attachment, ...idsOf(sync, context) };
      const id = eventIdOf('attachment', sync.id, value.attachableId, value.version, context.lane);
      return { outcome: 'attachment', record: envelope(topics.attachments.name, id, value, context) };
    }
    case 'excluded':
      return { outcome: 'excluded', reason: mapped.reason, ...exclusionRecord(change, context, sync, mapped) };
    case 'failed': {
      const { code, message } = mapped;
      const failed: WriteEvent = {
        ...idsOf(sync, context),
        entityType: change.entityType,
        sourceId: change.id,
        version: change.version,
        op: 'fail',
        // A repaired mapping gives another hash; the same failure again is no news.
        desiredHash: desiredHash('fail', { code, message }, []),
        references: [],
        mappingVersion: mapped.mappingVersion,
        failure: { code, message },
      };
      return { outcome: 'failed', record: writeRecord(failed, context), code, reason: message };
    }
    default:
      return mapped satisfies never;
  }
}

/**
 * What a rule leaves out is told too: children learn at once why their parent does not come, and what was carried before
 * follows the sync's policy. Files have no children, and a copy of one stays.
 */
function exclusionRecord(
  change: ChangeEvent,
  context: ChangeContext,
  sync: SyncPair,
  { reason, mappingVersion }: Extract<Mapped, { kind: 'excluded' }>,
): Pick<MappedRecord, 'record'> {
  if (mappingVersion === undefined || change.entityType === 'Attachable') return {};
  const value: WriteEvent = {
    ...idsOf(sync, context),
    entityType: change.entityType,
    sourceId: change.id,
    version: change.version,
    op: 'exclude',
    desiredHash: desiredHash('exclude', undefined, []),
    references: [],
    mappingVersion,
    failure: { code: 'MAPPING.EXCLUDED', message: reason },
  };
  return { record: writeRecord(value, context) };
}

function idsOf(sync: SyncPair, { changeId, lane }: ChangeContext) {
  const { id: syncId, organizationId, sourceRealmId, targetRealmId } = sync;
  return { syncId, organizationId, sourceRealmId, targetRealmId, changeId, lane };
}

function writeRecord(value: WriteEvent, context: ChangeContext): EventRecord<WriteEvent> {
  const { syncId, entityType, sourceId, version, mappingVersion, lane } = value;
  const id = eventIdOf('write', syncId, entityType, sourceId, version, String(mappingVersion), lane);
  return envelope(topics.writes.name, id, value, context);
}

function envelope<T extends WriteEvent | AttachmentEvent>(
  topic: string,
  id: string,
  value: T,
  { time, traceparent }: ChangeContext,
): EventRecord<T> {
  return { topic, key: value.targetRealmId, id, time, ...(traceparent ? { traceparent } : {}), value };
}
