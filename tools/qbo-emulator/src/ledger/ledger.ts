// The double-entry ledger of one company, kept up to date write by write.
//
// What it holds: one posting per posting transaction; per account the sum and one bucket per day; per customer and vendor
// the sum on A/R and A/P; per item its FIFO stock; per document who pays it. A write replaces one posting: the old lines
// are taken out of the sums, the new ones put in. Two things reach further and are followed at once: a payment in foreign
// currency is relieved at the rate of the document it pays, and a bank deposit empties the account that held the money.
// So every sum is a function of the set of records, never of the order in which they came.
// Costs of back-dated inventory movements are recomputed when somebody reads (`settle`), or with the switch
// `costing: delayed` only on `settleCosts()`, as QBO books them minutes after the sale.
import type { CompanyView, Rec } from '../types.js';
import { cents, centsText, plus, share, tooLarge, units, unitsText, type Cents } from '../money/index.js';
import { switchesOf, type Switches } from '../tax/index.js';
import { arrayOf, buildPosting, Draft, orderOf, refId, type PostingContext } from './build-posting.js';
import { ItemStock, type Movement } from './fifo.js';
import type { Line, Posting } from './posting.js';
import { dateOf, keyOf, LineKind, linkedType, ymdOf } from './posting.js';
import { textOf } from '../text.js';

/** One posting line as the steering API shows it; debit and credit in home currency. */
export interface LedgerLine {
  txnType: string;
  txnId: string;
  date: string;
  accountId: string;
  debit: string;
  credit: string;
  foreignDebit?: string;
  foreignCredit?: string;
  currency: string;
  name?: { type: string; id: string };
  classId?: string;
  departmentId?: string;
  memo?: string;
  docNumber?: string;
}

/** Which derived values a write changed, so that the engine can put them on the records. */
export interface PostEffects {
  /** Accounts whose shown CurrentBalance moved (never P&L accounts or Retained Earnings). */
  accounts: string[];
  customers: string[];
  vendors: string[];
  items: string[];
  /** Documents whose open balance may have moved, the written one included. */
  documents: { type: string; id: string }[];
  /** Ancestors whose CurrentBalanceWithSubAccounts or BalanceWithJobs moved with them. */
  parentAccounts: string[];
  parentCustomers: string[];
}

/** A transaction that QBO makes or a person enters, but no entity of the API returns. */
export interface SystemTransaction {
  type:
    | 'InventoryStartingValue'
    | 'SalesTaxPayment'
    | 'SalesTaxAdjustment'
    | 'StatementCharge'
    | 'ChargeCredit'
    | 'Payroll';
  id: string;
  date: string;
  docNumber?: string;
  memo?: string;
  name?: { type: string; id: string };
  /** Ledger lines; amounts as decimal text or numbers. Must balance. */
  lines?: {
    accountId: string;
    debit?: string | number;
    credit?: string | number;
    memo?: string;
    name?: { type: string; id: string };
  }[];
  /** InventoryStartingValue: quantity and value of the item on its start date. */
  start?: { itemId: string; quantity: string | number; value: string | number };
  /** StatementCharge and ChargeCredit post nothing; an invoice that links them books its hidden line here. */
  charge?: { accountId: string; amount: string | number };
}

interface DayBucket {
  sum: Cents;
  lines: number;
}

export class AccountSums {
  home: Cents = 0;
  foreign: Cents = 0;
  lines = 0;
  readonly days = new Map<number, DayBucket>();
  /** Value of `shown` when the current write first touched it. */
  before: Cents = 0;
  touched = false;

  constructor(
    readonly id: string,
    readonly control: 'AR' | 'AP' | undefined,
    readonly currency: string | undefined,
    /** P&L accounts and Retained Earnings always show 0; an account may change its type. */
    public silent: boolean,
  ) {}

  get shown(): Cents {
    return this.silent ? 0 : this.currency === undefined ? this.home : this.foreign;
  }
}

class NameSums {
  home: Cents = 0;
  foreign: Cents = 0;
  before: Cents = 0;
  touched = false;
  /** Parent that this name's balance was last added to. */
  parent: string | undefined;
  /** Balances of all descendants. */
  below: Cents = 0;
  belowForeign: Cents = 0;

  constructor(
    readonly control: 'AR' | 'AP',
    readonly key: string,
  ) {}
}

interface Payer {
  readonly type: string;
  readonly id: string;
  amount: Cents;
  readonly ymd: number;
  readonly order: number;
}

const PROFIT_AND_LOSS = new Set(['Income', 'Other Income', 'Expense', 'Other Expense', 'Cost of Goods Sold']);

export function isProfitAndLoss(account: Rec | undefined): boolean {
  return PROFIT_AND_LOSS.has(account?.AccountType);
}

function isSilent(account: Rec | undefined): boolean {
  return isProfitAndLoss(account) || account?.AccountSubType === 'RetainedEarnings';
}

