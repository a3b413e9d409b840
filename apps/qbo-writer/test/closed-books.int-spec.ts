// A write into a closed period of the target is held with the closing date as its reason, and goes on when a person says so
// or when that date has moved.
import { LinkReport } from '#storage';
import { Installation } from './installation.js';

describe('closed books of the target', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  const closeUpTo = (BookCloseDate: string | null) =>
    w.emulator.steer('PUT', `companies/${w.target.realmId}/preferences`, { AccountingInfoPrefs: { BookCloseDate } });
  const restart = async () => {
    await Promise.all(w.writers.splice(0).map((writers) => writers.stop()));
    w.startWriter();
  };
  const refused = async () => {
    const buyer = await w.save('Customer', { DisplayName: 'Northwind' });
    const item = await w.save('Item', {
      Name: 'Work',
      Type: 'Service',
      IncomeAccountRef: { value: await w.sourceAccount('Income') },
    });
    const invoice = await w.saveInvoice(String(buyer.Id), String(item.Id), 12, { TxnDate: '2025-06-30' });
    await closeUpTo('2025-12-31');
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.until((links) => links.some((l) => l.entityType === 'Invoice' && l.state === 'held'));
    return invoice;
  };

  it('hold a write with their closing date, and let it go when that date was moved', async () => {
    const invoice = await refused();
    // What is held for it is looked at when a process takes the company over, and then now and then.
    await restart();
    await w.until((links) => links.some((l) => l.failureReason?.includes('closed up to 2025-12-31') === true));
    expect(await w.link('Invoice', invoice.Id)).toMatchObject({ state: 'held', failureCode: 'QBO.6200' });
    await closeUpTo('2024-12-31');
    await restart();
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 12, TxnDate: '2025-06-30' });
  });

  it('ask the target for that date once, however much is held', async () => {
    await refused();
    await restart();
    await w.until((links) => links.some((l) => l.failureReason?.includes('closed up to') === true));
    const before = await w.targetStats();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await w.targetStats()).requests).toBe(before.requests);
  });

  it('let a write go that a person released, once they are open', async () => {
    const invoice = await refused();
    await closeUpTo(null);
    await w.db.withTransaction((tx) => new LinkReport(w.db).redrive(tx, w.syncId, {}, new Date()));
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 12 });
  });
});
