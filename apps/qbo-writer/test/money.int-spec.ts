// Money across every kind of company that the emulator computes: US manual tax, tax on top and inside the price (GB, AU), and
// several currencies. What the target computes by itself must come out equal to the cent; where it cannot, the result says why.
import { withTaxCode, withTaxRates, type Json } from '#core';
import { Installation } from './installation.js';

describe('money', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  const both = (company: Json, target: Json = {}) =>
    w.begin({}, { source: company, target: { ...company, ...target } });

  async function taxCode(name: string): Promise<string> {
    const codes = await w.query(w.source, 'select * from TaxCode maxresults 100');
    const found = codes.find((code) => code.Name === name);
    if (!found) throw new Error(`no code ${name} among ${codes.map((code) => String(code.Name)).join(', ')}`);
    return String(found.Id);
  }

  const item = async (name = 'Work'): Promise<string> =>
    String(
      (
        await w.save('Item', {
          Name: name,
          Type: 'Service',
          Taxable: true,
          IncomeAccountRef: { value: await w.sourceAccount('Income') },
        })
      ).Id,
    );

  /** A sales line; with a quantity, the price is what QBO multiplies. */
  const sale = (itemId: string, amount: number, code: string | undefined, more: Json = {}): Json => ({
    Amount: amount,
    DetailType: 'SalesItemLineDetail',
    SalesItemLineDetail: { ItemRef: { value: itemId }, ...(code ? { TaxCodeRef: { value: code } } : {}), ...more },
  });
  const cost = (accountId: string, amount: number, code: string | undefined, more: Json = {}): Json => ({
    Amount: amount,
    DetailType: 'AccountBasedExpenseLineDetail',
    AccountBasedExpenseLineDetail: {
      AccountRef: { value: accountId },
      ...(code ? { TaxCodeRef: { value: code } } : {}),
      ...more,
    },
  });

  /** Everything arrives, every amount of every document is the source's, and so is every account's balance. */
  async function expectEqualBooks(types: readonly string[]): Promise<void> {
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    for (const type of types) {
      const rows = await w.query(w.source, `select * from ${type} maxresults 100`);
      expect([type, rows.length > 0]).toEqual([type, true]);
      for (const row of rows) expect(amountsOf(await w.targetRecord(type, row.Id))).toEqual(amountsOf(row));
    }
    expect((await w.results()).filter((result) => String(result.code ?? '').startsWith('MONEY.'))).toEqual([]);
    expect(await trialBalance(w.target.realmId)).toEqual(await trialBalance(w.source.realmId));
  }

  it('US manual tax comes out equal: taxed and untaxed lines, a discount before and after tax', async () => {
    await both({ country: 'US' });
    const [work, code] = [await item(), await taxCode('California')];
    const customer = await w.save('Customer', { DisplayName: 'Northwind' });
    const form = { CustomerRef: { value: customer.Id }, TxnTaxDetail: { TxnTaxCodeRef: { value: code } } };
    const [discountAccount] = await w.query(w.source, `select * from Account where Name = 'Discounts given'`);
    const discount = {
      DetailType: 'DiscountLineDetail',
      Amount: 10,
      DiscountLineDetail: { PercentBased: false, DiscountAccountRef: { value: discountAccount!.Id } },
    };
    const lines = [
      sale(work, 75, 'TAX', { Qty: 3, UnitPrice: 25 }),
      sale(work, 72.33, 'TAX'),
      sale(work, 275.01, 'NON'),
    ];
    await w.save('Invoice', { ...form, Line: lines });
    await w.save('Invoice', { ...form, Line: [...lines, discount], ApplyTaxAfterDiscount: true });
    await w.save('Invoice', { ...form, Line: [...lines, discount], ApplyTaxAfterDiscount: false });
    await w.save('Invoice', { CustomerRef: form.CustomerRef, Line: [sale(work, 33.33, 'NON')] });
    await expectEqualBooks(['Invoice']);
  });

  it.each([
    ['GB', 'GBP', '20.0% S', '5.0% R', '0.0% Z', 20],
    ['AU', 'AUD', 'GST', 'GST free', 'Out of scope', 10],
  ])(
    '%s: tax on top, tax inside the price and no tax come out equal, sales and purchases',
    async (country, homeCurrency, standard, other, zero, percent) => {
      await both({ country, homeCurrency });
      const [work, s, r, z] = [await item(), await taxCode(standard), await taxCode(other), await taxCode(zero)];
      const expense = await w.sourceAccount('Expense');
      const customer = await w.save('Customer', { DisplayName: 'Northwind' });
      const vendor = await w.save('Vendor', { DisplayName: 'Paper Mill' });
      const onTop = { GlobalTaxCalculation: 'TaxExcluded' };
      const inside = { GlobalTaxCalculation: 'TaxInclusive' };
      // Grosses that no rounding of the net alone reproduces; the gross is said beside the net (K8, K9).
      const gross = (amount: number, divisor: number) => {
        const net = Math.round((amount * 100 * 100) / divisor) / 100;
        return { net, more: { TaxInclusiveAmt: amount } };
      };
      const sales = [2.94, 188.18, 19.99, 0.05].map((amount) => {
        const { net, more } = gross(amount, 100 + percent);
        return sale(work, net, s, more);
      });
      const costs = [2.94, 188.18, 19.99].map((amount) => {
        const { net, more } = gross(amount, 100 + percent);
        return cost(expense, net, s, more);
      });
      const toCustomer = { CustomerRef: { value: customer.Id } };
      const toVendor = { VendorRef: { value: vendor.Id } };
      await w.save('Invoice', {
        ...toCustomer,
        ...onTop,
        Line: [sale(work, 10.07, s), sale(work, 10.07, s), sale(work, 33.33, r), sale(work, 5, z)],
      });
      await w.save('Invoice', { ...toCustomer, ...inside, Line: sales });
      await w.save('Invoice', {
        ...toCustomer,
        GlobalTaxCalculation: 'NotApplicable',
        Line: [sale(work, 12.34, undefined)],
      });
      await w.save('Bill', { ...toVendor, ...onTop, Line: [cost(expense, 10.07, s), cost(expense, 99.99, r)] });
      await w.save('Bill', { ...toVendor, ...inside, Line: costs });
      await expectEqualBooks(['Invoice', 'Bill']);
    },
  );

  /** The tax of a document as a person set it: every rate named, one of them moved by so much. */
  async function overridden(type: string, made: Json, byCents: number): Promise<Json> {
    const tax = made.TxnTaxDetail as Json;
    const lines = (tax.TaxLine as Json[]).map((line, at) =>
      at === 0 ? { ...line, Amount: (Math.round(Number(line.Amount) * 100) + byCents) / 100 } : line,
    );
    const same = ['Id', 'SyncToken', 'CustomerRef', 'VendorRef', 'GlobalTaxCalculation', 'Line'];
    return w.save(type, {
      ...Object.fromEntries(same.filter((field) => field in made).map((field) => [field, made[field] as unknown])),
      sparse: true,
      TxnTaxDetail: { ...tax, TaxLine: lines },
    });
  }

  it.each([
    ['US', 'USD', 'California', undefined],
    ['GB', 'GBP', '20.0% S', 'TaxExcluded'],
    ['GB', 'GBP', '20.0% S', 'TaxInclusive'],
    ['AU', 'AUD', 'GST', 'TaxExcluded'],
    ['CA', 'CAD', 'HST ON', 'TaxExcluded'],
  ])(
    '%s (%s, %s, %s): a tax that a person overrode arrives as it is, and outlives the edit of a note',
    async (country, homeCurrency, codeName, basis) => {
      await both({ country, homeCurrency });
      const [work, code] = [await item(), await taxCode(codeName)];
      const customer = await w.save('Customer', { DisplayName: 'Northwind' });
      const lines = [sale(work, 100, basis ? code : 'TAX'), sale(work, 33.33, basis ? code : 'TAX')];
      const form = {
        CustomerRef: { value: customer.Id },
        Line: lines,
        ...(basis ? { GlobalTaxCalculation: basis } : { TxnTaxDetail: { TxnTaxCodeRef: { value: code } } }),
      };
      const plain = await w.save('Invoice', form);
      const odd = await overridden('Invoice', await w.save('Invoice', form), 7);
      const taxOf = (record: Json) => Math.round(Number((record.TxnTaxDetail as Json).TotalTax) * 100);
      expect(taxOf(odd) - taxOf(plain)).toBe(7);
      const types = ['Invoice'];
      if (basis) {
        const vendor = await w.save('Vendor', { DisplayName: 'Paper Mill' });
        const expense = await w.sourceAccount('Expense');
        const bill = await w.save('Bill', {
          VendorRef: { value: vendor.Id },
          GlobalTaxCalculation: basis,
          Line: [cost(expense, 10.07, code), cost(expense, 10.07, code)],
        });
        await overridden('Bill', bill, -1);
        types.push('Bill');
      }
      await expectEqualBooks(types);
      const noted = await w.save('Invoice', {
        ...{ Id: odd.Id as string, SyncToken: odd.SyncToken as string, sparse: true, PrivateNote: 'agreed by phone' },
        ...{ CustomerRef: odd.CustomerRef as unknown, TxnTaxDetail: odd.TxnTaxDetail as unknown },
      });
      expect(taxOf(noted)).toBe(taxOf(odd));
      await w.carry('Invoice', noted);
      await w.quiet();
      const copy = await w.targetRecord('Invoice', odd.Id);
      expect(copy).toMatchObject({ PrivateNote: 'agreed by phone' });
      expect(amountsOf(copy)).toEqual(amountsOf(noted));
    },
  );

  it('GB: a journal and a deposit with tax come out equal, also where a person set the tax per rate', async () => {
    await both({ country: 'GB', homeCurrency: 'GBP' });
    const code = await taxCode('20.0% S');
    const [bank, income, expense] = [
      await w.sourceAccount('Bank'),
      await w.sourceAccount('Income'),
      await w.sourceAccount('Expense'),
    ];
    const entry = (PostingType: string, value: string, Amount: number, more: Json = {}) => ({
      ...{ Amount, DetailType: 'JournalEntryLineDetail' },
      JournalEntryLineDetail: { PostingType, AccountRef: { value }, ...more },
    });
    const taxed = (TaxApplicableOn: string, TaxAmount: number) => ({
      ...{ TaxCodeRef: { value: code }, TaxApplicableOn, TaxAmount },
    });
    const plain = await w.save('JournalEntry', {
      Line: [entry('Debit', expense, 100, taxed('Purchase', 20)), entry('Credit', bank, 120)],
    });
    // A tax that is no percentage of the amount: only the lines say it.
    const typed = await w.save('JournalEntry', {
      Line: [entry('Debit', bank, 107.77), entry('Credit', income, 90, taxed('Sales', 17.77))],
    });
    const deposit = await w.save('Deposit', {
      DepositToAccountRef: { value: bank },
      GlobalTaxCalculation: 'TaxExcluded',
      Line: [
        {
          ...{ Amount: 33.33, DetailType: 'DepositLineDetail' },
          DepositLineDetail: { AccountRef: { value: income }, TaxCodeRef: { value: code }, TaxApplicableOn: 'Sales' },
        },
      ],
    });
    const taxes = [plain, typed, deposit].map((record) => Number((record.TxnTaxDetail as Json).TotalTax ?? 0));
    expect(taxes.every((tax) => tax !== 0)).toBe(true);
    await expectEqualBooks(['JournalEntry', 'Deposit']);
    const rates = (record: Json) =>
      (((record.TxnTaxDetail as Json).TaxLine as Json[] | undefined) ?? []).map((line) => [
        line.Amount,
        (line.TaxLineDetail as Json).NetAmountTaxable,
      ]);
    for (const [type, record] of [
      ['JournalEntry', plain],
      ['JournalEntry', typed],
      ['Deposit', deposit],
    ] as const)
      expect(rates(await w.targetRecord(type, record.Id))).toEqual(rates(record));
  });

  it('GB: a code and rate that the company makes while its sync runs arrive, and so do the documents that name them', async () => {
    await both({ country: 'GB', homeCurrency: 'GBP' });
    const work = await item();
    const customer = await w.save('Customer', { DisplayName: 'Northwind' });
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    const [agency] = await w.query(w.source, 'select * from TaxAgency');
    const { realmId, accessToken } = w.source;
    const made = await w.emulator.api(realmId, accessToken, 'POST', 'taxservice/taxcode', {
      TaxCode: 'Levy',
      TaxRateDetails: [
        { TaxRateName: 'Levy 7.5', RateValue: '7.5', TaxAgencyId: agency!.Id as string, TaxApplicableOn: 'Sales' },
      ],
    });
    expect(made.status).toBe(200);
    const codeId = String((made.body as Json).TaxCodeId);
    const invoice = await w.save('Invoice', {
      ...{ CustomerRef: { value: customer.Id }, GlobalTaxCalculation: 'TaxExcluded' },
      Line: [sale(work, 33.33, codeId)],
    });
    // The document is heard of first: it waits for the code and the rate, which the sweep tells of.
    await w.carry('Invoice', invoice);
    await w.until((links) => links.some((l) => l.entityType === 'Invoice' && l.state === 'waiting'));
    const codes = await w.query(w.source, 'select * from TaxCode maxresults 100');
    const rates = await w.query(w.source, 'select * from TaxRate maxresults 100');
    const code = codes.find(({ Id }) => Id === codeId)!;
    const rate = rates.find(({ Name }) => Name === 'Levy 7.5')!;
    await w.carry('TaxRate', withTaxCode(rate, codes));
    await w.carry('TaxCode', withTaxRates(code, new Map(rates.map((one) => [String(one.Id), one]))));
    await w.quiet();
    expect(await w.targetRecord('TaxRate', rate.Id)).toMatchObject({ Name: 'Levy 7.5', RateValue: 7.5 });
    expect(amountsOf(await w.targetRecord('Invoice', invoice.Id))).toEqual(amountsOf(invoice));
    expect(await trialBalance(w.target.realmId)).toEqual(await trialBalance(w.source.realmId));
  });

  it('an automated target computes its own tax whatever it is sent: told with the amounts', async () => {
    await both(
      { country: 'US', preferences: { TaxPrefs: { UsingSalesTax: true, PartnerTaxEnabled: true } } },
      { preferences: { TaxPrefs: { UsingSalesTax: true, PartnerTaxEnabled: true } } },
    );
    const [work, code] = [await item(), await taxCode('California')];
    const customer = await w.save('Customer', { DisplayName: 'Northwind' });
    await w.emulator.switches(w.source.realmId, { astTotalTax: 'kept' });
    const invoice = await w.save('Invoice', {
      CustomerRef: { value: customer.Id },
      TxnTaxDetail: { TxnTaxCodeRef: { value: code }, TotalTax: 8.5 },
      Line: [sale(work, 100, 'TAX')],
    });
    expect(invoice.TotalAmt).toBe(108.5);
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    const [told] = (await w.results()).filter((r) => r.entityType === 'Invoice' && r.sourceId === invoice.Id);
    expect(told).toMatchObject({ outcome: 'created', code: 'MONEY.TAX_RECOMPUTED' });
    expect(told!.reason).toContain('TotalAmt: 108.5 -> 108 (tax-recomputed)');
  });

  it('carries the rate of each transaction itself, so that home amounts and realised gains come out equal', async () => {
    await both({ country: 'US', homeCurrency: 'USD', multicurrency: true });
    const [work, expense] = [await item(), await w.sourceAccount('Expense')];
    const euro = { CurrencyRef: { value: 'EUR' } };
    const foreign = await w.save('Customer', { DisplayName: 'Nordwind', ...euro });
    const home = await w.save('Customer', { DisplayName: 'Northwind' });
    const mill = await w.save('Vendor', { DisplayName: 'Papierfabrik', ...euro });
    const toForeign = { CustomerRef: { value: foreign.Id }, ...euro };
    const invoice = await w.save('Invoice', {
      ...toForeign,
      ExchangeRate: 1.1234567,
      Line: [sale(work, 100.01, 'NON'), sale(work, 33.33, 'NON')],
    });
    await w.save('Invoice', { ...toForeign, ExchangeRate: 1.05, Line: [sale(work, 7.77, 'NON')] });
    await w.save('Invoice', { CustomerRef: { value: home.Id }, Line: [sale(work, 50, 'NON')] });
    await w.save('Bill', {
      VendorRef: { value: mill.Id },
      ...euro,
      ExchangeRate: 1.2,
      Line: [cost(expense, 41.41, 'NON')],
    });
    // Paid at another rate: the difference is a gain that QBO books by itself.
    await w.save('Payment', {
      ...toForeign,
      ExchangeRate: 1.2,
      TotalAmt: 100,
      Line: [{ Amount: 100, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
    });
    await expectEqualBooks(['Invoice', 'Bill', 'Payment']);
    expect(JSON.stringify(await trialBalance(w.target.realmId))).toContain('Exchange Gain or Loss');
  });

  it('says so when the target computes another tax: settled, with the amounts and the cause', async () => {
    await both({ country: 'US' }, { preferences: { TaxPrefs: { UsingSalesTax: false } } });
    const [work, code] = [await item(), await taxCode('California')];
    const customer = await w.save('Customer', { DisplayName: 'Northwind' });
    const invoice = await w.save('Invoice', {
      CustomerRef: { value: customer.Id },
      TxnTaxDetail: { TxnTaxCodeRef: { value: code } },
      Line: [sale(work, 100, 'TAX')],
    });
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    const [told] = (await w.results()).filter((r) => r.entityType === 'Invoice' && r.sourceId === invoice.Id);
    expect(told).toMatchObject({ outcome: 'created', code: 'MONEY.TAX_RECOMPUTED' });
    expect(told!.reason).toContain('TotalAmt: 108 -> 100 (tax-recomputed)');
    expect(await w.link('Invoice', invoice.Id)).toMatchObject({
      state: 'settled',
      differences: expect.arrayContaining([
        { path: 'TxnTaxDetail.TotalTax', sent: 8, answered: 0, cause: 'tax-recomputed' },
        { path: 'TotalAmt', sent: 108, answered: 100, cause: 'tax-recomputed' },
      ]) as unknown,
    });
  });

  it('says so when the target applies a credit by itself', async () => {
    await both({ country: 'US' }, { preferences: { SalesFormsPrefs: { AutoApplyCredit: true } } });
    const work = await item();
    const customer = await w.save('Customer', { DisplayName: 'Northwind' });
    const form = { CustomerRef: { value: customer.Id } };
    await w.save('CreditMemo', { ...form, Line: [sale(work, 20, 'NON')] });
    const invoice = await w.save('Invoice', { ...form, Line: [sale(work, 100, 'NON')] });
    w.startWriter();
    await w.take((await w.sourceEvents()).filter((event) => event.entityType !== 'Invoice'));
    await w.quiet();
    await w.carry('Invoice', invoice);
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 100, Balance: 80 });
    const [told] = (await w.results()).filter((r) => r.entityType === 'Invoice' && r.sourceId === invoice.Id);
    expect(told).toMatchObject({ outcome: 'created', code: 'MONEY.AUTO_APPLIED' });
    expect(told!.reason).toContain('Balance: 100 -> 80 (auto-applied)');
  });

  const amountFields = ['TotalAmt', 'Balance', 'HomeTotalAmt', 'HomeBalance', 'UnappliedAmt', 'ExchangeRate'];

  function amountsOf(record: Json): Json {
    const own = Object.fromEntries(amountFields.map((field) => [field, record[field] as unknown]));
    const lines = ((record.Line as Json[] | undefined) ?? []).map((line) => {
      const detail = line[String(line.DetailType)] as Json | undefined;
      return [line.Amount, detail?.TaxInclusiveAmt, detail?.UnitPrice];
    });
    return { ...own, tax: (record.TxnTaxDetail as Json | undefined)?.TotalTax as unknown, lines };
  }

  /** Debit and credit by account name; accounts without either are left out. */
  async function trialBalance(realmId: string): Promise<Record<string, string>> {
    const { rows } = (await w.emulator.trialBalance(realmId)) as { rows: Json[] };
    return Object.fromEntries(
      rows
        .map((row) => [String(row.name), `${String(row.debit)}|${String(row.credit)}`] as const)
        .filter(([, sums]) => !/^0(\.00)?\|0(\.00)?$/.test(sums))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
});
