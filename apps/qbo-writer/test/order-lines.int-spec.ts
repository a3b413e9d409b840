// A bill receives lines of a purchase order by their ids. The lines of the copy have other ids once the order was edited, and
// the copy is received all the same.
import type { Json } from '#core';
import { Installation } from './installation.js';

describe('a bill of an edited purchase order', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  const carryAll = async () => {
    await w.take(await w.sourceEvents());
    await w.quiet();
  };
  const ref = (record: Json): Json => ({ value: String(record.Id) });
  const ordered = (item: Json, qty: number): Json => ({
    DetailType: 'ItemBasedExpenseLineDetail',
    Amount: qty * 10,
    ItemBasedExpenseLineDetail: { ItemRef: ref(item), Qty: qty, UnitPrice: 10 },
  });

  it.each([
    ['carried before and after its edit', true],
    ['carried when all was done', false],
  ])('closes the copy of the order, %s', async (_when, live) => {
    w.startWriter();
    const vendor = await w.save('Vendor', { DisplayName: 'Quarry' });
    const expense = { value: await w.sourceAccount('Expense') };
    const item = (Name: string) => w.save('Item', { Name, Type: 'Service', ExpenseAccountRef: expense });
    const [sand, stone] = [await item('Sand'), await item('Stone')];
    const order = await w.save('PurchaseOrder', {
      VendorRef: ref(vendor),
      Line: [ordered(sand, 4), ordered(stone, 2)],
    });
    if (live) await carryAll();
    // The first line goes, another comes: ids 2 and 3 in the source.
    const kept = (order.Line as Json[])[1]!;
    const edited = await w.save('PurchaseOrder', {
      ...{ Id: order.Id, SyncToken: order.SyncToken, sparse: true, VendorRef: ref(vendor) },
      Line: [kept, ordered(sand, 7)],
    });
    if (live) await carryAll();
    const lines = edited.Line as Json[];
    await w.save('Bill', {
      VendorRef: ref(vendor),
      Line: [ordered(stone, 2), ordered(sand, 7)].map((line, n) => ({
        ...line,
        LinkedTxn: [{ TxnId: order.Id, TxnType: 'PurchaseOrder', TxnLineId: lines[n]!.Id }],
      })),
    });
    await carryAll();
    const copy = await w.targetRecord('PurchaseOrder', order.Id);
    expect(copy).toMatchObject({ POStatus: 'Closed', LinkedTxn: [{ TxnType: 'Bill' }] });
    // The ids do differ, else this would say nothing.
    expect((copy.Line as Json[]).map(({ Id }) => Id)).not.toEqual(lines.map(({ Id }) => Id));
    // Closing has moved the copy's token: what is read before the next write is no edit of a person that must be undone.
    const there = `select * from PurchaseOrder where Id = '${String(order.Id)}'`;
    const { SyncToken } = (await w.query(w.source, there))[0]!;
    await w.save('PurchaseOrder', { Id: order.Id, SyncToken, sparse: true, PrivateNote: 'paid on delivery' });
    await carryAll();
    expect(await w.targetRecord('PurchaseOrder', order.Id)).toMatchObject({
      ...{ POStatus: 'Closed', PrivateNote: 'paid on delivery', LinkedTxn: [{ TxnType: 'Bill' }] },
    });
  });

  it.each([
    ['at once', (type: string) => type !== ''],
    ['the order long before its bill', (type: string) => type !== 'Bill'],
  ])('closes the copy of an order that a person closed with a part received, carried %s', async (_when, isFirst) => {
    w.startWriter();
    const vendor = await w.save('Vendor', { DisplayName: 'Quarry' });
    const expense = { value: await w.sourceAccount('Expense') };
    const sand = await w.save('Item', { Name: 'Sand', Type: 'Service', ExpenseAccountRef: expense });
    const order = await w.save('PurchaseOrder', {
      VendorRef: ref(vendor),
      Line: [ordered(sand, 4), ordered(sand, 2)],
    });
    const LinkedTxn = [{ TxnId: order.Id, TxnType: 'PurchaseOrder', TxnLineId: '1' }];
    await w.save('Bill', { VendorRef: ref(vendor), Line: [{ ...ordered(sand, 4), LinkedTxn }] });
    const [{ SyncToken }] = (await w.query(w.source, 'select * from PurchaseOrder')) as [Json];
    await w.save('PurchaseOrder', {
      ...{ Id: order.Id, SyncToken, sparse: true, VendorRef: ref(vendor), POStatus: 'Closed' },
    });
    const events = await w.sourceEvents();
    await w.take(events.filter(({ entityType }) => isFirst(entityType)));
    await w.quiet();
    await w.take(events.filter(({ entityType }) => !isFirst(entityType)));
    await w.quiet();
    expect(await w.targetRecord('PurchaseOrder', order.Id)).toMatchObject({
      ...{ POStatus: 'Closed', LinkedTxn: [{ TxnType: 'Bill' }], Line: [{ Received: 4 }, { Received: 0 }] },
    });
  });
});
