// What any adapter of the port must do, as tests: run by memory-log.spec.ts on the log in memory and by
// kafkajs-log.int-spec.ts on a real broker. A new client is ready when this passes.
import { randomUUID } from 'node:crypto';
import type { FetchedBatch, LogClient, LogConsumer, OutgoingMessage } from './port.js';

export function describeLogClient(name: string, make: () => LogClient): void {
  describe(`${name} as a log client`, () => {
    let client: LogClient;
    let topic: string;
    const consumers: LogConsumer[] = [];
    beforeAll(async () => {
      client = make();
      await client.connect();
    });
    beforeEach(async () => {
      topic = `suite-${randomUUID().slice(0, 8)}`;
      await client.createTopics([{ name: topic, partitions: 3, config: { 'retention.ms': '3600000' } }]);
    });
    afterEach(async () => {
      await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
    });
    afterAll(() => client.close());

    const message = (key: string | null, value: string | null): OutgoingMessage => ({
      key,
      value: value === null ? null : Buffer.from(value),
      headers: { h: `of ${value}` },
    });
    const send = async (partition: number, ...values: string[]): Promise<void> => {
      const producer = await client.producer();
      await producer.send(
        topic,
        partition,
        values.map((value) => message(`k${partition}`, value)),
      );
      await producer.close();
    };
    const textsOf = (batch: FetchedBatch): string[] => batch.records.map(({ value }) => String(value));
    const consume = (
      groupId: string,
      onBatch: (
        batch: FetchedBatch,
        hold: Parameters<Parameters<LogClient['consume']>[0]['onBatch']>[1],
      ) => Promise<void>,
    ): LogConsumer => {
      const onFatal = (error: Error): never => {
        throw error;
      };
      const consumer = client.consume({ groupId, topics: [topic], onBatch, onFatal });
      consumers.push(consumer);
      return consumer;
    };
    /** Consumes until `count` records were committed; answers their texts by partition. */
    const consumeSome = async (groupId: string, count: number): Promise<Map<number, string[]>> => {
      const seen = new Map<number, string[]>();
      let left = count;
      let done!: () => void;
      const enough = new Promise<void>((resolve) => (done = resolve));
      const consumer = consume(groupId, async (batch, hold) => {
        seen.set(batch.partition, [...(seen.get(batch.partition) ?? []), ...textsOf(batch)]);
        await hold.commit();
        left -= batch.records.length;
        if (left <= 0) done();
      });
      await enough;
      await consumer.stop();
      return seen;
    };
    const group = (): string => `suite-${randomUUID()}`;

    it('keeps order, keys, headers, tombstones and offsets of a partition', async () => {
      const producer = await client.producer();
      await producer.send(topic, 1, [message('a', 'one'), message('b', null), message(null, 'three')]);
      await producer.close();
      const found: FetchedBatch[] = [];
      await client.readRanges({
        topic,
        ranges: [{ partition: 1, from: 0n, to: 3n }],
        onBatch: (batch) => {
          found.push(batch);
          return Promise.resolve();
        },
      });
      const records = found.flatMap((batch) => batch.records);
      expect(records.map(({ key }) => key?.toString() ?? null)).toEqual(['a', 'b', null]);
      expect(records.map(({ value }) => value?.toString() ?? null)).toEqual(['one', null, 'three']);
      expect(records.map(({ offset }) => offset)).toEqual(['0', '1', '2']);
      expect(String(records[0]!.headers.h)).toBe('of one');
      expect(Number(records[0]!.timestamp)).toBeGreaterThan(0);
    });

    it('creates missing topics and leaves existing ones alone', async () => {
      await send(0, 'kept');
      await client.createTopics([{ name: topic, partitions: 7, config: {} }]);
      const [state] = await client.describeTopics([topic, `${topic}-absent`], ['retention.ms']);
      expect(state).toMatchObject({ name: topic, partitions: 3, config: { 'retention.ms': '3600000' } });
      expect((await client.offsets(topic)).map(({ high }) => high)).toEqual([1n, 0n, 0n]);
    });

    it('gives a new group everything from the beginning, each partition in order', async () => {
      await send(0, 'a', 'b');
      await send(2, 'c');
      expect(await consumeSome(group(), 3)).toEqual(
        new Map([
          [0, ['a', 'b']],
          [2, ['c']],
        ]),
      );
    });

    it('gives every group everything', async () => {
      await send(0, 'a', 'b');
      for (const name of [group(), group()]) expect((await consumeSome(name, 2)).get(0)).toEqual(['a', 'b']);
    });

    it('goes on behind what was committed', async () => {
      const name = group();
      await send(0, 'a', 'b');
      await consumeSome(name, 2);
      expect((await client.committed(name, topic)).find(({ partition }) => partition === 0)?.offset).toBe(2n);
      await send(0, 'c');
      expect((await consumeSome(name, 1)).get(0)).toEqual(['c']);
    });

    it('hands a batch in again that was not committed, whether its owner returned or threw', async () => {
      await send(0, 'a');
      const seen: string[] = [];
      let done!: () => void;
      const thrice = new Promise<void>((resolve) => (done = resolve));
      consume(group(), async (batch, hold) => {
        seen.push(...textsOf(batch));
        if (seen.length === 1) return;
        if (seen.length === 2) throw new Error('no');
        await hold.commit();
        done();
      });
      await thrice;
      expect(seen).toEqual(['a', 'a', 'a']);
    });

    it('works on one batch of a partition at a time', async () => {
      let inHand = 0;
      let most = 0;
      let seen = 0;
      let done!: () => void;
      const all = new Promise<void>((resolve) => (done = resolve));
      consume(group(), async (batch, hold) => {
        most = Math.max(most, ++inHand);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inHand--;
        seen += batch.records.length;
        await hold.commit();
        if (seen === 4) done();
      });
      for (const text of ['a', 'b', 'c', 'd']) await send(1, text);
      await all;
      expect(most).toBe(1);
    });

    it('lets the batch in hand finish and commit when it is stopped, and tells its owner', async () => {
      const name = group();
      await send(0, 'a');
      let release!: () => void;
      const gate = new Promise<void>((resolve) => (release = resolve));
      let taken!: () => void;
      const inHand = new Promise<void>((resolve) => (taken = resolve));
      let released = false;
      const consumer = consume(name, async (_batch, hold) => {
        taken();
        await gate;
        released = hold.released && hold.releasing.aborted;
        await hold.commit();
      });
      await inHand;
      const stopped = consumer.stop();
      release();
      await stopped;
      expect(released).toBe(true);
      expect((await client.committed(name, topic)).find(({ partition }) => partition === 0)?.offset).toBe(1n);
    });

    it('knows nothing of a group that never committed', async () => {
      const offsets = await client.committed(group(), topic);
      expect(offsets.every(({ offset }) => offset === undefined)).toBe(true);
    });

    it('reads ranges exactly, skips empty ones, and stops when told', async () => {
      await send(0, 'a', 'b', 'c', 'd');
      await send(1, 'e', 'f');
      const read = async (signal?: AbortSignal, onText?: () => void): Promise<string[]> => {
        const texts: string[] = [];
        await client.readRanges({
          topic,
          ranges: [
            { partition: 0, from: 1n, to: 3n },
            { partition: 1, from: 0n, to: 2n },
            { partition: 2, from: 0n, to: 0n },
          ],
          ...(signal ? { signal } : {}),
          onBatch: (batch) => {
            texts.push(...textsOf(batch));
            onText?.();
            return Promise.resolve();
          },
        });
        return texts.sort();
      };
      expect(await read()).toEqual(['b', 'c', 'e', 'f']);
      const abort = new AbortController();
      expect((await read(abort.signal, () => abort.abort())).length).toBeLessThan(4);
    });

    it('passes on the failure of whoever reads', async () => {
      await send(0, 'a');
      const reading = client.readRanges({
        topic,
        ranges: [{ partition: 0, from: 0n, to: 1n }],
        onBatch: () => Promise.reject(new Error('cannot use it')),
      });
      await expect(reading).rejects.toThrow('cannot use it');
    });

    it('says so when a send fails', async () => {
      const producer = await client.producer();
      await expect(producer.send(`${topic}-absent`, 0, [message('a', 'x')])).rejects.toThrow();
      await producer.close();
    });
  });
}
