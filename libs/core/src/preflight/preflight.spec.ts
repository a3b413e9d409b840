import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { companyFacts, type CompanyFacts } from './company-facts.js';
import { comparePair, isBlocking } from './compare.js';

const allOn = {
  SalesFormsPrefs: {
    CustomTxnNumbers: true,
    AllowDiscount: true,
    AllowShipping: true,
    AllowDeposit: true,
    AllowEstimates: true,
    UsingProgressInvoicing: true,
  },
  AccountingInfoPrefs: {
    ClassTrackingPerTxn: true,
    ClassTrackingPerTxnLine: true,
    TrackDepartments: true,
    UseAccountNumbers: true,
  },
  ProductAndServicesPrefs: { ForPurchase: true, QuantityOnHand: true },
  VendorAndPurchasesPrefs: { TrackingByCustomer: true, BillableExpenseTracking: true },
  TaxPrefs: { UsingSalesTax: true },
  CurrencyPrefs: { MultiCurrencyEnabled: false, HomeCurrency: { value: 'USD' } },
};

interface Spec {
  country?: string;
  sku?: string | undefined;
  subscription?: string;
  accounts?: number;
  tracking?: number;
  preferences?: Record<string, Json>;
}

function company({ country = 'US', sku = 'QuickBooks Online Plus', ...more }: Spec = {}): CompanyFacts {
  const preferences: Json = { ...allOn };
  for (const [name, values] of Object.entries(more.preferences ?? {})) {
    preferences[name] = { ...(preferences[name] as Json | undefined), ...values };
  }
  const pairs = [
    { Name: 'OfferingSku', Value: sku },
    { Name: 'SubscriptionStatus', Value: more.subscription ?? 'SUBSCRIBED' },
  ];
  const info = { CompanyName: 'Books', Country: country, NameValue: pairs };
  return companyFacts(info, preferences, { activeAccounts: more.accounts ?? 40, activeTracking: more.tracking });
}

const taxed = (tax: Json): Spec => ({ preferences: { TaxPrefs: tax } });
const sales = (values: Json): Spec => ({ preferences: { SalesFormsPrefs: values } });

