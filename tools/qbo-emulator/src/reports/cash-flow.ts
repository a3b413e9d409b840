// Statement of cash flows, indirect method: net income, corrected by what every balance-sheet account but cash took or
// gave. The three parts add up to the change of the bank accounts; undeposited funds count as cash, as QBO counts them.
import type { CompanyView, Rec } from '../types.js';
import { plus, type Cents } from '../money/index.js';
import { isProfitAndLoss, type Ledger } from '../ledger/index.js';
import { addDays, basisOf, dataRow, frame, money, periodOf, section, text, type Params } from './frame.js';
import { Balances, chart } from './statements.js';

type Part = 'cash' | 'operating' | 'investing' | 'financing';

function partOf(account: Rec): Part {
  switch (account.AccountType) {
    case 'Bank':
      return 'cash';
    case 'Other Current Asset':
      return account.AccountSubType === 'UndepositedFunds' ? 'cash' : 'operating';
    case 'Accounts Receivable':
    case 'Accounts Payable':
    case 'Credit Card':
    case 'Other Current Liability':
      return 'operating';
    case 'Fixed Asset':
    case 'Other Asset':
      return 'investing';
    default:
      return 'financing';
  }
}

export function cashFlow(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const period = periodOf(params, company);
  const basis = basisOf(params, company);
  const balances = new Balances(ledger, company, basis, params);
  const moved = balances.between(period.from, period.until);
  const before = balances.between(undefined, addDays(period.from, -1));
  const income = -balances.profitBetween(period.from, period.until) || 0;
  const rows: Record<Part, Rec[]> = { cash: [], operating: [], investing: [], financing: [] };
  const totals: Record<Part, Cents> = { cash: 0, operating: 0, investing: 0, financing: 0 };
  let opening = 0;
  for (const account of chart(company)) {
    if (isProfitAndLoss(account)) continue;
    const id = String(account.Id);
    const part = partOf(account);
    if (part === 'cash') opening = plus(opening, before.get(id)?.amount ?? 0);
    const change = moved.get(id)?.amount;
    if (change === undefined) continue;
    totals[part] = plus(totals[part], -change);
    rows[part].push(dataRow([text(String(account.FullyQualifiedName ?? account.Name), id), money(-change || 0)]));
  }
  const operating = plus(income, totals.operating);
  const increase = plus(operating, plus(totals.investing, totals.financing));
  const part = (title: string, group: string, inner: Rec[], total: Cents): Rec =>
    section({
      header: [text(title), text('')],
      rows: inner,
      summary: [text(`Net cash provided by ${title.toLowerCase()}`), money(total)],
      group,
    });
  const sum = (title: string, group: string, amount: Cents): Rec =>
    section({ summary: [text(title), money(amount)], group });
  const adjustments =
    rows.operating.length === 0
      ? []
      : [
          section({
            header: [text('Adjustments to reconcile Net Income to Net Cash provided by operations:'), text('')],
            rows: rows.operating,
            summary: [
              text('Total Adjustments to reconcile Net Income to Net Cash provided by operations:'),
              money(totals.operating),
            ],
            group: 'OperatingAdjustments',
          }),
        ];
  return frame('CashFlow', company, {
    period,
    basis,
    summarize: 'Total',
    columns: [
      { title: '', type: 'Account', key: 'account' },
      { title: 'Total', type: 'Money', key: 'total' },
    ],
    rows: [
      part(
        'OPERATING ACTIVITIES',
        'OperatingActivities',
        [dataRow([text('Net Income'), money(income)], { group: 'NetIncome' }), ...adjustments],
        operating,
      ),
      ...(rows.investing.length > 0
        ? [part('INVESTING ACTIVITIES', 'InvestingActivities', rows.investing, totals.investing)]
        : []),
      ...(rows.financing.length > 0
        ? [part('FINANCING ACTIVITIES', 'FinancingActivities', rows.financing, totals.financing)]
        : []),
      sum('Net cash increase for period', 'CashIncrease', increase),
      sum('Cash at beginning of period', 'BeginningCash', opening),
      sum('Cash at end of period', 'EndingCash', plus(opening, increase)),
    ],
    empty: moved.size === 0 && before.size === 0,
  });
}
