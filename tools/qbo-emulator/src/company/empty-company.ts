// What a new QBO company has before anyone enters anything: chart of accounts, terms, payment methods, tax codes, its
// own CompanyInfo and Preferences. Names follow Intuit's defaults, the address is invented.
import { accountTypeByName, entityType } from '../catalogue/catalogue.js';
import { inFieldOrder } from '../engine/shape.js';
import type { Rec } from '../types.js';
import type { Company } from './company.js';
import { dayInCompany } from './time.js';

// [name, account type, subtype]. Undeposited Funds gets id 4, as in the US sample company.
const CHART: readonly (readonly [string, string, string])[] = [
  ['Services', 'Income', 'ServiceFeeIncome'],
  ['Retained Earnings', 'Equity', 'RetainedEarnings'],
  ['Opening Balance Equity', 'Equity', 'OpeningBalanceEquity'],
  ['Undeposited Funds', 'Other Current Asset', 'UndepositedFunds'],
  ['Advertising', 'Expense', 'AdvertisingPromotional'],
  ['Uncategorized Asset', 'Other Current Asset', 'OtherCurrentAssets'],
  ['Dues & Subscriptions', 'Expense', 'DuesSubscriptions'],
  ['Bank Charges', 'Expense', 'BankCharges'],
  ['Rent or Lease', 'Expense', 'RentOrLeaseOfBuildings'],
  ['Repairs & Maintenance', 'Expense', 'RepairMaintenance'],
  ['Legal & Professional Fees', 'Expense', 'LegalProfessionalFees'],
  ['Insurance', 'Expense', 'Insurance'],
  ['Miscellaneous', 'Other Expense', 'OtherMiscellaneousExpense'],
  ['Office Expenses', 'Expense', 'OfficeGeneralAdministrativeExpenses'],
  ['Travel', 'Expense', 'Travel'],
  ['Utilities', 'Expense', 'Utilities'],
  ['Uncategorized Expense', 'Expense', 'OtherMiscellaneousServiceCost'],
  ['Uncategorized Income', 'Income', 'ServiceFeeIncome'],
  ['Accounts Payable (A/P)', 'Accounts Payable', 'AccountsPayable'],
  ['Accounts Receivable (A/R)', 'Accounts Receivable', 'AccountsReceivable'],
  ['Checking', 'Bank', 'Checking'],
  ['Savings', 'Bank', 'Savings'],
  ['Mastercard', 'Credit Card', 'CreditCard'],
  ['Sales of Product Income', 'Income', 'SalesOfProductIncome'],
  ['Cost of Goods Sold', 'Cost of Goods Sold', 'SuppliesMaterialsCogs'],
  ['Inventory Asset', 'Other Current Asset', 'Inventory'],
  ['Inventory Shrinkage', 'Cost of Goods Sold', 'SuppliesMaterialsCogs'],
  ['Discounts given', 'Income', 'DiscountsRefundsGiven'],
  ['Shipping Income', 'Income', 'OtherPrimaryIncome'],
  ['Billable Expense Income', 'Income', 'ServiceFeeIncome'],
  ['Unapplied Cash Payment Income', 'Income', 'UnappliedCashPaymentIncome'],
  ['Unapplied Cash Bill Payment Expense', 'Expense', 'UnappliedCashBillPaymentExpense'],
  ['Interest Earned', 'Other Income', 'InterestEarned'],
  ['Machinery and Equipment', 'Fixed Asset', 'MachineryAndEquipment'],
  ['Notes Payable', 'Other Current Liability', 'OtherCurrentLiabilities'],
  ['Long-Term Loan', 'Long Term Liability', 'NotesPayable'],
];

