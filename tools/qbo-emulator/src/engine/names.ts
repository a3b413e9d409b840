// Names of list objects: one space for customers, vendors and employees, one per parent for trees; the suffix a name gets
// when its holder is deactivated; full names of a tree and of everything below it.
import { entityType } from '../catalogue/catalogue.js';
import { nameField, type Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { duplicateName, refusal } from './refusals.js';

const TREES = new Set(['Account', 'Customer', 'Item', 'Class', 'Department']);
/** Keep their name when they become inactive. */
const NO_SUFFIX = new Set(['Term', 'PaymentMethod', 'TaxCode', 'TaxRate', 'CompanyCurrency', 'JournalCode', 'Budget']);
const SUFFIX_WORD: Record<string, string> = {
  Class: 'Deleted',
  Department: 'Deleted',
  Vendor: 'deleted',
  Employee: 'deleted',
};
const SUFFIX = / \([Dd]eleted(?:-\d+)?\)$/;
const SUB_FLAG: Record<string, string> = {
  Account: 'SubAccount',
  Class: 'SubClass',
  Department: 'SubDepartment',
  Item: 'SubItem',
};

export function settleName(company: Company, entity: string, rec: Rec, before: Rec | undefined): void {
  if (!company.isNamed(entity)) return;
  const field = nameField(entity);
  const definition = entityType(entity);
  if (definition.parent) settleParent(company, entity, rec, before, definition.maxDepth ?? 5);
  const parentId = rec['ParentRef']?.value as string | undefined;
  if (rec['Active'] === false && before?.['Active'] !== false) retire(company, entity, rec, field, parentId);
  else if (rec['Active'] === true && before?.['Active'] === false) revive(company, entity, rec, field, parentId);
  const name = rec[field] as string | undefined;
  if (!name) throw refusal('6080', `Name missing : ${field} is required`, field);
  const holder = company.nameHolder(entity, name, parentId);
  if (holder && !(holder.type === entity && holder.id === rec['Id'])) throw duplicateName(holder.type);
  settleAccountNumber(company, entity, rec);
  if (TREES.has(entity)) {
    const parentName = parentId && company.get(entity, parentId)?.['FullyQualifiedName'];
    rec['FullyQualifiedName'] = parentName ? `${parentName}:${name}` : name;
  }
}

function settleParent(company: Company, entity: string, rec: Rec, before: Rec | undefined, maxDepth: number): void {
  const flag = SUB_FLAG[entity];
  const parentId = rec['ParentRef']?.value as string | undefined;
  if (parentId === undefined) {
    if (entity === 'Customer' && rec['Job'] === true && !before) {
      throw refusal('6150', 'ParentRef required : a job or sub-customer needs its parent', 'ParentRef');
    }
    if (flag && entity !== 'Item') rec[flag] = false;
    if (entity === 'Item') delete rec['SubItem'];
    delete rec['Level'];
    return;
  }
  const parent = company.get(entity, parentId);
  if (!parent)
    throw refusal(
      '2500',
      `Invalid Reference Id : ${entity} element id ${parentId.slice(0, 40)} not found`,
      'ParentRef',
    );
  if (parentId === rec['Id']) throw refusal('900', `${entity} cannot be its own parent`, 'ParentRef');
  let level = 1;
  let at: Rec | undefined = parent;
  while (at?.['ParentRef']) {
    if (at['ParentRef'].value === rec['Id'])
      throw refusal('900', `${entity} cannot be a child of its own child`, 'ParentRef');
    at = company.get(entity, at['ParentRef'].value);
    level += 1;
    if (level > 10) break;
  }
  if (level + depthBelow(company, entity, rec['Id'], 0) >= maxDepth) {
    throw refusal('6180', `Too many levels : at most ${maxDepth} levels of ${entity} are supported`, 'ParentRef');
  }
  if (entity === 'Account' && parent['AccountType'] !== rec['AccountType']) {
    throw refusal('700', 'Invalid Parent Reference : a sub-account has the account type of its parent', 'ParentRef');
  }
  if (entity === 'Account' && ROOT_ONLY.has(parent['AccountSubType'])) {
    throw refusal('700', `Invalid Parent Reference : ${parent['Name']} cannot have sub-accounts`, 'ParentRef');
  }
  if (entity === 'Item' && parent['Type'] !== 'Category') {
    throw refusal('700', 'Invalid Parent Reference : the parent of an item is a category', 'ParentRef');
  }
  if (flag) rec[flag] = true;
  if (entity === 'Customer' || entity === 'Item') rec['Level'] = level;
  if (entity === 'Customer' && rec['Job'] !== true) rec['Job'] = true;
}

const ROOT_ONLY = new Set([
  'OpeningBalanceEquity',
  'UndepositedFunds',
  'RetainedEarnings',
  'CashReceiptIncome',
  'CashExpenditureExpense',
  'ExchangeGainOrLoss',
]);

function depthBelow(company: Company, entity: string, id: string | undefined, depth: number): number {
  if (!id || depth > 6) return 0;
  let deepest = 0;
  for (const child of company.childrenOf(entity, id))
    deepest = Math.max(deepest, 1 + depthBelow(company, entity, child, depth + 1));
  return deepest;
}

function settleAccountNumber(company: Company, entity: string, rec: Rec): void {
  if (entity !== 'Account' || !rec['AcctNum']) return;
  if (company.preferences()['AccountingInfoPrefs']?.UseAccountNumbers !== true) return;
  for (const other of company.all('Account')) {
    if (other['AcctNum'] === rec['AcctNum'] && other['Id'] !== rec['Id']) throw duplicateName('Account');
  }
}

/** `X` becomes `X (deleted)`, a second one `X (deleted-1)`: the name is free again at once. */
function retire(company: Company, entity: string, rec: Rec, field: string, parentId: string | undefined): void {
  if (NO_SUFFIX.has(entity)) return;
  const word = SUFFIX_WORD[entity] ?? 'deleted';
  const bare = String(rec[field]).replace(SUFFIX, '');
  for (let n = 0; ; n++) {
    const name = `${bare} (${word}${n === 0 ? '' : `-${n}`})`;
    if (!company.nameHolder(entity, name, parentId)) {
      rec[field] = name;
      return;
    }
  }
}

/** The suffix goes; where the bare name was taken meanwhile, `-1` is added. */
function revive(company: Company, entity: string, rec: Rec, field: string, parentId: string | undefined): void {
  const bare = String(rec[field]).replace(SUFFIX, '');
  rec[field] = bare;
  const taken = (name: string): boolean => {
    const holder = company.nameHolder(entity, name, parentId);
    return holder !== undefined && !(holder.type === entity && holder.id === rec['Id']);
  };
  for (let n = 1; taken(rec[field]); n++) rec[field] = `${bare}-${n}`;
}

/** A rename shows in the full name of everything below; their times and tokens stay (inferred: nothing says otherwise). */
export function renameDescendants(company: Company, entity: string, id: string, depth = 0): void {
  if (depth > 6) return;
  const parent = company.get(entity, id);
  for (const childId of company.childrenOf(entity, id)) {
    const child = company.get(entity, childId);
    if (!child || !parent) continue;
    child['FullyQualifiedName'] = `${parent['FullyQualifiedName']}:${child[nameField(entity)]}`;
    company.touchSilently(entity, child);
    renameDescendants(company, entity, childId, depth + 1);
  }
}
