// Which mappings of two opposite syncs undo each other, and what stays different where they do not.
import { defaultTemplate } from '../mapping/template.js';
import { mergeLayers } from '../mapping/layers.js';
import type { EntityRules, RuleSet } from '../mapping/rules.js';
import { comparePairMappings } from './pair-mappings.js';

const rules = (invoice?: EntityRules): RuleSet =>
  mergeLayers([
    defaultTemplate,
    ...(invoice ? [{ id: 1, layer: 'sync' as const, rules: { entities: { Invoice: invoice } } }] : []),
  ]);

const field = (use: object, at = 'PrivateNote'): EntityRules => ({
  fields: [{ from: at, to: at, transforms: [use as never] }],
});

describe('mappings of two opposite syncs', () => {
  const undone: [string, EntityRules | undefined, EntityRules | undefined][] = [
    ['none on either side', undefined, undefined],
    [
      'a factor and its inverse',
      field({ use: 'multiply', by: 4 }, 'Amount'),
      field({ use: 'multiply', by: 0.25 }, 'Amount'),
    ],
    ['the same value fixed in both', { static: { PrivateNote: 'copied' } }, { static: { PrivateNote: 'copied' } }],
    [
      'tables that are each other turned round',
      { references: { CustomerRef: { kind: 'table', entries: { 1: '7' } } } },
      { references: { CustomerRef: { kind: 'table', entries: { 7: '1' } } } },
    ],
    ['the same omission in both', { omit: ['PrivateNote'] }, { omit: ['PrivateNote'] }],
  ];
  it.each(undone)('undo each other: %s', (_what, there, back) => {
    expect(comparePairMappings(rules(there), rules(back))).toEqual([]);
  });

  const left: [string, EntityRules, EntityRules | undefined, string][] = [
    ['a prefix', field({ use: 'prefix', text: 'X-' }), undefined, 'PrivateNote'],
    [
      'the same prefix both ways',
      field({ use: 'prefix', text: 'X-' }),
      field({ use: 'prefix', text: 'X-' }),
      'PrivateNote',
    ],
    [
      'a prefix that the way back cuts off whatever is there',
      field({ use: 'prefix', text: 'X-' }),
      field({ use: 'substring', start: 2 }),
      'PrivateNote',
    ],
    ['capitals', field({ use: 'upper' }), field({ use: 'lower' }), 'PrivateNote'],
    ['a number with a prefix', { documentNumber: { kind: 'prefix', text: 'X-' } }, undefined, 'DocNumber'],
    [
      'a fixed value that the way back leaves out',
      { static: { PrivateNote: 'copied' } },
      { omit: ['PrivateNote'] },
      'PrivateNote',
    ],
    ['a fixed value', { static: { PrivateNote: 'copied' } }, undefined, 'PrivateNote'],
    ['an omission of one way', { omit: ['PrivateNote'] }, undefined, 'PrivateNote'],
    ['a field that goes elsewhere', { fields: [{ from: 'DocNumber', to: 'PrivateNote' }] }, undefined, 'PrivateNote'],
    ['an exclusion', { exclude: [{ reason: 'small', where: [{ path: 'TotalAmt', below: 5 }] }] }, undefined, 'records'],
    ['a type that goes one way', { excluded: true }, undefined, 'records'],
    ['one target for all', { references: { CustomerRef: { kind: 'fixed', value: '9' } } }, undefined, 'CustomerRef'],
    ['records that become one', { redirect: { 1: '2' } }, undefined, 'redirected'],
  ];
  it.each(left)('leave something different, said from either end: %s', (_what, there, back, subject) => {
    for (const found of [
      comparePairMappings(rules(there), rules(back)),
      comparePairMappings(rules(back), rules(there)),
    ]) {
      expect(found[0]).toMatchObject({ code: 'PREFLIGHT.PAIR_MAPPING', severity: 'warns' });
      expect(found.map((one) => one.subject)).toContainEqual(expect.stringContaining(`Invoice: ${subject}`));
    }
  });
});
