// How much of QuickBooks' quota was used, from the emulator's journal of requests. Pure.
export interface JournalRow {
  time: string;
  app: string;
  method: string;
  path: string;
  status: number;
}

export function quotaUse(rows: readonly JournalRow[]) {
  const admitted = rows.filter((row) => row.status !== 429);
  const to = (pattern: RegExp) => admitted.filter((row) => pattern.test(row.path)).length;
  const posts = admitted.filter((row) => row.method === 'POST').length;
  const [batches, uploads, queries] = [
    to(/\/batch\b/),
    to(/\/upload\b/),
    admitted.filter((row) => row.method === 'POST' && /\/query\b/.test(row.path)).length,
  ];
  const times = admitted.map((row) => Date.parse(row.time)).sort((a, b) => a - b);
  return {
    requests: rows.length,
    reads: admitted.length - posts + queries,
    cdc: to(/\/cdc\b/),
    writes: posts - batches - uploads - queries,
    batches,
    uploads,
    throttled: rows.length - admitted.length,
    peakPerMinute: peak(times, 60_000),
    peakPerSecond: peak(times, 1000),
  };
}

/** Most events in any window of this length. */
export function peak(sortedTimes: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  sortedTimes.forEach((time, i) => {
    while (sortedTimes[first]! <= time - windowMs) first++;
    most = Math.max(most, i - first + 1);
  });
  return most;
}
