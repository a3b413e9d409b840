// Presets and the person at work, against the real engine and ledger: sensible books, every kind of link, equal seeds
// equal companies.
import { entityTypes } from '../catalogue/catalogue.js';
import { VirtualClock } from '../clock/index.js';
import { Company } from '../company/company.js';
import { furnishEmptyCompany } from '../company/empty-company.js';
import { Engine } from '../engine/engine.js';
import type { Rec } from '../types.js';
import { actorOn } from './actor.js';
import { awkwardActs } from './awkward.js';
import { acts, workAsPerson } from './edits.js';
import { generate } from './generated.js';
import { furnishSample } from './sample.js';

function newEngine(country = 'US', homeCurrency = 'USD', multicurrency = false): Engine {
  const company = new Company(
    { realmId: '77', name: 'Fern & Stone', country, homeCurrency },
    new VirtualClock(Date.UTC(2026, 5, 15, 18)),
  );
  furnishEmptyCompany(company, { multicurrency });
  return new Engine(company);
}

const inCents = (value: unknown): number => Math.round(Number(value ?? 0) * 100);

/** The books balance, nothing is paid twice, and what names owe is what the control accounts say. */
function assertSensible(company: Company): void {
  const total = company.ledger
    .trialBalance()
    .reduce((sum, { debit, credit }) => sum + inCents(debit) - inCents(credit), 0);
  expect(total).toBe(0);
  for (const type of ['Invoice', 'Bill']) {
    for (const rec of company.all(type)) {
      expect(Number(rec.Balance)).toBeGreaterThanOrEqual(0);
      expect(Number(rec.Balance)).toBeLessThanOrEqual(Number(rec.TotalAmt));
    }
  }
  const home = company.homeCurrency();
  const sum = (type: string, field: string, fits: (rec: Rec) => boolean = () => true): number =>
    [...company.all(type)]
      .filter((rec) => (rec.CurrencyRef?.value ?? home) === home && fits(rec))
      .reduce((cents, rec) => cents + inCents(rec[field]), 0);
  expect(sum('Account', 'CurrentBalance', (rec) => rec.AccountType === 'Accounts Receivable')).toBe(
    sum('Customer', 'Balance'),
  );
  expect(
    sum('Account', 'CurrentBalance', (rec) => rec.AccountType === 'Accounts Payable') + sum('Vendor', 'Balance'),
  ).toBe(0);
}

const linksOf = (rec: Rec): Rec[] => [
  ...((rec.LinkedTxn as Rec[]) ?? []),
  ...((rec.Line as Rec[]) ?? []).flatMap((line) => (line.LinkedTxn as Rec[]) ?? []),
];

function linkKinds(company: Company): Set<string> {
  const kinds = new Set<string>();
  for (const type of [
    'Payment',
    'BillPayment',
    'Deposit',
    'Invoice',
    'Bill',
    'Purchase',
    'Estimate',
    'PurchaseOrder',
    'SalesReceipt',
    'VendorCredit',
    'JournalEntry',
    'ReimburseCharge',
  ]) {
    for (const rec of company.all(type)) for (const link of linksOf(rec)) kinds.add(`${type}>${link.TxnType}`);
  }
  return kinds;
}

// Section 12's table: what owns a link, and what shows it.
const everyLink = [
  ...['Payment>Invoice', 'Payment>CreditMemo', 'Payment>JournalEntry', 'Payment>Expense', 'Payment>Deposit'],
  ...['BillPayment>Bill', 'BillPayment>VendorCredit', 'BillPayment>JournalEntry', 'BillPayment>Deposit'],
  ...['Deposit>Payment', 'Deposit>SalesReceipt', 'Deposit>RefundReceipt', 'Deposit>JournalEntry', 'Deposit>Transfer'],
  ...['Invoice>Estimate', 'Invoice>TimeActivity', 'Invoice>ReimburseCharge', 'Invoice>Payment', 'Estimate>Invoice'],
  ...[
    'Bill>PurchaseOrder',
    'Bill>BillPaymentCheck',
    'Purchase>PurchaseOrder',
    'PurchaseOrder>Bill',
    'PurchaseOrder>Purchase',
  ],
  ...['SalesReceipt>Deposit', 'VendorCredit>BillPayment', 'JournalEntry>BillPayment', 'ReimburseCharge>Purchase'],
];
// Made elsewhere or nowhere: TaxService has no records, JournalCode is French.
const everyType = entityTypes
  .map(({ entity }) => entity)
  .filter((entity) => !['TaxService', 'JournalCode'].includes(entity));

