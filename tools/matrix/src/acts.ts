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
  | { kind: 'carried'; tests: readonly string[] }
  | { kind: 'held'; reason: string; tests: readonly string[] }
  | { kind: 'not possible'; reason: string }
  | { kind: 'broken'; reason: string; tests: readonly string[] };
