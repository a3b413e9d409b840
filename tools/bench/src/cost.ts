// cost: metered reads for each synced change, against the least possible. Two ways of working are measured through all
// processes: bursts (thirty edits saved at once) and a trickle (one edit, then a pause). Webhooks carry no data, so whatever
// was announced costs one call of change data capture per look; a burst within the coalescing window needs one look, an
// edit by itself another. Carrying an edit needs no read at all in the target: the answer of the write before told its state.
import { setTimeout as sleep } from 'node:timers/promises';
import { quotaUse, type JournalRow } from '../../demo/src/quota.js';
import { Installation } from '../../installation/src/installation.js';
import type { Bench, BenchRun, Metrics } from './bench.js';
import { syncedPair } from './synced-pair.js';

/** One batch: all of it is saved, and announced, well within the coalescing window. */
const burstSize = 30;
/** Longer than coalescing and a look together: the next act needs a look of its own. */
const pauseMs = 2_000;
const settleTimeoutMs = 90_000;

export const bench: Bench = {
  about: 'ratio=: metered reads per synced change in bursts and at a trickle, against the least possible; goal 1.2',
  run,
};

async function run({ quick, say }: BenchRun): Promise<Metrics> {
  const installation = await Installation.start(say);
  try {
    return await measure(installation, quick ? { bursts: 3, single: 6 } : { bursts: 30, single: 100 }, say);
  } finally {
    await installation.stop();
  }
}

async function measure(
  installation: Installation,
  acts: { bursts: number; single: number },
  say: (text: string) => void,
): Promise<Metrics> {
  const { emulator, app, control, books, source, target } = await syncedPair(installation, 'Cost', 100);

  const since = new Date().toISOString();
  const log = new Set<string>();
  /** Settled versions of customers so far. */
  const settled = async (): Promise<number> => {
    const rows = await control.syncLog(`realm=${source}&type=Customer&stage=settled&from=${encodeURIComponent(since)}`);
    for (const row of rows) log.add(`${row.entityId} ${row.version}`);
    return log.size;
  };
  const untilSettled = async (count: number): Promise<void> => {
    const deadline = performance.now() + settleTimeoutMs;
    while ((await settled()) < count) {
      if (performance.now() > deadline) throw new Error(`${log.size} of ${count} changes were settled`);
      await sleep(200);
    }
  };
  const reads = async (): Promise<number> => {
    let sum = 0;
    for (const realmId of [source, target]) {
      const { requests } = await emulator.requests(realmId);
      const ours = (requests as JournalRow[]).filter((row) => row.app === app.clientId && row.status < 400);
      sum += quotaUse(ours).reads;
    }
    return sum;
  };

  let records = await books.writeAll(
    'Customer',
    Array.from({ length: burstSize }, (_, n) => ({ DisplayName: `Customer ${n}` })),
  );
  await untilSettled(burstSize);
  await sleep(pauseMs);
  let changes = burstSize;
  const edited = (n: number, text: string) => {
    const { Id, SyncToken } = records[n]!;
    return { Id, SyncToken, sparse: true, Notes: text };
  };

  say(`${acts.bursts} bursts of ${burstSize} edits`);
  const before = await reads();
  for (let burst = 0; burst < acts.bursts; burst++) {
    records = await books.writeAll(
      'Customer',
      records.map((_, n) => edited(n, `burst ${burst}`)),
      'update',
    );
    changes += burstSize;
    await sleep(pauseMs);
    await untilSettled(changes);
  }
  const between = await reads();
  say(`${acts.single} edits one by one`);
  for (let n = 0; n < acts.single; n++) {
    const place = n % burstSize;
    records[place] = await books.write('Customer', edited(place, `single ${n}`));
    changes += 1;
    await sleep(pauseMs);
    await untilSettled(changes);
  }
  const after = await reads();

  const burst = (between - before) / acts.bursts;
  const trickle = (after - between) / acts.single;
  const perChange = (sum: number, of: number) => (sum / of).toFixed(3);
  return {
    // One look per burst, one per edit by itself, and nothing else: that is the least.
    ratio: Math.max(burst, trickle).toFixed(3),
    burst_ratio: burst.toFixed(3),
    trickle_ratio: trickle.toFixed(3),
    burst_reads_per_change: perChange(between - before, acts.bursts * burstSize),
    trickle_reads_per_change: perChange(after - between, acts.single),
    changes: acts.bursts * burstSize + acts.single,
  };
}
