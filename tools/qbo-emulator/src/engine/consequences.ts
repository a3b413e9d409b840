// What the service makes by itself because of a write: charges for billable expenses, and payments that apply credits
// when the company has automatic application switched on (qbo-api.md 2.7, ledger.md 1.5).
import { Decimal } from 'decimal.js';
import { business } from './refusals.js';
import { entityType } from '../catalogue/catalogue.js';
import type { Rec } from '../types.js';
import type { Engine, Happening } from './engine.js';
import { inFieldOrder } from './shape.js';

const EXPENSES = new Set(['Bill', 'Purchase']);

/** One ReimburseCharge per billable line: made with it, followed when it changes, gone with it unless it was invoiced. */
export function settleCharges(engine: Engine, entity: string, before: Rec | undefined, after: Rec | undefined): void {
  if (!EXPENSES.has(entity)) return;
  const { company } = engine;
  const owner = after ?? before!;
  const wanted = billableLines(after);
  if (wanted.length === 0 && billableLines(before).length === 0) return;
  const existing = new Map<string, Rec>();
  for (const charge of company.all('ReimburseCharge')) {
    const source = (charge['LinkedTxn'] as Rec[]).find((l) => l['TxnType'] === entity && l['TxnId'] === owner['Id']);
    if (source) existing.set(String(source['TxnLineId']), charge);
  }
  for (const line of wanted) {
    const known = existing.get(line['Id']);
    existing.delete(line['Id']);
    if (known) {
      if (known['Amount'] === line['Amount'] || known['HasBeenInvoiced'] === true) continue;
      Object.assign(known, { Amount: line['Amount'], Line: [chargeLine(line)] });
      company.touch('ReimburseCharge', known, true);
    } else insertCharge(engine, entity, owner, line);
  }
  for (const charge of existing.values())
    if (charge['HasBeenInvoiced'] !== true) company.bury('ReimburseCharge', charge['Id']);
  showCharges(engine, entity, after);
}

function billableLines(rec: Rec | undefined): Rec[] {
  return ((rec?.['Line'] as Rec[] | undefined) ?? []).filter((line) => {
    const detail = line['AccountBasedExpenseLineDetail'] ?? line['ItemBasedExpenseLineDetail'];
    return detail?.BillableStatus === 'Billable' && detail.CustomerRef;
  });
}

function chargeLine(line: Rec): Rec {
  const detail = (line['AccountBasedExpenseLineDetail'] ?? line['ItemBasedExpenseLineDetail']) as Rec;
  const shown: Rec = {};
  for (const name of ['ItemRef', 'ClassRef', 'UnitPrice', 'Qty', 'MarkupInfo', 'TaxCodeRef']) {
    if (detail[name] !== undefined) shown[name] = detail[name];
  }
  if (detail['AccountRef']) shown['ItemAccountRef'] = { ...detail['AccountRef'] };
  return {
    Id: '1',
    LineNum: 1,
    ...(line['Description'] !== undefined && { Description: line['Description'] }),
    Amount: line['Amount'],
    DetailType: 'ReimburseLineDetail',
    ReimburseLineDetail: shown,
  };
}

function insertCharge(engine: Engine, entity: string, owner: Rec, line: Rec): void {
  const { company } = engine;
  const detail = (line['AccountBasedExpenseLineDetail'] ?? line['ItemBasedExpenseLineDetail']) as Rec;
  const time = company.now();
  company.insert(
    'ReimburseCharge',
    inFieldOrder(
      {
        CustomerRef: { ...detail['CustomerRef'] },
        HasBeenInvoiced: false,
        Amount: line['Amount'],
        domain: 'QBO',
        sparse: false,
        Id: company.nextId('transactions'),
        SyncToken: '0',
        MetaData: { CreateTime: time, LastUpdatedTime: time },
        TxnDate: owner['TxnDate'],
        CurrencyRef: { ...owner['CurrencyRef'] },
        LinkedTxn: [{ TxnId: owner['Id'], TxnType: entity, TxnLineId: line['Id'] }],
        Line: [chargeLine(line)],
      },
      entityType('ReimburseCharge'),
    ),
  );
}

