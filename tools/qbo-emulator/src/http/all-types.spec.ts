// All forty entity types through the same door: what can be created is created, read, queried, updated and ended the way
// its type allows; what cannot is refused with 500.
import { entityTypes } from '../catalogue/catalogue.js';
import type { Rec } from '../types.js';
import { TestCompany, expenseLine, faultCode, salesLine } from './test-company.js';

let qbo: TestCompany;
const ids: Record<string, string> = {};
beforeAll(async () => {
  qbo = await TestCompany.open({ multicurrency: true });
  const accounts = [
    'Checking',
    'Savings',
    'Mastercard',
    'Utilities',
    'Sales of Product Income',
    'Cost of Goods Sold',
    'Inventory Asset',
    'Inventory Shrinkage',
  ];
  for (const name of accounts) ids[name] = await qbo.accountId(name);
  ids['customer'] = (
    await qbo.make('Customer', { DisplayName: 'Base Customer', PrimaryEmailAddr: { Address: 'c@example.com' } })
  )['Id'];
  ids['vendor'] = (await qbo.make('Vendor', { DisplayName: 'Base Vendor' }))['Id'];
  ids['employee'] = (await qbo.make('Employee', { GivenName: 'Base', FamilyName: 'Employee' }))['Id'];
  ids['stock'] = (
    await qbo.make('Item', {
      Name: 'Base Stock',
      Type: 'Inventory',
      TrackQtyOnHand: true,
      QtyOnHand: 10,
      InvStartDate: '2025-01-01',
      PurchaseCost: 4,
      IncomeAccountRef: ref(ids['Sales of Product Income']!),
      ExpenseAccountRef: ref(ids['Cost of Goods Sold']!),
      AssetAccountRef: ref(ids['Inventory Asset']!),
    })
  )['Id'];
});
afterAll(() => qbo.close());

const ref = (value: string): Rec => ({ value });
const customer = (): Rec => ({ CustomerRef: ref(ids['customer']!) });
const vendor = (): Rec => ({ VendorRef: ref(ids['vendor']!) });
const sale = (): Rec => ({ ...customer(), Line: [salesLine('1', 10)] });
const journal = (): Rec => ({
  Line: (['Debit', 'Credit'] as const).map((PostingType, i) => ({
    Amount: 3,
    DetailType: 'JournalEntryLineDetail',
    JournalEntryLineDetail: { PostingType, AccountRef: ref(i === 0 ? ids['Checking']! : ids['Utilities']!) },
  })),
});

interface Row {
  readonly make: () => Rec;
  /** A sparse change and what it must show. */
  readonly change?: Rec;
  readonly ends?: 'delete' | 'deactivate';
}

