// Before anything is written: what about the pair of companies will make copies wrong, refused or dangerous. Pure.
// `blocks`: the books cannot become equal; a backfill does not start unless a person says why it should all the same.
// `warns`: some records will be held, numbered otherwise or interfered with; the person is told what to switch first.
import type { CompanyFacts, Switch, TaxEngine } from './company-facts.js';

export type PreflightCode =
  | 'PREFLIGHT.CURRENCY'
  | 'PREFLIGHT.COUNTRY'
  | 'PREFLIGHT.PLAN'
  | 'PREFLIGHT.SUBSCRIPTION'
  | 'PREFLIGHT.MULTICURRENCY'
  | 'PREFLIGHT.TAX_ENGINE'
  | 'PREFLIGHT.SALES_TAX'
  | 'PREFLIGHT.NUMBERS'
  | 'PREFLIGHT.AUTO_APPLY'
  | 'PREFLIGHT.MAILING'
  | 'PREFLIGHT.ONLINE_PAYMENTS'
  | 'PREFLIGHT.CLOSED_BOOKS'
  | 'PREFLIGHT.TRACKING'
  | 'PREFLIGHT.FEATURE'
  | 'PREFLIGHT.ACCOUNT_LIMIT'
  | 'PREFLIGHT.TRACKING_LIMIT'
  | 'PREFLIGHT.PAIR_MAPPING';

export interface Finding {
  code: PreflightCode;
  severity: 'blocks' | 'warns';
  /** the setting, in QBO's words where it has some */
  subject: string;
  source: string;
  target: string;
  whatToDo: string;
}

type Facts = Pick<Finding, 'subject' | 'source' | 'target' | 'whatToDo'>;

/** All findings, blocking ones first. */
export function comparePair(source: CompanyFacts, target: CompanyFacts): Finding[] {
  const findings: Finding[] = [];
  const blocks = (code: PreflightCode, facts: Facts) => findings.push({ code, severity: 'blocks', ...facts });
  const warns = (code: PreflightCode, facts: Facts) => findings.push({ code, severity: 'warns', ...facts });

  if (differ(source.homeCurrency, target.homeCurrency)) {
    blocks('PREFLIGHT.CURRENCY', {
      subject: 'CurrencyPrefs.HomeCurrency',
      source: source.homeCurrency!,
      target: target.homeCurrency!,
      whatToDo: 'Choose a target with the same home currency; QuickBooks cannot change it later.',
    });
  }
  if (differ(source.country, target.country)) {
    blocks('PREFLIGHT.COUNTRY', {
      subject: 'CompanyInfo.Country',
      source: source.country!,
      target: target.country!,
      whatToDo: 'Choose a target of the same country: tax codes of two countries have no common meaning.',
    });
  }
  comparePlans(source, target, blocks, warns);
  if (target.subscription && readOnlySubscriptions.has(target.subscription)) {
    blocks('PREFLIGHT.SUBSCRIPTION', {
      subject: 'SubscriptionStatus',
      source: source.subscription ?? 'unknown',
      target: target.subscription,
      whatToDo: 'Renew the target subscription: the company is read-only and refuses every write (6190).',
    });
  }
  if (source.multicurrency && !target.multicurrency) {
    blocks('PREFLIGHT.MULTICURRENCY', {
      subject: 'CurrencyPrefs.MultiCurrencyEnabled',
      source: 'on',
      target: 'off',
      whatToDo: 'Switch multicurrency on in the target; it cannot be switched off again.',
    });
  } else if (target.multicurrency && !source.multicurrency) {
    warns('PREFLIGHT.MULTICURRENCY', {
      subject: 'CurrencyPrefs.MultiCurrencyEnabled',
      source: 'off',
      target: 'on',
      whatToDo: 'Nothing to do: copies are written in the home currency at rate 1.',
    });
  }
  compareTaxes(source, target, blocks, warns);
  compareAccounts(source, target, blocks, warns);
  compareTracking(source, target, blocks, warns);
  compareInterference(source, target, warns);
  for (const feature of features) {
    if (!source.switchedOn.has(feature.path) || target.switchedOn.has(feature.path)) continue;
    warns(feature.code, { subject: feature.path, source: 'on', target: 'off', whatToDo: feature.whatToDo });
  }
  return [...findings.filter((f) => f.severity === 'blocks'), ...findings.filter((f) => f.severity === 'warns')];
}

export function isBlocking(findings: readonly Pick<Finding, 'severity'>[]): boolean {
  return findings.some(({ severity }) => severity === 'blocks');
}

type Say = (code: PreflightCode, facts: Facts) => unknown;

const readOnlySubscriptions = new Set(['EXPIRED', 'RESTRICTED', 'SUSPENDED', 'CANCELED', 'CANCELLED']);

/** From the plan's own name; a name we do not know has no rank. */
const planRanks: readonly (readonly [RegExp, number])[] = [
  [/self[- ]?employed|solopreneur|ledger/i, 0],
  [/simple ?start|easystart/i, 1],
  [/essentials/i, 2],
  [/advanced/i, 4],
  [/plus/i, 3],
];

