// Links between transactions: every pair the table allows, what it does to the other side, and how it comes off again.
import type { Rec } from '../types.js';
import { TestCompany, expenseLine, faultCode, salesLine, type Reply } from './test-company.js';

let qbo: TestCompany;
let bank: string;
let utilities: string;
let receivable: string;
let payable: string;
let customerId: string;
let vendorId: string;

beforeAll(async () => {
  qbo = await TestCompany.open();
  bank = await qbo.accountId('Checking');
  utilities = await qbo.accountId('Utilities');
  receivable = (await qbo.query("select * from Account where AccountType = 'Accounts Receivable'"))['Account'][0].Id;
  payable = (await qbo.query("select * from Account where AccountType = 'Accounts Payable'"))['Account'][0].Id;
  customerId = (await qbo.make('Customer', { DisplayName: 'Linker' }))['Id'];
  vendorId = (await qbo.make('Vendor', { DisplayName: 'Linked' }))['Id'];
});
afterAll(() => qbo.close());

const customer = (): Rec => ({ CustomerRef: { value: customerId } });
const vendor = (): Rec => ({ VendorRef: { value: vendorId } });
const link = (type: string, id: string, Amount: number, more: Rec = {}): Rec => ({
  Amount,
  LinkedTxn: [{ TxnId: id, TxnType: type, ...more }],
});
const invoice = (amount: number, more: Rec = {}): Promise<Rec> =>
  qbo.make('Invoice', { ...customer(), Line: [salesLine('1', amount)], ...more });
const bill = (amount: number, more: Rec = {}): Promise<Rec> =>
  qbo.make('Bill', { ...vendor(), Line: [expenseLine(utilities, amount)], ...more });
const payment = (TotalAmt: number, lines: Rec[]): Promise<Rec> =>
  qbo.make('Payment', { ...customer(), TotalAmt, Line: lines });
const billPayment = (TotalAmt: number, lines: Rec[]): Promise<Rec> =>
  qbo.make('BillPayment', {
    ...vendor(),
    PayType: 'Check',
    CheckPayment: { BankAccountRef: { value: bank } },
    TotalAmt,
    Line: lines,
  });
const change = (type: string, rec: Rec, patch: Rec): Promise<Reply> =>
  qbo.post(`/${type.toLowerCase()}`, { Id: rec['Id'], SyncToken: rec['SyncToken'], sparse: true, ...patch });
const remove = (type: string, rec: Rec): Promise<Reply> =>
  qbo.post(`/${type.toLowerCase()}?operation=delete`, { Id: rec['Id'], SyncToken: rec['SyncToken'] });

describe('payments', () => {
  it('pay an invoice with a credit memo without money', async () => {
    const owed = await invoice(80);
    const credit = await qbo.make('CreditMemo', { ...customer(), Line: [salesLine('1', 50)] });
    const zero = await payment(0, [link('Invoice', owed['Id'], 50), link('CreditMemo', credit['Id'], 50)]);
    expect(zero['DepositToAccountRef']).toBeUndefined();
    expect(await qbo.read('Invoice', owed['Id'])).toMatchObject({ Balance: 30 });
    expect(await qbo.read('CreditMemo', credit['Id'])).toMatchObject({ RemainingCredit: 0, Balance: 0 });
    await remove('Payment', zero);
    expect(await qbo.read('Invoice', owed['Id'])).toMatchObject({ Balance: 80, LinkedTxn: [] });
    expect(await qbo.read('CreditMemo', credit['Id'])).toMatchObject({ RemainingCredit: 50 });
  });

  it('take a journal credit on receivables', async () => {
    const entry = await qbo.make('JournalEntry', {
      Line: [
        {
          Amount: 20,
          DetailType: 'JournalEntryLineDetail',
          JournalEntryLineDetail: { PostingType: 'Debit', AccountRef: { value: utilities } },
        },
        {
          Amount: 20,
          DetailType: 'JournalEntryLineDetail',
          JournalEntryLineDetail: {
            PostingType: 'Credit',
            AccountRef: { value: receivable },
            Entity: { Type: 'Customer', EntityRef: { value: customerId } },
          },
        },
      ],
    });
    const owed = await invoice(20);
    const zero = await payment(0, [link('Invoice', owed['Id'], 20), link('JournalEntry', entry['Id'], 20)]);
    expect(zero['UnappliedAmt']).toBe(0);
    expect(await qbo.read('Invoice', owed['Id'])).toMatchObject({ Balance: 0 });
    expect((await qbo.read('JournalEntry', entry['Id']))['LinkedTxn']).toEqual([
      { TxnId: zero['Id'], TxnType: 'Payment' },
    ]);
  });

  it('lose their lines all at once when an empty list is sent, even sparse', async () => {
    const owed = await invoice(40);
    const paid = await payment(40, [link('Invoice', owed['Id'], 40)]);
    const reply = await change('Payment', paid, { Line: [] });
    expect(reply.body['Payment']).toMatchObject({ Line: [], UnappliedAmt: 40, SyncToken: '1' });
    expect(await qbo.read('Invoice', owed['Id'])).toMatchObject({ Balance: 40, LinkedTxn: [] });
  });

  it('become unapplied when their invoice is deleted', async () => {
    const owed = await invoice(60);
    const paid = await payment(60, [link('Invoice', owed['Id'], 60)]);
    await remove('Invoice', await qbo.read('Invoice', owed['Id']));
    expect(await qbo.read('Payment', paid['Id'])).toMatchObject({ Line: [], UnappliedAmt: 60, SyncToken: '1' });
  });

  it('become unapplied when their invoice is voided', async () => {
    const owed = await invoice(61);
    const paid = await payment(61, [link('Invoice', owed['Id'], 61)]);
    const reply = await qbo.post('/invoice?operation=void', { Id: owed['Id'], SyncToken: '1' });
    expect(reply.body['Invoice']).toMatchObject({ Balance: 0, TotalAmt: 0, LinkedTxn: [], SyncToken: '2' });
    expect(await qbo.read('Payment', paid['Id'])).toMatchObject({ UnappliedAmt: 61 });
  });
});

