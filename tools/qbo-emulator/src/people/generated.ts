// The generated company: lists in proportion to its size, then a history in order of dates, each document drawn by how
// often small companies enter it. The same seed and options give the same history.
import type { CompanyView, Rec } from '../types.js';
import type { Actor } from './actor.js';
import { Bookkeeper, cents, isHome } from './bookkeeper.js';
import { Chance, dayAfter } from './chance.js';
import { Attempts, type Refused, enterEveryLink, enterLists } from './every-kind.js';

export interface GeneratorOptions {
  seed?: number;
  /** About how many transactions the history holds. */
  transactions?: number;
  years?: number;
  /** Foreign customers and vendors, where the company has multicurrency. */
  currency?: string;
  /** What is bought has another price each time. */
  movingPrices?: boolean;
}

export interface Furnished {
  counts: Record<string, number>;
  refused: Refused[];
}

// Shares of documents per hundred, estimated from small service and trade companies [inferred].
const shares = {
  Invoice: 27,
  Payment: 19,
  SalesReceipt: 7,
  Bill: 12,
  BillPayment: 8,
  Purchase: 11,
  Deposit: 4,
  Estimate: 3,
  EstimateToInvoice: 1,
  CreditMemo: 1.5,
  RefundReceipt: 0.7,
  VendorCredit: 0.8,
  JournalEntry: 2,
  Transfer: 1,
  PurchaseOrder: 1.5,
  OrderToBill: 1,
  TimeActivity: 2,
  CreditCardPayment: 0.4,
  InventoryAdjustment: 0.3,
  Attachable: 0.8,
} as const;
type Kind = keyof typeof shares;

export function generate(actor: Actor, options: GeneratorOptions = {}): Furnished {
  const { company } = actor;
  const transactions = Math.max(0, options.transactions ?? 1_000);
  const years = Math.max(0.1, options.years ?? 2);
  const chance = new Chance(options.seed ?? 1);
  const end = company.today();
  const start = dayAfter(end, -Math.round(years * 365));
  const books = new Bookkeeper(actor, chance, start);
  books.writesHistory = true;
  books.movingPrices = options.movingPrices === true;
  books.date = start;
  const attempts = new Attempts();
  const scale = Math.sqrt(transactions);
  enterLists(books, attempts, start, {
    customers: Math.round(8 + Math.min(5_000, scale * 2 + transactions / 60)),
    vendors: Math.round(5 + Math.min(800, scale * 0.7)),
    items: Math.round(8 + Math.min(150, scale * 0.5)),
    currency: options.currency,
  });
  const before = countTransactions(company);
  books.date = dayAfter(start, 3);
  enterEveryLink(books, attempts);
  const days = Math.max(1, Math.round(years * 365) - 20);
  const first = countTransactions(company) - before;
  // Not every draw is a transaction (a file, a refusal), so the count decides; the bound is for a company that refuses all.
  for (let done = first, draws = 0; done < transactions && draws < 3 * transactions; draws++) {
    books.date = dayAfter(start, 20 + Math.floor(((done - first) / Math.max(1, transactions - first)) * (days - 1)));
    const kind = chance.weighted<Kind>(shares);
    // What cannot be done just now (nothing open to pay) becomes the commonest act instead.
    if (!attempts.run(kind, () => enter(books, kind))) attempts.run('Invoice', () => books.invoice());
    done = countTransactions(company) - before;
  }
  actor.backdate?.(undefined);
  return { counts: countAll(company), refused: attempts.refused };
}

function enter(books: Bookkeeper, kind: Kind): Rec | undefined {
  const { chance, company } = books;
  const home = company.homeCurrency();
  const open = (rec: Rec): boolean => Number(rec.Balance) > 0;
  switch (kind) {
    case 'Invoice':
      return books.invoice();
    case 'Payment':
      return payOpenInvoices(books);
    case 'SalesReceipt':
    case 'CreditMemo':
    case 'RefundReceipt':
    case 'Estimate':
      return books.salesDocument(kind);
    case 'EstimateToInvoice': {
      const estimate = books.findRecent('Estimate', (rec) => rec.TxnStatus !== 'Closed');
      return estimate && invoiceEstimate(books, estimate);
    }
    case 'Bill':
    case 'VendorCredit':
      return books.bill({ type: kind });
    case 'BillPayment': {
      const bill = books.findRecent('Bill', open);
      return (
        bill &&
        books.billPayment([bill], {
          byCard: isHome(bill, home) && chance.happens(0.2),
          cents: chance.happens(0.8) ? undefined : Math.ceil(cents(bill.Balance) / 2),
        })
      );
    }
    case 'Purchase':
      return books.purchase();
    case 'Deposit':
      return depositWhatWaits(books);
    case 'JournalEntry': {
      const sum = chance.cents(1_000, 200_000);
      return books.journal([
        { account: books.expenseAccount(), cents: sum, posting: 'Debit' },
        { account: books.bank(), cents: sum, posting: 'Credit' },
      ]);
    }
    case 'Transfer': {
      const from = books.bank();
      const to = books.find('Account', (rec) => rec.AccountType === 'Bank' && rec.Id !== from.Id && isHome(rec, home));
      return to && books.transfer(from, to, chance.cents(10_000, 500_000));
    }
    case 'PurchaseOrder':
      return books.purchaseOrder();
    case 'OrderToBill': {
      const order = books.findRecent('PurchaseOrder', (rec) => rec.POStatus === 'Open');
      return order && books.billFromOrder(order);
    }
    case 'TimeActivity':
      return books.timeActivity();
    case 'CreditCardPayment':
      return books.cardPayment(chance.cents(5_000, 100_000));
    case 'InventoryAdjustment': {
      if (books.country !== 'US') return undefined;
      const item = books.find(
        'Item',
        (rec) => rec.Type === 'Inventory' && Number(rec.QtyOnHand) > 30 && String(rec.InvStartDate) <= books.date,
      );
      return item && books.stockCount(item, chance.whole(-4, -1));
    }
    case 'Attachable': {
      const type = chance.pick(['Invoice', 'Bill', 'Purchase']);
      const rec = books.findRecent(type, () => true);
      return rec && books.attachment({ type, rec });
    }
  }
}

