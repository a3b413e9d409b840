// The outbox on a real PostgreSQL: what was committed is published, in order, at least once, and nothing else.
import { ManualClock } from '#common/clock';
import { createLog } from '#common/logging';
import { freshDatabase } from '../fresh-database.fixture.js';
import type { FreshDatabase } from '../fresh-database.fixture.js';
import { Outbox } from './outbox.js';
import { OutboxRelay } from './relay.js';
import type { OutboxPublisher } from './relay.js';

type Published = Parameters<OutboxPublisher['publishAll']>[0][number];
const record = (n: number) => ({
  topic: 'sync.results.v1',
  key: '1',
  eventId: `e${n}`,
  eventTime: new Date(1_800_000_000_000 + n),
  value: { n },
});

class Broker implements OutboxPublisher {
  readonly log: Published[] = [];
  /** runs after the records are in the log, before they are acknowledged */
  afterSend: () => Promise<void> = async () => undefined;
  async publishAll(records: Published[]): Promise<void> {
    this.log.push(...records);
    await this.afterSend();
  }
  get ids(): string[] {
    return this.log.map((each) => each.id);
  }
}

describe('the outbox', () => {
  let fresh: FreshDatabase;
  const outbox = new Outbox();
  const log = createLog('spec');
  log.level = 'silent';
  beforeAll(async () => {
    fresh = await freshDatabase({ databasePool: 12 });
  });
  afterAll(() => fresh.drop());
  beforeEach(() => fresh.db.query('truncate outbox restart identity'));
  const relayTo = (broker: OutboxPublisher, batch = 7) =>
    new OutboxRelay(fresh.db, broker, { clock: new ManualClock(), log, batch });
  const left = async () => (await fresh.db.query<{ n: number }>('select count(*)::int as n from outbox'))[0]!.n;

  it('is published in order, exactly what was committed, with what was said', async () => {
    const expected: string[] = [];
    for (let n = 0; n < 40; n++) {
      await fresh.db
        .withTransaction(async (tx) => {
          await outbox.add(tx, { ...record(n), traceparent: n % 2 ? '00-a-b-01' : undefined });
          if (n % 3 === 0) throw new Error('rolled back');
          expected.push(`e${n}`);
        })
        .catch(() => undefined);
    }
    const broker = new Broker();
    const relay = relayTo(broker);
    while ((await relay.publishOnce())! > 0);
    expect(broker.ids).toEqual(expected);
    expect(broker.log[0]).toEqual({
      topic: 'sync.results.v1',
      key: '1',
      id: 'e1',
      time: new Date(1_800_000_000_001),
      traceparent: '00-a-b-01',
      value: { n: 1 },
    });
    expect(broker.log[1]).not.toHaveProperty('traceparent');
    expect(await left()).toBe(0);
  });

  it('survives a crash between publish and delete as a repeat with the same ids', async () => {
    await fresh.db.withTransaction((tx) => outbox.addAll(tx, [1, 2, 3].map(record)));
    const broker = new Broker();
    broker.afterSend = async () => {
      // The connection dies as with kill -9: the broker has the records, the delete never happens.
      await fresh.db.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
           and database = (select oid from pg_database where datname = current_database())
           and pid in (select pid from pg_stat_activity where query like 'select id, topic, key, event_id%from outbox%')`,
      );
    };
    await expect(relayTo(broker).publishOnce()).rejects.toThrow();
    expect(await left()).toBe(3);
    broker.afterSend = async () => undefined;
    await relayTo(broker).publishOnce();
    expect(broker.ids).toEqual(['e1', 'e2', 'e3', 'e1', 'e2', 'e3']);
    expect(await left()).toBe(0);
  });

  it('keeps everything while the broker refuses', async () => {
    await fresh.db.withTransaction((tx) => outbox.addAll(tx, [1, 2].map(record)));
    const away: OutboxPublisher = { publishAll: () => Promise.reject(new Error('no broker')) };
    await expect(relayTo(away).publishOnce()).rejects.toThrow('no broker');
    expect(await left()).toBe(2);
  });

  it('steps over a record that can never be published, keeps it with the reason, and publishes the rest in order', async () => {
    await fresh.db.withTransaction((tx) => outbox.addAll(tx, [1, 2, 3].map(record)));
    const broker = new Broker();
    const strict: OutboxPublisher = {
      publishAll: async (records) => {
        // As the producer does: refused before anything is sent.
        if (records.some((each) => each.id === 'e2')) throw Object.assign(new Error('odd'), { name: 'InvalidEvent' });
        await broker.publishAll(records);
      },
    };
    const relay = relayTo(strict);
    await relay.publishOnce();
    expect(await relay.publishOnce()).toBe(0);
    expect(broker.ids).toEqual(['e1', 'e3']);
    expect(await fresh.db.query('select event_id, refused from outbox')).toEqual([{ event_id: 'e2', refused: 'odd' }]);
  });

  it('is published by one relay at a time', async () => {
    await fresh.db.withTransaction((tx) =>
      outbox.addAll(
        tx,
        Array.from({ length: 60 }, (_, n) => record(n)),
      ),
    );
    const broker = new Broker();
    const relays = Array.from({ length: 4 }, () => relayTo(broker));
    while ((await left()) > 0) await Promise.all(relays.map((relay) => relay.publishOnce()));
    expect(broker.ids).toEqual(Array.from({ length: 60 }, (_, n) => `e${n}`));
  });

  it('goes out at once when the relay is woken, and stop waits for the round in flight', async () => {
    const clock = new ManualClock();
    const broker = new Broker();
    let arrived = () => undefined as void;
    const relay = new OutboxRelay(fresh.db, broker, { clock, log });
    relay.start();
    while (clock.sleeping === 0) await fresh.db.query('select 1');
    const sent = new Promise<void>((resolve) => (arrived = resolve));
    broker.afterSend = async () => arrived();
    await fresh.db.withTransaction((tx) => outbox.add(tx, record(1)));
    relay.wake();
    await sent;
    await relay.stop();
    expect(broker.ids).toEqual(['e1']);
    expect(await left()).toBe(0);
  });
});