describe('bill payments', () => {
  it('pay a bill, and a paid bill cannot be deleted until they are gone', async () => {
    const owed = await bill(35);
    const paid = await billPayment(35, [link('Bill', owed['Id'], 35)]);
    const shown = await qbo.read('Bill', owed['Id']);
    expect(shown).toMatchObject({
      Balance: 0,
      SyncToken: '1',
      LinkedTxn: [{ TxnId: paid['Id'], TxnType: 'BillPaymentCheck' }],
    });
    expect(faultCode(await remove('Bill', shown))).toBe('800');
    await remove('BillPayment', paid);
    const open = await qbo.read('Bill', owed['Id']);
    expect(open).toMatchObject({ Balance: 35 });
    expect((await remove('Bill', open)).status).toBe(200);
  });

  it('take a journal credit on payables', async () => {
    const entry = await qbo.make('JournalEntry', {
      Line: [
        {
          Amount: 15,
          DetailType: 'JournalEntryLineDetail',
          JournalEntryLineDetail: { PostingType: 'Debit', AccountRef: { value: utilities } },
        },
        {
          Amount: 15,
          DetailType: 'JournalEntryLineDetail',
          JournalEntryLineDetail: {
            PostingType: 'Credit',
            AccountRef: { value: payable },
            Entity: { Type: 'Vendor', EntityRef: { value: vendorId } },
          },
        },
      ],
    });
    await billPayment(15, [link('JournalEntry', entry['Id'], 15)]);
    expect(faultCode(await remove('JournalEntry', await qbo.read('JournalEntry', entry['Id'])))).toBe('800');
  });

  it('drop a link to an expense silently and pay from the bank', async () => {
    const expense = await qbo.make('Purchase', {
      PaymentType: 'Cash',
      AccountRef: { value: bank },
      Line: [expenseLine(utilities, 5)],
    });
    const owed = await bill(25);
    const paid = await billPayment(25, [link('Bill', owed['Id'], 25), link('Expense', expense['Id'], 5)]);
    expect(paid['Line']).toEqual([link('Bill', owed['Id'], 25)]);
  });
});

describe('deposits', () => {
  it('freeze a payment without a trace in its time or token, until the deposit lets it go', async () => {
    const paid = await payment(70, []);
    await qbo.steer('PUT', '/clock', { advanceMs: 5_000 });
    const since = new Date(qbo.running.emulator.clock.now()).toISOString();
    const deposit = await qbo.make('Deposit', {
      DepositToAccountRef: { value: bank },
      Line: [link('Payment', paid['Id'], 70, { TxnLineId: '0' })],
    });
    expect(deposit).toMatchObject({ TotalAmt: 70, Line: [{ Amount: 70 }] });
    const frozen = await qbo.read('Payment', paid['Id']);
    expect(frozen).toMatchObject({
      SyncToken: '0',
      MetaData: paid['MetaData'],
      LinkedTxn: [{ TxnId: deposit['Id'], TxnType: 'Deposit' }],
    });
    const { body } = await qbo.get(`/cdc?entities=Payment&changedSince=${since}`);
    expect(body['CDCResponse'][0].QueryResponse[0]).toEqual({});
    for (const reply of [
      await change('Payment', frozen, { PrivateNote: 'x' }),
      await remove('Payment', frozen),
      await qbo.post('/payment?operation=void', { Id: paid['Id'], SyncToken: '0' }),
    ]) {
      expect(faultCode(reply)).toBe('6540');
    }
    expect(
      faultCode(
        await qbo.post('/deposit', {
          DepositToAccountRef: { value: bank },
          Line: [link('Payment', paid['Id'], 70, { TxnLineId: '0' })],
        }),
      ),
    ).toBe('620');
    await remove('Deposit', deposit);
    expect((await qbo.read('Payment', paid['Id']))['LinkedTxn']).toBeUndefined();
    expect((await remove('Payment', frozen)).status).toBe(200);
  });

  it('need the line id of what they take', async () => {
    const paid = await payment(7, []);
    expect(
      faultCode(
        await qbo.post('/deposit', { DepositToAccountRef: { value: bank }, Line: [link('Payment', paid['Id'], 7)] }),
      ),
    ).toBe('2020');
  });
});