function rankOf(plan: string | undefined): number | undefined {
  return plan === undefined ? undefined : planRanks.find(([pattern]) => pattern.test(plan))?.[1];
}

function comparePlans(source: CompanyFacts, target: CompanyFacts, blocks: Say, warns: Say): void {
  const [from, to] = [rankOf(source.plan), rankOf(target.plan)];
  const facts = { subject: 'OfferingSku', source: source.plan ?? 'unknown', target: target.plan ?? 'unknown' };
  if (from !== undefined && to !== undefined) {
    if (to < from) {
      const whatToDo = `Upgrade the target to ${source.plan!}: types and fields its plan lacks are refused (5020, 5030).`;
      blocks('PREFLIGHT.PLAN', { ...facts, whatToDo });
    }
    return;
  }
  if (differ(source.plan, target.plan)) {
    const whatToDo = 'Compare the two plans by hand: what the target lacks is refused (5020, 5030) and held.';
    warns('PREFLIGHT.PLAN', { ...facts, whatToDo });
  }
}

/** Pairs of engines whose documents come out equal, or nearly; any other pair blocks (tax-and-currency.md 10). */
const engineAdvice: Readonly<Record<string, string | null>> = {
  'us-manual us-manual': null,
  'vat vat': null,
  'us-automated us-automated':
    'Nothing to do before: the target recomputes tax from addresses; differences are recorded with each document.',
};

function compareTaxes(source: CompanyFacts, target: CompanyFacts, blocks: Say, warns: Say): void {
  if (!source.usingSalesTax && target.usingSalesTax) {
    const whatToDo = 'Nothing to do: documents without tax stay without tax.';
    warns('PREFLIGHT.SALES_TAX', { subject: 'TaxPrefs.UsingSalesTax', source: 'off', target: 'on', whatToDo });
  }
  if (source.usingSalesTax && !target.usingSalesTax) {
    blocks('PREFLIGHT.SALES_TAX', {
      subject: 'TaxPrefs.UsingSalesTax',
      source: 'on',
      target: 'off',
      whatToDo: 'Switch sales tax on in the target, with the same codes and rates; it cannot be done through the API.',
    });
    return;
  }
  if (computesNoTax(source.taxEngine)) return;
  const advice = engineAdvice[`${source.taxEngine} ${target.taxEngine}`];
  if (advice === null) return;
  const facts = { subject: 'TaxPrefs.PartnerTaxEnabled', source: source.taxEngine, target: target.taxEngine };
  if (advice !== undefined) return void warns('PREFLIGHT.TAX_ENGINE', { ...facts, whatToDo: advice });
  const whatToDo =
    target.taxEngine === 'automated-not-set-up'
      ? 'Finish setting up sales tax in the target: until then it computes no tax at all.'
      : 'Choose a target with the same tax engine: another one computes other totals.';
  blocks('PREFLIGHT.TAX_ENGINE', { ...facts, whatToDo });
}

function computesNoTax(engine: TaxEngine): boolean {
  return engine === 'none' || engine === 'automated-not-set-up';
}

/** Active accounts by plan; Advanced has no limit. */
const accountLimit = 250;

function compareAccounts(source: CompanyFacts, target: CompanyFacts, blocks: Say, warns: Say): void {
  if (rankOf(target.plan) === 4) return;
  const facts = {
    subject: 'active accounts',
    source: String(source.activeAccounts),
    target: `${target.activeAccounts} of ${accountLimit}`,
  };
  if (source.activeAccounts > accountLimit) {
    const whatToDo = `Upgrade the target to Advanced or make accounts inactive: the plan takes ${accountLimit}.`;
    blocks('PREFLIGHT.ACCOUNT_LIMIT', { ...facts, whatToDo });
  } else if (source.activeAccounts + target.activeAccounts > accountLimit) {
    // Accounts of one name and type are one account afterwards, so how many come new is only known when they are looked up.
    const whatToDo = `Make unused accounts of the target inactive: those that have no twin count towards ${accountLimit}.`;
    warns('PREFLIGHT.ACCOUNT_LIMIT', { ...facts, whatToDo });
  }
}

/** Classes and locations together, by plan; Advanced has no limit (qbo-api.md 8). */
const trackingLimit = 40;

function compareTracking(source: CompanyFacts, target: CompanyFacts, blocks: Say, warns: Say): void {
  if (rankOf(target.plan) === 4 || source.activeTracking === undefined) return;
  const there = target.activeTracking ?? 0;
  const facts = {
    subject: 'active classes and locations',
    source: String(source.activeTracking),
    target: `${there} of ${trackingLimit}`,
  };
  if (source.activeTracking > trackingLimit) {
    const whatToDo = `Upgrade the target to Advanced or make classes and locations inactive: the plan takes ${trackingLimit}.`;
    blocks('PREFLIGHT.TRACKING_LIMIT', { ...facts, whatToDo });
  } else if (source.activeTracking + there > trackingLimit) {
    const whatToDo = `Make unused classes and locations of the target inactive: those without a twin count towards ${trackingLimit}.`;
    warns('PREFLIGHT.TRACKING_LIMIT', { ...facts, whatToDo });
  }
}

