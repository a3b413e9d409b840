// What to do about one attachment now. The order protects against doubles: an upload whose answer was lost is looked for
// in the target before it is made again, and bytes count as carried only when both copies were read and have one hash.
import { canonicalText } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { waitKey } from '../references/index.js';
import type { AttachmentLink, AttachmentMetadata, DesiredAttachment } from './attachment.js';

/** A record that an attachment hangs on, as the links say. `gone`: it was removed (then with its id), or is not carried at all. */
export type Anchor = { kind: 'there'; targetId: string } | { kind: 'pending' } | { kind: 'gone'; targetId?: string };

interface Anchored {
  reference: DesiredAttachment['references'][number];
  anchor: Anchor;
}

export interface AttachmentFacts {
  anchorOf: (entityType: string, sourceId: string) => Anchor;
  /** Attachables of the target that could be the lost upload; undefined when not asked yet */
  twins?: readonly Json[] | undefined;
  /** target ids that belong to other attachments of this sync */
  taken?: ReadonlySet<string> | undefined;
  /** the target's Attachable as just read, when a `read` plan asked for it; null: it is gone */
  targetNow?: Json | null | undefined;
}

export type AttachmentPlan =
  | { kind: 'noop'; why: 'equal' | 'nothing-to-remove' | 'anchors-gone' | 'already-removed' }
  /** a record it hangs on is not in the target yet */
  | { kind: 'wait'; on: string[] }
  /** one query: Attachables by this name, and on this record when there is one; then plan again with `twins` */
  | { kind: 'find-twin'; fileName: string; anchor?: { type: string; value: string } }
  /** the lost upload did happen: link it; its bytes are verified next */
  | { kind: 'adopt'; targetId: string; syncToken: string; metadata: AttachmentMetadata }
  | { kind: 'upload'; metadata: AttachmentMetadata; fileName: string }
  /** a note has no bytes: an ordinary create */
  | { kind: 'create-note'; metadata: AttachmentMetadata }
  /** both copies are read to their end and hashed */
  | { kind: 'verify'; targetId: string; hashSource: boolean }
  /** the target's copy has other bytes: removed, then uploaded anew under another identity */
  | { kind: 'discard'; body: Json }
  | { kind: 'update'; body: Json; metadata: AttachmentMetadata }
  | { kind: 'delete'; body: Json }
  | { kind: 'read'; targetId: string }
  | { kind: 'fail'; code: string; reason: string };

/** Tries before a person is asked about bytes that differ: three bad copies in a row are no accident of the network. */
const mostTries = 3;

export function planAttachment(link: AttachmentLink, facts: AttachmentFacts): AttachmentPlan {
  const { desired, target } = link;
  const anchors = desired.references.map((reference) => ({
    reference,
    anchor: facts.anchorOf(reference.entityType, reference.sourceId),
  }));
  if (desired.deleted) return planRemoval(link, anchors, facts);
  const pending = anchors.filter(({ anchor }) => anchor.kind === 'pending');
  if (pending.length > 0) {
    return { kind: 'wait', on: pending.map(({ reference }) => waitKey(reference.entityType, reference.sourceId)) };
  }
  const metadata = metadataOf(desired, anchors);
  if (!target || target.deleted) {
    const lost = link.uploadOpen ? planLost(link, anchors, facts) : undefined;
    if (lost) return lost;
    // It hung on records that are gone: nobody would ever see the copy.
    if (desired.references.length > 0 && metadata.AttachableRef.length === 0) {
      return { kind: 'noop', why: 'anchors-gone' };
    }
    return planCreation(link, metadata);
  }
  if (facts.targetNow === null) {
    return { kind: 'fail', code: 'DRIFT.TARGET_GONE', reason: `Attachable ${target.id} was deleted in the target` };
  }
  if (desired.fileName !== undefined) {
    if (link.targetSha256 === undefined || link.sourceSha256 === undefined) {
      return { kind: 'verify', targetId: target.id, hashSource: link.sourceSha256 === undefined };
    }
    if (link.targetSha256 !== link.sourceSha256) return planDiscard(link, facts);
  }
  const gone = anchors.filter(({ anchor }) => anchor.kind === 'gone').length;
  if (link.applied && isSame(link.applied.metadata, withGone(metadata, link.applied.metadata, gone)))
    return { kind: 'noop', why: 'equal' };
  const key = keyOf(link, facts);
  return key ? { kind: 'update', body: { ...key, ...metadata }, metadata } : { kind: 'read', targetId: target.id };
}

/**
 * An upload whose answer was lost is looked for where it was put: also on a record that was removed since, for there it is, and
 * nobody would know of it. Undefined: it was not made.
 */
function planLost(
  { desired }: AttachmentLink,
  anchors: readonly Anchored[],
  { twins, taken }: AttachmentFacts,
): AttachmentPlan | undefined {
  if (!twins) {
    const [anchor] = anchors
      .flatMap(({ reference, anchor }) =>
        'targetId' in anchor ? [{ kind: anchor.kind, type: reference.entityType, value: anchor.targetId! }] : [],
      )
      .sort((a, b) => Number(b.kind === 'there') - Number(a.kind === 'there'));
    const at = anchor && { anchor: { type: anchor.type, value: anchor.value } };
    return { kind: 'find-twin', fileName: desired.fileName ?? '', ...at };
  }
  const free = twins.filter((twin) => !taken?.has(String(twin.Id)) && isTwin(twin, desired));
  // Several equal ones are all ours or a person's doing; the oldest is as good as any and no new one is made.
  const [twin] = free.sort((a, b) => Number(a.Id) - Number(b.Id));
  if (!twin) return undefined;
  const syncToken = String(twin.SyncToken);
  return { kind: 'adopt', targetId: String(twin.Id), syncToken, metadata: metadataIn(twin) };
}

