// `npm run check`: types, lint, format and arrows, side by side; everything wrong is shown, not the first thing only.
// `--before-tests` (npm test) ends a failure with the line that a run's last line always is.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const bin = (name) => join('node_modules', '.bin', name);
// Longest first.
const checks = [
  ['types', bin('tsc'), ['--noEmit']],
  ['lint', bin('eslint'), ['.', '--max-warnings', '0']],
  ['format', bin('prettier'), ['--check', '.', '--log-level', 'warn']],
  ['arrows', bin('depcruise'), ['apps', 'libs', 'tools', '--config', '.dependency-cruiser.cjs']],
];

function run([name, command, args]) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ name, failed: true, output: String(error) }));
    child.once('close', (code) => resolve({ name, failed: code !== 0, output }));
  });
}

const failures = [];
const queue = [...checks];
await Promise.all(
  Array.from({ length: Math.max(1, Math.min(availableParallelism(), 4)) }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { name, failed, output } = await run(next);
      process.stdout.write(failed ? `check ${name}: failed\n${output.trimEnd()}\n` : `check ${name}: ok\n`);
      if (failed) failures.push(name);
    }
  }),
);
if (failures.length > 0) {
  process.stdout.write(`\nfailed: ${failures.join(', ')}; no test was run\n`);
  if (process.argv.includes('--before-tests'))
    process.stdout.write(`\n0 passed, ${failures.length} failed, 0 skipped\n`);
  process.exitCode = 1;
}
