// One QBO company in memory: its records by type and id, the names and numbers in use, its id sequences and its ledger.
// It knows how to keep itself consistent (indexes, derived balances, times); what a write means is the engine's affair.
//
// A record is in exactly one of three places: in its table (live, inactive or voided), in the graveyard (deleted, with
// its time for CDC), or nowhere. Only `insert`, `replace` and `bury` move it, and each leaves a trace in `changes`,
// which the caller drains into the log before it answers.
import { Decimal } from 'decimal.js';
import {
  accountTypeByName,
  accountTypeBySubType,
  entityType,
  entityTypes,
  postingTypes,
} from '../catalogue/catalogue.js';
import { eachRef, targetType } from '../engine/references.js';
import { inFieldOrder } from '../engine/shape.js';
import { Ledger, type PostEffects, type SystemTransaction } from '../ledger/index.js';
import type { Clock, CompanyView, Rec } from '../types.js';
import { NewestFirst } from './newest-first.js';
import { DEFAULT_BEHAVIOUR, type Behaviour, type CompanySwitches } from './behaviour.js';
import { dayInCompany, envelopeTime, objectTime, offsetMinutesAt } from './time.js';

/** Emulator time in ms of the last change; a symbol, so that it never reaches JSON. */
export const TOUCHED = Symbol('touchedAtMs');

export interface Grave {
  readonly rec: Rec;
  readonly atMs: number;
}

export type Change =
  /** `own`: an account the company made by itself; it stands even when the write that needed it is refused. */
  | { readonly kind: 'put'; readonly type: string; readonly id: string; readonly own?: true }
  /** Only what the ledger derives moved, with the time and perhaps the token: the log need not repeat the record. */
  | { readonly kind: 'derived'; readonly type: string; readonly id: string }
  | { readonly kind: 'bury'; readonly type: string; readonly id: string; readonly atMs: number }
  | { readonly kind: 'system'; readonly entry: SystemTransaction };

export interface CompanyProfile {
  readonly realmId: string;
  name: string;
  country: string;
  homeCurrency: string;
}

const NAME_SPACE: Record<string, string> = { Customer: 'names', Vendor: 'names', Employee: 'names' };
const NAME_FIELD: Record<string, string> = {
  Customer: 'DisplayName',
  Vendor: 'DisplayName',
  Employee: 'DisplayName',
  TaxAgency: 'DisplayName',
  CompanyCurrency: 'Code',
};
const NAMED_TYPES = new Set([
  ...['Account', 'Customer', 'Vendor', 'Employee', 'Item', 'Class', 'Department', 'Term', 'PaymentMethod', 'TaxCode'],
  ...['TaxRate', 'TaxAgency', 'CompanyCurrency', 'CustomerType', 'JournalCode'],
]);
/** Names that are unique only inside one parent. */
const PER_PARENT = new Set(['Account', 'Item', 'Class', 'Department']);

// Accounts made through the API get ids far above the seeded ones; attachables 18 digits and more (qbo-api.md 1.1).
const SEQUENCE_START: Record<string, number | bigint> = { attachables: 5_000_000_000_000_010_341n };
export const API_ACCOUNT_IDS = 1_150_040_000;

export function nameField(type: string): string {
  return NAME_FIELD[type] ?? 'Name';
}

export class Company implements CompanyView {
  readonly realmId: string;
  readonly ledger: Ledger;
  readonly changes: Change[] = [];
  private readonly tables = new Map<string, Map<string, Rec>>();
  private readonly orders = new Map<string, NewestFirst>();
  private readonly graves = new Map<string, Map<string, Grave>>();
  private readonly names = new Map<string, string>();
  private readonly numbers = new Map<string, string>();
  private readonly children = new Map<string, Set<string>>();
  private readonly sequences = new Map<string, number | bigint>();
  private accountsBySubType: Map<string, Rec> | undefined;
  private readonly docNumbers = new Map<string, number>();
  private secondText = { second: -1, text: '' };
  /** A document number counter moved since the last line of the log. */
  numbersMoved = false;
  /** Set by a person who closes the books with a password: writes then get 6210 instead of 6200. */
  closingPassword = false;
  closingPasswordWas = false;
  /** Where sources disagree; what is not set has its default. */
  switches: Partial<CompanySwitches> = {};
  /** Something that no record shows was set since the last line of the log. */
  stateMoved = false;
  /** Accounts made through the API continue from here; seeds and imports stay below. */
  apiAccountFloor = API_ACCOUNT_IDS;

