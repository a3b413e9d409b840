// Cents that two companies' arithmetic cannot agree on: a visible line of their own where the sync's policy says so, never
// more than rounding can make, never twice, and gone when the document no longer needs it.
import { definitionOf, type Json } from '#core';
import { Installation } from './installation.js';

const rounding = 'Rounding difference from source';

describe('a rounding line', () => {
  let w: Installation;
  let work: string;
  let customer: Json;
  let standard: string;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  /**
   * The source rounds VAT once per document, the target line by line and keeps no tax line that it is sent: five lines of 0.12
   * at 20 % make 0.12 of tax here and 0.10 there.
   */
  async function begin(kind: 'line' | 'record'): Promise<void> {
    const company = { country: 'GB', homeCurrency: 'GBP' };
    await w.begin({}, { source: company, target: company });
    await w.emulator.switches(w.source.realmId, { vatExcludedRounding: 'document' });
    await w.emulator.switches(w.target.realmId, { vatOverride: 'ignored' });
    const find = async (type: string, name: string, company = w.target) => {
      const rows = await w.query(company, `select * from ${type} maxresults 200`);
      return String(rows.find((row) => row.Name === name)!.Id);
    };
    const [income] = await w.query(w.target, `select * from Account where AccountType = 'Income'`);
    const item = await w.write(w.target, 'Item', {
      Name: 'Rounding',
      Type: 'Service',
      IncomeAccountRef: { value: String(income!.Id) },
    });
    const [expense] = await w.query(w.target, `select * from Account where AccountType = 'Expense'`);
    const settings = {
      rounding: {
        kind,
        itemId: String(item.Id),
        accountId: String(expense!.Id),
        zeroTaxCodeId: await find('TaxCode', 'No VAT'),
      },
    };
    await w.db.query('update syncs set settings = $2 where id = $1', [w.syncId, JSON.stringify(settings)]);
    standard = await find('TaxCode', '20.0% S', w.source);
    customer = await w.save('Customer', { DisplayName: 'Northwind' });
    work = String(
      (
        await w.save('Item', {
          Name: 'Work',
          Type: 'Service',
          IncomeAccountRef: { value: await w.sourceAccount('Income') },
        })
      ).Id,
    );
  }

  const sale = (amount: number): Json => ({
    Amount: amount,
    DetailType: 'SalesItemLineDetail',
    SalesItemLineDetail: { ItemRef: { value: work }, TaxCodeRef: { value: standard } },
  });
  const invoice = (amounts: number[], more: Json = {}): Promise<Json> =>
    w.save('Invoice', {
      CustomerRef: { value: customer.Id as string },
      GlobalTaxCalculation: 'TaxExcluded',
      Line: amounts.map(sale),
      ...more,
    });
  const edit = (record: Json, changes: Json): Promise<Json> =>
    w.save('Invoice', {
      Id: record.Id as string,
      SyncToken: record.SyncToken as string,
      sparse: true,
      CustomerRef: { value: customer.Id as string },
      ...changes,
    });
  const roundingLines = async (source: Json): Promise<unknown[]> => {
    const copy = await w.targetRecord('Invoice', source.Id);
    const lines = copy.Line as Json[];
    return lines.filter((line) => line.Description === rounding).map((line) => line.Amount as unknown);
  };
  const writesOf = async (source: Json): Promise<Json[]> =>
    (await w.results()).filter((r) => r.entityType === 'Invoice' && r.sourceId === source.Id);

  it('brings the total to the cent, stays through an edit of a note, and goes when the lines no longer need it', async () => {
    await begin('line');
    const made = await invoice([0.12, 0.12, 0.12, 0.12, 0.12]);
    expect(made.TotalAmt).toBe(0.72);
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    expect(await w.targetRecord('Invoice', made.Id)).toMatchObject({ TotalAmt: 0.72, Balance: 0.72 });
    expect(await roundingLines(made)).toEqual([0.02]);
    expect(await writesOf(made)).toMatchObject([
      { outcome: 'created', code: 'MONEY.ROUNDING' },
      { outcome: 'updated', code: 'MONEY.ROUNDING_LINE' },
    ]);
    const noted = await edit(made, { PrivateNote: 'called' });
    await w.carry('Invoice', noted);
    await w.quiet();
    expect(await w.targetRecord('Invoice', made.Id)).toMatchObject({ TotalAmt: 0.72, PrivateNote: 'called' });
    expect(await roundingLines(made)).toEqual([0.02]);
    expect(await writesOf(made)).toHaveLength(3);
    // One cent less to say: the line is replaced, not added to.
    const shorter = await edit(noted, { Line: [sale(0.12), sale(0.12), sale(0.12)] });
    expect(shorter.TotalAmt).toBe(0.43);
    await w.carry('Invoice', shorter);
    await w.quiet();
    expect(await w.targetRecord('Invoice', made.Id)).toMatchObject({ TotalAmt: 0.43 });
    expect(await roundingLines(made)).toEqual([0.01]);
    const even = await edit(shorter, { Line: [sale(10)] });
    await w.carry('Invoice', even);
    await w.quiet();
    expect(await w.targetRecord('Invoice', made.Id)).toMatchObject({ TotalAmt: 12 });
    expect(await roundingLines(made)).toEqual([]);
    const links = await w.links();
    expect(links.filter((link) => link.state !== 'settled')).toEqual([]);
  });

  it('is written once although the writer dies between the first write and the line', async () => {
    await begin('line');
    const made = await invoice([0.12, 0.12, 0.12, 0.12, 0.12]);
    // The fourth answer is the invoice's, the fifth the line's; the process dies with each of them in its hands.
    let answers = 0;
    const dying = w.startWriter({ crashWhen: (moment) => moment === 'answered' && ++answers === 3 });
    await w.take(await w.sourceEvents());
    await w.until(() => answers >= 3);
    await dying.stop();
    w.startWriter();
    await w.quiet();
    expect(await w.targetRecord('Invoice', made.Id)).toMatchObject({ TotalAmt: 0.72 });
    expect(await roundingLines(made)).toEqual([0.02]);
    expect(await w.query(w.target, 'select * from Invoice')).toHaveLength(1);
  });

  it('is not made beyond a cent per line: the copy stands, held with the amounts, and what refers to it goes on', async () => {
    await begin('line');
    await w.emulator.switches(w.target.realmId, { vatOverride: 'ignored', vatExcludedRounding: 'line' });
    // Twelve lines of 0.12: 0.29 of tax in one sum, 0.24 line by line. Five cents are rounding, ...
    const made = await invoice(Array.from({ length: 12 }, () => 0.12));
    // ... ten of them on twenty lines are a person's question.
    const far = await invoice(Array.from({ length: 24 }, () => 0.12));
    expect([made.TotalAmt, far.TotalAmt]).toEqual([1.73, 3.46]);
    const payment = await w.save('Payment', {
      CustomerRef: { value: customer.Id as string },
      TotalAmt: 3,
      Line: [{ Amount: 3, LinkedTxn: [{ TxnId: far.Id as string, TxnType: 'Invoice' }] }],
    });
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.until((links) => links.every((link) => ['settled', 'held'].includes(link.state)));
    expect(await roundingLines(made)).toEqual([0.05]);
    expect(await w.link('Invoice', far.Id)).toMatchObject({
      state: 'held',
      failureCode: 'MONEY.TOO_FAR',
      failureReason: expect.stringContaining('the total must be 3.46 and is 3.36') as unknown,
    });
    expect(await w.targetRecord('Invoice', far.Id)).toMatchObject({ TotalAmt: 3.36, Balance: 0.36 });
    expect(await w.link('Payment', payment.Id)).toMatchObject({ state: 'settled' });
    expect((await writesOf(far)).at(-1)).toMatchObject({ outcome: 'held', code: 'MONEY.TOO_FAR' });
  });

  it('is not made where the policy only records', async () => {
    await begin('record');
    const made = await invoice([0.12, 0.12, 0.12, 0.12, 0.12]);
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    expect(await w.targetRecord('Invoice', made.Id)).toMatchObject({ TotalAmt: 0.7 });
    expect(await writesOf(made)).toMatchObject([{ outcome: 'created', code: 'MONEY.ROUNDING' }]);
    expect(definitionOf('Invoice').category).toBe('transaction');
  });
});
