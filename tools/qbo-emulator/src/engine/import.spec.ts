// What is imported posts as if it had been entered in its order: lists are there before the documents that name them.
import { VirtualClock } from '../clock/index.js';
import { Company } from '../company/company.js';
import { furnishEmptyCompany } from '../company/empty-company.js';
import type { Rec } from '../types.js';
import { Engine } from './engine.js';
import { importRecords } from './import.js';

it('a bill of a stock item posts to its stock, although B comes before I', () => {
  const company = new Company(
    { realmId: '1', name: 'Import', country: 'US', homeCurrency: 'USD' },
    new VirtualClock(Date.UTC(2026, 4, 6)),
  );
  furnishEmptyCompany(company, { multicurrency: false });
  const account = (type: string, subType?: string): Rec => {
    const found = [...company.all('Account')].find(
      (one) => one['AccountType'] === type && (subType === undefined || one['AccountSubType'] === subType),
    )!;
    return { value: found['Id'], name: found['Name'] };
  };
  const stock = account('Other Current Asset', 'Inventory');
  importRecords(new Engine(company), {
    Vendor: [{ Id: '901', DisplayName: 'Norton' }],
    Item: [
      {
        ...{ Id: '902', Name: 'Pump', Type: 'Inventory', TrackQtyOnHand: true, QtyOnHand: 8, PurchaseCost: 10 },
        ...{ InvStartDate: '2026-01-01', AssetAccountRef: stock, IncomeAccountRef: account('Income') },
        ExpenseAccountRef: account('Cost of Goods Sold'),
      },
    ],
    Bill: [
      {
        ...{ Id: '903', TxnDate: '2026-02-01', VendorRef: { value: '901' }, TotalAmt: 80 },
        Line: [
          {
            ...{ Id: '1', Amount: 80, DetailType: 'ItemBasedExpenseLineDetail' },
            ItemBasedExpenseLineDetail: { ItemRef: { value: '902' }, Qty: 8, UnitPrice: 10 },
          },
        ],
      },
    ],
  });
  const lines = company.ledger.lines({ type: 'Bill', id: '903' });
  expect(lines.find((line) => line.accountId === stock['value'])).toMatchObject({ debit: '80.00' });
});