describe('generated', () => {
  it('holds as many transactions as asked, every type and every kind of link, multicurrency included, and balances', () => {
    const engine = newEngine('US', 'USD', true);
    const { refused, counts } = generate(actorOn(engine), { seed: 3, transactions: 300, years: 3, currency: 'EUR' });
    const kinds = linkKinds(engine.company);
    expect(refused).toEqual([]);
    expect(everyType.filter((type) => engine.company.count(type) === 0)).toEqual([]);
    expect(everyLink.filter((kind) => !kinds.has(kind))).toEqual([]);
    expect(transactionsIn(counts)).toBeGreaterThanOrEqual(300);
    expect(transactionsIn(counts)).toBeLessThan(330);
    const years = new Set([...engine.company.all('Invoice')].map((rec) => String(rec.TxnDate).slice(0, 4)));
    expect([...years].sort()).toEqual(['2023', '2024', '2025', '2026']);
    assertSensible(engine.company);
  });

  it('has files with bytes, invoices part-paid, fully paid and open, jobs below customers, inactive and voided ones', () => {
    const engine = newEngine();
    const files: number[] = [];
    generate(actorOn(engine, { keepFile: (_rec, content) => files.push(content.length) }), {
      seed: 8,
      transactions: 160,
      years: 1,
    });
    const invoices = [...engine.company.all('Invoice')];
    const some = (fits: (rec: Rec) => boolean, list = invoices): boolean => list.some(fits);
    expect(files.length).toBeGreaterThanOrEqual(2);
    expect(some((rec) => Number(rec.Balance) === 0 && Number(rec.TotalAmt) > 0)).toBe(true);
    expect(some((rec) => Number(rec.Balance) > 0 && Number(rec.Balance) < Number(rec.TotalAmt))).toBe(true);
    expect(some((rec) => Number(rec.Balance) === Number(rec.TotalAmt) && Number(rec.TotalAmt) > 0)).toBe(true);
    expect(some((rec) => String(rec.PrivateNote).startsWith('Voided'))).toBe(true);
    const customers = [...engine.company.all('Customer')];
    expect(
      some((rec) => rec.ParentRef !== undefined, customers) && some((rec) => rec.Active === false, customers),
    ).toBe(true);
  });

  it.each([
    ['CA', 'CAD'],
    ['GB', 'GBP'],
    ['AU', 'AUD'],
  ])('works in %s', (country, currency) => {
    const engine = newEngine(country, currency);
    const { refused, counts } = generate(actorOn(engine), { seed: 4, transactions: 250, years: 1 });
    // Counting stock through the API is for companies in the United States.
    expect(refused.filter(({ what }) => what !== 'InventoryAdjustment')).toEqual([]);
    expect(transactionsIn(counts)).toBeGreaterThan(230);
    assertSensible(engine.company);
  });

  it('was written over its years: times follow the dates, nothing is younger than the clock, little changed this month', () => {
    const engine = newEngine();
    generate(actorOn(engine), { seed: 3, transactions: 400, years: 2 });
    const invoices = [...engine.company.all('Invoice')];
    const dayOf = (time: unknown): string => String(time).slice(0, 10);
    for (const rec of invoices) {
      expect(dayOf(rec.MetaData.CreateTime) >= rec.TxnDate).toBe(true);
      expect(Date.parse(rec.MetaData.CreateTime as string)).toBeLessThanOrEqual(
        Date.parse(rec.MetaData.LastUpdatedTime as string),
      );
      expect(Date.parse(rec.MetaData.LastUpdatedTime as string)).toBeLessThanOrEqual(engine.company.clock.now());
    }
    expect(new Set(invoices.map((rec) => dayOf(rec.MetaData.CreateTime))).size).toBeGreaterThan(50);
    const monthAgo = engine.company.clock.now() - 30 * 86_400_000;
    const young = invoices.filter((rec) => Date.parse(rec.MetaData.LastUpdatedTime as string) > monthAgo);
    expect(young.length).toBeLessThan(invoices.length / 5);
    expect(
      [...engine.company.all('Term')].every((rec) => Date.parse(rec.MetaData.LastUpdatedTime as string) < monthAgo),
    ).toBe(true);
  });

  it('is the same for the same seed and another for another', () => {
    const company = (seed: number): string => {
      const engine = newEngine();
      generate(actorOn(engine), { seed, transactions: 120, years: 1 });
      return JSON.stringify(
        [...engine.company.all('Customer'), ...engine.company.all('Invoice')].map(({ MetaData: _time, ...rec }) => rec),
      );
    };
    expect(company(6)).toBe(company(6));
    expect(company(6)).not.toBe(company(7));
  });
});

