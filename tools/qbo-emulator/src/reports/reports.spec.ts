// Reports against the captured company: the numbers Intuit's own reports show, and agreement among the reports.
import fc from 'fast-check';
import { QboFault, type Rec } from '../types.js';
import { cents, centsText, plus } from '../money/index.js';
import { addUncaptured, captured, capturesPresent } from '../ledger/captured-company.js';
import { Ledger, POSTING_TYPES } from '../ledger/index.js';
import { RecordedCompany } from '../ledger/recorded-company.js';
import { report, REPORT_NAMES } from './index.js';
import { selfcheckLedger } from './selfcheck.js';

const claim = capturesPresent ? it : it.skip;
const ALL = { date_macro: 'All' };

/** Every cell row with its account id, depth first. */
function flatten(rows: Rec | undefined): Rec[] {
  const found: Rec[] = [];
  for (const row of rows?.Row ?? []) {
    found.push(row, ...flatten(row.Rows));
  }
  return found;
}

function group(rep: Rec, name: string): string[] {
  const row = flatten(rep.Rows).find((r) => r.group === name);
  return (row?.Summary?.ColData ?? row?.ColData ?? []).slice(1).map((cell: Rec) => cell.value);
}

describe('reports of the captured company', () => {
  const full = (): { company: RecordedCompany; ledger: Ledger } => {
    const books = captured();
    addUncaptured(books.company, books.ledger);
    return books;
  };

  claim('profit and loss, balance sheet and trial balance carry the expected totals', () => {
    const { company, ledger } = full();
    const pl = report('ProfitAndLoss', ALL, company, ledger);
    expect(group(pl, 'NetIncome')).toEqual(['342.46']);
    expect(group(pl, 'COGS')).toEqual(['405.00']);
    const bs = report('BalanceSheet', ALL, company, ledger);
    expect(group(bs, 'TotalAssets')).toEqual(['24036.29']);
    expect(group(bs, 'Liabilities')).toEqual(['31731.33']);
    expect(group(bs, 'Equity')).toEqual(['-7695.04']);
    expect(group(bs, 'TotalLiabilitiesAndEquity')).toEqual(['24036.29']);
    const tb = report('TrialBalance', ALL, company, ledger);
    const [debit, credit] = group(tb, 'GrandTotal');
    expect(debit).toBe(credit);
  });

  claim('an account whose postings cancel is listed with 0.00, one without postings is left out', () => {
    const { company, ledger } = full();
    const rows = flatten(report('BalanceSheet', ALL, company, ledger).Rows);
    const byId = (id: string): Rec | undefined => rows.find((r) => (r.ColData ?? r.Header?.ColData)?.[0]?.id === id);
    expect(byId('89')?.ColData[1].value).toBe('0.00');
    expect(byId('42')).toBeUndefined();
    // A parent shows its own postings in the header, blank when it has none.
    expect(byId('37')?.Header.ColData[1].value).toBe('');
    expect(byId('37')?.Summary.ColData).toEqual([{ value: 'Total Truck' }, { value: '13495.00' }]);
  });

  claim.each([
    ['by-total', '5080.27'],
    ['by-net', '5100.27'],
  ] as const)('cash basis, part payments %s: income of the seed company is %s', (cashShare, income) => {
    const seed = captured((type, rec) => !POSTING_TYPES.includes(type) || Number(rec.Id) <= 144);
    addUncaptured(seed.company, seed.ledger);
    for (const id of ['188', '189', '191', '194']) seed.company.drop('Bill', id);
    seed.company.switches = { cashShare };
    const ledger = new Ledger(seed.company);
    for (const type of POSTING_TYPES) for (const rec of seed.company.all(type)) ledger.post(type, rec);
    for (const txn of seed.ledger.systemTransactions()) ledger.postSystem(txn);
    const pl = report('ProfitAndLoss', { ...ALL, accounting_method: 'Cash' }, seed.company, ledger);
    expect(group(pl, 'Income')).toEqual([income]);
    expect(group(report('ProfitAndLoss', ALL, seed.company, ledger), 'NetIncome')).toEqual(['1642.46']);
  });

  claim('aging, customer balances and A/R are one number; vendors and A/P another', () => {
    const { company, ledger } = full();
    const date = { report_date: '2026-06-30' };
    for (const name of ['AgedReceivables', 'AgedReceivableDetail', 'CustomerBalance', 'CustomerBalanceDetail']) {
      expect(group(report(name, date, company, ledger), 'GrandTotal')).toContain('4681.52');
    }
    for (const name of ['AgedPayables', 'AgedPayableDetail', 'VendorBalance', 'VendorBalanceDetail']) {
      expect(group(report(name, date, company, ledger), 'GrandTotal')).toContain('2202.67');
    }
  });

  claim('inventory valuation is the inventory asset account', () => {
    const { company, ledger } = full();
    const summary = report('InventoryValuationSummary', { report_date: '2026-12-31' }, company, ledger);
    expect(group(summary, 'GrandTotal')).toEqual(['', '', '596.25', '']);
  });

  claim.each(['Accrual', 'Cash'])(
    'the general ledger adds up to the trial balance at every cut (%s)',
    (accounting_method) => {
      const { company, ledger } = full();
      for (const [start_date, end_date] of [
        ['2025-01-01', '2026-12-31'],
        ['2026-02-01', '2026-03-15'],
        ['2026-04-01', '2026-04-30'],
      ]) {
        const params = { start_date, end_date, accounting_method };
        const gl = report(
          'GeneralLedger',
          { ...params, columns: 'tx_date,txn_type,debt_amt,credit_amt' },
          company,
          ledger,
        );
        let debit = 0;
        let credit = 0;
        for (const row of gl.Rows.Row as Rec[]) {
          debit = plus(debit, cents(row.Summary.ColData[2].value));
          credit = plus(credit, cents(row.Summary.ColData[3].value));
        }
        expect(centsText(debit)).toBe(centsText(credit));
        const [left, right] = group(report('TrialBalance', params, company, ledger), 'GrandTotal');
        expect(left).toBe(right);
        const bs = report('BalanceSheet', params, company, ledger);
        expect(group(bs, 'TotalAssets')).toEqual(group(bs, 'TotalLiabilitiesAndEquity'));
      }
    },
  );

  claim('sales, expenses and cash flow are the profit and loss and the bank seen from another side', () => {
    const { company, ledger } = full();
    const total = (name: string, params: Record<string, string> = ALL): string[] =>
      group(report(name, params, company, ledger), 'GrandTotal');
    expect(group(report('ProfitAndLossDetail', ALL, company, ledger), 'NetIncome')).toContain('342.46');
    expect(total('CustomerSales')).toEqual(group(report('ProfitAndLoss', ALL, company, ledger), 'Income'));
    expect(total('ClassSales')).toEqual(total('CustomerSales'));
    expect(total('CustomerIncome')[0]).toBe(total('CustomerSales')[0]);
    const cash = report('CashFlow', { start_date: '2026-04-01', end_date: '2026-06-30' }, company, ledger);
    // Checking, Savings and Undeposited Funds.
    expect(group(cash, 'EndingCash')).toEqual(['5263.52']);
    expect(report('ItemSales', ALL, company, ledger).Columns.Column).toHaveLength(2);
  });

  claim('every report answers in the common shape, by month and by customer too', () => {
    const { company, ledger } = full();
    for (const name of REPORT_NAMES) {
      const rep = report(name, { start_date: '2026-01-01', end_date: '2026-05-31' }, company, ledger);
      expect(rep.Header.ReportName).toBe(name);
      const width = rep.Columns.Column.length;
      for (const row of flatten(rep.Rows)) {
        for (const cells of [row.ColData, row.Header?.ColData, row.Summary?.ColData]) {
          if (cells) expect([name, cells.length]).toEqual([name, name === 'ItemSales' ? 8 : width]);
        }
      }
    }
    for (const summarize_column_by of ['Month', 'Days', 'Week', 'Quarter', 'Year', 'Customers', 'Vendors', 'Classes']) {
      for (const name of ['ProfitAndLoss', 'BalanceSheet']) {
        const params = { start_date: '2026-01-01', end_date: '2026-05-31', summarize_column_by };
        const rep = report(name, params, company, ledger);
        const total = report(name, { ...params, summarize_column_by: 'Total' }, company, ledger);
        const key = name === 'ProfitAndLoss' ? 'NetIncome' : 'TotalAssets';
        expect(group(rep, key).at(-1)).toBe(group(total, key)[0]);
        expect(group(rep, key)).toHaveLength(rep.Columns.Column.length - 1);
      }
    }
  });
});