describe('a preflight', () => {
  it('finds nothing about two companies that are set up alike', () => {
    expect(comparePair(company(), company())).toEqual([]);
  });

  it.each<[string, 'blocks' | 'warns', string, Spec, Spec]>([
    [
      'CURRENCY',
      'blocks',
      'home currencies differ',
      {},
      { preferences: { CurrencyPrefs: { HomeCurrency: { value: 'CAD' } } } },
    ],
    ['COUNTRY', 'blocks', 'countries differ', { country: 'GB' }, { country: 'CA' }],
    ['PLAN', 'blocks', 'the target has the smaller plan', {}, { sku: 'QuickBooks Online Essentials' }],
    ['PLAN', 'warns', 'a plan is unknown', {}, { sku: 'Something New' }],
    ['SUBSCRIPTION', 'blocks', 'the target is read-only', {}, { subscription: 'EXPIRED' }],
    [
      'MULTICURRENCY',
      'blocks',
      'only the source has it',
      { preferences: { CurrencyPrefs: { MultiCurrencyEnabled: true } } },
      {},
    ],
    [
      'MULTICURRENCY',
      'warns',
      'only the target has it',
      {},
      { preferences: { CurrencyPrefs: { MultiCurrencyEnabled: true } } },
    ],
    ['TAX_ENGINE', 'blocks', 'manual into automated', {}, taxed({ PartnerTaxEnabled: true })],
    ['TAX_ENGINE', 'blocks', 'manual into never set up', {}, taxed({ PartnerTaxEnabled: false })],
    ['TAX_ENGINE', 'blocks', 'automated into manual', taxed({ PartnerTaxEnabled: true }), {}],
    ['TAX_ENGINE', 'warns', 'both automated', taxed({ PartnerTaxEnabled: true }), taxed({ PartnerTaxEnabled: true })],
    ['SALES_TAX', 'blocks', 'taxed into untaxed', {}, taxed({ UsingSalesTax: false })],
    ['SALES_TAX', 'warns', 'untaxed into taxed', taxed({ UsingSalesTax: false }), {}],
    ['NUMBERS', 'warns', 'the target numbers by itself', {}, sales({ CustomTxnNumbers: false })],
    ['AUTO_APPLY', 'warns', 'credits', {}, sales({ AutoApplyCredit: true })],
    [
      'AUTO_APPLY',
      'warns',
      'payments, also when the source does so',
      sales({ AutoApplyPayments: true }),
      sales({ AutoApplyPayments: true }),
    ],
    ['MAILING', 'warns', 'forms are mailed', {}, sales({ ETransactionEnabledStatus: 'Enabled' })],
    ['MAILING', 'warns', 'the company gets copies', {}, sales({ EmailCopyToCompany: true })],
    ['MAILING', 'warns', 'somebody gets blind copies', {}, sales({ SalesEmailBcc: { Address: 'a@example.com' } })],
    ['ONLINE_PAYMENTS', 'warns', 'by card', {}, sales({ ETransactionPaymentEnabled: true })],
    ['ONLINE_PAYMENTS', 'warns', 'by IPN', {}, sales({ IPNSupportEnabled: true })],
    [
      'CLOSED_BOOKS',
      'warns',
      'the target is closed',
      {},
      { preferences: { AccountingInfoPrefs: { BookCloseDate: '2025-12-31' } } },
    ],
    [
      'CLOSED_BOOKS',
      'warns',
      'the source is closed and the target open',
      { preferences: { AccountingInfoPrefs: { BookCloseDate: '2025-12-31' } } },
      {},
    ],
    ['TRACKING', 'warns', 'classes', {}, { preferences: { AccountingInfoPrefs: { ClassTrackingPerTxnLine: false } } }],
    ['TRACKING', 'warns', 'locations', {}, { preferences: { AccountingInfoPrefs: { TrackDepartments: false } } }],
    ['FEATURE', 'warns', 'inventory', {}, { preferences: { ProductAndServicesPrefs: { QuantityOnHand: false } } }],
    ['ACCOUNT_LIMIT', 'blocks', 'more accounts than the plan takes', { accounts: 251 }, {}],
    ['ACCOUNT_LIMIT', 'warns', 'too many unless some are the same', { accounts: 200 }, { accounts: 60 }],
    ['TRACKING_LIMIT', 'blocks', 'more classes and locations than the plan takes', { tracking: 41 }, {}],
    ['TRACKING_LIMIT', 'warns', 'too many unless some are the same', { tracking: 30 }, { tracking: 11 }],
  ])('PREFLIGHT.%s %s: %s', (code, severity, _what, source, target) => {
    const findings = comparePair(company(source), company(target));
    expect(findings.map((f) => [f.code, f.severity])).toEqual([[`PREFLIGHT.${code}`, severity]]);
    expect(findings[0]!.whatToDo).toMatch(/^[A-Z].{15,}\.$|\)\.$/);
    expect(isBlocking(findings)).toBe(severity === 'blocks');
  });

  it.each<[string, Spec, Spec]>([
    ['a larger plan in the target', { sku: 'QuickBooks Online Essentials' }, {}],
    ['Advanced takes any number of accounts', { accounts: 900 }, { sku: 'QuickBooks Online Advanced', accounts: 900 }],
    [
      'Advanced takes any number of classes',
      { tracking: 90, sku: 'QuickBooks Online Advanced' },
      { tracking: 5, sku: 'QuickBooks Online Advanced' },
    ],
    ['a plan nobody told', { sku: undefined }, {}],
    ['two spellings of one country', { country: 'USA' }, { country: 'US' }],
    [
      'automated tax that was never set up computes none, so any engine will do',
      taxed({ PartnerTaxEnabled: false }),
      taxed({ PartnerTaxEnabled: true }),
    ],
    ['features only the target has', { preferences: { AccountingInfoPrefs: { TrackDepartments: false } } }, {}],
  ])('does not complain about %s', (_what, source, target) => {
    expect(comparePair(company(source), company(target))).toEqual([]);
  });

  it('is total: any two records, however malformed, are compared without an exception', () => {
    const json = fc.dictionary(
      fc.constantFrom('SalesFormsPrefs', 'TaxPrefs', 'CurrencyPrefs', 'NameValue', 'Country', 'AccountingInfoPrefs'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(json, json, json, json, (info, preferences, otherInfo, otherPreferences) => {
        const counts = { activeAccounts: 1 };
        const findings = comparePair(
          companyFacts(info, preferences, counts),
          companyFacts(otherInfo, otherPreferences, counts),
        );
        for (const finding of findings) expect(finding.whatToDo).not.toBe('');
      }),
      { numRuns: 200 },
    );
  });
});
