// What processes of this machine use, from /proc: CPU time and resident memory. PostgreSQL's workers count with their
// postmaster, and so do those that ended.
import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second (USER_HZ) whatever the kernel's own tick is. */
const ticksPerSecond = 100;

export interface Use {
  cpuSeconds: number;
  residentMb: number;
  /** the most it ever had */
  peakMb: number;
}

interface Stat {
  pid: number;
  name: string;
  parent: number;
  /** own and of children that ended */
  cpuTicks: number;
}

function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, name] = /\((.*)\)/.exec(text)!;
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
    return { pid, name: name!, parent: Number(fields[1]), cpuTicks: ticks };
  } catch {
    // Ended between the listing and the reading.
    return undefined;
  }
}

const everybody = (): Stat[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => stat(Number(name)) ?? []);

const megabytes = (pid: number, field: string): number => {
  try {
    const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(found?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
};

/** PostgreSQL's workers share their memory with it: what each has for itself is what counts. */
const privateMb = (pid: number): number =>
  Math.max(0, megabytes(pid, 'VmRSS') - megabytes(pid, 'RssShmem') - megabytes(pid, 'RssFile'));

/** A process and its children. */
export function use(pid: number): Use {
  const all = everybody();
  const own = all.find((each) => each.pid === pid);
  const children = all.filter(({ parent }) => parent === pid);
  const ticks = (own?.cpuTicks ?? 0) + children.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0);
  const theirs = children.reduce((sum, child) => sum + privateMb(child.pid), 0);
  // Shared pages are counted once, where most of them are touched.
  const shared = Math.max(0, ...children.map((child) => megabytes(child.pid, 'RssShmem')));
  return {
    cpuSeconds: ticks / ticksPerSecond,
    residentMb: megabytes(pid, 'VmRSS') + theirs + (children.length > 0 ? shared : 0),
    peakMb: megabytes(pid, 'VmHWM') + theirs + (children.length > 0 ? shared : 0),
  };
}

/** Children of this process by what /proc calls them or by a word of their command line. */
export function childNamed(word: string): number | undefined {
  return everybody().find(({ pid, name, parent }) => {
    if (parent !== process.pid) return false;
    if (name === word) return true;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
    } catch {
      return false;
    }
  })?.pid;
}
