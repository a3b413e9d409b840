// What of CompanyInfo and Preferences decides which writes a company takes (qbo-api.md 17), read out of the raw records.
// A fact that QBO does not tell is undefined: nobody is blocked for something unknown.
import type { Json } from '../model/json.js';

/**
 * none: no sales tax. automated-not-set-up: automated tax is there, its owner never finished it, so no tax is computed.
 * vat: codes on every line, any country but the US.
 */
export type TaxEngine = 'none' | 'us-manual' | 'us-automated' | 'automated-not-set-up' | 'vat';

export interface CompanyFacts {
  name: string;
  country?: string;
  homeCurrency?: string;
  multicurrency: boolean;
  /** OfferingSku */
  plan?: string;
  subscription?: string;
  taxEngine: TaxEngine;
  usingSalesTax: boolean;
  /** YYYY-MM-DD */
  booksClosedUntil?: string;
  activeAccounts: number;
  /** classes and locations together, which share a limit; undefined where the plan has none */
  activeTracking?: number;
  /** dotted paths in Preferences that are switched on */
  switchedOn: ReadonlySet<string>;
  /** addresses that get a copy of what the company sends */
  mailCopies: string[];
}

/** Switches of Preferences by dotted path: on or off, absent is off. */
const switches = [
  'SalesFormsPrefs.CustomTxnNumbers',
  'SalesFormsPrefs.AutoApplyCredit',
  'SalesFormsPrefs.AutoApplyPayments',
  'SalesFormsPrefs.ETransactionPaymentEnabled',
  'SalesFormsPrefs.IPNSupportEnabled',
  'SalesFormsPrefs.EmailCopyToCompany',
  'SalesFormsPrefs.AllowDiscount',
  'SalesFormsPrefs.AllowShipping',
  'SalesFormsPrefs.AllowDeposit',
  'SalesFormsPrefs.AllowEstimates',
  'SalesFormsPrefs.UsingProgressInvoicing',
  'AccountingInfoPrefs.ClassTrackingPerTxn',
  'AccountingInfoPrefs.ClassTrackingPerTxnLine',
  'AccountingInfoPrefs.TrackDepartments',
  'AccountingInfoPrefs.UseAccountNumbers',
  'ProductAndServicesPrefs.ForPurchase',
  'ProductAndServicesPrefs.QuantityOnHand',
  'VendorAndPurchasesPrefs.TrackingByCustomer',
  'VendorAndPurchasesPrefs.BillableExpenseTracking',
] as const;

export type Switch = (typeof switches)[number];

export interface CompanyCounts {
  activeAccounts: number;
  activeTracking?: number | undefined;
}

export function companyFacts(info: Json, preferences: Json, counts: CompanyCounts): CompanyFacts {
  const sales = section(preferences, 'SalesFormsPrefs');
  const currency = section(preferences, 'CurrencyPrefs');
  const country = textOf(info.Country)?.toUpperCase();
  const closed = textOf(section(preferences, 'AccountingInfoPrefs').BookCloseDate);
  const facts: CompanyFacts = {
    name: textOf(info.CompanyName) ?? '',
    multicurrency: isOn(currency.MultiCurrencyEnabled),
    taxEngine: taxEngineOf(country, section(preferences, 'TaxPrefs')),
    usingSalesTax: isOn(section(preferences, 'TaxPrefs').UsingSalesTax),
    activeAccounts: counts.activeAccounts,
    switchedOn: new Set(switches.filter((path) => isOn(at(preferences, path)))),
    mailCopies: [sales.SalesEmailCc, sales.SalesEmailBcc].flatMap((one) => addressOf(one) ?? []),
  };
  if (counts.activeTracking !== undefined) facts.activeTracking = counts.activeTracking;
  // Both spellings of the United States are seen.
  if (country) facts.country = country === 'USA' ? 'US' : country;
  const home = textOf((currency.HomeCurrency as Json | undefined)?.value);
  if (home) facts.homeCurrency = home;
  const plan = named(info, 'OfferingSku');
  if (plan) facts.plan = plan;
  const subscription = named(info, 'SubscriptionStatus');
  if (subscription) facts.subscription = subscription;
  if (closed) facts.booksClosedUntil = closed.slice(0, 10);
  // Mailing itself is a status, not a switch.
  if (/^(enabled|pending)$/i.test(textOf(sales.ETransactionEnabledStatus) ?? '')) {
    (facts.switchedOn as Set<string>).add('SalesFormsPrefs.ETransactionEnabledStatus');
  }
  return facts;
}

/** tax-and-currency.md 2: which arithmetic the company will do. */
function taxEngineOf(country: string | undefined, tax: Json): TaxEngine {
  if (!isOn(tax.UsingSalesTax)) return 'none';
  if (country !== undefined && country !== 'US' && country !== 'USA') return 'vat';
  if (tax.PartnerTaxEnabled === undefined || tax.PartnerTaxEnabled === null) return 'us-manual';
  return isOn(tax.PartnerTaxEnabled) ? 'us-automated' : 'automated-not-set-up';
}

function section(preferences: Json, name: string): Json {
  const found: unknown = preferences[name];
  return typeof found === 'object' && found !== null ? (found as Json) : {};
}

function at(preferences: Json, path: string): unknown {
  const [name, field] = path.split('.');
  return section(preferences, name!)[field!];
}

function named(info: Json, name: string): string | undefined {
  const pairs: unknown = info.NameValue;
  if (!Array.isArray(pairs)) return undefined;
  return textOf((pairs as Json[]).find((pair) => pair?.Name === name)?.Value);
}

function addressOf(value: unknown): string | undefined {
  return textOf(value) ?? textOf((value as Json | undefined)?.Address);
}

function isOn(value: unknown): boolean {
  return value === true || value === 'true';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
