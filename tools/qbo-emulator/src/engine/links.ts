// Linked transactions: who owns a link, what it does to the other side, and which links are refused (qbo-api.md 12).
// The owner's record holds the link; the other side's header shows it and is derived from the index below.
import { Decimal } from 'decimal.js';
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { badReference, business, refusal, requiredMissing } from './refusals.js';

export interface Link {
  /** Entity type of the target. */
  readonly type: string;
  readonly id: string;
  /** The word the owner's LinkedTxn used. */
  readonly label: string;
  readonly lineId?: string;
  readonly amount?: number;
  readonly place: 'header' | 'line';
}

const ENTITY_OF_LABEL: Record<string, string> = {
  Expense: 'Purchase',
  Check: 'Purchase',
  CashPurchase: 'Purchase',
  CreditCardCredit: 'Purchase',
  CreditCardExpense: 'Purchase',
  BillPaymentCheck: 'BillPayment',
  BillPaymentCreditCard: 'BillPayment',
  ReceivePayment: 'Payment',
};

export function entityOfLabel(label: string): string {
  return ENTITY_OF_LABEL[label] ?? label;
}

interface LinkEffect {
  /** What the target's header shows; absent when nothing is shown. */
  readonly back?: string;
  /** Moves neither SyncToken nor LastUpdatedTime of the target. */
  readonly silent?: boolean;
  readonly bumpToken?: boolean;
  /** The link settles an open amount, so it may not exceed it. */
  readonly settles?: boolean;
  readonly onLink?: (target: Rec, owner: Rec, company: Company) => void;
  readonly onUnlink?: (target: Rec, owner: Rec, company: Company) => void;
}

/** Every link a client may write, keyed `owner>target`. What is not here is refused with 620, or dropped (see below). */
const EFFECTS: Readonly<Record<string, LinkEffect>> = {
  'Payment>Invoice': { back: 'Payment', bumpToken: true, settles: true },
  'Payment>CreditMemo': { bumpToken: true, settles: true },
  'Payment>JournalEntry': { back: 'Payment', bumpToken: true },
  'Payment>Purchase': { bumpToken: true },
  'BillPayment>Bill': { back: 'BillPaymentCheck', bumpToken: true, settles: true },
  'BillPayment>VendorCredit': { back: 'BillPayment', bumpToken: true, settles: true },
  'BillPayment>JournalEntry': { back: 'BillPayment', bumpToken: true },
  'BillPayment>Deposit': { bumpToken: true },
  'Deposit>Payment': { back: 'Deposit', silent: true },
  'Deposit>SalesReceipt': { back: 'Deposit', silent: true },
  'Deposit>RefundReceipt': { silent: true },
  'Deposit>JournalEntry': { silent: true },
  'Deposit>Transfer': { silent: true },
  'Deposit>BillPayment': { silent: true },
  'Deposit>Purchase': { silent: true },
  'Invoice>Estimate': {
    back: 'Invoice',
    onLink: (estimate) => void (estimate['TxnStatus'] = 'Closed'),
    onUnlink: (estimate) => void (estimate['TxnStatus'] = 'Pending'),
  },
  'SalesReceipt>Estimate': {
    back: 'SalesReceipt',
    onLink: (estimate) => void (estimate['TxnStatus'] = 'Closed'),
    onUnlink: (estimate) => void (estimate['TxnStatus'] = 'Pending'),
  },
  'Invoice>TimeActivity': {
    bumpToken: true,
    onLink: (activity) => void (activity['BillableStatus'] = 'HasBeenBilled'),
    onUnlink: (activity) => void (activity['BillableStatus'] = 'Billable'),
  },
  'Invoice>ReimburseCharge': {
    back: 'Invoice',
    bumpToken: true,
    onLink: (charge) => void (charge['HasBeenInvoiced'] = true),
    onUnlink: (charge) => void (charge['HasBeenInvoiced'] = false),
  },
  'Bill>PurchaseOrder': { back: 'Bill', bumpToken: true, onLink: receiveOrder, onUnlink: receiveOrder },
  'Purchase>PurchaseOrder': { back: 'Purchase', bumpToken: true, onLink: receiveOrder, onUnlink: receiveOrder },
};

