// Trial balance, balance sheet and profit and loss. Unfiltered accrual reports read the ledger's day buckets; anything
// else (cash basis, filters, columns by name or class) walks the entries once.
import { QboFault, type CompanyView, type Rec } from '../types.js';
import { plus, type Cents } from '../money/index.js';
import { dateOf, isProfitAndLoss, splitKey, type Ledger } from '../ledger/index.js';
import { entriesOf, type Entry } from './entries.js';
import {
  addDays,
  addMonths,
  basisOf,
  dataRow,
  fiscalYearStart,
  frame,
  idFilter,
  money,
  periodOf,
  reportDate,
  section,
  text,
  weekdayOf,
  type Basis,
  type Cell,
  type Column,
  type Params,
  type Period,
} from './frame.js';

interface Balance {
  amount: Cents;
  lines: number;
}

/** One money column: a stretch of time and, in columns by name or class, which entries belong to it. */
interface Slice {
  readonly title: string;
  readonly from: number;
  readonly until: number;
  readonly key?: string;
}

export class Balances {
  private readonly entries: Entry[] | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly company: CompanyView,
    basis: Basis,
    params: Params,
    private readonly dimension?: (entry: Entry) => string,
  ) {
    ledger.settle();
    const keep = filterOf(params, company);
    if (basis === 'Accrual' && !keep && !dimension) return;
    this.entries = [];
    for (const entry of entriesOf(ledger, company, basis)) if (!keep || keep(entry)) this.entries.push(entry);
  }

  /** Values that the columns of a report by name, class or department need. */
  keys(from: number, until: number): string[] {
    const found = new Set<string>();
    for (const entry of this.entries ?? []) {
      if (entry.ymd >= from && entry.ymd <= until && this.dimension) found.add(this.dimension(entry));
    }
    return [...found];
  }

  /** Debit-positive balance and number of lines per account. */
  between(from: number | undefined, until: number | undefined, key?: string): Map<string, Balance> {
    const found = new Map<string, Balance>();
    if (!this.entries) {
      for (const sums of this.ledger.accounts.values()) {
        const { balance, lines } = this.ledger.balanceOf(sums, from, until);
        if (lines !== 0 || balance !== 0) found.set(sums.id, { amount: balance, lines });
      }
      return found;
    }
    for (const entry of this.entries) {
      if ((from !== undefined && entry.ymd < from) || (until !== undefined && entry.ymd > until)) continue;
      if (key !== undefined && this.dimension?.(entry) !== key) continue;
      const own = found.get(entry.account);
      if (own) {
        own.amount = plus(own.amount, entry.amount);
        own.lines++;
      } else found.set(entry.account, { amount: entry.amount, lines: 1 });
    }
    return found;
  }

  /** P&L of all time before a day: what retained earnings holds besides its own postings. Debit-positive. */
  profitBefore(day: number, key?: string): Cents {
    return this.profitBetween(undefined, addDays(day, -1), key);
  }

  profitBetween(from: number | undefined, until: number, key?: string): Cents {
    let sum = 0;
    for (const [id, balance] of this.between(from, until, key)) {
      if (isProfitAndLoss(this.company.get('Account', id))) sum = plus(sum, balance.amount);
    }
    return sum;
  }
}

export function filterOf(params: Params, company: CompanyView): ((entry: Entry) => boolean) | undefined {
  const customers = idFilter(params.customer);
  const vendors = idFilter(params.vendor);
  const classes = idFilter(params.class);
  const departments = idFilter(params.department);
  const items = idFilter(params.item);
  const accounts = idFilter(params.account);
  const types = idFilter(params.account_type);
  if (!customers && !vendors && !classes && !departments && !items && !accounts && !types) return undefined;
  return ({ line, account }) => {
    if (customers && !(line.name?.startsWith('Customer:') && customers.has(line.name.slice(9)))) return false;
    if (vendors && !(line.name?.startsWith('Vendor:') && vendors.has(line.name.slice(7)))) return false;
    if (classes && !(line.classId !== undefined && classes.has(line.classId))) return false;
    if (departments && !(line.departmentId !== undefined && departments.has(line.departmentId))) return false;
    if (items && !(line.item !== undefined && items.has(line.item))) return false;
    if (accounts && !accounts.has(account)) return false;
    if (types && !types.has(String(company.get('Account', account)?.AccountType ?? '').replaceAll(' ', '')))
      return false;
    return true;
  };
}