const TERMS: readonly (readonly [string, number])[] = [
  ['Due on receipt', 0],
  ['Net 15', 15],
  ['Net 30', 30],
  ['Net 60', 60],
];
const PAYMENT_METHODS: readonly (readonly [string, string])[] = [
  ['Cash', 'NON_CREDIT_CARD'],
  ['Check', 'NON_CREDIT_CARD'],
  ['Visa', 'CREDIT_CARD'],
  ['MasterCard', 'CREDIT_CARD'],
  ['Discover', 'CREDIT_CARD'],
  ['American Express', 'CREDIT_CARD'],
  ['Diners Club', 'CREDIT_CARD'],
];

interface TaxSeed {
  readonly agency: string;
  readonly codes: readonly {
    readonly name: string;
    readonly description: string;
    readonly rates: readonly (readonly [string, number])[];
  }[];
}

// US companies show TAX and NON on lines; the real codes stand in TxnTaxDetail. Elsewhere codes stand on lines.
const TAXES: Record<string, TaxSeed> = {
  US: {
    agency: 'State Board of Equalization',
    codes: [{ name: 'California', description: 'California sales tax', rates: [['California', 8]] }],
  },
  GB: {
    agency: 'HM Revenue & Customs (VAT)',
    codes: [
      { name: '20.0% S', description: 'Standard rate', rates: [['Standard', 20]] },
      { name: '5.0% R', description: 'Reduced rate', rates: [['Reduced', 5]] },
      { name: '0.0% Z', description: 'Zero rate', rates: [['Zero', 0]] },
      { name: 'Exempt', description: 'Exempt', rates: [['Exempt', 0]] },
      { name: 'No VAT', description: 'No VAT', rates: [['No VAT', 0]] },
    ],
  },
  CA: {
    agency: 'Canada Revenue Agency',
    codes: [
      { name: 'GST', description: 'Goods and services tax', rates: [['GST', 5]] },
      { name: 'HST ON', description: 'Harmonized sales tax, Ontario', rates: [['HST (ON)', 13]] },
      { name: 'Zero-rated', description: 'Zero-rated', rates: [['Zero-rated', 0]] },
      { name: 'Exempt', description: 'Exempt', rates: [['Exempt', 0]] },
    ],
  },
  AU: {
    agency: 'Australian Taxation Office',
    codes: [
      { name: 'GST', description: 'Goods and services tax', rates: [['GST', 10]] },
      { name: 'GST free', description: 'GST free', rates: [['GST free', 0]] },
      { name: 'Out of scope', description: 'BAS excluded', rates: [['BAS excluded', 0]] },
    ],
  },
};

// Countries of a company's addresses read as alpha-3 codes since October 2025.
const COUNTRY_ALPHA3: Record<string, string> = { US: 'USA', GB: 'GBR', CA: 'CAN', AU: 'AUS', FR: 'FRA', IN: 'IND' };

function put(company: Company, type: string, fields: Rec): Rec {
  const definition = entityType(type);
  const time = company.now();
  const id = definition.idSequence === 'singleton' ? '1' : company.nextId(definition.idSequence);
  const rec = inFieldOrder(
    {
      ...fields,
      domain: 'QBO',
      sparse: false,
      Id: id,
      SyncToken: '0',
      MetaData: { CreateTime: time, LastUpdatedTime: time },
    },
    definition,
  );
  return company.insert(type, rec);
}

function account(company: Company, [name, type, subType]: readonly [string, string, string]): Rec {
  return put(company, 'Account', {
    Name: name,
    SubAccount: false,
    FullyQualifiedName: name,
    Active: true,
    Classification: accountTypeByName.get(type)!.classification,
    AccountType: type,
    AccountSubType: subType,
    CurrentBalance: 0,
    CurrentBalanceWithSubAccounts: 0,
    CurrencyRef: { value: company.homeCurrency(), name: undefined },
  });
}

