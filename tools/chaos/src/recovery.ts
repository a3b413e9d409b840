// How long each kind of fault was felt: samples in, the table a person reads out. Pure.
import type { Act } from './plan.js';

export interface Sample {
  kind: string;
  /** undefined: not within the limit */
  ms: number | undefined;
  /** another fault was there at the same time: its time is shown, the goal is not judged by it */
  joined: boolean;
}

/** What is promised, by the beginning of the kind. Others are shown without a goal. */
const goals: readonly [kind: string, ms: number][] = [
  ['app kill', 15_000],
  ['app stop', 15_000],
  ['app freeze', 60_000],
  ['broker kill', 10_000],
  ['broker stop', 10_000],
  ['broker freeze', 60_000],
  ['postgres kill', 10_000],
  ['postgres stop', 10_000],
];

export function kindOf(act: Act): string {
  switch (act.kind) {
    case 'app-freeze':
    case 'broker-freeze':
      return `${act.kind.replace('-', ' ')} ${act.sessions} sessions`;
    case 'network':
      return `network ${act.trouble}`;
    case 'quickbooks':
      return `QuickBooks: ${act.trouble}`;
    case 'clock-skew':
      return 'clock skew';
    default:
      return act.kind.replaceAll('-', ' ');
  }
}

export function recoveryTable(samples: readonly Sample[], limitMs: number): string[] {
  const kinds = [...new Set(samples.map(({ kind }) => kind))].sort();
  const rows = kinds.map((kind) => {
    const all = samples.filter((one) => one.kind === kind);
    const times = all.map(({ ms }) => ms ?? Infinity).sort((a, b) => a - b);
    const goal = goals.find(([beginning]) => kind.startsWith(beginning))?.[1];
    const judged = all.filter(({ joined }) => !joined).map(({ ms }) => ms ?? Infinity);
    const over = goal === undefined ? 0 : judged.filter((ms) => ms > goal).length;
    // Two faults at once have no time of their own: said, so that a maximum above a kept goal is no riddle.
    const met = all.filter(({ joined }) => joined).map(({ ms }) => ms ?? Infinity);
    const beside = goal !== undefined && met.some((ms) => ms > goal);
    const verdict =
      goal === undefined
        ? '-'
        : `<= ${goal / 1000} s${over > 0 ? `, ${over} over` : ', kept'}` +
          (beside ? ` (${met.length} beside another fault, ${seconds(Math.max(...met), limitMs)} at most)` : '');
    return [kind, String(all.length), seconds(middle(times), limitMs), seconds(times.at(-1)!, limitMs), verdict];
  });
  return aligned([['time to recover from', 'count', 'p50', 'max', 'goal'], ...rows]);
}

const middle = (sorted: readonly number[]): number => sorted[Math.ceil(sorted.length / 2) - 1]!;
const seconds = (ms: number, limitMs: number): string =>
  ms === Infinity ? `over ${limitMs / 1000} s` : `${(ms / 1000).toFixed(1)} s`;

function aligned(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