export class Ledger implements PostingContext {
  private readonly byType = new Map<string, Map<string, Posting>>();
  readonly accounts = new Map<string, AccountSums>();
  private readonly receivables = new Map<string, NameSums>();
  private readonly payables = new Map<string, NameSums>();
  private readonly stocks = new Map<string, ItemStock>();
  private readonly dirtyStocks = new Set<ItemStock>();
  /** Document -> payments applied to it. */
  private readonly payers = new Map<string, Payer[]>();
  /** Document -> bank deposits that picked it up. */
  private readonly depositedBy = new Map<string, string[]>();
  private readonly system = new Map<string, SystemTransaction>();
  private readonly defaults = new Map<string, string>();
  private touchedAccounts: AccountSums[] = [];
  private touchedNames: NameSums[] = [];
  /** The record being posted: the company may not have stored it yet. */
  private pending: { type: string; id: string; rec: Rec } | undefined;
  /**
   * Sum of the absolute amounts of all booked lines. While it is a safe integer, so is every sum of any of them: a
   * write that would pass the limit is refused before it changes anything, and no sum needs a check of its own.
   */
  private volume = 0;

  constructor(readonly company: CompanyView) {}

  get switches(): Switches {
    return switchesOf(this.company);
  }

  // ------------------------------------------------------------------------------------------------------------ writes

  /** (Re)posts a record: its old lines go, its new ones come. Voided and non-posting records end with no lines. */
  post(type: string, rec: Rec): PostEffects {
    const id = textOf(rec.Id);
    return this.effectsOf(type, id, () => {
      this.pending = { type, id, rec };
      this.replace(type, id, buildPosting(type, rec, this));
      this.pending = undefined;
    });
  }

  remove(type: string, id: string): PostEffects {
    return this.effectsOf(type, id, () => this.replace(type, id, undefined));
  }

  /** Posts what no entity carries: starting quantities, sales tax payments; remembers delayed charges. */
  postSystem(txn: SystemTransaction): PostEffects {
    this.system.set(keyOf(txn.type, txn.id), txn);
    return this.effectsOf(txn.type, txn.id, () => this.replace(txn.type, txn.id, this.systemPosting(txn)));
  }

  removeSystem(type: SystemTransaction['type'], id: string): PostEffects {
    this.system.delete(keyOf(type, id));
    return this.remove(type, id);
  }

  /** After a merge: system transactions that used the merged account, item or name move to the one that stays. */
  mergeInto(type: string, fromId: string, toId: string): SystemTransaction[] {
    const moved: SystemTransaction[] = [];
    for (const txn of [...this.system.values()]) {
      const text = JSON.stringify(txn);
      const same = (name?: { type: string; id: string }): boolean => name?.type === type && name.id === fromId;
      const next: SystemTransaction = JSON.parse(text) as SystemTransaction;
      for (const line of next.lines ?? []) {
        if (type === 'Account' && line.accountId === fromId) line.accountId = toId;
        if (same(line.name)) line.name = { type, id: toId };
      }
      if (type === 'Item' && next.start?.itemId === fromId) next.start.itemId = toId;
      if (type === 'Account' && next.charge?.accountId === fromId) next.charge.accountId = toId;
      if (same(next.name)) next.name = { type, id: toId };
      if (JSON.stringify(next) === text) continue;
      this.postSystem(next);
      moved.push(next);
    }
    return moved;
  }

  systemTransactions(): SystemTransaction[] {
    return [...this.system.values()];
  }

  /**
   * Starting quantities that explain the QtyOnHand of imported items: what the captured quantity has beyond the
   * movements of the captured documents, at the item's purchase cost. Posts nothing; the caller does.
   */
  missingStartingValues(): SystemTransaction[] {
    const found: SystemTransaction[] = [];
    for (const item of this.company.all('Item')) {
      if (item.Type !== 'Inventory' || item.QtyOnHand === undefined) continue;
      const missing = units(item.QtyOnHand) - (this.stocks.get(textOf(item.Id))?.units ?? 0);
      if (missing === 0) continue;
      const quantity = unitsText(missing);
      found.push({
        type: 'InventoryStartingValue',
        id: `start-${item.Id}`,
        date: textOf(item.InvStartDate ?? this.company.today()),
        docNumber: 'START',
        memo: `${item.Name} - Opening inventory and value`,
        start: { itemId: textOf(item.Id), quantity, value: centsText(share(cents(item.PurchaseCost), missing, 1e7)) },
      });
    }
    return found;
  }

  /** Tells that a customer or account may have a new parent, so that sums over descendants move with it. */
  listChanged(type: string, id: string): void {
    if (type === 'Customer') {
      const sums = this.receivables.get(keyOf('Customer', id));
      this.adopt(sums ?? this.nameSums('AR', keyOf('Customer', id)));
    }
  }

  /** With delayed costing: books the cost of goods sold of everything up to now; answers whether anything moved. */
  settleCosts(): boolean {
    const any = this.dirtyStocks.size > 0;
    this.settleStocks();
    return any;
  }

