// Checks a whole company's books against themselves: every identity that must hold whatever happened to the company.
// Findings, not exceptions: an empty list is the proof, anything else names the object and both numbers.
import type { CompanyView, Rec } from '../types.js';
import { cents, centsText, plus, type Cents } from '../money/index.js';
import { isVoided, ItemStock, keyOf, Ledger, Movement, POSTING_TYPES, type Posting } from '../ledger/index.js';
import { report } from './index.js';
import { openItems } from './parties.js';

export interface Finding {
  readonly check: string;
  readonly detail: string;
}

const OPEN_FIELDS: Readonly<Record<string, string>> = {
  Invoice: 'Balance',
  Bill: 'Balance',
  CreditMemo: 'RemainingCredit',
  Payment: 'UnappliedAmt',
};
const FAR_FUTURE = 99991231;

export function selfcheckLedger(company: CompanyView, ledger: Ledger): Finding[] {
  const findings: Finding[] = [];
  const found = (check: string, detail: string): void => {
    // The first hundred of a kind tell the story.
    if (findings.filter((f) => f.check === check).length < 100) findings.push({ check, detail });
  };
  const same = (check: string, what: string, a: string, b: string): void => {
    if (a !== b) found(check, `${what}: ${a} is not ${b}`);
  };
  ledger.settle();
  checkPostings(company, ledger, found);
  checkSums(ledger, same);
  checkSubledgers(company, ledger, same);
  checkStock(ledger, same);
  checkRecords(company, ledger, found, same);
  checkRebuild(company, ledger, same);
  checkReports(company, ledger, same);
  return findings;
}

type Found = (check: string, detail: string) => void;
type Same = (check: string, what: string, a: string, b: string) => void;

function checkPostings(company: CompanyView, ledger: Ledger, found: Found): void {
  for (const posting of ledger.postings()) {
    const name = keyOf(posting.type, posting.id);
    let home = 0;
    let foreign = 0;
    for (const line of posting.lines) {
      home = plus(home, line.home);
      foreign = plus(foreign, line.foreign);
      if (!company.get('Account', line.account))
        found('account exists', `${name} posts to missing account ${line.account}`);
      const control = ledger.accounts.get(line.account)?.control;
      if (control && line.name === undefined && line.home !== 0)
        found('control line has a name', `${name} on ${line.account}`);
    }
    if (home !== 0) found('transaction balances', `${name} is off by ${centsText(home)}`);
    if (posting.foreign && foreign !== 0) found('foreign side balances', `${name} is off by ${centsText(foreign)}`);
    if (posting.residual !== 0)
      found('record explains its total', `${name} has ${centsText(posting.residual)} more than its lines`);
  }
}

/** The incremental sums against a plain sum over all lines. */
function checkSums(ledger: Ledger, same: Same): void {
  const plain = new Map<string, { home: Cents; foreign: Cents; lines: number }>();
  let all = 0;
  for (const posting of ledger.postings()) {
    for (const line of posting.lines) {
      let own = plain.get(line.account);
      if (!own) plain.set(line.account, (own = { home: 0, foreign: 0, lines: 0 }));
      own.home = plus(own.home, line.home);
      own.foreign = plus(own.foreign, line.foreign);
      own.lines++;
      all = plus(all, line.home);
    }
  }
  same('trial balance sums to zero', 'all lines', centsText(all), '0.00');
  for (const sums of ledger.accounts.values()) {
    const own = plain.get(sums.id) ?? { home: 0, foreign: 0, lines: 0 };
    same('account sums', `account ${sums.id}`, centsText(sums.home), centsText(own.home));
    same('account sums', `account ${sums.id} foreign`, centsText(sums.foreign), centsText(own.foreign));
    same('account sums', `account ${sums.id} line count`, String(sums.lines), String(own.lines));
    const byDay = ledger.balanceOf(sums, 0, FAR_FUTURE);
    same('account sums', `account ${sums.id} by day`, centsText(byDay.balance), centsText(own.home));
  }
}

