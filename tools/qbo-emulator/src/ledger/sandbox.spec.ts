// The posting rules against Intuit's own ledger: real records in, captured balances out. The records are not part of
// the repository; without them these claims are skipped, and the run says so.
import { isDeepStrictEqual } from 'node:util';
import type { Rec } from '../types.js';
import { computeDocument } from '../tax/index.js';
import { cents, centsText } from '../money/index.js';
import { isProfitAndLoss, Ledger, POSTING_TYPES } from './index.js';
import { addUncaptured, captured, capturesPresent as present } from './captured-company.js';

const claim = present ? it : it.skip;
const SILENT = new Set(['Income', 'Other Income', 'Expense', 'Other Expense', 'Cost of Goods Sold']);
const near = (a: unknown): string => centsText(cents(a));

describe('the captured sandbox company', () => {
  if (!present) it.todo('skipped: ../shared/fixtures/sandbox-company is not on this machine');

  claim('agrees with every captured account but for the stale rows and the uncaptured transactions', () => {
    const { company, ledger } = captured();
    const off: Record<string, string> = {};
    for (const account of company.all('Account')) {
      const own = ledger.accountBalance(account.Id);
      const difference = cents(account.CurrentBalance) - cents(own);
      if (difference !== 0) off[account.Id] = centsText(difference);
    }
    expect(off).toEqual({
      '4': '218.75',
      '34': '-567.50',
      '35': '398.10',
      '81': '567.50',
      '84': '400.00',
      '89': '38.40',
      '90': '38.50',
    });
  });

  claim('agrees with every captured customer, vendor and open balance but for the stale ones', () => {
    const { company, ledger } = captured();
    const off: string[] = [];
    const compare = (what: string, theirs: unknown, ours: string): void => {
      if (near(theirs) !== ours) off.push(`${what} ${near(theirs)} ${ours}`);
    };
    for (const c of company.all('Customer')) {
      compare(`Customer ${c.Id}`, c.Balance, ledger.customerBalance(c.Id));
      compare(`Customer ${c.Id} with jobs`, c.BalanceWithJobs, ledger.customerBalanceWithJobs(c.Id));
    }
    for (const v of company.all('Vendor')) compare(`Vendor ${v.Id}`, v.Balance, ledger.vendorBalance(v.Id));
    for (const i of company.all('Invoice')) compare(`Invoice ${i.Id}`, i.Balance, ledger.openBalance('Invoice', i.Id));
    for (const b of company.all('Bill')) compare(`Bill ${b.Id}`, b.Balance, ledger.openBalance('Bill', b.Id));
    for (const p of company.all('Payment'))
      compare(`Payment ${p.Id}`, p.UnappliedAmt, ledger.openBalance('Payment', p.Id));
    for (const m of company.all('CreditMemo')) {
      compare(`CreditMemo ${m.Id}`, m.RemainingCredit, ledger.openBalance('CreditMemo', m.Id));
    }
    expect(off).toEqual(['Customer 1 639.00 -261.00', 'Customer 1 with jobs 639.00 -261.00', 'Vendor 56 600.00 0.00']);
  });

  claim('gives every number of the expected books once the uncaptured transactions are added', () => {
    const { company, ledger } = captured();
    addUncaptured(company, ledger);
    const expected: Record<string, string> = {};
    const put = (list: string, sign: 1 | -1): void => {
      for (const part of list.split(';')) {
        const [id, amount] = part.split(':');
        expected[id.trim()] = centsText(sign * cents(amount.replaceAll(',', '').trim()) || 0);
      }
    };
    put('35: 2,101.00; 36: 800.00; 84: 4,681.52; 81: 596.25; 4: 2,362.52; 38: 13,495.00', 1);
    put('33: 2,202.67; 41: 157.72; 90: 370.94; 89: 0.00; 43: 4,000.00; 44: 25,000.00', -1);
    put('34: -9,337.50; 2: 1,300.00', -1);
    put('1: -196.45; 45: 1,477.50; 48: 2,246.50; 49: 2,351.97; 50: 138.00; 52: 250.00; 53: 50.00; 54: 110.00', -1);
    put('79: 912.75; 82: 2,250.00; 86: -89.50', -1);
    put('80: 405.00; 7: 74.86; 11: 241.23; 12: 75.00; 13: 28.49; 15: 18.08; 17: 900.00; 29: 112.00; 55: 113.96', 1);
    put('56: 349.41; 58: 155.07; 64: 234.04; 66: 353.12; 67: 215.66; 69: 1,240.00; 70: 55.00; 71: 400.00', 1);
    put('72: 185.00; 75: 755.00; 76: 200.53; 77: 130.86; 14: 2,916.00', 1);
    const own: Record<string, string> = {};
    for (const row of ledger.trialBalance()) own[row.accountId] = centsText(cents(row.debit) - cents(row.credit));
    expect(own).toEqual(expected);
    const values = [...company.all('Item')].filter((i) => i.Type === 'Inventory').map((i) => ledger.itemValue(i.Id));
    expect(values).toEqual(['250.00', '250.00', '18.75', '77.50']);
    expect(ledger.vendorBalance('56')).toBe('600.00');
    const silent = [...company.all('Account')].filter((a) => SILENT.has(a.AccountType));
    expect(silent.every((a) => ledger.accountBalance(a.Id) === '0.00')).toBe(true);
  });

  claim(
    'has the line count and the types of the recorded general ledger, and its cumulative profit at five days',
    () => {
      const { company, ledger: source } = captured(
        (type, rec) => !POSTING_TYPES.includes(type) || Number(rec.Id) <= 144,
      );
      addUncaptured(company, source);
      for (const id of ['188', '189', '191', '194']) company.drop('Bill', id);
      // An update in May moved this credit memo; the recorded reports still had it in March.
      company.put('CreditMemo', { ...company.get('CreditMemo', '73'), TxnDate: '2026-03-22' });
      const ledger = new Ledger(company);
      for (const txn of source.systemTransactions()) ledger.postSystem(txn);
      for (const type of POSTING_TYPES) for (const rec of company.all(type)) ledger.post(type, rec);
      const lines = ledger.lines();
      // Recorded: 10 entries before the quarter, 116 in it with 297 lines, 15 of them on account 45.
      const early = lines.filter((line) => line.date < '2026-01-30');
      const late = lines.filter((line) => line.date >= '2026-01-30');
      const entries = (of: typeof lines): number => new Set(of.map((line) => `${line.txnType} ${line.txnId}`)).size;
      expect([early.length, entries(early), late.length, entries(late)]).toEqual([28, 10, 297, 116]);
      expect(late.filter((line) => line.accountId === '45')).toHaveLength(15);
      // A payment that only links a credit to a charge is a transaction without lines.
      expect(ledger.lines({ type: 'Payment', id: '74' })).toEqual([]);
      const profit = (until: number): string => {
        let sum = 0;
        for (const sums of ledger.accounts.values()) {
          if (isProfitAndLoss(company.get('Account', sums.id))) sum -= ledger.balanceOf(sums, undefined, until).balance;
        }
        return centsText(sum);
      };
      expect([20251222, 20260202, 20260217, 20260413, 20260420].map(profit)).toEqual([
        '91.25',
        '204.17',
        '149.62',
        '1738.85',
        '1676.46',
      ]);
    },
  );

  claim(
    'every captured form computes to itself when saved again, but for one whose base its lines do not explain',
    () => {
      const { company } = captured();
      const off: string[] = [];
      for (const type of [
        'Invoice',
        'Estimate',
        'CreditMemo',
        'Bill',
        'Purchase',
        'PurchaseOrder',
        'Deposit',
        'JournalEntry',
      ]) {
        for (const rec of company.all(type)) {
          const again = JSON.parse(JSON.stringify(rec)) as Rec;
          const given = JSON.parse(JSON.stringify(rec)) as Rec;
          // The client sends code and lines, not the tax itself: what QBO stored must come out of them.
          if (given.TxnTaxDetail) delete given.TxnTaxDetail.TaxLine;
          computeDocument(type, again, company, given);
          for (const line of [...again.Line, ...rec.Line] as Rec[]) delete line.SalesItemLineDetail?.ItemAccountRef;
          if (!isDeepStrictEqual(again, rec)) off.push(`${type} ${rec.Id}`);
        }
      }
      // Made from an estimate: taxed on 582.50 although its taxable lines add up to 320.00.
      expect(off).toEqual(['Invoice 103']);
    },
  );
});
