// A run that goes on leaves out what was well, by the newest word on each case.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal, type Entry } from './journal.js';

const entry = (name: string, verdict: Entry['verdict']): Entry => ({ name, verdict, at: 'now', commit: 'c' });

it('the newest verdict of a case counts, and nothing is passed before the first run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  try {
    const journal = new Journal(join(folder, 'below', 'journal.jsonl'));
    expect([...(await journal.passed()).keys()]).toEqual([]);
    await journal.add([entry('a:kill', 'ok'), entry('b:kill', 'broken'), entry('c:kill', 'ok')]);
    await journal.add([entry('b:kill', 'ok'), entry('c:kill', 'never passed')]);
    expect([...(await journal.passed()).keys()]).toEqual(['a:kill', 'b:kill']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
