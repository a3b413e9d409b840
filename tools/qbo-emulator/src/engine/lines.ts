// Line arrays: which detail a type takes, which ids its lines get, what the service fills in on a line. An array that a
// client sends replaces the whole list; a line whose Id exists is that line, anything else is new (qbo-api.md 2.2).
import { Decimal } from 'decimal.js';
import { entityType, type EntityType } from '../catalogue/catalogue.js';
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { refusal, requiredMissing } from './refusals.js';

interface LineRule {
  /** First line id, or none for lines that only link. */
  readonly firstId: 0 | 1 | undefined;
  readonly lineNum: boolean;
}

const NUMBERED: LineRule = { firstId: 1, lineNum: true };
const LINE_RULES: Record<string, LineRule> = {
  Purchase: { firstId: 1, lineNum: false },
  JournalEntry: { firstId: 0, lineNum: false },
  Payment: { firstId: undefined, lineNum: false },
  BillPayment: { firstId: undefined, lineNum: false },
};
/** Lines without an id of their own: made by the service or only linking. */
const SERVER_LINES = new Set(['SubTotalLineDetail']);
const UNNUMBERED = new Set(['SubTotalLineDetail', 'DiscountLineDetail']);
const DETAIL_OF: Record<string, string> = { DescriptionOnly: 'DescriptionLineDetail' };
const SALES = new Set(['Invoice', 'Estimate', 'SalesReceipt', 'CreditMemo', 'RefundReceipt']);
const LINES_REQUIRED = new Set([
  ...['Invoice', 'Estimate', 'SalesReceipt', 'CreditMemo', 'RefundReceipt', 'Bill', 'VendorCredit', 'PurchaseOrder'],
  ...['Purchase', 'JournalEntry', 'Deposit', 'InventoryAdjustment', 'BillPayment'],
]);

/** Checks the sent lines, drops server-made ones, gives ids and fills the captured line defaults. In place. */
export function settleLines(company: Company, entity: string, rec: Rec, before: Rec | undefined): void {
  const definition = entityType(entity);
  if (!definition.fields.has('Line')) return;
  const sent = rec['Line'] as Rec[] | undefined;
  if (!sent) {
    if (LINES_REQUIRED.has(entity)) throw requiredMissing('Line');
    if (entity === 'Payment') rec['Line'] = [];
    return;
  }
  const lines = sent.filter((line) => !SERVER_LINES.has(line['DetailType']) && !isEmptyLine(line));
  if (lines.length === 0 && LINES_REQUIRED.has(entity)) {
    throw refusal('2250', 'Missing Lines : at least one line is required', 'Line');
  }
  for (const line of lines) settleLine(company, definition, line, SALES.has(entity));
  numberLines(lines, before?.['Line'] as Rec[] | undefined, LINE_RULES[entity] ?? NUMBERED);
  if (entity === 'Bill') for (const line of lines) line['LinkedTxn'] ??= [];
  for (let i = 0; i < lines.length; i++) lines[i] = inLineOrder(lines[i]!);
  rec['Line'] = lines;
}

/** What an SDK leaves when it serialises an untouched line object. */
function isEmptyLine(line: Rec): boolean {
  return line['DetailType'] === undefined && line['Amount'] === undefined && !line['LinkedTxn']?.length;
}

