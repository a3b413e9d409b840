// Are two companies the same books? Judged from dumps and ledgers alone; the sync's links are only asked which target record
// stands for which source record, and why one is missing. Pure.
import { definitionOf } from '#core';
import type { Raw } from '#testing';
import { cents, money } from '../../installation/src/comparison.js';
import type { LinkRow } from '../../installation/src/control.js';
import { amountOf, ownerOf, type Books, type Named, type PostingLine } from './books.js';
import { excuses, excusesOfRealRecords, excusesOfSeveralHands, parentCodes, takenAlready } from './excuses.js';
import { linkTypeOf, linkedDocuments } from './linked.js';
import { differences as contentDifferences, meaning } from './sameness.js';

export interface Evidence {
  source: Books;
  target: Books;
  /** ids the target had before the sync, as `Type/id` */
  targetBefore: ReadonlySet<string>;
  links: readonly LinkRow[];
  /** types that the system carries or maps to what the target has */
  carried: ReadonlySet<string>;
  /** why this one record of a carried type cannot be carried, if so */
  notPossible: (type: string, record: Raw) => string | undefined;
  /** types whose inactive records are what is left of deleted ones */
  nameLists: ReadonlySet<string>;
  /** types that are judged */
  judged: (type: string) => boolean;
  /** each company has its own of it, made by QuickBooks: mapped, never edited */
  mappedOnly?: (type: string, record: Raw) => boolean;
  /** in a pair: what the opposite sync could not carry from the target, as `Type/id`; it is listed there */
  heldThere?: ReadonlySet<string>;
  /** in a pair: links of the opposite sync, whose records are the target's */
  linksBack?: readonly LinkRow[];
  /** people were at work in both companies at once: some of what they did cannot both be */
  severalHands?: boolean;
  /** the source was cut out of a larger company: what refers to a record that it does not have cannot be made */
  fragment?: boolean;
}

export interface Difference {
  what:
    'missing' | 'extra' | 'shared' | 'posting' | 'account' | 'balance' | 'open' | 'links' | 'count' | 'field' | 'rest';
  key: string;
  text: string;
  cause: string;
}

export interface Held {
  key: string;
  reason: string;
  amount: string;
}

export interface Judgement {
  records: number;
  types: number;
  differences: Difference[];
  held: Held[];
  counts: { type: string; source: number; target: number; held: number }[];
  /** types of the source that are not carried, with their number of records */
  notCarried: { type: string; records: number }[];
  trialBalance: TrialBalance;
  /** what is not the same and yet no difference, with its reason */
  notes: string[];
}

/** All postings but those of held records, account by account. */
export interface TrialBalance {
  accounts: number;
  /** sum of the debit balances */
  source: string;
  target: string;
  /** sum over accounts of how far the two are apart */
  difference: string;
}

