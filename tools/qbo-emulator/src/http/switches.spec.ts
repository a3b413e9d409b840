// The dials for what nobody knows about QBO, and the guards that only a test of their own ever reaches.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rec } from '../types.js';
import { startEmulator } from './server.js';
import { TestCompany, expenseLine, faultCode, salesLine, send } from './test-company.js';

let qbo: TestCompany;
beforeAll(async () => {
  qbo = await TestCompany.open({ multicurrency: true });
});
afterAll(() => qbo.close());

const switches = (patch: Rec) => qbo.steer('PUT', `/companies/${qbo.realmId}/switches`, patch);

describe('switches of a company', () => {
  it('refuses names and values that do not exist', async () => {
    expect((await switches({ nonsense: 1 })).body['error'].code).toBe('BAD_VALUE');
    expect((await switches({ costing: 'sometimes' })).body['error'].code).toBe('BAD_VALUE');
    expect((await switches({ refuseWith: { 'Budget create': '424242' } })).body['error'].code).toBe('BAD_VALUE');
    expect((await switches({ deprecatedFields: 'Notes' })).body['error'].code).toBe('BAD_VALUE');
  });

  it('chooses the fault of a change data capture that looks back too far', async () => {
    const ask = () => qbo.get('/cdc?entities=Invoice&changedSince=2020-01-01T00:00:00Z');
    expect(faultCode(await ask())).toBe('2190');
    await switches({ cdcTooOld: '6000' });
    expect(faultCode(await ask())).toBe('6000');
    await switches({ cdcTooOld: '2190' });
  });

  it('a company that was reset is read as before and written to no more, also by batch', async () => {
    await switches({ availability: 'reset' });
    const item = { bId: '1', operation: 'create', Customer: { DisplayName: 'After the reset' } };
    expect((await qbo.get('/companyinfo/1')).status).toBe(200);
    expect(faultCode(await qbo.post('/batch', { BatchItemRequest: [item] }))).toBe('10200');
    await switches({ availability: 'open' });
    expect(
      (await qbo.query("select * from Customer where DisplayName = 'After the reset'"))['Customer'],
    ).toBeUndefined();
  });

  it('leaves gaps between ids', async () => {
    await switches({ idGap: 99 });
    const first = await qbo.make('Customer', { DisplayName: 'Gap one' });
    const second = await qbo.make('Customer', { DisplayName: 'Gap two' });
    await switches({ idGap: 0 });
    expect(Number(second['Id']) - Number(first['Id'])).toBe(100);
  });

  it('books cost of goods sold after the sale when costing is delayed', async () => {
    const [income, cost, asset] = await Promise.all(
      ['Sales of Product Income', 'Cost of Goods Sold', 'Inventory Asset'].map((name) => qbo.accountId(name)),
    );
    const item = await qbo.make('Item', {
      ...{ Name: 'Stocked', Type: 'Inventory', TrackQtyOnHand: true, QtyOnHand: 10, InvStartDate: '2026-01-01' },
      ...{ PurchaseCost: 4, IncomeAccountRef: { value: income } },
      ...{ ExpenseAccountRef: { value: cost }, AssetAccountRef: { value: asset } },
    });
    const before = (await qbo.read('Account', asset!))['CurrentBalance'] as number;
    await switches({ costing: 'delayed' });
    const customer = await qbo.make('Customer', { DisplayName: 'Buyer' });
    await qbo.make('Invoice', {
      CustomerRef: { value: customer['Id'] },
      Line: [salesLine(item['Id'], 18, { Qty: 2, UnitPrice: 9 })],
    });
    expect((await qbo.read('Account', asset!))['CurrentBalance']).toBe(before);
    await qbo.steer('PUT', '/clock', { advanceMs: 120_000 });
    expect((await qbo.read('Account', asset!))['CurrentBalance']).toBe(before - 8);
    await switches({ costing: 'immediate' });
  });
});

describe('what holds a record', () => {
  it('a customer with a balance is refused, or adjusted to nothing with the forms the product makes', async () => {
    for (const sign of ['owes', 'is owed']) {
      const customer = await qbo.make('Customer', { DisplayName: `Leaver ${sign}` });
      const form = sign === 'owes' ? 'Invoice' : 'CreditMemo';
      const open = await qbo.make(form, { CustomerRef: { value: customer['Id'] }, Line: [salesLine('1', 75)] });
      const leave = () =>
        qbo.post('/customer', { Id: customer['Id'], SyncToken: '0', sparse: true, Active: false, DisplayName: 'Left' });
      expect(faultCode(await leave())).toBe('6220');
      await switches({ deactivateWithBalance: 'adjust' });
      const left = (await leave()).body['Customer'] as Rec;
      await switches({ deactivateWithBalance: 'refuse' });
      expect(left).toMatchObject({ Active: false, Balance: 0, BalanceWithJobs: 0 });
      expect(await qbo.read(form, open['Id'])).toMatchObject({ Balance: 0 });
      const made = sign === 'owes' ? 'CreditMemo' : 'Invoice';
      const [adjusting] = (await qbo.query(`select * from ${made} where CustomerRef = '${customer['Id']}'`))[made];
      expect(adjusting).toMatchObject({
        TotalAmt: 75,
        PrivateNote: 'Created by QB Online to adjust balance for deletion',
      });
    }
  });

  it('a merchant account and a matched bank line keep a transaction as it is', async () => {
    const customer = await qbo.make('Customer', { DisplayName: 'Held' });
    const sale = await qbo.make('SalesReceipt', { CustomerRef: { value: customer['Id'] }, Line: [salesLine('1', 5)] });
    const change = () => qbo.post('/salesreceipt', { Id: sale['Id'], SyncToken: '0', sparse: true, PrivateNote: 'x' });
    const remove = () => qbo.post('/salesreceipt?operation=delete', { Id: sale['Id'], SyncToken: '0' });
    const key = `SalesReceipt|${sale['Id']}`;
    await switches({ heldBy: { [key]: 'merchant' } });
    expect([faultCode(await change()), faultCode(await remove())]).toEqual(['6110', '6120']);
    await switches({ heldBy: { [key]: 'bank-match' } });
    expect(faultCode(await remove())).toBe('6480');
    await switches({ heldBy: {} });
    expect((await remove()).status).toBe(200);
  });
});

