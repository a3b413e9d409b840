import { judgeSettings } from './judge-settings.js';

describe('settings of a sync', () => {
  it.each<[string, object]>([
    ['nothing', {}],
    ['adoption', { adopt: { lists: false, transactions: true }, twins: 'leave' }],
    ['one drift policy', { drift: 'hold' }],
    ['drift policies by type', { drift: { default: 'hold', Invoice: 'overwrite' } }],
    [
      'drift policies by field',
      { drift: { Invoice: { default: 'hold', fields: { PrivateNote: 'keep' }, gone: 'recreate' } } },
    ],
    ['collisions', { collisions: { names: 'suffix', numbers: 'check' } }],
    ['differences recorded', { rounding: { kind: 'record' } }],
    ['a rounding line', { rounding: { kind: 'line', itemId: '90', accountId: '91', zeroTaxCodeId: 'NON' } }],
    ['a note', { note: 'asked for by Ann' }],
  ])('take %s', (_what, given) => {
    expect(judgeSettings(given)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['a misspelt name', { colisions: {} }, 'settings.colisions'],
    ['a misspelt word', { twins: 'ignore' }, 'settings.twins'],
    ['a policy that does not exist', { collisions: { names: 'cut' } }, 'settings.collisions.names'],
    ['a type that does not exist', { drift: { Invoce: 'hold' } }, 'settings.drift.Invoce'],
    ['a drift word that does not exist', { drift: 'merge' }, 'settings.drift'],
    [
      'a field that is a path',
      { drift: { Bill: { fields: { 'Line.0': 'keep' } } } },
      'settings.drift.Bill.fields.Line.0',
    ],
    [
      'a word for deleted copies that does not exist',
      { drift: { Bill: { gone: 'keep' } } },
      'settings.drift.Bill.gone',
    ],
    ['a rounding line with nowhere to stand', { rounding: { kind: 'line' } }, 'settings.rounding'],
    ['an id that is a number', { rounding: { kind: 'line', itemId: 90 } }, 'settings.rounding.itemId'],
    ['a rounding without its kind', { rounding: { itemId: '90' } }, 'settings.rounding.kind'],
  ])('refuse %s, naming the field', (_what, given, field) => {
    expect(judgeSettings(given).map((mistake) => mistake.field)).toEqual([field]);
  });
});