/** What the target would do by itself, whatever the source does. */
function compareInterference(source: CompanyFacts, target: CompanyFacts, warns: Say): void {
  const shown = (facts: CompanyFacts, path: string) => (facts.switchedOn.has(path) ? 'on' : 'off');
  const both = (path: string) => ({ subject: path, source: shown(source, path), target: shown(target, path) });
  for (const path of ['SalesFormsPrefs.AutoApplyCredit', 'SalesFormsPrefs.AutoApplyPayments']) {
    if (!target.switchedOn.has(path)) continue;
    const whatToDo = 'Switch it off in the target: it links copies by itself, before their own links arrive.';
    warns('PREFLIGHT.AUTO_APPLY', { ...both(path), whatToDo });
  }
  for (const path of ['SalesFormsPrefs.ETransactionPaymentEnabled', 'SalesFormsPrefs.IPNSupportEnabled']) {
    if (!target.switchedOn.has(path)) continue;
    const whatToDo = 'Switch online payments off in the target; copies are sent without a payment link in any case.';
    warns('PREFLIGHT.ONLINE_PAYMENTS', { ...both(path), whatToDo });
  }
  for (const path of ['SalesFormsPrefs.ETransactionEnabledStatus', 'SalesFormsPrefs.EmailCopyToCompany']) {
    if (!target.switchedOn.has(path)) continue;
    const whatToDo = 'Switch automatic e-mail off in the target; copies are sent as "not to be e-mailed" in any case.';
    warns('PREFLIGHT.MAILING', { ...both(path), whatToDo });
  }
  if (target.mailCopies.length > 0) {
    warns('PREFLIGHT.MAILING', {
      subject: 'SalesFormsPrefs.SalesEmailCc and SalesEmailBcc',
      source: source.mailCopies.join(', ') || 'none',
      target: target.mailCopies.join(', '),
      whatToDo: 'Remove the copies in the target: whoever sends a form there would mail these people too.',
    });
  }
  if (!target.switchedOn.has('SalesFormsPrefs.CustomTxnNumbers')) {
    warns('PREFLIGHT.NUMBERS', {
      ...both('SalesFormsPrefs.CustomTxnNumbers'),
      whatToDo:
        'Switch custom transaction numbers on in the target: with them off it numbers sales forms itself and the numbers of the source are lost (or choose the document number policy "drop" and live with it).',
    });
  }
  if (source.booksClosedUntil !== undefined && target.booksClosedUntil === undefined) {
    warns('PREFLIGHT.CLOSED_BOOKS', {
      subject: 'AccountingInfoPrefs.BookCloseDate',
      source: source.booksClosedUntil,
      target: 'open',
      whatToDo: `Close the target up to ${source.booksClosedUntil} too once the backfill is done: until then nothing protects those years there.`,
    });
  }
  if (target.booksClosedUntil !== undefined) {
    warns('PREFLIGHT.CLOSED_BOOKS', {
      subject: 'AccountingInfoPrefs.BookCloseDate',
      source: source.booksClosedUntil ?? 'open',
      target: target.booksClosedUntil,
      whatToDo: `Open the books of the target: everything dated up to ${target.booksClosedUntil} is held (6200, 6210).`,
    });
  }
}

/** Switched on in the source and off in the target: the fields or types that belong to it are dropped or refused. */
const features: readonly { path: Switch; code: PreflightCode; whatToDo: string }[] = [
  tracking('AccountingInfoPrefs.ClassTrackingPerTxn', 'classes on whole transactions'),
  tracking('AccountingInfoPrefs.ClassTrackingPerTxnLine', 'classes on lines'),
  tracking('AccountingInfoPrefs.TrackDepartments', 'locations'),
  feature('SalesFormsPrefs.AllowDiscount', 'discount lines'),
  feature('SalesFormsPrefs.AllowShipping', 'shipping lines'),
  feature('SalesFormsPrefs.AllowDeposit', 'deposits on invoices'),
  feature('SalesFormsPrefs.AllowEstimates', 'estimates'),
  feature('SalesFormsPrefs.UsingProgressInvoicing', 'several invoices from one estimate'),
  feature('AccountingInfoPrefs.UseAccountNumbers', 'account numbers'),
  feature('ProductAndServicesPrefs.ForPurchase', 'item lines on purchases'),
  feature('ProductAndServicesPrefs.QuantityOnHand', 'inventory'),
  feature('VendorAndPurchasesPrefs.TrackingByCustomer', 'customers on purchase lines'),
  feature('VendorAndPurchasesPrefs.BillableExpenseTracking', 'billable expenses'),
];

function tracking(path: Switch, what: string) {
  const code = 'PREFLIGHT.TRACKING' as const;
  return { path, code, whatToDo: `Switch it on in the target: it loses ${what} otherwise.` };
}

function feature(path: Switch, what: string) {
  const code = 'PREFLIGHT.FEATURE' as const;
  return { path, code, whatToDo: `Switch it on in the target: it drops or refuses ${what} otherwise.` };
}

/** Unknown is no difference. */
function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
