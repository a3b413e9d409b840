// A bookkeeper: knows the company's lists and open documents, and enters ordinary documents that make sense together.
// Every method sends one write through the Actor; none computes what the server computes. Sums are made in whole cents.
import { accountTypeBySubType } from '../catalogue/catalogue.js';
import { type CompanyView, QboFault, type Rec } from '../types.js';
import type { Actor } from './actor.js';
import { type Chance, dayAfter } from './chance.js';

const ref = (rec: Rec | string): Rec => ({ value: typeof rec === 'string' ? rec : (rec.Id as string) });
const amount = (cents: number): number => cents / 100;
const toCents = (value: unknown): number => Math.round(Number(value ?? 0) * 100);

export type ItemKind = 'Service' | 'NonInventory' | 'Inventory' | 'Category' | 'Group';
const salesTypes = new Set(['Invoice', 'Estimate', 'SalesReceipt', 'CreditMemo', 'RefundReceipt']);

export class Bookkeeper {
  readonly company: CompanyView;
  /** Ids by type, in order of creation; what is gone or inactive is skipped when picked. */
  private readonly ids = new Map<string, string[]>();
  private readonly taxCodes: Rec[];
  private readonly home: string;
  readonly country: string;
  private today: string;
  /** Set while a history is made up: documents are not only dated but also written on their day. */
  writesHistory = false;
  /** What is bought has another price each time. */
  movingPrices = false;
  private serial = 0;

  constructor(
    readonly actor: Actor,
    readonly chance: Chance,
    date?: string,
  ) {
    this.company = actor.company;
    this.today = date ?? actor.company.today();
    this.home = this.company.homeCurrency();
    this.country = this.company.country();
    this.taxCodes = [...this.company.all('TaxCode')].filter(
      (code) => code.Active !== false && !['TAX', 'NON'].includes(String(code.Id)),
    );
  }

  /** Documents get this date. */
  get date(): string {
    return this.today;
  }
  set date(date: string) {
    this.today = date;
    if (this.writesHistory) this.actor.backdate?.(date);
  }

  // ---- finding -------------------------------------------------------------------------------------------------------

  idsOf(type: string): string[] {
    let ids = this.ids.get(type);
    if (!ids) this.ids.set(type, (ids = [...this.company.all(type)].map((rec) => rec.Id as string)));
    return ids;
  }

  /** A random record that fits: some random tries, then a walk from a random place. */
  find(type: string, fits: (rec: Rec) => boolean = () => true): Rec | undefined {
    const ids = this.idsOf(type);
    const good = (id: string): Rec | undefined => {
      const rec = this.company.get(type, id);
      return rec && rec.Active !== false && fits(rec) ? rec : undefined;
    };
    for (let n = 0; n < 12 && ids.length > 0; n++) {
      const found = good(this.chance.pick(ids));
      if (found) return found;
    }
    const start = ids.length === 0 ? 0 : this.chance.whole(0, ids.length - 1);
    // A company of a hundred thousand documents is not walked for every one that finds no partner.
    const steps = Math.min(ids.length, 3_000);
    for (let n = 0; n < steps; n++) {
      const found = good(ids[(start + n) % ids.length]!);
      if (found) return found;
    }
    return undefined;
  }

  /** The latest of a type that fits: open documents are mostly young. */
  findRecent(type: string, fits: (rec: Rec) => boolean, depth = 400): Rec | undefined {
    const ids = this.idsOf(type);
    const found: Rec[] = [];
    for (let n = ids.length - 1; n >= Math.max(0, ids.length - depth) && found.length < 12; n--) {
      const rec = this.company.get(type, ids[n]!);
      if (rec && fits(rec)) found.push(rec);
    }
    return found.length > 0 ? this.chance.pick(found) : undefined;
  }

  account(...subTypes: string[]): Rec {
    for (const subType of subTypes) {
      const found = this.company.accountBySubType(subType);
      if (found) return found;
    }
    // An imported company may lack it; then it is made, as the product makes the accounts it needs.
    const subType = subTypes[0]!;
    const name = subType.replace(/([a-z])([A-Z])/g, '$1 $2');
    return this.company.ensureAccount({ name, type: accountTypeBySubType.get(subType)!.type, subType });
  }

