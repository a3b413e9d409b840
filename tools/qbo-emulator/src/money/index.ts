// Exact money. Amounts are whole cents in a JavaScript number: additions stay exact while the result is a safe integer,
// and `plus` refuses the first one that is not, so no sum can ever be silently wrong. That bound is 90 trillion in the
// company's currency, and cents cost no allocation on the write path. Products and quotients (quantities with 7 decimals,
// rates, percents) go through BigInt and are rounded once, half up on the magnitude, as QBO rounds.
import { QboFault } from '../types.js';

/** Whole cents; a safe integer by construction. */
export type Cents = number;
/** Quantities in ten-millionths: QBO keeps seven decimals. */
export type Units = number;

interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

export function tooLarge(): QboFault {
  return new QboFault(
    '6000',
    'A business validation error has occurred while processing your request',
    'Business Validation Error: The amount is larger than the books can hold.',
  );
}

/** The decimal a client wrote; undefined when it is none. `""` counts as absent, as in whole-object writes. */
export function decimalOf(value: unknown): Decimal | undefined {
  if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'string') return undefined;
  const text = String(value).trim();
  if (text === '' || text.length > 400) return undefined;
  const match = DECIMAL.exec(text);
  if (!match || ((match[2] ?? '') === '' && (match[3] ?? '') === '')) return undefined;
  const fraction = match[3] ?? '';
  const exponent = Number(match[4] ?? 0);
  if (Math.abs(exponent) > 400) return undefined;
  let digits = BigInt((match[2] ?? '') + fraction || '0');
  if (match[1] === '-') digits = -digits;
  let scale = fraction.length - exponent;
  if (scale < 0) {
    digits *= 10n ** BigInt(-scale);
    scale = 0;
  }
  return { digits, scale };
}

/** Integer division rounded half up on the magnitude. */
function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const n = numerator < 0n ? -numerator : numerator;
  const d = denominator < 0n ? -denominator : denominator;
  const q = (2n * n + d) / (2n * d);
  return negative ? -q : q;
}

function safe(value: bigint): number {
  const n = Number(value);
  if (!Number.isSafeInteger(n)) throw tooLarge();
  return n;
}

function scaled(value: Decimal, places: number): bigint {
  return value.scale <= places
    ? value.digits * 10n ** BigInt(places - value.scale)
    : divideHalfUp(value.digits, 10n ** BigInt(value.scale - places));
}

/** Is there a number at all? `""`, null and undefined are absent. */
export function isGiven(value: unknown): boolean {
  return decimalOf(value) !== undefined;
}

/** Cents of a JSON number or decimal text, half up; absent counts as zero. */
export function cents(value: unknown): Cents {
  if (typeof value === 'number') {
    const c = Math.round(value * 100);
    // The double nearest to c/100 is this very value, so it has at most two decimals: nothing to round.
    if (c / 100 === value && Number.isSafeInteger(c)) return c === 0 ? 0 : c;
  }
  const decimal = decimalOf(value);
  return decimal ? safe(scaled(decimal, 2)) : 0;
}

/** Quantity in ten-millionths, surplus decimals cut off. */
export function units(value: unknown): Units {
  const decimal = decimalOf(value);
  if (!decimal) return 0;
  if (decimal.scale <= 7) return safe(decimal.digits * 10n ** BigInt(7 - decimal.scale));
  return safe(decimal.digits / 10n ** BigInt(decimal.scale - 7));
}

/** `12.34`; never `-0.00`. */
export function centsText(c: Cents): string {
  const sign = c < 0 ? '-' : '';
  const abs = Math.abs(c);
  const whole = Math.floor(abs / 100);
  const rest = abs - whole * 100;
  return `${sign}${whole}.${rest < 10 ? '0' : ''}${rest}`;
}

/** The JSON number for cents: the double nearest to the decimal. */
export function centsNumber(c: Cents): number {
  return c / 100;
}

/** Quantity as decimal text without trailing zeros. */
export function unitsText(u: Units): string {
  const sign = u < 0 ? '-' : '';
  const text = String(Math.abs(u)).padStart(8, '0');
  const fraction = text.slice(-7).replace(/0+$/, '');
  return sign + text.slice(0, -7) + (fraction ? `.${fraction}` : '');
}

/** Sum, or a fault instead of a rounded sum. */
export function plus(a: Cents, b: Cents): Cents {
  const sum = a + b;
  if (!Number.isSafeInteger(sum)) throw tooLarge();
  return sum;
}