function checkSubledgers(company: CompanyView, ledger: Ledger, same: Same): void {
  for (const control of ['AR', 'AP'] as const) {
    const sign = control === 'AR' ? 1 : -1;
    let account = 0;
    for (const sums of ledger.accounts.values())
      if (sums.control === control) account = plus(account, sign * sums.home);
    const byName = new Map<string, Cents>();
    let open = 0;
    for (const item of openItems(ledger, control, FAR_FUTURE, true)) {
      open = plus(open, item.open);
      byName.set(item.nameKey, plus(byName.get(item.nameKey) ?? 0, item.open));
    }
    same('open items are the control account', control, centsText(open), centsText(account));
    const type = control === 'AR' ? 'Customer' : 'Vendor';
    let names = 0;
    for (const posting of ledger.postings()) {
      for (const line of posting.lines) {
        if (ledger.accounts.get(line.account)?.control === control && line.name) names = plus(names, sign * line.home);
      }
    }
    same('names are the control account', control, centsText(names), centsText(account));
    if (company.multicurrency()) continue;
    for (const rec of company.all(type)) {
      const id = String(rec.Id);
      const balance = control === 'AR' ? ledger.customerBalance(id) : ledger.vendorBalance(id);
      // A parent's payment may settle a sub-customer's invoice: only their sum is fixed then.
      if (crossesNames(ledger, control, keyOf(type, id))) continue;
      same('open items are the balance', `${type} ${id}`, centsText(byName.get(keyOf(type, id)) ?? 0), balance);
    }
  }
  if (company.multicurrency()) return;
  const withJobs = new Map<string, Cents>();
  for (const rec of company.all('Customer')) {
    const own = cents(ledger.customerBalance(String(rec.Id)));
    let at: Rec | undefined = rec;
    for (let depth = 0; at && depth < 10; depth++) {
      withJobs.set(String(at.Id), plus(withJobs.get(String(at.Id)) ?? 0, own));
      at = at.ParentRef?.value === undefined ? undefined : company.get('Customer', String(at.ParentRef.value));
    }
  }
  for (const [id, sum] of withJobs)
    same('balance with jobs', `Customer ${id}`, ledger.customerBalanceWithJobs(id), centsText(sum));
}

function crossesNames(ledger: Ledger, control: 'AR' | 'AP', key: string): boolean {
  const payerType = control === 'AR' ? 'Payment' : 'BillPayment';
  for (const posting of ledger.postings(payerType)) {
    for (const application of posting.applications ?? []) {
      const other = ledger.posting(application.type, application.id)?.name;
      if (other !== undefined && other !== posting.name && (other === key || posting.name === key)) return true;
    }
  }
  return false;
}

/** Booked values against the layers, and the layers against a recomputation from nothing. */
function checkStock(ledger: Ledger, same: Same): void {
  for (const id of ledger.stockItems()) {
    const stock = ledger.stock(id);
    if (!stock) continue;
    let booked = 0;
    const fresh = new ItemStock(id);
    const twins = new Map<Movement, Movement>();
    for (const m of stock.movements) {
      const twin = new Movement(m.item, m.kind, m.units, m.value, m.ymd, m.order, m.line, m.type, m.id);
      twins.set(m, twin);
      fresh.add(twin);
      if (m.kind === 'vendor-credit') booked = plus(booked, -m.value);
      booked = plus(booked, m.assetLine ? m.assetLine.home : m.kind === 'vendor-credit' ? 0 : m.value);
    }
    same('stock value is booked', `item ${id}`, centsText(booked), centsText(stock.value()));
    fresh.settle(() => undefined);
    for (const [m, twin] of twins)
      same('stock cost', `item ${id} ${m.type} ${m.id}`, centsText(m.cost), centsText(twin.cost));
    same('stock quantity', `item ${id}`, String(stock.units), String(fresh.units));
  }
}

function checkRecords(company: CompanyView, ledger: Ledger, found: Found, same: Same): void {
  const system = new Set(ledger.systemTransactions().map((txn) => keyOf(txn.type, txn.id)));
  for (const posting of ledger.postings()) {
    const name = keyOf(posting.type, posting.id);
    const rec = company.get(posting.type, posting.id);
    if (!rec && !system.has(name)) found('no posting without a record', name);
    if (rec && isVoided(rec)) found('a void leaves nothing', name);
  }
  for (const type of POSTING_TYPES) {
    for (const rec of company.all(type)) {
      const posting: Posting | undefined = ledger.posting(type, String(rec.Id));
      if (!posting && !isVoided(rec) && cents(rec.TotalAmt) !== 0)
        found('no record without a posting', keyOf(type, String(rec.Id)));
      const field = OPEN_FIELDS[type];
      if (field && typeof rec[field] === 'number') {
        same(
          'record shows the ledger',
          `${type} ${rec.Id} ${field}`,
          centsText(cents(rec[field])),
          ledger.openBalance(type, String(rec.Id)),
        );
      }
    }
  }
  const compare = (type: string, field: string, value: (id: string) => string): void => {
    for (const rec of company.all(type)) {
      if (typeof rec[field] !== 'number') continue;
      same(
        'record shows the ledger',
        `${type} ${rec.Id} ${field}`,
        centsText(cents(rec[field])),
        value(String(rec.Id)),
      );
    }
  };
  compare('Account', 'CurrentBalance', (id) => ledger.accountBalance(id));
  compare('Customer', 'Balance', (id) => ledger.customerBalance(id));
  compare('Customer', 'BalanceWithJobs', (id) => ledger.customerBalanceWithJobs(id));
  compare('Vendor', 'Balance', (id) => ledger.vendorBalance(id));
  for (const rec of company.all('Item')) {
    if (rec.Type !== 'Inventory' || typeof rec.QtyOnHand !== 'number') continue;
    same(
      'record shows the ledger',
      `Item ${rec.Id} QtyOnHand`,
      String(rec.QtyOnHand),
      String(Number(ledger.itemQuantity(String(rec.Id)))),
    );
  }
}