  expenseAccount(): Rec {
    const special = /^(Unapplied|Uncategorized)/;
    return (
      this.find(
        'Account',
        (rec) => rec.AccountType === 'Expense' && !special.test(String(rec.Name)) && isHome(rec, this.home),
      ) ?? this.account('OfficeGeneralAdministrativeExpenses')
    );
  }
  bank = (): Rec =>
    this.find('Account', (rec) => rec.AccountType === 'Bank' && isHome(rec, this.home)) ?? this.account('Checking');
  card = (): Rec => this.account('CreditCard');

  keep(type: string, rec: Rec): Rec {
    const ids = this.ids.get(type);
    if (ids && ids.at(-1) !== rec.Id) ids.push(rec.Id as string);
    return rec;
  }

  create(type: string, body: Rec): Rec {
    this.idsOf(type);
    return this.keep(type, this.actor.create(type, body));
  }

  // ---- lists ---------------------------------------------------------------------------------------------------------

  customer(options: { parent?: Rec; currency?: string; name?: string } = {}): Rec {
    const { chance } = this;
    const { parent } = options;
    const address = chance.address(this.country);
    const person = { GivenName: chance.givenName(), FamilyName: chance.familyName() };
    const private_ = !parent && options.name === undefined && chance.happens(0.45);
    const name =
      options.name ??
      (parent ? chance.siteName() : private_ ? `${person.GivenName} ${person.FamilyName}` : chance.customerName());
    return this.named('Customer', 'DisplayName', name, {
      ...person,
      CompanyName: private_ || parent ? undefined : name,
      PrimaryEmailAddr: { Address: `${person.GivenName}.${person.FamilyName}@example.com`.toLowerCase() },
      PrimaryPhone: { FreeFormNumber: chance.phone() },
      BillAddr: address,
      ShipAddr: chance.happens(0.5) ? address : chance.address(this.country),
      Notes: chance.happens(0.2) ? chance.note() : undefined,
      Taxable: chance.happens(0.8),
      SalesTermRef: this.maybeRef('Term', 0.5),
      PaymentMethodRef: this.maybeRef('PaymentMethod', 0.3),
      PreferredDeliveryMethod: chance.happens(0.3) ? 'Email' : undefined,
      ...(parent
        ? { ParentRef: ref(parent), Job: true, BillWithParent: chance.happens(0.3), CurrencyRef: parent.CurrencyRef }
        : this.currencyOf(options.currency)),
    });
  }

  vendor(options: { currency?: string; name?: string } = {}): Rec {
    const { chance } = this;
    const name = options.name ?? chance.vendorName();
    return this.named('Vendor', 'DisplayName', name, {
      CompanyName: name,
      GivenName: chance.givenName(),
      FamilyName: chance.familyName(),
      PrimaryPhone: { FreeFormNumber: chance.phone() },
      PrimaryEmailAddr: { Address: `accounts${chance.whole(1, 999)}@example.com` },
      BillAddr: chance.address(this.country),
      AcctNum: chance.happens(0.4) ? String(chance.whole(10_000, 99_999)) : undefined,
      Vendor1099: chance.happens(0.1),
      TermRef: this.maybeRef('Term', 0.6),
      ...this.currencyOf(options.currency),
    });
  }

  employee(): Rec {
    const GivenName = this.chance.givenName();
    const FamilyName = this.chance.familyName();
    return this.named('Employee', 'DisplayName', `${GivenName} ${FamilyName}`, {
      GivenName,
      FamilyName,
      PrimaryAddr: this.chance.address(this.country),
      PrimaryPhone: { FreeFormNumber: this.chance.phone() },
    });
  }

