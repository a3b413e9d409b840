// Two companies and the sync between them, under all six processes: what the benchmarks `latency` and `cost` measure. Webhooks
// come at once and none is lost; periodic looks and sweeps, which cost by the clock and not by the change, are out of the way,
// so every edit is found by its own webhook.
import type { EmulatorApp, EmulatorClient } from '#testing';
import { Accounting } from '../../installation/src/accounting.js';
import type { Control } from '../../installation/src/control.js';
import type { Installation } from '../../installation/src/installation.js';
import { connectPair } from '../../installation/src/pair.js';

/** Ours by choice; a burst within it is one look. */
export const coalesceMs = 500;

export interface SyncedPair {
  emulator: EmulatorClient;
  app: EmulatorApp;
  control: Control;
  /** The person at work in the source. */
  books: Accounting;
  source: string;
  target: string;
}

/** @param aggregateMs for how long QuickBooks gathers notifications into one webhook */
export async function syncedPair(installation: Installation, name: string, aggregateMs: number): Promise<SyncedPair> {
  const { emulator } = installation;
  const app = await installation.ourApp();
  const person = await emulator.createApp({ name: 'person' });
  const { realmId: source } = await emulator.createCompany({ name: `${name} source` });
  const { realmId: target } = await emulator.createCompany({ name: `${name} target` });
  const books = await Accounting.open(emulator, person.clientId, source);
  await emulator.webhooks({
    enabled: true,
    minDelayMs: 0,
    maxDelayMs: 0,
    aggregateMs,
    dropRate: 0,
    duplicateRate: 0,
  });
  await installation.startApps(app, { SYNC_CAPTURE_LOOK_INTERVAL: '5m', SYNC_CAPTURE_COALESCE: `${coalesceMs}ms` });
  await connectPair(installation, app.clientId, { source, target, organization: name });
  return { emulator, app, control: installation.control, books, source, target };
}
