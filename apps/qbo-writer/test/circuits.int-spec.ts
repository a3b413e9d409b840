// Two processes, several companies, one QuickBooks that does not answer: who still calls it, who finds out that it is back, and
// how they begin again. And the meter of reads, against QuickBooks' own journal. Time is moved, not waited for.
import { ManualClock } from '#common/clock';
import { unpacedPolicy } from '#core';
import { Breakers, QboClient, qboEnvironment, Transport } from '#qbo';
import { Database, GovernorStore } from '#storage';
import { freshDatabase, startEmulator } from '#testing';
import type { EmulatorFault, FreshDatabase, Raw, RunningEmulator } from '#testing';

const policies = {
  realm: { volumeThreshold: 4, resetMs: 20, readsLaterMs: 40 },
  platform: { volumeThreshold: 6, resetMs: 20, readsLaterMs: 40 },
};

/** Counts what leaves this process: the emulator journals a call that it never answers only when it gives it up. */
class CountedTransport extends Transport {
  static sent = 0;

  override send(...request: Parameters<Transport['send']>): ReturnType<Transport['send']> {
    CountedTransport.sent += 1;
    return super.send(...request);
  }
}

describe('a QuickBooks that does not answer', () => {
  let emulator: RunningEmulator;
  let database: FreshDatabase;
  const databases: Database[] = [];
  const clients: QboClient[] = [];
  const gates: GovernorStore[] = [];
  const tokens = new Map<string, string>();
  let clientId: string;

  beforeAll(async () => {
    emulator = await startEmulator();
    ({ clientId } = await emulator.createApp());
    await emulator.limits({ all: false });
    database = await freshDatabase();
    for (const applicationName of ['one', 'two']) {
      databases.push(await Database.connect({ ...database, databasePool: 4, applicationName }));
    }
    await databases[0]!.migrate();
  });
  afterEach(async () => {
    await emulator.clearFaults();
    await Promise.all(gates.splice(0).map((gate) => gate.close()));
    await databases[0]!.query('truncate platform_circuit, company_circuits, metered_reads');
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  afterAll(async () => {
    await Promise.all(databases.map((db) => db.close()));
    await database.drop();
    await emulator.stop();
  });

  async function companies(count: number): Promise<string[]> {
    const made: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const { realmId } = await emulator.createCompany({ name: `Company ${n}` });
      tokens.set(realmId, (await emulator.grant(clientId, realmId)).accessToken);
      made.push(realmId);
    }
    return made;
  }

  function process(db: Database, clock: ManualClock, resetMs = 20): { client: QboClient; gate: GovernorStore } {
    const gate = new GovernorStore(db, clock);
    gates.push(gate);
    gate.policy = unpacedPolicy;
    gate.timeOf = 'clock';
    const client = new QboClient({
      environment: qboEnvironment(emulator.url),
      tokens: {
        accessToken: (realmId) => Promise.resolve({ kind: 'token' as const, value: tokens.get(realmId)! }),
        refuse: () => undefined,
      },
      gate,
      clock,
      app: 'sync',
      breakers: new Breakers(undefined, { ...policies, realm: { ...policies.realm, resetMs } }),
      transport: new CountedTransport({ answerTimeoutMs: 300 }),
    });
    clients.push(client);
    return { client, gate };
  }

  let name = 0;
  const write = (client: QboClient, realmId: string) => {
    const body = JSON.stringify({ DisplayName: `Name ${++name}` });
    return client.write(realmId, { entityType: 'Customer', operation: 'create', body, requestId: `r${name}` });
  };
  const read = (client: QboClient, realmId: string) => client.query(realmId, 'select * from Customer');
  const asked = async (realmId: string): Promise<Raw[]> => (await emulator.requests(realmId)).requests as Raw[];
  /** Longer than a company's own circuit rests, reads included. */
  const rested = () => new Promise((resolve) => setTimeout(resolve, 80));

  it.each<[string, Omit<EmulatorFault, 'match'>]>([
    [
      'answers 500',
      { fault: 'http', status: 500, body: '{"Fault":{"Error":[{"code":"10000"}],"type":"SystemFault"}}' },
    ],
    ['answers 503', { fault: 'http', status: 503, body: 'Service Unavailable' }],
    ['answers with pages', { fault: 'html-503' }],
    ['never answers', { fault: 'timeout-before-commit' }],
  ])(
    'that %s pauses all companies in all processes, is tried by one call, and finds them again one after another',
    async (_name, fault) => {
      const clock = new ManualClock();
      const [one, two] = databases.map((db) => process(db, clock)) as [
        ReturnType<typeof process>,
        ReturnType<typeof process>,
      ];
      const realms = await companies(3);
      for (const realmId of realms) {
        expect(await write(one.client, realmId)).toMatchObject({ kind: 'ok' });
        expect(await write(two.client, realmId)).toMatchObject({ kind: 'ok' });
      }
      await emulator.fault(fault as EmulatorFault);
      for (let round = 0; round < 6 && (await one.gate.platform.read()).open === false; round += 1) {
        await rested();
        await Promise.all(realms.flatMap((realmId) => [write(one.client, realmId), write(one.client, realmId)]));
      }
      expect(one.client.breakers.state()).toBe('open');

      // The other process never met the trouble, and sends nothing: it hears with its own grant.
      const before = CountedTransport.sent;
      for (const realmId of realms) expect((await write(two.client, realmId)).kind).toBe('unsent');
      expect(CountedTransport.sent).toBe(before);

      // Time for a probe: one write of one process goes out, and a longer pause follows.
      const everybody = () => Promise.all(realms.flatMap((id) => [write(one.client, id), write(two.client, id)]));
      await clock.advance(5_000);
      await rested();
      expect((await Promise.all(realms.map((id) => read(two.client, id)))).map(({ kind }) => kind)).toEqual([
        'unsent',
        'unsent',
        'unsent',
      ]);
      await everybody();
      expect(CountedTransport.sent - before).toBe(1);
      await clock.advance(9_000);
      await rested();
      await everybody();
      expect(CountedTransport.sent - before).toBe(1);

      // Healed: the next probe closes it for all, and each company begins at a moment of its own.
      await emulator.clearFaults();
      await clock.advance(1_000);
      await rested();
      const probe = await everybody();
      expect(probe.filter(({ kind }) => kind === 'ok')).toHaveLength(1);
      expect(await two.gate.platform.read()).toMatchObject({ open: false, spreadMs: 15_000 });
      await rested();
      expect((await everybody()).some(({ kind }) => kind === 'unsent')).toBe(true);
      await clock.advance(15_000);
      await rested();
      // One at a time: a company's own half-open circuit takes one call.
      for (const realmId of realms) {
        for (const { client, gate } of [one, two]) {
          expect(await write(client, realmId)).toMatchObject({ kind: 'ok' });
          expect((await gate.quotaUse([realmId])).get(realmId)!.factor).toBeLessThan(0.8);
        }
      }
    },
  );

  it('for one company stops that company only, and says so', async () => {
    const clock = new ManualClock();
    const { client, gate } = process(databases[0]!, clock, 3_000);
    const [ill, ...well] = (await companies(3)) as [string, ...string[]];
    await emulator.fault({ match: { realmId: ill }, fault: 'http', status: 503, body: 'oops' });
    for (let n = 0; n < 6; n += 1) for (const realmId of [ill, ...well]) await write(client, realmId);
    expect(await write(client, ill)).toEqual({ kind: 'unsent', reason: 'circuit of this company is open' });
    for (const realmId of well) expect((await write(client, realmId)).kind).toBe('ok');
    expect((await gate.platform.read()).open).toBe(false);
    expect((await gate.platform.companies([ill, ...well])).get(ill)).toMatchObject({ state: 'open' });
    expect((await gate.platform.companies(well)).size).toBe(0);
    // Half-open: a read does not decide, a write does.
    await emulator.clearFaults();
    while ((await write(client, ill)).kind === 'unsent') await rested();
    expect((await write(client, ill)).kind).toBe('ok');
    expect(client.breakers.state(ill)).toBe('closed');
  });

  it('counts each read once by company and purpose, as QuickBooks does, and no write', async () => {
    const clock = new ManualClock();
    const both = databases.map((db) => process(db, clock));
    const [realm] = (await companies(1)) as [string];
    const since = (await asked(realm)).length;
    for (const { client, gate } of both) {
      for (let n = 0; n < 5; n += 1) await write(client, realm);
      await client.cdc(realm, ['Customer', 'Invoice'], new Date(Date.now() - 60_000).toISOString());
      await read(client, realm);
      await client.query(realm, 'select * from Vendor', { class: 'bulk' });
      await client.query(realm, 'select * from Nonsense');
      await client.companyInfo(realm, { class: 'interactive' });
      const counts = ['Vendor', 'Item'].map((type) => ({ bId: type, Query: `select count(*) from ${type}` }));
      const body = JSON.stringify({ BatchItemRequest: counts });
      await client.batch(realm, { requestId: `counts${++name}`, body }, { purpose: 'sweep' });
      await gate.reads.write();
    }
    const rows = (await asked(realm)).slice(since);
    const answered = rows.filter((row) => row.status === 200 && row.method === 'GET').length;
    const report = await both[0]!.gate.reads.report();
    // Queries of a batch count each.
    expect(report.companies).toEqual([
      {
        realmId: realm,
        reads: answered + 4,
        byPurpose: { sweep: 4, capture: 2, 'look-up': 2, bulk: 2, person: 2 },
      },
    ]);
    expect(report).toMatchObject({ metered: 12, allowance: 500_000, guard: 'none' });

    // An allowance that does not last: said, and bulk reads wait while live ones go.
    both[0]!.gate.reads.allowance = 8;
    await both[0]!.gate.reads.write();
    expect((await both[0]!.gate.reads.report()).guard).toBe('bulk slowed');
    const { client } = both[0]!;
    let bulk = 'waits';
    const slowed = client.query(realm, 'select * from Vendor', { class: 'bulk' }).then(() => (bulk = 'went'));
    expect((await client.cdc(realm, ['Customer'], new Date(Date.now() - 60_000).toISOString())).kind).toBe('ok');
    expect(bulk).toBe('waits');
    await clock.advance(2_000);
    await slowed;
  });
});
