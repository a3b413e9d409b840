// What people do seldom, and what makes a copy hard: names that change places or are used again, documents that move to another
// day or another customer, edits of what is paid, numbers exchanged, deletion of what others are applied to. Each act is what the
// product's screens allow.
import type { Rec } from '../types.js';
import { cents, isHome, type Bookkeeper } from './bookkeeper.js';
import { dayAfter } from './chance.js';
import { copyOfLine } from './generated.js';
import { isOpen, isVoided, linesAsSent, linkedTo, outcome, type Outcome } from './outcome.js';

const weights = {
  swapNames: 5,
  shiftNames: 3,
  reuseName: 5,
  passName: 2,
  reuseRetired: 3,
  reuseMerged: 2,
  mergeChain: 1,
  undo: 4,
  redate: 8,
  reassign: 6,
  editPaid: 6,
  deletePaid: 5,
  voidPaid: 3,
  recreate: 6,
  swapNumbers: 3,
  repay: 6,
  undeposit: 3,
  clear: 5,
  reparent: 4,
  turnTree: 3,
  reprice: 4,
  rewrite: 5,
  renameAndUse: 4,
} as const;
export type AwkwardAct = keyof typeof weights;
export const awkwardActs = Object.keys(weights) as AwkwardAct[];

/** Together as likely as all the usual acts. */
export function awkwardMix(usual: number): Record<AwkwardAct, number> {
  const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
  const scaled = Object.entries(weights).map(([act, weight]) => [act, (weight * usual) / sum]);
  return Object.fromEntries(scaled) as Record<AwkwardAct, number>;
}

const named = { Customer: 4, Vendor: 3, Item: 3, Account: 1, Class: 1, Department: 1 } as const;
type NamedType = keyof typeof named;
const nameFieldOf = (type: string): string => (type === 'Customer' || type === 'Vendor' ? 'DisplayName' : 'Name');
const ofEveryCompany = /^(Services|Hours|Unapplied|Uncategorized)/;
const parentOf = (rec: Rec): unknown => rec.ParentRef?.value;

export class AwkwardPerson {
  constructor(private readonly books: Bookkeeper) {}

  do(act: AwkwardAct): Outcome {
    return this[act]();
  }

  private get chance() {
    return this.books.chance;
  }
  private get company() {
    return this.books.company;
  }

  private nameOf = (type: string, rec: Rec): string => String(rec[nameFieldOf(type)]);
  private rename = (type: string, rec: Rec, name: string): Rec =>
    this.books.actor.update(type, { Id: rec.Id, [nameFieldOf(type)]: name });
  private free = (type: string): string => `${type} aside ${this.chance.whole(1, 999_999)}`;

  private findNamed(type: NamedType, fits: (rec: Rec) => boolean = () => true): Rec | undefined {
    // What every company has from the beginning keeps its name: another company has it, too.
    return this.books.find(
      type,
      (rec) =>
        (type !== 'Account' || rec.AccountType === 'Expense') &&
        !ofEveryCompany.test(this.nameOf(type, rec)) &&
        fits(rec),
    );
  }

  /** So many names of one list, side by side in its tree. */
  private siblings(count: number): { type: NamedType; found: Rec[] } | undefined {
    const type = this.chance.weighted<NamedType>(named);
    const found: Rec[] = [];
    while (found.length < count) {
      const next = this.findNamed(
        type,
        (rec) => !found.some(({ Id }) => Id === rec.Id) && (!found[0] || parentOf(found[0]) === parentOf(rec)),
      );
      if (!next) return undefined;
      found.push(next);
    }
    return { type, found };
  }

  /** A is called B and B is called A: the product needs a third name in between. */
  private swapNames(): Outcome {
    const side = this.siblings(2);
    if (!side) return undefined;
    const { type, found } = side;
    const [a, b] = found as [Rec, Rec];
    const [nameA, nameB] = [this.nameOf(type, a), this.nameOf(type, b)];
    this.rename(type, a, this.free(type));
    this.rename(type, b, nameA);
    return outcome(type, this.rename(type, a, nameB), [{ type, rec: b }]);
  }

