// `npm run failover [-- --quick] [--records N] [--without-the-rule]`: three real Kafka nodes (three copies, two must have a record), our own
// producer and consumer; the node that leads most is killed with SIGKILL, started again and followed by the next one, while
// records flow. kafkajs loses acknowledged records when one send spans brokers; our producer sends one partition at a time,
// and this is the test that holds it: with `--without-the-rule` the same program runs from a build in which that rule is
// taken out (tools/seeded-bugs), and must come to lost>0 and a failure.
//
//   lost     acknowledged, and not in the log
//   doubled  more than once in the log
//   unseen   in the log, and never handed to the consumer (said before the last line when there are any)
//   stall    for each kill and partition: the longest wait for the next acknowledgement from the kill until all copies are back
//   leaderless  for each kill: until some node names a living leader of every partition, the part of the stall that is Kafka's
//
// Last line: `failover: acked=N lost=0 doubled=0 stall_p99_ms=N`; exit 0 only when nothing was lost, doubled or unseen.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { configureLogging } from '#common/logging';
import { topics } from '#contracts';
import type { AuditEvent } from '#contracts';
import { KafkaClient } from '#kafka';
import { startInfrastructure } from '../../dev/src/infrastructure.js';
import { Stalls } from './stalls.js';

const { values } = parseArgs({
  options: {
    records: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'without-the-rule': { type: 'boolean', default: false },
  },
});
// A million is some twenty kills in five to ten minutes; quick is a minute and some six kills.
const asked = values.records ?? (values.quick ? '150000' : '1000000');
if (values['without-the-rule']) {
  const { runWith } = await import('../../seeded-bugs/src/mutant.js');
  process.exit(await runWith('one-send-over-several-brokers', 'tools/failover/src/main', ['--records', asked]));
}
const wanted = Number(asked);
const publishers = 12;
const perPublishing = 100;
/** between a node that is back with all copies in step, and the next kill */
const calmMs = 1_500;
const downMs = 2_500;
/** after the last record: what is in the log is consumed */
const drainMs = 60_000;
const inStepMs = 60_000;

