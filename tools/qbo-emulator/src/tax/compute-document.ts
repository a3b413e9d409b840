// Computes what QBO computes when a document is saved: line amounts (6070), the sub-total line, the discount, tax per
// rate, TotalAmt and the home total. Works in place on the merged record; `given` is what the client sent this time,
// because an override of the tax lives only as long as it is sent again.
// Order: 6070 -> sub-total -> discount -> bases per rate -> tax lines -> overrides -> TotalTax -> TotalAmt -> home.
import { QboFault, type CompanyView, type Rec } from '../types.js';
import {
  cents,
  centsNumber,
  combinedPercentOf,
  isGiven,
  netOfGross,
  percentOf,
  plus,
  product,
  sevenDecimals,
  spread,
  times,
  unitPrice,
  type Cents,
} from '../money/index.js';
import { isUs, ratesOf, taxProfileOf, type Rate } from './profile.js';
import { switchesOf, type Switches } from './switches.js';
import { textOf } from '../text.js';

const SALES = new Set(['Invoice', 'SalesReceipt', 'CreditMemo', 'RefundReceipt', 'Estimate']);
const PURCHASES = new Set(['Bill', 'VendorCredit', 'Purchase', 'PurchaseOrder']);
const HOME_ONLY = new Set(['Payment', 'BillPayment', 'Transfer', 'CreditCardPayment']);

export function computeDocument(type: string, rec: Rec, company: CompanyView, given: Rec): void {
  if (SALES.has(type)) computeForm('sales', rec, company, given);
  else if (PURCHASES.has(type)) computeForm('purchase', rec, company, given);
  else if (type === 'JournalEntry') computeJournalEntry(rec, company);
  else if (type === 'Deposit') computeDeposit(rec, company);
  else if (HOME_ONLY.has(type)) {
    for (const field of ['TotalAmt', 'Amount']) if (isGiven(rec[field])) rec[field] = centsNumber(cents(rec[field]));
    for (const line of linesOf(rec)) if (isGiven(line.Amount)) line.Amount = centsNumber(cents(line.Amount));
    settleHome(rec, company, isGiven(rec.TotalAmt) ? cents(rec.TotalAmt) : undefined);
  }
}

/** One taxable line: its detail, its net amount and, inside a gross price, its gross. */
interface TaxableLine {
  readonly line: Rec;
  readonly detail: Rec;
  net: Cents;
  gross?: Cents;
  /** Net after its share of the document's discount: what tax is computed on. */
  base: Cents;
}

interface TaxLine {
  readonly rateId: string;
  readonly percent: number;
  amount: Cents;
  base: Cents;
}

