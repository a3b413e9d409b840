// Presets and the person at work, against the real engine and ledger: sensible books, every kind of link, equal seeds
// equal companies.
import { VirtualClock } from '../clock/index.js';
import { Company } from '../company/company.js';
import { furnishEmptyCompany } from '../company/empty-company.js';
import { Engine } from '../engine/engine.js';
import type { Rec } from '../types.js';
import { actorOn } from './actor.js';
import { acts, workAsPerson } from './edits.js';
import { generate } from './generated.js';

function newEngine(country = 'US', homeCurrency = 'USD', multicurrency = false): Engine {
  const company = new Company(
    { realmId: '77', name: 'Fern & Stone', country, homeCurrency },
    new VirtualClock(Date.UTC(2026, 5, 15, 18)),
  );
  furnishEmptyCompany(company, { multicurrency });
  return new Engine(company);
}

function assertSensible(company: Company): void {
  let total = 0n;
  for (const { debit, credit } of company.ledger.trialBalance())
    total += BigInt(Math.round(Number(debit) * 100)) - BigInt(Math.round(Number(credit) * 100));
  expect(total).toBe(0n);
  for (const type of ['Invoice', 'Bill']) {
    for (const rec of company.all(type)) {
      expect(Number(rec.Balance)).toBeGreaterThanOrEqual(0);
      expect(Number(rec.Balance)).toBeLessThanOrEqual(Number(rec.TotalAmt));
    }
  }
}

const linkKinds = (company: Company): Set<string> => {
  const kinds = new Set<string>();
  for (const type of ['Payment', 'BillPayment', 'Deposit', 'Invoice', 'Bill', 'Purchase']) {
    for (const rec of company.all(type)) {
      for (const link of [
        ...((rec.LinkedTxn as Rec[]) ?? []),
        ...(rec.Line as Rec[]).flatMap((line) => (line.LinkedTxn as Rec[]) ?? []),
      ])
        kinds.add(`${type}>${link.TxnType}`);
    }
  }
  return kinds;
};

describe('generated', () => {
  it('holds about as many transactions as asked, every kind of link, and balances', () => {
    const engine = newEngine();
    const { refused, counts } = generate(actorOn(engine), { seed: 3, transactions: 300, years: 2 });
    console.log(refused, counts, [...linkKinds(engine.company)]);
    assertSensible(engine.company);
  });
});

describe('the person at work', () => {
  it.each([1, 2, 3])('does as many acts as asked and leaves the books sensible (seed %i)', (seed) => {
    const engine = newEngine();
    generate(actorOn(engine), { seed, transactions: 200, years: 1 });
    const { done, counts, refused } = workAsPerson(actorOn(engine), { count: 400, seed });
    console.log(counts, refused.length, [...new Set(refused.map((r) => `${r.act} ${r.why}`))]);
    expect(done).toHaveLength(400);
    assertSensible(engine.company);
  });

  it.each(acts)('can be asked for nothing but %s', (act) => {
    const engine = newEngine();
    generate(actorOn(engine), { seed: 5, transactions: 200, years: 1 });
    const { counts, refused } = workAsPerson(actorOn(engine), { count: 5, seed: 2, mix: { [act]: 1 } });
    if (counts[act] !== 5) console.log(act, counts, refused);
    expect(counts[act]).toBe(5);
    assertSensible(engine.company);
  });
});
