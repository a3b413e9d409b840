// One round: an installation of its own, two pairs of companies with persons at work and a pair for the canary, the plan carried
// out beside the work, everything healed, and then judged.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { appNames, type AppName } from '../../dev/src/apps.js';
import { Accounting } from '../../installation/src/accounting.js';
import type { Control } from '../../installation/src/control.js';
import { Installation } from '../../installation/src/installation.js';
import { connectPair } from '../../installation/src/pair.js';
import { goodWebhooks, judgeSync, keysOf, type Judged } from '../../equal/src/history.js';
import type { Judgement } from '../../equal/src/judgement.js';
import { preferences } from '../../equal/src/source-company.js';
import { Rest } from '../../equal/src/rest.js';
import { othersFirstCodes } from '#core';
import type { Raw } from '#testing';
import { Canary } from './canary.js';
import { countsOf, type Counted } from './count.js';
import type { Journal } from './journal.js';
import { keptOf } from './kept.js';
import { Load } from './load.js';
import { Nemesis, type Company } from './nemesis.js';
import { goesOnBeside, manyJoined, planOf, type Nemesis as NemesisName, type PlannedAct } from './plan.js';
import type { Sample } from './recovery.js';
import { Stretches, type Spent } from './spent.js';
import { TcpProxy } from './tcp-proxy.js';

export interface RoundOptions {
  seed: number;
  changes: number;
  kills: number;
  nemeses: readonly NemesisName[];
  quick: boolean;
  /** one round of many: acts closer together, more of them side by side */
  dense: boolean;
  /** acts of a journal instead of the seed's */
  plan?: readonly PlannedAct[];
}

export interface RoundEnd {
  changes: number;
  kills: number;
  counted: Counted;
  samples: readonly Sample[];
  spent: Spent;
}

/** With the canary's there are always neighbours to be judged. */
const pairs = { quick: 1, whole: 2 };
/** What change data capture does not tell is found by the sweep. */
const sweepMs = { quick: 1_000, whole: 5_000 };
/** The persons keep on working while an act is felt: so long it takes on a machine with nothing else to do. */
const secondsPerAct = { quick: 1.5, whole: 6, dense: 5 };
/** What another record of the target kept from being deleted is tried again after two minutes (qbo-writer, others-first.ts). */
const putAwayLimitMs = 150_000;
/** Two companies' worth of typing and more; above it the quota of their mirrors would be what is measured. */
const mostPerSecond = 12;

interface Pair extends Judged {
  organizationId: string;
}

export class Round {
  private constructor(
    private readonly o: RoundOptions,
    private readonly installation: Installation,
    private readonly links: ReadonlyMap<string, TcpProxy>,
    private readonly kafkaBehindProxies: readonly string[],
    private readonly journal: Journal,
    private readonly line: (text: string) => void,
    private readonly say: (text: string) => void,
    private readonly stretches: Stretches,
  ) {}

  private get size(): 'quick' | 'whole' {
    return this.o.quick ? 'quick' : 'whole';
  }

  static async open(
    o: RoundOptions,
    journal: Journal,
    line: (text: string) => void,
    say: (text: string) => void,
  ): Promise<Round> {
    const stretches = new Stretches();
    const links = new Map<string, TcpProxy>();
    const brokers: string[] = [];
    const between = async (broker: number, port: number): Promise<number> => {
      const proxy = await TcpProxy.listen(port);
      links.set(`apps-kafka-${broker}`, proxy);
      brokers[broker - 1] = `127.0.0.1:${proxy.port}`;
      return proxy.port;
    };
    const installation = await Installation.start(() => undefined, { nodes: o.quick ? 1 : 3, between });
    return new Round(o, installation, links, brokers, journal, line, say, stretches);
  }