export function furnishCompanyInfo(company: Company): void {
  const { name, country } = company.profile;
  const address = {
    Id: '1',
    Line1: '12 Nursery Row',
    City: 'San Mateo',
    CountrySubDivisionCode: 'CA',
    PostalCode: '94401',
    Country: COUNTRY_ALPHA3[country] ?? country,
  };
  put(company, 'CompanyInfo', {
    CompanyName: name,
    LegalName: name,
    CompanyAddr: address,
    CustomerCommunicationAddr: { ...address },
    LegalAddr: { ...address },
    PrimaryPhone: { FreeFormNumber: '(555) 555-0100' },
    CompanyStartDate: dayInCompany(company.clock.now(), company.utcOffsetMinutes()),
    FiscalYearStartMonth: 'January',
    Country: country,
    Email: { Address: 'office@example.com' },
    WebAddr: {},
    SupportedLanguages: 'en',
    NameValue: [
      { Name: 'NeoEnabled', Value: 'true' },
      { Name: 'SubscriptionStatus', Value: 'SUBSCRIBED' },
      { Name: 'OfferingSku', Value: 'QuickBooks Online Plus' },
      { Name: 'PayrollFeature', Value: 'false' },
      { Name: 'AccountantFeature', Value: 'false' },
      { Name: 'ItemCategoriesFeature', Value: 'true' },
    ],
  });
}

export function furnishPreferences(company: Company, multicurrency: boolean): void {
  const byName = (name: string): string | undefined => company.nameHolder('Account', name, undefined)?.id;
  put(company, 'Preferences', {
    AccountingInfoPrefs: {
      UseAccountNumbers: false,
      TrackDepartments: true,
      DepartmentTerminology: 'Location',
      ClassTrackingPerTxn: false,
      ClassTrackingPerTxnLine: true,
      AutoJournalEntryNumber: true,
      FirstMonthOfFiscalYear: 'January',
      TaxYearMonth: 'January',
      CustomerTerminology: 'Customers',
    },
    ProductAndServicesPrefs: {
      ForSales: true,
      ForPurchase: true,
      QuantityWithPriceAndRate: true,
      QuantityOnHand: true,
    },
    SalesFormsPrefs: {
      CustomField: [],
      CustomTxnNumbers: false,
      AllowDeposit: true,
      AllowDiscount: true,
      DefaultDiscountAccount: byName('Discounts given'),
      AllowEstimates: true,
      AllowServiceDate: true,
      AllowShipping: true,
      DefaultShippingAccount: byName('Shipping Income'),
      ETransactionEnabledStatus: 'NotApplicable',
      ETransactionPaymentEnabled: false,
      IPNSupportEnabled: false,
      AutoApplyCredit: false,
      AutoApplyPayments: false,
      DefaultTerms: { value: '3' },
      UsingProgressInvoicing: false,
    },
    EmailMessagesPrefs: { InvoiceMessage: { Subject: 'Invoice', Message: 'Your invoice is attached.' } },
    VendorAndPurchasesPrefs: { TrackingByCustomer: true, BillableExpenseTracking: true },
    TimeTrackingPrefs: {
      UseServices: true,
      BillCustomers: true,
      ShowBillRateToAll: false,
      WorkWeekStartDate: 'Monday',
    },
    TaxPrefs: { UsingSalesTax: true, HideTaxManagement: false },
    CurrencyPrefs: { MultiCurrencyEnabled: multicurrency, HomeCurrency: { value: company.homeCurrency() } },
    ReportPrefs: { ReportBasis: 'Accrual' },
    OtherPrefs: {
      NameValue: [
        { Name: 'WarnDuplicateCheckNumber', Value: 'true' },
        { Name: 'WarnDuplicateBillNumber', Value: 'false' },
        { Name: 'WarnDuplicateJournalNumber', Value: 'false' },
        { Name: 'UncategorizedAssetAccountId', Value: byName('Uncategorized Asset') },
        { Name: 'UncategorizedIncomeAccountId', Value: byName('Uncategorized Income') },
        { Name: 'UncategorizedExpenseAccountId', Value: byName('Uncategorized Expense') },
        { Name: 'ProjectsEnabled', Value: 'false' },
        { Name: 'TimeTrackingFeatureEnabled', Value: 'true' },
      ],
    },
  });
}

