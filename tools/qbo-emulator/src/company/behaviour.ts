// What a company does where nobody knows what QuickBooks does, or where a test wants it otherwise: beside the switches of
// tax and ledger these belong to the company itself. All are set through `PUT /_emulator/companies/{realm}/switches`.
import { isRefusalCode } from '../engine/refusals.js';
import { DEFAULT_SWITCHES, type Switches } from '../tax/index.js';

export interface Behaviour {
  /** The fault code of a change data capture that looks back further than 30 days; no source names it. */
  cdcTooOld: string;
  /** Ids left free after each new one: real companies have large gaps in their sequences. */
  idGap: number;
  /** With `costing: delayed`: how long after a write cost of goods sold is booked. */
  costingDelayMs: number;
  /** A customer with a balance made inactive: refused (6220), or the balance is adjusted away as the product does it. */
  deactivateWithBalance: 'refuse' | 'adjust';
  /** Transactions as `Type|Id` that a merchant account (6110, 6120) or a matched bank line (6480) holds. */
  heldBy: Readonly<Record<string, 'merchant' | 'bank-match'>>;
  /** `reset` refuses writes with 10200; `locked` (140) and `maintenance` (150) refuse everything. */
  availability: 'open' | 'reset' | 'locked' | 'maintenance';
  /** Fields as `Type.Field` that the service calls deprecated: a write that names one gets 5000. */
  deprecatedFields: readonly string[];
  /** Whether an update may change BillWithParent; `fixed` refuses it with 6130. No source says when the service does. */
  billWithParent: 'free' | 'fixed';
  /** Refuses `Type operation` (`Budget create`), or an operation without a type (`query`), with any code of the fault table. */
  refuseWith: Readonly<Record<string, string>>;
}

export type CompanySwitches = Switches & Behaviour;

export const DEFAULT_BEHAVIOUR: Behaviour = {
  cdcTooOld: '2190',
  idGap: 0,
  costingDelayMs: 120_000,
  deactivateWithBalance: 'refuse',
  heldBy: {},
  availability: 'open',
  deprecatedFields: [],
  billWithParent: 'free',
  refuseWith: {},
};

const CHOICES: Readonly<Partial<Record<keyof CompanySwitches, readonly string[]>>> = {
  vatExcludedRounding: ['line', 'document'],
  vatMultirateRounding: ['rate-per-line', 'combined'],
  vatInclusiveSplit: ['last-takes-rest', 'each-rate'],
  usOverride: ['code-and-lines', 'all-kept', 'all-ignored'],
  astTotalTax: ['ignored', 'kept'],
  astUserCode: ['honoured', 'replaced'],
  vatOverride: ['kept', 'ignored'],
  inclusiveWithoutGross: ['net', 'fault'],
  homeResidual: ['largest-line', 'exchange-gain-or-loss'],
  rateDefault: ['one', 'day-rate'],
  costing: ['immediate', 'delayed'],
  deactivateWithBalance: ['refuse', 'adjust'],
  availability: ['open', 'reset', 'locked', 'maintenance'],
  billWithParent: ['free', 'fixed'],
  cashShare: ['by-total', 'by-net'],
  cashCost: ['deferred', 'immediate'],
};

/** The switches that were asked for, or a RangeError that says what is possible. */
export function readSwitches(given: Readonly<Record<string, unknown>>): Partial<CompanySwitches> {
  const known: Readonly<Record<string, unknown>> = { ...DEFAULT_SWITCHES, ...DEFAULT_BEHAVIOUR };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name))
      throw new RangeError(`No switch is called '${name}'. Known: ${Object.keys(known).join(', ')}.`);
    const choices = CHOICES[name as keyof CompanySwitches];
    const fits =
      choices !== undefined
        ? choices.includes(value as string)
        : name === 'astRates'
          ? isRateTable(value)
          : name === 'heldBy'
            ? isHolderTable(value)
            : name === 'deprecatedFields'
              ? Array.isArray(value) && value.every((field) => typeof field === 'string')
              : name === 'refuseWith'
                ? isRefusalTable(value)
                : typeof known[name] === 'number'
                  ? Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 1_000_000_000
                  : typeof value === 'string' && isRefusalCode(value);
    if (!fits)
      throw new RangeError(`Switch '${name}' is ${choices?.join(' or ') ?? `such as ${JSON.stringify(known[name])}`}.`);
  }
  return given as Partial<CompanySwitches>;
}

function isHolderTable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((holder) => holder === 'merchant' || holder === 'bank-match');
}

function isRefusalTable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((code) => typeof code === 'string' && isRefusalCode(code));
}

function isRateTable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((ids) => Array.isArray(ids) && ids.every((id) => typeof id === 'string'));
}
