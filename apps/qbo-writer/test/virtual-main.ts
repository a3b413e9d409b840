// A migration in virtual time, for the benchmarks `batch` and `migrate`: the real writer over a real PostgreSQL, against an
// emulator with all of QBO's limits on whose clock follows ours. The governor is the real one, too, by our clock. Takes its
// task as JSON, prints what came of it as JSON.
import { randomUUID } from 'node:crypto';
import { createLog } from '#common/logging';
import { defaultTemplate, mapChange, mergeLayers, type Json } from '#core';
import type { WriteEvent } from '#contracts';
import {
  Breakers,
  IntuitTokens,
  QboClient,
  qboEnvironment,
  TokenCustody,
  TokenSeal,
  Transport,
  type GovernorGate,
} from '#qbo';
import {
  Companies,
  Database,
  GovernorStore,
  Grants,
  Links,
  MappingLayers,
  RealmLeases,
  RealmWork,
  Syncs,
  type Lane,
} from '#storage';
import { freshDatabase, startEmulator, type RunningEmulator } from '#testing';
import { desiredLink } from '../src/intake/desired-link.js';
import { RealmWriter } from '../src/realm/realm-writer.js';
import { Writers } from '../src/realm/writers.js';
import { VirtualTime } from './virtual-time.js';

interface Task {
  transactions: number;
  names: number;
  batchSize: number;
  /** QBO's own time */
  callMs: number;
  itemMs: number;
  /** ends after so many minutes when it is not done before */
  minutes?: number;
  /** the names are there when the time begins */
  namesFirst?: boolean;
}

const task = JSON.parse(process.argv[2]!) as Task;
const app = 'sync';
const say = (text: string) => process.stderr.write(`  ${text}\n`);

const emulator = await startEmulator({ clock: 'virtual' });
const database = await freshDatabase();
const time = new VirtualTime();
const plainDb = await Database.connect({ ...database, databasePool: 10, applicationName: 'virtual' });
await plainDb.migrate();
const db = time.watching(plainDb);

/** The emulator's clock follows ours before each request; its limits then count by the moments at which we sent. */
class VirtualTransport extends Transport {
  private following: Promise<unknown> = Promise.resolve();
  private shownMs = time.nowMs();

  override async send(...args: Parameters<Transport['send']>): ReturnType<Transport['send']> {
    const [request] = args;
    const outcome = await time.during(async () => {
      this.following = this.following.then(async () => {
        const aheadMs = Math.floor(time.nowMs() - this.shownMs);
        if (aheadMs <= 0) return;
        this.shownMs += aheadMs;
        await emulator.advanceClock(aheadMs);
      });
      await this.following;
      return super.send(...args);
    });
    const items = typeof request.body === 'string' ? (request.body.match(/"bId"/g)?.length ?? 0) : 0;
    await time.sleep(task.callMs + items * task.itemMs);
    return outcome;
  }
}

const governor = new GovernorStore(db, time);
// Its statements take the virtual time for the database's.
governor.timeOf = 'clock';
/** calls let go since the last word about it */
const went = { single: 0, batch: 0 };
const gate: GovernorGate = {
  acquire: async (realmId, request, signal) => {
    const grant = await governor.acquire(realmId, request, signal);
    went[request.kind]++;
    return grant;
  },
};

const organizationId = randomUUID();
const syncId = randomUUID();
const { clientId, clientSecret } = await emulator.createApp();
const custody = new TokenCustody({
  grants: new Grants(db),
  endpoint: new IntuitTokens({ environment: qboEnvironment(emulator.url), clientId, clientSecret }),
  seal: new TokenSeal(Buffer.alloc(32, 1)),
  clock: time,
});
await db.query('insert into organizations (id, name) values ($1, $2)', [organizationId, 'Bench']);
const [source, target] = [await connect('Source'), await connect('Target')];
await db.query(`insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)`, [
  syncId,
  organizationId,
  source,
  target,
]);

