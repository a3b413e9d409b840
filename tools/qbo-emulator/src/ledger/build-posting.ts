// The posting rules: from one record to its ledger lines (ledger.md section 1), stock movements and open amounts.
// Reads the company and what other documents have posted; changes nothing but the accounts QBO makes by itself.
// Amounts inside are debit-positive cents in the transaction's currency until `convert` gives every line its home amount.
import type { CompanyView, Rec } from '../types.js';
import { cents, isGiven, percentOf, plus, product, times, units, type Cents } from '../money/index.js';
import type { Switches } from '../tax/index.js';
import { Movement, type MovementKind } from './fifo.js';
import { Line, LineKind, linkedType, Posting, ymdOf, type Application, type OpenAmount } from './posting.js';
import { textOf } from '../text.js';

/** What the rules ask of the ledger around them. */
export interface PostingContext {
  readonly company: CompanyView;
  readonly switches: Switches;
  account(subType: string, currency?: string): string;
  agencyPayable(rateId: string | undefined): string;
  /** Account and amount of a delayed charge, which no entity returns. */
  delayedCharge(id: string): { account: string } | undefined;
  posting(type: string, id: string): Posting | undefined;
  /** +1 when paying the document takes money in (or out, for bills), -1 when it is a credit that is used up. */
  linkSign(type: string, id: string): 1 | -1;
  /** Home amount that this payer's application takes off the document; undefined when the document is not known. */
  clearedHome(type: string, id: string, payerType: string, payerId: string): Cents | undefined;
}

const NON_POSTING = new Set([
  'Estimate',
  'PurchaseOrder',
  'TimeActivity',
  'ReimburseCharge',
  'StatementCharge',
  'ChargeCredit',
]);
export const POSTING_TYPES: readonly string[] = [
  'Invoice',
  'SalesReceipt',
  'CreditMemo',
  'RefundReceipt',
  'Payment',
  'Bill',
  'VendorCredit',
  'BillPayment',
  'Purchase',
  'CreditCardPayment',
  'Deposit',
  'Transfer',
  'JournalEntry',
  'InventoryAdjustment',
];

export function buildPosting(type: string, rec: Rec, ctx: PostingContext): Posting | undefined {
  if (NON_POSTING.has(type) || !BUILDERS[type]) return undefined;
  // A void keeps number and date and loses every effect.
  if (isVoided(rec)) return undefined;
  const draft = new Draft(type, rec, ctx);
  BUILDERS[type](draft, rec);
  return draft.finish();
}

/** A void has no status field: note, zero amounts, zero quantities and no links tell it. */
export function isVoided(rec: Rec): boolean {
  return (
    typeof rec.PrivateNote === 'string' &&
    rec.PrivateNote.startsWith('Voided') &&
    cents(rec.TotalAmt ?? rec.Amount) === 0 &&
    arrayOf(rec.Line).every(
      (line) =>
        cents(line.Amount) === 0 &&
        arrayOf(line.LinkedTxn).length === 0 &&
        units(line.ItemAdjustmentLineDetail?.QtyDiff) === 0,
    )
  );
}

export function orderOf(id: string): number {
  const n = Number(id);
  return Number.isFinite(n) ? n : Number.MAX_SAFE_INTEGER;
}

type Name = string | undefined;

export class Draft {
  readonly lines: Line[] = [];
  movements: Movement[] | undefined;
  applications: Application[] | undefined;
  deposited: { type: string; id: string }[] | undefined;
  open: { control: 'AR' | 'AP'; line: Line[] } | undefined;
  heldIn: string | undefined;
  residual: Cents = 0;
  name: Name;
  /** The line in home currency is already final (cost of goods, payments at the document's rate). */
  private readonly fixed = new Set<Line>();
  readonly currency: string;
  readonly foreign: boolean;
  readonly rate: unknown;
  readonly ymd: number;
  readonly order: number;

  constructor(
    readonly type: string,
    readonly rec: Rec,
    readonly ctx: PostingContext,
    readonly id: string = textOf(rec.Id),
  ) {
    const home = ctx.company.homeCurrency();
    this.currency = rec.CurrencyRef?.value ? textOf(rec.CurrencyRef.value) : home;
    this.foreign = this.currency !== home;
    this.rate = this.foreign && isGiven(rec.ExchangeRate) && Number(rec.ExchangeRate) !== 0 ? rec.ExchangeRate : 1;
    this.ymd = ymdOf(rec.TxnDate ?? ctx.company.today());
    this.order = orderOf(this.id);
  }

