// A real Prometheus beside an installation: scrapes the six apps, evaluates our rules, answers queries. The program is the
// machine's own (Debian: apt-get install prometheus, which brings promtool); without it one sentence says so.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { appNames } from '../../../dev/src/apps.js';
import { SetupError, freePort } from '../../../dev/src/infrastructure.js';
import type { Child } from '../../../dev/src/infrastructure.js';
import type { Installation } from '../../../installation/src/installation.js';

const run = promisify(execFile);
// A demo lasts two minutes: at the usual 15 s a rate would rest on a handful of samples.
const scrapeSeconds = 2;
const startTimeoutMs = 30_000;
const rulesFolder = 'observe/rules';

/** @throws SetupError naming how to install it */
export async function binary(name: 'prometheus' | 'promtool'): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  throw new SetupError(
    `${name} is not in PATH. Debian and Ubuntu: apt-get install prometheus (brings promtool; no service needs to run). Elsewhere: unpack a release of prometheus.io and put its folder into PATH.`,
  );
}

export interface Series {
  labels: Record<string, string>;
  /** seconds since the epoch, value; what is not a number is left out */
  values: [at: number, value: number][];
}

export interface LiveRule {
  name: string;
  type: 'alerting' | 'recording';
  health: string;
  lastError?: string;
  /** of an alert: inactive, pending, firing */
  state?: string;
}

export class Prometheus {
  private constructor(
    readonly url: string,
    readonly version: string,
    readonly startedAtMs: number,
    private readonly child: Child,
    private readonly folder: string,
  ) {}

  /** Before the apps or after: what is not there yet is scraped when it comes. */
  static async start(installation: Installation): Promise<Prometheus> {
    const command = await binary('prometheus');
    const { stdout, stderr } = await run(command, ['--version']);
    const version = /version (\S+)/.exec(stdout + stderr)?.[1] ?? 'of unknown version';
    const folder = await mkdtemp(join(tmpdir(), 'qbo-sync-prometheus-'));
    const port = await freePort();
    const rules = (await readdir(rulesFolder)).map((name) => join(process.cwd(), rulesFolder, name));
    await writeFile(join(folder, 'prometheus.yml'), configuration(installation, rules));
    const child = await installation.infrastructure.children.spawn({
      name: 'prometheus',
      command,
      args: [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      logFile: join(folder, 'prometheus.log'),
    });
    const made = new Prometheus(`http://127.0.0.1:${port}`, version, Date.now(), child, folder);
    await made.untilReady();
    return made;
  }

  /** At one moment, now unless said. */
  async at(expr: string, atMs?: number): Promise<Series[]> {
    const answer = await this.ask('query', { query: expr, ...(atMs !== undefined && { time: String(atMs / 1000) }) });
    return seriesOf(answer as Answer);
  }

  /** From its start until now. */
  async over(expr: string, stepSeconds = 5): Promise<Series[]> {
    const answer = await this.ask('query_range', {
      query: expr,
      start: String(this.startedAtMs / 1000),
      end: String(Date.now() / 1000),
      step: String(stepSeconds),
    });
    return seriesOf(answer as Answer);
  }

  /** One number, of the only series there should be; undefined when nothing is known. */
  async figure(expr: string): Promise<number | undefined> {
    return (await this.at(expr))[0]?.values[0]?.[1];
  }

  async rules(): Promise<LiveRule[]> {
    const { groups } = (await this.ask('rules')) as { groups: { rules: LiveRule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  /** Apps that were not scraped the last time, with why. */
  async missed(): Promise<string[]> {
    const { activeTargets } = (await this.ask('targets', { state: 'active' })) as {
      activeTargets: { labels: { app: string }; health: string; lastError: string }[];
    };
    return activeTargets
      .filter(({ health }) => health !== 'up')
      .map(({ labels, lastError }) => `${labels.app}: ${lastError || 'never scraped'}`);
  }

  async stop(): Promise<void> {
    await this.child.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async ask(what: string, query: Record<string, string> = {}): Promise<unknown> {
    const answer = await fetch(`${this.url}/api/v1/${what}?${new URLSearchParams(query).toString()}`);
    const body = (await answer.json()) as { status: string; error?: string; data: unknown };
    if (body.status !== 'success') throw new Error(`Prometheus refuses ${query.query ?? what}: ${body.error}`);
    return body.data;
  }

  private async untilReady(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      const ready = await fetch(`${this.url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return;
      if (!this.child.running || performance.now() > deadline)
        throw new Error(`Prometheus did not become ready:\n${this.child.tail()}`);
      await sleep(100);
    }
  }
}

const configuration = (installation: Installation, rules: string[]): string =>
  stringify({
    global: { scrape_interval: `${scrapeSeconds}s`, evaluation_interval: `${scrapeSeconds}s` },
    rule_files: rules,
    scrape_configs: [
      {
        job_name: 'qbo-sync',
        // The same label that compose and the ServiceMonitor make.
        static_configs: appNames.map((app) => ({
          targets: [new URL(installation.url(app)).host],
          labels: { app },
        })),
      },
    ],
  });

interface Answer {
  resultType: 'vector' | 'matrix' | 'scalar';
  result: unknown;
}

function seriesOf({ resultType, result }: Answer): Series[] {
  type Sample = [number, string];
  if (resultType === 'scalar') return [{ labels: {}, values: numbers([result as Sample]) }];
  return (result as { metric: Record<string, string>; value?: Sample; values?: Sample[] }[])
    .map(({ metric, value, values }) => ({ labels: metric, values: numbers(values ?? [value!]) }))
    .filter(({ values }) => values.length > 0);
}

const numbers = (samples: [number, string][]): [number, number][] =>
  samples.map(([at, text]): [number, number] => [at, Number(text)]).filter(([, value]) => Number.isFinite(value));
