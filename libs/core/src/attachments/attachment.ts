// An attachment as decisions see it: the row of table `attachment_links` without its bookkeeping. The bytes of an
// Attachable never change (QBO has no way to replace them); its name, note, category and references do.
import type { LinkState } from '../links/state.js';

export interface AttachmentReference {
  entityType: string;
  sourceId: string;
  includeOnSend: boolean;
}

/** What the source says. */
export interface DesiredAttachment {
  version: string;
  deleted: boolean;
  /** absent: a note without a file */
  fileName?: string | undefined;
  contentType?: string | undefined;
  /** bytes */
  size?: number | undefined;
  note?: string | undefined;
  category?: string | undefined;
  references: AttachmentReference[];
}

/** What is known of the bytes. Both hashes are there only after both copies were read to their end. */
export interface CarriedBytes {
  sourceSha256?: string | undefined;
  targetSha256?: string | undefined;
  bytes?: number | undefined;
}

export interface AttachmentLink extends CarriedBytes {
  attachableId: string;
  state: LinkState;
  desired: DesiredAttachment;
  /** metadata the target has by us */
  applied?: { version: string; metadata: AttachmentMetadata } | undefined;
  target?: { id: string; syncToken?: string | undefined; deleted: boolean } | undefined;
  /** an upload was written down whose answer we do not have */
  uploadOpen: boolean;
  /** copies thrown away (other bytes) or given up (a person says "again"); part of the next upload's identity */
  discarded: number;
  attempts: number;
}

/** The writable fields of an Attachable as they are sent. An update replaces all of them. */
export interface AttachmentMetadata {
  AttachableRef: { EntityRef: { type: string; value: string }; IncludeOnSend: boolean }[];
  FileName?: string;
  ContentType?: string;
  Note?: string;
  Category?: string;
}
