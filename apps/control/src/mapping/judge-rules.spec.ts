// Rules that are fine pass; every mistake in the others is named with its place.
import { judgeRules } from './judge-rules.js';

describe('mapping rules', () => {
  it('that use everything there is are fine', () => {
    const everything = {
      entities: {
        '*': { omit: ['PrivateNote'], keep: ['Memo'] },
        Customer: {
          excluded: 'handled elsewhere',
          adopt: false,
          fields: [
            {
              from: 'DisplayName',
              to: 'DisplayName',
              required: true,
              maxLength: 100,
              oneOf: ['a'],
              transforms: [
                { use: 'trim' },
                { use: 'prefix', text: 'X ' },
                { use: 'replace', find: 'a', with: '' },
                { use: 'truncate', length: 5 },
                { use: 'default', value: 1 },
                { use: 'table', entries: { a: 'b' }, otherwise: 'keep' },
              ],
            },
          ],
          static: { Taxable: true },
          overrides: [{ when: { Active: true }, set: { Notes: 'n' } }],
          references: {
            SalesTermRef: { kind: 'table', entries: { '1': '2' }, otherwise: 'follow' },
            ParentRef: { kind: 'drop' },
          },
          redirect: { '1': '2' },
          documentNumber: { kind: 'prefix', text: 'B-' },
        },
      },
    };
    expect(judgeRules(everything)).toEqual([]);
    expect(judgeRules({})).toEqual([]);
  });

  it.each([
    ['no object', 'x', ['rules']],
    ['an unknown part', { entity: {} }, ['rules.entity']],
    ['an unknown type', { entities: { Invoyce: {} } }, ['rules.entities.Invoyce']],
    [
      'several at once',
      { entities: { Bill: { adopt: 'no', omit: 'x', fiels: [] } } },
      ['rules.entities.Bill.adopt', 'rules.entities.Bill.omit', 'rules.entities.Bill.fiels'],
    ],
    [
      'a transform that does not exist',
      { entities: { Bill: { fields: [{ from: 'a', to: 'b', transforms: [{ use: 'eval' }] }] } } },
      ['rules.entities.Bill.fields.0.transforms.0.use'],
    ],
    ['a missing field', { entities: { Bill: { fields: [{ from: 'a' }] } } }, ['rules.entities.Bill.fields.0.to']],
    [
      'a policy without its value',
      { entities: { Bill: { references: { VendorRef: { kind: 'fixed' } } } } },
      ['rules.entities.Bill.references.VendorRef.value'],
    ],
  ])('with %s are named by place', (_title, rules, fields) => {
    expect(judgeRules(rules).map((mistake) => mistake.field)).toEqual(fields);
  });
});