  get department(): string | undefined {
    return refId(this.rec.DepartmentRef);
  }

  add(
    kind: LineKind,
    account: string,
    amount: Cents,
    more: {
      name?: Name;
      classId?: string;
      departmentId?: string;
      memo?: string;
      item?: string;
      quantity?: number;
    } = {},
  ): Line {
    const line = new Line(
      account,
      amount,
      amount,
      kind,
      'name' in more ? more.name : this.name,
      more.classId ?? refId(this.rec.ClassRef),
      more.departmentId ?? this.department,
      more.memo,
      more.item,
      more.quantity,
    );
    this.lines.push(line);
    return line;
  }

  /** A line whose home amount is known and not a product with the transaction's rate. */
  addHome(kind: LineKind, account: string, foreign: Cents, home: Cents, more: Parameters<Draft['add']>[3] = {}): Line {
    const line = this.add(kind, account, foreign, more);
    line.home = home;
    this.fixed.add(line);
    return line;
  }

  /** An income, expense or asset line moves stock: the pair that carries a computed cost follows it. */
  move(
    item: Rec,
    kind: MovementKind,
    quantity: number,
    value: Cents,
    accounts: { asset: string; cost: string },
    paired: boolean,
    more: Parameters<Draft['add']>[3] = {},
  ): void {
    const movement = new Movement(
      textOf(item.Id),
      kind,
      Math.abs(quantity),
      value,
      this.ymd,
      this.order,
      this.movements?.length ?? 0,
      this.type,
      this.id,
    );
    if (paired) {
      const extra = { ...more, item: textOf(item.Id), quantity };
      movement.costLine = this.addHome(LineKind.Cost, accounts.cost, 0, 0, extra);
      movement.assetLine = this.addHome(LineKind.Cost, accounts.asset, 0, 0, extra);
    }
    (this.movements ??= []).push(movement);
  }

  leaves(control: 'AR' | 'AP', line: Line): void {
    if (!this.open) this.open = { control, line: [line] };
    else if (this.open.control === control) this.open.line.push(line);
  }

  finish(): Posting | undefined {
    this.convert();
    if (this.lines.length === 0 && !this.applications && !this.deposited) return undefined;
    const { rec } = this;
    const sign = this.open?.control === 'AP' ? -1 : 1;
    let total = 0;
    let home = 0;
    for (const line of this.open?.line ?? []) {
      total = plus(total, sign * line.foreign);
      home = plus(home, sign * line.home);
    }
    const open: OpenAmount | undefined = this.open && {
      control: this.open.control,
      total: total || 0,
      home: home || 0,
    };
    return new Posting(
      this.type,
      this.id,
      this.order,
      this.ymd,
      this.currency,
      this.foreign,
      this.lines,
      this.movements,
      open,
      this.applications,
      this.deposited,
      typeof rec.DocNumber === 'string' ? rec.DocNumber : undefined,
      typeof rec.PrivateNote === 'string' ? rec.PrivateNote : undefined,
      labelOf(this.type, rec, this.ctx.company),
      this.name,
      this.heldIn,
      this.residual,
      rec.DueDate ? ymdOf(rec.DueDate) : 0,
      cents(rec.TotalAmt ?? rec.Amount),
    );
  }

  /** Home amounts: the source line is round2(total x rate), the others are rounded alone, the largest takes the rest. */
  private convert(): void {
    let home = 0;
    let foreign = 0;
    for (const line of this.lines) {
      if (this.foreign && !this.fixed.has(line)) line.home = times(line.foreign, this.rate);
      home = plus(home, line.home);
      foreign = plus(foreign, line.foreign);
    }
    if (home === 0) return;
    const candidates = this.lines.filter((line) => line.kind === LineKind.Detail && !this.fixed.has(line));
    if (this.foreign && foreign === 0 && candidates.length > 0 && this.ctx.switches.homeResidual === 'largest-line') {
      let largest = candidates[0];
      for (const line of candidates) if (Math.abs(line.foreign) > Math.abs(largest.foreign)) largest = line;
      largest.home = plus(largest.home, -home);
    } else if (this.foreign && foreign === 0) {
      this.addHome(LineKind.Exchange, this.ctx.account('ExchangeGainOrLoss'), 0, -home);
    }
  }
}

type Builder = (draft: Draft, rec: Rec) => void;