describe('estimates, orders and charges', () => {
  it('an invoice closes its estimate once, and gives it back when it goes', async () => {
    const estimate = await qbo.make('Estimate', { ...customer(), Line: [salesLine('1', 90)] });
    expect(estimate['LinkedTxn']).toBeUndefined();
    const made = await invoice(90, { LinkedTxn: [{ TxnId: estimate['Id'], TxnType: 'Estimate' }] });
    expect(made['LinkedTxn']).toEqual([{ TxnId: estimate['Id'], TxnType: 'Estimate' }]);
    expect(await qbo.read('Estimate', estimate['Id'])).toMatchObject({
      TxnStatus: 'Closed',
      SyncToken: '0',
      LinkedTxn: [{ TxnId: made['Id'], TxnType: 'Invoice' }],
    });
    const second = {
      ...customer(),
      Line: [salesLine('1', 90)],
      LinkedTxn: [{ TxnId: estimate['Id'], TxnType: 'Estimate' }],
    };
    expect(faultCode(await qbo.post('/invoice', second))).toBe('620');
    await remove('Invoice', made);
    expect(await qbo.read('Estimate', estimate['Id'])).toMatchObject({ TxnStatus: 'Pending' });
  });

  it('a bill receives an order line by line and closes it with the last', async () => {
    const order = await qbo.make('PurchaseOrder', {
      ...vendor(),
      Line: [
        {
          Amount: 10,
          DetailType: 'ItemBasedExpenseLineDetail',
          ItemBasedExpenseLineDetail: { ItemRef: { value: '1' }, Qty: 2, UnitPrice: 5 },
        },
        {
          Amount: 9,
          DetailType: 'ItemBasedExpenseLineDetail',
          ItemBasedExpenseLineDetail: { ItemRef: { value: '2' }, Qty: 3, UnitPrice: 3 },
        },
      ],
    });
    expect(order).toMatchObject({ POStatus: 'Open', LinkedTxn: [], Line: [{ Received: 0 }, { Received: 0 }] });
    const receive = (line: number, item: string, Qty: number, UnitPrice: number): Promise<Rec> =>
      qbo.make('Bill', {
        ...vendor(),
        LinkedTxn: [{ TxnId: order['Id'], TxnType: 'PurchaseOrder' }],
        Line: [
          {
            Amount: Qty * UnitPrice,
            DetailType: 'ItemBasedExpenseLineDetail',
            ItemBasedExpenseLineDetail: { ItemRef: { value: item }, Qty, UnitPrice },
            LinkedTxn: [{ TxnId: order['Id'], TxnType: 'PurchaseOrder', TxnLineId: String(line) }],
          },
        ],
      });
    await receive(1, '1', 2, 5);
    expect(await qbo.read('PurchaseOrder', order['Id'])).toMatchObject({
      POStatus: 'Open',
      Line: [{ Received: 2 }, { Received: 0 }],
    });
    const last = await receive(2, '2', 3, 3);
    expect(await qbo.read('PurchaseOrder', order['Id'])).toMatchObject({ POStatus: 'Closed' });
    await remove('Bill', last);
    expect(await qbo.read('PurchaseOrder', order['Id'])).toMatchObject({ POStatus: 'Open' });
  });

  it('a billable line makes a charge that only QBO itself writes', async () => {
    const made = await bill(33, {
      Line: [expenseLine(utilities, 33, { BillableStatus: 'Billable', CustomerRef: { value: customerId } })],
    });
    const charges = (await qbo.query(`select * from ReimburseCharge`))['ReimburseCharge'] as Rec[];
    const charge = charges.find((c) => c['Amount'] === 33)!;
    expect(charge).toMatchObject({ HasBeenInvoiced: false, CustomerRef: { value: customerId } });
    expect(made['LinkedTxn']).toEqual([{ TxnId: charge['Id'], TxnType: 'ReimburseCharge' }]);
    expect(faultCode(await qbo.post('/reimbursecharge', { CustomerRef: { value: customerId } }))).toBe('500');
  });

  it('a time activity is billed by an invoice that links it', async () => {
    const activity = await qbo.make('TimeActivity', {
      ...{
        NameOf: 'Vendor',
        ...vendor(),
        ...customer(),
        Hours: 1,
        Minutes: 0,
        BillableStatus: 'Billable',
        HourlyRate: 50,
      },
    });
    const made = await invoice(50, { LinkedTxn: [{ TxnId: activity['Id'], TxnType: 'TimeActivity' }] });
    expect(await qbo.read('TimeActivity', activity['Id'])).toMatchObject({ BillableStatus: 'HasBeenBilled' });
    await remove('Invoice', made);
    expect(await qbo.read('TimeActivity', activity['Id'])).toMatchObject({ BillableStatus: 'Billable' });
  });

  it('with automatic credits on, a new invoice takes an open credit by a payment of zero', async () => {
    await qbo.steer('PUT', `/companies/${qbo.realmId}/preferences`, { SalesFormsPrefs: { AutoApplyCredit: true } });
    const holder = await qbo.make('Customer', { DisplayName: 'Auto Credit' });
    const memo = await qbo.make('CreditMemo', { CustomerRef: { value: holder['Id'] }, Line: [salesLine('1', 12)] });
    const owed = await qbo.make('Invoice', { CustomerRef: { value: holder['Id'] }, Line: [salesLine('1', 30)] });
    await qbo.steer('PUT', `/companies/${qbo.realmId}/preferences`, { SalesFormsPrefs: { AutoApplyCredit: false } });
    expect(await qbo.read('Invoice', owed['Id'])).toMatchObject({ Balance: 18 });
    expect(await qbo.read('CreditMemo', memo['Id'])).toMatchObject({ RemainingCredit: 0 });
  });
});

