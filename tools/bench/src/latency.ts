// latency: from the moment QuickBooks answered an edit to the moment its effect was settled in the target, through all six
// processes. QBO's own time is kept out by making it nothing (the emulator answers and sends webhooks at once); the
// coalescing window is ours by choice, so it is subtracted. Edits come slower than the quota's spacing (120 ms a call):
// what is measured is the pipeline, not a queue in front of the quota.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from '../../installation/src/control.js';
import { latencies, percentile } from '../../demo/src/freshness.js';
import { Installation } from '../../installation/src/installation.js';
import type { Act } from '../../demo/src/person.js';
import type { Bench, BenchRun, Metrics } from './bench.js';
import { coalesceMs, syncedPair } from './synced-pair.js';

const customers = 30;
const editEveryMs = 900;
const settleTimeoutMs = 20_000;

export const bench: Bench = {
  about: 'p99_ms=: edit to settled through all processes, less QBO and the coalescing window; goal 250',
  run,
};

async function run({ quick, say }: BenchRun): Promise<Metrics> {
  const installation = await Installation.start(say);
  try {
    return await measure(installation, quick ? 25 : 250, say);
  } finally {
    await installation.stop();
  }
}

async function measure(installation: Installation, edits: number, say: (text: string) => void): Promise<Metrics> {
  const { control, books, source } = await syncedPair(installation, 'Latency', 0);

  const since = new Date().toISOString();
  const acts: Act[] = [];
  const records = [];
  for (let n = 0; n < customers; n++) records.push(await books.write('Customer', { DisplayName: `Customer ${n}` }));
  await untilSettled(
    control,
    source,
    since,
    records.map((record) => record.Id as string),
  );
  say(`${customers} customers are there; ${edits} edits, one every ${editEveryMs} ms`);
  for (let n = 0; n < edits; n++) {
    const { Id, SyncToken } = records[n % customers]!;
    const record = await books.write('Customer', { Id, SyncToken, sparse: true, Notes: `edit ${n}` });
    records[n % customers] = record;
    const lastUpdatedTime = record.MetaData.LastUpdatedTime as string;
    acts.push({ what: 'customer edited', type: 'Customer', id: String(Id), doneMs: Date.now(), lastUpdatedTime });
    await sleep(editEveryMs);
  }
  const deadline = performance.now() + settleTimeoutMs;
  for (;;) {
    const log = (await control.syncLog(`realm=${source}&from=${encodeURIComponent(since)}`)).filter(
      (row) => row.stage === 'settled',
    );
    const { ms, unsettled } = latencies(acts, log);
    if (unsettled.length === 0) return figures(ms);
    if (performance.now() > deadline) throw new Error(`${unsettled.length} of ${edits} edits were never settled`);
    await sleep(250);
  }
}

async function untilSettled(control: Control, source: string, since: string, ids: readonly string[]): Promise<void> {
  const deadline = performance.now() + settleTimeoutMs;
  for (;;) {
    const log = await control.syncLog(`realm=${source}&type=Customer&stage=settled&from=${encodeURIComponent(since)}`);
    const there = new Set(log.map((row) => row.entityId));
    if (ids.every((id) => there.has(id))) return;
    if (performance.now() > deadline) throw new Error('the first customers were not carried in time');
    await sleep(250);
  }
}

function figures(ms: readonly number[]): Metrics {
  const ours = ms.map((value) => Math.max(0, value - coalesceMs));
  const at = (p: number) => percentile(ours, p).toFixed(0);
  return { p99_ms: at(99), p95_ms: at(95), p50_ms: at(50), coalesce_ms: coalesceMs, edits: ours.length };
}