/** The bill shows its charges in the header; they are read only there. */
function showCharges(engine: Engine, entity: string, owner: Rec | undefined): void {
  if (!owner) return;
  const others = ((owner['LinkedTxn'] as Rec[] | undefined) ?? []).filter((l) => l['TxnType'] !== 'ReimburseCharge');
  for (const charge of engine.company.all('ReimburseCharge')) {
    if ((charge['LinkedTxn'] as Rec[]).some((l) => l['TxnType'] === entity && l['TxnId'] === owner['Id'])) {
      others.push({ TxnId: charge['Id'], TxnType: 'ReimburseCharge' });
    }
  }
  owner['LinkedTxn'] = others.length > 0 ? others : undefined;
}

/** With AutoApplyCredit on, a new credit pays the oldest open invoices of its customer, and a new invoice takes open credits. */
export function applyCreditsByItself(engine: Engine, entity: string, rec: Rec, happenings: Happening[]): void {
  if (entity !== 'CreditMemo' && entity !== 'Invoice') return;
  if (engine.company.preferences()['SalesFormsPrefs']?.AutoApplyCredit !== true) return;
  applyCredits(engine, entity, rec, happenings);
}

function applyCredits(engine: Engine, entity: string, rec: Rec, happenings: Happening[]): void {
  const { company } = engine;
  const other = entity === 'Invoice' ? 'CreditMemo' : 'Invoice';
  const openOf = (type: string, id: string): Decimal => new Decimal(company.ledger.openBalance(type, id));
  const counterparts = [...company.all(other)]
    .filter(
      (r) =>
        r['CustomerRef']?.value === rec['CustomerRef']?.value && r['CurrencyRef']?.value === rec['CurrencyRef']?.value,
    )
    .filter((r) => openOf(other, r['Id']).greaterThan(0))
    .sort((a, b) => (a['TxnDate'] < b['TxnDate'] ? -1 : 1));
  let left = openOf(entity, rec['Id']);
  for (const counterpart of counterparts) {
    if (left.lessThanOrEqualTo(0)) break;
    const amount = Decimal.min(left, openOf(other, counterpart['Id']));
    const line = (type: string, id: string): Rec => ({
      Amount: amount.toNumber(),
      LinkedTxn: [{ TxnId: id, TxnType: type }],
    });
    const written = engine.create('Payment', {
      CustomerRef: { value: rec['CustomerRef'].value },
      TotalAmt: 0,
      PrivateNote: 'Created by QB Online to link credits to charges.',
      Line: [line(entity, rec['Id']), line(other, counterpart['Id'])],
    });
    happenings.push(...written.happenings);
    left = left.minus(amount);
  }
}

/** What the product does before a customer with a balance becomes inactive: a form over the balance, linked to what is open. */
export function adjustBalanceAway(engine: Engine, customer: Rec, happenings: Happening[]): void {
  const { company } = engine;
  const balance = new Decimal(company.ledger.customerBalance(customer['Id']));
  if (balance.isZero()) return;
  const entity = balance.greaterThan(0) ? 'CreditMemo' : 'Invoice';
  const item = [...company.all('Item')].find((one) => one['Active'] !== false && one['Type'] === 'Service');
  if (!item) throw business('There is no service item to adjust the balance with.');
  const form = engine.create(entity, {
    CustomerRef: { value: customer['Id'] },
    PrivateNote: 'Created by QB Online to adjust balance for deletion',
    Line: [
      {
        Amount: balance.abs().toNumber(),
        DetailType: 'SalesItemLineDetail',
        SalesItemLineDetail: { ItemRef: { value: item['Id'] } },
      },
    ],
  });
  happenings.push(...form.happenings);
  applyCredits(engine, entity, form.rec, happenings);
}
