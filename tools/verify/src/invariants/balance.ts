// I-04: debits = credits; the target's books are the source's after mapping, to the cent. Accounts are paired by the links,
// and by name where a company made the account itself. What is held is out of both sums; what differs has a name or is wrong.
import type { CompanyEvidence, LinkRow, PostingLine, SyncRow } from '../evidence.js';
import { linkKey, nameOf, type Books } from '../books.js';
import { isReshaped } from '../scope.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

export function balance(books: Books): Verdict {
  const { e } = books;
  if (e.tables.syncs.length === 0) return notJudged('there is no sync');
  const violations: Violation[] = [];
  for (const company of e.companies.values()) violations.push(...unbalanced(company));
  if (e.rest.motion.length > 0)
    return violations.length > 0
      ? { kind: 'violated', violations }
      : notJudged(`the system is not at rest: ${e.rest.motion.join(', ')}`);
  let transactions = 0;
  let accounts = 0;
  let named = 0;
  let reshaped = 0;
  for (const sync of books.judgeable()) {
    if (isReshaped(sync, e.tables)) reshaped++;
    const compared = compareSync(books, sync);
    if (!compared) continue;
    transactions += compared.transactions;
    accounts += compared.accounts;
    named += compared.named;
    violations.push(...compared.violations);
  }
  return judged(
    violations,
    `debits = credits in ${counted(e.companies.size, 'company', 'companies')}; ${counted(transactions, 'posting record')} equal, ` +
      `${counted(accounts, 'account')} equal to the cent, ${counted(named, 'difference')} with a name` +
      (reshaped > 0 ? `; ${counted(reshaped, 'sync')} with rules of its own` : ''),
  );
}

function unbalanced({ realmId, ledger }: CompanyEvidence): Violation[] {
  const sums = new Map<string, bigint>();
  for (const line of ledger) sums.set(ownerOf(line), (sums.get(ownerOf(line)) ?? 0n) + amount(line));
  return [...sums]
    .filter(([, sum]) => sum !== 0n)
    .map(([owner, sum]) => ({
      what: `company ${realmId}: debits and credits of ${owner} differ by ${money(sum)}`,
      record: { realmId, type: owner.split('/')[0]!, id: owner.split('/')[1]! },
    }));
}

function compareSync(books: Books, sync: SyncRow) {
  const source = books.company(sync.source_realm_id);
  const target = books.company(sync.target_realm_id);
  if (!source || !target) return undefined;
  const [ours, theirs] = [byOwner(source), byOwner(target)];
  const accountHere = accountsBySource(books, sync, source, target);
  const violations: Violation[] = [];
  const sums = new Map<string, bigint>();
  let transactions = 0;
  let named = 0;
  // Costs of goods follow from everything that moved the stock: with one of those missing, others post otherwise.
  const missing = books.e.tables.links.some(
    (link) => link.sync_id === sync.id && link.state !== 'settled' && source.records[link.entity_type] !== undefined,
  );
  for (const [owner, lines] of ours) {
    const [type, id] = owner.split('/') as [string, string];
    const link = books.links.get(linkKey({ sync_id: sync.id, entity_type: type, source_id: id }));
    if (link?.state !== 'settled' || link.target_id === null || books.isStuckOnTheWayBack(sync, link)) continue;
    const copies = theirs.get(`${type}/${link.target_id}`) ?? [];
    const left = lines.map((line) => `${line.date} ${accountHere(line.accountId)} ${amount(line)}`).sort();
    const right = copies.map((line) => `${line.date} ${line.accountId} ${amount(line)}`).sort();
    if (left.join() === right.join()) transactions++;
    // Counted below all the same: what the accounts come to must be equal.
    else if (onlyStockDiffers(source, lines, target, copies, accountHere)) named++;
    else if (
      (link.differences?.length ?? 0) > 0 ||
      isReshaped(sync, books.e.tables) ||
      (missing && movesStock(source, lines))
    ) {
      named++;
      continue;
    } else {
      violations.push({
        what: `${type} ${id} posts ${shown(source, lines)} in the source and ${shown(target, copies)} as ${type} ${link.target_id}`,
        record: nameOf(link),
      });
      continue;
    }
    for (const line of lines) add(sums, accountHere(line.accountId), amount(line));
    for (const line of copies) add(sums, line.accountId, -amount(line));
  }
  for (const [account, sum] of sums)
    if (sum !== 0n)
      violations.push({
        what: `account ${account} differs by ${money(sum)}`,
        record: { realmId: target.realmId, type: 'Account', id: account },
      });
  violations.push(...strays(books, sync, target, theirs));
  return { transactions, accounts: sums.size, named, violations };
}

