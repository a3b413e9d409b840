// Opposite syncs and chains come to rest (I-11): what one sync writes never comes back through the other as a new change.
// Counted by the emulator: its writes, not what we believe.
import type { Json, LayerRules } from '#core';
import { systemClock } from '#common/clock';
import { Installation, type Company } from './installation.js';
import { Looks, openLinks } from './two-way.js';

describe('opposite syncs', () => {
  let w: Installation;
  let looks: Looks;
  let a: Company;
  let b: Company;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  async function begin(rules: { there?: LayerRules; back?: LayerRules } = {}): Promise<void> {
    a = await w.company('A');
    b = await w.company('B');
    looks = new Looks(w);
    await looks.sync(a, b, rules.there);
    await looks.sync(b, a, rules.back);
  }

  /** Looks at every company until nobody has news and no link has work. */
  async function rest(companies: readonly Company[] = [a, b], withinMs = 60_000): Promise<void> {
    const giveUpAt = Date.now() + withinMs;
    for (let quiet = 0; quiet < 2;) {
      let news = 0;
      for (const company of companies) news += await looks.look(company);
      const open = await openLinks(w.db);
      quiet = news === 0 && open.every(({ state }) => state === 'failed' || state === 'held') ? quiet + 1 : 0;
      if (Date.now() > giveUpAt) throw new Error(`not at rest: ${news} news, ${JSON.stringify(open.slice(0, 10))}`);
      if (quiet === 0) await systemClock.sleep(60);
    }
  }

  const writes = async (...companies: Company[]): Promise<number[]> =>
    Promise.all(companies.map(async ({ realmId }) => Number((await w.emulator.stats(realmId)).writes)));

  async function restsWithoutWrites(companies: readonly Company[] = [a, b]): Promise<void> {
    const before = await writes(...companies);
    for (let n = 0; n < 5; n++) for (const company of companies) await looks.look(company);
    await rest(companies);
    expect(await writes(...companies)).toEqual(before);
  }

  const of = (company: Company, type: string): Promise<Json[]> =>
    w.query(company, `select * from ${type} maxresults 1000`);
  const only = async (company: Company, type: string): Promise<Json> => {
    const all = await of(company, type);
    expect(all).toHaveLength(1);
    return all[0]!;
  };

  async function balances(company: Company): Promise<Record<string, string>> {
    const answer = await w.emulator.trialBalance(company.realmId);
    const rows: Json[] = Array.isArray(answer) ? answer : (answer.accounts ?? answer.rows ?? answer.lines);
    return Object.fromEntries(
      rows
        .map((row) => [String(row.name), `${Number(row.debit)}|${Number(row.credit)}`] as const)
        .filter(([, sums]) => sums !== '0|0')
        .sort(([x], [y]) => (x < y ? -1 : 1)),
    );
  }

  const edit = async (company: Company, type: string, record: Json, fields: Json): Promise<Json> => {
    const [now] = await w.query(company, `select * from ${type} where Id = '${record.Id}'`);
    return w.write(company, type, { Id: now!.Id, SyncToken: now!.SyncToken, sparse: true, ...fields });
  };

  it('carry an edit of either side once, and nothing comes back', async () => {
    await begin();
    w.startWriter();
    const customer = await w.write(a, 'Customer', { DisplayName: 'Ada' });
    await rest();
    const copy = await only(b, 'Customer');
    expect(copy.DisplayName).toBe('Ada');
    await edit(b, 'Customer', copy, { CompanyName: 'Ada and Sons' });
    await rest();
    expect((await only(a, 'Customer')).CompanyName).toBe('Ada and Sons');
    expect((await only(a, 'Customer')).Id).toBe(customer.Id);
    await w.write(b, 'Vendor', { DisplayName: 'Made in B' });
    await rest();
    expect((await only(a, 'Vendor')).DisplayName).toBe('Made in B');
    expect(await writes(a, b)).toEqual([3, 3]);
    await restsWithoutWrites();
  });

  it('decide for the later of two edits of one field, keep both of two fields, and end equal', async () => {
    await begin();
    w.startWriter();
    const ada = await w.write(a, 'Customer', { DisplayName: 'Ada', CompanyName: 'One', Notes: 'n' });
    await rest();
    const copy = await only(b, 'Customer');
    await edit(a, 'Customer', ada, { CompanyName: 'Earlier, in A', Title: 'Dr' });
    await systemClock.sleep(1_100);
    await edit(b, 'Customer', copy, { CompanyName: 'Later, in B', Suffix: 'Jr' });
    await rest();
    for (const company of [a, b]) {
      expect(await only(company, 'Customer')).toMatchObject({ CompanyName: 'Later, in B', Title: 'Dr', Suffix: 'Jr' });
    }
    const told = await w.db.query<{ value: Json }>(`select value from outbox where value ->> 'code' like 'CONFLICT.%'`);
    expect(told.map(({ value }) => String(value.reason))).toEqual([expect.stringContaining('Earlier, in A')]);
    await restsWithoutWrites();
  });

  it('carry deletions, voids and deactivations of either side, and a deletion beats an edit', async () => {
    await begin();
    w.startWriter();
    const customer = await w.write(a, 'Customer', { DisplayName: 'Ada' });
    const [income] = await w.query(a, `select * from Account where AccountType = 'Income'`);
    const item = await w.write(a, 'Item', { Name: 'Work', Type: 'Service', IncomeAccountRef: { value: income!.Id } });
    const invoice = (amount: number) =>
      w.write(a, 'Invoice', {
        CustomerRef: { value: customer.Id },
        Line: [
          { Amount: amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: item.Id } } },
        ],
      });
    const [first, second, third] = [await invoice(10), await invoice(20), await invoice(30)];
    await rest();
    const copyOf = async (amount: number): Promise<Json> =>
      (await of(b, 'Invoice')).find((one) => Number(one.TotalAmt) === amount)!;
    const [copy10, copy20, copy30] = [await copyOf(10), await copyOf(20), await copyOf(30)];
    await w.write(b, 'Invoice', { Id: copy10.Id, SyncToken: copy10.SyncToken }, '?operation=delete');
    await w.write(b, 'Invoice', { Id: copy20.Id, SyncToken: copy20.SyncToken }, '?operation=void');
    await w.write(a, 'Invoice', { Id: third.Id, SyncToken: third.SyncToken }, '?operation=delete');
    await edit(b, 'Invoice', copy30, { PrivateNote: 'an edit of what is deleted over there' });
    await rest();
    expect(first.Id).not.toBe(second.Id);
    for (const company of [a, b]) {
      const left = await of(company, 'Invoice');
      expect(left.map((one) => Number(one.TotalAmt))).toEqual([0]);
    }
    await edit(b, 'Customer', (await only(b, 'Customer'))!, { Active: false });
    await rest();
    const names = await w.query(a, 'select * from Customer where Active in (true, false)');
    expect(names.map((one) => Boolean(one.Active))).toEqual([false]);
    await restsWithoutWrites();
  });

  it('carry a merge of names, and the merged name anew when somebody uses its copy again', async () => {
    await begin();
    const [stays, goes] = [
      await w.write(a, 'Vendor', { DisplayName: 'Paper Mill' }),
      await w.write(a, 'Vendor', { DisplayName: 'Paper Hill' }),
    ];
    w.startWriter();
    await rest();
    await w.emulator.merge(a.realmId, 'Vendor', String(goes.Id), String(stays.Id));
    await rest();
    const copies = async () => w.query(b, `select * from Vendor where Active in (true, false)`);
    const copy = (await copies()).find(({ DisplayName }) => String(DisplayName).startsWith('Paper Hill'))!;
    expect(copy).toMatchObject({ Active: false });
    await restsWithoutWrites();

    const { Id, SyncToken } = copy;
    await w.write(b, 'Vendor', { Id, SyncToken, sparse: true, Active: true, DisplayName: 'Paper Hill' });
    await rest();
    const names = async (company: Company) =>
      (await of(company, 'Vendor')).map(({ DisplayName }) => DisplayName).sort();
    expect(await names(a)).toEqual(['Paper Hill', 'Paper Mill']);
    expect(await names(b)).toEqual(['Paper Hill', 'Paper Mill']);
    await restsWithoutWrites();
    // The two belong together: an edit of the one is an edit of the other.
    const made = (await of(a, 'Vendor')).find(({ DisplayName }) => DisplayName === 'Paper Hill')!;
    await w.write(a, 'Vendor', { Id: made.Id, SyncToken: made.SyncToken, sparse: true, PrintOnCheckName: 'Hill Ltd' });
    await rest();
    expect((await copies()).find((one) => one.Id === Id)).toMatchObject({ PrintOnCheckName: 'Hill Ltd' });
    await restsWithoutWrites();
  });

  it('carry a document for a name that the other company just merged away to the one that it lives on in', async () => {
    await begin();
    const [stays, goes] = [
      await w.write(a, 'Vendor', { DisplayName: 'Paper Mill' }),
      await w.write(a, 'Vendor', { DisplayName: 'Paper Hill' }),
    ];
    w.startWriter();
    await rest();
    const copyOf = async (name: string): Promise<string> =>
      String((await of(b, 'Vendor')).find(({ DisplayName }) => DisplayName === name)!.Id);
    const [loser, winner] = [await copyOf('Paper Hill'), await copyOf('Paper Mill')];
    await w.emulator.merge(b.realmId, 'Vendor', loser, winner);
    const [account] = await w.query(a, `select * from Account where AccountType = 'Expense'`);
    const Line = [
      {
        ...{ DetailType: 'AccountBasedExpenseLineDetail', Amount: 7 },
        AccountBasedExpenseLineDetail: { AccountRef: { value: account!.Id } },
      },
    ];
    await w.write(a, 'Bill', { VendorRef: { value: goes.Id }, Line });
    await looks.look(a);
    // QuickBooks refuses it: the copy of its vendor is gone, and nobody has heard of the merge yet.
    await until(async () => (await openLinks(w.db)).some(({ failure_code }) => failure_code === 'QBO.2500'));
    looks.noteMerge(b, 'Vendor', loser, winner);
    await rest();
    expect(await openLinks(w.db)).toEqual([]);
    expect((await only(b, 'Bill')).VendorRef).toMatchObject({ value: winner });
    expect((await only(a, 'Bill')).VendorRef).toMatchObject({ value: stays.Id });
    await restsWithoutWrites();
  }, 60_000);

  it('wait with the payment of a document whose copy somebody deleted, until one of the two is gone', async () => {
    await begin();
    const vendor = await w.write(a, 'Vendor', { DisplayName: 'Paper Mill' });
    const [account] = await w.query(a, `select * from Account where AccountType = 'Expense'`);
    const AccountBasedExpenseLineDetail = { AccountRef: { value: account!.Id } };
    const till = await w.write(a, 'Account', { Name: 'Till', AccountType: 'Bank' });
    const VendorRef = { value: vendor.Id };
    const bill = await w.write(a, 'Bill', {
      VendorRef,
      Line: [{ DetailType: 'AccountBasedExpenseLineDetail', Amount: 7, AccountBasedExpenseLineDetail }],
    });
    w.startWriter();
    await rest();
    const copy = await only(b, 'Bill');
    await w.write(b, 'Bill', { Id: copy.Id, SyncToken: copy.SyncToken }, '?operation=delete');
    const payment = await w.write(a, 'BillPayment', {
      ...{ VendorRef, TotalAmt: 7, PayType: 'Check', CheckPayment: { BankAccountRef: { value: till.Id } } },
      Line: [{ Amount: 7, LinkedTxn: [{ TxnId: bill.Id, TxnType: 'Bill' }] }],
    });
    await looks.look(a);
    await looks.look(b);
    await until(async () => (await openLinks(w.db)).some(({ failure_code }) => failure_code === 'PAIR.PARENT_GONE'));
    await w.write(a, 'BillPayment', { Id: payment.Id, SyncToken: payment.SyncToken }, '?operation=delete');
    await rest();
    expect(await openLinks(w.db)).toEqual([]);
    for (const company of [a, b])
      for (const type of ['Bill', 'BillPayment']) expect(await of(company, type)).toEqual([]);
    await restsWithoutWrites();
  }, 60_000);

  it('rest after a kill between the answer and its settling, when the copy was captured before', async () => {
    await begin();
    let crashed = false;
    w.startWriter({ crashWhen: (moment) => moment === 'answered' && !crashed && (crashed = true) });
    await w.write(a, 'Customer', { DisplayName: 'Ada' });
    await looks.look(a);
    await until(async () => crashed && (await of(b, 'Customer')).length === 1);
    // The copy is there, its settling is not: the opposite sync must not take it for a person's.
    await looks.look(b);
    w.startWriter();
    await rest();
    expect(await of(a, 'Customer')).toHaveLength(1);
    expect(await of(b, 'Customer')).toHaveLength(1);
    expect(await writes(a, b)).toEqual([1, 1]);
    await restsWithoutWrites();
  });

  it('rest with mappings that are not inverses of each other', async () => {
    const prefix: LayerRules = { entities: { Invoice: { documentNumber: { kind: 'prefix', text: 'X-' } } } };
    await begin({ there: prefix, back: prefix });
    for (const { realmId } of [a, b])
      await w.emulator.steer('PUT', `companies/${realmId}/preferences`, {
        SalesFormsPrefs: { CustomTxnNumbers: true },
      });
    w.startWriter();
    const customer = await w.write(a, 'Customer', { DisplayName: 'Ada' });
    const [income] = await w.query(a, `select * from Account where AccountType = 'Income'`);
    const item = await w.write(a, 'Item', { Name: 'Work', Type: 'Service', IncomeAccountRef: { value: income!.Id } });
    await w.write(a, 'Invoice', {
      DocNumber: '7',
      CustomerRef: { value: customer.Id },
      Line: [{ Amount: 10, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: item.Id } } }],
    });
    await rest();
    const copy = await only(b, 'Invoice');
    expect(copy.DocNumber).toBe('X-7');
    await edit(b, 'Invoice', copy, { PrivateNote: 'from B' });
    await rest();
    expect(await only(a, 'Invoice')).toMatchObject({ DocNumber: '7', PrivateNote: 'from B' });
    expect(await only(b, 'Invoice')).toMatchObject({ DocNumber: 'X-7', PrivateNote: 'from B' });
    await restsWithoutWrites();
  });

  it('begin while the other one is at work, and make nothing twice', async () => {
    a = await w.company('A');
    b = await w.company('B');
    looks = new Looks(w);
    await looks.sync(a, b);
    w.startWriter();
    await w.write(a, 'Customer', { DisplayName: 'Ada' });
    await w.write(b, 'Vendor', { DisplayName: 'A vendor of B' });
    await rest([a]);
    await systemClock.sleep(1_100);
    const back = await looks.sync(b, a);
    await looks.backfill(back);
    await rest();
    expect(await of(a, 'Customer')).toHaveLength(1);
    expect(await of(a, 'Vendor')).toHaveLength(1);
    await systemClock.sleep(1_100);
    await edit(b, 'Customer', await only(b, 'Customer'), { CompanyName: 'Edited in B' });
    await rest();
    expect(await only(a, 'Customer')).toMatchObject({ CompanyName: 'Edited in B' });
    await restsWithoutWrites();
  });

  it.each([11])('end equal after a person worked in both companies, and stay at rest (seed %i)', async (seed) => {
    await begin();
    w.startWriter();
    const mix = { create: 4, update: 4, lines: 2, rename: 1, pay: 2, void: 1, delete: 1, deactivate: 1 };
    for (let round = 0; round < 4; round++) {
      await w.emulator.edit(a.realmId, { count: 6, seed: seed + round, mix });
      if (round % 2 === 0) await looks.look(a);
      await w.emulator.edit(b.realmId, { count: 6, seed: 100 * seed + round, mix });
      if (round > 1) await looks.look(b);
    }
    await rest([a, b], 90_000);
    expect(await openLinks(w.db)).toEqual([]);
    expect(await balances(a)).toEqual(await balances(b));
    await restsWithoutWrites();
  });

  it('chains carry on: A to B to C rests too', async () => {
    a = await w.company('A');
    b = await w.company('B');
    const c = await w.company('C');
    looks = new Looks(w);
    await looks.sync(a, b);
    await looks.sync(b, c);
    w.startWriter();
    await w.emulator.edit(a.realmId, { count: 8, seed: 5, mix: { create: 4, update: 2, pay: 1 } });
    await rest([a, b, c], 90_000);
    expect(await balances(a)).toEqual(await balances(c));
    await restsWithoutWrites([a, b, c]);
  });

  async function until(done: () => Promise<boolean>): Promise<void> {
    for (const giveUpAt = Date.now() + 20_000; !(await done());) {
      if (Date.now() > giveUpAt) throw new Error('not reached');
      await systemClock.sleep(30);
    }
  }
});
