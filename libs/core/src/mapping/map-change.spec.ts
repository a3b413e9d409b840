import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { bindReferences } from '../references/index.js';
import { mergeLayers } from './layers.js';
import { mapChange } from './map-change.js';
import type { MappedWrite, SourceChange } from './mapped.js';
import type { EntityRules, LayerName, LayerRules, RuleSet } from './rules.js';
import { defaultTemplate } from './template.js';

const version = '2026-05-01T17:00:00.000Z_0000000000_2026-05-01T17:00:03.000Z';
const change = (entityType: string, snapshot?: Json, more: Partial<SourceChange> = {}): SourceChange => ({
  realmId: '1',
  entityType,
  id: '5',
  version,
  deleted: false,
  snapshot,
  ...more,
});
const identity = mergeLayers([defaultTemplate]);
const rulesOf = (layers: [LayerName, number, LayerRules][]): RuleSet =>
  mergeLayers([defaultTemplate, ...layers.map(([layer, id, rules]) => ({ layer, id, rules }))]);
const syncRules = (type: string, rules: EntityRules) => rulesOf([['sync', 9, { entities: { [type]: rules } }]]);

function written(source: SourceChange, rules: RuleSet = identity): MappedWrite {
  const mapped = mapChange(source, rules);
  if (mapped.kind !== 'write') throw new Error(JSON.stringify(mapped));
  return mapped.write;
}

