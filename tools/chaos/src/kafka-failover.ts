// `node tools/dev/run.mjs tools/chaos/src/kafka-failover [--rounds 6] [--nodes 3] [--down 2500]`: three real Kafka nodes, leaders killed with SIGKILL in
// turn while events are published and consumed. Nothing that was acknowledged may be missing, neither in the log nor at the
// consumer: kafkajs loses acknowledged records when one send spans brokers, and this is the test that holds our way around
// it (one partition per send). Not part of npm test: it needs half a gigabyte and a minute. Last line:
// `failover acked=N lost=0 unseen=0 doubled=N refused=N`; exit 0 only without loss.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { topics } from '#contracts';
import type { AuditEvent } from '#contracts';
import { KafkaClient } from '#kafka';
import { startInfrastructure } from '../../dev/src/infrastructure.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    // 1: an outage of all of Kafka instead of a failover
    nodes: { type: 'string', default: '3' },
    down: { type: 'string', default: '2500' },
  },
});
const rounds = Number(values.rounds);
const downMs = Number(values.down);
const publishers = 8;
const perPublishing = 100;
const upMs = 2500;
/** after the last node is back: what is in flight ends, what is in the log is consumed */
const drainMs = 60_000;

const say = (text: string): void => void process.stderr.write(`failover: ${text}\n`);

const infrastructure = await startInfrastructure({ nodes: values.nodes === '1' ? 1 : 3, env: {}, say });
let exitCode = 1;
try {
  const { addresses, kafka } = infrastructure;
  const client = await KafkaClient.connect({
    brokers: addresses.SYNC_KAFKA_BROKERS.split(','),
    registryUrl: addresses.SYNC_REGISTRY_URL,
    topicPrefix: `failover-${randomUUID().slice(0, 8)}.`,
    clientId: 'failover',
  });
  const topic = topics.audit.name;
  const acked = new Set<string>();
  const consumed = new Set<string>();
  let refused = 0;
  let publishing = true;

  const consumer = client.port.consume({
    groupId: `${client.topicPrefix}consumer`,
    topics: [client.topicPrefix + topic],
    onBatch: async (batch, hold) => {
      for (const { headers } of batch.records) consumed.add(String(headers.ce_id));
      await hold.commit();
    },
    onFatal: (error) => {
      say(`the consumer died: ${error.message}`);
      process.exit(1);
    },
  });
  await consumer.joined;

  const publish = async (publisher: number): Promise<void> => {
    for (let n = 0; publishing; n++) {
      const ids = Array.from({ length: perPublishing }, (_, i) => `${publisher}-${n}-${i}`);
      const records = ids.map((id, i) => {
        const key = `org-${(publisher * 31 + i) % 97}`;
        const value: AuditEvent = {
          organizationId: key,
          actor: 'failover',
          action: 'tick',
          subject: id,
          at: 'now',
          details: { filler: 'x'.repeat(200) },
        };
        return { topic, key, id, time: new Date(), value };
      });
      // One by one, so that an acknowledgement speaks for exactly one record.
      await Promise.all(
        records.map((record) =>
          client.producer.publish(record).then(
            () => acked.add(record.id),
            () => refused++,
          ),
        ),
      );
      await sleep(20);
    }
  };
  const work = Array.from({ length: publishers }, (_, n) => publish(n));

  for (let round = 0; round < rounds; round++) {
    const node = kafka[round % kafka.length]!;
    await sleep(upMs);
    say(
      `round ${round + 1}/${rounds}: SIGKILL to node ${node.options.id}; acked ${acked.size}, consumed ${consumed.size}`,
    );
    await node.kill();
    await sleep(downMs);
    await node.start();
  }
  await sleep(upMs);
  publishing = false;
  await Promise.all(work);

  const stored = new Map<string, number>();
  await client.reader.read(topic, {}, (batch) => {
    for (const { id } of batch.records) stored.set(id, (stored.get(id) ?? 0) + 1);
    return Promise.resolve();
  });
  const endMs = Date.now() + drainMs;
  while (consumed.size < stored.size && Date.now() < endMs) await sleep(200);
  await consumer.stop();
  await client.close();

  const lost = [...acked].filter((id) => !stored.has(id)).length;
  const unseen = [...stored.keys()].filter((id) => !consumed.has(id)).length;
  const doubled = [...stored.values()].filter((times) => times > 1).length;
  process.stdout.write(
    `failover acked=${acked.size} lost=${lost} unseen=${unseen} doubled=${doubled} refused=${refused}\n`,
  );
  exitCode = lost === 0 && unseen === 0 && acked.size > 0 ? 0 : 1;
} finally {
  await infrastructure.stop();
}
process.exit(exitCode);