const BUILDERS: Readonly<Record<string, Builder>> = {
  Invoice: (d, rec) => {
    const total = cents(rec.TotalAmt);
    d.name = nameOf('Customer', rec.CustomerRef);
    const deposit = isGiven(rec.Deposit) ? cents(rec.Deposit) : 0;
    const receivable = refId(rec.ARAccountRef) ?? d.ctx.account('AccountsReceivable', d.currency);
    d.leaves('AR', d.add(LineKind.Source, receivable, total - deposit, { memo: note(rec) }));
    if (deposit !== 0) {
      d.heldIn = refId(rec.DepositToAccountRef) ?? d.ctx.account('UndepositedFunds');
      d.add(LineKind.Source, d.heldIn, deposit, { memo: note(rec) });
    }
    salesLines(d, rec, -1);
  },
  SalesReceipt: (d, rec) => {
    d.name = nameOf('Customer', rec.CustomerRef);
    d.heldIn = refId(rec.DepositToAccountRef) ?? d.ctx.account('UndepositedFunds');
    d.add(LineKind.Source, d.heldIn, cents(rec.TotalAmt), { memo: note(rec) });
    salesLines(d, rec, -1);
  },
  CreditMemo: (d, rec) => {
    d.name = nameOf('Customer', rec.CustomerRef);
    const receivable = refId(rec.ARAccountRef) ?? d.ctx.account('AccountsReceivable', d.currency);
    d.leaves('AR', d.add(LineKind.Source, receivable, -cents(rec.TotalAmt), { memo: note(rec) }));
    salesLines(d, rec, 1);
  },
  RefundReceipt: (d, rec) => {
    d.name = nameOf('Customer', rec.CustomerRef);
    d.heldIn = refId(rec.DepositToAccountRef) ?? d.ctx.account('UndepositedFunds');
    d.add(LineKind.Source, d.heldIn, -cents(rec.TotalAmt), { memo: note(rec) });
    salesLines(d, rec, 1);
  },
  Payment: (d, rec) => {
    d.name = nameOf('Customer', rec.CustomerRef);
    d.heldIn = refId(rec.DepositToAccountRef) ?? d.ctx.account('UndepositedFunds');
    const control = refId(rec.ARAccountRef) ?? d.ctx.account('AccountsReceivable', d.currency);
    payment(d, rec, d.heldIn, control, 1);
  },
  BillPayment: (d, rec) => {
    d.name = nameOf('Vendor', rec.VendorRef);
    const source = refId(rec.CreditCardPayment?.CCAccountRef) ?? refId(rec.CheckPayment?.BankAccountRef);
    d.heldIn = source;
    const control = payableOf(d, rec);
    payment(d, rec, source ?? d.ctx.account('UndepositedFunds'), control, -1);
  },
  Bill: (d, rec) => {
    d.name = nameOf('Vendor', rec.VendorRef);
    const payable = refId(rec.APAccountRef) ?? d.ctx.account('AccountsPayable', d.currency);
    d.leaves('AP', d.add(LineKind.Source, payable, -cents(rec.TotalAmt), { memo: note(rec) }));
    purchaseLines(d, rec, 1);
  },
  VendorCredit: (d, rec) => {
    d.name = nameOf('Vendor', rec.VendorRef);
    const payable = refId(rec.APAccountRef) ?? d.ctx.account('AccountsPayable', d.currency);
    d.leaves('AP', d.add(LineKind.Source, payable, cents(rec.TotalAmt), { memo: note(rec) }));
    purchaseLines(d, rec, -1);
  },
  Purchase: (d, rec) => {
    d.name = nameOf(entityType(rec.EntityRef?.type, 'Vendor'), rec.EntityRef);
    const sign = rec.Credit === true ? -1 : 1;
    d.heldIn = refId(rec.AccountRef);
    d.add(LineKind.Source, d.heldIn ?? d.ctx.account('UndepositedFunds'), -sign * cents(rec.TotalAmt), {
      memo: note(rec),
    });
    purchaseLines(d, rec, sign);
  },
  CreditCardPayment: (d, rec) => {
    d.name = nameOf('Vendor', rec.VendorRef);
    const amount = cents(rec.Amount);
    d.add(LineKind.Source, refId(rec.BankAccountRef) ?? d.ctx.account('UndepositedFunds'), -amount, {
      memo: note(rec),
    });
    d.add(LineKind.Detail, refId(rec.CreditCardAccountRef) ?? d.ctx.account('CreditCard'), amount, { memo: note(rec) });
  },
  Transfer: (d, rec) => {
    const amount = cents(rec.Amount);
    d.heldIn = refId(rec.ToAccountRef);
    d.add(LineKind.Source, refId(rec.FromAccountRef) ?? d.ctx.account('UndepositedFunds'), -amount, {
      memo: note(rec),
    });
    d.add(LineKind.Detail, d.heldIn ?? d.ctx.account('UndepositedFunds'), amount, { memo: note(rec) });
  },
  Deposit: deposit,
  JournalEntry: journalEntry,
  InventoryAdjustment: inventoryAdjustment,
};