describe('foreign documents', () => {
  it('make the control account of their currency, and show what is open in home currency', async () => {
    const vendor = await qbo.make('Vendor', { DisplayName: 'Paris SARL', CurrencyRef: { value: 'EUR' } });
    const bill = await qbo.make('Bill', {
      VendorRef: { value: vendor['Id'] },
      ExchangeRate: 1.25,
      Line: [expenseLine(await qbo.accountId('Utilities'), 80)],
    });
    const account = await qbo.read('Account', bill['APAccountRef'].value);
    expect(account).toMatchObject({ AccountSubType: 'AccountsPayable', CurrencyRef: { value: 'EUR' } });
    expect(account['CurrentBalance']).toBe(-80);
    expect((await qbo.read('Vendor', vendor['Id']))['Balance']).toBe(80);
    expect(bill).toMatchObject({ Balance: 80, HomeBalance: 100 });
    const customer = await qbo.make('Customer', { DisplayName: 'Lyon SA', CurrencyRef: { value: 'EUR' } });
    const invoice = await qbo.make('Invoice', {
      CustomerRef: { value: customer['Id'] },
      ExchangeRate: 1.5,
      Line: [salesLine('1', 60)],
    });
    expect(invoice).toMatchObject({ Balance: 60, HomeBalance: 90 });
  });
});

describe('a bundle', () => {
  it('brings its items in its quantity, and their income posts', async () => {
    const { company } = qbo.running.emulator.seat(qbo.realmId)!;
    const income = await qbo.accountId('Sales of Product Income');
    const service = await qbo.make('Item', {
      ...{ Name: 'Mowing', Type: 'Service', UnitPrice: 12.5, IncomeAccountRef: { value: income } },
    });
    const groupId = company.nextId('items');
    company.insert('Item', {
      ...service,
      ...{ Id: groupId, Name: 'Garden', FullyQualifiedName: 'Garden', Type: 'Group', UnitPrice: undefined },
      ItemGroupDetail: { ItemGroupLine: [{ ItemRef: { value: service['Id'] }, Qty: 2 }] },
    });
    const customer = await qbo.make('Customer', { DisplayName: 'Bundled' });
    const detail = { GroupItemRef: { value: groupId }, Quantity: 3 };
    const invoice = await qbo.make('Invoice', {
      CustomerRef: { value: customer['Id'] },
      Line: [{ DetailType: 'GroupLineDetail', GroupLineDetail: detail }],
    });
    expect(invoice).toMatchObject({ TotalAmt: 75, Balance: 75 });
    expect(invoice['Line'][0].GroupLineDetail.Line).toMatchObject([
      { Amount: 75, SalesItemLineDetail: { ItemRef: { value: service['Id'] }, Qty: 6, UnitPrice: 12.5 } },
    ]);
    const lines = company.ledger.lines({ type: 'Invoice', id: invoice['Id'] });
    expect(lines.find((line) => line.accountId === income)).toMatchObject({ credit: '75.00' });
  });
});

