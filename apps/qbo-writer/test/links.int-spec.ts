// Links between transactions come and go in the source: each pair arrives, and leaves, in the target.
import type { Json } from '#core';
import { Installation } from './installation.js';

describe('a link between two transactions', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  const ref = (record: Json): Json => ({ value: String(record.Id) });
  const to = (type: string, record: Json, amount: number): Json => ({
    Amount: amount,
    LinkedTxn: [{ TxnId: record.Id as string, TxnType: type }],
  });
  const edit = (type: string, { Id, SyncToken }: Json, changes: Json): Promise<Json> =>
    w.save(type, { Id, SyncToken, sparse: true, ...changes });
  const carryAll = async () => {
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
  };
  const balances = async (type: string, ...records: Json[]) =>
    Promise.all(records.map(async (one) => Number((await w.targetRecord(type, one.Id)).Balance)));
  const saleBooks = async () => {
    const buyer = await w.save('Customer', { DisplayName: 'Northwind' });
    const item = await w.save('Item', {
      Name: 'Work',
      Type: 'Service',
      IncomeAccountRef: { value: await w.sourceAccount('Income') },
    });
    const invoices = [
      await w.saveInvoice(String(buyer.Id), String(item.Id), 10),
      await w.saveInvoice(String(buyer.Id), String(item.Id), 20),
    ];
    return { buyer, item, invoices };
  };

  it('payment and invoice: paid, moved to another invoice, partly unapplied, given back', async () => {
    const { buyer, invoices } = await saleBooks();
    const [first, second] = invoices as [Json, Json];
    const paid = await w.save('Payment', { CustomerRef: ref(buyer), TotalAmt: 10, Line: [to('Invoice', first, 10)] });
    await carryAll();
    expect(await balances('Invoice', first, second)).toEqual([0, 20]);
    const base = { CustomerRef: ref(buyer), TotalAmt: 10 };
    const moved = await edit('Payment', paid, { ...base, Line: [to('Invoice', second, 10)] });
    await w.carry('Payment', moved);
    await w.quiet();
    expect(await balances('Invoice', first, second)).toEqual([10, 10]);
    const part = await edit('Payment', moved, { ...base, Line: [to('Invoice', second, 4)] });
    await w.carry('Payment', part);
    await w.quiet();
    expect(await balances('Invoice', first, second)).toEqual([10, 16]);
    expect(await w.targetRecord('Payment', paid.Id)).toMatchObject({ UnappliedAmt: 6 });
    const both = await edit('Payment', part, { ...base, Line: [to('Invoice', first, 3), to('Invoice', second, 7)] });
    await w.carry('Payment', both);
    await w.quiet();
    expect(await balances('Invoice', first, second)).toEqual([7, 13]);
    const { Id, SyncToken } = both;
    await w.write(w.source, 'Payment', { Id, SyncToken }, '?operation=delete');
    await w.carry('Payment', { Id, status: 'Deleted' });
    await w.quiet();
    expect(await balances('Invoice', first, second)).toEqual([10, 20]);
  });

  it('credit memo and invoice, by a payment of nothing', async () => {
    const { buyer, item, invoices } = await saleBooks();
    const memo = await w.save('CreditMemo', {
      CustomerRef: ref(buyer),
      Line: [
        {
          Amount: 8,
          DetailType: 'SalesItemLineDetail',
          SalesItemLineDetail: { ItemRef: ref(item), Qty: 1, UnitPrice: 8 },
        },
      ],
    });
    await w.save('Payment', {
      CustomerRef: ref(buyer),
      TotalAmt: 0,
      Line: [to('Invoice', invoices[0]!, 8), to('CreditMemo', memo, 8)],
    });
    await carryAll();
    expect(await balances('Invoice', invoices[0]!)).toEqual([2]);
    expect(await balances('CreditMemo', memo)).toEqual([0]);
  });

  it('bill payment and bill: paid, then moved to another bill', async () => {
    const vendor = await w.save('Vendor', { DisplayName: 'Pump Works' });
    const expense = await w.sourceAccount('Expense');
    const bill = (amount: number) =>
      w.save('Bill', {
        VendorRef: ref(vendor),
        Line: [
          {
            Amount: amount,
            DetailType: 'AccountBasedExpenseLineDetail',
            AccountBasedExpenseLineDetail: { AccountRef: { value: expense } },
          },
        ],
      });
    if ((await w.query(w.source, `select * from Account where AccountType = 'Bank'`)).length === 0) {
      await w.save('Account', { Name: 'Checking', AccountType: 'Bank', AccountSubType: 'Checking' });
    }
    const [first, second] = [await bill(10), await bill(20)];
    const base = {
      VendorRef: ref(vendor),
      TotalAmt: 10,
      PayType: 'Check',
      CheckPayment: { BankAccountRef: { value: await w.sourceAccount('Bank') } },
    };
    const paid = await w.save('BillPayment', { ...base, Line: [to('Bill', first, 10)] });
    await carryAll();
    expect(await balances('Bill', first, second)).toEqual([0, 20]);
    await w.carry('BillPayment', await edit('BillPayment', paid, { ...base, Line: [to('Bill', second, 10)] }));
    await w.quiet();
    expect(await balances('Bill', first, second)).toEqual([10, 10]);
  });

  it('estimate and invoice: the estimate is closed by the copy of its invoice', async () => {
    const { buyer, item } = await saleBooks();
    const line = {
      Amount: 5,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemRef: ref(item), Qty: 1, UnitPrice: 5 },
    };
    const estimate = await w.save('Estimate', { CustomerRef: ref(buyer), Line: [line] });
    await w.save('Invoice', {
      CustomerRef: ref(buyer),
      Line: [line],
      LinkedTxn: [{ TxnId: estimate.Id as string, TxnType: 'Estimate' }],
    });
    await carryAll();
    expect(await w.targetRecord('Estimate', estimate.Id)).toMatchObject({ TxnStatus: 'Closed' });
  });
});