async function connect(name: string): Promise<string> {
  const { realmId } = await emulator.createCompany({ name });
  await db.query(`insert into companies (realm_id, organization_id, name) values ($1, $2, $3)`, [
    realmId,
    organizationId,
    name,
  ]);
  const { refreshTokenExpiresIn, ...tokens } = await emulator.grant(clientId, realmId);
  // The token outlives the run: its renewal is not what is measured.
  const pair = custody.sealPair(organizationId, realmId, {
    ...tokens,
    expiresIn: 30 * 86_400,
    refreshExpiresIn: refreshTokenExpiresIn,
  });
  await new Grants(db).store(db, realmId, pair);
  return realmId;
}

// --- the source's records ------------------------------------------------------------------------------------------------

const rules = mergeLayers([defaultTemplate]);
const startedAt = time.now().toISOString();

function event(entityType: string, id: string, snapshot: Json): WriteEvent {
  const version = `${startedAt}_0000000001_${startedAt}`;
  const change = { realmId: source, entityType, id, version, deleted: false, snapshot: { Id: id, ...snapshot } };
  const mapped = mapChange(change as never, rules);
  if (mapped.kind !== 'write') throw new Error(`${entityType} ${id}: ${JSON.stringify(mapped)}`);
  const sync = { syncId, organizationId, sourceRealmId: source, targetRealmId: target };
  return { ...mapped.write, ...sync, lane: 'bulk', changeId: randomUUID() } as WriteEvent;
}

const customers = Math.max(1, Math.floor(task.names * 0.8));
const items = Math.max(1, task.names - customers);
const account = { Name: 'Sales of the bench', AccountType: 'Income', AccountSubType: 'SalesOfProductIncome' };

const names = (): WriteEvent[] => [
  event('Account', 'a1', account),
  ...range(customers, (n) => event('Customer', `c${n}`, { DisplayName: `Customer ${n}` })),
  ...range(items, (n) =>
    event('Item', `i${n}`, { Name: `Item ${n}`, Type: 'Service', IncomeAccountRef: { value: 'a1' } }),
  ),
];

/** Two invoices to a payment of the first of them, by the same customer. */
function transaction(n: number): WriteEvent {
  const of = (m: number) => ({ customer: `c${m % customers}`, item: `i${m % items}`, amount: 10 + (m % 90) });
  if (n % 3 === 2) {
    const { customer, amount } = of(n - 2);
    return event('Payment', `t${n}`, {
      CustomerRef: { value: customer },
      TotalAmt: amount,
      TxnDate: '2026-01-15',
      Line: [{ Amount: amount, LinkedTxn: [{ TxnId: `t${n - 2}`, TxnType: 'Invoice' }] }],
    });
  }
  const { customer, item, amount } = of(n);
  return event('Invoice', `t${n}`, {
    CustomerRef: { value: customer },
    TxnDate: '2026-01-10',
    DocNumber: `D${n}`,
    Line: [
      {
        Amount: amount,
        DetailType: 'SalesItemLineDetail',
        SalesItemLineDetail: { ItemRef: { value: item }, Qty: 1, UnitPrice: amount },
      },
    ],
  });
}

function range<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

const links = new Links(db);
const take = async (events: WriteEvent[]): Promise<void> => {
  for (let at = 0; at < events.length; at += 1_000) {
    const some = events.slice(at, at + 1_000).map((one) => desiredLink(one, undefined));
    await links.intake(some, time.now());
  }
};
/** By the index of the work: whole tables are not counted each second. */
const unsettled = `from links where target_realm_id = $1
  and state in ('ready', 'sending', 'uncertain', 'waiting', 'backoff', 'held', 'failed')`;
