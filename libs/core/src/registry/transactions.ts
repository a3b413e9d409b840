// Transactions: what posts to the ledger. Written in batches. Sources: qbo-api.md 12, 13.2, 13.3, the entity catalogue.
import { code, entity, ref, type ReferenceRule } from './definition.js';
import { usPseudoTaxCodes } from './lists.js';

const transaction = ['create', 'read', 'query', 'update', 'sparse-update', 'delete'] as const;
const transactionType = {
  category: 'transaction',
  policy: 'carried',
  batchable: true,
  cdc: true,
  webhook: true,
} as const;

const taxCode = (path: string) => ref(path, 'TaxCode', { passThrough: usPseudoTaxCodes });

/** References that header and lines of every document share. */
const documentReferences: ReferenceRule[] = [
  code('CurrencyRef'),
  ref('DepartmentRef', 'Department'),
  ref('ClassRef', 'Class'),
  taxCode('TxnTaxDetail.TxnTaxCodeRef'),
  ref('TxnTaxDetail.TaxLine.*.TaxLineDetail.TaxRateRef', 'TaxRate'),
];

const salesLineReferences: ReferenceRule[] = [
  // Shipping and gratuity are lines on items that exist under these names in every company and nowhere in its list.
  ref('Line.*.SalesItemLineDetail.ItemRef', 'Item', { passThrough: ['SHIPPING_ITEM_ID', 'GRATUITY_ITEM_ID'] }),
  ref('Line.*.SalesItemLineDetail.ClassRef', 'Class'),
  taxCode('Line.*.SalesItemLineDetail.TaxCodeRef'),
  ref('Line.*.SalesItemLineDetail.MarkupInfo.MarkUpIncomeAccountRef', 'Account'),
  ref('Line.*.DiscountLineDetail.DiscountAccountRef', 'Account'),
  ref('Line.*.DiscountLineDetail.ClassRef', 'Class'),
  taxCode('Line.*.DiscountLineDetail.TaxCodeRef'),
  taxCode('Line.*.DescriptionLineDetail.TaxCodeRef'),
];

const purchaseLineReferences: ReferenceRule[] = [
  ref('Line.*.AccountBasedExpenseLineDetail.AccountRef', 'Account'),
  ref('Line.*.AccountBasedExpenseLineDetail.CustomerRef', 'Customer'),
  ref('Line.*.AccountBasedExpenseLineDetail.ClassRef', 'Class'),
  taxCode('Line.*.AccountBasedExpenseLineDetail.TaxCodeRef'),
  ref('Line.*.AccountBasedExpenseLineDetail.MarkupInfo.MarkUpIncomeAccountRef', 'Account'),
  ref('Line.*.ItemBasedExpenseLineDetail.ItemRef', 'Item'),
  ref('Line.*.ItemBasedExpenseLineDetail.CustomerRef', 'Customer'),
  ref('Line.*.ItemBasedExpenseLineDetail.ClassRef', 'Class'),
  taxCode('Line.*.ItemBasedExpenseLineDetail.TaxCodeRef'),
  ref('Line.*.ItemBasedExpenseLineDetail.MarkupInfo.MarkUpIncomeAccountRef', 'Account'),
];

/** Derived from other records or from the product's own state: moves without an edit of this record. */
const derived = ['Balance', 'TxnStatus', 'TotalCostAmount', 'RecurringInfo', 'TxnApprovalInfo', 'TxnSubType'];
const derivedInLines = [
  'Line.*.SalesItemLineDetail.ItemAccountRef',
  'Line.*.ItemBasedExpenseLineDetail.ItemAccountRef',
  'Line.*.CostAmount',
  'Line.*.Received',
];

/** Tax per rate is QBO's own arithmetic over the code: what moves in it without an edit is told by TotalTax, which is content. */
const taxLines = ['TxnTaxDetail.TaxLine', 'TxnTaxDetail.TaxReviewStatus'];

/** Of forms, deposits and journals the tax per rate is sent where a person may have overridden it (mapping/tax-lines.ts). */
const unsentTax = ['TxnTaxDetail.TaxReviewStatus'];

/** Points at types the API does not let us carry. */
const foreign = [
  'ProjectRef',
  'Line.*.ProjectRef',
  'Line.*.SalesItemLineDetail.TaxClassificationRef',
  'TaxExemptionRef',
];