describe('the journal', () => {
  it('opens with date, type and number, repeats neither, and closes with a sum row and an empty one', () => {
    const company = new RecordedCompany();
    const account = (Id: string, Name: string, AccountType: string, AccountSubType: string): void =>
      void company.put('Account', { Id, Name, FullyQualifiedName: Name, AccountType, AccountSubType, Active: true });
    account('1', 'Checking', 'Bank', 'Checking');
    account('3', 'Undeposited Funds', 'Other Current Asset', 'UndepositedFunds');
    account('5', 'A/R', 'Accounts Receivable', 'AccountsReceivable');
    account('8', 'Sales', 'Income', 'SalesOfProductIncome');
    company.put('Customer', { Id: '1', DisplayName: 'Fern' });
    const ledger = new Ledger(company);
    const sale = {
      Amount: 9,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemAccountRef: { value: '8' } },
    };
    const head = { TxnDate: '2026-11-02', CustomerRef: { value: '1' } };
    ledger.post('Invoice', {
      ...head,
      Id: '10',
      DocNumber: '1001',
      TotalAmt: 9,
      Line: [{ ...sale, Description: 'Hedge' }],
    });
    ledger.post('CreditMemo', { ...head, Id: '11', TotalAmt: 9, Line: [sale] });
    const link = (TxnType: string, TxnId: string): Rec => ({ Amount: 9, LinkedTxn: [{ TxnId, TxnType }] });
    ledger.post('Payment', { ...head, Id: '12', TotalAmt: 0, Line: [link('Invoice', '10'), link('CreditMemo', '11')] });
    const rows = report('JournalReport', {}, company, ledger).Rows.Row.map((r: Rec) =>
      r.ColData.map((cell: Rec) => cell.value).join('|'),
    );
    expect(rows).toEqual([
      '2026-11-02|Invoice|1001|Fern||A/R|9.00|',
      '0-00-00||||Hedge|Sales||9.00',
      '0-00-00||||||9.00|9.00',
      '0-00-00|||||||',
      '2026-11-02|Credit Memo||Fern||A/R||9.00',
      '0-00-00|||||Sales|9.00|',
      '0-00-00||||||9.00|9.00',
      '0-00-00|||||||',
      '2026-11-02|Payment||Fern||||',
      '0-00-00|||||A/R||',
      '0-00-00||||||0.00|0.00',
      '0-00-00|||||||',
    ]);
  });
});

