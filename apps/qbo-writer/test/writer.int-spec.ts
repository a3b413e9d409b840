// The writer against a QuickBooks that misbehaves, on real PostgreSQL. Each test starts with two fresh companies.
import { Installation } from './installation.js';

describe('the writer', () => {
  let it_: Installation;
  const given = () => it_;

  beforeAll(async () => {
    it_ = await Installation.start();
  }, 60_000);
  afterAll(() => it_.stop());
  beforeEach(() => it_.begin());
  afterEach(() => it_.end());

  it('makes the target equal: names, parents before children, an invoice and its payment', async () => {
    const w = given();
    w.startWriter();
    const parent = await w.save('Customer', { DisplayName: 'Northwind' });
    const child = await w.save('Customer', {
      DisplayName: 'Northwind Branch',
      ParentRef: { value: parent.Id },
      Job: true,
    });
    const item = await w.save('Item', {
      Name: 'Work',
      Type: 'Service',
      IncomeAccountRef: { value: await w.sourceAccount('Income') },
    });
    const invoice = await w.saveInvoice(child.Id, item.Id, 125.5);
    await w.save('Payment', {
      CustomerRef: { value: child.Id },
      TotalAmt: 125.5,
      Line: [{ Amount: 125.5, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
    });
    await w.take(await w.sourceEvents());
    await w.quiet();
    const copy = await w.targetRecord('Invoice', invoice.Id);
    expect(copy).toMatchObject({ TotalAmt: 125.5, Balance: 0 });
    expect((await w.targetStats()).duplicateSuspects).toEqual([]);
  });
});
