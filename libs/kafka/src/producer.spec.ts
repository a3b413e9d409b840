// The accumulator on a log in memory: how records become sends, and what happens when sends fail.
import { topics } from '#contracts';
import type { AuditEvent } from '#contracts';
import { createLog } from '#common/logging';
import { MemoryLog } from './memory-log.js';
import { partitionOf } from './murmur2.js';
import type { LogProducer, OutgoingMessage } from './port.js';
import { ProducerBroken, TooLarge } from './port.js';
import { EventProducer, ProducerFull } from './producer.js';
import type { EventRecord } from './producer.js';
import { InvalidEvent, MemorySchemas, ValueCodec } from './schemas.js';

interface Send {
  producer: number;
  partition: number;
  keys: (string | null)[];
}

/** A log whose producers note every send and fail as told. */
class NotingLog extends MemoryLog {
  readonly sends: Send[] = [];
  producers = 0;
  closed = 0;
  /** taken one per send */
  failures: (Error | undefined)[] = [];

  override async producer(): Promise<LogProducer> {
    const real = await super.producer();
    const producer = ++this.producers;
    return {
      send: async (topic: string, partition: number, messages: OutgoingMessage[]) => {
        this.sends.push({ producer, partition, keys: messages.map(({ key }) => key) });
        const failure = this.failures.shift();
        if (failure) throw failure;
        await real.send(topic, partition, messages);
      },
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    };
  }
}

describe('EventProducer', () => {
  let log: NotingLog;
  let producer: EventProducer;
  beforeEach(async () => {
    log = new NotingLog();
    await log.createTopics(Object.values(topics).map((topic) => ({ ...topic, name: `p.${topic.name}` })));
    const codec = new ValueCodec(new MemorySchemas(), 'p.');
    await codec.registerAll();
    producer = new EventProducer({ client: log, codec, topicPrefix: 'p.', clientId: 'spec', log: createLog('spec') });
  });

  const event = (key: string, n = 0, more: object = {}): EventRecord<AuditEvent> => ({
    topic: topics.audit.name,
    key,
    id: `${key}-${n}`,
    time: new Date(0),
    value: { organizationId: key, actor: 'a', action: 'b', subject: String(n), at: 't', details: {}, ...more },
  });
  const stored = async (): Promise<string[]> => {
    const found: string[] = [];
    const topic = `p.${topics.audit.name}`;
    for (const { partition, high } of await log.offsets(topic)) {
      await log.readRanges({
        topic,
        ranges: [{ partition, from: 0n, to: high }],
        onBatch: (batch) => {
          found.push(...batch.records.map(({ headers }) => String(headers.ce_id)));
          return Promise.resolve();
        },
      });
    }
    return found;
  };

  it('what only the broker finds too large is refused as what cannot be published, and what came with it goes', async () => {
    const tooLarge = () => new TooLarge('p.audit');
    // Together first; then each alone, of which the second is the large one.
    log.failures = [tooLarge(), undefined, tooLarge(), undefined];
    const [first, large, last] = [1, 2, 3].map((n) => producer.publish(event('one', n)));
    await expect(first).resolves.toBeUndefined();
    await expect(large).rejects.toBeInstanceOf(InvalidEvent);
    await expect(last).resolves.toBeUndefined();
    expect(await stored()).toEqual(['one-1', 'one-3']);
  });

  it('sends records of one partition together and never two partitions in one send', async () => {
    const keys = Array.from({ length: 300 }, (_, n) => `key-${n}`);
    await Promise.all(keys.map((key) => producer.publish(event(key))));
    expect(log.sends.length).toBe(12);
    for (const { partition, keys: sent } of log.sends) {
      for (const key of sent) expect(partitionOf(key!, 12)).toBe(partition);
    }
    expect((await stored()).length).toBe(300);
  });

  it('cuts a send at 500 records and at 512 KiB', async () => {
    await producer.publishAll(Array.from({ length: 1100 }, (_, n) => event('one', n)));
    expect(log.sends.map(({ keys }) => keys.length)).toEqual([500, 500, 100]);
    log.sends.length = 0;
    await producer.publishAll(
      Array.from({ length: 4 }, (_, n) => event('one', n, { details: { big: 'x'.repeat(300_000) } })),
    );
    expect(log.sends.map(({ keys }) => keys.length)).toEqual([1, 1, 1, 1]);
  });

  it('keeps the order of a key over many publishings', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, n) => producer.publish(event('one', n))));
    expect(await stored()).toEqual(Array.from({ length: 50 }, (_, n) => `one-${n}`));
  });

  it('refuses a value that breaks its schema before anything is sent', async () => {
    const wrong = { ...event('b'), value: { organizationId: 'b', unheardOf: true } };
    await expect(producer.publishAll([event('a'), wrong])).rejects.toBeInstanceOf(InvalidEvent);
    expect(log.sends).toEqual([]);
  });

  it('sends again by a new producer when the old one`s numbering broke', async () => {
    log.failures = [new ProducerBroken('OUT_OF_ORDER_SEQUENCE_NUMBER')];
    await producer.publish(event('a'));
    expect(log.sends.map((send) => send.producer)).toEqual([1, 2]);
    expect(await stored()).toEqual(['a-0']);
  });

  it('never sends other records by a producer whose send failed: the broker could take them for the failed ones', async () => {
    log.failures = [new Error('request timed out')];
    await expect(producer.publish(event('a'))).rejects.toThrow(/not acknowledged/);
    await producer.publish(event('a', 1));
    expect(log.sends.map((send) => send.producer)).toEqual([1, 2]);
    await producer.close();
    expect(log.closed).toBe(2);
  });

  it('rejects exactly the publishings that had a record in the failed send', async () => {
    await producer.publish(event('warm'));
    log.failures = [new Error('no')];
    const [a, b] = ['key-0', 'key-1'];
    expect(partitionOf(a, 12)).not.toBe(partitionOf(b, 12));
    const outcomes = await Promise.allSettled([producer.publish(event(a)), producer.publish(event(b))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('refuses more while too much waits, and takes records again when it is out', async () => {
    const codec = new ValueCodec(new MemorySchemas(), 'p.');
    await codec.registerAll();
    const small = new EventProducer({
      client: log,
      codec,
      topicPrefix: 'p.',
      clientId: 'spec',
      log: createLog('spec'),
      maxWaitingBytes: 1000,
    });
    const taken = small.publishAll([event('a', 1), event('a', 2), event('a', 3)]);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(small.publish(event('a', 4))).rejects.toBeInstanceOf(ProducerFull);
    await taken;
    await small.publish(event('a', 5));
    expect(await stored()).toEqual(['a-1', 'a-2', 'a-3', 'a-5']);
  });

  it('sends what is waiting before it closes, and nothing afterwards', async () => {
    const waiting = producer.publish(event('a'));
    await producer.close();
    await waiting;
    expect(await stored()).toEqual(['a-0']);
    await expect(producer.publish(event('a'))).rejects.toThrow(/closed/);
  });
});