const ROWS: Record<string, Row> = {
  Account: {
    make: () => ({ Name: 'New Account', AccountType: 'Bank' }),
    change: { Description: 'd' },
    ends: 'deactivate',
  },
  Attachable: { make: () => ({ Note: 'a note' }), change: { Note: 'b' }, ends: 'delete' },
  Bill: {
    make: () => ({ ...vendor(), Line: [expenseLine(ids['Utilities']!, 9)] }),
    change: { ...{ PrivateNote: 'n' } },
    ends: 'delete',
  },
  BillPayment: {
    make: () => ({
      ...vendor(),
      PayType: 'Check',
      TotalAmt: 0,
      Line: [],
    }),
  },
  Budget: { make: () => ({ StartDate: '2026-01-01', EndDate: '2026-12-31' }) },
  Class: { make: () => ({ Name: 'New Class' }), change: { Name: 'Newer Class' }, ends: 'deactivate' },
  CompanyCurrency: { make: () => ({ Code: 'SEK' }), ends: 'deactivate' },
  CreditCardPayment: {
    make: () => ({ CreditCardAccountRef: ref(ids['Mastercard']!), BankAccountRef: ref(ids['Checking']!), Amount: 12 }),
    change: { PrivateNote: 'n' },
    ends: 'delete',
  },
  CreditMemo: { make: sale, change: { PrivateNote: 'n' }, ends: 'delete' },
  Customer: { make: () => ({ GivenName: 'New', FamilyName: 'Customer' }), change: { Notes: 'n' }, ends: 'deactivate' },
  Department: { make: () => ({ Name: 'New Place' }), change: { Name: 'Newer Place' }, ends: 'deactivate' },
  Deposit: {
    make: () => ({
      DepositToAccountRef: ref(ids['Checking']!),
      Line: [
        {
          Amount: 8,
          DetailType: 'DepositLineDetail',
          DepositLineDetail: { AccountRef: ref(ids['Sales of Product Income']!) },
        },
      ],
    }),
    change: { PrivateNote: 'n' },
    ends: 'delete',
  },
  Employee: {
    make: () => ({ GivenName: 'New', FamilyName: 'Employee' }),
    change: { HiredDate: '2026-01-01' },
    ends: 'deactivate',
  },
  Estimate: { make: sale, change: { PrivateNote: 'n' }, ends: 'delete' },
  InventoryAdjustment: {
    make: () => ({
      AdjustAccountRef: ref(ids['Inventory Shrinkage']!),
      Line: [
        {
          DetailType: 'ItemAdjustmentLineDetail',
          ItemAdjustmentLineDetail: { ItemRef: ref(ids['stock']!), QtyDiff: -1 },
        },
      ],
    }),
    change: { PrivateNote: 'n' },
    ends: 'delete',
  },
  Invoice: { make: sale, change: { PrivateNote: 'n' }, ends: 'delete' },
  Item: {
    make: () => ({ Name: 'New Service', Type: 'Service', IncomeAccountRef: ref(ids['Sales of Product Income']!) }),
    change: { UnitPrice: 5 },
    ends: 'deactivate',
  },
  JournalEntry: { make: journal, change: { PrivateNote: 'n' }, ends: 'delete' },
  Payment: { make: () => ({ ...customer(), TotalAmt: 5 }), change: { PrivateNote: 'n' }, ends: 'delete' },
  PaymentMethod: { make: () => ({ Name: 'Barter' }), change: { Name: 'Barter 2' }, ends: 'deactivate' },
  Purchase: {
    make: () => ({ PaymentType: 'Cash', AccountRef: ref(ids['Checking']!), Line: [expenseLine(ids['Utilities']!, 6)] }),
    change: { PrivateNote: 'n', PaymentType: 'Cash' },
    ends: 'delete',
  },
  PurchaseOrder: {
    make: () => ({ ...vendor(), Line: [expenseLine(ids['Utilities']!, 7)] }),
    change: { PrivateNote: 'n' },
    ends: 'delete',
  },
  RefundReceipt: {
    make: () => ({ ...sale(), DepositToAccountRef: ref(ids['Checking']!) }),
    change: { PrivateNote: 'n' },
    ends: 'delete',
  },
  SalesReceipt: { make: sale, change: { PrivateNote: 'n' }, ends: 'delete' },
  TaxAgency: { make: () => ({ DisplayName: 'New Agency' }) },
  Term: { make: () => ({ Name: 'Net 7', DueDays: 7 }), change: { DueDays: 8 }, ends: 'deactivate' },
  TimeActivity: {
    make: () => ({ NameOf: 'Employee', EmployeeRef: ref(ids['employee']!), Hours: 2, Minutes: 30 }),
    change: { Description: 'd' },
    ends: 'delete',
  },
  Transfer: {
    make: () => ({ FromAccountRef: ref(ids['Checking']!), ToAccountRef: ref(ids['Savings']!), Amount: 11 }),
    change: { PrivateNote: 'n' },
    ends: 'delete',
  },
  Vendor: { make: () => ({ DisplayName: 'New Vendor' }), change: { AcctNum: '77' }, ends: 'deactivate' },
  VendorCredit: {
    make: () => ({ ...vendor(), Line: [expenseLine(ids['Utilities']!, 4)] }),
    change: { PrivateNote: 'n' },
    ends: 'delete',
  },
};
/** Types whose writes run on paths of their own, told below. */
const SPECIAL = new Set([
  'CompanyInfo',
  'Preferences',
  'ExchangeRate',
  'TaxService',
  'RecurringTransaction',
  'JournalCode',
  'BillPayment',
]);

