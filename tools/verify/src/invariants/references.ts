// I-05: no target record points at a missing record or at another tenant's.
import type { Raw } from '#testing';
import { attemptName, linkKey, nameOf, type Books } from '../books.js';
import { counted, judged, notJudged, type RecordName, type Verdict, type Violation } from '../verdict.js';

export function references(books: Books): Verdict {
  const { e } = books;
  const targets = new Set(e.tables.syncs.map((sync) => sync.target_realm_id));
  if (targets.size === 0) return notJudged('there is no sync');
  const violations: Violation[] = [];
  let followed = 0;
  for (const realmId of targets) {
    const company = books.company(realmId);
    if (!company) return notJudged(`company ${realmId} cannot be asked`);
    for (const [type, records] of Object.entries(company.records)) {
      for (const record of records) {
        for (const { path, to, id } of pointers(type, record)) {
          followed++;
          if (books.record(realmId, to, id)) continue;
          const own = { realmId, type, id: String(record.Id) };
          const source = books.sourceOf(realmId, type, String(record.Id));
          // A file stays when its document is deleted, in the source as here.
          if (source && pointsAtNothing(books, source, path)) continue;
          if (type === 'Attachable' && isOfPeople(books, own) && wasDeleted(books, realmId, to, id)) continue;
          violations.push({
            what: `${type} ${record.Id} of the target points at ${to} ${id}, which is not there (${path})`,
            record: source ?? own,
          });
        }
      }
    }
  }
  violations.push(...crossings(books));
  return judged(
    violations,
    `${counted(followed, 'reference')} of target records followed; ${counted(e.tables.links.length, 'link')} and ${counted(books.effects.length, 'write')} stay in their organization and company`,
  );
}

function pointsAtNothing(books: Books, { realmId, type, id }: RecordName, path: string): boolean {
  const record = books.record(realmId, type, id);
  if (!record) return false;
  return [...pointers(type, record)].some((one) => one.path === path && !books.record(realmId, one.to, one.id));
}

/** In a pair a target is a source as well: what people made there is none of our doing. */
function isOfPeople(books: Books, { realmId, type, id }: RecordName): boolean {
  const { app } = books.company(realmId)?.makers[`${type}/${id}`] ?? {};
  return app === undefined || !books.e.ourApps.has(app);
}

const wasDeleted = (books: Books, realmId: string, type: string, id: string): boolean =>
  (books.company(realmId)?.deleted[type] ?? []).some((record) => String(record.Id) === id);

/** Rows and writes that belong to one tenant's sync and touch another's company. */
function crossings(books: Books): Violation[] {
  const { tables } = books.e;
  const violations: Violation[] = [];
  const owner = new Map(tables.companies.map((company) => [company.realm_id, company.organization_id]));
  for (const sync of tables.syncs)
    for (const realmId of [sync.source_realm_id, sync.target_realm_id])
      if (owner.get(realmId) !== sync.organization_id)
        violations.push({ what: `sync ${sync.id} uses company ${realmId} of another organization` });
  for (const link of tables.links) {
    const sync = books.syncs.get(link.sync_id);
    if (
      sync &&
      (sync.organization_id !== link.organization_id ||
        sync.target_realm_id !== link.target_realm_id ||
        sync.source_realm_id !== link.source_realm_id)
    )
      violations.push({
        what: `link ${linkKey(link)} belongs to another organization or company than its sync`,
        record: nameOf(link),
      });
  }
  for (const row of tables.log) {
    const sync = row.sync_id === null ? undefined : books.syncs.get(row.sync_id);
    if (sync && row.organization_id !== sync.organization_id)
      violations.push({
        what: `a log entry of ${row.entity_type} ${row.entity_id} stands with another organization`,
        record: { realmId: row.realm_id, type: row.entity_type, id: row.entity_id },
      });
  }
  for (const effect of books.effects) {
    if (effect.attempt || effect.file || effect.requestid === undefined) continue;
    const elsewhere = books.requestOfAnyCompany(effect.requestid);
    if (elsewhere)
      violations.push({
        what: `${effect.type} ${effect.id} was written into company ${effect.realmId}, and the call was meant for another`,
        record: attemptName(books, elsewhere),
      });
  }
  return violations;
}

const byField: Readonly<Record<string, string>> = {
  CustomerRef: 'Customer',
  VendorRef: 'Vendor',
  EmployeeRef: 'Employee',
  ItemRef: 'Item',
  ClassRef: 'Class',
  DepartmentRef: 'Department',
  SalesTermRef: 'Term',
  TermRef: 'Term',
  PaymentMethodRef: 'PaymentMethod',
  AgencyRef: 'TaxAgency',
};
// A link may name the kind of a document instead of its type; what is no record has no page to look up.
const kinds: Readonly<Record<string, string | undefined>> = {
  Check: 'Purchase',
  Expense: 'Purchase',
  CashPurchase: 'Purchase',
  CreditCardCharge: 'Purchase',
  CreditCardCredit: 'Purchase',
  BillPaymentCheck: 'BillPayment',
  BillPaymentCreditCard: 'BillPayment',
  ReceivePayment: 'Payment',
};
const known = new Set([
  ...[
    'Account',
    'Bill',
    'BillPayment',
    'Class',
    'CreditMemo',
    'Customer',
    'Department',
    'Deposit',
    'Employee',
    'Estimate',
    'Invoice',
  ],
  ...[
    'Item',
    'JournalEntry',
    'Payment',
    'PaymentMethod',
    'Purchase',
    'PurchaseOrder',
    'RefundReceipt',
    'SalesReceipt',
    'Term',
  ],
  ...['TimeActivity', 'Transfer', 'Vendor', 'VendorCredit'],
]);
/** QuickBooks' own, under no id of a list. */
const special = new Set(['SHIPPING_ITEM_ID', 'GRATUITY_ITEM_ID', '', '0', '-1']);

interface Pointer {
  path: string;
  to: string;
  id: string;
}

export function* pointers(type: string, value: Raw, path = ''): Generator<Pointer> {
  if (Array.isArray(value)) {
    for (const [i, inner] of value.entries()) yield* pointers(type, inner, `${path}[${i}]`);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [field, inner] of Object.entries<Raw>(value)) {
    const at = path === '' ? field : `${path}.${field}`;
    if (field === 'LinkedTxn' && Array.isArray(inner)) {
      for (const link of inner) {
        const to = kinds[link?.TxnType] ?? String(link?.TxnType);
        if (known.has(to) && link.TxnId !== undefined) yield { path: at, to, id: String(link.TxnId) };
      }
      continue;
    }
    const isReference = inner && typeof inner === 'object' && 'value' in inner;
    if (!isReference) {
      yield* pointers(type, inner, at);
      continue;
    }
    const id = String(inner.value);
    if (special.has(id)) continue;
    const to =
      field === 'ParentRef'
        ? type
        : field === 'EntityRef'
          ? String(inner.type)
          : (byField[field] ?? (/AccountRef$/.test(field) ? 'Account' : undefined));
    if (to !== undefined && known.has(to)) yield { path: at, to, id };
  }
}
