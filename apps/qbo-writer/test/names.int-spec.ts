// What a person does to names: merge two, rename one with everything under it, make it inactive and active again, delete and
// enter again. And names that point at each other.
import type { Json } from '#core';
import { Installation } from './installation.js';

describe('names', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  const customer = (name: string, more: Json = {}): Promise<Json> => w.save('Customer', { DisplayName: name, ...more });
  const edit = (type: string, { Id, SyncToken }: Json, changes: Json): Promise<Json> =>
    w.save(type, { Id, SyncToken, sparse: true, ...changes });
  const service = async (): Promise<Json> =>
    w.save('Item', { Name: 'Work', Type: 'Service', IncomeAccountRef: { value: await w.sourceAccount('Income') } });
  const carryAll = async () => {
    await w.take(await w.sourceEvents());
    await w.quiet();
  };
  /** What capture says of a name that a person merged into another one. */
  const merged = (type: string, loser: Json, winner: Json) => ({
    ...w.event(type, { Id: loser.Id as string, status: 'Deleted' }),
    mergedInto: String(winner.Id),
  });

  it('merged in the source: what referred to the one refers to the other, the one is made inactive, and it is told', async () => {
    w.startWriter();
    const [loser, winner, item] = [await customer('Nordwind'), await customer('Northwind'), await service()];
    const invoice = await w.saveInvoice(String(loser.Id), String(item.Id), 12);
    const branch = await customer('Branch', { ParentRef: { value: loser.Id as string }, Job: true });
    await carryAll();
    await w.take([merged('Customer', loser, winner)]);
    await w.quiet();
    const winnerCopy = { value: (await w.link('Customer', winner.Id)).targetId };
    expect((await w.targetRecord('Invoice', invoice.Id)).CustomerRef).toMatchObject(winnerCopy);
    expect((await w.targetRecord('Customer', branch.Id)).ParentRef).toMatchObject(winnerCopy);
    expect(await w.targetRecord('Customer', loser.Id)).toMatchObject({ Active: false, Balance: 0 });
    const told = (await w.results()).filter((result) => result.sourceId === loser.Id && result.outcome === 'deleted');
    expect(told).toMatchObject([
      { code: 'NAME.MERGED', reason: `merged into Customer ${String(winner.Id)} in the source` },
    ]);
    // A replay of what the source said before, and of what it would say now, writes nothing.
    const before = await w.targetStats();
    await w.take(
      (await w.sourceEvents())
        .filter((event) => event.sourceId !== loser.Id)
        .map((event) => ({ ...event, mappingVersion: event.mappingVersion + 1 })),
    );
    await w.quiet();
    expect((await w.targetStats()).requests).toBe(before.requests);
  });

  it('merged, and told only after the name was seen to be gone, or never told into what: what referred to it follows then', async () => {
    w.startWriter();
    const [told, untold, winner] = [
      await customer('Nordwind'),
      await customer('Westwind'),
      await customer('Northwind'),
    ];
    const item = String((await service()).Id);
    const [one, other] = [
      await w.saveInvoice(String(told.Id), item, 12),
      await w.saveInvoice(String(untold.Id), item, 13),
    ];
    await carryAll();
    const gone = ({ Id }: Json) => w.event('Customer', { Id: Id as string, status: 'Deleted' });
    await w.take([gone(told), gone(untold)]);
    // The copies still have a balance, so they cannot be made inactive.
    await w.until((links) => links.filter(({ failureCode }) => failureCode === 'QBO.6220').length === 2);
    // A minute of tries is over sooner.
    await w.db.query(
      `update links set state = 'held', attempts = 6 where entity_type = 'Customer' and source_id = $1`,
      [untold.Id],
    );
    // As capture tells of the one whose notification is lost: QuickBooks moved the document without touching it, so it is read
    // again, and the tombstone comes once more.
    const moved = w.event('Invoice', { ...other, CustomerRef: { value: winner.Id as string } }, 'bulk');
    await w.take([merged('Customer', told, winner), gone(untold), moved]);
    await w.quiet();
    const winnerCopy = { value: (await w.link('Customer', winner.Id)).targetId };
    for (const { Id } of [one, other])
      expect((await w.targetRecord('Invoice', Id)).CustomerRef).toMatchObject(winnerCopy);
    for (const { Id } of [told, untold])
      expect(await w.targetRecord('Customer', Id)).toMatchObject({ Active: false, Balance: 0 });
  });

  it('merged before the copies were made: the children go to the one that is left', async () => {
    const [loser, winner, item] = [await customer('Nordwind'), await customer('Northwind'), await service()];
    const invoice = await w.saveInvoice(String(loser.Id), String(item.Id), 12);
    const events = (await w.sourceEvents()).filter(
      (event) => event.sourceId !== loser.Id || event.entityType !== 'Customer',
    );
    await w.take([merged('Customer', loser, winner), ...events]);
    w.startWriter();
    await w.quiet();
    const { targetId } = await w.link('Customer', winner.Id);
    expect((await w.targetRecord('Invoice', invoice.Id)).CustomerRef).toMatchObject({ value: targetId });
    expect(await w.query(w.target, `select * from Customer where DisplayName = 'Nordwind'`)).toEqual([]);
  });

  it('inactive in the source though its job owes money, and carried after that: held, and made inactive once the job has paid', async () => {
    w.startWriter();
    const [owner, item] = [await customer('Northwind'), await service()];
    const job = await customer('Roof', { ParentRef: { value: owner.Id as string }, Job: true });
    await edit('Customer', owner, { Active: false });
    const invoice = await w.saveInvoice(String(job.Id), String(item.Id), 12);
    await w.take(await w.sourceEvents());
    await w.until((links) => links.some((one) => one.failureCode === 'QBO.6220'));
    // A minute of tries is over sooner.
    await w.db.query(`update links set attempts = 6 where failure_code = 'QBO.6220'`);
    await w.until((links) => links.some((one) => one.state === 'held' && one.failureCode === 'QBO.6220'));
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 12 });
    expect(await w.targetRecord('Customer', owner.Id)).toMatchObject({ Active: true });
    await w.write(w.source, 'Invoice', { Id: invoice.Id, SyncToken: invoice.SyncToken }, '?operation=void');
    await carryAll();
    // Whoever takes the company over tries again, and then every quarter of an hour.
    await Promise.all(w.writers.splice(0).map((writers) => writers.stop()));
    w.startWriter();
    await w.until((links) => links.every((one) => one.state === 'settled'));
    expect(await w.targetRecord('Customer', owner.Id)).toMatchObject({ Active: false });
  });

  it('renamed: what is under it follows, with no write of its own', async () => {
    w.startWriter();
    const parent = await customer('Northwind');
    const child = await customer('Branch', { ParentRef: { value: parent.Id as string }, Job: true });
    await carryAll();
    await w.carry('Customer', await edit('Customer', parent, { DisplayName: 'Southwind' }));
    await w.quiet();
    expect((await w.targetRecord('Customer', child.Id)).FullyQualifiedName).toBe('Southwind:Branch');
    const { body } = await w.emulator.api(
      w.source.realmId,
      w.source.accessToken,
      'GET',
      `customer/${String(child.Id)}`,
    );
    const before = await w.targetStats();
    await w.carry('Customer', body.Customer as Json);
    await w.quiet();
    expect((await w.targetStats()).requests).toBe(before.requests);
  });

  it('made inactive right after a document was made with it, and heard of before: the document is not refused', async () => {
    w.startWriter();
    const [buyer, item] = [await customer('Northwind'), await service()];
    await carryAll();
    const invoice = await w.saveInvoice(String(buyer.Id), String(item.Id), 12);
    await w.save('Invoice', { Id: invoice.Id, SyncToken: invoice.SyncToken, sparse: true, PrivateNote: 'paid' });
    const events = await w.sourceEvents();
    await w.take([w.event('Item', await edit('Item', item, { Active: false }))]);
    await w.until((links) => links.some((one) => one.failureCode === 'DEACTIVATE.DEPENDENTS_PENDING'));
    await w.take(events.filter(({ entityType }) => entityType === 'Invoice'));
    await w.quiet();
    expect(await w.link('Invoice', invoice.Id)).toMatchObject({ state: 'settled', attempts: 0 });
    expect(await w.targetRecord('Item', item.Id)).toMatchObject({ Active: false });
  });

  it('inactive in the target long before a document with it arrives: woken for the document, and inactive again after it', async () => {
    w.startWriter();
    const [buyer, item] = [await customer('Northwind'), await service()];
    const invoice = await w.saveInvoice(String(buyer.Id), String(item.Id), 12);
    const events = await w.sourceEvents();
    await w.take(events.filter(({ entityType }) => entityType !== 'Invoice'));
    await w.take([w.event('Item', await edit('Item', item, { Active: false }))]);
    await w.quiet();
    const { targetId } = await w.link('Item', item.Id);
    expect(await w.targetRecord('Item', item.Id)).toMatchObject({ Active: false });
    await w.take(events.filter(({ entityType }) => entityType === 'Invoice'));
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 12 });
    expect(await w.link('Item', item.Id)).toMatchObject({ targetId, state: 'settled' });
    expect(await w.targetRecord('Item', item.Id)).toMatchObject({ Active: false });
  });

  it('made active again, but its turn has not come when a document with it does: the document waits for it', async () => {
    w.startWriter();
    const [buyer, item] = [await customer('Northwind'), await service()];
    await carryAll();
    const asleep = await edit('Item', item, { Active: false });
    await w.carry('Item', asleep);
    await w.quiet();
    const match = { realmId: w.target.realmId, entity: 'Item', operation: 'update' };
    await w.emulator.fault({ match, fault: 'http', status: 429, body: 'slower' });
    await w.carry('Item', await edit('Item', asleep, { Active: true }));
    const invoice = await w.saveInvoice(String(buyer.Id), String(item.Id), 12);
    await w.carry('Invoice', invoice);
    await w.until((links) => links.some((one) => one.entityType === 'Invoice' && one.state === 'waiting'));
    await w.emulator.clearFaults();
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 12 });
    expect(await w.targetRecord('Item', item.Id)).toMatchObject({ Active: true });
  });

  it('made inactive and active again: the copy comes back under its name, as the same record', async () => {
    w.startWriter();
    const one = await customer('Northwind');
    await carryAll();
    const { targetId } = await w.link('Customer', one.Id);
    const inactive = await edit('Customer', one, { Active: false });
    await w.carry('Customer', inactive);
    await w.quiet();
    expect(await w.targetRecord('Customer', one.Id)).toMatchObject({ Active: false });
    await w.carry('Customer', await edit('Customer', inactive, { Active: true, DisplayName: 'Northwind' }));
    await w.quiet();
    expect(await w.targetRecord('Customer', one.Id)).toMatchObject({ Active: true, DisplayName: 'Northwind' });
    expect((await w.link('Customer', one.Id)).targetId).toBe(targetId);
  });

  it('deleted and entered again: a new record of the source is a new copy', async () => {
    w.startWriter();
    const [buyer, item] = [await customer('Northwind'), await service()];
    const first = await w.saveInvoice(String(buyer.Id), String(item.Id), 12, { DocNumber: '77' });
    await carryAll();
    const { Id, SyncToken } = first;
    await w.write(w.source, 'Invoice', { Id, SyncToken }, '?operation=delete');
    const second = await w.saveInvoice(String(buyer.Id), String(item.Id), 12, { DocNumber: '77' });
    await w.take([w.event('Invoice', second), w.event('Invoice', { Id: Id as string, status: 'Deleted' })]);
    await w.quiet();
    expect(await w.query(w.target, 'select * from Invoice')).toHaveLength(1);
    expect((await w.link('Invoice', second.Id)).targetId).not.toBe((await w.link('Invoice', Id)).targetId);
  });

  it('in a ring: made in two passes, and each then points at the other', async () => {
    const income = await w.sourceAccount('Income');
    const expense = await w.sourceAccount('Expense');
    const vendor = await w.save('Vendor', { DisplayName: 'Pump Works' });
    const item = await w.save('Item', {
      Name: 'Pump',
      Type: 'Service',
      IncomeAccountRef: { value: income },
      ExpenseAccountRef: { value: expense },
      PrefVendorRef: { value: vendor.Id as string },
    });
    const events = await w.sourceEvents();
    w.startWriter();
    await w.take(events.filter((event) => event.entityType !== 'Vendor'));
    await w.until((links) =>
      links.some((l) => l.entityType === 'Item' && l.targetId !== null && l.state === 'waiting'),
    );
    await w.take(events.filter((event) => event.entityType === 'Vendor'));
    await w.quiet();
    const { targetId } = await w.link('Vendor', vendor.Id);
    expect((await w.targetRecord('Item', item.Id)).PrefVendorRef).toMatchObject({ value: targetId });
    expect(
      (await w.results()).filter((r) => r.sourceId === item.Id && r.entityType === 'Item').map((r) => r.outcome),
    ).toEqual(['created', 'updated']);
  });
});