/** These show an empty list; bills, payments and credit memos show none at all (qbo-api.md 2.9). */
const KEEPS_EMPTY = new Set(['Invoice', 'PurchaseOrder']);
/** Types whose own links are written by clients; all other header links are shown, not sent. */
const OWNERS = new Set(['Payment', 'BillPayment', 'Deposit', 'Invoice', 'SalesReceipt', 'Bill', 'Purchase']);
/** Links another object owns: echoed by clients that write back what they read, and not theirs to change. */
const DERIVED_LABELS: Record<string, ReadonlySet<string>> = {
  Invoice: new Set(['Payment', 'StatementCharge', 'ChargeCredit']),
  Bill: new Set(['BillPaymentCheck', 'BillPayment', 'BillPaymentCreditCard', 'ReimburseCharge', 'BillableExpense']),
  SalesReceipt: new Set(['Deposit']),
  Purchase: new Set(['ReimburseCharge', 'Payment']),
  Deposit: new Set(),
};

export function linksOf(entity: string, rec: Rec): Link[] {
  if (!OWNERS.has(entity)) return [];
  const found: Link[] = [];
  const derived = DERIVED_LABELS[entity];
  const take = (linked: Rec, place: Link['place'], amount?: number): void => {
    const label = String(linked['TxnType'] ?? '');
    if (derived?.has(label)) return;
    found.push({
      type: entityOfLabel(label),
      id: String(linked['TxnId']),
      label,
      place,
      ...(linked['TxnLineId'] !== undefined && { lineId: String(linked['TxnLineId']) }),
      ...(amount !== undefined && { amount }),
    });
  };
  if (entity !== 'Payment' && entity !== 'Deposit' && entity !== 'BillPayment') {
    for (const linked of (rec['LinkedTxn'] as Rec[] | undefined) ?? []) take(linked, 'header');
  }
  for (const line of (rec['Line'] as Rec[] | undefined) ?? []) {
    for (const linked of (line['LinkedTxn'] as Rec[] | undefined) ?? []) take(linked, 'line', line['Amount']);
  }
  return found;
}

/** Which records link to a record. Rebuilt from the owners whenever they are written. */
export class LinkIndex {
  private readonly owners = new Map<string, Set<string>>();

  replace(ownerType: string, ownerId: string, before: readonly Link[], after: readonly Link[]): void {
    const owner = `${ownerType}|${ownerId}`;
    for (const link of before) this.owners.get(`${link.type}|${link.id}`)?.delete(owner);
    for (const link of after) {
      const key = `${link.type}|${link.id}`;
      let set = this.owners.get(key);
      if (!set) this.owners.set(key, (set = new Set()));
      set.add(owner);
    }
  }

  of(type: string, id: string): { type: string; id: string }[] {
    return [...(this.owners.get(`${type}|${id}`) ?? [])].map((key) => {
      const at = key.indexOf('|');
      return { type: key.slice(0, at), id: key.slice(at + 1) };
    });
  }
}

/** Sent header links that the service owns are dropped, silently as the service does. In place; before `checkLinks`. */
export function dropForeignLinks(entity: string, rec: Rec, before: Rec | undefined): void {
  if (rec['LinkedTxn'] !== undefined) {
    const derived = DERIVED_LABELS[entity];
    const shown = ((before?.['LinkedTxn'] as Rec[] | undefined) ?? []).filter(
      (l) => !derived || derived.has(l['TxnType']),
    );
    const own = derived ? (rec['LinkedTxn'] as Rec[]).filter((l) => !derived.has(l['TxnType'])) : [];
    const kept = [...own, ...shown];
    if (kept.length > 0 || before?.['LinkedTxn'] || KEEPS_EMPTY.has(entity)) rec['LinkedTxn'] = kept;
    else delete rec['LinkedTxn'];
  }
  if (entity === 'BillPayment' && Array.isArray(rec['Line'])) {
    // Answers 200 and pays the bill from the bank instead (qbo-api.md 12).
    rec['Line'] = rec['Line'].filter((line: Rec) => {
      const labels = ((line['LinkedTxn'] as Rec[] | undefined) ?? []).map((l) => entityOfLabel(String(l['TxnType'])));
      return labels.length === 0 || labels.some((label) => label !== 'Purchase');
    });
  }
}

