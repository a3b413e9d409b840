// What books begin with: the stock of items, the balances of accounts, customers and vendors. Each is a posting that comes with
// the record it belongs to, and each must stand in the copy once: at the value it had then, whatever was edited since.
import { startingStockColumns, startingStockIn, type Json } from '#core';
import { LinkReport } from '#storage';
import { systemClock } from '#common/clock';
import { Installation } from './installation.js';

describe('beginnings', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  const day = '2026-01-31';

  async function named(name: string): Promise<Json> {
    const [account] = await w.query(w.source, `select * from Account where Name = '${name}'`);
    return { value: String(account!.Id) };
  }

  const goods = async (Name: string, QtyOnHand: number, PurchaseCost: number): Promise<Json> =>
    w.save('Item', {
      ...{ Name, Type: 'Inventory', TrackQtyOnHand: true, QtyOnHand, PurchaseCost, InvStartDate: day },
      IncomeAccountRef: await named('Sales of Product Income'),
      ExpenseAccountRef: await named('Cost of Goods Sold'),
      AssetAccountRef: await named('Inventory Asset'),
    });

  const edit = ({ Id, SyncToken }: Json, type: string, changes: Json): Promise<Json> =>
    w.save(type, { Id: Id as string, SyncToken: SyncToken as string, sparse: true, ...changes });

  /** As capture reads it: with the stock that only the ledger shows. */
  async function withStock(item: Json): Promise<Json> {
    const period = `start_date=${day}&end_date=${day}&columns=${startingStockColumns}`;
    const { realmId, accessToken } = w.source;
    const report = await w.emulator.api(realmId, accessToken, 'GET', `reports/GeneralLedger?${period}`);
    return { ...item, StartingStock: startingStockIn(report.body as Json).get(String(item.Id)) };
  }

  async function books(realmId: string): Promise<string[]> {
    const { rows } = (await w.emulator.trialBalance(realmId)) as { rows: Json[] };
    return rows.map(({ name, debit, credit }) => `${String(name)} ${String(debit)} ${String(credit)}`).sort();
  }

  it.each<[string, number, number, Json]>([
    ['was never edited', 4, 12.5, {}],
    ['got another cost', 4, 12.5, { PurchaseCost: 20 }],
    ['lost its cost', 4, 12.5, { PurchaseCost: 0 }],
    ['was put away', 4, 12.5, { PurchaseCost: 20, Description: 'out of season' }],
    ['has a value that no cost in cents gives', 3, 3.3333333, { PurchaseCost: 4 }],
    ['began with nothing', 0, 12.5, { PurchaseCost: 20 }],
  ])(
    'stock of an item that %s stands in the books at the value it began with',
    async (_what, quantity, cost, change) => {
      await w.begin();
      const made = await goods('Pump', quantity, cost);
      const item = Object.keys(change).length > 0 ? await edit(made, 'Item', change) : made;
      w.startWriter();
      const events = (await w.sourceEvents()).filter((event) => event.entityType !== 'Item');
      await w.take([...events, w.event('Item', await withStock(item))]);
      await w.quiet();
      expect(await w.targetRecord('Item', item.Id)).toMatchObject({
        ...{ QtyOnHand: quantity, PurchaseCost: item.PurchaseCost as number },
        InvStartDate: day,
      });
      expect(await books(w.target.realmId)).toEqual(await books(w.source.realmId));
    },
  );

  it('stock that a person made begin otherwise is held with both, and the rest goes on when it is let go', async () => {
    await w.begin();
    const item = await goods('Pump', 4, 12.5);
    w.startWriter();
    const events = (await w.sourceEvents()).filter((event) => event.entityType !== 'Item');
    await w.take([...events, w.event('Item', await withStock(item))]);
    await w.quiet();
    await w.emulator.adjustStartingValue(w.source.realmId, { itemId: String(item.Id), quantity: 6, value: 90 });
    const now = (await w.query(w.source, `select * from Item where Id = '${String(item.Id)}'`))[0]!;
    expect(now).toMatchObject({ QtyOnHand: 6 });
    expect(now.SyncToken).not.toBe(item.SyncToken);
    await w.take([w.event('Item', await withStock(now))]);
    await w.until((links) => links.some((one) => one.sourceId === String(item.Id) && one.state === 'held'));
    const link = await w.link('Item', item.Id);
    expect(link).toMatchObject({
      failureCode: 'BEGINNING.CHANGED',
      failureReason: expect.stringContaining('QtyOnHand 4, now 6; StartingValue 50, now 90'),
    });
    // By hand in the target, and then let go.
    await w.emulator.adjustStartingValue(w.target.realmId, { itemId: link.targetId!, quantity: 6, value: 90 });
    await w.db.withTransaction((tx) => new LinkReport(w.db).redrive(tx, w.syncId, {}, new Date()));
    await w.quiet();
    expect(await books(w.target.realmId)).toEqual(await books(w.source.realmId));
  });

  it.each([
    ['is told a moment after the other one', false, 'live'],
    ['waits for its vendor in a backfill', true, 'bulk'],
  ] as const)(
    'of two deliveries of a day, the one that was entered first %s: goods cost the same',
    async (_, late, lane) => {
      await w.begin();
      const pump = await goods('Pump', 0, 10);
      const [mill, hill] = [
        await w.save('Vendor', { DisplayName: 'Mill' }),
        await w.save('Vendor', { DisplayName: 'Hill' }),
      ];
      const customer = await w.save('Customer', { DisplayName: 'Ada' });
      const TxnDate = '2026-02-02';
      const ItemRef = { value: pump.Id };
      const bought = (price: number): Json => ({
        ...{ DetailType: 'ItemBasedExpenseLineDetail', Amount: 10 * price },
        ItemBasedExpenseLineDetail: { ItemRef, Qty: 10, UnitPrice: price },
      });
      const bill = await w.save('Bill', { TxnDate, VendorRef: { value: mill.Id }, Line: [bought(1)] });
      const till = await w.save('Account', { Name: 'Till', AccountType: 'Bank' });
      const cash = {
        AccountRef: { value: till.Id },
        PaymentType: 'Cash',
        EntityRef: { value: hill.Id, type: 'Vendor' },
      };
      const purchase = await w.save('Purchase', { TxnDate, ...cash, Line: [bought(5)] });
      const SalesItemLineDetail = { ItemRef, Qty: 10, UnitPrice: 9 };
      const Line = [{ DetailType: 'SalesItemLineDetail', Amount: 90, SalesItemLineDetail }];
      await w.save('Invoice', { TxnDate: '2026-02-03', CustomerRef: { value: customer.Id }, Line });
      const before = await books(w.source.realmId);
      w.startWriter();
      const events = await w.sourceEvents();
      const isLater = ({ entityType, sourceId }: (typeof events)[number]): boolean =>
        ['Bill', 'Purchase'].includes(entityType) || (late && entityType === 'Vendor' && sourceId === mill.Id);
      await w.take(events.filter((event) => !isLater(event)));
      await w.quiet(40_000);
      await w.take([w.event('Purchase', purchase, lane), ...(late ? [w.event('Bill', bill, lane)] : [])]);
      await systemClock.sleep(300);
      await w.take(late ? [w.event('Vendor', mill, lane)] : [w.event('Bill', bill, lane)]);
      await w.quiet(40_000);
      expect(await books(w.target.realmId)).toEqual(before);
    },
    60_000,
  );

  it('an opening balance of an account, a customer or a vendor is in the copy once', async () => {
    await w.begin();
    const dated = { OpeningBalanceDate: day };
    await w.save('Account', { Name: 'Reserve', AccountType: 'Bank', OpeningBalance: 5000, ...dated });
    await w.save('Account', { Name: 'Van', AccountType: 'Fixed Asset', OpeningBalance: 900.5, ...dated });
    await w.save('Account', {
      ...{ Name: 'Bank loan', AccountType: 'Long Term Liability', OpeningBalance: 700.25 },
      ...{ AccountSubType: 'NotesPayable', ...dated },
    });
    const customer = await w.save('Customer', { DisplayName: 'Northwind', Balance: 120, OpenBalanceDate: day });
    const vendor = await w.save('Vendor', { DisplayName: 'Paper Mill', Balance: 80.1, OpenBalanceDate: day });
    const before = await books(w.source.realmId);
    expect(before.join()).toContain('Opening Balance Equity');
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    expect(await books(w.target.realmId)).toEqual(before);
    expect(await w.targetRecord('Customer', customer.Id)).toMatchObject({ Balance: 120 });
    expect(await w.targetRecord('Vendor', vendor.Id)).toMatchObject({ Balance: 80.1 });
    for (const type of ['Invoice', 'Bill', 'Deposit', 'JournalEntry']) {
      const count = async (company: Installation['source']) => (await w.query(company, `select * from ${type}`)).length;
      expect({ type, copies: await count(w.target) }).toEqual({ type, copies: await count(w.source) });
    }
  });
});
