// Closed books: QuickBooks refuses to write a transaction of a closed period (6200; 6210 where closing has a password, which
// no API call can give). Such a write is held until a person decides, or until the target's closing date lets it through:
// that date is looked at now and then, and only while something is held for it.
import type { Json } from '../model/json.js';
import type { Link } from './link.js';

export const closedBooksCodes: readonly string[] = ['QBO.6200', 'QBO.6210'];

export type ClosedBooksVerdict = { kind: 'release' } | { kind: 'hold'; reason: string };

/**
 * A write touches the period where the record is, and the one where it goes.
 * @param closingDate the target's, as yyyy-mm-dd; undefined when its books are open
 */
export function judgeClosedBooks(link: Link, closingDate: string | undefined): ClosedBooksVerdict {
  const dates = [link.applied?.payload, link.desired.payload].flatMap(dateOf).sort();
  const [earliest] = dates;
  // Without a date of its own QuickBooks dates it today.
  if (closingDate === undefined || earliest === undefined || earliest > closingDate) return { kind: 'release' };
  return {
    kind: 'hold',
    reason:
      `the target's books are closed up to ${closingDate} and this is dated ${earliest}; ` +
      'it goes on when that date is moved, or try it again by hand',
  };
}

function dateOf(body: Json | undefined): string[] {
  return typeof body?.TxnDate === 'string' ? [body.TxnDate] : [];
}