/** round2(a x b) for two decimals as written. */
export function product(a: unknown, b: unknown): Cents {
  const x = decimalOf(a);
  const y = decimalOf(b);
  if (!x || !y) return 0;
  return safe(scaled({ digits: x.digits * y.digits, scale: x.scale + y.scale }, 2));
}

/** round2(amount x factor), e.g. an exchange rate. */
export function times(amount: Cents, factor: unknown): Cents {
  if (factor === 1) return amount;
  const f = decimalOf(factor);
  if (!f) return 0;
  return safe(divideHalfUp(BigInt(amount) * f.digits, 10n ** BigInt(f.scale)));
}

/** round2(amount x percent / 100). */
export function percentOf(amount: Cents, percent: unknown): Cents {
  const p = decimalOf(percent);
  if (!p) return 0;
  return safe(divideHalfUp(BigInt(amount) * p.digits, 100n * 10n ** BigInt(p.scale)));
}

/** round(value x part / whole); exact whatever the size of the product. */
export function share(value: Cents, part: number, whole: number): Cents {
  if (whole === 0) return 0;
  if (part === whole) return value;
  const direct = value * part;
  if (Number.isSafeInteger(direct) && Number.isSafeInteger(2 * direct) && Number.isSafeInteger(2 * whole)) {
    const negative = direct < 0 !== whole < 0 && direct !== 0;
    const n = 2 * Math.abs(direct) + Math.abs(whole);
    const d = 2 * Math.abs(whole);
    if (Number.isSafeInteger(n)) {
      const q = (n - (n % d)) / d;
      return negative ? -q || 0 : q;
    }
  }
  return safe(divideHalfUp(BigInt(value) * BigInt(part), BigInt(whole)));
}

/** net = round2(gross / (1 + percent/100)). */
export function netOfGross(gross: Cents, percents: readonly unknown[]): Cents {
  const total = sumPercents(percents);
  const hundred = 100n * 10n ** BigInt(total.scale);
  return safe(divideHalfUp(BigInt(gross) * hundred, hundred + total.digits));
}

/** round2(amount x sum of percents / 100). */
export function combinedPercentOf(amount: Cents, percents: readonly unknown[]): Cents {
  const total = sumPercents(percents);
  return safe(divideHalfUp(BigInt(amount) * total.digits, 100n * 10n ** BigInt(total.scale)));
}

function sumPercents(percents: readonly unknown[]): Decimal {
  const parts = percents.map((p) => decimalOf(p) ?? { digits: 0n, scale: 0 });
  const scale = Math.max(0, ...parts.map((p) => p.scale));
  return { digits: parts.reduce((sum, p) => sum + p.digits * 10n ** BigInt(scale - p.scale), 0n), scale };
}

/** amount / quantity at seven decimals, as QBO shows a derived unit price. */
export function unitPrice(amount: Cents, quantity: unknown): number {
  const q = decimalOf(quantity);
  if (!q || q.digits === 0n) return 0;
  const sevenths = divideHalfUp(BigInt(amount) * 100000n * 10n ** BigInt(q.scale), q.digits);
  return Number(`${sevenths}e-7`);
}

/** A number as stored with at most seven decimals, surplus cut off; anything that is no number stays as it is. */
export function sevenDecimals<T>(value: T): T | number {
  const d = decimalOf(value);
  if (!d) return value;
  if (d.scale <= 7) return typeof value === 'number' ? value : Number(value);
  return Number(`${d.digits / 10n ** BigInt(d.scale - 7)}e-7`);
}

/** Spreads a total over weights; every part rounded, the last weighted part takes what is left. */
export function spread(total: Cents, weights: readonly Cents[]): Cents[] {
  const whole = weights.reduce(plus, 0);
  const parts = weights.map((w) => (whole === 0 ? 0 : share(total, w, whole)));
  let last = -1;
  for (let i = 0; i < weights.length; i++) if (weights[i] !== 0) last = i;
  if (last >= 0) parts[last] = parts[last] + total - parts.reduce(plus, 0);
  return parts;
}

/**
 * Spreads a total over weights along their running sum: every prefix is rounded once, so the parts always add up and no
 * prefix (all income before the tax, say) is ever more than half a cent off.
 */
export function spreadRunning(total: Cents, weights: readonly Cents[]): Cents[] {
  const whole = weights.reduce(plus, 0);
  let running = 0;
  let given = 0;
  return weights.map((weight) => {
    running = plus(running, weight);
    const upTo = share(total, running, whole);
    const part = upTo - given;
    given = upTo;
    return part;
  });
}
