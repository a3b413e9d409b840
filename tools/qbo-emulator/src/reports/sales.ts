// Income and expenses by who and what: customers, vendors, classes, locations, items. One walk over the entries each.
import type { CompanyView, Rec } from '../types.js';
import { centsText, plus, share, unitsText, type Cents } from '../money/index.js';
import type { Ledger } from '../ledger/index.js';
import { entriesOf, type Entry } from './entries.js';
import { basisOf, columnsOf, frame, money, periodOf, section, text, type Column, type Params } from './frame.js';
import { filterOf } from './statements.js';

const INCOME = new Set(['Income']);
const COSTS = new Set(['Cost of Goods Sold']);
const EXPENSES = new Set(['Expense', 'Cost of Goods Sold']);

function matching(params: Params, company: CompanyView, ledger: Ledger): Entry[] {
  const period = periodOf(params, company);
  const keep = filterOf(params, company);
  const found: Entry[] = [];
  for (const entry of entriesOf(ledger, company, basisOf(params, company))) {
    if (entry.ymd >= period.from && entry.ymd <= period.until && (!keep || keep(entry))) found.push(entry);
  }
  return found;
}

function typeOf(company: CompanyView, entry: Entry): string {
  return String(company.get('Account', entry.account)?.AccountType ?? '');
}

interface Group {
  readonly type: string;
  readonly column: string;
  key(entry: Entry): string | undefined;
}

const partyKey =
  (prefix: string) =>
  (entry: Entry): string | undefined => {
    const name = entry.line.name ?? entry.posting.name;
    return name?.startsWith(prefix) ? name.slice(prefix.length) : undefined;
  };

const GROUPS = {
  customer: { type: 'Customer', column: 'Customer', key: partyKey('Customer:') },
  vendor: { type: 'Vendor', column: 'Vendor', key: partyKey('Vendor:') },
  class: { type: 'Class', column: 'Class', key: (entry: Entry) => entry.line.classId },
  department: { type: 'Department', column: 'Department', key: (entry: Entry) => entry.line.departmentId },
} satisfies Record<string, Group>;

function titleOf(company: CompanyView, group: Group, key: string): string {
  if (key === '') return 'Not Specified';
  const rec = company.get(group.type, key);
  return String(rec?.DisplayName ?? rec?.FullyQualifiedName ?? rec?.Name ?? key);
}

/** Amounts per group, `parts` of them, sorted by name, what has no group last. */
function tally(
  params: Params,
  company: CompanyView,
  ledger: Ledger,
  group: Group,
  parts: readonly ((type: string) => 1 | -1 | 0)[],
): { key: string; title: string; sums: Cents[] }[] {
  const found = new Map<string, Cents[]>();
  for (const entry of matching(params, company, ledger)) {
    const type = typeOf(company, entry);
    const signs = parts.map((part) => part(type));
    if (signs.every((sign) => sign === 0)) continue;
    const key = group.key(entry) ?? '';
    let own = found.get(key);
    if (!own) found.set(key, (own = parts.map(() => 0)));
    for (let i = 0; i < parts.length; i++) own[i] = plus(own[i], signs[i] * entry.amount);
  }
  return [...found]
    .map(([key, sums]) => ({ key, title: titleOf(company, group, key), sums }))
    .sort((a, b) => (a.key === '' ? 1 : b.key === '' ? -1 : a.title.toLowerCase() < b.title.toLowerCase() ? -1 : 1));
}

function grouped(
  name: string,
  group: Group,
  titles: readonly string[],
  parts: readonly ((type: string) => 1 | -1 | 0)[],
  derive: (sums: Cents[]) => Cents[] = (sums) => sums,
): (params: Params, company: CompanyView, ledger: Ledger) => Rec {
  return (params, company, ledger) => {
    const rows = tally(params, company, ledger, group, parts);
    const totals = parts.map((_, i) => rows.reduce((sum, row) => plus(sum, row.sums[i]), 0));
    const columns: Column[] = [
      { title: '', type: group.column },
      ...titles.map((title) => ({ title, type: 'Money', key: title.toLowerCase().replaceAll(' ', '_') })),
    ];
    return frame(name, company, {
      period: periodOf(params, company),
      basis: basisOf(params, company),
      summarize: 'Total',
      columns,
      rows: [
        ...rows.map((row) => ({
          ColData: [text(row.title, row.key), ...derive(row.sums).map((amount) => money(amount || 0))],
        })),
        section({
          summary: [text('TOTAL'), ...derive(totals).map((amount) => money(amount || 0))],
          group: 'GrandTotal',
        }),
      ],
      empty: rows.length === 0,
    });
  };
}

