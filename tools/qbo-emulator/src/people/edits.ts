// A person at work in a company: draws an act by its weight, finds a record it makes sense for, does it, and says what was
// done. What cannot be done just now gives way to another act, so that `count` acts are really done.
import { type CompanyView, QboFault, type Rec } from '../types.js';
import type { Actor } from './actor.js';
import { Bookkeeper, type ItemKind, cents, isHome } from './bookkeeper.js';
import { AwkwardPerson, awkwardActs, awkwardMix, type AwkwardAct } from './awkward.js';
import { Chance } from './chance.js';
import { copyOfLine, depositWhatWaits, invoiceEstimate, payOpenInvoices } from './generated.js';
import {
  isOpen,
  isUntouched,
  isVoided,
  linesAsSent,
  linkedTo,
  outcome,
  type Outcome,
  type Touched,
} from './outcome.js';

export const acts = [
  'create',
  'update',
  'lines',
  'rename',
  'delete',
  'void',
  'pay',
  'apply',
  'deposit',
  'link',
  'unlink',
  'deactivate',
  'reactivate',
  'merge',
  'attach',
] as const;
type UsualAct = (typeof acts)[number];
export type EditAct = UsualAct | AwkwardAct;

export interface Edit extends Touched {
  act: EditAct;
}

export interface EditsAnswer {
  done: Edit[];
  counts: Partial<Record<EditAct, number>>;
  /** Attempts that QBO refused and that were replaced by another; the text says why. */
  refused: { act: EditAct; why: string }[];
}

export interface EditsOptions {
  count: number;
  seed?: number;
  mix?: Partial<Record<EditAct, number>>;
  /** what is bought has another price each time */
  movingPrices?: boolean;
  /** every other act is one that people do seldom (awkward.ts) */
  awkward?: boolean;
}

const usualMix: Record<UsualAct, number> = {
  create: 30,
  update: 18,
  lines: 10,
  rename: 3,
  delete: 4,
  void: 3,
  pay: 12,
  apply: 3,
  deposit: 4,
  link: 3,
  unlink: 2,
  deactivate: 2,
  reactivate: 1,
  merge: 1,
  attach: 4,
};

const created = {
  Customer: 8,
  Vendor: 4,
  Item: 4,
  Account: 1,
  Class: 0.5,
  Department: 0.5,
  Term: 0.5,
  PaymentMethod: 0.3,
  Employee: 0.5,
  Invoice: 26,
  SalesReceipt: 6,
  Estimate: 4,
  CreditMemo: 3,
  RefundReceipt: 1,
  Bill: 13,
  VendorCredit: 2,
  Purchase: 11,
  PurchaseOrder: 3,
  JournalEntry: 3,
  Transfer: 2,
  Deposit: 1.5,
  TimeActivity: 3,
  CreditCardPayment: 0.7,
  InventoryAdjustment: 0.7,
} as const;

export function workAsPerson(actor: Actor, options: EditsOptions): EditsAnswer {
  const mix: Partial<Record<EditAct, number>> =
    options.mix ?? (options.awkward ? { ...usualMix, ...awkwardMix(sumOf(usualMix)) } : usualMix);
  const known: readonly string[] = [...acts, ...awkwardActs];
  for (const [act, weight] of Object.entries(mix)) {
    if (!known.includes(act)) throw new RangeError(`No act is called '${act}'. Known: ${known.join(', ')}.`);
    if (typeof weight !== 'number' || weight < 0)
      throw new RangeError(`The weight of '${act}' takes a number from 0 up.`);
  }
  if (!(Number.isInteger(options.count) && options.count >= 0))
    throw new RangeError("'count' takes a whole number from 0 up.");
  const chance = new Chance(options.seed ?? 1);
  const books = new Bookkeeper(actor, chance);
  books.movingPrices = options.movingPrices === true;
  const [usual, awkward] = [new PersonAtWork(books), new AwkwardPerson(books)];
  const person = { do: (act: EditAct) => (isAwkward(act) ? awkward.do(act) : usual.do(act)) };
  const answer: EditsAnswer = { done: [], counts: {}, refused: [] };
  const wanted = Object.values(mix).some((weight) => weight > 0) ? mix : usualMix;
  while (answer.done.length < options.count) {
    const edit = tryActs(person, chance, wanted, answer.refused);
    if (!edit) break;
    answer.done.push(edit);
    answer.counts[edit.act] = (answer.counts[edit.act] ?? 0) + 1;
  }
  return answer;
}

