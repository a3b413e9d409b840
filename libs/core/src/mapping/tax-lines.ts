// When the tax per rate is sent. A person may override the tax of a document (a supplier's invoice that rounds otherwise, a
// pinned HST), and QBO keeps an override only when every rate is named, each time it is sent. Where the target computes the
// same by itself the lines are left out: they would make every document wait for rates it does not need.
import type { Json } from '../model/json.js';
import { Money, moneyOf, toCents } from '../money/index.js';

/** The body without tax lines that follow from its lines and rates; overridden ones, reduced to what QBO takes, stay. */
export function withNeededTaxLines(body: Json): Json {
  const tax = body.TxnTaxDetail as Json | undefined;
  if (!Array.isArray(tax?.TaxLine)) return body;
  const { TaxLine, ...rest } = tax;
  const lines = TaxLine as Json[];
  if (!isNeeded(body, lines)) return { ...body, TxnTaxDetail: rest };
  return { ...body, TxnTaxDetail: { ...rest, TaxLine: lines.map(essential) } };
}

function isNeeded(body: Json, lines: readonly Json[]): boolean {
  if (lines.length === 0 || !lines.every((line) => line.TaxLineDetail?.TaxRateRef?.value !== undefined)) return false;
  // Outside the US tax is rounded line by line (K10), which nobody can tell from an override by a cent: always said.
  if (body.GlobalTaxCalculation === 'TaxExcluded' || body.GlobalTaxCalculation === 'TaxInclusive') return true;
  return lines.some((line) => isOverridden(line)) || !baseIsOfLines(body, lines);
}

/** US: one rounding per rate on the document's base (K2). */
function isOverridden({ Amount, TaxLineDetail: detail }: Json): boolean {
  const [amount, base, percent] = [Amount, detail.NetAmountTaxable, detail.TaxPercent].map((value) =>
    moneyOf(value as unknown),
  );
  if (amount === undefined || base === undefined || percent === undefined) return false;
  return detail.PercentBased === false || !toCents(base.times(percent).dividedBy(100)).equals(amount);
}

/** A document can be taxed on more than its lines show (made from an estimate, K5); a discount's share is QBO's to find. */
function baseIsOfLines(body: Json, lines: readonly Json[]): boolean {
  const own = (Array.isArray(body.Line) ? (body.Line as Json[]) : []).filter(Boolean);
  if (own.some((line) => line.DetailType === 'DiscountLineDetail')) return true;
  const taxed = own.filter((line) => line.SalesItemLineDetail?.TaxCodeRef?.value === 'TAX');
  const sum = taxed.reduce<Money>((total, line) => total.plus(moneyOf(line.Amount as unknown) ?? 0), new Money(0));
  return lines.every((line) => {
    const base = moneyOf(line.TaxLineDetail.NetAmountTaxable as unknown);
    return base === undefined || base.equals(sum);
  });
}

const told = ['PercentBased', 'TaxPercent', 'NetAmountTaxable', 'TaxRateRef'] as const;

function essential({ Amount, TaxLineDetail: detail }: Json): Json {
  const kept = told.filter((name) => name in detail).map((name) => [name, detail[name] as unknown] as const);
  return { Amount: Amount as number, DetailType: 'TaxLineDetail', TaxLineDetail: Object.fromEntries(kept) };
}
