// From a record of sync.writes to a row of the work list.
import { definitionOf, type EntityDefinition } from '#core';
import type { WriteEvent } from '#contracts';
import type { DesiredLink } from '#storage';

/**
 * Removals go children before parents. Transactions first of all work: a payment that is gone in the source still closes its
 * invoice in the target, and the payment that replaced it would be refused. Names last: what uses them must be gone before.
 */
function rankOf({ rank, category }: EntityDefinition, op: WriteEvent['op']): number {
  if (op !== 'delete' && op !== 'exclude') return rank;
  return category === 'transaction' ? -rank : 100 - rank;
}

/** @throws RangeError for a type nobody registered */
export function desiredLink(write: WriteEvent, traceparent: string | undefined): DesiredLink {
  return {
    syncId: write.syncId,
    entityType: write.entityType,
    sourceId: write.sourceId,
    organizationId: write.organizationId,
    sourceRealmId: write.sourceRealmId,
    targetRealmId: write.targetRealmId,
    lane: write.lane,
    rank: rankOf(definitionOf(write.entityType), write.op),
    version: write.version,
    hash: write.desiredHash,
    op: write.op,
    payload: write.payload,
    references: write.references,
    naturalKey: write.naturalKey,
    mappingVersion: write.mappingVersion,
    changeId: write.changeId,
    traceparent,
    mergedInto: write.mergedInto,
    exclusion: write.op === 'exclude' ? (write.failure?.message ?? 'excluded') : undefined,
    failure:
      write.op === 'exclude' ? undefined : write.failure && { code: write.failure.code, reason: write.failure.message },
  };
}