describe('the selfcheck', () => {
  const books = (): { company: RecordedCompany; ledger: Ledger } => {
    const company = new RecordedCompany();
    company.put('Account', {
      Id: '5',
      Name: 'A/R',
      AccountType: 'Accounts Receivable',
      AccountSubType: 'AccountsReceivable',
    });
    company.put('Account', { Id: '8', Name: 'Sales', AccountType: 'Income', AccountSubType: 'SalesOfProductIncome' });
    company.put('Customer', { Id: '1', DisplayName: 'Fern', Balance: 9 });
    const ledger = new Ledger(company);
    const line = {
      Amount: 9,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemAccountRef: { value: '8' } },
    };
    const invoice = {
      Id: '10',
      TxnDate: '2026-11-02',
      CustomerRef: { value: '1' },
      TotalAmt: 9,
      Balance: 9,
      Line: [line],
    };
    ledger.post('Invoice', company.put('Invoice', invoice));
    return { company, ledger };
  };
  const checks = (damage: (company: RecordedCompany, ledger: Ledger) => void): string[] => {
    const { company, ledger } = books();
    damage(company, ledger);
    return [...new Set(selfcheckLedger(company, ledger).map((finding) => finding.check))];
  };

  it('finds nothing in sound books and names every planted damage', () => {
    expect(checks(() => undefined)).toEqual([]);
    expect(checks((c) => (c.get('Customer', '1')!.Balance = 8))).toEqual(['record shows the ledger']);
    expect(checks((c) => (c.get('Invoice', '10')!.Balance = 8))).toEqual(['record shows the ledger']);
    expect(checks((c) => c.drop('Invoice', '10'))).toContain('no posting without a record');
    expect(checks((c) => c.put('Invoice', { ...c.get('Invoice', '10'), Id: '11' }))).toContain(
      'no record without a posting',
    );
    expect(checks((c) => (c.get('Invoice', '10')!.TotalAmt = 12))).toContain(
      'books do not depend on the order of writes',
    );
    expect(checks((_c, l) => (l.accounts.get('5')!.home += 1))).toContain('account sums');
    expect(checks((_c, l) => (l.posting('Invoice', '10')!.lines[1].home += 1))).toContain('transaction balances');
    expect(checks((_c, l) => (l.posting('Invoice', '10')!.lines[0].name = undefined))).toContain(
      'control line has a name',
    );
  });
});

