// The documents that a record says it is linked to, in the header and on its lines, under their entity types.
import type { Raw } from '#testing';

// qbo-api: a link may name the kind of a document instead of its type.
const kinds: Readonly<Record<string, string>> = {
  Check: 'Purchase',
  Expense: 'Purchase',
  CashPurchase: 'Purchase',
  CreditCardCharge: 'Purchase',
  CreditCardCredit: 'Purchase',
  BillPaymentCheck: 'BillPayment',
  BillPaymentCreditCard: 'BillPayment',
  ReceivePayment: 'Payment',
};

export const linkTypeOf = (kind: string): string => kinds[kind] ?? kind;

/** `Type/id` of each, once per link. */
export function linkedDocuments(record: Raw): string[] {
  if (!record) return [];
  const lines = (record.Line as Raw[] | undefined) ?? [];
  const links = [record, ...lines].flatMap((holder) => (holder?.LinkedTxn as Raw[] | undefined) ?? []);
  return links.map(({ TxnType, TxnId }) => `${linkTypeOf(String(TxnType))}/${TxnId}`);
}
