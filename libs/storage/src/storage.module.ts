// PostgreSQL for an app: one Database and every store, global. The module is ready when the database answered and the
// schema is up to date; until then the process waits with back-off (its HTTP server says "starting").
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle, untilAvailable } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { ask } from '#common/metrics';
import { Database } from './database.js';
import { clockSkewSeconds, poolConnections } from './database.metrics.js';
import type { DatabaseOptions } from './database.js';
import { stores } from './stores.js';

@Module({})
export class StorageModule {
  static forRoot(o: DatabaseOptions): DynamicModule {
    return {
      module: StorageModule,
      global: true,
      providers: [
        {
          provide: Database,
          inject: [CLOCK, Health, Lifecycle],
          useFactory: async (clock: Clock, health: Health, lifecycle: Lifecycle): Promise<Database> => {
            const log = createLog('storage');
            const signal = lifecycle.stopping;
            const opened: { db?: Database } = {};
            // Registered first: a start that waits for PostgreSQL says so.
            health.register('postgresql', async () => {
              if (!opened.db) return 'not connected yet';
              await opened.db.query('select 1');
              return true;
            });
            const db = await untilAvailable('PostgreSQL', () => Database.connect(o), { clock, log, signal });
            const ran = await untilAvailable('the migrations', () => db.migrate(), { clock, log, signal });
            if (ran.length > 0) log.info({ migrations: ran }, 'schema brought up to date');
            opened.db = db;
            observe(db, clock);
            return db;
          },
        },
        ...stores,
      ],
      exports: [Database, ...stores],
    };
  }
}

function observe(db: Database, clock: Clock): void {
  ask([clockSkewSeconds, poolConnections], async () => {
    for (const [state, connections] of Object.entries(db.pool())) poolConnections.set({ state }, connections);
    const askedMs = clock.nowMs();
    const [row] = await db.query<{ nowMs: string }>(`select extract(epoch from clock_timestamp()) * 1000 as "nowMs"`);
    // The answer is as old as half the way there and back.
    clockSkewSeconds.set(((askedMs + clock.nowMs()) / 2 - Number(row!.nowMs)) / 1_000);
  });
}
