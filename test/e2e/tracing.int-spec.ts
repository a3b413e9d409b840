// The trace of one change, seen whole: ingest, mapper, writer and audit in this process, on real Kafka and PostgreSQL, against
// the emulator, with spans kept in memory instead of exported.
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DynamicModule } from '@nestjs/common';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { systemClock } from '#common/clock';
import { loadConfig } from '#common/config';
import { Health } from '#common/health';
import { Lifecycle, ServiceModule } from '#common/lifecycle';
import { startTracing, tracingSettings } from '#common/tracing';
import { BatchServer, KafkaClient } from '#kafka';
import { Syncs } from '#storage';
import { AuditModule } from '../../apps/audit/src/audit.module.js';
import { Installation, eventually, type Company } from '../../apps/ingest/test/installation.js';
import { MapperModule } from '../../apps/mapper/src/mapper.module.js';
import { WriterModule } from '../../apps/qbo-writer/src/writer.module.js';

describe('tracing', () => {
  const exporter = new InMemorySpanExporter();
  let stopTracing: () => Promise<void>;
  let w: Installation;
  const apps: { app: NestFastifyApplication; lifecycle: Lifecycle; health: Health }[] = [];
  let source: Awaited<ReturnType<Installation['company']>>;

  async function start(module: DynamicModule, groupId: string): Promise<void> {
    const lifecycle = new Lifecycle();
    const health = new Health(systemClock);
    const root = ServiceModule.forRoot({ clock: systemClock, lifecycle, health, app: module });
    const app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    apps.push({ app, lifecycle, health });
    const server = new BatchServer({ client: app.get(KafkaClient), groupId });
    app.connectMicroservice({ strategy: server }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await app.init();
    await server.ready();
  }

  beforeAll(async () => {
    stopTracing = await startTracing('spec', loadConfig(tracingSettings, {}), exporter);
    w = await Installation.start();
    const shared = { ...w.settings, adminKey: 'x'.repeat(20) };
    await w.startIngest();
    await Promise.all([
      start(MapperModule.forRoot(shared), 'sync-mapper'),
      start(AuditModule.forRoot(shared), 'sync-audit'),
      start(
        WriterModule.forRoot({
          ...shared,
          leaseMs: 15_000,
          batchSize: 30,
          callsInFlight: 4,
          rowsInHand: 1000,
          sweepIntervalMs: 3_600_000,
          callsKeptMs: 86_400_000,
        }),
        'sync-qbo-writer',
      ),
    ]);
    source = await w.company();
    const sync = (await new Syncs(w.db).find(source.syncId))!;
    await w.emulator.createCompany({ name: 'Target', realmId: sync.targetRealmId });
    await w.reconnect({ ...(source as Company), realmId: sync.targetRealmId });
    // The first look reads everything that change data capture does not cover: no part of the change below.
    await eventually(
      () => w.cursor(source.realmId),
      (cursor) => cursor.look_done === cursor.look_requested && cursor.complete_up_to !== null,
      60_000,
    );
    // What it found is carried first: a record planned together with others has its look-ups in the trace they share.
    await eventually(
      () =>
        w.db.query<{ open: number; all: number }>(
          `select count(*)::int as all, count(*) filter (where state in ('ready', 'sending', 'backoff'))::int as open from links
           where sync_id = $1`,
          [source.syncId],
        ),
      ([links]) => links!.all > 20 && links!.open === 0,
      60_000,
    );
  }, 300_000);

  afterAll(async () => {
    for (const { app, lifecycle, health } of apps) {
      await lifecycle.drain(w.log);
      await app.close();
      health.close();
    }
    await w.stop();
    await stopTracing();
  });

  const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId;
  const said = (span: ReadableSpan) => {
    const group = span.attributes['messaging.consumer.group.name'];
    return `${span.name}${typeof group === 'string' ? ` [${group}]` : ''}`;
  };

  /** A trace as an indented text, siblings by name. */
  function tree(spans: readonly ReadableSpan[], parent?: string, depth = 0): string[] {
    return spans
      .filter((span) => parentOf(span) === parent)
      .sort((a, b) => said(a).localeCompare(said(b)))
      .flatMap((span) => ['  '.repeat(depth) + said(span), ...tree(spans, span.spanContext().spanId, depth + 1)]);
  }

  const traceOf = (span: ReadableSpan) =>
    exporter.getFinishedSpans().filter((one) => one.spanContext().traceId === span.spanContext().traceId);

  const settled = (type: string) => exporter.getFinishedSpans().filter(({ name }) => name === `settle ${type}`);

  // Three look-ups: customers, vendors and employees share their names.
  it('is one tree from the webhook to the settled write and the audit', async () => {
    await w.save(source, 'Customer', { DisplayName: 'Ann' });
    const [end] = await eventually(
      () => Promise.resolve(settled('Customer')),
      (found) => found.length > 0,
      30_000,
    );
    const wanted = `POST /webhooks/intuit
  send qbo.notifications.v1
    process qbo.notifications.v1 [sync-audit]
    process qbo.notifications.v1 [sync-ingest]
      look
        qbo cdc
        send qbo.changes.v1
          process qbo.changes.v1 [sync-audit]
          process qbo.changes.v1 [sync-mapper]
            map Customer
              send sync.writes.v1
                process sync.writes.v1 [sync-audit]
                process sync.writes.v1 [sync-qbo-writer]
                  create Customer
                    qbo write
                  plan Customer
                    qbo query
                    qbo query
                    qbo query
                  send sync.results.v1
                    process sync.results.v1 [sync-audit]
                  settle Customer`.split('\n');
    const seen = await eventually(
      () => Promise.resolve(tree(traceOf(end!))),
      (lines) => lines.length >= wanted.length,
    );
    expect(seen).toEqual(wanted);
    expect(end!.attributes).toMatchObject({ 'sync.outcome': 'created', 'sync.attempt': 1 });
    expect(traceOf(end!).filter((span) => span.status.code === 2)).toEqual([]);
    // What stands in the sync log leads to the trace.
    const [entry] = await w.db.query<{ traceparent: string }>(
      `select traceparent from sync_log where stage = 'settled' and entity_type = 'Customer'`,
    );
    expect(entry!.traceparent.slice(3, 35)).toBe(end!.spanContext().traceId);
  });

  it('of a batch is its own, linked with the trace of each member', async () => {
    const syncs = new Syncs(w.db);
    // Paused, so that all are ready at the same moment.
    await syncs.setState(w.db, source.syncId, 'paused');
    const account = async (Name: string, AccountType: string) =>
      (await w.save(source, 'Account', { Name, AccountType })).Id as string;
    const [debit, credit] = [await account('Bank of trace', 'Bank'), await account('Owed to trace', 'Equity')];
    const line = (PostingType: string, value: string) => ({
      Amount: 5,
      DetailType: 'JournalEntryLineDetail',
      JournalEntryLineDetail: { PostingType, AccountRef: { value } },
    });
    const members = 3;
    for (let n = 1; n <= members; n++)
      await w.save(source, 'JournalEntry', {
        DocNumber: `T${n}`,
        Line: [line('Debit', debit), line('Credit', credit)],
      });
    await eventually(
      () => w.db.query(`select from links where sync_id = $1 and entity_type = 'JournalEntry'`, [source.syncId]),
      (rows) => rows.length === members,
      30_000,
    );
    await syncs.setState(w.db, source.syncId, 'active');
    const ends = await eventually(
      () => Promise.resolve(settled('JournalEntry')),
      (found) => found.length === members,
      30_000,
    );
    const batches = exporter.getFinishedSpans().filter(({ name }) => name === 'batch');
    expect(batches).toHaveLength(1);
    const [batch] = batches;
    expect(tree(traceOf(batch!))).toEqual(['batch', '  qbo batch']);
    const linked = (span: ReadableSpan) => span.links.map(({ context }) => context.traceId).sort();
    expect(linked(batch!)).toEqual(ends.map((end) => end.spanContext().traceId).sort());
    for (const end of ends) {
      expect(linked(end)).toEqual([batch!.spanContext().traceId]);
      const writes = traceOf(end).filter(({ name }) => name === 'create JournalEntry');
      expect(writes.flatMap(linked)).toContain(batch!.spanContext().traceId);
    }
  });
});
