import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments, type ChaosOptions } from './arguments.js';
import { Journal, readJournal } from './journal.js';
import { nemeses, planOf } from './plan.js';

const options = readArguments(['--seed', '5', '--changes', '300', '--kills', '9']) as ChaosOptions;

it('what is read from a journal is the plan that was carried out, with the options of its run', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'chaos-')), 'journal.jsonl');
  const plan = planOf({ ...options, nemeses: new Set(nemeses), brokers: 3, companies: 4, links: ['a-b'] });
  const journal = await Journal.open(path);
  journal.write({ what: 'run', options });
  for (const planned of plan) journal.write({ what: 'act', planned, changes: planned.atChange });
  journal.write({ what: 'healed', n: 0 });
  await journal.close();
  expect(await readJournal(path)).toEqual({ options: { ...options, replay: path }, plan });
});

it('a file that is no journal is refused with a sentence', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'chaos-')), 'journal.jsonl');
  const journal = await Journal.open(path);
  await journal.close();
  await expect(readJournal(path)).rejects.toThrow('does not begin with a run');
});

it('the nightly form is what comes without options', () => {
  expect(readArguments([])).toMatchObject({ seed: 1, changes: 3000, kills: 30, quick: false, nemeses });
  expect(readArguments(['--folder', '/elsewhere'])).toMatchObject({ folder: '/elsewhere' });
});

it('kills are not asked of a nemesis that kills nobody', () => {
  expect(readArguments(['--nemesis', 'quickbooks'])).toMatchObject({ kills: 0 });
  expect(() => readArguments(['--nemesis', 'quickbooks', '--kills', '3'])).toThrow('--kills needs');
});

it.each([
  [['--nemesis', 'apps,gremlins'], 'no nemesis is called gremlins'],
  [['--changes', 'many'], '--changes takes a whole number'],
])('%j is refused with a sentence', (args, says) => {
  expect(() => readArguments(args)).toThrow(says);
});