// -------------------------------------------------------------------------------------------------------- account tree

const TYPE_ORDER = [
  'Bank',
  'Accounts Receivable',
  'Other Current Asset',
  'Fixed Asset',
  'Other Asset',
  'Accounts Payable',
  'Credit Card',
  'Other Current Liability',
  'Long Term Liability',
  'Equity',
  'Income',
  'Cost of Goods Sold',
  'Expense',
  'Other Income',
  'Other Expense',
];

function byName(a: Rec, b: Rec): number {
  const x = String(a.Name).toLowerCase();
  const y = String(b.Name).toLowerCase();
  return x < y ? -1 : x > y ? 1 : Number(a.Id) - Number(b.Id);
}

/** Accounts in report order: by type, then the tree by name, parents first. */
export function chart(company: CompanyView, types?: readonly string[]): Rec[] {
  const children = new Map<string, Rec[]>();
  for (const account of company.all('Account')) {
    if (types && !types.includes(account.AccountType)) continue;
    const parent = String(account.ParentRef?.value ?? '');
    const known = company.get('Account', parent) ? parent : '';
    const list = children.get(known);
    if (list) list.push(account);
    else children.set(known, [account]);
  }
  const ordered: Rec[] = [];
  const visit = (parent: string): void => {
    for (const account of (children.get(parent) ?? []).sort(byName)) {
      ordered.push(account);
      visit(String(account.Id));
    }
  };
  const roots = children.get('') ?? [];
  roots.sort((a, b) => TYPE_ORDER.indexOf(a.AccountType) - TYPE_ORDER.indexOf(b.AccountType) || byName(a, b));
  for (const account of roots) {
    ordered.push(account);
    visit(String(account.Id));
  }
  return ordered;
}

interface Branch {
  readonly rows: Rec[];
  /** Per column, in the sign of the section. */
  readonly totals: Cents[];
}

/** Rows of one section: accounts with postings, each parent as a nested section with its own amount in the header. */
function branch(
  company: CompanyView,
  types: readonly string[],
  columns: readonly Map<string, Balance>[],
  sign: 1 | -1,
  extra?: (totals: Cents[]) => Rec[],
): Branch {
  const accounts = [...company.all('Account')].filter((account) => types.includes(account.AccountType));
  const ids = new Set(accounts.map((account) => String(account.Id)));
  const children = new Map<string, Rec[]>();
  for (const account of accounts) {
    const parent = String(account.ParentRef?.value ?? '');
    const under = ids.has(parent) ? parent : '';
    const list = children.get(under);
    if (list) list.push(account);
    else children.set(under, [account]);
  }
  const zero = (): Cents[] => columns.map(() => 0);
  const build = (parent: string): Branch => {
    const rows: Rec[] = [];
    const totals = zero();
    for (const account of (children.get(parent) ?? []).sort(byName)) {
      const id = String(account.Id);
      const own = columns.map((column) => column.get(id));
      const has = own.some((balance) => balance !== undefined && (balance.lines !== 0 || balance.amount !== 0));
      const amounts = own.map((balance) => sign * (balance?.amount ?? 0) || 0);
      const below = build(id);
      if (!has && below.rows.length === 0) continue;
      amounts.forEach((amount, i) => (totals[i] = plus(totals[i], plus(amount, below.totals[i]))));
      const shown = own.map((balance, i) => (balance === undefined ? undefined : amounts[i]));
      if (below.rows.length === 0) {
        rows.push(dataRow([text(account.Name, id), ...shown.map((amount) => money(amount))]));
        continue;
      }
      rows.push(
        section({
          header: [text(account.Name, id), ...shown.map((amount) => money(amount))],
          rows: below.rows,
          summary: [text(`Total ${account.Name}`), ...amounts.map((amount, i) => money(plus(amount, below.totals[i])))],
        }),
      );
    }
    if (parent === '' && extra) rows.push(...extra(totals));
    return { rows, totals };
  };
  return build('');
}

