import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { defaultCollisionPolicy, namesakeLookups, planCollision, withKeptSuffix } from './collisions.js';
import type { CollisionFacts, CollisionPolicy } from './collisions.js';
import type { Link } from './link.js';
import { defaultWritePolicy, planWrite, type Plan, type WriteFacts } from './plan.js';

const suffix = { names: 'suffix', numbers: 'suffix' } as const;
const facts = (more: Partial<CollisionFacts> = {}): CollisionFacts => ({
  candidates: [],
  namesakes: [],
  attempts: 0,
  ...more,
});
const held = (entityType: string, record: Json) => ({ entityType, record: { Id: '9', ...record } });

describe('a name that is taken', () => {
  const acme = { DisplayName: 'Acme' };

  it('is looked for among the other people, and so is the one with the suffix it may get', () => {
    const lookups = namesakeLookups('Customer', acme, suffix).map(({ entityType, value }) => `${entityType} ${value}`);
    expect(lookups).toEqual(expect.arrayContaining(['Vendor Acme', 'Vendor Acme (C)']));
    expect(lookups.filter((one) => one.startsWith('Customer'))).toEqual([]);
    expect(namesakeLookups('Account', { Name: 'Acme' })).toEqual([]);
  });

  it.each<[string, Partial<CollisionFacts>, object]>([
    ['nobody has it', {}, { kind: 'free', body: acme }],
    [
      'a vendor has another',
      { namesakes: [held('Vendor', { DisplayName: 'Acme Ltd' })] },
      { kind: 'free', body: acme },
    ],
    [
      'a vendor has it',
      { namesakes: [held('Vendor', { DisplayName: 'ACME ' })] },
      { kind: 'hold', code: 'COLLISION.NAME', candidates: ['Vendor/9'] },
    ],
    [
      'an inactive one has it',
      { namesakes: [held('Employee', { DisplayName: 'Acme', Active: false })] },
      { kind: 'hold', reason: 'the target has the name "Acme" already: Employee 9 (inactive)' },
    ],
    [
      'an inactive one gave it up',
      { namesakes: [held('Vendor', { DisplayName: 'Acme (deleted)', Active: false })] },
      { kind: 'free', body: acme },
    ],
    [
      'a customer that is the copy of another one has it',
      { candidates: [{ Id: '7', DisplayName: 'Acme' }] },
      { kind: 'hold', candidates: ['Customer/7'] },
    ],
    [
      'a vendor has it, and the policy is a suffix',
      { namesakes: [held('Vendor', { DisplayName: 'Acme' })], policy: suffix },
      { kind: 'free', body: { DisplayName: 'Acme (C)' } },
    ],
    [
      'the suffix is taken, too',
      {
        namesakes: [held('Vendor', { DisplayName: 'Acme' }), held('Vendor', { DisplayName: 'Acme (C)' })],
        policy: suffix,
      },
      { kind: 'hold', code: 'COLLISION.NAME' },
    ],
  ])('%s', (_what, more, expected) => {
    expect(planCollision('Customer', acme, facts(more))).toMatchObject(expected);
  });
});

it('what is inactive in the source is made under a name of its own and gets its name as it becomes inactive, whoever has it', () => {
  const customer = (Active: boolean): Plan =>
    planWrite(
      {
        ...{ entityType: 'Customer', sourceId: '19', state: { kind: 'ready' }, generation: 0, attempts: 0 },
        desired: {
          ...{ version: '1', hash: 'h', op: 'upsert', references: [] },
          payload: { DisplayName: 'Acme', Active },
          naturalKey: { DisplayName: 'Acme' },
        },
      },
      {
        ...{ resolve: () => undefined, policy: defaultWritePolicy, taken: new Set(['4']) },
        ...{ candidates: [{ Id: '4', DisplayName: 'Acme', Active: true }], namesakes: [] },
      },
    );
  expect(customer(false)).toMatchObject({
    ...{ kind: 'create', partial: true },
    body: { DisplayName: 'Acme (~19)', Active: true },
  });
  expect(customer(true)).toMatchObject({
    ...{ kind: 'hold', code: 'COLLISION.NAME' },
    aside: { kind: 'create', body: { DisplayName: 'Acme (~19)' } },
  });
});

