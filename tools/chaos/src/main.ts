// `npm run chaos`: see `usage` in arguments.ts, and docs/reliability.md for what was run.
import { inspect } from 'node:util';
import { readArguments, usage, type ChaosOptions } from './arguments.js';
import { closingLine, isGood, sumOf } from './count.js';
import { Journal, readJournal } from './journal.js';
import { feltLimitMs } from './nemesis.js';
import type { PlannedAct } from './plan.js';
import { recoveryTable } from './recovery.js';
import { Round, type RoundEnd } from './round.js';
import { spentLine } from './spent.js';
import { RoundsFile, roundsOf, type RoundDone } from './rounds.js';

const startedMs = performance.now();
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const phase = (text: string): void =>
  line(`» ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);

/** For all rounds: many of them must not listen one by one. */
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error('interrupted')));
});
interrupted.catch(() => undefined);

async function runRound(
  o: ChaosOptions & { dense: boolean },
  plan: readonly PlannedAct[] | undefined,
): Promise<RoundEnd> {
  const path = `${o.folder}/seed-${o.seed}-${new Date().toISOString().replace(/[:.]/g, '-')}.jsonl`;
  const journal = await Journal.open(path);
  const { replay: _from, dense: _dense, ...options } = o;
  journal.write({ what: 'run', options });
  phase(`the whole system starts; journal: ${path}`);
  const round = await Round.open({ ...o, ...(plan && { plan }) }, journal, line, phase);
  let good = false;
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
  if (asked.replay !== undefined) {
    const { options, plan } = await readJournal(asked.replay);
    return summed(options, [{ ...options, round: 0, ...(await runRound({ ...options, dense: false }, plan)) }]);
  }
  const { seed, changes, kills, nemeses, quick, perRound } = asked;
  const which = [seed, changes, kills, perRound, quick ? 'quick' : 'whole', nemeses.join('-')].join('_');
  const file = new RoundsFile(`${asked.folder}/rounds-${which}.jsonl`);
  const done = asked.resume ? await file.done() : [];
  const rounds = roundsOf(asked);
  if (done.length > 0) phase(`${done.length} of ${rounds.length} rounds were finished before`);
  for (const round of rounds) {
    if (done.some((one) => one.round === round.round)) continue;
    if (rounds.length > 1) phase(`round ${round.round + 1} of ${rounds.length}, seed ${round.seed}`);
    const end = { ...round, ...(await runRound({ ...asked, ...round, dense: rounds.length > 1 }, undefined)) };
    done.push(end);
    await file.add(end);
    if (rounds.length > 1) line(closingLine(end.seed, end.changes, end.kills, end.counted));
    // What a bad round left is worth more than another round.
    if (!isGood(end.counted)) break;
  }
  return summed(asked, done);
}

function summed({ seed, changes, kills }: ChaosOptions, rounds: readonly RoundDone[]): number {
  for (const row of recoveryTable(
    rounds.flatMap(({ samples }) => samples),
    feltLimitMs,
  ))
    line(row);
  const counted = sumOf(rounds.map((round) => round.counted));
  const made = rounds.reduce((sum, round) => sum + round.changes, 0);
  const ended = rounds.reduce((sum, round) => sum + round.kills, 0);
  line(
    spentLine(
      rounds.map(({ spent }) => spent),
      ended,
    ),
  );
  line(closingLine(seed, made, ended, counted));
  return isGood(counted) && made === changes && ended === kills ? 0 : 1;
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
