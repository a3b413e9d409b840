// Are the two companies equal? Judged from the emulator's dumps and ledgers, not from what the sync believes: its links
// are only used to know which target id stands for which source id. Pure, but for its input.
import type { Raw } from '#testing';

/** What the sync carries, in the order in which a person reads a company. */
export const carriedTypes = [
  ...['Account', 'Term', 'PaymentMethod', 'Class', 'Department', 'Customer', 'Vendor', 'Item'],
  ...['Invoice', 'Payment', 'Bill', 'Attachable'],
] as const;

export interface Dump {
  records: Record<string, Raw[]>;
}

export interface Pair {
  entityType: string;
  sourceId: string;
  targetId: string | null;
}

export interface Comparison {
  /** source records with an equal counterpart */
  equal: number;
  /** source records without one: the counterpart is missing or differs */
  lost: { key: string; why: string }[];
  /** target records that stand for no source record, and groups that look alike */
  doubled: { key: string; why: string }[];
  counts: { type: string; source: number; target: number }[];
}

export interface Evidence {
  source: Dump;
  target: Dump;
  /** the target as it was before the sync */
  targetBefore: Dump;
  links: readonly Pair[];
  /** SHA-256 of a file by `side/attachable id` */
  fileHashes: ReadonlyMap<string, string>;
  duplicateSuspects: readonly unknown[];
}

export function compare(e: Evidence): Comparison {
  const lost: Comparison['lost'] = [];
  const doubled: Comparison['doubled'] = [];
  const targetOf = new Map<string, string>();
  const claimed = new Map<string, string>();
  for (const { entityType, sourceId, targetId } of [...e.links, ...attachmentPairs(e)]) {
    if (targetId === null) continue;
    targetOf.set(`${entityType}/${sourceId}`, targetId);
    const key = `${entityType}/${targetId}`;
    const other = claimed.get(key);
    if (other !== undefined && alive(e.source, entityType, sourceId)) {
      lost.push({ key: `${entityType}/${sourceId}`, why: `shares target ${targetId} with source ${other}` });
    }
    claimed.set(key, sourceId);
  }

  let equal = 0;
  for (const type of carriedTypes) {
    const there = new Map(recordsOf(e.target, type).map((record) => [String(record.Id), record]));
    for (const record of recordsOf(e.source, type)) {
      const key = `${type}/${record.Id}`;
      const targetId = targetOf.get(key);
      const counterpart = targetId === undefined ? undefined : there.get(targetId);
      if (!counterpart) {
        lost.push({ key, why: targetId === undefined ? 'no counterpart' : `target ${targetId} is not there` });
        continue;
      }
      const differences = differ(
        meaning(
          type,
          record,
          (t, id) => targetOf.get(`${t}/${id}`) ?? `source:${id}`,
          e.fileHashes.get(`source/${record.Id}`),
        ),
        meaning(type, counterpart, (_t, id) => id, e.fileHashes.get(`target/${targetId}`)),
      );
      if (differences.length > 0) lost.push({ key, why: differences.slice(0, 4).join('; ') });
      else equal++;
    }
    const before = new Set(recordsOf(e.targetBefore, type).map((record) => String(record.Id)));
    for (const id of there.keys()) {
      const sourceId = claimed.get(`${type}/${id}`);
      if (before.has(id) || (sourceId !== undefined && alive(e.source, type, sourceId))) continue;
      doubled.push({
        key: `${type}/${id}`,
        why: sourceId ? `source ${sourceId} is gone` : 'stands for no source record',
      });
    }
  }
  for (const suspect of e.duplicateSuspects) doubled.push({ key: 'suspects', why: JSON.stringify(suspect) });
  const counts = carriedTypes.map((type) => ({
    type,
    source: recordsOf(e.source, type).length,
    target: recordsOf(e.target, type).length,
  }));
  return { equal, lost, doubled, counts: counts.filter(({ source, target }) => source + target > 0) };
}

const recordsOf = (dump: Dump, type: string): Raw[] => dump.records[type] ?? [];
const alive = (dump: Dump, type: string, id: string): boolean => recordsOf(dump, type).some((r) => String(r.Id) === id);

// The links API speaks of records; files are paired by name and by the record they hang on.
function attachmentPairs({ source, target, links }: Evidence): Pair[] {
  const targetOf = new Map(links.map((link) => [`${link.entityType}/${link.sourceId}`, link.targetId]));
  const place = (record: Raw, translate: (type: string, id: string) => string): string => {
    const refs = ((record.AttachableRef as Raw[] | undefined) ?? []).map(
      ({ EntityRef }) => `${EntityRef?.type}/${translate(EntityRef?.type, EntityRef?.value)}`,
    );
    return `${record.FileName} on ${refs.sort().join()}`;
  };
  const free = new Map(recordsOf(target, 'Attachable').map((r) => [String(r.Id), place(r, (_t, id) => id)]));
  const pairs: Pair[] = [];
  for (const record of recordsOf(source, 'Attachable')) {
    const wanted = place(record, (type, id) => targetOf.get(`${type}/${id}`) ?? `source:${id}`);
    const found = [...free].find(([, at]) => at === wanted)?.[0];
    if (found !== undefined) free.delete(found);
    pairs.push({ entityType: 'Attachable', sourceId: String(record.Id), targetId: found ?? null });
  }
  return pairs;
}

