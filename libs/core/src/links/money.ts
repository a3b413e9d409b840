// After a write: are the totals, the tax and the balances of the copy what they must be? QBO computes them itself, so they
// are never sent, and an answer that differs is the only sign that it computed otherwise. Every difference gets a cause,
// because what a person has to do about it follows from the cause (tax-and-currency.md 10).
import { isServerLine } from '../canonical/noise.js';
import type { Json } from '../model/json.js';
import { Money, moneyOf, toCents } from '../money/index.js';
import type { Difference } from './difference.js';

export type MoneyCause =
  /** the target computed another tax: other rates, other addresses, or an override it did not keep */
  | 'tax-recomputed'
  /** what this record was to be applied to does not show the link */
  | 'link-dropped'
  /** the target applied a credit or payment by itself */
  | 'auto-applied'
  /** cents, within what rounding line by line can make */
  | 'rounding'
  /** the target took another exchange rate */
  | 'rate'
  /** the source's own total is not the sum of its lines and tax: hidden lines, or a rule that changes amounts */
  | 'lines-do-not-add-up'
  | 'unknown';

export interface MoneyDifference extends Difference {
  cause: MoneyCause;
}

export interface MoneyExpectation {
  /** what the target's record is to say, whole, bound to the target's ids */
  body: Json;
  /** the source's own total, where it is known */
  sourceTotal?: string | undefined;
  /** made by this call, and open: nothing can have been applied to it yet */
  created: boolean;
}

/** One cent per line, five per document: what rounding can make; anything beyond has another cause. */
export function roundingAllowance(body: Json): Money {
  return new Money(Math.min(Math.max(ownLinesOf(body).length, 1), 5)).dividedBy(100);
}

/** By this text a line of ours is told from the source's own (rounding.ts). */
export const roundingDescription = 'Rounding difference from source';

export function isRoundingLine(line: Json): boolean {
  return line.Description === roundingDescription;
}

/** Differences of computed amounts between the answer and what must be; nothing is said about amounts not answered. */
export function moneyDifferences(expectation: MoneyExpectation, answered: Json): MoneyDifference[] {
  const { body, created } = expectation;
  const allowance = roundingAllowance(body);
  const differences: MoneyDifference[] = [];
  const add = (path: string, cause: MoneyCause, sent: Money, now: Money) =>
    differences.push({ path, sent: sent.toNumber(), answered: now.toNumber(), cause });

  const taxWas = taxOf(body) ?? new Money(0);
  const taxIs = taxOf(answered) ?? taxWas;
  const taxGrew = taxIs.minus(taxWas);
  const taxCause = taxGrew.abs().lessThanOrEqualTo(allowance) ? 'rounding' : 'tax-recomputed';
  if (!taxGrew.isZero()) add('TxnTaxDetail.TotalTax', taxCause, taxWas, taxIs);

  const rateWas = moneyOf(body.ExchangeRate);
  const rateIs = moneyOf(answered.ExchangeRate);
  const otherRate = rateWas !== undefined && rateIs !== undefined && !rateWas.equals(rateIs);
  if (otherRate) add('ExchangeRate', 'rate', rateWas, rateIs);

  const summed = totalOf(body);
  const must = moneyOf(body.TotalAmt) ?? moneyOf(expectation.sourceTotal) ?? summed;
  const total = moneyOf(answered.TotalAmt);
  if (must !== undefined && total !== undefined && !total.equals(must)) {
    const grew = total.minus(must);
    const cause = ((): MoneyCause => {
      if (!taxGrew.isZero() && grew.equals(taxGrew)) return taxCause;
      if (summed !== undefined && total.equals(summed.plus(taxGrew))) return 'lines-do-not-add-up';
      return grew.minus(taxGrew).abs().lessThanOrEqualTo(allowance) ? 'rounding' : 'unknown';
    })();
    add('TotalAmt', cause, must, total);
  }

  const home = moneyOf(answered.HomeTotalAmt);
  if (home !== undefined && total !== undefined && rateWas !== undefined) {
    // From the answered total: what already differs there is told once.
    const homeMust = toCents(total.times(rateWas));
    if (!home.equals(homeMust)) {
      const small = home.minus(homeMust).abs().lessThanOrEqualTo(allowance);
      add('HomeTotalAmt', otherRate ? 'rate' : small ? 'rounding' : 'unknown', homeMust, home);
    }
  }

  const unapplied = moneyOf(answered.UnappliedAmt);
  const paid = moneyOf(body.TotalAmt);
  if (unapplied !== undefined && paid !== undefined) {
    const left = paid.minus(appliedBy(body));
    // A payment that applies more credits than invoices never shows less than nothing.
    const leftMust = left.isNegative() ? new Money(0) : left;
    const cause = linksOf(answered) < linksOf(body) ? 'link-dropped' : 'unknown';
    if (!unapplied.equals(leftMust)) add('UnappliedAmt', cause, leftMust, unapplied);
  }

  const balance = moneyOf(answered.Balance);
  if (created && balance !== undefined && total !== undefined) {
    const open = total.minus(moneyOf(body.Deposit) ?? 0);
    if (!balance.equals(open)) add('Balance', balance.lessThan(open) ? 'auto-applied' : 'unknown', open, balance);
  }
  return differences;
}

