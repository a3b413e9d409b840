// One folder for everything an instance keeps, held by a lock file: two Kafka brokers on one folder leave each other
// deaf to SIGTERM. The lock names the process and its guard; a lock whose holders are gone is taken over.
import { mkdir, mkdtemp, readFile, rm, writeFile, chmod } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A sentence for a person; nothing is wrong with the program. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

interface Holder {
  pid: number;
  born: string | undefined;
  guardPid?: number;
  guardBorn?: string;
}

export interface DataFolder {
  readonly path: string;
  readonly temporary: boolean;
  noteGuard(pid: number): Promise<void>;
  release(): Promise<void>;
}

/** Start time of a process in clock ticks, which with the pid names it for good; undefined when it is gone. */
function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20];
  } catch {
    return undefined;
  }
}

const isThere = (pid: number | undefined, born: string | undefined): boolean =>
  pid !== undefined && born !== undefined && bornAt(pid) === born;

/** @throws SetupError when another process holds the folder */
export async function openDataFolder(wanted: string | undefined): Promise<DataFolder> {
  const temporary = wanted === undefined;
  const path = wanted ?? (await mkdtemp(join(tmpdir(), 'qbo-sync-')));
  await mkdir(path, { recursive: true });
  // mkdtemp makes 0700, which PostgreSQL's own user (root starts it as "postgres") could not enter.
  await chmod(path, 0o755);
  const lock = join(path, 'lock');
  const me: Holder = { pid: process.pid, born: bornAt(process.pid) };
  for (let tries = 0; ; tries++) {
    try {
      await writeFile(lock, JSON.stringify(me), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await readHolder(lock);
    if (holder && isThere(holder.pid, holder.born)) {
      throw new SetupError(`${path} is in use by process ${holder.pid}; stop that one or give another folder.`);
    }
    // The holder was killed a moment ago and its guard is still stopping the children: seconds at most.
    if (holder && isThere(holder.guardPid, holder.guardBorn) && tries < 200) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    await rm(lock, { force: true });
  }
  return {
    path,
    temporary,
    noteGuard: (guardPid) => writeFile(lock, JSON.stringify({ ...me, guardPid, guardBorn: bornAt(guardPid) })),
    release: () => rm(temporary ? path : lock, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
}

async function readHolder(lock: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(lock, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
