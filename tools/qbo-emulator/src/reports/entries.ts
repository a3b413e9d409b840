// The ledger as a stream of dated account movements, in the accrual view (what was posted) and in the cash view, which
// is a transformation at report time: a document on A/R or A/P counts when and as far as it is paid.
//
// Cash view, per document: every line but the control account's is recognised at the payment's date (never before the
// document's own), in the proportion paid; the parts of one payment always add up to the payment, rounded along
// their running sum. Money received without a document waits in Unapplied Cash Payment Income (bills: Bill Payment Expense).
// Journal entries wait only when their P&L lines alone face the control account; other documents with a control line
// (a purchase or deposit on A/R) stay as posted, and so do payments of them.
import type { CompanyView, Rec } from '../types.js';
import { plus, share, spreadRunning, type Cents } from '../money/index.js';
import { isProfitAndLoss, keyOf, LineKind, type Ledger, type Line, type Posting } from '../ledger/index.js';
import type { Basis } from './frame.js';

export interface Entry {
  readonly posting: Posting;
  readonly account: string;
  readonly amount: Cents;
  readonly ymd: number;
  readonly line: Line;
}

export function* entriesOf(ledger: Ledger, company: CompanyView, basis: Basis): Iterable<Entry> {
  ledger.settle();
  if (basis === 'Accrual') {
    for (const posting of ledger.postings()) {
      for (const line of posting.lines) {
        // Lines that net to nothing are no rows, except an unsettled cost, which has no row either.
        if (line.home === 0 && line.foreign === 0) continue;
        yield { posting, account: line.account, amount: line.home, ymd: posting.ymd, line };
      }
    }
    return;
  }
  const cash = new CashView(ledger, company);
  for (const posting of ledger.postings()) yield* cash.entries(posting);
}

class CashView {
  private readonly profitAndLoss = new Map<string, boolean>();
  private readonly unapplied = new Map<string, string>();

  constructor(
    private readonly ledger: Ledger,
    private readonly company: CompanyView,
  ) {}

  /** Looked up only when there is unapplied money: a report should not make accounts for nothing. */
  private unappliedAccount(receives: boolean): string {
    const [subType, type, name] = receives
      ? ['UnappliedCashPaymentIncome', 'Income', 'Unapplied Cash Payment Income']
      : ['UnappliedCashBillPaymentExpense', 'Expense', 'Unapplied Cash Bill Payment Expense'];
    let known = this.unapplied.get(subType);
    if (known === undefined) {
      const account: Rec =
        this.company.accountBySubType(subType) ?? this.company.ensureAccount({ name, type, subType });
      this.unapplied.set(subType, (known = String(account.Id)));
    }
    return known;
  }

  *entries(posting: Posting): Iterable<Entry> {
    if (posting.type === 'Payment' || posting.type === 'BillPayment') yield* this.payment(posting);
    else if (posting.open && this.waits(posting)) yield* this.document(posting);
    else for (const line of posting.lines) if (line.home !== 0) yield entry(posting, line, line.home, posting.ymd);
  }

  /** Does this document wait for its payment, or does it stay as posted? */
  private waits(posting: Posting): boolean {
    if (!posting.open) return false;
    if (posting.type !== 'JournalEntry') return posting.type !== 'Purchase' && posting.type !== 'Deposit';
    let rest = 0;
    for (const line of posting.lines) if (this.isProfitAndLoss(line.account)) rest = plus(rest, line.home);
    const control = posting.open.control === 'AP' ? -posting.open.home : posting.open.home;
    return control !== 0 && rest === -control;
  }

  private isProfitAndLoss(account: string): boolean {
    let known = this.profitAndLoss.get(account);
    if (known === undefined) {
      known = isProfitAndLoss(this.company.get('Account', account));
      this.profitAndLoss.set(account, known);
    }
    return known;
  }

