import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import type { Link } from './link.js';
import { defaultWritePolicy, planWrite, type Plan, type WriteFacts } from './plan.js';

const facts = (more: Partial<WriteFacts> = {}): WriteFacts => ({
  resolve: (_type, sourceId) => (sourceId === 'missing' ? undefined : `t${sourceId}`),
  policy: defaultWritePolicy,
  ...more,
});
const link = (entityType: string, payload: Json | undefined, more: Partial<Link> = {}): Link => ({
  entityType,
  sourceId: '5',
  state: { kind: 'ready' },
  desired: { version: 'v2', hash: 'h2', op: 'upsert', payload, references: [] },
  generation: 0,
  attempts: 0,
  ...more,
});
const applied = (payload: Json, more: Partial<Link> = {}): Partial<Link> => ({
  applied: { version: 'v1', hash: 'h1', payload },
  target: { id: '70', syncToken: '3', deleted: false },
  ...more,
});
const desired = (more: Partial<Link['desired']>): Link['desired'] => ({
  version: 'v2',
  hash: 'h2',
  op: 'upsert',
  references: [],
  ...more,
});
const customerRef = { path: ['CustomerRef'], entityType: 'Customer', sourceId: '9' };
const vendorRef = { path: ['PrefVendorRef'], entityType: 'Vendor', sourceId: 'missing' };

// The bill would name lines that the order's next change replaces, and the copy of the order would stay open.
it('what names lines of another record waits while that one is being changed', () => {
  const bill = link('Bill', { Line: [{ LinkedTxn: [{ TxnType: 'PurchaseOrder', TxnLineId: '1' }] }] });
  bill.desired.references = [
    { path: ['Line', '0', 'LinkedTxn', '0', 'TxnId'], entityType: 'PurchaseOrder', sourceId: '8' },
    { ...vendorRef, path: ['VendorRef'], sourceId: '3' },
  ];
  const pending = (entityType: string) => (one: string) => one === entityType;
  expect(planWrite(bill, facts({ isChanging: pending('PurchaseOrder') }))).toMatchObject({
    ...{ kind: 'postpone', code: 'LINES.CHANGING', reason: 'names lines of PurchaseOrder/8, which is being changed' },
  });
  expect(planWrite(bill, facts({ isChanging: pending('Vendor') }))).toMatchObject({ kind: 'create' });
});

// All payments of a deposit were deleted: QuickBooks takes no update to no lines (2250), and the copy would keep its amount.
describe('a document that lost all its lines', () => {
  const before = applied({ DepositToAccountRef: { value: 't1' }, Line: [{ Amount: 5 }] });
  const emptied = (TotalAmt: string) =>
    link('Deposit', undefined, {
      ...before,
      desired: desired({ payload: { DepositToAccountRef: { value: 't1' }, Line: [] }, naturalKey: { TotalAmt } }),
    });

  it('is removed when nothing is left of it, and then held for what it is', () => {
    expect(planWrite(emptied('0'), facts())).toEqual({
      ...{ kind: 'delete', body: { Id: '70', SyncToken: '3' }, again: true },
    });
    const removed = { ...emptied('0'), target: { id: '70', deleted: true } };
    expect(planWrite(removed, facts())).toMatchObject({ kind: 'hold', code: 'CREATE.NO_LINES' });
  });

  it('is not removed while it says an amount', () => {
    expect(planWrite(emptied('5'), facts())).toMatchObject({ kind: 'update' });
  });
});

