// The emulator end to end over a real socket with plain fetch: what a client meets in its first hour.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Rec } from '../types.js';
import { TestCompany, expenseLine, faultCode, salesLine, send } from './test-company.js';

let qbo: TestCompany;
beforeAll(async () => {
  qbo = await TestCompany.open();
});
afterAll(() => qbo.close());

async function customer(name: string): Promise<Rec> {
  return qbo.make('Customer', { DisplayName: name, PrimaryEmailAddr: { Address: 'a@example.com' } });
}

async function invoice(customerId: string, amount: number, more: Rec = {}): Promise<Rec> {
  return qbo.make('Invoice', { CustomerRef: { value: customerId }, Line: [salesLine('1', amount)], ...more });
}

const trialBalance = async (): Promise<Record<string, number>> => {
  const { body } = await qbo.steer('GET', `/companies/${qbo.realmId}/trial-balance`);
  return Object.fromEntries((body['rows'] as Rec[]).map((r) => [r['name'], Number(r['debit']) - Number(r['credit'])]));
};

describe('a company over HTTP', () => {
  it('answers an invoice with the captured defaults, in the captured order', async () => {
    const ann = await customer('Ann Order');
    const made = await invoice(ann['Id'], 100);
    expect(Object.keys(made)).toEqual(
      expect.arrayContaining([
        'domain',
        'sparse',
        'Id',
        'SyncToken',
        'MetaData',
        'CustomField',
        'DocNumber',
        'LinkedTxn',
        'Line',
      ]),
    );
    expect(Object.keys(made).indexOf('domain')).toBeLessThan(Object.keys(made).indexOf('Line'));
    expect(made).toMatchObject({
      domain: 'QBO',
      sparse: false,
      SyncToken: '0',
      LinkedTxn: [],
      CustomField: [],
      TotalAmt: 100,
      Balance: 100,
      PrintStatus: 'NeedToPrint',
      EmailStatus: 'NotSet',
      TxnTaxDetail: { TotalTax: 0 },
      CustomerRef: { value: ann['Id'], name: 'Ann Order' },
    });
    expect(made['Line']).toEqual([
      expect.objectContaining({ Id: '1', LineNum: 1, CustomExtensions: [] }),
      { Amount: 100, DetailType: 'SubTotalLineDetail', SubTotalLineDetail: {} },
    ]);
  });

  it('moves the invoice, the customer and the books when a payment is applied, and back when it is voided', async () => {
    const ben = await customer('Ben Payer');
    const bill = await invoice(ben['Id'], 250);
    const before = await trialBalance();
    const paid = await qbo.make('Payment', {
      CustomerRef: { value: ben['Id'] },
      TotalAmt: 300,
      Line: [{ Amount: 250, LinkedTxn: [{ TxnId: bill['Id'], TxnType: 'Invoice' }] }],
    });
    expect(paid).toMatchObject({ UnappliedAmt: 50, ProcessPayment: false });
    expect(await qbo.read('Invoice', bill['Id'])).toMatchObject({
      SyncToken: '1',
      Balance: 0,
      LinkedTxn: [{ TxnId: paid['Id'], TxnType: 'Payment' }],
    });
    expect(await qbo.read('Customer', ben['Id'])).toMatchObject({ SyncToken: '0', Balance: -50 });
    const voided = (
      await qbo.post('/payment?operation=update&include=void', { Id: paid['Id'], SyncToken: '0', sparse: true })
    ).body;
    expect(voided['Payment']).toMatchObject({ TotalAmt: 0, Line: [], PrivateNote: 'Voided', SyncToken: '1' });
    expect(await qbo.read('Invoice', bill['Id'])).toMatchObject({ Balance: 250, LinkedTxn: [] });
    expect(await trialBalance()).toEqual(before);
  });

  it('gives the original answer, byte for byte, to a repeated request id', async () => {
    const path = '/customer?requestid=one-and-only';
    const first = await qbo.post(path, { DisplayName: 'Only Once' });
    const second = await qbo.post(path, { DisplayName: 'Only Once' });
    expect(second.text).toBe(first.text);
    expect((await qbo.query("select count(*) from Customer where DisplayName = 'Only Once'"))['totalCount']).toBe(1);
  });

  it('refuses with the real codes', async () => {
    await customer('Taken Name');
    const cases: [string, Rec, string][] = [
      ['/vendor', { DisplayName: 'taken name' }, '6240'],
      ['/customer', { DisplayName: 'X', Nonsense: 1 }, '2010'],
      ['/invoice', { Line: [salesLine('1', 1)] }, '2020'],
      ['/invoice', { CustomerRef: { value: '99999' }, Line: [salesLine('1', 1)] }, '2500'],
      ['/customer', { Id: '99999', SyncToken: '0', DisplayName: 'Nobody' }, '610'],
    ];
    for (const [path, body, code] of cases) expect([path, faultCode(await qbo.post(path, body))]).toEqual([path, code]);
    const cara = await customer('Cara Stale');
    await qbo.post('/customer', { Id: cara['Id'], SyncToken: '0', sparse: true, Notes: 'a' });
    expect(faultCode(await qbo.post('/customer', { Id: cara['Id'], SyncToken: '0', sparse: true, Notes: 'b' }))).toBe(
      '5010',
    );
  });

  it('hides a deactivated name behind a suffix and lets the name be used again', async () => {
    const dan = await customer('Dan Gone');
    const gone = (await qbo.post('/customer', { Id: dan['Id'], SyncToken: '0', sparse: true, Active: false })).body[
      'Customer'
    ];
    expect(gone).toMatchObject({ Active: false, DisplayName: 'Dan Gone (deleted)' });
    expect(await qbo.query("select * from Customer where DisplayName like 'Dan Gone%'")).toEqual({});
    expect(
      (await qbo.query("select * from Customer where Active = false and DisplayName like 'Dan Gone%'"))['Customer'],
    ).toHaveLength(1);
    const again = await customer('Dan Gone');
    const back = await qbo.post('/customer', { Id: dan['Id'], SyncToken: '1', sparse: true, Active: true });
    expect(back.body['Customer']['DisplayName']).toBe('Dan Gone-1');
    expect(again['DisplayName']).toBe('Dan Gone');
  });

  it('captures changes with tombstones behind live rows', async () => {
    const since = new Date(qbo.running.emulator.clock.now()).toISOString();
    const eve = await customer('Eve Change');
    const dead = await invoice(eve['Id'], 10);
    const live = await invoice(eve['Id'], 20);
    await qbo.post('/invoice?operation=delete', { Id: dead['Id'], SyncToken: '0' });
    const { body } = await qbo.get(`/cdc?entities=Invoice,Class&changedSince=${encodeURIComponent(since)}`);
    const [invoices, classes] = body['CDCResponse'][0].QueryResponse;
    const rows = invoices.Invoice as Rec[];
    expect(rows.at(-1)).toEqual({
      domain: 'QBO',
      status: 'Deleted',
      Id: dead['Id'],
      MetaData: { LastUpdatedTime: expect.any(String) },
    });
    expect(rows.some((r) => r['Id'] === live['Id'])).toBe(true);
    expect(classes).toEqual({});
  });

  it('carries out a batch item by item: one fault does not stop the others', async () => {
    const { status, body } = await qbo.post('/batch', {
      BatchItemRequest: [
        { bId: 'a', operation: 'create', Vendor: { DisplayName: 'Batch Vendor' } },
        { bId: 'b', operation: 'create', Vendor: { DisplayName: 'Batch Vendor' } },
        { bId: 'c', Query: "select * from Vendor where DisplayName = 'Batch Vendor'" },
      ],
    });
    expect(status).toBe(200);
    const [a, b, c] = body['BatchItemResponse'] as Rec[];
    expect(a).toMatchObject({ bId: 'a', Vendor: { DisplayName: 'Batch Vendor' } });
    expect(b).toMatchObject({ bId: 'b', Fault: { Error: [{ code: '6240' }] } });
    expect(c).toEqual({ bId: 'c', QueryResponse: {} });
  });

  it('takes a file up and hands it down again for a quarter of an hour', async () => {
    const form = new FormData();
    const metadata = {
      FileName: 'a.txt',
      ContentType: 'text/plain',
      AttachableRef: [{ EntityRef: { type: 'Customer', value: '1' } }],
    };
    form.append('file_metadata_0', new Blob([JSON.stringify(metadata)], { type: 'application/json' }));
    form.append('file_content_0', new Blob(['hello'], { type: 'text/plain' }), 'a.txt');
    const uploaded = await qbo.call('POST', '/upload', form);
    const attachable = uploaded.body['AttachableResponse'][0].Attachable as Rec;
    expect(attachable).toMatchObject({ FileName: 'a.txt', Size: 5 });
    const address = (await qbo.get(`/download/${attachable['Id']}`)).text;
    expect(await (await fetch(address)).text()).toBe('hello');
    await qbo.steer('PUT', '/clock', { advanceMs: 15 * 60_000 });
    expect((await fetch(address)).status).toBe(403);
  });

  it('speaks XML to whoever does not ask for JSON', async () => {
    const reply = await qbo.get('/customer/99999', { accept: '*/*' });
    expect(reply.headers.get('content-type')).toContain('xml');
    expect(reply.text).toMatch(/<Fault type="ValidationFault"><Error code="610"/);
    const xml = '<Customer xmlns="http://schema.intuit.com/finance/v3"><DisplayName>Xena Xml</DisplayName></Customer>';
    const made = await qbo.call('POST', '/customer', xml, {
      'content-type': 'application/xml',
      accept: 'application/xml',
    });
    expect(made.text).toContain('<DisplayName>Xena Xml</DisplayName>');
  });

  it('throttles the eleventh request of a second with XML, and lets it pass when the window has slid', async () => {
    await qbo.steer('PUT', '/limits', { appPerSecond: 10 });
    await qbo.steer('PUT', '/clock', { advanceMs: 2_000 });
    const replies = await Promise.all(Array.from({ length: 11 }, () => qbo.get('/companyinfo/1')));
    expect(replies.filter((r) => r.status === 200)).toHaveLength(10);
    const refused = replies.find((r) => r.status === 429);
    expect(refused?.text).toContain('ThrottleExceeded');
    await qbo.steer('PUT', '/clock', { advanceMs: 1_001 });
    expect((await qbo.get('/companyinfo/1')).status).toBe(200);
    await qbo.steer('PUT', '/limits', { all: false });
  });

  it('refuses a dead token, another company and no token at the gateway', async () => {
    const bare = await send(qbo.running.url, 'GET', `/v3/company/${qbo.realmId}/companyinfo/1`);
    expect([bare.status, faultCode(bare)]).toEqual([401, '3202']);
    const other = (await qbo.steer('POST', '/companies', { name: 'Other' })).body['realmId'] as string;
    const wrong = await send(qbo.running.url, 'GET', `/v3/company/${other}/companyinfo/1`, undefined, {
      authorization: `Bearer ${qbo.token}`,
    });
    expect([wrong.status, faultCode(wrong)]).toEqual([403, '3100']);
    await qbo.steer('PUT', '/clock', { advanceMs: 3_600_001 });
    expect(faultCode(await qbo.get('/companyinfo/1'))).toBe('3200');
  });
});

