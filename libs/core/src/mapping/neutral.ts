// The last wall before a body is stored as desired: whatever registry and rules say, no copy mails a customer, charges or
// pays by itself, can be paid online, fills a print queue, opens a balance or runs on a schedule. The registry's `forced`
// values say the same type by type; this holds for a field wherever it stands, also in types and rules yet to come.
import { remembered } from '../canonical/remembered.js';
import type { Json } from '../model/json.js';

/** Set to the harmless value wherever they stand. */
const harmless: readonly (readonly [RegExp, unknown])[] = [
  [/^EmailStatus$/, 'NotSet'],
  [/^PrintStatus$/, 'NotSet'],
  [/^Allow(IPN|Online\w*)Payment$/, false],
  [/^Process(Bill)?Payment$/, false],
  [/^(AutoPay|SchedulePay)Eligible$/, false],
  // Stock comes with the copied transactions.
  [/^QtyOnHand$/, 0],
];

/** Never sent: what to mail to and how, cards and bank details, and sums that QBO would post by itself. */
const never =
  /^(DeliveryInfo|InvoiceLink\w*|CreditChargeInfo|CreditChargeResponse|ScheduledPaymentId|SubscriptionPaymentsSetting|VendorPaymentBankDetail|OpeningBalance(Date)?|OpenBalanceDate|Balance|BalanceWithJobs|CurrentBalance(WithSubAccounts)?)$/;

const verdict = remembered((name): 'never' | 'as it is' | { value: unknown } => {
  if (never.test(name)) return 'never';
  const known = harmless.find(([pattern]) => pattern.test(name));
  return known ? { value: known[1] } : 'as it is';
});

export function withoutSideEffects(body: Json): Json {
  return neutral(body) as Json;
}

function neutral(value: unknown, inside?: string): unknown {
  if (Array.isArray(value)) return value.map((element) => neutral(element));
  if (typeof value !== 'object' || value === null) return value;
  const result: Json = {};
  for (const name of Object.keys(value)) {
    const field: unknown = (value as Json)[name];
    const judged = verdict(name);
    if (judged === 'never') continue;
    if (judged !== 'as it is') result[name] = judged.value;
    // A template that is active in both companies makes everything twice.
    else if (inside === 'RecurringInfo' && name === 'Active') result[name] = false;
    else result[name] = neutral(field, name);
  }
  return result;
}