it('what becomes inactive and is refused for its name, which somebody has, goes under the name that it has', () => {
  const copy: Link = {
    ...{ entityType: 'Customer', sourceId: '19', state: { kind: 'ready' }, generation: 0, attempts: 1 },
    desired: {
      ...{ version: '1', hash: 'h', op: 'upsert', references: [] },
      payload: { DisplayName: 'Acme', Active: false },
    },
    applied: { version: '1', hash: 'partial:h', payload: { DisplayName: 'Acme (~19)', Active: true } },
    target: { id: '50', syncToken: '0', deleted: false },
  };
  const facts = { resolve: () => undefined, policy: defaultWritePolicy };
  expect(planWrite(copy, facts)).toMatchObject({ kind: 'update', body: { DisplayName: 'Acme', Active: false } });
  const refused = planWrite(copy, {
    ...{ ...facts, lastFault: 'QBO.6240', namesakes: [] },
    candidates: [{ Id: '4', DisplayName: 'Acme', Active: true }],
  });
  expect(refused).toMatchObject({ kind: 'update', body: { Active: false }, applied: { DisplayName: 'Acme (~19)' } });
  expect((refused as { body: Json }).body).not.toHaveProperty('DisplayName');
});

const fault = 'QBO.6140';

describe('a number that is taken', () => {
  const invoice = { DocNumber: '1001' };

  it('is a person’s question, with its holders', () => {
    const found = {
      fault,
      candidates: [
        { Id: '7', DocNumber: '1001' },
        { Id: '8', DocNumber: '2' },
      ],
    };
    expect(planCollision('Invoice', invoice, facts(found))).toMatchObject({
      kind: 'hold',
      code: 'COLLISION.NUMBER',
      candidates: ['Invoice/7'],
    });
  });

  it.each([
    [1, '1001', '1001-2'],
    [2, '1001', '1001-3'],
    [1, 'INV-2026-000000012345', 'V-2026-000000012345-2'],
  ])('after %i refusals %s becomes %s by the policy', (attempts, DocNumber, expected) => {
    const plan = planCollision('Invoice', { DocNumber }, facts({ fault, attempts, policy: suffix }));
    expect(plan).toEqual({ kind: 'free', body: { DocNumber: expected } });
    expect(withKeptSuffix('Invoice', { DocNumber }, { DocNumber: expected })).toEqual({ DocNumber: expected });
  });
});

describe('a number longer than QuickBooks takes', () => {
  const DocNumber = 'A-INV-2026-000000012345';

  it.each([
    ['Invoice', {}],
    ['Bill', {}],
    ['JournalEntry', { fault, policy: suffix }],
  ])('of %s is a person’s question, with what it would be', (entityType, more) => {
    expect(planCollision(entityType, { DocNumber }, facts(more))).toEqual({
      kind: 'hold',
      code: 'NUMBER.TOO_LONG',
      reason: `the number "${DocNumber}" has 23 characters, and QuickBooks takes 21`,
    });
  });
});

