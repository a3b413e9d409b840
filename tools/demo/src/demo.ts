// The story of the demo, ending with proof. Every figure comes from the emulator's dumps and journals and from the apps' API.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorApp, Raw } from '#testing';
import { appNames } from '../../dev/src/apps.js';
import { Accounting } from '../../installation/src/accounting.js';
import type { DemoOptions } from './arguments.js';
import { carriedTypes, compare, money, sideBySide, totalDifference } from '../../installation/src/comparison.js';
import type { Comparison, Dump } from '../../installation/src/comparison.js';
import type { Control } from '../../installation/src/control.js';
import type { SyncState } from '../../installation/src/control.js';
import { latencies, percentile } from './freshness.js';
import type { Installation } from '../../installation/src/installation.js';
import { connectPair } from '../../installation/src/pair.js';
import { Person } from './person.js';
import { quotaUse } from './quota.js';
import type { JournalRow } from './quota.js';
import { progressLine } from './screen.js';
import type { Screen } from './screen.js';
import { buildSource } from './source-company.js';

const backfillTimeoutMs = 300_000;
const quietTimeoutMs = 180_000;
const writerRestsMs = 1_000;

export interface Verdict {
  equal: boolean;
  line: string;
}

export class Demo {
  private emulatorApp!: EmulatorApp;
  private control!: Control;
  private source!: string;
  private target!: string;
  private syncId!: string;
  private sourceBooks!: Accounting;
  private targetBooks!: Accounting;
  private targetBefore!: Dump;
  private writerAwayMs = 0;
  private replayed = 0;
  private neighbour!: Accounting;
  private neighbourTarget!: string;

  constructor(
    private readonly o: DemoOptions,
    private readonly screen: Screen,
    private readonly installation: Installation,
    /** once the six apps run: whoever watches them begins */
    private readonly whenAppsRun: () => Promise<void> = () => Promise.resolve(),
  ) {}

  /** What was made, for whoever looks at it after the story. */
  get made() {
    return {
      ...{ control: this.control, syncId: this.syncId, source: this.source, target: this.target },
      ...{ books: this.sourceBooks, neighbour: this.neighbour, neighbourTarget: this.neighbourTarget },
    };
  }

  /** @returns whether the proof holds, and the line that says so */
  async run(): Promise<Verdict> {
    await this.makeCompanies();
    this.screen.phase('the source gets a year of history while the six apps start; then both are connected');
    // Webhooks begin with the person's work: until then there is nobody to hear them.
    await this.installation.emulator.webhooks({ enabled: false });
    await Promise.all([this.writeHistory(), this.installation.startApps(this.emulatorApp)]);
    await this.whenAppsRun();
    await this.connect();
    await this.backfill();
    const person = await this.work();
    await this.untilQuiet(person);
    const rewritten = await this.replay();
    return this.report(person, rewritten);
  }

  private async makeCompanies(): Promise<void> {
    const { emulator } = this.installation;
    this.screen.phase('two companies: a source, and an empty target');
    this.emulatorApp = await this.installation.ourApp();
    // The person works with another program than ours: what it does comes to us by webhook, as in life.
    const person = await emulator.createApp({ name: 'person' });
    // Own document numbers are on in both, as in every pair that is to stay equal: otherwise QuickBooks numbers the target's
    // sales by itself, in the order in which they arrive.
    const preferences = { SalesFormsPrefs: { CustomTxnNumbers: true } };
    this.target = (await emulator.createCompany({ name: 'Springfield Trading (mirror)', preferences })).realmId;
    this.source = (await emulator.createCompany({ name: 'Springfield Trading', preferences })).realmId;
    this.sourceBooks = await Accounting.open(emulator, person.clientId, this.source);
    this.targetBooks = await Accounting.open(emulator, person.clientId, this.target);
  }

  private async writeHistory(): Promise<void> {
    const { emulator } = this.installation;
    await buildSource(this.sourceBooks, this.o.seed, (what) => this.screen.live(what));
    this.targetBefore = (await emulator.dump(this.target)) as Dump;
    const dump = (await emulator.dump(this.source)) as Dump;
    this.screen.detail(
      `${recordCount(dump)} records in ${this.source}; ${recordCount(this.targetBefore)} built-in ones in ${this.target}`,
    );
  }

  private async connect(): Promise<void> {
    const { installation, emulatorApp, source, target } = this;
    this.control = installation.control;
    const pair = await connectPair(installation, emulatorApp.clientId, { source, target, organization: 'Demo' });
    this.syncId = pair.syncId;
    this.screen.detail(`sync ${this.syncId}`);
    await this.connectNeighbour();
  }