// What the client says of each lost connection is no news here.
configureLogging({ service: 'failover', level: 'fatal' });
const say = (text: string): void => void process.stderr.write(`failover: ${text}\n`);
const infrastructure = await startInfrastructure({ nodes: 3, env: {}, say });
let exitCode = 1;
try {
  const { addresses, kafka } = infrastructure;
  const brokers = addresses.SYNC_KAFKA_BROKERS.split(',');
  const client = await KafkaClient.connect({
    brokers,
    registryUrl: addresses.SYNC_REGISTRY_URL,
    topicPrefix: `failover-${randomUUID().slice(0, 8)}.`,
    clientId: 'failover',
  });
  const topic = topics.audit.name;
  const name = client.topicPrefix + topic;
  // One byte a record, by its number: a million of them is a megabyte, not a hundred.
  const most = wanted * 2 + publishers * perPublishing;
  const acked = new Uint8Array(most);
  const stored = new Uint8Array(most);
  const consumed = new Uint8Array(most);
  let ackedCount = 0;
  let refused = 0;
  let next = 0;
  let publishing = true;
  const stalls = new Stalls(() => performance.now());

  const consumer = client.port.consume({
    groupId: `${client.topicPrefix}consumer`,
    topics: [name],
    onBatch: async (batch, hold) => {
      for (const { headers } of batch.records) consumed[Number(headers.ce_id)] = 1;
      await hold.commit();
    },
    onFatal: (error) => {
      say(`the consumer died: ${error.message}`);
      process.exit(1);
    },
  });
  await consumer.joined;

  const publish = async (publisher: number): Promise<void> => {
    // One key and so one partition for each publisher: an acknowledgement says of which partition it is.
    const key = `org-${publisher}`;
    while (publishing && next + perPublishing <= most) {
      const ids = Array.from({ length: perPublishing }, () => next++);
      const records = ids.map((id) => {
        const details = { filler: 'x'.repeat(100) };
        const value: AuditEvent = {
          organizationId: key,
          actor: 'failover',
          action: 'tick',
          subject: key,
          at: 'now',
          details,
        };
        return { topic, key, id: String(id), time: new Date(), value };
      });
      try {
        await client.producer.publishAll(records);
        for (const id of ids) acked[id] = 1;
        ackedCount += ids.length;
        stalls.acknowledged(publisher);
      } catch {
        // Some of them may be in the log; nothing was promised of any.
        refused += ids.length;
      }
      if (ackedCount >= wanted) publishing = false;
    }
  };

  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } }).admin();
  await admin.connect();
  const partitions = async () => {
    const metadata = await admin.fetchTopicMetadata({ topics: [name] }).catch(() => undefined);
    return metadata?.topics[0]?.partitions ?? [];
  };
  const inStep = async (): Promise<void> => {
    const deadline = performance.now() + inStepMs;
    for (;;) {
      const now = await partitions();
      if (now.length > 0 && now.every(({ isr, replicas }) => isr.length === replicas.length)) return;
      if (performance.now() > deadline) throw new Error('the copies did not come into step again');
      await sleep(100);
    }
  };
  // One try a question: a client that asks again by itself would measure its own patience.
  const witness = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
  await witness.connect();
  const leaderless: number[] = [];
  const untilLed = async (dead: number, signal: AbortSignal): Promise<void> => {
    const killedMs = performance.now();
    while (!signal.aborted) {
      const now = await witness.fetchTopicMetadata({ topics: [name] }).catch(() => undefined);
      const all = now?.topics[0]?.partitions ?? [];
      if (all.length > 0 && all.every(({ leader }) => leader !== -1 && leader !== dead)) break;
      await sleep(50);
    }
    leaderless.push(performance.now() - killedMs);
  };
  /** Whoever leads most: a node that came back leads nothing at first, and its death would prove little. */
  const leader = async () => {
    const led = new Map<number, number>();
    for (const { leader } of await partitions()) led.set(leader, (led.get(leader) ?? 0) + 1);
    const [[id] = [1]] = [...led].sort((a, b) => b[1] - a[1]);
    return kafka.find((node) => node.options.id === id) ?? kafka[0]!;
  };

  await inStep();
  const startedMs = performance.now();
  const work = Array.from({ length: publishers }, (_, n) => publish(n));
  let kills = 0;
  while (publishing) {
    await sleep(calmMs);
    if (!publishing) break;
    const node = await leader();
    kills++;
    say(`kill ${kills}: SIGKILL to node ${node.options.id}; ${ackedCount} of ${wanted} acknowledged`);
    stalls.killed(publishers);
    await node.kill();
    const back = new AbortController();
    const led = untilLed(node.options.id, back.signal);
    await sleep(downMs);
    await node.start();
    await inStep();
    back.abort();
    await led;
    stalls.healed();
  }
  await Promise.all(work);
  const tookS = (performance.now() - startedMs) / 1000;

  await client.reader.read(topic, {}, (batch) => {
    for (const { id } of batch.records) stored[Number(id)] = Math.min(255, stored[Number(id)]! + 1);
    return Promise.resolve();
  });
  const count = (test: (n: number) => boolean): number => {
    let found = 0;
    for (let n = 0; n < next; n++) if (test(n)) found++;
    return found;
  };
  const unseenNow = () => count((n) => stored[n]! > 0 && consumed[n] === 0);
  const endMs = performance.now() + drainMs;
  while (unseenNow() > 0 && performance.now() < endMs) await sleep(200);
  await consumer.stop();
  await admin.disconnect();
  await witness.disconnect();
  await client.close();

  const lost = count((n) => acked[n] === 1 && stored[n] === 0);
  const doubled = count((n) => stored[n]! > 1);
  const unseen = unseenNow();
  say(
    `${kills} kills in ${tookS.toFixed(0)} s, ${Math.round(ackedCount / tookS)} records/s, refused ${refused}, stall p50 ${stalls.percentile(0.5)} ms, longest ${stalls.percentile(1)} ms; leaderless ${leaderless
      .sort((a, b) => a - b)
      .map((ms) => Math.round(ms))
      .join(', ')} ms`,
  );
  if (unseen > 0) say(`unseen=${unseen}`);
  process.stdout.write(
    `failover: acked=${ackedCount} lost=${lost} doubled=${doubled} stall_p99_ms=${stalls.percentile(0.99)}\n`,
  );
  exitCode = lost === 0 && doubled === 0 && unseen === 0 && kills > 0 && ackedCount >= wanted ? 0 : 1;
} finally {
  await infrastructure.stop();
}
process.exit(exitCode);
