// Line-level reports: general ledger, journal, transaction list; and the chart of accounts as a list.
import { type CompanyView, type Rec } from '../types.js';
import { cents, centsText, plus, unitsText, type Cents } from '../money/index.js';
import { dateOf, labelOf, Line, LineKind, ymdOf, type Ledger, type Posting } from '../ledger/index.js';
import { entriesOf, type Entry } from './entries.js';
import {
  basisOf,
  dataRow,
  frame,
  idFilter,
  money,
  periodOf,
  section,
  text,
  timeOf,
  type Cell,
  type Column,
  type Params,
} from './frame.js';
import { chart, filterOf, nameOf } from './statements.js';

// ------------------------------------------------------------------------------------------------------- column picking

interface RowFacts {
  readonly posting: Posting;
  readonly line: Line;
  readonly account: string;
  readonly amount: Cents;
  readonly ymd: number;
  readonly running?: Cents;
  /** +1 when the account shows debits positive. */
  readonly natural: 1 | -1;
}

interface ColumnSpec {
  readonly title: string;
  readonly type: string;
  readonly cell: (facts: RowFacts, company: CompanyView) => Cell;
}

const plain = (title: string, type: string, cell: ColumnSpec['cell']): ColumnSpec => ({ title, type, cell });

function recordOf(facts: RowFacts, company: CompanyView): Rec | undefined {
  return company.get(facts.posting.type, facts.posting.id);
}

const COLUMNS: Readonly<Record<string, ColumnSpec>> = {
  tx_date: plain('Date', 'Date', (f) => text(dateOf(f.ymd))),
  txn_type: plain('Transaction Type', 'String', (f) => text(f.posting.label, f.posting.id)),
  doc_num: plain('Num', 'String', (f) => text(f.posting.docNumber)),
  name: plain('Name', 'String', (f, company) => {
    const { name, id } = nameOf(company, f.line.name ?? f.posting.name);
    return text(name, id ?? '');
  }),
  cust_name: plain('Customer', 'String', (f, company) => nameCell(f, company, 'Customer:')),
  vend_name: plain('Vendor', 'String', (f, company) => nameCell(f, company, 'Vendor:')),
  emp_name: plain('Employee', 'String', (f, company) => nameCell(f, company, 'Employee:')),
  memo: plain('Memo/Description', 'String', (f) => text(f.line.memo ?? f.posting.memo)),
  account_name: plain('Account', 'String', (f, company) =>
    text(String(company.get('Account', f.account)?.FullyQualifiedName ?? ''), f.account),
  ),
  account_num: plain('Account #', 'String', (f, company) =>
    text(String(company.get('Account', f.account)?.AcctNum ?? '')),
  ),
  split_acc: plain('Split', 'String', (f, company) => splitCell(f, company)),
  debt_amt: plain('Debit', 'Money', (f) => money(f.amount > 0 ? f.amount : undefined)),
  credit_amt: plain('Credit', 'Money', (f) => money(f.amount < 0 ? -f.amount : undefined)),
  debt_home_amt: plain('Debit (home)', 'Money', (f) => money(f.amount > 0 ? f.amount : undefined)),
  credit_home_amt: plain('Credit (home)', 'Money', (f) => money(f.amount < 0 ? -f.amount : undefined)),
  subt_nat_amount: plain('Amount', 'Money', (f) => money(f.natural * f.amount || 0)),
  subt_nat_home_amount: plain('Amount (home)', 'Money', (f) => money(f.natural * f.amount || 0)),
  subt_nat_amount_nt: plain('Amount', 'Money', (f) => money(f.natural * f.amount || 0)),
  rbal_nat_amount: plain('Balance', 'Money', (f) => money(f.running)),
  rbal_nat_home_amount: plain('Balance (home)', 'Money', (f) => money(f.running)),
  item_name: plain('Product/Service', 'String', (f, company) =>
    text(String(company.get('Item', f.line.item ?? '')?.FullyQualifiedName ?? ''), f.line.item ?? ''),
  ),
  klass_name: plain('Class', 'String', (f, company) =>
    text(String(company.get('Class', f.line.classId ?? '')?.FullyQualifiedName ?? ''), f.line.classId ?? ''),
  ),
  dept_name: plain('Location', 'String', (f, company) =>
    text(
      String(company.get('Department', f.line.departmentId ?? '')?.FullyQualifiedName ?? ''),
      f.line.departmentId ?? '',
    ),
  ),
  quantity: plain('Qty', 'Quantity', (f) => text(f.line.quantity === undefined ? '' : unitsText(f.line.quantity))),
  rate: plain('Rate', 'Money', (f) => text(rateOf(f))),
  create_date: plain('Create Date', 'Date', (f, company) =>
    text(withoutColon(recordOf(f, company)?.MetaData?.CreateTime, company)),
  ),
  last_mod_date: plain('Last Modified', 'Date', (f, company) =>
    text(withoutColon(recordOf(f, company)?.MetaData?.LastUpdatedTime, company)),
  ),
  create_by: plain('Created By', 'String', () => text('')),
  last_mod_by: plain('Last Modified By', 'String', () => text('')),
  is_adj: plain('Adj', 'Boolean', (f, company) => text(recordOf(f, company)?.Adjustment === true ? 'Yes' : 'No')),
  is_cleared: plain('Clr', 'String', () => text('')),
  is_ar_paid: plain('A/R Paid', 'String', (f) => text(f.posting.open?.control === 'AR' ? 'Unpaid' : '')),
  is_ap_paid: plain('A/P Paid', 'String', (f) => text(f.posting.open?.control === 'AP' ? 'Unpaid' : '')),
  inv_date: plain('Invoice Date', 'Date', (f) => text(f.posting.type === 'Invoice' ? dateOf(f.posting.ymd) : '')),
  due_date: plain('Due Date', 'Date', (f) => text(f.posting.dueYmd ? dateOf(f.posting.dueYmd) : '')),
  currency: plain('Currency', 'String', (f) => text(f.posting.currency)),
  exch_rate: plain('Exchange Rate', 'Rate', (f, company) => text(String(recordOf(f, company)?.ExchangeRate ?? 1))),
  is_no_post: plain('Posting', 'Boolean', () => text('Yes')),
  other_account: plain('Split', 'String', (f, company) => splitCell(f, company)),
};

