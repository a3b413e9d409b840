// Everything a run does, a JSON line each, written before it is done: what a killed run had begun is known, and another run can
// repeat it.
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ChaosOptions } from './arguments.js';
import type { PlannedAct } from './plan.js';

export type Entry =
  | { what: 'run'; options: Omit<ChaosOptions, 'replay'> }
  /** realm ids by the number that acts give them */
  | { what: 'companies'; realmIds: readonly string[] }
  | { what: 'act'; planned: PlannedAct; changes: number }
  | { what: 'healed'; n: number }
  | { what: 'recovered'; n: number; afterMs: number | null }
  | { what: 'change'; n: number; company: string; done: unknown }
  | { what: 'changes'; done: number }
  | { what: 'noticed'; text: string }
  | { what: 'ended'; line: string };

export type Stamped<T> = T & { at: string };

export class Journal {
  /** what was written so far; no run is long enough to mind it */
  readonly entries: Stamped<Entry>[] = [];
  private readonly file: WriteStream;

  private constructor(readonly path: string) {
    this.file = createWriteStream(path, { flags: 'w' });
  }

  static async open(path: string): Promise<Journal> {
    await mkdir(dirname(path), { recursive: true });
    return new Journal(path);
  }

  write(entry: Entry): void {
    const stamped = { at: new Date().toISOString(), ...entry };
    this.entries.push(stamped);
    this.file.write(`${JSON.stringify(stamped)}\n`);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.file.end(() => resolve()));
  }
}

/** What a journal says was done: the options of its run and its acts, each at its number of changes. */
export async function readJournal(path: string): Promise<{ options: ChaosOptions; plan: PlannedAct[] }> {
  const entries = (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
  const run = entries.find((entry) => entry.what === 'run');
  if (!run) throw new TypeError(`${path} does not begin with a run`);
  const plan = entries.flatMap((entry) => (entry.what === 'act' ? [entry.planned] : []));
  return { options: { ...run.options, replay: path }, plan: plan.sort((a, b) => a.n - b.n) };
}
