// I-01: every in-scope source version is applied, superseded, waiting, or held with a reason; nothing is unknown.
import type { Raw } from '#testing';
import type { FileRow, LinkRow, SyncRow, TopicRecord } from '../evidence.js';
import { linkKey, nameOf, type Books } from '../books.js';
import { isReshaped, scopeOf } from '../scope.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

export function applied(books: Books): Verdict {
  const { e } = books;
  if (e.tables.syncs.length === 0) return notJudged('there is no sync');
  if (e.rest.motion.length > 0) return notJudged(`the system is not at rest: ${e.rest.motion.join(', ')}`);
  const violations: Violation[] = [];
  const counts = { applied: 0, waiting: 0, held: 0, outside: 0 };
  const latest = latestChanges(e.topics.changes);
  for (const sync of books.judgeable()) {
    const source = books.company(sync.source_realm_id);
    if (!source) continue;
    const scope = scopeOf(sync, e.tables);
    const files = new Map(e.tables.files.filter((f) => f.sync_id === sync.id).map((f) => [f.attachable_id, f]));
    for (const [type, records] of Object.entries(source.records)) {
      for (const record of records) {
        const id = String(record.Id);
        const name = { realmId: source.realmId, type, id };
        const link =
          type === 'Attachable'
            ? linkOfFile(files.get(id))
            : books.links.get(linkKey({ sync_id: sync.id, entity_type: type, source_id: id }));
        if (!link) {
          const excuse = scope.excuse(type, record, id);
          if (excuse === undefined)
            violations.push({ what: `${type} ${id} is unknown: no link, no reason`, record: name });
          else counts.outside++;
          continue;
        }
        const change = latest.get(`${source.realmId}/${type}/${id}`);
        const stale = change ? staleness(change, record) : 'nothing was published of it';
        if (stale !== undefined) {
          violations.push({ what: `the last version of ${type} ${id} was not captured: ${stale}`, record: name });
          continue;
        }
        const wrong = wrongWith(books, sync, link, record, change);
        if (wrong !== undefined) violations.push({ what: `${type} ${id}: ${wrong}`, record: name });
        else if (link.state === 'settled') counts.applied++;
        else if (link.state === 'waiting') counts.waiting++;
        else counts.held++;
      }
    }
    for (const [type, records] of Object.entries(source.deleted)) {
      for (const record of records) {
        const id = String(record.Id);
        const link = books.links.get(linkKey({ sync_id: sync.id, entity_type: type, source_id: id }));
        if (!link?.target_id || link.state !== 'settled') continue;
        const copy = books.record(sync.target_realm_id, type, link.target_id);
        if (copy && copy.Active !== false && books.claiming(sync.id, type, link.target_id).length === 1)
          violations.push({
            what: `${type} ${id} was deleted in the source and lives on as ${type} ${link.target_id}`,
            record: nameOf(link),
          });
        else counts.applied++;
      }
    }
  }
  for (const dead of e.topics.deadLetters)
    if (dead.value === undefined) violations.push({ what: `dead letter ${dead.offset} cannot be read` });
  return judged(
    violations,
    `${counted(counts.applied, 'source record')} applied, ${counts.waiting} waiting, ${counts.held} held with a reason, 0 unknown` +
      ` (${counts.outside} outside of the syncs, ${counted(e.topics.deadLetters.length, 'dead letter')})`,
  );
}

function linkOfFile(file: FileRow | undefined): LinkRow | undefined {
  return (
    file && {
      ...file,
      entity_type: 'Attachable',
      source_id: file.attachable_id,
      lane: 'live',
      desired_op: file.desired_deleted ? 'delete' : 'upsert',
      applied_version: file.target_id === null ? null : file.desired_version,
      target_deleted: false,
      generation: 0,
      merged_into: null,
      differences:
        file.source_sha256 !== null && file.target_sha256 !== null && file.source_sha256 !== file.target_sha256
          ? null
          : [],
      settled_at: null,
    }
  );
}

