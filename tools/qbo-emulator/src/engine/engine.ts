// The one write path of a company. Every act is the same sandwich for all types: read the body by the catalogue, decide
// everything that can be refused, then commit in one go (record, ledger, links, derived balances) and report what moved.
// Nothing is changed before the last check has passed; the ledger's own refusal undoes the single record put before it.
import { createHash } from 'node:crypto';
import { accountTypeByName, entityType, type EntityType } from '../catalogue/catalogue.js';
import { OPEN_BALANCE_FIELDS, SHOWS_HOME_BALANCE, nameField, type Company } from '../company/company.js';
import type { PostEffects } from '../ledger/index.js';
import { computeDocument } from '../tax/index.js';
import { QboFault, type Act, type Rec } from '../types.js';
import { adjustBalanceAway, applyCreditsByItself, settleCharges } from './consequences.js';
import { applyDefaults, identifyAddresses } from './defaults.js';
import { checkFeatures } from './features.js';
import { settleLines } from './lines.js';
import { LinkIndex, checkLinks, dropForeignLinks, linksOf, settleLinks } from './links.js';
import { checkReferences, refreshNames } from './references.js';
import {
  business,
  deletedElsewhere,
  duplicateNumber,
  invalidId,
  notFound,
  refusal,
  requiredMissing,
  stale,
  unsupported,
} from './refusals.js';
import { gate, isUserAct, ruleFor } from './rules.js';
import { numberFor, scopeOf, warnsAboutDuplicates } from './numbers.js';
import { inFieldOrder, readEntity, withoutNulls } from './shape.js';
import { settleName } from './names.js';

export interface Happening {
  readonly type: string;
  readonly id: string;
  readonly act: Act;
  readonly deletedId?: string;
}

export interface WriteOptions {
  /** `include=` words of the request. */
  readonly include?: ReadonlySet<string>;
  /** A person in the product: may do what the API refuses (void a purchase, merge names). */
  readonly person?: boolean;
}

export interface Written {
  readonly type: string;
  readonly id: string;
  readonly rec: Rec;
  readonly act: Act;
  readonly happenings: readonly Happening[];
}

const NO_OPTIONS: WriteOptions = {};
const NO_EFFECTS: PostEffects = {
  ...{ accounts: [], customers: [], vendors: [], items: [], documents: [] },
  ...{ parentAccounts: [], parentCustomers: [] },
};
/** Types whose stored form shows who changed them last. */
const SHOWS_EDITOR = new Set(['Invoice', 'Bill', 'PurchaseOrder']);
const EDITOR = { value: '9341450000000001' };
const COMPUTED = new Set(['TimeActivity', 'ReimburseCharge']);
/** Kept by a full update although it leaves them out. */
const SURVIVES_FULL_UPDATE = new Set([
  'Id',
  'SyncToken',
  'MetaData',
  'domain',
  'sparse',
  'DocNumber',
  'Active',
  'LinkedTxn',
  'CurrencyRef',
]);
const CANNOT_BE_CLEARED = new Set(['DisplayName', 'PrintOnCheckName', 'ReorderPoint']);

export class Engine {
  readonly links = new LinkIndex();

  constructor(readonly company: Company) {}