describe('the identity mapping', () => {
  const customer: Json = {
    Id: '5',
    SyncToken: '3',
    MetaData: {},
    domain: 'QBO',
    DisplayName: 'Kitchen',
    FullyQualifiedName: 'Cool Cars:Kitchen',
    Job: true,
    ParentRef: { value: '3', name: 'Cool Cars' },
    Level: 1,
    Balance: 90,
    BalanceWithJobs: 90,
    OpenBalanceDate: '2026-01-01',
    IsProject: false,
    Active: true,
    CurrencyRef: { value: 'USD', name: 'Dollar' },
    PrimaryTaxIdentifier: 'XXXX1234',
    DefaultTaxCodeRef: { value: '2' },
    CustomerTypeRef: { value: '99' },
  };

  it('carries a sub-customer with its parent by reference and without what QBO computes', () => {
    const write = written(change('Customer', customer));
    expect(write.payload).toEqual({
      DisplayName: 'Kitchen',
      Job: true,
      IsProject: undefined,
      Active: true,
      CurrencyRef: { value: 'USD' },
    });
    expect(write.references).toEqual([{ path: ['ParentRef'], entityType: 'Customer', sourceId: '3' }]);
    expect(write.naturalKey).toEqual({ DisplayName: 'Kitchen' });
    expect(write.op).toBe('upsert');
  });

  it('strips the suffix of an inactive name and leaves an active one alone', () => {
    const inactive = { DisplayName: 'Ann (deleted)', Active: false };
    expect(written(change('Customer', inactive)).payload).toEqual({ DisplayName: 'Ann', Active: false });
    const active = { DisplayName: 'Ann (deleted)', Active: true };
    expect(written(change('Customer', active)).payload!.DisplayName).toBe('Ann (deleted)');
  });

  it('creates an inventory item with no stock and a start date: transactions move the stock', () => {
    const item = { Name: 'Pump', Type: 'Inventory', QtyOnHand: 25, AvgCost: 9, TrackQtyOnHand: true };
    expect(written(change('Item', { ...item, InvStartDate: '2026-02-01' })).payload).toEqual({
      Name: 'Pump',
      Type: 'Inventory',
      QtyOnHand: 0,
      TrackQtyOnHand: true,
      InvStartDate: '2026-02-01',
    });
    expect(written(change('Item', item)).payload!.InvStartDate).toBe('2000-01-01');
  });

  it('never sends an opening balance', () => {
    const account = {
      Name: 'Checking',
      AccountType: 'Bank',
      OpeningBalance: 100,
      OpeningBalanceDate: '2026-01-01',
      CurrentBalance: 7,
    };
    expect(written(change('Account', account)).payload).toEqual({ Name: 'Checking', AccountType: 'Bank' });
  });

  it('forces what would charge a card, mail a customer or fill a print queue, against any rule', () => {
    const rules = syncRules('*', {
      static: { ProcessPayment: true, EmailStatus: 'NeedToSend', AllowOnlineACHPayment: true },
    });
    expect(
      written(change('Payment', { TotalAmt: 5, ProcessPayment: true, Line: [] }), rules).payload!.ProcessPayment,
    ).toBe(false);
    const invoice = { EmailStatus: 'NeedToSend', PrintStatus: 'NeedToPrint', AllowOnlineACHPayment: true, Line: [] };
    expect(written(change('Invoice', invoice), rules).payload).toMatchObject({
      EmailStatus: 'NotSet',
      PrintStatus: 'NotSet',
      AllowOnlineACHPayment: false,
    });
  });

  it('leaves quantity, price and amount exactly as they are', () => {
    const detail = { ItemRef: { value: '5' }, Qty: 3, UnitPrice: 33.3333333 };
    const line = { Amount: 100, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: detail };
    const { payload } = written(
      change('Invoice', { Line: [line, { Amount: 100, DetailType: 'SubTotalLineDetail' }], TotalAmt: 100 }),
    );
    expect(payload!.Line).toEqual([{ ...line, SalesItemLineDetail: { Qty: 3, UnitPrice: 33.3333333 } }]);
    expect(payload).not.toHaveProperty('TotalAmt');
  });

  it('keeps the empty list of a payment: it says that nothing is applied', () => {
    expect(written(change('Payment', { TotalAmt: 5, Line: [] })).payload!.Line).toEqual([]);
  });

  it('sends the tax code and the total, not the tax per rate that the target computes by itself', () => {
    const tax = {
      TotalTax: 8,
      TxnTaxCodeRef: { value: '2' },
      TaxLine: [{ TaxLineDetail: { TaxRateRef: { value: '3' } } }],
    };
    const write = written(change('Invoice', { Line: [], TxnTaxDetail: tax }));
    expect(write.payload!.TxnTaxDetail).toEqual({ TotalTax: 8 });
    expect(write.references).toEqual([
      { path: ['TxnTaxDetail', 'TxnTaxCodeRef'], entityType: 'TaxCode', sourceId: '2' },
    ]);
  });

  it('turns a billed line into an ordinary one: the API refuses HasBeenBilled', () => {
    const detail = { AccountRef: { value: '7' }, BillableStatus: 'HasBeenBilled' };
    const { payload } = written(change('Bill', { Line: [{ Amount: 1, AccountBasedExpenseLineDetail: detail }] }));
    expect(payload!.Line[0].AccountBasedExpenseLineDetail.BillableStatus).toBe('NotBillable');
  });

  it('recognises a void, and keeps a payload for a target that never had the record', () => {
    const write = written(change('Invoice', { PrivateNote: 'Voided', TotalAmt: 0, Line: [{ Amount: 0 }] }));
    expect(write.op).toBe('void');
    expect(write.payload).toBeDefined();
    // The API cannot void a bill: its zero lines arrive as an update.
    expect(written(change('Bill', { PrivateNote: 'Voided', TotalAmt: 0, Line: [{ Amount: 0 }] })).op).toBe('upsert');
  });

  it('turns a deletion into a deletion', () => {
    const write = written(change('Invoice', undefined, { deleted: true }));
    expect(write).toMatchObject({ op: 'delete', references: [] });
    expect(write.payload).toBeUndefined();
  });

  it('does not move the desired hash when a payment links to an invoice', () => {
    const invoice = { SyncToken: '0', Line: [], Balance: 5, LinkedTxn: [] };
    const linked = { SyncToken: '1', Line: [], Balance: 0, LinkedTxn: [{ TxnId: '9', TxnType: 'Payment' }] };
    expect(written(change('Invoice', linked)).desiredHash).toBe(written(change('Invoice', invoice)).desiredHash);
  });

  it.each([
    ['a bundle', 'Item', { Name: 'Kit', Type: 'Group' }],
    ['a tax rate that no code uses', 'TaxRate', { Name: 'California', RateValue: 8 }],
    ['a type nobody registered', 'Budget', {}],
  ])('does not carry %s', (_, type, snapshot) => {
    expect(mapChange(change(type, snapshot), identity).kind).toBe('excluded');
  });

  it('makes a file of an attachable, with the records it hangs on', () => {
    const snapshot = {
      FileName: 'receipt.pdf',
      ContentType: 'application/pdf',
      Size: 1234,
      AttachableRef: [{ EntityRef: { value: '95', type: 'invoice' }, IncludeOnSend: false }],
    };
    expect(mapChange(change('Attachable', snapshot), identity)).toEqual({
      kind: 'attachment',
      attachment: {
        attachableId: '5',
        version,
        deleted: false,
        fileName: 'receipt.pdf',
        contentType: 'application/pdf',
        size: 1234,
        references: [{ entityType: 'Invoice', sourceId: '95', includeOnSend: false }],
      },
    });
  });
});

