// Raw records as the API would return them become a company: ids, tokens and times are kept, postings and balances are
// made by this ledger, and every number that disagrees with the one that came along is listed.
import { entityNamed, entityTypes, type EntityType } from '../catalogue/catalogue.js';
import { OPEN_BALANCE_FIELDS, type Company } from '../company/company.js';
import { readInstant } from '../company/time.js';
import type { Rec } from '../types.js';
import type { Engine } from './engine.js';
import { refusal } from './refusals.js';
import { sequenceOf } from './numbers.js';

export interface Disagreement {
  readonly type: string;
  readonly id: string;
  readonly field: string;
  readonly given: string;
  readonly computed: string;
}

const COMPARED: Readonly<Record<string, readonly string[]>> = {
  Account: ['CurrentBalance', 'CurrentBalanceWithSubAccounts'],
  Customer: ['Balance', 'BalanceWithJobs'],
  Vendor: ['Balance'],
  Item: ['QtyOnHand'],
  ...OPEN_BALANCE_FIELDS,
};

export interface ImportResult {
  readonly counts: Record<string, number>;
  readonly disagreements: Disagreement[];
}

export function importRecords(engine: Engine, records: Rec): ImportResult {
  const { company } = engine;
  const groups = new Map<EntityType, Rec[]>();
  for (const [name, list] of Object.entries(records)) {
    const type = entityNamed(name);
    if (!type) throw refusal('2000', `Invalid Object Name : ${name.slice(0, 40)}`);
    const rows: unknown[] = Array.isArray(list) ? list : [list];
    groups.set(
      type,
      rows.map((row) => checked(type, row)),
    );
  }
  const counts: Record<string, number> = {};
  // Lists first: postings look up accounts, items and names.
  const isList = (type: EntityType): boolean => type.idSequence !== 'transactions';
  for (const type of [...entityTypes].sort((a, b) => Number(isList(b)) - Number(isList(a)))) {
    const rows = groups.get(type);
    if (!rows) continue;
    counts[type.entity] = rows.length;
    for (const rec of rows) place(engine, type, rec);
  }
  const given = remembered(company);
  for (const entry of company.ledger.missingStartingValues()) {
    company.changes.push({ kind: 'system', entry });
    company.ledger.postSystem(entry);
  }
  company.settleDerived();
  noteNumbers(company);
  company.startSequenceAt('accounts', company.apiAccountFloor);
  return { counts, disagreements: disagreements(company, given) };
}

function checked(type: EntityType, row: unknown): Rec {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw refusal('2010', `Property Name:${type.entity} specified is unsupported or invalid`);
  const rec = structuredClone(row) as Rec;
  if (type.idSequence === 'singleton') rec['Id'] = '1';
  if (rec['Id'] === undefined)
    throw refusal('2020', `Required parameter Id is missing in an imported ${type.entity}`, 'Id');
  rec['Id'] = String(rec['Id']);
  rec['SyncToken'] = String(rec['SyncToken'] ?? '0');
  return rec;
}

function place(engine: Engine, type: EntityType, rec: Rec): void {
  const { company } = engine;
  rec['MetaData'] ??= { CreateTime: company.now(), LastUpdatedTime: company.now() };
  const existing = company.get(type.entity, rec['Id']);
  engine.adopt(type.entity, rec, existing);
  const changed = readInstant(
    String(rec['MetaData'].LastUpdatedTime ?? rec['MetaData'].CreateTime ?? ''),
    company.utcOffsetMinutes(),
  );
  if (changed !== undefined) company.setTouched(type.entity, rec, changed);
}

type Given = Map<string, string>;

function remembered(company: Company): Given {
  const given: Given = new Map();
  for (const [type, fields] of Object.entries(COMPARED)) {
    for (const rec of company.all(type)) {
      for (const field of fields) {
        if (typeof rec[field] === 'number') given.set(`${type}|${rec['Id']}|${field}`, String(rec[field]));
      }
    }
  }
  return given;
}

function disagreements(company: Company, given: Given): Disagreement[] {
  const found: Disagreement[] = [];
  for (const [key, was] of given) {
    const [type, id, field] = key.split('|') as [string, string, string];
    const now = String(company.get(type, id)?.[field]);
    if (now !== was) found.push({ type, id, field, given: was, computed: now });
  }
  return found;
}

function noteNumbers(company: Company): void {
  for (const type of entityTypes) {
    const sequence = sequenceOf(type.entity);
    if (!sequence) continue;
    for (const rec of company.all(type.entity))
      if (rec['DocNumber']) company.noteDocNumber(sequence, String(rec['DocNumber']));
  }
}
