// `npm run observe:generate`: writes rules, their tests, runbooks, boards and the metrics page.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generated } from './generate.js';
import { builtMetrics } from './built-metrics.js';

const files = generated(await builtMetrics());
// A runbook of an alert that is gone must not stay.
for (const folder of ['observe/rules', 'observe/tests', 'observe/boards', 'docs/runbooks'])
  await rm(folder, { recursive: true, force: true });
for (const [name, text] of files) {
  await mkdir(dirname(name), { recursive: true });
  await writeFile(join(process.cwd(), name), text);
}
process.stdout.write(`${files.size} files written; now: npm run k8s:generate\n`);