  create(entity: string, body: Rec, options: WriteOptions = NO_OPTIONS): Written {
    const { company } = this;
    const type = entityType(entity);
    this.mustBeWritable();
    if (!type.operations.has('create')) throw unsupported(`create on ${entity}`);
    gate(company, type);
    const given = readEntity(body, type, { country: company.country(), creating: true });
    const rec = withoutNulls(given);
    delete rec['Id'];
    delete rec['SyncToken'];
    for (const [field, refused] of Object.entries(type.rejectedOnWrite)) {
      if (refused.includes(rec[field])) throw refusal('2170', `Invalid Enumeration : ${field}=${rec[field]}`, field);
    }
    const rule = ruleFor(entity);
    rule.read?.(company, rec, undefined);
    this.checkRequired(type, rec);
    applyDefaults(company, entity, rec);
    this.settle(type, rec, undefined, body, options);
    rec['domain'] = 'QBO';
    rec['sparse'] = false;
    const id = company.nextId(type.idSequence);
    rec['Id'] = id;
    rec['SyncToken'] = '0';
    const time = company.now();
    rec['MetaData'] = SHOWS_EDITOR.has(entity)
      ? { CreateTime: time, LastModifiedByRef: EDITOR, LastUpdatedTime: time }
      : { CreateTime: time, LastUpdatedTime: time };
    rule.create?.(company, rec);
    if (entity === 'Customer' || entity === 'Vendor' || entity === 'Employee')
      rec['V4IDPseudonym'] = pseudonym(company, id);
    // Open amounts are the ledger's; their place in the object is held until it has spoken.
    for (const field of OPEN_BALANCE_FIELDS[entity] ?? []) rec[field] ??= 0;
    if (SHOWS_HOME_BALANCE.has(entity) && company.multicurrency()) rec['HomeBalance'] ??= 0;
    const stored = inFieldOrder(rec, type);
    const happenings: Happening[] = [{ type: entity, id, act: 'create' }];
    this.commit(entity, stored, undefined, happenings);
    try {
      rule.created?.(this, stored, body, happenings);
    } catch (error) {
      // An opening balance that cannot be booked refuses the whole object.
      company.forget(entity, id);
      throw error;
    }
    try {
      applyCreditsByItself(this, entity, stored, happenings);
    } catch (error) {
      // Applying a credit is a courtesy: where it cannot be done (closed books), the document stands without it.
      if (!(error instanceof QboFault)) throw error;
    }
    return { type: entity, id, rec: stored, act: 'create', happenings };
  }

  update(entity: string, body: Rec, options: WriteOptions = NO_OPTIONS): Written {
    const { company } = this;
    const type = entityType(entity);
    this.mustBeWritable();
    const sparse = body['sparse'] === true || body['sparse'] === 'true';
    if (!type.operations.has('update') && !(type.operations.has('sparse-update') && sparse)) {
      throw unsupported(`update on ${entity}`);
    }
    gate(company, type);
    const given = readEntity(body, type, { country: company.country(), creating: false });
    const before = this.current(entity, given);
    this.mustBeFree(entity, before, '6110');
    const rule = ruleFor(entity);
    for (const name of type.requiredOnSparse)
      if (given[name] === undefined || given[name] === null) throw requiredMissing(name);
    for (const [field, refused] of Object.entries(type.rejectedOnWrite)) {
      if (refused.includes(given[field]) && before[field] !== given[field]) {
        throw refusal('2170', `Invalid Enumeration : ${field}=${given[field]}`, field);
      }
    }
    const rec = sparse && !type.fullUpdateOnly ? sparseResult(type, before, given) : fullResult(type, before, given);
    rule.read?.(company, rec, before);
    if (!sparse) {
      if (entity !== 'SalesReceipt') this.checkRequired(type, rec);
      applyDefaults(company, entity, rec);
    }
    const linesSent = given['Line'] !== undefined;
    this.settle(type, rec, before, body, options, linesSent);
    const stored = inFieldOrder(rec, type);
    if (sameContent(company, entity, before, stored)) {
      return { type: entity, id: before['Id'], rec: before, act: 'update', happenings: [] };
    }
    stored['SyncToken'] = String(Number(before['SyncToken']) + 1);
    stored['MetaData'] = { ...before['MetaData'], LastUpdatedTime: company.now() };
    const happenings: Happening[] = [
      { type: entity, id: before['Id'], act: deactivates(before, stored) ? 'delete' : 'update' },
    ];
    if (entity === 'Customer' && deactivates(before, stored)) {
      adjustBalanceAway(this, before, happenings);
      for (const field of ['Balance', 'BalanceWithJobs']) stored[field] = before[field];
    }
    this.commit(entity, stored, before, happenings);
    rule.updated?.(this, stored, before, happenings);
    return { type: entity, id: stored['Id'], rec: stored, act: 'update', happenings };
  }

