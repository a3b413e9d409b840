// One process that calls one company without end, through the real client and the real governor on PostgreSQL: what is
// measured is the share of the quota that comes through, not what is written.
import { systemClock } from '#common/clock';
import type { CallClass } from '#core';
import { QboClient, qboEnvironment } from '#qbo';
import { Database, GovernorStore } from '#storage';

export interface SenderPlan {
  databaseUrl: string;
  databaseSchema: string;
  emulatorUrl: string;
  realmId: string;
  accessToken: string;
  lanes: { class: CallClass; kind: 'single' | 'batch'; callers: number; pauseMs: number }[];
}

export async function send(plan: SenderPlan, signal?: AbortSignal): Promise<void> {
  const { databaseUrl, databaseSchema, realmId } = plan;
  const db = await Database.connect({ databaseUrl, databaseSchema, databasePool: 4, applicationName: 'bench-sender' });
  const gate = new GovernorStore(db, systemClock);
  const client = new QboClient({
    environment: qboEnvironment(plan.emulatorUrl),
    tokens: { accessToken: () => Promise.resolve({ kind: 'token', value: plan.accessToken }), refuse: () => undefined },
    gate,
    clock: systemClock,
    app: 'bench',
  });
  let batches = 0;
  const caller = async ({ class: of, kind, pauseMs }: SenderPlan['lanes'][number]): Promise<void> => {
    const options = { class: of, ...(signal && { signal }) };
    while (!signal?.aborted) {
      if (kind === 'single') await client.companyInfo(realmId, options);
      else {
        const items = [{ bId: '1', Query: 'select * from Customer maxresults 1' }];
        const requestId = `bench-${process.pid}-${(batches += 1)}`;
        await client.batch(realmId, { requestId, body: JSON.stringify({ BatchItemRequest: items }) }, options);
      }
      if (pauseMs > 0) await systemClock.sleep(pauseMs, signal);
    }
  };
  await Promise.all(plan.lanes.flatMap((lane) => Array.from({ length: lane.callers }, () => caller(lane))));
  await client.close();
  await gate.close();
  await db.close();
}