  item(
    kind: ItemKind,
    options: { parent?: Rec; name?: string; members?: Rec[]; startDate?: string; quantity?: number } = {},
  ): Rec {
    const { chance } = this;
    const service = kind === 'Service';
    const name =
      options.name ?? (kind === 'Category' ? chance.placeName() : service ? chance.serviceName() : chance.goodsName());
    if (kind === 'Category') return this.named('Item', 'Name', name, { Type: kind });
    if (kind === 'Group') {
      const members = (options.members ?? []).map((member, n) => ({
        Qty: n + 1,
        ItemRef: { value: member.Id, name: member.Name, type: member.Type },
      }));
      return this.named('Item', 'Name', name, {
        Type: kind,
        ItemGroupDetail: { ItemGroupLine: members },
        PrintGroupedItems: undefined,
      });
    }
    const cost = chance.cents(150, 9_000);
    const price = service ? chance.cents(2_500, 25_000) : Math.round(cost * 1.7);
    const income =
      this.company.accountBySubType(service ? 'ServiceFeeIncome' : 'SalesOfProductIncome') ??
      this.account('ServiceFeeIncome');
    const salesCode = this.country === 'US' ? undefined : this.taxCode('Sales');
    const purchaseCode = this.country === 'US' ? undefined : this.taxCode('Purchase');
    return this.named('Item', 'Name', name, {
      Type: kind,
      Sku: service ? undefined : `FS-${chance.whole(1_000, 9_999)}`,
      Description: `${name}, ${service ? 'per hour' : 'each'}`,
      UnitPrice: amount(price),
      Taxable: !service,
      IncomeAccountRef: ref(income),
      SalesTaxCodeRef: codeRef(salesCode),
      PurchaseTaxCodeRef: codeRef(purchaseCode),
      ...(options.parent ? { SubItem: true, ParentRef: ref(options.parent) } : {}),
      ...(service
        ? {}
        : {
            PurchaseCost: amount(cost),
            PurchaseDesc: `${name}, trade`,
            ExpenseAccountRef: ref(this.account('SuppliesMaterialsCogs')),
          }),
      ...(kind === 'Inventory'
        ? {
            TrackQtyOnHand: true,
            QtyOnHand: options.quantity ?? chance.whole(100, 400),
            InvStartDate: options.startDate ?? this.date,
            AssetAccountRef: ref(this.account('Inventory')),
            ReorderPoint: chance.happens(0.3) ? 20 : undefined,
          }
        : {}),
    });
  }

  ledgerAccount(type: string, subType: string, name: string, more: Rec = {}): Rec {
    return this.named('Account', 'Name', name, {
      AccountType: type,
      AccountSubType: subType,
      Description: name,
      ...more,
    });
  }

  listEntry(type: 'Class' | 'Department' | 'Term' | 'PaymentMethod', name?: string, more: Rec = {}): Rec {
    const days = this.chance.whole(5, 90);
    const made: Record<typeof type, [string, Rec]> = {
      Class: [this.chance.placeName(), {}],
      Department: [this.chance.placeName(), {}],
      Term: [`Net ${days}`, { DueDays: days }],
      PaymentMethod: [`${this.chance.placeName()} Card`, { Type: 'CREDIT_CARD' }],
    };
    const [invented, fields] = made[type];
    return this.named(type, 'Name', name ?? invented, 'DayOfMonthDue' in more ? more : { ...fields, ...more });
  }

  /** Names are invented and may be taken: then a number is added, as a person would. */
  private named(type: string, field: string, name: string, body: Rec): Rec {
    for (let attempt = 0; ; attempt++) {
      // After two clashes the serial number settles it: thousands of customers share a few hundred names.
      const suffix =
        attempt === 0 ? '' : attempt < 3 ? ` ${attempt + 1}` : ` ${++this.serial + this.idsOf(type).length}`;
      try {
        return this.create(type, { [field]: `${name}${suffix}`, ...body });
      } catch (error) {
        if (!(error instanceof QboFault) || error.code !== '6240' || attempt > 50) throw error;
      }
    }
  }

  private currencyOf(currency: string | undefined): Rec {
    return currency === undefined || currency === this.home ? {} : { CurrencyRef: { value: currency } };
  }

  private maybeRef(type: string, probability: number): Rec | undefined {
    const found = this.chance.happens(probability) ? this.find(type) : undefined;
    return found && ref(found);
  }

  // ---- lines ---------------------------------------------------------------------------------------------------------

