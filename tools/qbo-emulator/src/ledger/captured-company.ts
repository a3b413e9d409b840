// For specs: the captured sandbox company as a ledger, and the transactions its captures lack (ledger.md 5.3). The
// records themselves are not part of the repository; `capturesPresent` says whether they are on this machine.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Rec } from '../types.js';
import { RecordedCompany } from './recorded-company.js';
import { Ledger, POSTING_TYPES, type SystemTransaction } from './index.js';

const FOLDER = resolve('../shared/fixtures/sandbox-company');
export const capturesPresent = existsSync(FOLDER);

/** Tax agencies of the captured company: documented names, not captured. */
function addTaxLists(company: RecordedCompany): void {
  company.put('TaxAgency', { Id: '1', DisplayName: 'Arizona Dept. of Revenue' });
  company.put('TaxAgency', { Id: '2', DisplayName: 'Board of Equalization' });
  company.put('TaxRate', { Id: '1', RateValue: 7.1, AgencyRef: { value: '1' } });
  company.put('TaxRate', { Id: '2', RateValue: 2, AgencyRef: { value: '1' } });
  company.put('TaxRate', { Id: '3', RateValue: 8, AgencyRef: { value: '2' } });
  const list = (...ids: string[]): Rec => ({
    TaxRateDetail: ids.map((value) => ({ TaxRateRef: { value }, TaxOrder: 0 })),
  });
  company.put('TaxCode', { Id: '2', Name: 'California', SalesTaxRateList: list('3') });
  company.put('TaxCode', { Id: '3', Name: 'Tucson', SalesTaxRateList: list('1', '2') });
}

export function captured(keep: (type: string, rec: Rec) => boolean = () => true): {
  company: RecordedCompany;
  ledger: Ledger;
} {
  const company = new RecordedCompany();
  for (const file of readdirSync(FOLDER)) {
    const type = file.replace('.json', '');
    for (const rec of JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Rec[])
      if (keep(type, rec)) company.put(type, rec);
  }
  addTaxLists(company);
  const ledger = new Ledger(company);
  for (const type of POSTING_TYPES) for (const rec of company.all(type)) ledger.post(type, rec);
  return { company, ledger };
}

const ref = (value: string): Rec => ({ value });
const sales = (Id: string, TxnDate: string, account: string, amount: number, bank: string, discount = 0): Rec => ({
  Id,
  TxnDate,
  TotalAmt: amount - discount,
  DepositToAccountRef: ref(bank),
  Line: [
    {
      Amount: amount,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemRef: ref('4'), ItemAccountRef: ref(account) },
    },
    { Amount: amount, DetailType: 'SubTotalLineDetail', SubTotalLineDetail: {} },
    ...(discount
      ? [{ Amount: discount, DetailType: 'DiscountLineDetail', DiscountLineDetail: { DiscountAccountRef: ref('86') } }]
      : []),
  ],
});

/** The transactions that the captures lack (ledger.md 5.3). */
export function addUncaptured(company: RecordedCompany, ledger: Ledger): void {
  const post = (type: string, rec: Rec): void => void ledger.post(type, company.put(type, rec));
  post('SalesReceipt', sales('11', '2026-03-20', '82', 337.5, '35'));
  post('SalesReceipt', sales('17', '2026-03-20', '82', 225, '35'));
  post('SalesReceipt', sales('38', '2026-04-05', '54', 87.5, '4', 8.75));
  post('SalesReceipt', sales('47', '2026-04-05', '45', 140, '4'));
  post('RefundReceipt', sales('66', '2026-04-05', '54', 87.5, '35'));
  for (const id of ['188', '189', '191', '194']) {
    post('Bill', {
      Id: id,
      TxnDate: '2026-05-05',
      TotalAmt: 150,
      VendorRef: ref('56'),
      APAccountRef: ref('33'),
      Line: [
        {
          Amount: 150,
          DetailType: 'AccountBasedExpenseLineDetail',
          AccountBasedExpenseLineDetail: { AccountRef: ref('69') },
        },
      ],
    });
  }
  for (const start of ledger.missingStartingValues()) ledger.postSystem(start);
  const taxPayment = (id: string, accountId: string, amount: string): SystemTransaction => ({
    type: 'SalesTaxPayment',
    id,
    date: '2026-04-08',
    lines: [
      { accountId: '35', credit: amount },
      { accountId, debit: amount },
    ],
  });
  ledger.postSystem(taxPayment('123', '89', '38.40'));
  ledger.postSystem(taxPayment('124', '90', '38.50'));
  ledger.postSystem({ type: 'StatementCharge', id: '29', date: '2026-03-27', charge: { accountId: '45', amount: 75 } });
  // The hidden line of Invoice 42 finds its account now.
  ledger.post('Invoice', company.get('Invoice', '42')!);
}