describe('a plan to create', () => {
  it('binds references late, to ids of the target', () => {
    const invoice = link('Invoice', { Line: [] });
    invoice.desired.references = [customerRef];
    expect(planWrite(invoice, facts())).toEqual<Plan>({
      kind: 'create',
      body: { Line: [], CustomerRef: { value: 't9' } },
      applied: { Line: [], CustomerRef: { value: 't9' } },
      deferred: [],
      partial: false,
    });
  });

  it('waits for a parent that is not there', () => {
    const invoice = link('Invoice', { Line: [] });
    invoice.desired.references = [{ ...customerRef, sourceId: 'missing' }];
    expect(planWrite(invoice, facts())).toEqual({ kind: 'wait', missing: [{ type: 'Customer', sourceId: 'missing' }] });
  });

  it('breaks a ring by leaving a deferrable reference for a second pass', () => {
    const item = link('Item', { Name: 'Pump', Type: 'Service' });
    item.desired.references = [vendorRef];
    expect(planWrite(item, facts())).toMatchObject({
      kind: 'create',
      body: { Name: 'Pump', Type: 'Service' },
      deferred: [{ type: 'Vendor', sourceId: 'missing' }],
    });
  });

  it('creates an inactive record active first: the API cannot do it at once', () => {
    const plan = planWrite(link('Customer', { DisplayName: 'Ann', Active: false }), facts({ candidates: [] }));
    expect(plan).toMatchObject({ kind: 'create', body: { DisplayName: 'Ann', Active: true }, partial: true });
  });

  it('creates a voided invoice with its zero lines when the target never had it', () => {
    const voided = link('Invoice', undefined, {
      desired: desired({ op: 'void', payload: { PrivateNote: 'Voided', Line: [] } }),
    });
    expect(planWrite(voided, facts()).kind).toBe('create');
  });
});

describe('a record that the mapping leaves out from now on', () => {
  const leftOut = (entityType: string, excluded?: 'leave' | 'remove' | 'hold', target?: Partial<Link['target']>) =>
    planWrite(
      link(entityType, undefined, {
        desired: desired({ op: 'exclude', exclusion: 'old years (sync 4)' }),
        ...(target === undefined ? {} : { target: { id: '7', syncToken: '1', deleted: false, ...target } }),
      }),
      facts({ policy: { ...defaultWritePolicy, ...(excluded && { excluded }) } }),
    );

  it('and was never carried needs nothing', () => {
    expect(leftOut('Invoice')).toEqual({ kind: 'noop', why: 'nothing-to-remove' });
    expect(leftOut('Invoice', 'remove', { deleted: true })).toEqual({ kind: 'noop', why: 'nothing-to-remove' });
  });

  it.each([
    ['Invoice', undefined, { kind: 'noop', code: 'EXCLUDED.LEFT' }],
    ['Invoice', 'leave', { kind: 'noop', code: 'EXCLUDED.LEFT' }],
    ['Invoice', 'remove', { kind: 'delete', body: { Id: '7', SyncToken: '1' } }],
    ['Customer', 'remove', { kind: 'deactivate', body: { Id: '7', Active: false } }],
    ['Invoice', 'hold', { kind: 'hold', code: 'EXCLUDED.HELD' }],
  ] as const)('and has a copy: %s under policy %s', (type, policy, expected) => {
    const plan = leftOut(type, policy, {});
    expect(plan).toMatchObject(expected);
    if ('reason' in plan) expect(plan.reason).toContain('old years (sync 4)');
  });
});