  constructor(
    readonly profile: CompanyProfile,
    readonly clock: Clock,
  ) {
    this.realmId = profile.realmId;
    for (const t of entityTypes) {
      const table = new Map<string, Rec>();
      this.tables.set(t.entity, table);
      this.orders.set(t.entity, new NewestFirst(table));
    }
    this.ledger = new Ledger(this);
  }

  // --- what readers see -------------------------------------------------------------------------------------------
  country(): string {
    return this.profile.country;
  }
  homeCurrency(): string {
    return this.profile.homeCurrency;
  }
  multicurrency(): boolean {
    return this.preferences()['CurrencyPrefs']?.MultiCurrencyEnabled === true;
  }
  utcOffsetMinutes(): number {
    return offsetMinutesAt(this.profile.country, this.clock.now());
  }
  behaviour(): Behaviour {
    return { ...DEFAULT_BEHAVIOUR, ...this.switches };
  }
  today(): string {
    return dayInCompany(this.clock.now(), this.utcOffsetMinutes());
  }
  preferences(): Rec {
    return this.get('Preferences', '1') ?? {};
  }
  companyInfo(): Rec {
    return this.get('CompanyInfo', '1') ?? {};
  }
  get(type: string, id: string): Rec | undefined {
    return this.tables.get(type)?.get(id);
  }
  all(type: string): Iterable<Rec> {
    return this.table(type).values();
  }
  newestFirst(type: string): readonly Rec[] | undefined {
    return this.orders.get(type)?.records();
  }
  count(type: string): number {
    return this.table(type).size;
  }
  table(type: string): Map<string, Rec> {
    const table = this.tables.get(type);
    if (!table) throw new Error(`no table ${type}`);
    return table;
  }
  gravesOf(type: string): ReadonlyMap<string, Grave> {
    return this.graves.get(type) ?? new Map();
  }
  accountBySubType(subType: string, currency?: string): Rec | undefined {
    if (!this.accountsBySubType) {
      this.accountsBySubType = new Map();
      for (const account of this.all('Account')) {
        if (account['Active'] === false) continue;
        const currencyCode = account['CurrencyRef']?.value ?? this.homeCurrency();
        for (const key of [account['AccountSubType'], `${account['AccountSubType']}|${currencyCode}`]) {
          if (!this.accountsBySubType.has(key)) this.accountsBySubType.set(key, account);
        }
      }
    }
    return this.accountsBySubType.get(currency ? `${subType}|${currency}` : subType);
  }
  nameHolder(type: string, name: string, parentId: string | undefined): { type: string; id: string } | undefined {
    const held = this.names.get(this.nameKey(type, name, parentId));
    if (!held) return undefined;
    const [heldType, id] = held.split('|') as [string, string];
    return { type: heldType, id };
  }
  numberHolder(scope: string, docNumber: string): { type: string; id: string } | undefined {
    const held = this.numbers.get(`${scope}|${docNumber.toLowerCase()}`);
    if (!held) return undefined;
    const [type, id] = held.split('|') as [string, string];
    return { type, id };
  }
  childrenOf(type: string, id: string): Iterable<string> {
    return this.children.get(`${type}|${id}`) ?? [];
  }
  now(): string {
    const nowMs = this.clock.now();
    const second = Math.floor(nowMs / 1000);
    if (second !== this.secondText.second) {
      this.secondText = { second, text: objectTime(nowMs, this.utcOffsetMinutes()) };
    }
    return this.secondText.text;
  }
  envelopeNow(): string {
    return envelopeTime(this.clock.now(), this.utcOffsetMinutes());
  }