const sumOf = (mix: Record<string, number>): number => Object.values(mix).reduce((sum, weight) => sum + weight, 0);
const isAwkward = (act: EditAct): act is AwkwardAct => awkwardActs.some((one) => one === act);

// Some acts of the mix, then, if the company has nothing they fit, something that always can be done: a new document.
function tryActs(
  person: { do: (act: EditAct) => Outcome },
  chance: Chance,
  mix: Partial<Record<EditAct, number>>,
  refused: EditsAnswer['refused'],
): Edit | undefined {
  for (let attempt = 0; attempt < 12; attempt++) {
    const act = attempt < 8 ? chance.weighted<EditAct>(mix) : 'create';
    try {
      const edit = person.do(act);
      if (edit) return { act, ...edit };
    } catch (error) {
      if (!(error instanceof QboFault)) throw error;
      refused.push({ act, why: `${error.code} ${error.message}: ${error.detail}` });
    }
  }
  return undefined;
}

/** Every item on its lines can still be sold or bought. */
const itemsActive = (rec: Rec, company: CompanyView): boolean =>
  ((rec.Line as Rec[] | undefined) ?? []).every((line) => {
    const item = (line.SalesItemLineDetail ?? line.ItemBasedExpenseLineDetail)?.ItemRef?.value as string | undefined;
    return item === undefined || company.get('Item', item)?.Active !== false;
  });

class PersonAtWork {
  constructor(private readonly books: Bookkeeper) {}

  do(act: UsualAct): Outcome {
    return this[act]();
  }

  private get company() {
    return this.books.company;
  }
  private get chance() {
    return this.books.chance;
  }
  private local = (rec: Rec): boolean => isHome(rec, this.company.homeCurrency());

  private create(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted<keyof typeof created>(created);
    return outcome(type, this.make(type) ?? books.invoice());
  }

  private make(type: keyof typeof created): Rec | undefined {
    const { books, chance } = this;
    switch (type) {
      case 'Customer': {
        const parent = chance.happens(0.3) ? books.find('Customer', (rec) => Number(rec.Level ?? 0) < 2) : undefined;
        return books.customer({ parent });
      }
      case 'Vendor':
        return books.vendor();
      case 'Employee':
        return books.employee();
      case 'Item':
        return books.item(chance.pick<ItemKind>(['Service', 'Service', 'NonInventory', 'Inventory']));
      case 'Account':
        return books.ledgerAccount('Expense', 'OfficeGeneralAdministrativeExpenses', `${chance.placeName()} Expenses`);
      case 'Class':
      case 'Department':
      case 'Term':
      case 'PaymentMethod':
        return books.listEntry(type);
      case 'Invoice':
        return books.invoice();
      case 'SalesReceipt':
      case 'Estimate':
      case 'CreditMemo':
      case 'RefundReceipt':
        return books.salesDocument(type);
      case 'Bill':
      case 'VendorCredit':
        return books.bill({ type });
      case 'Purchase':
        return books.purchase();
      case 'PurchaseOrder':
        return books.purchaseOrder();
      case 'JournalEntry': {
        const sum = chance.cents(1_000, 100_000);
        return books.journal([
          { account: books.expenseAccount(), cents: sum, posting: 'Debit' },
          { account: books.bank(), cents: sum, posting: 'Credit' },
        ]);
      }
      case 'Transfer': {
        const from = books.bank();
        const to = books.find('Account', (rec) => rec.AccountType === 'Bank' && rec.Id !== from.Id && this.local(rec));
        return to && books.transfer(from, to, chance.cents(5_000, 200_000));
      }
      case 'Deposit':
        return books.deposit([], {
          lines: [
            books.depositLine(
              this.company.accountBySubType('InterestEarned') ?? books.account('ServiceFeeIncome'),
              chance.cents(100, 5_000),
            ),
          ],
        });
      case 'TimeActivity':
        return books.timeActivity();
      case 'CreditCardPayment':
        return books.cardPayment(chance.cents(5_000, 50_000));
      case 'InventoryAdjustment': {
        // Counting stock through the product's API is for companies in the United States.
        if (books.country !== 'US') return undefined;
        const item = books.find(
          'Item',
          (rec) => rec.Type === 'Inventory' && Number(rec.QtyOnHand) > 30 && String(rec.InvStartDate) <= books.date,
        );
        return item && books.stockCount(item, chance.whole(-3, -1));
      }
    }
  }

