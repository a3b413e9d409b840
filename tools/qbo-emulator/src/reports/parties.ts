// Who owes what: aging and balances of customers and vendors, summary and detail. One open item per document; the items
// of a day always add up to A/R or A/P of that day, because a link counts only when both its ends are dated by then.
import type { CompanyView, Rec } from '../types.js';
import { plus, type Cents } from '../money/index.js';
import { dateOf, keyOf, type Ledger, type Posting } from '../ledger/index.js';
import {
  dataRow,
  daysBetween,
  frame,
  idFilter,
  money,
  reportDate,
  section,
  text,
  type Cell,
  type Column,
  type Params,
} from './frame.js';
import { dayPeriod, nameOf } from './statements.js';

type Control = 'AR' | 'AP';

interface OpenItem {
  readonly posting: Posting;
  readonly nameKey: string;
  /** Home currency; what the name owes (A/R) or is owed (A/P). */
  readonly open: Cents;
  readonly amount: Cents;
}

/** Open items of a day in home currency. */
export function openItems(ledger: Ledger, control: Control, asOf: number, allPayments: boolean): OpenItem[] {
  const items: OpenItem[] = [];
  const sign = control === 'AR' ? 1 : -1;
  const payerType = control === 'AR' ? 'Payment' : 'BillPayment';
  for (const posting of ledger.postings()) {
    if (posting.ymd > asOf) continue;
    if (posting.type === payerType) {
      let open = 0;
      for (const line of posting.lines) {
        if (ledger.accounts.get(line.account)?.control === control) open = plus(open, sign * line.home);
      }
      const amount = open;
      for (const application of posting.applications ?? []) {
        const target = ledger.posting(application.type, application.id);
        if (!target?.open || (target.ymd > asOf && !allPayments)) continue;
        const cleared = ledger.clearedHome(target.type, target.id, posting.type, posting.id) ?? 0;
        open = plus(open, ledger.linkSign(target.type, target.id) * cleared);
      }
      if (open !== 0) items.push({ posting, nameKey: posting.name ?? '', open, amount });
      continue;
    }
    if (posting.open?.control !== control) continue;
    const direction = posting.open.total < 0 ? -1 : 1;
    let open = posting.open.home;
    for (const payer of ledger.payersOf(posting.type, posting.id)) {
      if (payer.ymd > asOf && !allPayments) continue;
      // Two links of one payment to one document are released together by the first of them.
      if (ledger.payersOf(posting.type, posting.id).find((p) => p.type === payer.type && p.id === payer.id) !== payer)
        continue;
      open = plus(open, -direction * (ledger.clearedHome(posting.type, posting.id, payer.type, payer.id) ?? 0));
    }
    if (open === 0) continue;
    const line = posting.lines.find((l) => ledger.accounts.get(l.account)?.control === control);
    items.push({ posting, nameKey: line?.name ?? posting.name ?? '', open, amount: posting.open.home });
  }
  items.sort((a, b) => a.posting.ymd - b.posting.ymd || a.posting.order - b.posting.order);
  return items;
}

/** Days past due: credits, payments and journal lines have no due date and age from their own. */
function ageOf(posting: Posting, asOf: number): number {
  const due = posting.type === 'Invoice' || posting.type === 'Bill' ? posting.dueYmd || posting.ymd : posting.ymd;
  return daysBetween(due, asOf);
}

function bucketOf(age: number, size: number, count: number): number {
  return age <= 0 ? 0 : Math.min(Math.ceil(age / size), count);
}

function bucketTitles(size: number, count: number): string[] {
  const titles = ['Current'];
  for (let i = 0; i < count - 1; i++) titles.push(`${i * size + 1} - ${(i + 1) * size}`);
  titles.push(`${(count - 1) * size + 1} and over`);
  return titles;
}

interface Party {
  readonly key: string;
  readonly name: string;
  readonly id: string;
  readonly parent?: string;
}

/** Rows per name; a parent with sub-customers is a section: own amounts in the header, children, total in the summary. */
function partyRows(
  company: CompanyView,
  amounts: ReadonlyMap<string, Cents[]>,
  width: number,
  shown: (amounts: Cents[] | undefined) => Cell[],
): { rows: Rec[]; totals: Cents[] } {
  const parties = new Map<string, Party>();
  const add = (key: string): void => {
    if (parties.has(key)) return;
    const { name, id } = nameOf(company, key);
    const [type] = key.split(':');
    const parentId = company.get(type, id ?? '')?.ParentRef?.value;
    const parent = parentId === undefined ? undefined : keyOf(type, String(parentId));
    parties.set(key, { key, name: name || 'Not Specified', id: id ?? '', ...(parent === undefined ? {} : { parent }) });
    if (parent !== undefined) add(parent);
  };
  for (const key of amounts.keys()) add(key);
  const children = new Map<string, Party[]>();
  for (const party of parties.values()) {
    const list = children.get(party.parent ?? '');
    if (list) list.push(party);
    else children.set(party.parent ?? '', [party]);
  }
  const build = (parent: string): { rows: Rec[]; totals: Cents[] } => {
    const rows: Rec[] = [];
    const totals = Array.from({ length: width }, () => 0);
    const ordered = (children.get(parent) ?? []).sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
    for (const party of ordered) {
      const own = amounts.get(party.key);
      const below = build(party.key);
      const sum = below.totals.map((amount, i) => plus(amount, own?.[i] ?? 0));
      sum.forEach((amount, i) => (totals[i] = plus(totals[i], amount)));
      if (below.rows.length === 0) {
        rows.push({ ColData: [text(party.name, party.id), ...shown(own)] });
        continue;
      }
      rows.push(
        section({
          header: [text(party.name, party.id), ...shown(own)],
          rows: below.rows,
          summary: [text(`Total ${party.name}`), ...shown(sum)],
        }),
      );
    }
    return { rows, totals };
  };
  return build('');
}

