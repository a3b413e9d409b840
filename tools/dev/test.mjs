// `npm test [-- options of Jest]`: every test, and beside them the checks, which take the processor when the tests wait. A
// check that fails is named at once and shown at the end, where it is read. The last line counts each as one failure.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, runChecks } from './checks.mjs';
import { closingLine } from './closing-line.cjs';

const folder = mkdtempSync(join(tmpdir(), 'qbo-sync-test-'));
const figuresPath = join(folder, 'figures.json');
// Ctrl-C reaches Jest as well, and its end is ours.
process.on('SIGINT', () => undefined);

const jest = spawn(bin('jest'), process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, CLOSING_FIGURES_TO: figuresPath },
});
const tested = new Promise((resolve) => {
  jest.once('error', () => resolve(1));
  jest.once('close', (code) => resolve(code ?? 1));
});
const checked = runChecks({
  atOnce: 1,
  background: true,
  ended: ({ name, failed }) => failed && process.stderr.write(`\ncheck ${name}: FAILED (shown at the end)\n`),
});
const [code, failures] = await Promise.all([tested, checked]);

// Jest that did not come to its end is a failure, whatever it said before.
const figures = existsSync(figuresPath)
  ? JSON.parse(readFileSync(figuresPath, 'utf8'))
  : { passed: 0, failed: 1, skipped: 0 };
rmSync(folder, { recursive: true });
process.stdout.write('\n');
for (const { name, output } of failures) process.stdout.write(`check ${name}: failed\n${output}\n`);
if (failures.length === 0) process.stdout.write('checks: types, lint, format and arrows ok\n');
figures.failed += failures.length;
process.stdout.write(`\n${closingLine(figures)}\n`);
process.exitCode = code !== 0 ? code : figures.failed > 0 ? 1 : 0;