describe('adoption before creation', () => {
  const customer = link('Customer', undefined, {
    desired: desired({ payload: { DisplayName: 'Ann', Notes: 'vip' }, naturalKey: { DisplayName: 'Ann' } }),
  });
  const plan = (candidates: Json[] | undefined, more: Partial<WriteFacts> = {}) =>
    planWrite(customer, facts({ candidates, ...more }));

  it('asks first', () => {
    expect(plan(undefined)).toEqual({
      kind: 'lookup',
      lookups: ['Customer', 'Employee', 'Vendor'].map((entityType) => ({
        entityType,
        field: 'DisplayName',
        value: 'Ann',
      })),
    });
  });

  it('creates when nobody has the name', () => {
    expect(plan([]).kind).toBe('create');
    expect(plan([{ Id: '1', DisplayName: 'Anna' }]).kind).toBe('create');
  });

  it('links the twin, keeps its image, and updates only what differs and only by adding', () => {
    const twin = { Id: '1', SyncToken: '4', DisplayName: 'ANN', Fax: { FreeFormNumber: '1' }, Active: true };
    expect(plan([twin])).toEqual<Plan>({
      kind: 'adopt',
      targetId: '1',
      syncToken: '4',
      beforeImage: twin,
      update: { Id: '1', SyncToken: '4', sparse: true, DisplayName: 'Ann', Notes: 'vip' },
      applied: { DisplayName: 'Ann', Notes: 'vip' },
    });
  });

  it('sends nothing when the twin is equal already', () => {
    const twin = { Id: '1', SyncToken: '4', DisplayName: 'Ann', Notes: 'vip' };
    expect(plan([twin])).toMatchObject({ kind: 'adopt', update: undefined });
  });

  it('holds with the candidates when several could be meant', () => {
    const vendorPair = [
      { Id: '1', SyncToken: '0', DisplayName: 'Ann' },
      { Id: '2', SyncToken: '0', DisplayName: 'ann' },
    ];
    expect(plan(vendorPair)).toMatchObject({ kind: 'hold', code: 'ADOPT.AMBIGUOUS', candidates: ['1', '2'] });
  });

  it('takes no record that already belongs to another source record', () => {
    expect(plan([{ Id: '1', SyncToken: '0', DisplayName: 'Ann' }], { taken: new Set(['1']) })).toMatchObject({
      kind: 'hold',
      code: 'COLLISION.NAME',
    });
  });

  it('takes no inactive record for an active one: its name is free', () => {
    expect(plan([{ Id: '1', SyncToken: '0', DisplayName: 'Ann (deleted)', Active: false }]).kind).toBe('create');
  });

  it('compares a child within its parent', () => {
    const account = link('Account', undefined, {
      desired: desired({
        payload: { Name: 'Fuel', AccountType: 'Expense' },
        references: [{ path: ['ParentRef'], entityType: 'Account', sourceId: '9' }],
        naturalKey: { Name: 'Fuel', AccountType: 'Expense' },
      }),
    });
    const fuel = { SyncToken: '0', Name: 'Fuel', AccountType: 'Expense' };
    const elsewhere = { ...fuel, Id: '1', ParentRef: { value: 't8' } };
    const here = { ...fuel, Id: '2', ParentRef: { value: 't9' } };
    expect(planWrite(account, facts()).kind).toBe('lookup');
    expect(planWrite(account, facts({ candidates: [elsewhere] })).kind).toBe('create');
    expect(planWrite(account, facts({ candidates: [elsewhere, here] }))).toMatchObject({
      kind: 'adopt',
      targetId: '2',
    });
  });

  it('takes no account of another type, no item of another type, and no customer in another currency', () => {
    const cases: [string, Json, Json][] = [
      ['Account', { Name: 'Fuel', AccountType: 'Expense' }, { AccountType: 'Income' }],
      ['Item', { Name: 'Pump', Type: 'Service' }, { Type: 'Inventory' }],
      ['Customer', { DisplayName: 'Ann', CurrencyRef: { value: 'USD' } }, { CurrencyRef: { value: 'EUR' } }],
    ];
    for (const [type, payload, other] of cases) {
      const texts = Object.entries(payload).filter((field): field is [string, string] => typeof field[1] === 'string');
      const record = link(type, undefined, { desired: desired({ payload, naturalKey: Object.fromEntries(texts) }) });
      const twin = { Id: '1', SyncToken: '0', ...payload };
      expect(planWrite(record, facts({ candidates: [twin] })).kind).toBe('adopt');
      expect(planWrite(record, facts({ candidates: [{ ...twin, ...other }] })).kind).not.toBe('adopt');
    }
  });

  it('adopts a document only when number, customer, date and total agree', () => {
    const invoice = link('Invoice', undefined, {
      desired: desired({
        payload: { DocNumber: '1', TxnDate: '2026-05-01', Line: [] },
        references: [customerRef],
        naturalKey: { DocNumber: '1', TxnDate: '2026-05-01', TotalAmt: '10.5' },
      }),
    });
    const twin = {
      Id: '1',
      SyncToken: '0',
      DocNumber: '1',
      TxnDate: '2026-05-01',
      TotalAmt: 10.5,
      CustomerRef: { value: 't9' },
    };
    const policy = { ...defaultWritePolicy, adopt: { lists: true, transactions: true } };
    expect(planWrite(invoice, facts({ policy, candidates: [twin] })).kind).toBe('adopt');
    expect(planWrite(invoice, facts({ policy, candidates: [{ ...twin, TotalAmt: 10.51 }] })).kind).toBe('create');
    expect(planWrite(invoice, facts({ policy, candidates: [{ ...twin, CustomerRef: { value: 't8' } }] })).kind).toBe(
      'create',
    );
    // By default only after QBO said that the number is taken.
    expect(planWrite(invoice, facts()).kind).toBe('create');
    expect(planWrite(invoice, facts({ lastFault: 'QBO.6140' })).kind).toBe('lookup');
  });

  it('holds a tax code without a twin: QBO makes them', () => {
    const code = link('TaxCode', undefined, {
      desired: desired({ payload: { Name: 'GST' }, naturalKey: { Name: 'GST' } }),
    });
    expect(planWrite(code, facts()).kind).toBe('lookup');
    expect(planWrite(code, facts({ candidates: [] }))).toMatchObject({ kind: 'hold', code: 'ADOPT.NO_TWIN' });
    const twin = { Id: '4', SyncToken: '0', Name: 'gst' };
    expect(planWrite(code, facts({ candidates: [twin] }))).toMatchObject({ kind: 'adopt', update: undefined });
  });
});