  // --- sequences --------------------------------------------------------------------------------------------------
  nextId(sequence: string): string {
    const next = this.sequences.get(sequence) ?? SEQUENCE_START[sequence] ?? 1;
    const step = 1 + (this.switches.idGap ?? 0);
    this.sequences.set(sequence, typeof next === 'bigint' ? next + BigInt(step) : next + step);
    return String(next);
  }
  /** Makes sure the sequence continues above an id that came from elsewhere. */
  reserveId(sequence: string, id: string): void {
    if (id.length < 15) {
      const n = Number(id);
      const known = this.sequences.get(sequence);
      if (!(n >= 0) || (known !== undefined && n < known)) return;
    } else if (!/^\d+$/.test(id)) return;
    const taken = BigInt(id) + 1n;
    const next = this.sequences.get(sequence) ?? SEQUENCE_START[sequence] ?? 1;
    if (taken <= BigInt(next)) return;
    this.sequences.set(sequence, taken <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(taken) : taken);
  }
  startSequenceAt(sequence: string, first: number): void {
    this.reserveId(sequence, String(first - 1));
  }
  sequenceState(): Record<string, string> {
    return Object.fromEntries([...this.sequences].map(([k, v]) => [k, String(v)]));
  }

  // --- document numbers -------------------------------------------------------------------------------------------
  nextDocNumber(sequence: string, first: number): string {
    const next = this.docNumbers.get(sequence) ?? first;
    this.docNumbers.set(sequence, next + 1);
    this.numbersMoved = true;
    return String(next);
  }
  /** A number that was brought along moves the counter, so that the next made one is higher. */
  noteDocNumber(sequence: string, docNumber: string): void {
    const n = /^\d{1,12}$/.test(docNumber) ? Number(docNumber) : 0;
    if (n < (this.docNumbers.get(sequence) ?? 0)) return;
    this.docNumbers.set(sequence, n + 1);
    this.numbersMoved = true;
  }
  docNumberState(): Record<string, number> {
    return Object.fromEntries(this.docNumbers);
  }
  isNamed(type: string): boolean {
    return NAMED_TYPES.has(type);
  }

  // --- moves ------------------------------------------------------------------------------------------------------
  /** Puts a complete record (with Id and MetaData) in its table. */
  insert(type: string, rec: Rec, touchedMs = this.clock.now()): Rec {
    const definition = entityType(type);
    const id = rec['Id'] as string;
    stampTouched(rec, touchedMs);
    this.table(type).set(id, rec);
    this.noteOrder(type, id);
    if (definition.idSequence !== 'singleton' && definition.idSequence !== 'none')
      this.reserveId(definition.idSequence, id);
    this.index(type, rec);
    this.changes.push({ kind: 'put', type, id });
    return rec;
  }

  /** Takes a record from the log: newer lines replace older ones, nothing is traced. */
  load(type: string, rec: Rec, atMs: number): void {
    const id = rec['Id'] as string;
    const old = this.table(type).get(id);
    if (old) this.unindex(type, old);
    stampTouched(rec, atMs);
    this.table(type).set(id, rec);
    this.noteOrder(type, id);
    const definition = entityType(type);
    if (definition.idSequence !== 'singleton' && definition.idSequence !== 'none')
      this.reserveId(definition.idSequence, id);
    this.index(type, rec);
  }

  /** The times of a stored record were set from outside. */
  setTouched(type: string, rec: Rec, atMs: number): void {
    stampTouched(rec, atMs);
    this.noteOrder(type, rec['Id'] as string);
  }

  private noteOrder(type: string, id: string): void {
    this.orders.get(type)?.note(id);
  }

