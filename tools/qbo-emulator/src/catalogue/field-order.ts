// The order in which the service writes the fields of an object, as captured. Field order carries no meaning, but a
// client that hashes or diffs raw text sees it. Types that were never captured borrow the order of their closest kin.

const PERSON_TAIL =
  'GivenName MiddleName FamilyName Suffix FullyQualifiedName CompanyName DisplayName PrintOnCheckName Active V4IDPseudonym PrimaryPhone AlternatePhone Mobile Fax PrimaryEmailAddr WebAddr';
const HEAD = 'domain sparse Id SyncToken MetaData';
const SALES = `${HEAD} CustomField DocNumber TxnDate DepartmentRef CurrencyRef ExchangeRate PrivateNote TxnStatus LinkedTxn Line TxnTaxDetail CustomerRef CustomerMemo BillAddr ShipAddr FreeFormAddress ShipFromAddr ClassRef SalesTermRef DueDate GlobalTaxCalculation TotalAmt HomeTotalAmt ApplyTaxAfterDiscount PrintStatus EmailStatus BillEmail Balance`;
const PURCHASE_TAIL = `${HEAD} DocNumber TxnDate DepartmentRef CurrencyRef ExchangeRate PrivateNote LinkedTxn Line TxnTaxDetail`;

const CAPTURED: Record<string, string> = {
  Account: `Name SubAccount ParentRef Description FullyQualifiedName Active Classification AccountType AccountSubType AcctNum CurrentBalance CurrentBalanceWithSubAccounts CurrencyRef ${HEAD}`,
  Attachable: `FileName FileAccessUri TempDownloadUri Size ContentType ${HEAD} AttachableRef`,
  Bill: `SalesTermRef DueDate VendorAddr Balance ${PURCHASE_TAIL} VendorRef APAccountRef TotalAmt`,
  VendorCredit: `Balance ${PURCHASE_TAIL} VendorRef APAccountRef TotalAmt`,
  BillPayment: `VendorRef PayType CheckPayment CreditCardPayment TotalAmt ${PURCHASE_TAIL}`,
  CreditMemo: `RemainingCredit ${SALES}`,
  Estimate: `ExpirationDate AcceptedBy AcceptedDate ${SALES}`,
  Invoice: `Deposit AllowIPNPayment AllowOnlinePayment AllowOnlineCreditCardPayment AllowOnlineACHPayment ${SALES} DeliveryInfo`,
  SalesReceipt: `${SALES} PaymentMethodRef PaymentRefNum DepositToAccountRef`,
  RefundReceipt: `${SALES} PaymentMethodRef PaymentRefNum DepositToAccountRef`,
  Customer: `Taxable BillAddr ShipAddr Notes Job BillWithParent ParentRef Level DefaultTaxCodeRef Balance BalanceWithJobs CurrencyRef PreferredDeliveryMethod IsProject ClientEntityId ${HEAD} Title ${PERSON_TAIL}`,
  Vendor: `BillAddr TermRef Balance BillRate CostRate AcctNum Vendor1099 CurrencyRef ${HEAD} Title ${PERSON_TAIL}`,
  Employee: `SSN PrimaryAddr BillableTime BillRate BirthDate Gender HiredDate ReleasedDate ${HEAD} Title ${PERSON_TAIL}`,
  Deposit: `DepositToAccountRef CashBack TotalAmt ${HEAD} DocNumber TxnDate DepartmentRef CurrencyRef ExchangeRate PrivateNote Line TxnTaxDetail`,
  Item: `Name Sku Description Active SubItem ParentRef Level FullyQualifiedName Taxable UnitPrice Type IncomeAccountRef PurchaseDesc PurchaseCost ExpenseAccountRef AssetAccountRef TrackQtyOnHand QtyOnHand InvStartDate ${HEAD}`,
  JournalEntry: `Adjustment TotalAmt ${HEAD} DocNumber TxnDate CurrencyRef ExchangeRate PrivateNote Line TxnTaxDetail`,
  Payment: `CustomerRef DepositToAccountRef PaymentMethodRef PaymentRefNum TotalAmt UnappliedAmt ProcessPayment ${HEAD} TxnDate CurrencyRef ExchangeRate LinkedTxn PrivateNote Line`,
  Purchase: `AccountRef PaymentMethodRef PaymentType EntityRef Credit RemitToAddr TotalAmt PrintStatus PurchaseEx ${PURCHASE_TAIL}`,
  PurchaseOrder: `VendorAddr ShipAddr EmailStatus POStatus ${HEAD} CustomField DocNumber TxnDate DepartmentRef CurrencyRef ExchangeRate PrivateNote LinkedTxn Line TxnTaxDetail VendorRef APAccountRef TotalAmt Memo`,
};

const LINE_ORDER: Record<string, string> = {
  Line: 'Id LineNum Description Amount Received LinkedTxn DetailType',
  SalesItemLineDetail: 'ServiceDate ItemRef ClassRef UnitPrice MarkupInfo Qty ItemAccountRef TaxCodeRef',
  AccountBasedExpenseLineDetail: 'CustomerRef ClassRef AccountRef BillableStatus TaxAmount TaxCodeRef',
  ItemBasedExpenseLineDetail: 'CustomerRef BillableStatus ItemRef ClassRef UnitPrice Qty TaxCodeRef',
};

/** Captured fields first, each uncaptured one behind its catalogue neighbour. */
function merged(captured: string | undefined, names: readonly string[], headless: boolean): string[] {
  const order = captured?.split(' ') ?? [];
  if (order.length === 0 && !headless) {
    const head = HEAD.split(' ');
    return [...names.filter((name) => !head.includes(name)), ...head];
  }
  const seen = new Set(order);
  let at = order.length;
  for (const name of names) {
    if (seen.has(name)) {
      at = order.indexOf(name) + 1;
      continue;
    }
    order.splice(at, 0, name);
    seen.add(name);
    at += 1;
  }
  return order;
}

export function entityFieldOrder(entity: string, names: readonly string[]): string[] {
  return merged(CAPTURED[entity], names, false);
}

export function objectFieldOrder(type: string, names: readonly string[]): string[] {
  return merged(LINE_ORDER[type], names, true);
}
