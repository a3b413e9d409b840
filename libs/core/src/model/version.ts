// The version of a change. QBO offers no true one: SyncToken moves without an edit, LastUpdatedTime moves without the
// token, and depositing a payment moves neither (qbo-api.md 2.3). So a version is the tuple (LastUpdatedTime, SyncToken,
// observedAt) compared in that order, and a deletion beats every state of the same moment.

export interface Version {
  /** MetaData.LastUpdatedTime in UTC, ISO 8601 with milliseconds. */
  readonly lastUpdatedTime: string;
  /** SyncToken as an integer; for a deletion, which carries none, `DELETED_SYNC_TOKEN`. */
  readonly syncToken: number;
  /** When we began the read that showed this state, UTC ISO 8601 with milliseconds. */
  readonly observedAt: string;
}

export const DELETED_SYNC_TOKEN = 9_999_999_999;
const tokenDigits = 10;

/** A text that sorts (byte order, SQL `collate "C"`) exactly as versions compare: fixed widths, most significant first. */
export function encodeVersion(version: Version): string {
  const token = String(version.syncToken).padStart(tokenDigits, '0');
  return `${utc(version.lastUpdatedTime)}_${token}_${utc(version.observedAt)}`;
}

/** @throws RangeError when the text is not an encoded version */
export function decodeVersion(text: string): Version {
  const parts = text.split('_');
  if (parts.length !== 3 || parts[1]!.length !== tokenDigits) {
    throw new RangeError(`"${text}" is not an encoded version; expected time_token_time`);
  }
  return { lastUpdatedTime: parts[0]!, syncToken: Number(parts[1]), observedAt: parts[2]! };
}

export function compareVersions(a: Version, b: Version): number {
  const left = encodeVersion(a);
  const right = encodeVersion(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function utc(time: string): string {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new RangeError(`"${time}" is not a time; expected ISO 8601`);
  return new Date(ms).toISOString();
}
