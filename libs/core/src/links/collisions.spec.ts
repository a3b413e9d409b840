import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { namesakeLookups, planCollision, withKeptSuffix, type CollisionFacts } from './collisions.js';

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

describe('a number that is taken', () => {
  const invoice = { DocNumber: '1001' };
  const fault = 'QBO.6140';

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
