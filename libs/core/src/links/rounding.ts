// The visible rounding line: where a sync's policy allows it, cents that two companies' arithmetic cannot agree on stand on
// a line of their own, never hidden in a price (that would break quantity times price). At most one cent per line and five
// per document; more than that is no rounding, and a person decides (tax-and-currency.md 10, residual rule).
// The line is a second write: the first answer shows what the target makes of the document, `planCorrection` decides, and the
// applied hash says what is still to be done (`rounding:<try>:<cents>:<desired hash>`), so that the follow-up is an ordinary
// written-down call and a crash between the two loses nothing.
import { canonicalText } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { Money, moneyOf } from '../money/index.js';
import { isForm, isRoundingLine, roundingAllowance, roundingDescription } from './money.js';

/** `settings.rounding` of a sync; ids of the target. */
export interface RoundingPolicy {
  kind: 'record' | 'line';
  /** for sales forms */
  itemId?: string;
  /** for bills, purchases, vendor credits */
  accountId?: string;
  /** the code that makes no tax: NON, No VAT, Out of Scope */
  zeroTaxCodeId?: string;
}

export type Correction =
  | { kind: 'none' }
  /** the body with its rounding line, the earlier one replaced */
  | { kind: 'line'; body: Json; cents: number }
  | { kind: 'hold'; code: 'MONEY.TOO_FAR' | 'MONEY.NO_ROUNDING_ACCOUNT'; reason: string };

export const defaultRounding: RoundingPolicy = { kind: 'record' };

/** A line that did not help this often never will: a document discount or a tax moves with it (tax-and-currency.md 10). */
const mostTries = 3;

/**
 * @param mustBe and @param is totals of the document, by the source and as the target answered
 * @param tries rounding lines given to this version of the document so far
 */
export function planCorrection(
  body: Json,
  mustBe: unknown,
  is: unknown,
  policy: RoundingPolicy,
  tries = 0,
): Correction {
  const [want, have] = [moneyOf(mustBe), moneyOf(is)];
  if (policy.kind === 'record' || want === undefined || have === undefined || want.equals(have))
    return { kind: 'none' };
  // A journal or a payment has no line that could take a cent without being something else.
  if (!isForm(body)) return { kind: 'none' };
  const lines = Array.isArray(body.Line) ? (body.Line as Json[]) : [];
  const own = lines.filter((line) => !isRoundingLine(line));
  const needed = want.minus(have).plus(sumOf(lines.filter(isRoundingLine)));
  const allowance = roundingAllowance(body);
  const amounts = `the total must be ${want.toFixed(2)} and is ${have.toFixed(2)}`;
  if (needed.abs().greaterThan(allowance)) {
    const reason = `${amounts}; rounding may make ${allowance.toFixed(2)} on ${own.length} lines, and this needs ${needed.toFixed(2)}`;
    return { kind: 'hold', code: 'MONEY.TOO_FAR', reason };
  }
  if (tries >= mostTries) {
    const reason = `${amounts} after ${tries} rounding lines, the last of ${sumOf(lines.filter(isRoundingLine)).toFixed(2)}`;
    return { kind: 'hold', code: 'MONEY.TOO_FAR', reason };
  }
  const cents = needed.times(100).toNumber();
  const corrected = withLineOf(body, cents, policy);
  if (!corrected) {
    const reason = `${amounts}; settings.rounding names no item (sales) or account (purchases) for the rounding line`;
    return { kind: 'hold', code: 'MONEY.NO_ROUNDING_ACCOUNT', reason };
  }
  return { kind: 'line', body: corrected, cents };
}

/** What the next write has to do for a document whose total came back otherwise. */
export interface PendingRounding {
  tries: number;
  cents: number;
  desiredHash: string;
}

export function roundingHash({ tries, cents, desiredHash }: PendingRounding): string {
  return `rounding:${tries}:${cents}:${desiredHash}`;
}

export function pendingRounding(appliedHash: string | undefined): PendingRounding | undefined {
  const found = /^rounding:(\d+):(-?\d+):(.*)$/.exec(appliedHash ?? '');
  return found ? { tries: Number(found[1]), cents: Number(found[2]), desiredHash: found[3]! } : undefined;
}

/**
 * The body with the rounding line that it is to have: the one just decided, or the one it has while its lines are the same.
 * A document whose lines changed loses it; the next answer says whether it needs another.
 */
export function withRoundingLine(
  body: Json,
  applied: { hash: string; payload?: Json } | undefined,
  desiredHash: string,
  policy: RoundingPolicy = defaultRounding,
): Json {
  if (policy.kind === 'record' || !Array.isArray(body.Line)) return body;
  const pending = pendingRounding(applied?.hash);
  if (pending?.desiredHash === desiredHash) return withLineOf(body, pending.cents, policy) ?? body;
  const had: unknown = applied?.payload?.Line;
  if (!Array.isArray(had)) return body;
  const lines = had as Json[];
  const ours = lines.filter(isRoundingLine);
  const others = lines.filter((line) => !isRoundingLine(line));
  if (ours.length === 0 || canonicalText(others) !== canonicalText(body.Line as Json[])) return body;
  return { ...body, Line: [...(body.Line as Json[]), ...ours] };
}

function sumOf(lines: readonly Json[]): Money {
  return lines.reduce<Money>((sum, line) => sum.plus(moneyOf(line.Amount as unknown) ?? 0), new Money(0));
}

/** The earlier line replaced; without one for no cents. */
function withLineOf(body: Json, cents: number, policy: RoundingPolicy): Json | undefined {
  const own = (body.Line as Json[]).filter((line) => !isRoundingLine(line));
  if (cents === 0) return { ...body, Line: own };
  const line = roundingLine(own, new Money(cents).dividedBy(100), policy, body.GlobalTaxCalculation === 'TaxInclusive');
  return line && { ...body, Line: [...own, line] };
}

function roundingLine(
  lines: readonly Json[],
  amount: Money,
  policy: RoundingPolicy,
  inclusive: boolean,
): Json | undefined {
  const head = { Description: roundingDescription, Amount: amount.toNumber() };
  const taxed = {
    ...(policy.zeroTaxCodeId === undefined ? {} : { TaxCodeRef: { value: policy.zeroTaxCodeId } }),
    // Where prices hold the tax, the gross is said beside the net; without tax they are one.
    ...(inclusive ? { TaxInclusiveAmt: amount.toNumber() } : {}),
  };
  if (lines.some((line) => line.DetailType === 'SalesItemLineDetail')) {
    if (policy.itemId === undefined) return undefined;
    const detail = { ItemRef: { value: policy.itemId }, ...taxed };
    return { ...head, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: detail };
  }
  if (policy.accountId === undefined) return undefined;
  const detail = { AccountRef: { value: policy.accountId }, ...taxed };
  return { ...head, DetailType: 'AccountBasedExpenseLineDetail', AccountBasedExpenseLineDetail: detail };
}
