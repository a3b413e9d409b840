// Types whose writes look otherwise than all others, through their whole life: made, changed, voided, removed.
import { withIdentity, type Json } from '#core';
import { Installation } from './installation.js';

describe('types with a form of their own', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  const begin = async (money: Json = {}) => {
    const prepared = { preferences: { SalesFormsPrefs: { CustomTxnNumbers: true } }, ...money };
    await w.begin({}, { source: prepared, target: prepared });
    w.startWriter();
  };
  const account = (name: string, AccountType: string, more: Json = {}) =>
    w.save('Account', { Name: name, AccountType, ...more });
  /** The record as a person changed it where the API offers no change. */
  const edited = (record: Json, change: (copy: Json) => void): Json => {
    const copy = structuredClone(record);
    copy.MetaData = { ...copy.MetaData, LastUpdatedTime: new Date(Date.now() + 5_000).toISOString() };
    change(copy);
    return copy;
  };
  const all = async (type: string) =>
    (await w.query(w.target, `select * from ${type} maxresults 100`)).map((row) => withIdentity(type, row));

  it('a card payment travels under the name QBO gives it, alone and in a batch', async () => {
    await begin();
    const bank = await account('Current', 'Bank');
    const card = await account('Visa', 'Credit Card');
    await w.carry('Account', bank, card);
    const pay = async (Amount: number) => {
      const body = { Amount, BankAccountRef: { value: bank.Id }, CreditCardAccountRef: { value: card.Id } };
      const path = 'creditcardpayment';
      const answer = await w.emulator.api(w.source.realmId, w.source.accessToken, 'POST', path, body);
      return (answer.body as Json).CreditCardPaymentTxn as Json;
    };
    const payments = [await pay(10), await pay(20), await pay(30)];
    await w.carry('CreditCardPayment', ...payments);
    await w.quiet();
    await w.carry(
      'CreditCardPayment',
      edited(payments[0]!, (copy) => void (copy.Amount = 11)),
    );
    await w.carry('CreditCardPayment', { Id: payments[1]!.Id as string, status: 'Deleted' });
    await w.quiet();
    expect((await all('CreditCardPayment')).map(({ Amount }) => Number(Amount)).sort((a, b) => a - b)).toEqual([
      11, 30,
    ]);
  });

  it('a recurring template is made inactive, and made anew when it changes', async () => {
    await begin();
    const from = await account('Current', 'Bank');
    const to = await account('Reserve', 'Bank');
    const line = ({ Id }: Json, PostingType: string) => ({
      Amount: 100,
      DetailType: 'JournalEntryLineDetail',
      JournalEntryLineDetail: { PostingType, AccountRef: { value: Id as string } },
    });
    const template = {
      JournalEntry: {
        PrivateNote: 'monthly',
        Line: [line(from, 'Credit'), line(to, 'Debit')],
        RecurringInfo: {
          Name: 'Saving',
          RecurType: 'Automated',
          Active: true,
          ScheduleInfo: { IntervalType: 'Monthly', NumInterval: 1, DayOfMonth: 1, StartDate: '2026-12-01' },
        },
      },
    };
    const made = withIdentity('RecurringTransaction', await w.save('RecurringTransaction', template));
    await w.carry('Account', from, to);
    await w.carry('RecurringTransaction', made);
    await w.quiet();
    const [first] = await all('RecurringTransaction');
    expect(first!.JournalEntry).toMatchObject({ RecurringInfo: { Name: 'Saving', Active: false } });
    await w.carry(
      'RecurringTransaction',
      edited(made, (copy) => void ((copy.JournalEntry as Json).PrivateNote = 'every month')),
    );
    await w.quiet();
    const now = await all('RecurringTransaction');
    expect(
      now.map(({ JournalEntry: entry }) => [entry.PrivateNote as string, entry.RecurringInfo.Active as boolean]),
    ).toEqual([['every month', false]]);
    expect(now[0]!.Id).not.toBe(first!.Id);
    const MetaData = { LastUpdatedTime: new Date(Date.now() + 10_000).toISOString() };
    await w.carry('RecurringTransaction', { Id: made.Id as string, status: 'Deleted', MetaData });
    await w.quiet();
    expect(await all('RecurringTransaction')).toEqual([]);
  });

  it('a rate is set, and set again, without doubling; its currency is made or found', async () => {
    await begin({ multicurrency: true });
    const euro = await w.save('CompanyCurrency', { Code: 'EUR' });
    const rate = async (Rate: number) => {
      const saved = await w.save('ExchangeRate', { SourceCurrencyCode: 'EUR', AsOfDate: '2026-11-02', Rate });
      return withIdentity('ExchangeRate', saved);
    };
    await w.carry('CompanyCurrency', euro);
    await w.carry('ExchangeRate', await rate(1.0875));
    await w.quiet();
    await w.carry(
      'ExchangeRate',
      edited(await rate(1.0911), () => {}),
    );
    await w.quiet();
    expect(await all('ExchangeRate')).toMatchObject([
      { SourceCurrencyCode: 'EUR', AsOfDate: '2026-11-02', Rate: 1.0911 },
    ]);
    expect((await all('CompanyCurrency')).map(({ Code }) => Code as string)).toContain('EUR');
  });

  it('a tax code is made by naming its rate and agency', async () => {
    await begin();
    const agency = await w.save('TaxAgency', { DisplayName: 'County Office' });
    const rates = [{ Name: 'County 1.5', RateValue: 1.5, AgencyRef: { value: agency.Id }, Applies: 'Sales' }];
    const code = { Id: '40', SyncToken: '0', Name: 'County', TaxCodeConfigType: 'USER_DEFINED', TaxRates: rates };
    await w.carry('TaxAgency', agency);
    await w.carry('TaxCode', code as Json);
    await w.quiet();
    const made = await w.targetRecord('TaxCode', '40');
    const { TaxRateRef } = ((made.SalesTaxRateList as Json).TaxRateDetail as Json[])[0]!;
    const rate = (await all('TaxRate')).find(({ Id }) => Id === (TaxRateRef as Json).value);
    expect(rate).toMatchObject({ Name: 'County 1.5', RateValue: 1.5 });
  });

  describe('a void', () => {
    const zeroed = (copy: Json) => {
      copy.PrivateNote = 'Voided';
      for (const field of ['TotalAmt', 'Amount', 'Balance']) if (field in copy) copy[field] = 0;
      for (const line of (copy.Line as Json[] | undefined) ?? []) {
        line.Amount = 0;
        if (line.SalesItemLineDetail) Object.assign(line.SalesItemLineDetail as Json, { Qty: 0, UnitPrice: 0 });
      }
    };
    const documents = async () => {
      const bank = await account('Current', 'Bank');
      const reserve = await account('Reserve', 'Bank');
      const customer = await w.save('Customer', { DisplayName: 'Amy' });
      const vendor = await w.save('Vendor', { DisplayName: 'Supply' });
      const income = await w.sourceAccount('Income');
      const item = await w.save('Item', { Name: 'Work', Type: 'Service', IncomeAccountRef: { value: income } });
      const expense = await account('Tools', 'Expense');
      const sale = {
        CustomerRef: { value: customer.Id },
        Line: [
          {
            Amount: 40,
            DetailType: 'SalesItemLineDetail',
            SalesItemLineDetail: { ItemRef: { value: item.Id }, Qty: 2, UnitPrice: 20 },
          },
        ],
      };
      const cost = [
        {
          Amount: 15,
          DetailType: 'AccountBasedExpenseLineDetail',
          AccountBasedExpenseLineDetail: { AccountRef: { value: expense.Id } },
        },
      ];
      const bill = await w.save('Bill', { VendorRef: { value: vendor.Id }, Line: cost });
      const made: Record<string, Json> = {
        SalesReceipt: await w.save('SalesReceipt', { ...sale, DocNumber: '501' }),
        CreditMemo: await w.save('CreditMemo', { ...sale, DocNumber: '502' }),
        RefundReceipt: await w.save('RefundReceipt', {
          ...sale,
          DocNumber: '503',
          DepositToAccountRef: { value: bank.Id },
        }),
        Purchase: await w.save('Purchase', {
          AccountRef: { value: bank.Id },
          PaymentType: 'Cash',
          EntityRef: { value: vendor.Id, type: 'Vendor' },
          Line: cost,
        }),
        Transfer: await w.save('Transfer', {
          FromAccountRef: { value: bank.Id },
          ToAccountRef: { value: reserve.Id },
          Amount: 9,
        }),
        BillPayment: await w.save('BillPayment', {
          VendorRef: { value: vendor.Id },
          PayType: 'Check',
          CheckPayment: { BankAccountRef: { value: bank.Id } },
          TotalAmt: 15,
          Line: [{ Amount: 15, LinkedTxn: [{ TxnId: bill.Id, TxnType: 'Bill' }] }],
        }),
      };
      await w.take(await w.sourceEvents());
      await w.quiet();
      return { made, bill };
    };

    it('has the form QBO knows where it knows one, and is a change to zero where it does not', async () => {
      await begin();
      const { made, bill } = await documents();
      for (const type of ['SalesReceipt', 'BillPayment']) {
        const { Id, SyncToken } = made[type]!;
        const path = '?operation=update&include=void';
        await w.carry(
          type,
          await w.write(w.source, type, { Id: Id as string, SyncToken: SyncToken as string, sparse: true }, path),
        );
      }
      for (const type of ['CreditMemo', 'RefundReceipt', 'Purchase', 'Transfer'])
        await w.carry(type, edited(made[type]!, zeroed));
      await w.quiet();
      const total = async (type: string) => {
        const copy = await w.targetRecord(type, made[type]!.Id);
        return [type, Number(copy.TotalAmt ?? copy.Amount), /^Voided/.test(String(copy.PrivateNote))];
      };
      const types = Object.keys(made).sort();
      expect(await Promise.all(types.map(total))).toEqual(types.map((type) => [type, 0, true]));
      // What the voided payment paid is open again.
      expect((await w.targetRecord('Bill', bill.Id)).Balance).toBe(15);
      const operations = (await w.results())
        .filter(({ outcome }) => outcome === 'voided')
        .map(({ entityType }) => entityType as string);
      expect(operations.sort()).toEqual(['BillPayment', 'SalesReceipt']);
    });
  });
});
