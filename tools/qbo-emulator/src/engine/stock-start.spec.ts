// No stock before its first day: an item put on an older document later is refused as it is on a new one.
import { VirtualClock } from '../clock/index.js';
import { Company } from '../company/company.js';
import { furnishEmptyCompany } from '../company/empty-company.js';
import { actorOn } from '../people/actor.js';
import { Bookkeeper } from '../people/bookkeeper.js';
import { Chance } from '../people/chance.js';
import { Engine } from './engine.js';

it('an item cannot be put on a document that is older than its stock (6270); what is there already may stay', () => {
  const company = new Company(
    { realmId: '77', name: 'Fern & Stone', country: 'US', homeCurrency: 'USD' },
    new VirtualClock(Date.UTC(2026, 5, 15, 18)),
  );
  furnishEmptyCompany(company, { multicurrency: false });
  const actor = actorOn(new Engine(company));
  const books = new Bookkeeper(actor, new Chance(1), '2026-06-01');
  const customer = books.customer({});
  const service = books.item('Service');
  const stock = books.item('Inventory');
  const line = (item: Record<string, unknown>) => ({
    ...{ DetailType: 'SalesItemLineDetail', Amount: 10 },
    SalesItemLineDetail: { ItemRef: { value: item['Id'] }, Qty: 1, UnitPrice: 10 },
  });
  const dayBefore = new Date(Date.parse(String(stock['InvStartDate'])) - 86_400_000).toISOString().slice(0, 10);
  const invoice = actor.create('Invoice', {
    ...{ CustomerRef: { value: customer['Id'] }, TxnDate: dayBefore, Line: [line(service)] },
  });
  const put = () => actor.update('Invoice', { Id: invoice['Id'], Line: [line(service), line(stock)] });
  expect(put).toThrow(/prior to start date|start date/i);
  actor.update('Invoice', { Id: invoice['Id'], TxnDate: stock['InvStartDate'] });
  expect(put).not.toThrow();
  expect(() => actor.update('Invoice', { Id: invoice['Id'], PrivateNote: 'paid soon' })).not.toThrow();
});

it('a person may adjust what an item began with: stock, inventory and equity follow, and the item moves', () => {
  const company = new Company(
    { realmId: '78', name: 'Fern & Stone', country: 'US', homeCurrency: 'USD' },
    new VirtualClock(Date.UTC(2026, 5, 15, 18)),
  );
  furnishEmptyCompany(company, { multicurrency: false });
  const books = new Bookkeeper(actorOn(new Engine(company)), new Chance(1), '2026-06-01');
  const item = company.get('Item', books.item('Inventory')['Id'])!;
  const asset = String(item['AssetAccountRef'].value);
  const began = Number(company.ledger.itemQuantity(item['Id']));
  const token = Number(item['SyncToken']);
  company.restartInventory(item, { quantity: began + 2, value: '90.00' });
  expect(company.get('Item', item['Id'])).toMatchObject({ QtyOnHand: began + 2, SyncToken: String(token + 1) });
  expect(Number(company.ledger.accountBalance(asset))).toBe(90);
  company.restartInventory(item, { quantity: began + 2, value: '95.00' });
  expect(company.get('Item', item['Id'])).toMatchObject({ QtyOnHand: began + 2, SyncToken: String(token + 2) });
});