  /** Lines of a waiting document, at each of its payments. */
  private *document(posting: Posting): Iterable<Entry> {
    const control = this.controlAccounts(posting);
    const waiting = posting.lines.filter(
      (line) => line.kind !== LineKind.Cost && !control.has(line) && !this.isCash(posting, line),
    );
    const costs = posting.lines.filter((line) => line.kind === LineKind.Cost);
    const immediate = posting.lines.filter((line) => this.isCash(posting, line));
    const sign = posting.open!.control === 'AP' ? -1 : 1;
    const open = sign * posting.open!.home;
    let received = 0;
    for (const line of immediate) {
      if (line.home !== 0) yield entry(posting, line, line.home, posting.ymd);
      received = plus(received, line.home);
    }
    const whole = plus(open, received);
    let through = 0;
    let shown: Cents[] = waiting.map(() => 0);
    let shownCosts: Cents[] = costs.map(() => 0);
    const upTo = function* (this: CashView, amount: Cents, ymd: number): Iterable<Entry> {
      through = plus(through, amount);
      const now = this.recognised(waiting, through, whole);
      for (let i = 0; i < waiting.length; i++) {
        if (now[i] !== shown[i]) yield entry(posting, waiting[i], now[i] - shown[i], ymd);
      }
      shown = now;
      if (this.ledger.switches.cashCost === 'immediate') return;
      const nowCosts = costs.map((line) => share(line.home, through, whole));
      for (let i = 0; i < costs.length; i++) {
        if (nowCosts[i] !== shownCosts[i]) yield entry(posting, costs[i], nowCosts[i] - shownCosts[i], ymd);
      }
      shownCosts = nowCosts;
    }.bind(this);
    if (this.ledger.switches.cashCost === 'immediate') {
      for (const line of costs) if (line.home !== 0) yield entry(posting, line, line.home, posting.ymd);
    }
    if (whole === 0) {
      // Nothing to be paid: lines that cancel each other count at once.
      for (const line of waiting) if (line.home !== 0) yield entry(posting, line, line.home, posting.ymd);
      return;
    }
    if (received !== 0) yield* upTo(received, posting.ymd);
    const direction = open < 0 ? -1 : 1;
    for (const payer of this.ledger.payersOf(posting.type, posting.id)) {
      const cleared = this.ledger.clearedHome(posting.type, posting.id, payer.type, payer.id) ?? payer.amount;
      yield* upTo(direction * cleared, Math.max(payer.ymd, posting.ymd));
    }
  }

  /** The cash part of a form that also leaves something open: the deposit on an invoice. */
  private isCash(posting: Posting, line: Line): boolean {
    return posting.type === 'Invoice' && line.kind === LineKind.Source && line.account === posting.heldIn;
  }

  private controlAccounts(posting: Posting): Set<Line> {
    const control = posting.open!.control;
    return new Set(posting.lines.filter((line) => this.ledger.accounts.get(line.account)?.control === control));
  }

  /** How much of every line is recognised once `through` of `whole` is paid; adds up to -`through`. */
  private recognised(lines: readonly Line[], through: Cents, whole: Cents): Cents[] {
    if (through === whole) return lines.map((line) => line.home);
    if (this.ledger.switches.cashShare === 'by-net') {
      const net = lines.map((line) => (line.kind === LineKind.Tax ? 0 : line.home));
      const sum = net.reduce(plus, 0);
      const part = Math.abs(through) < Math.abs(sum) ? -through : sum;
      const parts = spreadRunning(part, net);
      const rest = spreadRunning(
        -through - part,
        lines.map((line) => (line.kind === LineKind.Tax ? line.home : 0)),
      );
      return parts.map((amount, i) => plus(amount, rest[i]));
    }
    return spreadRunning(
      -through,
      lines.map((line) => line.home),
    );
  }

  private *payment(posting: Posting): Iterable<Entry> {
    const receives = posting.type === 'Payment';
    const control = receives ? 'AR' : 'AP';
    let left = 0;
    let controlLine: Line | undefined;
    for (const line of posting.lines) {
      if (this.ledger.accounts.get(line.account)?.control === control) {
        left = plus(left, line.home);
        controlLine ??= line;
      } else if (line.home !== 0) yield entry(posting, line, line.home, posting.ymd);
    }
    const direction = receives ? 1 : -1;
    for (const application of posting.applications ?? []) {
      const target = this.ledger.posting(application.type, application.id);
      if (!target?.open) continue;
      const sign = this.ledger.linkSign(application.type, application.id);
      const cleared = this.ledger.clearedHome(target.type, target.id, posting.type, posting.id) ?? application.amount;
      const amount = -direction * sign * cleared;
      left = plus(left, -amount);
      if (this.waits(target)) {
        // Dated before its document, the money is unapplied until the document's day.
        if (target.ymd > posting.ymd && amount !== 0) {
          const line = controlLine ?? posting.lines[0] ?? target.lines[0];
          const unapplied = this.unappliedAccount(receives);
          yield { posting, account: unapplied, amount, ymd: posting.ymd, line };
          yield { posting, account: unapplied, amount: -amount, ymd: target.ymd, line };
        }
      } else if (amount !== 0) {
        const line = controlLine ?? target.lines[0];
        yield {
          posting,
          account: target.lines.find((l) => this.ledger.accounts.get(l.account)?.control === control)!.account,
          amount,
          ymd: posting.ymd,
          line,
        };
      }
    }
    if (left !== 0)
      yield {
        posting,
        account: this.unappliedAccount(receives),
        amount: left,
        ymd: posting.ymd,
        line: controlLine ?? posting.lines[0],
      };
  }
}

function entry(posting: Posting, line: Line, amount: Cents, ymd: number): Entry {
  return { posting, account: line.account, amount, ymd, line };
}

export function postingKey(posting: Posting): string {
  return keyOf(posting.type, posting.id);
}
