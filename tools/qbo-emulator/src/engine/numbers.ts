// Document numbers: who gets one from a company sequence, who may bring its own, and when a double is refused.
import { entityType } from '../catalogue/catalogue.js';
import { numberScopes, type Company } from '../company/company.js';
import type { Rec } from '../types.js';

/** Sales forms share one sequence; estimates and purchase orders have their own (qbo-api.md 2.1). */
const OWN_SEQUENCE: Record<string, string> = { PurchaseOrder: 'purchaseorders' };
const CUSTOM_NUMBER_TYPES = new Set(['Invoice', 'SalesReceipt', 'CreditMemo', 'RefundReceipt', 'Estimate']);
const FIRST_NUMBER = 1001;

export function sequenceOf(entity: string): string | undefined {
  return entityType(entity).docNumberSequence ?? OWN_SEQUENCE[entity];
}

function customNumbers(company: Company): boolean {
  return company.preferences()['SalesFormsPrefs']?.CustomTxnNumbers === true;
}

/** Gives, keeps or drops the document's number. In place. */
export function numberFor(
  company: Company,
  entity: string,
  rec: Rec,
  before: Rec | undefined,
  options: { person?: boolean },
): void {
  const sequence = sequenceOf(entity);
  if (!sequence) return;
  const sent = rec['DocNumber'] as string | undefined;
  if (before && sent !== 'AUTO_GENERATE') return;
  const custom = customNumbers(company);
  // With custom numbers on an absent number stays absent; with them off the service numbers sales forms itself.
  if (custom && sent !== 'AUTO_GENERATE' && CUSTOM_NUMBER_TYPES.has(entity)) return;
  if (sent && sent !== 'AUTO_GENERATE' && (!CUSTOM_NUMBER_TYPES.has(entity) || options.person === true)) {
    company.noteDocNumber(sequence, sent);
    return;
  }
  rec['DocNumber'] = company.nextDocNumber(sequence, FIRST_NUMBER);
}

export function scopeOf(entity: string, rec: Rec): string[] {
  return numberScopes(entity, rec);
}

/** `WarnDuplicateX` of OtherPrefs decides for purchases and journals, CustomTxnNumbers for sales forms. */
export function warnsAboutDuplicates(company: Company, entity: string): boolean {
  if (CUSTOM_NUMBER_TYPES.has(entity)) return customNumbers(company);
  const warning = WARNINGS[entity];
  if (!warning) return false;
  for (const pair of (company.preferences()['OtherPrefs']?.NameValue as Rec[] | undefined) ?? []) {
    if (pair['Name'] === warning) return String(pair['Value']) === 'true';
  }
  return false;
}

const WARNINGS: Record<string, string> = {
  Bill: 'WarnDuplicateBillNumber',
  Purchase: 'WarnDuplicateCheckNumber',
  BillPayment: 'WarnDuplicateCheckNumber',
  JournalEntry: 'WarnDuplicateJournalNumber',
};
