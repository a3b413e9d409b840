// `npm run failpoints`: every named point between two effects x {kill -9, throw, hang}, on real Kafka, PostgreSQL and the
// emulator, judged by the checker after each. Exit 0 only when nothing was lost, doubled or stuck.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { failpoint, failpointNames } from '#common/failpoints';
import { Installation } from '../../installation/src/installation.js';
import type { Report } from '../../verify/src/report.js';
import { Bench } from './bench.js';
import { casesOf, nameOf, spread, type Case } from './cases.js';
import { Journal, type Entry } from './journal.js';
import { lostTokens, loseToken } from './tokens.js';

const usage = `npm run failpoints -- [--quick] [--only NAME[:ACTION]] [--together N] [--resume] [--patient] [--cost] [--list]
Kills (-9), breaks and freezes the running system at every named point between two effects, waits for rest, and has the checker
judge. --quick: eight points, killed. --only: points that begin so. --together: that many cases between two judgements (12; with
--only 1). --resume: without the cases that the run before found well (.cache/failpoints/journal.jsonl). --patient: a frozen
process is left to its own watchdog. --cost: what a point costs while it is off.`;
const startedMs = performance.now();
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const since = (): string => `${((performance.now() - startedMs) / 1000).toFixed(0)} s`;

class Count {
  cases = 0;
  lost = 0;
  doubled = 0;
  stuck = 0;
  broken = 0;
  unpassed = 0;
  /** What is lost stays lost: it counts once, where it was found. */
  private readonly known = new Set<string>();

  /** Of the judgement after some cases; true when it found nothing new. */
  add({ judgements, lines }: Report): boolean {
    let fresh = 0;
    for (const { id, verdict } of judgements) {
      if (verdict.kind !== 'violated') continue;
      for (const { what } of verdict.violations) {
        // Coming to rest is asked anew each time.
        if (id !== 'I-10' && this.known.has(`${id} ${what}`)) continue;
        this.known.add(`${id} ${what}`);
        fresh++;
        if (id === 'I-01') this.lost++;
        else if (id === 'I-02') this.doubled++;
        else if (id === 'I-10') this.stuck++;
        else this.broken++;
      }
    }
    if (fresh > 0) for (const said of lines.filter((one) => !/^I-\d\d (ok|not)/.test(one))) line(`    ${said}`);
    return fresh === 0;
  }

  get line(): string {
    const { cases, lost, doubled, stuck, broken, unpassed } = this;
    const more = `${broken > 0 ? ` other_violations=${broken}` : ''}${unpassed > 0 ? ` never_passed=${unpassed}` : ''}`;
    return `failpoints: cases=${cases} lost=${lost} doubled=${doubled} stuck=${stuck}${more}`;
  }

  get ok(): boolean {
    return this.cases > 0 && this.lost + this.doubled + this.stuck + this.broken + this.unpassed === 0;
  }
}

interface Wishes {
  quick: boolean;
  only?: string | undefined;
  patient: boolean;
  resume: boolean;
  together: number;
}