/** Settings of the product that a sales document shows, and blocks of Intuit Payments: never ours to copy. */
const salesOnly = [
  'FreeFormAddress',
  'AutoDocNumber',
  'CheckPayment',
  'CreditCardPayment',
  'DeliveryInfo',
  'RemainingCredit',
];

/** Printing and sending change these on records nobody edited; a copy waiting to be sent would be mailed to the customer. */
const queues = { EmailStatus: 'NotSet', PrintStatus: 'NotSet' };

/** A line that was billed on cannot be made as such (fault 2170); the invoice line that billed it carries the amount. */
const billedOn = ['AccountBasedExpenseLineDetail', 'ItemBasedExpenseLineDetail'].map((detail) => ({
  path: `Line.*.${detail}.BillableStatus`,
  from: 'HasBeenBilled',
  to: 'NotBillable',
}));

/** What several words of QBO mean one type. */
const linkNames = {
  Expense: 'Purchase',
  Check: 'Purchase',
  CashPurchase: 'Purchase',
  CreditCardCredit: 'Purchase',
  CreditCardExpense: 'Purchase',
  BillPaymentCheck: 'BillPayment',
  BillPaymentCreditCard: 'BillPayment',
  ReceivePayment: 'Payment',
};

const links = (path: string, types: readonly string[], options: Partial<ReferenceRule> = {}): ReferenceRule => ({
  path,
  kind: 'linked-txn',
  types,
  aliases: linkNames,
  ...options,
});

/** The purchase orders that header and lines of a bill or purchase received. */
const receivedOrders = [
  links('LinkedTxn.*', ['PurchaseOrder'], { others: 'shown' }),
  links('Line.*.LinkedTxn.*', ['PurchaseOrder'], { others: 'shown', keepsLine: 'by-content' }),
];

const salesDocument = {
  ...transactionType,
  lookup: { by: 'field', field: 'DocNumber' },
  docNumberField: { field: 'DocNumber', maxLength: 21 },
  naturalKeys: [['DocNumber', 'CustomerRef', 'TxnDate', 'TotalAmt']],
} as const;

const salesReferences: ReferenceRule[] = [
  ...documentReferences,
  ...salesLineReferences,
  ref('CustomerRef', 'Customer'),
  ref('SalesTermRef', 'Term'),
  ref('PaymentMethodRef', 'PaymentMethod'),
  ref('DepositToAccountRef', 'Account'),
  code('ShipMethodRef'),
];
const salesReadOnly = [...derived, ...derivedInLines, ...unsentTax, ...foreign, ...salesOnly, 'TotalAmt'];
const salesNoise = [...derived, ...derivedInLines, ...taxLines, 'FreeFormAddress', 'PrintStatus', 'EmailStatus'];

const purchaseDocument = {
  ...transactionType,
  lookup: { by: 'field', field: 'DocNumber' },
  docNumberField: { field: 'DocNumber', maxLength: 21 },
  voidForm: 'none',
} as const;
const purchaseReadOnly = [...derived, ...derivedInLines, ...unsentTax, ...foreign];
const purchaseNoise = [...derived, ...derivedInLines, ...taxLines];

export const Invoice = entity({
  ...salesDocument,
  type: 'Invoice',
  endpoint: 'invoice',
  rank: 7,
  operations: [...transaction, 'void'],
  voidForm: 'operation-void',
  // What an invoice bills: an estimate, hours. A charge (ReimburseCharge, StatementCharge) is made by QBO from a billable
  // expense and cannot be carried; the line itself has its amount and item.
  references: [
    ...salesReferences,
    links('LinkedTxn.*', ['Estimate', 'TimeActivity'], { others: 'shown' }),
    links('Line.*.LinkedTxn.*', ['Estimate', 'TimeActivity'], { others: 'shown' }),
  ],
  readOnly: [
    ...salesReadOnly,
    'ConvenienceFeeDetail',
    'EnabledSurchargeInfo',
    'EInvoiceStatus',
    'ECloudStatusTimeStamp',
    'invoiceStatus',
    'callToAction',
    'invoiceStatusLog',
    'AutoPayEligible',
    'SchedulePayEligible',
    'ScheduledPaymentId',
    'FinancingProductType',
    'SubscriptionPaymentsSetting',
    'TxnRetainageDetail',
  ],
  // Printing, sending and a company's payment settings change these on records nobody edited (qbo-api.md 2.9).
  noise: [
    ...salesNoise,
    'AllowIPNPayment',
    'AllowOnlinePayment',
    'AllowOnlineCreditCardPayment',
    'AllowOnlineACHPayment',
    'AllowOnlinePayPalPayment',
    'AllowOnlineAffirmPayment',
    'EInvoiceStatus',
    'ECloudStatusTimeStamp',
    'invoiceStatus',
    'callToAction',
    'invoiceStatusLog',
    'AutoPayEligible',
    'SchedulePayEligible',
    'ScheduledPaymentId',
  ],
  // A copy that is payable online would be paid by the customer; a copy waiting to be sent would be mailed to them.
  forced: {
    ...queues,
    AllowIPNPayment: false,
    AllowOnlinePayment: false,
    AllowOnlineCreditCardPayment: false,
    AllowOnlineACHPayment: false,
  },
  absentMeans: { ApplyTaxAfterDiscount: false },
});