describe('a suffix once given', () => {
  it.each<[string, Json, Json | undefined, Json]>([
    ['stays', { DisplayName: 'Acme' }, { DisplayName: 'Acme (C)' }, { DisplayName: 'Acme (C)' }],
    ['goes with a rename', { DisplayName: 'Beta' }, { DisplayName: 'Acme (C)' }, { DisplayName: 'Beta' }],
    ['was never given', { DisplayName: 'Acme' }, { DisplayName: 'Acme' }, { DisplayName: 'Acme' }],
    ['is none where nothing was applied', { DisplayName: 'Acme' }, undefined, { DisplayName: 'Acme' }],
  ])('%s', (_what, body, applied, expected) => {
    expect(withKeptSuffix('Customer', body, applied)).toEqual(expected);
  });

  it('always fits, and is recognised again, whatever the name or number', () => {
    const texts = fc.string({ minLength: 1, maxLength: 21 }).filter((text) => text.trim() === text);
    fc.assert(
      fc.property(
        texts,
        fc.string({ minLength: 1, maxLength: 500 }),
        fc.integer({ min: 1, max: 9 }),
        (number, name, attempts) => {
          const numbered = planCollision(
            'Invoice',
            { DocNumber: number },
            facts({ fault: 'QBO.6140', attempts, policy: suffix }),
          );
          if (numbered.kind !== 'free') throw new Error('held');
          expect(String(numbered.body.DocNumber).length).toBeLessThanOrEqual(21);
          expect(withKeptSuffix('Invoice', { DocNumber: number }, numbered.body)).toEqual(numbered.body);
          const taken = facts({ namesakes: [held('Vendor', { DisplayName: name })], policy: suffix });
          const named = planCollision('Customer', { DisplayName: name }, taken);
          if (named.kind !== 'free') throw new Error('held');
          expect(String(named.body.DisplayName).length).toBeLessThanOrEqual(500);
          expect(withKeptSuffix('Customer', { DisplayName: name }, named.body)).toEqual(named.body);
        },
      ),
    );
  });
});