  remove(entity: string, body: Rec, options: WriteOptions = NO_OPTIONS): Written {
    const { company } = this;
    const type = entityType(entity);
    this.mustBeWritable();
    if (!type.operations.has('delete')) throw unsupported(`delete on ${entity}`);
    // A delete reads nothing but the pair; posting a read object back is refused for its *Ex blocks all the same.
    for (const key of Object.keys(body))
      if (key.endsWith('Ex') && body[key])
        throw refusal('2010', `Property Name:${key} specified is unsupported or invalid`, key);
    const before = this.current(entity, body, 'delete');
    this.mustBeFree(entity, before, '6120');
    if (!options.person) this.mustBeOpen(before['TxnDate']);
    const happenings: Happening[] = [];
    this.mustBeDeletable(entity, before);
    this.detachOwners(entity, before['Id'], happenings);
    happenings.unshift({ type: entity, id: before['Id'], act: 'delete' });
    company.bury(entity, before['Id']);
    const effects = company.isPosting(entity) ? company.ledger.remove(entity, before['Id']) : NO_EFFECTS;
    this.spread(entity, before['Id'], before, undefined, effects, happenings);
    ruleFor(entity).removed?.(this, before);
    return { type: entity, id: before['Id'], rec: before, act: 'delete', happenings };
  }

  voidTxn(entity: string, body: Rec, options: WriteOptions = NO_OPTIONS): Written {
    const { company } = this;
    const type = entityType(entity);
    this.mustBeWritable();
    if (!type.operations.has('void') && !(options.person && type.voidUiOnly)) throw unsupported(`void on ${entity}`);
    const before = this.current(entity, body);
    this.mustBeFree(entity, before, '6110');
    if (!options.person) this.mustBeOpen(before['TxnDate']);
    if (before['CreditCardPayment']?.CreditChargeResponse?.Status === 'Completed') {
      throw refusal('6450', 'Void refused : the card payment of this transaction is settled');
    }
    const happenings: Happening[] = [];
    const nextToken = String(Number(before['SyncToken']) + 1);
    this.detachOwners(entity, before['Id'], happenings);
    // The void is one change, whatever taking the links off moved on the way.
    const moves = happenings.filter((h) => !(h.type === entity && h.id === before['Id']));
    happenings.splice(0, happenings.length, { type: entity, id: before['Id'], act: 'void' }, ...moves);
    const stored = zeroed(entity, before);
    stored['SyncToken'] = nextToken;
    stored['MetaData'] = { ...before['MetaData'], LastUpdatedTime: company.now() };
    this.commit(entity, stored, before, happenings);
    return { type: entity, id: before['Id'], rec: stored, act: 'void', happenings };
  }

  /** Marks a document as mailed: times move, the token does not (qbo-api.md 2.9). */
  send(entity: string, id: string, sendTo: string | undefined): Written {
    const { company } = this;
    const type = entityType(entity);
    this.mustBeWritable();
    if (!type.operations.has('send')) throw unsupported(`send on ${entity}`);
    const rec = this.existing(entity, id);
    const mailField = entity === 'PurchaseOrder' ? 'POEmail' : 'BillEmail';
    const customerMail =
      rec['CustomerRef'] && company.get('Customer', rec['CustomerRef'].value)?.['PrimaryEmailAddr']?.Address;
    const address = sendTo ?? rec[mailField]?.Address ?? (entity === 'Payment' ? customerMail : undefined);
    if (!address) throw refusal('6420', 'Email Address Missing : there is no address to send to', mailField);
    if (!/^[^\s@]+@[^\s@]+$/.test(address)) {
      throw refusal('2210', 'Email Address does not conform to the syntax rules of RFC 822.', 'Address');
    }
    const stored = { ...rec };
    if (sendTo && entity !== 'Payment') stored[mailField] = { Address: sendTo };
    if (entity !== 'Payment') stored['EmailStatus'] = 'EmailSent';
    stored['DeliveryInfo'] = { DeliveryType: 'Email', DeliveryTime: company.now() };
    stored['MetaData'] = { ...rec['MetaData'], LastUpdatedTime: company.now() };
    const ordered = inFieldOrder(stored, type);
    company.replace(entity, ordered);
    return { type: entity, id, rec: ordered, act: 'emailed', happenings: [{ type: entity, id, act: 'emailed' }] };
  }

  /** Two names become one, as the product does it: everything that pointed to the loser points to the winner. */
  merge(
    entity: 'Customer' | 'Vendor' | 'Account' | 'Class' | 'Item' | 'Employee' | 'Department',
    loserId: string,
    winnerId: string,
  ): Written {
    return mergeInto(this, entity, loserId, winnerId);
  }

  existing(entity: string, id: string): Rec {
    const rec = this.company.get(entity, id);
    if (rec) return rec;
    if (this.company.gravesOf(entity).has(id)) throw deletedElsewhere();
    throw notFound();
  }

