// The vocabulary every part of the emulator shares: a record, a clock, a company as its readers see it, and QBO's way
// of refusing. Nothing in here acts.

/** A QBO object as the API returns it (amounts are JSON numbers, ids strings). */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- raw QBO JSON, typed by the catalogue at run time
export type Rec = { [field: string]: any };

/** Epoch milliseconds in emulator time. */
export interface Clock {
  now(): number;
}

/** A clock with alarms: what waits for emulator time rather than for real time. */
export interface TimedClock extends Clock {
  /** Runs `fn` after `delayMs` of emulator time; the answer cancels it. */
  setTimer(delayMs: number, fn: () => void): () => void;
  advance(ms: number): Promise<void>;
  set(nowMs: number): Promise<void>;
}

export type Act = 'create' | 'update' | 'delete' | 'void' | 'merge' | 'emailed';

/** What ledger, query and reports may read of a company. */
export interface CompanyView {
  readonly realmId: string;
  readonly clock: Clock;
  country(): string;
  homeCurrency(): string;
  multicurrency(): boolean;
  utcOffsetMinutes(): number;
  /** YYYY-MM-DD in company time. */
  today(): string;
  preferences(): Rec;
  companyInfo(): Rec;
  /** A live or inactive record. */
  get(type: string, id: string): Rec | undefined;
  /** Live records including inactive ones, excluding deleted ones. */
  all(type: string): Iterable<Rec>;
  /** The same, latest change first and higher ids first within one second, where the company keeps such an order. */
  newestFirst?(type: string): readonly Rec[] | undefined;
  count(type: string): number;
  /** The first active account of a subtype, e.g. 'UndepositedFunds' or 'AccountsReceivable'. */
  accountBySubType(subType: string, currency?: string): Rec | undefined;
  /** Finds or makes an account QBO makes by itself: A/R per currency, agency payable, Exchange Gain or Loss. */
  ensureAccount(spec: { name: string; type: string; subType: string; currency?: string }): Rec;
}

/** QBO's refusal: one Fault.Error with the real code and texts. */
export class QboFault extends Error {
  constructor(
    readonly code: string,
    override readonly message: string,
    readonly detail: string,
    readonly element?: string,
    readonly status = 400,
    readonly faultType = 'ValidationFault',
  ) {
    super(message);
    this.name = 'QboFault';
  }
}