// ------------------------------------------------------------------------------------------------------- sales forms

/** Detail, tax and hidden lines of a sales form; `sign` -1 credits income (invoice), +1 debits it (credit memo). */
function salesLines(d: Draft, rec: Rec, sign: 1 | -1): void {
  let sum = 0;
  let subTotal: Cents | undefined;
  const each = (line: Rec): void => {
    if (line.DetailType === 'GroupLineDetail') {
      for (const nested of arrayOf(line.GroupLineDetail?.Line)) each(nested);
    } else if (line.DetailType === 'SubTotalLineDetail') subTotal ??= cents(line.Amount);
    else if (line.DetailType === 'DiscountLineDetail') {
      const amount = isGiven(line.Amount)
        ? cents(line.Amount)
        : percentOf(subTotal ?? sum, line.DiscountLineDetail?.DiscountPercent);
      sum = plus(sum, -amount);
      d.add(LineKind.Detail, discountAccount(d, line.DiscountLineDetail), -sign * amount, {
        memo: line.Description ?? note(rec),
        classId: refId(line.DiscountLineDetail?.ClassRef),
      });
    } else if (line.DetailType === 'SalesItemLineDetail') sum = plus(sum, salesLine(d, rec, line, sign));
  };
  for (const line of arrayOf(rec.Line)) each(line);
  const tax = taxLines(d, rec, sign);
  // Lines made from delayed charges are missing from `Line` but post: the total tells how much.
  const hidden = cents(rec.TotalAmt) - sum - tax;
  if (hidden !== 0) {
    const charge = arrayOf(rec.LinkedTxn)
      .filter((link) => link.TxnType === 'StatementCharge' || link.TxnType === 'ChargeCredit')
      .map((link) => d.ctx.delayedCharge(textOf(link.TxnId)))
      .find((found) => found !== undefined);
    if (!charge) d.residual = hidden;
    d.add(LineKind.Residual, charge?.account ?? defaultSalesAccount(d), sign * hidden, { memo: note(rec) });
  }
}

function salesLine(d: Draft, rec: Rec, line: Rec, sign: 1 | -1): Cents {
  const detail: Rec = line.SalesItemLineDetail ?? {};
  const itemId = refId(detail.ItemRef);
  const stored = refId(detail.ItemAccountRef);
  if (itemId === undefined && stored === undefined) return 0; // documentation
  const amount = isGiven(line.Amount) ? cents(line.Amount) : product(detail.Qty, detail.UnitPrice);
  const item = itemId === undefined ? undefined : d.ctx.company.get('Item', itemId);
  const more = {
    classId: refId(detail.ClassRef),
    memo: line.Description ?? note(rec),
    item: itemId,
    quantity: isGiven(detail.Qty) ? units(detail.Qty) : undefined,
  };
  const account = stored ?? specialAccount(d, itemId) ?? refId(item?.IncomeAccountRef) ?? defaultSalesAccount(d);
  if (amount !== 0) d.add(LineKind.Detail, account, sign * amount, more);
  if (item && movesStock(d, item) && more.quantity) {
    const outbound = sign < 0 === more.quantity > 0;
    const accounts = {
      asset: refId(item.AssetAccountRef) ?? d.ctx.account('Inventory'),
      cost: refId(item.ExpenseAccountRef) ?? d.ctx.account('SuppliesMaterialsCogs'),
    };
    d.move(item, outbound ? 'sale' : 'return', more.quantity, 0, accounts, true, {
      classId: more.classId,
      memo: more.memo,
    });
  }
  return amount;
}

function specialAccount(d: Draft, itemId: string | undefined): string | undefined {
  if (itemId !== 'SHIPPING_ITEM_ID' && itemId !== 'GRATUITY_ITEM_ID') return undefined;
  const forms = d.ctx.company.preferences().SalesFormsPrefs ?? {};
  const preferred = itemId === 'SHIPPING_ITEM_ID' ? forms.DefaultShippingAccount : forms.DefaultTipsAccount;
  const id = typeof preferred === 'object' ? refId(preferred) : preferred;
  return typeof id === 'string' && d.ctx.company.get('Account', id) ? id : undefined;
}