  /** Stores a record that is complete already (raw import, system-made) and posts it. */
  adopt(entity: string, rec: Rec, before?: Rec): PostEffects {
    const { company } = this;
    if (before) company.replace(entity, rec);
    else company.insert(entity, rec);
    this.links.replace(entity, rec['Id'], before ? linksOf(entity, before) : [], linksOf(entity, rec));
    return company.isPosting(entity) ? company.ledger.post(entity, rec) : NO_EFFECTS;
  }

  // --- steps ------------------------------------------------------------------------------------------------------
  private settle(
    type: EntityType,
    rec: Rec,
    before: Rec | undefined,
    body: Rec,
    options: WriteOptions,
    linesSent = true,
  ): void {
    const { company } = this;
    const entity = type.entity;
    dropForeignLinks(entity, rec, before);
    if (linesSent || !before) settleLines(company, entity, rec, before);
    ruleFor(entity).settle?.(company, rec, before, options);
    checkFeatures(company, entity, rec, before);
    checkReferences(company, entity, rec, before);
    settleName(company, entity, rec, before);
    if (type.category === 'transaction' && !COMPUTED.has(entity)) {
      this.checkCurrencies(rec);
      computeDocument(entity, rec, company, body);
      const total = rec['TotalAmt'];
      if (typeof total === 'number' && total < 0)
        throw business('Transaction amount must be 0 or greater.', 'TotalAmt');
    }
    checkLinks(company, this.links, entity, rec, before);
    if (!options.person) {
      if (rec['TxnDate'] !== undefined) this.mustBeOpen(rec['TxnDate']);
      if (before?.['TxnDate'] !== undefined) this.mustBeOpen(before['TxnDate']);
    }
    this.checkStock(rec, before);
    numberFor(company, entity, rec, before, options);
    this.checkNumber(entity, rec, before, options);
    identifyAddresses(company, entity, rec, before);
  }

  private commit(entity: string, stored: Rec, before: Rec | undefined, happenings: Happening[]): void {
    const { company } = this;
    const id = stored['Id'] as string;
    if (before) company.replace(entity, stored);
    else company.insert(entity, stored);
    let effects = NO_EFFECTS;
    if (company.isPosting(entity)) {
      try {
        effects = company.ledger.post(entity, stored);
      } catch (error) {
        if (before) company.replace(entity, before);
        else company.forget(entity, id);
        if (before) company.ledger.post(entity, before);
        throw error;
      }
      if (OPEN_BALANCE_FIELDS[entity]) company.refreshOpenBalance(entity, stored);
    }
    this.spread(entity, id, before, stored, effects, happenings);
  }

  private spread(
    entity: string,
    id: string,
    before: Rec | undefined,
    after: Rec | undefined,
    effects: PostEffects,
    happenings: Happening[],
  ): void {
    const { company } = this;
    settleCharges(this, entity, before, after);
    const moved = settleLinks(company, this.links, entity, id, before, after);
    company.applyEffects(effects, `${entity}|${id}`);
    for (const target of moved) {
      if (company.get(target.type, target.id)) happenings.push({ ...target, act: 'update' });
    }
    for (const { type, id: other } of effects.documents) {
      if (`${type}|${other}` !== `${entity}|${id}` && company.get(type, other))
        happenings.push({ type, id: other, act: 'update' });
    }
  }

  private current(entity: string, given: Rec, act?: 'delete'): Rec {
    const id = given['Id'];
    if (id === undefined || id === null || id === '') throw requiredMissing('Id');
    if (!/^-?\d{1,25}$/.test(String(id))) {
      throw invalidId(id);
    }
    const rec = this.existing(entity, String(id));
    const token = given['SyncToken'];
    // Recorded: a file is deleted by its Id alone.
    const without = token === undefined || token === null || token === '';
    if (without && act === 'delete' && entity === 'Attachable') return rec;
    if (without) throw requiredMissing('SyncToken');
    if (String(token) !== String(rec['SyncToken'])) throw stale(entity);
    return rec;
  }

  private checkRequired(type: EntityType, rec: Rec): void {
    for (const field of type.fields.values()) {
      if (!field.required || field.readOnly || rec[field.name] !== undefined) continue;
      if (field.name === 'Line') continue; // settleLines has the better word for it
      if (OPTIONAL_IN_PRACTICE.has(`${type.entity}.${field.name}`)) continue;
      throw requiredMissing(field.name);
    }
  }