export function judge(e: Evidence): Judgement {
  const { source, target } = e;
  const differences: Difference[] = [];
  const say = (what: Difference['what'], key: string, text: string, cause = ''): void =>
    void differences.push({ what, key, text, cause });
  const notes: string[] = [];
  const linkOf = new Map(e.links.map((link) => [`${link.entityType}/${link.sourceId}`, link]));
  const pairs = pairUp(e, linkOf);
  const held = whatIsHeld(e, linkOf, pairs);
  const causes = new Map<string, string>();
  const blame = (key: string, text: string): string => {
    if (!causes.has(key)) causes.set(key, text);
    return causes.get(key)!;
  };

  let records = 0;
  const types = new Set<string>();
  const counts: Judgement['counts'] = [];
  const claimed = new Map<string, string>();
  for (const type of [...new Set([...source.types(), ...target.types()])].filter(e.judged)) {
    if (!e.carried.has(type)) continue;
    const row = { type, source: 0, target: 0, held: 0 };
    for (const record of source.ofType(type)) {
      const key = `${type}/${record.Id}`;
      if (held.has(key)) {
        row.held++;
        const here = pairs.get(key);
        if (here !== undefined) claimed.set(here, key);
        continue;
      }
      const here = pairs.get(key);
      // Two ways: what the other company merged away stays here, inactive, for no API merges.
      if (e.heldThere && here !== undefined && !target.record(here) && isPutAway(record, linkOf.get(key))) {
        notes.push(`${key} is inactive, and its copy was merged away in the other company`);
        continue;
      }
      row.source++;
      records++;
      types.add(type);
      if (here === undefined || !target.record(here)) {
        const text = `${describe(record)} is not in the target`;
        say('missing', key, text, blame(key, whyMissing(linkOf.get(key), here)));
        continue;
      }
      const other = claimed.get(here);
      if (other !== undefined) say('shared', key, `shares ${here} of the target with ${other}`);
      claimed.set(here, key);
    }
    for (const record of target.ofType(type)) {
      const key = `${type}/${record.Id}`;
      if (claimed.has(key)) {
        if (!held.has(claimed.get(key)!)) row.target++;
        continue;
      }
      if (e.targetBefore.has(key) || e.heldThere?.has(key)) continue;
      // What was deleted or merged away in the source is made inactive where QuickBooks knows no deletion.
      if (record.Active === false && e.nameLists.has(type)) continue;
      row.target++;
      const owner = e.links.find((link) => link.entityType === type && link.targetId === String(record.Id));
      const cause = owner
        ? `source ${owner.sourceId} is gone; its link is ${owner.state} ${owner.failureCode ?? ''} ${owner.failureReason ?? ''}`
        : 'no link names it';
      say('extra', key, `${describe(record)} stands for no source record`, blame(key, cause));
    }
    counts.push(row);
    if (row.source !== row.target) say('count', type, `${row.source} in the source, ${row.target} in the target`);
  }
  const trialBalance = comparePostings(e, pairs, held, say, blame, linkOf, notes);
  compareBalances(e, pairs, held, say);
  compareLinks(e, pairs, held, say, notes);
  compareContent(e, pairs, held, say, linkOf, notes);
  return {
    ...{ records, types: types.size, differences, counts, trialBalance, notes },
    held: [...held.values()].filter(({ key }) => e.carried.has(typeOf(key)) && e.judged(typeOf(key))),
    notCarried: source
      .types()
      .filter((type) => !e.carried.has(type))
      .map((type) => ({ type, records: source.ofType(type).length })),
  };
}

type Say = (what: Difference['what'], key: string, text: string, cause?: string) => void;

const isPutAway = (record: Raw, link: LinkRow | undefined): boolean =>
  record.Active === false && link?.state === 'settled';

const typeOf = (key: string): string => key.slice(0, key.indexOf('/'));

function describe(record: Raw): string {
  const name: unknown = record.DisplayName ?? record.FullyQualifiedName ?? record.Name ?? record.DocNumber;
  const amount: unknown = record.TotalAmt ?? record.Amount;
  return [name, amount].filter((part) => part !== undefined).join(', ') || 'it';
}

