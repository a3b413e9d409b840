// What public recordings of the real service show (request-response pairs of other people's test suites, 2014 to 2022)
// and what client kits send, where the reference says nothing or less. Facts only: no recorded company is kept here.
import type { Rec } from '../types.js';
import { TestCompany, expenseLine, faultCode, salesLine } from './test-company.js';

let qbo: TestCompany;
let customerId: string;
let invoiceId: string;
beforeAll(async () => {
  qbo = await TestCompany.open();
  customerId = (await qbo.make('Customer', { DisplayName: 'Rita Recorded' }))['Id'];
  invoiceId = (await qbo.make('Invoice', { CustomerRef: { value: customerId }, Line: [salesLine('1', 100)] }))['Id'];
});
afterAll(() => qbo.close());

const XML = { 'content-type': 'application/xml', accept: 'application/xml' };
const NS = 'xmlns="http://schema.intuit.com/finance/v3"';
const firstError = (body: Rec): Rec => body['Fault'].Error[0];

describe('faults as recorded', () => {
  it('an unknown entity in a query', async () => {
    const reply = await qbo.get(`/query?query=${encodeURIComponent('SELECT * FROM Custmoer')}`);
    expect(firstError(reply.body)).toEqual({
      Message: 'Invalid query',
      Detail: 'QueryValidationError: invalid context declaration: Custmoer',
      code: '4001',
    });
  });

  it('an unknown property names itself and the class it was sought in, and no element', async () => {
    const error = firstError((await qbo.post('/invoice', { BadJson: true })).body);
    expect(error['Detail']).toMatch(
      /^Property Name:Unrecognized field "BadJson" \(class com\.intuit\.schema\.finance\.v3\.Invoice\), not marked as ignorable .*specified is unsupported or invalid$/s,
    );
    expect(error).toMatchObject({ code: '2010', Message: 'Request has invalid or unsupported property' });
    const line = firstError(
      (await qbo.post('/invoice', { CustomerRef: { value: customerId }, Line: [{ ...salesLine('1', 1), Nope: 1 }] }))
        .body,
    );
    expect(line['Detail']).toContain('"Nope" (class com.intuit.schema.finance.v3.Line)');
  });

  it('an id that is no number', async () => {
    expect(firstError((await qbo.get('/customer/1.5')).body)).toEqual({
      Message: 'Invalid ID',
      Detail: 'Id should be a valid number. Supplied value:1.5',
      code: '2030',
      element: 'Id',
    });
  });

  it('an address behind a record that nobody serves', async () => {
    for (const path of [`/customer/${customerId}/5`, `/customer/${customerId}/pdf/5`, `/customer/${customerId}/nope`]) {
      const reply = await qbo.get(path);
      expect(reply.status).toBe(400);
      expect(firstError(reply.body)).toMatchObject({
        code: '500',
        Message: 'Unsupported Operation',
        Detail: expect.stringMatching(/^Operation Could not find resource for relative : \/v3\/company\/\d+\/customer/),
      });
    }
  });

  it('inside a batch every error has an element, empty where none is meant; in XML everywhere but in queries', async () => {
    const batch = await qbo.post('/batch', {
      BatchItemRequest: [
        { bId: '1', operation: 'delete', Invoice: { Id: '99999999', SyncToken: '0' } },
        { bId: '2', operation: 'create', Customer: { DisplayName: 'Rita Recorded' } },
      ],
    });
    for (const item of batch.body['BatchItemResponse'] as Rec[]) expect(firstError(item)['element']).toBe('');
    const duplicate = `<Customer ${NS}><DisplayName>Rita Recorded</DisplayName></Customer>`;
    expect((await qbo.post('/customer', duplicate, XML)).text).toContain('<Error code="6240" element="">');
    const query = await qbo.get('/query?query=select', { accept: 'application/xml' });
    expect(query.text).toContain('<Error code="4000">');
  });
});