function nameCell(facts: RowFacts, company: CompanyView, prefix: string): Cell {
  const key = facts.line.name ?? facts.posting.name;
  if (!key?.startsWith(prefix)) return text('', '');
  const { name, id } = nameOf(company, key);
  return text(name, id ?? '');
}

/** The other account when there is exactly one, else `-Split-`. */
function splitCell(facts: RowFacts, company: CompanyView): Cell {
  const others = new Set<string>();
  for (const line of facts.posting.lines) if (line !== facts.line && line.home !== 0) others.add(line.account);
  others.delete(facts.account);
  if (others.size !== 1) return text(others.size === 0 ? '' : '-Split-', '');
  const [id] = others;
  return text(String(company.get('Account', id)?.FullyQualifiedName ?? ''), id);
}

function rateOf(facts: RowFacts): string {
  const { quantity, foreign } = facts.line;
  if (quantity === undefined || quantity === 0 || foreign === 0) return '';
  return centsText(Math.round(Math.abs(foreign) / (Math.abs(quantity) / 1e7)));
}

/** The general ledger writes its offsets without a colon: -0700. */
function withoutColon(time: unknown, company: CompanyView): string {
  const given = typeof time === 'string' && time !== '' ? time : timeOf(company);
  return given.replace(/([+-]\d{2}):(\d{2})$/, '$1$2');
}

function pickColumns(
  params: Params,
  fallback: readonly string[],
): { keys: string[]; specs: ColumnSpec[]; columns: Column[] } {
  const asked = (params.columns ?? '')
    .split(',')
    .map((key) => key.trim())
    .filter((key) => Object.hasOwn(COLUMNS, key));
  const keys = asked.length > 0 ? asked : [...fallback];
  const specs = keys.map((key) => COLUMNS[key]);
  return { keys, specs, columns: keys.map((key, i) => ({ title: specs[i].title, type: specs[i].type, key })) };
}