describe('singletons', () => {
  const match = { AccountType: 'Accounts Receivable', AccountSubType: 'AccountsReceivable' };
  const receivable = link('Account', undefined, {
    desired: desired({ payload: { Name: 'Debtors', ...match }, naturalKey: { Name: 'Debtors' } }),
  });
  const target = { Id: '84', SyncToken: '2', Name: 'Accounts Receivable (A/R)', ...match };

  it('are mapped by type and subtype whatever their name, and never changed', () => {
    expect(planWrite(receivable, facts({ candidates: [target] }))).toMatchObject({
      kind: 'adopt',
      targetId: '84',
      update: undefined,
    });
    const renamed = { ...receivable, ...applied({ Name: 'Debtors', ...match }) };
    renamed.desired = desired({ payload: { Name: 'Receivables', ...match } });
    expect(planWrite(renamed, facts()).kind).toBe('noop');
    const removed = { ...renamed, desired: desired({ op: 'delete' }) };
    expect(planWrite(removed, facts())).toMatchObject({ kind: 'noop' });
  });

  it('are never created', () => {
    expect(planWrite(receivable, facts({ candidates: [] }))).toMatchObject({ kind: 'hold', code: 'ADOPT.NO_TWIN' });
  });

  it('are told apart by currency and then by name', () => {
    const euro = { ...target, Id: '85', Name: 'Accounts Receivable (A/R) - EUR', CurrencyRef: { value: 'EUR' } };
    const inEuro = link('Account', undefined, {
      desired: desired({ payload: { Name: 'x', CurrencyRef: { value: 'EUR' }, ...match }, naturalKey: { Name: 'x' } }),
    });
    const dollar = { ...target, CurrencyRef: { value: 'USD' } };
    expect(planWrite(inEuro, facts({ candidates: [dollar, euro] }))).toMatchObject({ kind: 'adopt', targetId: '85' });
    expect(planWrite(receivable, facts({ candidates: [dollar, euro] }))).toMatchObject({ code: 'ADOPT.AMBIGUOUS' });
  });

  it('let a second one, made by a person, be created', () => {
    expect(planWrite(receivable, facts({ candidates: [target], taken: new Set(['84']) })).kind).toBe('create');
  });
});

