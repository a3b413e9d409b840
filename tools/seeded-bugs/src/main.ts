// `npm run seeded-bugs [-- --only NAME]`: plants one bug after the other and runs the test that must notice; first the same
// tests without a bug, which must pass. A bug counts as caught when its file was loaded with the bug in it and a test failed
// by its own claim: a file that does not compile or a test that did not run catches nothing.
// Last line: `seeded-bugs: caught 12 of 12`; exit 0 only when all are.
// `--checker` shows that the checker sees, too: builds of the whole system with a bug in it run a case of `npm run failpoints`,
// and the invariant concerned must be found broken; without the bug the same case must be well.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startInfrastructure } from '../../dev/src/infrastructure.js';
import { seededBugs, type SeededBug } from './bugs.js';
import { buildMutant } from './mutant.js';

const flag = { type: 'boolean', default: false } as const;
const { values } = parseArgs({ options: { only: { type: 'string' }, list: flag, checker: flag } });
/** A test that a bug makes wait for ever is given up by Jest itself long before. */
const runLimitMs = 240_000;

interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { message: string; assertionResults: { title: string; status: string; failureMessages: string[] }[] }[];
}

interface Run {
  passed: number;
  failed: number;
  /** of the first failed test */
  why: string;
  /** a file of tests that could not even be run */
  broken: string | undefined;
  planted: Set<string>;
  tookMs: number;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function run(tests: readonly SeededBug['caughtBy'][], bug: SeededBug | undefined, folder: string): Promise<Run> {
  const startedAt = performance.now();
  const notes = join(folder, `${bug?.name ?? 'none'}.notes`);
  const output = join(folder, `${bug?.name ?? 'none'}.json`);
  const titles = tests.map(({ test }) => test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const child = spawn(
    process.execPath,
    [
      ...['node_modules/jest/bin/jest.js', '--config', 'tools/seeded-bugs/jest.config.mjs', '--json', '--forceExit'],
      ...['--outputFile', output, '--testNamePattern', titles.join('|'), '--runTestsByPath'],
      ...new Set(tests.map(({ spec }) => spec)),
    ],
    {
      env: { ...process.env, SYNC_SEEDED_BUG: bug?.name ?? '', SYNC_SEEDED_BUG_NOTES: notes },
      stdio: ['ignore', 'ignore', 'ignore'],
    },
  );
  const limit = setTimeout(() => child.kill('SIGKILL'), runLimitMs);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(limit);
  const text = await readFile(output, 'utf8').catch(() => '');
  const tookMs = performance.now() - startedAt;
  const planted = new Set((await readFile(notes, 'utf8').catch(() => '')).split('\n').filter(Boolean));
  if (text === '') return { passed: 0, failed: 0, why: '', broken: 'the run did not end', planted, tookMs };
  const report = JSON.parse(text) as JestReport;
  const broken = report.testResults.find(({ assertionResults }) => assertionResults.length === 0)?.message;
  const why = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .flatMap(({ title, failureMessages: [message] }) => (message ? [`${title}: ${firstLine(message)}`] : []))[0];
  return { passed: report.numPassedTests, failed: report.numFailedTests, why: why ?? '', broken, planted, tookMs };
}

/** What a failure says, without colours and stack. */
function firstLine(message: string): string {
  const plain = message.replace(/\u001b\[[0-9;]*m/g, '').split(/\n\s+at /)[0]!;
  return plain
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 4)
    .join(' ')
    .slice(0, 200);
}

function verdict(bug: SeededBug, { broken, planted, failed, why }: Run): { caught: boolean; text: string } {
  if (broken) return { caught: false, text: `could not be judged: ${firstLine(broken)}` };
  const missing = bug.edits.find(({ file }) => !planted.has(file));
  if (missing) return { caught: false, text: `${missing.file} was never loaded with the bug in it` };
  return failed > 0 ? { caught: true, text: why } : { caught: false, text: 'every test passed with the bug in' };
}

/** A case of `npm run failpoints` from the build in this folder; answers its exit code and what it said. */
async function failpointCase(folder: string, point: string): Promise<{ code: number | null; said: string }> {
  const program = ['dist/tools/failpoints/src/main.js', '--only', point];
  const child = spawn(process.execPath, program, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const limit = setTimeout(() => child.kill('SIGTERM'), runLimitMs);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(limit);
  return { code, said };
}

async function underTheChecker(bugs: readonly SeededBug[]): Promise<boolean> {
  let caught = 0;
  let cases = 0;
  for (const { name, seenByChecker } of bugs) {
    if (!seenByChecker) continue;
    cases++;
    const { failpoint, invariant } = seenByChecker;
    const sound = await failpointCase(process.cwd(), failpoint);
    const wrong = await failpointCase(await buildMutant(name), failpoint);
    const line = wrong.said.split('\n').find((one) => one.includes(`${invariant} VIOLATED`));
    const isCaught = sound.code === 0 && wrong.code !== 0 && line !== undefined;
    if (isCaught) caught++;
    const without = sound.code === 0 ? '' : ' (and the case fails without the bug)';
    print(`${isCaught ? 'caught' : 'MISSED'} ${name} at ${failpoint}: ${line?.trim() ?? 'nothing was said'}${without}`);
  }
  print(`seeded-bugs: the checker caught ${caught} of ${cases}`);
  return cases > 0 && caught === cases;
}

const wanted = seededBugs.filter(({ name }) => values.only === undefined || name.startsWith(values.only));
if (values.list || wanted.length === 0) {
  for (const { name, harm } of seededBugs) print(`${name}: ${harm}`);
  process.exit(values.list ? 0 : 1);
}
if (values.checker) process.exit((await underTheChecker(wanted)) ? 0 : 1);
const infrastructure = await startInfrastructure({ say: (text) => void process.stderr.write(`${text}\n`) });
const folder = await mkdtemp(join(tmpdir(), 'seeded-bugs-'));
let exitCode = 1;
try {
  Object.assign(process.env, infrastructure.addresses);
  const tests = wanted.map(({ caughtBy }) => caughtBy);
  const sound = await run(tests, undefined, folder);
  const isSound = sound.broken === undefined && sound.failed === 0 && sound.passed >= new Set(tests).size;
  print(
    `without a bug: ${sound.passed} passed, ${sound.failed} failed, ${(sound.tookMs / 1000).toFixed(0)} s${isSound ? '' : `: ${sound.broken ?? sound.why}`}`,
  );
  let caught = 0;
  for (const bug of wanted) {
    const one = await run([bug.caughtBy], bug, folder);
    const judged = verdict(bug, one);
    if (judged.caught) caught++;
    print(
      `${judged.caught ? 'caught' : 'MISSED'} ${bug.name} in ${(one.tookMs / 1000).toFixed(0)} s by ${bug.caughtBy.spec}: ${judged.text}`,
    );
  }
  print(`seeded-bugs: caught ${caught} of ${wanted.length}${isSound ? '' : ', but the tests fail without a bug too'}`);
  exitCode = isSound && caught === wanted.length ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
  await infrastructure.stop();
}
process.exit(exitCode);
