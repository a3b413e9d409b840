// The verdict over a migration: a table of reports and tallies, and that nothing but equality is called equal.
import fc from 'fast-check';
import type { Json } from '../model/json.js';
import { validationReport, type LinkTally, type ValidationFacts } from './report.js';
import { compareTrialBalances, trialBalanceRows, type AccountBalance } from './trial-balance.js';

const row = (id: string, name: string, debit: string, credit = ''): Json => ({
  ColData: [{ value: name, ...(id === '' ? {} : { id }) }, { value: debit }, { value: credit }],
});
const report = (...rows: Json[]): Json => ({
  Rows: {
    Row: [...rows, { group: 'GrandTotal', Summary: { ColData: [{ value: 'TOTAL' }, { value: '1' }, { value: '1' }] } }],
  },
});

describe('a trial balance', () => {
  it('is read by account, however deep it is nested, and without its total', () => {
    const nested = { Header: {}, Rows: { Row: [row('36', 'Checking:Till', '5.0')] } };
    expect(
      trialBalanceRows(report(row('35', 'Checking', '1250.00'), nested, row('', 'Retained Earnings', '', '7.10'))),
    ).toEqual([
      { accountId: '35', name: 'Checking', balance: '1250.00' },
      { accountId: '36', name: 'Checking:Till', balance: '5.00' },
      { name: 'Retained Earnings', balance: '-7.10' },
    ]);
  });

  it('that was cut off is none', () => {
    expect(trialBalanceRows(report(row('', 'Unable to display more data...', '')))).toBeUndefined();
  });

  it('is compared through the links of accounts, several into one, less what the target had of its own', () => {
    const source: AccountBalance[] = [
      { accountId: '1', name: 'Bank', balance: '10.00' },
      { accountId: '2', name: 'Petty cash', balance: '0.10' },
      { accountId: '3', name: 'Rent', balance: '-10.10' },
    ];
    const target: AccountBalance[] = [
      { accountId: '91', name: 'Cash', balance: '30.10' },
      { accountId: '92', name: 'Own income', balance: '-20.00' },
    ];
    const own: AccountBalance[] = [
      { accountId: '91', name: 'Cash', balance: '20.00' },
      { accountId: '92', name: 'Own income', balance: '-20.00' },
    ];
    const targetOf = (id: string) => ({ '1': '91', '2': '91' })[id];
    const lines = compareTrialBalances(source, target, targetOf, own);
    expect(lines.map((line) => [line.sourceName, line.targetName, line.difference])).toEqual([
      ['Bank, Petty cash', 'Cash', '0.00'],
      ['Rent', null, '10.10'],
      [null, 'Own income', '0.00'],
    ]);
  });
});

describe('a validation', () => {
  const tally = (more: Partial<LinkTally> = {}): LinkTally => ({
    ...{ entityType: 'Invoice', wish: 'there', state: 'settled', code: null, hasTarget: true, count: 3 },
    ...more,
  });
  const cash: AccountBalance[] = [{ accountId: '1', name: 'Cash', balance: '5.00' }];
  const facts = (more: Partial<ValidationFacts> = {}): ValidationFacts => ({
    counted: { source: new Map([['Invoice', 3]]), target: new Map([['Invoice', 3]]) },
    links: [tally()],
    balances: { source: cash, target: cash },
    targetAccount: (id) => id,
    ...more,
  });

  it('is equal when every record arrived and every account agrees to the cent', () => {
    expect(validationReport(['Invoice'], facts())).toMatchObject({ verdict: 'equal', differences: [] });
  });

  it.each<[string, Partial<ValidationFacts>, object]>([
    ['a record that never arrived', { links: [tally({ count: 2 })] }, { kind: 'count', subject: 'Invoice' }],
    [
      'one that waits for a person',
      { links: [tally({ count: 2 }), tally({ state: 'held', code: 'X.Y', count: 1 })] },
      { kind: 'held', detail: expect.stringContaining('X.Y') },
    ],
    ['one on its way', { links: [tally({ count: 2 }), tally({ state: 'open', count: 1 })] }, { kind: 'open' }],
    [
      'one that is gone from the target',
      { counted: { source: new Map([['Invoice', 3]]), target: new Map([['Invoice', 2]]) } },
      { kind: 'missing' },
    ],
    [
      'a cent',
      { balances: { source: cash, target: [{ ...cash[0]!, balance: '5.01' }] } },
      { kind: 'account', subject: 'Cash', detail: 'the target differs by 0.01' },
    ],
    ['an account that no link knows', { targetAccount: () => undefined }, { kind: 'account' }],
    ['a report that was cut off', { balances: { source: cash, target: undefined } }, { kind: 'report' }],
  ])('names %s', (_, more, named) => {
    const told = validationReport(['Invoice'], facts(more));
    expect(told.verdict).toBe('different');
    expect(told.differences).toContainEqual(expect.objectContaining(named));
  });

  it('knows what the mapping leaves out, and what the target had before', () => {
    const excluded = validationReport(
      ['Invoice'],
      facts({ links: [tally({ count: 2 }), tally({ wish: 'excluded', hasTarget: false, count: 1 })] }),
    );
    expect(excluded.verdict).toBe('equal');
    const bundles = facts({ links: [tally({ count: 2 })], notPossible: new Map([['Invoice', 1]]) });
    expect(validationReport(['Invoice'], bundles).verdict).toBe('equal');
    const first = validationReport(['Invoice'], facts({ links: [] }));
    expect(first).toMatchObject({ verdict: 'baseline', own: { counts: { Invoice: 3 }, balances: cash } });
    const doubled = [{ ...cash[0]!, balance: '10.00' }];
    const baseline = { number: 1, counts: { Invoice: 3 }, balances: cash };
    expect(
      validationReport(['Invoice'], facts({ baseline, balances: { source: cash, target: doubled } })),
    ).toMatchObject({
      ...{ verdict: 'equal', baseline: 1, types: [{ own: 3 }] },
    });
  });

  it('is equal for no books that differ anywhere', () => {
    const amounts = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1, maxLength: 6 });
    const books = (cents: readonly number[]): AccountBalance[] =>
      cents.map((amount, at) => ({ accountId: String(at), name: `A${at}`, balance: (amount / 100).toFixed(2) }));
    fc.assert(
      fc.property(amounts, amounts, (ours, theirs) => {
        const told = validationReport(['Invoice'], facts({ balances: { source: books(ours), target: books(theirs) } }));
        const size = Math.max(ours.length, theirs.length);
        const isEqual = Array.from({ length: size }, (_, at) => (ours[at] ?? 0) === (theirs[at] ?? 0)).every(Boolean);
        expect(told.verdict).toBe(isEqual ? 'equal' : 'different');
      }),
    );
  });
});