  async run(): Promise<RoundEnd> {
    const { o, installation, say, stretches } = this;
    const { emulator } = installation;
    const skews = new Map<AppName, number>();
    say('infrastructure and QuickBooks stand');
    stretches.ended('infrastructure');
    // The books are written while the apps come up.
    const books = this.makeCompanies();
    const clientId = await this.startApps(skews);
    say('the six apps are ready');
    stretches.ended('apps');
    const { control } = installation;
    const all = await Promise.all((await books).map((pair) => this.connect(clientId, pair)));
    const canaryPair = all.at(-1)!;
    const made = all.slice(0, -1);
    await emulator.webhooks(goodWebhooks);
    await Promise.all(all.map(({ syncId }) => control.startJob(syncId, 'backfill')));
    say('companies are connected, their backfill goes on');
    stretches.ended('connect');
    // A quick run has no time to wait: its first blows fall into the backfill.
    if (!o.quick) await this.atRest(control, all);
    stretches.ended('backfill');

    const plan = o.plan ?? this.plan(made.length * 2);
    const person = await emulator.createApp({ name: 'person' });
    const canaryBooks = await Accounting.open(emulator, person.clientId, canaryPair.source);
    const companies = made.flatMap(({ source, target, organizationId }): Company[] => [
      { realmId: source, organizationId },
      { realmId: target, organizationId },
    ]);
    this.journal.write({ what: 'companies', realmIds: companies.map(({ realmId }) => realmId) });
    const nemesis = new Nemesis({
      ...{ installation, control, clientId, skews, goodWebhooks, say },
      ...{ journal: this.journal, links: this.links, seed: o.seed, companies },
      canary: new Canary(emulator, canaryBooks, canaryPair.target),
    });
    const load = new Load(
      emulator,
      made.map(({ source }) => source),
      o.seed,
      this.pace(plan.length),
      this.journal,
    );
    await this.fight(plan, nemesis, load);
    say(`${load.done} changes made, ${nemesis.kills} processes ended; everything is healed`);
    stretches.ended('blows');
    await nemesis.healAll();
    say('every app is ready again');
    stretches.ended('heal');
    await sleep(2 * sweepMs[this.size]);
    for (const { source } of all) await control.look(source);
    const unrest = await this.atRest(control, all);
    stretches.ended('rest');
    const counted = await this.judge(control, all, unrest, nemesis, clientId);
    return { changes: load.done, kills: nemesis.kills, counted, samples: nemesis.samples, spent: stretches.spent };
  }

  async stop(good: boolean): Promise<void> {
    if (!good) this.say(`logs: ${(await this.installation.keepLogs('chaos-logs').catch(() => undefined)) ?? 'none'}`);
    await Promise.race([this.installation.stop().catch(() => undefined), sleep(20_000)]);
    for (const link of this.links.values()) await link.close();
  }

  /** The persons' work and the plan side by side, each waiting for the other: every act meets changes, and comes at its number. */
  private async fight(plan: readonly PlannedAct[], nemesis: Nemesis, load: Load): Promise<void> {
    let lastOfOurs: Promise<void> = Promise.resolve();
    for (const planned of plan) {
      const before = planned.joined ? Promise.resolve() : lastOfOurs;
      await Promise.race([Promise.all([load.until(planned.atChange), before]), this.installation.broken]);
      const { over } = await nemesis.begin(planned, load.done);
      // A throttled company rests for a minute; nobody else waits for it.
      if (goesOnBeside(planned.act)) continue;
      lastOfOurs = planned.joined ? Promise.all([lastOfOurs, over]).then(() => undefined) : over;
    }
    await load.until(this.o.changes);
    this.journal.write({ what: 'changes', done: load.done });
  }

  private plan(companies: number): PlannedAct[] {
    const { seed, changes, kills, quick, dense } = this.o;
    const nemeses = new Set(this.o.nemeses);
    // One broker that stands still is the whole of Kafka standing still: that is its kill already.
    return planOf({
      ...{ seed, changes, kills, nemeses, companies, brief: quick, brokers: quick ? 1 : 3 },
      ...(dense && { joinedShare: manyJoined }),
      links: [...this.links.keys()].sort(),
    });
  }

  private pace(acts: number): number {
    const seconds = acts * secondsPerAct[this.o.dense && !this.o.quick ? 'dense' : this.size];
    return Math.min(mostPerSecond, this.o.changes / Math.max(1, seconds));
  }

  /** Every app reaches everything through proxies of its own. @returns the Intuit app's client id */
  private async startApps(skews: ReadonlyMap<AppName, number>): Promise<string> {
    const { installation } = this;
    const links = this.links as Map<string, TcpProxy>;
    const { emulator, infrastructure } = installation;
    const through = async (name: string, url: string): Promise<string> => {
      const to = new URL(url);
      const proxy = await TcpProxy.listen(Number(to.port));
      links.set(name, proxy);
      to.port = String(proxy.port);
      return to.href.replace(/\/$/, '');
    };
    const own = new Map<AppName, Record<string, string>>();
    for (const app of appNames)
      own.set(app, {
        SYNC_DATABASE_URL: await through(`${app}-postgresql`, infrastructure.addresses.SYNC_DATABASE_URL),
        ...(!['mapper', 'audit'].includes(app) && {
          SYNC_QBO_ENVIRONMENT: await through(`${app}-quickbooks`, emulator.url),
        }),
        ...(this.kafkaBehindProxies.length > 0 && { SYNC_KAFKA_BROKERS: this.kafkaBehindProxies.join(',') }),
      });
    const webhookUrl = await through('quickbooks-ingest', `${installation.url('ingest')}/webhooks/intuit`);
    const app = await installation.ourApp(webhookUrl);
    const preload = pathToFileURL(join(process.cwd(), 'dist/tools/chaos/src/skewed-clock.js')).href;
    const settings = {
      SYNC_CAPTURE_SWEEP_INTERVAL: `${sweepMs[this.size]}ms`,
      // As short as the writer's: what a killed process owned is free again after three seconds.
      ...{ SYNC_CAPTURE_LEASE: '3s', SYNC_JOB_LEASE: '3s', SYNC_ATTACHMENTS_LEASE: '3s' },
      // A merge whose webhook was lost, or still waits in QuickBooks' ladder of retries, is found by reading again: soon, here.
      SYNC_CAPTURE_MERGE_GRACE: '3s',
      // All companies at once before the work begins.
      SYNC_BACKFILL_CONCURRENCY: '3',
    };
    await installation.startApps(app, settings, (name) => ({
      ...own.get(name)!,
      ...(skews.has(name) && {
        NODE_OPTIONS: `--disable-warning=TimeoutNegativeWarning --import ${preload}`,
        CHAOS_CLOCK_SKEW_MS: String(skews.get(name)),
      }),
    }));
    installation.supervise();
    return app.clientId;
  }

