// States that a healthy demo never shows, made on purpose and on a company of its own, so that the panels and alerts which are
// for them are seen to move: a dead letter, a 429, a record that is held, one that failed, a connection that a person ended.
import { Kafka, logLevel } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { topics } from '#contracts';
import { guardIdleTimers } from '#kafka';
import type { Demo } from '../../../demo/src/demo.js';
import type { Installation } from '../../../installation/src/installation.js';
import type { Prometheus } from '../live/prometheus.js';

export interface Seen {
  what: string;
  expr: string;
  value: number | undefined;
}

/** What must be above nothing afterwards: each with the query of its panel or alert. */
const signs: Omit<Seen, 'value'>[] = [
  { what: 'a dead letter', expr: 'max(sync_dead_letters)' },
  { what: 'its group and topic', expr: 'sum(sync_kafka_records_total{outcome="dead-lettered"})' },
  { what: 'a 429', expr: 'sum(increase(sync_quota_rejected_total[10m]))' },
  { what: 'the governor heard of it', expr: 'sum(increase(sync_quota_refused_total[10m]))' },
  { what: 'alert Throttled fires', expr: 'ALERTS{alertname="Throttled",alertstate="firing"}' },
  { what: 'a held record', expr: 'max(sync_reconciliation_records{class="held"})' },
  { what: 'its reason', expr: 'max(sync_held_records{family="QBO"})' },
  { what: 'a failed record', expr: 'max(sync_reconciliation_records{class="failed"})' },
  { what: 'it counts against the objective', expr: 'sum(increase(sync_settled_total{outcome="failed"}[10m]))' },
  { what: 'a company to connect again', expr: 'max(sync_companies{status="reconnect_needed"})' },
  { what: 'alert ReconnectNeeded waits its time', expr: 'ALERTS{alertname="ReconnectNeeded"}' },
];
const patienceMs = 90_000;

export async function provoke(installation: Installation, demo: Demo): Promise<void> {
  const { emulator } = installation;
  const { books, target, neighbour, neighbourTarget } = demo.made;
  emulator.provokesThrottling('a 429 is ordered so that its panel moves');
  await letter(installation);
  await emulator.fault({ match: { realmId: target, method: 'POST' }, fault: 'throttle', times: 1 });
  await books.write('Customer', { DisplayName: 'Made while QuickBooks was busy' });
  // 6190: the subscription ended, a person renews it. 6100: a tax code that cannot be, given up.
  await emulator.switches(neighbourTarget, { refuseWith: { 'Customer create': '6190', 'Vendor create': '6100' } });
  await neighbour.write('Customer', { DisplayName: 'Held' });
  await neighbour.write('Vendor', { DisplayName: 'Failed' });
}

/** The neighbour's target is disconnected, and something is to be written there. */
export async function disconnect(installation: Installation, demo: Demo, clientId: string): Promise<void> {
  const { neighbour, neighbourTarget } = demo.made;
  await installation.emulator.revokeGrant(clientId, neighbourTarget);
  await neighbour.write('Term', { Name: 'Too late', DueDays: 10 });
}

/** A record that no reader can decode. */
async function letter(installation: Installation): Promise<void> {
  const { brokers, topicPrefix } = installation.places();
  guardIdleTimers();
  const producer = new Kafka({ clientId: 'observe-check', brokers, logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  try {
    const messages = [{ key: 'nobody', value: 'no record of ours' }];
    await producer.send({ topic: topicPrefix + topics.changes.name, messages });
  } finally {
    await producer.disconnect();
  }
}

/** Waits until all is seen, or long enough. */
export async function seen(prometheus: Prometheus, whats?: RegExp): Promise<Seen[]> {
  const wanted = signs.filter(({ what }) => !whats || whats.test(what));
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await Promise.all(
      wanted.map(async (sign): Promise<Seen> => ({ ...sign, value: await prometheus.figure(sign.expr) })),
    );
    if (found.every(({ value }) => (value ?? 0) > 0) || performance.now() > deadline) return found;
    await sleep(1_000);
  }
}