  // ------------------------------------------------------------------------------------------------------------- reads

  /** CurrentBalance as Account shows it: debit-positive, in the account's currency, 0 for P&L and Retained Earnings. */
  accountBalance(id: string): string {
    this.settle();
    return centsText(this.shownBalance(id));
  }

  private shownBalance(id: string): Cents {
    const sums = this.accounts.get(id);
    if (!sums) return 0;
    sums.silent = isSilent(this.company.get('Account', id));
    return sums.shown;
  }

  accountBalanceWithSubAccounts(id: string): string {
    this.settle();
    let sum = this.shownBalance(id);
    for (const account of this.company.all('Account')) {
      if (textOf(account.Id) === id || !this.isBelow(account, id)) continue;
      sum = plus(sum, this.shownBalance(textOf(account.Id)));
    }
    return centsText(sum);
  }

  customerBalance(id: string): string {
    return centsText(this.nameBalance('AR', keyOf('Customer', id)));
  }

  customerBalanceWithJobs(id: string): string {
    const key = keyOf('Customer', id);
    const sums = this.receivables.get(key);
    if (!sums) return '0.00';
    const foreign = this.isForeignName('Customer', id);
    return centsText(plus(this.nameBalance('AR', key), foreign ? sums.belowForeign : sums.below));
  }

  vendorBalance(id: string): string {
    return centsText(-this.nameBalance('AP', keyOf('Vendor', id)) || 0);
  }

  itemQuantity(id: string): string {
    return unitsText(this.stocks.get(id)?.units ?? 0);
  }

  /** Value of the remaining layers: what the item stands for on its asset account. */
  itemValue(id: string): string {
    this.settle();
    return centsText(this.stocks.get(id)?.value() ?? 0);
  }

  /** Invoice and Bill Balance, CreditMemo RemainingCredit, Payment UnappliedAmt; positive as QBO shows them. */
  openBalance(type: string, id: string): string {
    return centsText(this.openCents(type, id));
  }

  openCents(type: string, id: string): Cents {
    const posting = this.posting(type, id);
    if (!posting) return 0;
    if (type === 'Payment' || type === 'BillPayment') {
      let left = posting.total;
      for (const application of posting.applications ?? []) {
        // Money applied to a deleted or voided document is unapplied.
        if (!this.posting(application.type, application.id)) continue;
        left = plus(left, -this.linkSign(application.type, application.id) * application.amount);
      }
      return left;
    }
    if (!posting.open) return 0;
    let left = Math.abs(posting.open.total);
    for (const payer of this.payers.get(keyOf(type, id)) ?? []) left = plus(left, -payer.amount);
    // A credit form shows its remaining credit positive; only negative totals stay negative.
    return posting.open.total < 0 && isChargeForm(type) ? -left || 0 : left;
  }

  /** HomeBalance: what is left on A/R or A/P in home currency. */
  homeBalance(type: string, id: string): string {
    const posting = this.posting(type, id);
    if (!posting?.open) return '0.00';
    if (!posting.foreign) return this.openBalance(type, id);
    let left = Math.abs(posting.open.home);
    for (const payer of this.payers.get(keyOf(type, id)) ?? []) {
      left = plus(left, -(this.clearedHome(type, id, payer.type, payer.id) ?? 0));
    }
    return centsText(left);
  }

  /** Posting lines of one transaction, of a type, or of all; zero lines of unsettled costs are left out. */
  lines(filter: { type?: string; id?: string } = {}): LedgerLine[] {
    this.settle();
    const found: LedgerLine[] = [];
    for (const posting of this.postings(filter.type, filter.id)) {
      for (const line of posting.lines) {
        if (line.home === 0 && line.foreign === 0) continue;
        found.push(this.shownLine(posting, line));
      }
    }
    return found;
  }

  /**
   * Balance per account with postings; without `asof` over all dates. This is the ledger's own trial balance: it does
   * not close the fiscal year, the report of that name does.
   */
  trialBalance(asof?: string): { accountId: string; name: string; debit: string; credit: string }[] {
    this.settle();
    const until = asof === undefined ? undefined : ymdOf(asof);
    const rows: { accountId: string; name: string; debit: string; credit: string }[] = [];
    for (const sums of this.accounts.values()) {
      const { balance, lines } = this.balanceOf(sums, undefined, until);
      if (lines === 0) continue;
      const account = this.company.get('Account', sums.id);
      rows.push({
        accountId: sums.id,
        name: account?.FullyQualifiedName ?? sums.id,
        debit: balance > 0 ? centsText(balance) : '0.00',
        credit: balance < 0 ? centsText(-balance) : '0.00',
      });
    }
    return rows.sort((a, b) => orderOf(a.accountId) - orderOf(b.accountId));
  }