  /** Pairs with books and a person, and one that is empty: the canary's, the last. */
  private makeCompanies(): Promise<Omit<Pair, 'organizationId' | 'syncId'>[]> {
    const { emulator } = this.installation;
    const { seed, quick } = this.o;
    const pair = async (preset: 'generated' | 'empty', of: number) => {
      const small = preset === 'generated' && { seed: of, transactions: quick ? 10 : 40, years: 1 };
      const { realmId: source } = await emulator.createCompany({ name: `Source ${of}`, preset, preferences, ...small });
      const { realmId: target } = await emulator.createCompany({ name: `Mirror ${of}`, preferences });
      const before = keysOf(((await emulator.dump(target)) as { records: Record<string, Raw[]> }).records);
      return { source, target, before };
    };
    const people = Array.from({ length: pairs[this.size] }, (_, n) => pair('generated', seed + n));
    return Promise.all([...people, pair('empty', seed)]);
  }

  private async connect(clientId: string, pair: Omit<Pair, 'organizationId' | 'syncId'>): Promise<Pair> {
    const { source, target } = pair;
    return {
      ...pair,
      ...(await connectPair(this.installation, clientId, { source, target, organization: `Chaos ${source}` })),
    };
  }

  private async atRest(control: Control, all: readonly Pair[]): Promise<string[]> {
    const rest = new Rest(control, this.installation.broken, this.say);
    const whole = async (): Promise<(string | undefined)[]> =>
      Promise.all(all.map(({ syncId, source }) => rest.of(syncId, `company ${source}`)));
    let ends = await whole();
    if (await this.putAway(control, all)) ends = await whole();
    return ends.flatMap((why) => (why === undefined ? [] : [why]));
  }

  /** A name that was merged away, and whose copy had a balance until a moment ago, is no second record: it is not over yet. */
  private async putAway(control: Control, all: readonly Pair[]): Promise<boolean> {
    const untilMs = performance.now() + putAwayLimitMs;
    for (let waited = false; ; waited = true) {
      const held = await Promise.all(all.map(({ syncId }) => control.links(syncId, '&state=held&op=delete')));
      const left = held.flat().filter(({ failureCode }) => othersFirstCodes.includes(failureCode ?? ''));
      if (left.length === 0 || performance.now() > untilMs) return waited;
      if (!waited) this.say(`${left.length} copies wait for another record of the target before they can go`);
      await sleep(1_000);
    }
  }

  private async judge(
    control: Control,
    all: readonly Pair[],
    unrest: readonly string[],
    nemesis: Nemesis,
    clientId: string,
  ): Promise<Counted> {
    const { installation, line } = this;
    for (const why of unrest) line(`did not come to rest: ${why}`);
    const judgements: Judgement[] = [];
    for (const pair of all) {
      const judgement = await judgeSync({ company: 'generated' }, installation, control, pair);
      judgements.push(judgement);
      const { records, trialBalance, held, differences } = judgement;
      line(
        `company ${pair.source}: ${records} records, trial balance ${trialBalance.source} there, ${trialBalance.target} here, ` +
          `${held.length} held, ${differences.length} differences`,
      );
      for (const { what, key, text, cause } of differences.slice(0, 20)) line(`  ${what} ${key}: ${text} (${cause})`);
      for (const { key, reason } of held.slice(0, 10)) line(`  held ${key}: ${reason}`);
    }
    // Before the checker's replay, whose reading must not hide what the run did.
    const quota = await installation.emulator.whyQuotaBroke(clientId);
    for (const why of quota) line(`quota: ${why}`);
    this.say('both sides are compared; the checker replays and judges');
    this.stretches.ended('compare');
    const report = await installation.judge({
      interruptions: nemesis.kills + nemesis.otherEnds,
      kept: keptOf(this.journal.entries),
    });
    this.say('judged');
    this.stretches.ended('check');
    for (const said of report.lines) line(said);
    return countsOf(judgements, report, quota);
  }
}