export const Bill = entity({
  ...transactionType,
  type: 'Bill',
  receivesStock: true,
  endpoint: 'bill',
  rank: 7,
  operations: transaction,
  // The product voids bills, the API does not: a voided bill arrives as an ordinary update to zero lines.
  voidForm: 'none',
  naturalKeys: [['DocNumber', 'VendorRef', 'TxnDate', 'TotalAmt']],
  lookup: { by: 'field', field: 'DocNumber' },
  docNumberField: { field: 'DocNumber', maxLength: 21 },
  references: [
    ...documentReferences,
    ...purchaseLineReferences,
    ref('VendorRef', 'Vendor'),
    ref('APAccountRef', 'Account'),
    ref('SalesTermRef', 'Term'),
    ...receivedOrders,
  ],
  readOnly: [...purchaseReadOnly, 'TotalAmt'],
  noise: purchaseNoise,
  requiredOnSparse: ['VendorRef'],
  replaceValues: billedOn,
});

export const Payment = entity({
  ...transactionType,
  type: 'Payment',
  endpoint: 'payment',
  rank: 8,
  operations: [...transaction, 'void'],
  voidForm: 'include-void',
  naturalKeys: [['PaymentRefNum', 'CustomerRef', 'TxnDate', 'TotalAmt']],
  lookup: { by: 'field', field: 'PaymentRefNum' },
  references: [
    ...documentReferences,
    ref('CustomerRef', 'Customer'),
    ref('ARAccountRef', 'Account'),
    ref('DepositToAccountRef', 'Account'),
    ref('PaymentMethodRef', 'PaymentMethod'),
    links('Line.*.LinkedTxn.*', ['Invoice', 'CreditMemo', 'JournalEntry', 'Purchase']),
  ],
  // Blocks of Intuit Payments must not be copied; LinkedTxn at the header is the deposit, which owns that link.
  readOnly: [
    ...derived,
    ...taxLines,
    ...foreign,
    'LinkedTxn',
    'UnappliedAmt',
    'CreditCardPayment',
    'CheckPayment',
    'DocNumber',
  ],
  noise: [...derived, ...taxLines, 'LinkedTxn', 'UnappliedAmt', 'ProcessPayment'],
  // true charges a card
  forced: { ProcessPayment: false },
});

export const SalesReceipt = entity({
  ...salesDocument,
  type: 'SalesReceipt',
  paidAtOnce: true,
  endpoint: 'salesreceipt',
  rank: 7,
  operations: [...transaction, 'void'],
  voidForm: 'include-void',
  references: [...salesReferences, links('LinkedTxn.*', ['Estimate'], { others: 'shown' })],
  readOnly: salesReadOnly,
  noise: salesNoise,
  forced: queues,
  absentMeans: { ApplyTaxAfterDiscount: false },
});

export const CreditMemo = entity({
  ...salesDocument,
  type: 'CreditMemo',
  receivesStock: true,
  endpoint: 'creditmemo',
  rank: 7,
  operations: transaction,
  // The product voids it, the API does not: a voided one arrives as an update that sets everything to zero.
  voidForm: 'none',
  references: [...salesReferences, ref('InvoiceRef', 'Invoice')],
  // What it is applied to is said by the payment.
  readOnly: [...salesReadOnly, 'LinkedTxn'],
  noise: [...salesNoise, 'LinkedTxn', 'RemainingCredit'],
  forced: queues,
  absentMeans: { ApplyTaxAfterDiscount: false },
});

