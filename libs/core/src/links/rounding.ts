// The visible rounding line: where a sync's policy allows it, cents that two companies' arithmetic cannot agree on stand on
// a line of their own, never hidden in a price (that would break quantity times price). At most one cent per line and five
// per document; more than that is no rounding, and a person decides (tax-and-currency.md 10, residual rule).
import type { Json } from '../model/json.js';
import { Money, moneyOf } from '../money/index.js';
import { roundingAllowance } from './money.js';

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

export const roundingDescription = 'Rounding difference from source';

/** @param mustBe and @param is totals of the document, by the source and as the target answered */
export function planCorrection(body: Json, mustBe: unknown, is: unknown, policy: RoundingPolicy): Correction {
  const [want, have] = [moneyOf(mustBe), moneyOf(is)];
  if (policy.kind === 'record' || want === undefined || have === undefined || want.equals(have))
    return { kind: 'none' };
  const lines = Array.isArray(body.Line) ? (body.Line as Json[]) : [];
  const own = lines.filter((line) => line.Description !== roundingDescription);
  const before = lines.filter((line) => line.Description === roundingDescription);
  const already = before.reduce<Money>((sum, line) => sum.plus(moneyOf(line.Amount as unknown) ?? 0), new Money(0));
  const needed = want.minus(have).plus(already);
  const allowance = roundingAllowance({ ...body, Line: own });
  if (needed.abs().greaterThan(allowance)) {
    const reason = `the total differs by ${needed.toFixed(2)}; rounding may make ${allowance.toFixed(2)} on ${own.length} lines`;
    return { kind: 'hold', code: 'MONEY.TOO_FAR', reason };
  }
  if (needed.isZero()) return { kind: 'line', body: { ...body, Line: own }, cents: 0 };
  const line = roundingLine(own, needed, policy);
  if (!line) {
    const reason = 'settings.rounding names no item (sales) or account (purchases) for the rounding line';
    return { kind: 'hold', code: 'MONEY.NO_ROUNDING_ACCOUNT', reason };
  }
  return { kind: 'line', body: { ...body, Line: [...own, line] }, cents: needed.times(100).toNumber() };
}

function roundingLine(lines: readonly Json[], amount: Money, policy: RoundingPolicy): Json | undefined {
  const taxed = policy.zeroTaxCodeId === undefined ? {} : { TaxCodeRef: { value: policy.zeroTaxCodeId } };
  const head = { Description: roundingDescription, Amount: amount.toNumber() };
  if (lines.some((line) => line.DetailType === 'SalesItemLineDetail')) {
    if (policy.itemId === undefined) return undefined;
    const detail = { ItemRef: { value: policy.itemId }, ...taxed };
    return { ...head, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: detail };
  }
  if (policy.accountId === undefined) return undefined;
  const detail = { AccountRef: { value: policy.accountId }, ...taxed };
  return { ...head, DetailType: 'AccountBasedExpenseLineDetail', AccountBasedExpenseLineDetail: detail };
}