function titled(title: string, group: string, tree: Branch, columnCount: number, blank = false): Rec {
  return section({
    header: [text(title), ...blanks(columnCount)],
    ...(tree.rows.length > 0 && { rows: tree.rows }),
    summary: [text(`Total ${title}`), ...tree.totals.map((amount) => money(blank ? undefined : amount))],
    group,
  });
}

function blanks(count: number): Cell[] {
  return Array.from({ length: count }, () => text(''));
}

// ------------------------------------------------------------------------------------------------------------- columns

const BY_NAME: Readonly<Record<string, { dimension: (entry: Entry) => string; type: string; none: string }>> = {
  customers: {
    dimension: (e) => (e.line.name?.startsWith('Customer:') ? e.line.name.slice(9) : ''),
    type: 'Customer',
    none: 'Not Specified',
  },
  vendors: {
    dimension: (e) => (e.line.name?.startsWith('Vendor:') ? e.line.name.slice(7) : ''),
    type: 'Vendor',
    none: 'Not Specified',
  },
  employees: {
    dimension: (e) => (e.line.name?.startsWith('Employee:') ? e.line.name.slice(9) : ''),
    type: 'Employee',
    none: 'Not Specified',
  },
  classes: { dimension: (e) => e.line.classId ?? '', type: 'Class', none: 'Not Specified' },
  departments: { dimension: (e) => e.line.departmentId ?? '', type: 'Department', none: 'Not Specified' },
  productsandservices: { dimension: (e) => e.line.item ?? '', type: 'Item', none: 'Not Specified' },
};

const TIME_STEPS = new Map<string, (from: number) => number>(
  Object.entries({
    days: (from: number) => addDays(from, 1),
    week: (from: number) => addDays(from, 7 - weekdayOf(from)),
    month: (from: number) => addMonths(firstOfMonth(from), 1),
    quarter: (from: number) => addMonths(firstOfMonth(from), 3 - (((Math.floor(from / 100) % 100) - 1) % 3)),
    year: (from: number) => (Math.floor(from / 10000) + 1) * 10000 + 101,
  }),
);

function firstOfMonth(ymd: number): number {
  return Math.floor(ymd / 100) * 100 + 1;
}

function stepOf(summarize: string): ((from: number) => number) | undefined {
  return TIME_STEPS.get(
    summarize
      .toLowerCase()
      .replace(/s$/, '')
      .replace(/^day$/, 'days')
      .replace(/^fiscalyear$/, 'year'),
  );
}

function timeSlices(period: Period, next: (from: number) => number, byDay: boolean): Slice[] {
  const slices: Slice[] = [];
  for (let from = period.from; from <= period.until && slices.length < 3700; from = next(from)) {
    const until = Math.min(addDays(next(from), -1), period.until);
    slices.push({ title: titleOf(from, until, byDay), from, until });
  }
  return slices;
}

const SHORT = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function titleOf(from: number, until: number, byDay: boolean): string {
  const month = (ymd: number): string => SHORT[(Math.floor(ymd / 100) % 100) - 1];
  const year = Math.floor(from / 10000);
  if (byDay) return `${month(from)} ${from % 100}, ${year}`;
  if (from % 100 === 1 && addDays(addMonths(from, 1), -1) === until) return `${month(from)} ${year}`;
  if (month(from) === month(until) && year === Math.floor(until / 10000)) {
    return `${month(from)} ${from % 100} - ${until % 100}, ${year}`;
  }
  return year === Math.floor(until / 10000)
    ? `${month(from)} - ${month(until)}, ${year}`
    : `${month(from)} ${year} - ${month(until)} ${Math.floor(until / 10000)}`;
}

/** All dates by month means the months that have something, not those since 1900. */
function inhabited(period: Period, ledger: Ledger): Period {
  if (!period.macro?.startsWith('all')) return period;
  let from = Number.MAX_SAFE_INTEGER;
  let until = 0;
  for (const sums of ledger.accounts.values()) {
    for (const day of sums.days.keys()) {
      if (day < from && day >= period.from) from = day;
      if (day > until && day <= period.until) until = day;
    }
  }
  return until === 0 ? { ...period, from: period.until } : { ...period, from, until };
}

interface Layout {
  readonly balances: Balances;
  readonly slices: readonly Slice[];
  readonly columns: readonly Column[];
  readonly summarize: string;
  readonly total: boolean;
}