describe('reports of an empty company', () => {
  it('say so in NoReportData', () => {
    const company = new RecordedCompany();
    const ledger = new Ledger(company);
    for (const name of REPORT_NAMES) {
      const option = report(name, {}, company, ledger).Header.Option.find((o: Rec) => o.Name === 'NoReportData');
      expect([name, option.Value]).toEqual([name, 'true']);
    }
  });

  it('are refused when nobody knows them, and TaxSummary in the US', () => {
    const company = new RecordedCompany();
    const ledger = new Ledger(company);
    for (const name of ['TaxSummary', 'TrialBalanceFR', 'Nonsense', '__proto__']) {
      expect(() => report(name, {}, company, ledger)).toThrow(expect.objectContaining({ status: 400 }));
    }
    expect(() => report('TrialBalance', { start_date: 'soon' }, company, ledger)).toThrow(
      expect.objectContaining({ code: '2060' }),
    );
  });

  it('stop at 400,000 cells and say so in a row', () => {
    const company = new RecordedCompany();
    company.put('Account', {
      Id: '5',
      Name: 'A/R',
      AccountType: 'Accounts Receivable',
      AccountSubType: 'AccountsReceivable',
    });
    company.put('Account', { Id: '8', Name: 'Sales', AccountType: 'Income', AccountSubType: 'SalesOfProductIncome' });
    const ledger = new Ledger(company);
    const line = {
      Amount: 1,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemAccountRef: { value: '8' } },
    };
    for (let id = 1; id <= 260; id++) {
      ledger.post('Invoice', {
        Id: String(id),
        TxnDate: '2026-11-02',
        TotalAmt: 200,
        Line: Array.from({ length: 200 }, () => line),
      });
    }
    const rows = report('GeneralLedger', {}, company, ledger).Rows.Row;
    expect(rows.at(-1).ColData[0].value).toBe('Unable to display more data. Please reduce the date range.');
    expect(report('GeneralLedger', { columns: 'subt_nat_amount' }, company, ledger).Rows.Row.at(-1).type).toBe(
      'Section',
    );
  });

  it('answer or refuse, whatever the parameters are', () => {
    const company = new RecordedCompany();
    company.put('Account', {
      Id: '5',
      Name: 'A/R',
      AccountType: 'Accounts Receivable',
      AccountSubType: 'AccountsReceivable',
    });
    company.put('Account', { Id: '8', Name: 'Sales', AccountType: 'Income', AccountSubType: 'SalesOfProductIncome' });
    const ledger = new Ledger(company);
    const line = {
      Amount: 9,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemAccountRef: { value: '8' } },
    };
    for (const TxnDate of ['2026-11-02', '0000-00-00', '9999-12-31', 'soon']) {
      ledger.post('Invoice', {
        Id: TxnDate,
        TxnDate,
        DueDate: '2026-02-31',
        CustomerRef: { value: '1' },
        TotalAmt: 9,
        Line: [line],
      });
    }
    const value = fc.oneof(
      fc.constantFrom(
        'constructor',
        '__proto__',
        '',
        '-1',
        '1e9',
        '2026-02-31',
        '9999-12-31',
        '0000-00-00',
        'Month',
        'Days',
        'Cash',
        'All',
        'Classes',
      ),
      fc.string({ maxLength: 8 }),
    );
    const names = [
      'start_date',
      'end_date',
      'report_date',
      'date_macro',
      'accounting_method',
      'summarize_column_by',
      'columns',
      'customer',
    ];
    const params = fc.dictionary(
      fc.constantFrom(
        ...names,
        'aging_period',
        'num_periods',
        'aging_method',
        'past_due',
        'group_by',
        'item',
        'bothamount',
      ),
      value,
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...REPORT_NAMES), fc.string()), params, (name, given) => {
        try {
          expect(report(name, given, company, ledger).Header.ReportName).toBeDefined();
        } catch (error) {
          if (!(error instanceof QboFault)) throw error;
        }
      }),
      { numRuns: 800 },
    );
  });
});