function defaultSalesAccount(d: Draft): string {
  const { company } = d.ctx;
  const preferred = company.preferences().SalesFormsPrefs?.DefaultItem;
  const itemId = typeof preferred === 'object' ? refId(preferred) : preferred;
  const account = itemId ? refId(company.get('Item', textOf(itemId))?.IncomeAccountRef) : undefined;
  return account ?? d.ctx.account('UncategorizedIncome');
}

function discountAccount(d: Draft, detail: Rec | undefined): string {
  const given = refId(detail?.DiscountAccountRef);
  if (given) return given;
  const preferred = d.ctx.company.preferences().SalesFormsPrefs?.DefaultDiscountAccount;
  const id = typeof preferred === 'object' ? refId(preferred) : preferred;
  if (typeof id === 'string' && d.ctx.company.get('Account', id)) return id;
  return d.ctx.account('DiscountsRefundsGiven');
}

/** One ledger line per tax line, on the agency's payable account; answers the tax of the document. */
function taxLines(d: Draft, rec: Rec, sign: 1 | -1): Cents {
  const detail: Rec = rec.TxnTaxDetail ?? {};
  const lines = arrayOf(detail.TaxLine);
  let sum = 0;
  for (const line of lines) {
    const amount = cents(line.Amount);
    sum = plus(sum, amount);
    if (amount === 0) continue;
    const rateId = refId(line.TaxLineDetail?.TaxRateRef);
    d.add(LineKind.Tax, d.ctx.agencyPayable(rateId), sign * amount, { memo: note(rec) });
  }
  const total = isGiven(detail.TotalTax) ? cents(detail.TotalTax) : sum;
  if (total !== sum) d.add(LineKind.Tax, d.ctx.agencyPayable(undefined), sign * (total - sum), { memo: note(rec) });
  return total;
}

// ---------------------------------------------------------------------------------------------------------- payments

/** Receives or pays money against documents. `direction` +1: bank debited, A/R credited; -1: the mirror for bills. */
function payment(d: Draft, rec: Rec, bank: string, control: string, direction: 1 | -1): void {
  const total = cents(rec.TotalAmt);
  for (const line of arrayOf(rec.Line)) {
    const link = arrayOf(line.LinkedTxn)[0];
    if (!link?.TxnId) continue;
    (d.applications ??= []).push({
      type: linkedType(textOf(link.TxnType)),
      id: textOf(link.TxnId),
      amount: cents(line.Amount),
    });
  }
  if (total !== 0) d.add(LineKind.Source, bank, direction * total, { memo: note(rec) });
  const kind = direction > 0 ? 'AR' : 'AP';
  if (!d.foreign) {
    if (total !== 0) d.leaves(kind, d.add(LineKind.Detail, control, -direction * total, { memo: note(rec) }));
    return;
  }
  // Each document is relieved at its own rate, the bank at the payment's; the difference is realised.
  const memo = note(rec);
  let left = total;
  let gain = 0;
  for (const application of d.applications ?? []) {
    const sign = d.ctx.linkSign(application.type, application.id);
    const atPayment = times(application.amount, d.rate);
    const cleared = d.ctx.clearedHome(application.type, application.id, d.type, d.id) ?? atPayment;
    left = plus(left, -sign * application.amount);
    d.leaves(
      kind,
      d.addHome(LineKind.Detail, control, -direction * sign * application.amount, -direction * sign * cleared, {
        memo,
      }),
    );
    if (total === 0) continue;
    const difference = sign * (atPayment - cleared);
    gain = plus(gain, difference);
    if (difference !== 0) {
      d.addHome(LineKind.Exchange, d.ctx.account('ExchangeGainOrLoss'), 0, -direction * difference, { memo });
    }
  }
  if (left !== 0)
    d.leaves(kind, d.addHome(LineKind.Detail, control, -direction * left, -direction * times(left, d.rate), { memo }));
  // Rounding of the parts against the rounded total, and everything for a zero payment, whose own rate means nothing.
  let rest = times(total, d.rate) * direction;
  for (const line of d.lines) if (line.kind !== LineKind.Source) rest = plus(rest, line.home);
  if (rest !== 0) {
    const last = d.lines.findLast((line) => line.kind === LineKind.Exchange);
    if (last) last.home = plus(last.home, -rest);
    else d.addHome(LineKind.Exchange, d.ctx.account('ExchangeGainOrLoss'), 0, -rest, { memo });
  }
}

