// `npm run observe:check`: whether what watches the system works. Rules and their tests by promtool; then the demo runs with a
// real Prometheus beside it, rare states are made on purpose, and every query of every board and every command of every
// runbook is run. Ends `observe: panels N alive N, alerts M tested M, metrics K documented K`; exit 0 only when all is so.
// `-- --picture observe/overview.svg` draws the board Overview from what the run showed.
import { parseArgs } from 'node:util';
import { SetupError } from '../../dev/src/data-folder.js';
import { Screen } from '../../demo/src/screen.js';
import { alerts } from './alerts/index.js';
import { builtMetrics } from './built-metrics.js';
import { drifted, promtool } from './check/files.js';

const { values } = parseArgs({ options: { picture: { type: 'string' } } });
const screen = new Screen({ quiet: true, terminal: process.stdout.isTTY === true });

async function main(): Promise<number> {
  // Who declares a metric is told by whose file brings it: before anything else loads those files.
  const metrics = await builtMetrics();
  const wrong = drifted(metrics).map((name) => `${name} is not what the code writes: npm run observe:generate`);
  screen.phase('promtool: rules, and each alert firing and silent');
  const rules = await promtool();
  const { watch } = await import('./check/live.js');
  const figures = await watch(metrics, screen, values.picture);
  wrong.push(...rules.wrong, ...figures.wrong);
  for (const each of wrong) screen.line(`wrong: ${each}`);
  screen.line(
    `observe: panels ${figures.panels} alive ${figures.alive}, alerts ${alerts.length} tested ${rules.tested.length}, metrics ${figures.metrics} documented ${figures.documented}`,
  );
  return wrong.length === 0 && rules.tested.length === alerts.length ? 0 : 1;
}

try {
  process.exit(await main());
} catch (error) {
  screen.line(`observe: failed: ${error instanceof SetupError ? error.message : String((error as Error).stack)}`);
  process.exit(1);
}
