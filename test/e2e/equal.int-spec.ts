// The model test: a person at work in the emulator, at random, and the books of the copy compared with those of the source at
// rest, account by account, name by name, link by link, field by field. The short form, on the run's Kafka and PostgreSQL, with
// the six apps as processes; `npm run equal` is the long one. A failing history is shortened and printed.
import { execFile } from 'node:child_process';

jest.setTimeout(240_000);

const acts = 40;
/** Always the same two, so that a change is judged by its own doing; new ones are looked for with `npm run equal -- --seeds`. */
const seeds = [7, 11];

function run(tool: string, ...options: string[]): Promise<{ code: number; lines: string[] }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['tools/dev/run.mjs', `tools/equal/src/${tool}`, ...options],
      { maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error ? 1 : 0, lines: `${stdout}${stderr}`.trimEnd().split('\n') }),
    );
  });
}

it('random histories leave equal books, live and by backfill, with webhooks lost, doubled and reordered', async () => {
  const { code, lines } = await run(
    'main',
    ...[
      '--seeds',
      seeds.join(),
      '--how',
      'turns',
      '--acts',
      String(acts),
      '--company',
      'empty',
      '--shuffle',
      '--shrink-runs',
      '3',
    ],
  );
  process.stdout.write(`equal: seeds ${seeds.join()}: ${lines.at(-1)}\n`);
  // Everything it says stands in the failure: the differences, their causes and the shortest history that shows them.
  expect({ code, lines: code === 0 ? [] : lines }).toEqual({ code: 0, lines: [] });
  expect(lines.at(-1)).toMatch(
    new RegExp(`^equal: acts=${acts * seeds.length} types=\\d+ records=\\d+ differences=0 held=\\d+$`),
  );
});

it('children first, parents last: none waits at the end, and little more than one write for each', async () => {
  const { code, lines } = await run('storm-main', '--records', '200');
  expect({ code, lines: code === 0 ? [] : lines }).toEqual({ code: 0, lines: [] });
  expect(lines.at(-1)).toMatch(/^storm: records=200 writes=\d+ per_record=[01]\.\d+ waiting=0$/);
});