describe('every type of the catalogue', () => {
  it('is covered here', () => {
    const readOnly = entityTypes.filter((t) => !t.operations.has('create')).map((t) => t.entity);
    const all = new Set([...Object.keys(ROWS), ...SPECIAL, ...readOnly]);
    expect(entityTypes.filter((t) => !all.has(t.entity)).map((t) => t.entity)).toEqual([]);
    expect(entityTypes).toHaveLength(40);
  });

  it.each(Object.keys(ROWS).filter((name) => !SPECIAL.has(name)))('%s lives its life', async (entity) => {
    const row = ROWS[entity]!;
    const type = entityTypes.find((t) => t.entity === entity)!;
    const path = `/${type.endpoint}`;
    const since = new Date(qbo.running.emulator.clock.now()).toISOString();
    const made = (await qbo.post(path, row.make())).body[type.jsonName] as Rec | undefined;
    expect(made).toMatchObject({ Id: expect.stringMatching(/^\d+$/), SyncToken: '0', domain: 'QBO', sparse: false });
    const id = made!['Id'] as string;
    expect((await qbo.get(`${path}/${id}`)).body[type.jsonName]).toMatchObject({ Id: id });
    const rows = (await qbo.query(`select * from ${entity} where Id = '${id}'`))[type.jsonName] as Rec[];
    expect(rows.map((r) => r['Id'])).toEqual([id]);
    if (type.cdc) {
      const { body } = await qbo.get(`/cdc?entities=${entity}&changedSince=${since}`);
      expect((body['CDCResponse'][0].QueryResponse[0][type.jsonName] as Rec[]).some((r) => r['Id'] === id)).toBe(true);
    }
    let token = '0';
    if (row.change) {
      const required = Object.fromEntries(type.requiredOnSparse.map((name) => [name, made![name]]));
      const changed = (await qbo.post(path, { Id: id, SyncToken: token, sparse: true, ...required, ...row.change }))
        .body[type.jsonName];
      expect(changed).toMatchObject({ Id: id, SyncToken: '1', ...row.change });
      const again = (await qbo.post(path, { Id: id, SyncToken: '1', sparse: true, ...required, ...row.change })).body[
        type.jsonName
      ];
      expect(again).toMatchObject({ SyncToken: '1' });
      token = '1';
    }
    if (row.ends === 'delete') {
      const gone = await qbo.post(`${path}?operation=delete`, { Id: id, SyncToken: token });
      expect(gone.body[type.jsonName]).toEqual({ status: 'Deleted', domain: 'QBO', Id: id });
      expect(faultCode(await qbo.get(`${path}/${id}`))).toBe('610');
    } else if (row.ends === 'deactivate') {
      const gone = await qbo.post(path, { Id: id, SyncToken: token, sparse: true, Active: false });
      expect(gone.body[type.jsonName]).toMatchObject({ Active: false });
      expect(await qbo.query(`select * from ${entity} where Id = '${id}'`)).toEqual({});
      expect(faultCode(await qbo.post(`${path}?operation=delete`, { Id: id, SyncToken: token }))).toBe('500');
    }
  });

  it.each(entityTypes.filter((t) => !t.operations.has('create') && !SPECIAL.has(t.entity)).map((t) => t.entity))(
    '%s is read only',
    async (entity) => {
      const { endpoint } = entityTypes.find((t) => t.entity === entity)!;
      expect(faultCode(await qbo.post(`/${endpoint}`, { Name: 'x' }))).toBe('500');
    },
  );
});

