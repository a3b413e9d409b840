// I-03: versions applied to one entity only rise. Judged by what QuickBooks did, in its own order, and by what was announced.
import { attemptName, linkKey, type Books } from '../books.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

const writing = new Set(['created', 'updated', 'deleted', 'voided', 'adopted', 'unchanged', 'drift', 'attached']);

export function order(books: Books): Verdict {
  const { e } = books;
  if (e.tables.syncs.length === 0) return notJudged('there is no sync');
  const violations: Violation[] = [];
  const last = new Map<string, { version: string; tid: string; generation: number }>();
  let effects = 0;
  for (const effect of books.effects) {
    const { attempt } = effect;
    if (!attempt) continue;
    effects++;
    const key = linkKey(attempt);
    const before = last.get(key);
    if (before && attempt.version < before.version)
      violations.push({
        what: `${attempt.entity_type} ${attempt.source_id}: version ${attempt.version} reached the target (${effect.row.tid}) after ${before.version} (${before.tid})`,
        record: attemptName(books, attempt),
      });
    last.set(key, { version: attempt.version, tid: effect.row.tid, generation: attempt.generation });
  }
  let announced = 0;
  const told = new Map<string, string>();
  for (const { value } of e.topics.results) {
    if (!value || !writing.has(value.outcome)) continue;
    announced++;
    const key = `${value.syncId}/${value.entityType}/${value.sourceId}`;
    const before = told.get(key);
    if (before !== undefined && value.version < before)
      violations.push({
        what: `${value.entityType} ${value.sourceId}: ${value.outcome} of version ${value.version} was announced after ${before}`,
        record: { realmId: value.sourceRealmId, type: value.entityType, id: value.sourceId },
      });
    if (before === undefined || value.version > before) told.set(key, value.version);
  }
  return judged(
    violations,
    `${counted(effects, 'write')} of ${counted(last.size, 'entity', 'entities')} in rising versions, ${counted(announced, 'announcement')} too`,
  );
}
