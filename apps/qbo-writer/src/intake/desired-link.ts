// From a record of sync.writes to a row of the work list.
import { definitionOf } from '#core';
import type { WriteEvent } from '#contracts';
import type { DesiredLink } from '#storage';

/** Above every rank of a type: removals come after all other work of their lane, children before parents. */
const removalRank = 100;

/** @throws RangeError for a type nobody registered */
export function desiredLink(write: WriteEvent, traceparent: string | undefined): DesiredLink {
  const { rank } = definitionOf(write.entityType);
  return {
    syncId: write.syncId,
    entityType: write.entityType,
    sourceId: write.sourceId,
    organizationId: write.organizationId,
    sourceRealmId: write.sourceRealmId,
    targetRealmId: write.targetRealmId,
    lane: write.lane,
    rank: write.op === 'delete' ? removalRank - rank : rank,
    version: write.version,
    hash: write.desiredHash,
    op: write.op,
    payload: write.payload,
    references: write.references,
    naturalKey: write.naturalKey,
    mappingVersion: write.mappingVersion,
    changeId: write.changeId,
    traceparent,
    failure: write.failure && { code: write.failure.code, reason: write.failure.message },
  };
}
