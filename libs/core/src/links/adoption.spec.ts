import type { Json } from '../model/json.js';
import { adoptionKey } from '../mapping/adoption-key.js';
import type { AdoptionRule } from '../mapping/rules.js';
import { definitionOf } from '../registry/index.js';
import { lookupsFor } from './adoption.js';
import type { Link } from './link.js';
import { defaultWritePolicy, planWrite, type Plan } from './plan.js';

const account = { Name: 'Rent', AcctNum: '6100', AccountType: 'Expense' };
const item = { Name: 'Lamp', Sku: 'L-1', Type: 'Service' };
const person = { DisplayName: 'Ann', EmployeeNumber: '7' };
const invoice = { DocNumber: '1001', TxnDate: '2026-01-01', TotalAmt: '5' };

function planned(
  type: string,
  body: Json,
  key: Record<string, string> | undefined,
  found: Json[],
  taken: string[] = [],
): Plan {
  const link: Link = {
    entityType: type,
    sourceId: '5',
    state: { kind: 'ready' },
    desired: { version: '1', hash: 'h', op: 'upsert', payload: body, references: [], ...(key && { naturalKey: key }) },
    generation: 0,
    attempts: 0,
  };
  return planWrite(link, {
    resolve: () => undefined,
    policy: defaultWritePolicy,
    candidates: found,
    taken: new Set(taken),
  });
}

describe('adoption', () => {
  it.each<[string, string, Record<string, string>, AdoptionRule | undefined, object | undefined]>([
    ['all keys unless said', 'Account', account, undefined, account],
    ['by name', 'Account', account, { by: 'name' }, { Name: 'Rent', AccountType: 'Expense' }],
    ['by number', 'Account', account, { by: 'number' }, { AcctNum: '6100', AccountType: 'Expense' }],
    ['by name', 'Item', item, { by: 'name' }, { Name: 'Lamp', Type: 'Service' }],
    ['by number', 'Item', item, { by: 'number' }, { Sku: 'L-1', Type: 'Service' }],
    ['by number', 'Employee', person, { by: 'number' }, { EmployeeNumber: '7' }],
    ['key fields', 'Invoice', invoice, { by: 'key' }, invoice],
    ['by name, which it has not', 'Invoice', invoice, { by: 'name' }, undefined],
    ['never', 'Account', account, false, undefined],
    ['never, but for a table', 'Account', account, { by: 'never', table: { '6': '60' } }, undefined],
    ['the table first', 'Account', account, { by: 'never', table: { '5': '50' } }, { ...account, Id: '50' }],
  ])('%s: %s', (_what, type, key, rule, expected) => {
    expect(adoptionKey(definitionOf(type), key, rule, '5')).toEqual(expected);
  });

  it('looks an item up by its number where it may be known by nothing else', () => {
    expect(lookupsFor('Item', item, { Sku: 'L-1', Type: 'Service' })).toEqual([
      { entityType: 'Item', field: 'Sku', value: 'L-1' },
    ]);
  });

  const rent = { Id: '50', SyncToken: '3', Name: 'Office rent', AccountType: 'Expense' };

  it('by a table takes the record it names, whatever its name, and keeps what it was', () => {
    expect(planned('Account', account, { ...account, Id: '50' }, [rent])).toMatchObject({
      kind: 'adopt',
      targetId: '50',
      beforeImage: rent,
      update: { Id: '50', SyncToken: '3', Name: 'Rent' },
    });
    // Transactions are not looked for unless said; a table says it.
    const named = { Id: '70', SyncToken: '0', DocNumber: '9', TotalAmt: 5 };
    expect(planned('Invoice', { DocNumber: '1001' }, { ...invoice, Id: '70' }, [named]).kind).toBe('adopt');
  });

  it.each<[string, Json[], string[], string]>([
    ['missing', [], [], 'the target has no such record'],
    ['taken', [rent], ['50'], 'another record of the source has it already'],
    ['of another type', [{ ...rent, AccountType: 'Bank' }], [], "its AccountType is Bank, and this one's is Expense"],
  ])('by a table that names a record that is %s holds, saying so', (_what, found, taken, reason) => {
    expect(planned('Account', account, { ...account, Id: '50' }, found, taken)).toEqual({
      kind: 'hold',
      code: 'ADOPT.TABLE',
      reason: `the table names Account 50: ${reason}`,
    });
  });

  it('lists the candidates where several could be meant', () => {
    const twins = [rent, { ...rent, Id: '51' }].map((one) => ({ ...one, Name: 'Rent' }));
    expect(planned('Account', account, account, twins)).toMatchObject({
      kind: 'hold',
      code: 'ADOPT.AMBIGUOUS',
      candidates: ['50', '51'],
      reason: expect.stringContaining('50, 51') as string,
    });
  });
});
