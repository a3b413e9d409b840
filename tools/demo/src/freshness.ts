// From the moment QuickBooks answered an edit to the moment its effect was settled in the target. Pure.
import type { LogRow } from '../../installation/src/control.js';
import type { Act } from './person.js';

const settledOutcomes = new Set(['created', 'updated', 'deleted', 'voided', 'adopted', 'unchanged', 'attached']);

/** One latency per act that was settled; acts that a later edit overtook count until that later one was settled. */
export function latencies(acts: readonly Act[], log: readonly LogRow[]): { ms: number[]; unsettled: Act[] } {
  const rows = log
    .filter((row) => row.outcome !== null && settledOutcomes.has(row.outcome))
    .map((row) => ({
      key: `${row.entityType}/${row.entityId}`,
      atMs: Date.parse(row.at),
      version: row.version ?? '',
      outcome: row.outcome!,
    }))
    .sort((a, b) => a.atMs - b.atMs);
  const ms: number[] = [];
  const unsettled: Act[] = [];
  for (const act of acts) {
    const settled = rows.find((row) => row.key === `${act.type}/${act.id}` && covers(row, act));
    if (settled) ms.push(Math.max(0, settled.atMs - act.doneMs));
    else unsettled.push(act);
  }
  return { ms, unsettled };
}

function covers(row: { version: string; outcome: string }, act: Act): boolean {
  if (act.lastUpdatedTime === undefined) return row.outcome === 'deleted';
  const versionTime = Date.parse(row.version.split('_')[0] ?? '');
  return versionTime >= Date.parse(act.lastUpdatedTime);
}

/** Nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}
