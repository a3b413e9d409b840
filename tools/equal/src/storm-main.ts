// `npm run storm -- [--records 10000]`: children first, parents last, through the whole system. Exit 0 when none waits at the
// end and the target was asked to write at most 1.1 times as often as there are records. QuickBooks' own limits set the pace:
// 10,000 records take about ten minutes.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Raw } from '#testing';
import { Accounting } from '../../installation/src/accounting.js';
import { Installation } from '../../installation/src/installation.js';
import { connectPair } from '../../installation/src/pair.js';

/** Shares of a storm: most of it is documents, as in life. */
const shares = { customers: 0.02, items: 0.005, invoices: 0.6 };
const mostWritesPerRecord = 1.1;
const startedMs = performance.now();
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const phase = (text: string): void =>
  line(`» ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const inTurn = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
const ref = (record: Raw): Raw => ({ value: String(record.Id) });

/** @returns how many records were made */
async function fill(books: Accounting, records: number): Promise<number> {
  const [income] = await books.query("select * from Account where AccountType = 'Income'");
  const many = (share: number): number => Math.max(1, Math.round(records * share));
  const list = <T>(count: number, one: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => one(n));
  const customers = await books.writeAll(
    'Customer',
    list(many(shares.customers), (n) => ({ DisplayName: `Customer ${n}` })),
  );
  const items = await books.writeAll(
    'Item',
    list(many(shares.items), (n) => ({ Name: `Item ${n}`, Type: 'Service', IncomeAccountRef: ref(income) })),
  );
  const invoices = await books.writeAll(
    'Invoice',
    list(many(shares.invoices), (n) => ({
      CustomerRef: ref(inTurn(customers, n)),
      Line: [
        {
          ...{ DetailType: 'SalesItemLineDetail', Amount: 10 + n },
          SalesItemLineDetail: { ItemRef: ref(inTurn(items, n)), Qty: 1, UnitPrice: 10 + n },
        },
      ],
    })),
  );
  const left = records - customers.length - items.length - invoices.length;
  const payments = await books.writeAll(
    'Payment',
    list(Math.min(left, invoices.length), (n) => ({
      ...{ CustomerRef: invoices[n].CustomerRef, TotalAmt: 10 + n },
      Line: [{ Amount: 10 + n, LinkedTxn: [{ TxnId: invoices[n].Id, TxnType: 'Invoice' }] }],
    })),
  );
  return customers.length + items.length + invoices.length + payments.length;
}

async function storm(records: number, installation: Installation): Promise<boolean> {
  const { emulator } = installation;
  const app = await emulator.createApp({ name: 'qbo-sync' });
  const person = await emulator.createApp({ name: 'person' });
  const [source, target] = [
    (await emulator.createCompany({ name: 'Storm' })).realmId,
    (await emulator.createCompany({ name: 'Storm mirror' })).realmId,
  ];
  // Filling is not what is measured.
  await emulator.limits({ all: false });
  const made = await fill(await Accounting.open(emulator, person.clientId, source), records);
  await emulator.limits({ all: true });
  phase(`${made} records in the source`);
  await installation.startApps(app);
  const { control } = installation;
  const { syncId } = await connectPair(installation, app.clientId, { source, target, organization: 'Storm' });
  for (const types of [['Payment'], ['Invoice'], ['Item', 'Customer'], undefined]) {
    const { id } = await control.startJob(syncId, 'backfill', types);
    for (;;) {
      const state = await Promise.race([control.sync(syncId), installation.broken]);
      const job = state.jobs.find((one) => one.id === id);
      if (job?.state === 'failed') throw new Error(`the backfill failed: ${job.error}`);
      if (job?.state === 'done') break;
      await sleep(200);
    }
    phase(`${types?.join(' and ') ?? 'everything else'} arrived`);
  }
  for (let calm = 0, shown = 0; calm < 2;) {
    const state = await Promise.race([control.sync(syncId), installation.broken]);
    calm = state.quiet ? calm + 1 : 0;
    if (performance.now() - shown > 20_000) {
      shown = performance.now();
      phase(JSON.stringify(state.counts.byState));
    }
    await sleep(500);
  }
  const { byState } = (await control.sync(syncId)).counts;
  const stats = await emulator.stats(target);
  const [writes, waiting] = [Number(stats.writes), byState.waiting ?? 0];
  const others = Object.entries(byState).filter(([state]) => state !== 'settled' && state !== 'waiting');
  const perRecord = writes / made;
  phase(JSON.stringify(byState));
  const report = await installation.judge({ replay: 'skip' });
  for (const said of report.lines) line(said);
  line(`storm: records=${made} writes=${writes} per_record=${perRecord.toFixed(3)} waiting=${waiting}`);
  return report.violations === 0 && waiting === 0 && others.length === 0 && perRecord <= mostWritesPerRecord;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { records: { type: 'string', default: '10000' } } });
  let installation: Installation | undefined;
  let code = 1;
  try {
    installation = await Installation.start(() => undefined);
    code = (await storm(Number(values.records), installation)) ? 0 : 1;
  } catch (error) {
    line(`storm: failed: ${String((error as Error).stack)}`);
  }
  if (code !== 0 && installation) line(`logs: ${await installation.keepLogs('storm-logs')}`);
  await Promise.race([installation?.stop().catch(() => undefined), sleep(20_000)]);
  return code;
}

process.exit(await main());