export const RefundReceipt = entity({
  ...salesDocument,
  type: 'RefundReceipt',
  receivesStock: true,
  paidAtOnce: true,
  endpoint: 'refundreceipt',
  rank: 7,
  operations: transaction,
  voidForm: 'none',
  references: salesReferences,
  readOnly: [...salesReadOnly, 'LinkedTxn'],
  noise: [...salesNoise, 'LinkedTxn', 'RemainingCredit'],
  forced: queues,
  absentMeans: { ApplyTaxAfterDiscount: false },
});

export const Estimate = entity({
  ...salesDocument,
  type: 'Estimate',
  endpoint: 'estimate',
  rank: 6,
  operations: transaction,
  voidForm: 'none',
  references: salesReferences,
  // The link to its invoice is the invoice's.
  readOnly: [...salesReadOnly.filter((field) => field !== 'TxnStatus'), 'LinkedTxn'],
  noise: [...salesNoise.filter((field) => field !== 'TxnStatus'), 'LinkedTxn'],
  forced: queues,
  absentMeans: { ApplyTaxAfterDiscount: false },
  // Closed by its invoice: the copy is closed by the copy of that invoice, and one closed before could not be linked.
  specialCases: [
    { when: { TxnStatus: 'Closed' }, linked: true, omit: ['TxnStatus'], unlinked: { TxnStatus: 'Pending' } },
  ],
  notClearable: ['TxnStatus'],
});

export const PurchaseOrder = entity({
  ...purchaseDocument,
  type: 'PurchaseOrder',
  endpoint: 'purchaseorder',
  rank: 6,
  operations: transaction,
  naturalKeys: [['DocNumber', 'VendorRef', 'TxnDate', 'TotalAmt']],
  references: [
    ...documentReferences,
    ...purchaseLineReferences,
    ref('VendorRef', 'Vendor'),
    ref('APAccountRef', 'Account'),
    ref('SalesTermRef', 'Term'),
    ref('ShipTo', 'Customer'),
    code('ShipMethodRef'),
  ],
  readOnly: [...purchaseReadOnly, 'LinkedTxn', 'Line.*.LinkedTxn', 'TotalAmt'],
  noise: [...purchaseNoise, 'LinkedTxn', 'Line.*.LinkedTxn', 'EmailStatus', 'PrintStatus'],
  forced: { EmailStatus: 'NotSet' },
  // Closed by what received it: see Estimate.
  specialCases: [
    {
      ...{ when: { POStatus: 'Closed' }, linked: true, omit: ['POStatus'], unlinked: { POStatus: 'Open' } },
      // One that was received in part was closed by a person; one that does not say what it received may have been.
      complete: { received: 'Received', wanted: 'ItemBasedExpenseLineDetail.Qty' },
    },
  ],
  rest: { field: 'POStatus', value: 'Closed', awake: 'Open' },
  notClearable: ['POStatus'],
  replaceValues: billedOn,
});

export const VendorCredit = entity({
  ...purchaseDocument,
  type: 'VendorCredit',
  endpoint: 'vendorcredit',
  rank: 7,
  operations: transaction,
  naturalKeys: [['DocNumber', 'VendorRef', 'TxnDate', 'TotalAmt']],
  references: [
    ...documentReferences,
    ...purchaseLineReferences,
    ref('VendorRef', 'Vendor'),
    ref('APAccountRef', 'Account'),
    ref('SalesTermRef', 'Term'),
  ],
  // What it pays is said by the bill payment.
  readOnly: [...purchaseReadOnly, 'LinkedTxn', 'Line.*.LinkedTxn', 'TotalAmt'],
  noise: [...purchaseNoise, 'LinkedTxn', 'Line.*.LinkedTxn'],
  requiredOnSparse: ['VendorRef'],
  replaceValues: billedOn,
});