describe('webhooks', () => {
  it.each(['cloudevents', 'legacy'])('announces API writes as %s, signed', async (webhookFormat) => {
    const got: { body: string; signature: string | undefined }[] = [];
    const receiver = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (c: Buffer) => chunks.push(c));
      req.on('end', () => {
        got.push({
          body: Buffer.concat(chunks).toString(),
          signature: req.headers['intuit-signature'] as string | undefined,
        });
        res.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const hooked = await TestCompany.open();
    try {
      const webhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
      const app = (await hooked.steer('POST', '/apps', { name: 'hooked', webhookUrl, webhookFormat })).body;
      await hooked.steer('POST', '/grants', { clientId: app['clientId'], realmId: hooked.realmId });
      const vendor = await hooked.make('Vendor', { DisplayName: 'Hooked' });
      const bill = await hooked.make('Bill', {
        VendorRef: { value: vendor['Id'] },
        Line: [expenseLine(await hooked.accountId('Utilities'), 5)],
      });
      await hooked.steer('PUT', '/clock', { advanceMs: 10_000 });
      expect(got.length).toBeGreaterThan(0);
      const all = got.map((g) => g.body).join();
      expect(all).toContain(webhookFormat === 'legacy' ? '"name":"Bill"' : 'qbo.bill.created.v1');
      expect(all).toContain(`"${bill['Id']}"`);
      for (const { body, signature } of got) {
        expect(signature).toBe(createHmac('sha256', app['verifierToken']).update(body).digest('base64'));
      }
    } finally {
      await hooked.close();
      receiver.closeAllConnections();
      receiver.close();
    }
  });
});