  /** A code for that side: one with rates for the other side only cannot be used here. */
  taxCode(side: 'Sales' | 'Purchase'): Rec | undefined {
    const other = side === 'Sales' ? 'Purchase' : 'Sales';
    const rated = (code: Rec, of: string): boolean => (code[`${of}TaxRateList`]?.TaxRateDetail?.length ?? 0) > 0;
    const usable = this.taxCodes.filter((code) => rated(code, side) || !rated(code, other));
    return usable.length === 0 ? undefined : this.chance.pick(usable);
  }

  salesItem = (): Rec =>
    this.find(
      'Item',
      (rec) =>
        rec.Type !== 'Category' && rec.Type !== 'Group' && rec.IncomeAccountRef !== undefined && this.inStock(rec),
    ) ?? this.item('Service');

  private inStock(rec: Rec): boolean {
    return rec.Type !== 'Inventory' || (Number(rec.QtyOnHand) > 40 && String(rec.InvStartDate) <= this.date);
  }

  salesLine(item: Rec = this.salesItem(), quantity?: number): Rec {
    const { chance } = this;
    const price = toCents(item.UnitPrice) || chance.cents(1_000, 30_000);
    const qty = quantity ?? chance.whole(1, item.Type === 'Service' ? 12 : 8);
    const detail: Rec = { ItemRef: ref(item), Qty: qty, UnitPrice: amount(price) };
    if (this.country === 'US') detail.TaxCodeRef = { value: item.Taxable === true ? 'TAX' : 'NON' };
    else detail.TaxCodeRef = item.SalesTaxCodeRef ?? codeRef(this.taxCode('Sales'));
    if (chance.happens(0.2)) detail.ClassRef = this.maybeRef('Class', 1);
    if (chance.happens(0.15)) detail.ServiceDate = this.date;
    return {
      DetailType: 'SalesItemLineDetail',
      Description: item.Description,
      Amount: amount(price * qty),
      SalesItemLineDetail: detail,
    };
  }

  expenseLine(options: { customer?: Rec; billable?: boolean; account?: Rec; cents?: number } = {}): Rec {
    const detail: Rec = { AccountRef: ref(options.account ?? this.expenseAccount()) };
    if (this.country !== 'US') detail.TaxCodeRef = codeRef(this.taxCode('Purchase'));
    if (options.customer)
      Object.assign(detail, {
        CustomerRef: ref(options.customer),
        BillableStatus: options.billable ? 'Billable' : 'NotBillable',
      });
    if (this.chance.happens(0.2)) detail.ClassRef = this.maybeRef('Class', 1);
    const cents = options.cents ?? this.chance.cents(1_200, 90_000);
    return {
      DetailType: 'AccountBasedExpenseLineDetail',
      Amount: amount(cents),
      Description: this.chance.happens(0.5) ? this.chance.note() : undefined,
      AccountBasedExpenseLineDetail: detail,
    };
  }

  purchasedItemLine(
    item = this.find('Item', (rec) => rec.Type === 'Inventory' && String(rec.InvStartDate) <= this.date) ??
      this.find('Item', (rec) => rec.Type === 'NonInventory'),
    quantity?: number,
  ): Rec {
    if (!item) return this.expenseLine();
    const listed = toCents(item.PurchaseCost) || this.chance.cents(200, 9_000);
    const qty = quantity ?? this.chance.whole(20, 80);
    // Drawn by the quantity: another draw would make another history of every seed.
    const cost = this.movingPrices ? Math.max(1, Math.round((listed * (85 + ((qty * 7) % 31))) / 100)) : listed;
    const detail: Rec = { ItemRef: ref(item), Qty: qty, UnitPrice: amount(cost) };
    if (this.country !== 'US') detail.TaxCodeRef = item.PurchaseTaxCodeRef ?? codeRef(this.taxCode('Purchase'));
    return { DetailType: 'ItemBasedExpenseLineDetail', Amount: amount(cost * qty), ItemBasedExpenseLineDetail: detail };
  }

  private lines(make: () => Rec, most = 4): Rec[] {
    return Array.from({ length: this.chance.whole(1, most) }, make);
  }

