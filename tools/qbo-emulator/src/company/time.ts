// Company time: the offset of a locale at an instant, and the two text forms the service writes. Whole seconds inside
// objects, milliseconds in the envelope.
const HOUR_MS = 3_600_000;

interface Zone {
  readonly standardMinutes: number;
  /** Which daylight-saving rule applies. */
  readonly rule: 'us' | 'eu' | 'au' | 'none';
}

const ZONES: Record<string, Zone> = {
  US: { standardMinutes: -480, rule: 'us' },
  CA: { standardMinutes: -480, rule: 'us' },
  GB: { standardMinutes: 0, rule: 'eu' },
  FR: { standardMinutes: 60, rule: 'eu' },
  AU: { standardMinutes: 600, rule: 'au' },
  IN: { standardMinutes: 330, rule: 'none' },
};

/** The UTC day of the n-th Sunday (n < 0 counts from the end) of a month. */
function sunday(year: number, month: number, n: number): number {
  if (n > 0) {
    const first = new Date(Date.UTC(year, month, 1)).getUTCDay();
    return Date.UTC(year, month, 1 + ((7 - first) % 7) + (n - 1) * 7);
  }
  const last = new Date(Date.UTC(year, month + 1, 0));
  return Date.UTC(year, month, last.getUTCDate() - last.getUTCDay());
}

const yearBounds = new Map<string, readonly [number, number]>();

function bounds(zone: Zone, year: number): readonly [number, number] {
  const key = `${zone.rule}${zone.standardMinutes}${year}`;
  const known = yearBounds.get(key);
  if (known) return known;
  const standardMs = zone.standardMinutes * 60_000;
  let pair: readonly [number, number] = [0, 0];
  if (zone.rule === 'us') {
    pair = [sunday(year, 2, 2) + 2 * HOUR_MS - standardMs, sunday(year, 10, 1) + HOUR_MS - standardMs];
  } else if (zone.rule === 'eu') pair = [sunday(year, 2, -1) + HOUR_MS, sunday(year, 9, -1) + HOUR_MS];
  else if (zone.rule === 'au') {
    // Southern summer wraps the year: the pair is the winter, and the answer below is turned round.
    pair = [sunday(year, 3, 1) + 2 * HOUR_MS - standardMs, sunday(year, 9, 1) + 2 * HOUR_MS - standardMs];
  }
  yearBounds.set(key, pair);
  return pair;
}

export function offsetMinutesAt(country: string, atMs: number): number {
  const zone = ZONES[country] ?? ZONES['US']!;
  if (zone.rule === 'none') return zone.standardMinutes;
  const [from, to] = bounds(zone, new Date(atMs).getUTCFullYear());
  const inside = atMs >= from && atMs < to;
  return zone.standardMinutes + (inside === (zone.rule !== 'au') ? 60 : 0);
}

function offsetText(minutes: number): string {
  const abs = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${String(Math.floor(abs / 60)).padStart(2, '0')}:${String(abs % 60).padStart(2, '0')}`;
}

/** `2026-05-05T02:08:54-07:00` */
export function objectTime(atMs: number, offset: number): string {
  return new Date(atMs + offset * 60_000).toISOString().slice(0, 19) + offsetText(offset);
}

/** `2026-05-05T02:08:54.543-07:00` */
export function envelopeTime(atMs: number, offset: number): string {
  return new Date(atMs + offset * 60_000).toISOString().slice(0, 23) + offsetText(offset);
}

export function dayInCompany(atMs: number, offset: number): string {
  return new Date(atMs + offset * 60_000).toISOString().slice(0, 10);
}

export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/**
 * A client's instant: with offset, with Z, with milliseconds, a bare date, or without any offset (then company time).
 * A `+` that was not encoded arrives as a blank.
 */
export function readInstant(text: string, offset: number): number | undefined {
  const repaired = text.trim().replace(/ (\d{2}:?\d{2})$/, '+$1');
  const m = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(repaired);
  if (!m) return undefined;
  const time = m[2] ? (m[2].length === 5 ? `${m[2]}:00` : m[2]) : '00:00:00';
  const zone = m[4] ? (m[4].length === 5 ? `${m[4].slice(0, 3)}:${m[4].slice(3)}` : m[4]) : offsetText(offset);
  const atMs = Date.parse(`${m[1]}T${time}${(m[3] ?? '').slice(0, 4)}${zone}`);
  return Number.isNaN(atMs) ? undefined : atMs;
}