describe('a rename or a new number that was refused', () => {
  const link = (entityType: string, payload: Json, applied: Json): Link => ({
    entityType,
    sourceId: '5',
    state: { kind: 'ready' },
    desired: { version: '2', hash: 'new', op: 'upsert', payload, references: [] },
    applied: { version: '1', hash: 'old', payload: applied },
    target: { id: '50', syncToken: '0', deleted: false },
    generation: 0,
    attempts: 1,
  });
  const plan = (one: Link, more: Partial<WriteFacts> = {}, collisions: CollisionPolicy = defaultCollisionPolicy) =>
    planWrite(one, {
      resolve: () => undefined,
      policy: { ...defaultWritePolicy, collisions },
      ...more,
    });
  const suffixes: CollisionPolicy = { names: 'suffix', numbers: 'suffix' };

  it.each<[string, Json, Json, Json, string, string]>([
    ['Customer', { DisplayName: 'New' }, { DisplayName: 'Old' }, { DisplayName: 'new' }, 'QBO.6240', 'New (C)'],
    ['Account', { Name: 'New' }, { Name: 'Old' }, { Name: 'New', AccountType: 'Bank' }, 'QBO.6240', 'New (A)'],
    [
      'Item',
      { Name: 'New', Type: 'Service' },
      { Name: 'Old' },
      { Name: 'New', Type: 'Inventory' },
      'QBO.6240',
      'New (I)',
    ],
    ['Class', { Name: 'New' }, { Name: 'Old' }, { Name: 'NEW', Active: false }, 'QBO.6240', 'New (C)'],
    ['Invoice', { DocNumber: '7' }, { DocNumber: '6' }, { DocNumber: '7' }, 'QBO.6140', '7-2'],
  ])('%s: the holders are looked for, then named or avoided, and it is never its own holder', (type, ...given) => {
    const [payload, applied, holder, lastFault, suffixed] = given;
    const one = link(type, payload, applied);
    expect(plan(one)).toMatchObject({ kind: 'update' });
    const asked = plan(one, { lastFault });
    expect(asked).toMatchObject({ kind: 'lookup' });
    const candidates = [{ Id: '9', ...holder }];
    const code = lastFault === 'QBO.6140' ? 'COLLISION.NUMBER' : 'COLLISION.NAME';
    expect(plan(one, { lastFault, candidates })).toMatchObject({ kind: 'hold', code, candidates: [`${type}/9`] });
    const update = plan(one, { lastFault, candidates }, suffixes) as Extract<Plan, { kind: 'update' }>;
    expect(update.kind).toBe('update');
    expect(Object.values(update.body)).toContain(suffixed);
    expect(Object.values(update.applied)).toContain(suffixed);
    // Later edits keep what it was given.
    const kept = plan(link(type, { ...payload, PrivateNote: 'x', Description: 'x', Notes: 'x' }, update.applied));
    expect(JSON.stringify((kept as { body?: Json }).body)).not.toContain('"Name"');
    const alone = { lastFault, candidates: [{ Id: '50', ...holder }] };
    expect(plan(one, alone)).toMatchObject({ kind: 'update' });
    // Nobody seems to have the number, and it is refused again and again.
    if (type === 'Invoice') expect(plan({ ...one, attempts: 4 }, alone)).toMatchObject({ kind: 'hold' });
  });

  it('is no collision under another parent', () => {
    const one = link('Account', { Name: 'New' }, { Name: 'Old' });
    const candidates = [{ Id: '9', Name: 'New', ParentRef: { value: '3' } }];
    expect(plan(one, { lastFault: 'QBO.6240', candidates })).toMatchObject({ kind: 'update' });
  });

  it.each<[string, Json, Json, string]>([
    ['Invoice', {}, {}, 'hold'],
    ['Bill', { VendorRef: { value: '1' } }, { VendorRef: { value: '1' } }, 'hold'],
    ['Bill', { VendorRef: { value: '1' } }, { VendorRef: { value: '2' } }, 'create'],
    ['Purchase', { AccountRef: { value: '1' } }, { AccountRef: { value: '2' } }, 'create'],
    ['JournalEntry', {}, {}, 'hold'],
  ])('%s with a number that is checked before: %j against %j', (type, ours, theirs, kind) => {
    const {
      target: _none,
      applied: _nothing,
      ...fresh
    } = link(type, { DocNumber: '7', Line: [{ Amount: 1 }], ...ours }, {});
    const check: CollisionPolicy = { names: 'hold', numbers: 'check' };
    expect(plan(fresh, {}, check)).toEqual({
      kind: 'lookup',
      lookups: [{ entityType: type, field: 'DocNumber', value: '7' }],
    });
    const candidates = [{ Id: '9', DocNumber: '7', ...theirs }];
    expect(plan(fresh, { candidates }, check).kind).toBe(kind);
    expect(plan(fresh, { candidates: [] }, check).kind).toBe('create');
  });

  it('a number that a mapping rule wants for itself is asked for before it is written, at the making and at a change', () => {
    const renumbered = link('Invoice', { DocNumber: '7' }, { DocNumber: '6' });
    renumbered.desired.naturalKey = { NumberMustBeFree: 'yes' };
    const { target: _none, applied: _nothing, ...fresh } = renumbered;
    const lookup = { kind: 'lookup', lookups: [{ entityType: 'Invoice', field: 'DocNumber', value: '7' }] };
    for (const [one, written] of [
      [fresh, 'create'],
      [renumbered, 'update'],
    ] as const) {
      expect(plan(one)).toEqual(lookup);
      expect(plan(one, { candidates: [{ Id: '9', DocNumber: '7' }] })).toMatchObject({
        kind: 'hold',
        code: 'COLLISION.NUMBER',
        candidates: ['Invoice/9'],
      });
      expect(plan(one, { candidates: [{ Id: '9', DocNumber: '77' }] }).kind).toBe(written);
      expect(plan(one, { candidates: [] }).kind).toBe(written);
    }
    // Nothing is asked where the number stays.
    const noted = link('Invoice', { DocNumber: '7', PrivateNote: 'x' }, { DocNumber: '7' });
    noted.desired.naturalKey = { NumberMustBeFree: 'yes' };
    expect(plan(noted).kind).toBe('update');
  });

  it.each([
    ['Class', { Name: 'North' }, 'QBO.6240', 'COLLISION.NAME'],
    ['Invoice', { DocNumber: '7', Line: [{ Amount: 1 }] }, 'QBO.6140', 'COLLISION.NUMBER'],
  ])(
    'a new %s that adopts nothing and was refused as a double is held with who has it',
    (type, payload, lastFault, code) => {
      const { target: _none, applied: _nothing, ...fresh } = link(type, payload, {});
      expect(plan(fresh, { lastFault })).toMatchObject({ kind: 'lookup', lookups: [{ entityType: type }] });
      const candidates = [{ Id: '9', ...payload }];
      expect(plan(fresh, { lastFault, candidates })).toMatchObject({ kind: 'hold', code, candidates: [`${type}/9`] });
    },
  );

  it('a number that became too long is held, and a copy that has a shorter one is voided all the same', () => {
    const long = link('Invoice', { DocNumber: 'A-12345678901234567890' }, { DocNumber: '6', TotalAmt: 5 });
    expect(plan(long)).toMatchObject({ kind: 'hold', code: 'NUMBER.TOO_LONG' });
    long.desired.op = 'void';
    expect(plan(long)).toMatchObject({ kind: 'void' });
  });
});

