// What earlier runs of the whole matrix came to, so that a run that was interrupted goes on where it stood: one line per case,
// the newest of a case counts.
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Entry {
  /** point and action, or the name of a lost token */
  name: string;
  verdict: 'ok' | 'broken' | 'never passed';
  at: string;
  /** of the build: verdicts of other code are somebody else's */
  commit: string;
}

export class Journal {
  constructor(private readonly file: string) {}

  async add(entries: readonly Entry[]): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true });
    await appendFile(this.file, entries.map((one) => `${JSON.stringify(one)}\n`).join(''));
  }

  /** What was last seen well. */
  async passed(): Promise<Map<string, Entry>> {
    const text = await readFile(this.file, 'utf8').catch(() => '');
    const newest = new Map<string, Entry>();
    for (const line of text.split('\n').filter(Boolean)) {
      const entry = JSON.parse(line) as Entry;
      newest.set(entry.name, entry);
    }
    return new Map([...newest].filter(([, { verdict }]) => verdict === 'ok'));
  }
}
