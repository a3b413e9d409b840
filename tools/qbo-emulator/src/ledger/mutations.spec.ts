// So that the agreement with the captured books is not empty: one posting rule is broken at a time, by changing the
// records the way the wrong rule would read them, and something must stop agreeing.
import type { Rec } from '../types.js';
import { cents, centsText } from '../money/index.js';
import { addUncaptured, captured, capturesPresent } from './captured-company.js';
import type { RecordedCompany } from './recorded-company.js';
import { Ledger, POSTING_TYPES } from './index.js';

const claim = capturesPresent ? it : it.skip;

function books(company: RecordedCompany, source: Ledger): Ledger {
  const ledger = new Ledger(company);
  for (const txn of source.systemTransactions()) ledger.postSystem(txn);
  for (const type of POSTING_TYPES) for (const rec of company.all(type)) ledger.post(type, rec);
  return ledger;
}

function table(ledger: Ledger): Map<string, string> {
  return new Map(ledger.trialBalance().map((row) => [row.accountId, centsText(cents(row.debit) - cents(row.credit))]));
}

/** Accounts, customers and unbalanced totals that differ once the records are read by the wrong rule. */
function broken(mutate: (company: RecordedCompany, ledger: Ledger) => void): {
  accounts: string[];
  customers: string[];
  residual: string;
} {
  const right = captured();
  addUncaptured(right.company, right.ledger);
  const wrong = captured();
  addUncaptured(wrong.company, wrong.ledger);
  mutate(wrong.company, wrong.ledger);
  const ledger = books(wrong.company, wrong.ledger);
  const good = table(right.ledger);
  const bad = table(ledger);
  const accounts = [...new Set([...good.keys(), ...bad.keys()])].filter(
    (id) => (good.get(id) ?? '0.00') !== (bad.get(id) ?? '0.00'),
  );
  const customers = [...right.company.all('Customer')]
    .map((c) => String(c.Id))
    .filter((id) => right.ledger.customerBalance(id) !== ledger.customerBalance(id));
  let residual = 0;
  for (const posting of ledger.postings()) residual += Math.abs(posting.residual);
  const byNumber = (a: string, b: string): number => Number(a) - Number(b);
  return { accounts: accounts.sort(byNumber), customers: customers.sort(byNumber), residual: centsText(residual) };
}

function eachLine(company: RecordedCompany, types: string[], change: (line: Rec, rec: Rec) => Rec | undefined): void {
  for (const type of types) {
    for (const rec of [...company.all(type)]) {
      const lines = (rec.Line as Rec[]).flatMap((line) => change(line, rec) ?? []);
      company.put(type, { ...rec, Line: lines });
    }
  }
}

describe('one posting rule broken at a time', () => {
  claim('the account of the item of today instead of the stored line', () => {
    const { accounts } = broken((company) =>
      eachLine(company, ['Invoice'], (line) => {
        const { ItemAccountRef: _stored, ...detail } = line.SalesItemLineDetail ?? {};
        return line.SalesItemLineDetail && line.SalesItemLineDetail.ItemRef.value !== '1'
          ? { ...line, SalesItemLineDetail: detail }
          : line;
      }),
    );
    expect(accounts).toEqual(expect.arrayContaining(['48', '50', '79']));
  });

  claim.each([
    ['stock moves also before the start date', '2020-01-01'],
    ['stock moves only after the start date', '2026-04-09'],
  ])('%s', (_name, InvStartDate) => {
    const { accounts } = broken((company, ledger) => {
      for (const item of [...company.all('Item')])
        if (item.Type === 'Inventory') company.put('Item', { ...item, InvStartDate });
      // The starting quantities follow from the quantities on hand, as in any import.
      const without = books(company, { systemTransactions: () => [] } as unknown as Ledger);
      for (const txn of ledger.systemTransactions()) if (txn.start) ledger.removeSystem(txn.type, txn.id);
      for (const start of without.missingStartingValues()) ledger.postSystem(start);
    });
    expect(accounts).toEqual(expect.arrayContaining(['34', '80']));
  });

  claim('inventory purchases go to the expense account', () => {
    const { accounts } = broken((company) =>
      eachLine(company, ['Bill', 'Purchase'], (line) => {
        if (!line.ItemBasedExpenseLineDetail) return line;
        const item = company.get('Item', line.ItemBasedExpenseLineDetail.ItemRef.value);
        if (item?.Type !== 'Inventory') return line;
        return {
          Amount: line.Amount,
          DetailType: 'AccountBasedExpenseLineDetail',
          AccountBasedExpenseLineDetail: { AccountRef: { value: '80' } },
        };
      }),
    );
    expect(accounts).toEqual(expect.arrayContaining(['80', '81']));
  });

  claim('only the applied part of a payment credits A/R', () => {
    const { accounts, customers } = broken((company) => {
      for (const rec of [...company.all('Payment')]) company.put('Payment', { ...rec, TotalAmt: centsOff(rec) });
    });
    expect(accounts).toContain('84');
    expect(customers).toHaveLength(2);
  });

  claim('a credit memo posts only when applied', () => {
    const { accounts, customers } = broken((company) => {
      for (const rec of [...company.all('CreditMemo')])
        if (rec.RemainingCredit !== 0) company.drop('CreditMemo', rec.Id);
    });
    expect(accounts).toEqual(['1', '84']);
    expect(customers).toHaveLength(1);
  });

  claim('the discount line is ignored', () => {
    const { accounts, residual } = broken((company) =>
      eachLine(company, ['Invoice', 'SalesReceipt'], (line) => (line.DiscountLineDetail ? undefined : line)),
    );
    expect(accounts).toContain('86');
    expect(residual).toBe('89.50');
  });

  claim('the Credit flag is ignored', () => {
    const { accounts } = broken((company) => {
      for (const rec of [...company.all('Purchase')]) company.put('Purchase', { ...rec, Credit: false });
    });
    expect(accounts).toEqual(['35', '41']);
  });

  claim('cash back is ignored', () => {
    const { accounts, residual } = broken((company) => {
      for (const rec of [...company.all('Deposit')]) company.put('Deposit', { ...rec, CashBack: undefined });
    });
    expect(accounts).toContain('36');
    expect(residual).toBe('200.00');
  });

  claim('linked deposit lines credit A/R', () => {
    const { accounts } = broken((company) =>
      eachLine(company, ['Deposit'], (line) =>
        line.LinkedTxn
          ? { Amount: line.Amount, DetailType: 'DepositLineDetail', DepositLineDetail: { AccountRef: { value: '84' } } }
          : line,
      ),
    );
    expect(accounts).toEqual(['4', '84']);
  });

  claim("sub-customers' amounts are counted in the parent's balance", () => {
    const { accounts, customers } = broken((company) => {
      for (const type of ['Invoice', 'Payment', 'CreditMemo']) {
        for (const rec of [...company.all(type)]) {
          const parent = company.get('Customer', rec.CustomerRef.value)?.ParentRef;
          if (parent) company.put(type, { ...rec, CustomerRef: parent });
        }
      }
    });
    expect(accounts).toEqual([]);
    expect(customers.length).toBeGreaterThanOrEqual(3);
  });
});

function centsOff(payment: Rec): number {
  return Number(centsText(cents(payment.TotalAmt) - cents(payment.UnappliedAmt)));
}