export function invoiceEstimate(books: Bookkeeper, estimate: Rec): Rec {
  const customer = books.company.get('Customer', estimate.CustomerRef.value as string);
  const lines = (estimate.Line as Rec[])
    .filter((line) => line.DetailType === 'SalesItemLineDetail')
    .map((line) => copyOfLine(line));
  return books.invoice({ customer, lines, more: { LinkedTxn: [{ TxnId: estimate.Id, TxnType: 'Estimate' }] } });
}

/** A line as a client would send it again: without what the server gave it. */
export function copyOfLine(line: Rec): Rec {
  const detail = { ...(line[line.DetailType as string] as Rec) };
  delete detail.ItemAccountRef;
  return {
    DetailType: line.DetailType,
    Description: line.Description,
    Amount: line.Amount,
    [line.DetailType as string]: detail,
  };
}

export function payOpenInvoices(books: Bookkeeper): Rec | undefined {
  const { chance } = books;
  const first = books.findRecent('Invoice', (rec) => Number(rec.Balance) > 0);
  if (!first) return undefined;
  const more = chance.happens(0.15)
    ? books.findRecent(
        'Invoice',
        (rec) =>
          Number(rec.Balance) > 0 &&
          rec.Id !== first.Id &&
          rec.CustomerRef.value === first.CustomerRef.value &&
          rec.CurrencyRef?.value === first.CurrencyRef?.value &&
          rec.ExchangeRate === first.ExchangeRate,
      )
    : undefined;
  const invoices = more ? [first, more] : [first];
  const part = !more && chance.happens(0.2);
  return books.payment(invoices, {
    cents: part ? Math.ceil(cents(first.Balance) * (0.2 + chance.part() * 0.6)) : undefined,
  });
}

/** Receipts that wait in Undeposited Funds go to the bank together. */
export function depositWhatWaits(books: Bookkeeper, most = 5): Rec | undefined {
  const { company } = books;
  const home = company.homeCurrency();
  const waiting = company.accountBySubType('UndepositedFunds')?.Id as string | undefined;
  const parts: { type: string; rec: Rec; cents: number }[] = [];
  for (const type of ['Payment', 'SalesReceipt'] as const) {
    const ids = books.idsOf(type);
    for (let n = ids.length - 1; n >= Math.max(0, ids.length - 60) && parts.length < most; n--) {
      const rec = company.get(type, ids[n]!);
      if (!rec || rec.DepositToAccountRef?.value !== waiting || Number(rec.TotalAmt) <= 0 || !isHome(rec, home))
        continue;
      if ((rec.LinkedTxn as Rec[] | undefined)?.some(({ TxnType }) => TxnType === 'Deposit')) continue;
      parts.push({ type, rec, cents: cents(rec.TotalAmt) });
    }
  }
  return parts.length > 0 ? books.deposit(parts) : undefined;
}

const transactionTypes = [
  'Invoice',
  'Payment',
  'SalesReceipt',
  'CreditMemo',
  'RefundReceipt',
  'Estimate',
  'Bill',
  'BillPayment',
  'VendorCredit',
  'Purchase',
  'PurchaseOrder',
  'Deposit',
  'Transfer',
  'JournalEntry',
  'CreditCardPayment',
  'InventoryAdjustment',
  'TimeActivity',
];
const otherTypes = [
  'Account',
  'Attachable',
  'Budget',
  'Class',
  'CompanyCurrency',
  'Customer',
  'CustomerType',
  'Department',
  'Employee',
  'ExchangeRate',
  'Item',
  'PaymentMethod',
  'RecurringTransaction',
  'ReimburseCharge',
  'TaxAgency',
  'TaxCode',
  'TaxRate',
  'Term',
  'Vendor',
];

function countTransactions(company: CompanyView): number {
  return transactionTypes.reduce((sum, type) => sum + company.count(type), 0);
}

export function countAll(company: CompanyView): Record<string, number> {
  return Object.fromEntries(
    [...transactionTypes, ...otherTypes]
      .map((type) => [type, company.count(type)] as const)
      .filter(([, count]) => count > 0),
  );
}
