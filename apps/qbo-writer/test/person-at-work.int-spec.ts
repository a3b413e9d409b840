// A person keeps the books while QuickBooks loses answers, cuts connections, throttles, and the writer is killed: in the end
// the target's trial balance is the source's, and there is nothing twice (I-02, I-04). Changes arrive doubled and out of order.
import type { Json } from '#core';
import type { WriteEvent } from '#contracts';
import { Installation } from './installation.js';

describe('a person at work, while QuickBooks misbehaves', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  it.each([1, 2])('leaves both companies equal (seed %i)', async (seed) => {
    await w.begin();
    const random = seeded(seed);
    const person = new Person(w, random);
    await person.openBooks();
    w.startWriter();
    await w.take(shuffled(await w.sourceEvents(), random));
    const target = { realmId: w.target.realmId };
    for (const fault of [
      'timeout-after-commit',
      'reset-after-commit',
      'reset-before-commit',
      'truncate-body',
      'html-503',
      'stale',
      'throttle',
      'partial-batch',
    ]) {
      await w.emulator.fault({ match: { ...target, method: 'POST' }, fault, probability: 0.05, times: 3, seed });
    }
    let late: WriteEvent[] = [];
    let crashed = false;
    for (let act = 1; act <= 60; act++) {
      const events = await person.act();
      const now = [...late, ...events];
      late = random() < 0.3 ? now : [];
      // Some come twice, some come later together with newer ones, in any order.
      if (late.length === 0) await w.take(shuffled([...now, ...now.filter(() => random() < 0.2)], random));
      if (act === 30) {
        w.startWriter({ crashWhen: () => !crashed && (crashed = true) });
        w.writers[0]!.stop().catch(() => undefined);
      }
    }
    await w.take(late);
    w.startWriter();
    await w.quiet(90_000);
    expect(await trialBalance(w.source.realmId)).toEqual(await trialBalance(w.target.realmId));
    for (const type of ['Customer', 'Vendor', 'Item', 'Invoice', 'Bill', 'Payment']) {
      const [from, to] = await Promise.all(
        [w.source, w.target].map((company) => w.query(company, `select * from ${type} maxresults 1000`)),
      );
      expect([type, to!.length]).toEqual([type, from!.length]);
    }
  });

  /** Debit and credit by account name; accounts without either are left out. */
  async function trialBalance(realmId: string): Promise<Record<string, string>> {
    const answer = await w.emulator.trialBalance(realmId);
    const rows: Json[] = Array.isArray(answer) ? answer : (answer.accounts ?? answer.rows ?? answer.lines);
    return Object.fromEntries(
      rows
        .map((row) => [String(row.name), `${Number(row.debit)}|${Number(row.credit)}`] as const)
        .filter(([, sums]) => sums !== '0|0')
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
});

class Person {
  private customers: Json[] = [];
  private vendors: Json[] = [];
  private items: Json[] = [];
  private readonly documents: {
    type: 'Invoice' | 'Bill' | 'Payment';
    id: string;
    customerId: string;
    voided?: boolean;
  }[] = [];
  private expense = '';
  private n = 0;

  constructor(
    private readonly w: Installation,
    private readonly random: () => number,
  ) {}

  async openBooks(): Promise<void> {
    const income = await this.w.sourceAccount('Income');
    this.expense = await this.w.sourceAccount('Expense');
    for (let n = 0; n < 3; n++) {
      this.customers.push(await this.w.save('Customer', { DisplayName: `Customer ${n}` }));
      this.vendors.push(await this.w.save('Vendor', { DisplayName: `Vendor ${n}` }));
      this.items.push(
        await this.w.save('Item', { Name: `Item ${n}`, Type: 'Service', IncomeAccountRef: { value: income } }),
      );
    }
    for (let n = 0; n < 5; n++) await this.invoice();
  }

  /** One act, and what capture would see of it. */
  async act(): Promise<WriteEvent[]> {
    const dice = this.random();
    if (dice < 0.3) return this.invoice();
    if (dice < 0.45) return this.bill();
    if (dice < 0.65) return this.pay();
    if (dice < 0.75) return this.edit();
    if (dice < 0.85) return this.rename();
    if (dice < 0.92) return this.remove();
    return this.voidInvoice();
  }

  private async invoice(): Promise<WriteEvent[]> {
    const buyer = this.any(this.customers);
    const made = await this.w.saveInvoice(buyer.Id, this.any(this.items).Id, this.amount());
    this.documents.push({ type: 'Invoice', id: made.Id, customerId: buyer.Id });
    return [this.w.event('Invoice', made)];
  }

  private async bill(): Promise<WriteEvent[]> {
    const amount = this.amount();
    const made = await this.w.save('Bill', {
      VendorRef: { value: this.any(this.vendors).Id },
      Line: [
        {
          Amount: amount,
          DetailType: 'AccountBasedExpenseLineDetail',
          AccountBasedExpenseLineDetail: { AccountRef: { value: this.expense } },
        },
      ],
    });
    this.documents.push({ type: 'Bill', id: made.Id, customerId: '' });
    return [this.w.event('Bill', made)];
  }

  private async pay(): Promise<WriteEvent[]> {
    const open = await this.w.query(this.w.source, `select * from Invoice where Balance > '0' maxresults 1000`);
    if (open.length === 0) return this.invoice();
    const invoice = this.any(open);
    const amount = this.random() < 0.5 ? Number(invoice.Balance) : Math.min(Number(invoice.Balance), 1);
    const made = await this.w.save('Payment', {
      CustomerRef: invoice.CustomerRef,
      TotalAmt: amount,
      Line: [{ Amount: amount, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
    });
    this.documents.push({ type: 'Payment', id: made.Id, customerId: String(invoice.CustomerRef.value) });
    // The invoice moves with it; its content does not.
    return [this.w.event('Payment', made), this.w.event('Invoice', await this.read('Invoice', invoice.Id))];
  }

  private async edit(): Promise<WriteEvent[]> {
    const document = this.any(this.documents.filter((d) => d.type !== 'Payment' && !d.voided));
    const now = await this.read(document.type, document.id);
    const edited = await this.w.save(document.type, {
      Id: now.Id,
      SyncToken: now.SyncToken,
      sparse: true,
      ...(document.type === 'Bill' ? { VendorRef: now.VendorRef } : {}),
      PrivateNote: `note ${++this.n}`,
    });
    return [this.w.event(document.type, edited)];
  }

  private async rename(): Promise<WriteEvent[]> {
    const place = Math.floor(this.random() * this.customers.length);
    const now = await this.read('Customer', this.customers[place]!.Id);
    const renamed = await this.w.save('Customer', {
      Id: now.Id,
      SyncToken: now.SyncToken,
      sparse: true,
      DisplayName: `Renamed ${++this.n}`,
    });
    this.customers[place] = renamed;
    return [this.w.event('Customer', renamed)];
  }

  private async remove(): Promise<WriteEvent[]> {
    const unpaid = this.documents.filter((d) => d.type !== 'Invoice');
    if (unpaid.length === 0) return this.invoice();
    const document = this.any(unpaid);
    const now = await this.read(document.type, document.id);
    await this.w.write(this.w.source, document.type, { Id: now.Id, SyncToken: now.SyncToken }, '?operation=delete');
    this.documents.splice(this.documents.indexOf(document), 1);
    return [this.w.event(document.type, { Id: document.id, status: 'Deleted' })];
  }

  private async voidInvoice(): Promise<WriteEvent[]> {
    const open = await this.w.query(this.w.source, `select * from Invoice where Balance > '0' maxresults 1000`);
    const untouched = open.filter((invoice) => Number(invoice.Balance) === Number(invoice.TotalAmt));
    if (untouched.length === 0) return this.bill();
    const invoice = this.any(untouched);
    const voided = await this.w.write(
      this.w.source,
      'Invoice',
      { Id: invoice.Id, SyncToken: invoice.SyncToken },
      '?operation=void',
    );
    const known = this.documents.find((d) => d.id === invoice.Id);
    if (known) known.voided = true;
    return [this.w.event('Invoice', voided)];
  }

  private async read(type: string, id: unknown): Promise<Json> {
    const { realmId, accessToken } = this.w.source;
    const answer = await this.w.emulator.api(realmId, accessToken, 'GET', `${type.toLowerCase()}/${String(id)}`);
    return answer.body[type] as Json;
  }

  private amount(): number {
    return (100 + Math.floor(this.random() * 99_900)) / 100;
  }

  private any<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }
}

/** mulberry32: small, and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