describe('full and sparse updates', () => {
  it('a full update loses what it leaves out, a sparse one keeps it', async () => {
    const made = await invoice(10, {
      PrivateNote: 'keep me',
      CustomerMemo: { value: 'thanks' },
      PONumber: 'P1',
      PrintStatus: 'NotSet',
    });
    const sparse = (await change('Invoice', made, { PONumber: 'P2' })).body['Invoice'] as Rec;
    expect(sparse).toMatchObject({
      PrivateNote: 'keep me',
      CustomerMemo: { value: 'thanks' },
      PONumber: 'P2',
      PrintStatus: 'NotSet',
    });
    const full = (
      await qbo.post('/invoice', { Id: made['Id'], SyncToken: '1', ...customer(), Line: [salesLine('1', 10)] })
    ).body['Invoice'] as Rec;
    expect(full).toMatchObject({ DocNumber: made['DocNumber'], PrintStatus: 'NeedToPrint', SyncToken: '2' });
    expect([full['PrivateNote'], full['CustomerMemo'], full['PONumber']]).toEqual([undefined, undefined, undefined]);
  });

  it('turns a card refund into a charge when Credit is left out of a full update', async () => {
    const card = await qbo.accountId('Mastercard');
    const refund = await qbo.make('Purchase', {
      PaymentType: 'CreditCard',
      Credit: true,
      AccountRef: { value: card },
      Line: [expenseLine(utilities, 10)],
    });
    const full = await qbo.post('/purchase', {
      Id: refund['Id'],
      SyncToken: '0',
      PaymentType: 'CreditCard',
      AccountRef: { value: card },
      Line: [expenseLine(utilities, 10)],
    });
    expect(full.body['Purchase']).toMatchObject({ Credit: false });
  });

  it('keeps the id of a line that is sent back, gives new ones to others, and answers a no-op without moving anything', async () => {
    const made = await invoice(10, { Line: [salesLine('1', 10), salesLine('1', 20)] });
    const [first] = made['Line'] as Rec[];
    const reply = (await change('Invoice', made, { Line: [salesLine('1', 5), { ...first, Description: 'kept' }] }))
      .body['Invoice'] as Rec;
    expect((reply['Line'] as Rec[]).map((l) => [l['Id'], l['Amount']])).toEqual([
      ['3', 5],
      ['1', 10],
      [undefined, 15],
    ]);
    const same = (await qbo.post('/invoice', { ...reply, sparse: true })).body['Invoice'] as Rec;
    expect([same['SyncToken'], same['MetaData']]).toEqual([reply['SyncToken'], reply['MetaData']]);
  });
});
