// The order kept between queries is the one sorting would give, whatever came, went or moved since the last look.
import fc from 'fast-check';
import { VirtualClock } from '../clock/index.js';
import { Engine } from '../engine/engine.js';
import { actorOn, generate, workAsPerson } from '../people/index.js';
import { runQuery } from '../query/index.js';
import type { Rec } from '../types.js';
import { Company } from './company.js';
import { furnishEmptyCompany } from './empty-company.js';
import { NewestFirst } from './newest-first.js';

const at = (second: number): Rec => ({ LastUpdatedTime: `2026-01-02T10:00:${String(second).padStart(2, '0')}-08:00` });

function sorted(recs: Iterable<Rec>): string[] {
  return [...recs]
    .sort(
      (a, b) =>
        Date.parse(b['MetaData'].LastUpdatedTime) - Date.parse(a['MetaData'].LastUpdatedTime) ||
        Number(b['Id']) - Number(a['Id']),
    )
    .map((rec) => rec['Id'] as string);
}

describe('records with the latest change first', () => {
  it('stand as sorting would put them after any puts, moves in place and deletes, with readers in between', () => {
    const step = fc.record({
      act: fc.constantFrom('put', 'move', 'delete', 'read'),
      id: fc.integer({ min: 1, max: 12 }).map(String),
      second: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new Map<string, Rec>();
        const order = new NewestFirst(table);
        for (const { act, id, second } of [...steps, { act: 'read', id: '', second: 0 }]) {
          if (act === 'read') {
            expect(order.records()!.map((rec) => rec['Id'])).toEqual(sorted(table.values()));
            continue;
          }
          if (act === 'put') table.set(id, { Id: id, MetaData: at(second) });
          else if (act === 'delete') table.delete(id);
          else if (table.has(id)) table.get(id)!['MetaData'] = at(second);
          order.note(id);
        }
      }),
    );
  });

  it('are left to sorting while an id is no plain number', () => {
    const table = new Map<string, Rec>([['007', { Id: '007', MetaData: at(1) }]]);
    const order = new NewestFirst(table);
    expect(order.records()).toBeUndefined();
    table.delete('007');
    order.note('007');
    expect(order.records()).toEqual([]);
  });
});

it('a person at work changes no answer by the order that is kept: every page equals the one sorted from the records', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 5, 15, 18));
  const company = new Company({ realmId: '77', name: 'Fern & Stone', country: 'US', homeCurrency: 'USD' }, clock);
  furnishEmptyCompany(company, { multicurrency: false });
  const engine = new Engine(company);
  const statements = ['Invoice', 'Payment', 'Bill', 'BillPayment', 'Deposit', 'Estimate', 'Purchase'].flatMap(
    (type) => [
      `select * from ${type} maxresults 1000`,
      `select * from ${type} where TxnDate > '2025-12-01' startposition 6 maxresults 20`,
      `select * from ${type} orderby MetaData.LastUpdatedTime startposition 3 maxresults 40`,
    ],
  );
  const bare = Object.create(company, { newestFirst: { value: undefined } }) as Company;
  const ask = (view: Company): string[][] =>
    statements.map((statement) => (runQuery(statement, view).rows ?? []).map((rec) => rec['Id'] as string));
  generate(actorOn(engine, { written: () => void company.newestFirst('Invoice') }), {
    seed: 5,
    transactions: 200,
    years: 1,
  });
  expect(ask(company)).toEqual(ask(bare));
  for (let round = 0; round < 15; round++) {
    workAsPerson(actorOn(engine), { count: 12, seed: round });
    expect(ask(company)).toEqual(ask(bare));
    await clock.advance(round * 700);
  }
});
