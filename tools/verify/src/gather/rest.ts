// Is anything still moving? Asked of the tables and of Kafka, not of the system's own answer to that question.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rest } from '../evidence.js';
import type { Database } from './tables.js';
import type { Log } from './topics.js';

const moving = `('ready', 'sending', 'backoff', 'uncertain')`;

/** Waits for rest, twice in a row: work that slips between two questions shows at the second. */
export async function untilRest(database: Database, log: Log, limitMs: number): Promise<Rest> {
  const startedMs = performance.now();
  let calm = 0;
  for (;;) {
    const motion = await motionOf(database, log);
    const afterMs = performance.now() - startedMs;
    calm = motion.length === 0 ? calm + 1 : 0;
    if (calm >= 2 || afterMs > limitMs) return { motion, afterMs, limitMs };
    await sleep(300);
  }
}

async function motionOf(database: Database, log: Log): Promise<string[]> {
  // Stages in the order in which work passes through them, so that none slips past.
  const motion: string[] = [];
  const [capture] = await database.rows<{ looks: number; jobs: number }>(
    `select (select count(*) from capture_cursors c join companies o using (realm_id) where o.status = 'connected'
               and (look_requested > look_done or notified_at is not null))::int as looks,
            (select count(*) from jobs where state in ('queued', 'running'))::int as jobs`,
  );
  if (capture!.looks > 0) motion.push(`${capture!.looks} looks due`);
  if (capture!.jobs > 0) motion.push(`${capture!.jobs} jobs unfinished`);
  for (const [group, lag] of await log.lag()) motion.push(`${group} is ${lag} records behind`);
  // A paused sync does not move; what is desired of it may stay ready for ever.
  const states = await database.rows<{ what: string; state: string; n: number }>(
    `select 'links' as what, state, count(*)::int as n from links where state in ${moving}
       and sync_id in (select id from syncs where state = 'active') group by state
     union all
     select 'files', state, count(*)::int from attachment_links where state in ${moving}
       and sync_id in (select id from syncs where state = 'active') group by state`,
  );
  for (const { what, state, n } of states) motion.push(`${n} ${what} ${state}`);
  const [rest] = await database.rows<{ outbox: number; calls: number }>(
    `select (select count(*) from outbox where refused is null)::int as outbox,
            (select count(*) from calls where state in ('claimed', 'unknown'))::int as calls`,
  );
  if (rest!.outbox > 0) motion.push(`${rest!.outbox} announcements unpublished`);
  if (rest!.calls > 0) motion.push(`${rest!.calls} calls without an end`);
  return motion;
}