  /** Home balance and number of lines of an account between two days, both included. */
  balanceOf(sums: AccountSums, from: number | undefined, until: number | undefined): { balance: Cents; lines: number } {
    if (from === undefined && until === undefined) return { balance: sums.home, lines: sums.lines };
    let balance = 0;
    let lines = 0;
    for (const [ymd, bucket] of sums.days) {
      if ((from !== undefined && ymd < from) || (until !== undefined && ymd > until)) continue;
      balance = plus(balance, bucket.sum);
      lines += bucket.lines;
    }
    return { balance, lines };
  }

  *postings(type?: string, id?: string): Iterable<Posting> {
    if (type !== undefined && id !== undefined) {
      const posting = this.posting(type, id);
      if (posting) yield posting;
      return;
    }
    for (const [ofType, map] of this.byType) {
      if (type !== undefined && ofType !== type) continue;
      if (id === undefined) yield* map.values();
      else if (map.has(id)) yield map.get(id)!;
    }
  }

  stock(itemId: string): ItemStock | undefined {
    this.settle();
    return this.stocks.get(itemId);
  }

  stockItems(): string[] {
    return [...this.stocks.keys()];
  }

  payersOf(type: string, id: string): readonly { type: string; id: string; amount: Cents; ymd: number }[] {
    return this.payers.get(keyOf(type, id)) ?? [];
  }

  /** Brings costs up to date unless the company books them late. Every read that sees costs calls it. */
  settle(): void {
    if (this.dirtyStocks.size > 0 && this.switches.costing === 'immediate') this.settleStocks();
  }

  // --------------------------------------------------------------------------------------- what the posting rules ask

  posting(type: string, id: string): Posting | undefined {
    return this.byType.get(type)?.get(id);
  }

  account(subType: string, currency?: string): string {
    const key = currency === undefined ? subType : `${subType}/${currency}`;
    const known = this.defaults.get(key);
    if (known !== undefined && this.isUsable(known)) return known;
    const spec = DEFAULT_ACCOUNTS[subType];
    const foreign = currency !== undefined && currency !== this.company.homeCurrency();
    const found =
      (spec?.byName ? this.accountNamed(spec.name) : this.company.accountBySubType(subType, currency)) ??
      this.company.ensureAccount({
        name: foreign ? `${spec?.name ?? subType} - ${currency}` : (spec?.name ?? subType),
        type: spec?.type ?? 'Other Current Liability',
        subType: spec?.subType ?? subType,
        ...(foreign ? { currency } : {}),
      });
    this.defaults.set(key, textOf(found.Id));
    return textOf(found.Id);
  }

  /** A remembered default may have been merged away or made inactive since. */
  private isUsable(accountId: string): boolean {
    const account = this.company.get('Account', accountId);
    return account !== undefined && account.Active !== false;
  }

  private accountNamed(name: string): Rec | undefined {
    for (const account of this.company.all('Account'))
      if (account.Name === name && account.Active !== false) return account;
    return undefined;
  }

  agencyPayable(rateId: string | undefined): string {
    const key = `rate:${rateId ?? ''}`;
    const known = this.defaults.get(key);
    if (known !== undefined && this.isUsable(known)) return known;
    const rate = rateId === undefined ? undefined : this.company.get('TaxRate', rateId);
    const agency = rate?.AgencyRef ? this.company.get('TaxAgency', textOf(rate.AgencyRef.value)) : undefined;
    if (!agency) return this.account('SalesTaxPayable');
    const name = `${agency.DisplayName} Payable`;
    const account =
      this.accountNamed(name) ??
      this.company.ensureAccount({ name, type: 'Other Current Liability', subType: 'GlobalTaxPayable' });
    this.defaults.set(key, textOf(account.Id));
    return textOf(account.Id);
  }

  delayedCharge(id: string): { account: string } | undefined {
    const charge = this.system.get(keyOf('StatementCharge', id)) ?? this.system.get(keyOf('ChargeCredit', id));
    return charge?.charge ? { account: charge.charge.accountId } : undefined;
  }

  linkSign(type: string, id: string): 1 | -1 {
    if (type === 'CreditMemo' || type === 'VendorCredit') return -1;
    if (type === 'Invoice' || type === 'Bill') return 1;
    const open = this.posting(type, id)?.open;
    return open && open.total < 0 ? -1 : 1;
  }

  /** The document's home amount is released in proportion, payer after payer, so that full payment leaves nothing. */
  clearedHome(type: string, id: string, payerType: string, payerId: string): Cents | undefined {
    const open = this.posting(type, id)?.open;
    if (!open || open.total === 0) return undefined;
    let through = 0;
    let cleared = 0;
    for (const payer of this.payers.get(keyOf(type, id)) ?? []) {
      const before = share(Math.abs(open.home), through, Math.abs(open.total));
      through = plus(through, payer.amount);
      if (payer.type !== payerType || payer.id !== payerId) continue;
      cleared = plus(cleared, share(Math.abs(open.home), through, Math.abs(open.total)) - before);
    }
    return cleared;
  }

