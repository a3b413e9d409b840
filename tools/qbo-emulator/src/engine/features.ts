// Fields and lines that a company must have switched on first: discounts, shipping, deposits, classes, locations,
// billable expenses (qbo-api.md 17). Also values that no switch makes valid: custom fields, web addresses, tax overrides.
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { refusal } from './refusals.js';

const off = (what: string, element: string) =>
  refusal('5030', `Feature Not Supported Error : ${what} is switched off in this company`, element);

// Up to three text fields here; the premium ones number to twelve (qbo-api.md 17).
const MOST_CUSTOM_FIELDS = 12;

export function checkFeatures(company: Company, entity: string, rec: Rec, before: Rec | undefined): void {
  const prefs = company.preferences();
  const sales = (prefs['SalesFormsPrefs'] ?? {}) as Rec;
  const books = (prefs['AccountingInfoPrefs'] ?? {}) as Rec;
  const purchases = (prefs['VendorAndPurchasesPrefs'] ?? {}) as Rec;
  const classes = books['ClassTrackingPerTxn'] === true || books['ClassTrackingPerTxnLine'] === true;
  if (rec['DepartmentRef'] && books['TrackDepartments'] === false && !before?.['DepartmentRef'])
    throw off('location tracking', 'DepartmentRef');
  if (rec['ClassRef'] && !classes && !before?.['ClassRef']) throw off('class tracking', 'ClassRef');
  if (rec['Deposit'] !== undefined && Number(rec['Deposit']) !== 0 && sales['AllowDeposit'] === false)
    throw off('deposits on invoices', 'Deposit');
  for (const field of (rec['CustomField'] as Rec[] | undefined) ?? []) {
    const id = Number(field['DefinitionId']);
    if (!Number.isInteger(id) || id < 1 || id > MOST_CUSTOM_FIELDS) {
      throw refusal(
        '3000',
        `Invalid Custom Field : DefinitionId=${String(field['DefinitionId']).slice(0, 20)}`,
        'CustomField',
      );
    }
  }
  const uri = rec['WebAddr']?.URI as string | undefined;
  if (uri !== undefined && !/^(https?:\/\/)?[^\s/.]+(\.[^\s/.]+)+(\/\S*)?$/i.test(uri)) {
    throw refusal('2200', `Invalid URL : ${uri.slice(0, 60)}`, 'WebAddr');
  }
  if (rec['TxnTaxDetail']?.TxnTaxCodeRef?.value === 'CustomSalesTax') {
    throw refusal(
      before ? '6230' : '6160',
      'CustomSalesTax code cannot be used : choose another tax code',
      'TxnTaxCodeRef',
    );
  }
  if (
    rec['GlobalTaxCalculation'] === 'NotApplicable' &&
    company.country() !== 'US' &&
    Number(rec['TxnTaxDetail']?.TotalTax ?? 0) !== 0
  ) {
    throw refusal('6170', 'TxnTaxDetail is not allowed when GlobalTaxCalculation is NotApplicable', 'TxnTaxDetail');
  }
  for (const line of (rec['Line'] as Rec[] | undefined) ?? []) {
    const detail = line[line['DetailType'] as string] as Rec | undefined;
    if (!detail) continue;
    if (line['DetailType'] === 'DiscountLineDetail' && sales['AllowDiscount'] === false)
      throw off('discounts', 'DiscountLineDetail');
    if (detail['ItemRef']?.value === 'SHIPPING_ITEM_ID' && sales['AllowShipping'] === false)
      throw off('shipping', 'ItemRef');
    if (detail['ClassRef'] && !classes && !before) throw off('class tracking', 'ClassRef');
    if (detail['ServiceDate'] !== undefined && sales['AllowServiceDate'] === false && !before)
      throw off('service dates', 'ServiceDate');
    if (
      detail['BillableStatus'] === 'Billable' &&
      purchases['BillableExpenseTracking'] === false &&
      entity !== 'TimeActivity'
    ) {
      throw off('billable expenses', 'BillableStatus');
    }
  }
}