function layoutOf(params: Params, company: CompanyView, ledger: Ledger, period: Period, basis: Basis): Layout {
  const summarize = params.summarize_column_by ?? 'Total';
  const whole: Slice = { title: 'Total', from: period.from, until: period.until };
  const first: Column = { title: '', type: 'Account', key: 'account' };
  const next = stepOf(summarize);
  if (next) {
    const slices = timeSlices(inhabited(period, ledger), next, summarize.toLowerCase().startsWith('day'));
    const columns = slices.map((slice) => ({
      title: slice.title,
      type: 'Money',
      key: slice.title,
      metaData: { StartDate: dateOf(slice.from), EndDate: dateOf(slice.until) },
    }));
    return {
      balances: new Balances(ledger, company, basis, params),
      slices: [...slices, whole],
      columns: [first, ...columns, { title: 'Total', type: 'Money', key: 'total' }],
      summarize,
      total: true,
    };
  }
  const by = Object.hasOwn(BY_NAME, summarize.toLowerCase()) ? BY_NAME[summarize.toLowerCase()] : undefined;
  if (by) {
    const balances = new Balances(ledger, company, basis, params, by.dimension);
    const names = balances
      .keys(period.from, period.until)
      .map((key) => {
        const rec = company.get(by.type, key);
        return {
          key,
          title: key === '' ? by.none : String(rec?.DisplayName ?? rec?.FullyQualifiedName ?? rec?.Name ?? key),
        };
      })
      .sort((a, b) => (a.key === '' ? 1 : b.key === '' ? -1 : a.title < b.title ? -1 : 1));
    return {
      balances,
      slices: [...names.map(({ key, title }) => ({ ...whole, title, key })), whole],
      columns: [
        first,
        ...names.map(({ title, key }) => ({ title, type: 'Money', key: key || 'none' })),
        { title: 'TOTAL', type: 'Money', key: 'total' },
      ],
      summarize,
      total: true,
    };
  }
  if (summarize.toLowerCase() !== 'total') {
    throw new QboFault('2170', 'Invalid Enumeration', `Invalid Enumeration : ${summarize}`, 'summarize_column_by');
  }
  return {
    balances: new Balances(ledger, company, basis, params),
    slices: [whole],
    columns: [first, { title: 'Total', type: 'Money', key: 'total' }],
    summarize: 'Total',
    total: false,
  };
}

// ------------------------------------------------------------------------------------------------------------- reports

export function trialBalance(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const period = periodOf(params, company);
  const basis = basisOf(params, company);
  const balances = new Balances(ledger, company, basis, params);
  const yearStart = fiscalYearStart(company, period.until);
  const cumulative = balances.between(undefined, period.until);
  const thisYear = balances.between(yearStart, period.until);
  const retained = balances.profitBefore(yearStart);
  const rows: Rec[] = [];
  let debits = 0;
  let credits = 0;
  let retainedShown = false;
  const show = (name: string, id: string, amount: Cents): void => {
    if (amount > 0) debits = plus(debits, amount);
    else credits = plus(credits, -amount);
    // An account whose postings cancel is listed with 0.00.
    rows.push(
      dataRow([text(name, id), money(amount >= 0 ? amount : undefined), money(amount < 0 ? -amount : undefined)]),
    );
  };
  for (const account of chart(company)) {
    const id = String(account.Id);
    const name = String(account.FullyQualifiedName ?? account.Name);
    if (account.AccountSubType === 'RetainedEarnings' && !retainedShown) {
      retainedShown = true;
      const own = plus(cumulative.get(id)?.amount ?? 0, retained);
      if (own !== 0 || cumulative.has(id)) show(name, id, own);
      continue;
    }
    const balance = isProfitAndLoss(account) ? thisYear.get(id) : cumulative.get(id);
    if (balance) show(name, id, balance.amount);
  }
  if (!retainedShown && retained !== 0) show('Retained Earnings', '', retained);
  const empty = rows.length === 0;
  rows.push(section({ summary: [text('TOTAL'), money(debits), money(credits)], group: 'GrandTotal' }));
  return frame('TrialBalance', company, {
    period,
    basis,
    summarize: 'Total',
    columns: [
      { title: '', type: 'Account', key: 'account' },
      { title: 'Debit', type: 'Money', key: 'debit' },
      { title: 'Credit', type: 'Money', key: 'credit' },
    ],
    rows,
    empty,
  });
}

