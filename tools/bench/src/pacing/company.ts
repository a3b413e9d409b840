// An emulator with one company whose limits are on, PostgreSQL with our schema, and the share of the quota that was used.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { qboLimits } from '#core';
import { Database } from '#storage';
import { startEmulator } from '#testing';
import { withInfrastructure, type Metrics } from '../bench.js';
import type { SenderPlan } from './sender.js';

const minuteMs = 60_000;

/** Runs what `begin` has made ready against a saturated company for so long. The first minute is left out of the share when there are more. */
export async function measureShare(
  seconds: number,
  latency: { meanMs: number; jitterMs: number },
  begin: (plan: Omit<SenderPlan, 'lanes'>) => Promise<(untilMs: number) => Promise<void>>,
): Promise<{ share: number; throttled: number; peaks: Metrics }> {
  return withInfrastructure(async (addresses) => {
    const databaseUrl = addresses.SYNC_DATABASE_URL;
    const emulator = await startEmulator();
    const databaseSchema = `bench_${randomBytes(4).toString('hex')}`;
    const db = await Database.connect({ databaseUrl, databaseSchema, databasePool: 2, applicationName: 'bench' });
    try {
      await db.migrate();
      const app = await emulator.createApp({ name: 'bench' });
      const { realmId } = await emulator.createCompany({ name: 'Saturated' });
      const { accessToken } = await emulator.grant(app.clientId, realmId);
      await emulator.limits({ inFlight: true, latency });
      // Its own line says what was refused; the check at the emulator's end would say it twice.
      emulator.provokesThrottling('the benchmark prints it');
      const run = await begin({ databaseUrl, databaseSchema, emulatorUrl: emulator.url, realmId, accessToken });
      const untilMs = Date.now() + seconds * 1_000;
      const running = run(untilMs);
      const requests = async () => Number((await emulator.stats(realmId)).requests);
      if (seconds > 90) await sleep(minuteMs);
      const [from, fromMs] = [await requests(), Date.now()];
      await sleep(Math.max(0, untilMs - Date.now()));
      const [to, toMs] = [await requests(), Date.now()];
      await running;
      const stats = await emulator.stats(realmId);
      return {
        share: (to - from) / (((toMs - fromMs) / minuteMs) * qboLimits.perMinute.max),
        throttled: Number(stats.throttled),
        peaks: {
          peak_minute: stats.peakPerMinute,
          peak_second: stats.peakPerSecond,
          peak_in_flight: stats.peakInFlight,
          peak_batches: stats.peakBatchesPerMinute,
        },
      };
    } finally {
      await db.query(`drop schema if exists ${databaseSchema} cascade`).catch(() => undefined);
      await db.close();
      await emulator.stop();
    }
  });
}
