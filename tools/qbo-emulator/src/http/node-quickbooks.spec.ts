// An unmodified client library, told only another address, goes through its own flows.
import QuickBooks from 'node-quickbooks';
import type { Rec } from '../types.js';
import { TestCompany, salesLine } from './test-company.js';

type Callback = (error: unknown, result: Rec) => void;
interface Client {
  endpoint: string;
  [method: string]: unknown;
}

let company: TestCompany;
let client: Client;
beforeAll(async () => {
  company = await TestCompany.open();
  const Constructor = QuickBooks as unknown as new (...args: unknown[]) => Client;
  client = new Constructor(
    company.clientId,
    company.clientSecret,
    company.token,
    false,
    company.realmId,
    true,
    false,
    null,
    '2.0',
    company.refreshToken,
  );
  client.endpoint = `${company.running.url}/v3/company/`;
});
afterAll(() => company.close());

function run(method: string, ...args: unknown[]): Promise<Rec> {
  return new Promise((resolve, reject) => {
    (client[method] as (...a: unknown[]) => void).call(client, ...args, ((error, result) => {
      if (error) reject(error as Error);
      else resolve(result);
    }) satisfies Callback);
  });
}

describe('node-quickbooks', () => {
  it('creates, reads, finds, updates, pays and deletes', async () => {
    const customer = await run('createCustomer', { DisplayName: 'Nora Node' });
    expect(customer).toMatchObject({ DisplayName: 'Nora Node', SyncToken: '0' });
    const invoice = await run('createInvoice', { CustomerRef: { value: customer['Id'] }, Line: [salesLine('1', 42)] });
    expect(invoice).toMatchObject({ TotalAmt: 42, Balance: 42 });
    const found = await run('findInvoices', [
      { field: 'CustomerRef', value: customer['Id'] },
      { field: 'limit', value: 5 },
    ]);
    expect(found['QueryResponse'].Invoice).toHaveLength(1);
    expect(await run('findCustomers', { DisplayName: 'nobody at all' })).toMatchObject({ QueryResponse: {} });
    const payment = await run('createPayment', {
      CustomerRef: { value: customer['Id'] },
      TotalAmt: 42,
      Line: [{ Amount: 42, LinkedTxn: [{ TxnId: invoice['Id'], TxnType: 'Invoice' }] }],
    });
    expect(payment['UnappliedAmt']).toBe(0);
    const paid = await run('getInvoice', invoice['Id']);
    expect(paid).toMatchObject({ Balance: 0, SyncToken: '1' });
    const updated = await run('updateCustomer', { Id: customer['Id'], SyncToken: '0', sparse: true, Notes: 'kept' });
    expect(updated).toMatchObject({ Notes: 'kept', DisplayName: 'Nora Node', SyncToken: '1' });
    await run('deletePayment', { Id: payment['Id'], SyncToken: payment['SyncToken'] });
    expect(await run('getInvoice', invoice['Id'])).toMatchObject({ Balance: 42, LinkedTxn: [] });
  });

  it('counts, captures changes, batches and reports', async () => {
    expect((await run('findCustomers', { count: true }))['QueryResponse'].totalCount).toBeGreaterThanOrEqual(1);
    const changed = await run(
      'changeDataCapture',
      ['Customer', 'Invoice'],
      new Date(company.running.emulator.clock.now() - 86_400_000),
    );
    expect(changed['CDCResponse'][0].QueryResponse).toHaveLength(2);
    const batch = await run('batch', [{ bId: '1', operation: 'create', Vendor: { DisplayName: 'Nils Node' } }]);
    expect(batch['BatchItemResponse'][0].Vendor.DisplayName).toBe('Nils Node');
    expect((await run('reportTrialBalance', {}))['Header'].ReportName).toBe('TrialBalance');
    expect((await run('getCompanyInfo', company.realmId))['CompanyName']).toBe('Spec Company');
    expect((await run('getPreferences'))['CurrencyPrefs'].HomeCurrency.value).toBe('USD');
  });

  it('uploads a file with the client’s own two-step flow', async () => {
    const customer = await run('createCustomer', { DisplayName: 'Ulla Upload' });
    const { Readable } = await import('node:stream');
    const done = await run(
      'upload',
      'note.txt',
      'text/plain',
      Readable.from([Buffer.from('text of the note')]),
      'Customer',
      customer['Id'],
    );
    expect(done).toMatchObject({
      FileName: 'note.txt',
      AttachableRef: [{ EntityRef: { type: 'Customer', value: customer['Id'] } }],
    });
  });

  it('gets a PDF that is one', async () => {
    const customer = await run('createCustomer', { DisplayName: 'Pia Pdf' });
    const invoice = await run('createInvoice', { CustomerRef: { value: customer['Id'] }, Line: [salesLine('1', 7)] });
    const pdf = (await run('getInvoicePdf', invoice['Id'])) as unknown as Buffer;
    expect(pdf.toString('latin1', 0, 5)).toBe('%PDF-');
  });
});