function computeForm(side: 'sales' | 'purchase', rec: Rec, company: CompanyView, given: Rec): void {
  const switches = switchesOf(company);
  const profile = taxProfileOf(company);
  const basis = profile === 'vat' ? basisOf(rec) : 'TaxExcluded';
  if (profile !== 'vat' && isUs(company) && given.GlobalTaxCalculation === 'TaxInclusive') {
    throw business('GlobalTaxCalculation TaxInclusive is not supported for companies in this locale.');
  }
  const taxable: TaxableLine[] = [];
  const date = textOf(rec.TxnDate ?? company.today()).slice(0, 10);
  let discountLine: Rec | undefined;
  const kept: Rec[] = [];
  let subTotalLine: Rec | undefined;
  let subTotalAt = -1;
  for (const line of linesOf(rec)) {
    switch (line.DetailType) {
      case 'SubTotalLineDetail':
        subTotalLine ??= line;
        continue;
      case 'DiscountLineDetail':
        discountLine ??= line;
        if (discountLine !== line) continue;
        break;
      case 'GroupLineDetail':
        computeGroup(line, taxable, company, side, basis, date, given, switches);
        break;
      case 'SalesItemLineDetail':
      case 'ItemBasedExpenseLineDetail':
      case 'AccountBasedExpenseLineDetail':
        computeLine(line, taxable, company, side, basis, date, given, switches);
        break;
      default:
        break;
    }
    kept.push(line);
    if (line.DetailType !== 'DiscountLineDetail') subTotalAt = kept.length;
  }
  const visible = taxable.reduce((sum, line) => plus(sum, line.net), 0);
  // A line made from a delayed charge is missing from `Line`, yet it counts: only the stored sub-total knows of it.
  const hidden =
    side === 'sales' && linksStatementCharge(rec) && subTotalLine ? cents(subTotalLine.Amount) - visible : 0;
  const subTotal = plus(visible, hidden);
  if (side === 'sales') {
    kept.splice(subTotalAt < 0 ? kept.length : subTotalAt, 0, {
      Amount: centsNumber(subTotal),
      DetailType: 'SubTotalLineDetail',
      SubTotalLineDetail: subTotalLine?.SubTotalLineDetail ?? {},
    });
    rec.Line = kept;
  }
  const discount = discountLine ? computeDiscount(discountLine, subTotal, company) : 0;

  if (hidden !== 0) keepStoredTax(rec);
  else if (profile === 'none' || (profile !== 'vat' && side === 'purchase')) clearTax(rec, side);
  else if (profile === 'us-manual') taxUsManual(rec, taxable, subTotal, discount, company, given, date, switches);
  else if (profile === 'us-automated') taxUsAutomated(rec, taxable, subTotal, discount, company, given, switches);
  else taxVat(rec, taxable, discount, company, side, basis, date, given, switches);

  const tax = cents(rec.TxnTaxDetail?.TotalTax ?? 0);
  const total = plus(subTotal - discount, tax);
  rec.TotalAmt = centsNumber(total);
  settleHome(rec, company, total);
}

function linesOf(rec: Rec): Rec[] {
  return Array.isArray(rec.Line) ? (rec.Line as Rec[]).filter((line) => line !== null && typeof line === 'object') : [];
}

/** The detail object of a line, made when absent; what is no object counts as absent. */
function detailOf(line: Rec, key: string): Rec {
  const detail: unknown = line[key];
  if (detail !== null && typeof detail === 'object' && !Array.isArray(detail)) return detail as Rec;
  return (line[key] = {});
}

function linksStatementCharge(rec: Rec): boolean {
  return Array.isArray(rec.LinkedTxn) && rec.LinkedTxn.some((link: Rec) => link?.TxnType === 'StatementCharge');
}

function basisOf(rec: Rec): 'TaxExcluded' | 'TaxInclusive' | 'NotApplicable' {
  if (rec.GlobalTaxCalculation === 'TaxInclusive' || rec.GlobalTaxCalculation === 'NotApplicable') {
    return rec.GlobalTaxCalculation;
  }
  rec.GlobalTaxCalculation = 'TaxExcluded';
  return 'TaxExcluded';
}

function computeGroup(
  group: Rec,
  taxable: TaxableLine[],
  company: CompanyView,
  side: 'sales' | 'purchase',
  basis: string,
  date: string,
  given: Rec,
  switches: Switches,
): void {
  const from = taxable.length;
  const nested: Rec[] = Array.isArray(group.GroupLineDetail?.Line) ? group.GroupLineDetail.Line : [];
  for (const line of nested) {
    if (line?.DetailType === 'SalesItemLineDetail') {
      computeLine(line, taxable, company, side, basis, date, given, switches);
    }
  }
  let sum = 0;
  for (let i = from; i < taxable.length; i++) sum = plus(sum, taxable[i].net);
  group.Amount = centsNumber(sum);
}