function settleLine(company: Company, type: EntityType, line: Rec, sales: boolean): void {
  const linked = Array.isArray(line['LinkedTxn']) && line['LinkedTxn'].length > 0;
  let detailType = line['DetailType'] as string | undefined;
  if (detailType === undefined) {
    detailType = [...type.detailTypes].find((d) => line[DETAIL_OF[d] ?? d] !== undefined);
    if (detailType && !(type.linkedOnlyLines && linked)) line['DetailType'] = detailType;
  }
  if (type.linkedOnlyLines && (linked || type.detailTypes.size === 0)) {
    if (!linked) throw requiredMissing('LinkedTxn');
    if (line['Amount'] === undefined && type.entity !== 'Deposit') throw requiredMissing('Amount');
    delete line['DetailType'];
    delete line['Id'];
    delete line['LineNum'];
    return;
  }
  if (detailType === undefined) throw requiredMissing('DetailType');
  if (!type.detailTypes.has(detailType)) {
    throw refusal('2010', `Property Name:DetailType=${detailType} specified is unsupported or invalid`, 'DetailType');
  }
  const field = DETAIL_OF[detailType] ?? detailType;
  const detail = (line[field] ??= {}) as Rec;
  checkDetail(company, detailType, line, detail);
  if (sales && detailType === 'SalesItemLineDetail') fillSalesLine(company, detail);
  if (detailType === 'AccountBasedExpenseLineDetail' || detailType === 'ItemBasedExpenseLineDetail') {
    fillExpenseLine(company, type.entity, detail);
  }
  if (type.entity === 'PurchaseOrder' && detailType === 'ItemBasedExpenseLineDetail') line['Received'] ??= 0;
  if (sales && detailType === 'GroupLineDetail') expandGroup(company, detail);
  if (detailType === 'GroupLineDetail' && Array.isArray(detail['Line'])) {
    detail['Line'].forEach((inner: Rec, i: number) => {
      inner['Id'] ??= `${line['Id'] ?? ''}${i + 1}`;
      if (inner['SalesItemLineDetail']) fillSalesLine(company, inner['SalesItemLineDetail']);
    });
  }
}

/** A group named without its lines brings those of the bundle, each in its quantity and at its item's price. */
function expandGroup(company: Company, detail: Rec): void {
  if (Array.isArray(detail['Line'])) return;
  const group = company.get('Item', String(detail['GroupItemRef']?.value ?? ''));
  const members = group?.['ItemGroupDetail']?.ItemGroupLine as Rec[] | undefined;
  if (!members) return;
  const groups = Number(detail['Quantity'] ?? 1);
  detail['Line'] = members.map((member) => {
    const price = Number(company.get('Item', String(member['ItemRef']?.value ?? ''))?.['UnitPrice'] ?? 0);
    const quantity = new Decimal(groups).times(Number(member['Qty'] ?? 1));
    return {
      Amount: quantity.times(price).toDecimalPlaces(2, Decimal.ROUND_HALF_UP).toNumber(),
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemRef: { value: member['ItemRef']?.value }, UnitPrice: price, Qty: quantity.toNumber() },
    };
  });
}

const AMOUNT_OPTIONAL = new Set([
  'DescriptionOnly',
  'DiscountLineDetail',
  'GroupLineDetail',
  'ItemAdjustmentLineDetail',
]);

function checkDetail(company: Company, detailType: string, line: Rec, detail: Rec): void {
  if (detailType === 'JournalEntryLineDetail') {
    if (detail['PostingType'] === undefined)
      throw refusal('2260', 'Posting Type missing on a journal line', 'PostingType');
    if (detail['TaxCodeRef'] && company.country() !== 'US') {
      if (!detail['TaxApplicableOn'])
        throw refusal('2270', 'TaxApplicableOn missing on a journal line', 'TaxApplicableOn');
      if (detail['TaxAmount'] === undefined) throw refusal('2280', 'TaxAmount missing on a journal line', 'TaxAmount');
    }
    if (Number(line['Amount']) < 0)
      throw refusal('2290', 'Negative Amount : journal lines must not be negative', 'Amount');
    if (detail['AccountRef'] === undefined) throw requiredMissing('AccountRef');
  }
  if (detailType === 'AccountBasedExpenseLineDetail' && detail['AccountRef'] === undefined)
    throw requiredMissing('AccountRef');
  if (detailType === 'DepositLineDetail' && detail['AccountRef'] === undefined) throw requiredMissing('AccountRef');
  if (detailType === 'ItemBasedExpenseLineDetail' && detail['ItemRef'] === undefined) throw requiredMissing('ItemRef');
  if (detailType === 'ItemAdjustmentLineDetail') {
    if (detail['ItemRef'] === undefined) throw requiredMissing('ItemRef');
    if (detail['QtyDiff'] === undefined && detail['NewQty'] === undefined) {
      throw refusal('6520', 'Quantity missing : QtyDiff is required for a tracked item', 'QtyDiff');
    }
  }
  if (detailType === 'GroupLineDetail' && detail['GroupItemRef'] === undefined) throw requiredMissing('GroupItemRef');
  if (detailType === 'DiscountLineDetail') {
    const percent = detail['PercentBased'] === true ? detail['DiscountPercent'] : undefined;
    if (percent === undefined && line['Amount'] === undefined) {
      throw refusal('6090', 'Discount line needs an Amount or a DiscountPercent', 'DiscountLineDetail');
    }
  }
  const needsAmount = !AMOUNT_OPTIONAL.has(detailType) && !(detailType === 'SalesItemLineDetail' && !detail['ItemRef']);
  if (line['Amount'] === undefined && needsAmount) throw requiredMissing('Amount');
  if (detail['BillableStatus'] === 'Billable' && detail['CustomerRef'] === undefined) {
    throw refusal('6310', 'A billable expense needs a CustomerRef', 'CustomerRef');
  }
}

