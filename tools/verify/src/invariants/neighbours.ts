// I-08: a tenant's result and freshness do not depend on its neighbours. Judged where there are neighbours: nobody's work
// stays undone while another's goes on, and no tenant's edits take longer than the promise.
import { linkKey, type Books } from '../books.js';
import type { JournalRow } from '../evidence.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

/** Design, SLO of freshness: 99 % of changes at the target within two minutes. */
const freshMs = 120_000;

/** QuickBooks asks for a minute's rest after a 429, and a circuit is open for as long at most (qbo-api.md 8). */
const restAfterTroubleMs = 60_000;

export function neighbours(books: Books): Verdict {
  const { tables } = books.e;
  const tenants = new Map<string, string[]>();
  for (const sync of tables.syncs)
    tenants.set(sync.organization_id, [...(tenants.get(sync.organization_id) ?? []), sync.id]);
  if (tenants.size < 2)
    return notJudged(
      tenants.size === 0 ? 'there is no sync' : 'only one organization has a sync: it has no neighbours',
    );
  if (books.e.rest.motion.length > 0) return notJudged(`the system is not at rest: ${books.e.rest.motion.join(', ')}`);
  const violations: Violation[] = [];
  const told: string[] = [];
  const fresh = freshness(books);
  // A fault of the whole installation is no neighbour: who edits at its beginning waits for its end, and then as promised.
  const promisedMs = freshMs + books.e.outageMs;
  for (const [organization, syncs] of tenants) {
    const links = tables.links.filter((link) => syncs.includes(link.sync_id));
    const troubled = links.filter((link) => link.state !== 'settled').length;
    const realms = new Set(
      tables.syncs
        .filter((sync) => syncs.includes(sync.id))
        .flatMap((sync) => [sync.source_realm_id, sync.target_realm_id]),
    );
    const connected = tables.companies
      .filter((company) => realms.has(company.realm_id))
      .every((company) => company.status === 'connected');
    const lags = syncs.flatMap((sync) => fresh.get(sync) ?? []).sort((a, b) => a - b);
    const p99 = lags.length === 0 ? undefined : lags[Math.min(lags.length - 1, Math.floor(lags.length * 0.99))]!;
    // A tenant whose own company is cut off waits for itself; every other one has no excuse.
    if (connected && p99 !== undefined && p99 > promisedMs)
      violations.push({
        what: `organization ${organization}: live edits settle within ${(p99 / 1000).toFixed(0)} s (p99), promised are ${(promisedMs / 1000).toFixed(0)} s`,
      });
    for (const link of links) {
      if (link.state !== 'held' || link.failure_code !== 'TARGET.RECONNECT_NEEDED' || !connected) continue;
      violations.push({
        what: `${link.entity_type} ${link.source_id} is held for a connection that its own organization has not lost`,
        record: { realmId: link.source_realm_id, type: link.entity_type, id: link.source_id },
      });
    }
    told.push(
      `${links.length - troubled}/${links.length} settled${p99 === undefined ? '' : `, p99 ${(p99 / 1000).toFixed(1)} s`}${connected ? '' : ', disconnected'}`,
    );
  }
  return judged(violations, `${counted(tenants.size, 'organization')}: ${told.join('; ')}`);
}

/**
 * From a person's edit to the write that brought it, per sync: both moments by QuickBooks' clock, since ours may be wrong. Only
 * the first write of an edit counts: what is written again for another reason (a name that was merged) keeps its edit's time.
 * An edit from before the sync was there is its backfill's, in whichever lane a sweep brought it. An edit that was on its way
 * while its own company's QuickBooks was told to fail, or in the rest that such an answer asks for, waits for its own company.
 */
function freshness({ e, effects, syncs }: Books): Map<string, number[]> {
  const live = new Set(
    e.tables.log
      .filter((row) => row.stage === 'settled' && row.lane === 'live')
      .map((row) => `${row.sync_id}/${row.entity_type}/${row.entity_id}@${row.version}`),
  );
  const troubles = new Map([...e.companies].map(([realmId, { journal }]) => [realmId, troublesOf(journal)]));
  const brought = new Set<string>();
  const lags = new Map<string, number[]>();
  for (const { attempt, row } of effects) {
    if (!attempt || !live.has(`${linkKey(attempt)}@${attempt.version}`)) continue;
    const editedAt = attempt.version.slice(0, attempt.version.indexOf('_'));
    const edit = `${linkKey(attempt)}@${editedAt}`;
    const ms = Date.parse(row.time) - Date.parse(editedAt);
    const sync = syncs.get(attempt.sync_id);
    if (!sync || Number.isNaN(ms) || brought.has(edit) || Date.parse(editedAt) < sync.created_at.getTime()) continue;
    brought.add(edit);
    const own = [sync.source_realm_id, sync.target_realm_id].flatMap((realmId) => troubles.get(realmId) ?? []);
    const [from, to] = [Date.parse(editedAt), Date.parse(row.time)];
    if (own.some((atMs) => atMs < to && from < atMs + restAfterTroubleMs)) continue;
    lags.set(attempt.sync_id, [...(lags.get(attempt.sync_id) ?? []), ms]);
  }
  return lags;
}

/** Moments at which a company's own QuickBooks answered with a fault that was ordered. */
function troublesOf(journal: readonly JournalRow[]): number[] {
  return journal.filter(({ fault }) => fault !== undefined).map(({ time }) => Date.parse(time));
}