const income = (type: string): 1 | -1 | 0 => (INCOME.has(type) ? -1 : 0);
const expense = (type: string): 1 | -1 | 0 => (EXPENSES.has(type) ? 1 : 0);

export const customerSales = grouped('CustomerSales', GROUPS.customer, ['Total'], [income]);
export const classSales = grouped('ClassSales', GROUPS.class, ['Total'], [income]);
export const departmentSales = grouped('DepartmentSales', GROUPS.department, ['Total'], [income]);
export const vendorExpenses = grouped('VendorExpenses', GROUPS.vendor, ['Total'], [expense]);
export const customerIncome = grouped(
  'CustomerIncome',
  GROUPS.customer,
  ['Total Income', 'Total Expenses', 'Net Income'],
  [income, expense],
  ([earned, spent]) => [earned, spent, earned - spent],
);

/** Two declared columns, eight cells per row: the second column nests the seven figures. */
export function itemSales(params: Params, company: CompanyView, ledger: Ledger): Rec {
  interface Sold {
    units: number;
    amount: Cents;
    cost: Cents;
  }
  const items = new Map<string, Sold>();
  for (const entry of matching(params, company, ledger)) {
    const item = entry.line.item;
    if (item === undefined) continue;
    const type = typeOf(company, entry);
    if (!INCOME.has(type) && !COSTS.has(type)) continue;
    let own = items.get(item);
    if (!own) items.set(item, (own = { units: 0, amount: 0, cost: 0 }));
    if (COSTS.has(type)) own.cost = plus(own.cost, entry.amount);
    else {
      own.amount = plus(own.amount, -entry.amount);
      own.units = plus(own.units, (entry.amount > 0 ? -1 : 1) * Math.abs(entry.line.quantity ?? 0));
    }
  }
  const total: Sold = { units: 0, amount: 0, cost: 0 };
  for (const sold of items.values()) {
    total.units = plus(total.units, sold.units);
    total.amount = plus(total.amount, sold.amount);
    total.cost = plus(total.cost, sold.cost);
  }
  const percent = (part: Cents, whole: Cents): string =>
    whole === 0 ? '' : `${centsText(share(10_000, part, whole))}`;
  const cells = (sold: Sold): { value: string }[] => [
    text(unitsText(sold.units)),
    money(sold.amount || 0),
    text(percent(sold.amount, total.amount)),
    text(sold.units === 0 ? '' : centsText(share(sold.amount, 1e7, sold.units))),
    money(sold.cost || 0),
    money(sold.amount - sold.cost || 0),
    text(percent(sold.amount - sold.cost, sold.amount)),
  ];
  const rows: Rec[] = [...items]
    .map(([id, sold]) => ({
      id,
      name: String(company.get('Item', id)?.FullyQualifiedName ?? company.get('Item', id)?.Name ?? id),
      sold,
    }))
    .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
    .map(({ id, name, sold }) => ({ ColData: [text(name, id), ...cells(sold)] }));
  rows.push(section({ summary: [text('TOTAL'), ...cells(total)], group: 'GrandTotal' }));
  const rep = frame('ItemSales', company, {
    period: periodOf(params, company),
    basis: basisOf(params, company),
    summarize: 'Total',
    columns: [
      { title: '', type: 'ProductsAndService' },
      { title: 'Total', type: 'Money' },
    ],
    rows,
    empty: items.size === 0,
  });
  rep.Columns.Column[1].Columns = columnsOf([
    { title: 'Quantity', type: 'Quantity', key: 'quantity' },
    { title: 'Amount', type: 'Money', key: 'amount' },
    { title: '% of Sales', type: 'Percent', key: 'percent_of_sales' },
    { title: 'Avg Price', type: 'Money', key: 'avg_price' },
    { title: 'COGS', type: 'Money', key: 'cogs' },
    { title: 'Gross Margin', type: 'Money', key: 'gross_margin' },
    { title: 'Gross Margin %', type: 'Percent', key: 'gross_margin_percent' },
  ]);
  return rep;
}