  // -------------------------------------------------------------------------------------------------------- bookkeeping

  private effectsOf(type: string, id: string, write: () => void): PostEffects {
    const items = new Set<string>();
    const documents = new Map<string, { type: string; id: string }>([[keyOf(type, id), { type, id }]]);
    const note = (posting: Posting | undefined): void => {
      for (const movement of posting?.movements ?? []) items.add(movement.item);
      for (const application of posting?.applications ?? []) {
        documents.set(keyOf(application.type, application.id), { type: application.type, id: application.id });
      }
    };
    note(this.posting(type, id));
    try {
      write();
    } catch (error) {
      this.forgetTouched();
      throw error;
    }
    note(this.posting(type, id));
    for (const payer of this.payers.get(keyOf(type, id)) ?? []) documents.set(keyOf(payer.type, payer.id), payer);
    if (items.size > 0) this.settle();
    const effects: PostEffects = {
      accounts: [],
      customers: [],
      vendors: [],
      items: [...items],
      documents: [...documents.values()].map((d) => ({ type: d.type, id: d.id })),
      parentAccounts: [],
      parentCustomers: [],
    };
    for (const sums of this.touchedAccounts) {
      if (sums.shown === sums.before) continue;
      effects.accounts.push(sums.id);
      for (const parent of this.ancestors('Account', sums.id)) {
        if (!effects.parentAccounts.includes(parent)) effects.parentAccounts.push(parent);
      }
    }
    for (const sums of this.touchedNames) {
      if (sums.home === sums.before) continue;
      const [kind, nameId] = splitKey(sums.key);
      if (sums.control === 'AR' && kind === 'Customer') {
        effects.customers.push(nameId);
        for (const parent of this.ancestors('Customer', nameId)) {
          if (!effects.parentCustomers.includes(parent)) effects.parentCustomers.push(parent);
        }
      } else if (sums.control === 'AP' && kind === 'Vendor') effects.vendors.push(nameId);
    }
    this.forgetTouched();
    return effects;
  }

  private forgetTouched(): void {
    for (const sums of this.touchedAccounts) sums.touched = false;
    for (const sums of this.touchedNames) sums.touched = false;
    this.touchedAccounts = [];
    this.touchedNames = [];
    this.pending = undefined;
  }

  private ancestors(type: string, id: string): string[] {
    const found: string[] = [];
    let parent = refId(this.company.get(type, id)?.ParentRef);
    while (parent !== undefined && found.length < 10 && !found.includes(parent)) {
      found.push(parent);
      parent = refId(this.company.get(type, parent)?.ParentRef);
    }
    return found;
  }

  private isBelow(account: Rec, ancestor: string): boolean {
    let parent = refId(account.ParentRef);
    for (let depth = 0; parent !== undefined && depth < 10; depth++) {
      if (parent === ancestor) return true;
      parent = refId(this.company.get('Account', parent)?.ParentRef);
    }
    return false;
  }

  private replace(type: string, id: string, fresh: Posting | undefined): void {
    const old = this.posting(type, id);
    // A foreign payment's share of a document depends on the whole queue of payers: link first, then build again.
    const foreignPayer = fresh?.foreign === true && fresh.applications !== undefined;
    if (fresh && this.volume - (old ? volumeOf(old) : 0) + volumeOf(fresh) > Number.MAX_SAFE_INTEGER) throw tooLarge();
    if (old) this.withdraw(old);
    if (fresh) {
      this.link(fresh);
      if (foreignPayer) fresh = this.rebuilt(type, id) ?? fresh;
      this.enter(fresh);
    }
    const key = keyOf(type, id);
    if (old === undefined || fresh === undefined || !sameFacts(old, fresh)) this.followDocument(key);
    if (foreignPayer || (old?.foreign && old.applications)) this.followOtherPayers(type, id, old, fresh);
  }

  private rebuilt(type: string, id: string): Posting | undefined {
    const own = this.pending?.type === type && this.pending.id === id ? this.pending.rec : undefined;
    const rec = own ?? this.company.get(type, id);
    return rec ? buildPosting(type, rec, this) : undefined;
  }

  /** Deposits that picked the document up and foreign payments that pay it are posted again on its new facts. */
  private followDocument(key: string): void {
    for (const depositId of this.depositedBy.get(key) ?? []) this.repost('Deposit', depositId);
    for (const payer of this.payers.get(key) ?? []) {
      if (this.posting(payer.type, payer.id)?.foreign) this.repost(payer.type, payer.id);
    }
  }

  private followOtherPayers(type: string, id: string, old: Posting | undefined, fresh: Posting | undefined): void {
    const seen = new Set<string>([keyOf(type, id)]);
    for (const application of [...(old?.applications ?? []), ...(fresh?.applications ?? [])]) {
      for (const payer of this.payers.get(keyOf(application.type, application.id)) ?? []) {
        const key = keyOf(payer.type, payer.id);
        if (seen.has(key)) continue;
        seen.add(key);
        this.repost(payer.type, payer.id);
      }
    }
  }