describe('a plan to change', () => {
  const customer = (payload: Json, before: Json, more: Partial<Link> = {}) =>
    link('Customer', payload, applied(before, more));

  it('sends the changed fields, clears with null, and names the token', () => {
    expect(
      planWrite(
        customer(
          { DisplayName: 'Ann', Notes: 'new' },
          { DisplayName: 'Ann', Notes: 'old', Fax: { FreeFormNumber: '1' } },
        ),
        facts(),
      ),
    ).toMatchObject({
      kind: 'update',
      body: { Id: '70', SyncToken: '3', sparse: true, Notes: 'new', Fax: null },
    });
  });

  it('sends nothing when hashes are equal, or when only the way to say it differs', () => {
    const same = customer({ DisplayName: 'Ann' }, { DisplayName: 'Ann' });
    expect(planWrite({ ...same, applied: { ...same.applied!, hash: 'h2' } }, facts())).toEqual({
      kind: 'noop',
      why: 'equal',
    });
    expect(planWrite(same, facts())).toMatchObject({ kind: 'noop', applied: { DisplayName: 'Ann' } });
  });

  it('reads first when the token is not known, and uses what it read', () => {
    const unknown = customer({ DisplayName: 'B' }, { DisplayName: 'A' }, { target: { id: '70', deleted: false } });
    expect(planWrite(unknown, facts())).toEqual({ kind: 'read', targetId: '70' });
    const targetNow = { Id: '70', SyncToken: '9', DisplayName: 'A' };
    expect(planWrite(unknown, facts({ targetNow }))).toMatchObject({ kind: 'update', body: { SyncToken: '9' } });
  });

  it('sends lines whole, also the empty list', () => {
    const lines = [{ Amount: 1, LinkedTxn: [{ TxnId: 't1', TxnType: 'Invoice' }] }];
    const payment = link('Payment', { TotalAmt: 5, Line: [] }, applied({ TotalAmt: 5, Line: lines }));
    expect(planWrite(payment, facts())).toMatchObject({ kind: 'update', body: { Line: [] } });
    const gone = link('Payment', { TotalAmt: 5 }, applied({ TotalAmt: 5, Line: lines }));
    expect(planWrite(gone, facts())).toMatchObject({ kind: 'update', body: { Line: [] } });
  });

  it('carries what even a sparse update must carry', () => {
    const before = { VendorRef: { value: 't1' }, PrivateNote: 'a', Line: [] };
    expect(planWrite(link('Bill', { ...before, PrivateNote: 'b' }, applied(before)), facts())).toMatchObject({
      body: { VendorRef: { value: 't1' }, PrivateNote: 'b' },
    });
  });

  it('never sends again what is written once, nor clears what cannot be cleared', () => {
    const before = { Name: 'P', Type: 'Inventory', QtyOnHand: 0, InvStartDate: '2026-01-01', ReorderPoint: 5 };
    const plan = planWrite(
      link('Item', { Name: 'Q', Type: 'Inventory', QtyOnHand: 0, InvStartDate: '2025-01-01' }, applied(before)),
      facts(),
    );
    expect(plan).toMatchObject({ kind: 'update' });
    expect((plan as { body: Json }).body).toEqual({ Id: '70', SyncToken: '3', sparse: true, Name: 'Q' });
  });

  describe('of how an item began', () => {
    const begun = { Name: 'P', Type: 'Inventory', QtyOnHand: 4, StartingValue: 50, InvStartDate: '2026-01-31' };
    const change = (now: Json, before: Json = begun) => planWrite(link('Item', now, applied(before)), facts());

    it.each<[string, Json]>([
      ['quantity', { QtyOnHand: 6, StartingValue: 75 }],
      ['value', { StartingValue: 60 }],
      ['day', { InvStartDate: '2026-01-01' }],
    ])('in another %s is held with both, for no API changes it; told once', (_what, now) => {
      const plan = change({ ...begun, ...now });
      expect(plan).toMatchObject({ kind: 'hold', code: 'BEGINNING.CHANGED' });
      const { reason, seen } = plan as Extract<Plan, { kind: 'hold' }>;
      for (const [field, value] of Object.entries(now))
        expect(reason).toContain(
          `${field} ${JSON.stringify(begun[field as 'QtyOnHand'])}, now ${JSON.stringify(value)}`,
        );
      // Released it goes on: with the rest of the item, or with nothing.
      expect(change({ ...begun, ...now }, seen!.payload)).toMatchObject({ kind: 'noop' });
      expect(change({ ...begun, ...now, Name: 'Q' }, seen!.payload)).toMatchObject({ body: { Name: 'Q' } });
    });

    it('that was not shown this time stays as it is known', () => {
      const { StartingValue: _, ...unknown } = begun;
      expect(change({ ...unknown, QtyOnHand: 0 })).toMatchObject({ kind: 'noop', applied: begun });
    });

    it('is compared as far as it is remembered', () => {
      const { StartingValue: _, ...before } = begun;
      expect(change({ ...begun, StartingValue: 99 }, before)).toMatchObject({ kind: 'noop' });
      expect(change({ ...begun, QtyOnHand: 5 }, before)).toMatchObject({ code: 'BEGINNING.CHANGED' });
    });
  });

  it('re-activates with the name, which QBO had given a suffix', () => {
    const plan = planWrite(
      customer({ DisplayName: 'Ann', Active: true }, { DisplayName: 'Ann', Active: false }),
      facts(),
    );
    expect(plan).toMatchObject({ body: { Active: true, DisplayName: 'Ann' } });
  });

  it('overwrites drift, or holds, as the policy says; a token moved by a payment is no drift', () => {
    const note = customer(
      { DisplayName: 'Ann', Notes: 'ours', Taxable: true },
      { DisplayName: 'Ann', Notes: 'ours', Taxable: false },
    );
    const edited = { Id: '70', SyncToken: '9', DisplayName: 'Ann', Notes: 'theirs', Taxable: false };
    expect(planWrite(note, facts({ targetNow: edited }))).toMatchObject({
      kind: 'update',
      body: { SyncToken: '9', Notes: 'ours', Taxable: true },
      drift: [{ path: 'Notes', sent: 'ours', answered: 'theirs' }],
    });
    const hold = { ...defaultWritePolicy, drift: { default: 'hold', gone: 'hold' } as const };
    expect(planWrite(note, facts({ targetNow: edited, policy: hold }))).toMatchObject({ kind: 'hold', code: 'DRIFT' });
    const paid = link('Invoice', { PrivateNote: 'x', Line: [] }, applied({ Line: [] }));
    const targetNow = {
      Id: '70',
      SyncToken: '9',
      Line: [],
      Balance: 0,
      LinkedTxn: [{ TxnId: '1', TxnType: 'Payment' }],
    };
    expect(planWrite(paid, facts({ targetNow, policy: hold }))).toMatchObject({ kind: 'update', drift: [] });
  });

  it('does not make a second copy of what a person removed', () => {
    const removed = customer({ DisplayName: 'B' }, { DisplayName: 'A' });
    expect(planWrite(removed, facts({ targetNow: null }))).toMatchObject({ kind: 'hold', code: 'DRIFT.TARGET_GONE' });
  });

  it('applied to the old body gives the new one', () => {
    const fields = fc.dictionary(
      fc.constantFrom('Notes', 'Title', 'BillAddr', 'Taxable', 'Fax', 'ResaleNum'),
      fc.oneof(fc.string({ minLength: 1 }), fc.boolean(), fc.record({ Line1: fc.string({ minLength: 1 }) })),
    );
    fc.assert(
      fc.property(fields, fields, (before, after) => {
        const plan = planWrite(customer(after, before), facts());
        if (plan.kind === 'noop') return void expect(after).toEqual(before);
        if (plan.kind !== 'update') throw new Error(plan.kind);
        const { Id: _id, SyncToken: _token, sparse: _sparse, ...changes } = plan.body;
        const result = { ...before, ...changes };
        for (const [field, value] of Object.entries(result)) if (value === null) delete result[field];
        expect(result).toEqual(after);
      }),
    );
  });
});