  /** The log repeats of a moved record only its token and time. */
  loadStamp(type: string, id: string, token: string, updated: string, atMs: number): void {
    const rec = this.table(type).get(id);
    if (!rec) return;
    rec['SyncToken'] = token;
    rec['MetaData'] = { ...rec['MetaData'], LastUpdatedTime: updated };
    stampTouched(rec, atMs);
    this.noteOrder(type, id);
  }

  resumeNumbers(numbers: Record<string, number>): void {
    for (const [sequence, next] of Object.entries(numbers)) this.docNumbers.set(sequence, next);
  }

  resumeState(state: {
    closingPassword: boolean;
    sequences: Record<string, string>;
    switches?: Partial<CompanySwitches>;
  }): void {
    this.closingPassword = state.closingPassword;
    if (state.switches) this.switches = state.switches;
    for (const [sequence, next] of Object.entries(state.sequences)) this.reserveId(sequence, String(BigInt(next) - 1n));
  }

  replace(type: string, rec: Rec): Rec {
    const id = rec['Id'] as string;
    const old = this.table(type).get(id);
    if (old) this.unindex(type, old);
    stampTouched(rec, this.clock.now());
    this.table(type).set(id, rec);
    this.noteOrder(type, id);
    this.index(type, rec);
    this.changes.push({ kind: 'put', type, id });
    return rec;
  }

  bury(type: string, id: string, atMs = this.clock.now()): void {
    const rec = this.table(type).get(id);
    if (!rec) return;
    this.unindex(type, rec);
    this.table(type).delete(id);
    this.noteOrder(type, id);
    let graves = this.graves.get(type);
    if (!graves) this.graves.set(type, (graves = new Map()));
    graves.set(id, { rec, atMs });
    this.changes.push({ kind: 'bury', type, id, atMs });
  }

  /** Undoes an `insert` of this very call: the write failed later on and must leave nothing. */
  forget(type: string, id: string): void {
    const rec = this.table(type).get(id);
    if (!rec) return;
    this.unindex(type, rec);
    this.table(type).delete(id);
    this.noteOrder(type, id);
    this.dropChanges(type, id);
  }

  /** After a refusal: what was traced on the way is void, except accounts that exist now. */
  abandonChanges(): void {
    const own = this.changes.filter((change) => change.kind === 'put' && change.own === true);
    this.changes.splice(0, this.changes.length, ...own);
  }

  private dropChanges(type: string, id: string): void {
    for (let i = this.changes.length - 1; i >= 0; i--) {
      const change = this.changes[i]!;
      if (change.kind !== 'system' && change.type === type && change.id === id) this.changes.splice(i, 1);
    }
  }

  /** Notes that a stored record was changed in place: its time always moves, its SyncToken only when asked. */
  touch(type: string, rec: Rec, bumpToken: boolean, kind: 'put' | 'derived' = 'put'): void {
    rec['MetaData'] = { ...rec['MetaData'], LastUpdatedTime: this.now() };
    if (bumpToken) rec['SyncToken'] = String(Number(rec['SyncToken'] ?? 0) + 1);
    stampTouched(rec, this.clock.now());
    this.noteOrder(type, rec['Id'] as string);
    this.changes.push({ kind, type, id: rec['Id'] });
  }

  /** A change that must be kept but that no time shows (a deposited payment). */
  touchSilently(type: string, rec: Rec): void {
    this.changes.push({ kind: 'put', type, id: rec['Id'] });
  }

  reindex(type: string, rec: Rec, change: () => void): void {
    this.unindex(type, rec);
    change();
    this.index(type, rec);
  }

  // --- the ledger and what follows from it ------------------------------------------------------------------------
  isPosting(type: string): boolean {
    return postingTypes.has(type);
  }

