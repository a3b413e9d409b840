// `npm run equal -- --seed S --acts N`: random histories, carried live and by backfill, and the proof that both copies are
// the same books. What differs is printed with its first cause, and with the shortest history that still shows it.
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Installation } from '../../installation/src/installation.js';
import { readArguments, usage, type EqualOptions, type How } from './arguments.js';
import { actsOf, Histories, sweepMs, type Act, type Outcome } from './history.js';
import { closingLine, failingIn, reportLines, sumOf, told, totalsOf, type Totals } from './report.js';
import { Shaped } from './shaped.js';
import { shrink } from './shrink.js';
import { fixturesPresent } from './source-company.js';

const startedMs = performance.now();
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const phase = (text: string): void =>
  line(`» ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);

async function prove(o: EqualOptions, installation: Installation): Promise<boolean> {
  const app = await installation.ourApp();
  // What change data capture does not tell (time, rates, tax) is found by the sweep: soon, here.
  // And a merge of which the notification was lost is looked into after this long, not after minutes.
  await installation.startApps(app, {
    SYNC_CAPTURE_SWEEP_INTERVAL: `${sweepMs}ms`,
    SYNC_CAPTURE_MERGE_GRACE: '3s',
  });
  const { control } = installation;
  const histories = new Histories(o, installation, control, app, phase);
  phase('quotas as in reality, in real time: 500 requests and 40 batches of 30 a minute for each company');
  const all: Totals[] = [];
  const shaped = o.shape && new Shaped(o, o.shape, installation, control, app, phase);
  for (const [turn, seed] of o.seeds.entries()) {
    const how = o.inTurns ? [o.how[turn % o.how.length]!] : o.how;
    const acts = actsOf(o, seed);
    phase(`${acts.length} acts of seed ${seed}, ${described(o)}`);
    if (shaped) {
      const seen = await shaped.run(seed, acts);
      for (const text of reportLines(seen)) line(text);
      all.push({ ...totalsOf(acts.length, seen), writesAfterRest: seen.writesAfterRest });
      phase(`seed ${seed}: ${closingLine(all.at(-1)!)}`);
      continue;
    }
    const outcome = await histories.run(seed, acts, how);
    for (const text of reportLines(outcome)) line(text);
    all.push(totalsOf(acts.length, outcome));
    if (o.seeds.length > 1) phase(`seed ${seed}: ${closingLine(all.at(-1)!)}`);
    const [failing] = failingIn(outcome);
    if (failing && o.shrinkRuns > 0) await printShortest(o, histories, seed, acts, failing, outcome);
  }
  // What the books cannot show: order, quota, tokens, log.
  const checked = await installation.judge({ replay: 'skip' });
  for (const said of checked.lines) line(said);
  const total = sumOf(all);
  line(closingLine(total));
  return total.differences === 0 && !total.writesAfterRest && checked.violations === 0;
}

function described(o: EqualOptions): string {
  const size = o.company === 'generated' ? ` of ${o.transactions} transactions` : '';
  const troubles = [o.shuffle && 'shuffled', o.faults && 'faults', o.kills > 0 && `${o.kills} kills each`];
  return [`company ${o.company}${size}`, o.shape ?? o.how.join(' and '), ...troubles.filter(Boolean)].join(', ');
}

async function printShortest(
  o: EqualOptions,
  histories: Histories,
  seed: number,
  acts: readonly Act[],
  failing: How,
  outcome: Outcome,
): Promise<void> {
  phase(`looking for a shorter history that fails (${failing})`);
  const shortest = await shrink(
    acts,
    async (shorter) => {
      const { judgements } = await histories.run(seed, shorter, [failing]);
      const { differences } = judgements[0]!.judgement;
      phase(`${shorter.length} acts: ${differences.length} differences`);
      return differences.length > 0;
    },
    o.shrinkRuns,
  );
  const wanted = new Set(shortest.map((act) => act.index));
  const only = wanted.size > 0 ? `--acts ${o.acts} --only ${[...wanted].join(',')}` : '--acts 0';
  line(`shortest failing history: ${shortest.length} acts (--seed ${seed} --how ${failing} ${only})`);
  for (const done of outcome.done.filter(({ index }) => wanted.has(index))) line(`  ${told(done)}`);
}

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2));
  if (options === 'help') {
    line(usage);
    return 0;
  }
  if (options.company === 'fixtures' && !fixturesPresent()) {
    line('equal: skipped: no real records at ../shared/fixtures');
    return 0;
  }
  let installation: Installation | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error('interrupted')));
  });
  let code = 1;
  try {
    phase('the whole system starts');
    const story = (async () => {
      installation = await Installation.start(() => undefined);
      return prove(options, installation);
    })();
    code = (await Promise.race([story, interrupted])) ? 0 : 1;
  } catch (error) {
    line(`equal: failed: ${inspect(error)}`);
  }
  if (code !== 0) phase(`logs: ${(await installation?.keepLogs('equal-logs').catch(() => undefined)) ?? 'none'}`);
  await Promise.race([installation?.stop().catch(() => undefined), sleep(20_000)]);
  return code;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`equal: ${(error as Error).message}\n${usage}\n`);
  process.exit(2);
}
