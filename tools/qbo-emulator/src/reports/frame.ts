// What all reports share: the period they cover, the header Intuit prints, and rows in Intuit's format. A row is data
// (`ColData`) or a section (`Header`, nested `Rows`, `Summary`, `group`); a blank cell is "".
import { QboFault, type CompanyView, type Rec } from '../types.js';
import { centsText, type Cents } from '../money/index.js';
import { dateOf, ymdOf } from '../ledger/index.js';

export type Params = Readonly<Record<string, string | undefined>>;
export type Basis = 'Accrual' | 'Cash';

export interface Period {
  readonly start: string;
  readonly end: string;
  readonly from: number;
  readonly until: number;
  readonly macro?: string;
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export function basisOf(params: Params, company: CompanyView): Basis {
  const asked = params.accounting_method ?? company.preferences().ReportPrefs?.ReportBasis ?? 'Accrual';
  return String(asked).toLowerCase() === 'cash' ? 'Cash' : 'Accrual';
}

/** First month (1-12) of the fiscal year. */
function fiscalMonth(company: CompanyView): number {
  const name =
    company.companyInfo().FiscalYearStartMonth ?? company.preferences().AccountingInfoPrefs?.FirstMonthOfFiscalYear;
  const at = MONTHS.indexOf(String(name));
  return at < 0 ? 1 : at + 1;
}

/** First day of the fiscal year that contains the day. */
export function fiscalYearStart(company: CompanyView, ymd: number): number {
  const month = fiscalMonth(company);
  const year = Math.floor(ymd / 10000);
  const own = year * 10000 + month * 100 + 1;
  return ymd >= own ? own : own - 10000;
}

export function periodOf(params: Params, company: CompanyView, fallback = 'This Fiscal Year-to-date'): Period {
  const today = ymdOf(company.today());
  const given = (name: string): number | undefined => {
    const value = params[name];
    if (value === undefined || value === '') return undefined;
    const ymd = ymdOf(value);
    if (ymd === 0) {
      throw new QboFault(
        '2060',
        'Invalid Date',
        `Invalid Date Format : Invalid date ${value} for ${name}. Expected format is YYYY-MM-DD`,
        name,
      );
    }
    return ymd;
  };
  const start = given('start_date');
  const end = given('end_date');
  if (start !== undefined || end !== undefined) {
    const until = end ?? today;
    return period(start ?? fiscalYearStart(company, until), until);
  }
  const macro = params.date_macro ?? fallback;
  return { ...macroPeriod(macro, today, company), macro: macro.toLowerCase() };
}

/** Reports of one day: aging, balances, stock. */
export function reportDate(params: Params, company: CompanyView): number {
  const value = params.report_date ?? '';
  const ymd = ymdOf(value);
  if (value !== '' && ymd === 0) {
    throw new QboFault(
      '2060',
      'Invalid Date',
      `Invalid Date Format : Invalid date ${value} for report_date.`,
      'report_date',
    );
  }
  return ymd || ymdOf(company.today());
}

function period(from: number, until: number): Period {
  return { start: dateOf(from), end: dateOf(until), from, until };
}

function macroPeriod(macro: string, today: number, company: CompanyView): Period {
  const text = macro.toLowerCase();
  const toDate = text.endsWith('-to-date');
  const base = text.replace(/-to-date$/, '');
  const year = Math.floor(today / 10000);
  const month = Math.floor(today / 100) % 100;
  const fiscal = fiscalYearStart(company, today);
  const cut = (p: Period): Period => (toDate && p.until > today ? period(p.from, today) : p);
  const monthOf = (shift: number): Period => {
    const first = addMonths(year * 10000 + month * 100 + 1, shift);
    return period(first, addDays(addMonths(first, 1), -1));
  };
  const quarterOf = (shift: number, anchor: number): Period => {
    const monthsIn = (year - Math.floor(anchor / 10000)) * 12 + month - (Math.floor(anchor / 100) % 100);
    const first = addMonths(anchor, Math.floor(monthsIn / 3) * 3 + shift * 3);
    return period(first, addDays(addMonths(first, 3), -1));
  };
  const yearOf = (first: number): Period => period(first, addDays(addMonths(first, 12), -1));
  const weekday = weekdayOf(today);
  const weekOf = (shift: number): Period => {
    const first = addDays(today, -weekday + 7 * shift);
    return period(first, addDays(first, 6));
  };
  switch (base) {
    case 'all':
    case 'all dates':
      return period(19000101, 29991231);
    case 'today':
      return period(today, today);
    case 'yesterday':
      return period(addDays(today, -1), addDays(today, -1));
    case 'this week':
      return cut(weekOf(0));
    case 'last week':
      return cut(weekOf(-1));
    case 'next week':
      return cut(weekOf(1));
    case 'this month':
      return cut(monthOf(0));
    case 'last month':
      return cut(monthOf(-1));
    case 'next month':
      return cut(monthOf(1));
    case 'this calendar quarter':
      return cut(quarterOf(0, year * 10000 + 101));
    case 'last calendar quarter':
      return cut(quarterOf(-1, year * 10000 + 101));
    case 'next calendar quarter':
      return cut(quarterOf(1, year * 10000 + 101));
    case 'this fiscal quarter':
      return cut(quarterOf(0, fiscal));
    case 'last fiscal quarter':
      return cut(quarterOf(-1, fiscal));
    case 'next fiscal quarter':
      return cut(quarterOf(1, fiscal));
    case 'this calendar year':
      return cut(yearOf(year * 10000 + 101));
    case 'last calendar year':
      return cut(yearOf((year - 1) * 10000 + 101));
    case 'next calendar year':
      return cut(yearOf((year + 1) * 10000 + 101));
    case 'this fiscal year':
      return cut(yearOf(fiscal));
    case 'last fiscal year':
      return cut(yearOf(fiscal - 10000));
    case 'next fiscal year':
      return cut(yearOf(fiscal + 10000));
    default:
      throw new QboFault('2170', 'Invalid Enumeration', `Invalid Enumeration : ${macro}`, 'date_macro');
  }
}

export function addDays(ymd: number, days: number): number {
  const date = new Date(utcOf(ymd) + days * 86_400_000);
  return date.getUTCFullYear() * 10000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate();
}

function utcOf(ymd: number): number {
  return Date.UTC(Math.floor(ymd / 10000), (Math.floor(ymd / 100) % 100) - 1, ymd % 100);
}

export function addMonths(ymd: number, months: number): number {
  const total = Math.floor(ymd / 10000) * 12 + (Math.floor(ymd / 100) % 100) - 1 + months;
  return Math.floor(total / 12) * 10000 + ((total % 12) + 1) * 100 + (ymd % 100);
}

export function daysBetween(from: number, to: number): number {
  return Math.round((utcOf(to) - utcOf(from)) / 86_400_000);
}

export function weekdayOf(ymd: number): number {
  return new Date(utcOf(ymd)).getUTCDay();
}

// ---------------------------------------------------------------------------------------------------------------- rows

export interface Cell {
  value: string;
  id?: string;
}

export function text(value: string | undefined, id?: string): Cell {
  return id === undefined ? { value: value ?? '' } : { value: value ?? '', id };
}

export function money(amount: Cents | undefined): Cell {
  return { value: amount === undefined ? '' : centsText(amount) };
}

export function dataRow(cells: Cell[], more: Rec = {}): Rec {
  return { ColData: cells, type: 'Data', ...more };
}

export function section(parts: { header?: Cell[]; rows?: Rec[]; summary?: Cell[]; group?: string }): Rec {
  return {
    ...(parts.header ? { Header: { ColData: parts.header } } : {}),
    ...(parts.rows ? { Rows: { Row: parts.rows } } : {}),
    ...(parts.summary ? { Summary: { ColData: parts.summary } } : {}),
    type: 'Section',
    ...(parts.group ? { group: parts.group } : {}),
  };
}

export interface Column {
  readonly title: string;
  readonly type: string;
  readonly key?: string;
  readonly metaData?: Readonly<Record<string, string>>;
}

export function columnsOf(columns: readonly Column[]): Rec {
  return {
    Column: columns.map((column) => {
      const meta = { ...(column.key ? { ColKey: column.key } : {}), ...column.metaData };
      const names = Object.entries(meta);
      return {
        ColTitle: column.title,
        ColType: column.type,
        ...(names.length > 0 ? { MetaData: names.map(([Name, Value]) => ({ Name, Value })) } : {}),
      };
    }),
  };
}

export function frame(
  name: string,
  company: CompanyView,
  parts: {
    period?: Period;
    basis?: Basis;
    summarize?: string;
    columns: readonly Column[];
    rows: Rec[];
    empty: boolean;
    /** The rows are shown although there is no figure in them. */
    skeleton?: boolean;
    options?: Rec[];
  },
): Rec {
  return {
    Header: {
      Time: timeOf(company),
      ReportName: name,
      ...(parts.period?.macro ? { DateMacro: parts.period.macro } : {}),
      ...(parts.basis ? { ReportBasis: parts.basis } : {}),
      ...(parts.period ? { StartPeriod: parts.period.start, EndPeriod: parts.period.end } : {}),
      ...(parts.summarize ? { SummarizeColumnsBy: parts.summarize } : {}),
      Currency: company.homeCurrency(),
      Option: [...(parts.options ?? []), { Name: 'NoReportData', Value: String(parts.empty) }],
    },
    Columns: columnsOf(parts.columns),
    Rows: parts.empty && !parts.skeleton ? {} : { Row: cut(parts.rows) },
  };
}

const MOST_CELLS = 400_000;

/** QBO stops a report at 400,000 cells, with HTTP 200 and a row that says so in words. */
function cut(rows: Rec[]): Rec[] {
  let cells = 0;
  const count = (list: readonly Rec[]): void => {
    for (const row of list) {
      for (const part of [row.ColData, row.Header?.ColData, row.Summary?.ColData]) cells += part?.length ?? 0;
      if (row.Rows?.Row) count(row.Rows.Row);
    }
  };
  count(rows);
  if (cells <= MOST_CELLS) return rows;
  cells = 0;
  const keep = (list: readonly Rec[]): Rec[] => {
    const kept: Rec[] = [];
    for (const row of list) {
      if (cells > MOST_CELLS) break;
      for (const part of [row.ColData, row.Header?.ColData, row.Summary?.ColData]) cells += part?.length ?? 0;
      kept.push(row.Rows?.Row ? { ...row, Rows: { Row: keep(row.Rows.Row) } } : row);
    }
    return kept;
  };
  return [...keep(rows), dataRow([text('Unable to display more data. Please reduce the date range.')])];
}

/** Company time with its offset, second precision. */
export function timeOf(company: CompanyView, at = company.clock.now()): string {
  const offset = company.utcOffsetMinutes();
  const local = new Date(at + offset * 60_000).toISOString().slice(0, 19);
  const abs = Math.abs(offset);
  const pad = (n: number): string => String(n).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${pad(Math.floor(abs / 60))}:${pad(abs % 60)}`;
}

/** `id,id` filters of a report; undefined means everything. */
export function idFilter(value: string | undefined): Set<string> | undefined {
  if (value === undefined || value.trim() === '') return undefined;
  return new Set(value.split(',').map((id) => id.trim()));
}