function planCreation(link: AttachmentLink, metadata: AttachmentMetadata): AttachmentPlan {
  const { fileName } = link.desired;
  if (fileName === undefined) {
    return link.desired.note === undefined
      ? { kind: 'fail', code: 'ATTACHMENT.EMPTY', reason: 'neither a file nor a note' }
      : { kind: 'create-note', metadata };
  }
  return { kind: 'upload', metadata, fileName };
}

function planRemoval(link: AttachmentLink, anchors: readonly Anchored[], facts: AttachmentFacts): AttachmentPlan {
  const { target } = link;
  if (!target && link.uploadOpen) {
    // Deleted while its upload was in doubt: what may have been made must be found to be removed. On its own record only: a
    // person's file elsewhere may have the same name and size.
    const lost = planLost(link, anchors, facts);
    if (lost?.kind !== 'adopt') return lost ?? { kind: 'noop', why: 'nothing-to-remove' };
    return { kind: 'delete', body: { Id: lost.targetId, SyncToken: lost.syncToken } };
  }
  if (!target || target.deleted) return { kind: 'noop', why: 'nothing-to-remove' };
  if (facts.targetNow === null) return { kind: 'noop', why: 'already-removed' };
  const key = keyOf(link, facts);
  return key ? { kind: 'delete', body: key } : { kind: 'read', targetId: target.id };
}

function planDiscard(link: AttachmentLink, facts: AttachmentFacts): AttachmentPlan {
  if (link.attempts >= mostTries) {
    // The last copy stays for the person to look at; a redrive counts the tries anew.
    const reason = `the copy's bytes differ from the source's after ${link.attempts} tries`;
    return { kind: 'fail', code: 'ATTACHMENT.HASH_MISMATCH', reason };
  }
  const key = keyOf(link, facts);
  return key ? { kind: 'discard', body: key } : { kind: 'read', targetId: link.target!.id };
}

function metadataOf(desired: DesiredAttachment, anchors: readonly Anchored[]): AttachmentMetadata {
  const metadata: AttachmentMetadata = { AttachableRef: [] };
  for (const { reference, anchor } of anchors) {
    if (anchor.kind !== 'there') continue;
    const EntityRef = { type: reference.entityType, value: anchor.targetId };
    metadata.AttachableRef.push({ EntityRef, IncludeOnSend: reference.includeOnSend });
  }
  if (desired.fileName !== undefined) metadata.FileName = desired.fileName;
  if (desired.contentType !== undefined) metadata.ContentType = desired.contentType;
  if (desired.note !== undefined) metadata.Note = desired.note;
  if (desired.category !== undefined) metadata.Category = desired.category;
  return metadata;
}

/** A file goes on pointing at a record that was deleted: that is no edit of the file, neither in the source nor here. */
function withGone(metadata: AttachmentMetadata, applied: AttachmentMetadata, gone: number): AttachmentMetadata {
  const wanted = new Set(metadata.AttachableRef.map(({ EntityRef }) => `${EntityRef.type}/${EntityRef.value}`));
  const left = applied.AttachableRef.filter(({ EntityRef }) => !wanted.has(`${EntityRef.type}/${EntityRef.value}`));
  return left.length === 0 || left.length > gone
    ? metadata
    : { ...metadata, AttachableRef: [...metadata.AttachableRef, ...left] };
}

/** The metadata a record of the target shows, in the shape we send. */
export function metadataIn(record: Json): AttachmentMetadata {
  const links = Array.isArray(record.AttachableRef) ? (record.AttachableRef as Json[]) : [];
  const metadata: AttachmentMetadata = {
    AttachableRef: links.flatMap((link) => {
      const entity = link.EntityRef as Json | undefined;
      if (!entity?.value) return [];
      const EntityRef = { type: String(entity.type), value: String(entity.value) };
      return [{ EntityRef, IncludeOnSend: link.IncludeOnSend === true }];
    }),
  };
  if (record.FileName) metadata.FileName = String(record.FileName);
  if (record.ContentType) metadata.ContentType = String(record.ContentType);
  if (record.Note) metadata.Note = String(record.Note);
  if (record.Category) metadata.Category = String(record.Category);
  return metadata;
}

/** Same name and same size; a note has neither and is told by its text. */
function isTwin(record: Json, desired: DesiredAttachment): boolean {
  if (desired.fileName === undefined) return !record.FileName && record.Note === desired.note;
  if (record.FileName !== desired.fileName) return false;
  return desired.size === undefined || Number(record.Size) === desired.size;
}

/** Order of references and letter case of their types say nothing. */
function isSame(a: AttachmentMetadata, b: AttachmentMetadata): boolean {
  const text = ({ AttachableRef, ContentType: _computed, ...rest }: AttachmentMetadata) => {
    const anchors = AttachableRef.map(({ EntityRef, IncludeOnSend }) =>
      [EntityRef.type.toLowerCase(), EntityRef.value, IncludeOnSend].join(' '),
    );
    return canonicalText({ ...rest, anchors: anchors.sort() });
  };
  return text(a) === text(b);
}

function keyOf(link: AttachmentLink, facts: AttachmentFacts): { Id: string; SyncToken: string } | undefined {
  const token: unknown = facts.targetNow?.SyncToken ?? link.target?.syncToken;
  return token === undefined || token === null ? undefined : { Id: link.target!.id, SyncToken: String(token) };
}
