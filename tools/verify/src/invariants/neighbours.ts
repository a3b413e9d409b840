// I-08: a tenant's result and freshness do not depend on its neighbours. Judged where there are neighbours: nobody's work
// stays undone while another's goes on, and no tenant's edits take longer than the promise.
import { linkKey, type Books } from '../books.js';
import { concerning, keptWaiting, waitedMs } from '../kept-waiting.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

/** Design, SLO of freshness: 99 % of changes at the target within two minutes. */
const freshMs = 120_000;

interface Lag {
  ms: number;
  /** without the time in which it was kept waiting on purpose */
  waitedMs: number;
}

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
    const lags = syncs.flatMap((sync) => fresh.get(sync) ?? []);
    const p99 = p99Of(lags.map(({ waitedMs }) => waitedMs));
    const onTheClock = p99Of(lags.map(({ ms }) => ms));
    // A tenant whose own company is cut off waits for itself; every other one has no excuse.
    if (connected && p99 !== undefined && p99 > freshMs)
      violations.push({
        what: `organization ${organization}: live edits settle within ${(p99 / 1000).toFixed(0)} s (p99), promised are ${freshMs / 1000} s`,
      });
    for (const link of links) {
      if (link.state !== 'held' || link.failure_code !== 'TARGET.RECONNECT_NEEDED' || !connected) continue;
      violations.push({
        what: `${link.entity_type} ${link.source_id} is held for a connection that its own organization has not lost`,
        record: { realmId: link.source_realm_id, type: link.entity_type, id: link.source_id },
      });
    }
    told.push(
      `${links.length - troubled}/${links.length} settled${p99 === undefined ? '' : `, p99 ${(p99 / 1000).toFixed(1)} s${onTheClock === p99 ? '' : ` (${(onTheClock! / 1000).toFixed(1)} s with what was done on purpose)`}`}${connected ? '' : ', disconnected'}`,
    );
  }
  return judged(violations, `${counted(tenants.size, 'organization')}: ${told.join('; ')}`);
}

/**
 * From a person's edit to the write that brought it, per sync: both moments by QuickBooks' clock, since ours may be wrong. Only
 * the first write of an edit counts: what is written again for another reason (a name that was merged) keeps its edit's time.
 * An edit from before the sync was there is its backfill's, in whichever lane a sweep brought it. The time in which an edit was kept
 * waiting on purpose, with everybody or for its own companies, is no neighbour's doing and does not count.
 */
function freshness({ e, effects, syncs }: Books): Map<string, Lag[]> {
  const live = new Set(
    e.tables.log
      .filter((row) => row.stage === 'settled' && row.lane === 'live')
      .map((row) => `${row.sync_id}/${row.entity_type}/${row.entity_id}@${row.version}`),
  );
  const kept = keptWaiting(e);
  const keptOf = new Map(
    [...syncs.values()].map((sync) => [sync.id, concerning(kept, [sync.source_realm_id, sync.target_realm_id])]),
  );
  const brought = new Set<string>();
  const lags = new Map<string, Lag[]>();
  for (const { attempt, row } of effects) {
    if (!attempt || !live.has(`${linkKey(attempt)}@${attempt.version}`)) continue;
    const editedAt = attempt.version.slice(0, attempt.version.indexOf('_'));
    const edit = `${linkKey(attempt)}@${editedAt}`;
    const [from, to] = [Date.parse(editedAt), Date.parse(row.time)];
    const sync = syncs.get(attempt.sync_id);
    if (!sync || Number.isNaN(to - from) || brought.has(edit) || from < sync.created_at.getTime()) continue;
    brought.add(edit);
    lags.set(attempt.sync_id, [
      ...(lags.get(attempt.sync_id) ?? []),
      { ms: to - from, waitedMs: waitedMs(from, to, keptOf.get(attempt.sync_id)!) },
    ]);
  }
  return lags;
}

function p99Of(all: readonly number[]): number | undefined {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))];
}
