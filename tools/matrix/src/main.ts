// `npm run matrix`: does every act to every type in a source company, through the whole system, looks for its effect in the
// target, and writes docs/lifecycle-matrix.md from what it found. Exit 0 only when no cell is broken.
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { withIdentity, type Json } from '#core';
import type { Raw } from '#testing';
import { excuses } from '../../equal/src/excuses.js';
import { Control, type LinkRow } from '../../installation/src/control.js';
import { Installation } from '../../installation/src/installation.js';
import type { ActName, Cell } from './acts.js';
import { Bench } from './bench.js';
import { closingLine, matrixDocument } from './document.js';
import { whyImpossible } from './impossible.js';
import { differences, meaning } from '../../equal/src/sameness.js';
import { allTests, type Test } from './stories.js';

const restTimeoutMs = 30_000;
/** What change data capture does not tell is found by the sweep: soon, here. */
const sweepMs = 2_000;
const startedMs = performance.now();
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const phase = (text: string): void =>
  line(`» ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);

type Finding = { kind: 'carried' } | { kind: 'held'; reason: string } | { kind: 'broken'; reason: string };

interface Telling {
  test: Test;
  record?: Raw;
  /** the target's record before the last step */
  before?: string;
  failed?: string;
}

class Matrix {
  private control!: Control;
  private bench!: Bench;
  private source = '';
  private target = '';
  private syncId = '';

  constructor(private readonly installation: Installation) {}

  async run(tests: readonly Test[]): Promise<Map<string, Finding>> {
    await this.open();
    const tellings: Telling[] = tests.filter((test) => test.act !== 'merge').map((test) => ({ test }));
    const longest = Math.max(0, ...tellings.map(({ test }) => test.story.length));
    for (let step = 0; step < longest; step++) {
      for (const telling of tellings) {
        // A short story begins late, so that all end together.
        const at = step - (longest - telling.test.story.length);
        if (at < 0 || telling.failed) continue;
        try {
          telling.record = await telling.test.story[at]!(this.bench, telling.record);
        } catch (error) {
          telling.failed = `step ${at + 1}: ${(error as Error).message}`;
        }
      }
      const unrest = await this.rest(`step ${step + 1} of ${longest}`);
      if (unrest) line(unrest);
      if (step === longest - 2) await this.lookBefore(tellings);
    }
    const findings = await this.judge(tellings);
    for (const test of tests.filter((one) => one.act === 'merge')) findings.set(test.id, await this.merge(test.type));
    return findings;
  }

  private async open(): Promise<void> {
    const { installation } = this;
    const { emulator } = installation;
    const webhookUrl = `${installation.url('ingest')}/webhooks/intuit`;
    const app = await emulator.createApp({ name: 'qbo-sync', webhookUrl, webhookFormat: 'cloudevents' });
    const person = await emulator.createApp({ name: 'person' });
    // The person's hundreds of calls are not what is measured; our own pace stays as it is.
    await emulator.limits({ all: false });
    await installation.startApps(app, { SYNC_CAPTURE_SWEEP_INTERVAL: `${sweepMs}ms` });
    const company = {
      // Otherwise QuickBooks numbers the target's documents by itself, in the order of arrival.
      preferences: { SalesFormsPrefs: { CustomTxnNumbers: true } },
      multicurrency: true,
    };
    this.source = (await emulator.createCompany({ name: 'Matrix', ...company })).realmId;
    this.target = (await emulator.createCompany({ name: 'Matrix mirror', ...company })).realmId;
    const { accessToken } = await emulator.grant(person.clientId, this.source);
    this.bench = new Bench(emulator, this.source, accessToken);
    await this.bench.furnish();
    this.control = new Control(installation.url('control'), installation.url('audit'), installation.adminKey);
    const organization = await this.control.createOrganization('Matrix');
    for (const realmId of [this.source, this.target])
      await this.control.connectCompany(organization.id, realmId, await emulator.grant(app.clientId, realmId));
    this.syncId = (await this.control.createSync(this.source, this.target)).id;
    await this.control.startJob(this.syncId, 'backfill');
    await this.rest('what every record needs around it');
  }

  private async rest(what: string): Promise<string | undefined> {
    const deadline = performance.now() + restTimeoutMs;
    await sleep(2 * sweepMs);
    await this.control.look(this.source);
    let calm = 0;
    for (;;) {
      const state = await Promise.race([this.control.sync(this.syncId), this.installation.broken]);
      const working = state.jobs.some((job) => job.state === 'queued' || job.state === 'running');
      calm = state.quiet && !working ? calm + 1 : 0;
      if (calm >= 2) {
        phase(`${what}: at rest, ${JSON.stringify(state.counts.byState)}`);
        return undefined;
      }
      if (performance.now() > deadline) return `${what}: not at rest: ${state.motion.join('; ')}`;
      await sleep(300);
    }
  }

  private async facts() {
    const { emulator } = this.installation;
    const [source, target, links, files] = await Promise.all([
      emulator.dump(this.source),
      emulator.dump(this.target),
      this.control.links(this.syncId),
      this.control.links(this.syncId, '&type=Attachable'),
    ]);
    const linkOf = new Map<string, LinkRow>(
      [...links, ...files].map((link) => [`${link.entityType}/${link.sourceId}`, link]),
    );
    const find = (dump: Raw, type: string, id: unknown): Raw =>
      (dump.records[type] as Raw[] | undefined)?.find((one) => idOf(type, one) === String(id));
    return { source, target, linkOf, find };
  }

  private async lookBefore(tellings: readonly Telling[]): Promise<void> {
    const { target, linkOf, find } = await this.facts();
    for (const telling of tellings) {
      const { test, record } = telling;
      const link = record && linkOf.get(`${test.type}/${idOf(test.type, record)}`);
      const there = link?.targetId ? find(target, test.type, link.targetId) : undefined;
      if (there) telling.before = JSON.stringify([...meaning(test.type, there)]);
    }
  }

  private async judge(tellings: readonly Telling[]): Promise<Map<string, Finding>> {
    const { source, target, linkOf, find } = await this.facts();
    const translate = (type: string, id: string): string | undefined =>
      linkOf.get(`${type}/${id}`)?.targetId ?? undefined;
    const finding = ({ test, record, before, failed }: Telling): Finding => {
      if (failed) return { kind: 'broken', reason: failed };
      const id = idOf(test.type, record);
      const link = linkOf.get(`${test.type}/${id}`);
      if (!link) return { kind: 'broken', reason: `no link of ${test.type} ${id}` };
      if (link.state !== 'settled') {
        const reason = `${link.failureCode ?? link.state}: ${link.failureReason ?? link.waitingOn?.join() ?? ''}`;
        const decided = link.state === 'held' || excuses.some((one) => one.code.test(link.failureCode ?? ''));
        return { kind: decided ? 'held' : 'broken', reason: decided ? reason : `${link.state} ${reason}` };
      }
      const here = link.targetId ? find(target, test.type, link.targetId) : undefined;
      if (test.ends === 'gone')
        return here ? { kind: 'broken', reason: `${link.targetId} is still in the target` } : { kind: 'carried' };
      const there = find(source, test.type, id);
      if (!here || !there) return { kind: 'broken', reason: `target ${link.targetId} is not there` };
      const found = differences(meaning(test.type, there, translate), meaning(test.type, here));
      if (found.length > 0) return { kind: 'broken', reason: found.slice(0, 3).join('; ') };
      const must = mustChange.has(test.act) && JSON.stringify([...meaning(test.type, here)]) === before;
      return must
        ? { kind: 'broken', reason: 'equal, but the act changed nothing: the test says nothing' }
        : { kind: 'carried' };
    };
    return new Map(tellings.map((telling) => [telling.test.id, finding(telling)]));
  }

  /** Two names become one, as the person decides: the dead one is put away, what was its is the other's. */
  private async merge(type: string): Promise<Finding> {
    for (let seed = 1; seed <= 40; seed++) {
      const answer = await this.installation.emulator.edit(this.source, { count: 1, seed, mix: { merge: 1 } });
      const done = (answer.done as Raw[]).find((one) => one.act === 'merge' && one.type === type);
      if (!done) continue;
      const loser = String(done.with[0].id);
      const unrest = await this.rest(`merge of ${type} ${loser} into ${done.id}`);
      if (unrest) return { kind: 'broken', reason: unrest };
      const { target, linkOf, find } = await this.facts();
      const [dead, alive] = [linkOf.get(`${type}/${loser}`), linkOf.get(`${type}/${done.id}`)];
      const states = `${dead?.state} ${dead?.failureCode ?? ''}, ${alive?.state} ${alive?.failureCode ?? ''}`;
      if (dead?.state !== 'settled' || alive?.state !== 'settled')
        return dead?.state === 'held'
          ? { kind: 'held', reason: `${dead.failureCode}: ${dead.failureReason}` }
          : { kind: 'broken', reason: states };
      const left = find(target, type, dead.targetId);
      return !left || left.Active === false
        ? { kind: 'carried' }
        : { kind: 'broken', reason: `${type} ${dead.targetId} is still active` };
    }
    return { kind: 'broken', reason: 'the person merged none' };
  }
}

/** Acts that must move the target's own content. */
const mustChange: ReadonlySet<ActName> = new Set<ActName>([
  ...(['field set', 'field changed', 'field cleared', 'line added', 'line removed', 'lines reordered'] as const),
  ...(['reference changed', 'void', 'deactivate', 'rename', 'unlink'] as const),
]);

const idOf = (type: string, record: Raw): string => String(withIdentity(type, record as Json).Id);

function cellOf(findings: ReadonlyMap<string, Finding>, tests: readonly Test[]) {
  return (type: string, act: ActName): Cell => {
    const impossible = whyImpossible(type, act);
    if (impossible !== undefined) return { kind: 'not possible', reason: impossible };
    const mine = tests.filter((test) => test.type === type && test.act === act);
    const found = mine.map(
      (test) => [test.id, findings.get(test.id) ?? { kind: 'broken', reason: 'not run' }] as const,
    );
    const ids = mine.map((test) => test.id);
    const broken = found.find(([, finding]) => finding.kind === 'broken');
    if (broken) return { kind: 'broken', reason: (broken[1] as { reason: string }).reason, tests: [broken[0]] };
    const held = found.find(([, finding]) => finding.kind === 'held');
    if (held) return { kind: 'held', reason: (held[1] as { reason: string }).reason, tests: ids };
    return { kind: 'carried', tests: ids };
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const every = allTests();
  const tests = values.only
    ? every.filter(({ id }) => values.only!.split(',').some((one) => id.startsWith(one)))
    : every;
  let installation: Installation | undefined;
  let code = 1;
  try {
    phase(`${tests.length} tests; the whole system starts`);
    installation = await Installation.start(() => undefined);
    const findings = await new Matrix(installation).run(tests);
    for (const [id, finding] of findings)
      if (finding.kind !== 'carried') line(`${finding.kind}: ${id}: ${finding.reason}`);
    const cells = cellOf(findings, every);
    const broken = [...findings.values()].filter((finding) => finding.kind === 'broken').length;
    if (!values.only) await writeFile('docs/lifecycle-matrix.md', matrixDocument(cells));
    code = broken === 0 ? 0 : 1;
    if (broken > 0) {
      line(`${broken} tests broken`);
      line(`logs: ${await installation.keepLogs('matrix-logs')}`);
    }
    line(values.only ? `matrix: ${findings.size} tests run, ${broken} broken` : closingLine(cells));
  } catch (error) {
    line(`matrix: failed: ${String((error as Error).stack)}`);
    if (installation) line(`logs: ${await installation.keepLogs('matrix-logs')}`);
  }
  await Promise.race([installation?.stop().catch(() => undefined), sleep(20_000)]);
  return code;
}

process.exit(await main());