function computeLine(
  line: Rec,
  taxable: TaxableLine[],
  company: CompanyView,
  side: 'sales' | 'purchase',
  basis: string,
  date: string,
  given: Rec,
  switches: Switches,
): void {
  const detail = detailOf(line, line.DetailType);
  // A sales line that names no item is documentation: its amount does not count.
  if (line.DetailType === 'SalesItemLineDetail' && !detail.ItemRef?.value && !detail.ItemAccountRef?.value) return;
  for (const field of ['Qty', 'UnitPrice']) {
    if (detail[field] === '' || detail[field] === null) delete detail[field];
    else if (detail[field] !== undefined) detail[field] = sevenDecimals(detail[field]);
  }
  const priced = isGiven(detail.Qty) && isGiven(detail.UnitPrice);
  // Whole-object clients send Qty 0 and UnitPrice 0 beside a real amount; QBO lets that pass.
  const empty = priced && Number(detail.Qty) === 0 && Number(detail.UnitPrice) === 0;
  const gross = basis === 'TaxInclusive' && isGiven(detail.TaxInclusiveAmt) ? cents(detail.TaxInclusiveAmt) : undefined;
  const rates = basis === 'NotApplicable' ? undefined : lineRates(company, detail, side, date);
  if (!isGiven(line.Amount)) {
    if (priced) line.Amount = centsNumber(product(detail.Qty, detail.UnitPrice));
    else if (gross !== undefined) line.Amount = centsNumber(netOfGross(gross, rates?.map((r) => r.percent) ?? []));
    else {
      throw new QboFault(
        '2020',
        'Required param missing, need to supply the required value for the API',
        'Required parameter Line.Amount is missing in the request',
        'Line.Amount',
      );
    }
  }
  const net = cents(line.Amount);
  if (priced && !empty && product(detail.Qty, detail.UnitPrice) !== net) {
    throw new QboFault(
      '6070',
      'Amount calculation incorrect in the request',
      `Amount calculation incorrect in the request: Amount is not equal to UnitPrice * Qty. Supplied value:${textOf(line.Amount)}`,
    );
  }
  line.Amount = centsNumber(net);
  const entry: TaxableLine = { line, detail, net, base: net };
  if (basis === 'TaxInclusive') {
    const percents = rates?.map((rate) => rate.percent) ?? [];
    if (gross !== undefined && netOfGross(gross, percents) === net) entry.gross = gross;
    else if (gross === undefined && switches.inclusiveWithoutGross === 'fault') {
      throw business('Please supply TaxInclusiveAmt for every line of a tax-inclusive transaction.');
    } else entry.gross = plus(net, combinedPercentOf(net, percents));
    detail.TaxInclusiveAmt = centsNumber(entry.gross);
    if (isGiven(detail.Qty) && Number(detail.Qty) !== 0) detail.UnitPrice = unitPrice(net, detail.Qty);
  } else if (basis === 'TaxExcluded' && detail.TaxInclusiveAmt !== undefined) delete detail.TaxInclusiveAmt;
  taxable.push(entry);
  if (side === 'sales' && given.Line !== undefined) stampIncomeAccount(detail, company);
}

/** The line remembers the item's income account of this moment: later changes of the item do not move old postings. */
function stampIncomeAccount(detail: Rec, company: CompanyView): void {
  const markup = detail.MarkupInfo?.MarkUpIncomeAccountRef;
  const item = detail.ItemRef?.value ? company.get('Item', textOf(detail.ItemRef.value)) : undefined;
  const ref = markup?.value ? markup : item?.IncomeAccountRef;
  if (!ref?.value) return;
  const account = company.get('Account', textOf(ref.value));
  const name = account?.FullyQualifiedName ?? ref.name;
  detail.ItemAccountRef = name === undefined ? { value: ref.value } : { value: ref.value, name };
}

function computeDiscount(line: Rec, subTotal: Cents, company: CompanyView): Cents {
  const detail = detailOf(line, 'DiscountLineDetail');
  let amount: Cents;
  if (detail.PercentBased === true && isGiven(detail.DiscountPercent))
    amount = percentOf(subTotal, detail.DiscountPercent);
  else if (isGiven(line.Amount)) {
    amount = cents(line.Amount);
    detail.PercentBased = false;
  } else {
    throw new QboFault(
      '6090',
      'Discount line must have an amount or a percentage',
      'Business Validation Error: A discount line needs either an amount or a percentage.',
    );
  }
  line.Amount = centsNumber(amount);
  if (!detail.DiscountAccountRef?.value) {
    const fallback = company.preferences().SalesFormsPrefs?.DefaultDiscountAccount;
    const id =
      typeof fallback === 'object'
        ? fallback?.value
        : (fallback ?? company.accountBySubType('DiscountsRefundsGiven')?.Id);
    const account = id === undefined ? undefined : company.get('Account', textOf(id));
    if (account) detail.DiscountAccountRef = { value: account.Id, name: account.FullyQualifiedName };
  }
  return amount;
}