export const Purchase = entity({
  ...purchaseDocument,
  type: 'Purchase',
  receivesStock: true,
  endpoint: 'purchase',
  rank: 7,
  operations: transaction,
  naturalKeys: [['DocNumber', 'TxnDate', 'TotalAmt', 'AccountRef']],
  references: [
    ...documentReferences,
    ...purchaseLineReferences,
    ref('AccountRef', 'Account'),
    ref('PaymentMethodRef', 'PaymentMethod'),
    { path: 'EntityRef', kind: 'typed-ref', types: ['Vendor', 'Customer', 'Employee'] },
    ...receivedOrders,
  ],
  readOnly: [...purchaseReadOnly, 'TotalAmt', 'RemitToAddr'],
  noise: [...purchaseNoise, 'PrintStatus', 'RemitToAddr'],
  // Written, not printed: a copy would fill the target's print queue.
  forced: { PrintStatus: 'NotSet' },
  requiredOnSparse: ['PaymentType'],
  // A line with a customer and no status can come out as billable.
  replaceValues: billedOn,
});

export const BillPayment = entity({
  ...transactionType,
  type: 'BillPayment',
  endpoint: 'billpayment',
  // Beside Deposit: one can pay back what the other brought in.
  rank: 9,
  operations: [...transaction, 'void'],
  voidForm: 'include-void',
  needsLines: true,
  naturalKeys: [['DocNumber', 'VendorRef', 'TxnDate', 'TotalAmt']],
  lookup: { by: 'field', field: 'DocNumber' },
  docNumberField: { field: 'DocNumber', maxLength: 21 },
  references: [
    ...documentReferences,
    ref('VendorRef', 'Vendor'),
    ref('CheckPayment.BankAccountRef', 'Account'),
    ref('CreditCardPayment.CCAccountRef', 'Account'),
    // A link to a Purchase is dropped by QBO with an answer of 200 (qbo-api.md 12), so it is no type of ours.
    links('Line.*.LinkedTxn.*', ['Bill', 'VendorCredit', 'JournalEntry', 'Deposit']),
  ],
  // The A/P account follows from the bill; a sent one is not taken.
  readOnly: [...derived, ...taxLines, ...foreign, 'LinkedTxn', 'APAccountRef', 'ProcessBillPayment', 'VendorAddr'],
  noise: [
    ...derived,
    ...taxLines,
    'LinkedTxn',
    'APAccountRef',
    'CheckPayment.PrintStatus',
    'ProcessBillPayment',
    'VendorAddr',
  ],
  forced: { 'CheckPayment.PrintStatus': 'NotSet' },
  requiredOnSparse: ['VendorRef'],
});

export const CreditCardPayment = entity({
  ...transactionType,
  type: 'CreditCardPayment',
  endpoint: 'creditcardpayment',
  jsonName: 'CreditCardPaymentTxn',
  rank: 7,
  webhook: false,
  operations: transaction,
  voidForm: 'none',
  naturalKeys: [['TxnDate', 'Amount', 'BankAccountRef', 'CreditCardAccountRef']],
  lookup: { by: 'field', field: 'TxnDate' },
  references: [
    code('CurrencyRef'),
    ref('CreditCardAccountRef', 'Account'),
    ref('BankAccountRef', 'Account'),
    ref('VendorRef', 'Vendor'),
  ],
  readOnly: [...derived, 'LinkedTxn'],
  noise: [...derived, 'LinkedTxn', 'PrintStatus'],
  forced: { PrintStatus: 'NotSet' },
});

export const Deposit = entity({
  ...transactionType,
  type: 'Deposit',
  endpoint: 'deposit',
  rank: 9,
  operations: transaction,
  voidForm: 'none',
  naturalKeys: [['TxnDate', 'TotalAmt', 'DepositToAccountRef']],
  lookup: { by: 'field', field: 'TxnDate' },
  needsLines: true,
  references: [
    ...documentReferences,
    ref('DepositToAccountRef', 'Account'),
    ref('CashBack.AccountRef', 'Account'),
    { path: 'Line.*.DepositLineDetail.Entity', kind: 'typed-ref', types: ['Customer', 'Vendor', 'Employee'] },
    ref('Line.*.DepositLineDetail.AccountRef', 'Account'),
    ref('Line.*.DepositLineDetail.ClassRef', 'Class'),
    ref('Line.*.DepositLineDetail.PaymentMethodRef', 'PaymentMethod'),
    taxCode('Line.*.DepositLineDetail.TaxCodeRef'),
    // QBO takes no deposit link without TxnLineId.
    links(
      'Line.*.LinkedTxn.*',
      ['Payment', 'SalesReceipt', 'RefundReceipt', 'JournalEntry', 'Transfer', 'BillPayment', 'Purchase'],
      { keepsLine: true, freezes: true },
    ),
  ],
  readOnly: [...derived, ...unsentTax, ...foreign, 'LinkedTxn', 'TotalAmt'],
  noise: [...derived, ...taxLines, 'LinkedTxn'],
});

