// I-13: every held or failed item can be redriven once, with an audit entry.
import type { Books } from '../books.js';
import { nameOf } from '../books.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

export function redrive(books: Books): Verdict {
  const { tables, rest } = books.e;
  if (tables.syncs.length === 0) return notJudged('there is no sync');
  if (rest.motion.length > 0) return notJudged(`the system is not at rest: ${rest.motion.join(', ')}`);
  const violations: Violation[] = [];
  const entries = tables.audit.filter((row) => row.action === 'links.redriven');
  let released = 0;
  const again = new Map<string, number>();
  for (const { subject, details } of entries) {
    for (const name of (details?.released ?? []) as string[]) {
      released++;
      const key = `${subject}/${name}`;
      if (details?.asked?.createAgain === true) again.set(key, (again.get(key) ?? 0) + 1);
      const known =
        tables.links.some((link) => `${link.sync_id}/${link.entity_type}/${link.source_id}` === key) ||
        tables.files.some((file) => `${file.sync_id}/Attachable/${file.attachable_id}` === key);
      if (!known) violations.push({ what: `${name} of sync ${subject} was redriven and is nowhere` });
    }
  }
  // A generation rises only when a person says "create it again", which stands in the audit log.
  for (const link of tables.links) {
    const said = again.get(`${link.sync_id}/${link.entity_type}/${link.source_id}`) ?? 0;
    if (link.generation !== said)
      violations.push({
        what: `${link.entity_type} ${link.source_id} was created again ${link.generation} times, the audit log says ${said}`,
        record: nameOf(link),
      });
  }
  // What a redrive needs: a state from which it starts, and a reason that a person can judge.
  const stopped = tables.links.filter((link) => link.state === 'held' || link.state === 'failed');
  for (const link of stopped)
    if (!link.failure_code || !link.failure_reason)
      violations.push({
        what: `${link.entity_type} ${link.source_id} is ${link.state} and does not say why`,
        record: nameOf(link),
      });
  return judged(
    violations,
    `${counted(stopped.length, 'held or failed item')} with code and reason; ${counted(released, 'redrive')}, each in the audit log`,
  );
}