  /** A gets a new name, B the one of A, C the one of B. */
  private shiftNames(): Outcome {
    const side = this.siblings(3);
    if (!side) return undefined;
    const { type, found } = side;
    const [a, b, c] = found as [Rec, Rec, Rec];
    const [nameA, nameB] = [this.nameOf(type, a), this.nameOf(type, b)];
    this.rename(type, a, this.free(type));
    this.rename(type, b, nameA);
    return outcome(type, this.rename(type, c, nameB), [
      { type, rec: b },
      { type, rec: a },
    ]);
  }

  private createNamed(type: NamedType, name: string): Rec {
    const { books } = this;
    switch (type) {
      case 'Customer':
        return books.customer({ name });
      case 'Vendor':
        return books.vendor({ name });
      case 'Item':
        return books.item('Service', { name });
      case 'Account':
        return books.ledgerAccount('Expense', 'OfficeGeneralAdministrativeExpenses', name);
      case 'Class':
      case 'Department':
        return books.listEntry(type, name);
    }
  }

  /** A is renamed, and somebody new gets its name. */
  private reuseName(): Outcome {
    const type = this.chance.weighted<NamedType>(named);
    const rec = this.findNamed(type, (one) => parentOf(one) === undefined);
    if (!rec) return undefined;
    const name = this.nameOf(type, rec);
    this.rename(type, rec, this.free(type));
    return outcome(type, this.createNamed(type, name), [{ type, rec }]);
  }

  /** A customer's former name goes to a vendor, or the other way round: they share one space of names. */
  private passName(): Outcome {
    const [from, to] = this.chance.pick([
      ['Customer', 'Vendor'],
      ['Vendor', 'Customer'],
    ] as const);
    const rec = this.findNamed(from, (one) => parentOf(one) === undefined);
    if (!rec) return undefined;
    const name = this.nameOf(from, rec);
    this.rename(from, rec, this.free(from));
    const taker = this.chance.happens(0.5) ? this.findNamed(to, (one) => parentOf(one) === undefined) : undefined;
    return outcome(to, taker ? this.rename(to, taker, name) : this.createNamed(to, name), [{ type: from, rec }]);
  }

  /** A name is made inactive and another one made under the same name; now and then the first comes back under a new name. */
  private reuseRetired(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted<NamedType>(named);
    const isIdle = (one: Rec): boolean =>
      parentOf(one) === undefined &&
      ![one.Balance, one.BalanceWithJobs, one.CurrentBalance].some((sum) => Number(sum ?? 0) !== 0) &&
      one.Type !== 'Inventory' &&
      one.Type !== 'Category';
    if (books.idsOf(type).filter((id) => this.company.get(type, id)?.Active !== false).length < 5) return undefined;
    const rec = this.findNamed(type, isIdle);
    if (!rec) return undefined;
    const name = this.nameOf(type, rec);
    books.actor.update(type, { Id: rec.Id, Active: false });
    const made = this.createNamed(type, name);
    if (chance.happens(0.4))
      books.actor.update(type, { Id: rec.Id, Active: true, [nameFieldOf(type)]: this.free(type) });
    return outcome(type, made, [{ type, rec }]);
  }

  private mergeable(type: 'Customer' | 'Vendor', but: readonly Rec[] = []): Rec | undefined {
    const parents = new Set([...this.company.all('Customer')].map(parentOf));
    return this.books.find(
      type,
      (one) =>
        one.Job !== true &&
        !(type === 'Customer' && parents.has(one.Id)) &&
        isHome(one, this.company.homeCurrency()) &&
        !but.some(({ Id }) => Id === one.Id),
    );
  }

  /** Two names become one, and the lost name is used for a new one at once. */
  private reuseMerged(): Outcome {
    const type = this.chance.pick(['Customer', 'Vendor'] as const);
    const winner = this.mergeable(type);
    const loser = winner && this.mergeable(type, [winner]);
    if (!winner || !loser || this.books.idsOf(type).length < 6) return undefined;
    const name = this.nameOf(type, loser);
    this.books.actor.merge(type, winner.Id as string, loser.Id as string);
    return outcome(type, this.createNamed(type, name), [
      { type, rec: winner },
      { type, rec: loser },
    ]);
  }

  /** A into B, B into C. */
  private mergeChain(): Outcome {
    const type = this.chance.pick(['Customer', 'Vendor'] as const);
    const first = this.mergeable(type);
    const middle = first && this.mergeable(type, [first]);
    const last = middle && this.mergeable(type, [first, middle]);
    if (!last || this.books.idsOf(type).length < 8) return undefined;
    this.books.actor.merge(type, middle.Id as string, first.Id as string);
    this.books.actor.merge(type, last.Id as string, middle.Id as string);
    return outcome(type, last, [
      { type, rec: first },
      { type, rec: middle },
    ]);
  }