async function run(o: Wishes, installation: Installation, folder: string): Promise<boolean> {
  const journal = new Journal(join(process.cwd(), '.cache', 'failpoints', 'journal.jsonl'));
  const commit = await commitOfBuild();
  const before = o.resume ? await journal.passed() : new Map<string, Entry>();
  const count = new Count();
  const note = (name: string, verdict: Entry['verdict']): Entry => ({
    ...{ name, verdict, commit },
    at: new Date().toISOString(),
  });
  const wanted = spread(casesOf(o));
  const cases = wanted.filter((one) => !before.has(nameOf(one)));
  const tokens = (o.quick ? lostTokens.slice(0, 1) : lostTokens).filter(
    () => !o.only || 'token'.startsWith(o.only.split('.')[0]!),
  );
  const skipped = [...wanted.map(nameOf), ...tokens.map(({ name }) => name)].flatMap((name) => before.get(name) ?? []);
  count.cases = skipped.length;

  const bench = await Bench.open(installation, folder, o.patient);
  const first = await bench.judged();
  line(`${since()}: the system runs: ${first.lines.at(-1)}`);
  for (let at = 0; at < cases.length; at += o.together) {
    const group = cases.slice(at, at + o.together);
    const passed: Case[] = [];
    const entries: Entry[] = [];
    for (const one of group) {
      const end = await bench.run(one);
      count.cases++;
      if (end.passed) passed.push(one);
      else {
        count.unpassed++;
        entries.push(note(nameOf(one), 'never passed'));
      }
      const word = end.passed ? 'passed' : 'NEVER PASSED';
      line(
        `${one.point.padEnd(24)} ${one.action.padEnd(5)} ${word}, ${seconds(end.tookMs)}${end.noticed ? `, ${end.noticed}` : ''}`,
      );
    }
    const fromMs = performance.now();
    const report = await bench.judged();
    const good = count.add(report);
    await journal.add([...entries, ...passed.map((one) => note(nameOf(one), good ? 'ok' : 'broken'))]);
    line(
      `${since()}: ${good ? 'ok' : 'BROKEN'} after ${passed.length} cases (rest ${seconds(report.restMs)}, judged in ${seconds(performance.now() - fromMs - report.restMs)}); ${count.cases} of ${wanted.length + tokens.length}`,
    );
  }
  for (const lost of tokens.filter(({ name }) => !before.has(name))) {
    const { report, went } = await loseToken(bench, installation, lost);
    count.cases++;
    const good = count.add(report);
    await journal.add([note(lost.name, good ? 'ok' : 'broken')]);
    line(`${lost.name}: ${good ? 'ok' : 'BROKEN'}, ${went}`);
  }
  const last = await bench.judged('once');
  for (const said of last.lines) line(said);
  count.add(last);
  const commits = [...new Set(skipped.map((one) => one.commit))].join(', ');
  if (skipped.length > 0) line(`${skipped.length} of the cases were well in an earlier run (of ${commits})`);
  line(`${since()} in all`);
  line(count.line);
  return count.ok;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** "unknown" in a folder that is no checkout. */
async function commitOfBuild(): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD']).catch(() => ({ stdout: '' }));
  return stdout.trim() || 'unknown';
}

function cost(): void {
  const rounds = 20_000_000;
  const timed = (step: () => unknown): number => {
    const from = performance.now();
    for (let i = 0; i < rounds; i++) if (step() !== undefined) throw new Error('a point is armed');
    return ((performance.now() - from) * 1e6) / rounds;
  };
  const nothing = (): undefined => undefined;
  for (const step of [nothing, () => failpoint('writer.claimed'), nothing, () => failpoint('writer.claimed')])
    timed(step);
  const [empty, off] = [timed(nothing), timed(() => failpoint('writer.claimed'))];
  line(`bench failpoints points=${failpointNames.length} off_ns=${off.toFixed(2)} empty_call_ns=${empty.toFixed(2)}`);
}

async function main(): Promise<number> {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: {
      quick: flag,
      patient: flag,
      cost: flag,
      list: flag,
      help: { ...flag, short: 'h' },
      resume: flag,
      only: { type: 'string' },
      together: { type: 'string' },
    },
  });
  if (values.help) return (line(usage), 0);
  if (values.list) return (line(failpointNames.join('\n')), 0);
  if (values.cost) return (cost(), 0);
  const together = Number(values.together ?? (values.only ? 1 : 12));
  if (!Number.isInteger(together) || together < 1)
    throw new Error(`--together ${values.together} is no number of cases`);
  const folder = await mkdtemp(join(tmpdir(), 'failpoints-'));
  let installation: Installation | undefined;
  let code = 1;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error('interrupted')));
  });
  try {
    const story = (async () => {
      installation = await Installation.start(() => undefined);
      return run({ ...values, together }, installation, folder);
    })();
    code = (await Promise.race([story, interrupted])) ? 0 : 1;
  } catch (error) {
    line(`failpoints: failed: ${String((error as Error).stack)}`);
  }
  if (code !== 0) line(`logs: ${(await installation?.keepLogs('failpoints-logs').catch(() => undefined)) ?? 'none'}`);
  await Promise.race([installation?.stop().catch(() => undefined), sleep(20_000)]);
  await rm(folder, { recursive: true, force: true });
  return code;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`failpoints: ${(error as Error).message}\n${usage}\n`);
  process.exit(2);
}
