// Name lists: what transactions are about. They cannot be deleted, only made inactive, and QBO contends on their names,
// so they are written one at a time. Sources: qbo-api.md 13.1, the entity catalogue.
import { code, entity, ref } from './definition.js';

const list = ['create', 'read', 'query', 'update', 'sparse-update', 'deactivate'] as const;
const listType = { category: 'name-list', policy: 'carried', batchable: false, voidForm: 'none', cdc: true } as const;

/** TAX and NON are not codes of the company but marks that US companies share (qbo-api.md 13.1). */
export const usPseudoTaxCodes = ['TAX', 'NON'];

export const CompanyCurrency = entity({
  ...listType,
  type: 'CompanyCurrency',
  endpoint: 'companycurrency',
  rank: 1,
  operations: list,
  webhook: true,
  naturalKeys: [['Code']],
  // A handful at most. A currency used by a name is added by QBO itself, so a twin is the usual case.
  lookup: { by: 'list' },
  readOnly: ['Name'],
  noise: ['Name'],
  writeOnce: ['Code'],
});

export const Term = entity({
  ...listType,
  type: 'Term',
  endpoint: 'term',
  rank: 1,
  operations: list,
  webhook: true,
  naturalKeys: [['Name']],
  lookup: { by: 'list' },
  nameField: 'Name',
  readOnly: ['Type'],
  noise: ['Type'],
});

export const PaymentMethod = entity({
  ...listType,
  type: 'PaymentMethod',
  endpoint: 'paymentmethod',
  rank: 1,
  operations: list,
  webhook: true,
  naturalKeys: [['Name']],
  // Name is not filterable, and the list is short.
  lookup: { by: 'list' },
  nameField: 'Name',
});

export const Account = entity({
  ...listType,
  type: 'Account',
  endpoint: 'account',
  rank: 3,
  operations: list,
  webhook: true,
  // The type belongs to it: a name taken by an account of another type is a conflict, not a twin.
  naturalKeys: [
    ['Name', 'ParentRef', 'AccountType'],
    ['AcctNum', 'AccountType'],
  ],
  // AcctNum is not filterable; a plan allows 250 accounts, one page.
  lookup: { by: 'list' },
  nameField: 'Name',
  uniqueFields: ['AcctNum'],
  references: [
    ref('ParentRef', 'Account'),
    ref('TaxCodeRef', 'TaxCode', { passThrough: usPseudoTaxCodes }),
    code('CurrencyRef'),
  ],
  // OpeningBalance posts to Opening Balance Equity, and the copied transactions would double it.
  readOnly: [
    'FullyQualifiedName',
    'Classification',
    'CurrentBalance',
    'CurrentBalanceWithSubAccounts',
    'OpeningBalance',
    'OpeningBalanceDate',
    'TaxAccount',
    'OnlineBankingEnabled',
    'FIName',
    'JournalCodeRef',
    'AccountPurposes',
  ],
  noise: [
    'FullyQualifiedName',
    'CurrentBalance',
    'CurrentBalanceWithSubAccounts',
    'OpeningBalance',
    'OpeningBalanceDate',
    'TaxAccount',
    'OnlineBankingEnabled',
    'FIName',
    'AccountPurposes',
  ],
  writeOnce: ['CurrencyRef'],
  absentMeans: { SubAccount: false },
  singletons: [
    {
      name: 'Accounts Receivable',
      match: { AccountType: 'Accounts Receivable', AccountSubType: 'AccountsReceivable' },
    },
    { name: 'Accounts Payable', match: { AccountType: 'Accounts Payable', AccountSubType: 'AccountsPayable' } },
    { name: 'Undeposited Funds', match: { AccountType: 'Other Current Asset', AccountSubType: 'UndepositedFunds' } },
    { name: 'Opening Balance Equity', match: { AccountType: 'Equity', AccountSubType: 'OpeningBalanceEquity' } },
    { name: 'Retained Earnings', match: { AccountType: 'Equity', AccountSubType: 'RetainedEarnings' } },
    {
      name: 'Unapplied Cash Payment Income',
      match: { AccountType: 'Income', AccountSubType: 'UnappliedCashPaymentIncome' },
    },
    {
      name: 'Unapplied Cash Bill Payment Expense',
      match: { AccountType: 'Expense', AccountSubType: 'UnappliedCashBillPaymentExpense' },
    },
    { name: 'Exchange Gain or Loss', match: { AccountSubType: 'ExchangeGainOrLoss' }, atFirstUse: true },
  ],
});

export const Class = entity({
  ...listType,
  type: 'Class',
  endpoint: 'class',
  rank: 3,
  operations: list,
  webhook: true,
  naturalKeys: [['Name', 'ParentRef']],
  lookup: { by: 'list' },
  nameField: 'Name',
  references: [ref('ParentRef', 'Class')],
  readOnly: ['FullyQualifiedName'],
  noise: ['FullyQualifiedName'],
  absentMeans: { SubClass: false },
});

export const Department = entity({
  ...listType,
  type: 'Department',
  endpoint: 'department',
  rank: 3,
  operations: list,
  webhook: true,
  naturalKeys: [['Name', 'ParentRef']],
  lookup: { by: 'list' },
  nameField: 'Name',
  references: [ref('ParentRef', 'Department')],
  readOnly: ['FullyQualifiedName'],
  noise: ['FullyQualifiedName'],
  absentMeans: { SubDepartment: false },
});