function clearTax(rec: Rec, side: 'sales' | 'purchase'): void {
  if (side === 'sales') rec.TxnTaxDetail = { TotalTax: 0 };
  else delete rec.TxnTaxDetail;
}

/** Stored tax is not always derivable from stored lines; a document with hidden lines keeps what it has. */
function keepStoredTax(rec: Rec): void {
  rec.TxnTaxDetail ??= { TotalTax: 0 };
  rec.TxnTaxDetail.TotalTax = centsNumber(cents(rec.TxnTaxDetail.TotalTax));
}

function storeTax(rec: Rec, code: Rec | undefined, taxLines: readonly TaxLine[]): void {
  const total = taxLines.reduce((sum, line) => plus(sum, line.amount), 0);
  rec.TxnTaxDetail = {
    ...(code ? { TxnTaxCodeRef: { value: textOf(code.Id) } } : {}),
    TotalTax: centsNumber(total),
    ...(taxLines.length > 0
      ? {
          TaxLine: taxLines.map((line) => ({
            Amount: centsNumber(line.amount),
            DetailType: 'TaxLineDetail',
            TaxLineDetail: {
              TaxRateRef: { value: line.rateId },
              PercentBased: true,
              TaxPercent: line.percent,
              NetAmountTaxable: centsNumber(line.base),
            },
          })),
        }
      : {}),
  };
}

function usBase(
  rec: Rec,
  taxable: readonly TaxableLine[],
  subTotal: Cents,
  discount: Cents,
  isTaxed: (l: TaxableLine) => boolean,
): Cents {
  const base = taxable.reduce((sum, line) => (isTaxed(line) ? plus(sum, line.net) : sum), 0);
  if (rec.ApplyTaxAfterDiscount !== true || discount === 0) return base;
  return base - spread(discount, [subTotal - base, base])[1];
}

function taxUsManual(
  rec: Rec,
  taxable: readonly TaxableLine[],
  subTotal: Cents,
  discount: Cents,
  company: CompanyView,
  given: Rec,
  date: string,
  switches: Switches,
): void {
  const codeId = rec.TxnTaxDetail?.TxnTaxCodeRef?.value;
  const code = codeId === undefined || codeId === '' ? undefined : company.get('TaxCode', textOf(codeId));
  const sent: Rec = given.TxnTaxDetail ?? {};
  if (!code) {
    // The code makes the tax; without one a sent TotalTax counts only under the widest reading of the override.
    const alone = switches.usOverride === 'all-kept' && isGiven(sent.TotalTax) ? cents(sent.TotalTax) : 0;
    rec.TxnTaxDetail = { TotalTax: centsNumber(alone) };
    return;
  }
  const base = usBase(rec, taxable, subTotal, discount, (line) => line.detail.TaxCodeRef?.value === 'TAX');
  const computed = ratesOf(company, code, 'sales', date).map((rate) => ({
    rateId: rate.id,
    percent: rate.percent,
    amount: percentOf(base, rate.percent),
    base,
  }));
  const sentLines: Rec[] = Array.isArray(sent.TaxLine) ? sent.TaxLine : [];
  if (switches.usOverride !== 'all-ignored' && sent.TxnTaxCodeRef?.value && sentLines.length > 0) {
    for (const line of computed) {
      const own = sentLines.find((l) => textOf(l?.TaxLineDetail?.TaxRateRef?.value) === line.rateId);
      if (own && isGiven(own.Amount)) line.amount = cents(own.Amount);
    }
  } else if (switches.usOverride === 'all-kept' && isGiven(sent.TotalTax))
    spreadOverride(computed, cents(sent.TotalTax));
  storeTax(rec, code, base === 0 && computed.every((line) => line.amount === 0) ? [] : computed);
}