function sameParty(company: Company, field: 'CustomerRef' | 'VendorRef', owner: Rec, target: Rec): boolean {
  const mine = owner[field]?.value as string | undefined;
  const theirs = target[field]?.value as string | undefined;
  if (!mine || !theirs || mine === theirs) return true;
  return field === 'CustomerRef' && rootOf(company, mine) === rootOf(company, theirs);
}

function rootOf(company: Company, id: string): string {
  let at = id;
  for (let depth = 0; depth < 6; depth++) {
    const parent = company.get('Customer', at)?.['ParentRef']?.value as string | undefined;
    if (!parent) return at;
    at = parent;
  }
  return at;
}

/** Refuses links that cannot stand, before anything is changed. */
export function checkLinks(
  company: Company,
  index: LinkIndex,
  entity: string,
  rec: Rec,
  before: Rec | undefined,
): void {
  const links = linksOf(entity, rec);
  if (links.length === 0) return;
  const had = new Map<string, Decimal>();
  for (const link of before ? linksOf(entity, before) : []) {
    const key = `${link.type}|${link.id}`;
    had.set(key, (had.get(key) ?? new Decimal(0)).plus(link.amount ?? 0));
  }
  const applied = new Map<string, Decimal>();
  for (const link of links) {
    const key = `${link.type}|${link.id}`;
    const effect = EFFECTS[`${entity}>${link.type}`];
    if (!effect) {
      if (link.label === 'StatementCharge' && had.has(key)) continue;
      throw refusal(
        '620',
        `Transaction cannot be linked : ${entity} cannot link to ${link.label || 'nothing'}`,
        'LinkedTxn',
      );
    }
    const target = company.get(link.type, link.id);
    if (!target) throw badReference(link.label, link.id.slice(0, 40), 'TxnId');
    if (entity === 'Deposit' && link.lineId === undefined) throw requiredMissing('TxnLineId');
    if (!had.has(key)) checkFresh(company, index, entity, rec, link, target);
    if (effect.settles) {
      applied.set(key, (applied.get(key) ?? new Decimal(0)).plus(link.amount ?? 0));
      const open = new Decimal(company.ledger.openBalance(link.type, link.id)).plus(had.get(key) ?? 0);
      if (applied.get(key)!.greaterThan(open)) {
        throw business(
          `You can't apply more than the open balance of the ${link.label}. Amount ${applied.get(key)!.toString()} exceeds ${open.toString()} on TxnId=${link.id}`,
          'Line',
        );
      }
    }
  }
}

function checkFresh(company: Company, index: LinkIndex, entity: string, rec: Rec, link: Link, target: Rec): void {
  const cannot = (why: string) => refusal('620', `Transaction cannot be linked : ${why}`, 'LinkedTxn');
  if (entity === 'Payment' && !sameParty(company, 'CustomerRef', rec, target))
    throw cannot('it belongs to another customer');
  if (entity === 'BillPayment' && !sameParty(company, 'VendorRef', rec, target))
    throw cannot('it belongs to another vendor');
  const ownId = rec['Id'] as string | undefined;
  const others = index.of(link.type, link.id).filter((o) => o.id !== ownId);
  if (entity === 'Deposit') {
    if (others.some((o) => o.type === 'Deposit')) throw cannot('it is deposited already');
    const account = target['DepositToAccountRef']?.value as string | undefined;
    const undeposited = company.accountBySubType('UndepositedFunds')?.['Id'];
    if ((link.type === 'Payment' || link.type === 'SalesReceipt') && account !== undefined && account !== undeposited) {
      throw cannot('it was not posted to Undeposited Funds');
    }
  }
  if (link.type === 'Estimate') {
    if (others.length > 0 || target['TxnStatus'] === 'Closed') throw cannot('the estimate is closed');
    if (!sameParty(company, 'CustomerRef', rec, target)) throw cannot('it belongs to another customer');
  }
  if (link.type === 'PurchaseOrder') {
    if (target['POStatus'] === 'Closed') throw cannot('the purchase order is closed');
    if (!sameParty(company, 'VendorRef', rec, target)) throw cannot('it belongs to another vendor');
  }
}