describe('what a file hangs on', () => {
  const on = (...anchors: [string, string][]) => ({
    FileName: 'a.pdf',
    AttachableRef: anchors.map(([type, value]) => ({ EntityRef: { type, value } })),
  });
  const anchorsOf = (snapshot: Json, rules: RuleSet = identity) => {
    const mapped = mapChange(change('Attachable', snapshot), rules);
    return mapped.kind === 'attachment'
      ? mapped.attachment.references.map((r) => `${r.entityType}/${r.sourceId}`)
      : mapped;
  };

  it('follows redirects and leaves out what is not carried', () => {
    const rules = rulesOf([
      ['sync', 9, { entities: { Customer: { redirect: { '5': '6' } }, Bill: { excluded: true } } }],
    ]);
    expect(anchorsOf(on(['Customer', '5'], ['Bill', '7'], ['Budget', '8']), rules)).toEqual(['Customer/6']);
  });

  it('and a file that hangs only on what is not carried is not carried, saying so', () => {
    expect(anchorsOf(on(['Budget', '8']))).toMatchObject({
      kind: 'excluded',
      reason: expect.stringContaining('Budget') as string,
    });
    expect(anchorsOf(on())).toEqual([]);
  });
});

describe('layered rules', () => {
  it('let the sync decide over the organization over the template, and name all that spoke', () => {
    const rules = rulesOf([
      ['sync', 7, { entities: { Invoice: { static: { PrivateNote: 'sync' } } } }],
      ['organization', 8, { entities: { Invoice: { static: { PrivateNote: 'organization' } } } }],
    ]);
    expect(rules.version).toBe(8);
    expect(rules.entities.Invoice!.static.PrivateNote).toEqual({
      value: 'sync',
      from: [
        { layer: 'organization', id: 8 },
        { layer: 'sync', id: 7 },
      ],
    });
    const write = written(change('Invoice', { Line: [] }), rules);
    expect(write.payload!.PrivateNote).toBe('sync');
    expect(write.mappingVersion).toBe(8);
  });

  it('let an organization keep what the template omits', () => {
    const field = [{ DefinitionId: '1', StringValue: 'x' }];
    const snapshot = { Line: [], CustomField: field };
    expect(written(change('Invoice', snapshot)).payload).not.toHaveProperty('CustomField');
    expect(
      written(change('Invoice', snapshot), syncRules('Invoice', { keep: ['CustomField'] })).payload!.CustomField,
    ).toEqual(field);
  });

  const transforms: [string, EntityRules['fields'], unknown][] = [
    [
      'trim and upper',
      [{ from: 'DisplayName', to: 'DisplayName', transforms: [{ use: 'trim' }, { use: 'upper' }] }],
      'ANN $& CO',
    ],
    [
      'prefix and suffix',
      [
        {
          from: 'DisplayName',
          to: 'DisplayName',
          transforms: [
            { use: 'prefix', text: 'EU ' },
            { use: 'suffix', text: '!' },
          ],
        },
      ],
      'EU  Ann $& Co !',
    ],
    [
      'replace, literally',
      [
        {
          from: 'DisplayName',
          to: 'DisplayName',
          transforms: [{ use: 'trim' }, { use: 'replace', find: '$&', with: '$1' }],
        },
      ],
      'Ann $1 Co',
    ],
    [
      'truncate',
      [{ from: 'DisplayName', to: 'DisplayName', transforms: [{ use: 'trim' }, { use: 'truncate', length: 3 }] }],
      'Ann',
    ],
    ['default', [{ from: 'CompanyName', to: 'DisplayName', transforms: [{ use: 'default', value: 'none' }] }], 'none'],
    [
      'table',
      [{ from: 'Title', to: 'DisplayName', transforms: [{ use: 'table', entries: { Dr: 'Doctor' } }] }],
      'Doctor',
    ],
  ];
  it.each(transforms)('transform by %s', (_, fields, expected) => {
    const snapshot = { DisplayName: ' Ann $& Co ', Title: 'Dr' };
    expect(written(change('Customer', snapshot), syncRules('Customer', { fields })).payload!.DisplayName).toBe(
      expected,
    );
  });

  it('map inside lists, position by position', () => {
    const rules = syncRules('Invoice', {
      fields: [{ from: 'Line.*.Description', to: 'Line.*.Description', transforms: [{ use: 'upper' }] }],
    });
    const lines = [{ Description: 'a' }, { Amount: 0, DetailType: 'SubTotalLineDetail' }, { Description: 'b' }];
    expect(written(change('Invoice', { Line: lines }), rules).payload!.Line).toEqual([
      { Description: 'A' },
      { Description: 'B' },
    ]);
  });

  it('re-shape the chart of accounts by condition', () => {
    const rules = syncRules('Account', {
      overrides: [{ when: { AcctNum: '4000' }, set: { AccountType: 'Other Income', AcctNum: '8000' } }],
    });
    const account = { Name: 'Grants', AccountType: 'Income', AcctNum: '4000' };
    expect(written(change('Account', account), rules).payload).toMatchObject({
      AccountType: 'Other Income',
      AcctNum: '8000',
    });
    expect(written(change('Account', { ...account, AcctNum: '4001' }), rules).payload!.AccountType).toBe('Income');
  });

  it('redirect one account into another, for itself and for all that points at it', () => {
    const rules = syncRules('Account', { redirect: { '5': '6' } });
    expect(mapChange(change('Account', { Name: 'Old' }), rules)).toEqual({
      kind: 'excluded',
      reason: 'redirected to Account 6',
      mappingVersion: rules.version,
    });
    const item = { Name: 'Pump', IncomeAccountRef: { value: '5' } };
    expect(written(change('Item', item), rules).references[0]!.sourceId).toBe('6');
  });

  it('bind a reference by table, fixed id or not at all', () => {
    const bill = { VendorRef: { value: '3' }, SalesTermRef: { value: '4' }, Line: [] };
    const rules = syncRules('Bill', {
      references: {
        VendorRef: { kind: 'table', entries: { '3': '300' } },
        SalesTermRef: { kind: 'drop' },
        DepartmentRef: { kind: 'fixed', value: '77' },
      },
    });
    const write = written(change('Bill', bill), rules);
    expect(write.references).toEqual([]);
    expect(write.payload).toEqual({ VendorRef: { value: '300' }, DepartmentRef: { value: '77' }, Line: [] });
  });

  it('leave a type out', () => {
    expect(mapChange(change('Bill', { Line: [] }), syncRules('Bill', { excluded: 'sales only' }))).toEqual({
      kind: 'excluded',
      reason: 'sales only',
      mappingVersion: syncRules('Bill', {}).version,
    });
  });

  it('prefix document numbers, and leave what QBO would cut to a person', () => {
    const rules = syncRules('Invoice', { documentNumber: { kind: 'prefix', text: 'A-' } });
    expect(written(change('Invoice', { DocNumber: '1037', Line: [] }), rules).payload!.DocNumber).toBe('A-1037');
    const long = written(change('Invoice', { DocNumber: '12345678901234567890', Line: [] }), rules);
    expect(long.payload!.DocNumber).toBe('A-12345678901234567890');
  });

  it('say that a number must be nobody else’s, and only of what has one', () => {
    const rules = syncRules('Invoice', { documentNumber: { kind: 'hold' }, adopt: false });
    expect(written(change('Invoice', { DocNumber: '1037', Line: [] }), rules).naturalKey).toEqual({
      NumberMustBeFree: 'yes',
    });
    expect(written(change('Invoice', { Line: [] }), rules).naturalKey).toBeUndefined();
  });
});