  /** Small changes to one record: what people correct. */
  private update(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({
      Customer: 6,
      Vendor: 4,
      Item: 4,
      Invoice: 6,
      Bill: 4,
      Estimate: 2,
      Purchase: 3,
      JournalEntry: 1,
      PurchaseOrder: 1,
      Account: 1,
      Term: 0.3,
      Employee: 0.5,
      TimeActivity: 1,
    });
    const rec = books.find(
      type,
      (one) => !isVoided(one) && (type !== 'Item' || one.Type === 'Service' || one.Type === 'NonInventory'),
    );
    if (!rec) return undefined;
    const changes: Record<string, () => Rec> = {
      Customer: () =>
        chance.pick<Rec>([
          { PrimaryPhone: { FreeFormNumber: chance.phone() } },
          { BillAddr: chance.address(books.country) },
          { Notes: `${chance.note()} (${chance.whole(1, 999)})` },
        ]),
      Vendor: () =>
        chance.pick<Rec>([
          { PrimaryPhone: { FreeFormNumber: chance.phone() } },
          { BillAddr: chance.address(books.country) },
          { AcctNum: String(chance.whole(10_000, 99_999)) },
        ]),
      Item: () => ({
        UnitPrice: chance.cents(1_000, 20_000) / 100,
        Description: `${rec.Name}, revised ${chance.whole(1, 99)}`,
      }),
      Account: () => ({ Description: chance.note() }),
      Term: () =>
        rec.DueDays === undefined ? { DayOfMonthDue: chance.whole(1, 28) } : { DueDays: chance.whole(3, 90) },
      Employee: () => ({ PrimaryPhone: { FreeFormNumber: chance.phone() } }),
      TimeActivity: () => ({ Description: `${chance.note()} (${chance.whole(1, 999)})` }),
      Invoice: () =>
        chance.pick<Rec>([
          { PrivateNote: `${chance.note()} (${chance.whole(1, 999)})` },
          { CustomerMemo: { value: `${chance.note()}.` } },
          { DueDate: books.dueSoon() },
        ]),
      Bill: () => ({ PrivateNote: `${chance.note()} (${chance.whole(1, 999)})`, VendorRef: rec.VendorRef }),
      Purchase: () => ({ PrivateNote: `${chance.note()} (${chance.whole(1, 999)})`, PaymentType: rec.PaymentType }),
    };
    const change = changes[type]?.() ?? { PrivateNote: `${chance.note()} (${chance.whole(1, 999)})` };
    return outcome(type, books.actor.update(type, { Id: rec.Id, ...change }));
  }

  /** The lines of an open document: more, fewer, other quantities. */
  private lines(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({
      Invoice: 8,
      Bill: 5,
      Estimate: 3,
      Purchase: 4,
      PurchaseOrder: 2,
      CreditMemo: 1,
      VendorCredit: 1,
      SalesReceipt: 1,
    });
    const rec = books.find(
      type,
      (one) =>
        isUntouched(one) &&
        (one.Balance === undefined || Number(one.Balance) === Number(one.TotalAmt)) &&
        this.plainLines(one).length > 0,
    );
    if (!rec) return undefined;
    const sales = ['Invoice', 'Estimate', 'CreditMemo', 'SalesReceipt'].includes(type);
    const lines = this.plainLines(rec).map((line) => ({ Id: line.Id, ...copyOfLine(line) }) as Rec);
    const how = chance.pick(lines.length > 1 ? ['change', 'add', 'remove'] : ['change', 'add']);
    if (how === 'remove') lines.splice(chance.whole(0, lines.length - 1), 1);
    else if (how === 'add')
      lines.push(
        sales ? books.salesLine() : type === 'PurchaseOrder' ? books.purchasedItemLine() : books.expenseLine(),
      );
    else this.changeLine(chance.pick(lines));
    const updated = books.actor.update(type, {
      Id: rec.Id,
      Line: lines,
      ...(rec.VendorRef ? { VendorRef: rec.VendorRef } : {}),
      ...(rec.PaymentType && type === 'Purchase' ? { PaymentType: rec.PaymentType } : {}),
    });
    return outcome(type, updated);
  }

