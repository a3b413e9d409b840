// The checker as a library: waits for rest, replays if it may, gathers the evidence, and has it judged.
import { EmulatorClient } from '#testing';
import { Control } from '../../installation/src/control.js';
import type { Evidence, KeptWaiting, ReplayEvidence, Rest } from './evidence.js';
import { companyOf, tokensOf } from './gather/quickbooks.js';
import { untilRest } from './gather/rest.js';
import { Database } from './gather/tables.js';
import { Log } from './gather/topics.js';
import { reportOf, type Report } from './report.js';

/** Where a running installation is found. */
export interface Places {
  brokers: string[];
  /** for whoever reads values by their schema; the checker does not */
  registryUrl?: string | undefined;
  topicPrefix: string;
  databaseUrl: string;
  databaseSchema: string;
  emulatorUrl: string;
  /** the Intuit app that is this system; without it the apps whose request ids are written down */
  clientId?: string | undefined;
  /** base64, opens the stored tokens for I-07 */
  tokenKey?: string | undefined;
  /** for the replay of I-12 */
  control?: { url: string; auditUrl: string; adminKey: string } | undefined;
  /** for the support bundle: addresses of all apps, and the folder of their logs */
  apps?: Record<string, string> | undefined;
  logs?: string | undefined;
}

export interface VerifyOptions {
  restMs?: number;
  /** what the caller's own replay wrote; without it, and with `control`, the checker makes one */
  replay?: ReplayEvidence | 'skip' | undefined;
  /** processes killed since the start */
  interruptions?: number;
  /** when it was kept from working on purpose */
  kept?: readonly KeptWaiting[];
  /** the database was restored on purpose: what it forgot, announced results stand for */
  restored?: boolean;
  /** only these invariants */
  only?: readonly string[] | undefined;
}

export const defaultRestMs = 60_000;

export async function verify(places: Places, o: VerifyOptions = {}): Promise<Report> {
  return reportOf(await gather(places, o), o.only);
}

/** Waits for rest and judges nothing: asks only for what the first migrations made, so also of an older version. */
export async function restOf(places: Places, limitMs = defaultRestMs): Promise<Rest> {
  const database = new Database(places.databaseUrl, places.databaseSchema);
  try {
    return await untilRest(database, new Log(places.brokers, places.topicPrefix), limitMs);
  } finally {
    await database.close();
  }
}

export async function gather(places: Places, o: VerifyOptions = {}): Promise<Evidence> {
  const database = new Database(places.databaseUrl, places.databaseSchema);
  const log = new Log(places.brokers, places.topicPrefix);
  const emulator = new EmulatorClient(places.emulatorUrl);
  try {
    const limitMs = o.restMs ?? defaultRestMs;
    let rest = await untilRest(database, log, limitMs);
    const replay =
      o.replay === 'skip'
        ? undefined
        : (o.replay ?? (rest.motion.length === 0 ? await replayAll(places, database, emulator) : undefined));
    if (replay && o.replay === undefined) {
      const after = await untilRest(database, log, limitMs);
      if (after.motion.length > 0) rest = after;
    }
    const topics = await log.read();
    const tables = await database.tables();
    const companies = new Map(
      await Promise.all(
        tables.companies.map(async ({ realm_id }) => [realm_id, await companyOf(emulator, realm_id)] as const),
      ),
    );
    const requests = new Set(tables.calls.map((call) => `${call.target_realm_id}|${call.request_id}`));
    const ourApps = new Set(
      places.clientId !== undefined
        ? [places.clientId]
        : [...companies.values()].flatMap(({ realmId, journal }) =>
            journal.flatMap((row) =>
              row.app !== undefined && row.requestid !== undefined && requests.has(`${realmId}|${row.requestid}`)
                ? [row.app]
                : [],
            ),
          ),
    );
    return {
      ...{ companies, tables, topics, rest, ourApps, replay },
      tokens: await tokensOf(emulator),
      tokenKey: places.tokenKey === undefined ? undefined : Buffer.from(places.tokenKey, 'base64'),
      interruptions: o.interruptions ?? 0,
      kept: o.kept ?? [],
      restored: o.restored ?? false,
    };
  } finally {
    await database.close();
  }
}

/** Every active sync replayed from its first record; what reached the targets because of it. */
async function replayAll(
  places: Places,
  database: Database,
  emulator: EmulatorClient,
): Promise<ReplayEvidence | undefined> {
  if (!places.control) return undefined;
  const { url, auditUrl, adminKey } = places.control;
  const control = new Control(url, auditUrl, adminKey);
  const syncs = await database.rows<{ id: string; realm: string }>(
    `select id, target_realm_id as realm from syncs where state = 'active' and rollback_began_at is null`,
  );
  const realms = [...new Set(syncs.map((sync) => sync.realm))];
  const writes = async (realmId: string): Promise<number> => {
    const stats = await emulator.stats(realmId);
    return Number(stats.writes) + Number(stats.batchItems);
  };
  const before = new Map(await Promise.all(realms.map(async (realmId) => [realmId, await writes(realmId)] as const)));
  let read = 0;
  // All are asked for before one is waited for: whoever works on them looks for the next by itself.
  const jobs = await Promise.all(syncs.map(({ id }) => control.startJob(id, 'replay').then((job) => ({ id, job }))));
  for (const { id, job } of jobs) {
    for (;;) {
      const [row] = await database.rows<{ state: string; error: string | null; read: number }>(
        `select state, error, coalesce((progress ->> 'read')::int, 0) as read from jobs where id = $1`,
        [job.id],
      );
      if (row!.state === 'failed') throw new Error(`the replay of sync ${id} failed: ${row!.error}`);
      if (row!.state === 'done') {
        read += row!.read;
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await untilRest(database, new Log(places.brokers, places.topicPrefix), defaultRestMs);
  return {
    read,
    writes: await Promise.all(
      realms.map(async (realmId) => ({ realmId, writes: (await writes(realmId)) - before.get(realmId)! })),
    ),
  };
}
