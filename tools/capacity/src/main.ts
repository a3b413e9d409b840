// `npm run capacity -- [--pairs 4] [--records 250] [--edits 25] [--print]`: measures on this machine what a change costs in CPU,
// what a record takes in PostgreSQL and Kafka, and how much memory each process has; writes docs/capacity.md. Several pairs
// of companies work at once, so that the machine is the limit and not QuickBooks' pace.
import { readdir, stat, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { EmulatorClient, type Raw } from '#testing';
import { appNames } from '../../dev/src/apps.js';
import { Accounting } from '../../installation/src/accounting.js';
import type { Control } from '../../installation/src/control.js';
import { Installation } from '../../installation/src/installation.js';
import { connectPair } from '../../installation/src/pair.js';
import { Database } from '../../verify/src/gather/tables.js';
import { capacityPage, own, perCore } from './page.js';
import type { Measured, Part, Size } from './page.js';
import { childNamed, use } from './processes.js';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '4' },
    records: { type: 'string', default: '250' },
    edits: { type: 'string', default: '25' },
    print: { type: 'boolean', default: false },
  },
});
const [pairCount, recordsOfOne, editsOfOne] = [values.pairs, values.records, values.edits].map(Number) as [
  number,
  number,
  number,
];
const patienceMs = 600_000;
const restMs = 8_000;
const startedMs = performance.now();
const say = (text: string): void =>
  void process.stderr.write(`» ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);

interface Pair {
  source: string;
  syncId: string;
  books: Accounting;
  invoices: Raw[];
}

/** Most of it is documents, as in life. */
async function fill(books: Accounting, records: number): Promise<Raw[]> {
  const [income] = await books.query("select * from Account where AccountType = 'Income'");
  const customers = await books.writeAll(
    'Customer',
    Array.from({ length: Math.ceil(records / 10) }, (_, n) => ({
      DisplayName: `Customer ${n}`,
      PrimaryEmailAddr: { Address: `customer-${n}@example.com` },
      BillAddr: { Line1: `${n} Main Street`, City: 'Springfield', PostalCode: '12345', CountrySubDivisionCode: 'OR' },
    })),
  );
  const [item] = await books.writeAll('Item', [
    { Name: 'Consulting by the hour', Type: 'Service', IncomeAccountRef: { value: income.Id } },
  ]);
  // Three lines each: a small business's invoice.
  return books.writeAll(
    'Invoice',
    Array.from({ length: records - customers.length - 1 }, (_, n) => ({
      CustomerRef: { value: customers[n % customers.length].Id },
      PrivateNote: `Order ${n}, by telephone`,
      Line: [10, 25, 40].map((amount) => ({
        ...{ DetailType: 'SalesItemLineDetail', Amount: amount + n, Description: 'Work as agreed' },
        SalesItemLineDetail: { ItemRef: { value: item.Id }, Qty: 1, UnitPrice: amount + n },
      })),
    })),
  );
}

class Capacity {
  private readonly pids = new Map<string, number>();
  private readonly database: Database;

  constructor(
    private readonly installation: Installation,
    private readonly control: Control,
    private readonly pairs: readonly Pair[],
  ) {
    const places = installation.places();
    this.database = new Database(places.databaseUrl, places.databaseSchema);
    for (const app of appNames) this.pids.set(app, childNamed(`dist/apps/${app}/`)!);
    for (const [name, word] of [
      ['postgresql', 'postgres'],
      ['kafka', 'kafka.Kafka'],
      ['registry', 'apicurio-registry-app'],
    ] as const)
      this.pids.set(name, childNamed(word)!);
  }

  close(): Promise<void> {
    return this.database.close();
  }

  memory(): Map<string, { residentMb: number; peakMb: number }> {
    return new Map([...this.pids].map(([name, pid]) => [name, use(pid)]));
  }

  /** What a piece of work cost until everything is quiet again. */
  async part(changes: number, work: () => Promise<unknown>): Promise<Part> {
    const before = new Map([...this.pids].map(([name, pid]) => [name, use(pid).cpuSeconds]));
    const beganMs = performance.now();
    await work();
    await this.untilQuiet();
    const seconds = (performance.now() - beganMs) / 1000;
    // What rest costs belongs to nobody's change: measured for as long, taken out.
    const middle = new Map([...this.pids].map(([name, pid]) => [name, use(pid).cpuSeconds]));
    await sleep(restMs);
    const cpu = Object.fromEntries(
      [...this.pids].map(([name, pid]) => {
        const idle = (use(pid).cpuSeconds - middle.get(name)!) / (restMs / 1000);
        return [name, Math.max(0, middle.get(name)! - before.get(name)! - idle * seconds)];
      }),
    );
    return { changes, seconds, cpu };
  }

  /** Asked of the tables, and of one sync for Kafka's lag: asking control for every sync would be a load of its own. */
  async untilQuiet(): Promise<void> {
    let calm = 0;
    for (const deadline = performance.now() + patienceMs; calm < 2;) {
      if (performance.now() > deadline) throw new Error('the installation did not come to rest');
      await Promise.race([sleep(1_000), this.installation.broken]);
      const [moving] = await this.database.rows<{ n: number }>(
        `select ((select count(*) from jobs where state in ('queued', 'running'))
               + (select count(*) from links where state not in ('settled', 'held', 'failed'))
               + (select count(*) from outbox where refused is null))::int as n`,
      );
      const resting = moving!.n === 0 && (await this.control.sync(this.pairs[0]!.syncId)).quiet;
      calm = resting ? calm + 1 : 0;
    }
  }

  /** Settled links: what is told is what happened. */
  async settled(): Promise<number> {
    const [row] = await this.database.rows<{ n: number }>(
      `select count(*)::int as n from links where state = 'settled'`,
    );
    return row!.n;
  }

  async writesSettled(): Promise<number> {
    const [row] = await this.database.rows<{ n: number }>(
      `select count(*)::int as n from sync_log where stage = 'settled' and details ->> 'lane' = 'live'`,
    );
    return row!.n;
  }

  /** Bytes of each table with its indexes and long values; partitions count with their table. */
  async tables(): Promise<{ name: string; bytes: number }[]> {
    return this.database.rows(
      `select regexp_replace(relname, '_(y[0-9]{4}m[0-9]{2}|default)$', '') as name, sum(pg_total_relation_size(oid))::float8 as bytes
         from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace group by 1`,
    );
  }

  /** Bytes of the segments, by topic; offsets and other books of the broker itself are not records. */
  async topics(): Promise<{ name: string; bytes: number }[]> {
    const data = join(this.installation.infrastructure.folder!, 'kafka-1', 'data');
    const sizes = new Map<string, number>();
    for (const folder of await readdir(data)) {
      const topic = /^(.*)-\d+$/.exec(folder)?.[1];
      if (!topic || topic.startsWith('__')) continue;
      for (const file of await readdir(join(data, folder)))
        if (file.endsWith('.log'))
          sizes.set(topic, (sizes.get(topic) ?? 0) + (await stat(join(data, folder, file))).size);
    }
    return [...sizes].map(([name, bytes]) => ({ name, bytes }));
  }
}

const less = (now: Size[], before: Size[]): Size[] =>
  now.map(({ name, bytes }) => ({
    name,
    bytes: Math.max(0, bytes - (before.find((each) => each.name === name)?.bytes ?? 0)),
  }));

async function main(): Promise<void> {
  const load = { before: loadavg()[0]!, after: 0 };
  const installation = await Installation.start(() => undefined);
  let capacity: Capacity | undefined;
  try {
    const { emulator } = installation;
    const app = await installation.ourApp();
    const person = await emulator.createApp({ name: 'person' });
    await emulator.webhooks({ enabled: false });
    // Filling is not what is measured.
    await emulator.limits({ all: false });
    say(`${pairCount} pairs of companies with ${recordsOfOne} records each`);
    // Whoever fills a source does it without limits, and the emulator counts peaks by company: those are nobody's to judge.
    const filling = new EmulatorClient(emulator.url);
    const made: { source: string; target: string; books: Accounting; invoices: Raw[] }[] = [];
    for (let n = 0; n < pairCount; n++) {
      const [source, target] = [
        (await filling.createCompany({ name: `Company ${n}` })).realmId,
        (await emulator.createCompany({ name: `Company ${n} (mirror)` })).realmId,
      ];
      const books = await Accounting.open(emulator, person.clientId, source);
      made.push({ source, target, books, invoices: await fill(books, recordsOfOne) });
    }
    await emulator.limits({ all: true });
    // As in production: looks every few minutes, webhooks tell the rest.
    await installation.startApps(app, { SYNC_CAPTURE_LOOK_INTERVAL: '5m', SYNC_WRITER_LEASE: '15s' });
    const { control } = installation;
    const pairs: Pair[] = [];
    capacity = new Capacity(installation, control, pairs);
    await sleep(restMs);
    const rest = capacity.memory();
    // What an empty installation takes belongs to no record.
    const [emptyTables, emptyTopics] = [await capacity.tables(), await capacity.topics()];

    say('all are connected and carried over');
    // From the connection on: the first look of a source finds what was made a moment ago, before any backfill reads it.
    const backfill = await capacity.part(0, async () => {
      for (const { source, target, books, invoices } of made) {
        const { syncId } = await connectPair(installation, app.clientId, { source, target });
        pairs.push({ source, books, invoices, syncId });
        await control.startJob(syncId, 'backfill');
      }
    });
    const records = await capacity.settled();
    backfill.changes = records;

    say(`${records} settled in ${backfill.seconds.toFixed(1)} s; now edits, one by one`);
    await emulator.webhooks({ enabled: true, minDelayMs: 0, maxDelayMs: 300, aggregateMs: 200 });
    const told = await capacity.writesSettled();
    const live = await capacity.part(0, () =>
      Promise.all(
        pairs.map(async ({ books, invoices }) => {
          for (const invoice of invoices.slice(0, editsOfOne)) {
            const { Id, SyncToken } = invoice;
            await books.write('Invoice', { Id, SyncToken, sparse: true, PrivateNote: `Changed at ${Date.now()}` });
            await sleep(250);
          }
          // The last webhook is on its way.
          await sleep(3_000);
        }),
      ),
    );
    live.changes = (await capacity.writesSettled()) - told;

    say(`${live.changes} edits settled in ${live.seconds.toFixed(1)} s; now a replay of all`);
    const replay = await capacity.part(0, () =>
      Promise.all(pairs.map(({ syncId }) => control.startJob(syncId, 'replay'))),
    );
    const jobs = (await Promise.all(pairs.map(({ syncId }) => control.sync(syncId)))).flatMap((state) => state.jobs);
    replay.changes = jobs
      .filter(({ kind }) => kind === 'replay')
      .reduce((sum, { progress }) => sum + Number(progress?.read ?? 0), 0);

    load.after = loadavg()[0]!;
    const most = capacity.memory();
    const measured: Measured = {
      at: new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
      machine: `${cpus().length} cores ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}`,
      ...{ load, pairs: pairCount, records, edits: live.changes, backfill, live, replay },
      memory: [...rest].map(([name, { residentMb }]) => ({ name, restMb: residentMb, peakMb: most.get(name)!.peakMb })),
      tables: less(await capacity.tables(), emptyTables),
      topics: less(await capacity.topics(), emptyTopics),
    };
    const page = await format(capacityPage(measured), { parser: 'markdown', printWidth: 120 });
    if (values.print) process.stdout.write(page);
    else await writeFile('docs/capacity.md', page);
    const bytes = (sizes: { bytes: number }[]) =>
      Math.round(sizes.reduce((sum, each) => sum + each.bytes, 0) / records);
    process.stdout.write(
      `capacity: changes/s per core backfill ${perCore(backfill).toFixed(1)} live ${perCore(live).toFixed(1)} replay ${perCore(replay).toFixed(1)}, ` +
        `bytes per record postgresql ${bytes(measured.tables)} kafka ${bytes(measured.topics)}, apps ${own(backfill).toFixed(1)} CPU s for ${records} records\n`,
    );
  } finally {
    await capacity?.close();
    await installation.stop();
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`capacity: ${String((error as Error).stack)}\n`);
  process.exit(1);
}
