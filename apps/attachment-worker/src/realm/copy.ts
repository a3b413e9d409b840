// Identities and facts of one copy: request ids, and what an answer tells about it.
import { metadataIn, requestIdFor, type Json, type WriteOperation } from '#core';
import type { AttachmentChange, StoredAttachment } from '#storage';
import type { NotOk } from './answers.js';

/**
 * The bytes of an Attachable never change, so an upload is one question whatever version asks it: the id does not depend
 * on the version, or an edit of the note during a lost upload would make a second copy.
 */
export function requestIdOf(stored: StoredAttachment, operation: WriteOperation, basis = ''): string {
  const makes = operation === 'upload' || operation === 'create';
  return requestIdFor({
    syncId: stored.syncId,
    entityType: 'Attachable',
    sourceId: stored.attachableId,
    version: makes ? '' : stored.link.desired.version,
    operation,
    generation: stored.link.discarded,
    basis,
  });
}

/**
 * After a call that makes a copy: the request is forgotten, and with it the doubt, when the copy was certainly not made.
 * @param before the row before this call: an earlier sending may have happened, and "not sent" now says nothing about then
 */
export function certainlyNotMade(answer: NotOk, before: StoredAttachment): { requestId?: null } {
  if (answer.kind === 'uncertain') return {};
  return answer.kind === 'refused' || !before.link.uploadOpen ? { requestId: null } : {};
}

/** A new copy: whatever hash is known was of another one. */
export function created(record: Json, version: string): Pick<AttachmentChange, 'target' | 'applied' | 'targetSha256'> {
  return { target: keyIn(record), applied: { version, metadata: metadataIn(record) }, targetSha256: null };
}

export function keyIn(record: Json): { id: string; syncToken: string } {
  return { id: String(record.Id), syncToken: String(record.SyncToken) };
}