/** Records with an excuse: of a type that is not carried, not possible, or held by name; and what depends on them. */
function whatIsHeld(
  e: Evidence,
  linkOf: ReadonlyMap<string, LinkRow>,
  pairs: ReadonlyMap<string, string>,
): Map<string, Held> {
  const held = new Map<string, Held>();
  const add = (key: string, record: Raw, reason: string): void =>
    void held.set(key, { key, reason, amount: String(record.TotalAmt ?? record.Amount ?? record.Balance ?? '-') });
  const say = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 80);
  const pending: { key: string; record: Raw; parents: string[]; reason: string }[] = [];
  const known = [
    ...excuses,
    ...(e.fragment ? excusesOfRealRecords : []),
    ...(e.severalHands ? excusesOfSeveralHands : []),
  ];
  for (const type of e.source.types()) {
    for (const record of e.source.ofType(type)) {
      const key = `${type}/${record.Id}`;
      if (!e.carried.has(type)) {
        add(key, record, `${type} is not carried`);
        continue;
      }
      const impossible = e.notPossible(type, record);
      if (impossible !== undefined) {
        add(key, record, impossible);
        continue;
      }
      const link = linkOf.get(key);
      const hangsOn = ((record.AttachableRef as Raw[] | undefined) ?? []).flatMap(({ EntityRef }) =>
        EntityRef ? [`${linkTypeOf(String(EntityRef.type))}/${EntityRef.value}`] : [],
      );
      if (hangsOn.length > 0 && (link?.state !== 'settled' || link.targetId === null)) {
        const gone = hangsOn.find((parent) => isAbsent(e.source, parent));
        if (gone) {
          add(key, record, `hangs on ${gone}, which was deleted in the source`);
          continue;
        }
        pending.push({ key, record, parents: hangsOn, reason: `hangs on ${hangsOn.join()}` });
      }
      const kept = (link?.differences ?? []).filter(({ cause }) => cause === 'DRIFT.KEPT');
      if (kept.length > 0) {
        const values = kept.map(({ path, sent, answered }) => `${path} ${say(sent)} there, ${say(answered)} here`);
        add(key, record, `edited in the target, kept by the policy of the sync (DRIFT.KEPT): ${values.join('; ')}`);
        continue;
      }
      if (!link || link.state === 'settled') continue;
      const code = link.failureCode ?? '';
      const excuse = known.find((one) => one.code.test(code) && (one.saying?.test(link.failureReason ?? '') ?? true));
      const named = [...(link.failureReason ?? '').matchAll(/\b([A-Z][A-Za-z]+)[ /](\d+)\b/g)].map(
        ([, other, id]) => `${other}/${id}`,
      );
      const isTaken = takenAlready.code.test(code) && named.some((one) => e.targetBefore.has(one));
      const absent = e.fragment && (link.waitingOn ?? []).find((parent) => isAbsent(e.source, parent));
      const reason = `${link.state} ${code}: ${link.failureReason ?? ''}`;
      if (excuse ?? isTaken) add(key, record, `${(excuse ?? takenAlready).because} (${reason})`);
      else if (absent) add(key, record, `refers to ${absent}, which the source itself does not have`);
      else if (link.state === 'waiting' || parentCodes.test(code)) {
        const parents = [...(link.waitingOn ?? []), ...named];
        pending.push({
          key,
          record,
          parents,
          reason: link.waitingOn?.length ? `waits for ${link.waitingOn.join()}` : reason,
        });
      }
    }
  }
  for (const [key, reason] of e.severalHands ? keptAgainst(e.linksBack ?? [], e.target) : []) {
    const record = e.source.record(key);
    if (record) add(key, record, `deleted in the other company, where nothing hung on it: ${reason}`);
  }
  // What somebody did to the copy and cannot be done here.
  for (const [key, copy] of e.severalHands ? pairs : []) {
    const record = e.source.record(key);
    if (record && e.heldThere?.has(copy)) add(key, record, `${copy} of the other company is held on the way back`);
  }
  for (let grown = true; grown;) {
    grown = false;
    for (const { key, record, parents, reason } of pending) {
      if (held.has(key) || !parents.some((parent) => held.has(parent))) continue;
      add(key, record, reason);
      grown = true;
    }
  }
  return held;
}

/**
 * What one person deleted in their company while another made something depend on it in theirs: QuickBooks refuses to delete it
 * there, and the deletion is held. By the record that is still there.
 */
function* keptAgainst(links: readonly LinkRow[], from: Books): Generator<[key: string, reason: string]> {
  for (const { entityType, sourceId, targetId, state, failureCode, failureReason } of links) {
    const isGone = from.record(`${entityType}/${sourceId}`) === undefined;
    if (isGone && targetId !== null && state === 'held' && failureCode === 'QBO.800')
      yield [`${entityType}/${targetId}`, failureReason ?? ''];
  }
}

const isAbsent = (source: Books, parent: string): boolean =>
  /^[A-Z]\w+\/\d+$/.test(parent) && source.record(parent) === undefined;

/** `Type/source id` -> `Type/target id`. */
function pairUp(e: Evidence, linkOf: ReadonlyMap<string, LinkRow>): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const [key, link] of linkOf) {
    if (link.targetId !== null && link.targetId !== undefined) pairs.set(key, `${link.entityType}/${link.targetId}`);
  }
  // Files have rows of their own; they are paired by name and by what they hang on.
  const place = (record: Raw, translate: (key: string) => string): string => {
    const refs = ((record.AttachableRef as Raw[] | undefined) ?? []).flatMap(({ EntityRef }) =>
      EntityRef ? [translate(`${EntityRef.type}/${EntityRef.value}`)] : [],
    );
    return `${record.FileName ?? record.Note} on ${refs.sort().join()}`;
  };
  const free = new Map<string, string[]>();
  for (const record of e.target.ofType('Attachable')) {
    const at = place(record, (key) => key);
    free.set(at, [...(free.get(at) ?? []), `Attachable/${record.Id}`]);
  }
  for (const record of e.source.ofType('Attachable')) {
    const key = `Attachable/${record.Id}`;
    if (pairs.has(key)) continue;
    const found = free.get(place(record, (one) => pairs.get(one) ?? `source ${one}`))?.shift();
    if (found !== undefined) pairs.set(key, found);
  }
  return pairs;
}

