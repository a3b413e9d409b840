// `npm run demo`: the whole story on this machine, ending with proof. Exit 0 only when the books agree and nothing was lost,
// doubled or written twice.
import { SetupError } from '../../dev/src/infrastructure.js';
import { Installation } from '../../installation/src/installation.js';
import { alarm, header, objectivesTable } from '../../observe/src/live/objectives-table.js';
import { Prometheus, binary } from '../../observe/src/live/prometheus.js';
import { readArguments, usage } from './arguments.js';
import { Demo } from './demo.js';
import { Screen } from './screen.js';

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const screen = new Screen({ quiet: options.quiet, terminal: process.stdout.isTTY === true });
  const startedMs = performance.now();
  screen.phase('Kafka, schema registry, PostgreSQL and the QuickBooks emulator start');
  let installation: Installation | undefined;
  const interrupted = new Promise<'interrupted'>((resolve) => {
    let signals = 0;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => (++signals > 1 ? process.exit(130) : resolve('interrupted')));
    }
  });
  let prometheus: Prometheus | undefined;
  const story = (async () => {
    // Said before anything starts, not after two minutes.
    if (options.observe) await binary('prometheus');
    installation = await Installation.start((text) => screen.detail(text));
    const verdict = await new Demo(options, screen, installation, async () => {
      if (!options.observe) return;
      prometheus = await Prometheus.start(installation!);
      screen.detail(`Prometheus ${prometheus.version} watches: ${prometheus.url}`);
    }).run();
    return prometheus ? { ...verdict, equal: verdict.equal && (await watched(prometheus, screen)) } : verdict;
  })();
  let code = 1;
  try {
    const outcome = await Promise.race([story, interrupted]);
    if (outcome === 'interrupted') {
      screen.line('interrupted');
      code = 130;
    } else {
      code = outcome.equal ? 0 : 1;
      if (!outcome.equal) screen.line(`logs: ${await installation!.keepLogs()}`);
      screen.detail(`${((performance.now() - startedMs) / 1000).toFixed(0)} s in all`);
      if (options.stay) screen.line('everything keeps running; Ctrl-C stops it');
      screen.line(outcome.line);
      if (options.stay) await interrupted;
    }
  } catch (error) {
    const logs = await installation?.keepLogs().catch(() => undefined);
    screen.line(`demo: failed: ${error instanceof SetupError ? error.message : String((error as Error).stack)}`);
    if (logs) screen.line(`logs: ${logs}`);
  }
  await prometheus?.stop();
  // A start that was interrupted half-way is left to the guard, which ends all children with this process.
  await installation?.stop().catch((error: unknown) => screen.line(`stop: ${String(error)}`));
  return code;
}

/** @returns whether Prometheus could do its work; whether an objective was kept is for the reader of the table */
async function watched(prometheus: Prometheus, screen: Screen): Promise<boolean> {
  const { rows } = await objectivesTable(prometheus);
  screen.table(header, rows, true);
  const { loud, broken, loaded } = await alarm(prometheus);
  const missed = await prometheus.missed();
  screen.line(
    `observe: ${loaded} rules loaded, ${broken.length} broken; ${loud.length} alerts pending or firing${loud.length > 0 ? `: ${loud.join(', ')}` : ''}; apps not scraped: ${missed.join('; ') || 'none'}`,
  );
  for (const each of broken) screen.line(`  ${each}`);
  return broken.length === 0 && missed.length === 0;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`demo: ${(error as Error).message}\n${usage}\n`);
  process.exit(2);
}
