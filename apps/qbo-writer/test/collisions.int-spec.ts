// Names and numbers that the target gave to something else: told before they are written where they can be, held with the
// holders named, or given a visible suffix where the sync's policy says so.
import type { Json } from '#core';
import { LinkReport } from '#storage';
import { Installation } from './installation.js';

describe('collisions', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  const suffix = { collisions: { names: 'suffix', numbers: 'suffix' } };
  const ownNumbers = { preferences: { SalesFormsPrefs: { CustomTxnNumbers: true } } };
  const held = (entityType: string) =>
    w.until((links) => links.some((link) => link.entityType === entityType && link.state === 'held'));

  it('holds a customer whose name is a vendor of the target, before anything is written, and goes on when it is free', async () => {
    await w.begin();
    const vendor = await w.write(w.target, 'Vendor', { DisplayName: 'Acme' });
    const customer = await w.save('Customer', { DisplayName: 'Acme' });
    const before = (await w.targetStats()).writes as number;
    w.startWriter();
    await w.carry('Customer', customer);
    await held('Customer');
    expect(await w.link('Customer', customer.Id)).toMatchObject({
      failureCode: 'COLLISION.NAME',
      failureReason: `the target has the name "Acme" already: Vendor ${String(vendor.Id)}`,
    });
    expect((await w.targetStats()).writes).toBe(before);
    await w.write(w.target, 'Vendor', {
      Id: vendor.Id as string,
      SyncToken: vendor.SyncToken as string,
      sparse: true,
      DisplayName: 'Acme Supplies',
    });
    await redrive('Customer', customer.Id);
    await w.quiet();
    expect(await w.targetRecord('Customer', customer.Id)).toMatchObject({ DisplayName: 'Acme' });
  });

  it('gives it a suffix where the policy says so, and keeps that through later edits', async () => {
    await w.begin(suffix);
    await w.write(w.target, 'Vendor', { DisplayName: 'Acme' });
    const customer = await w.save('Customer', { DisplayName: 'Acme' });
    w.startWriter();
    await w.carry('Customer', customer);
    await w.quiet();
    expect(await w.targetRecord('Customer', customer.Id)).toMatchObject({ DisplayName: 'Acme (C)' });
    const edited = await edit('Customer', customer, { Notes: 'pays late' });
    await w.carry('Customer', edited);
    await w.quiet();
    const copy = { DisplayName: 'Acme (C)', Notes: 'pays late' };
    expect(await w.targetRecord('Customer', customer.Id)).toMatchObject(copy);
    await w.carry('Customer', await edit('Customer', edited, { DisplayName: 'Acme Trading' }));
    await w.quiet();
    expect(await w.targetRecord('Customer', customer.Id)).toMatchObject({ DisplayName: 'Acme Trading' });
  });

  it.each([
    ['held with its holder', {}, undefined],
    ['given a suffix by the policy', suffix, '1001-2'],
  ])('an invoice whose number the target has is %s', async (_what, settings, expected) => {
    await w.begin(settings, { source: ownNumbers, target: ownNumbers });
    const other = await w.write(w.target, 'Customer', { DisplayName: 'Somebody else' });
    const [services] = await w.query(w.target, `select * from Item where Name = 'Services'`);
    const line = {
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemRef: { value: services!.Id as string } },
    };
    const taken = await w.write(w.target, 'Invoice', {
      CustomerRef: { value: other.Id as string },
      DocNumber: '1001',
      Line: [{ Amount: 5, ...line }],
    });
    const customer = await w.save('Customer', { DisplayName: 'Northwind' });
    const item = await w.save('Item', {
      Name: 'Work',
      Type: 'Service',
      IncomeAccountRef: { value: await w.sourceAccount('Income') },
    });
    const invoice = await w.saveInvoice(String(customer.Id), String(item.Id), 12, { DocNumber: '1001' });
    w.startWriter();
    await w.take(await w.sourceEvents());
    if (expected === undefined) {
      await held('Invoice');
      expect(await w.link('Invoice', invoice.Id)).toMatchObject({
        failureCode: 'COLLISION.NUMBER',
        failureReason: `the target has the number "1001" already: Invoice ${String(taken.Id)}`,
      });
    } else {
      await w.quiet();
      expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ DocNumber: expected, TotalAmt: 12 });
    }
  });

  it.each<[string, Json, Json, string]>([
    ['Customer', { DisplayName: 'Acme' }, {}, 'Vendor'],
    ['Account', { Name: 'Acme' }, { AccountType: 'Expense' }, 'Account'],
    ['Class', { Name: 'Acme' }, {}, 'Class'],
  ])(
    'a %s renamed onto a name that the target has is held with its holder, and goes on when it is free',
    async (type, taken, more, holderType) => {
      await w.begin();
      const [field] = Object.keys(taken);
      const { Id } = await w.save(type, { [field!]: 'Before', ...more });
      // As it is read, with its time; the answer to a creation has none.
      const made = (await w.query(w.source, `select * from ${type} where Id = '${String(Id)}'`))[0]!;
      w.startWriter();
      await w.carry(type, made);
      await w.quiet();
      const theirs = holderType === 'Account' ? { AccountType: 'Other Expense' } : {};
      const holder = await w.write(w.target, holderType, { ...taken, ...theirs });
      const renamed = await edit(type, made, { ...taken, ...more });
      await w.carry(type, renamed);
      await held(type);
      expect(await w.link(type, made.Id)).toMatchObject({
        failureCode: 'COLLISION.NAME',
        failureReason: `the target has the name "Acme" already: ${holderType} ${String(holder.Id)}`,
      });
      await w.write(w.target, holderType, {
        ...{ Id: holder.Id as string, SyncToken: holder.SyncToken as string, sparse: true },
        ...theirs,
        [field!]: 'Somebody else',
      });
      await redrive(type, made.Id);
      await w.quiet();
      expect(await w.targetRecord(type, made.Id)).toMatchObject(taken);
    },
  );

  it('an account whose number another account of the target has is held with it, and goes on when it is free', async () => {
    const numbered = { preferences: { AccountingInfoPrefs: { UseAccountNumbers: true } } };
    await w.begin({}, { source: numbered, target: numbered });
    const holder = await w.write(w.target, 'Account', {
      Name: 'Interest',
      AccountType: 'Other Income',
      AcctNum: '4000',
    });
    const made = await w.save('Account', { Name: 'Repairs', AccountType: 'Expense', AcctNum: '4000' });
    w.startWriter();
    await w.carry('Account', made);
    await held('Account');
    expect(await w.link('Account', made.Id)).toMatchObject({
      failureCode: 'COLLISION.NUMBER',
      failureReason: `the target has the number "4000" already: Account ${String(holder.Id)}`,
    });
    await w.write(w.target, 'Account', {
      ...{ Id: holder.Id as string, SyncToken: holder.SyncToken as string, sparse: true },
      ...{ Name: 'Interest', AccountType: 'Other Income', AcctNum: '4001' },
    });
    await redrive('Account', made.Id);
    await w.quiet();
    expect(await w.targetRecord('Account', made.Id)).toMatchObject({ Name: 'Repairs', AcctNum: '4000' });
  }, 30_000);

  it('a rename onto a taken name gets a suffix where the policy says so', async () => {
    await w.begin(suffix);
    const made = await w.save('Customer', { DisplayName: 'Before' });
    w.startWriter();
    await w.carry('Customer', made);
    await w.quiet();
    await w.write(w.target, 'Vendor', { DisplayName: 'Acme' });
    await w.carry('Customer', await edit('Customer', made, { DisplayName: 'Acme' }));
    await w.quiet();
    expect(await w.targetRecord('Customer', made.Id)).toMatchObject({ DisplayName: 'Acme (C)' });
  });

  describe('names and numbers that move between records of the source', () => {
    /** Made in the source and carried, as they are read. */
    async function carried(type: string, bodies: readonly Json[]): Promise<Json[]> {
      const made: Json[] = [];
      for (const body of bodies) {
        const { Id } = await w.save(type, body);
        made.push((await w.query(w.source, `select * from ${type} where Id = '${String(Id)}'`))[0]!);
      }
      for (const record of made) await w.carry(type, record);
      await w.quiet();
      return made;
    }
    const asItIs = async (type: string, id: unknown): Promise<Json> =>
      (await w.query(w.source, `select * from ${type} where Id = '${String(id)}'`))[0]!;

    it('two customers that change names change them in the copy', async () => {
      await w.begin();
      w.startWriter();
      const [a, b] = (await carried('Customer', [{ DisplayName: 'First' }, { DisplayName: 'Second' }])) as [Json, Json];
      const aside = await edit('Customer', a, { DisplayName: 'Aside' });
      await edit('Customer', b, { DisplayName: 'First' });
      await edit('Customer', aside, { DisplayName: 'Second' });
      for (const { Id } of [a, b]) await w.carry('Customer', await asItIs('Customer', Id));
      await w.quiet();
      expect((await w.targetRecord('Customer', a.Id)).DisplayName).toBe('Second');
      expect((await w.targetRecord('Customer', b.Id)).DisplayName).toBe('First');
    });

    it('a vendor that gets the name of a customer that was renamed is made, though it is told of first', async () => {
      await w.begin();
      w.startWriter();
      const [customer] = (await carried('Customer', [{ DisplayName: 'Acme' }])) as [Json];
      await edit('Customer', customer, { DisplayName: 'Acme Trading' });
      const vendor = await w.save('Vendor', { DisplayName: 'Acme' });
      await w.carry('Vendor', await asItIs('Vendor', vendor.Id));
      await w.until((links) => links.some(({ failureCode }) => failureCode === 'COLLISION.TURN'));
      await w.carry('Customer', await asItIs('Customer', customer.Id));
      await w.quiet();
      expect(await w.targetRecord('Vendor', vendor.Id)).toMatchObject({ DisplayName: 'Acme' });
      expect(await w.targetRecord('Customer', customer.Id)).toMatchObject({ DisplayName: 'Acme Trading' });
    });
  });

  function edit(type: string, { Id, SyncToken }: Json, changes: Json): Promise<Json> {
    return w.save(type, { Id: Id as string, SyncToken: SyncToken as string, sparse: true, ...changes });
  }

  async function redrive(entityType: string, sourceId: unknown): Promise<void> {
    const filter = { types: [entityType], sourceId: String(sourceId) };
    await w.db.withTransaction((tx) => new LinkReport(w.db).redrive(tx, w.syncId, filter, new Date()));
  }
});
