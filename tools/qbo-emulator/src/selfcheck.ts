// `npm run emulator -- --selfcheck`: makes a company of 20,000 transactions, lets a person work in it, and checks it against
// itself: books, subledgers, stock, reports, every type present, refusals that must leave no trace in its books, and the whole
// fault table over the wire.
import { entityTypes } from './catalogue/catalogue.js';
import { Emulator } from './emulator.js';
import type { Seat } from './seat.js';
import { Accounting } from './http/accounting.js';
import type { Call } from './http/call.js';
import { faultTable } from './http/fault-cases.js';
import { faultCode, TestCompany } from './http/test-company.js';
import { workAsPerson } from './people/index.js';
import { selfcheckLedger } from './reports/selfcheck.js';
import { actorFor, presets } from './steering/people.js';
import type { Rec } from './types.js';

export interface SelfcheckResult {
  readonly ok: boolean;
  readonly line: string;
  readonly problems: readonly string[];
}

const TRANSACTIONS = 20_000;
const EDITS = 500;

export async function selfcheck(transactions = TRANSACTIONS): Promise<SelfcheckResult> {
  const emulator = new Emulator({ clock: 'virtual', baseUrl: () => 'http://selfcheck' });
  const problems: string[] = [];
  const seat = emulator.newEmptyCompany({ name: 'Selfcheck', multicurrency: true });
  const made = presets['generated']!(emulator, seat, { transactions, years: 3, seed: 20 });
  for (const refused of made['refused'] as Rec[]) problems.push(`generator refused: ${JSON.stringify(refused)}`);
  workAsPerson(actorFor(emulator, seat, false), { count: EDITS, seed: 21 });
  const provoked = checkRefusals(emulator, seat, problems);
  for (const code of await checkFaultTable(problems)) provoked.add(code);
  for (const { check, detail } of selfcheckLedger(seat.company, seat.company.ledger))
    problems.push(`${check}: ${detail}`);
  const types = countTypes(emulator, seat, problems);
  let held = 0;
  for (const t of entityTypes) if (t.category === 'transaction') held += seat.company.count(t.entity);
  if (held < transactions) problems.push(`the company holds ${held} transactions, asked were ${transactions}`);
  if (emulator.defects > 0) problems.push(`${emulator.defects} defects met on the way`);
  const ok = problems.length === 0;
  const verdict = ok ? 'ok' : `FAILED problems=${problems.length}`;
  return {
    ok,
    problems,
    line: `selfcheck: balanced types=${types} transactions=${transactions} faults=${provoked.size} ${verdict}`,
  };
}

/** Every type of the catalogue must be there: in this company, in a French one (JournalCode), or made on the spot. */
function countTypes(emulator: Emulator, seat: Seat, problems: string[]): number {
  const french = emulator.newEmptyCompany({ name: 'Contrôle', country: 'FR' });
  french.engine.create('JournalCode', { Name: 'OD' });
  const charged = seat.engine.create('Customer', { DisplayName: 'Selfcheck charged' }).id;
  const vendor = seat.engine.create('Vendor', { DisplayName: 'Selfcheck vendor' }).id;
  const account = seat.company.nameHolder('Account', 'Utilities', undefined)!.id;
  const detail = { AccountRef: { value: account }, BillableStatus: 'Billable', CustomerRef: { value: charged } };
  seat.engine.create('Bill', {
    VendorRef: { value: vendor },
    Line: [{ Amount: 1, DetailType: 'AccountBasedExpenseLineDetail', AccountBasedExpenseLineDetail: detail }],
  });
  const answer = ask(emulator, seat, 'POST', 'taxservice/taxcode', {
    TaxCode: 'Selfcheck',
    TaxRateDetails: [{ TaxRateName: 'Selfcheck', RateValue: 1, TaxAgencyId: '1', TaxApplicableOn: 'Sales' }],
  });
  let found = 0;
  for (const { entity } of entityTypes) {
    const there =
      entity === 'TaxService' ? answer.status === 200 : seat.company.count(entity) + french.company.count(entity) > 0;
    if (there) found += 1;
    else problems.push(`no ${entity} anywhere`);
  }
  return found;
}

function ask(
  emulator: Emulator,
  seat: Seat,
  method: string,
  path: string,
  body: unknown,
): { status: number; body: Rec } {
  const [address = '', search = ''] = path.split('?');
  const call: Call = {
    method,
    realmId: seat.company.realmId,
    segments: address.split('/'),
    query: new URLSearchParams(search),
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    wantsJson: true,
  };
  const answer = new Accounting(emulator).answer(seat, call, undefined);
  return { status: answer.status, body: JSON.parse(answer.body.toString()) as Rec };
}

