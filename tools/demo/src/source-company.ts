// A small company with a year behind it: customers with sub-customers, items, invoices (open, part-paid, paid, void),
// bills, classes and locations, two attachments, and records that were edited and deleted since.
import type { Raw } from '#testing';
import type { Accounting } from '../../installation/src/accounting.js';
import { Chance } from './chance.js';

const firstNames = ['Ada', 'Ben', 'Clara', 'David', 'Ella', 'Frank', 'Grace', 'Hugo', 'Iris', 'Jonas', 'Kim', 'Lena'];
const lastNames = [
  'Archer',
  'Baker',
  'Carver',
  'Dyer',
  'Fisher',
  'Glover',
  'Hunter',
  'Mason',
  'Potter',
  'Sawyer',
  'Tanner',
];
const trades = ['Landscaping', 'Roofing', 'Bakery', 'Design', 'Catering', 'Motors', 'Books', 'Farms'];
const services = [
  'Consulting',
  'Installation',
  'Maintenance',
  'Design',
  'Training',
  'Repair',
  'Inspection',
  'Transport',
];
const supplies = ['Timber', 'Paint', 'Tiles', 'Cable', 'Pipes', 'Tools', 'Gravel'];

const ref = (record: Raw) => ({ value: String(record.Id) });
const dollars = (cents: number): number => cents / 100;

export async function buildSource(books: Accounting, seed: number, say: (text: string) => void): Promise<void> {
  const chance = new Chance(seed);
  const today = Date.now();
  const day = (ago: number): string => new Date(today - ago * 86_400_000).toISOString().slice(0, 10);
  const person = () => [chance.of(firstNames), chance.of(lastNames)] as const;
  const accounts = await books.query('select * from Account maxresults 1000');
  const account = (subType: string): Raw => accounts.find((a) => a.AccountSubType === subType)!;
  const income = account('ServiceFeeIncome');
  const sales = account('SalesOfProductIncome');
  const costs = account('SuppliesMaterialsCogs');
  const expenses = accounts.filter((a) => a.AccountType === 'Expense');
  const terms = await books.query('select * from Term');
  const methods = await books.query('select * from PaymentMethod');

  say('accounts, classes, locations');
  const [tradeIncome] = await books.writeAll('Account', [
    { Name: 'Trade Income', AccountType: 'Income', AccountSubType: 'SalesOfProductIncome', AcctNum: '4100' },
    { Name: 'Subcontractors', AccountType: 'Cost of Goods Sold', AccountSubType: 'CostOfLaborCos', AcctNum: '5200' },
  ]);
  await books.writeAll('Account', [
    {
      Name: 'Trade Income West',
      AccountType: 'Income',
      AccountSubType: 'SalesOfProductIncome',
      SubAccount: true,
      ParentRef: ref(tradeIncome),
    },
  ]);
  await books.writeAll('Class', [{ Name: 'Residential' }, { Name: 'Commercial' }]);
  await books.writeAll('Department', [{ Name: 'North' }, { Name: 'South' }]);

  say('customers, vendors, items');
  const customers = await books.writeAll(
    'Customer',
    Array.from({ length: 22 }, (_, i) => {
      const [given, family] = person();
      const company = chance.happens(0.5);
      return {
        DisplayName: company ? `${family} ${trades[i % trades.length]} ${i + 1}` : `${given} ${family} ${i + 1}`,
        GivenName: given,
        FamilyName: family,
        ...(company && { CompanyName: `${family} ${trades[i % trades.length]}` }),
        PrimaryEmailAddr: { Address: `${given}.${family}${i}@example.com`.toLowerCase() },
        PrimaryPhone: { FreeFormNumber: `(555) 010-${1000 + i}` },
        BillAddr: {
          Line1: `${i + 1} Main Street`,
          City: 'Springfield',
          CountrySubDivisionCode: 'CA',
          PostalCode: String(90_000 + i),
        },
        SalesTermRef: ref(chance.of(terms)),
        Notes: `Customer since ${2015 + (i % 10)}`,
      };
    }),
  );
  const jobs = await books.writeAll(
    'Customer',
    Array.from({ length: 8 }, (_, i) => ({
      DisplayName: `Project ${i + 1}`,
      Job: true,
      ParentRef: ref(customers[i % 7]),
      BillWithParent: chance.happens(0.5),
    })),
  );
  const vendors = await books.writeAll(
    'Vendor',
    Array.from({ length: 10 }, (_, i) => ({
      DisplayName: `${chance.of(lastNames)} ${supplies[i % supplies.length]} Supply ${i + 1}`,
      AcctNum: `V-${100 + i}`,
      Vendor1099: i % 5 === 0,
      TermRef: ref(chance.of(terms)),
    })),
  );
  const items = await books.writeAll('Item', [
    ...services.map((name, i) => ({
      Name: name,
      Type: 'Service',
      UnitPrice: dollars(chance.between(5000, 20_000)),
      Description: `${name} by the hour`,
      IncomeAccountRef: ref(i % 2 ? income : tradeIncome),
    })),
    ...supplies.map((name, i) => ({
      Name: name,
      Type: 'NonInventory',
      Sku: `SKU-${200 + i}`,
      UnitPrice: dollars(chance.between(500, 9000)),
      PurchaseCost: dollars(chance.between(300, 4000)),
      IncomeAccountRef: ref(sales),
      ExpenseAccountRef: ref(costs),
    })),
  ]);

  say('a year of invoices');
  const everybody = [...customers, ...jobs];
  const invoices = await books.writeAll(
    'Invoice',
    Array.from({ length: 120 }, (_, i) =>
      invoice(chance, chance.of(everybody), items, day(360 - Math.floor(i * 2.95)), terms, 1001 + i),
    ),
  );

  say('payments and bills');
  await books.writeAll(
    'Payment',
    invoices.slice(0, 70).map((paid, i) => {
      const whole = Math.round(paid.TotalAmt * 100);
      // Every fourth in part, every tenth with some cash left over.
      const cents = i % 4 === 3 ? Math.round(whole * 0.4) : whole;
      const extra = i % 10 === 5 ? 1500 : 0;
      return {
        CustomerRef: paid.CustomerRef,
        TxnDate: paid.DueDate,
        TotalAmt: dollars(cents + extra),
        PaymentMethodRef: ref(chance.of(methods)),
        PaymentRefNum: String(7000 + i),
        Line: [{ Amount: dollars(cents), LinkedTxn: [{ TxnId: paid.Id, TxnType: 'Invoice' }] }],
      };
    }),
  );
  const bills = await books.writeAll(
    'Bill',
    Array.from({ length: 46 }, (_, i) =>
      bill(chance, chance.of(vendors), expenses, items, customers, day(350 - i * 7), i),
    ),
  );

  say('corrections and attachments');
  await books.writeAll(
    'Invoice',
    invoices.slice(78, 92).map((record) => ({
      Id: record.Id,
      SyncToken: record.SyncToken,
      sparse: true,
      CustomerMemo: { value: 'Thank you for waiting' },
    })),
    'update',
  );
  for (const record of invoices.slice(93, 95))
    await books.write('Invoice', { Id: record.Id, SyncToken: record.SyncToken }, 'void');
  await books.write('Invoice', { Id: invoices[96].Id, SyncToken: invoices[96].SyncToken }, 'delete');
  await books.write('Bill', { Id: bills[38].Id, SyncToken: bills[38].SyncToken }, 'delete');
  await books.attach({ type: 'Invoice', id: invoices[40].Id }, 'timesheet.csv', fileOf(chance, 3_000), 'text/csv');
  await books.attach({ type: 'Bill', id: bills[5].Id }, 'receipt.pdf', fileOf(chance, 180_000), 'application/pdf');
}

