// I-06: no quota window is ever exceeded. From QuickBooks' own journal, by the moment each request was admitted.
import type { JournalRow } from '../evidence.js';
import type { Books } from '../books.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

// Intuit's limits and throttles page, as of November 2026.
const perMinute = 500;
const perSecond = 10;
const batchesPerMinute = 40;
const inFlight = 10;

export function quota(books: Books): Verdict {
  const { e } = books;
  if (e.companies.size === 0) return notJudged('no company can be asked');
  const violations: Violation[] = [];
  let requests = 0;
  let cut = 0;
  const peaks = { minute: 0, second: 0, batches: 0, flight: 0 };
  for (const { realmId, journal, journalWhole } of e.companies.values()) {
    if (!journalWhole) cut++;
    const ours = journal.filter((row) => row.app !== undefined && e.ourApps.has(row.app));
    requests += ours.length;
    const throttled = (row: JournalRow): boolean => row.status === 429 && row.fault === undefined;
    const admitted = ours.filter((row) => !throttled(row) && row.status !== 401);
    const batches = admitted.filter((row) => /\/batch\b/.test(row.path));
    const check = (
      what: keyof typeof peaks,
      rows: readonly JournalRow[],
      windowMs: number,
      most: number,
      unit: string,
    ): void => {
      const [peak, at] = peakOf(rows, windowMs);
      peaks[what] = Math.max(peaks[what], peak);
      if (peak > most)
        violations.push({
          what: `company ${realmId}: ${peak} ${unit} (${most} are allowed), the last of them ${told(at!)}`,
        });
    };
    check('minute', admitted, 60_000, perMinute, 'requests within a minute');
    check('second', admitted, 1_000, perSecond, 'requests within a second');
    check('batches', batches, 60_000, batchesPerMinute, 'batches within a minute');
    const [flight, at] = flightOf(admitted);
    peaks.flight = Math.max(peaks.flight, flight);
    if (flight > inFlight)
      violations.push({
        what: `company ${realmId}: ${flight} requests in flight (${inFlight} are allowed) at ${told(at!)}`,
      });
    // A limit that is counted over all apps can be used up by another one.
    const others = journal.some((row) => row.app !== undefined && !e.ourApps.has(row.app));
    const refused = ours.filter(throttled);
    if (refused.length > 0 && !others)
      violations.push({
        what: `company ${realmId}: ${counted(refused.length, 'request')} refused for the quota (429), first ${told(refused[0]!)}`,
      });
  }
  return judged(
    violations,
    `${counted(requests, 'request')} to ${counted(e.companies.size, 'company', 'companies')}: at most ${peaks.minute}/min of ${perMinute}, ${peaks.second}/s of ${perSecond}, ` +
      `${peaks.batches} batches/min of ${batchesPerMinute}, ${peaks.flight} in flight of ${inFlight}, 0 refused` +
      (cut > 0 ? `; ${counted(cut, 'journal')} without its beginning` : ''),
  );
}

const startMs = (row: JournalRow): number => Date.parse(row.startedAt);
const told = (row: JournalRow): string =>
  `${row.method} ${row.path.replace(/\?.*/, '')} at ${row.startedAt} (${row.tid})`;

/** Most requests in any window of this length, and the one that made it so many. */
function peakOf(rows: readonly JournalRow[], windowMs: number): [number, JournalRow | undefined] {
  const sorted = [...rows].sort((a, b) => startMs(a) - startMs(b));
  let most = 0;
  let at: JournalRow | undefined;
  let first = 0;
  for (const [i, row] of sorted.entries()) {
    while (startMs(sorted[first]!) <= startMs(row) - windowMs) first++;
    if (i - first + 1 > most) {
      most = i - first + 1;
      at = row;
    }
  }
  return [most, at];
}

function flightOf(rows: readonly JournalRow[]): [number, JournalRow | undefined] {
  const moments = rows.flatMap((row) => [
    { ms: startMs(row), by: 1, row },
    { ms: Date.parse(row.time), by: -1, row },
  ]);
  // What ends in the millisecond in which another begins was not in flight with it.
  moments.sort((a, b) => a.ms - b.ms || a.by - b.by);
  let now = 0;
  let most = 0;
  let at: JournalRow | undefined;
  for (const { by, row } of moments) {
    now += by;
    if (now > most) [most, at] = [now, row];
  }
  return [most, at];
}