// What each company decides for itself: ids, tokens, times, numbers that follow from other records, links to files.
const ownFields = new Set([
  ...[
    'Id',
    'SyncToken',
    'MetaData',
    'domain',
    'sparse',
    'status',
    'LinkedTxn',
    'FullyQualifiedName',
    'name',
    'V4IDPseudonym',
  ],
  ...['FileAccessUri', 'TempDownloadUri', 'ThumbnailFileAccessUri', 'ThumbnailTempDownloadUri', 'RecurDataRef'],
  ...['LineNum', 'PrintStatus', 'EmailStatus', 'InvoiceLink', 'AllowOnlinePayment'],
]);

/** The record as a flat list path -> value, references written with the other side's ids. */
function meaning(
  type: string,
  record: Raw,
  translate: (type: string, id: string) => string,
  fileHash: string | undefined,
): Map<string, string> {
  const flat = new Map<string, string>();
  const walk = (value: Raw, path: string) => {
    if (value === null || value === undefined || value === '') return;
    if (Array.isArray(value)) return value.forEach((entry, i) => walk(entry, `${path}[${i}]`));
    if (typeof value !== 'object') return void flat.set(path, String(value));
    for (const [field, inner] of Object.entries<Raw>(value)) {
      if (field === 'LinkedTxn') {
        const linked = (inner as Raw[]).map((l) => `${l.TxnType}/${translate(l.TxnType, String(l.TxnId))}`);
        if (linked.length > 0) flat.set(`${path}.LinkedTxn`, linked.sort().join());
      } else if (ownFields.has(field)) continue;
      else if (field === 'IncludeOnSend' && inner === false)
        continue; // what QuickBooks assumes when nothing is said
      else if (field === 'EntityRef') {
        flat.set(`${path}.EntityRef`, `${inner.type}/${translate(inner.type, String(inner.value))}`);
      } else if (/Ref$/.test(field) && inner && typeof inner === 'object' && 'value' in inner) {
        const referred = referredType(type, field);
        flat.set(`${path}.${field}`, referred ? translate(referred, String(inner.value)) : String(inner.value));
      } else walk(inner, `${path}.${field}`);
    }
  };
  walk(record, '');
  if (fileHash !== undefined) flat.set('.content', fileHash);
  return flat;
}

function referredType(type: string, field: string): string | undefined {
  if (field === 'ParentRef') return type;
  const byName: Record<string, string> = {
    CustomerRef: 'Customer',
    VendorRef: 'Vendor',
    ItemRef: 'Item',
    ClassRef: 'Class',
    DepartmentRef: 'Department',
    SalesTermRef: 'Term',
    TermRef: 'Term',
    PaymentMethodRef: 'PaymentMethod',
  };
  return byName[field] ?? (/AccountRef$/.test(field) ? 'Account' : undefined);
}

function differ(source: Map<string, string>, target: Map<string, string>): string[] {
  const found: string[] = [];
  for (const path of new Set([...source.keys(), ...target.keys()])) {
    const [a, b] = [source.get(path), target.get(path)];
    if (a !== b) found.push(`${path.slice(1)}: ${a ?? 'nothing'} there, ${b ?? 'nothing'} here`);
  }
  return found;
}

export interface BalanceRow {
  account: string;
  source: bigint;
  target: bigint;
}

/** Both trial balances side by side by account name, debit positive, in cents. */
export function sideBySide(source: readonly Raw[], target: readonly Raw[]): BalanceRow[] {
  const rows = new Map<string, BalanceRow>();
  for (const [side, balances] of [
    ['source', source],
    ['target', target],
  ] as const) {
    for (const { name, debit, credit } of balances) {
      const row = rows.get(name) ?? { account: name, source: 0n, target: 0n };
      row[side] += cents(debit) - cents(credit);
      rows.set(name, row);
    }
  }
  return [...rows.values()].filter((row) => row.source !== 0n || row.target !== 0n);
}

/** Exact: the emulator gives money as text. */
export function cents(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,2})0*)?$/.exec(text);
  if (!match) throw new RangeError(`"${text}" is not an amount of cents`);
  const value = BigInt(match[2]!) * 100n + BigInt((match[3] ?? '').padEnd(2, '0'));
  return match[1] ? -value : value;
}

export function money(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(3, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

export const totalDifference = (rows: readonly BalanceRow[]): bigint =>
  rows.reduce((sum, { source, target }) => sum + (source > target ? source - target : target - source), 0n);