function naturalSide(account: Rec | undefined): 1 | -1 {
  switch (account?.AccountType) {
    case 'Accounts Payable':
    case 'Credit Card':
    case 'Other Current Liability':
    case 'Long Term Liability':
    case 'Equity':
    case 'Income':
    case 'Other Income':
      return -1;
    default:
      return 1;
  }
}

function inOrder(a: Entry, b: Entry): number {
  return (
    a.ymd - b.ymd ||
    a.posting.order - b.posting.order ||
    (a.posting.type < b.posting.type ? -1 : a.posting.type > b.posting.type ? 1 : 0)
  );
}

// -------------------------------------------------------------------------------------------------------- general ledger

/** One account's part of the general ledger. */
interface Built {
  readonly row: Rec;
  readonly total: Cents;
  readonly debit: Cents;
  readonly credit: Cents;
  readonly posted: boolean;
}

export function generalLedger(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const period = periodOf(params, company, 'This Month-to-date');
  const basis = basisOf(params, company);
  const keep = filterOf(params, company);
  const { keys, specs, columns } = pickColumns(params, [
    'tx_date',
    'txn_type',
    'doc_num',
    'name',
    'memo',
    'split_acc',
    'subt_nat_amount',
    'rbal_nat_amount',
  ]);
  const byAccount = new Map<string, { before: Cents; entries: Entry[] }>();
  for (const entry of entriesOf(ledger, company, basis)) {
    if (entry.ymd > period.until || (keep && !keep(entry))) continue;
    let own = byAccount.get(entry.account);
    if (!own) byAccount.set(entry.account, (own = { before: 0, entries: [] }));
    if (entry.ymd < period.from) own.before = plus(own.before, entry.amount);
    else own.entries.push(entry);
  }
  const children = new Map<string, Rec[]>();
  const order = chart(company);
  for (const account of order) {
    const parent = String(account.ParentRef?.value ?? '');
    const under = company.get('Account', parent) ? parent : '';
    const list = children.get(under);
    if (list) list.push(account);
    else children.set(under, [account]);
  }
  const amountAt = keys.findIndex((key) => key.startsWith('subt_nat'));
  const balanceAt = keys.findIndex((key) => key.startsWith('rbal_nat'));
  const debitAt = keys.findIndex((key) => key === 'debt_amt' || key === 'debt_home_amt');
  const creditAt = keys.findIndex((key) => key === 'credit_amt' || key === 'credit_home_amt');
  // Nothing posted in the period leaves the total blank, whatever the account holds.
  const summaryCells = (title: string, natural: 1 | -1, { total, debit, credit, posted }: Omit<Built, 'row'>): Cell[] =>
    keys.map((_, i) => {
      if (i === 0) return text(title);
      if (!posted) return text('');
      if (i === amountAt) return money(natural * total || 0);
      if (i === debitAt) return money(debit);
      return i === creditAt ? money(credit) : text('');
    });
  const build = (account: Rec): Built | undefined => {
    const id = String(account.Id);
    const own = byAccount.get(id);
    const natural = naturalSide(account);
    const below = (children.get(id) ?? []).map(build).filter((b): b is Built => b !== undefined);
    const has = own !== undefined && (own.entries.length > 0 || own.before !== 0);
    if (!has && below.length === 0) return undefined;
    const rows: Rec[] = [];
    const sums = { total: 0, debit: 0, credit: 0, posted: (own?.entries.length ?? 0) > 0 };
    if (has && own) {
      let running = own.before;
      // The opening row has no transaction id.
      if (own.before !== 0) {
        rows.push(
          dataRow(
            keys.map((_, i) =>
              i === 0 ? text('Beginning Balance') : i === balanceAt ? money(natural * running || 0) : text(''),
            ),
          ),
        );
      }
      for (const entry of own.entries.sort(inOrder)) {
        running = plus(running, entry.amount);
        sums.total = plus(sums.total, entry.amount);
        if (entry.amount > 0) sums.debit = plus(sums.debit, entry.amount);
        else sums.credit = plus(sums.credit, -entry.amount);
        const facts = { ...entry, natural, running: natural * running || 0 };
        rows.push(dataRow(specs.map((spec) => spec.cell(facts, company))));
      }
    }
    const title = `Total for ${account.Name}`;
    if (below.length === 0) {
      return {
        row: section({
          header: headerCells(account, keys.length),
          rows,
          summary: summaryCells(title, natural, sums),
        }),
        ...sums,
      };
    }
    // The parent's own rows sit in a sub-section without header.
    const ownPart = has ? [section({ rows, summary: summaryCells(title, natural, { ...sums }) })] : [];
    for (const part of below) {
      sums.total = plus(sums.total, part.total);
      sums.debit = plus(sums.debit, part.debit);
      sums.credit = plus(sums.credit, part.credit);
      sums.posted ||= part.posted;
    }
    return {
      row: section({
        header: headerCells(account, keys.length),
        rows: [...ownPart, ...below.map((part) => part.row)],
        summary: summaryCells(has ? `${title} with sub-accounts` : title, natural, sums),
      }),
      ...sums,
    };
  };
  const rows = (children.get('') ?? []).map(build).filter((b): b is Built => b !== undefined);
  return frame('GeneralLedger', company, {
    period,
    basis,
    // This report alone names its columns by their type (recorded).
    columns: columns.map((column, i) => ({ ...column, type: keys[i] })),
    rows: rows.map((built) => built.row),
    empty: rows.length === 0,
  });
}