function whyMissing(link: LinkRow | undefined, targetKey: string | undefined): string {
  if (!link) return 'the sync knows no link of it: it was not captured or not mapped';
  const why = link.failureReason ?? (link.waitingOn?.length ? `waits for ${link.waitingOn.join()}` : '');
  return `its link is ${link.state} ${link.failureCode ?? ''} ${why}${targetKey ? `; ${targetKey} is gone` : ''}`.trim();
}

function comparePostings(
  e: Evidence,
  pairs: ReadonlyMap<string, string>,
  held: ReadonlyMap<string, Held>,
  say: Say,
  blame: (key: string, text: string) => string,
  linkOf: ReadonlyMap<string, LinkRow>,
  notes: string[],
): TrialBalance {
  const { source, target } = e;
  // Held records are out of both sums: also what the target has of them from before they were held.
  const outHere = new Set([...(e.heldThere ?? []), ...[...held.keys()].flatMap((key) => pairs.get(key) ?? [])]);
  const judged = (key: string): boolean => e.judged(typeOf(key));
  const sums = new Map<string, { source: bigint; target: bigint }>();
  const names = new Map<string, { source: bigint; target: bigint }>();
  // A source record is called as its copy is: names are compared as content, and a name that could not be made inactive (or is
  // otherwise held) is still the same name in the ledger.
  const here: Named = (type, id) => target.nameOf(type, id);
  const there: Named = (type, id) => {
    const copy = pairs.get(`${type}/${id}`);
    return copy === undefined || !target.record(copy)
      ? source.nameOf(type, id)
      : here(type, copy.slice(type.length + 1));
  };
  const count = (side: 'source' | 'target', books: Books, line: PostingLine): void => {
    const named = side === 'source' ? there : here;
    const account = named('Account', line.accountId);
    add(sums, account, side, amountOf(line));
    const kind = books.accountType(line);
    if (line.name && (kind === 'Accounts Receivable' || kind === 'Accounts Payable'))
      add(names, `${line.name.type} ${named(line.name.type, line.name.id)} in ${account}`, side, amountOf(line));
  };
  for (const line of source.lines) if (!held.has(ownerOf(line)) && judged(ownerOf(line))) count('source', source, line);
  for (const line of target.lines) {
    const owner = ownerOf(line);
    if (!outHere.has(owner) && !e.targetBefore.has(owner) && judged(owner)) count('target', target, line);
  }
  const guilty = new Map<string, string>();
  const spread: Spread[] = [];
  const blameFor = (account: string, key: string): void => void (guilty.has(account) || guilty.set(account, key));
  for (const key of source.owners()) {
    if (held.has(key) || !judged(key)) continue;
    const copy = pairs.get(key);
    const ours = source.posted(key);
    const theirs = copy === undefined ? [] : target.posted(copy);
    const [left, right] = lineDifference(
      ours.map((line) => source.textOf(line, there)),
      theirs.map((line) => target.textOf(line, here)),
    );
    if (left.length + right.length === 0) continue;
    for (const line of ours) blameFor(there('Account', line.accountId), key);
    for (const line of theirs) blameFor(here('Account', line.accountId), key);
    if (copy === undefined || !target.record(copy)) continue; // said as missing
    if (onlyStock(source, ours, left, there) && onlyStock(target, theirs, right, here)) {
      spread.push({ key, left, right });
      continue;
    }
    const text = `posts ${left.slice(0, 3).join(' ; ') || 'nothing more'} there, ${right.slice(0, 3).join(' ; ') || 'nothing more'} here`;
    const link = linkOf.get(key);
    const why =
      link && link.state !== 'settled' ? whyMissing(link, undefined) : 'its content differs or is computed differently';
    say('posting', key, text, blame(key, why));
  }
  if (sumsAreEqual(spread)) {
    if (spread.length > 0)
      notes.push(
        `the cost of stock sold on one day is spread differently over ${spread.map(({ key }) => key).join(', ')}; each day's sums are equal: a company costs in its own order of entry`,
      );
  } else {
    for (const { key, left, right } of spread)
      say(
        'posting',
        key,
        `posts ${left.join(' ; ') || 'nothing more'} there, ${right.join(' ; ') || 'nothing more'} here`,
      );
  }
  const paired = new Set(pairs.values());
  for (const key of target.owners()) {
    if (!e.targetBefore.has(key) && !paired.has(key))
      for (const line of target.posted(key)) blameFor(here('Account', line.accountId), key);
  }
  for (const [account, sum] of sums) {
    if (sum.source === sum.target) continue;
    const first = guilty.get(account);
    const cause = first ? `first: ${first} ${blame(first, '')}`.trim() : 'no transaction of it differs';
    say('account', account, `${money(sum.source)} there, ${money(sum.target)} here`, cause);
  }
  for (const [name, sum] of names) {
    if (sum.source !== sum.target) say('balance', name, `${money(sum.source)} there, ${money(sum.target)} here`);
  }
  const total = (of: (sum: { source: bigint; target: bigint }) => bigint): string =>
    money([...sums.values()].reduce((all, sum) => all + of(sum), 0n));
  const positive = (amount: bigint): bigint => (amount > 0n ? amount : 0n);
  return {
    accounts: sums.size,
    source: total((sum) => positive(sum.source)),
    target: total((sum) => positive(sum.target)),
    difference: total(({ source: a, target: b }) => (a > b ? a - b : b - a)),
  };
}

