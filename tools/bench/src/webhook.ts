// What the webhook door costs: signed deliveries to the ingest process against bare Fastify doing the same durable produce,
// in turns, 32 connections. Both answer only after Kafka's acknowledgement. Goal 0.65.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import autocannon from 'autocannon';
import type { Request } from 'autocannon';
import { Companies, Database, Organizations, Syncs } from '#storage';
import { median, startProgram, withInfrastructure } from './bench.js';
import type { Bench, BenchRun, Metrics } from './bench.js';

export const verifierToken = 'bench-verifier-token';
export const realmCount = 64;

/** Companies whose webhooks are known and that nobody looks at: what is measured is the door. */
export async function connectCompanies(db: Database, realms: readonly string[]): Promise<void> {
  const organizationId = randomUUID();
  const companies = new Companies(db);
  await db.withTransaction(async (tx) => {
    await new Organizations(db).create(tx, { id: organizationId, name: 'Bench' });
    await companies.connect(tx, { realmId: '1', organizationId, name: 'Target', homeCurrency: null });
    for (const realmId of realms) {
      await companies.connect(tx, { realmId, organizationId, name: realmId, homeCurrency: null });
      await new Syncs(db).create(tx, {
        id: randomUUID(),
        organizationId,
        sourceRealmId: realmId,
        targetRealmId: '1',
        settings: {},
        captureSince: new Date(),
      });
    }
    await tx.query(`update companies set status = 'reconnect_needed'`);
  });
}

export function delivery(realmId: string, id: string = randomUUID()): Request {
  const body = JSON.stringify([
    {
      specversion: '1.0',
      id,
      source: 'intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=',
      type: 'qbo.invoice.updated.v1',
      datacontenttype: 'application/json',
      time: '2026-11-20T09:15:02.004417203Z',
      intuitentityid: '1552',
      intuitaccountid: realmId,
      data: {},
    },
  ]);
  return {
    method: 'POST',
    path: '/webhooks/intuit',
    headers: {
      'content-type': 'application/json',
      'intuit-signature': createHmac('sha256', verifierToken).update(body).digest('base64'),
      'user-agent': 'intuit_notification_server/1.0',
    },
    body,
  };
}

export const bench: Bench = {
  about: 'the webhook door against bare Fastify doing the same durable produce (ratio, goal 0.65)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      const databaseSchema = `bench_${randomBytes(4).toString('hex')}`;
      const db = await Database.connect({
        databaseUrl: addresses.SYNC_DATABASE_URL,
        databaseSchema,
        databasePool: 2,
        applicationName: 'bench',
      });
      await db.migrate();
      const realms = Array.from({ length: realmCount }, (_, n) => String(9_130_350_000_000_000 + n));
      await connectCompanies(db, realms);
      const env = {
        ...addresses,
        SYNC_DATABASE_SCHEMA: databaseSchema,
        SYNC_TOPIC_PREFIX: `${databaseSchema}.`,
        SYNC_LOG_LEVEL: 'info',
        SYNC_QBO_ENVIRONMENT: 'http://127.0.0.1:9',
        SYNC_QBO_CLIENT_ID: 'bench',
        SYNC_QBO_CLIENT_SECRET: 'bench',
        SYNC_QBO_WEBHOOK_VERIFIER_TOKEN: verifierToken,
        SYNC_TOKEN_KEY: randomBytes(32).toString('base64'),
      };
      const dist = join(process.cwd(), 'dist');
      const door = await startProgram(
        join(dist, 'apps/ingest/src/main.js'),
        env,
        /"address":"(http:[^"]+)"[^\n]*"msg":"ready"/,
      );
      const bare = await startProgram(join(dist, 'tools/bench/src/webhook-bare.js'), env, /listening on (\d+)/);
      const requests = realms.map((realmId) => delivery(realmId));
      const rates = { door: [] as number[], bare: [] as number[] };
      let failures = 0;
      let p99 = 0;
      const fire = async (url: string, duration: number): Promise<number> => {
        const result = await autocannon({ url, connections: 32, duration, requests });
        failures += result.errors + result.timeouts + result.non2xx;
        p99 = result.latency.p99;
        return result.requests.average;
      };
      try {
        const rounds = quick ? 3 : 5;
        for (let round = 0; round <= rounds; round++) {
          const seconds = round === 0 ? 3 : quick ? 4 : 8;
          const b = await fire(`http://127.0.0.1:${bare.found}`, seconds);
          const d = await fire(door.found, seconds);
          say(`round ${round}: bare ${Math.round(b)}/s, door ${Math.round(d)}/s${round === 0 ? ' (warm-up)' : ''}`);
          if (round === 0) continue;
          rates.bare.push(b);
          rates.door.push(d);
        }
      } finally {
        await Promise.all([door.stop(), bare.stop()]);
        await db.query(`drop schema ${databaseSchema} cascade`);
        await db.close();
      }
      if (failures > 0) throw new Error(`${failures} deliveries were not answered with 2xx`);
      return {
        ratio: (median(rates.door) / median(rates.bare)).toFixed(2),
        door_per_s: Math.round(median(rates.door)),
        bare_per_s: Math.round(median(rates.bare)),
        door_p99_ms: p99,
      };
    }),
};