export const Vendor = entity({
  ...listType,
  type: 'Vendor',
  endpoint: 'vendor',
  rank: 4,
  operations: list,
  webhook: true,
  naturalKeys: [['DisplayName']],
  lookup: { by: 'field', field: 'DisplayName' },
  nameField: 'DisplayName',
  references: [ref('TermRef', 'Term'), ref('APAccountRef', 'Account'), code('CurrencyRef')],
  // Balance makes an opening bill; tax ids and bank details come masked and must not be copied.
  readOnly: [
    'Balance',
    'OpenBalanceDate',
    'TaxIdentifier',
    'TaxIdEffectiveDate',
    'VendorPaymentBankDetail',
    'AgencyVerificationStatus',
    'AgencyVerificationStatusMsg',
    'AgencyVerificationTSUTC',
  ],
  noise: ['Balance', 'OpenBalanceDate'],
  writeOnce: ['CurrencyRef'],
  absentMeans: { BillRate: 0, CostRate: 0 },
  notClearable: ['DisplayName', 'PrintOnCheckName'],
});

export const Customer = entity({
  ...listType,
  type: 'Customer',
  endpoint: 'customer',
  rank: 4,
  operations: list,
  webhook: true,
  naturalKeys: [['DisplayName']],
  lookup: { by: 'field', field: 'DisplayName' },
  nameField: 'DisplayName',
  references: [
    ref('ParentRef', 'Customer'),
    ref('SalesTermRef', 'Term'),
    ref('PaymentMethodRef', 'PaymentMethod'),
    ref('ARAccountRef', 'Account'),
    code('CurrencyRef'),
  ],
  // Balance makes an opening invoice. DefaultTaxCodeRef is set by automated sales tax and shows in some answers only.
  // CustomerType cannot be created through the API. A project becomes a sub-customer.
  readOnly: [
    'FullyQualifiedName',
    'Balance',
    'BalanceWithJobs',
    'OpenBalanceDate',
    'Level',
    'IsProject',
    'RootCustomerRef',
    'DefaultTaxCodeRef',
    'CustomerTypeRef',
    'PrimaryTaxIdentifier',
    'SecondaryTaxIdentifier',
  ],
  noise: [
    'FullyQualifiedName',
    'Balance',
    'BalanceWithJobs',
    'OpenBalanceDate',
    'Level',
    'RootCustomerRef',
    'DefaultTaxCodeRef',
  ],
  writeOnce: ['CurrencyRef'],
  absentMeans: { Job: false, BillWithParent: false, IsProject: false },
  notClearable: ['DisplayName', 'PrintOnCheckName'],
});

export const Employee = entity({
  ...listType,
  type: 'Employee',
  endpoint: 'employee',
  rank: 4,
  operations: list,
  webhook: true,
  naturalKeys: [['DisplayName'], ['EmployeeNumber']],
  lookup: { by: 'field', field: 'DisplayName' },
  nameField: 'DisplayName',
  // The social security number comes masked.
  readOnly: ['FullyQualifiedName', 'SSN', 'Organization'],
  noise: ['FullyQualifiedName', 'SSN', 'Organization'],
  absentMeans: { BillableTime: false, BillRate: 0, CostRate: 0 },
  notClearable: ['DisplayName', 'PrintOnCheckName'],
});

export const Item = entity({
  ...listType,
  type: 'Item',
  endpoint: 'item',
  rank: 5,
  operations: list,
  webhook: true,
  // Type cannot be changed: a service is no twin of an inventory item.
  naturalKeys: [
    ['Name', 'ParentRef', 'Type'],
    ['Sku', 'Type'],
  ],
  lookup: { by: 'field', field: 'Name' },
  nameField: 'Name',
  references: [
    ref('ParentRef', 'Item'),
    ref('IncomeAccountRef', 'Account'),
    ref('ExpenseAccountRef', 'Account'),
    ref('AssetAccountRef', 'Account'),
    ref('DepositToAccountRef', 'Account'),
    ref('PaymentMethodRef', 'PaymentMethod'),
    ref('PrefVendorRef', 'Vendor', { deferrable: true }),
    ref('SalesTaxCodeRef', 'TaxCode', { passThrough: usPseudoTaxCodes }),
    ref('PurchaseTaxCodeRef', 'TaxCode', { passThrough: usPseudoTaxCodes }),
    ref('ClassRef', 'Class'),
  ],
  // Stock is moved by the copied transactions, never by the item: what is sent on create is what the original began with,
  // a posting that no entity returns (capture adds it as StartingStock), and else 0.
  readOnly: [
    'FullyQualifiedName',
    'Level',
    'AvgCost',
    'QtyOnHand',
    'QtyOnPurchaseOrder',
    'StartingStock',
    'TaxClassificationRef',
    'DeferredRevenue',
  ],
  noise: ['FullyQualifiedName', 'Level', 'AvgCost', 'QtyOnHand', 'QtyOnPurchaseOrder', 'DeferredRevenue'],
  writeOnce: ['QtyOnHand', 'StartingValue', 'InvStartDate', 'TrackQtyOnHand', 'Type'],
  beginnings: ['QtyOnHand', 'StartingValue', 'InvStartDate'],
  absentMeans: { SubItem: false },
  notClearable: ['ReorderPoint'],
  specialCases: [
    { when: { Type: 'Group' }, notCarried: 'bundles cannot be created through the API' },
    {
      // A start date after the first transaction would refuse it (6270), so an unknown one becomes the far past.
      when: { Type: 'Inventory' },
      set: { QtyOnHand: 0, TrackQtyOnHand: true },
      from: { QtyOnHand: 'StartingStock.Qty', StartingValue: 'StartingStock.Value' },
      defaults: { InvStartDate: '2000-01-01' },
    },
    { when: { Type: 'Category' }, omit: ['Taxable', 'UnitPrice', 'PurchaseCost', 'TrackQtyOnHand'] },
  ],
});
