// I-09: one audit entry per external effect; the chain verifies. Each thing that QuickBooks says we did stands once in the
// sync log, and each organization's audit log is a chain of hashes recomputed here.
import { createHash } from 'node:crypto';
import type { AuditRow } from '../evidence.js';
import { attemptName, type Books } from '../books.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

export function audit(books: Books): Verdict {
  const { tables, rest } = books.e;
  if (tables.syncs.length === 0) return notJudged('there is no sync');
  if (rest.motion.length > 0) return notJudged(`the system is not at rest: ${rest.motion.join(', ')}`);
  const violations: Violation[] = [];
  const entries = new Map<string, number>();
  const files = new Map<string, number>();
  for (const row of tables.log) {
    if (row.stage === 'settled' && row.request_id !== null && row.outcome !== 'held' && row.outcome !== 'failed')
      entries.set(row.request_id, (entries.get(row.request_id) ?? 0) + 1);
    if (row.stage === 'attachment' && row.target_id !== null && row.outcome === 'attached') {
      const key = `${row.target_realm_id}/${row.target_id}`;
      files.set(key, (files.get(key) ?? 0) + 1);
    }
  }
  let effects = 0;
  for (const effect of books.effects) {
    if (effect.type === 'Attachable') {
      // Copies that were thrown away for their bytes, and changes of a note, leave no entry of their own.
      if (effect.act !== 'create' || !books.record(effect.realmId, 'Attachable', effect.id)) continue;
      effects++;
      if (!files.has(`${effect.realmId}/${effect.id}`))
        violations.push({
          what: `Attachable ${effect.id} was made in the target (${effect.row.tid}) and no entry says so`,
          record: books.sourceOf(effect.realmId, 'Attachable', effect.id) ?? {
            realmId: effect.realmId,
            type: 'Attachable',
            id: effect.id,
          },
        });
      continue;
    }
    effects++;
    const { attempt } = effect;
    const name = attempt ? attemptName(books, attempt) : { realmId: effect.realmId, type: effect.type, id: effect.id };
    const found = attempt ? (entries.get(attempt.request_id) ?? 0) : 0;
    if (found === 1) continue;
    violations.push({
      what: `${effect.act} of ${effect.type} ${effect.id} (${effect.row.tid}) has ${found === 0 ? 'no entry' : `${found} entries`} in the log`,
      record: name,
    });
  }
  const chains = new Map<string, AuditRow[]>();
  for (const row of tables.audit) chains.set(row.organization_id, [...(chains.get(row.organization_id) ?? []), row]);
  for (const [organization, rows] of chains) {
    const broken = firstBroken(rows);
    if (broken !== undefined) violations.push({ what: `the audit chain of organization ${organization} ${broken}` });
  }
  for (const { id } of tables.organizations)
    if (!chains.has(id) && tables.syncs.some((sync) => sync.organization_id === id))
      violations.push({ what: `organization ${id} has syncs and no audit entry of anything` });
  if (tables.outbox.refused > 0)
    violations.push({
      what: `${counted(tables.outbox.refused, 'announcement')} broke its schema and was never published`,
    });
  return judged(
    violations,
    `${counted(effects, 'external effect')}, one entry each; ${counted(chains.size, 'chain')} of ${counted(tables.audit.length, 'entry', 'entries')} verified`,
  );
}

function firstBroken(rows: readonly AuditRow[]): string | undefined {
  let sequence = 0n;
  let previous = '';
  for (const row of rows) {
    sequence += 1n;
    if (BigInt(row.sequence) !== sequence) return `lacks entry ${sequence}`;
    if (row.previous_hash !== previous) return `does not follow on at entry ${sequence}`;
    const content = canonical([row.event_id, row.at.toISOString(), row.actor, row.action, row.subject, row.details]);
    const hash = createHash('sha256').update(`${previous}|${sequence}|${content}`).digest('hex');
    if (hash !== row.hash) return `was changed at entry ${sequence} (${row.action})`;
    previous = row.hash;
  }
  return undefined;
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