/** The A/P account of a bill payment is that of the bill. */
function payableOf(d: Draft, rec: Rec): string {
  for (const line of arrayOf(rec.Line)) {
    const link = arrayOf(line.LinkedTxn)[0];
    if (!link?.TxnId) continue;
    const account = refId(d.ctx.company.get(linkedType(textOf(link.TxnType)), textOf(link.TxnId))?.APAccountRef);
    if (account) return account;
  }
  return refId(rec.APAccountRef) ?? d.ctx.account('AccountsPayable', d.currency);
}

// ---------------------------------------------------------------------------------------------------- purchase forms

/** Detail and tax lines of a purchase form; `sign` +1 debits the expense (bill), -1 credits it (vendor credit). */
function purchaseLines(d: Draft, rec: Rec, sign: 1 | -1): void {
  let sum = 0;
  for (const line of arrayOf(rec.Line)) {
    if (line.DetailType === 'AccountBasedExpenseLineDetail') {
      const detail: Rec = line.AccountBasedExpenseLineDetail ?? {};
      const amount = cents(line.Amount);
      const account = refId(detail.AccountRef) ?? d.ctx.account('UncategorizedExpense');
      sum = plus(sum, amount);
      if (amount !== 0)
        controlAware(d, account, sign * amount, detail, {
          classId: refId(detail.ClassRef),
          memo: line.Description ?? note(rec),
        });
    } else if (line.DetailType === 'ItemBasedExpenseLineDetail') sum = plus(sum, purchasedItem(d, rec, line, sign));
  }
  const tax = taxLines(d, rec, sign);
  const rest = cents(rec.TotalAmt) - sum - tax;
  if (rest !== 0) {
    d.residual = rest;
    d.add(LineKind.Residual, d.ctx.account('UncategorizedExpense'), sign * rest, { memo: note(rec) });
  }
}

/** An expense line on A/R or A/P enters the balance of the name it carries. */
function controlAware(d: Draft, account: string, amount: Cents, detail: Rec, more: Parameters<Draft['add']>[3]): void {
  const type = d.ctx.company.get('Account', account)?.AccountType;
  if (type === 'Accounts Receivable') {
    const name = refId(detail.CustomerRef) ? nameOf('Customer', detail.CustomerRef) : d.name;
    d.leaves('AR', d.add(LineKind.Detail, account, amount, { ...more, name }));
  } else if (type === 'Accounts Payable') {
    const line = d.add(LineKind.Detail, account, amount, more);
    // A bill's own payable is what it leaves open; a line on A/P there belongs to the same vendor and counts with it.
    d.leaves('AP', line);
  } else d.add(LineKind.Detail, account, amount, more);
}

function purchasedItem(d: Draft, rec: Rec, line: Rec, sign: 1 | -1): Cents {
  const detail: Rec = line.ItemBasedExpenseLineDetail ?? {};
  const itemId = refId(detail.ItemRef);
  const item = itemId === undefined ? undefined : d.ctx.company.get('Item', itemId);
  const amount = isGiven(line.Amount) ? cents(line.Amount) : product(detail.Qty, detail.UnitPrice);
  const quantity = isGiven(detail.Qty) ? units(detail.Qty) : 0;
  const more = { classId: refId(detail.ClassRef), memo: line.Description ?? note(rec), item: itemId, quantity };
  const asset = refId(item?.AssetAccountRef) ?? undefined;
  if (item && movesStock(d, item) && quantity !== 0) {
    const account = asset ?? d.ctx.account('Inventory');
    const cost = refId(item.ExpenseAccountRef) ?? d.ctx.account('SuppliesMaterialsCogs');
    const booked = d.add(LineKind.Detail, account, sign * amount, more);
    const home = d.foreign ? times(Math.abs(amount), d.rate) : Math.abs(amount);
    if (d.foreign) booked.home = sign * times(amount, d.rate);
    const inbound = sign > 0 === quantity > 0;
    d.move(item, inbound ? 'purchase' : 'vendor-credit', quantity, home, { asset: account, cost }, !inbound, more);
    return amount;
  }
  const account =
    (item && isInventory(item) ? refId(item.ExpenseAccountRef) : undefined) ??
    refId(item?.ExpenseAccountRef) ??
    refId(item?.IncomeAccountRef) ??
    d.ctx.account('UncategorizedExpense');
  if (amount !== 0) d.add(LineKind.Detail, account, sign * amount, more);
  return amount;
}