it('the sample company holds every type and every kind of link, and is the same each time', () => {
  const make = (): Company => {
    const engine = newEngine('US', 'USD', true);
    expect(furnishSample(actorOn(engine), 'EUR').refused).toEqual([]);
    return engine.company;
  };
  const company = make();
  const kinds = linkKinds(company);
  expect(everyType.filter((type) => company.count(type) === 0)).toEqual([]);
  expect(everyLink.filter((kind) => !kinds.has(kind))).toEqual([]);
  expect(JSON.stringify([...make().all('Invoice')])).toBe(JSON.stringify([...company.all('Invoice')]));
  assertSensible(company);
});

describe('the person at work', () => {
  it.each([1, 2, 3, 4])(
    'does as many acts as asked, every kind among them, and leaves the books sensible (seed %i)',
    (seed) => {
      const [country, currency] = (
        [
          ['US', 'USD'],
          ['GB', 'GBP'],
          ['CA', 'CAD'],
          ['AU', 'AUD'],
        ] as const
      )[seed % 4]!;
      const engine = newEngine(country, currency, seed % 2 === 0);
      generate(actorOn(engine), { seed, transactions: 200, years: 1, currency: 'EUR' });
      const { done, counts, refused } = workAsPerson(actorOn(engine), { count: 600, seed });
      expect(done).toHaveLength(600);
      expect(acts.filter((act) => !counts[act])).toEqual([]);
      expect(refused.length).toBeLessThan(12);
      assertSensible(engine.company);
    },
  );

  it.each(acts)('can be asked for nothing but %s, and says what it did with ids', (act) => {
    const engine = newEngine();
    generate(actorOn(engine), { seed: 5, transactions: 200, years: 1 });
    const { done, counts } = workAsPerson(actorOn(engine), { count: 5, seed: 2, mix: { [act]: 1 } });
    expect(counts).toEqual({ [act]: 5 });
    for (const { type, id } of done)
      expect(engine.company.get(type, id) ?? engine.company.gravesOf(type).get(id)).toBeDefined();
    assertSensible(engine.company);
  });

  it.each([1, 2])(
    'does what people do seldom for half of the time, and leaves the books sensible (seed %i)',
    (seed) => {
      const engine = newEngine();
      generate(actorOn(engine), { seed, transactions: 200, years: 1 });
      const { counts, refused } = workAsPerson(actorOn(engine), { count: 900, seed, awkward: true });
      expect([...acts, ...awkwardActs].filter((act) => !counts[act])).toEqual([]);
      expect(refused.length).toBeLessThan(40);
      assertSensible(engine.company);
    },
  );

  it('finds something to do in an empty company', () => {
    const engine = newEngine();
    expect(workAsPerson(actorOn(engine), { count: 150, seed: 9 }).done).toHaveLength(150);
    assertSensible(engine.company);
  });

  it('refuses an act or a weight that makes no sense', () => {
    const actor = actorOn(newEngine());
    expect(() => workAsPerson(actor, { count: 1, mix: { dance: 1 } as never })).toThrow(/No act is called 'dance'/);
    expect(() => workAsPerson(actor, { count: 1, mix: { pay: -1 } })).toThrow(/weight of 'pay'/);
  });

  it('tells every write it makes, with what happened elsewhere', () => {
    const engine = newEngine();
    generate(actorOn(engine), { seed: 5, transactions: 100, years: 1 });
    const told = new Set<string>();
    workAsPerson(
      actorOn(engine, {
        written: ({ happenings }) => happenings.forEach(({ type, act }) => told.add(`${type} ${act}`)),
      }),
      { count: 200, seed: 3 },
    );
    for (const expected of ['Invoice create', 'Invoice update', 'Payment create', 'Customer update'])
      expect(told).toContain(expected);
  });
});

function transactionsIn(counts: Record<string, number>): number {
  return entityTypes
    .filter(({ category, entity }) => category === 'transaction' && entity !== 'ReimburseCharge')
    .reduce((sum, { entity }) => sum + (counts[entity] ?? 0), 0);
}
