// `npm run recovery [-- --only restore|topics]`: our own state is lost, and the system must notice and come right by itself.
//
//   restore  PostgreSQL is set back to a backup while Kafka and QuickBooks went on: records made since then are in the target,
//            and nobody remembers. Apps are killed and started again.
//   topics   Kafka loses everything it held. Apps are killed and started again on empty topics.
//
// After each: the checker judges, and what the apps said is searched for the words by which a person hears of it.
// Last line: `recovery: cases=N noticed=N lost=0 doubled=0`; exit 0 only when all was noticed and no invariant is broken.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Raw } from '#testing';
import { appNames } from '../../dev/src/apps.js';
import { Bench } from '../../failpoints/src/bench.js';
import { Accounting } from '../../installation/src/accounting.js';
import { Installation } from '../../installation/src/installation.js';
import type { Report } from '../../verify/src/report.js';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const startedMs = performance.now();
const say = (text: string): void =>
  void process.stdout.write(`${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${text}\n`);

const saidBy = {
  restore: [
    ['qbo-writer', 'the database was set back'],
    ['audit', 'the database is behind Kafka'],
  ],
  topics: [['mapper', 'Kafka lost records']],
} as const;

class Books {
  private n = 0;
  private constructor(private readonly accounting: Accounting) {}

  static async open(installation: Installation, realmId: string): Promise<Books> {
    const person = await installation.emulator.createApp({ name: 'second person' });
    return new Books(await Accounting.open(installation.emulator, person.clientId, realmId));
  }

  customer(): Promise<Raw> {
    return this.accounting.write('Customer', { DisplayName: `Recovered ${++this.n}` });
  }

  /** Nothing but its content identifies it: no number, no name. */
  receipt(customerId: string, amount: number): Promise<Raw> {
    const line = {
      Amount: amount,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemRef: { value: '1' } },
    };
    return this.accounting.write('SalesReceipt', { CustomerRef: { value: customerId }, Line: [line] });
  }

  note(type: string, { Id, SyncToken }: Raw, text: string): Promise<Raw> {
    return this.accounting.write(type, { Id, SyncToken, sparse: true, PrivateNote: text });
  }

  remove(type: string, { Id, SyncToken }: Raw): Promise<unknown> {
    return this.accounting.write(type, { Id, SyncToken }, 'delete');
  }
}

/** Everything that is to be done is done. */
async function settled(bench: Bench): Promise<Report> {
  return bench.judged();
}

async function restart(installation: Installation): Promise<void> {
  for (const app of appNames) installation.crash(app);
  // The supervisor starts each again when its end is known.
  await sleep(1_000);
  await installation.ready();
}

async function restore(installation: Installation, bench: Bench, folder: string): Promise<Report> {
  const postgres = installation.infrastructure.postgres!;
  const books = await Books.open(installation, bench.source);
  const customer = await books.customer();
  const before = await books.receipt(customer.Id, 10);
  const leaving = await books.receipt(customer.Id, 11);
  await bench.edit();
  await settled(bench);
  await postgres.backUp(join(folder, 'backup'));
  await installation.ready();
  say('backed up; the system goes on');
  for (let n = 0; n < 3; n++) await bench.edit();
  const later = await books.customer();
  const made = await books.receipt(later.Id, 20);
  const twin = await books.receipt(later.Id, 20);
  await books.note('SalesReceipt', before, 'changed after the backup');
  await books.remove('SalesReceipt', leaving);
  await settled(bench);
  // A second version of what was made after the backup: under its own request id it would be made again.
  await books.note('SalesReceipt', made, 'made and changed after the backup');
  await books.remove('SalesReceipt', await books.receipt(later.Id, 21));
  await settled(bench);
  await postgres.restore(join(folder, 'backup'));
  say(`PostgreSQL is as it was; two equal receipts (${made.Id}, ${twin.Id}) and ${customer.Id} are in the target`);
  await restart(installation);
  await bench.edit();
  return bench.judged('once', { restored: true });
}

async function topics(installation: Installation, bench: Bench): Promise<Report> {
  await settled(bench);
  const [node] = installation.infrastructure.kafka;
  await node!.lose();
  say('Kafka lost everything');
  await node!.start();
  await restart(installation);
  await bench.edit();
  await bench.until('a backfill of every sync', async () => {
    const { jobs } = await bench.control.sync(bench.syncId);
    return jobs.some((job) => job.kind === 'backfill' && job.state === 'done' && job.because !== null);
  });
  return settled(bench);
}

const cases = (['restore', 'topics'] as const).filter((name) => values.only === undefined || name === values.only);
const folder = await mkdtemp(join(tmpdir(), 'recovery-'));
const count = { cases: 0, noticed: 0, lost: 0, doubled: 0, other: 0 };
let installation: Installation | undefined;
let code = 1;
try {
  for (const name of cases) {
    installation = await Installation.start(() => undefined);
    const bench = await Bench.open(installation, folder, false);
    say(`${name}: the system runs`);
    const report = name === 'restore' ? await restore(installation, bench, folder) : await topics(installation, bench);
    count.cases++;
    const violated = report.judgements.filter(({ verdict }) => verdict.kind === 'violated').map(({ id }) => id);
    if (violated.includes('I-01')) count.lost++;
    if (violated.includes('I-02')) count.doubled++;
    if (violated.some((id) => id !== 'I-01' && id !== 'I-02')) count.other++;
    for (const line of violated.length > 0 ? report.lines : report.lines.slice(-1)) say(`${name}: ${line}`);
    const unheard: string[] = [];
    for (const [app, words] of saidBy[name]) {
      const text = await installation.said(app);
      const line = text.split('\n').find((one) => one.includes(words));
      if (line) say(`${app} said: ${line.slice(0, 400)}`);
      else unheard.push(`${app}: "${words}"`);
    }
    if (unheard.length === 0) count.noticed++;
    else say(`${name}: nobody said ${unheard.join(', ')}`);
    if (violated.length > 0 || unheard.length > 0) say(`logs: ${await installation.keepLogs('recovery-logs')}`);
    await installation.stop();
    installation = undefined;
  }
  const { noticed, lost, doubled, other } = count;
  const more = other > 0 ? ` other_violations=${other}` : '';
  process.stdout.write(`recovery: cases=${count.cases} noticed=${noticed} lost=${lost} doubled=${doubled}${more}\n`);
  code = noticed === cases.length && lost + doubled + other === 0 ? 0 : 1;
} catch (error) {
  say(`failed: ${String((error as Error).stack)}`);
  say(`logs: ${(await installation?.keepLogs('recovery-logs').catch(() => undefined)) ?? 'none'}`);
}
await Promise.race([installation?.stop().catch(() => undefined), sleep(20_000)]);
await rm(folder, { recursive: true, force: true });
process.exit(code);
