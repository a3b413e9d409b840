import type { Json } from '../model/json.js';
import { mergeLayers } from './layers.js';
import { mapChange } from './map-change.js';
import type { ExclusionFilter, FilterCondition } from './rules.js';
import { defaultTemplate } from './template.js';

const bill: Json = {
  Id: '7',
  DocNumber: 'TEST-12',
  TxnDate: '2025-12-31',
  VendorRef: { value: '5', name: 'Acme' },
  TotalAmt: 100.1,
  Line: [
    {
      Amount: 100.1,
      DetailType: 'AccountBasedExpenseLineDetail',
      AccountBasedExpenseLineDetail: { AccountRef: { value: '9' } },
    },
  ],
};
const mapped = (exclude: ExclusionFilter[]) =>
  mapChange(
    { realmId: '1', entityType: 'Bill', id: '7', version: 'v', deleted: false, snapshot: bill },
    mergeLayers([defaultTemplate, { id: 4, layer: 'sync', rules: { entities: { Bill: { exclude } } } }]),
  );

describe('excluding records by a filter', () => {
  const table: [string, FilterCondition[], boolean][] = [
    ['a number that starts so', [{ path: 'DocNumber', startsWith: 'test-' }], true],
    ['a date before', [{ path: 'TxnDate', below: '2026-01-01' }], true],
    ['a date that is the bound itself', [{ path: 'TxnDate', below: '2025-12-31' }], false],
    ['an amount above', [{ path: 'TotalAmt', above: '100.099' }], true],
    ['an amount compared as a number, not as text', [{ path: 'TotalAmt', above: 20 }], true],
    ['one of several parties', [{ path: 'VendorRef.value', oneOf: [4, 5] }], true],
    ['any line', [{ path: 'Line.*.AccountBasedExpenseLineDetail.AccountRef.value', equals: '9' }], true],
    ['a field that is missing', [{ path: 'PrivateNote', missing: true }], true],
    ['a field that is there', [{ path: 'DocNumber', missing: true }], false],
    [
      'all conditions, one of which fails',
      [
        { path: 'DocNumber', startsWith: 'TEST' },
        { path: 'TotalAmt', below: 5 },
      ],
      false,
    ],
  ];
  it.each(table)('%s', (_, where, expected) => {
    const result = mapped([{ reason: 'not ours', where }]);
    if (expected) expect(result).toEqual({ kind: 'excluded', reason: 'not ours (sync 4)', mappingVersion: 4 });
    else expect(result.kind).toBe('write');
  });

  it.each([
    ['no conditions', [] as FilterCondition[]],
    ['a condition that asks nothing', [{ path: 'TotalAmt' }]],
    ['a path that is none', [{ path: 'a..b', equals: 1 }]],
  ])('never matches by mistake: %s is a named failure', (_, where) => {
    expect(mapped([{ reason: 'x', where }])).toMatchObject({ kind: 'failed', code: 'MAPPING.BAD_RULE' });
  });
});
