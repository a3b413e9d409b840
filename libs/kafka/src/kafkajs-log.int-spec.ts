// The kafkajs adapter against a real broker: the contract, and what only a group of several can show.
import { Kafka, KafkaJSError, logLevel } from 'kafkajs';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createLog } from '#common/logging';
import { describeLogClient } from './contract-suite.js';
import { deferred } from './deferred.js';
import { KafkajsLog } from './kafkajs-log.js';
import { TooLarge } from './port.js';
import { putOutPredecessors, roundRobinOf, thisProcess } from './predecessor.js';

/** kafkajs' own, which it does not export. */
const OffsetManager = jest.requireActual<{
  prototype: { getCoordinator: (this: unknown) => Promise<object> };
}>('kafkajs/src/consumer/offsetManager/index.js');
const brokers = process.env.SYNC_KAFKA_BROKERS!.split(',');
const make = (): KafkajsLog => new KafkajsLog({ brokers, clientId: 'spec', log: createLog('kafka-spec') });

describeLogClient('kafkajs', make);

describe('a kafkajs group', () => {
  const client = make();
  afterAll(() => client.close());

  it('shares partitions, and the survivor takes over what a leaver had, without loss', async () => {
    const topic = `spec-${randomUUID().slice(0, 8)}`;
    const groupId = `spec-${randomUUID()}`;
    await client.createTopics([{ name: topic, partitions: 4, config: {} }]);
    const seen = new Set<string>();
    const assigned: number[] = [0, 0];
    const join = (member: number) =>
      client.consume({
        groupId,
        topics: [topic],
        onAssigned: (partitions) => (assigned[member] = partitions.length),
        onFatal: (error) => {
          throw error;
        },
        onBatch: async (batch, hold) => {
          for (const { value } of batch.records) seen.add(String(value));
          await hold.commit();
        },
      });
    const until = async (what: () => boolean): Promise<void> => {
      const end = Date.now() + 15_000;
      while (!what() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(what()).toBe(true);
    };
    const producer = await client.producer();
    const send = async (from: number): Promise<void> => {
      for (let partition = 0; partition < 4; partition++) {
        await producer.send(topic, partition, [{ key: 'k', value: Buffer.from(`${from + partition}`), headers: {} }]);
      }
    };
    const first = join(0);
    await first.joined;
    const second = join(1);
    await until(() => assigned[0] === 2 && assigned[1] === 2);
    await send(0);
    await until(() => seen.size === 4);
    await first.stop();
    await until(() => assigned[1] === 4);
    await send(4);
    await until(() => seen.size === 8);
    await second.stop();
    await producer.close();
  });

  it('says that a record is too large for its topic, and takes the next one', async () => {
    const topic = `spec-${randomUUID().slice(0, 8)}`;
    await client.createTopics([{ name: topic, partitions: 1, config: { 'max.message.bytes': '2000' } }]);
    const producer = await client.producer();
    const record = (bytes: number) => [{ key: 'k', value: Buffer.alloc(bytes), headers: {} }];
    await expect(producer.send(topic, 0, record(5_000))).rejects.toBeInstanceOf(TooLarge);
    await expect(producer.send(topic, 0, record(50))).resolves.toBeUndefined();
    await producer.close();
  });

  it('keeps its partition while a handler takes longer than the session, and hands the batch in once', async () => {
    const topic = `spec-${randomUUID().slice(0, 8)}`;
    const groupId = `spec-${randomUUID()}`;
    const impatient = new KafkajsLog({
      brokers,
      clientId: 'spec',
      log: createLog('kafka-spec'),
      sessionTimeoutMs: 1500,
    });
    await client.createTopics([{ name: topic, partitions: 1, config: {} }]);
    const producer = await client.producer();
    await producer.send(topic, 0, [{ key: 'k', value: Buffer.from('slow'), headers: {} }]);
    await producer.close();
    const seen: string[] = [];
    let done!: () => void;
    const finished = new Promise<void>((resolve) => (done = resolve));
    const member = (name: string) =>
      impatient.consume({
        groupId,
        topics: [topic],
        onFatal: (error) => {
          throw error;
        },
        onBatch: async (_batch, hold) => {
          seen.push(name);
          // Real time on purpose: the broker's session runs on its own clock.
          await new Promise((resolve) => setTimeout(resolve, 4000));
          await hold.commit();
          done();
        },
      });
    const first = member('first');
    await first.joined;
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await finished;
    expect(seen).toEqual(['first']);
    expect((await client.committed(groupId, topic))[0]!.offset).toBe(1n);
    await first.stop();
    await impatient.close();
  });

  it.each([
    { astray: 'a broker that does not coordinate it', error: { type: 'NOT_COORDINATOR_FOR_GROUP' } },
    { astray: 'a broker that is not there any more', error: { name: 'KafkaJSBrokerNotFound' } },
  ])('joins again when its commits go to $astray, although its heartbeats are answered', async ({ error }) => {
    const topic = `spec-${randomUUID().slice(0, 8)}`;
    await client.createTopics([{ name: topic, partitions: 1, config: {} }]);
    const producer = await client.producer();
    await producer.send(topic, 0, [{ key: 'k', value: Buffer.from('once more'), headers: {} }]);
    await producer.close();
    // What two joins that overlap leave behind in kafkajs: the commits of this assignment keep an old coordinator.
    const real = OffsetManager.prototype.getCoordinator;
    const stale = new Set<unknown>();
    const refused = Object.assign(new KafkaJSError('stale'), error);
    const refuse = (): Promise<never> => Promise.reject(refused);
    OffsetManager.prototype.getCoordinator = async function () {
      if (stale.size === 0) stale.add(this);
      const broker = await real.call(this);
      return stale.has(this) ? Object.assign(Object.create(broker) as object, { offsetCommit: refuse }) : broker;
    };
    const groupId = `spec-${randomUUID()}`;
    const committed = deferred();
    const consumer = client.consume({
      groupId,
      topics: [topic],
      onFatal: committed.reject,
      onBatch: async (_batch, hold) => {
        await hold.commit();
        committed.resolve();
      },
    });
    try {
      await committed.promise;
      expect((await client.committed(groupId, topic))[0]!.offset).toBe(1n);
    } finally {
      OffsetManager.prototype.getCoordinator = real;
      await consumer.stop();
    }
  });

  it.each([
    // As a pid: one that was, and is no more; this test's parent.
    { whose: 'of a dead process is put out by the next one', pid: spawnSync('true').pid, putOut: true },
    { whose: 'of a living process is left alone', pid: process.ppid, putOut: false },
    { whose: 'whose consumer broke is put out, too', pid: process.ppid, ended: true, putOut: true },
  ])('a member $whose', async ({ pid, ended, putOut }) => {
    const topic = `spec-${randomUUID().slice(0, 8)}`;
    const groupId = `spec-${randomUUID()}`;
    await client.createTopics([{ name: topic, partitions: 1, config: {} }]);
    const kafka = new Kafka({ brokers, clientId: 'spec', logLevel: logLevel.NOTHING });
    const other = kafka.consumer({
      groupId,
      sessionTimeout: 20_000,
      partitionAssigners: [roundRobinOf({ ...thisProcess, pid, start: 'before' })],
    });
    await other.connect();
    await other.subscribe({ topics: [topic] });
    const joined = new Promise<string>((resolve) => {
      other.on(other.events.GROUP_JOIN, ({ payload }) => resolve(payload.memberId));
    });
    await other.run({ eachMessage: () => Promise.resolve() });
    const memberId = await joined;
    const admin = kafka.admin();
    await admin.connect();
    const own = new Set(ended ? [memberId] : []);
    expect(await putOutPredecessors(kafka, admin, groupId, own)).toBe(Number(putOut));
    await admin.disconnect();
    await other.disconnect();
  });

  it('says that it is dead when its settings can never work', async () => {
    const topic = `spec-${randomUUID().slice(0, 8)}`;
    await client.createTopics([{ name: topic, partitions: 1, config: {} }]);
    // Longer than the broker's maximum: the coordinator refuses the join for good.
    const impossible = new KafkajsLog({
      brokers,
      clientId: 'spec',
      log: createLog('kafka-spec'),
      sessionTimeoutMs: 2_000_000_000,
    });
    const died = new Promise<Error>((resolve) => {
      impossible.consume({
        groupId: `spec-${randomUUID()}`,
        topics: [topic],
        onBatch: () => Promise.resolve(),
        onFatal: resolve,
      });
    });
    expect((await died).message).toMatch(/session timeout/i);
    await impossible.close();
  });
});