/** Shows the links on the other side and reports which targets moved. Called after the owner is stored. */
export function settleLinks(
  company: Company,
  index: LinkIndex,
  entity: string,
  id: string,
  before: Rec | undefined,
  after: Rec | undefined,
): { type: string; id: string }[] {
  const old = before ? linksOf(entity, before) : [];
  const now = after ? linksOf(entity, after) : [];
  if (old.length === 0 && now.length === 0) return [];
  index.replace(entity, id, old, now);
  const owner = after ?? before!;
  const moved: { type: string; id: string }[] = [];
  const nowKeys = new Set(now.map((l) => `${l.type}|${l.id}`));
  const oldKeys = new Set(old.map((l) => `${l.type}|${l.id}`));
  const done = new Set<string>();
  for (const link of [...old, ...now]) {
    const key = `${link.type}|${link.id}`;
    if (done.has(key)) continue;
    done.add(key);
    const effect = EFFECTS[`${entity}>${link.type}`];
    const target = company.get(link.type, link.id);
    if (!effect || !target) continue;
    const gone = oldKeys.has(key) && !nowKeys.has(key);
    const fresh = nowKeys.has(key) && !oldKeys.has(key);
    if (gone || fresh) {
      if (effect.back) showLink(link.type, target, id, effect.back, fresh);
      if (fresh) effect.onLink?.(target, owner, company);
      else effect.onUnlink?.(target, owner, company);
      if (effect.silent) company.touchSilently(link.type, target);
      else if (!effect.settles) {
        company.touch(link.type, target, effect.bumpToken === true);
        moved.push({ type: link.type, id: link.id });
      } else company.touchSilently(link.type, target);
    }
  }
  return moved;
}

function showLink(targetType: string, target: Rec, ownerId: string, label: string, add: boolean): void {
  const others = ((target['LinkedTxn'] as Rec[] | undefined) ?? []).filter(
    (l) => l['TxnId'] !== ownerId || l['TxnType'] !== label,
  );
  if (add) others.push({ TxnId: ownerId, TxnType: label });
  target['LinkedTxn'] = others.length > 0 || KEEPS_EMPTY.has(targetType) ? others : undefined;
}

/** An order closes when every line is received; a link without a line receives the whole order. */
function receiveOrder(order: Rec, _owner: Rec, company: Company): void {
  const received = new Map<string, Decimal>();
  let whole = false;
  for (const shown of (order['LinkedTxn'] as Rec[] | undefined) ?? []) {
    const rec = company.get(entityOfLabel(shown['TxnType']), shown['TxnId']);
    if (!rec) continue;
    let byLine = false;
    for (const line of (rec['Line'] as Rec[] | undefined) ?? []) {
      for (const linked of (line['LinkedTxn'] as Rec[] | undefined) ?? []) {
        if (linked['TxnType'] !== 'PurchaseOrder' || linked['TxnId'] !== order['Id']) continue;
        byLine = true;
        const key = String(linked['TxnLineId'] ?? '');
        const amount = line['ItemBasedExpenseLineDetail']?.Qty ?? line['Amount'] ?? 0;
        received.set(key, (received.get(key) ?? new Decimal(0)).plus(amount));
      }
    }
    if (!byLine) whole = true;
  }
  let complete = true;
  for (const line of (order['Line'] as Rec[] | undefined) ?? []) {
    const item = line['ItemBasedExpenseLineDetail'];
    const wanted = new Decimal(item?.Qty ?? line['Amount'] ?? 0);
    const got = whole ? wanted : (received.get(String(line['Id'])) ?? new Decimal(0));
    if (item) line['Received'] = got.toNumber();
    if (got.lessThan(wanted)) complete = false;
  }
  order['POStatus'] = complete && (whole || received.size > 0) ? 'Closed' : 'Open';
}