  /** Another organization beside the first: what happens to one must not show in the other (I-08). */
  private async connectNeighbour(): Promise<void> {
    const { emulator } = this.installation;
    const { realmId: source } = await emulator.createCompany({ name: 'Shelbyville Trading' });
    const { realmId: target } = await emulator.createCompany({ name: 'Shelbyville Trading (mirror)' });
    await connectPair(this.installation, this.emulatorApp.clientId, { source, target, organization: 'Neighbour' });
    this.neighbourTarget = target;
    const person = await emulator.createApp({ name: 'neighbour' });
    this.neighbour = await Accounting.open(emulator, person.clientId, source);
  }

  private async backfill(): Promise<void> {
    this.screen.phase('backfill');
    const expected = recordCount((await this.installation.emulator.dump(this.source)) as Dump);
    const startedMs = performance.now();
    await this.control.startJob(this.syncId, 'backfill');
    const state = await this.watch('backfill', backfillTimeoutMs, (now) => {
      const done = settledCount(now);
      this.screen.live(`${progressLine(done, expected, performance.now() - startedMs)}  ${motionText(now)}`);
      return now.quiet && now.jobs.every((job) => job.state !== 'queued' && job.state !== 'running');
    });
    const seconds = (performance.now() - startedMs) / 1000;
    const failed = state.jobs.find((job) => job.state === 'failed');
    if (failed) throw new Error(`the backfill failed: ${failed.error}`);
    this.screen.detail(`${progressLine(settledCount(state), expected, seconds * 1000)} in ${seconds.toFixed(1)} s`);
    await this.explainUnsettled(state);
  }

  private async work(): Promise<Person> {
    const seconds = this.o.workMs / 1000;
    this.screen.phase(
      `a person works for ${seconds} s; 10 % of webhooks are lost, 10 % come twice; the writer is killed once`,
    );
    await this.installation.emulator.webhooks({
      ...{ enabled: true, minDelayMs: 0, maxDelayMs: 300, aggregateMs: 200 },
      ...{ dropRate: 0.1, duplicateRate: 0.1, seed: this.o.seed },
    });
    const person = new Person(this.sourceBooks, this.o.seed);
    await person.sitDown();
    const killed = (async () => {
      await sleep(this.o.workMs / 2);
      const pid = await this.installation.kill('qbo-writer');
      const killedMs = performance.now();
      this.screen.detail(`kill -9 ${pid} (qbo-writer)`);
      await sleep(writerRestsMs);
      await this.installation.startApp('qbo-writer');
      this.writerAwayMs = performance.now() - killedMs;
      this.screen.detail('qbo-writer runs again');
    })();
    await Promise.all([
      killed,
      this.neighbour.writeAll('Customer', [{ DisplayName: 'Ned' }, { DisplayName: 'Maude' }, { DisplayName: 'Rod' }]),
      person.work(this.o.workMs, (act) =>
        this.screen.live(`${person.acts.length} acts; now: ${act.what} ${act.type} ${act.id}`),
      ),
    ]);
    const kinds = new Map<string, number>();
    for (const { what } of person.acts) kinds.set(what, (kinds.get(what) ?? 0) + 1);
    this.screen.detail([...kinds].map(([what, n]) => `${n} ${what}`).join(', '));
    return person;
  }