/** The difference a person should hear of first, and by which code it goes. */
export function moneyCode(differences: readonly MoneyDifference[]): string | undefined {
  const worst = byWeight.find((cause) => differences.some((difference) => difference.cause === cause));
  return worst && `MONEY.${worst.replaceAll('-', '_').toUpperCase()}`;
}

const byWeight: readonly MoneyCause[] = [
  'unknown',
  'rate',
  'link-dropped',
  'auto-applied',
  'tax-recomputed',
  'lines-do-not-add-up',
  'rounding',
];

/** Made of lines that QBO adds up: what journals, deposits, payments and transfers are not. */
export function isForm(body: Json): boolean {
  const lines = ownLinesOf(body);
  return lines.length > 0 && lines.every((line) => formLines.has(String(line.DetailType)));
}

/** The source's lines, less the discount, plus tax; undefined for what is no form of such lines. */
function totalOf(body: Json): Money | undefined {
  if (!isForm(body)) return undefined;
  let sum = new Money(0);
  for (const line of ownLinesOf(body)) {
    const amount = moneyOf(line.Amount) ?? new Money(0);
    sum = line.DetailType === 'DiscountLineDetail' ? sum.minus(amount) : sum.plus(amount);
  }
  return toCents(sum.plus(taxOf(body) ?? 0));
}

const formLines = new Set([
  'SalesItemLineDetail',
  'DiscountLineDetail',
  'DescriptionOnly',
  'AccountBasedExpenseLineDetail',
  'ItemBasedExpenseLineDetail',
]);

function taxOf(record: Json): Money | undefined {
  return moneyOf((record.TxnTaxDetail as Json | undefined)?.TotalTax);
}

/** What the lines apply: invoices and their like use up the payment, credits add to it. */
function appliedBy(body: Json): Money {
  let applied = new Money(0);
  for (const line of linesOf(body)) {
    const amount = moneyOf(line.Amount) ?? new Money(0);
    const links = (line.LinkedTxn as Json[] | undefined) ?? [];
    if (links.length === 0) continue;
    applied = links.some((link) => credits.has(String(link.TxnType))) ? applied.minus(amount) : applied.plus(amount);
  }
  return applied;
}

const credits = new Set(['CreditMemo', 'VendorCredit']);

function linksOf(record: Json): number {
  return linesOf(record).reduce((sum, line) => sum + ((line.LinkedTxn as unknown[] | undefined)?.length ?? 0), 0);
}

function ownLinesOf(body: Json): Json[] {
  return linesOf(body).filter((line) => !isRoundingLine(line));
}

function linesOf(record: Json): Json[] {
  const lines: unknown = record.Line;
  return Array.isArray(lines) ? (lines as Json[]).filter((line) => line && !isServerLine(line)) : [];
}