  private checkCurrencies(rec: Rec): void {
    const { company } = this;
    const currency = rec['CurrencyRef']?.value as string | undefined;
    if (currency === undefined || currency === company.homeCurrency()) return;
    const party = rec['CustomerRef']
      ? company.get('Customer', rec['CustomerRef'].value)
      : rec['VendorRef'] && company.get('Vendor', rec['VendorRef'].value);
    const partyCurrency = party?.['CurrencyRef']?.value ?? company.homeCurrency();
    if (party && partyCurrency !== currency) {
      throw business(
        `Currency of the transaction (${currency}) differs from that of the name (${partyCurrency}).`,
        'CurrencyRef',
      );
    }
  }

  private checkStock(rec: Rec, before: Rec | undefined): void {
    const itemOf = (line: Rec): string | undefined =>
      (line['SalesItemLineDetail'] ?? line['ItemBasedExpenseLineDetail'])?.ItemRef?.value as string | undefined;
    // What was on the document on that day already is not asked again; an item that is new on it is.
    const known = new Set(
      before && before['TxnDate'] === rec['TxnDate'] ? ((before['Line'] as Rec[] | undefined) ?? []).map(itemOf) : [],
    );
    for (const line of (rec['Line'] as Rec[] | undefined) ?? []) {
      const id = itemOf(line);
      if (id === undefined || known.has(id)) continue;
      const item = this.company.get('Item', id);
      if (!item || item['Type'] !== 'Inventory' || !item['InvStartDate']) continue;
      if (rec['POStatus'] !== undefined || rec['ExpirationDate'] !== undefined || rec['TxnStatus'] !== undefined)
        continue;
      if (rec['TxnDate'] < item['InvStartDate']) {
        throw refusal('6270', `Transaction date is prior to start date for inventory item ${item['Name']}`, 'TxnDate');
      }
    }
  }

  private checkNumber(entity: string, rec: Rec, before: Rec | undefined, options: WriteOptions): void {
    const { company } = this;
    const docNumber = rec['DocNumber'] as string | undefined;
    if (!docNumber || docNumber === before?.['DocNumber'] || options.include?.has('allowduplicatedocnum')) return;
    if (!warnsAboutDuplicates(company, entity)) return;
    for (const scope of scopeOf(entity, rec)) {
      const holder = company.numberHolder(scope, docNumber);
      if (holder && holder.id !== rec['Id']) throw duplicateNumber(docNumber, holder.type, holder.id);
    }
  }

  mustBeWritable(): void {
    const status = nameValue(this.company.companyInfo(), 'SubscriptionStatus');
    if (status && READ_ONLY_STATUSES.has(status)) {
      throw refusal('6190', `Invalid Company Status : the subscription of this company is ${status}, it is read only.`);
    }
  }

  private mustBeOpen(date: string | undefined): void {
    const closing = this.company.preferences()['AccountingInfoPrefs'] as Rec | undefined;
    const until = closing?.['BookCloseDate'] as string | undefined;
    if (!until || !date || date > until) return;
    if (this.company.closingPassword) {
      throw refusal(
        '6210',
        `Account Period Closed, Cannot Update Through Services API : the books are closed until ${until} and need a password.`,
      );
    }
    throw refusal(
      '6200',
      `Account Period Closed : the account period has closed until ${until} and the transaction cannot be modified or deleted.`,
    );
  }

  private mustBeFree(entity: string, rec: Rec, merchantCode: '6110' | '6120'): void {
    const holder = this.company.switches.heldBy?.[`${entity}|${rec['Id']}`];
    if (holder === 'merchant')
      throw refusal(
        merchantCode,
        `Merchant account transaction cannot be ${merchantCode === '6110' ? 'changed' : 'deleted'} : it was made by a merchant account`,
      );
    if (holder === 'bank-match' && merchantCode === '6120')
      throw refusal('6480', 'Transaction is matched : it is matched to a bank line in another account');
    if (entity !== 'Payment' && entity !== 'SalesReceipt') return;
    if (this.links.of(entity, rec['Id']).some((o) => o.type === 'Deposit')) {
      throw refusal(
        '6540',
        'Deposited Transaction cannot be changed : this transaction has been deposited. If you want to change or delete it, you must edit the deposit it appears on and remove it first.',
      );
    }
  }

