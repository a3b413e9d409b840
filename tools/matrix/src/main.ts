// `npm run matrix`: does every act to every type in a source company, through the whole system, looks for its effect in the
// target, and writes docs/lifecycle-matrix.md from what it found. Exit 0 only when no cell is broken.
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { withIdentity, type Json } from '#core';
import type { Raw } from '#testing';
import { excuses } from '../../equal/src/excuses.js';
import type { Control } from '../../installation/src/control.js';
import { type LinkRow } from '../../installation/src/control.js';
import { Installation } from '../../installation/src/installation.js';
import { connectPair } from '../../installation/src/pair.js';
import { acts, types, type ActName, type Cell } from './acts.js';
import { catalogue } from './catalogue.js';
import { Bench, ref } from './bench.js';
import { rows } from './rows.js';
import { closingLine, fieldLine, matrixDocument, type FieldFinding } from './document.js';
import { fieldSteps, fieldStories, type FieldStory } from './fields.js';
import { whyImpossible } from './impossible.js';
import { differences, meaning } from '../../equal/src/sameness.js';
import { fieldActs, Prover, type Proof } from './proofs.js';
import { allTests, type Test } from './stories.js';

/** A machine that does other work besides is slow; rest that comes ends the wait. */
const restTimeoutMs = 180_000;
/** Some hundred names, which are written one after the other. */
const fieldsTimeoutMs = 400_000;
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
    const merges = await this.merges(tests.filter((one) => one.act === 'merge').map((one) => one.type));
    for (const [type, finding] of merges) findings.set(`${type}/merge`, finding);
    return findings;
  }

  /** Every writable field of the catalogue, brought to each act by a person, and looked for in the target after each. */
  async fields(only?: string): Promise<FieldFinding[]> {
    const { bench } = this;
    const findings: FieldFinding[] = [];
    const going: { story: FieldStory; record: Raw; values: readonly unknown[] }[] = [];
    for (const story of fieldStories(only)) {
      const values = story.values(bench);
      if (values) going.push({ story, values, record: await story.make(bench) });
    }
    const unrest = await this.rest(`${going.length} records, one per field`, fieldsTimeoutMs);
    if (unrest) line(unrest);
    for (const [step, act] of fieldSteps.entries()) {
      const did: typeof going = [];
      for (const one of [...going]) {
        const { type, field } = one.story;
        if (one.values.length <= step) continue;
        const note = (kind: FieldFinding['kind'], reason: string): void => {
          findings.push({ type, field, act, kind, reason });
          // What cannot be set can be neither changed nor cleared.
          if (step === 0) going.splice(going.indexOf(one), 1);
        };
        try {
          const id = one.record.Id as string;
          const before = await bench.read(type, id);
          await bench.change(type, id, { [field]: one.values[step] });
          const after = await bench.read(type, id);
          if (same(before[field], after[field])) note('ignored', '');
          else did.push(one);
        } catch (error) {
          note('refused', (error as Error).message.replace('QuickBooks refuses: ', '').slice(0, 60));
        }
      }
      const noisy = await this.rest(`${act}: ${did.length} fields`, fieldsTimeoutMs);
      if (noisy) line(noisy);
      const { source, target, linkOf, find } = await this.facts();
      const translate = (of: string, id: string): string | undefined =>
        linkOf.get(`${of}/${id}`)?.targetId ?? undefined;
      for (const { story, record } of did) {
        const { type, field } = story;
        const link = linkOf.get(`${type}/${String(record.Id)}`);
        const there = find(source, type, record.Id);
        const here = link?.targetId ? find(target, type, link.targetId) : undefined;
        const found =
          here && there
            ? differences(meaning(type, there, translate), meaning(type, here))
            : ['it is not in the target'];
        const finding = { type, field, act };
        if (link?.state === 'held')
          findings.push({ ...finding, kind: 'held', reason: `${link.failureCode}: ${link.failureReason}` });
        else if (link?.state !== 'settled')
          findings.push({ ...finding, kind: 'broken', reason: `${link?.state} ${link?.failureReason ?? ''}` });
        else if (found.length > 0) findings.push({ ...finding, kind: 'broken', reason: found.slice(0, 3).join('; ') });
        else findings.push({ ...finding, kind: 'carried', reason: '' });
      }
    }
    return findings;
  }

  /** Of each act that is said not to be possible: what shows it. */
  async proofs(fields: readonly FieldFinding[], only?: readonly string[]): Promise<Map<string, Proof>> {
    const prover = new Prover(this.bench);
    const proofs = new Map<string, Proof>();
    for (const type of types) {
      for (const act of acts) {
        const key = `${type}/${act.replaceAll(' ', '-')}`;
        if (whyImpossible(type, act) === undefined || (only && !only.some((one) => key.startsWith(one)))) continue;
        const tried = fields.filter(
          (one) => one.type === type && one.act === (act === 'reference changed' ? 'field changed' : act),
        );
        if (fieldActs.includes(act) && tried.length > 0) {
          const said = [...new Set(tried.map((one) => `${one.field} ${one.kind}`))];
          proofs.set(key, { kind: 'shown', evidence: `every writable field tried: ${said.join(', ')}` });
          continue;
        }
        const proof = await prover.prove(type, act).catch((error: unknown): Proof => ({
          kind: 'disproved',
          how: `could not be tried: ${(error as Error).message}`,
        }));
        proofs.set(key, proof);
      }
    }
    return proofs;
  }

  /**
   * The rules change: two accounts become one, some records are left out, a text is set. Ingest is stopped, so whatever the
   * emulator counts for the source would be the replay's. Answers what went wrong.
   */
  async mappingChanged(): Promise<string[]> {
    const { bench, installation } = this;
    const [old, kept, left] = [
      await bench.save('Purchase', {
        PaymentType: 'Cash',
        AccountRef: ref(bench.bank),
        Line: [bench.expenseLine(9, bench.otherExpense)],
      }),
      await bench.save('Purchase', { PaymentType: 'Cash', AccountRef: ref(bench.bank), Line: [bench.expenseLine(8)] }),
      await bench.save('Purchase', {
        PaymentType: 'Cash',
        AccountRef: ref(bench.bank),
        Line: [bench.expenseLine(7)],
        PrivateNote: 'ours alone',
      }),
    ];
    const wrong: string[] = [];
    const unrest = await this.rest('three purchases before the rules change', fieldsTimeoutMs);
    if (unrest) wrong.push(unrest);
    await installation.kill('ingest');
    const requests = async (realmId: string) => Number(((await installation.emulator.stats(realmId)) as Raw).requests);
    const [source, target] = [await requests(this.source), await requests(this.target)];
    const { version } = await this.control.addMapping(
      this.syncId,
      {
        entities: {
          Account: { redirect: { [String(bench.otherExpense.Id)]: String(bench.expense.Id) } },
          Purchase: {
            static: { PrivateNote: 'carried by rule' },
            exclude: [{ reason: 'not for the other company', where: [{ path: 'PrivateNote', equals: 'ours alone' }] }],
          },
        },
      },
      'one account less',
    );
    await this.control.startJob(this.syncId, 'replay', ['Account', 'Purchase']);
    const still = await this.rest('replayed under the new rules', fieldsTimeoutMs, false);
    if (still) wrong.push(still);
    const calls = (await requests(this.source)) - source;
    phase(`replay: source calls ${calls}, target calls ${(await requests(this.target)) - target}`);
    if (calls !== 0) wrong.push(`the replay made ${calls} calls to the source`);
    const { target: dump, linkOf, find } = await this.facts();
    const linkTo = (type: string, record: Raw): LinkRow | undefined => linkOf.get(`${type}/${String(record.Id)}`);
    const copy = (record: Raw): Raw => find(dump, 'Purchase', linkTo('Purchase', record)?.targetId);
    const accountOf = (record: Raw): unknown =>
      copy(record)?.Line?.[0]?.AccountBasedExpenseLineDetail?.AccountRef?.value;
    const one = linkTo('Account', bench.expense)?.targetId;
    if (accountOf(old) !== one || accountOf(kept) !== one)
      wrong.push(`two accounts did not become one: ${String(accountOf(old))}, ${String(accountOf(kept))}, ${one}`);
    if (copy(kept)?.PrivateNote !== 'carried by rule')
      wrong.push(`the text was not set: ${String(copy(kept)?.PrivateNote)}`);
    if (copy(left)?.PrivateNote !== 'ours alone') wrong.push('what was left out did not stay as it was');
    const excluded = await this.control.links(this.syncId, '&op=exclude');
    if (!excluded.some((link) => link.sourceId === String(left.Id))) wrong.push('what was left out is not listed');
    const made = await this.control.mappingOf(this.syncId, 'Purchase', String(kept.Id));
    if (made.version !== version) wrong.push(`the record says mapping ${String(made.version)}, not ${version}`);
    return wrong;
  }

  private async open(): Promise<void> {
    const { installation } = this;
    const { emulator } = installation;
    const app = await installation.ourApp();
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
    this.control = installation.control;
    const { source, target } = this;
    this.syncId = (await connectPair(installation, app.clientId, { source, target, organization: 'Matrix' })).syncId;
    await this.control.startJob(this.syncId, 'backfill');
    await this.rest('what every record needs around it');
  }

  private async rest(what: string, timeoutMs = restTimeoutMs, looks = true): Promise<string | undefined> {
    const deadline = performance.now() + timeoutMs;
    await sleep(2 * sweepMs);
    if (looks) await this.control.look(this.source);
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

  async facts() {
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

  /** Two names become one, as a person decides in the product: the dead one is put away, what was its is the other's. */
  private async merges(mergedTypes: readonly string[]): Promise<Map<string, Finding>> {
    if (mergedTypes.length === 0) return new Map();
    const { bench } = this;
    const pairs = new Map<string, { winner: Raw; loser: Raw; user: { type: string; id: string } }>();
    for (const type of mergedTypes) {
      const row = rows[type]!;
      const [winner, loser] = [await bench.save(type, row.make(bench)), await bench.save(type, row.make(bench))];
      pairs.set(type, { winner, loser, user: await bench.uses(type, loser) });
    }
    const made = await this.rest('two names of each list and what uses one of them');
    if (made) line(made);
    for (const [type, { winner, loser }] of pairs)
      await this.installation.emulator.merge(this.source, type, String(loser.Id), String(winner.Id));
    const unrest = await this.rest('two names become one in each list');
    if (unrest) line(unrest);
    const facts = await this.facts();
    return new Map([...pairs].map(([type, pair]) => [type, judgeMerge(type, pair, facts)]));
  }
}

function judgeMerge(
  type: string,
  { winner, loser, user }: { winner: Raw; loser: Raw; user: { type: string; id: string } },
  { source, target, linkOf, find }: Awaited<ReturnType<Matrix['facts']>>,
): Finding {
  const [dead, alive] = [linkOf.get(`${type}/${String(loser.Id)}`), linkOf.get(`${type}/${String(winner.Id)}`)];
  const states = `${dead?.state} ${dead?.failureCode ?? ''}, ${alive?.state} ${alive?.failureCode ?? ''}`;
  if (dead?.state !== 'settled' || alive?.state !== 'settled')
    return dead?.state === 'held'
      ? { kind: 'held', reason: `${dead.failureCode}: ${dead.failureReason}` }
      : { kind: 'broken', reason: states };
  const left = find(target, type, dead.targetId);
  if (left && left.Active !== false) return { kind: 'broken', reason: `${type} ${dead.targetId} is still active` };
  const translate = (of: string, id: string): string | undefined => linkOf.get(`${of}/${id}`)?.targetId ?? undefined;
  const copy = linkOf.get(`${user.type}/${user.id}`)?.targetId;
  const there = find(source, user.type, user.id);
  const found = differences(meaning(user.type, there, translate), meaning(user.type, find(target, user.type, copy)));
  return found.length > 0
    ? { kind: 'broken', reason: `${user.type} ${user.id} did not follow: ${found.slice(0, 3).join('; ')}` }
    : { kind: 'carried' };
}

/** Acts that must move the target's own content. */
const mustChange: ReadonlySet<ActName> = new Set<ActName>([
  ...(['field set', 'field changed', 'field cleared', 'line added', 'line removed', 'lines reordered'] as const),
  ...(['reference changed', 'void', 'deactivate', 'rename', 'unlink'] as const),
]);

const idOf = (type: string, record: Raw): string => String(withIdentity(type, record as Json).Id);

/** Equal as far as a person sees it: nothing, "", false and 0 are all nothing. */
function same(a: unknown, b: unknown): boolean {
  const text = (value: unknown): string =>
    value === undefined || value === null || value === '' || value === false || value === 0
      ? ''
      : JSON.stringify(value);
  return text(a) === text(b);
}

interface Found {
  findings: ReadonlyMap<string, Finding>;
  tests: readonly Test[];
  fields: readonly FieldFinding[];
  proofs: ReadonlyMap<string, Proof>;
}

function cellOf({ findings, tests, fields, proofs }: Found) {
  return (type: string, act: ActName): Cell => {
    const isRef = (name: string): boolean =>
      catalogue(type).fields.some((one) => one.name === name && one.type === 'ref');
    const own = fields.filter(
      (one) =>
        one.type === type &&
        (one.act === act || (act === 'reference changed' && one.act === 'field changed' && isRef(one.field))),
    );
    const wrong = own.find(({ kind }) => kind === 'broken');
    if (wrong)
      return { kind: 'broken', reason: wrong.reason, tests: [`${type}/${wrong.act.replace(' ', '-')}:${wrong.field}`] };
    const carried = own.filter(({ kind }) => kind === 'carried').map((one) => one.field);
    const impossible = whyImpossible(type, act);
    if (impossible !== undefined && carried.length > 0) return { kind: 'carried', tests: [], fields: carried };
    if (impossible !== undefined) {
      const proof = proofs.get(`${type}/${act.replaceAll(' ', '-')}`);
      if (proof?.kind !== 'shown') {
        const why = proof ? proof.how : 'nothing shows it';
        return { kind: 'broken', reason: `said to be impossible (${impossible}), but ${why}`, tests: ['proof'] };
      }
      return { kind: 'not possible', reason: impossible, evidence: proof.evidence };
    }
    // A link is seen from both ends, and told from the one that holds it.
    const isOtherEnd = (test: Test) => (act === 'link' || act === 'unlink') && test.act === act && test.form === type;
    const mine = tests.filter((test) => (test.type === type && test.act === act) || isOtherEnd(test));
    const found = mine.map(
      (test) => [test.id, findings.get(test.id) ?? { kind: 'broken', reason: 'not run' }] as const,
    );
    const ids = mine.map((test) => test.id);
    const broken = found.find(([, finding]) => finding.kind === 'broken');
    if (broken) return { kind: 'broken', reason: (broken[1] as { reason: string }).reason, tests: [broken[0]] };
    const held = found.find(([, finding]) => finding.kind === 'held');
    if (held) return { kind: 'held', reason: (held[1] as { reason: string }).reason, tests: ids };
    return { kind: 'carried', tests: ids, ...(act.startsWith('field') && { fields: carried }) };
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      fields: { type: 'string' },
      proofs: { type: 'string' },
      mapping: { type: 'boolean' },
    },
  });
  const every = allTests();
  const partly =
    values.mapping === true || values.only !== undefined || values.fields !== undefined || values.proofs !== undefined;
  const chosen = (values.only ?? '').split(',').filter((one) => one !== '');
  const tests = partly ? every.filter(({ id }) => chosen.some((one) => id.startsWith(one))) : every;
  let installation: Installation | undefined;
  let code = 1;
  try {
    phase(`${tests.length} tests; the whole system starts`);
    installation = await Installation.start(() => undefined);
    const matrix = new Matrix(installation);
    const findings = await matrix.run(tests);
    const fields = partly && values.fields === undefined ? [] : await matrix.fields(values.fields || undefined);
    const proofs =
      partly && values.proofs === undefined
        ? new Map<string, Proof>()
        : await matrix.proofs(fields, values.proofs ? values.proofs.split(',') : undefined);
    phase(`${proofs.size} acts that are not possible were tried`);
    const mapping = partly && !values.mapping ? [] : await matrix.mappingChanged();
    for (const wrong of mapping) line(`mapping: ${wrong}`);
    for (const [id, finding] of findings)
      if (finding.kind !== 'carried') line(`${finding.kind}: ${id}: ${finding.reason}`);
    for (const one of fields)
      if (one.kind !== 'carried' && (partly || one.kind === 'broken'))
        line(`${one.kind}: ${one.type}.${one.field} ${one.act}: ${one.reason}`);
    for (const [id, proof] of proofs) if (proof.kind === 'disproved') line(`disproved: ${id}: ${proof.how}`);
    const cells = cellOf({ findings, tests: every, fields, proofs });
    const broken =
      mapping.length +
      [...findings.values()].filter((finding) => finding.kind === 'broken').length +
      fields.filter(({ kind }) => kind === 'broken').length +
      (partly ? 0 : types.flatMap((type) => acts.filter((act) => cells(type, act).kind === 'broken')).length);
    if (!partly) await writeFile('docs/lifecycle-matrix.md', matrixDocument(cells, fields));
    code = broken === 0 ? 0 : 1;
    if (broken > 0) {
      line(`${broken} broken`);
      line(`logs: ${await installation.keepLogs('matrix-logs')}`);
    }
    line(fieldLine(fields));
    line(partly ? `matrix: ${findings.size} tests run, ${broken} broken` : closingLine(cells));
  } catch (error) {
    line(`matrix: failed: ${String((error as Error).stack)}`);
    if (installation) line(`logs: ${await installation.keepLogs('matrix-logs')}`);
  }
  await Promise.race([installation?.stop().catch(() => undefined), sleep(20_000)]);
  return code;
}

process.exit(await main());
