// Reports in Intuit's row format, all from the ledger. An endpoint name nobody knows is refused, and so are reports that
// exist only in other countries.
import { QboFault, type CompanyView, type Rec } from '../types.js';
import type { Ledger } from '../ledger/index.js';
import { isUs } from '../tax/index.js';
import type { Params } from './frame.js';
import { cashFlow } from './cash-flow.js';
import {
  accountList,
  generalLedger,
  journalReport,
  profitAndLossDetail,
  transactionList,
  transactionListBy,
  transactionListWithSplits,
} from './listings.js';
import { aging, agingDetail, partyBalance, partyBalanceDetail } from './parties.js';
import { classSales, customerIncome, customerSales, departmentSales, itemSales, vendorExpenses } from './sales.js';
import { balanceSheet, profitAndLoss, trialBalance } from './statements.js';
import { inventoryValuationDetail, inventoryValuationSummary } from './stock.js';

type Report = (params: Params, company: CompanyView, ledger: Ledger) => Rec;

const REPORTS: Readonly<Record<string, Report>> = {
  TrialBalance: trialBalance,
  BalanceSheet: balanceSheet,
  ProfitAndLoss: profitAndLoss,
  GeneralLedger: generalLedger,
  JournalReport: journalReport,
  TransactionList: transactionList,
  TransactionListByCustomer: (p, c, l) => transactionListBy('TransactionListByCustomer', 'Customer', p, c, l),
  TransactionListByVendor: (p, c, l) => transactionListBy('TransactionListByVendor', 'Vendor', p, c, l),
  TransactionListWithSplits: transactionListWithSplits,
  AccountList: accountList,
  AgedReceivables: (p, c, l) => aging('AgedReceivables', 'AR', p, c, l),
  AgedReceivableDetail: (p, c, l) => agingDetail('AgedReceivableDetail', 'AR', p, c, l),
  AgedPayables: (p, c, l) => aging('AgedPayables', 'AP', p, c, l),
  AgedPayableDetail: (p, c, l) => agingDetail('AgedPayableDetail', 'AP', p, c, l),
  CustomerBalance: (p, c, l) => partyBalance('CustomerBalance', 'AR', p, c, l),
  CustomerBalanceDetail: (p, c, l) => partyBalanceDetail('CustomerBalanceDetail', 'AR', p, c, l),
  VendorBalance: (p, c, l) => partyBalance('VendorBalance', 'AP', p, c, l),
  VendorBalanceDetail: (p, c, l) => partyBalanceDetail('VendorBalanceDetail', 'AP', p, c, l),
  InventoryValuationSummary: inventoryValuationSummary,
  InventoryValuationDetail: inventoryValuationDetail,
  ProfitAndLossDetail: profitAndLossDetail,
  CashFlow: cashFlow,
  CustomerSales: customerSales,
  CustomerIncome: customerIncome,
  ItemSales: itemSales,
  ClassSales: classSales,
  DepartmentSales: departmentSales,
  VendorExpenses: vendorExpenses,
};

const BY_LOWER_CASE = new Map(Object.keys(REPORTS).map((name) => [name.toLowerCase(), name]));

export const REPORT_NAMES: readonly string[] = Object.keys(REPORTS);

export function report(name: string, params: Record<string, string>, company: CompanyView, ledger: Ledger): Rec {
  if (name === 'TrialBalanceFR' || name === 'GeneralLedgerFR') {
    if (company.country() !== 'FR') throw unsupported(name);
    return { ...REPORTS[name.slice(0, -2)](params, company, ledger) };
  }
  if (name === 'TaxSummary') throw unsupported(name, isUs(company) ? undefined : 'It is not part of this emulator.');
  const known = BY_LOWER_CASE.get(name.toLowerCase());
  if (known === undefined) throw unsupported(name);
  return withFilters(REPORTS[known](params, company, ledger), params);
}

const FILTERS = ['Customer', 'Vendor', 'Employee', 'Item', 'Class', 'Department'];

/** The header says which names the report was asked about, before its options. */
function withFilters(made: Rec, params: Record<string, string>): Rec {
  const asked = FILTERS.filter((name) => params[name.toLowerCase()]).map((name) => [name, params[name.toLowerCase()]]);
  if (asked.length === 0) return made;
  const { Option, ...head } = made['Header'] as Rec;
  return { ...made, Header: { ...head, ...Object.fromEntries(asked), Option } };
}

function unsupported(name: string, why = 'The report does not exist or is not available in this company.'): QboFault {
  return new QboFault('5020', 'Permission Denied Error', `Permission Denied Error : ${name}: ${why}`);
}