  private mustBeDeletable(entity: string, rec: Rec): void {
    if (entity !== 'Bill' && entity !== 'VendorCredit' && entity !== 'JournalEntry') return;
    const holders = this.links.of(entity, rec['Id']);
    if (holders.length === 0) return;
    throw refusal(
      '800',
      `Object cannot be deleted : ${entity} ${rec['Id']} is linked to ${holders[0]!.type} ${holders[0]!.id}, unlink it first.`,
    );
  }

  /** Takes a record out of every transaction that links to it: what was applied becomes unapplied. */
  private detachOwners(entity: string, id: string, happenings: Happening[]): void {
    const { company } = this;
    for (const owner of this.links.of(entity, id)) {
      const rec = company.get(owner.type, owner.id);
      if (!rec) continue;
      const linksHere = (l: Rec): boolean => l['TxnId'] === id && sameTarget(l, entity);
      const lines = (rec['Line'] as Rec[] | undefined) ?? [];
      const stored: Rec = { ...rec };
      if (owner.type === 'Payment' || owner.type === 'BillPayment' || owner.type === 'Deposit') {
        stored['Line'] = lines.filter((line) => !((line['LinkedTxn'] as Rec[] | undefined) ?? []).some(linksHere));
        if (Number(rec['TotalAmt']) === 0) {
          // QBO's own "link credits to charges" payment has no purpose without both sides.
          company.bury(owner.type, owner.id);
          this.spread(owner.type, owner.id, rec, undefined, company.ledger.remove(owner.type, owner.id), happenings);
          happenings.push({ ...owner, act: 'delete' });
          continue;
        }
        if (owner.type === 'Deposit') computeDocument('Deposit', stored, company, stored);
      } else {
        stored['LinkedTxn'] = ((rec['LinkedTxn'] as Rec[] | undefined) ?? []).filter((l) => !linksHere(l));
        stored['Line'] = lines.map((line) =>
          line['LinkedTxn'] ? { ...line, LinkedTxn: (line['LinkedTxn'] as Rec[]).filter((l) => !linksHere(l)) } : line,
        );
      }
      stored['SyncToken'] = String(Number(rec['SyncToken']) + 1);
      stored['MetaData'] = { ...rec['MetaData'], LastUpdatedTime: company.now() };
      this.commit(owner.type, stored, rec, happenings);
      happenings.push({ ...owner, act: 'update' });
    }
  }

  recommit(entity: string, stored: Rec, before: Rec, happenings: Happening[]): void {
    this.commit(entity, stored, before, happenings);
  }
}

const READ_ONLY_STATUSES = new Set(['EXPIRED', 'RESTRICTED', 'SUSPENDED', 'CANCELED', 'CANCELLED']);
/** Marked required by the pages, left out by captures and samples that the service accepted. */
const OPTIONAL_IN_PRACTICE = new Set([
  'Invoice.Line',
  'PurchaseOrder.APAccountRef',
  'InventoryAdjustment.TxnDate',
  'TaxService.TaxCode',
]);

export function nameValue(rec: Rec, name: string): string | undefined {
  for (const pair of (rec['NameValue'] as Rec[] | undefined) ?? []) if (pair['Name'] === name) return pair['Value'];
  return undefined;
}

function sameTarget(linked: Rec, entity: string): boolean {
  return linksOf('Payment', { Line: [{ LinkedTxn: [linked] }] }).some((l) => l.type === entity);
}

function deactivates(before: Rec, after: Rec): boolean {
  return before['Active'] === true && after['Active'] === false;
}

function sparseResult(type: EntityType, before: Rec, given: Rec): Rec {
  const rec: Rec = { ...before };
  for (const name of Object.keys(given)) {
    const field = type.fields.get(name);
    if (!field || field.readOnly || field.writeOnCreateOnly || name === 'SyncToken' || name === 'Id') continue;
    const value = given[name];
    if (value === null) {
      if (!CANNOT_BE_CLEARED.has(name) && !field.required && field.type !== 'boolean') delete rec[name];
    } else if (Array.isArray(value)) rec[name] = value.map((v) => (typeof v === 'object' ? withoutNulls(v) : v));
    else rec[name] = typeof value === 'object' ? withoutNulls(value) : value;
  }
  return rec;
}

