// Adopt before create, by each rule that a mapping can give: by name, number, key field, table, or never. What is adopted is
// brought in line and what it was is kept; what cannot be decided is a person's question, with the candidates.
import { defaultTemplate, mergeLayers, type AdoptionRule, type Json } from '#core';
import { LinkReport } from '#storage';
import { Installation } from './installation.js';

describe('adoption', () => {
  let w: Installation;
  let layers = 0;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  type Rule = (source: Json, targets: readonly Json[]) => AdoptionRule;
  interface Case {
    what: string;
    type: string;
    rule: Rule;
    source: Json;
    targets: Json[];
    /** the twin's position; a code where it is held */
    expected: number | string;
  }
  const expense = { AccountType: 'Expense' };
  const by = (key: 'name' | 'number' | 'key' | 'never') => () => ({ by: key });
  const table: Rule = ({ Id }, targets) => ({ table: { [String(Id)]: String(targets[0]!.Id) } });
  const cases: Case[] = [
    {
      what: 'by all that identifies it, unless said otherwise',
      type: 'Customer',
      rule: () => true,
      source: { DisplayName: 'Acme', CompanyName: 'Acme Inc' },
      targets: [{ DisplayName: 'ACME', Notes: 'older' }],
      expected: 0,
    },
    {
      what: 'by name, whatever its number',
      type: 'Account',
      rule: by('name'),
      source: { Name: 'Paper', AcctNum: '610', ...expense },
      targets: [
        { Name: 'Pens', AcctNum: '611', ...expense },
        { Name: 'Paper', AcctNum: '700', ...expense },
      ],
      expected: 1,
    },
    {
      what: 'by number, whatever its name',
      type: 'Account',
      rule: by('number'),
      source: { Name: 'Paper', AcctNum: '610', ...expense },
      targets: [{ Name: 'Office paper', AcctNum: '610', ...expense }],
      expected: 0,
    },
    {
      what: 'by a key field',
      type: 'Employee',
      rule: by('key'),
      source: { GivenName: 'Ada', FamilyName: 'Byron', DisplayName: 'Ada Byron', EmployeeNumber: 'E7' },
      targets: [{ GivenName: 'A', FamilyName: 'Lovelace', DisplayName: 'Ada Byron', EmployeeNumber: 'E1' }],
      expected: 0,
    },
    {
      what: 'by a table, whatever name and number say',
      type: 'Vendor',
      rule: table,
      source: { DisplayName: 'Paper Mill' },
      targets: [{ DisplayName: 'Old mill' }],
      expected: 0,
    },
    {
      what: 'never: a name that is taken is a question',
      type: 'Class',
      rule: by('never'),
      source: { Name: 'North' },
      targets: [{ Name: 'North' }],
      expected: 'COLLISION.NAME',
    },
    {
      what: 'by a table that names an account of another type',
      type: 'Account',
      rule: table,
      source: { Name: 'Paper', ...expense },
      targets: [{ Name: 'Paper', AccountType: 'Bank' }],
      expected: 'ADOPT.TABLE',
    },
    {
      what: 'by a table that names nothing',
      type: 'Vendor',
      rule: ({ Id }) => ({ table: { [String(Id)]: '99999' } }),
      source: { DisplayName: 'Paper Mill' },
      targets: [{ DisplayName: 'Paper Mill' }],
      expected: 'ADOPT.TABLE',
    },
    {
      what: 'by a number that two have',
      type: 'Item',
      rule: by('number'),
      source: { Name: 'Pump', Type: 'Service', Sku: 'P-1' },
      targets: [
        { Name: 'Big pump', Type: 'Service', Sku: 'P-1' },
        { Name: 'Small pump', Type: 'Service', Sku: 'P-1' },
      ],
      expected: 'ADOPT.AMBIGUOUS',
    },
  ];

  const tracked = { preferences: { AccountingInfoPrefs: { ClassTrackingPerTxnLine: true, UseAccountNumbers: true } } };

  it.each(cases)('$type $what', async ({ type, rule, source, targets, expected }) => {
    await w.begin({}, { source: tracked, target: tracked });
    const income = async (company: Installation['source']) => {
      const [account] = await w.query(company, `select * from Account where AccountType = 'Income'`);
      return type === 'Item' ? { IncomeAccountRef: { value: String(account!.Id) } } : {};
    };
    const original = await w.save(type, { ...source, ...(await income(w.source)) });
    const there: Json[] = [];
    for (const body of targets) there.push(await w.write(w.target, type, { ...body, ...(await income(w.target)) }));
    w.rules = mergeLayers([
      defaultTemplate,
      { id: ++layers, layer: 'sync', rules: { entities: { [type]: { adopt: rule(original, there) } } } },
    ]);
    const count = async () => (await w.query(w.target, `select * from ${type} maxresults 1000`)).length;
    const before = await count();
    w.startWriter();
    const accounts = (await w.sourceEvents()).filter((event) => event.entityType === 'Account' && type === 'Item');
    await w.take([...accounts, w.event(type, original)]);
    await w.until((links) =>
      links.some(
        (l) => l.entityType === type && l.sourceId === original.Id && ['settled', 'held', 'failed'].includes(l.state),
      ),
    );
    const link = await w.link(type, original.Id);
    expect(await count()).toBe(before);
    if (typeof expected === 'string') {
      expect(link).toMatchObject({ state: 'held', failureCode: expected, targetId: null });
      const candidates = expected === 'ADOPT.TABLE' ? [] : there;
      for (const { Id } of candidates) expect(link.failureReason).toContain(String(Id));
      return;
    }
    const twin = there[expected]!;
    expect(link).toMatchObject({ state: 'settled', targetId: twin.Id });
    expect(await w.targetRecord(type, original.Id)).toMatchObject(source);
    const [row] = await new LinkReport(w.db).ofRecord(w.source.realmId, type, String(original.Id));
    expect(row!.beforeImage).toMatchObject({ Id: twin.Id, ...targets[expected] });
  });

  it('a twin that two records could take goes to one of them, and the other is made (I-02)', async () => {
    await w.begin();
    const income = (id: string) => ({ Type: 'Service', Sku: 'P-1', IncomeAccountRef: { value: id } });
    const inSource = income(await w.sourceAccount('Income'));
    const pumps = [
      await w.save('Item', { Name: 'Big pump', ...inSource }),
      await w.save('Item', { Name: 'Small pump', ...inSource }),
    ];
    const [account] = await w.query(w.target, `select * from Account where AccountType = 'Income'`);
    const twin = await w.write(w.target, 'Item', { Name: 'Pump', ...income(String(account!.Id)) });
    const rules = { entities: { Item: { adopt: { by: 'number' as const } } } };
    w.rules = mergeLayers([defaultTemplate, { id: ++layers, layer: 'sync', rules }]);
    w.startWriter();
    const accounts = (await w.sourceEvents()).filter(({ entityType }) => entityType === 'Account');
    await w.take([...accounts, ...pumps.map((pump) => w.event('Item', pump))]);
    await w.quiet();
    const targets = await Promise.all(pumps.map(async ({ Id }) => (await w.link('Item', String(Id))).targetId));
    expect(new Set(targets).size).toBe(2);
    expect(targets).toContain(twin.Id);
  });

  it('a table that was mended is followed at once', async () => {
    await w.begin();
    const vendor = await w.save('Vendor', { DisplayName: 'Paper Mill' });
    const there = await w.write(w.target, 'Vendor', { DisplayName: 'Old mill' });
    const by = (id: string) => {
      const adopt = { table: { [String(vendor.Id)]: id } };
      w.rules = mergeLayers([
        defaultTemplate,
        { id: ++layers, layer: 'sync', rules: { entities: { Vendor: { adopt } } } },
      ]);
    };
    by('99999');
    w.startWriter();
    await w.carry('Vendor', vendor);
    await w.until((links) => links[0]?.state === 'held');
    by(String(there.Id));
    await w.carry('Vendor', vendor);
    await w.quiet();
    expect(await w.link('Vendor', vendor.Id)).toMatchObject({ targetId: there.Id });
  });
});