function add(
  sums: Map<string, { source: bigint; target: bigint }>,
  key: string,
  side: 'source' | 'target',
  amount: bigint,
): void {
  const sum = sums.get(key) ?? { source: 0n, target: 0n };
  sum[side] += amount;
  sums.set(key, sum);
}

/** Whether the lines that the other side does not have are all of stock and its cost. */
const onlyStock = (books: Books, lines: readonly PostingLine[], more: readonly string[], named: Named): boolean =>
  lines.every((line) => !more.includes(books.textOf(line, named)) || books.isStock(line.accountId));

/** Lines of stock and its cost that only one side has. */
interface Spread {
  key: string;
  left: readonly string[];
  right: readonly string[];
}

/** Whether they come to the same for each day and account. */
function sumsAreEqual(spread: readonly Spread[]): boolean {
  const sums = new Map<string, bigint>();
  const count = (text: string, sign: bigint): void => {
    const [date, account, amount] = text.split(' | ');
    sums.set(`${date} ${account}`, (sums.get(`${date} ${account}`) ?? 0n) + sign * cents(amount!));
  };
  for (const { left, right } of spread) {
    for (const text of left) count(text, 1n);
    for (const text of right) count(text, -1n);
  }
  return [...sums.values()].every((sum) => sum === 0n);
}

/** What either multiset has more than the other. */
export function lineDifference(left: readonly string[], right: readonly string[]): [string[], string[]] {
  const rest = [...right];
  const more = left.filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  return [more, rest];
}

/** What each document and each name leaves open, as QuickBooks derives it from links. */
function compareBalances(
  e: Evidence,
  pairs: ReadonlyMap<string, string>,
  held: ReadonlyMap<string, Held>,
  say: Say,
): void {
  // A held document changes what it pays, the balance of its name, and the stock of what is on it.
  const touched = new Set<string>();
  for (const key of held.keys()) {
    const record = e.source.record(key);
    for (const other of linkedDocuments(record)) touched.add(other);
    for (const line of e.source.posted(key)) if (line.name) touched.add(`${line.name.type}/${line.name.id}`);
    for (const item of itemsOn(record)) touched.add(item);
  }
  const sources = new Map([...pairs].map(([key, copy]) => [copy, key]));
  for (const key of e.heldThere ?? []) {
    const names = e.target.posted(key).flatMap(({ name }) => (name ? [`${name.type}/${name.id}`] : []));
    for (const other of [...linkedDocuments(e.target.record(key)), ...names]) touched.add(sources.get(other) ?? other);
  }
  for (let grown = true; grown;) {
    grown = false;
    for (const customer of e.source.ofType('Customer')) {
      const parent = customer.ParentRef?.value as string | undefined;
      if (parent && touched.has(`Customer/${customer.Id}`) && !touched.has(`Customer/${parent}`)) {
        touched.add(`Customer/${parent}`);
        grown = true;
      }
    }
  }
  for (const [key, here] of pairs) {
    const [ours, theirs] = [e.source.record(key), e.target.record(here)];
    if (!ours || !theirs || held.has(key) || touched.has(key) || !e.judged(typeOf(key)) || typeOf(key) === 'Account')
      continue;
    for (const field of ['Balance', 'BalanceWithJobs', 'UnappliedAmt', 'RemainingCredit', 'TotalAmt', 'QtyOnHand']) {
      const [a, b] = [ours[field], theirs[field]].map((value) => (value === undefined ? '0' : String(value)));
      if (a !== b && cents4(a!) !== cents4(b!)) say('open', key, `${field} ${a} there, ${b} here`);
    }
  }
}

