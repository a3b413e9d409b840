// The transport on a real broker and registry: Nest's own machinery works per batch, and no record is lost or blocks.
import { Controller, Injectable, Module, UseFilters, UseInterceptors, UsePipes } from '@nestjs/common';
import type {
  ArgumentsHost,
  CallHandler,
  ExecutionContext,
  NestInterceptor,
  PipeTransform,
  RpcExceptionFilter,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { INestMicroservice } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { randomUUID } from 'node:crypto';
import type { Observable } from 'rxjs';
import { throwError } from 'rxjs';
import { topics } from '#contracts';
import type { AuditEvent } from '#contracts';
import { BatchContext, BatchServer, KafkaClient, RecordRejected } from './index.js';
import type { EventRecord, RecordBatch } from './index.js';

const options = {
  brokers: process.env.SYNC_KAFKA_BROKERS!.split(','),
  registryUrl: process.env.SYNC_REGISTRY_URL!,
  clientId: 'spec',
};

function event(n: number, organizationId = 'org-1'): EventRecord<AuditEvent> {
  return {
    topic: topics.audit.name,
    key: organizationId,
    id: `event-${organizationId}-${n}`,
    time: new Date(1_700_000_000_000 + n),
    traceparent: '00-aa-bb-01',
    value: { organizationId, actor: 'spec', action: 'count', subject: String(n), at: 'now', details: { n } },
  };
}

/** What the handler of a test does; one controller class per test process is enough. */
const seen: { batches: RecordBatch<AuditEvent>[]; contexts: BatchContext[]; steps: string[] } = {
  batches: [],
  contexts: [],
  steps: [],
};
let onBatch: (batch: RecordBatch<AuditEvent>, context: BatchContext) => Promise<void>;

@Injectable()
class NoteInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    seen.steps.push(`interceptor ${context.getType()}`);
    return next.handle();
  }
}

@Injectable()
class NotePipe implements PipeTransform {
  transform(value: unknown): unknown {
    if (value && typeof value === 'object' && 'records' in value) seen.steps.push('pipe');
    return value;
  }
}

class NoteFilter implements RpcExceptionFilter {
  catch(error: Error, _host: ArgumentsHost): Observable<never> {
    seen.steps.push(`filter ${error.message}`);
    return throwError(() => error);
  }
}

@Controller()
class AuditHandler {
  @EventPattern<string>(topics.audit.name)
  @UseInterceptors(NoteInterceptor)
  @UsePipes(NotePipe)
  @UseFilters(NoteFilter)
  async on(@Payload() batch: RecordBatch<AuditEvent>, @Ctx() context: BatchContext): Promise<void> {
    await onBatch(batch, context);
    seen.batches.push(batch);
    seen.contexts.push(context);
  }
}

@Module({ controllers: [AuditHandler] })
class SpecModule {}

