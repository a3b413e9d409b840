// A person at work in the source while everything runs: creates, edits, takes payments, voids, deletes, attaches. Each
// act is remembered with the moment QuickBooks answered it: freshness is measured from there.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Raw } from '#testing';
import type { Accounting } from '../../installation/src/accounting.js';
import { Chance } from './chance.js';
import { bill, fileOf, invoice } from './source-company.js';

export interface Act {
  what: string;
  type: string;
  id: string;
  /** epoch ms at which QuickBooks had answered */
  doneMs: number;
  /** the record's own time of change, whole seconds; undefined for a deletion */
  lastUpdatedTime: string | undefined;
}

export class Person {
  readonly acts: Act[] = [];
  private readonly chance: Chance;
  private lists!: { items: Raw[]; terms: Raw[]; expenses: Raw[] };
  private customers: Raw[] = [];
  private vendors: Raw[] = [];
  private openInvoices: Raw[] = [];
  private bills: Raw[] = [];
  private number = 0;

  constructor(
    private readonly books: Accounting,
    seed: number,
  ) {
    this.chance = new Chance(seed + 1);
  }

  async sitDown(): Promise<void> {
    const accounts = await this.books.query('select * from Account maxresults 1000');
    this.lists = {
      items: (await this.books.query('select * from Item maxresults 1000')).filter((item) => item.Type !== 'Category'),
      terms: await this.books.query('select * from Term'),
      expenses: accounts.filter((account) => account.AccountType === 'Expense'),
    };
    this.customers = await this.books.query('select * from Customer maxresults 1000');
    this.vendors = await this.books.query('select * from Vendor maxresults 1000');
    const invoices = await this.books.query('select * from Invoice maxresults 1000');
    // Untouched ones: nothing paid on them, so that they may be voided and edited as one likes.
    this.openInvoices = invoices.filter((it) => it.Balance > 0 && it.Balance === it.TotalAmt);
    this.bills = await this.books.query('select * from Bill maxresults 1000');
  }

  /** Works for `ms`; the acts that matter most come first and once each, the rest as chance has it. */
  async work(ms: number, onAct: (act: Act) => void): Promise<void> {
    const deadline = performance.now() + ms;
    const must = [this.newCustomer, this.newInvoice, this.payment, this.editInvoice, this.voidInvoice, this.attachment];
    const planned = [...must, this.newBill, this.deleteBill, this.editCustomer];
    const usual = [
      ...[this.newInvoice, this.newInvoice, this.payment, this.payment, this.editInvoice, this.editInvoice],
      ...[this.newCustomer, this.editCustomer, this.editCustomer, this.newBill, this.editBill, this.newVendor],
    ];
    while (performance.now() < deadline) {
      const act = planned.shift() ?? this.chance.of(usual);
      const before = this.acts.length;
      await act.call(this);
      for (const done of this.acts.slice(before)) onAct(done);
      await sleep(this.chance.between(150, 500));
    }
  }

  private done(what: string, type: string, record: Raw): void {
    const lastUpdatedTime = record.MetaData?.LastUpdatedTime as string | undefined;
    this.acts.push({ what, type, id: String(record.Id), doneMs: Date.now(), lastUpdatedTime });
  }

  private today(): string {
    return new Date().toISOString().slice(0, 10);
  }

  private async newCustomer(): Promise<void> {
    const made = await this.books.write('Customer', {
      DisplayName: `Walk-in ${++this.number}`,
      PrimaryPhone: { FreeFormNumber: `(555) 020-${1000 + this.number}` },
    });
    this.customers.push(made);
    this.done('new customer', 'Customer', made);
  }

  private async newVendor(): Promise<void> {
    const made = await this.books.write('Vendor', { DisplayName: `New Supplier ${++this.number}` });
    this.vendors.push(made);
    this.done('new vendor', 'Vendor', made);
  }

  private async newInvoice(): Promise<void> {
    // Often for the customer who has just come in: parent and child travel together.
    const customer = this.chance.happens(0.4) ? this.customers.at(-1) : this.chance.of(this.customers);
    const { items, terms } = this.lists;
    const made = await this.books.write(
      'Invoice',
      invoice(this.chance, customer, items, this.today(), terms, 2000 + ++this.number),
    );
    this.openInvoices.push(made);
    this.done('new invoice', 'Invoice', made);
  }

  private async newBill(): Promise<void> {
    const { items, expenses } = this.lists;
    const vendor = this.chance.of(this.vendors);
    const made = await this.books.write(
      'Bill',
      bill(this.chance, vendor, expenses, items, this.customers, this.today(), 900 + ++this.number),
    );
    this.bills.push(made);
    this.done('new bill', 'Bill', made);
  }

  private async payment(): Promise<void> {
    const paid = this.takeInvoice();
    const whole = Math.round(paid.TotalAmt * 100);
    const cents = this.chance.happens(0.3) ? Math.ceil(whole / 2) : whole;
    const made = await this.books.write('Payment', {
      CustomerRef: paid.CustomerRef,
      TotalAmt: cents / 100,
      PaymentRefNum: `P-${++this.number}`,
      Line: [{ Amount: cents / 100, LinkedTxn: [{ TxnId: paid.Id, TxnType: 'Invoice' }] }],
    });
    this.done('payment', 'Payment', made);
  }

  private async editInvoice(): Promise<void> {
    const at = this.chance.between(0, this.openInvoices.length - 1);
    const { Id, SyncToken } = this.openInvoices[at];
    const changed = await this.books.write('Invoice', {
      ...{ Id, SyncToken, sparse: true },
      PrivateNote: `Called about it, note ${++this.number}`,
    });
    this.openInvoices[at] = changed;
    this.done('invoice edited', 'Invoice', changed);
  }

  private async editCustomer(): Promise<void> {
    const at = this.chance.between(0, this.customers.length - 1);
    const { Id, SyncToken } = this.customers[at];
    const changed = await this.books.write('Customer', {
      ...{ Id, SyncToken, sparse: true },
      Notes: `Rang at ${new Date().toISOString()}`,
    });
    this.customers[at] = changed;
    this.done('customer edited', 'Customer', changed);
  }

  private async editBill(): Promise<void> {
    const at = this.chance.between(0, this.bills.length - 1);
    const { Id, SyncToken, VendorRef, Line } = this.bills[at];
    const changed = await this.books.write('Bill', {
      ...{ Id, SyncToken, sparse: true, VendorRef, Line },
      PrivateNote: `Checked, note ${++this.number}`,
    });
    this.bills[at] = changed;
    this.done('bill edited', 'Bill', changed);
  }

  private async voidInvoice(): Promise<void> {
    const { Id, SyncToken } = this.takeInvoice();
    this.done('invoice voided', 'Invoice', await this.books.write('Invoice', { Id, SyncToken }, 'void'));
  }

  private async deleteBill(): Promise<void> {
    const [gone] = this.bills.splice(this.chance.between(0, this.bills.length - 1), 1);
    await this.books.write('Bill', { Id: gone.Id, SyncToken: gone.SyncToken }, 'delete');
    this.done('bill deleted', 'Bill', { Id: gone.Id });
  }

  private async attachment(): Promise<void> {
    const to = this.chance.of(this.openInvoices);
    const file = fileOf(this.chance, 40_000);
    const made = await this.books.attach(
      { type: 'Invoice', id: to.Id },
      `photo-${++this.number}.png`,
      file,
      'image/png',
    );
    this.done('file attached', 'Attachable', made);
  }

  private takeInvoice(): Raw {
    return this.openInvoices.splice(this.chance.between(0, this.openInvoices.length - 1), 1)[0];
  }
}