  private plainLines(rec: Rec): Rec[] {
    const plain = new Set(['SalesItemLineDetail', 'AccountBasedExpenseLineDetail', 'ItemBasedExpenseLineDetail']);
    const lines = ((rec.Line as Rec[] | undefined) ?? []).filter((line) => line.DetailType !== 'SubTotalLineDetail');
    return lines.every(
      (line) => plain.has(line.DetailType as string) && !((line.LinkedTxn as Rec[] | undefined)?.length ?? 0),
    )
      ? lines
      : [];
  }

  private changeLine(line: Rec): void {
    const { chance } = this;
    const detail = line[line.DetailType as string] as Rec;
    delete detail.TaxInclusiveAmt;
    if (detail.Qty !== undefined && detail.UnitPrice !== undefined) {
      detail.Qty = Number(detail.Qty) + chance.whole(1, 3);
      line.Amount = (cents(detail.UnitPrice) * Number(detail.Qty)) / 100;
      detail.UnitPrice = cents(detail.UnitPrice) / 100;
    } else line.Amount = chance.cents(1_000, 90_000) / 100;
    line.Description = chance.note();
  }

  private rename(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ Customer: 4, Vendor: 3, Item: 3, Account: 1, Class: 1, Department: 1 });
    const field = type === 'Customer' || type === 'Vendor' ? 'DisplayName' : 'Name';
    const rec = books.find(type, (one) => type !== 'Account' || one.AccountType === 'Expense');
    if (!rec) return undefined;
    const base = String(rec[field])
      .replace(/ \(renamed \d+\)$/, '')
      .slice(0, 70);
    return outcome(
      type,
      books.actor.update(type, { Id: rec.Id, [field]: `${base} (renamed ${chance.whole(1, 99_999)})` }),
    );
  }

  private delete(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({
      Invoice: 3,
      Bill: 3,
      Estimate: 2,
      Purchase: 3,
      Payment: 2,
      JournalEntry: 1,
      SalesReceipt: 1,
      TimeActivity: 1,
      PurchaseOrder: 1,
      Attachable: 1,
      VendorCredit: 0.5,
      CreditMemo: 0.5,
      BillPayment: 1,
      Transfer: 0.5,
    });
    const rec = books.find(
      type,
      (one) =>
        isUntouched(one) &&
        (one.Balance === undefined || Number(one.Balance) === Number(one.TotalAmt)) &&
        Number(one.RemainingCredit ?? one.TotalAmt ?? 0) === Number(one.TotalAmt ?? 0),
    );
    if (!rec) return undefined;
    const others = linkedTo(rec);
    books.actor.remove(type, rec.Id as string);
    return outcome(type, rec, others);
  }

  private void(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ Invoice: 5, Payment: 2, SalesReceipt: 2, BillPayment: 2, Purchase: 1 });
    const rec = books.find(
      type,
      (one) =>
        !isVoided(one) &&
        Number(one.TotalAmt) > 0 &&
        (type === 'Invoice' ? Number(one.Balance) === Number(one.TotalAmt) : isUntouched(one)),
    );
    if (!rec) return undefined;
    const others = linkedTo(rec);
    books.actor.void(type, rec.Id as string);
    return outcome(type, rec, others);
  }

  private pay(): Outcome {
    const { books, chance } = this;
    if (chance.happens(0.35)) {
      const bill = books.findRecent('Bill', isOpen);
      if (bill) {
        const part = chance.happens(0.25) ? Math.ceil(cents(bill.Balance) / 2) : undefined;
        return outcome(
          'BillPayment',
          books.billPayment([bill], { cents: part, byCard: this.local(bill) && chance.happens(0.2) }),
          [{ type: 'Bill', rec: bill }],
        );
      }
    }
    const payment = payOpenInvoices(books) ?? this.payNewInvoice();
    return outcome('Payment', payment, linkedTo(payment));
  }

  private payNewInvoice(): Rec {
    return this.books.payment([this.books.invoice()]);
  }

  /** A credit meets a charge: memo and invoice, vendor credit and bill, or money on account and an invoice. */
  private apply(): Outcome {
    const { books, chance } = this;
    if (chance.happens(0.35)) {
      const bill = books.findRecent('Bill', (one) => isOpen(one) && this.local(one));
      if (bill) {
        const vendor = this.company.get('Vendor', bill.VendorRef.value as string);
        const sum = Math.max(1, Math.floor(cents(bill.Balance) / 3));
        const mine = (one: Rec): boolean => one.VendorRef?.value === bill.VendorRef.value && isOpen(one);
        const credit =
          books.findRecent('VendorCredit', mine) ??
          books.bill({ type: 'VendorCredit', vendor, lines: [books.expenseLine({ cents: sum })] });
        const used = Math.min(cents(credit.Balance ?? credit.TotalAmt), cents(bill.Balance));
        const payment = books.billPayment([bill], {
          cents: used,
          credits: [{ type: 'VendorCredit', rec: credit, cents: used }],
        });
        return outcome('BillPayment', payment, [
          { type: 'Bill', rec: bill },
          { type: 'VendorCredit', rec: credit },
        ]);
      }
    }
    const payment = books.findRecent('Payment', (one) => Number(one.UnappliedAmt) > 0 && isUntouched(one));
    const open =
      payment &&
      books.findRecent('Invoice', (one) => isOpen(one) && one.CustomerRef.value === payment.CustomerRef.value);
    if (payment && open && chance.happens(0.5)) {
      const sum = Math.min(cents(payment.UnappliedAmt), cents(open.Balance));
      const line = { Amount: sum / 100, LinkedTxn: [{ TxnId: open.Id, TxnType: 'Invoice' }] };
      return outcome(
        'Payment',
        books.actor.update('Payment', {
          Id: payment.Id,
          CustomerRef: payment.CustomerRef,
          Line: [...linesAsSent(payment), line],
        }),
        [{ type: 'Invoice', rec: open }],
      );
    }
    const invoice = books.findRecent('Invoice', (one) => isOpen(one) && this.local(one)) ?? books.invoice();
    const customer = this.company.get('Customer', invoice.CustomerRef.value as string);
    const memo =
      books.findRecent('CreditMemo', (one) => isOpen(one) && one.CustomerRef.value === invoice.CustomerRef.value) ??
      books.salesDocument('CreditMemo', { customer, lines: [books.salesLine(undefined, 1)] });
    const sum = Math.min(cents(memo.Balance), cents(invoice.Balance));
    return outcome(
      'Payment',
      books.applyCredit({ type: 'Invoice', rec: invoice }, { type: 'CreditMemo', rec: memo }, sum),
      [
        { type: 'Invoice', rec: invoice },
        { type: 'CreditMemo', rec: memo },
      ],
    );
  }

  private deposit(): Outcome {
    let deposit = depositWhatWaits(this.books);
    if (!deposit) {
      this.payNewInvoice();
      deposit = depositWhatWaits(this.books);
    }
    return outcome('Deposit', deposit, deposit ? linkedTo(deposit) : []);
  }

  private link(): Outcome {
    const { books, chance } = this;
    const how = chance.weighted({ estimate: 4, order: 4, time: 2 });
    if (how === 'order') {
      const order =
        books.findRecent(
          'PurchaseOrder',
          (one) =>
            one.POStatus === 'Open' &&
            isUntouched(one) &&
            itemsActive(one, this.company) &&
            this.company.get('Vendor', one.VendorRef.value as string)?.Active !== false,
        ) ?? books.purchaseOrder();
      return outcome('Bill', books.billFromOrder(order), [{ type: 'PurchaseOrder', rec: order }]);
    }
    if (how === 'time') {
      const activity = books.findRecent(
        'TimeActivity',
        (one) => one.BillableStatus === 'Billable' && one.CustomerRef !== undefined,
      );
      const customer = activity && this.company.get('Customer', activity.CustomerRef.value as string);
      if (activity && customer?.Active !== false) {
        const line = {
          ...books.salesLine(
            books.find('Item', (one) => one.Type === 'Service'),
            Math.max(1, Number(activity.Hours ?? 1)),
          ),
          LinkedTxn: [{ TxnId: activity.Id, TxnType: 'TimeActivity' }],
        };
        return outcome('Invoice', books.invoice({ customer, lines: [line] }), [
          { type: 'TimeActivity', rec: activity },
        ]);
      }
    }
    const fits = (one: Rec): boolean =>
      one.TxnStatus !== 'Closed' &&
      isUntouched(one) &&
      itemsActive(one, this.company) &&
      this.company.get('Customer', one.CustomerRef.value as string)?.Active !== false;
    const estimate = books.findRecent('Estimate', fits) ?? books.salesDocument('Estimate');
    return outcome('Invoice', invoiceEstimate(books, estimate), [{ type: 'Estimate', rec: estimate }]);
  }

  /** Takes one link away: a payment stays on account, a receipt leaves its deposit, an order's bill forgets it. */
  private unlink(): Outcome {
    const { books, chance } = this;
    const deposit = books.find(
      'Deposit',
      (one) =>
        (one.Line as Rec[]).length > 1 &&
        (one.Line as Rec[]).some((line) =>
          ['Payment', 'SalesReceipt'].includes(line.LinkedTxn?.[0]?.TxnType as string),
        ),
    );
    if (deposit && chance.happens(0.4)) {
      const lines = linesAsSent(deposit);
      const at = lines.findIndex((line) =>
        ['Payment', 'SalesReceipt'].includes(line.LinkedTxn?.[0]?.TxnType as string),
      );
      const [gone] = lines.splice(at, 1);
      const left = lines.reduce((sum, line) => sum + cents(line.Amount), 0);
      if (left > cents(deposit.CashBack?.Amount)) {
        const link = gone!.LinkedTxn[0] as Rec;
        return outcome('Deposit', books.actor.update('Deposit', { Id: deposit.Id, Line: lines }), [
          { type: link.TxnType as string, rec: { Id: link.TxnId } },
        ]);
      }
    }
    const payment = books.find(
      'Payment',
      (one) =>
        Number(one.TotalAmt) > 0 &&
        isUntouched(one) &&
        linkedTo(one).length > 0 &&
        linkedTo(one).every(({ type }) => type === 'Invoice'),
    );
    if (!payment) return undefined;
    const lines = linesAsSent(payment);
    const [gone] = lines.splice(chance.whole(0, lines.length - 1), 1);
    const link = gone!.LinkedTxn[0] as Rec;
    return outcome(
      'Payment',
      books.actor.update('Payment', { Id: payment.Id, CustomerRef: payment.CustomerRef, Line: lines }),
      [{ type: link.TxnType as string, rec: { Id: link.TxnId } }],
    );
  }

  private deactivate(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({
      Customer: 4,
      Vendor: 3,
      Item: 2,
      Class: 1,
      Department: 0.5,
      Term: 0.5,
      Employee: 1,
    });
    const idle = (one: Rec): boolean =>
      Number(one.Balance ?? 0) === 0 &&
      Number(one.BalanceWithJobs ?? 0) === 0 &&
      (type !== 'Item' || one.Type === 'Service' || one.Type === 'NonInventory');
    // The last of their kind stay: a company without items or vendors is no company to work in.
    if (books.idsOf(type).filter((id) => this.company.get(type, id)?.Active !== false).length < 4) return undefined;
    const rec = books.find(type, idle);
    return rec && outcome(type, books.actor.update(type, { Id: rec.Id, Active: false }));
  }

  private reactivate(): Outcome {
    const { books, chance } = this;
    for (let attempt = 0; attempt < 6; attempt++) {
      const type = chance.pick(['Customer', 'Vendor', 'Item', 'Class', 'Employee', 'Department', 'Term']);
      const inactive = books.idsOf(type).flatMap((id) => {
        const rec = this.company.get(type, id);
        return rec?.Active === false ? [rec] : [];
      });
      if (inactive.length > 0)
        return outcome(type, books.actor.update(type, { Id: chance.pick(inactive).Id, Active: true }));
    }
    // Nobody is away: someone is sent away by mistake and brought back.
    const away = this.deactivate();
    return away && outcome(away.type, books.actor.update(away.type, { Id: away.id, Active: true }));
  }

  private merge(): Outcome {
    const { books, chance } = this;
    const type = chance.pick(['Customer', 'Vendor']);
    const parents = new Set(
      [...this.company.all('Customer')].flatMap((one) => (one.ParentRef?.value as string | undefined) ?? []),
    );
    const plain = (one: Rec): boolean => one.Job !== true && !parents.has(one.Id as string) && this.local(one);
    const winner = books.find(type, plain);
    const loser = winner && books.find(type, (one) => plain(one) && one.Id !== winner.Id);
    if (!winner || !loser || books.idsOf(type).length < 5) return undefined;
    books.actor.merge(type, winner.Id as string, loser.Id as string);
    return outcome(type, winner, [{ type, rec: loser }]);
  }

  private attach(): Outcome {
    const { books, chance } = this;
    const type = chance.weighted({ Invoice: 4, Bill: 4, Purchase: 3, Estimate: 1, Customer: 1 });
    const rec = books.find(type);
    return rec && outcome('Attachable', books.attachment({ type, rec }), [{ type, rec }]);
  }
}