const isOpen = async (): Promise<boolean> => {
  const [row] = await plainDb.query<{ any: boolean }>(`select exists (select ${unsettled}) as any`, [target]);
  return row!.any;
};
const open = async (): Promise<number> => {
  const [row] = await plainDb.query<{ n: number }>(`select count(*)::int as n ${unsettled}`, [target]);
  return row!.n;
};

// --- the writer ----------------------------------------------------------------------------------------------------------

const log = createLog('virtual');
const client = new QboClient({
  environment: qboEnvironment(emulator.url),
  tokens: custody,
  gate,
  clock: time,
  app,
  breakers: new Breakers(),
  transport: new VirtualTransport(),
});
const work = new RealmWork(db);
const ports = {
  db,
  links,
  work,
  syncs: new Syncs(db),
  layers: new MappingLayers(db),
  companies: new Companies(db),
  grants: new Grants(db),
  client,
  clock: time,
  log,
  random: Math.random,
  outlook: (realmId: string, lane: Lane) => governor.outlook(realmId, lane),
  announced: () => {},
};
const writers = new Writers(
  {
    purpose: 'writer',
    work,
    leases: new RealmLeases(db),
    clock: time,
    log,
    open: (realmId, fence, seat) =>
      new RealmWriter(realmId, fence, seat, ports, { batchSize: task.batchSize, callsInFlight: 7 }),
  },
  // By the database's clock: the virtual one runs ahead of it.
  { leaseMs: 600_000, lookMs: 5_000 },
);

/** Runs until nothing is open, or for so long; answers how long it took by the virtual clock. */
async function settleAll(limitMs = Number.POSITIVE_INFINITY): Promise<number> {
  const beganMs = time.nowMs();
  for (let saidMs = 0; ;) {
    await time.sleep(1_000);
    const done = !(await time.during(isOpen));
    const tookMs = time.nowMs() - beganMs;
    if (done || tookMs >= limitMs) return tookMs;
    if (tookMs - saidMs < 60_000) continue;
    saidMs = tookMs;
    const left = await time.during(open);
    say(
      `${Math.round(tookMs / 1_000)} s: ${left} open, ${went.single} singles, ${went.batch} batches, (${seconds()} s)`,
    );
    went.single = went.batch = 0;
  }
}

const realStartMs = performance.now();
await take(names());
if (task.namesFirst) {
  writers.start();
  await settleAll();
  // The minute that the names used up is over.
  await time.sleep(61_000);
}
const before = (await emulator.stats(target)) as Json;
for (let at = 0; at < task.transactions; at += 5_000)
  await take(range(Math.min(5_000, task.transactions - at), (n) => transaction(at + n)));
say(`${task.transactions} transactions and ${task.names} names are wanted (${seconds()} s)`);
if (!task.namesFirst) writers.start();
else writers.wake(target);
const tookMs = await settleAll(task.minutes === undefined ? undefined : task.minutes * 60_000);
const left = await open();
const after = (await emulator.stats(target)) as Json;
const failed = await plainDb.query<{ state: string; failure_code: string; n: number }>(
  `select state, failure_code, count(*)::int as n from links where state not in ('settled', 'ready', 'sending') group by 1, 2`,
);
process.stdout.write(
  `${JSON.stringify({
    tookMs,
    left,
    settled: task.transactions + (task.namesFirst ? 0 : task.names + 1) - left,
    requests: Number(after.requests) - Number(before.requests),
    batches: Number(after.batchCalls) - Number(before.batchCalls),
    throttled: after.throttled as unknown,
    peaks: peaksOf(after),
    failed,
    realSeconds: seconds(),
  })}\n`,
);
time.stop();
await (emulator as RunningEmulator).kill();
await plainDb.query(`drop schema ${database.databaseSchema} cascade`).catch(() => undefined);
process.exit(0);

function seconds(): number {
  return Math.round((performance.now() - realStartMs) / 1_000);
}

function peaksOf(stats: Json): Json {
  return Object.fromEntries(Object.entries(stats).filter(([name]) => name.startsWith('peak')));
}