function headerCells(account: Rec, width: number): Cell[] {
  return Array.from({ length: width }, (_, i) => (i === 0 ? text(String(account.Name), String(account.Id)) : text('')));
}

// ---------------------------------------------------------------------------------------------- profit and loss, detail

const PROFIT_SECTIONS: readonly (readonly [title: string, group: string, type: string, sign: 1 | -1])[] = [
  ['Income', 'Income', 'Income', -1],
  ['Cost of Goods Sold', 'COGS', 'Cost of Goods Sold', 1],
  ['Expenses', 'Expenses', 'Expense', 1],
  ['Other Income', 'OtherIncome', 'Other Income', -1],
  ['Other Expenses', 'OtherExpenses', 'Other Expense', 1],
];

/** Every line behind the profit and loss, account by account. */
export function profitAndLossDetail(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const period = periodOf(params, company);
  const basis = basisOf(params, company);
  const keep = filterOf(params, company);
  const { keys, specs, columns } = pickColumns(params, [
    'tx_date',
    'txn_type',
    'doc_num',
    'name',
    'memo',
    'split_acc',
    'subt_nat_amount',
    'rbal_nat_amount',
  ]);
  const byAccount = new Map<string, Entry[]>();
  for (const entry of entriesOf(ledger, company, basis)) {
    if (entry.ymd < period.from || entry.ymd > period.until || (keep && !keep(entry))) continue;
    const list = byAccount.get(entry.account);
    if (list) list.push(entry);
    else byAccount.set(entry.account, [entry]);
  }
  const amountAt = keys.findIndex((key) => key.startsWith('subt_nat'));
  const cells = (title: string, amount: Cents): Cell[] =>
    keys.map((_, i) => (i === 0 ? text(title) : i === amountAt ? money(amount) : text('')));
  let net = 0;
  const rows: Rec[] = [];
  for (const [title, group, type, sign] of PROFIT_SECTIONS) {
    let total = 0;
    const inner: Rec[] = [];
    for (const account of chart(company, [type])) {
      const entries = byAccount.get(String(account.Id));
      if (!entries) continue;
      let running = 0;
      const lines = entries.sort(inOrder).map((entry) => {
        running = plus(running, sign * entry.amount);
        const facts = { ...entry, natural: sign, running };
        return dataRow(specs.map((spec) => spec.cell(facts, company)));
      });
      total = plus(total, running);
      inner.push(
        section({
          header: headerCells(account, keys.length),
          rows: lines,
          summary: cells(`Total for ${account.Name}`, running),
        }),
      );
    }
    if (inner.length === 0) continue;
    net = plus(net, -sign * total);
    rows.push(
      section({
        header: keys.map((_, i) => text(i === 0 ? title : '')),
        rows: inner,
        summary: cells(`Total for ${title}`, total),
        group,
      }),
    );
  }
  const empty = rows.length === 0;
  rows.push(section({ summary: cells('Net Income', net), group: 'NetIncome' }));
  return frame('ProfitAndLossDetail', company, { period, basis, columns, rows, empty });
}

