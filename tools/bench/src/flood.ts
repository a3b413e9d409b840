// flood: fifty times the usual webhooks at once. Deliveries come at a rate, not as fast as the door answers: a slow door must
// show as waiting, not as fewer deliveries. Every delivery that was answered with 200 must be in Kafka, and the door may not
// keep what it answered.
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { topics, type NotificationEvent } from '#contracts';
import { KafkaClient } from '#kafka';
import { Database } from '#storage';
import { startProgram, withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';
import { connectCompanies, delivery, realmCount, verifierToken } from './webhook.js';

/** A delivery a second for each six companies of the 64: more than any of ours makes on a working day. */
const usualPerS = 10;
const times = 50;
/** Intuit's own limit. */
const answerWithinMs = 3_000;

interface Phase {
  acked: string[];
  refused: number;
  latenciesMs: number[];
  rssMb: number;
}

export const bench: Bench = {
  about: 'the webhook door under 50 times the usual deliveries (door p99, goal 250 ms; nothing lost; memory flat)',
  run: ({ quick, say }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async (addresses) => {
      const databaseSchema = `bench_${randomBytes(4).toString('hex')}`;
      const topicPrefix = `${databaseSchema}.`;
      const db = await Database.connect({
        ...{ databaseUrl: addresses.SYNC_DATABASE_URL, databaseSchema, databasePool: 2, applicationName: 'bench' },
      });
      await db.migrate();
      const realms = Array.from({ length: realmCount }, (_, n) => String(9_130_350_000_000_000 + n));
      await connectCompanies(db, realms);
      const door = await startProgram(
        join(process.cwd(), 'dist/apps/ingest/src/main.js'),
        {
          ...addresses,
          ...{ SYNC_DATABASE_SCHEMA: databaseSchema, SYNC_TOPIC_PREFIX: topicPrefix, SYNC_LOG_LEVEL: 'info' },
          ...{
            SYNC_QBO_ENVIRONMENT: 'http://127.0.0.1:9',
            SYNC_QBO_CLIENT_ID: 'bench',
            SYNC_QBO_CLIENT_SECRET: 'bench',
          },
          ...{ SYNC_QBO_WEBHOOK_VERIFIER_TOKEN: verifierToken, SYNC_TOKEN_KEY: randomBytes(32).toString('base64') },
        },
        /"address":"(http:[^"]+)"[^\n]*"msg":"ready"/,
      );
      const agent = new Agent({ connections: 64, pipelining: 1 });
      const rssMb = async (): Promise<number> => {
        const { body } = await request(`${door.found}/metrics`, { dispatcher: agent });
        const bytes = /^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(await body.text())?.[1];
        return Number(bytes) / 2 ** 20;
      };
      const deliver = async (phase: Phase): Promise<void> => {
        const id = randomUUID();
        const { path, headers, body } = delivery(realms[Math.floor(Math.random() * realms.length)]!, id);
        const startedMs = performance.now();
        try {
          const answer = await request(`${door.found}${path}`, {
            ...{ method: 'POST', dispatcher: agent, headers: headers as Record<string, string>, body: String(body) },
            ...{ headersTimeout: answerWithinMs, bodyTimeout: answerWithinMs },
          });
          await answer.body.dump();
          if (answer.statusCode === 200) phase.acked.push(id);
          else phase.refused++;
        } catch {
          phase.refused++;
        }
        phase.latenciesMs.push(performance.now() - startedMs);
      };
      /** The largest resident size of the second half: the first one is warming up. */
      const phase = async (perS: number, seconds: number): Promise<Phase> => {
        const one: Phase = { acked: [], refused: 0, latenciesMs: [], rssMb: 0 };
        const startedMs = performance.now();
        const open = new Set<Promise<void>>();
        let sent = 0;
        let nextLookMs = seconds * 500;
        for (;;) {
          const elapsedMs = performance.now() - startedMs;
          if (elapsedMs >= seconds * 1_000) break;
          for (; sent < (elapsedMs / 1_000) * perS; sent++) {
            const work: Promise<void> = deliver(one).finally(() => open.delete(work));
            open.add(work);
          }
          if (elapsedMs >= nextLookMs) {
            nextLookMs += 1_000;
            one.rssMb = Math.max(one.rssMb, await rssMb());
          }
          await sleep(2);
        }
        await Promise.all(open);
        return one;
      };
      try {
        await phase(usualPerS * times, quick ? 5 : 10);
        const usual = await phase(usualPerS, quick ? 8 : 20);
        say(`usual: ${usual.acked.length} deliveries, p99 ${percentile(usual.latenciesMs, 0.99)} ms`);
        const storm = await phase(usualPerS * times, quick ? 15 : 60);
        say(`storm: ${storm.acked.length} deliveries, refused ${storm.refused}`);
        const stored = await storedIn(addresses, topicPrefix);
        const lost = [...usual.acked, ...storm.acked].filter((id) => !stored.has(id)).length;
        if (lost > 0) throw new Error(`${lost} deliveries were answered with 200 and are not in Kafka`);
        return {
          ...{ door_p99_ms: percentile(storm.latenciesMs, 0.99), usual_p99_ms: percentile(usual.latenciesMs, 0.99) },
          ...{ deliveries: storm.acked.length, per_s: usualPerS * times, refused: storm.refused, lost },
          rss_ratio: (storm.rssMb / usual.rssMb).toFixed(2),
        };
      } finally {
        await agent.close();
        await door.stop();
        await db.query(`drop schema ${databaseSchema} cascade`);
        await db.close();
      }
    }),
};

/** Ids of the webhook events that Kafka has. */
async function storedIn(
  addresses: { SYNC_KAFKA_BROKERS: string; SYNC_REGISTRY_URL: string },
  topicPrefix: string,
): Promise<Set<string>> {
  const client = await KafkaClient.connect({
    ...{ brokers: addresses.SYNC_KAFKA_BROKERS.split(','), registryUrl: addresses.SYNC_REGISTRY_URL },
    ...{ topicPrefix, clientId: 'bench' },
  });
  const stored = new Set<string>();
  await client.reader.read<NotificationEvent>(topics.notifications.name, {}, (batch) => {
    for (const { value } of batch.records)
      for (const { eventId } of value?.entities ?? []) if (eventId) stored.add(eventId);
    return Promise.resolve();
  });
  await client.close();
  return stored;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
}