describe('types with a way of their own', () => {
  it('BillPayment with zero pays a bill with a credit', async () => {
    const bill = await qbo.make('Bill', { ...vendor(), Line: [expenseLine(ids['Utilities']!, 30)] });
    const credit = await qbo.make('VendorCredit', { ...vendor(), Line: [expenseLine(ids['Utilities']!, 30)] });
    const paid = await qbo.make('BillPayment', {
      ...vendor(),
      PayType: 'Check',
      TotalAmt: 0,
      CheckPayment: { PrintStatus: 'NotSet' },
      Line: [
        { Amount: 30, LinkedTxn: [{ TxnId: bill['Id'], TxnType: 'Bill' }] },
        { Amount: 30, LinkedTxn: [{ TxnId: credit['Id'], TxnType: 'VendorCredit' }] },
      ],
    });
    expect(paid).toMatchObject({ TotalAmt: 0 });
    expect(await qbo.read('Bill', bill['Id'])).toMatchObject({
      Balance: 0,
      LinkedTxn: [{ TxnId: paid['Id'], TxnType: 'BillPaymentCheck' }],
    });
    expect(await qbo.read('VendorCredit', credit['Id'])).toMatchObject({ Balance: 0 });
  });

  it('CompanyInfo and Preferences are one each, partly writable', async () => {
    const info = (await qbo.get(`/companyinfo/${qbo.realmId}`)).body['CompanyInfo'] as Rec;
    const changed = await qbo.post('/companyinfo', {
      Id: info['Id'],
      SyncToken: info['SyncToken'],
      sparse: true,
      LegalName: 'Legal',
    });
    expect(changed.body['CompanyInfo']).toMatchObject({ LegalName: 'Legal', CompanyName: 'Spec Company' });
    const prefs = (await qbo.get('/preferences')).body['Preferences'] as Rec;
    const written = await qbo.post('/preferences', {
      ...{ Id: prefs['Id'], SyncToken: prefs['SyncToken'], sparse: true },
      AccountingInfoPrefs: { UseAccountNumbers: true, BookCloseDate: '2030-01-01' },
    });
    expect(written.body['Preferences'].AccountingInfoPrefs).toMatchObject({ UseAccountNumbers: true });
    expect(written.body['Preferences'].AccountingInfoPrefs.BookCloseDate).toBeUndefined();
  });

  it('ExchangeRate is upserted per currency and day and read for any later day', async () => {
    const posted = await qbo.post('/exchangerate', { SourceCurrencyCode: 'EUR', AsOfDate: '2026-01-02', Rate: 1.1 });
    expect(posted.body['ExchangeRate']).toMatchObject({
      SourceCurrencyCode: 'EUR',
      TargetCurrencyCode: 'USD',
      Rate: 1.1,
    });
    const read = await qbo.get('/exchangerate?sourcecurrencycode=EUR&asofdate=2026-01-05');
    expect(read.body['ExchangeRate']).toMatchObject({ Rate: 1.1, AsOfDate: '2026-01-05' });
    expect(
      (await qbo.query("select * from ExchangeRate where SourceCurrencyCode = 'EUR'"))['ExchangeRate'],
    ).toHaveLength(1);
  });

  it('TaxService makes a code with its rates and answers the bare object', async () => {
    const reply = await qbo.post('/taxservice/taxcode', {
      TaxCode: 'County',
      TaxRateDetails: [{ TaxRateName: 'County', RateValue: '7.25', TaxAgencyId: '1', TaxApplicableOn: 'Sales' }],
    });
    expect(reply.body).toMatchObject({
      TaxCode: 'County',
      TaxCodeId: expect.any(String),
      TaxRateDetails: [{ TaxRateName: 'County', RateValue: 7.25 }],
    });
    expect((await qbo.get(`/taxcode/${reply.body['TaxCodeId']}`)).body['TaxCode']).toMatchObject({
      Name: 'County',
      TaxGroup: true,
    });
  });

  it('RecurringTransaction wraps a template, and is deleted but never updated', async () => {
    const template = {
      ...sale(),
      RecurringInfo: {
        Name: 'Monthly',
        RecurType: 'Automated',
        ScheduleInfo: { IntervalType: 'Monthly', NumInterval: 1, DayOfMonth: 1 },
      },
    };
    const made = (await qbo.post('/recurringtransaction', { Invoice: template })).body['RecurringTransaction'] as Rec;
    const inner = made['Invoice'] as Rec;
    expect(inner).toMatchObject({ RecurringInfo: { Name: 'Monthly', Active: true }, Id: expect.any(String) });
    const again = await qbo.get(`/recurringtransaction/${inner['Id']}`);
    expect(again.body['RecurringTransaction'].Invoice.RecurringInfo.Name).toBe('Monthly');
    expect(faultCode(await qbo.post('/recurringtransaction?operation=update', { Invoice: inner }))).toBe('500');
    const gone = await qbo.post('/recurringtransaction?operation=delete', {
      Invoice: { Id: inner['Id'], SyncToken: '0' },
    });
    expect(gone.status).toBe(200);
  });

  it('JournalCode exists in France only', async () => {
    expect(faultCode(await qbo.post('/journalcode', { Name: 'OD' }))).toBe('500');
    const paris = await TestCompany.open({ country: 'FR' });
    expect(await paris.make('JournalCode', { Name: 'OD' })).toMatchObject({ Name: 'OD', SyncToken: '0' });
    await paris.close();
  });

  it.each(['Invoice', 'Estimate', 'SalesReceipt', 'CreditMemo', 'RefundReceipt', 'Payment', 'PurchaseOrder'])(
    '%s is sent and printed',
    async (entity) => {
      const body =
        entity === 'Payment'
          ? { ...customer(), TotalAmt: 1 }
          : entity === 'RefundReceipt'
            ? ROWS['RefundReceipt']!.make()
            : ROWS[entity]!.make();
      const made = await qbo.make(entity, body);
      const path = `/${entity.toLowerCase()}/${made['Id']}`;
      const sent = await qbo.post(`${path}/send?sendTo=x@example.com`, '', {
        'content-type': 'application/octet-stream',
      });
      expect(sent.body[entity]).toMatchObject({ SyncToken: '0', DeliveryInfo: { DeliveryType: 'Email' } });
      const pdf = await qbo.get(`${path}/pdf`, { 'content-type': 'application/pdf' });
      expect([pdf.status, pdf.text.slice(0, 5)]).toEqual([200, '%PDF-']);
    },
  );

  it.each([
    ['Invoice', 'operation=void'],
    ['Invoice', 'include=void'],
    ['SalesReceipt', 'operation=update&include=void'],
    ['Payment', 'operation=void'],
  ])('%s is voided by ?%s', async (entity, parameters) => {
    const made = await qbo.make(entity, ROWS[entity]!.make());
    const reply = await qbo.post(`/${entity.toLowerCase()}?${parameters}`, {
      Id: made['Id'],
      SyncToken: '0',
      sparse: true,
    });
    expect(reply.body[entity]).toMatchObject({ TotalAmt: 0, PrivateNote: 'Voided', SyncToken: '1' });
    const { body } = await qbo.steer('GET', `/companies/${qbo.realmId}/ledger?type=${entity}&id=${made['Id']}`);
    expect((body['lines'] as Rec[]).filter((l) => Number(l['debit']) !== 0 || Number(l['credit']) !== 0)).toEqual([]);
  });
});