describe('BatchServer', () => {
  let client: KafkaClient;
  let app: INestMicroservice | undefined;
  let server: BatchServer;

  const start = async (more: Partial<ConstructorParameters<typeof BatchServer>[0]> = {}): Promise<void> => {
    server = new BatchServer({ client, groupId: 'sync-spec', ...more });
    app = await NestFactory.createMicroservice(SpecModule, { strategy: server, logger: false });
    await app.listen();
    await server.ready();
  };
  const subjects = (): string[] => seen.batches.flatMap((batch) => batch.records.map((r) => r.value!.subject));
  const until = async (what: () => boolean): Promise<void> => {
    const end = Date.now() + 15_000;
    while (!what() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(what()).toBe(true);
  };

  beforeEach(async () => {
    Object.assign(seen, { batches: [], contexts: [], steps: [] });
    onBatch = () => Promise.resolve();
    client = await KafkaClient.connect({ ...options, topicPrefix: `spec-${randomUUID().slice(0, 8)}.` });
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    await client.close();
  });

  it('hands decoded batches with their attributes to a handler, through interceptor and pipe once per batch', async () => {
    await client.producer.publishAll(Array.from({ length: 300 }, (_, n) => event(n)));
    await start();
    await until(() => subjects().length === 300);
    expect(subjects()).toEqual(Array.from({ length: 300 }, (_, n) => String(n)));
    const [first] = seen.batches[0]!.records;
    expect(first).toMatchObject({
      key: 'org-1',
      id: 'event-org-1-0',
      type: 'audit.event.recorded',
      source: '/sync/spec',
    });
    expect(first!.traceparent).toBe('00-aa-bb-01');
    expect(first!.time).toEqual(new Date(1_700_000_000_000));
    expect(seen.steps.filter((step) => step === 'interceptor rpc')).toHaveLength(seen.batches.length);
    expect(seen.steps.filter((step) => step === 'pipe')).toHaveLength(seen.batches.length);
    expect(seen.contexts[0]).toBeInstanceOf(BatchContext);
  });

  it('hands a batch in again when its handler throws, through the filter, and commits it once', async () => {
    let failures = 2;
    onBatch = () => (failures-- > 0 ? Promise.reject(new Error('database away')) : Promise.resolve());
    await client.producer.publish(event(1));
    await start();
    await until(() => subjects().length === 1);
    expect(seen.steps.filter((step) => step === 'filter database away')).toHaveLength(2);
    await app!.close();
    const [lag] = (await client.lag.lag(['sync-spec'])).filter((entry) => entry.lag > 0);
    expect(lag).toBeUndefined();
  });

  it('keeps unreadable, invalid and rejected records as dead letters with Connect headers, and goes on', async () => {
    onBatch = async (batch) => {
      const index = batch.records.findIndex((record) => record.value?.subject === '3');
      if (index >= 0) throw new RecordRejected(index, 'SPEC.THIRD', 'not the third');
      return Promise.resolve();
    };
    const topic = topics.audit.name;
    const headers = {
      ce_specversion: '1.0',
      ce_id: 'x',
      ce_type: 't',
      ce_source: 's',
      ce_time: '2026-01-01T00:00:00Z',
    };
    const valid = client.codec.encode(topic, event(9).value);
    const broken = Buffer.concat([valid.subarray(0, 5), Buffer.from('{"organizationId":')]);
    const incomplete = Buffer.concat([valid.subarray(0, 5), Buffer.from('{"organizationId":"org-1"}')]);
    const unknownSchema = Buffer.from(valid);
    unknownSchema.writeInt32BE(999_999, 1);
    const foreign = client.codec.encode(topics.notifications.name, {
      realmId: '1',
      source: 'webhook',
      receivedAt: 'now',
      entities: [],
    });
    await client.producer.publish(event(1));
    await client.producer.sendAll(
      [Buffer.from('plain'), broken, incomplete, unknownSchema, foreign].map((value) => ({
        topic,
        message: { key: 'org-1', value, headers },
      })),
    );
    await client.producer.sendAll([{ topic, message: { key: 'org-1', value: valid, headers: { ce_id: 'lonely' } } }]);
    await client.producer.publishAll([event(2), event(3), event(4)]);
    await start();
    await until(() => subjects().includes('4'));
    expect(subjects()).toEqual(['1', '2', '4']);

    const letters: { code: string; key: string; offset: string; stage: string; value: string }[] = [];
    const deadLetters = client.topicPrefix + topics.deadLetters.name;
    await client.port.readRanges({
      topic: deadLetters,
      ranges: (await client.port.offsets(deadLetters)).map(({ partition, low, high }) => ({
        partition,
        from: low,
        to: high,
      })),
      onBatch: async (batch) => {
        for (const { key, value, headers } of batch.records) {
          const text = (name: string) => String(headers[`__connect.errors.${name}`]);
          expect([text('topic'), text('connector.name')]).toEqual([topic, 'sync-spec']);
          letters.push({
            code: text('exception.class.name'),
            stage: text('stage'),
            offset: text('offset'),
            key: String(key),
            value: String(value),
          });
        }
        return Promise.resolve();
      },
    });
    expect(letters.map(({ code }) => code).sort()).toEqual([
      'HEADERS.INVALID',
      'SPEC.THIRD',
      'VALUE.INVALID',
      'VALUE.NOT_FRAMED',
      'VALUE.NOT_JSON',
      'VALUE.SCHEMA_OF_ANOTHER_TOPIC',
      'VALUE.SCHEMA_UNKNOWN',
    ]);
    expect(letters.find(({ code }) => code === 'VALUE.NOT_FRAMED')).toMatchObject({ value: 'plain', key: 'org-1' });
  });

  it('finishes and commits the batch in hand when it is closed, and not before', async () => {
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    let inHand = false;
    onBatch = () => {
      inHand = true;
      return held;
    };
    await client.producer.publish(event(1));
    await start();
    await until(() => inHand);
    // Whoever dies here leaves the batch to the next process.
    const behind = await client.port.committed(
      `${client.topicPrefix}sync-spec`,
      client.topicPrefix + topics.audit.name,
    );
    expect(behind.flatMap(({ offset }) => (offset === undefined ? [] : [offset]))).toEqual([]);
    const closed = app!.close();
    release();
    await closed;
    expect(subjects()).toEqual(['1']);
    expect((await client.lag.lag(['sync-spec'])).reduce((sum, { lag }) => sum + lag, 0)).toBe(0);
  });

  describe('a database that keeps the place of the group', () => {
    const places = new Map<string, { topic: string; partition: number; next: bigint }>();
    const store = {
      load: () => Promise.resolve([...places.values()]),
      note: (_group: string, moved: Iterable<{ topic: string; partition: number; next: bigint }>) => {
        for (const place of moved) places.set(`${place.topic}/${place.partition}`, place);
        return Promise.resolve();
      },
    };
    const moveAll = (move: (next: bigint) => bigint): void => {
      for (const [name, place] of places) if (place.next > 0n) places.set(name, { ...place, next: move(place.next) });
    };

    it('is where the group begins: after a restore again, after a loss of the log from its start, saying so', async () => {
      places.clear();
      await client.producer.publishAll(Array.from({ length: 5 }, (_, n) => event(n)));
      await start({ places: store });
      await until(() => subjects().length === 5);
      await app!.close();
      // Noted at the stop: the next process has nothing to repeat.
      await client.producer.publish(event(5));
      await start({ places: store });
      await until(() => subjects().length === 6);
      await app!.close();
      // Set back to an earlier moment.
      moveAll((next) => next - 3n);
      await start({ places: store });
      await until(() => subjects().length === 9);
      expect(subjects().slice(6)).toEqual(['3', '4', '5']);
      await app!.close();
      // Kafka has less than was read.
      const lost: string[] = [];
      moveAll((next) => next + 100n);
      await start({ places: store, logLost: (topic) => Promise.resolve(lost.push(topic)) });
      await until(() => subjects().length === 15);
      expect(lost).toEqual([topics.audit.name]);
      expect(subjects().slice(9)).toEqual(['0', '1', '2', '3', '4', '5']);
    });
  });

  it('refuses a handler for a topic that the catalogue does not have', () => {
    const lonely = new BatchServer({ client, groupId: 'sync-spec' });
    lonely.addHandler('no.such.topic', () => Promise.resolve(undefined as never), true);
    expect(() => lonely.listen(() => undefined)).toThrow(/no such topic/);
  });
});

describe('the timers of idle connections', () => {
  it('do not spin: kafkajs re-arms a 1 ms timer per answer for ever unless guarded', async () => {
    const client = await KafkaClient.connect({ ...options, topicPrefix: `spec-${randomUUID().slice(0, 8)}.` });
    await client.producer.publish(event(1));
    const started = jest.spyOn(globalThis, 'setTimeout');
    await new Promise((resolve) => setImmediate(resolve));
    const before = started.mock.calls.length;
    const waitUntil = Date.now() + 500;
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (Date.now() < waitUntil) return;
        clearInterval(look);
        resolve();
      }, 50);
    });
    const timers = started.mock.calls.length - before;
    started.mockRestore();
    await client.close();
    // Unguarded: one per millisecond and connection, hundreds here.
    expect(timers).toBeLessThan(10);
  });
});