  /** Tax of a sales document where the lines say only TAX or NON. */
  private salesTax(lines: readonly Rec[]): Rec {
    if (this.country !== 'US')
      return { GlobalTaxCalculation: this.chance.happens(0.8) ? 'TaxExcluded' : 'TaxInclusive' };
    const taxed = lines.some((line) => line.SalesItemLineDetail?.TaxCodeRef?.value === 'TAX');
    const [code] = this.taxCodes;
    return taxed && code && this.company.preferences().TaxPrefs?.UsingSalesTax !== false
      ? { TxnTaxDetail: { TxnTaxCodeRef: ref(code) } }
      : {};
  }

  private foreign(party: Rec): Rec {
    const currency: string = party.CurrencyRef?.value ?? this.home;
    if (currency === this.home) return {};
    const base: Record<string, number> = { EUR: 1.08, GBP: 1.27, CAD: 0.74, AUD: 0.66, USD: 1.35 };
    return {
      CurrencyRef: { value: currency },
      ExchangeRate: Math.round((base[currency] ?? 1.1) * (0.97 + this.chance.part() * 0.06) * 10_000) / 10_000,
    };
  }

  private header(): Rec {
    return {
      TxnDate: this.date,
      PrivateNote: this.chance.happens(0.3) ? this.chance.note() : undefined,
      DepartmentRef: this.maybeRef('Department', 0.15),
    };
  }

  // ---- sales ---------------------------------------------------------------------------------------------------------

  salesDocument(type: string, options: { customer?: Rec; lines?: Rec[]; more?: Rec } = {}): Rec {
    if (!salesTypes.has(type)) throw new Error(`${type} is no sales document.`);
    const customer =
      options.customer ??
      this.find('Customer', (rec) => rec.Job !== true || this.chance.happens(0.6)) ??
      this.customer();
    const lines = options.lines ?? this.lines(() => this.salesLine());
    return this.create(type, {
      ...this.header(),
      CustomerRef: ref(customer),
      ...this.foreign(customer),
      Line: lines,
      ...this.salesTax(lines),
      DepositToAccountRef: type === 'RefundReceipt' ? ref(this.bank()) : undefined,
      CustomerMemo: this.chance.happens(0.3) ? { value: 'Thank you for your business.' } : undefined,
      ...options.more,
    });
  }

  invoice(options: { customer?: Rec; lines?: Rec[]; more?: Rec } = {}): Rec {
    const extra: Rec[] = [];
    if (!options.lines && this.chance.happens(0.06)) {
      extra.push({
        DetailType: 'DiscountLineDetail',
        DiscountLineDetail: { PercentBased: true, DiscountPercent: this.chance.pick([5, 10]) },
      });
    }
    const lines = options.lines ?? [...this.lines(() => this.salesLine()), ...extra];
    return this.salesDocument('Invoice', {
      ...options,
      lines,
      more: { SalesTermRef: this.maybeRef('Term', 0.4), BillEmail: { Address: 'ap@example.com' }, ...options.more },
    });
  }

  /** Money in: for one invoice or several of the same customer, in full or in part. */
  payment(invoices: readonly Rec[], options: { cents?: number; unapplied?: boolean; more?: Rec } = {}): Rec {
    const [first] = invoices as readonly [Rec];
    let left = options.cents ?? invoices.reduce((sum, invoice) => sum + toCents(invoice.Balance), 0);
    const total = left;
    const lines = invoices.flatMap((invoice) => {
      const paid = Math.min(left, toCents(invoice.Balance));
      left -= paid;
      return paid > 0 ? [{ Amount: amount(paid), LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }] : [];
    });
    return this.create('Payment', {
      TxnDate: later(this.date, first.TxnDate),
      CustomerRef: ref(first.CustomerRef.value),
      ...this.sameCurrency(first),
      TotalAmt: amount(total),
      PaymentMethodRef: this.maybeRef('PaymentMethod', 0.7),
      PaymentRefNum: this.chance.happens(0.4) ? String(this.chance.whole(1_000, 9_999)) : undefined,
      Line: options.unapplied ? [] : lines,
      ...options.more,
    });
  }

