// The columns of the lifecycle matrix: everything a person can do to one record.
export const acts = [
  'create',
  'field set',
  'field changed',
  'field cleared',
  'line added',
  'line removed',
  'lines reordered',
  'reference changed',
  'delete',
  'void',
  'deactivate',
  'reactivate',
  'rename',
  'merge',
  'link',
  'unlink',
  'created again',
  'its own act',
] as const;
export type ActName = (typeof acts)[number];

/** The forty types of QuickBooks' catalogue, as its pages name them. */
export const types = [
  ...['Account', 'Attachable', 'Bill', 'BillPayment', 'Budget', 'Class', 'CompanyCurrency', 'CompanyInfo'],
  ...['CreditCardPayment', 'CreditMemo', 'Customer', 'CustomerType', 'Department', 'Deposit', 'Employee', 'Estimate'],
  ...['ExchangeRate', 'InventoryAdjustment', 'Invoice', 'Item', 'JournalCode', 'JournalEntry', 'Payment'],
  ...['PaymentMethod', 'Preferences', 'Purchase', 'PurchaseOrder', 'RecurringTransaction', 'RefundReceipt'],
  ...['ReimburseCharge', 'SalesReceipt', 'TaxAgency', 'TaxCode', 'TaxRate', 'TaxService', 'Term', 'TimeActivity'],
  ...['Transfer', 'Vendor', 'VendorCredit'],
];

export type Cell =
  /** `fields`: those of the catalogue that were brought to the act, beside the tests */
  | { kind: 'carried'; tests: readonly string[]; fields?: readonly string[] }
  | { kind: 'held'; reason: string; tests: readonly string[] }
  /** `evidence`: what was answered when it was tried */
  | { kind: 'not possible'; reason: string; evidence?: string }
  | { kind: 'broken'; reason: string; tests: readonly string[] };
