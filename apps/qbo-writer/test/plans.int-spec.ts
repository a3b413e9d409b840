// What the target's plan does not take: told by the first refusal, held with what to do, and carried once the plan is another.
import type { Json } from '#core';
import { LinkReport } from '#storage';
import { Installation } from './installation.js';

describe('plans', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  const plan = (Value: string) =>
    w.emulator.steer('PUT', `companies/${w.target.realmId}/companyinfo`, {
      NameValue: [{ Name: 'OfferingSku', Value }],
    });
  const heldOne = (type: string, id: unknown) =>
    w.until((links) => links.some((l) => l.entityType === type && l.sourceId === id && l.state === 'held'));
  const redrive = (type: string) =>
    w.db.withTransaction((tx) => new LinkReport(w.db).redrive(tx, w.syncId, { types: [type] }, new Date()));

  it('a type that the plan lacks is held with the refusal, and carried after an upgrade', async () => {
    await w.begin();
    await plan('QuickBooks Online Essentials');
    const vendor = await w.save('Vendor', { DisplayName: 'Paper Mill' });
    const order = await w.save('PurchaseOrder', {
      ...{ VendorRef: { value: vendor.Id }, APAccountRef: { value: await w.sourceAccount('Accounts Payable') } },
      Line: [
        {
          Amount: 10,
          DetailType: 'AccountBasedExpenseLineDetail',
          AccountBasedExpenseLineDetail: { AccountRef: { value: await w.sourceAccount('Expense') } },
        },
      ],
    });
    w.startWriter();
    await w.take(await w.sourceEvents());
    await heldOne('PurchaseOrder', order.Id);
    const link = await w.link('PurchaseOrder', order.Id);
    expect(link).toMatchObject({ failureCode: 'QBO.5020', targetId: null });
    expect(link.failureReason).toContain('not available in QuickBooks Online Essentials');
    await plan('QuickBooks Online Plus');
    await redrive('PurchaseOrder');
    await w.quiet();
    expect(await w.targetRecord('PurchaseOrder', order.Id)).toMatchObject({ TotalAmt: 10 });
  });

  it('an account beyond the limit of the plan is held, what has a twin goes on, and an upgrade carries it', async () => {
    await w.begin();
    const fill = async (company: Installation['source']) => {
      const now = (await w.query(company, 'select * from Account maxresults 1000')).length;
      const bodies = Array.from({ length: 250 - now }, (_, n) => ({ Name: `Filler ${n}`, AccountType: 'Expense' }));
      for (let at = 0; at < bodies.length; at += 30) {
        const BatchItemRequest = bodies
          .slice(at, at + 30)
          .map((Account, n) => ({ bId: String(n), operation: 'create', Account }));
        await w.emulator.api(company.realmId, company.accessToken, 'POST', 'batch', { BatchItemRequest });
      }
    };
    await fill(w.target);
    const twin = await w.save('Account', { Name: 'Filler 3', AccountType: 'Expense' });
    const beyond = await w.save('Account', { Name: 'One too many', AccountType: 'Expense' });
    w.startWriter();
    await w.carry('Account', twin, beyond);
    await heldOne('Account', beyond.Id);
    expect((await w.link('Account', beyond.Id)).failureReason).toContain('Usage limit reached');
    await w.until((links) => links.some((l) => l.sourceId === twin.Id && l.state === 'settled'));
    await plan('QuickBooks Online Advanced');
    await redrive('Account');
    await w.quiet();
    expect(await w.targetRecord('Account', beyond.Id)).toMatchObject({ Name: 'One too many' });
  });

  it('no copy mails, charges, prints or can be paid online, whatever its original does, and stays so when it is edited', async () => {
    await w.begin();
    const customer = await w.save('Customer', {
      DisplayName: 'Northwind',
      PrimaryEmailAddr: { Address: 'a@example.com' },
    });
    const vendor = await w.save('Vendor', { DisplayName: 'Paper Mill' });
    const item = await w.save('Item', {
      ...{ Name: 'Work', Type: 'Service' },
      IncomeAccountRef: { value: await w.sourceAccount('Income') },
    });
    const bank = { value: await w.sourceAccount('Bank') };
    const cost = [
      {
        Amount: 10,
        DetailType: 'AccountBasedExpenseLineDetail',
        AccountBasedExpenseLineDetail: { AccountRef: { value: await w.sourceAccount('Expense') } },
      },
    ];
    const mailed = {
      ...{ EmailStatus: 'NeedToSend', PrintStatus: 'NeedToPrint', BillEmail: { Address: 'a@example.com' } },
      ...{ AllowOnlineCreditCardPayment: true, AllowOnlineACHPayment: true },
    };
    const invoice = await w.saveInvoice(String(customer.Id), String(item.Id), 12, mailed);
    const payment = await w.save('Payment', {
      ...{ CustomerRef: { value: customer.Id }, TotalAmt: 12 },
      Line: [{ Amount: 12, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
    });
    await w.save('Purchase', { AccountRef: bank, PaymentType: 'Check', PrintStatus: 'NeedToPrint', Line: cost });
    const bill = await w.save('Bill', { VendorRef: { value: vendor.Id }, Line: cost });
    await w.save('BillPayment', {
      ...{ VendorRef: { value: vendor.Id }, TotalAmt: 10, PayType: 'Check' },
      CheckPayment: { BankAccountRef: bank, PrintStatus: 'NeedToPrint' },
      Line: [{ Amount: 10, LinkedTxn: [{ TxnId: bill.Id, TxnType: 'Bill' }] }],
    });
    expect(invoice).toMatchObject({ EmailStatus: 'NeedToSend', PrintStatus: 'NeedToPrint' });
    w.startWriter();
    const events = (await w.sourceEvents()).filter((event) => event.entityType !== 'Payment');
    // As a company with Intuit Payments shows what it took by card.
    const charged = {
      CreditChargeInfo: { ProcessPayment: true, Type: 'Visa' },
      CreditChargeResponse: { Status: 'Completed' },
    };
    await w.take([...events, w.event('Payment', { ...payment, ProcessPayment: true, CreditCardPayment: charged })]);
    await w.quiet();
    const { SyncToken } = (await w.query(w.source, `select * from Invoice`))[0]!;
    const edited = await w.save('Invoice', {
      ...{ Id: invoice.Id as string, SyncToken: SyncToken as string, sparse: true, ...mailed },
      ...{ PrivateNote: 'sent again', CustomerRef: invoice.CustomerRef as Json },
    });
    await w.carry('Invoice', edited);
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ PrivateNote: 'sent again', TotalAmt: 12 });
    const copies: Json[] = [];
    for (const type of ['Invoice', 'Payment', 'Purchase', 'BillPayment']) {
      const rows = await w.query(w.target, `select * from ${type}`);
      expect({ type, copies: rows.length }).toEqual({ type, copies: 1 });
      copies.push(...rows);
    }
    // The original has it where the API shows it; no copy may.
    const text = JSON.stringify(copies);
    for (const dangerous of ['NeedToSend', 'NeedToPrint', 'CreditCharge', '"ProcessPayment":true', 'DeliveryInfo'])
      expect({ dangerous, found: text.includes(dangerous) }).toEqual({ dangerous, found: false });
    expect(text).not.toMatch(/"AllowOnline\w*":true|"AllowIPNPayment":true/);
    // Nor was a sending asked for: every write of the target is a plain one.
    const { requests } = await w.emulator.requests(w.target.realmId);
    expect((requests as Json[]).filter((one) => /\/send\b/.test(JSON.stringify(one)))).toEqual([]);
  });
});
