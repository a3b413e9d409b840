// I-08: a tenant's result and freshness do not depend on its neighbours. Judged where there are neighbours: nobody's work
// stays undone while another's goes on, and no tenant's edits take longer than the promise.
import type { Books } from '../books.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

/** Design, SLO of freshness: 99 % of changes at the target within two minutes. */
const freshMs = 120_000;

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
    const lags = tables.log
      .filter(
        (row) =>
          row.stage === 'settled' &&
          row.lane === 'live' &&
          row.sync_id !== null &&
          syncs.includes(row.sync_id) &&
          row.duration_ms !== null,
      )
      .map((row) => row.duration_ms!)
      .sort((a, b) => a - b);
    const p99 = lags.length === 0 ? undefined : lags[Math.min(lags.length - 1, Math.floor(lags.length * 0.99))]!;
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
      `${links.length - troubled}/${links.length} settled${p99 === undefined ? '' : `, p99 ${(p99 / 1000).toFixed(1)} s`}${connected ? '' : ', disconnected'}`,
    );
  }
  return judged(violations, `${counted(tenants.size, 'organization')}: ${told.join('; ')}`);
}
