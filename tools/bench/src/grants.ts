// grants: how many calls a second one process's governor lets go, of companies that all want more than their quota gives: one
// statement to PostgreSQL a grant, and nothing else. At the quota's 8.3 a second and company the figure says how many
// companies one process and one PostgreSQL could keep at their limit.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#common/clock';
import { qboLimits } from '#core';
import { Database, GovernorStore } from '#storage';
import { withInfrastructure, type Bench, type BenchRun, type Metrics } from './bench.js';
import { percentile } from './writing.js';

/** Together three times what the machine is expected to carry, so that the quota is not what is measured. */
const companies = 600;
/** The burst that a fresh company may begin with is over. */
const burstMs = 5_000;

export const bench: Bench = {
  about: 'grants_per_s= of one process over 600 saturated companies, one statement each (no goal: docs/adr/0004)',
  run: ({ quick }: BenchRun): Promise<Metrics> =>
    withInfrastructure(async ({ SYNC_DATABASE_URL: databaseUrl }) => {
      const databaseSchema = `bench_${randomBytes(4).toString('hex')}`;
      const db = await Database.connect({ databaseUrl, databaseSchema, databasePool: 10, applicationName: 'bench' });
      try {
        await db.migrate();
        const governor = new GovernorStore(db, systemClock);
        const stop = new AbortController();
        let grants = 0;
        const caller = async (realmId: string): Promise<void> => {
          while (!stop.signal.aborted) {
            const grant = await governor
              .acquire(realmId, { kind: 'single', app: 'bench', class: 'bulk' }, stop.signal)
              .catch(() => undefined);
            if (!grant) return;
            grants += 1;
            void grant.complete('ok');
          }
        };
        const callers = Array.from({ length: companies }, (_, n) => caller(`grants-${n}`));
        await sleep(burstMs);
        const seconds = quick ? 15 : 60;
        const perSecond: number[] = [];
        for (let n = 0; n < seconds; n += 1) {
          const [from, fromMs] = [grants, performance.now()];
          await sleep(1_000);
          perSecond.push(((grants - from) / (performance.now() - fromMs)) * 1_000);
        }
        stop.abort();
        await Promise.all(callers);
        const mean = perSecond.reduce((sum, one) => sum + one, 0) / perSecond.length;
        return {
          grants_per_s: Math.round(mean),
          least_per_s: Math.round(Math.min(...perSecond)),
          p50_per_s: Math.round(percentile(perSecond, 50)),
          companies_at_their_limit: Math.floor(mean / (qboLimits.perMinute.max / 60)),
          seconds,
        };
      } finally {
        await db.query(`drop schema if exists ${databaseSchema} cascade`).catch(() => undefined);
        await db.close();
      }
    }),
};
