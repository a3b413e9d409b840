// The whole life of one record, in the order in which things happened: told, captured, mapped, called, answered, announced,
// and what QuickBooks says of it on both sides.
import type { Books } from './books.js';
import type { RecordName } from './verdict.js';

interface Moment {
  at: string;
  text: string;
}

const most = 60;

export function lifeOf(books: Books, { realmId, type, id }: RecordName): string[] {
  const { e } = books;
  const moments: Moment[] = [];
  const say = (at: string | Date | null | undefined, text: string): void => {
    if (at) moments.push({ at: typeof at === 'string' ? at : at.toISOString(), text });
  };
  for (const { at, value } of e.topics.notifications)
    for (const entity of value?.realmId === realmId ? (value.entities ?? []) : [])
      if (entity.entityType === type && entity.id === id) say(at, `notified: ${entity.operation} by ${value.source}`);
  for (const { at, key, value, partition, offset } of e.topics.changes)
    if (key === `${realmId}/${type}/${id}`)
      say(
        at,
        `captured: ${value === null ? 'tombstone' : `${value.deleted ? 'deleted, ' : ''}version ${value.version} by ${value.origin?.kind}`} (${partition}/${offset})`,
      );
  for (const { at, value } of e.topics.writes)
    if (value?.sourceRealmId === realmId && value.entityType === type && value.sourceId === id)
      say(at, `mapped: ${value.op} version ${value.version}${value.failure ? `, ${value.failure.code}` : ''}`);
  for (const { at, value } of e.topics.results)
    if (value?.sourceRealmId === realmId && value.entityType === type && value.sourceId === id)
      say(
        at,
        `announced: ${value.outcome}${value.code ? ` ${value.code}` : ''} of version ${value.version}${value.targetId ? ` as ${value.targetId}` : ''}`,
      );
  const wires = new Set<string>();
  const targets = new Set<string>();
  const calls = new Map(e.tables.calls.map((call) => [call.id, call]));
  for (const attempt of e.tables.attempts) {
    const sync = books.syncs.get(attempt.sync_id);
    if (sync?.source_realm_id !== realmId || attempt.entity_type !== type || attempt.source_id !== id) continue;
    const call = calls.get(attempt.call_id);
    if (!call) continue;
    wires.add(call.kind === 'batch' ? `${call.request_id}|i${attempt.position}` : call.request_id);
    say(
      call.claimed_at,
      `written down: ${attempt.operation} of version ${attempt.version}, request ${attempt.request_id}${call.kind === 'batch' ? ` in batch ${call.request_id}` : ''}, fence ${call.fence}`,
    );
    say(
      call.answered_at,
      `call ${call.state}: ${attempt.outcome ?? 'no outcome'}${attempt.code ? ` ${attempt.code}` : ''}${attempt.reason ? `: ${attempt.reason}` : ''} (status ${call.http_status}, sent ${call.sends} times)`,
    );
  }
  for (const link of e.tables.links) {
    if (link.source_realm_id !== realmId || link.entity_type !== type || link.source_id !== id) continue;
    if (link.target_id !== null) targets.add(`${link.target_realm_id}/${link.target_id}`);
    say(
      link.settled_at ?? '9',
      `link: ${link.state}, wants ${link.desired_op} ${link.desired_version}, has ${link.applied_version ?? 'nothing'} as ${link.target_id ?? 'nothing'}${link.failure_code ? `, ${link.failure_code}: ${link.failure_reason}` : ''}${link.waiting_on.length > 0 ? `, waits for ${link.waiting_on.join()}` : ''}`,
    );
  }
  for (const file of e.tables.files) {
    if (type !== 'Attachable' || file.source_realm_id !== realmId || file.attachable_id !== id) continue;
    if (file.target_id !== null) targets.add(`${file.target_realm_id}/${file.target_id}`);
    if (file.request_id !== null) wires.add(file.request_id);
    say(
      '9',
      `file: ${file.state} as ${file.target_id ?? 'nothing'}${file.failure_code ? `, ${file.failure_code}: ${file.failure_reason}` : ''}`,
    );
  }
  for (const company of e.companies.values())
    for (const row of company.journal) {
      const effects = (row.effects ?? []).filter(
        (effect) =>
          (effect.requestid !== undefined && wires.has(effect.requestid)) ||
          (effect.type === type &&
            (targets.has(`${company.realmId}/${effect.id}`) || (company.realmId === realmId && effect.id === id))),
      );
      const called =
        row.requestid !== undefined &&
        (wires.has(row.requestid) || [...wires].some((wire) => wire.startsWith(`${row.requestid}|`)));
      if (effects.length === 0 && !called) continue;
      const did = effects
        .map(
          (effect) =>
            `${effect.act} ${effect.type} ${effect.id}${effect.token === undefined ? '' : ` (token ${effect.token})`}`,
        )
        .join(', ');
      const fate = `${row.fault ? `, ${row.fault}` : ''}${row.lost ? ', answer lost' : ''}`;
      say(
        row.startedAt,
        `QuickBooks ${company.realmId}: ${row.method} ${row.path.replace(/^\/v3\/company\/\d+\//, '')} -> ${row.status}${fate}: ${did || 'nothing was done'}`,
      );
    }
  moments.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const lines = moments.map(({ at, text }) => `${at === '9' ? 'now'.padEnd(24) : at}  ${text}`);
  return lines.length <= most
    ? lines
    : [...lines.slice(0, most / 2), `... ${lines.length - most} more ...`, ...lines.slice(-most / 2)];
}