  /** A document is changed and changed back. */
  private undo(): Outcome {
    const { books, chance } = this;
    const type = chance.pick(['Invoice', 'Bill', 'Customer', 'Vendor'] as const);
    const rec = books.find(type, (one) => !isVoided(one));
    if (!rec) return undefined;
    const [field, value]: [string, unknown] =
      type === 'Customer' || type === 'Vendor'
        ? ['DisplayName', `${rec.DisplayName} for a moment`]
        : ['TxnDate', dayAfter(String(rec.TxnDate), 1)];
    const more = rec.VendorRef ? { VendorRef: rec.VendorRef } : {};
    const before: unknown = rec[field];
    books.actor.update(type, { Id: rec.Id, ...more, [field]: value });
    return outcome(type, books.actor.update(type, { Id: rec.Id, ...more, [field]: before }));
  }

  private alsoSent = (type: string, rec: Rec): Rec => ({
    ...(rec.VendorRef ? { VendorRef: rec.VendorRef } : {}),
    ...(type === 'Purchase' ? { PaymentType: rec.PaymentType } : {}),
    ...(type === 'Payment' ? { CustomerRef: rec.CustomerRef } : {}),
    ...(type === 'BillPayment' ? { PayType: rec.PayType } : {}),
  });

  /** Another day: earlier or later, goods that came in or went out among them. */
  private redate(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({
      Invoice: 5,
      Bill: 5,
      Purchase: 3,
      SalesReceipt: 2,
      CreditMemo: 1,
      VendorCredit: 1,
      JournalEntry: 1,
      Transfer: 1,
      Payment: 2,
      BillPayment: 1,
      Estimate: 1,
      PurchaseOrder: 1,
      TimeActivity: 1,
      InventoryAdjustment: 1,
    });
    const rec = books.find(type, (one) => !isVoided(one));
    if (!rec) return undefined;
    const TxnDate = dayAfter(String(rec.TxnDate), chance.pick([-9, -3, -1, 1, 2, 6]));
    return outcome(type, books.actor.update(type, { Id: rec.Id, ...this.alsoSent(type, rec), TxnDate }));
  }