function isInventory(item: Rec): boolean {
  return item.Type === 'Inventory';
}

/** Only lines dated on or after the item's start date move stock. */
function movesStock(d: Draft, item: Rec): boolean {
  return isInventory(item) && d.ymd >= ymdOf(item.InvStartDate ?? '0001-01-01');
}

// ---------------------------------------------------------------------------------------------------- bank and ledger

function deposit(d: Draft, rec: Rec): void {
  const target = refId(rec.DepositToAccountRef) ?? d.ctx.account('UndepositedFunds');
  const source = d.add(LineKind.Source, target, cents(rec.TotalAmt), { memo: note(rec), name: undefined });
  const back = cents(rec.CashBack?.Amount);
  if (back !== 0) {
    const account = refId(rec.CashBack.AccountRef) ?? d.ctx.account('UncategorizedExpense');
    d.add(LineKind.Source, account, back, { memo: rec.CashBack.Memo ?? note(rec), name: undefined });
  }
  let sum = 0;
  for (const line of arrayOf(rec.Line)) {
    const detail: Rec = line.DepositLineDetail ?? {};
    const amount = cents(line.Amount);
    sum = plus(sum, amount);
    const link = arrayOf(line.LinkedTxn)[0];
    const memo = line.Description ?? note(rec);
    if (link?.TxnId) {
      const type = linkedType(textOf(link.TxnType));
      const id = textOf(link.TxnId);
      (d.deposited ??= []).push({ type, id });
      const held = d.ctx.posting(type, id);
      // What the deposit picks up leaves the account that held it; unknown documents sat in Undeposited Funds.
      const account = held?.heldIn ?? d.ctx.account('UndepositedFunds');
      d.add(LineKind.Detail, account, -amount, { memo, name: held?.name, classId: refId(detail.ClassRef) });
      continue;
    }
    const account = refId(detail.AccountRef) ?? d.ctx.account('UncategorizedIncome');
    const entity: Rec | undefined = detail.Entity;
    const name = nameOf(entityType(entity?.type ?? entity?.Type, 'Customer'), entity?.EntityRef ?? entity);
    const type = d.ctx.company.get('Account', account)?.AccountType;
    const booked = d.add(LineKind.Detail, account, -amount, { memo, name, classId: refId(detail.ClassRef) });
    if (type === 'Accounts Receivable') d.leaves('AR', booked);
    else if (type === 'Accounts Payable') d.leaves('AP', booked);
  }
  const tax = taxLines(d, rec, -1);
  const rest = cents(rec.TotalAmt) + back - sum - tax;
  if (rest !== 0) {
    d.residual = rest;
    d.add(LineKind.Residual, d.ctx.account('UncategorizedIncome'), -rest, { memo: note(rec) });
  }
  if (source.foreign === 0 && d.lines.length === 1) d.lines.length = 0;
}

function journalEntry(d: Draft, rec: Rec): void {
  let sum = 0;
  for (const line of arrayOf(rec.Line)) {
    const detail: Rec | undefined = line.JournalEntryLineDetail;
    if (!detail) continue;
    const amount = detail.PostingType === 'Credit' ? -cents(line.Amount) : cents(line.Amount);
    sum = plus(sum, amount);
    if (amount === 0) continue;
    const account = refId(detail.AccountRef) ?? d.ctx.account('UncategorizedExpense');
    const entity: Rec = detail.Entity ?? {};
    const name = nameOf(entityType(entity.Type ?? entity.type ?? entity.EntityRef?.type, 'Customer'), entity.EntityRef);
    const more = {
      name,
      classId: refId(detail.ClassRef),
      departmentId: refId(detail.DepartmentRef),
      memo: line.Description ?? note(rec),
    };
    // A home currency adjustment moves the home value only; what the account holds in its own currency stays.
    const booked =
      rec.HomeCurrencyAdjustment === true
        ? d.addHome(LineKind.Detail, account, 0, amount, more)
        : d.add(LineKind.Detail, account, amount, more);
    const type = d.ctx.company.get('Account', account)?.AccountType;
    if (type === 'Accounts Receivable') d.leaves('AR', booked);
    else if (type === 'Accounts Payable') d.leaves('AP', booked);
    else if (type === 'Other Current Asset' && amount > 0 && account === d.ctx.account('UndepositedFunds'))
      d.heldIn = account;
  }
  for (const line of arrayOf(rec.TxnTaxDetail?.TaxLine)) {
    const amount = cents(line.Amount);
    sum = plus(sum, amount);
    if (amount !== 0)
      d.add(LineKind.Tax, d.ctx.agencyPayable(refId(line.TaxLineDetail?.TaxRateRef)), amount, {
        memo: note(rec),
        name: undefined,
      });
  }
  if (sum !== 0) {
    d.residual = -sum;
    d.add(LineKind.Residual, d.ctx.account('OpeningBalanceEquity'), -sum, { memo: note(rec), name: undefined });
  }
}

