// Whether what was read is news. Equality of the canonical content is what makes it none: tokens and times move without an
// edit. And nothing older may follow something newer in the log, or its compaction would keep the older.
import { contentHash, deletedHash, withIdentity } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { decodeVersion, DELETED_SYNC_TOKEN, encodeVersion } from '../model/version.js';

/** What was last published of a record. */
export interface Captured {
  readonly version: string;
  readonly contentHash: string;
  readonly deleted: boolean;
}

/** A record as it was read, or the fact that it is gone. */
export type Reading =
  | { readonly kind: 'record'; readonly type: string; readonly id: string; readonly snapshot: Json }
  | { readonly kind: 'gone'; readonly type: string; readonly id: string; readonly lastUpdatedTime?: string };

export type Verdict =
  | { readonly kind: 'news'; readonly captured: Captured }
  /** nothing new; `known` is what was published */
  | { readonly kind: 'known'; readonly captured: Captured }
  /** an older state than the one published: read before, arrived after */
  | { readonly kind: 'stale' };

/** One object of a CDC answer or query page; undefined when it has no id (nothing can be said about such a thing). */
export function readingOf(type: string, answered: Json): Reading | undefined {
  const object = withIdentity(type, answered);
  if (typeof object.Id !== 'string' || object.Id === '') return undefined;
  if (object.status !== 'Deleted') return { kind: 'record', type, id: object.Id, snapshot: object };
  const time: unknown = object.MetaData?.LastUpdatedTime;
  return { kind: 'gone', type, id: object.Id, ...(typeof time === 'string' ? { lastUpdatedTime: time } : {}) };
}

export function judgeReading(reading: Reading, known: Captured | undefined, observedAt: string): Verdict {
  const captured = capturedOf(reading, observedAt);
  if (!known) return { kind: 'news', captured };
  if (reading.kind === 'gone' && known.deleted) return { kind: 'known', captured: known };
  if (reading.kind === 'record' && !known.deleted && known.contentHash === captured.contentHash) {
    return { kind: 'known', captured: known };
  }
  return captured.version > known.version ? { kind: 'news', captured } : { kind: 'stale' };
}

/** What was published, said once more with something new about it: the same content under a later version. */
export function toldAgain(known: Captured, observedAt: string): Captured {
  const { lastUpdatedTime, syncToken, observedAt: before } = decodeVersion(known.version);
  // Our clock may have been set back since.
  const later = Math.max(Date.parse(observedAt), Date.parse(before) + 1);
  return {
    ...known,
    version: encodeVersion({ lastUpdatedTime, syncToken, observedAt: new Date(later).toISOString() }),
  };
}

function capturedOf(reading: Reading, observedAt: string): Captured {
  if (reading.kind === 'gone') {
    const lastUpdatedTime = isTime(reading.lastUpdatedTime) ? reading.lastUpdatedTime : observedAt;
    return {
      version: encodeVersion({ lastUpdatedTime, syncToken: DELETED_SYNC_TOKEN, observedAt }),
      contentHash: deletedHash,
      deleted: true,
    };
  }
  const { snapshot, type } = reading;
  const time: unknown = snapshot.MetaData?.LastUpdatedTime;
  const token = typeof snapshot.SyncToken === 'object' ? NaN : Number(snapshot.SyncToken);
  return {
    version: encodeVersion({
      lastUpdatedTime: isTime(time) ? time : observedAt,
      syncToken: Number.isSafeInteger(token) && token >= 0 ? token : 0,
      observedAt,
    }),
    contentHash: contentHash(type, snapshot),
    deleted: false,
  };
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