export interface TaxCodeSpec {
  readonly name: string;
  readonly description: string;
  readonly rateIds: readonly string[];
  readonly purchaseRateIds?: readonly string[];
}

export function putTaxRate(company: Company, name: string, value: number, agencyId: string): Rec {
  return put(company, 'TaxRate', {
    Name: name,
    Description: name,
    Active: true,
    RateValue: value,
    AgencyRef: { value: agencyId },
    SpecialTaxType: 'NONE',
    EffectiveTaxRate: [{ RateValue: value, EffectiveDate: '2000-01-01T00:00:00-08:00' }],
    DisplayType: 'ReadOnly',
  });
}

export function putTaxCode(company: Company, spec: TaxCodeSpec): Rec {
  const list = (ids: readonly string[]): Rec => ({
    TaxRateDetail: ids.map((id, i) => ({ TaxRateRef: { value: id }, TaxTypeApplicable: 'TaxOnAmount', TaxOrder: i })),
  });
  return put(company, 'TaxCode', {
    Name: spec.name,
    Description: spec.description,
    Active: true,
    Hidden: false,
    Taxable: true,
    TaxGroup: true,
    SalesTaxRateList: list(spec.rateIds),
    PurchaseTaxRateList: list(spec.purchaseRateIds ?? []),
    TaxCodeConfigType: 'USER_DEFINED',
  });
}

export function putTaxAgency(company: Company, name: string): Rec {
  return put(company, 'TaxAgency', {
    DisplayName: name,
    TaxTrackedOnPurchases: company.country() !== 'US',
    TaxTrackedOnSales: true,
    TaxAgencyConfig: 'USER_DEFINED',
  });
}

function furnishTaxes(company: Company): void {
  const seed = TAXES[company.country()] ?? TAXES['US']!;
  const agency = putTaxAgency(company, seed.agency);
  for (const code of seed.codes) {
    const rates = code.rates.map(([name, value]) => putTaxRate(company, name, value, agency['Id']));
    const ids = rates.map((r) => r['Id'] as string);
    putTaxCode(company, {
      name: code.name,
      description: code.description,
      rateIds: ids,
      ...(company.country() !== 'US' && { purchaseRateIds: ids }),
    });
  }
}

/** Fills a company that has nothing yet. */
export function furnishEmptyCompany(company: Company, options: { multicurrency: boolean }): void {
  furnishCompanyInfo(company);
  for (const row of CHART) account(company, row);
  for (const [name, days] of TERMS)
    put(company, 'Term', {
      Name: name,
      Active: true,
      Type: 'STANDARD',
      DiscountPercent: 0,
      DueDays: days,
      DiscountDays: 0,
    });
  for (const [name, type] of PAYMENT_METHODS) put(company, 'PaymentMethod', { Name: name, Active: true, Type: type });
  furnishPreferences(company, options.multicurrency);
  furnishTaxes(company);
  if (options.multicurrency) {
    put(company, 'CompanyCurrency', { Code: company.homeCurrency(), Name: company.homeCurrency(), Active: true });
  }
  for (const [name, type, taxable] of [
    ['Services', 'Service', false],
    ['Hours', 'Service', false],
  ] as const) {
    const income = company.nameHolder('Account', 'Services', undefined)!.id;
    put(company, 'Item', {
      Name: name,
      Active: true,
      FullyQualifiedName: name,
      Taxable: taxable,
      UnitPrice: 0,
      Type: type,
      IncomeAccountRef: { value: income, name: undefined },
      PurchaseCost: 0,
      TrackQtyOnHand: false,
      DeferredRevenue: false,
    });
  }
  company.startSequenceAt('accounts', company.apiAccountFloor);
}