/** Postings of the target that we made and that stand for nothing in the source. */
function strays(books: Books, sync: SyncRow, target: CompanyEvidence, theirs: Map<string, PostingLine[]>): Violation[] {
  const violations: Violation[] = [];
  const linked = books.e.tables.syncs.filter((one) => one.target_realm_id === sync.target_realm_id);
  for (const [owner, lines] of theirs) {
    const [type, id] = owner.split('/') as [string, string];
    const maker = target.makers[owner];
    if (!maker?.app || !books.e.ourApps.has(maker.app)) continue;
    const links: LinkRow[] = linked.flatMap((one) => books.claiming(one.id, type, id));
    if (links.length === 0)
      violations.push({
        what: `${owner} of the target posts ${shown(target, lines)} and stands for nothing in the source`,
        record: { realmId: target.realmId, type, id },
      });
  }
  return violations;
}

function accountsBySource(books: Books, sync: SyncRow, source: CompanyEvidence, target: CompanyEvidence) {
  const here = new Map<string, string>();
  const byName = new Map((target.records.Account ?? []).map((one) => [nameIn(one), String(one.Id)]));
  for (const account of source.records.Account ?? []) {
    const id = String(account.Id);
    const link = books.links.get(linkKey({ sync_id: sync.id, entity_type: 'Account', source_id: id }));
    here.set(id, link?.target_id ?? byName.get(nameIn(account)) ?? `source account ${id}`);
  }
  return (id: string): string => here.get(id) ?? `source account ${id}`;
}

const nameIn = (account: { FullyQualifiedName?: string; Name?: string }): string =>
  String(account.FullyQualifiedName ?? account.Name);

/**
 * A company costs its stock in its own order of entry: one document may bear what another one bears in the source, while the
 * accounts come to the same.
 */
function onlyStockDiffers(
  source: CompanyEvidence,
  lines: readonly PostingLine[],
  target: CompanyEvidence,
  copies: readonly PostingLine[],
  accountHere: (id: string) => string,
): boolean {
  const [there, here] = [stockAccounts(source), stockAccounts(target)];
  const rest = lines.filter((line) => !there.has(line.accountId));
  const copied = copies.filter((line) => !here.has(line.accountId));
  const left = rest.map((line) => `${line.date} ${accountHere(line.accountId)} ${amount(line)}`).sort();
  const right = copied.map((line) => `${line.date} ${line.accountId} ${amount(line)}`).sort();
  return left.join() === right.join();
}

const stockAccounts = ({ records }: CompanyEvidence): ReadonlySet<string> =>
  new Set(
    (records.Account ?? [])
      .filter((a) => a.AccountSubType === 'Inventory' || a.AccountType === 'Cost of Goods Sold')
      .map((a) => String(a.Id)),
  );

function movesStock(source: CompanyEvidence, lines: readonly PostingLine[]): boolean {
  const stock = new Set(
    (source.records.Account ?? []).filter((a) => a.AccountSubType === 'Inventory').map((a) => String(a.Id)),
  );
  return lines.some((line) => stock.has(line.accountId));
}

function byOwner({ ledger }: CompanyEvidence): Map<string, PostingLine[]> {
  const owners = new Map<string, PostingLine[]>();
  for (const line of ledger) owners.set(ownerOf(line), [...(owners.get(ownerOf(line)) ?? []), line]);
  return owners;
}

/** Opening stock is posted under the item's own name. */
const ownerOf = ({ txnType, txnId }: PostingLine): string => {
  const start = /^start-(.+)$/.exec(txnId)?.[1];
  return start === undefined ? `${txnType}/${txnId}` : `Item/${start}`;
};

const amount = (line: PostingLine): bigint => units(line.debit) - units(line.credit);

/** Exact: ten-thousandths, since a company may keep more places than a cent. */
function units(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) throw new RangeError(`"${text}" is not an amount`);
  const value = BigInt(match[2]!) * 10_000n + BigInt((match[3] ?? '').padEnd(4, '0').slice(0, 4));
  return match[1] ? -value : value;
}

function money(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(5, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`.replace(/00$/, '');
}

function shown({ records }: CompanyEvidence, lines: readonly PostingLine[]): string {
  const names = new Map((records.Account ?? []).map((one) => [String(one.Id), nameIn(one)]));
  if (lines.length === 0) return 'nothing';
  return lines
    .slice(0, 4)
    .map((line) => `${names.get(line.accountId) ?? line.accountId} ${money(amount(line))}`)
    .join(', ');
}

const add = (sums: Map<string, bigint>, key: string, value: bigint): void =>
  void sums.set(key, (sums.get(key) ?? 0n) + value);
