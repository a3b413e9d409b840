// The stored form of one transaction in the ledger: its lines, its stock movements, what it leaves open and what it
// pays. Plain classes of fixed shape, because a large company holds a million lines.
import type { Cents } from '../money/index.js';
import type { Movement } from './fifo.js';
import { textOf } from '../text.js';

export enum LineKind {
  Source = 0,
  Detail = 1,
  Tax = 2,
  Cost = 3,
  Exchange = 4,
  Residual = 5,
}

export class Line {
  constructor(
    public account: string,
    /** Home currency, debit positive. */
    public home: Cents,
    /** Transaction currency, debit positive; equals `home` in home-currency transactions. */
    public foreign: Cents,
    public kind: LineKind,
    /** `Customer:12`, `Vendor:7`, `Employee:3`. */
    public name: string | undefined,
    public classId: string | undefined,
    public departmentId: string | undefined,
    public memo: string | undefined,
    public item: string | undefined,
    public quantity: number | undefined,
  ) {}
}

/** What a document leaves on A/R or A/P, to be paid or used up. */
export interface OpenAmount {
  readonly control: 'AR' | 'AP';
  /** Transaction currency; positive when it raises what the name owes (A/R) or is owed (A/P). */
  readonly total: Cents;
  /** The same in home currency as booked on the control account. */
  readonly home: Cents;
}

/** One link of a payment: so much of that document is paid or used up. */
export interface Application {
  readonly type: string;
  readonly id: string;
  readonly amount: Cents;
}

export class Posting {
  constructor(
    readonly type: string,
    readonly id: string,
    readonly order: number,
    readonly ymd: number,
    readonly currency: string,
    readonly foreign: boolean,
    readonly lines: Line[],
    readonly movements: Movement[] | undefined,
    readonly open: OpenAmount | undefined,
    readonly applications: Application[] | undefined,
    /** Documents a bank deposit picked up. */
    readonly deposited: readonly { type: string; id: string }[] | undefined,
    readonly docNumber: string | undefined,
    readonly memo: string | undefined,
    readonly label: string,
    /** The header's customer or vendor. */
    readonly name: string | undefined,
    /** Account that holds the money until a deposit picks it up. */
    readonly heldIn: string | undefined,
    /** Cents that its own record could not explain (imported hidden lines). */
    readonly residual: Cents,
    readonly dueYmd: number,
    readonly total: Cents,
  ) {}
}

export function keyOf(type: string, id: string): string {
  return `${type}:${id}`;
}

/** Dates as numbers, 20260131; 0 for what is no date. */
export function ymdOf(date: unknown): number {
  const text = textOf(date ?? '');
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(text);
  if (!match || Number(match[2]) > 12 || Number(match[3]) > 31 || match[2] === '00' || match[3] === '00') return 0;
  return Number(match[1]) * 10000 + Number(match[2]) * 100 + Number(match[3]);
}

export function dateOf(ymd: number): string {
  const text = String(ymd).padStart(8, '0');
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}`;
}

/** Link types name the form, not the entity. */
const LINK_TYPES: Readonly<Record<string, string>> = {
  Check: 'Purchase',
  Expense: 'Purchase',
  CashPurchase: 'Purchase',
  CreditCardCharge: 'Purchase',
  CreditCardCredit: 'Purchase',
  BillPaymentCheck: 'BillPayment',
  BillPaymentCreditCard: 'BillPayment',
  ReceivePayment: 'Payment',
};

export function linkedType(type: string): string {
  return Object.hasOwn(LINK_TYPES, type) ? LINK_TYPES[type] : type;
}
