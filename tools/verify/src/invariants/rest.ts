// I-10: idle within 60 s of healing; a frozen consumer is noticed: its records stay unread, so nothing comes to rest.
import type { Books } from '../books.js';
import { ok, type Verdict } from '../verdict.js';

export function rest(books: Books): Verdict {
  const { motion, afterMs, limitMs } = books.e.rest;
  if (motion.length === 0) return ok(`at rest ${(afterMs / 1000).toFixed(1)} s after the checker began to look`);
  return {
    kind: 'violated',
    violations: [{ what: `not at rest after ${limitMs / 1000} s: ${motion.join(', ')}`, record: stuck(books) }],
  };
}

function stuck({ e }: Books) {
  const link = e.tables.links.find((one) => ['ready', 'sending', 'backoff', 'uncertain'].includes(one.state));
  return link && { realmId: link.source_realm_id, type: link.entity_type, id: link.source_id };
}