// QuickBooks calls it a name that is taken (6240), whatever it is that another account has.
describe('an account number that another account of the target has', () => {
  const sales = { Name: 'Sales', AcctNum: '4000', AccountType: 'Income' };
  const other = { Id: '9', SyncToken: '0', Name: 'Interest', AcctNum: '4000', AccountType: 'Other Income' };
  const twin = { Id: '7', SyncToken: '0', Name: 'Sales', AccountType: 'Income' };
  const account = (more: Partial<Link> = {}): Link => ({
    entityType: 'Account',
    sourceId: '1',
    state: { kind: 'ready' },
    desired: { version: '1', hash: 'h', op: 'upsert', payload: sales, references: [], naturalKey: { ...sales } },
    generation: 0,
    attempts: 1,
    ...more,
  });
  const plan = (candidates: Json[], more: Partial<WriteFacts> = {}, link = account()): Plan =>
    planWrite(link, {
      ...{ resolve: () => undefined, policy: defaultWritePolicy, lastFault: 'QBO.6240', candidates },
      ...more,
    });
  const held = {
    kind: 'hold',
    code: 'COLLISION.NUMBER',
    reason: 'the target has the number "4000" already: Account 9',
    candidates: ['Account/9'],
  };

  it('is a person’s question: for one that is made, one that is taken over, and one that is changed', () => {
    expect(plan([other])).toMatchObject(held);
    expect(plan([twin, other])).toMatchObject(held);
    const changed = account({
      applied: { version: '0', hash: 'old', payload: { ...sales, AcctNum: '3999' } },
      target: { id: '7', syncToken: '0', deleted: false },
    });
    expect(plan([{ ...twin, AcctNum: '3999' }, other], {}, changed)).toMatchObject(held);
  });

  it('is none where the target did not mind, or nobody else has it', () => {
    expect(plan([twin, other], { lastFault: '' })).toMatchObject({ kind: 'adopt', targetId: '7' });
    expect(plan([{ ...twin, AcctNum: '4000' }])).toMatchObject({ kind: 'adopt', targetId: '7' });
  });

  it('is not the only thing that stands in the way of an adopted account: its new name may be taken, too', () => {
    const byNumber = { Id: '7', SyncToken: '0', Name: 'Old sales', AcctNum: '4000', AccountType: 'Income' };
    const named = { Id: '8', SyncToken: '0', Name: 'Sales', AccountType: 'Bank' };
    expect(plan([byNumber, named])).toMatchObject({ kind: 'hold', code: 'COLLISION.NAME', candidates: ['Account/8'] });
  });
});