/** A total given by hand is spread over the rates in proportion; the last one takes the cent. */
function spreadOverride(taxLines: TaxLine[], total: Cents): void {
  const weights = taxLines.map((line) => Math.round(line.percent * 1e5));
  const parts = spread(total, weights);
  taxLines.forEach((line, i) => (line.amount = parts[i]));
}

function taxUsAutomated(
  rec: Rec,
  taxable: readonly TaxableLine[],
  subTotal: Cents,
  discount: Cents,
  company: CompanyView,
  given: Rec,
  switches: Switches,
): void {
  const date = textOf(rec.TxnDate ?? company.today()).slice(0, 10);
  // Since 2018 a line without a code counts as taxable; NON always stops the tax, and so does an exempt customer.
  const customer = company.get('Customer', textOf(rec.CustomerRef?.value ?? ''));
  const exempt = customer?.Taxable === false && customer.TaxExemptionReasonId !== undefined;
  const base = exempt ? 0 : usBase(rec, taxable, subTotal, discount, (line) => line.detail.TaxCodeRef?.value !== 'NON');
  const source = automatedSource(rec, company, given, switches);
  const rates = source ? ratesOf(company, source, 'sales', date) : [];
  const taxLines: TaxLine[] = rates.map(({ id, percent }) => ({
    rateId: id,
    percent,
    amount: percentOf(base, percent),
    base,
  }));
  const sent = given.TxnTaxDetail?.TotalTax;
  if (switches.astTotalTax === 'kept' && isGiven(sent)) {
    if (taxLines.length > 0) spreadOverride(taxLines, cents(sent));
    else {
      rec.TxnTaxDetail = { TotalTax: centsNumber(cents(sent)) };
      return;
    }
  }
  storeTax(rec, source?.Id === undefined ? undefined : source, base === 0 ? [] : taxLines);
}

/**
 * Where automated tax finds its rates: the user's own code when it was sent (hybrid companies), the table of ZIP
 * prefixes, or the company's code that is named after the destination's city or state. Elsewhere there is no nexus.
 */
function automatedSource(rec: Rec, company: CompanyView, given: Rec, switches: Switches): Rec | undefined {
  const sentId = given.TxnTaxDetail?.TxnTaxCodeRef?.value;
  const own = sentId === undefined ? undefined : company.get('TaxCode', textOf(sentId));
  if (own?.TaxCodeConfigType === 'USER_DEFINED' && switches.astUserCode === 'honoured') return own;
  const info = company.companyInfo();
  const to: Rec = rec.ShipAddr ?? info.LegalAddr ?? info.CompanyAddr ?? {};
  const zip = textOf(to.PostalCode ?? '');
  const prefix = Object.keys(switches.astRates)
    .filter((candidate) => zip.startsWith(candidate))
    .sort((a, b) => b.length - a.length)[0];
  if (prefix !== undefined) {
    const rateIds = switches.astRates[prefix];
    return { SalesTaxRateList: { TaxRateDetail: rateIds.map((value) => ({ TaxRateRef: { value } })) } };
  }
  const state = textOf(to.CountrySubDivisionCode ?? '').toUpperCase();
  const places = [to.City, STATES[state], state].map((place) => textOf(place ?? '').toLowerCase()).filter(Boolean);
  for (const place of places) {
    for (const code of company.all('TaxCode')) {
      if (code.Active !== false && textOf(code.Name).toLowerCase() === place) return code;
    }
  }
  return undefined;
}

const STATES: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'AL Alabama,AK Alaska,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,FL Florida,' +
    'GA Georgia,HI Hawaii,ID Idaho,IL Illinois,IN Indiana,IA Iowa,KS Kansas,KY Kentucky,LA Louisiana,ME Maine,' +
    'MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,MS Mississippi,MO Missouri,MT Montana,NE Nebraska,' +
    'NV Nevada,NH New Hampshire,NJ New Jersey,NM New Mexico,NY New York,NC North Carolina,ND North Dakota,OH Ohio,' +
    'OK Oklahoma,OR Oregon,PA Pennsylvania,RI Rhode Island,SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,' +
    'UT Utah,VT Vermont,VA Virginia,WA Washington,WV West Virginia,WI Wisconsin,WY Wyoming,DC District of Columbia'
  )
    .split(',')
    .map((entry) => [entry.slice(0, 2), entry.slice(3)]),
);

