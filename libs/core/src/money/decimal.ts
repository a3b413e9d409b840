// Exact decimals for money: never float arithmetic. QBO rounds half up on the magnitude (tax-and-currency.md K1).
import { Decimal } from 'decimal.js';

// Fifteen digits of an amount times ten of a rate must fit without loss.
export const Money = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP });
export type Money = Decimal;

/** undefined for what is no number */
export function moneyOf(value: unknown): Money | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  if (typeof value === 'string' && !/^\s*-?\d+(\.\d+)?\s*$/.test(value)) return undefined;
  const money = new Money(typeof value === 'string' ? value.trim() : value);
  return money.isFinite() ? money : undefined;
}

export function toCents(money: Money): Money {
  return money.toDecimalPlaces(2);
}