/** Every row of the fault table in a company of its own; answers the distinct codes that came as they should. */
async function checkFaultTable(problems: string[]): Promise<Set<string>> {
  const provoked = new Set<string>();
  const { rows, prepare } = faultTable();
  const company = await TestCompany.open({ name: 'Selfcheck faults' });
  try {
    await prepare(company);
    for (const [code, when, ask] of rows) {
      const given = faultCode(await ask());
      if (given === code) provoked.add(code);
      else problems.push(`when ${when}: answered ${given ?? 'no fault'}, expected ${code}`);
    }
    if (company.running.emulator.defects > 0) problems.push('a row of the fault table met a defect');
  } finally {
    await company.close();
  }
  return provoked;
}

function checkRefusals(emulator: Emulator, seat: Seat, problems: string[]): Set<string> {
  const { company } = seat;
  const [customer] = [...company.all('Customer')].filter((c) => c['Active'] !== false);
  const [invoice] = [...company.all('Invoice')].filter((i) => Number(i['Balance']) > 0);
  const paid = [...company.all('Bill')].find((b) => Number(b['Balance']) === 0 && b['LinkedTxn']?.length > 0);
  const line = { Amount: 1, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: '1' } } };
  const sale = { CustomerRef: { value: customer!['Id'] }, Line: [line] };
  const over = Number(invoice!['Balance']) + 1;
  const rows: readonly (readonly [code: string, method: string, path: string, body: unknown])[] = [
    ['500', 'POST', 'customer?operation=delete', { Id: customer!['Id'], SyncToken: '0' }],
    ['610', 'GET', 'invoice/999999999', undefined],
    ['800', 'POST', 'bill?operation=delete', { Id: paid?.['Id'], SyncToken: paid?.['SyncToken'] }],
    ['2000', 'GET', 'nothing/1', undefined],
    ['2010', 'POST', 'invoice', { ...sale, Nonsense: 1 }],
    ['2020', 'POST', 'invoice', { Line: [line] }],
    ['2050', 'POST', 'invoice', { ...sale, PrivateNote: 'x'.repeat(4001) }],
    ['2060', 'POST', 'invoice', { ...sale, TxnDate: 'soon' }],
    [
      '2300',
      'POST',
      'journalentry',
      {
        Line: ['Debit', 'Credit'].map((PostingType, n) => ({
          Amount: n + 1,
          DetailType: 'JournalEntryLineDetail',
          JournalEntryLineDetail: { PostingType, AccountRef: { value: '5' } },
        })),
      },
    ],
    ['2500', 'POST', 'invoice', { ...sale, CustomerRef: { value: '999999999' } }],
    ['4000', 'GET', 'query?query=select', undefined],
    ['5010', 'POST', 'customer', { Id: customer!['Id'], SyncToken: '-1', sparse: true, Notes: 'n' }],
    [
      '6000',
      'POST',
      'payment',
      {
        CustomerRef: invoice!['CustomerRef'],
        CurrencyRef: invoice!['CurrencyRef'],
        TotalAmt: over,
        Line: [{ Amount: over, LinkedTxn: [{ TxnId: invoice!['Id'], TxnType: 'Invoice' }] }],
      },
    ],
    [
      '6070',
      'POST',
      'invoice',
      { ...sale, Line: [{ ...line, SalesItemLineDetail: { ItemRef: { value: '1' }, Qty: 3, UnitPrice: 7 } }] },
    ],
    ['6240', 'POST', 'vendor', { DisplayName: customer!['DisplayName'] }],
    ['6430', 'POST', 'salesreceipt', { ...sale, DepositToAccountRef: { value: '5' } }],
  ];
  const books = (): string => JSON.stringify(company.ledger.trialBalance());
  const before = books();
  const provoked = new Set<string>();
  for (const [code, method, path, body] of rows) {
    const given = ask(emulator, seat, method, path, body).body['Fault']?.Error?.[0]?.code as string | undefined;
    if (given === code) provoked.add(code);
    else problems.push(`${method} ${path} answered ${given ?? 'no fault'}, expected ${code}`);
  }
  if (books() !== before) problems.push('a refused request moved the books');
  return provoked;
}
