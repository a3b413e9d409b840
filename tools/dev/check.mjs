// `npm run check`: the checks alone.
import { availableParallelism } from 'node:os';
import { runChecks } from './checks.mjs';

const failures = await runChecks({
  atOnce: Math.max(1, Math.min(availableParallelism(), 4)),
  ended: ({ name, failed, output }) =>
    process.stdout.write(failed ? `check ${name}: failed\n${output}\n` : `check ${name}: ok\n`),
});
if (failures.length > 0) {
  process.stdout.write(`\nfailed: ${failures.map(({ name }) => name).join(', ')}\n`);
  process.exitCode = 1;
}