describe('a plan to remove', () => {
  const removal = (entityType: string, more: Partial<Link>) =>
    link(entityType, undefined, { desired: desired({ op: 'delete' }), ...more });

  it.each([
    ['deletes a transaction', 'Invoice', { kind: 'delete', body: { Id: '70', SyncToken: '3' } }],
    [
      'makes a name inactive',
      'Customer',
      { kind: 'deactivate', body: { Id: '70', SyncToken: '3', sparse: true, Active: false } },
    ],
  ])('%s', (_, type, expected) => {
    expect(planWrite(removal(type, applied({ Line: [] })), facts())).toMatchObject(expected);
  });

  it('has nothing to do for what was never there, is gone, or was removed by somebody else', () => {
    expect(planWrite(removal('Invoice', {}), facts())).toMatchObject({ why: 'nothing-to-remove' });
    const gone = applied({}, { target: { id: '70', syncToken: '3', deleted: true } });
    expect(planWrite(removal('Invoice', gone), facts())).toMatchObject({ why: 'nothing-to-remove' });
    expect(planWrite(removal('Invoice', applied({})), facts({ targetNow: null }))).toMatchObject({
      why: 'already-removed',
    });
  });

  it('puts off a deactivation while transactions that may use the name are on their way', () => {
    const plan = planWrite(removal('Customer', applied({ DisplayName: 'A' })), facts({ dependentsPending: true }));
    expect(plan).toMatchObject({ kind: 'postpone', code: 'DEACTIVATE.DEPENDENTS_PENDING' });
  });

  it.each([
    ['Invoice', { Id: '70', SyncToken: '3' }],
    ['Payment', { Id: '70', SyncToken: '3', sparse: true }],
  ])('voids a %s by its own form', (type, body) => {
    const payload = { PrivateNote: 'Voided', Line: [] };
    const voided = link(type, undefined, {
      desired: desired({ op: 'void', payload }),
      ...applied({ Line: [{ Amount: 5 }] }),
    });
    expect(planWrite(voided, facts())).toEqual({ kind: 'void', body, applied: payload });
  });

  it('updates what is void already', () => {
    const edited = link('Invoice', undefined, {
      desired: desired({ op: 'void', payload: { PrivateNote: 'Voided, see 12', Line: [] } }),
      ...applied({ PrivateNote: 'Voided', Line: [] }),
    });
    expect(planWrite(edited, facts())).toMatchObject({ kind: 'update', body: { PrivateNote: 'Voided, see 12' } });
  });
});