export function profitAndLoss(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const period = periodOf(params, company);
  const basis = basisOf(params, company);
  const layout = layoutOf(params, company, ledger, period, basis);
  const columns = layout.slices.map((slice) => layout.balances.between(slice.from, slice.until, slice.key));
  const width = columns.length;
  const part = (types: string[], sign: 1 | -1): Branch => branch(company, types, columns, sign);
  const income = part(['Income'], -1);
  const cost = part(['Cost of Goods Sold'], 1);
  const expenses = part(['Expense'], 1);
  const otherIncome = part(['Other Income'], -1);
  const otherExpenses = part(['Other Expense'], 1);
  const minus = (a: Cents[], b: Cents[]): Cents[] => a.map((amount, i) => amount - b[i]);
  const gross = minus(income.totals, cost.totals);
  const operating = minus(gross, expenses.totals);
  const other = minus(otherIncome.totals, otherExpenses.totals);
  const net = operating.map((amount, i) => plus(amount, other[i]));
  const empty = [income, cost, expenses, otherIncome, otherExpenses].every((tree) => tree.rows.length === 0);
  const summary = (title: string, amounts: Cents[], group: string): Rec =>
    section({ summary: [text(title), ...amounts.map((amount) => money(empty ? undefined : amount))], group });
  const hasOther = otherIncome.rows.length > 0 || otherExpenses.rows.length > 0;
  const rows = [
    titled('Income', 'Income', income, width, empty),
    ...(cost.rows.length > 0 ? [titled('Cost of Goods Sold', 'COGS', cost, width)] : []),
    summary('Gross Profit', gross, 'GrossProfit'),
    titled('Expenses', 'Expenses', expenses, width, empty),
    summary('Net Operating Income', operating, 'NetOperatingIncome'),
    ...(otherIncome.rows.length > 0 ? [titled('Other Income', 'OtherIncome', otherIncome, width)] : []),
    ...(otherExpenses.rows.length > 0 ? [titled('Other Expenses', 'OtherExpenses', otherExpenses, width)] : []),
    ...(hasOther ? [summary('Net Other Income', other, 'NetOtherIncome')] : []),
    summary('Net Income', net, 'NetIncome'),
  ];
  return frame('ProfitAndLoss', company, {
    period,
    basis,
    summarize: layout.summarize,
    columns: layout.columns,
    rows,
    empty,
    skeleton: true,
    options: [{ Name: 'AccountingStandard', Value: 'GAAP' }],
  });
}

