// Types around the books: tax (made by QBO per company, so mapped or only reported) and attachments.
import { entity, ref } from './definition.js';

const reading = ['read', 'query'] as const;

export const TaxAgency = entity({
  type: 'TaxAgency',
  endpoint: 'taxagency',
  category: 'supporting',
  rank: 1,
  policy: 'carried',
  operations: ['create', ...reading],
  naturalKeys: [['DisplayName']],
  lookup: { by: 'list' },
  batchable: false,
  voidForm: 'none',
  cdc: false,
  webhook: true,
  readOnly: ['TaxRegistrationNumber', 'TaxTrackedOnPurchases', 'TaxTrackedOnSales', 'LastFileDate', 'TaxAgencyConfig'],
  noise: ['LastFileDate'],
  // No update exists.
  writeOnce: ['DisplayName'],
});

export const TaxRate = entity({
  type: 'TaxRate',
  endpoint: 'taxrate',
  category: 'supporting',
  rank: 3,
  // Made with the tax code that uses it, and found after that: documents whose tax was overridden name their rates.
  policy: 'adopted',
  operations: reading,
  naturalKeys: [
    ['Name', 'RateValue'],
    ['RateValue', 'AgencyRef'],
  ],
  nameField: 'Name',
  lookup: { by: 'list' },
  batchable: false,
  voidForm: 'none',
  cdc: false,
  webhook: false,
  // UsedBy: the code that brings it, added by capture.
  references: [ref('AgencyRef', 'TaxAgency'), ref('UsedBy', 'TaxCode')],
  specialCases: [{ when: { UsedBy: undefined }, notCarried: 'no tax code uses this rate' }],
  readOnly: [
    ...['Description', 'Active', 'SpecialTaxType', 'EffectiveTaxRate', 'DisplayType', 'TaxReturnLineRef'],
    ...['OriginalTaxRate', 'TaxRateDisplayType'],
  ],
});

export const TaxCode = entity({
  type: 'TaxCode',
  endpoint: 'taxcode',
  category: 'supporting',
  rank: 2,
  // Found by name; made only where its rates are known (capture adds them as TaxRates) and a person defined it. Codes cannot
  // be changed or removed by the API.
  policy: 'carried',
  operations: ['create', ...reading],
  wireForm: 'tax-service',
  createNeeds: ['TaxRates'],
  naturalKeys: [['Name']],
  lookup: { by: 'list' },
  nameField: 'Name',
  batchable: false,
  voidForm: 'none',
  cdc: false,
  webhook: false,
  references: [ref('TaxRates.*.AgencyRef', 'TaxAgency')],
  readOnly: [
    'SalesTaxRateList',
    'PurchaseTaxRateList',
    'AdjustmentTaxRateList',
    'TaxCodeConfigType',
    'Description',
    'Active',
    'Hidden',
    'Taxable',
    'TaxGroup',
  ],
  writeOnce: ['Name', 'TaxRates'],
  // What automated sales tax made belongs to the places that company sells from.
  specialCases: [{ when: { TaxCodeConfigType: 'SYSTEM_GENERATED' }, omit: ['TaxRates'] }],
});

export const Attachable = entity({
  type: 'Attachable',
  endpoint: 'attachable',
  category: 'supporting',
  rank: 10,
  policy: 'carried',
  operations: ['create', 'read', 'query', 'update', 'delete', 'upload'],
  naturalKeys: [['FileName', 'Size', 'AttachableRef']],
  lookup: { by: 'field', field: 'FileName' },
  batchable: false,
  voidForm: 'none',
  cdc: true,
  webhook: false,
  fullUpdateOnly: true,
  references: [
    {
      path: 'AttachableRef.*.EntityRef',
      kind: 'typed-ref',
      types: [
        ...['Account', 'Customer', 'Vendor', 'Employee', 'Item'],
        ...['Estimate', 'Invoice', 'SalesReceipt', 'CreditMemo', 'RefundReceipt', 'Payment', 'TimeActivity'],
        ...['PurchaseOrder', 'Bill', 'VendorCredit', 'BillPayment', 'Purchase', 'CreditCardPayment'],
        ...['Deposit', 'Transfer', 'JournalEntry', 'InventoryAdjustment'],
      ],
    },
  ],
  // Where a photograph was taken and how it is tagged says nothing about the books: a copy goes without.
  // The links expire within minutes and are made anew at every read.
  readOnly: [
    'FileAccessUri',
    'TempDownloadUri',
    'ThumbnailFileAccessUri',
    'ThumbnailTempDownloadUri',
    'Size',
    'Tag',
    'PlaceName',
    'Lat',
    'Long',
  ],
  noise: ['FileAccessUri', 'TempDownloadUri', 'ThumbnailFileAccessUri', 'ThumbnailTempDownloadUri'],
});

const reported = {
  category: 'supporting',
  policy: 'reported',
  operations: reading,
  lookup: { by: 'list' },
  batchable: false,
  voidForm: 'none',
  // Short lists that hardly change: the sweep reads them whole.
  cdc: false,
  webhook: false,
} as const;

export const ExchangeRate = entity({
  type: 'ExchangeRate',
  endpoint: 'exchangerate',
  category: 'supporting',
  rank: 2,
  policy: 'carried',
  // One POST makes or replaces the rate of a currency and a day.
  operations: ['create', 'update', ...reading],
  wireForm: 'upsert',
  idFields: ['SourceCurrencyCode', 'AsOfDate'],
  orderBy: '',
  naturalKeys: [],
  lookup: { by: 'list' },
  batchable: false,
  voidForm: 'none',
  cdc: false,
  webhook: false,
  readOnly: ['TargetCurrencyCode'],
  noise: ['TargetCurrencyCode'],
  requiredOnSparse: ['SourceCurrencyCode', 'AsOfDate', 'Rate'],
});

export const CustomerType = entity({
  ...reported,
  type: 'CustomerType',
  endpoint: 'customertype',
  rank: 1,
  reportedBecause: 'customer types cannot be created through the API; customers are carried without theirs',
  naturalKeys: [['Name']],
});

export const JournalCode = entity({
  ...reported,
  type: 'JournalCode',
  endpoint: 'journalcode',
  rank: 1,
  reportedBecause: 'journal codes exist in French companies only and are numbered per company',
  webhook: true,
  naturalKeys: [['Name']],
});

export const Budget = entity({
  ...reported,
  type: 'Budget',
  endpoint: 'budget',
  rank: 10,
  reportedBecause: 'budgets are not reliably writable through the API: to be entered by hand',
  webhook: true,
  naturalKeys: [['Name', 'StartDate']],
});

export const Preferences = entity({
  ...reported,
  type: 'Preferences',
  endpoint: 'preferences',
  rank: 0,
  reportedBecause: 'settings are compared when a sync is connected and never changed by it',
  webhook: true,
  orderBy: '',
  naturalKeys: [],
});

export const CompanyInfo = entity({
  ...reported,
  type: 'CompanyInfo',
  endpoint: 'companyinfo',
  rank: 0,
  reportedBecause: 'who a company is is compared when a sync is connected and never changed by it',
  orderBy: '',
  naturalKeys: [],
});
