// The arrows and the lint rules have teeth: each is shown a planted violation, in a copy of the layout that holds nothing
// else, and must name it. `npm run check` runs the same two tools with the same settings over the real code.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = process.cwd();
jest.setTimeout(60_000);

function run(program: string, args: string[], cwd: string, input = ''): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, 'node_modules', program), ...args],
      { cwd, maxBuffer: 32 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout: stdout + stderr }),
    );
    child.stdin!.end(input);
  });
}

describe('dependency-cruiser', () => {
  // [rule, file, what it imports]
  const planted: [string, string, string][] = [
    ['core-uses-nothing', 'libs/core/src/a.ts', '#contracts'],
    ['contracts-use-core', 'libs/contracts/src/a.ts', '#common/clock'],
    ['common-uses-core', 'libs/common/src/clock/a.ts', '#storage'],
    ['storage-uses-common-core', 'libs/storage/src/a.ts', '#kafka'],
    ['storage-uses-common-core', 'libs/storage/src/b.ts', '../../contracts/src/index.js'],
    ['qbo-uses-common-core', 'libs/qbo/src/a.ts', '#storage'],
    ['kafka-uses-common-contracts-core', 'libs/kafka/src/a.ts', '#qbo'],
    ['testing-uses-libs', 'libs/testing/src/a.ts', '../../../apps/audit/src/index.js'],
    ['apps-use-libs', 'apps/ingest/src/a.ts', '../../audit/src/index.js'],
    ['apps-use-libs', 'apps/ingest/src/b.ts', '#testing'],
    ['emulator-uses-nothing', 'tools/qbo-emulator/src/a.ts', '#core'],
    ['emulator-uses-nothing', 'tools/qbo-emulator/src/b.ts', '../../demo/src/index.js'],
    ['tools-use-libs', 'tools/demo/src/a.ts', '../../../apps/audit/src/index.js'],
    ['nobody-uses-the-emulator', 'apps/audit/src/a.ts', '../../../tools/qbo-emulator/src/index.js'],
    ['nobody-uses-the-emulator', 'libs/testing/src/b.ts', '../../../tools/qbo-emulator/src/index.js'],
    ['tests-stay-in-their-part', 'libs/qbo/src/a.int-spec.ts', '../../../tools/demo/src/index.js'],
    ['emulator-tests-use-nothing', 'tools/qbo-emulator/src/a.spec.ts', '#testing'],
    ['core-is-pure', 'libs/core/src/b.ts', 'node:fs'],
    ['core-is-pure', 'libs/core/src/c.ts', 'kafkajs'],
    ['no-unresolved', 'libs/core/src/d.ts', './nowhere.js'],
    ['no-cycles', 'libs/core/src/e.ts', './f.js'],
  ];
  const allowed: [string, string][] = [
    ['libs/core/src/f.ts', './e.js'], // the other half of the ring
    ['libs/core/src/ok.ts', 'node:crypto'],
    ['libs/contracts/src/ok.ts', '#core'],
    ['libs/storage/src/ok.ts', '#common/clock'],
    ['libs/storage/src/ok.int-spec.ts', '#testing'],
    ['apps/ingest/src/ok.ts', '#kafka'],
    ['tools/demo/src/ok.ts', '#testing'],
  ];
  let folder: string;
  let found: Set<string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'arrows-'));
    const plant = async (path: string, text: string) => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    };
    const homes = [
      'libs/core',
      'libs/contracts',
      'libs/storage',
      'libs/kafka',
      'libs/qbo',
      'libs/testing',
      'libs/common/src/clock',
    ];
    for (const home of [...homes, 'apps/audit', 'tools/demo', 'tools/qbo-emulator']) {
      await plant(`${home}${home.includes('clock') ? '' : '/src'}/index.ts`, 'export const here = 1;\n');
    }
    for (const [path, specifier] of [...planted.map(([, path, to]) => [path, to] as const), ...allowed]) {
      await plant(path, `import * as it from '${specifier}';\nexport const use = it;\n`);
    }
    await copyFile(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const args = ['apps', 'libs', 'tools', '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json'];
    const { stdout } = await run('dependency-cruiser/bin/dependency-cruise.mjs', args, folder);
    const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
    found = new Set(summary.violations.map(({ rule, from }) => `${rule.name} ${from}`));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(planted)('%s: catches %s -> %s', (rule, path) => {
    expect(found).toContain(`${rule} ${path}`);
  });

  it.each(allowed.slice(1))('lets %s -> %s pass', (path) => {
    expect([...found].filter((violation) => violation.endsWith(` ${path}`))).toEqual([]);
  });
});

describe('eslint', () => {
  async function lint(path: string, code: string): Promise<string[]> {
    const args = ['--stdin', '--stdin-filename', path, '--format', 'json'];
    const { stdout } = await run('eslint/bin/eslint.js', args, root, code);
    const [file] = JSON.parse(stdout) as { messages: { ruleId: string }[] }[];
    return file!.messages.map((message) => message.ruleId);
  }

  const rules: [string, string, string, string][] = [
    ['the clock in the core', 'libs/core/src/planted.ts', 'export const a = Date.now();', 'no-restricted-properties'],
    ['chance in the core', 'libs/core/src/planted.ts', 'export const a = Math.random();', 'no-restricted-properties'],
    ['the present in the core', 'libs/core/src/planted.ts', 'export const a = new Date();', 'no-restricted-syntax'],
    [
      'waiting in the core',
      'libs/core/src/planted.ts',
      'export const a = async () => { await 1; };',
      'no-restricted-syntax',
    ],
    [
      'the environment in the core',
      'libs/core/src/planted.ts',
      'export const a = process.env.A;',
      'no-restricted-properties',
    ],
    [
      'the environment in an app',
      'apps/audit/src/planted.ts',
      'export const a = process.env.A;',
      'no-restricted-properties',
    ],
  ];
  it.each(rules)('catches %s', async (_what, path, code, rule) => {
    expect(await lint(path, `${code}\n`)).toEqual([rule]);
  });

  it('lets main.ts read the environment and the core use a given time', async () => {
    expect(await lint('apps/audit/src/main.ts', 'export const a = process.env.A;\n')).toEqual([]);
    expect(await lint('libs/core/src/planted.ts', 'export const a = new Date(0);\n')).toEqual([]);
  });
});