function lineRates(company: CompanyView, detail: Rec, side: 'sales' | 'purchase', date: string): Rate[] | undefined {
  const codeId = detail.TaxCodeRef?.value;
  if (codeId === undefined || codeId === '' || codeId === 'TAX' || codeId === 'NON') return undefined;
  const code = company.get('TaxCode', textOf(codeId));
  return code ? ratesOf(company, code, side, date) : undefined;
}

function taxVat(
  rec: Rec,
  taxable: TaxableLine[],
  discount: Cents,
  company: CompanyView,
  side: 'sales' | 'purchase',
  basis: string,
  date: string,
  given: Rec,
  switches: Switches,
): void {
  const sent: Rec | undefined = given.TxnTaxDetail;
  if (basis === 'NotApplicable') {
    const any =
      sent && (isGiven(sent.TotalTax) ? cents(sent.TotalTax) !== 0 : false || (sent.TaxLine?.length ?? 0) > 0);
    if (any) {
      throw new QboFault(
        '6170',
        'TxnTaxDetail is not supported when GlobalTaxCalculation is NotApplicable',
        'Business Validation Error: TxnTaxDetail must not be supplied when GlobalTaxCalculation is set to NotApplicable.',
      );
    }
    rec.TxnTaxDetail = { TotalTax: 0 };
    return;
  }
  if (discount !== 0) {
    const parts = spread(
      discount,
      taxable.map((line) => line.net),
    );
    taxable.forEach((line, i) => (line.base = line.net - parts[i]));
  }
  const byRate = new Map<string, TaxLine>();
  const taxLine = (rate: Rate): TaxLine => {
    let line = byRate.get(rate.id);
    if (!line) byRate.set(rate.id, (line = { rateId: rate.id, percent: rate.percent, amount: 0, base: 0 }));
    return line;
  };
  for (const line of taxable) {
    const rates = requiredRates(company, line, side, date);
    const amounts = taxOfLine(line, rates, basis, switches);
    rates.forEach((rate, i) => {
      const own = taxLine(rate);
      own.base = plus(own.base, line.base);
      own.amount = plus(own.amount, amounts[i]);
    });
  }
  const taxLines = [...byRate.values()];
  if (basis === 'TaxExcluded' && switches.vatExcludedRounding === 'document') {
    for (const line of taxLines) line.amount = percentOf(line.base, line.percent);
  }
  const overrides: Rec[] = Array.isArray(sent?.TaxLine) ? sent.TaxLine : [];
  const named = overrides.filter(
    (line) => line?.TaxLineDetail?.TaxRateRef?.value !== undefined && isGiven(line.Amount),
  );
  if (switches.vatOverride === 'kept' && named.length > 0) {
    for (const line of taxLines) {
      const own = named.find((l) => textOf(l.TaxLineDetail.TaxRateRef.value) === line.rateId);
      if (!own) throw business('The tax lines must name every tax rate of the tax codes that the lines use.');
      line.amount = cents(own.Amount);
    }
  }
  storeTax(rec, undefined, taxLines);
}

function requiredRates(company: CompanyView, line: TaxableLine, side: 'sales' | 'purchase', date: string): Rate[] {
  const codeId = line.detail.TaxCodeRef?.value;
  if (codeId === undefined || codeId === '') {
    throw business(
      company.country() === 'CA' || company.country() === 'CAN'
        ? 'Make sure all your transactions have a GST/HST rate before you save.'
        : 'Make sure all your transactions have a VAT rate before you save.',
    );
  }
  const code = company.get('TaxCode', textOf(codeId));
  if (!code) {
    throw new QboFault('2500', 'Invalid Reference Id', `Invalid Reference Id : TaxCode element id ${codeId} not found`);
  }
  const rates = ratesOf(company, code, side, date);
  const other = side === 'sales' ? code.PurchaseTaxRateList : code.SalesTaxRateList;
  if (rates.length === 0 && (other?.TaxRateDetail?.length ?? 0) > 0) {
    throw business(
      'There was an error while calculating tax. The tax code cannot be used on this kind of transaction.',
    );
  }
  return rates;
}