interface Asked {
  readonly control: Control;
  readonly asOf: number;
  readonly size: number;
  readonly count: number;
  readonly items: OpenItem[];
}

function ask(params: Params, company: CompanyView, ledger: Ledger, control: Control): Asked {
  const asOf = reportDate(params, company);
  const size = Math.max(1, Math.min(365, Math.trunc(Number(params.aging_period ?? 30)) || 30));
  const count = Math.max(1, Math.min(24, Math.trunc(Number(params.num_periods ?? 4)) || 4));
  const allPayments = (params.aging_method ?? 'Report_Date').toLowerCase() === 'current';
  const names = idFilter(control === 'AR' ? params.customer : params.vendor);
  const pastDue = params.past_due ? Number(params.past_due) : undefined;
  const items = openItems(ledger, control, asOf, allPayments).filter(
    (item) =>
      (!names || names.has(item.nameKey.slice(item.nameKey.indexOf(':') + 1))) &&
      (pastDue === undefined || ageOf(item.posting, asOf) >= pastDue),
  );
  return { control, asOf, size, count, items };
}

export function aging(name: string, control: Control, params: Params, company: CompanyView, ledger: Ledger): Rec {
  const { asOf, size, count, items } = ask(params, company, ledger, control);
  const width = count + 2;
  const amounts = new Map<string, Cents[]>();
  for (const item of items) {
    let own = amounts.get(item.nameKey);
    if (!own) amounts.set(item.nameKey, (own = Array.from({ length: width }, () => 0)));
    const bucket = bucketOf(ageOf(item.posting, asOf), size, count);
    own[bucket] = plus(own[bucket], item.open);
    own[width - 1] = plus(own[width - 1], item.open);
  }
  const shown = (values: Cents[] | undefined): Cell[] =>
    Array.from({ length: width }, (_, i) =>
      i === width - 1
        ? money(values?.[i] ?? 0)
        : money(values === undefined || values[i] === 0 ? undefined : values[i]),
    );
  const tree = partyRows(company, amounts, width, shown);
  const columns: Column[] = [
    { title: '', type: control === 'AR' ? 'Customer' : 'Vendor' },
    ...bucketTitles(size, count).map((title, i) => ({
      title,
      type: 'Money',
      key: i === 0 ? 'current' : String(i - 1),
    })),
    { title: 'Total', type: 'Money', key: 'total' },
  ];
  const rows = [
    ...tree.rows,
    section({ summary: [text('TOTAL'), ...tree.totals.map((amount) => money(amount))], group: 'GrandTotal' }),
  ];
  return frame(name, company, {
    period: dayPeriod(company, asOf),
    summarize: 'Total',
    columns,
    rows,
    empty: tree.rows.length === 0,
    options: [{ Name: 'report_date', Value: dateOf(asOf) }],
  });
}