function fillSalesLine(company: Company, detail: Rec): void {
  const item = detail['ItemRef'] && company.get('Item', detail['ItemRef'].value);
  if (item?.['IncomeAccountRef'] && detail['ItemAccountRef'] === undefined) {
    const { TaxCodeRef } = detail;
    detail['ItemAccountRef'] = { value: item['IncomeAccountRef'].value, name: undefined };
    if (TaxCodeRef !== undefined) {
      // As captured, the tax code stands last.
      delete detail['TaxCodeRef'];
      detail['TaxCodeRef'] = TaxCodeRef;
    }
  }
  if (company.country() === 'US') {
    const automated = company.preferences()['TaxPrefs']?.PartnerTaxEnabled === true;
    detail['TaxCodeRef'] ??= { value: automated ? 'TAX' : 'NON' };
    const code = String(detail['TaxCodeRef'].value);
    if (code !== 'TAX' && code !== 'NON') {
      throw refusal('6100', `Invalid line tax code : ${code.slice(0, 30)}, expected TAX or NON`, 'TaxCodeRef');
    }
  }
}

function fillExpenseLine(company: Company, entity: string, detail: Rec): void {
  if (detail['BillableStatus'] === undefined) {
    // A purchase line with a customer and no status is taken as billable by the service (measured on Purchase only).
    const tracks = company.preferences()['VendorAndPurchasesPrefs']?.BillableExpenseTracking === true;
    detail['BillableStatus'] = entity === 'Purchase' && detail['CustomerRef'] && tracks ? 'Billable' : 'NotBillable';
  }
  if (company.country() === 'US') detail['TaxCodeRef'] ??= { value: 'NON' };
}

function numberLines(lines: Rec[], before: Rec[] | undefined, rule: LineRule): void {
  if (rule.firstId === undefined) return;
  const known = new Set((before ?? []).flatMap((l) => (l['Id'] !== undefined ? [String(l['Id'])] : [])));
  let next: number = rule.firstId;
  for (const id of known) next = Math.max(next, Number(id) + 1);
  const taken = new Set<string>();
  lines.forEach((line, i) => {
    const linkOnly = line['DetailType'] === undefined;
    if (linkOnly || UNNUMBERED.has(line['DetailType'])) {
      delete line['Id'];
      if (line['LineNum'] !== undefined) delete line['LineNum'];
      return;
    }
    const id = line['Id'] === undefined ? undefined : String(line['Id']);
    if (id !== undefined && known.has(id) && !taken.has(id)) line['Id'] = id;
    else line['Id'] = String(next++);
    taken.add(line['Id']);
    if (rule.lineNum) line['LineNum'] = i + 1;
    line['CustomExtensions'] = [];
  });
}

const LINE_HEAD = ['Id', 'LineNum', 'Description', 'Amount', 'Received', 'LinkedTxn', 'DetailType'];

function inLineOrder(line: Rec): Rec {
  const ordered: Rec = {};
  for (const name of LINE_HEAD) if (line[name] !== undefined) ordered[name] = line[name];
  for (const name of Object.keys(line)) {
    if (!(name in ordered) && name !== 'CustomExtensions' && line[name] !== undefined) ordered[name] = line[name];
  }
  if (line['CustomExtensions'] !== undefined) ordered['CustomExtensions'] = line['CustomExtensions'];
  return ordered;
}