// --------------------------------------------------------------------------------------------------------------- journal

export function journalReport(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const period = periodOf(params, company, 'This Month-to-date');
  const { keys, specs, columns } = pickColumns(params, [
    'tx_date',
    'txn_type',
    'doc_num',
    'name',
    'memo',
    'account_name',
    'debt_amt',
    'credit_amt',
  ]);
  const rows: Rec[] = [];
  const firstOnly = new Set([
    'tx_date',
    'txn_type',
    'doc_num',
    'name',
    'create_date',
    'last_mod_date',
    'create_by',
    'last_mod_by',
  ]);
  ledger.settle();
  const postings = [...ledger.postings()].filter((p) => p.ymd >= period.from && p.ymd <= period.until);
  postings.sort((a, b) => a.ymd - b.ymd || a.order - b.order);
  for (const posting of postings) {
    let first = true;
    let debit = 0;
    let credit = 0;
    for (const line of shownLines(posting, company)) {
      const facts: RowFacts = { posting, line, account: line.account, amount: line.home, ymd: posting.ymd, natural: 1 };
      if (line.home > 0) debit = plus(debit, line.home);
      else credit = plus(credit, -line.home);
      rows.push(
        dataRow(
          keys.map((key, i) => {
            if (first || !firstOnly.has(key)) return specs[i].cell(facts, company);
            return text(key === 'tx_date' ? '0-00-00' : '', key === 'tx_date' ? undefined : '');
          }),
        ),
      );
      first = false;
    }
    if (first) continue;
    const total = (key: string): Cell =>
      key.startsWith('debt')
        ? money(debit)
        : key.startsWith('credit')
          ? money(credit)
          : text(key === 'tx_date' ? '0-00-00' : '');
    rows.push(dataRow(keys.map(total)));
    rows.push(dataRow(keys.map((key) => text(key === 'tx_date' ? '0-00-00' : ''))));
  }
  return frame('JournalReport', company, { period, columns, rows, empty: rows.length === 0 });
}

/**
 * The lines of a transaction as the journal shows them. Two kinds have blank rows besides: a payment that only links a
 * credit to a charge (a row without account, a row on A/R), and an inventory adjustment (the first on the adjustment
 * account, the last on the asset account).
 */
function shownLines(posting: Posting, company: CompanyView): Line[] {
  const lines = posting.lines.filter((line) => line.home !== 0 || line.foreign !== 0);
  const blank = (account: string): Line =>
    new Line(account, 0, 0, LineKind.Source, posting.name, undefined, undefined, posting.memo, undefined, undefined);
  if (posting.type === 'Payment' && lines.length === 0 && posting.applications) {
    return [blank(''), blank(String(company.accountBySubType('AccountsReceivable', posting.currency)?.Id ?? ''))];
  }
  if (posting.type === 'InventoryAdjustment' && lines.length > 0) {
    return [blank(posting.lines[0].account), ...lines, blank(posting.lines.at(-1)!.account)];
  }
  return lines;
}

// ------------------------------------------------------------------------------------------------------ transaction list

const NON_POSTING = ['Estimate', 'PurchaseOrder'];

interface Listed {
  readonly ymd: number;
  readonly order: number;
  readonly type: string;
  readonly id: string;
  readonly label: string;
  readonly docNumber: string;
  readonly nameKey?: string;
  readonly memo: string;
  readonly account: string;
  readonly split: string;
  readonly amount: Cents;
  readonly posting: boolean;
  readonly record?: Rec;
  readonly due: number;
}

interface ListColumn {
  title: string;
  type: string;
  cell: (t: Listed, company: CompanyView) => Cell;
}

/** A column that names the record a header reference points at. */
const referenced = (title: string, reference: string, type: string, nameField: string): ListColumn => ({
  title,
  type: 'String',
  cell: (t, company) => {
    const id = String(t.record?.[reference]?.value ?? '');
    return text(String(company.get(type, id)?.[nameField] ?? ''), id);
  },
});

