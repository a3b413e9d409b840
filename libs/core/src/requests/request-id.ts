// Deterministic request ids. Same question, same id, after any crash; another body is another question.
import { createHash } from 'node:crypto';

export type WriteOperation = 'create' | 'update' | 'delete' | 'void' | 'deactivate' | 'upload';

export interface RequestIdentity {
  syncId: string;
  entityType: string;
  sourceId: string;
  /** encoded desired version */
  version: string;
  operation: WriteOperation;
  /** rises only when a person says "create it again", or when a re-read changed the body */
  generation: number;
  /**
   * What else makes this body differ from an earlier one for the same version: the target's SyncToken it was built on,
   * or a hash of the body. QBO replays the old answer for an old id, so a changed body must never reuse one.
   */
  basis?: string;
}

/** 32 hex digits: fits a single request (50) and a batch (36). */
export function requestIdFor(identity: RequestIdentity): string {
  const { syncId, entityType, sourceId, version, operation, generation, basis = '' } = identity;
  return digest(['request', syncId, entityType, sourceId, version, operation, String(generation), basis]);
}

/** Id of a batch: a pure function of its members in their order. 32 hex digits (QBO allows 36). */
export function batchIdFor(memberRequestIds: readonly string[]): string {
  return digest(['batch', ...memberRequestIds]);
}

/** Id of one item in a batch, from its position: at most 10 characters are allowed (qbo-api.md 4). */
export function batchItemId(position: number): string {
  return `i${position}`;
}

function digest(parts: readonly string[]): string {
  // Length-prefixed, so that ("ab","c") and ("a","bc") differ.
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex').slice(0, 32);
}