function inventoryAdjustment(d: Draft, rec: Rec): void {
  const adjust = refId(rec.AdjustAccountRef) ?? d.ctx.account('SuppliesMaterialsCogs');
  for (const line of arrayOf(rec.Line)) {
    const detail: Rec = line.ItemAdjustmentLineDetail ?? line[textOf(line.DetailType)] ?? {};
    const itemId = refId(detail.ItemRef);
    const item = itemId === undefined ? undefined : d.ctx.company.get('Item', itemId);
    const quantity = units(detail.QtyDiff);
    if (!item || !movesStock(d, item) || quantity === 0) continue;
    const accounts = { asset: refId(item.AssetAccountRef) ?? d.ctx.account('Inventory'), cost: adjust };
    const value = quantity > 0 ? product(detail.QtyDiff, item.PurchaseCost) : 0;
    d.move(item, quantity > 0 ? 'adjust-in' : 'adjust-out', quantity, value, accounts, true, {
      memo: line.Description ?? note(rec),
      classId: refId(detail.ClassRef),
    });
  }
}

// --------------------------------------------------------------------------------------------------------- small reads

export function refId(ref: unknown): string | undefined {
  if (ref === null || typeof ref !== 'object') return undefined;
  const value = (ref as Rec).value;
  return value === undefined || value === null || value === '' ? undefined : textOf(value);
}

export function arrayOf(value: unknown): Rec[] {
  return Array.isArray(value) ? (value as Rec[]).filter((entry) => entry !== null && typeof entry === 'object') : [];
}

function note(rec: Rec): string | undefined {
  return typeof rec.PrivateNote === 'string' && rec.PrivateNote !== '' ? rec.PrivateNote : undefined;
}

function nameOf(type: string, ref: unknown): string | undefined {
  const id = refId(ref);
  return id === undefined ? undefined : `${type}:${id}`;
}

/** The three shapes of a name reference spell its type differently: `Vendor`, `VENDOR`, `vendor`. */
function entityType(type: unknown, fallback: string): string {
  switch (textOf(type ?? '').toLowerCase()) {
    case 'customer':
    case 'job':
      return 'Customer';
    case 'vendor':
      return 'Vendor';
    case 'employee':
      return 'Employee';
    default:
      return fallback;
  }
}

export function labelOf(type: string, rec: Rec, company: CompanyView): string {
  switch (type) {
    case 'CreditMemo':
      return 'Credit Memo';
    case 'SalesReceipt':
      return 'Sales Receipt';
    case 'RefundReceipt':
      return 'Refund';
    case 'BillPayment':
      return rec.PayType === 'CreditCard' ? 'Bill Payment (Credit Card)' : 'Bill Payment (Check)';
    case 'Purchase': {
      if (rec.PaymentType === 'Check') return 'Check';
      if (rec.PaymentType === 'CreditCard') return rec.Credit === true ? 'Credit Card Credit' : 'Credit Card Expense';
      const account = company.get('Account', refId(rec.AccountRef) ?? '');
      return account?.AccountSubType === 'CashOnHand' ? 'Cash Expense' : 'Expense';
    }
    case 'CreditCardPayment':
      return 'Credit Card Payment';
    case 'JournalEntry':
      return 'Journal Entry';
    case 'VendorCredit':
      return 'Vendor Credit';
    case 'InventoryAdjustment':
      return 'Inventory Qty Adjust';
    case 'InventoryStartingValue':
      return 'Inventory Starting Value';
    case 'SalesTaxPayment':
      return 'Sales Tax Payment';
    case 'SalesTaxAdjustment':
      return 'Sales Tax Adjustment';
    case 'PurchaseOrder':
      return 'Purchase Order';
    case 'TimeActivity':
      return 'Time Activity';
    default:
      return type;
  }
}
