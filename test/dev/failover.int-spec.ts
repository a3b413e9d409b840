// The three-node Kafka that failover tests need: acknowledged records survive the death of any one node, and the node
// comes back on its own data.
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { startBreakableInfrastructure } from '#testing';
import type { BreakableInfrastructure } from '#testing';

let infra: BreakableInfrastructure;
beforeAll(async () => void (infra = await startBreakableInfrastructure({ nodes: 3 })));
afterAll(() => infra?.stop());

it('keeps every acknowledged record while a node is killed and started again', async () => {
  const kafka = new Kafka({
    brokers: infra.addresses.SYNC_KAFKA_BROKERS.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 20 },
  });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: 'kept', numPartitions: 3, replicationFactor: 3 }],
  });
  const { topics } = await admin.fetchTopicMetadata({ topics: ['kept'] });
  expect(topics[0]!.partitions.map((partition) => partition.replicas.length)).toEqual([3, 3, 3]);

  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const send = (n: number) =>
    producer.send({ topic: 'kept', acks: -1, messages: [{ key: String(n), value: String(n), partition: n % 3 }] });
  for (let n = 0; n < 10; n++) await send(n);
  await infra.kill('kafka-2');
  for (let n = 10; n < 20; n++) await send(n);
  await infra.start('kafka-2');
  for (let n = 20; n < 30; n++) await send(n);
  await producer.disconnect();

  const ends = await admin.fetchTopicOffsets('kept');
  expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBe(30);
  await admin.disconnect();
});

it('brings PostgreSQL back on its data after kill -9', async () => {
  const query = async (sql: string) => {
    const client = new pg.Client({ connectionString: infra.addresses.SYNC_DATABASE_URL });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows as unknown[];
    } finally {
      await client.end();
    }
  };
  await query('create table kept as select 42 as n');
  await infra.kill('postgresql');
  await expect(query('select 1')).rejects.toThrow();
  await infra.start('postgresql');
  expect(await query('select n from kept')).toEqual([{ n: 42 }]);
});
