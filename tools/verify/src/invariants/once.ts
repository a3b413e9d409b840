// I-02: at most one live target record per (sync, source entity).
import { attemptName, linkKey, nameOf, type Books } from '../books.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

export function once(books: Books): Verdict {
  const { e } = books;
  if (e.tables.syncs.length === 0) return notJudged('there is no sync');
  const violations: Violation[] = [];
  const targets = new Set<string>();
  let links = 0;
  for (const link of e.tables.links) {
    if (link.target_id === null || link.target_deleted) continue;
    links++;
    targets.add(`${link.target_realm_id}/${link.entity_type}/${link.target_id}`);
    // Records that the source merged share the one that stays.
    const sharing = books
      .claiming(link.sync_id, link.entity_type, link.target_id)
      .filter((other) => !other.target_deleted && other.merged_into === null);
    if (sharing.length > 1 && sharing[0] === link)
      violations.push({
        what: `${link.entity_type} ${link.target_id} stands for ${sharing.map((one) => one.source_id).join(' and ')} of the source`,
        record: nameOf(link),
      });
  }
  let made = 0;
  for (const sync of e.tables.syncs)
    if (!books.company(sync.target_realm_id)) return notJudged('a target company cannot be asked');
  for (const realmId of new Set(e.tables.syncs.map((sync) => sync.target_realm_id))) {
    const { makers } = books.company(realmId)!;
    const standing = new Map<string, string[]>();
    for (const [key, maker] of Object.entries(makers)) {
      const [type, id] = split(key);
      if (maker.app === undefined || !e.ourApps.has(maker.app)) continue;
      if (!books.record(realmId, type, id)) continue;
      made++;
      const origin = maker.requestid === undefined ? undefined : books.request(realmId, maker.requestid);
      if (!origin?.attempt && !origin?.file) {
        if (
          type === 'Attachable' &&
          e.tables.files.some((file) => file.target_realm_id === realmId && file.target_id === id)
        )
          continue;
        // The tables were read before the company: what was made in between is written down by now.
        if (e.rest.motion.length > 0) continue;
        violations.push({
          what: `${type} ${id} of the target was made by us under request id ${maker.requestid ?? '(none)'}, and nothing written down says why`,
          record: books.sourceOf(realmId, type, id) ?? { realmId, type, id },
        });
        continue;
      }
      const of = origin.attempt
        ? linkKey(origin.attempt)
        : `${origin.file!.sync_id}/Attachable/${origin.file!.attachable_id}`;
      standing.set(of, [...(standing.get(of) ?? []), id]);
      const name = origin.attempt
        ? attemptName(books, origin.attempt)
        : { realmId: origin.file!.source_realm_id, type: 'Attachable', id: origin.file!.attachable_id };
      const ids = standing.get(of)!;
      // A name made inactive is what a deleted name leaves; a second making of it is another record of the source's life.
      const living = ids.filter((one) => books.record(realmId, type, one)?.Active !== false);
      if (living.length > 1)
        violations.push({
          what: `${name?.type} ${name?.id} of the source is ${living.length} records of the target: ${living.join(', ')}`,
          record: name,
        });
    }
  }
  for (const attempts of byRequest(books).values()) {
    const bodies = new Set(attempts.map((attempt) => attempt.body_md5));
    if (bodies.size > 1)
      violations.push({
        what: `request id ${attempts[0]!.request_id} was used for ${bodies.size} bodies`,
        record: attemptName(books, attempts[0]!),
      });
  }
  return judged(
    violations,
    `${counted(links, 'link')}, ${counted(targets.size, 'distinct target')}; ${made} live records made by us, each for one source record`,
  );
}

function byRequest(books: Books) {
  const found = new Map<string, Books['e']['tables']['attempts']>();
  for (const attempt of books.e.tables.attempts)
    found.set(attempt.request_id, [...(found.get(attempt.request_id) ?? []), attempt]);
  return found;
}

const split = (key: string): [string, string] => [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];
