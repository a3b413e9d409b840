// The transport on a log in memory and a clock that is advanced: what health says, and when it gives up.
import { ManualClock } from '#common/clock';
import { Health } from '#common/health';
import { topics } from '#contracts';
import { BatchServer, KafkaClient, MemoryLog, MemorySchemas } from './index.js';
import type { RecordBatch } from './index.js';
import type { Consumption, LogConsumer } from './port.js';

/** Hands out what the server asked of its client, so that a test can be the client. */
class OpenLog extends MemoryLog {
  consumption!: Consumption;

  override consume(o: Consumption): LogConsumer {
    this.consumption = o;
    return super.consume(o);
  }
}

describe('the health of a consumer', () => {
  const topic = topics.audit.name;
  let clock: ManualClock;
  let health: Health;
  let log: OpenLog;
  let client: KafkaClient;
  let server: BatchServer;
  let fatal: Error[];
  beforeEach(async () => {
    clock = new ManualClock();
    health = new Health(clock);
    health.accept(true);
    log = new OpenLog();
    fatal = [];
    client = await KafkaClient.connect(
      { brokers: [], registryUrl: '', topicPrefix: 'h.', clientId: 'spec' },
      { port: log, schemas: new MemorySchemas(), clock, health },
    );
  });
  afterEach(() => health.close());

  const start = (handler: (batch: RecordBatch<unknown>) => Promise<void>): void => {
    server = new BatchServer({ client, groupId: 'sync-spec', maxSilenceMs: 60_000, onFatal: (e) => fatal.push(e) });
    server.addHandler(topic, handler as never, true);
    server.listen(() => undefined);
  };
  const publish = (): Promise<void> => {
    const value = { organizationId: 'o', actor: 'a', action: 'b', subject: 's', at: 't', details: {} };
    return client.producer.publish({ topic, key: 'o', id: '1', time: clock.now(), value });
  };
  const consumer = async (): Promise<true | string> => (await health.ready()).checks['consumer sync-spec']!;
  const live = (): true | string => health.live().checks['consumer sync-spec']!;

  it('is good while batches are handled', async () => {
    start(() => Promise.resolve());
    await publish();
    await clock.advance(1000);
    expect([await consumer(), live()]).toEqual([true, true]);
    await server.close();
  });

  it('fails liveness when a handler is frozen, so that the process is restarted (I-10)', async () => {
    start(() => new Promise(() => undefined));
    await publish();
    await clock.advance(59_000);
    expect(live()).toBe(true);
    await clock.advance(2000);
    expect(live()).toMatch(/no progress/);
  });

  it('is alive but not ready while a handler keeps failing, and ready again afterwards', async () => {
    let away = true;
    start(() => (away ? Promise.reject(new Error('database away')) : Promise.resolve()));
    await publish();
    for (let minute = 0; minute < 5; minute++) await clock.advance(30_000);
    expect(await consumer()).toMatch(/again and again: database away/);
    expect(live()).toBe(true);
    away = false;
    await clock.advance(30_000);
    expect(await consumer()).toBe(true);
    const committed = await log.committed('h.sync-spec', `h.${topic}`);
    expect(committed.filter(({ offset }) => offset === 1n)).toHaveLength(1);
    await server.close();
  });

  it('is not ready while the consumer is built anew', async () => {
    start(() => Promise.resolve());
    log.consumption.onTrouble!(new Error('broker away'));
    expect(await consumer()).toBe('broker away');
    log.consumption.onAssigned!([]);
    expect(await consumer()).toBe(true);
    await server.close();
  });

  it('tells its owner when the consumer is dead, who then leaves', async () => {
    start(() => Promise.resolve());
    log.consumption.onFatal(new Error('settings can never work'));
    expect(fatal.map(({ message }) => message)).toEqual(['settings can never work']);
    expect(await consumer()).toBe('settings can never work');
    await server.close();
  });
});
