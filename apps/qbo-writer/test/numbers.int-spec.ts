// The numbers of documents, for every type that has one: kept where the target takes them, told where it numbers by itself,
// and a person's question where they are too long or taken.
import {
  defaultTemplate,
  definitionOf,
  mergeLayers,
  typesInRankOrder,
  type DocumentNumberPolicy,
  type Json,
} from '#core';
import { Installation } from './installation.js';

const numbered = typesInRankOrder().filter(({ docNumberField }) => docNumberField);
/** Numbered by the company where it does not take the users' own numbers (qbo-api.md 13.2). */
const salesForms = ['Invoice', 'SalesReceipt', 'CreditMemo', 'RefundReceipt', 'Estimate'];
const ownNumbers = (CustomTxnNumbers: boolean) => ({ preferences: { SalesFormsPrefs: { CustomTxnNumbers } } });

describe('document numbers', () => {
  let w: Installation;
  let documents: Map<string, Json>;
  let layers = 0;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  it.each([
    ['on', true],
    ['off', false],
  ])(
    'with custom numbers %s in the target every type keeps its number, or says which it has instead',
    async (_what, on) => {
      await w.begin({}, { source: ownNumbers(true), target: ownNumbers(on) });
      documents = await oneOfEach();
      w.startWriter();
      await w.take(await w.sourceEvents());
      await w.quiet();
      const results = await w.results();
      for (const { type } of numbered) {
        const { Id, DocNumber } = documents.get(type)!;
        const copy = await w.targetRecord(type, Id);
        const code = results.find((one) => one.entityType === type && one.sourceId === Id)!.code as unknown;
        const renumbered = !on && salesForms.includes(type);
        expect({ type, same: copy.DocNumber === DocNumber, code }).toEqual({
          type,
          same: !renumbered,
          code: renumbered ? 'ANSWER.RENUMBERED' : undefined,
        });
      }
      // A later edit is one write more, whatever number the target makes of it.
      const { Id, SyncToken } = documents.get('Invoice')!;
      const before = Number((await w.targetStats()).writes);
      const ids = { Id: Id as string, SyncToken: SyncToken as string, sparse: true };
      await w.carry('Invoice', await w.save('Invoice', { ...ids, PrivateNote: 'seen' }));
      await w.quiet();
      expect(await w.targetRecord('Invoice', Id)).toMatchObject({ PrivateNote: 'seen' });
      expect(Number((await w.targetStats()).writes) - before).toBe(1);
    },
  );

  it('a number too long with its prefix is held for every type, and goes on as the rule says next', async () => {
    await w.begin({}, { source: ownNumbers(true), target: ownNumbers(true) });
    documents = await oneOfEach();
    mapNumbers({ kind: 'prefix', text: 'A-LONG-PREFIX-' });
    w.startWriter();
    await w.take(await w.sourceEvents());
    // What pays a held bill waits for it.
    const asked = numbered.filter(({ type }) => type !== 'BillPayment');
    const heldOnes = (types: readonly { type: string }[], state: string) =>
      w.until(
        (links) => types.every(({ type }) => links.some((l) => l.entityType === type && l.state === state)),
        60_000,
      );
    await heldOnes(asked, 'held');
    for (const { type } of asked) {
      const { Id, DocNumber } = documents.get(type)!;
      const whole = `A-LONG-PREFIX-${String(DocNumber)}`;
      expect(await w.link(type, Id)).toMatchObject({
        failureCode: 'NUMBER.TOO_LONG',
        failureReason: `the number "${whole}" has ${whole.length} characters, and QuickBooks takes 21`,
        targetId: null,
      });
    }
    mapNumbers({ kind: 'prefix', text: 'A-LONG-PREFIX-', tooLong: 'cut' });
    await w.take(await w.sourceEvents());
    await w.quiet();
    for (const { type } of numbered) {
      const { Id, DocNumber } = documents.get(type)!;
      const room = 21 - 'A-LONG-PREFIX-'.length;
      expect({ type, number: (await w.targetRecord(type, Id)).DocNumber as unknown }).toEqual({
        type,
        number: `A-LONG-PREFIX-${String(DocNumber).slice(-room)}`,
      });
    }
  });

  it('by the rule "hold" a number is asked for before it is written, also where the target would take it twice', async () => {
    await w.begin({}, { source: ownNumbers(true), target: ownNumbers(true) });
    documents = await oneOfEach();
    const { Id, DocNumber } = documents.get('JournalEntry')!;
    const [bank, income] = await Promise.all(['Bank', 'Income'].map((type) => targetAccount(type)));
    const taken = await w.write(w.target, 'JournalEntry', { DocNumber, Line: entryLines(bank!, income!) });
    mapNumbers({ kind: 'hold' });
    w.startWriter();
    await w.take(await w.sourceEvents());
    const done = await w.until((links) => links.every((l) => l.state === 'settled' || l.state === 'held'), 60_000);
    expect(done.filter((l) => l.state === 'held').map((l) => `${l.entityType}/${l.sourceId}`)).toEqual([
      `JournalEntry/${String(Id)}`,
    ]);
    expect(await w.link('JournalEntry', Id)).toMatchObject({
      failureCode: 'COLLISION.NUMBER',
      failureReason: `the target has the number "${String(DocNumber)}" already: JournalEntry ${String(taken.Id)}`,
    });
  });

  function mapNumbers(documentNumber: DocumentNumberPolicy): void {
    w.rules = mergeLayers([
      defaultTemplate,
      { id: ++layers, layer: 'sync', rules: { entities: { '*': { documentNumber } } } },
    ]);
  }

  async function targetAccount(type: string): Promise<string> {
    return String((await w.query(w.target, `select * from Account where AccountType = '${type}'`))[0]!.Id);
  }

  const entryLines = (debit: string, credit: string): Json[] =>
    [
      ['Debit', debit],
      ['Credit', credit],
    ].map(([PostingType, value]) => ({
      Amount: 5,
      DetailType: 'JournalEntryLineDetail',
      JournalEntryLineDetail: { PostingType, AccountRef: { value } },
    }));

  /** One document of every type that has a number, each with a number of its own. */
  async function oneOfEach(): Promise<Map<string, Json>> {
    const made = new Map<string, Json>();
    const value = async (type: string, body: Json) => ({ value: String((await w.save(type, body)).Id) });
    const account = async (type: string) => ({ value: await w.sourceAccount(type) });
    const [bank, income, expense, payable] = [
      await account('Bank'),
      await account('Income'),
      await account('Expense'),
      await account('Accounts Payable'),
    ];
    const CustomerRef = await value('Customer', { DisplayName: 'Northwind' });
    const VendorRef = await value('Vendor', { DisplayName: 'Paper Mill' });
    const ItemRef = await value('Item', { Name: 'Work', Type: 'Service', IncomeAccountRef: income });
    const named = async (name: string) => ({
      value: String((await w.query(w.source, `select * from Account where Name = '${name}'`))[0]!.Id),
    });
    const goods = await value('Item', {
      ...{ Name: 'Pump', Type: 'Inventory', TrackQtyOnHand: true, QtyOnHand: 0, InvStartDate: '2026-01-01' },
      IncomeAccountRef: await named('Sales of Product Income'),
      ExpenseAccountRef: await named('Cost of Goods Sold'),
      AssetAccountRef: await named('Inventory Asset'),
    });
    const sold = [{ Amount: 10, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef } }];
    const spent = [
      {
        Amount: 10,
        DetailType: 'AccountBasedExpenseLineDetail',
        AccountBasedExpenseLineDetail: { AccountRef: expense },
      },
    ];
    const bodies: Record<string, () => Json> = {
      Estimate: () => ({ CustomerRef, Line: sold }),
      Invoice: () => ({ CustomerRef, Line: sold }),
      SalesReceipt: () => ({ CustomerRef, Line: sold }),
      CreditMemo: () => ({ CustomerRef, Line: sold }),
      RefundReceipt: () => ({ CustomerRef, Line: sold, DepositToAccountRef: bank }),
      PurchaseOrder: () => ({ VendorRef, APAccountRef: payable, Line: spent }),
      Bill: () => ({ VendorRef, Line: spent }),
      VendorCredit: () => ({ VendorRef, Line: spent }),
      Purchase: () => ({ AccountRef: bank, PaymentType: 'Cash', Line: spent }),
      BillPayment: () => ({
        ...{ VendorRef, TotalAmt: 10, PayType: 'Check', CheckPayment: { BankAccountRef: bank } },
        Line: [{ Amount: 10, LinkedTxn: [{ TxnId: made.get('Bill')!.Id, TxnType: 'Bill' }] }],
      }),
      JournalEntry: () => ({ Line: entryLines(bank.value, income.value) }),
      InventoryAdjustment: () => ({
        AdjustAccountRef: expense,
        Line: [{ DetailType: 'ItemAdjustmentLineDetail', ItemAdjustmentLineDetail: { ItemRef: goods, QtyDiff: 3 } }],
      }),
    };
    for (const { type } of numbered) {
      const body = bodies[type];
      if (!body) throw new Error(`no document of ${type} here`);
      // The parts of a company's paper numbers: a series, a year, a count.
      const number = `${definitionOf(type).type.slice(0, 2).toUpperCase()}${made.size}-26-001`;
      made.set(type, await w.save(type, { ...body(), DocNumber: number }));
    }
    return made;
  }
});