  /** QBO's zero payment that ties a credit to a charge. */
  applyCredit(charge: { type: string; rec: Rec }, credit: { type: string; rec: Rec }, cents: number): Rec {
    const line = (side: { type: string; rec: Rec }): Rec => ({
      Amount: amount(cents),
      LinkedTxn: [{ TxnId: side.rec.Id, TxnType: side.type }],
    });
    const customer: Rec = charge.rec.CustomerRef ?? credit.rec.CustomerRef;
    return this.create('Payment', {
      TxnDate: this.date,
      CustomerRef: ref(customer.value),
      ...this.sameCurrency(charge.rec),
      TotalAmt: 0,
      Line: [line(charge), line(credit)],
    });
  }

  private sameCurrency(document: Rec): Rec {
    const currency: string = document.CurrencyRef?.value ?? this.home;
    return currency === this.home ? {} : { CurrencyRef: { value: currency }, ExchangeRate: document.ExchangeRate };
  }

  // ---- purchases -----------------------------------------------------------------------------------------------------

  bill(options: { vendor?: Rec; lines?: Rec[]; more?: Rec; type?: 'Bill' | 'VendorCredit' } = {}): Rec {
    const vendor = options.vendor ?? this.find('Vendor') ?? this.vendor();
    const lines =
      options.lines ?? this.lines(() => (this.chance.happens(0.3) ? this.purchasedItemLine() : this.expenseLine()), 3);
    return this.create(options.type ?? 'Bill', {
      ...this.header(),
      VendorRef: ref(vendor),
      ...this.foreign(vendor),
      DocNumber: this.chance.happens(0.6)
        ? `${this.chance.whole(100, 999)}-${this.chance.whole(1_000, 9_999)}`
        : undefined,
      SalesTermRef: options.type === 'VendorCredit' ? undefined : this.maybeRef('Term', 0.4),
      Line: lines,
      ...this.purchaseTax(),
      ...options.more,
    });
  }

  private purchaseTax(): Rec {
    return this.country === 'US' ? {} : { GlobalTaxCalculation: 'TaxExcluded' };
  }

  billPayment(
    bills: readonly Rec[],
    options: { cents?: number; byCard?: boolean; credits?: readonly { type: string; rec: Rec; cents: number }[] } = {},
  ): Rec {
    const [first] = bills as readonly [Rec];
    const due = options.cents ?? bills.reduce((sum, bill) => sum + toCents(bill.Balance), 0);
    let left = due;
    const lines: Rec[] = bills.map((bill) => {
      const paid = Math.min(left, toCents(bill.Balance));
      left -= paid;
      return { Amount: amount(paid), LinkedTxn: [{ TxnId: bill.Id, TxnType: 'Bill' }] };
    });
    let credited = 0;
    for (const credit of options.credits ?? []) {
      credited += credit.cents;
      lines.push({ Amount: amount(credit.cents), LinkedTxn: [{ TxnId: credit.rec.Id, TxnType: credit.type }] });
    }
    const total = due - credited;
    const how =
      total === 0
        ? { PayType: 'Check', CheckPayment: { PrintStatus: 'NotSet' } }
        : options.byCard
          ? { PayType: 'CreditCard', CreditCardPayment: { CCAccountRef: ref(this.card()) } }
          : { PayType: 'Check', CheckPayment: { BankAccountRef: ref(this.bank()), PrintStatus: 'NeedToPrint' } };
    return this.create('BillPayment', {
      TxnDate: later(this.date, first.TxnDate),
      VendorRef: ref(first.VendorRef.value),
      ...this.sameCurrency(first),
      TotalAmt: amount(total),
      ...how,
      Line: lines,
    });
  }

  /** The zero payment of the purchase side: one line for the charge, one for the credit. */
  tieToCredit(vendor: Rec, sides: readonly { type: string; rec: Rec }[], centsEach: number): Rec {
    const line = (side: { type: string; rec: Rec }): Rec => ({
      Amount: amount(centsEach),
      LinkedTxn: [{ TxnId: side.rec.Id, TxnType: side.type }],
    });
    return this.create('BillPayment', {
      TxnDate: this.date,
      VendorRef: ref(vendor),
      TotalAmt: 0,
      PayType: 'Check',
      CheckPayment: { PrintStatus: 'NotSet' },
      Line: sides.map(line),
    });
  }