describe('a bad rule is a named failure of the record', () => {
  const bad: [string, unknown, string][] = [
    [
      'an unknown transform',
      { fields: [{ from: 'DisplayName', to: 'Notes', transforms: [{ use: 'eval' }] }] },
      'MAPPING.BAD_RULE',
    ],
    ['a rule without a target', { fields: [{ from: 'DisplayName' }] }, 'MAPPING.BAD_RULE'],
    ['fields that are no list', { fields: 'x' }, 'MAPPING.BAD_RULE'],
    ['rules that are no object', 7, 'MAPPING.BAD_RULE'],
    ['a path to a prototype', { static: { '__proto__.polluted': 1 } }, 'MAPPING.BAD_RULE'],
    ['a path with nothing in it', { static: { 'A..B': 1 } }, 'MAPPING.BAD_RULE'],
    ['an unequal number of lists', { fields: [{ from: 'A.*.B', to: 'C' }] }, 'MAPPING.BAD_RULE'],
    [
      'a transform of an object',
      { fields: [{ from: 'BillAddr', to: 'Notes', transforms: [{ use: 'upper' }] }] },
      'MAPPING.BAD_RULE',
    ],
    ['a required field that is empty', { fields: [{ from: 'Fax', to: 'Fax', required: true }] }, 'MAPPING.REQUIRED'],
    [
      'a value that is too long',
      { fields: [{ from: 'DisplayName', to: 'DisplayName', maxLength: 2 }] },
      'MAPPING.TOO_LONG',
    ],
    [
      'a value that is not allowed',
      { fields: [{ from: 'DisplayName', to: 'DisplayName', oneOf: ['Bob'] }] },
      'MAPPING.NOT_ALLOWED',
    ],
    [
      'no entry in a table that says fail',
      { references: { SalesTermRef: { kind: 'table', entries: {}, otherwise: 'fail' } } },
      'REFERENCE.NOT_IN_TABLE',
    ],
    ['an unknown reference policy', { references: { SalesTermRef: { kind: 'guess' } } }, 'MAPPING.BAD_RULE'],
    ['a reference that no registry entry explains', { static: { StrangeRef: { value: '1' } } }, 'REFERENCE.UNDECLARED'],
  ];
  it.each(bad)('%s', (_, rules, code) => {
    const snapshot = { DisplayName: 'Ann', SalesTermRef: { value: '3' }, BillAddr: { Line1: 'x' } };
    const mapped = mapChange(change('Customer', snapshot), syncRules('Customer', rules as EntityRules));
    expect(mapped).toMatchObject({ kind: 'failed', code });
    expect(({} as Json).polluted).toBeUndefined();
  });

  it('names the layer it came from', () => {
    const mapped = mapChange(
      change('Customer', { DisplayName: 'A' }),
      syncRules('Customer', { fields: [{ from: 'Fax', to: 'Fax', required: true }] }),
    );
    expect(mapped).toMatchObject({ kind: 'failed', message: 'Fax -> Fax: came out empty (sync 9)' });
  });

  it('and the evaluator answers whatever rules and snapshots hold', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('Customer', 'Invoice', 'Payment', 'Item', 'Attachable', 'TaxCode', 'toString'),
        fc.jsonValue({ maxDepth: 4 }),
        fc.jsonValue({ maxDepth: 4 }),
        fc.boolean(),
        (type, snapshot, rules, deleted) => {
          const set = mergeLayers([{ id: 1, layer: 'sync', rules: { entities: { [type]: rules as EntityRules } } }]);
          const mapped = mapChange(change(type, snapshot as Json, { deleted }), set);
          return ['write', 'attachment', 'excluded', 'failed'].includes(mapped.kind);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('and equal input gives equal output, bound or not', () => {
    const snapshot = { DisplayName: 'A', ParentRef: { value: '3' } };
    const [a, b] = [written(change('Customer', snapshot)), written(change('Customer', structuredClone(snapshot)))];
    expect(a).toEqual(b);
    expect(bindReferences(a.payload!, a.references, () => '9')).toEqual({
      kind: 'bound',
      body: { DisplayName: 'A', ParentRef: { value: '9' } },
    });
  });
});
