// The fault table: one row per case, with the request that provokes a fault and the code Intuit answers it with. Specs and
// the self-check run the same rows against one company; those that need a special state make it and put it back.
import type { Rec } from '../types.js';
import { expenseLine, faultCode, salesLine, send, type Reply, type TestCompany } from './test-company.js';

export type FaultCase = readonly [code: string, when: string, ask: () => Promise<Reply>];

export interface FaultTable {
  readonly rows: readonly FaultCase[];
  /** Makes what the rows speak of: accounts, names and documents of a company furnished empty. */
  readonly prepare: (company: TestCompany) => Promise<void>;
}

export function faultTable(): FaultTable {
  let qbo: TestCompany;
  let bank: string;
  let utilities: string;
  let income: string;
  let customerId: string;
  let vendorId: string;
  let invoiceId: string;
  let paidBillId: string;
  /** A second company, in Great Britain, with its token; the rows about its tax rules need it. */
  let british: { realmId: string; token: string };

  const connected = async (country: string): Promise<{ realmId: string; token: string }> => {
    const made = (await qbo.steer('POST', '/companies', { name: `Other ${country}`, country })).body;
    const realmId = made['realmId'] as string;
    const grant = (await qbo.steer('POST', '/grants', { clientId: qbo.clientId, realmId })).body;
    return { realmId, token: grant['accessToken'] };
  };

  const prepare = async (company: TestCompany): Promise<void> => {
    qbo = company;
    british = await connected('GB');
    bank = await qbo.accountId('Checking');
    utilities = await qbo.accountId('Utilities');
    income = await qbo.accountId('Sales of Product Income');
    customerId = (await qbo.make('Customer', { DisplayName: 'Holder' }))['Id'];
    vendorId = (await qbo.make('Vendor', { DisplayName: 'Supplier' }))['Id'];
    invoiceId = (await qbo.make('Invoice', { CustomerRef: { value: customerId }, Line: [salesLine('1', 100)] }))['Id'];
    paidBillId = (await qbo.make('Bill', { VendorRef: { value: vendorId }, Line: [expenseLine(utilities, 50)] }))['Id'];
    await qbo.make('BillPayment', {
      VendorRef: { value: vendorId },
      PayType: 'Check',
      TotalAmt: 50,
      CheckPayment: { BankAccountRef: { value: bank } },
      Line: [{ Amount: 50, LinkedTxn: [{ TxnId: paidBillId, TxnType: 'Bill' }] }],
    });
  };

  const post = (path: string, body: unknown, headers?: Record<string, string>): Promise<Reply> =>
    qbo.post(path, body, headers);
  const preferences = (patch: Rec): Promise<Reply> => qbo.steer('PUT', `/companies/${qbo.realmId}/preferences`, patch);
  const status = (value: string): Promise<Reply> =>
    qbo.steer('PUT', `/companies/${qbo.realmId}/companyinfo`, {
      NameValue: [{ Name: 'SubscriptionStatus', Value: value }],
    });
  const switches = (patch: Rec): Promise<Reply> => qbo.steer('PUT', `/companies/${qbo.realmId}/switches`, patch);
  const plan = (value: string): Promise<Reply> =>
    qbo.steer('PUT', `/companies/${qbo.realmId}/companyinfo`, { NameValue: [{ Name: 'OfferingSku', Value: value }] });

  /** Switches something, asks, switches back. */
  async function during(
    on: () => Promise<unknown>,
    off: () => Promise<unknown>,
    ask: () => Promise<Reply>,
  ): Promise<Reply> {
    await on();
    try {
      return await ask();
    } finally {
      await off();
    }
  }

  const invoice = (more: Rec = {}): Rec => ({
    CustomerRef: { value: customerId },
    Line: [salesLine('1', 10)],
    ...more,
  });
  const bill = (more: Rec = {}): Rec => ({
    VendorRef: { value: vendorId },
    Line: [expenseLine(utilities, 10)],
    ...more,
  });
  const journal = (lines: Rec[]): Rec => ({ Line: lines });
  const journalLine = (accountId: string, PostingType: string | undefined, Amount: number, more: Rec = {}): Rec => ({
    Amount,
    DetailType: 'JournalEntryLineDetail',
    JournalEntryLineDetail: { ...(PostingType && { PostingType }), AccountRef: { value: accountId }, ...more },
  });
  const inventory = (more: Rec = {}): Rec => ({
    Name: `Stock ${Math.random()}`,
    Type: 'Inventory',
    TrackQtyOnHand: true,
    QtyOnHand: 5,
    InvStartDate: '2026-01-01',
    IncomeAccountRef: { value: income },
    ...more,
  });
  async function upload(fileName: string, metadata: string | undefined): Promise<Reply> {
    const form = new FormData();
    if (metadata !== undefined) form.append('file_metadata_0', new Blob([metadata], { type: 'application/json' }));
    form.append('file_content_0', new Blob(['x']), fileName);
    return qbo.call('POST', '/upload', form);
  }
  const uploadCode = (reply: Reply): Reply => ({
    ...reply,
    body: (reply.body['AttachableResponse'] as Rec[] | undefined)?.[0] ?? reply.body,
  });

  /** Asks another company, or with another token. */
  const elsewhere = (realmId: string, token: string | undefined, path: string, body?: unknown): Promise<Reply> =>
    send(qbo.running.url, body === undefined ? 'GET' : 'POST', `/v3/company/${realmId}${path}`, body, {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    });
  const inBritain = (path: string, body: unknown): Promise<Reply> =>
    elsewhere(british.realmId, british.token, path, body);

  /** A code that no source tells a trigger of: had on order, by the switch `refuseWith`. */
  const ordered = (
    code: string,
    when: string,
    what: string,
    ask: () => Promise<Reply> = () => post('/customer', { DisplayName: `Ordered ${code}` }),
  ): FaultCase => [
    code,
    when,
    () =>
      during(
        () => switches({ refuseWith: { [what]: code } }),
        () => switches({ refuseWith: {} }),
        ask,
      ),
  ];
  const customerUpdate = (more: Rec): Rec => ({ Id: customerId, SyncToken: '0', sparse: true, ...more });
  const budget = (more: Rec = {}): Rec => ({
    StartDate: '2026-01-01',
    EndDate: '2026-12-31',
    BudgetDetail: [{ BudgetDate: '2026-01-01', Amount: 5, AccountRef: { value: income } }],
    ...more,
  });
  const time = (more: Rec = {}): Rec => ({ NameOf: 'Vendor', VendorRef: { value: vendorId }, Hours: 1, ...more });
  const whileHeld = (by: string, ask: () => Promise<Reply>): Promise<Reply> =>
    during(
      () => switches({ heldBy: { [`Invoice|${invoiceId}`]: by } }),
      () => switches({ heldBy: {} }),
      ask,
    );
  const whileAvailable = (availability: string, ask: () => Promise<Reply>): Promise<Reply> =>
    during(
      () => switches({ availability }),
      () => switches({ availability: 'open' }),
      ask,
    );
  const whileRepeatsAreRefused = (ask: () => Promise<Reply>): Promise<Reply> =>
    during(
      () => qbo.steer('PUT', '/limits', { requestIds: { duplicates: 'refuse' } }),
      () => qbo.steer('PUT', '/limits', { requestIds: { duplicates: 'replay' } }),
      ask,
    );
  /** The first item of a batch answer, where its fault stands. */
  const firstItem = (reply: Reply): Reply => ({
    ...reply,
    body: (reply.body['BatchItemResponse'] as Rec[] | undefined)?.[0] ?? reply.body,
  });
  const batch = (query = ''): Promise<Reply> =>
    post(`/batch${query}`, {
      BatchItemRequest: [{ bId: '1', operation: 'create', Customer: { DisplayName: 'Batched' } }],
    }).then(firstItem);
  const taxedJournal = (more: Rec): Rec =>
    journal([
      journalLine(bank, 'Debit', 5, { TaxCodeRef: { value: '1' }, ...more }),
      journalLine(utilities, 'Credit', 5),
    ]);

  const rows: readonly FaultCase[] = [
    ['3202', 'a request has no token', () => elsewhere(qbo.realmId, undefined, '/invoice/1')],
    ['3200', 'a token is unknown', () => elsewhere(qbo.realmId, 'nonsense', '/invoice/1')],
    ['3100', 'a token belongs to another company', () => elsewhere(qbo.realmId, british.token, '/invoice/1')],
    [
      '130',
      'the company is gone',
      async () => {
        const gone = await connected('US');
        await qbo.steer('DELETE', `/companies/${gone.realmId}`);
        return elsewhere(gone.realmId, gone.token, '/invoice/1');
      },
    ],
    ordered('100', 'authentication fails on order', 'Invoice read', () => qbo.get('/invoice/1')),
    ordered('110', 'OAuth fails on order', 'Invoice read', () => qbo.get('/invoice/1')),
    ordered('120', 'the connecting user lost the right, on order', 'query', () =>
      qbo.get('/query?query=select%20*%20from%20Term'),
    ),
    ['140', 'the company is locked out', () => whileAvailable('locked', () => qbo.get(`/invoice/${invoiceId}`))],
    ['150', 'the company is maintained', () => whileAvailable('maintenance', () => qbo.get(`/invoice/${invoiceId}`))],
    [
      '10200',
      'the company was reset',
      () => whileAvailable('reset', () => post('/customer', { DisplayName: 'Stale' })),
    ],
    [
      '3001',
      'a limit is used up',
      async () => {
        await qbo.steer('POST', '/faults', { fault: 'throttle', times: 1 });
        return qbo.get(`/invoice/${invoiceId}`);
      },
    ],
    [
      '600',
      'a request id comes twice and repeats are refused',
      () =>
        whileRepeatsAreRefused(async () => {
          await post('/customer?requestid=fault-600', { DisplayName: 'Asked twice' });
          return post('/customer?requestid=fault-600', { DisplayName: 'Asked twice' });
        }),
    ],
    [
      '600',
      'a batch comes twice and repeats are refused',
      () =>
        whileRepeatsAreRefused(async () => {
          await batch('?requestid=fault-600-batch');
          return batch('?requestid=fault-600-batch');
        }),
    ],
    ordered('630', 'an object exists already, on order', 'Customer create'),
    ordered('1000', 'an operation fails on order', 'Customer create'),
    ordered('1010', 'a create fails on order', 'Customer create'),
    ordered('1010', 'a create in a batch fails on order', 'Customer create', () => batch()),
    ordered('1020', 'an update fails on order', 'Customer update', () =>
      post('/customer', customerUpdate({ Notes: 'n' })),
    ),
    ordered('1030', 'a delete fails on order', 'Invoice delete', () =>
      post('/invoice?operation=delete', { Id: invoiceId, SyncToken: '0' }),
    ),
    ordered('2140', 'an amount is refused on order', 'Customer create'),
    ordered('2160', 'a quantity is refused on order', 'Customer create'),
    ordered('2180', 'a text is out of range on order', 'Customer create'),
    [
      '2270',
      'a taxed journal line abroad does not say what the tax applies on',
      () => inBritain('/journalentry', taxedJournal({})),
    ],
    [
      '2280',
      'a taxed journal line abroad has no tax amount',
      () => inBritain('/journalentry', taxedJournal({ TaxApplicableOn: 'Purchase' })),
    ],
    ordered('4002', 'a query cannot be processed, on order', 'query', () =>
      qbo.get('/query?query=select%20*%20from%20Term'),
    ),
    [
      '5000',
      'a deprecated field is written',
      () =>
        during(
          () => switches({ deprecatedFields: ['Customer.Notes'] }),
          () => switches({ deprecatedFields: [] }),
          () => post('/customer', customerUpdate({ Notes: 'n' })),
        ),
    ],
    [
      '6020',
      'an upload has no content',
      () => post('/upload', '', { 'content-type': 'multipart/form-data; boundary=x' }),
    ],
    [
      '6030',
      'an upload is too large',
      () =>
        during(
          () => qbo.steer('PUT', '/limits', { uploadBytes: 10 }),
          () => qbo.steer('PUT', '/limits', { uploadBytes: 104_857_600 }),
          () => upload('a.pdf', undefined),
        ),
    ],
    [
      '6110',
      'a transaction of a merchant account is changed',
      () =>
        whileHeld('merchant', () =>
          post('/invoice', { Id: invoiceId, SyncToken: '0', sparse: true, PrivateNote: 'x' }),
        ),
    ],
    [
      '6120',
      'a transaction of a merchant account is deleted',
      () => whileHeld('merchant', () => post('/invoice?operation=delete', { Id: invoiceId, SyncToken: '0' })),
    ],
    [
      '6480',
      'a transaction matched to a bank line is deleted',
      () => whileHeld('bank-match', () => post('/invoice?operation=delete', { Id: invoiceId, SyncToken: '0' })),
    ],
    [
      '6130',
      'a job begins to be billed with its parent where that is fixed',
      async () => {
        const job = await qbo.make('Customer', {
          DisplayName: `Job ${Math.random()}`,
          Job: true,
          ParentRef: { value: customerId },
          BillWithParent: false,
        });
        return during(
          () => switches({ billWithParent: 'fixed' }),
          () => switches({ billWithParent: 'free' }),
          () => post('/customer', { Id: job['Id'], SyncToken: '0', sparse: true, BillWithParent: true }),
        );
      },
    ],
    [
      '6170',
      'a form abroad without tax brings a tax total',
      async () => {
        const customer = await inBritain('/customer', { DisplayName: `Abroad ${Math.random()}` });
        return inBritain('/invoice', {
          CustomerRef: { value: customer.body['Customer'].Id },
          Line: [salesLine('1', 10)],
          GlobalTaxCalculation: 'NotApplicable',
          TxnTaxDetail: { TotalTax: 2 },
        });
      },
    ],
    ordered('6250', 'a sales customer is missing, on order', 'Invoice create', () => post('/invoice', invoice())),
    ...['6300', '6330', '6340', '6350', '6360', '6370', '6380', '6390', '6400'].map((code) =>
      ordered(code, 'a time activity breaks a rule, on order', 'TimeActivity create', () =>
        post('/timeactivity', time()),
      ),
    ),
    [
      '6450',
      'a payment by card is voided after it was settled',
      async () => {
        const payment = await qbo.make('Payment', {
          CustomerRef: { value: customerId },
          TotalAmt: 3,
          CreditCardPayment: { CreditChargeResponse: { Status: 'Completed' } },
        });
        return post('/payment?operation=update&include=void', { Id: payment['Id'], SyncToken: '0', sparse: true });
      },
    ],
    ...['6490', '6500', '6510'].map((code) =>
      ordered(code, 'a budget breaks a rule, on order', 'Budget create', () => post('/budget', budget())),
    ),
    [
      '10000',
      'the service fails',
      async () => {
        await qbo.steer('POST', '/faults', { fault: 'http', status: 500, times: 1 });
        return qbo.get(`/invoice/${invoiceId}`);
      },
    ],
    ordered('10100', 'a result is too big, on order', 'query', () => qbo.get('/query?query=select%20*%20from%20Term')),

    ['500', 'a customer is deleted', () => post('/customer?operation=delete', { Id: customerId, SyncToken: '0' })],
    ['500', 'a bill is voided', () => post('/bill?operation=void', { Id: paidBillId, SyncToken: '1' })],
    [
      '500',
      'the body is not UTF-8',
      () => post('/customer', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
    ],
    ['610', 'an unknown object is read', () => qbo.get('/invoice/424242')],
    [
      '610',
      'an inactive account is used',
      async () => {
        const account = await qbo.make('Account', { Name: `Old ${Math.random()}`, AccountType: 'Expense' });
        await post('/account', { ...account, Active: false, sparse: true });
        return post('/bill', bill({ Line: [expenseLine(account['Id'], 1)] }));
      },
    ],
    [
      '610',
      'a deleted transaction is read',
      async () => {
        const made = await qbo.make('Invoice', invoice());
        await post('/invoice?operation=delete', { Id: made['Id'], SyncToken: '0' });
        return qbo.get(`/invoice/${made['Id']}`);
      },
    ],
    [
      '620',
      'a payment links a type it cannot pay',
      () =>
        post('/payment', {
          CustomerRef: { value: customerId },
          TotalAmt: 1,
          Line: [{ Amount: 1, LinkedTxn: [{ TxnId: paidBillId, TxnType: 'Bill' }] }],
        }),
    ],
    [
      '620',
      'a payment links the invoice of another customer',
      async () => {
        const other = await qbo.make('Customer', { DisplayName: `Other ${Math.random()}` });
        return post('/payment', {
          CustomerRef: { value: other['Id'] },
          TotalAmt: 1,
          Line: [{ Amount: 1, LinkedTxn: [{ TxnId: invoiceId, TxnType: 'Invoice' }] }],
        });
      },
    ],
    [
      '700',
      'a sub-account has another type than its parent',
      () => post('/account', { Name: 'Wrong child', AccountType: 'Income', ParentRef: { value: utilities } }),
    ],
    ['800', 'a paid bill is deleted', () => post('/bill?operation=delete', { Id: paidBillId, SyncToken: '1' })],
    [
      '900',
      'a class becomes its own ancestor',
      async () => {
        const top = await qbo.make('Class', { Name: `Top ${Math.random()}` });
        const below = await qbo.make('Class', { Name: 'Below', ParentRef: { value: top['Id'] } });
        return post('/class', {
          Id: top['Id'],
          SyncToken: '0',
          sparse: true,
          Name: top['Name'],
          ParentRef: { value: below['Id'] },
        });
      },
    ],
    ['1050', 'the body is neither JSON nor XML', () => post('/customer', 'a,b', { 'content-type': 'image/png' })],
    ['2000', 'the address names no entity', () => qbo.get('/nonsense/1')],
    ['2000', 'the address has capitals', () => qbo.get('/Invoice/1')],
    ['2010', 'a property is unknown', () => post('/customer', { DisplayName: 'P', Colour: 'red' })],
    [
      '2010',
      'an Ex block is sent back',
      () =>
        post('/payment', {
          CustomerRef: { value: customerId },
          TotalAmt: 1,
          Line: [{ Amount: 1, LinkedTxn: [], LineEx: { any: [1] } }],
        }),
    ],
    ['2010', 'the body is not JSON', () => post('/customer', '{"DisplayName":')],
    ['2010', 'an object stands where text belongs', () => post('/customer', { DisplayName: { a: 1 } })],
    ['2020', 'a required reference is missing', () => post('/invoice', { Line: [salesLine('1', 1)] })],
    ['2020', 'an update has no SyncToken', () => post('/customer', { Id: customerId, sparse: true, Notes: 'n' })],
    [
      '2020',
      'a bill payment line links nothing',
      () =>
        post('/billpayment', {
          VendorRef: { value: vendorId },
          PayType: 'Check',
          TotalAmt: 1,
          CheckPayment: { BankAccountRef: { value: bank } },
          Line: [{ Amount: 1 }],
        }),
    ],
    ['2030', 'an id is no number', () => qbo.get('/invoice/abc')],
    ['2040', 'a name holds a colon', () => post('/customer', { DisplayName: 'A:B' })],
    ['2050', 'a text is too long', () => post('/term', { Name: 'x'.repeat(32), DueDays: 1 })],
    ['2060', 'a date has another form', () => post('/invoice', invoice({ TxnDate: '01/02/2026' }))],
    ['2070', 'a date does not exist', () => post('/invoice', invoice({ TxnDate: '2026-02-30' }))],
    ['2080', 'a whole number is text', () => post('/term', { Name: 'T', DueDays: 'many' })],
    ['2090', 'a whole number has a fraction', () => post('/term', { Name: 'T', DueDays: 1.5 })],
    ['2100', 'an amount is text', () => post('/payment', { CustomerRef: { value: customerId }, TotalAmt: 'ten' })],
    ['2110', 'an amount is too large', () => post('/payment', { CustomerRef: { value: customerId }, TotalAmt: 1e15 })],
    [
      '2120',
      'an item type is unknown',
      () =>
        post('/item', { Name: 'X', Type: 'Gadget' }).then((r) =>
          faultCode(r) === '2170'
            ? post('/item', { Name: 'X', Type: 'Group', IncomeAccountRef: { value: income } })
            : r,
        ),
    ],
    ['2130', 'a request id is too long', () => post(`/customer?requestid=${'x'.repeat(51)}`, { DisplayName: 'R' })],
    [
      '2150',
      'a tax rate is above a hundred',
      () =>
        post('/taxservice/taxcode', {
          TaxCode: 'Much',
          TaxRateDetails: [{ TaxRateName: 'Much', RateValue: 101, TaxAgencyId: '1', TaxApplicableOn: 'Sales' }],
        }),
    ],
    ['2170', 'an enumeration has no such value', () => post('/invoice', invoice({ PrintStatus: 'Perhaps' }))],
    [
      '2170',
      'HasBeenBilled is written',
      () =>
        post(
          '/bill',
          bill({
            Line: [expenseLine(utilities, 1, { BillableStatus: 'HasBeenBilled', CustomerRef: { value: customerId } })],
          }),
        ),
    ],
    [
      '2190',
      'a change is asked for that is older than 30 days',
      () => qbo.get('/cdc?entities=Invoice&changedSince=2020-01-01'),
    ],
    ['2200', 'a web address is none', () => post('/customer', { DisplayName: 'W', WebAddr: { URI: 'not a url' } })],
    [
      '2210',
      'an e-mail address is none',
      () => post('/customer', { DisplayName: 'E', PrimaryEmailAddr: { Address: 'nobody' } }),
    ],
    [
      '2220',
      'a currency code is none',
      () =>
        during(
          () => preferences({ CurrencyPrefs: { MultiCurrencyEnabled: true } }),
          () => preferences({ CurrencyPrefs: { MultiCurrencyEnabled: false } }),
          () => post('/companycurrency', { Code: 'euro' }),
        ),
    ],
    ['2230', 'a boolean is text', () => post('/customer', { DisplayName: 'B', Taxable: 'perhaps' })],
    ['2240', 'a number is out of its range', () => post('/term', { Name: 'T', DueDays: 1000 })],
    ['2250', 'there is no line', () => post('/bill', bill({ Line: [] }))],
    [
      '2260',
      'a journal line has no posting type',
      () => post('/journalentry', journal([journalLine(bank, undefined, 5), journalLine(utilities, 'Credit', 5)])),
    ],
    [
      '2290',
      'a journal line is negative',
      () => post('/journalentry', journal([journalLine(bank, 'Debit', -5), journalLine(utilities, 'Credit', -5)])),
    ],
    ['2290', 'a payment is negative', () => post('/payment', { CustomerRef: { value: customerId }, TotalAmt: -5 })],
    [
      '2300',
      'debits differ from credits',
      () => post('/journalentry', journal([journalLine(bank, 'Debit', 5), journalLine(utilities, 'Credit', 6)])),
    ],
    ['2500', 'a reference points nowhere', () => post('/invoice', invoice({ CustomerRef: { value: '777777' } }))],
    ['2600', 'a term has two kinds of due date', () => post('/term', { Name: 'T', DueDays: 5, DayOfMonthDue: 5 })],
    [
      '3000',
      'a custom field has no such definition',
      () => post('/invoice', invoice({ CustomField: [{ DefinitionId: '99', StringValue: 'x' }] })),
    ],
    ['4000', 'a query cannot be parsed', () => qbo.get('/query?query=select%20from')],
    [
      '4001',
      'a query names an unknown property',
      () => qbo.get(`/query?query=${encodeURIComponent("select * from Invoice where Nope = 'x'")}`),
    ],
    [
      '5010',
      'a SyncToken is behind',
      () => post('/invoice', { Id: invoiceId, SyncToken: '77', sparse: true, PrivateNote: 'x' }),
    ],
    [
      '5020',
      'the plan lacks purchase orders',
      () =>
        during(
          () => plan('QuickBooks Online Essentials'),
          () => plan('QuickBooks Online Plus'),
          () => post('/purchaseorder', { ...bill(), APAccountRef: { value: '19' } }),
        ),
    ],
    [
      '5030',
      'estimates are switched off',
      () =>
        during(
          () => preferences({ SalesFormsPrefs: { AllowEstimates: false } }),
          () => preferences({ SalesFormsPrefs: { AllowEstimates: true } }),
          () => post('/estimate', invoice()),
        ),
    ],
    ['5030', 'currencies are switched off', () => post('/companycurrency', { Code: 'EUR' })],
    [
      '6000',
      'more is applied than is open',
      () =>
        post('/payment', {
          CustomerRef: { value: customerId },
          TotalAmt: 101,
          Line: [{ Amount: 101, LinkedTxn: [{ TxnId: invoiceId, TxnType: 'Invoice' }] }],
        }),
    ],
    ['6010', 'an account has neither type nor subtype', () => post('/account', { Name: 'Untyped' })],
    [
      '6010',
      'a subtype belongs to another type',
      () => post('/account', { Name: 'Mixed', AccountType: 'Bank', AccountSubType: 'Inventory' }),
    ],
    ['6040', 'upload metadata is no Attachable', async () => uploadCode(await upload('a.pdf', 'not json'))],
    ['6041', 'an upload has a file type that is not taken', async () => uploadCode(await upload('a.exe', undefined))],
    [
      '6050',
      'an attachment points to a term',
      () => post('/attachable', { Note: 'n', AttachableRef: [{ EntityRef: { type: 'Term', value: '1' } }] }),
    ],
    [
      '6060',
      'an opening balance has no date',
      () => post('/account', { Name: 'Opened', AccountType: 'Bank', OpeningBalance: 5 }),
    ],
    [
      '6070',
      'an amount is not quantity times price',
      () => post('/invoice', invoice({ Line: [salesLine('1', 10, { Qty: 3, UnitPrice: 3 })] })),
    ],
    ['6080', 'a customer has no name', () => post('/customer', { Notes: 'nameless' })],
    [
      '6090',
      'a discount line says nothing',
      () =>
        post(
          '/invoice',
          invoice({ Line: [salesLine('1', 10), { DetailType: 'DiscountLineDetail', DiscountLineDetail: {} }] }),
        ),
    ],
    [
      '6100',
      'a US line has a real tax code',
      () => post('/invoice', invoice({ Line: [salesLine('1', 10, { TaxCodeRef: { value: '1' } })] })),
    ],
    [
      '6140',
      'a number is used twice',
      () =>
        during(
          () => preferences({ SalesFormsPrefs: { CustomTxnNumbers: true } }),
          () => preferences({ SalesFormsPrefs: { CustomTxnNumbers: false } }),
          async () => {
            await post('/invoice', invoice({ DocNumber: 'TWICE' }));
            return post('/invoice', invoice({ DocNumber: 'TWICE' }));
          },
        ),
    ],
    ['6150', 'a job has no parent', () => post('/customer', { DisplayName: 'Job', Job: true })],
    [
      '6160',
      'the old sales tax code is used',
      () => post('/invoice', invoice({ TxnTaxDetail: { TxnTaxCodeRef: { value: 'CustomSalesTax' } } })),
    ],
    [
      '6180',
      'a tree has a sixth level',
      async () => {
        let parent: Rec | undefined;
        for (let level = 1; level <= 5; level++) {
          parent = await qbo.make('Department', {
            Name: `Level ${level} ${Math.random()}`,
            ...(parent && { ParentRef: { value: parent['Id'] } }),
          });
        }
        return post('/department', { Name: 'Level 6', ParentRef: { value: parent!['Id'] } });
      },
    ],
    [
      '6190',
      'the subscription has ended',
      () =>
        during(
          () => status('EXPIRED'),
          () => status('SUBSCRIBED'),
          () => post('/customer', { DisplayName: 'Late' }),
        ),
    ],
    [
      '6200',
      'the books are closed',
      () =>
        during(
          () => preferences({ AccountingInfoPrefs: { BookCloseDate: '2025-12-31' } }),
          () => preferences({ AccountingInfoPrefs: { BookCloseDate: null } }),
          () => post('/invoice', invoice({ TxnDate: '2025-12-31' })),
        ),
    ],
    [
      '6210',
      'the books are closed with a password',
      () =>
        during(
          () => preferences({ AccountingInfoPrefs: { BookCloseDate: '2025-12-31' }, closingPassword: 'x' }),
          () => preferences({ AccountingInfoPrefs: { BookCloseDate: null }, closingPassword: null }),
          () => post('/invoice', invoice({ TxnDate: '2025-12-31' })),
        ),
    ],
    [
      '6220',
      'a customer with a balance is made inactive',
      () => post('/customer', { Id: customerId, SyncToken: '0', sparse: true, Active: false }),
    ],
    [
      '6230',
      'the old sales tax code is used in an update',
      () =>
        post('/invoice', {
          Id: invoiceId,
          SyncToken: '0',
          sparse: true,
          TxnTaxDetail: { TxnTaxCodeRef: { value: 'CustomSalesTax' } },
        }),
    ],
    ['6240', 'a name is taken by another kind', () => post('/vendor', { DisplayName: 'HOLDER' })],
    [
      '6270',
      'stock is sold before its start date',
      async () => {
        const cogs = await qbo.accountId('Cost of Goods Sold');
        const asset = await qbo.accountId('Inventory Asset');
        const item = await qbo.make(
          'Item',
          inventory({ ExpenseAccountRef: { value: cogs }, AssetAccountRef: { value: asset } }),
        );
        return post('/invoice', invoice({ TxnDate: '2025-12-01', Line: [salesLine(item['Id'], 10)] }));
      },
    ],
    [
      '6280',
      'a customer with unbilled charges is made inactive',
      async () => {
        const charged = await qbo.make('Customer', { DisplayName: `Charged ${Math.random()}` });
        await qbo.make(
          'Bill',
          bill({
            Line: [expenseLine(utilities, 9, { BillableStatus: 'Billable', CustomerRef: { value: charged['Id'] } })],
          }),
        );
        return post('/customer', { Id: charged['Id'], SyncToken: '0', sparse: true, Active: false });
      },
    ],
    [
      '6290',
      'a time activity names the wrong kind',
      () =>
        post('/timeactivity', {
          NameOf: 'Employee',
          EmployeeRef: { value: '1' },
          VendorRef: { value: vendorId },
          Hours: 1,
        }),
    ],
    [
      '6310',
      'a billable line has no customer',
      () => post('/bill', bill({ Line: [expenseLine(utilities, 1, { BillableStatus: 'Billable' })] })),
    ],
    [
      '6320',
      'a time activity has no time',
      () => post('/timeactivity', { NameOf: 'Vendor', VendorRef: { value: vendorId } }),
    ],
    [
      '6420',
      'a document without an address is sent',
      () => post(`/invoice/${invoiceId}/send`, '', { 'content-type': 'application/octet-stream' }),
    ],
    [
      '6430',
      'a deposit goes to an expense account',
      () => post('/salesreceipt', { Line: [salesLine('1', 1)], DepositToAccountRef: { value: utilities } }),
    ],
    [
      '6430',
      'a card purchase is paid from the bank',
      () =>
        post('/purchase', {
          PaymentType: 'CreditCard',
          AccountRef: { value: bank },
          Line: [expenseLine(utilities, 1)],
        }),
    ],
    ['6440', 'a journal has one line', () => post('/journalentry', journal([journalLine(bank, 'Debit', 5)]))],
    [
      '6520',
      'an inventory item has no quantity',
      () =>
        post(
          '/item',
          inventory({ QtyOnHand: undefined, ExpenseAccountRef: { value: '25' }, AssetAccountRef: { value: '26' } }),
        ),
    ],
    [
      '6530',
      'a card number is sent',
      () =>
        post('/payment', {
          CustomerRef: { value: customerId },
          TotalAmt: 1,
          CreditCardPayment: { CreditChargeInfo: { Number: '4111111111111111' } },
        }),
    ],
    [
      '6540',
      'a deposited payment is changed',
      async () => {
        const payment = await qbo.make('Payment', { CustomerRef: { value: customerId }, TotalAmt: 5 });
        await qbo.make('Deposit', {
          DepositToAccountRef: { value: bank },
          Line: [{ Amount: 5, LinkedTxn: [{ TxnId: payment['Id'], TxnType: 'Payment', TxnLineId: '0' }] }],
        });
        return post('/payment', { Id: payment['Id'], SyncToken: '0', sparse: true, PrivateNote: 'x' });
      },
    ],
    [
      '1040',
      'a batch has 31 items',
      () =>
        qbo.steer('PUT', '/limits', { batchItems: 30 }).then(() =>
          post('/batch', {
            BatchItemRequest: Array.from({ length: 31 }, (_, i) => ({ bId: String(i), Query: 'select * from Term' })),
          }),
        ),
    ],
  ];

  return { rows, prepare };
}