function fullResult(type: EntityType, before: Rec, given: Rec): Rec {
  const rec = withoutNulls({ ...given });
  for (const name of Object.keys(before)) {
    const field = type.fields.get(name);
    const kept =
      !field ||
      field.readOnly ||
      field.writeOnCreateOnly ||
      (SURVIVES_FULL_UPDATE.has(name) && rec[name] === undefined);
    if (kept) rec[name] = before[name];
  }
  rec['Id'] = before['Id'];
  rec['SyncToken'] = before['SyncToken'];
  return rec;
}

function sameContent(company: Company, entity: string, before: Rec, after: Rec): boolean {
  refreshNames(company, entity, before);
  refreshNames(company, entity, after);
  return fingerprint(before) === fingerprint(after);
}

/** Content without key order: an update may arrive in any order and still change nothing. */
function fingerprint(rec: Rec): string {
  return JSON.stringify(rec, (key, value: unknown) => {
    if (key === 'SyncToken' || key === 'MetaData' || key === 'sparse') return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const MONEY_FIELDS = new Set([
  ...[
    'Amount',
    'TotalAmt',
    'Balance',
    'HomeTotalAmt',
    'HomeBalance',
    'UnappliedAmt',
    'RemainingCredit',
    'TotalTax',
    'Qty',
    'Deposit',
  ],
  ...['NetAmountTaxable', 'TaxInclusiveAmt', 'TaxAmount', 'QtyDiff'],
]);

/** A voided document keeps its number, date and names; every amount and quantity is 0 and its links are gone. */
function zeroed(entity: string, rec: Rec): Rec {
  const clear = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clear);
    if (typeof value !== 'object' || value === null) return value;
    const out: Rec = {};
    for (const [key, inner] of Object.entries(value)) {
      out[key] = MONEY_FIELDS.has(key) && typeof inner === 'number' ? 0 : clear(inner);
    }
    return out;
  };
  const stored = clear(rec) as Rec;
  const note = rec['PrivateNote'] as string | undefined;
  stored['PrivateNote'] = note ? `Voided - ${note}` : 'Voided';
  if (entity === 'Payment' || entity === 'BillPayment') stored['Line'] = [];
  else if (Array.isArray(stored['Line'])) {
    for (const line of stored['Line'] as Rec[]) if (line['LinkedTxn']?.length) line['LinkedTxn'] = [];
  }
  if (stored['LinkedTxn'] !== undefined) stored['LinkedTxn'] = [];
  if (stored['TxnTaxDetail']) stored['TxnTaxDetail'] = { ...stored['TxnTaxDetail'], TotalTax: 0 };
  return inFieldOrder(stored, entityType(entity));
}

function pseudonym(company: Company, id: string): string {
  return `002098${createHash('md5').update(`${company.realmId}:${id}`).digest('hex')}`;
}

function mergeInto(engine: Engine, entity: string, loserId: string, winnerId: string): Written {
  const { company } = engine;
  const loser = engine.existing(entity, loserId);
  const winner = engine.existing(entity, winnerId);
  if (loserId === winnerId) throw business('An object cannot be merged into itself.');
  if (entity === 'Account' && loser['AccountType'] !== winner['AccountType']) {
    throw business('Accounts of different types cannot be merged.');
  }
  const happenings: Happening[] = [{ type: entity, id: winnerId, act: 'merge', deletedId: loserId }];
  company.repoint(entity, loserId, winnerId, (type, rec) => {
    if (company.isPosting(type)) company.applyEffects(company.ledger.post(type, rec), `${type}|${rec['Id']}`);
  });
  // What no entity carries (starting quantities, tax payments, delayed charges) moves too, and is kept with the merge.
  for (const entry of company.ledger.mergeInto(entity, loserId, winnerId)) company.postSystem(entry);
  company.applyEffects({
    ...NO_EFFECTS,
    accounts: entity === 'Account' ? [winnerId] : [],
    customers: entity === 'Customer' ? [winnerId] : [],
    vendors: entity === 'Vendor' ? [winnerId] : [],
    items: entity === 'Item' ? [winnerId] : [],
  });
  company.bury(entity, loserId);
  company.touch(entity, winner, true);
  return { type: entity, id: winnerId, rec: winner, act: 'merge', happenings };
}

export { isUserAct, nameField, accountTypeByName };
