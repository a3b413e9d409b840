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
const derived = [
  'Balance',
  'LinkedTxn',
  'TxnStatus',
  'TotalCostAmount',
  'RecurringInfo',
  'TxnApprovalInfo',
  'TxnSubType',
];
const derivedInLines = [
  'Line.*.SalesItemLineDetail.ItemAccountRef',
  'Line.*.ItemBasedExpenseLineDetail.ItemAccountRef',
  'Line.*.CostAmount',
  'Line.*.Received',
];

/** Tax per rate is QBO's own arithmetic over the code; its rates have other ids in another company. TotalTax stays content. */
const taxLines = ['TxnTaxDetail.TaxLine', 'TxnTaxDetail.TaxReviewStatus'];

/** Points at types the API does not let us carry. */
const foreign = [
  'ProjectRef',
  'Line.*.ProjectRef',
  'Line.*.SalesItemLineDetail.TaxClassificationRef',
  'TaxExemptionRef',
];

export const Invoice = entity({
  ...transactionType,
  type: 'Invoice',
  endpoint: 'invoice',
  rank: 7,
  operations: [...transaction, 'void'],
  voidForm: 'operation-void',
  naturalKeys: [['DocNumber', 'CustomerRef', 'TxnDate', 'TotalAmt']],
  lookup: { by: 'field', field: 'DocNumber' },
  docNumberField: { field: 'DocNumber', maxLength: 21 },
  references: [
    ...documentReferences,
    ...salesLineReferences,
    ref('CustomerRef', 'Customer'),
    ref('SalesTermRef', 'Term'),
    ref('PaymentMethodRef', 'PaymentMethod'),
    ref('DepositToAccountRef', 'Account'),
    code('ShipMethodRef'),
  ],
  // The line's LinkedTxn names an estimate, a time activity or a charge; none of these is a registered type yet, and the
  // line itself carries amount and item.
  readOnly: [
    ...derived,
    ...derivedInLines,
    ...taxLines,
    ...foreign,
    'Line.*.LinkedTxn',
    'TotalAmt',
    'FreeFormAddress',
    'AutoDocNumber',
    'CheckPayment',
    'CreditCardPayment',
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
    ...derived,
    ...derivedInLines,
    ...taxLines,
    'FreeFormAddress',
    'PrintStatus',
    'EmailStatus',
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
    EmailStatus: 'NotSet',
    PrintStatus: 'NotSet',
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
  ],
  readOnly: [...derived, ...derivedInLines, ...taxLines, ...foreign, 'Line.*.LinkedTxn', 'TotalAmt'],
  noise: [...derived, ...derivedInLines, ...taxLines],
  requiredOnSparse: ['VendorRef'],
  // A line that was billed on cannot be recreated as such (fault 2170).
  replaceValues: [
    { path: 'Line.*.AccountBasedExpenseLineDetail.BillableStatus', from: 'HasBeenBilled', to: 'NotBillable' },
    { path: 'Line.*.ItemBasedExpenseLineDetail.BillableStatus', from: 'HasBeenBilled', to: 'NotBillable' },
  ],
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
    {
      path: 'Line.*.LinkedTxn.*',
      kind: 'linked-txn',
      types: ['Invoice', 'CreditMemo', 'JournalEntry', 'Purchase'],
      aliases: { Expense: 'Purchase', Check: 'Purchase', CreditCardCredit: 'Purchase' },
    },
  ],
  // Blocks of Intuit Payments must not be copied; LinkedTxn at the header is the deposit, which owns that link.
  readOnly: [...derived, ...taxLines, ...foreign, 'UnappliedAmt', 'CreditCardPayment', 'CheckPayment', 'DocNumber'],
  noise: [...derived, ...taxLines, 'UnappliedAmt', 'ProcessPayment'],
  // true charges a card
  forced: { ProcessPayment: false },
});
