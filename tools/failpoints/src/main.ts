// `npm run failpoints`: every named point between two effects x {kill -9, throw, hang}, on real Kafka, PostgreSQL and the
// emulator, judged by the checker after each. Exit 0 only when nothing was lost, doubled or stuck.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { failpoint, failpointNames } from '#common/failpoints';
import { Installation } from '../../installation/src/installation.js';
import type { Report } from '../../verify/src/report.js';
import { Bench } from './bench.js';
import { casesOf } from './cases.js';
import { lostTokens, loseToken } from './tokens.js';

const usage = `npm run failpoints -- [--quick] [--only NAME[:ACTION]] [--patient] [--cost] [--list]
Kills (-9), breaks and freezes the running system at every named point between two effects, waits for rest, and has the checker
judge. --quick: eight points, killed. --only: points that begin so. --patient: a frozen process is left to its own watchdog.
--cost: what a point costs while it is off.`;
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

  add({ judgements, lines }: Report): boolean {
    this.cases++;
    const violated = judgements.filter(({ verdict }) => verdict.kind === 'violated').map(({ id }) => id);
    if (violated.includes('I-01')) this.lost++;
    if (violated.includes('I-02')) this.doubled++;
    if (violated.includes('I-10')) this.stuck++;
    if (violated.some((id) => !['I-01', 'I-02', 'I-10'].includes(id))) this.broken++;
    if (violated.length > 0)
      for (const said of lines.filter((one) => !/^I-\d\d (ok|not)/.test(one))) line(`    ${said}`);
    return violated.length === 0;
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

async function run(
  o: { quick: boolean; only?: string | undefined; patient: boolean },
  installation: Installation,
  folder: string,
): Promise<boolean> {
  const bench = await Bench.open(installation, folder, o.patient);
  const first = await bench.judged();
  line(`${since()}: the system runs: ${first.lines.at(-1)}`);
  const count = new Count();
  const cases = casesOf(o);
  for (const one of cases) {
    const { passed, report, tookMs, noticed } = await bench.run(one);
    if (!passed) count.unpassed++;
    const good = count.add(report);
    const word = !passed ? 'NEVER PASSED' : good ? 'ok' : 'BROKEN';
    line(
      `${one.point.padEnd(24)} ${one.action.padEnd(5)} ${word}, ${(tookMs / 1000).toFixed(1)} s${noticed ? `, ${noticed}` : ''}`,
    );
  }
  if (!o.only || 'token'.startsWith(o.only.split('.')[0]!)) {
    for (const lost of o.quick ? lostTokens.slice(0, 1) : lostTokens) {
      const { report, went } = await loseToken(bench, installation, lost);
      line(`${lost.name}: ${count.add(report) ? 'ok' : 'BROKEN'}, ${went}`);
    }
  }
  const last = await bench.judged('once');
  for (const said of last.lines) line(said);
  if (last.violations > 0) count.broken++;
  line(`${since()} in all`);
  line(count.line);
  return count.ok;
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
      only: { type: 'string' },
    },
  });
  if (values.help) return (line(usage), 0);
  if (values.list) return (line(failpointNames.join('\n')), 0);
  if (values.cost) return (cost(), 0);
  const folder = await mkdtemp(join(tmpdir(), 'failpoints-'));
  let installation: Installation | undefined;
  let code = 1;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error('interrupted')));
  });
  try {
    const story = (async () => {
      installation = await Installation.start(() => undefined);
      return run(values, installation, folder);
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