/** What it sold or bought: a held document moves no stock. */
function itemsOn(record: Raw): string[] {
  const lines = (record?.Line as Raw[] | undefined) ?? [];
  return lines.flatMap((line) => {
    const item: unknown = line[String(line.DetailType)]?.ItemRef?.value;
    return item === undefined ? [] : [`Item/${String(item)}`];
  });
}

/** Quantities have more than two places. */
const cents4 = (text: string): bigint | string => {
  const [whole, part = ''] = text.split('.');
  return part.length <= 2 ? cents(text) : `${whole}.${part.replace(/0+$/, '')}`;
};

/** Every link between documents, seen from the record that owns it. */
function compareLinks(
  e: Evidence,
  pairs: ReadonlyMap<string, string>,
  held: ReadonlyMap<string, Held>,
  say: Say,
  notes: string[],
): void {
  const heldHere = new Set([...(e.heldThere ?? []), ...[...held.keys()].flatMap((one) => pairs.get(one) ?? [])]);
  for (const [key, here] of pairs) {
    const [ours, theirs] = [e.source.record(key), e.target.record(here)];
    if (!ours || !theirs || held.has(key) || !e.judged(typeOf(key))) continue;
    const known = (other: string): boolean => !held.has(other) && e.carried.has(linkTypeOf(typeOf(other)));
    const named = linkedDocuments(ours).filter(known);
    // Real records do not always say a link on the side that owns it, and QuickBooks takes it from no other.
    const oneSided = named.filter(
      (other) => e.fragment && !ownsLinks(typeOf(key)) && !linkedDocuments(e.source.record(other)).includes(key),
    );
    for (const other of oneSided)
      notes.push(`${key} is linked to ${other}, which does not say so: that link is not carried`);
    const wanted = named
      .filter((other) => !oneSided.includes(other))
      .map((other) => pairs.get(other) ?? `source ${other}`);
    const [left, right] = lineDifference(
      wanted,
      linkedDocuments(theirs).filter((other) => !heldHere.has(other) && e.carried.has(typeOf(other))),
    );
    if (left.length + right.length > 0)
      say('links', key, `linked to ${left.join() || 'nothing more'} there, to ${right.join() || 'nothing more'} here`);
  }
}

const ownsLinks = (type: string): boolean => definitionOf(type).references.some(({ kind }) => kind === 'linked-txn');

/** What a record says beyond its postings: names, notes, dates, numbers, addresses, references. */
function compareContent(
  e: Evidence,
  pairs: ReadonlyMap<string, string>,
  held: ReadonlyMap<string, Held>,
  say: Say,
  linkOf: ReadonlyMap<string, LinkRow>,
  notes: string[],
): void {
  const givenHere = new Map<string, number>();
  const translate = (type: string, id: string): string | undefined =>
    pairs.get(`${type}/${id}`)?.slice(type.length + 1);
  for (const [key, here] of pairs) {
    const [ours, theirs] = [e.source.record(key), e.target.record(here)];
    const type = typeOf(key);
    if (!ours || !theirs || held.has(key) || !e.judged(type) || e.mappedOnly?.(type, ours)) continue;
    const unsaid = e.fragment
      ? givenByQuickBooks.filter((field) => isUnsaid(ours, field) && !isUnsaid(theirs, field))
      : [];
    for (const field of unsaid) givenHere.set(`${type}.${field}`, (givenHere.get(`${type}.${field}`) ?? 0) + 1);
    const rest = Object.fromEntries(Object.entries(theirs as object).filter(([field]) => !unsaid.includes(field)));
    const found = contentDifferences(meaning(type, said(ours), translate), meaning(type, said(rest)));
    if (found.length === 0) continue;
    const link = linkOf.get(key);
    say(
      'field',
      key,
      found.slice(0, 4).join('; '),
      link && link.state !== 'settled' ? whyMissing(link, undefined) : '',
    );
  }
  for (const [field, times] of givenHere)
    notes.push(`${field}: ${times} x absent from the real record, given by QuickBooks to its copy`);
}

/** What a company of QuickBooks puts into a document that says nothing of it; real records were not all captured with it. */
const givenByQuickBooks = ['ShipFromAddr', 'DocNumber'];

const isUnsaid = (record: Raw, field: string): boolean => record[field] === undefined || record[field] === null;

/** A payment of nothing goes nowhere: QuickBooks keeps the account of one that was voided, and drops that of one made so. */
function said(record: Raw): Raw {
  if (Number(record.TotalAmt) !== 0 || record.DepositToAccountRef === undefined) return record;
  const { DepositToAccountRef: _nowhere, ...rest } = record as Record<string, unknown>;
  return rest;
}
