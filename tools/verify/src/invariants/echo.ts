// I-11: our own write never comes back as a new change. It may be read again; it must not move anything.
import { attemptName, type Books } from '../books.js';
import type { AttemptRow } from '../evidence.js';
import { pointers } from './references.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

export function echo(books: Books): Verdict {
  const { tables, topics } = books.e;
  if (tables.syncs.length === 0) return notJudged('there is no sync');
  const violations: Violation[] = [];
  const sources = new Set(tables.syncs.map((sync) => sync.source_realm_id));
  // What a company that is nobody's source tells of itself could only be our own writes.
  for (const { key, value } of topics.changes) {
    if (!value || sources.has(String(value.realmId))) continue;
    violations.push({
      what: `${key} was captured as a change, and its company is nobody's source`,
      record: { realmId: value.realmId, type: value.entityType, id: value.id },
    });
  }
  const both = tables.syncs.filter((sync) => sources.has(sync.target_realm_id));
  // Versions of target records that are our own doing: what the answer to our write said. A deletion makes no version: the
  // token it shows is that of the last edit, which may be a person's.
  const own = new Map<string, AttemptRow>();
  const removed = new Map<string, string>();
  for (const { realmId, type, id, act, token, attempt } of books.effects) {
    if (!attempt) continue;
    if (act === 'delete') removed.set(`${realmId}/${type}/${id}`, attempt.sync_id);
    else if (token !== undefined) own.set(`${realmId}/${type}/${id}/${token}`, attempt);
  }
  const done = new Set(books.effects.flatMap(({ attempt }) => (attempt ? [attempt] : [])));
  // A merge of two names moves what referred to the one, and its token stays: only the content that was told of a token first
  // is what our write left there.
  const versions = new Map<string, string>();
  const first = new Map<string, unknown>();
  for (const { value } of topics.changes) {
    if (!value?.snapshot) continue;
    const entity = `${value.realmId}/${value.entityType}/${value.id}`;
    const token = String(value.snapshot.SyncToken);
    const told = `${entity}/${token}`;
    if (!first.has(told)) first.set(told, value.contentHash);
    if (first.get(told) === value.contentHash) versions.set(`${entity}/${value.version}`, token);
    else versions.delete(`${entity}/${value.version}`);
  }
  for (const attempt of done) {
    const sync = books.syncs.get(attempt.sync_id);
    if (!sync) continue;
    const entity = `${sync.source_realm_id}/${attempt.entity_type}/${attempt.source_id}`;
    const token = versions.get(`${entity}/${attempt.version}`);
    const ours = own.get(`${entity}/${token ?? 'none'}`);
    const by = attempt.operation === 'delete' ? removed.get(entity) : ours?.sync_id;
    const wrote = by === undefined ? undefined : books.syncs.get(by);
    // A chain of syncs passes a change on; back to where it came from it must not go.
    if (!wrote || wrote.source_realm_id !== sync.target_realm_id) continue;
    if (ours && carriesAnEdit(attempt, ours, { entity, token: Number(token), own, done })) continue;
    if (followsAMerge(books, attempt) || isMadeAgain(attempt, done)) continue;
    violations.push({
      what: `${attempt.operation} of ${attempt.entity_type} ${attempt.source_id}: our own write into company ${sync.source_realm_id} came back into ${sync.target_realm_id}${attempt.operation === 'delete' ? '' : `; sent there ${said(ours)}, back ${said(attempt)}`}`,
      record: attemptName(books, attempt),
    });
  }
  // The same pair of records seen from both sides must be one pair, not a copy of the copy.
  for (const there of both) {
    for (const back of tables.syncs) {
      if (back.source_realm_id !== there.target_realm_id || back.target_realm_id !== there.source_realm_id) continue;
      for (const link of tables.links) {
        if (link.sync_id !== there.id || link.target_id === null || link.target_deleted) continue;
        const copy = tables.links.find(
          (one) => one.sync_id === back.id && one.entity_type === link.entity_type && one.source_id === link.target_id,
        );
        if (copy?.target_id && copy.target_id !== link.source_id && !copy.target_deleted)
          violations.push({
            what: `${link.entity_type} ${link.source_id} came back as ${copy.target_id}: its copy ${link.target_id} was carried home as another record`,
            record: { realmId: link.source_realm_id, type: link.entity_type, id: link.source_id },
          });
      }
    }
  }
  return judged(
    violations,
    `${counted(books.effects.length, 'own write')}, none came back; ${counted(both.length, 'sync')} into a company that is a source too`,
  );
}

/**
 * Somebody edited the record just before our write went over it: the answer shows both, so what carries that edit home is of
 * the version that our write made. It must name something that our write did not, and there must be such an edit: a token
 * that nobody of us made, and that was not carried before.
 */
function carriesAnEdit(
  attempt: AttemptRow,
  ours: AttemptRow,
  known: { entity: string; token: number; own: ReadonlyMap<string, AttemptRow>; done: ReadonlySet<AttemptRow> },
): boolean {
  const { entity, token, own, done } = known;
  const named = fieldsOf(ours);
  if (!fieldsOf(attempt).some((field) => !named.includes(field))) return false;
  const carried = [...done]
    .filter((one) => one.sync_id === attempt.sync_id && one.entity_type === attempt.entity_type)
    .filter((one) => one.source_id === attempt.source_id && one.version < attempt.version)
    .map((one) => tokenIn(one.version));
  for (let before = token - 1; before > Math.max(-1, ...carried); before--)
    if (!own.has(`${entity}/${before}`)) return true;
  return false;
}

/** What names a copy that was merged away over there is written under the name that stays, and that goes home as well. */
function followsAMerge(books: Books, { sync_id, entity_type, source_id }: AttemptRow): boolean {
  const merged = books.e.tables.links.filter((link) => link.sync_id === sync_id && link.merged_into !== null);
  if (merged.length === 0) return false;
  const record = books.record(books.syncs.get(sync_id)!.source_realm_id, entity_type, source_id);
  const named = [...pointers(entity_type, record)];
  return merged.some((link) => named.some(({ to, id }) => to === link.entity_type && id === link.merged_into));
}

/** A deposit lets a payment go by being removed, and is made again as it was: of the version that it had, whoever made that. */
function isMadeAgain(attempt: AttemptRow, done: ReadonlySet<AttemptRow>): boolean {
  const isSame = (one: AttemptRow): boolean =>
    one.sync_id === attempt.sync_id && one.entity_type === attempt.entity_type && one.source_id === attempt.source_id;
  return (
    attempt.operation === 'create' &&
    [...done].some((one) => isSame(one) && one.operation === 'delete' && one.version === attempt.version)
  );
}

/** LastUpdatedTime, SyncToken, time of observation. */
const tokenIn = (version: string): number => Number(version.split('_')[1]);

/** What a write named beside the record itself. */
const fieldsOf = (attempt: AttemptRow | undefined): string[] =>
  (attempt?.fields ?? []).filter((field) => !['Id', 'SyncToken', 'sparse', 'domain'].includes(field)).sort();
const said = (attempt: AttemptRow | undefined): string => fieldsOf(attempt).join() || 'nothing';