const LIST_COLUMNS: Readonly<Record<string, ListColumn>> = {
  tx_date: { title: 'Date', type: 'Date', cell: (t) => text(dateOf(t.ymd)) },
  txn_type: { title: 'Transaction Type', type: 'String', cell: (t) => text(t.label, t.id) },
  doc_num: { title: 'Num', type: 'String', cell: (t) => text(t.docNumber) },
  is_no_post: { title: 'Posting', type: 'Boolean', cell: (t) => text(t.posting ? 'Yes' : 'No') },
  name: {
    title: 'Name',
    type: 'String',
    cell: (t, company) => {
      const { name, id } = nameOf(company, t.nameKey);
      return text(name, id ?? '');
    },
  },
  memo: { title: 'Memo/Description', type: 'String', cell: (t) => text(t.memo) },
  account_name: {
    title: 'Account',
    type: 'String',
    cell: (t, company) => text(accountName(company, t.account), t.account),
  },
  other_account: {
    title: 'Split',
    type: 'String',
    cell: (t, company) => (t.split === '-Split-' ? text(t.split, '') : text(accountName(company, t.split), t.split)),
  },
  split_acc: {
    title: 'Split',
    type: 'String',
    cell: (t, company) => (t.split === '-Split-' ? text(t.split, '') : text(accountName(company, t.split), t.split)),
  },
  subt_nat_amount: { title: 'Amount', type: 'Money', cell: (t) => money(t.amount) },
  due_date: { title: 'Due Date', type: 'Date', cell: (t) => text(t.due ? dateOf(t.due) : '') },
  is_cleared: { title: 'Clr', type: 'String', cell: () => text('') },
  create_date: { title: 'Create Date', type: 'Date', cell: (t) => text(String(t.record?.MetaData?.CreateTime ?? '')) },
  last_mod_date: {
    title: 'Last Modified',
    type: 'Date',
    cell: (t) => text(String(t.record?.MetaData?.LastUpdatedTime ?? '')),
  },
  create_by: { title: 'Created By', type: 'String', cell: () => text('') },
  last_mod_by: { title: 'Last Modified By', type: 'String', cell: () => text('') },
  dept_name: referenced('Location', 'DepartmentRef', 'Department', 'FullyQualifiedName'),
  pmt_mthd: referenced('Payment Method', 'PaymentMethodRef', 'PaymentMethod', 'Name'),
  term_name: referenced('Terms', 'SalesTermRef', 'Term', 'Name'),
  currency: {
    title: 'Currency',
    type: 'String',
    cell: (t, company) => text(String(t.record?.CurrencyRef?.value ?? company.homeCurrency())),
  },
};

function accountName(company: CompanyView, id: string): string {
  return String(company.get('Account', id)?.FullyQualifiedName ?? '');
}

export function transactionList(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const columns = 'tx_date txn_type doc_num is_no_post name memo account_name other_account subt_nat_amount'.split(' ');
  return listing('TransactionList', columns, params, company, listedTransactions(company, ledger), ledger);
}

/** The same list, one section for each customer or vendor. */
export function transactionListBy(
  name: string,
  party: 'Customer' | 'Vendor',
  params: Params,
  company: CompanyView,
  ledger: Ledger,
): Rec {
  const columns = 'tx_date txn_type doc_num is_no_post memo account_name subt_nat_amount'.split(' ');
  const own = [...listedTransactions(company, ledger)].filter((t) => t.nameKey?.startsWith(`${party}:`));
  return listing(name, columns, params, company, own, ledger, (t) => t.nameKey!);
}

/** Every line of every posting, with the facts of its transaction. */
export function transactionListWithSplits(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const columns = 'tx_date txn_type doc_num is_no_post name memo account_name subt_nat_amount'.split(' ');
  const lines: Listed[] = [];
  for (const t of listedTransactions(company, ledger)) {
    for (const line of ledger.posting(t.type, t.id)?.lines ?? []) {
      const amount = naturalSide(company.get('Account', line.account)) * line.home || 0;
      const nameKey = line.name ?? t.nameKey;
      lines.push({
        ...t,
        ...{ account: line.account, amount, memo: line.memo ?? t.memo },
        ...(nameKey !== undefined && { nameKey }),
      });
    }
  }
  return listing('TransactionListWithSplits', columns, params, company, lines, ledger);
}