  /** Writes derived balances on the records they belong to. `skip` is the document being written: it is stamped already. */
  applyEffects(effects: PostEffects, skip?: string): void {
    for (const id of effects.accounts) this.refreshAccount(id);
    for (const id of effects.parentAccounts) this.refreshAccount(id);
    const customers = new Set([...effects.customers, ...effects.parentCustomers]);
    for (const id of customers) {
      const rec = this.get('Customer', id);
      if (!rec) continue;
      const balance = Number(this.ledger.customerBalance(id));
      const withJobs = Number(this.ledger.customerBalanceWithJobs(id));
      if (rec['Balance'] === balance && rec['BalanceWithJobs'] === withJobs) continue;
      rec['Balance'] = balance;
      rec['BalanceWithJobs'] = withJobs;
      this.touch('Customer', rec, false, 'derived');
    }
    for (const id of new Set(effects.vendors)) {
      const rec = this.get('Vendor', id);
      if (!rec) continue;
      const balance = Number(this.ledger.vendorBalance(id));
      if (rec['Balance'] === balance) continue;
      rec['Balance'] = balance;
      this.touch('Vendor', rec, false, 'derived');
    }
    for (const id of new Set(effects.items)) {
      const rec = this.get('Item', id);
      if (!rec || rec['Type'] !== 'Inventory') continue;
      const quantity = Number(this.ledger.itemQuantity(id));
      if (rec['QtyOnHand'] === quantity) continue;
      rec['QtyOnHand'] = quantity;
      this.touch('Item', rec, true, 'derived');
    }
    const seen = new Set<string>();
    for (const { type, id } of effects.documents) {
      const key = `${type}|${id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const rec = this.get(type, id);
      if (!rec) continue;
      const changed = this.refreshOpenBalance(type, rec);
      if (changed && key !== skip) this.touch(type, rec, true, 'derived');
    }
  }

  /** The open amount as the document shows it; true when the number moved. */
  refreshOpenBalance(type: string, rec: Rec): boolean {
    const fields = OPEN_BALANCE_FIELDS[type];
    if (!fields) return false;
    const open = Number(this.ledger.openBalance(type, rec['Id']));
    let changed = false;
    for (const field of fields) {
      if (rec[field] === open) continue;
      rec[field] = open;
      changed = true;
    }
    if (SHOWS_HOME_BALANCE.has(type) && this.multicurrency()) {
      const home = Number(this.ledger.homeBalance(type, rec['Id']));
      if (rec['HomeBalance'] !== home) {
        rec['HomeBalance'] = home;
        changed = true;
      }
    }
    return changed;
  }

  private refreshAccount(id: string): void {
    const rec = this.get('Account', id);
    if (!rec) return;
    const own = Number(this.ledger.accountBalance(id));
    if (rec['CurrentBalance'] !== own) {
      rec['CurrentBalance'] = own;
      this.touch('Account', rec, false, 'derived');
    }
    const total = Number(this.ledger.accountBalanceWithSubAccounts(id));
    if (rec['CurrentBalanceWithSubAccounts'] !== total) {
      rec['CurrentBalanceWithSubAccounts'] = total;
      this.changes.push({ kind: 'derived', type: 'Account', id });
    }
  }

  /** Recomputes every derived number from the ledger: after an import or a start from disk. Nothing is stamped. */
  settleDerived(): void {
    for (const rec of this.all('Account')) rec['CurrentBalance'] = Number(this.ledger.accountBalance(rec['Id']));
    for (const rec of this.all('Account')) {
      rec['CurrentBalanceWithSubAccounts'] = Number(this.ledger.accountBalanceWithSubAccounts(rec['Id']));
    }
    for (const rec of this.all('Customer')) {
      rec['Balance'] = Number(this.ledger.customerBalance(rec['Id']));
      rec['BalanceWithJobs'] = Number(this.ledger.customerBalanceWithJobs(rec['Id']));
    }
    for (const rec of this.all('Vendor')) rec['Balance'] = Number(this.ledger.vendorBalance(rec['Id']));
    for (const rec of this.all('Item')) {
      if (rec['Type'] === 'Inventory') rec['QtyOnHand'] = Number(this.ledger.itemQuantity(rec['Id']));
    }
    for (const type of Object.keys(OPEN_BALANCE_FIELDS)) {
      for (const rec of this.all(type)) this.refreshOpenBalance(type, rec);
    }
  }

  /** Opening quantity and value of an inventory item: a system transaction no entity returns. */
  startInventory(item: Rec): void {
    const quantity = Number(item['QtyOnHand'] ?? 0);
    const value = new Decimal(quantity).times(Number(item['PurchaseCost'] ?? 0)).toFixed(2);
    this.postSystem({
      type: 'InventoryStartingValue',
      id: `start-${item['Id']}`,
      date: String(item['InvStartDate']),
      docNumber: 'START',
      memo: `${item['Name']} - Opening inventory and value`,
      start: { itemId: item['Id'], quantity, value },
    });
  }

  /** A person adjusts the starting value in the product: the same system transaction says something else from now on. */
  restartInventory(item: Rec, start: { quantity: number; value: string }): void {
    const token: unknown = item['SyncToken'];
    this.postSystem({
      type: 'InventoryStartingValue',
      id: `start-${item['Id']}`,
      date: String(item['InvStartDate']),
      docNumber: 'START',
      memo: `${item['Name']} - Opening inventory and value`,
      start: { itemId: item['Id'], ...start },
    });
    // Another quantity has moved it; of another value alone the item shows nothing but that it moved.
    if (item['SyncToken'] === token) this.touch('Item', item, true);
  }

  postSystem(entry: SystemTransaction): void {
    this.changes.push({ kind: 'system', entry });
    this.applyEffects(this.ledger.postSystem(entry));
  }

  /** Moves every reference from one record to another of the same type (merge), and tells which records changed. */
  repoint(type: string, fromId: string, toId: string, changed: (type: string, rec: Rec) => void): void {
    for (const t of entityTypes) {
      for (const rec of this.all(t.entity)) {
        const isKin = t.entity === type;
        if (isKin) this.unindex(t.entity, rec);
        let hit = false;
        eachRef(rec, t, (field, ref, holder) => {
          if (ref['value'] !== fromId) return;
          const target = field.refTo?.[0] === '*' ? String(ref['type'] ?? '') : targetType(field, ref, holder);
          if (target?.toLowerCase() !== type.toLowerCase()) return;
          ref['value'] = toId;
          hit = true;
        });
        if (isKin) this.index(t.entity, rec);
        if (!hit) continue;
        this.changes.push({ kind: 'put', type: t.entity, id: rec['Id'] });
        if (isKin) this.adoptedBy(type, rec['Id'], toId);
        changed(t.entity, rec);
      }
    }
  }

  /** A list object hangs under another parent now: what its ancestors show of it moves along. */
  adoptedBy(type: string, id: string, ...parents: (string | undefined)[]): void {
    if (type !== 'Customer' && type !== 'Account') return;
    this.ledger.listChanged(type, id);
    const ancestors = new Set<string>();
    for (const parent of parents) {
      let at = parent;
      for (let depth = 0; at && depth < 6 && !ancestors.has(at); depth++) {
        ancestors.add(at);
        at = this.get(type, at)?.['ParentRef']?.value as string | undefined;
      }
    }
    const none = { accounts: [], customers: [], vendors: [], items: [], documents: [] };
    this.applyEffects({
      ...none,
      parentAccounts: type === 'Account' ? [...ancestors] : [],
      parentCustomers: type === 'Customer' ? [...ancestors] : [],
    });
  }

  ensureAccount(spec: { name: string; type: string; subType: string; currency?: string }): Rec {
    const held = this.nameHolder('Account', spec.name, undefined);
    const existing = held && this.get('Account', held.id);
    if (existing) return existing;
    const time = this.now();
    const row = accountTypeByName.get(spec.type) ?? accountTypeBySubType.get(spec.subType);
    const rec = inFieldOrder(
      {
        Name: spec.name,
        SubAccount: false,
        FullyQualifiedName: spec.name,
        Active: true,
        Classification: row?.classification ?? 'Asset',
        AccountType: spec.type,
        AccountSubType: spec.subType,
        CurrentBalance: 0,
        CurrentBalanceWithSubAccounts: 0,
        CurrencyRef: { value: spec.currency ?? this.homeCurrency() },
        domain: 'QBO',
        sparse: false,
        Id: this.nextId('accounts'),
        SyncToken: '0',
        MetaData: { CreateTime: time, LastUpdatedTime: time },
      },
      entityType('Account'),
    );
    this.insert('Account', rec);
    this.changes[this.changes.length - 1] = { kind: 'put', type: 'Account', id: rec['Id'] as string, own: true };
    return rec;
  }

  // --- indexes ----------------------------------------------------------------------------------------------------
  private nameKey(type: string, name: string, parentId: string | undefined): string {
    const space = NAME_SPACE[type] ?? type;
    return `${space}|${PER_PARENT.has(type) ? (parentId ?? '') : ''}|${name.toLowerCase()}`;
  }

  private index(type: string, rec: Rec): void {
    const id = rec['Id'] as string;
    if (NAMED_TYPES.has(type)) {
      const name = rec[nameField(type)] as string | undefined;
      if (name) this.names.set(this.nameKey(type, name, rec['ParentRef']?.value), `${type}|${id}`);
      const parent = rec['ParentRef']?.value as string | undefined;
      if (parent) {
        const key = `${type}|${parent}`;
        let set = this.children.get(key);
        if (!set) this.children.set(key, (set = new Set()));
        set.add(id);
      }
      if (type === 'Account') this.accountsBySubType = undefined;
    }
    for (const scope of numberScopes(type, rec)) {
      this.numbers.set(`${scope}|${String(rec['DocNumber']).toLowerCase()}`, `${type}|${id}`);
    }
  }

  private unindex(type: string, rec: Rec): void {
    const id = rec['Id'] as string;
    if (NAMED_TYPES.has(type)) {
      const key = this.nameKey(type, String(rec[nameField(type)] ?? ''), rec['ParentRef']?.value);
      if (this.names.get(key) === `${type}|${id}`) this.names.delete(key);
      const parent = rec['ParentRef']?.value as string | undefined;
      if (parent) this.children.get(`${type}|${parent}`)?.delete(id);
      if (type === 'Account') this.accountsBySubType = undefined;
    }
    for (const scope of numberScopes(type, rec)) {
      const key = `${scope}|${String(rec['DocNumber']).toLowerCase()}`;
      if (this.numbers.get(key) === `${type}|${id}`) this.numbers.delete(key);
    }
  }
}

/** Documents that show in multicurrency companies what is open in home currency too. */
export const SHOWS_HOME_BALANCE: ReadonlySet<string> = new Set(['Invoice', 'CreditMemo', 'Bill']);

/** Where a document shows what is still open; the ledger computes it from the links. */
export const OPEN_BALANCE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Invoice: ['Balance'],
  Bill: ['Balance'],
  CreditMemo: ['RemainingCredit', 'Balance'],
  VendorCredit: ['Balance'],
  Payment: ['UnappliedAmt'],
};

/** The number spaces a document takes a place in: its type, and for checks the one all checks of a bank share. */
export function numberScopes(type: string, rec: Rec): string[] {
  if (!rec['DocNumber']) return [];
  if (type === 'Bill') return [`Bill|${rec['VendorRef']?.value}`];
  if (type === 'Purchase') return rec['PaymentType'] === 'Check' ? [`Check|${rec['AccountRef']?.value}`] : [];
  if (type === 'BillPayment') {
    return rec['PayType'] === 'Check' ? [`Check|${rec['CheckPayment']?.BankAccountRef?.value}`] : [];
  }
  if (type === 'JournalEntry') return ['JournalEntry'];
  return [type];
}

function stampTouched(rec: Rec, atMs: number): void {
  (rec as { [TOUCHED]?: number })[TOUCHED] = atMs;
}

export function touchedAt(rec: Rec): number {
  return (rec as { [TOUCHED]?: number })[TOUCHED] ?? 0;
}