  private repost(type: string, id: string): void {
    const old = this.posting(type, id);
    const rec = this.company.get(type, id);
    if (!old || !rec) return;
    const fresh = buildPosting(type, rec, this);
    if (!fresh) return;
    this.withdraw(old);
    this.link(fresh);
    this.enter(fresh);
  }

  private enter(posting: Posting): void {
    let ofType = this.byType.get(posting.type);
    if (!ofType) this.byType.set(posting.type, (ofType = new Map()));
    ofType.set(posting.id, posting);
    this.volume += volumeOf(posting);
    for (const line of posting.lines) this.book(line, posting.ymd, 1);
    for (const movement of posting.movements ?? []) {
      let stock = this.stocks.get(movement.item);
      if (!stock) this.stocks.set(movement.item, (stock = new ItemStock(movement.item)));
      stock.add(movement);
      this.dirtyStocks.add(stock);
    }
  }

  private withdraw(posting: Posting): void {
    this.byType.get(posting.type)?.delete(posting.id);
    this.volume -= volumeOf(posting);
    for (const line of posting.lines) this.book(line, posting.ymd, -1);
    for (const movement of posting.movements ?? []) {
      const stock = this.stocks.get(movement.item);
      if (!stock) continue;
      stock.remove(movement);
      if (stock.movements.length === 0) {
        this.stocks.delete(movement.item);
        this.dirtyStocks.delete(stock);
      } else this.dirtyStocks.add(stock);
    }
    for (const application of posting.applications ?? []) {
      const key = keyOf(application.type, application.id);
      const rest = (this.payers.get(key) ?? []).filter((p) => p.type !== posting.type || p.id !== posting.id);
      if (rest.length > 0) this.payers.set(key, rest);
      else this.payers.delete(key);
    }
    for (const source of posting.deposited ?? []) {
      const key = keyOf(source.type, source.id);
      const rest = (this.depositedBy.get(key) ?? []).filter((id) => id !== posting.id);
      if (rest.length > 0) this.depositedBy.set(key, rest);
      else this.depositedBy.delete(key);
    }
  }