function latestChanges(changes: readonly TopicRecord[]): Map<string, TopicRecord> {
  const latest = new Map<string, TopicRecord>();
  for (const change of changes) {
    if (!change.value || change.key === null) continue;
    const known = latest.get(change.key);
    // A key lives in one partition, so its order is the order of offsets; a replayed older version comes later.
    if (!known || String(change.value.version) >= String(known.value.version)) latest.set(change.key, change);
  }
  return latest;
}

/** Facts of a record that never move without an edit of it. */
const facts = ['TotalAmt', 'TxnDate', 'DueDate', 'DocNumber', 'PrivateNote', 'DisplayName', 'Name', 'Active'];
const moreFacts = ['Description', 'UnitPrice', 'AcctNum', 'CompanyName'];

function staleness({ value }: TopicRecord, record: Raw): string | undefined {
  if (value.deleted) return 'the last thing told of it is that it is gone';
  return differing([...facts, ...moreFacts], value.snapshot ?? {}, record);
}

function differing(fields: readonly string[], told: Raw, now: Raw): string | undefined {
  for (const field of fields) {
    const [a, b] = [told[field], now[field]].map((value) => (value === undefined || value === '' ? null : value));
    if (a !== b && !(field === 'Active' && (a ?? true) === (b ?? true)))
      return `${field} is ${JSON.stringify(b)}, told was ${JSON.stringify(a)}`;
  }
  return undefined;
}

/** A file whose every document was deleted in the source, before it was carried: nobody would ever see the copy. */
function hangsOnDeleted(books: Books, sync: SyncRow, file: Raw): boolean {
  const anchors = ((file.AttachableRef as Raw[] | undefined) ?? []).flatMap(({ EntityRef }) => EntityRef ?? []);
  return (
    anchors.length > 0 &&
    anchors.every(({ type, value }: Raw) => !books.record(sync.source_realm_id, String(type), String(value)))
  );
}

/** In a pair: a person merged the copy into another name over there, and no API merges here; so this one is inactive. */
function wasMergedThere(books: Books, sync: SyncRow, link: LinkRow): boolean {
  return books.e.tables.links.some(
    (one) =>
      one.source_realm_id === sync.target_realm_id &&
      one.target_realm_id === sync.source_realm_id &&
      one.entity_type === link.entity_type &&
      one.source_id === link.target_id &&
      one.desired_op === 'delete' &&
      one.state === 'settled',
  );
}

function wrongWith(
  books: Books,
  sync: SyncRow,
  link: LinkRow,
  record: Raw,
  change: TopicRecord | undefined,
): string | undefined {
  switch (link.state) {
    case 'waiting':
      return link.waiting_on.length === 0 ? 'waits for nothing that is named' : undefined;
    case 'held':
    case 'failed':
      return link.failure_code ? undefined : `is ${link.state} without a reason`;
    case 'settled':
      break;
    default:
      return `is still ${link.state} though nothing moves`;
  }
  if (change && link.desired_version < String(change.value.version))
    return `its newest version ${change.value.version} was never taken in (${link.desired_version} is)`;
  if (link.desired_op === 'delete') return 'is to be deleted though it lives in the source';
  if (link.target_id === null) return hangsOnDeleted(books, sync, record) ? undefined : 'is settled without a target';
  const copy = books.record(sync.target_realm_id, link.entity_type, link.target_id);
  if (!copy && record.Active === false && wasMergedThere(books, sync, link)) return undefined;
  if (!copy) return `is lost: ${link.entity_type} ${link.target_id} is not in the target`;
  if (link.applied_version === null) return 'is settled without an applied version';
  if (link.entity_type === 'Attachable')
    return link.differences === null ? 'the copy has other bytes than the source' : undefined;
  if (books.isStuckOnTheWayBack(sync, link)) return undefined;
  // What QuickBooks answered otherwise than it was told is written down, and what a tenant reshapes differs by wish.
  if ((link.differences?.length ?? 0) > 0 || isReshaped(sync, books.e.tables)) return undefined;
  const fields = ['TotalAmt', 'TxnDate', 'PrivateNote'].concat(link.desired_op === 'void' ? [] : ['Active']);
  const unlike = differing(fields, copy, record);
  return unlike === undefined ? undefined : `the target differs: ${unlike}`;
}