  /** The document was somebody else's. */
  private reassign(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ Invoice: 4, Bill: 4, Estimate: 1, SalesReceipt: 1, Purchase: 2, TimeActivity: 1 });
    const rec = books.find(
      type,
      (one) =>
        !isVoided(one) &&
        linkedTo(one).length === 0 &&
        ((one.LinkedTxn as Rec[] | undefined)?.length ?? 0) === 0 &&
        isHome(one, this.company.homeCurrency()),
    );
    if (!rec) return undefined;
    const kind = type === 'Bill' || type === 'Purchase' ? 'Vendor' : 'Customer';
    const was = (kind === 'Vendor' ? (rec.VendorRef ?? rec.EntityRef) : rec.CustomerRef)?.value as unknown;
    const party = books.find(kind, (one) => one.Id !== was && isHome(one, this.company.homeCurrency()));
    if (!party) return undefined;
    const field =
      type === 'Purchase'
        ? { EntityRef: { value: party.Id, type: 'Vendor' }, PaymentType: rec.PaymentType }
        : { [`${kind}Ref`]: { value: party.Id } };
    return outcome(type, books.actor.update(type, { Id: rec.Id, ...field }), [{ type: kind, rec: party }]);
  }

  private plainLines(rec: Rec): Rec[] {
    return ((rec.Line as Rec[] | undefined) ?? [])
      .filter((line) => line.DetailType !== 'SubTotalLineDetail')
      .filter((line) => ((line.LinkedTxn as Rec[] | undefined)?.length ?? 0) === 0);
  }

  /** More is charged, or less, on what is paid already: what was paid stays, or becomes money on account. */
  private editPaid(): Outcome {
    const { books, chance } = this;
    const type = chance.pick(['Invoice', 'Bill'] as const);
    const rec = books.find(
      type,
      (one) =>
        !isVoided(one) &&
        Number(one.Balance) < Number(one.TotalAmt) &&
        this.plainLines(one).length ===
          ((one.Line as Rec[]) ?? []).filter((l) => l.DetailType !== 'SubTotalLineDetail').length &&
        this.plainLines(one).every((line) => /^(SalesItem|AccountBased|ItemBased)/.test(String(line.DetailType))),
    );
    if (!rec) return undefined;
    const lines = this.plainLines(rec).map((line) => ({ Id: line.Id, ...copyOfLine(line) }) as Rec);
    const line = chance.pick(lines);
    const detail = line[line.DetailType as string] as Rec;
    delete detail.TaxInclusiveAmt;
    const times = chance.pick([2, 3]);
    if (detail.Qty !== undefined && detail.UnitPrice !== undefined) {
      detail.Qty = Number(detail.Qty) * times;
      detail.UnitPrice = cents(detail.UnitPrice) / 100;
      line.Amount = Math.round(cents(detail.UnitPrice) * Number(detail.Qty)) / 100;
    } else line.Amount = (cents(line.Amount) * times) / 100;
    return outcome(type, books.actor.update(type, { Id: rec.Id, Line: lines, ...this.alsoSent(type, rec) }));
  }

  private paid(type: 'Invoice' | 'CreditMemo'): Rec | undefined {
    const isPaid = (one: Rec): boolean =>
      type === 'Invoice'
        ? Number(one.Balance) < Number(one.TotalAmt)
        : Number(one.RemainingCredit ?? one.Balance) < Number(one.TotalAmt);
    return this.books.find(type, (one) => !isVoided(one) && isPaid(one));
  }

  /** What others are applied to is deleted: the payment becomes money on account, a payment of nothing goes with it. */
  private deletePaid(): Outcome {
    const type = this.chance.weighted({ Invoice: 4, CreditMemo: 1 });
    const rec = this.paid(type);
    if (!rec) return undefined;
    this.books.actor.remove(type, rec.Id as string);
    return outcome(type, rec);
  }

  private voidPaid(): Outcome {
    const rec = this.paid('Invoice');
    if (!rec) return undefined;
    this.books.actor.void('Invoice', rec.Id as string);
    return outcome('Invoice', rec);
  }

  /** Deleted by mistake and entered again, with its number. */
  private recreate(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ Invoice: 4, Bill: 3, Estimate: 1, JournalEntry: 1, Purchase: 2, SalesReceipt: 1 });
    const rec = books.find(
      type,
      (one) =>
        !isVoided(one) && ((one.LinkedTxn as Rec[] | undefined)?.length ?? 0) === 0 && linkedTo(one).length === 0,
    );
    if (!rec) return undefined;
    const { Id, SyncToken, MetaData, TotalAmt, Balance, HomeTotalAmt, HomeBalance, ...body } = structuredClone(
      rec,
    ) as Rec;
    void [SyncToken, MetaData, TotalAmt, Balance, HomeTotalAmt, HomeBalance];
    books.actor.remove(type, Id as string);
    body.Line = ((body.Line as Rec[] | undefined) ?? [])
      .filter((line) => line.DetailType !== 'SubTotalLineDetail')
      .map(({ Id: _line, ...line }) => line);
    delete body.domain;
    delete body.sparse;
    if (body.TxnTaxDetail?.TxnTaxCodeRef) body.TxnTaxDetail = { TxnTaxCodeRef: body.TxnTaxDetail.TxnTaxCodeRef };
    else delete body.TxnTaxDetail;
    return outcome(type, books.create(type, body), [{ type, rec }]);
  }

  /** Two documents exchange their numbers. */
  private swapNumbers(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ Invoice: 3, Bill: 2, Estimate: 1 });
    const a = books.find(type, (one) => one.DocNumber !== undefined && !isVoided(one));
    const b = a && books.find(type, (one) => one.DocNumber !== undefined && !isVoided(one) && one.Id !== a.Id);
    if (!a || !b) return undefined;
    const [numberA, numberB] = [a.DocNumber, b.DocNumber] as [string, string];
    const write = (rec: Rec, DocNumber: string): Rec =>
      books.actor.update(type, { Id: rec.Id, DocNumber, ...this.alsoSent(type, rec) });
    write(a, `T${chance.whole(1, 99_999)}`);
    write(b, numberA);
    return outcome(type, write(a, numberB), [{ type, rec: b }]);
  }

  /** A payment is for another document than was said, or for less. */
  private repay(): Outcome {
    const { books, chance } = this;
    const payment = books.find(
      'Payment',
      (one) =>
        Number(one.TotalAmt) > 0 &&
        !isVoided(one) &&
        ((one.LinkedTxn as Rec[] | undefined)?.length ?? 0) === 0 &&
        linkedTo(one).every(({ type }) => type === 'Invoice'),
    );
    if (!payment) return undefined;
    const other = books.findRecent(
      'Invoice',
      (one) =>
        isOpen(one) &&
        one.CustomerRef.value === payment.CustomerRef.value &&
        !linkedTo(payment).some(({ rec }) => rec.Id === one.Id),
    );
    const header = { Id: payment.Id, CustomerRef: payment.CustomerRef };
    if (other && chance.happens(0.6)) {
      const sum = Math.min(cents(payment.TotalAmt), cents(other.Balance));
      const Line = [{ Amount: sum / 100, LinkedTxn: [{ TxnId: other.Id, TxnType: 'Invoice' }] }];
      return outcome('Payment', books.actor.update('Payment', { ...header, Line }), [{ type: 'Invoice', rec: other }]);
    }
    const lines = linesAsSent(payment);
    const less = Math.max(1, Math.floor(cents(payment.TotalAmt) / 2));
    let left = less;
    const Line = lines.flatMap((line) => {
      const part = Math.min(left, cents(line.Amount));
      left -= part;
      return part > 0 ? [{ ...line, Amount: part / 100 }] : [];
    });
    return outcome(
      'Payment',
      books.actor.update('Payment', { ...header, TotalAmt: less / 100, Line }),
      linkedTo(payment),
    );
  }

  /** The slip was never taken to the bank: the deposit goes, what was in it waits again, and some of it is changed. */
  private undeposit(): Outcome {
    const { books, chance } = this;
    const deposit = books.find('Deposit', (one) => linkedTo(one).some(({ type }) => type === 'Payment'));
    if (!deposit) return undefined;
    const members = linkedTo(deposit);
    books.actor.remove('Deposit', deposit.Id as string);
    const [first] = members.filter(({ type }) => type === 'Payment');
    if (first && chance.happens(0.5)) books.actor.remove('Payment', first.rec.Id as string);
    return outcome('Deposit', deposit, members);
  }

  /** Fields are emptied. */
  private clear(): Outcome {
    const { books, chance } = this;
    const [type, field, empty] = chance.pick([
      ['Invoice', 'PrivateNote', ''],
      ['Invoice', 'CustomerMemo', ''],
      ['Invoice', 'SalesTermRef', null],
      ['Bill', 'PrivateNote', ''],
      ['Bill', 'DocNumber', ''],
      ['Customer', 'Notes', ''],
      ['Customer', 'SalesTermRef', null],
      ['Customer', 'ShipAddr', null],
      ['Vendor', 'AcctNum', ''],
      ['Item', 'Description', ''],
      ['Payment', 'PaymentRefNum', ''],
    ] as const);
    const rec = books.find(
      type,
      (one) => one[field] !== undefined && !isVoided(one) && (type !== 'Item' || one.Type === 'Service'),
    );
    if (!rec) return undefined;
    const kept = this.alsoSent(type, rec);
    const value = field === 'CustomerMemo' ? { value: '' } : empty;
    return outcome(type, books.actor.update(type, { Id: rec.Id, ...kept, [field]: value }));
  }

  /** A job moves to another customer, or an account or class below another one. */
  private reparent(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ Customer: 5, Class: 2, Department: 1, Account: 1, Item: 1 });
    const rec =
      type === 'Customer'
        ? books.find('Customer', (one) => one.Job === true)
        : type === 'Item'
          ? books.find('Item', (one) => one.Type === 'Service')
          : this.findNamed(type);
    if (!rec) return undefined;
    const fits = (one: Rec): boolean =>
      one.Id !== rec.Id &&
      one.Id !== parentOf(rec) &&
      (type !== 'Account' || one.AccountType === rec.AccountType) &&
      (type !== 'Item' || one.Type === 'Category') &&
      (type !== 'Customer' || (one.Job !== true && (one.CurrencyRef?.value ?? '') === (rec.CurrencyRef?.value ?? '')));
    const parent = books.find(type, fits);
    if (!parent) return undefined;
    const flag = {
      Customer: 'Job',
      Class: 'SubClass',
      Department: 'SubDepartment',
      Account: 'SubAccount',
      Item: 'SubItem',
    }[type];
    const change = { ParentRef: { value: parent.Id }, [flag]: true };
    return outcome(type, books.actor.update(type, { Id: rec.Id, ...change }), [{ type, rec: parent }]);
  }

  /** What was below comes to stand above. */
  private turnTree(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ Customer: 3, Class: 3, Department: 1, Account: 1 });
    const flag = { Customer: 'Job', Class: 'SubClass', Department: 'SubDepartment', Account: 'SubAccount' }[type];
    const isTop = (one: Rec): boolean => parentOf(one) === undefined;
    const upper = (one: Rec): Rec | undefined => this.company.get(type, parentOf(one) as string);
    const child =
      this.findNamed(type, (one) => !isTop(one) && isTop(upper(one) ?? one)) ??
      // Nothing stands below anything: then it is put there first.
      this.placedBelow(type, flag);
    const parent = child && upper(child);
    if (!child || !parent) return undefined;
    books.actor.update(type, { Id: child.Id, ParentRef: null, [flag]: false });
    const turned = books.actor.update(type, { Id: parent.Id, ParentRef: { value: child.Id }, [flag]: true });
    return outcome(type, turned, [{ type, rec: child }]);
  }

  private placedBelow(type: NamedType, flag: string): Rec | undefined {
    const isTop = (one: Rec): boolean => parentOf(one) === undefined;
    const parent = this.findNamed(type, isTop);
    const child =
      parent &&
      this.findNamed(
        type,
        (one) =>
          isTop(one) &&
          one.Id !== parent.Id &&
          one.AccountType === parent.AccountType &&
          one.CurrencyRef?.value === parent.CurrencyRef?.value,
      );
    return child && this.books.actor.update(type, { Id: child.Id, ParentRef: { value: parent!.Id }, [flag]: true });
  }

  /** A stock item costs and sells for more from now on. */
  private reprice(): Outcome {
    const { books, chance } = this;
    const rec = books.find('Item', (one) => one.Type === 'Inventory');
    if (!rec) return undefined;
    const PurchaseCost = chance.cents(150, 9_000);
    return outcome(
      'Item',
      books.actor.update('Item', { Id: rec.Id, PurchaseCost: PurchaseCost / 100, UnitPrice: (PurchaseCost * 2) / 100 }),
    );
  }

  /** Types that are entered once and never touched: journals, transfers, receipts, deposits. */
  private rewrite(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ JournalEntry: 3, Transfer: 2, Deposit: 2, CreditCardPayment: 1, TimeActivity: 2 });
    const rec = books.find(type, (one) => !isVoided(one) && linkedTo(one).length === 0);
    if (!rec) return undefined;
    const sum = chance.cents(1_000, 90_000) / 100;
    const changes: Record<typeof type, () => Rec | undefined> = {
      JournalEntry: () => {
        const lines = structuredClone(rec.Line) as Rec[];
        if (lines.length !== 2) return undefined;
        return { Line: lines.map((line) => ({ ...line, Amount: sum })) };
      },
      Transfer: () => ({ Amount: sum }),
      CreditCardPayment: () => ({ Amount: sum }),
      TimeActivity: () => ({ Hours: chance.whole(1, 9), Minutes: 0 }),
      Deposit: () => {
        const lines = linesAsSent(rec);
        return rec.CashBack ? undefined : { Line: lines.map((line, n) => (n === 0 ? { ...line, Amount: sum } : line)) };
      },
    };
    const change = changes[type]();
    return change && outcome(type, books.actor.update(type, { Id: rec.Id, ...change }));
  }

  /** A name changes between two documents that have it. */
  private renameAndUse(): Outcome {
    const { books } = this;
    const customer = books.find('Customer', (one) => isHome(one, this.company.homeCurrency()));
    if (!customer) return undefined;
    const before = books.invoice({ customer });
    const renamed = this.rename('Customer', customer, `${this.free('Customer')} Ltd`);
    return outcome('Invoice', books.invoice({ customer: renamed }), [
      { type: 'Customer', rec: customer },
      { type: 'Invoice', rec: before },
    ]);
  }
}