function listing(
  reportName: string,
  fallback: readonly string[],
  params: Params,
  company: CompanyView,
  source: Iterable<Listed>,
  ledger: Ledger,
  partyOf?: (t: Listed) => string,
): Rec {
  const period = periodOf(params, company, 'This Month-to-date');
  const asked = (params.columns ?? '').split(',').filter((key) => Object.hasOwn(LIST_COLUMNS, key));
  const keys = asked.length > 0 ? asked : fallback;
  const within = (value: unknown, start: string | undefined, end: string | undefined): boolean => {
    const day = String(value ?? '').slice(0, 10);
    return (!start || day >= start) && (!end || day <= end);
  };
  const customers = idFilter(params.customer ?? params.name);
  const vendors = idFilter(params.vendor ?? params.name);
  const types = idFilter(params.transaction_type);
  const departments = idFilter(params.department);
  const keep = (t: Listed): boolean => {
    if (t.ymd < period.from || t.ymd > period.until) return false;
    if (types && !types.has(t.type) && !types.has(t.label) && !types.has(t.label.replaceAll(' ', ''))) return false;
    if (params.docnum && t.docNumber !== params.docnum) return false;
    if (params.bothamount && cents(params.bothamount) !== Math.abs(t.amount)) return false;
    if (params.arpaid && !paidMatches(params.arpaid, 'AR', t, ledger)) return false;
    if (params.appaid && !paidMatches(params.appaid, 'AP', t, ledger)) return false;
    if (departments && !departments.has(String(t.record?.DepartmentRef?.value ?? ''))) return false;
    if (customers || vendors) {
      const own = t.nameKey ?? '';
      const hit = customers?.has(own.replace(/^Customer:/, '')) || vendors?.has(own.replace(/^Vendor:/, ''));
      if (!hit) return false;
    }
    if (!within(t.record?.MetaData?.CreateTime, params.start_createdate, params.end_createdate)) return false;
    if (!within(t.record?.MetaData?.LastUpdatedTime, params.start_moddate, params.end_moddate)) return false;
    if (params.start_duedate || params.end_duedate) {
      if (!t.due || !within(dateOf(t.due), params.start_duedate, params.end_duedate)) return false;
    }
    return true;
  };
  const listed = [...source].filter(keep);
  listed.sort((a, b) => a.ymd - b.ymd || a.order - b.order);
  if (params.sort_order === 'descend') listed.reverse();
  const row = (t: Listed): Rec => dataRow(keys.map((key) => LIST_COLUMNS[key].cell(t, company)));
  const group = partyOf ?? groupingOf(params.group_by, company);
  let rows = listed.map(row);
  if (group) {
    const groups = new Map<string, Listed[]>();
    for (const t of listed) {
      const key = group(t);
      const list = groups.get(key);
      if (list) list.push(t);
      else groups.set(key, [t]);
    }
    const titled = [...groups].map(([key, members]) => {
      const party = partyOf ? nameOf(company, key) : undefined;
      return { title: party?.name ?? key, id: party?.id, members };
    });
    if (partyOf) titled.sort((a, b) => (a.title.toLowerCase() < b.title.toLowerCase() ? -1 : 1));
    rows = titled.map(({ title, id, members }) =>
      section({
        header: keys.map((_, i) => (i === 0 ? text(title || 'Not Specified', id) : text(''))),
        rows: members.map(row),
        summary: keys.map((key, i) =>
          i === 0
            ? text(`Total for ${title || 'Not Specified'}`)
            : key === 'subt_nat_amount'
              ? money(members.reduce((sum, t) => plus(sum, t.amount), 0))
              : text(''),
        ),
      }),
    );
  }
  return frame(reportName, company, {
    period,
    columns: keys.map((key) => ({ title: LIST_COLUMNS[key].title, type: LIST_COLUMNS[key].type, key })),
    rows,
    empty: rows.length === 0,
  });
}