export const Transfer = entity({
  ...transactionType,
  type: 'Transfer',
  endpoint: 'transfer',
  rank: 7,
  operations: transaction,
  voidForm: 'none',
  naturalKeys: [['TxnDate', 'Amount', 'FromAccountRef', 'ToAccountRef']],
  lookup: { by: 'field', field: 'TxnDate' },
  references: [
    code('CurrencyRef'),
    ref('FromAccountRef', 'Account'),
    ref('ToAccountRef', 'Account'),
    ref('ClassRef', 'Class'),
  ],
  readOnly: [...derived, ...foreign, 'LinkedTxn'],
  noise: [...derived, 'LinkedTxn'],
});

export const JournalEntry = entity({
  ...transactionType,
  type: 'JournalEntry',
  endpoint: 'journalentry',
  rank: 6,
  operations: transaction,
  voidForm: 'none',
  naturalKeys: [['DocNumber', 'TxnDate']],
  lookup: { by: 'field', field: 'DocNumber' },
  docNumberField: { field: 'DocNumber', maxLength: 21 },
  references: [
    ...documentReferences,
    {
      path: 'Line.*.JournalEntryLineDetail.Entity.EntityRef',
      kind: 'named-entity',
      types: ['Customer', 'Vendor', 'Employee'],
    },
    ref('Line.*.JournalEntryLineDetail.AccountRef', 'Account'),
    ref('Line.*.JournalEntryLineDetail.ClassRef', 'Class'),
    ref('Line.*.JournalEntryLineDetail.DepartmentRef', 'Department'),
    taxCode('Line.*.JournalEntryLineDetail.TaxCodeRef'),
    taxCode('Line.*.DescriptionLineDetail.TaxCodeRef'),
  ],
  // TotalAmt reads 0. Rates and journal codes belong to the company.
  readOnly: [
    ...derived,
    ...unsentTax,
    ...foreign,
    'LinkedTxn',
    'TotalAmt',
    'EnteredInHomeCurrency',
    'HomeCurrencyAdjustment',
    'Line.*.JournalEntryLineDetail.BillableStatus',
    'Line.*.JournalEntryLineDetail.TaxRateRef',
    'Line.*.JournalEntryLineDetail.JournalCodeRef',
  ],
  noise: [...derived, ...taxLines, 'LinkedTxn', 'Line.*.JournalEntryLineDetail.BillableStatus'],
  absentMeans: { Adjustment: false },
  // Opening balances that QBO booked itself arrive here as ordinary entries, and are carried as such: the account, customer
  // or vendor they came with is created without its balance, so nothing is booked twice.
  specialCases: [
    {
      when: { HomeCurrencyAdjustment: true },
      notCarried: 'a home currency adjustment is made by QBO itself and cannot be created through the API',
      posts: true,
    },
  ],
});

export const InventoryAdjustment = entity({
  ...transactionType,
  type: 'InventoryAdjustment',
  receivesStock: true,
  endpoint: 'inventoryadjustment',
  rank: 7,
  webhook: false,
  operations: ['create', 'read', 'query', 'sparse-update', 'delete'],
  voidForm: 'none',
  naturalKeys: [['DocNumber', 'TxnDate']],
  lookup: { by: 'field', field: 'DocNumber' },
  docNumberField: { field: 'DocNumber', maxLength: 21 },
  references: [
    ...documentReferences,
    ref('AdjustAccountRef', 'Account'),
    ref('CustomerRef', 'Customer'),
    ref('Line.*.ItemAdjustmentLineDetail.ItemRef', 'Item'),
    ref('Line.*.ItemAdjustmentLineDetail.ClassRef', 'Class'),
  ],
  readOnly: [...derived, ...taxLines, ...foreign, 'LinkedTxn'],
  noise: [...derived, ...taxLines, 'LinkedTxn'],
});

