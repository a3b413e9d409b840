// `npm run chaos`: see `usage` in arguments.ts, and docs/reliability.md for what was run.
import { inspect } from 'node:util';
import { readArguments, usage, type ChaosOptions } from './arguments.js';
import { closingLine, isGood } from './count.js';
import { Journal, readJournal } from './journal.js';
import { feltLimitMs } from './nemesis.js';
import type { PlannedAct } from './plan.js';
import { recoveryTable } from './recovery.js';
import { Round, type RoundEnd } from './round.js';

const startedMs = performance.now();
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const phase = (text: string): void =>
  line(`» ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);

async function runRound(o: ChaosOptions, plan: readonly PlannedAct[] | undefined): Promise<RoundEnd> {
  const path = `.cache/chaos/seed-${o.seed}-${new Date().toISOString().replace(/[:.]/g, '-')}.jsonl`;
  const journal = await Journal.open(path);
  const { replay: _from, ...options } = o;
  journal.write({ what: 'run', options });
  phase(`the whole system starts; journal: ${path}`);
  const round = await Round.open({ ...o, ...(plan && { plan }) }, journal, line, phase);
  let good = false;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error('interrupted')));
  });
  try {
    const end = await Promise.race([round.run(), interrupted]);
    good = isGood(end.counted);
    journal.write({ what: 'ended', line: closingLine(o.seed, end.changes, end.kills, end.counted) });
    return end;
  } finally {
    await journal.close();
    await round.stop(good);
  }
}

async function main(asked: ChaosOptions): Promise<number> {
  const { options, plan } = asked.replay === undefined ? { options: asked } : await readJournal(asked.replay);
  const end = await runRound(options, plan);
  for (const row of recoveryTable(end.samples, feltLimitMs)) line(row);
  line(closingLine(options.seed, end.changes, end.kills, end.counted));
  return isGood(end.counted) && end.changes === options.changes && end.kills === options.kills ? 0 : 1;
}

let asked: ChaosOptions | 'help' = 'help';
try {
  asked = readArguments(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`chaos: ${(error as Error).message}\n${usage}\n`);
  process.exit(2);
}
let code = 1;
if (asked === 'help') line(usage);
else
  code = await main(asked).catch((error: unknown) => {
    line(`chaos: failed: ${inspect(error)}`);
    return 1;
  });
process.exit(asked === 'help' ? 0 : code);