  private async untilQuiet(person: Person): Promise<void> {
    this.screen.phase('wait until quiet');
    const startedMs = performance.now();
    const lastEditMs = Math.max(...person.acts.map((act) => act.doneMs));
    let calm = 0;
    const state = await this.watch('quiet', quietTimeoutMs, (now) => {
      this.screen.live(`${settledCount(now)}/${totalCount(now)} settled  ${motionText(now)}`);
      // Quiet twice in a row, and the source read beyond the last edit: a lost webhook announces nothing.
      const seen = now.capture?.completeUpTo != null && Date.parse(now.capture.completeUpTo) > lastEditMs + 1000;
      calm = seen && now.quiet ? calm + 1 : 0;
      return calm >= 2;
    });
    this.screen.detail(`quiet after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await this.explainUnsettled(state);
  }

  /** @returns writes that reached the target because of the replay */
  private async replay(): Promise<number> {
    this.screen.phase('replay every change from the first offset on');
    const before = await this.writes();
    const { id } = await this.control.startJob(this.syncId, 'replay');
    let calm = 0;
    const state = await this.watch('replay', quietTimeoutMs, (now) => {
      const job = now.jobs.find((each) => each.id === id);
      this.screen.live(`${job?.progress?.read ?? 0} records replayed  ${motionText(now)}`);
      calm = now.quiet && job?.state === 'done' ? calm + 1 : 0;
      if (job?.state === 'failed') throw new Error(`the replay failed: ${job.error}`);
      return calm >= 2;
    });
    const job = state.jobs.find((each) => each.id === id);
    const rewritten = (await this.writes()) - before;
    this.replayed = Number(job?.progress?.read ?? 0);
    this.screen.detail(`${job?.progress?.read ?? '?'} records replayed, ${rewritten} writes to the target`);
    return rewritten;
  }

  /** Everything that asked the target to change something, by the emulator's own count. */
  private async writes(): Promise<number> {
    const { writes, batchItems } = await this.installation.emulator.stats(this.target);
    return Number(writes) + Number(batchItems);
  }

  private async report(person: Person, rewritten: number): Promise<Verdict> {
    const { emulator } = this.installation;
    this.screen.phase('proof');
    const [source, target, links, targetStats] = await Promise.all([
      emulator.dump(this.source) as Promise<Dump>,
      emulator.dump(this.target) as Promise<Dump>,
      this.control.links(this.syncId),
      emulator.stats(this.target),
    ]);
    const fileHashes = await this.hashFiles(source, target);
    const result = compare({
      ...{ source, target, links, fileHashes, targetBefore: this.targetBefore },
      duplicateSuspects: targetStats.duplicateSuspects as unknown[],
    });
    this.screen.table(
      ['records', 'source', 'target'],
      result.counts.map((row) => [row.type, String(row.source), String(row.target)]),
    );
    const difference = await this.trialBalances();
    await this.freshness(person);
    await this.quota('source', this.source);
    await this.quota('target', this.target);
    this.screen.line(`replay: ${rewritten} writes`);
    await this.lifeOfOneInvoice(person);
    this.explain(result);
    this.addresses(person);

    const { lines, violations } = await this.installation.judge({
      replay: { read: this.replayed, writes: [{ realmId: this.target, writes: rewritten }] },
    });
    for (const line of lines) this.screen.line(line);

    const compared = result.lost.length === 0 && result.doubled.length === 0 && difference === 0n && rewritten === 0;
    const equal = compared && violations === 0;
    const word = equal ? 'equal' : 'NOT EQUAL';
    const counts = `records=${result.equal} lost=${result.lost.length} doubled=${result.doubled.length}`;
    return { equal, line: `demo: ${word} ${counts} trial_balance_difference=${money(difference)}` };
  }

  private async trialBalances(): Promise<bigint> {
    const { emulator } = this.installation;
    const [source, target] = await Promise.all([
      emulator.trialBalance(this.source),
      emulator.trialBalance(this.target),
    ]);
    const rows = sideBySide(source.rows as Raw[], target.rows as Raw[]);
    this.screen.table(
      ['trial balance', 'source', 'target', 'difference'],
      rows.map((row) => [row.account, money(row.source), money(row.target), money(row.source - row.target)]),
    );
    return totalDifference(rows);
  }

  private async freshness(person: Person): Promise<void> {
    const since = new Date(Math.min(...person.acts.map((act) => act.doneMs)) - 5000).toISOString();
    const log = await this.control.syncLog(`realm=${this.source}&from=${encodeURIComponent(since)}`);
    const { ms, unsettled } = latencies(
      person.acts,
      log.filter((row) => row.stage === 'settled' || row.stage === 'attachment'),
    );
    const at = (p: number) => `p${p} ${(percentile(ms, p) / 1000).toFixed(2)} s`;
    this.screen.line(
      `edit -> settled: ${at(50)}, ${at(95)}, ${at(99)} over ${ms.length} of ${person.acts.length} acts ` +
        `(the killed writer was away for ${(this.writerAwayMs / 1000).toFixed(1)} s)`,
    );
    for (const act of unsettled.slice(0, 5))
      this.screen.detail(`no settled entry in the sync log: ${act.what} ${act.type} ${act.id}`);
  }

  /** What our app asked of a company, from the emulator's request journal; the person's own program is not counted. */
  private async quota(side: string, realmId: string): Promise<number> {
    const { requests } = await this.installation.emulator.requests(realmId);
    const use = quotaUse((requests as JournalRow[]).filter((row) => row.app === this.emulatorApp.clientId));
    this.screen.line(
      `quota ${side}: ${use.requests} requests (${use.reads} reads, ${use.cdc} of them CDC; ${use.writes} single writes, ${use.batches} batches, ${use.uploads} uploads), ` +
        `peak ${use.peakPerMinute}/min of 500, ${use.peakPerSecond}/s of 10, ${use.throttled} x 429`,
    );
    return use.throttled;
  }

  private explain({ lost, doubled }: Comparison): void {
    for (const { key, why } of lost.slice(0, 15)) this.screen.line(`lost: ${key}: ${why}`);
    for (const { key, why } of doubled.slice(0, 15)) this.screen.line(`doubled: ${key}: ${why}`);
  }

  /** From webhook to target id, as GET /v1/changes/{key} of apps/audit tells it. */
  private async lifeOfOneInvoice(person: Person): Promise<void> {
    for (const { id } of person.acts.filter((act) => act.what === 'new invoice')) {
      const life = await this.control.life(`${this.source}/Invoice/${id}`);
      // The replay has mapped it once more, with no effect: that is another story.
      const steps = life.steps.filter((step) => step.details?.lane !== 'bulk');
      const settled = steps.findIndex((step) => step.stage === 'settled');
      // One whose webhook was not among the lost.
      if (steps[0]?.stage !== 'notified' || settled < 0) continue;
      this.screen.detail(`the life of Invoice ${id}:`);
      for (const step of steps.slice(0, settled + 1)) {
        const target = step.targetId ? ` as ${step.entityType} ${step.targetId} of ${step.targetRealmId}` : '';
        this.screen.detail(`  ${step.at}  ${step.stage} ${step.outcome ?? ''}${target}`);
      }
      return;
    }
  }

  private addresses(person: Person): void {
    const { installation } = this;
    const invoice = person.acts.find((act) => act.type === 'Invoice');
    this.screen.detail('look around (with --stay):');
    for (const app of appNames) this.screen.detail(`  ${app.padEnd(18)} ${installation.url(app)}/metrics`);
    this.screen.detail(`  ${'emulator'.padEnd(18)} ${installation.emulator.url}/_emulator`);
    for (const [name, value] of Object.entries(installation.infrastructure.addresses))
      this.screen.detail(`  ${name.padEnd(18)} ${value}`);
    if (invoice) {
      this.screen.detail(
        `  the life of one invoice: ${installation.url('audit')}/v1/changes/${this.source}/Invoice/${invoice.id}`,
      );
    }
    this.screen.detail(`  admin key ${installation.adminKey} (Authorization: Bearer ...)`);
  }

  private async hashFiles(source: Dump, target: Dump): Promise<Map<string, string>> {
    const hashes = new Map<string, string>();
    for (const [side, dump, books] of [
      ['source', source, this.sourceBooks],
      ['target', target, this.targetBooks],
    ] as const) {
      for (const { Id, FileName } of dump.records.Attachable ?? []) {
        if (!FileName) continue;
        hashes.set(
          `${side}/${Id}`,
          createHash('sha256')
            .update(await books.download(String(Id)))
            .digest('hex'),
        );
      }
    }
    return hashes;
  }

  private async explainUnsettled(state: SyncState): Promise<void> {
    const { byState } = state.counts;
    if (!byState.failed && !byState.held && !byState.waiting) return;
    for (const link of (await this.control.links(this.syncId, '&state=failed,held,waiting')).slice(0, 10)) {
      const why = link.failureReason ?? (link.waitingOn?.length ? `waits for ${link.waitingOn.join()}` : '');
      this.screen.line(`  ${link.state}: ${link.entityType} ${link.sourceId} ${link.failureCode ?? ''} ${why}`);
    }
  }

  private async watch(what: string, timeoutMs: number, done: (state: SyncState) => boolean): Promise<SyncState> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const state = await Promise.race([this.control.sync(this.syncId), this.installation.broken]);
      if (done(state)) return state;
      if (performance.now() > deadline) {
        await this.explainUnsettled(state);
        throw new Error(
          `${what} took longer than ${timeoutMs / 1000} s: ${state.motion.join('; ')}; last error ${JSON.stringify(state.lastError)}`,
        );
      }
      await sleep(400);
    }
  }
}

const carried = new Set<string>(carriedTypes);
const recordCount = (dump: Dump): number =>
  Object.entries(dump.records).reduce((sum, [type, records]) => sum + (carried.has(type) ? records.length : 0), 0);
const settledCount = (state: SyncState): number =>
  (state.counts.byState.settled ?? 0) + (state.attachments.settled ?? 0);
const totalCount = (state: SyncState): number =>
  state.counts.total + Object.values(state.attachments).reduce((sum, n) => sum + n, 0);
const motionText = (state: SyncState): string => state.motion.join(', ');