function groupingOf(by: string | undefined, company: CompanyView): ((t: Listed) => string) | undefined {
  switch ((by ?? '').toLowerCase().replaceAll(' ', '')) {
    case 'name':
    case 'customer':
    case 'vendor':
      return (t) => nameOf(company, t.nameKey).name;
    case 'transactiontype':
      return (t) => t.label;
    case 'account':
      return (t) => accountName(company, t.account);
    case 'month':
      return (t) => dateOf(t.ymd).slice(0, 7);
    case 'day':
      return (t) => dateOf(t.ymd);
    default:
      return undefined;
  }
}

function paidMatches(asked: string, control: 'AR' | 'AP', t: Listed, ledger: Ledger): boolean {
  const posting = ledger.posting(t.type, t.id);
  if (posting?.open?.control !== control || posting.type.endsWith('Payment')) return false;
  const paid = ledger.openCents(t.type, t.id) === 0;
  return asked.toLowerCase() === 'all' || (asked.toLowerCase() === 'paid') === paid;
}

function* listedTransactions(company: CompanyView, ledger: Ledger): Iterable<Listed> {
  ledger.settle();
  for (const posting of ledger.postings()) {
    const line = posting.lines[0];
    const others = new Set<string>();
    for (const other of posting.lines) if (other !== line && other.home !== 0) others.add(other.account);
    if (line) others.delete(line.account);
    yield {
      ymd: posting.ymd,
      order: posting.order,
      type: posting.type,
      id: posting.id,
      label: posting.label,
      docNumber: posting.docNumber ?? '',
      ...(posting.name === undefined ? {} : { nameKey: posting.name }),
      memo: posting.memo ?? '',
      account: line?.account ?? '',
      split: others.size === 1 ? [...others][0] : others.size > 1 ? '-Split-' : '',
      amount: line ? naturalSide(company.get('Account', line.account)) * line.home || 0 : 0,
      posting: true,
      record: company.get(posting.type, posting.id),
      due: posting.dueYmd,
    };
  }
  for (const type of NON_POSTING) {
    for (const rec of company.all(type)) {
      const customer = rec.CustomerRef?.value;
      const vendor = rec.VendorRef?.value;
      const key = customer ? `Customer:${customer}` : vendor ? `Vendor:${vendor}` : undefined;
      yield {
        ymd: ymdOf(rec.TxnDate),
        order: Number(rec.Id),
        type,
        id: String(rec.Id),
        label: labelOf(type, rec, company),
        docNumber: String(rec.DocNumber ?? ''),
        ...(key === undefined ? {} : { nameKey: key }),
        memo: String(rec.PrivateNote ?? ''),
        account: String(rec.ARAccountRef?.value ?? rec.APAccountRef?.value ?? ''),
        split: '-Split-',
        amount: cents(rec.TotalAmt),
        posting: false,
        record: rec,
        due: rec.DueDate ? ymdOf(rec.DueDate) : 0,
      };
    }
  }
}

// ---------------------------------------------------------------------------------------------------------- account list

export function accountList(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const status = (params.account_status ?? 'Not_Deleted').toLowerCase();
  const types = idFilter(params.account_type);
  const rows = chart(company)
    .filter((account) => (status === 'deleted' ? account.Active === false : account.Active !== false))
    .filter(
      (account) =>
        !types || types.has(String(account.AccountType)) || types.has(String(account.AccountType).replaceAll(' ', '')),
    )
    .map((account) =>
      dataRow([
        text(String(account.FullyQualifiedName ?? account.Name), String(account.Id)),
        text(String(account.AccountType ?? '')),
        text(String(account.AccountSubType ?? '')),
        text(String(account.Description ?? '')),
        money(balanceShown(account, ledger)),
      ]),
    );
  return frame('AccountList', company, {
    columns: [
      { title: 'Account', type: 'String', key: 'account_name' },
      { title: 'Type', type: 'String', key: 'account_type' },
      { title: 'Detail Type', type: 'String', key: 'detail_acc_type' },
      { title: 'Description', type: 'String', key: 'account_desc' },
      { title: 'Balance', type: 'Money', key: 'account_bal' },
    ],
    rows,
    empty: rows.length === 0,
  });
}

function balanceShown(account: Rec, ledger: Ledger): Cents | undefined {
  const balance = cents(ledger.accountBalance(String(account.Id)));
  return naturalSide(account) * balance || 0;
}