  purchase(
    options: {
      how?: 'Cash' | 'Check' | 'CreditCard';
      credit?: boolean;
      lines?: Rec[];
      payee?: { type: string; rec: Rec };
      more?: Rec;
    } = {},
  ): Rec {
    const how = options.how ?? this.chance.weighted({ Cash: 4, Check: 3, CreditCard: 3 });
    const vendor = this.find('Vendor', (rec) => isHome(rec, this.home));
    const payee = options.payee ?? (vendor && { type: 'Vendor', rec: vendor });
    return this.create('Purchase', {
      ...this.header(),
      PaymentType: how,
      AccountRef: ref(how === 'CreditCard' ? this.card() : this.bank()),
      Credit: options.credit ? true : undefined,
      DocNumber: how === 'Check' ? String(2_000 + this.idsOf('Purchase').length) : undefined,
      EntityRef: payee && { ...ref(payee.rec), type: payee.type },
      Line: options.lines ?? this.lines(() => this.expenseLine(), 2),
      ...this.purchaseTax(),
      ...options.more,
    });
  }

  purchaseOrder(options: { vendor?: Rec; lines?: Rec[] } = {}): Rec {
    const vendor = options.vendor ?? this.find('Vendor', (rec) => isHome(rec, this.home)) ?? this.vendor();
    return this.create('PurchaseOrder', {
      TxnDate: this.date,
      VendorRef: ref(vendor),
      APAccountRef: ref(this.account('AccountsPayable')),
      Line: options.lines ?? this.lines(() => this.purchasedItemLine(), 2),
      ...this.purchaseTax(),
    });
  }

  /** The goods of an order have come: a bill whose lines each close a line of the order. */
  billFromOrder(order: Rec): Rec {
    const lines = (order.Line as Rec[])
      .filter(
        (line) =>
          line.DetailType === 'ItemBasedExpenseLineDetail' || line.DetailType === 'AccountBasedExpenseLineDetail',
      )
      .map((line) => {
        const detail = { ...(line[line.DetailType as string] as Rec) };
        delete detail.BillableStatus;
        return {
          DetailType: line.DetailType,
          Amount: line.Amount,
          Description: line.Description,
          [line.DetailType as string]: detail,
          LinkedTxn: [{ TxnId: order.Id, TxnType: 'PurchaseOrder', TxnLineId: line.Id }],
        };
      });
    const vendor = this.company.get('Vendor', order.VendorRef.value as string)!;
    return this.bill({
      vendor,
      lines,
      more: { TxnDate: later(this.date, order.TxnDate), LinkedTxn: [{ TxnId: order.Id, TxnType: 'PurchaseOrder' }] },
    });
  }

  // ---- bank and ledger -----------------------------------------------------------------------------------------------

  deposit(
    parts: readonly { type: string; rec: Rec; cents: number }[],
    options: { lines?: Rec[]; cashBackCents?: number; account?: Rec } = {},
  ): Rec {
    const linked = parts.map(({ type, rec, cents }) => ({
      Amount: amount(cents),
      LinkedTxn: [{ TxnId: rec.Id, TxnType: type, TxnLineId: '0' }],
    }));
    const latest = parts.reduce((date, { rec }) => later(date, rec.TxnDate), this.date);
    return this.create('Deposit', {
      TxnDate: latest,
      DepositToAccountRef: ref(options.account ?? this.bank()),
      PrivateNote: this.chance.happens(0.2) ? this.chance.note() : undefined,
      Line: [...linked, ...(options.lines ?? [])],
      CashBack: options.cashBackCents
        ? {
            AccountRef: ref(this.company.accountBySubType('Savings') ?? this.account('OpeningBalanceEquity')),
            Amount: amount(options.cashBackCents),
            Memo: 'Petty cash',
          }
        : undefined,
    });
  }

  depositLine(account: Rec, cents: number, entity?: { type: string; rec: Rec }): Rec {
    return {
      DetailType: 'DepositLineDetail',
      Amount: amount(cents),
      Description: this.chance.note(),
      DepositLineDetail: { AccountRef: ref(account), Entity: entity && { ...ref(entity.rec), type: entity.type } },
    };
  }