export const TimeActivity = entity({
  ...transactionType,
  type: 'TimeActivity',
  endpoint: 'timeactivity',
  rank: 6,
  // The documentation of change data capture leaves it out, a release note says it is there: the sweep is certain.
  cdc: false,
  operations: transaction,
  voidForm: 'none',
  naturalKeys: [
    ['EmployeeRef', 'TxnDate', 'Hours', 'Minutes', 'CustomerRef'],
    ['VendorRef', 'TxnDate', 'Hours', 'Minutes', 'CustomerRef'],
  ],
  lookup: { by: 'field', field: 'TxnDate' },
  references: [
    ref('EmployeeRef', 'Employee'),
    ref('VendorRef', 'Vendor'),
    ref('CustomerRef', 'Customer'),
    ref('DepartmentRef', 'Department'),
    ref('ItemRef', 'Item'),
    ref('ClassRef', 'Class'),
  ],
  readOnly: ['TimeChargeId', 'PayrollItemRef', 'ProjectRef', 'HoursInEmployeeTimeZone'],
  noise: ['TimeChargeId', 'HoursInEmployeeTimeZone'],
  // HasBeenBilled is refused (2170): written as billable, and billed by the copy of the invoice.
  replaceValues: [{ path: 'BillableStatus', from: 'HasBeenBilled', to: 'Billable' }],
});

export const ReimburseCharge = entity({
  ...transactionType,
  type: 'ReimburseCharge',
  endpoint: 'reimbursecharge',
  rank: 8,
  policy: 'reported',
  reportedBecause: 'QBO makes the charge itself from the billable line of the expense, which is carried',
  webhook: false,
  batchable: false,
  operations: ['read', 'query'],
  voidForm: 'none',
  naturalKeys: [['CustomerRef', 'Amount', 'TxnDate']],
  lookup: { by: 'field', field: 'TxnDate' },
  noise: [...derived, 'LinkedTxn', 'HasBeenInvoiced'],
});

/** Templates of these types can be carried; a template's body is that of its type. */
const templated = [
  Bill,
  Purchase,
  CreditMemo,
  Deposit,
  Estimate,
  Invoice,
  JournalEntry,
  RefundReceipt,
  SalesReceipt,
  Transfer,
  VendorCredit,
  PurchaseOrder,
];
const within = ({ type }: { type: string }, paths: readonly string[]) => paths.map((path) => `${type}.${path}`);
/** A template hides what is derived, but its schedule is what it is about. */
const scheduled = (definition: { type: string; readOnly: readonly string[] }) =>
  within(
    definition,
    definition.readOnly.filter((path) => path !== 'RecurringInfo'),
  );

export const RecurringTransaction = entity({
  type: 'RecurringTransaction',
  endpoint: 'recurringtransaction',
  category: 'supporting',
  rank: 10,
  policy: 'carried',
  batchable: false,
  cdc: true,
  webhook: false,
  // No update: a changed template is deleted and made again.
  operations: ['create', 'read', 'query', 'delete'],
  voidForm: 'none',
  naturalKeys: [],
  lookup: { by: 'list' },
  wireForm: 'template',
  wraps: templated.map(({ type }) => type),
  references: templated.flatMap(({ type, references }) =>
    references.map((rule) => ({ ...rule, path: `${type}.${rule.path}` })),
  ),
  readOnly: [
    'Type',
    ...templated.flatMap(scheduled),
    ...templated.flatMap((definition) =>
      within(definition, [
        'LinkedTxn',
        'RecurringInfo.ScheduleInfo.NextDate',
        'RecurringInfo.ScheduleInfo.PreviousDate',
      ]),
    ),
  ],
  noise: [
    'Type',
    ...templated.flatMap((definition) =>
      within(
        definition,
        definition.noise.filter((path) => path !== 'RecurringInfo'),
      ),
    ),
    ...templated.flatMap((definition) =>
      within(definition, ['RecurringInfo.ScheduleInfo.NextDate', 'RecurringInfo.ScheduleInfo.PreviousDate']),
    ),
  ],
  // Active in both companies it would be entered twice every month.
  forced: Object.fromEntries(
    templated.flatMap(({ type, forced }) => [
      ...Object.entries(forced).map(([path, value]) => [`${type}.${path}`, value] as const),
      [`${type}.RecurringInfo.Active`, false] as const,
    ]),
  ),
  replaceValues: templated.flatMap(({ type, replaceValues }) =>
    replaceValues.map((rule) => ({ ...rule, path: `${type}.${rule.path}` })),
  ),
});
