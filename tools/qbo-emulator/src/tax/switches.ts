// Where the sources disagree about QBO's arithmetic, the emulator does not pretend to know: each open question is a
// switch with the better supported answer as its default. A company carries its own set in a property `switches`.
import type { CompanyView } from '../types.js';

export interface Switches {
  /** Tax on top, outside the US: rounded per line, or once per rate on the document. */
  vatExcludedRounding: 'line' | 'document';
  /** A code of several rates: each rate rounded per line, or the combined percent per line, then split. */
  vatMultirateRounding: 'rate-per-line' | 'combined';
  /** Tax inside the price, several rates: the last rate takes the rest of gross - net, or each rate by itself. */
  vatInclusiveSplit: 'last-takes-rest' | 'each-rate';
  /** US manual tax: TaxLines with a code are kept and a lone TotalTax is recomputed; or everything kept; or nothing. */
  usOverride: 'code-and-lines' | 'all-kept' | 'all-ignored';
  /** US automated tax: what happens to a TotalTax that the client sends. */
  astTotalTax: 'ignored' | 'kept';
  /** US automated tax: a USER_DEFINED code sent on the transaction is honoured (hybrid) or replaced. */
  astUserCode: 'honoured' | 'replaced';
  /** US automated tax: rate ids by ZIP prefix of the ship-to address; the longest prefix wins, '' is everywhere. */
  astRates: Readonly<Record<string, readonly string[]>>;
  /** Outside the US: TaxLines with rate references stay when every rate of every code is there, or are ignored. */
  vatOverride: 'kept' | 'ignored';
  /** TaxInclusive without TaxInclusiveAmt: the amount is net, or a fault. */
  inclusiveWithoutGross: 'net' | 'fault';
  /** Cents left over when a foreign entry is converted line by line. */
  homeResidual: 'largest-line' | 'exchange-gain-or-loss';
  /** A foreign document without ExchangeRate. */
  rateDefault: 'one' | 'day-rate';
  /** Cost of goods sold is booked with the sale, or only when `settleCosts` is called (QBO does it minutes later). */
  costing: 'immediate' | 'delayed';
  /** Cash basis: a part payment covers every line and the tax in proportion to the total, or the net lines first. */
  cashShare: 'by-total' | 'by-net';
  /** Cash basis: cost of goods sold of an unpaid invoice waits with its income, or is booked with the sale. */
  cashCost: 'deferred' | 'immediate';
}

export const DEFAULT_SWITCHES: Switches = {
  vatExcludedRounding: 'line',
  vatMultirateRounding: 'rate-per-line',
  vatInclusiveSplit: 'last-takes-rest',
  usOverride: 'code-and-lines',
  astTotalTax: 'ignored',
  astUserCode: 'honoured',
  astRates: {},
  vatOverride: 'kept',
  inclusiveWithoutGross: 'net',
  homeResidual: 'largest-line',
  rateDefault: 'one',
  costing: 'immediate',
  cashShare: 'by-total',
  cashCost: 'deferred',
};

/** The company's switches; what it does not set has its default. */
export function switchesOf(company: CompanyView & { switches?: Partial<Switches> }): Switches {
  return company.switches ? { ...DEFAULT_SWITCHES, ...company.switches } : DEFAULT_SWITCHES;
}