function taxOfLine(line: TaxableLine, rates: readonly Rate[], basis: string, switches: Switches): Cents[] {
  if (rates.length === 0) return [];
  const percents = rates.map((rate) => rate.percent);
  const combined = (): Cents[] => {
    const total = combinedPercentOf(line.base, percents);
    const parts = percents.slice(0, -1).map((percent) => percentOf(line.base, percent));
    return [...parts, total - parts.reduce(plus, 0)];
  };
  if (basis === 'TaxInclusive' && line.base === line.net && line.gross !== undefined) {
    if (rates.length > 1 && switches.vatInclusiveSplit === 'each-rate') {
      return percents.map((percent) => percentOf(line.net, percent));
    }
    const parts = percents.slice(0, -1).map((percent) => percentOf(line.net, percent));
    return [...parts, line.gross - line.net - parts.reduce(plus, 0)];
  }
  if (rates.some((rate) => rate.onTax)) {
    let running = line.base;
    return rates.map((rate) => {
      const amount = percentOf(rate.onTax ? running : line.base, rate.percent);
      running = plus(running, amount);
      return amount;
    });
  }
  if (rates.length > 1 && switches.vatMultirateRounding === 'combined') return combined();
  return percents.map((percent) => percentOf(line.base, percent));
}

function computeJournalEntry(rec: Rec, company: CompanyView): void {
  let debit = 0;
  let credit = 0;
  for (const line of linesOf(rec)) {
    const detail: Rec | undefined = line.JournalEntryLineDetail;
    if (!detail || line.DetailType === 'DescriptionOnly') continue;
    const amount = cents(line.Amount);
    line.Amount = centsNumber(amount);
    const tax = isGiven(detail.TaxAmount) ? cents(detail.TaxAmount) : 0;
    if (detail.TaxCodeRef?.value && !isUs(company)) {
      if (!detail.TaxApplicableOn) throw missing('2270', 'TaxApplicableOn');
      if (!isGiven(detail.TaxAmount)) throw missing('2280', 'TaxAmount');
    }
    if (detail.PostingType === 'Debit') debit = plus(debit, plus(amount, tax));
    else if (detail.PostingType === 'Credit') credit = plus(credit, plus(amount, tax));
    else throw missing('2260', 'PostingType');
  }
  if (debit !== credit) {
    throw new QboFault(
      '2300',
      'Debits must equal Credits',
      'Business Validation Error: Please balance debits and credits.',
    );
  }
  fillJournalTax(rec, company);
  rec.TotalAmt = 0;
  settleHome(rec, company, undefined);
  if (company.multicurrency()) rec.HomeTotalAmt = 0;
}

/** One tax line per rate of the codes on the entry; given ones stand, credits count negative. */
function fillJournalTax(rec: Rec, company: CompanyView): void {
  rec.TxnTaxDetail ??= {};
  if (isUs(company) || (Array.isArray(rec.TxnTaxDetail.TaxLine) && rec.TxnTaxDetail.TaxLine.length > 0)) return;
  const date = textOf(rec.TxnDate ?? company.today()).slice(0, 10);
  const byRate = new Map<string, TaxLine>();
  for (const line of linesOf(rec)) {
    const detail: Rec = line.JournalEntryLineDetail ?? {};
    const code = detail.TaxCodeRef?.value ? company.get('TaxCode', textOf(detail.TaxCodeRef.value)) : undefined;
    if (!code) continue;
    const rates = ratesOf(company, code, detail.TaxApplicableOn === 'Sales' ? 'sales' : 'purchase', date);
    const sign = detail.PostingType === 'Credit' ? -1 : 1;
    const parts = spread(
      cents(detail.TaxAmount),
      rates.map((rate) => Math.round(rate.percent * 1e5)),
    );
    rates.forEach((rate, i) => {
      const own = byRate.get(rate.id) ?? { rateId: rate.id, percent: rate.percent, amount: 0, base: 0 };
      own.amount = plus(own.amount, sign * parts[i]);
      own.base = plus(own.base, sign * cents(line.Amount));
      byRate.set(rate.id, own);
    });
  }
  if (byRate.size > 0) storeTax(rec, undefined, [...byRate.values()]);
}