export function agingDetail(name: string, control: Control, params: Params, company: CompanyView, ledger: Ledger): Rec {
  const { asOf, size, count, items } = ask(params, company, ledger, control);
  const columns: Column[] = [
    { title: 'Date', type: 'Date', key: 'tx_date' },
    { title: 'Transaction Type', type: 'String', key: 'txn_type' },
    { title: 'Num', type: 'String', key: 'doc_num' },
    control === 'AR'
      ? { title: 'Customer', type: 'String', key: 'cust_name' }
      : { title: 'Vendor', type: 'String', key: 'vend_name' },
    { title: 'Due Date', type: 'Date', key: 'due_date' },
    ...(control === 'AP' ? [{ title: 'Past Due', type: 'String', key: 'past_due' }] : []),
    { title: 'Amount', type: 'Money', key: 'subt_amount' },
    { title: 'Open Balance', type: 'Money', key: 'subt_open_bal' },
  ];
  const titles = bucketTitles(size, count);
  const rows: Rec[] = [];
  let allAmount = 0;
  let allOpen = 0;
  for (let bucket = count; bucket >= 0; bucket--) {
    const members = items.filter((item) => bucketOf(ageOf(item.posting, asOf), size, count) === bucket);
    if (members.length === 0) continue;
    const title =
      bucket === 0
        ? 'Current'
        : `${bucket === count ? `${(count - 1) * size + 1} or more` : titles[bucket]} days past due`;
    let amount = 0;
    let open = 0;
    const inner = members.map((item) => {
      amount = plus(amount, item.amount);
      open = plus(open, item.open);
      const { name: party, id } = nameOf(company, item.nameKey);
      return dataRow([
        text(dateOf(item.posting.ymd)),
        text(item.posting.label, item.posting.id),
        text(item.posting.docNumber),
        text(party, id ?? ''),
        text(dateOf(item.posting.dueYmd || item.posting.ymd)),
        ...(control === 'AP' ? [text(String(ageOf(item.posting, asOf)))] : []),
        money(item.amount),
        money(item.open),
      ]);
    });
    allAmount = plus(allAmount, amount);
    allOpen = plus(allOpen, open);
    const gap = columns.length - 3;
    rows.push(
      section({
        header: [text(title), ...Array.from({ length: columns.length - 1 }, () => text(''))],
        rows: inner,
        summary: [
          text(`Total for ${title}`),
          ...Array.from({ length: gap }, () => text('')),
          money(amount),
          money(open),
        ],
      }),
    );
  }
  const empty = rows.length === 0;
  rows.push(
    section({
      summary: [
        text('TOTAL'),
        ...Array.from({ length: columns.length - 3 }, () => text('')),
        money(allAmount),
        money(allOpen),
      ],
      group: 'GrandTotal',
    }),
  );
  return frame(name, company, { period: dayPeriod(company, asOf), columns, rows, empty });
}

export function partyBalance(
  name: string,
  control: Control,
  params: Params,
  company: CompanyView,
  ledger: Ledger,
): Rec {
  const { asOf, items } = ask(params, company, ledger, control);
  const amounts = new Map<string, Cents[]>();
  for (const item of items) {
    const own = amounts.get(item.nameKey);
    if (own) own[0] = plus(own[0], item.open);
    else amounts.set(item.nameKey, [item.open]);
  }
  for (const [key, [amount]] of amounts) if (amount === 0) amounts.delete(key);
  const tree = partyRows(company, amounts, 1, (values) => [money(values?.[0])]);
  return frame(name, company, {
    period: dayPeriod(company, asOf),
    summarize: 'Total',
    columns: [
      { title: '', type: control === 'AR' ? 'Customer' : 'Vendor' },
      { title: 'Total', type: 'Money', key: 'total' },
    ],
    rows: [...tree.rows, section({ summary: [text('TOTAL'), money(tree.totals[0])], group: 'GrandTotal' })],
    empty: tree.rows.length === 0,
  });
}

export function partyBalanceDetail(
  name: string,
  control: Control,
  params: Params,
  company: CompanyView,
  ledger: Ledger,
): Rec {
  const { asOf, items } = ask(params, company, ledger, control);
  const columns: Column[] = [
    { title: 'Date', type: 'Date', key: 'tx_date' },
    { title: 'Transaction Type', type: 'String', key: 'txn_type' },
    { title: 'Num', type: 'String', key: 'doc_num' },
    { title: 'Due Date', type: 'Date', key: 'due_date' },
    { title: 'Amount', type: 'Money', key: 'subt_amount' },
    { title: 'Open Balance', type: 'Money', key: 'subt_open_bal' },
    { title: 'Balance', type: 'Money', key: 'rbal_open_bal' },
  ];
  const byName = new Map<string, OpenItem[]>();
  for (const item of items) {
    const list = byName.get(item.nameKey);
    if (list) list.push(item);
    else byName.set(item.nameKey, [item]);
  }
  let all = 0;
  let allAmount = 0;
  const rows = [...byName]
    .map(([key, members]) => ({ ...nameOf(company, key), members }))
    .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
    .map(({ name: party, id, members }) => {
      let running = 0;
      let amount = 0;
      const inner = members.map((item) => {
        running = plus(running, item.open);
        amount = plus(amount, item.amount);
        return dataRow([
          text(dateOf(item.posting.ymd)),
          text(item.posting.label, item.posting.id),
          text(item.posting.docNumber),
          text(dateOf(item.posting.dueYmd || item.posting.ymd)),
          money(item.amount),
          money(item.open),
          money(running),
        ]);
      });
      all = plus(all, running);
      allAmount = plus(allAmount, amount);
      const title = party || 'Not Specified';
      return section({
        header: [text(title, id ?? ''), ...Array.from({ length: 6 }, () => text(''))],
        rows: inner,
        summary: [text(`Total for ${title}`), text(''), text(''), text(''), money(amount), money(running), text('')],
      });
    });
  const empty = rows.length === 0;
  rows.push(
    section({
      summary: [text('TOTAL'), text(''), text(''), text(''), money(allAmount), money(all), text('')],
      group: 'GrandTotal',
    }),
  );
  return frame(name, company, { period: dayPeriod(company, asOf), columns, rows, empty });
}