describe('a plan that sends nothing', () => {
  it('shows a failed mapping as failed', () => {
    const failed = link('Bill', undefined, {
      desired: desired({ op: 'fail', failure: { code: 'MAPPING.REQUIRED', reason: 'r' } }),
    });
    expect(planWrite(failed, facts())).toEqual({ kind: 'fail', code: 'MAPPING.REQUIRED', reason: 'r' });
  });

  it('holds while the target is blocked', () => {
    const blocked = { code: 'SYNC.PAUSED', reason: 'paused by a person' };
    expect(planWrite(link('Invoice', { Line: [] }), facts({ blocked }))).toEqual({ kind: 'hold', ...blocked });
  });
});

it('a deposit whose payments were deleted before it was carried is held with its reason: QuickBooks makes none without lines', () => {
  const empty = link('Deposit', { DepositToAccountRef: { value: '21' }, Line: [] });
  expect(planWrite(empty, facts())).toMatchObject({ kind: 'hold', code: 'CREATE.NO_LINES' });
});

it('a bill payment that was voided before it was carried is held with its reason: QuickBooks makes none without lines', () => {
  const desired = link('BillPayment', { VendorRef: { value: '1' }, PayType: 'Check', TotalAmt: 0, Line: [] });
  expect(planWrite({ ...desired, desired: { ...desired.desired, op: 'void' } }, facts())).toMatchObject({
    kind: 'hold',
    code: 'CREATE.NO_LINES',
  });
});