/** Content nobody could guess. */
export function fileOf(chance: Chance, bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => chance.between(32, 126)));
}

export function invoice(chance: Chance, customer: Raw, items: Raw[], date: string, terms: Raw[], number: number): Raw {
  return {
    DocNumber: String(number),
    CustomerRef: ref(customer),
    TxnDate: date,
    SalesTermRef: ref(chance.of(terms)),
    PrivateNote: `Order ${chance.between(10_000, 99_999)}`,
    Line: Array.from({ length: chance.between(1, 4) }, () => salesLine(chance, chance.of(items))),
  };
}

function salesLine(chance: Chance, item: Raw): Raw {
  const quantity = chance.between(1, 12);
  const cents = chance.between(800, 18_000);
  return {
    DetailType: 'SalesItemLineDetail',
    Amount: dollars(quantity * cents),
    Description: `${item.Name} for the job`,
    SalesItemLineDetail: { ItemRef: ref(item), Qty: quantity, UnitPrice: dollars(cents) },
  };
}

export function bill(
  chance: Chance,
  vendor: Raw,
  expenses: Raw[],
  items: Raw[],
  customers: Raw[],
  date: string,
  number: number,
): Raw {
  const itemLine = () => {
    const quantity = chance.between(1, 20);
    const cents = chance.between(300, 5000);
    const bought = chance.of(items.filter((item) => item.Type === 'NonInventory'));
    return {
      DetailType: 'ItemBasedExpenseLineDetail',
      Amount: dollars(quantity * cents),
      ItemBasedExpenseLineDetail: { ItemRef: ref(bought), Qty: quantity, UnitPrice: dollars(cents) },
    };
  };
  const accountLine = () => ({
    DetailType: 'AccountBasedExpenseLineDetail',
    Amount: dollars(chance.between(1000, 90_000)),
    Description: 'As agreed',
    AccountBasedExpenseLineDetail: {
      AccountRef: ref(chance.of(expenses)),
      ...(chance.happens(0.3) && { CustomerRef: ref(chance.of(customers)), BillableStatus: 'NotBillable' }),
    },
  });
  return {
    VendorRef: ref(vendor),
    TxnDate: date,
    DocNumber: `B-${5000 + number}`,
    PrivateNote: `Delivery ${chance.between(10_000, 99_999)}`,
    Line: Array.from({ length: chance.between(1, 3) }, () => (chance.happens(0.5) ? itemLine() : accountLine())),
  };
}