  private link(posting: Posting): void {
    for (const application of posting.applications ?? []) {
      const key = keyOf(application.type, application.id);
      const payer: Payer = {
        type: posting.type,
        id: posting.id,
        amount: application.amount,
        ymd: posting.ymd,
        order: posting.order,
      };
      const list = this.payers.get(key);
      if (!list) this.payers.set(key, [payer]);
      else {
        list.push(payer);
        // By date and id, never by arrival: the split of home amounts must not depend on the order of edits.
        list.sort((a, b) => a.ymd - b.ymd || a.order - b.order || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
      }
    }
    for (const source of posting.deposited ?? []) {
      const key = keyOf(source.type, source.id);
      const list = this.depositedBy.get(key);
      if (!list) this.depositedBy.set(key, [posting.id]);
      else if (!list.includes(posting.id)) list.push(posting.id);
    }
  }

  private sums(accountId: string): AccountSums {
    let sums = this.accounts.get(accountId);
    if (!sums) {
      const account = this.company.get('Account', accountId);
      const type = account?.AccountType;
      const currency = refId(account?.CurrencyRef);
      sums = new AccountSums(
        accountId,
        type === 'Accounts Receivable' ? 'AR' : type === 'Accounts Payable' ? 'AP' : undefined,
        currency !== undefined && currency !== this.company.homeCurrency() ? currency : undefined,
        isSilent(account),
      );
      this.accounts.set(accountId, sums);
    }
    return sums;
  }

  private book(line: Line, ymd: number, sign: 1 | -1): void {
    this.addTo(this.sums(line.account), ymd, sign * line.home, sign * line.foreign, sign, line.name);
  }

  private addTo(
    sums: AccountSums,
    ymd: number,
    home: Cents,
    foreign: Cents,
    lines: number,
    name: string | undefined,
  ): void {
    if (!sums.touched) {
      sums.touched = true;
      sums.silent = isSilent(this.company.get('Account', sums.id));
      sums.before = sums.shown;
      this.touchedAccounts.push(sums);
    }
    sums.home = plus(sums.home, home);
    sums.foreign = plus(sums.foreign, foreign);
    sums.lines += lines;
    const bucket = sums.days.get(ymd);
    if (!bucket) sums.days.set(ymd, { sum: home, lines });
    else {
      bucket.sum = plus(bucket.sum, home);
      bucket.lines += lines;
      if (bucket.lines === 0 && bucket.sum === 0) sums.days.delete(ymd);
    }
    if (sums.control !== undefined && name !== undefined)
      this.addToName(this.nameSums(sums.control, name), home, foreign);
  }

  private nameSums(control: 'AR' | 'AP', key: string): NameSums {
    const book = control === 'AR' ? this.receivables : this.payables;
    let sums = book.get(key);
    if (!sums) {
      book.set(key, (sums = new NameSums(control, key)));
      if (control === 'AR') sums.parent = this.parentOf(key);
    }
    return sums;
  }

  private addToName(sums: NameSums, home: Cents, foreign: Cents): void {
    if (!sums.touched) {
      sums.touched = true;
      sums.before = sums.home;
      this.touchedNames.push(sums);
    }
    sums.home = plus(sums.home, home);
    sums.foreign = plus(sums.foreign, foreign);
    if (sums.control === 'AR') {
      const moved = this.adopt(sums);
      if (!moved) this.addBelow(sums.parent, home, foreign);
    }
  }

  /** Follows a changed parent: takes the name's whole tree from the old ancestors to the new; true when it moved. */
  private adopt(sums: NameSums): boolean {
    const parent = this.parentOf(sums.key);
    if (parent === sums.parent) return false;
    const wasUnder = sums.parent;
    sums.parent = parent;
    this.recountBelow(wasUnder);
    this.recountBelow(parent);
    return true;
  }

  private parentOf(key: string): string | undefined {
    const [type, id] = splitKey(key);
    return type === 'Customer' ? refId(this.company.get('Customer', id)?.ParentRef) : undefined;
  }

  private addBelow(parent: string | undefined, home: Cents, foreign: Cents): void {
    for (let depth = 0; parent !== undefined && depth < 10; depth++) {
      const above = this.nameSums('AR', keyOf('Customer', parent));
      above.below = plus(above.below, home);
      above.belowForeign = plus(above.belowForeign, foreign);
      parent = above.parent;
    }
  }

  /** Sums below a customer and its ancestors, from the parents as remembered. Rare: only when a customer moves. */
  private recountBelow(start: string | undefined): void {
    let parent = start;
    for (let depth = 0; parent !== undefined && depth < 10; depth++) {
      const key = keyOf('Customer', parent);
      const above = this.nameSums('AR', key);
      let home = 0;
      let foreign = 0;
      for (const sums of this.receivables.values()) {
        if (sums.key === key || !this.remembersBelow(sums, parent)) continue;
        home = plus(home, sums.home);
        foreign = plus(foreign, sums.foreign);
      }
      above.below = home;
      above.belowForeign = foreign;
      parent = above.parent;
    }
  }

  private remembersBelow(sums: NameSums, ancestor: string): boolean {
    let parent = sums.parent;
    for (let depth = 0; parent !== undefined && depth < 10; depth++) {
      if (parent === ancestor) return true;
      parent = this.receivables.get(keyOf('Customer', parent))?.parent;
    }
    return false;
  }

  private nameBalance(control: 'AR' | 'AP', key: string): Cents {
    const sums = (control === 'AR' ? this.receivables : this.payables).get(key);
    if (!sums) return 0;
    const [type, id] = splitKey(key);
    return this.isForeignName(type, id) ? sums.foreign : sums.home;
  }

  private isForeignName(type: string, id: string): boolean {
    if (!this.company.multicurrency()) return false;
    const currency = refId(this.company.get(type, id)?.CurrencyRef);
    return currency !== undefined && currency !== this.company.homeCurrency();
  }

  private settleStocks(): void {
    for (const stock of this.dirtyStocks) stock.settle((movement) => this.bookCost(movement));
    this.dirtyStocks.clear();
  }

  /** Puts a movement's cost on its pair of lines; the sums follow by the difference. */
  private bookCost(movement: Movement): void {
    const { assetLine, costLine } = movement;
    if (!assetLine || !costLine) return;
    // A vendor credit already took `value` from the stock account: only the difference to the FIFO cost moves.
    const gained = movement.inbound
      ? movement.cost
      : movement.kind === 'vendor-credit'
        ? movement.value - movement.cost
        : -movement.cost;
    const delta = gained - assetLine.home;
    // Costs are bounded but may add up; a stock of absurd unit costs stops being booked rather than the books breaking.
    const volume = this.volume + 2 * (Math.abs(gained) - Math.abs(assetLine.home));
    if (delta === 0 || volume > Number.MAX_SAFE_INTEGER) return;
    this.volume = volume;
    assetLine.home = gained || 0;
    costLine.home = -gained || 0;
    this.addTo(this.sums(assetLine.account), movement.ymd, delta, 0, 0, undefined);
    this.addTo(this.sums(costLine.account), movement.ymd, -delta, 0, 0, undefined);
  }

  private systemPosting(txn: SystemTransaction): Posting | undefined {
    if (txn.charge && !txn.lines && !txn.start) return undefined;
    const rec: Rec = { Id: txn.id, TxnDate: txn.date, DocNumber: txn.docNumber, PrivateNote: txn.memo };
    const draft = new Draft(txn.type, rec, this, txn.id);
    draft.name = txn.name && keyOf(txn.name.type, txn.name.id);
    for (const line of txn.lines ?? []) {
      const amount = cents(line.debit) - cents(line.credit);
      draft.add(LineKind.Detail, line.accountId, amount, {
        memo: line.memo ?? txn.memo,
        ...(line.name ? { name: keyOf(line.name.type, line.name.id) } : {}),
      });
    }
    if (txn.start) {
      const item = this.company.get('Item', txn.start.itemId);
      const asset = refId(item?.AssetAccountRef) ?? this.account('Inventory');
      const quantity = units(txn.start.quantity);
      const value = cents(txn.start.value);
      const more = { memo: txn.memo, item: txn.start.itemId, quantity };
      draft.add(LineKind.Source, asset, value, more);
      draft.add(LineKind.Detail, this.account('OpeningBalanceEquity'), -value, { memo: txn.memo });
      const accounts = { asset, cost: asset };
      if (quantity >= 0) draft.move(item ?? { Id: txn.start.itemId }, 'start', quantity, value, accounts, false);
      else
        draft.move(
          item ?? { Id: txn.start.itemId },
          'adjust-out',
          quantity,
          0,
          { asset, cost: this.account('OpeningBalanceEquity') },
          true,
        );
    }
    return draft.finish();
  }

  private shownLine(posting: Posting, line: Line): LedgerLine {
    const shown: LedgerLine = {
      txnType: posting.type,
      txnId: posting.id,
      date: dateOf(posting.ymd),
      accountId: line.account,
      debit: line.home > 0 ? centsText(line.home) : '0.00',
      credit: line.home < 0 ? centsText(-line.home) : '0.00',
      currency: posting.currency,
    };
    if (posting.foreign) {
      shown.foreignDebit = line.foreign > 0 ? centsText(line.foreign) : '0.00';
      shown.foreignCredit = line.foreign < 0 ? centsText(-line.foreign) : '0.00';
    }
    if (line.name !== undefined) {
      const [type, id] = splitKey(line.name);
      shown.name = { type, id };
    }
    if (line.classId !== undefined) shown.classId = line.classId;
    if (line.departmentId !== undefined) shown.departmentId = line.departmentId;
    if (line.memo !== undefined) shown.memo = line.memo;
    if (posting.docNumber !== undefined) shown.docNumber = posting.docNumber;
    return shown;
  }
}

const DEFAULT_ACCOUNTS: Readonly<Record<string, { name: string; type: string; subType?: string; byName?: boolean }>> = {
  AccountsReceivable: { name: 'Accounts Receivable (A/R)', type: 'Accounts Receivable' },
  AccountsPayable: { name: 'Accounts Payable (A/P)', type: 'Accounts Payable' },
  UndepositedFunds: { name: 'Undeposited Funds', type: 'Other Current Asset' },
  OpeningBalanceEquity: { name: 'Opening Balance Equity', type: 'Equity' },
  ExchangeGainOrLoss: { name: 'Exchange Gain or Loss', type: 'Other Expense' },
  DiscountsRefundsGiven: { name: 'Discounts given', type: 'Income' },
  Inventory: { name: 'Inventory Asset', type: 'Other Current Asset' },
  SuppliesMaterialsCogs: { name: 'Cost of Goods Sold', type: 'Cost of Goods Sold' },
  SalesTaxPayable: { name: 'Sales Tax Payable', type: 'Other Current Liability' },
  CreditCard: { name: 'Credit Card', type: 'Credit Card' },
  UncategorizedIncome: { name: 'Uncategorized Income', type: 'Income', subType: 'ServiceFeeIncome', byName: true },
  UncategorizedExpense: {
    name: 'Uncategorized Expense',
    type: 'Expense',
    subType: 'OtherMiscellaneousServiceCost',
    byName: true,
  },
};

function isChargeForm(type: string): boolean {
  return type === 'Invoice' || type === 'Bill';
}

export function splitKey(key: string): [string, string] {
  const at = key.indexOf(':');
  return [key.slice(0, at), key.slice(at + 1)];
}

function volumeOf(posting: Posting): number {
  let volume = 0;
  for (const line of posting.lines) volume += Math.abs(line.home) + (posting.foreign ? Math.abs(line.foreign) : 0);
  return volume;
}

/** What other postings read of a document; when it stays, nothing else needs posting again. */
function sameFacts(a: Posting, b: Posting): boolean {
  return (
    a.heldIn === b.heldIn &&
    a.name === b.name &&
    a.foreign === b.foreign &&
    a.open?.control === b.open?.control &&
    a.open?.total === b.open?.total &&
    a.open?.home === b.open?.home
  );
}

/** Applications of a record before it is posted, for validation (over-application) by the engine. */
export function applicationsOf(rec: Rec): { type: string; id: string; amount: Cents }[] {
  return arrayOf(rec.Line).flatMap((line) => {
    const link = arrayOf(line.LinkedTxn)[0];
    return link?.TxnId
      ? [{ type: linkedType(textOf(link.TxnType)), id: textOf(link.TxnId), amount: cents(line.Amount) }]
      : [];
  });
}