function computeDeposit(rec: Rec, company: CompanyView): void {
  let total = 0;
  for (const line of linesOf(rec)) {
    line.Amount = centsNumber(cents(line.Amount));
    total = plus(total, cents(line.Amount));
  }
  if (taxProfileOf(company) === 'vat') taxDeposit(rec, company);
  const tax = isGiven(rec.TxnTaxDetail?.TotalTax) ? cents(rec.TxnTaxDetail.TotalTax) : 0;
  const back = rec.CashBack?.Amount === undefined ? 0 : cents(rec.CashBack.Amount);
  rec.TotalAmt = centsNumber(plus(total, tax) - back);
  settleHome(rec, company, cents(rec.TotalAmt));
}

/** Deposit lines name their side of the tax code; without it they land on the purchase side. */
function taxDeposit(rec: Rec, company: CompanyView): void {
  const date = textOf(rec.TxnDate ?? company.today()).slice(0, 10);
  const byRate = new Map<string, TaxLine>();
  for (const line of linesOf(rec)) {
    const detail: Rec = line.DepositLineDetail ?? {};
    const codeId = detail.TaxCodeRef?.value;
    const code = codeId === undefined ? undefined : company.get('TaxCode', textOf(codeId));
    if (!code) continue;
    const net = cents(line.Amount);
    for (const rate of ratesOf(company, code, detail.TaxApplicableOn === 'Sales' ? 'sales' : 'purchase', date)) {
      const own = byRate.get(rate.id) ?? { rateId: rate.id, percent: rate.percent, amount: 0, base: 0 };
      own.amount = plus(own.amount, percentOf(net, rate.percent));
      own.base = plus(own.base, net);
      byRate.set(rate.id, own);
    }
  }
  if (byRate.size > 0) storeTax(rec, undefined, [...byRate.values()]);
  else rec.TxnTaxDetail = {};
}

/** ExchangeRate and HomeTotalAmt exist only where the company keeps several currencies. */
function settleHome(rec: Rec, company: CompanyView, total: Cents | undefined): void {
  if (!company.multicurrency()) {
    delete rec.ExchangeRate;
    delete rec.HomeTotalAmt;
    return;
  }
  const foreign = rec.CurrencyRef?.value !== undefined && rec.CurrencyRef.value !== company.homeCurrency();
  if (!foreign) rec.ExchangeRate = 1;
  else if (!isGiven(rec.ExchangeRate) || Number(rec.ExchangeRate) === 0) {
    rec.ExchangeRate = switchesOf(company).rateDefault === 'day-rate' ? dayRate(rec, company) : 1;
  } else rec.ExchangeRate = Number(rec.ExchangeRate);
  if (total !== undefined) rec.HomeTotalAmt = centsNumber(times(total, rec.ExchangeRate));
}

function dayRate(rec: Rec, company: CompanyView): number {
  const date = textOf(rec.TxnDate ?? company.today()).slice(0, 10);
  let best: Rec | undefined;
  for (const rate of company.all('ExchangeRate')) {
    if (rate.SourceCurrencyCode !== rec.CurrencyRef.value || rate.AsOfDate > date) continue;
    if (!best || rate.AsOfDate > best.AsOfDate) best = rate;
  }
  return best ? Number(best.Rate) : 1;
}

function business(detail: string): QboFault {
  return new QboFault(
    '6000',
    'A business validation error has occurred while processing your request',
    `Business Validation Error: ${detail}`,
  );
}

function missing(code: string, element: string): QboFault {
  return new QboFault(
    code,
    `${element} is required`,
    `${element} is required in JournalEntryLineDetail`,
    'JournalEntryLineDetail',
  );
}