/** The same records posted from nothing, newest first, give the same books: no write left a trace of its order. */
function checkRebuild(company: CompanyView, ledger: Ledger, same: Same): void {
  const fresh = new Ledger(company);
  for (const txn of ledger.systemTransactions().reverse()) fresh.postSystem(txn);
  for (const type of [...POSTING_TYPES].reverse()) {
    for (const rec of [...company.all(type)].reverse()) fresh.post(type, rec);
  }
  const table = (of: Ledger): Map<string, string> =>
    new Map(of.trialBalance().map((row) => [row.accountId, centsText(cents(row.debit) - cents(row.credit))]));
  const own = table(ledger);
  const rebuilt = table(fresh);
  for (const id of new Set([...own.keys(), ...rebuilt.keys()])) {
    same(
      'books do not depend on the order of writes',
      `account ${id}`,
      own.get(id) ?? 'none',
      rebuilt.get(id) ?? 'none',
    );
  }
  for (const posting of ledger.postings()) {
    const { type, id } = posting;
    same(
      'books do not depend on the order of writes',
      `${type} ${id} open`,
      ledger.openBalance(type, id),
      fresh.openBalance(type, id),
    );
  }
}

function checkReports(company: CompanyView, ledger: Ledger, same: Same): void {
  const days = [...ledger.postings()].map((posting) => posting.ymd).sort((a, b) => a - b);
  if (days.length === 0) return;
  const last = text(Math.max(days.at(-1)!, 19000101));
  const middle = text(days[Math.floor(days.length / 2)]);
  for (const end_date of [last, middle]) {
    for (const accounting_method of ['Accrual', 'Cash']) {
      const params = { start_date: '1900-01-01', end_date, accounting_method };
      const what = `${accounting_method} at ${end_date}`;
      const [debit, credit] = cellsOf(report('TrialBalance', params, company, ledger), 'GrandTotal');
      same('trial balance report', what, debit, credit);
      const sheet = report('BalanceSheet', params, company, ledger);
      same(
        'balance sheet balances',
        what,
        cellsOf(sheet, 'TotalAssets')[0],
        cellsOf(sheet, 'TotalLiabilitiesAndEquity')[0],
      );
      const gl = report('GeneralLedger', { ...params, columns: 'tx_date,debt_amt,credit_amt' }, company, ledger);
      let left = 0;
      let right = 0;
      for (const row of gl.Rows.Row ?? []) {
        left = plus(left, cents(row.Summary.ColData[1].value));
        right = plus(right, cents(row.Summary.ColData[2].value));
      }
      same('general ledger balances', what, centsText(left), centsText(right));
    }
    const until = { report_date: end_date };
    for (const [control, names] of [
      ['AR', ['AgedReceivables', 'CustomerBalance', 'CustomerBalanceDetail', 'AgedReceivableDetail']],
      ['AP', ['AgedPayables', 'VendorBalance', 'VendorBalanceDetail', 'AgedPayableDetail']],
    ] as const) {
      let balance = 0;
      for (const sums of ledger.accounts.values()) {
        if (sums.control === control) balance = plus(balance, ledger.balanceOf(sums, undefined, ymd(end_date)).balance);
      }
      const expected = centsText(control === 'AR' ? balance : -balance || 0);
      for (const name of names) {
        const rep = report(name, until, company, ledger);
        // The total stands last, but for the running balance of the balance details.
        const cells = cellsOf(rep, 'GrandTotal').filter((value) => value !== '');
        same('aging is the control account', `${name} at ${end_date}`, cells.at(-1) ?? '0.00', expected);
      }
    }
  }
}

function cellsOf(rep: Rec, group: string): string[] {
  const search = (rows: Rec[]): Rec | undefined => {
    for (const row of rows) {
      if (row.group === group) return row;
      const inner = search(row.Rows?.Row ?? []);
      if (inner) return inner;
    }
    return undefined;
  };
  const row = search(rep.Rows?.Row ?? []);
  return (row?.Summary?.ColData ?? []).slice(1).map((cell: Rec) => String(cell.value));
}

function text(day: number): string {
  const digits = String(day).padStart(8, '0');
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
}

function ymd(date: string): number {
  return Number(date.replaceAll('-', ''));
}
