// What every change must pass beside its tests: types, lint, format and arrows, side by side; everything wrong is shown, not
// the first thing only.
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { join } from 'node:path';

export const bin = (name) => join('node_modules', '.bin', name);
// Longest first.
const checks = [
  ['types', bin('tsc'), ['--noEmit']],
  ['lint', bin('eslint'), ['.', '--max-warnings', '0']],
  ['format', bin('prettier'), ['--check', '.', '--log-level', 'warn']],
  ['arrows', bin('depcruise'), ['apps', 'libs', 'tools', '--config', '.dependency-cruiser.cjs']],
];

// A third of the weight of what runs beside them: enough to end in time on a machine that is busy with other things, too.
const backgroundNice = 5;

function run([name, command, args], background) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    if (background && child.pid !== undefined) setPriority(child.pid, backgroundNice);
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ name, failed: true, output: String(error) }));
    child.once('close', (code) => resolve({ name, failed: code !== 0, output: output.trimEnd() }));
  });
}

/**
 * @param atOnce how many run side by side
 * @param background others shall have the processor first
 * @returns what failed
 */
export async function runChecks({ atOnce, background = false, ended }) {
  const failures = [];
  const queue = [...checks];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const outcome = await run(next, background);
        if (outcome.failed) failures.push(outcome);
        ended(outcome);
      }
    }),
  );
  return failures;
}