export function balanceSheet(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const asked =
    params.report_date && !params.end_date ? { ...params, end_date: undefined, start_date: undefined } : params;
  const period =
    params.report_date && !params.end_date ? dayPeriod(company, reportDate(params, company)) : periodOf(asked, company);
  const basis = basisOf(params, company);
  const layout = layoutOf(params, company, ledger, period, basis);
  // Time columns show the balance at their end; the total column of a time layout would repeat the last one.
  const slices =
    layout.total && layout.slices.every((s) => s.key === undefined) ? layout.slices.slice(0, -1) : layout.slices;
  const headings = slices.length === layout.slices.length ? layout.columns : layout.columns.slice(0, -1);
  const columns = slices.map((slice) => layout.balances.between(undefined, slice.until, slice.key));
  const width = columns.length;
  const retainedAccount = company.accountBySubType('RetainedEarnings');
  slices.forEach((slice, i) => {
    const yearStart = fiscalYearStart(company, slice.until);
    const before = layout.balances.profitBefore(yearStart, slice.key);
    if (!retainedAccount || before === 0) return;
    const id = String(retainedAccount.Id);
    const own = columns[i].get(id);
    columns[i].set(id, { amount: plus(own?.amount ?? 0, before), lines: (own?.lines ?? 0) + 1 });
  });
  const net = slices.map((slice) => {
    const yearStart = fiscalYearStart(company, slice.until);
    return -layout.balances.profitBetween(yearStart, slice.until, slice.key) || 0;
  });
  const bank = branch(company, ['Bank'], columns, 1);
  const receivable = branch(company, ['Accounts Receivable'], columns, 1);
  const otherCurrent = branch(company, ['Other Current Asset'], columns, 1);
  const fixed = branch(company, ['Fixed Asset'], columns, 1);
  const otherAssets = branch(company, ['Other Asset'], columns, 1);
  const payable = branch(company, ['Accounts Payable'], columns, -1);
  const cards = branch(company, ['Credit Card'], columns, -1);
  const otherLiabilities = branch(company, ['Other Current Liability'], columns, -1);
  const longTerm = branch(company, ['Long Term Liability'], columns, -1);
  const equity = branch(company, ['Equity'], columns, -1, (totals) => {
    net.forEach((amount, i) => (totals[i] = plus(totals[i], amount)));
    return [
      dataRow([text('Net Income'), ...net.map((amount) => money(amount === 0 ? undefined : amount))], {
        group: 'NetIncome',
      }),
    ];
  });
  const sum = (...trees: Branch[]): Cents[] =>
    columns.map((_, i) => trees.reduce((total, tree) => plus(total, tree.totals[i]), 0));
  const wrap = (title: string, group: string, rows: Rec[], totals: Cents[], label = `Total ${title}`): Rec =>
    section({
      header: [text(title), ...blanks(width)],
      rows,
      summary: [text(label), ...totals.map((a) => money(a))],
      group,
    });
  const sections = (...parts: [string, string, Branch][]): Rec[] =>
    parts.filter(([, , tree]) => tree.rows.length > 0).map(([title, group, tree]) => titled(title, group, tree, width));
  const currentAssets = sum(bank, receivable, otherCurrent);
  const assets = sum(bank, receivable, otherCurrent, fixed, otherAssets);
  const currentLiabilities = sum(payable, cards, otherLiabilities);
  const liabilities = sum(payable, cards, otherLiabilities, longTerm);
  const allLiabilities = sum(payable, cards, otherLiabilities, longTerm, equity);
  const currentAssetRows = sections(
    ['Bank Accounts', 'BankAccounts', bank],
    ['Accounts Receivable', 'AR', receivable],
    ['Other Current Assets', 'OtherCurrentAssets', otherCurrent],
  );
  const currentLiabilityRows = sections(
    ['Accounts Payable', 'AP', payable],
    ['Credit Cards', 'CreditCards', cards],
    ['Other Current Liabilities', 'OtherCurrentLiabilities', otherLiabilities],
  );
  const rows = [
    wrap(
      'ASSETS',
      'TotalAssets',
      [
        ...(currentAssetRows.length > 0
          ? [wrap('Current Assets', 'CurrentAssets', currentAssetRows, currentAssets)]
          : []),
        ...sections(['Fixed Assets', 'FixedAssets', fixed], ['Other Assets', 'OtherAssets', otherAssets]),
      ],
      assets,
      'TOTAL ASSETS',
    ),
    wrap(
      'LIABILITIES AND EQUITY',
      'TotalLiabilitiesAndEquity',
      [
        wrap(
          'Liabilities',
          'Liabilities',
          [
            ...(currentLiabilityRows.length > 0
              ? [wrap('Current Liabilities', 'CurrentLiabilities', currentLiabilityRows, currentLiabilities)]
              : []),
            ...sections(['Long-Term Liabilities', 'LongTermLiabilities', longTerm]),
          ],
          liabilities,
        ),
        titled('Equity', 'Equity', equity, width),
      ],
      allLiabilities,
      'TOTAL LIABILITIES AND EQUITY',
    ),
  ];
  const empty = columns.every((column) => column.size === 0);
  return frame('BalanceSheet', company, {
    period,
    basis,
    summarize: layout.summarize,
    columns: headings,
    rows,
    empty,
    options: [{ Name: 'AccountingStandard', Value: 'GAAP' }],
  });
}

export function dayPeriod(company: CompanyView, until: number): Period {
  const from = fiscalYearStart(company, until);
  return { start: dateOf(from), end: dateOf(until), from, until };
}

export function nameOf(company: CompanyView, key: string | undefined): { name: string; id?: string } {
  if (key === undefined) return { name: '' };
  const [type, id] = splitKey(key);
  const rec = company.get(type, id);
  return { name: String(rec?.DisplayName ?? rec?.FullyQualifiedName ?? rec?.Name ?? ''), id };
}
