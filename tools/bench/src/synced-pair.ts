// Two companies and the sync between them, under all six processes: what the benchmarks `latency` and `cost` measure. Webhooks
// come at once and none is lost; periodic looks and sweeps, which cost by the clock and not by the change, are out of the way,
// so every edit is found by its own webhook.
import type { EmulatorApp, EmulatorClient } from '#testing';
import { Accounting } from '../../installation/src/accounting.js';
import { Control } from '../../installation/src/control.js';
import type { Installation } from '../../installation/src/installation.js';

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
  const app = await emulator.createApp({
    name: 'qbo-sync',
    webhookUrl: `${installation.url('ingest')}/webhooks/intuit`,
    webhookFormat: 'cloudevents',
  });
  const person = await emulator.createApp({ name: 'person' });
  const { realmId: source } = await emulator.createCompany({ name: `${name} source` });
  const { realmId: target } = await emulator.createCompany({ name: `${name} target` });
  const books = new Accounting(emulator, source, (await emulator.grant(person.clientId, source)).accessToken);
  await emulator.webhooks({
    enabled: true,
    minDelayMs: 0,
    maxDelayMs: 0,
    aggregateMs,
    dropRate: 0,
    duplicateRate: 0,
  });
  await installation.startApps(app, { SYNC_CAPTURE_LOOK_INTERVAL: '5m', SYNC_CAPTURE_COALESCE: `${coalesceMs}ms` });
  const control = new Control(installation.url('control'), installation.url('audit'), installation.adminKey);
  const organization = await control.createOrganization(name);
  for (const realmId of [source, target]) {
    await control.connectCompany(organization.id, realmId, await emulator.grant(app.clientId, realmId));
  }
  await control.createSync(source, target);
  return { emulator, app, control, books, source, target };
}