describe('queries as public clients ask them', () => {
  it('sub-customers by Job and by ParentRef', async () => {
    const sub = await qbo.make('Customer', { DisplayName: 'Sub', Job: true, ParentRef: { value: customerId } });
    for (const where of ['Job = true', `ParentRef = '${customerId}' and Active = true`]) {
      const found = await qbo.query(`select Id, DisplayName, ParentRef from Customer where ${where}`);
      expect((found['Customer'] as Rec[]).map((c) => c['Id'])).toEqual([sub['Id']]);
    }
    expect(await qbo.query('select count(*) from Customer where Job = false')).toEqual({ totalCount: 1 });
    expect(await qbo.query(`select * from TimeActivity where EmployeeRef = '1'`)).toEqual({});
  });
});

describe('answers as recorded', () => {
  it('a deletion: domain, status, Id', async () => {
    const { Id, SyncToken } = await qbo.make('Invoice', {
      CustomerRef: { value: customerId },
      Line: [salesLine('1', 1)],
    });
    const reply = await qbo.post('/invoice?operation=delete', { Id, SyncToken });
    expect(reply.text).toMatch(/^\{"Invoice":\{"domain":"QBO","status":"Deleted","Id":"\d+"\},"time":/);
  });

  it('a batch answers change data capture and reports too, as the kits ask for them', async () => {
    const since = new Date(qbo.running.emulator.clock.now() - 86_400_000).toISOString();
    const { BatchItemResponse: items } = (
      await qbo.post('/batch', {
        BatchItemRequest: [
          { bId: 'cdc', CDCQuery: { Entities: 'Invoice,Customer', ChangedSince: since } },
          { bId: 'report', ReportQuery: 'reports/TrialBalance?start_date=2026-01-01&end_date=2026-12-31' },
          { bId: 'bad', CDCQuery: { Entities: 'Nothing', ChangedSince: since } },
        ],
      })
    ).body as { BatchItemResponse: Rec[] };
    const byId = new Map(items.map((item) => [item['bId'] as string, item]));
    expect(byId.get('cdc')!['CDCResponse'].QueryResponse[0].Invoice[0].Id).toBe(invoiceId);
    expect(byId.get('report')!['Report'].Header.ReportName).toBe('TrialBalance');
    expect(firstError(byId.get('bad')!)['code']).toBe('2000');
  });
});

describe('records as recorded', () => {
  it('a check to a vendor says where it is sent, an expense in cash does not', async () => {
    const BillAddr = { Line1: '15 Main St.', City: 'Palo Alto' };
    const vendor = await qbo.make('Vendor', { DisplayName: 'Vera Remit', BillAddr });
    const spend = async (PaymentType: string): Promise<Rec> =>
      qbo.make('Purchase', {
        PaymentType,
        AccountRef: { value: await qbo.accountId('Checking') },
        EntityRef: { value: vendor['Id'], type: 'Vendor' },
        Line: [expenseLine(await qbo.accountId('Advertising'), 5)],
      });
    expect((await spend('Check'))['RemitToAddr']).toEqual({ Id: vendor['BillAddr'].Id, ...BillAddr });
    expect((await spend('Cash'))['RemitToAddr']).toBeUndefined();
  });

  it('the tax code stands last in a line, and the client entity id before the envelope', async () => {
    const invoice = await qbo.make('Invoice', {
      CustomerRef: { value: customerId },
      Line: [salesLine('1', 10, { TaxCodeRef: { value: 'NON' }, Qty: 1, UnitPrice: 10 })],
    });
    expect(Object.keys(invoice['Line'][0].SalesItemLineDetail as Rec)).toEqual(
      'ItemRef UnitPrice Qty ItemAccountRef TaxCodeRef'.split(' '),
    );
    const [row] = (await qbo.query(`select * from Customer where Id = '${customerId}'`))['Customer'] as Rec[];
    expect(Object.keys(row!).slice(0, 12).join(' ')).toMatch(/ClientEntityId domain sparse/);
  });
});

describe('attachments as recorded', () => {
  const upload = (metadata: Rec): Promise<{ body: Rec; text: string }> => {
    const form = new FormData();
    form.append('file_metadata_01', new Blob([JSON.stringify(metadata)], { type: 'application/json' }), 'a.json');
    form.append('file_content_01', new Blob(['<a/>'], { type: 'text/xml' }), 'a.xml');
    return qbo.post('/upload', form);
  };

  it('the answer begins with the file, and a reference says that it is not sent', async () => {
    const made = await upload({
      FileName: 'a.xml',
      AttachableRef: [{ EntityRef: { type: 'Invoice', value: invoiceId } }],
    });
    const rec: Rec = made.body['AttachableResponse'][0].Attachable;
    expect(Object.keys(rec)).toEqual(
      'FileName FileAccessUri TempDownloadUri Size ContentType domain sparse Id SyncToken MetaData AttachableRef'.split(
        ' ',
      ),
    );
    expect(rec['AttachableRef']).toEqual([{ EntityRef: { value: invoiceId, type: 'Invoice' }, IncludeOnSend: false }]);
    // The recorded client deletes with the Id alone.
    expect((await qbo.post('/attachable?operation=delete', { Id: rec['Id'] })).body).toMatchObject({
      Attachable: { status: 'Deleted', Id: rec['Id'] },
    });
  });

  it('a file cannot be made for something that is not there', async () => {
    const refused = await upload({ AttachableRef: [{ EntityRef: { type: 'Estimate', value: invoiceId } }] });
    expect(firstError(refused.body['AttachableResponse'][0])).toEqual({
      Message: 'A business validation error has occurred while processing your request',
      Detail: `Business Validation Error: The entity Estimate ${invoiceId} that you are trying to link does not exist. Estimate ${invoiceId}`,
      code: '6000',
      element: '',
    });
  });

  it('a file whose document is gone may be rewritten as it is', async () => {
    const doomed = await qbo.make('Invoice', { CustomerRef: { value: customerId }, Line: [salesLine('1', 1)] });
    const AttachableRef = [{ EntityRef: { type: 'Invoice', value: doomed['Id'] } }];
    const note = await qbo.make('Attachable', { Note: 'n', AttachableRef });
    await qbo.post('/invoice?operation=delete', { Id: doomed['Id'], SyncToken: '0' });
    const { Id, SyncToken } = note;
    expect((await qbo.post('/attachable', { Id, SyncToken, Note: 'm', AttachableRef })).status).toBe(200);
    expect(faultCode(await qbo.post('/attachable', { Note: 'n', AttachableRef }))).toBe('6000');
  });
});

describe('XML as the kits speak it', () => {
  it('ignores elements it does not know, which the Ruby kit writes into sub-total lines, and extension blocks', async () => {
    const read = (await qbo.get(`/invoice/${invoiceId}`, { accept: 'application/xml' })).text;
    const object = /<Invoice .*<\/Invoice>/s.exec(read)![0].replace(' domain="QBO" sparse="false"', ` ${NS}`);
    const echoed = object
      .replace(
        '<SubTotalLineDetail></SubTotalLineDetail>',
        '<SubTotalLineDetail><UnitPrice>0.0</UnitPrice></SubTotalLineDetail>',
      )
      .replace('</Invoice>', '<InvoiceEx><NameValue><Name>a</Name><Value>b</Value></NameValue></InvoiceEx></Invoice>');
    expect(echoed).toContain('<UnitPrice>0.0');
    expect((await qbo.post('/invoice', echoed, XML)).text).toContain('<Invoice domain="QBO"');
  });

  it('reads a date with a time of day behind a space', async () => {
    const line =
      '<Line><Amount>3</Amount><DetailType>SalesItemLineDetail</DetailType><SalesItemLineDetail><ItemRef>1</ItemRef></SalesItemLineDetail></Line>';
    const made = await qbo.post(
      '/salesreceipt',
      `<SalesReceipt ${NS}><TxnDate>2026-10-08 00:00:00 +0000</TxnDate>${line}</SalesReceipt>`,
      XML,
    );
    expect(made.text).toContain('<TxnDate>2026-10-08</TxnDate>');
  });

  it('shows what a payment line was applied to as names and values', async () => {
    const paid = await qbo.make('Payment', {
      CustomerRef: { value: customerId },
      TotalAmt: 40,
      Line: [{ Amount: 40, LinkedTxn: [{ TxnId: invoiceId, TxnType: 'Invoice' }] }],
    });
    const read = (await qbo.get(`/payment/${paid['Id']}`, { accept: 'application/xml' })).text;
    expect(read).toContain(
      `<LineEx><NameValue><Name>txnId</Name><Value>${invoiceId}</Value></NameValue><NameValue><Name>txnOpenBalance</Name><Value>100.00</Value>`,
    );
    const object = /<Payment .*<\/Payment>/s.exec(read)![0].replace(' domain="QBO" sparse="false"', ` ${NS}`);
    expect((await qbo.post('/payment', object, XML)).text).toContain('<SyncToken>0</SyncToken>');
  });

  it('a report is the root element', async () => {
    const report = await qbo.get('/reports/TrialBalance', { accept: 'application/xml' });
    expect(report.text).toMatch(
      /^<\?xml[^>]*><Report xmlns="http:\/\/schema\.intuit\.com\/finance\/v3"><Header><Time>/,
    );
  });
});

describe('reports as recorded', () => {
  const report = async (path: string): Promise<Rec> => (await qbo.get(`/reports/${path}`)).body;

  it('a profit and loss without figures still has its sections, blank; the filter stands in the header', async () => {
    const empty = await report(
      `ProfitAndLoss?customer=${customerId}&start_date=2015-01-01&end_date=2015-07-31&summarize_column_by=Customers`,
    );
    expect(empty['Header']).toMatchObject({ SummarizeColumnsBy: 'Customers', Customer: customerId });
    expect(empty['Columns'].Column.at(-1).ColTitle).toBe('TOTAL');
    expect(empty['Rows'].Row.map((row: Rec) => row['group'])).toEqual([
      'Income',
      'GrossProfit',
      'Expenses',
      'NetOperatingIncome',
      'NetIncome',
    ]);
    expect(empty['Rows'].Row[0]).toEqual({
      Header: { ColData: [{ value: 'Income' }, { value: '' }] },
      Summary: { ColData: [{ value: 'Total Income' }, { value: '' }] },
      type: 'Section',
      group: 'Income',
    });
  });

  it('the general ledger names its columns by type, and leaves the total blank where nothing was posted', async () => {
    const later = await report('GeneralLedger?start_date=2027-01-01&end_date=2027-01-31');
    expect(later['Columns'].Column.map((c: Rec) => c['ColType'])).toEqual(
      'tx_date txn_type doc_num name memo split_acc subt_nat_amount rbal_nat_amount'.split(' '),
    );
    const receivable = later['Rows'].Row.find((row: Rec) =>
      /^Accounts Receivable/.test(row['Header'].ColData[0].value),
    );
    expect(receivable['Summary'].ColData[6].value).toBe('');
  });

  it.each(['TransactionListByCustomer', 'TransactionListByVendor', 'TransactionListWithSplits'])(
    '%s is there',
    async (name) => {
      const listed = await report(`${name}?date_macro=all`);
      expect(listed['Header'].ReportName).toBe(name);
      if (name === 'TransactionListByCustomer') {
        expect(listed['Rows'].Row[0]).toMatchObject({
          Header: { ColData: [{ value: 'Rita Recorded', id: customerId }, {}, {}, {}, {}, {}, {}] },
          type: 'Section',
        });
      }
      if (name === 'TransactionListWithSplits') expect(listed['Rows'].Row.length).toBeGreaterThan(2);
    },
  );
});