  journal(
    sides: readonly { account: Rec; cents: number; posting: 'Debit' | 'Credit'; entity?: { type: string; rec: Rec } }[],
    more: Rec = {},
  ): Rec {
    return this.create('JournalEntry', {
      TxnDate: this.date,
      PrivateNote: this.chance.happens(0.4) ? this.chance.note() : undefined,
      Line: sides.map(({ account, cents, posting, entity }) => ({
        DetailType: 'JournalEntryLineDetail',
        Amount: amount(cents),
        Description: 'Adjustment',
        JournalEntryLineDetail: {
          PostingType: posting,
          AccountRef: ref(account),
          Entity: entity && { Type: entity.type, EntityRef: ref(entity.rec) },
        },
      })),
      ...more,
    });
  }

  transfer(from: Rec, to: Rec, cents: number): Rec {
    return this.create('Transfer', {
      TxnDate: this.date,
      FromAccountRef: ref(from),
      ToAccountRef: ref(to),
      Amount: amount(cents),
      PrivateNote: 'Moved funds',
    });
  }

  cardPayment(cents: number): Rec {
    return this.create('CreditCardPayment', {
      TxnDate: this.date,
      CreditCardAccountRef: ref(this.card()),
      BankAccountRef: ref(this.bank()),
      Amount: amount(cents),
    });
  }

  timeActivity(options: { billable?: boolean; customer?: Rec } = {}): Rec {
    const customer = options.customer ?? this.find('Customer', (rec) => isHome(rec, this.home));
    const item = this.find('Item', (rec) => rec.Type === 'Service');
    const employee = this.find('Employee') ?? this.employee();
    const billable = options.billable ?? (customer !== undefined && this.chance.happens(0.6));
    return this.create('TimeActivity', {
      TxnDate: this.date,
      NameOf: 'Employee',
      EmployeeRef: ref(employee),
      CustomerRef: customer && ref(customer),
      ItemRef: item && ref(item),
      BillableStatus: billable && customer ? 'Billable' : 'NotBillable',
      HourlyRate: billable ? amount(this.chance.whole(30, 90) * 100) : undefined,
      Hours: this.chance.whole(1, 8),
      Minutes: this.chance.pick([0, 15, 30, 45]),
      Description: this.chance.note(),
    });
  }

  stockCount(item: Rec, difference: number): Rec {
    return this.create('InventoryAdjustment', {
      TxnDate: this.date,
      AdjustAccountRef: ref(this.company.accountBySubType('SuppliesMaterialsCogs') ?? this.expenseAccount()),
      Line: [
        {
          DetailType: 'ItemAdjustmentLineDetail',
          ItemAdjustmentLineDetail: { ItemRef: ref(item), QtyDiff: difference },
        },
      ],
    });
  }

  attachment(target: { type: string; rec: Rec }): Rec {
    const serial = this.idsOf('Attachable').length + 1;
    const lines = [
      `${target.type} ${target.rec.DocNumber ?? target.rec.Id}`,
      this.chance.note(),
      `Photo list ${this.chance.whole(1, 99)}`,
    ];
    const [name, contentType] = this.chance.pick([
      ['receipt', 'text/plain'],
      ['site-notes', 'text/plain'],
      ['measurements', 'text/csv'],
    ] as const);
    const file = {
      name: `${name}-${serial}.${contentType === 'text/csv' ? 'csv' : 'txt'}`,
      contentType,
      content: Buffer.from(lines.join('\n')),
    };
    return this.keep('Attachable', this.actor.attach(file, { type: target.type, id: target.rec.Id as string }));
  }

  dueSoon = (): string => dayAfter(this.date, 30);
}

export const cents = toCents;
export const isHome = (rec: Rec, home: string): boolean => (rec.CurrencyRef?.value ?? home) === home;
const codeRef = (code: Rec | undefined): Rec | undefined => code && ref(code);
const later = (date: string, other: unknown): string => (typeof other === 'string' && other > date ? other : date);
