// XML end to end: the second full format, as the Java and .NET kits speak it.
import { TestCompany } from './test-company.js';

let qbo: TestCompany;
beforeAll(async () => {
  qbo = await TestCompany.open();
});
afterAll(() => qbo.close());

const headers = { 'content-type': 'application/xml', accept: 'application/xml' };
const NS = 'xmlns="http://schema.intuit.com/finance/v3"';
const post = async (path: string, body: string): Promise<string> => (await qbo.post(path, body, headers)).text;

describe('XML', () => {
  it('creates, updates sparsely, sells, queries, batches and deletes', async () => {
    const made = await post('/customer', `<Customer ${NS}><DisplayName>Xml One</DisplayName></Customer>`);
    expect(made).toMatch(/^<\?xml[^>]*><IntuitResponse [^>]*time="[^"]+"[^>]*><Customer domain="QBO" sparse="false">/);
    const id = /<Id>(\d+)<\/Id>/.exec(made)![1]!;
    const updated = await post(
      '/customer',
      `<Customer ${NS} sparse="true"><Id>${id}</Id><SyncToken>0</SyncToken><Notes>n</Notes></Customer>`,
    );
    expect(updated).toContain('<DisplayName>Xml One</DisplayName>');
    expect(updated).toContain('<SyncToken>1</SyncToken>');
    const line =
      '<Line><Amount>10.5</Amount><DetailType>SalesItemLineDetail</DetailType><SalesItemLineDetail><ItemRef>1</ItemRef></SalesItemLineDetail></Line>';
    const invoice = await post(
      '/invoice',
      `<Invoice ${NS}>${line}<CustomerRef name="wrong">${id}</CustomerRef></Invoice>`,
    );
    expect(invoice).toContain('<TotalAmt>10.5</TotalAmt>');
    expect(invoice).toContain(`<CustomerRef name="Xml One">${id}</CustomerRef>`);
    const queried = (await qbo.get('/query?query=select%20*%20from%20Invoice', { accept: 'application/xml' })).text;
    expect(queried).toMatch(/<QueryResponse startPosition="1" maxResults="1" totalCount="1">/);
    const batch = await post(
      '/batch',
      `<IntuitBatchRequest ${NS}><BatchItemRequest bId="a" operation="create"><Vendor><DisplayName>Xml One</DisplayName></Vendor></BatchItemRequest></IntuitBatchRequest>`,
    );
    expect(batch).toMatch(/<BatchItemResponse bId="a"><Fault type="ValidationFault"><Error code="6240"/);
    const invoiceId = /<Invoice [^>]*>.*?<Id>(\d+)<\/Id>/s.exec(invoice)![1]!;
    const gone = await post(
      '/invoice?operation=delete',
      `<Invoice ${NS}><Id>${invoiceId}</Id><SyncToken>0</SyncToken></Invoice>`,
    );
    expect(gone).toContain('status="Deleted"');
  });

  it('refuses what is not XML in QBO’s XML', async () => {
    expect(await post('/customer', '<Customer><DisplayName>')).toMatch(
      /<Fault type="ValidationFault"><Error code="\d+"/,
    );
  });
});