describe('guards', () => {
  it('a transaction has so many lines, a taxable form fewer', async () => {
    const customer = await qbo.make('Customer', { DisplayName: 'Liner' });
    const ask = (count: number, code: string) =>
      qbo.post('/invoice', {
        CustomerRef: { value: customer['Id'] },
        Line: Array.from({ length: count }, () => salesLine('1', 1, { TaxCodeRef: { value: code } })),
      });
    await qbo.steer('PUT', '/limits', { linesPerTransaction: 4, taxableLines: 2 });
    expect((await ask(4, 'NON')).status).toBe(200);
    expect(faultCode(await ask(5, 'NON'))).toBe('6000');
    expect(faultCode(await ask(3, 'TAX'))).toBe('6000');
    await qbo.steer('PUT', '/limits', { all: false });
  });

  it('an answer that takes longer than the server waits becomes a 504, and the write stands', async () => {
    await qbo.steer('PUT', '/limits', { serverTimeoutMs: 5, latency: { meanMs: 50, jitterMs: 0 } });
    expect((await qbo.post('/customer', { DisplayName: 'Late' })).status).toBe(504);
    await qbo.steer('PUT', '/limits', { all: false, latency: { meanMs: 0, jitterMs: 0 } });
    expect((await qbo.query("select * from Customer where DisplayName = 'Late'"))['Customer']).toHaveLength(1);
  });

  it('a used request id is refused with 600 instead of replayed when asked to', async () => {
    const ask = () => qbo.post('/customer?requestid=once', { DisplayName: 'Once' });
    const first = await ask();
    await qbo.steer('PUT', '/limits', { requestIds: { duplicates: 'refuse' } });
    expect(faultCode(await ask())).toBe('600');
    await qbo.steer('PUT', '/limits', { requestIds: { duplicates: 'replay' } });
    expect((await ask()).text).toBe(first.text);
  });

  it('a repeated batch is refused item by item with 600, and nothing is made twice', async () => {
    const item = { bId: '1', operation: 'create', Customer: { DisplayName: 'Once by batch' } };
    const ask = () => qbo.post('/batch?requestid=once-batch', { BatchItemRequest: [item] });
    const [first] = (await ask()).body['BatchItemResponse'] as Rec[];
    await qbo.steer('PUT', '/limits', { requestIds: { duplicates: 'refuse' } });
    const [second] = (await ask()).body['BatchItemResponse'] as Rec[];
    await qbo.steer('PUT', '/limits', { requestIds: { duplicates: 'replay' } });
    const [third] = (await ask()).body['BatchItemResponse'] as Rec[];
    expect([second!['bId'], second!['Fault'].Error[0].code]).toEqual(['1', '600']);
    expect(third).toEqual(first);
  });

  it('a token answer can be lost after the token has turned', async () => {
    const refresh = () =>
      fetch(`${qbo.running.url}/oauth2/v1/tokens/bearer`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${qbo.clientId}:${qbo.clientSecret}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: `grant_type=refresh_token&refresh_token=${encodeURIComponent(qbo.refreshToken)}`,
      });
    await qbo.steer('POST', '/faults', { match: { operation: 'token' }, fault: 'reset-after-commit', times: 1 });
    await expect(refresh()).rejects.toThrow();
    expect((await refresh()).status).toBe(200);
  });

  it('a merge takes the starting quantity of an item along', async () => {
    const [income, cost, asset] = await Promise.all(
      ['Sales of Product Income', 'Cost of Goods Sold', 'Inventory Asset'].map((name) => qbo.accountId(name)),
    );
    const make = (Name: string, QtyOnHand: number) =>
      qbo.make('Item', {
        ...{ Name, QtyOnHand, Type: 'Inventory', TrackQtyOnHand: true, InvStartDate: '2026-01-01', PurchaseCost: 1 },
        ...{ IncomeAccountRef: { value: income }, ExpenseAccountRef: { value: cost } },
        ...{ AssetAccountRef: { value: asset } },
      });
    const [winner, loser] = [await make('Winner', 2), await make('Loser', 3)];
    const { engine } = qbo.running.emulator.seat(qbo.realmId)!;
    engine.merge('Item', loser['Id'], winner['Id']);
    expect((await qbo.read('Item', winner['Id']))['QtyOnHand']).toBe(5);
  });
});

describe('over a restart', () => {
  it('keeps switches, and delivers the webhooks nobody acknowledged', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'qbo-emulator-spec-'));
    let answer = 500;
    const received: string[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (answer === 200) received.push(body);
        response.writeHead(answer).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    try {
      let running = await startEmulator({ clock: 'virtual', dataDir });
      const steer = (method: string, path: string, body?: Rec) => send(running.url, method, `/_emulator${path}`, body);
      await steer('PUT', '/webhooks', { maxDelayMs: 0, aggregateMs: 0 });
      const webhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
      const { clientId } = (await steer('POST', '/apps', { name: 'a', webhookUrl })).body;
      const { realmId } = (await steer('POST', '/companies', { name: 'A' })).body;
      const { accessToken } = (await steer('POST', '/grants', { clientId, realmId })).body;
      await steer('PUT', `/companies/${realmId}/switches`, { cdcTooOld: '6000' });
      const headers = { authorization: `Bearer ${accessToken}` };
      await send(running.url, 'POST', `/v3/company/${realmId}/customer`, { DisplayName: 'Owed' }, headers);
      await steer('PUT', '/clock', { advanceMs: 1_000 });
      await running.close();
      answer = 200;
      running = await startEmulator({ clock: 'virtual', dataDir });
      await steer('PUT', '/clock', { advanceMs: 2_000 });
      expect(received.join('')).toContain('qbo.customer.created.v1');
      expect((await steer('GET', `/companies/${realmId}/switches`)).body['cdcTooOld']).toBe('6000');
      await running.close();
      received.length = 0;
      running = await startEmulator({ clock: 'virtual', dataDir });
      await steer('PUT', '/clock', { advanceMs: 60_000 });
      expect(received).toEqual([]);
      await running.close();
    } finally {
      receiver.closeAllConnections();
      receiver.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
