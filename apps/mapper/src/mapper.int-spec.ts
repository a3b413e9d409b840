// The mapper's own module on real Kafka, registry and PostgreSQL: changes in, desired entities out.
import { randomUUID } from 'node:crypto';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { systemClock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle, ServiceModule } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { changeEventId, topics, type AttachmentEvent, type ChangeEvent, type WriteEvent } from '#contracts';
import type { Json, LayerRules } from '#core';
import { BatchServer, KafkaClient, type ReceivedRecord } from '#kafka';
import { Database, Jobs, Links, MappingLayers, Organizations, Syncs } from '#storage';
import { freshDatabase, freshRealmId, freshTopicPrefix, infrastructure, type FreshDatabase } from '#testing';
import { MapperModule } from './mapper.module.js';

interface Corner {
  organizationId: string;
  syncId: string;
  sourceRealmId: string;
  targetRealmId: string;
}

describe('the mapper', () => {
  let database: FreshDatabase;
  let app: INestApplication;
  let lifecycle: Lifecycle;
  let kafka: KafkaClient;
  let db: Database;

  beforeAll(async () => {
    database = await freshDatabase();
    lifecycle = new Lifecycle();
    const config = { ...infrastructure(), ...database, topicPrefix: freshTopicPrefix() };
    const module = ServiceModule.forRoot({
      clock: systemClock,
      lifecycle,
      health: new Health(systemClock),
      app: MapperModule.forRoot({ ...config, jobLeaseMs: 30_000 }),
    });
    const compiled = await Test.createTestingModule({ imports: [module] }).compile();
    app = compiled.createNestApplication(new FastifyAdapter(), { logger: false });
    kafka = app.get(KafkaClient);
    db = app.get(Database);
    app.connectMicroservice({ strategy: new BatchServer({ client: kafka, groupId: 'sync-mapper' }) });
    await app.init();
    await app.startAllMicroservices();
  });
  afterAll(async () => {
    await lifecycle.drain(createLog('mapper-test'));
    await app.close();
    await database.drop();
  });

  async function corner(): Promise<Corner> {
    const made: Corner = {
      organizationId: randomUUID(),
      syncId: randomUUID(),
      sourceRealmId: freshRealmId(),
      targetRealmId: freshRealmId(),
    };
    await app.get(Organizations).create(db, { id: made.organizationId, name: 'spec' });
    for (const realmId of [made.sourceRealmId, made.targetRealmId]) {
      await db.query(`insert into companies (realm_id, organization_id, name) values ($1, $2, 'c')`, [
        realmId,
        made.organizationId,
      ]);
    }
    await app.get(Syncs).create(db, { id: made.syncId, ...made, settings: {}, captureSince: new Date() });
    return made;
  }

  const rules = (at: Corner, entities: LayerRules['entities']) =>
    app.get(MappingLayers).add(db, { layer: 'sync', ...at }, { rules: { entities }, author: 'spec', reason: 'spec' });

  const version = (n: number) => {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
    return `${at}_0000000000_${at}`;
  };

  async function tell(at: Corner, entityType: string, id: string, snapshot: Json | undefined, n = 1): Promise<string> {
    const value: ChangeEvent = {
      realmId: at.sourceRealmId,
      entityType,
      id,
      version: version(n),
      deleted: snapshot === undefined,
      contentHash: 'h',
      lane: 'live',
      origin: { kind: 'cdc' },
      ...(snapshot ? { snapshot } : {}),
    };
    const changeId = changeEventId(value);
    await kafka.producer.publish({
      topic: topics.changes.name,
      key: `${value.realmId}/${entityType}/${id}`,
      id: changeId,
      time: new Date(),
      traceparent: '00-aa-bb-01',
      value,
    });
    return changeId;
  }

  /** Everything published for a target so far. */
  async function heard<T extends WriteEvent | AttachmentEvent>(
    topic: string,
    at: Corner,
  ): Promise<ReceivedRecord<T>[]> {
    const all: ReceivedRecord<T>[] = [];
    await kafka.reader.read<T>(topic, {}, (batch) => {
      all.push(...batch.records.filter((record) => record.key === at.targetRealmId));
      return Promise.resolve();
    });
    return all;
  }

  async function until<T>(look: () => Promise<T[]>, count: number): Promise<T[]> {
    const giveUpMs = Date.now() + 20_000;
    for (;;) {
      const found = await look();
      if (found.length >= count || Date.now() > giveUpMs) {
        expect(found).toHaveLength(count);
        return found;
      }
      await systemClock.sleep(50);
    }
  }

  it('publishes what a change becomes, with the identity of the change and deterministic ids', async () => {
    const at = await corner();
    const changeId = await tell(at, 'Customer', '58', { Id: '58', DisplayName: 'Ann', ParentRef: { value: '57' } });
    const [write] = await until(() => heard<WriteEvent>(topics.writes.name, at), 1);
    expect(write!.value).toMatchObject({
      syncId: at.syncId,
      organizationId: at.organizationId,
      sourceRealmId: at.sourceRealmId,
      targetRealmId: at.targetRealmId,
      entityType: 'Customer',
      sourceId: '58',
      version: version(1),
      lane: 'live',
      op: 'upsert',
      payload: { DisplayName: 'Ann' },
      references: [{ path: ['ParentRef'], entityType: 'Customer', sourceId: '57' }],
      naturalKey: { DisplayName: 'Ann' },
      mappingVersion: 0,
      changeId,
    });
    expect(write!.traceparent).toBe('00-aa-bb-01');

    // Delivered twice: the same record with the same id.
    await tell(at, 'Customer', '58', { Id: '58', DisplayName: 'Ann', ParentRef: { value: '57' } });
    const [first, second] = await until(() => heard<WriteEvent>(topics.writes.name, at), 2);
    expect(second!.id).toBe(first!.id);
    expect(second!.value).toEqual(first!.value);
  });

  it('tells every sync of a source, the paused ones too, and nobody of a source without syncs', async () => {
    const at = await corner();
    const other = freshRealmId();
    await db.query(`insert into companies (realm_id, organization_id, name) values ($1, $2, 'c')`, [
      other,
      at.organizationId,
    ]);
    const second = { ...at, syncId: randomUUID(), targetRealmId: other };
    await app.get(Syncs).create(db, { id: second.syncId, ...second, settings: {}, captureSince: new Date() });
    await app.get(Syncs).setState(db, second.syncId, 'paused');
    const stranger = { ...at, sourceRealmId: freshRealmId() };
    await tell(stranger, 'Customer', '1', { DisplayName: 'Nobody' });
    await tell(at, 'Customer', '2', { DisplayName: 'Bob' });
    await until(() => heard<WriteEvent>(topics.writes.name, at), 1);
    await until(() => heard<WriteEvent>(topics.writes.name, second), 1);
  });

  it('turns a mapping failure into a named failure of that record, and the rest goes on', async () => {
    const at = await corner();
    const mappingVersion = await rules(at, { Customer: { fields: [{ from: 'Fax', to: 'Fax', required: true }] } });
    await tell(at, 'Customer', '1', { DisplayName: 'Ann' });
    await tell(at, 'Vendor', '2', { DisplayName: 'Bob' });
    const writes = await until(() => heard<WriteEvent>(topics.writes.name, at), 2);
    expect(writes.map(({ value }) => [value!.sourceId, value!.op, value!.failure?.code])).toEqual(
      expect.arrayContaining([
        ['1', 'fail', 'MAPPING.REQUIRED'],
        ['2', 'upsert', undefined],
      ]),
    );
    expect(writes.every(({ value }) => value!.mappingVersion === mappingVersion)).toBe(true);
  });

  it('sends deletions and voids as such, files to their own topic, and keeps silent about what is excluded', async () => {
    const at = await corner();
    await tell(at, 'Invoice', '1', undefined);
    await tell(at, 'Invoice', '2', { PrivateNote: 'Voided', TotalAmt: 0, Line: [] });
    await tell(at, 'TaxRate', '3', { Name: 'California' });
    await tell(at, 'Attachable', '4', {
      FileName: 'a.pdf',
      Size: 5,
      AttachableRef: [{ EntityRef: { type: 'Invoice', value: '2' } }],
    });
    const [file] = await until(() => heard<AttachmentEvent>(topics.attachments.name, at), 1);
    expect(file!.value).toMatchObject({
      attachableId: '4',
      fileName: 'a.pdf',
      references: [{ entityType: 'Invoice', sourceId: '2', includeOnSend: false }],
    });
    const writes = await until(() => heard<WriteEvent>(topics.writes.name, at), 2);
    expect(writes.map(({ value }) => value!.op).sort()).toEqual(['delete', 'void']);
  });

  /** What the writer took in of a record before. */
  const known = (at: Corner, sourceId: string, n: number, mappingVersion: number) => ({
    ...at,
    ...{ entityType: 'Customer', sourceId, version: version(n), mappingVersion },
    ...{ lane: 'live' as const, rank: 1, hash: 'h', op: 'upsert' as const, references: [], changeId: 'c' },
  });

  it('replays the log for one sync under the newest rules, in the bulk lane, and keeps its place', async () => {
    const at = await corner();
    for (let n = 1; n <= 5; n += 1) await tell(at, 'Customer', String(n), { DisplayName: `C${n}` });
    await tell(at, 'Vendor', '9', { DisplayName: 'V' });
    // All that compaction leaves of a record that is gone: a replay that left it out would keep the copy for ever.
    await tell(at, 'Customer', '6', undefined);
    await until(() => heard<WriteEvent>(topics.writes.name, at), 7);
    const mappingVersion = await rules(at, { Customer: { static: { Notes: 'replayed' } } });
    // Nothing new are what was taken in under these rules and what has a newer edit by now; the others are: what was taken in
    // under older rules, in an older version, or as another type.
    const taken = [known(at, '1', 1, mappingVersion), known(at, '2', 2, 0), known(at, '3', 1, 0)];
    taken.push(known(at, '4', 0, mappingVersion), { ...known(at, '5', 1, mappingVersion), entityType: 'Vendor' });
    await app.get(Links).intake(taken, new Date());
    const jobId = randomUUID();
    await app.get(Jobs).create(db, {
      id: jobId,
      organizationId: at.organizationId,
      syncId: at.syncId,
      kind: 'replay',
      params: { types: ['Customer'] },
    });
    const all = await until(() => heard<WriteEvent>(topics.writes.name, at), 11);
    const replayed = all.filter(({ value }) => value!.lane === 'bulk');
    const living = replayed.filter(({ value }) => value!.op === 'upsert');
    expect(living.map(({ value }) => value!.sourceId).sort()).toEqual(['3', '4', '5']);
    expect(living.map(({ value }) => value!.payload!.Notes)).toEqual(Array(3).fill('replayed'));
    expect(replayed.filter(({ value }) => value!.op === 'delete').map(({ value }) => value!.sourceId)).toEqual(['6']);
    expect(new Set(replayed.map(({ value }) => value!.mappingVersion))).toEqual(new Set([mappingVersion]));
    await until(async () => [await app.get(Jobs).find(jobId)].filter((job) => job?.state === 'done'), 1);
    const job = (await app.get(Jobs).find(jobId))!;
    expect(job.progress).toMatchObject({ read: 6, known: 2, published: 4 });
    expect(Object.keys(job.progress.offsets as object)).toHaveLength(12);

    // A worker died with the job in hand: the next one goes on behind what was acknowledged, and repeats nothing.
    const resumedId = randomUUID();
    await db.query(
      `insert into jobs (id, organization_id, sync_id, kind, state, progress, owner, lease_expires_at, created_at)
       values ($1, $2, $3, 'replay', 'running', $4, 'dead', now() - interval '1 second', now())`,
      [resumedId, at.organizationId, at.syncId, JSON.stringify(job.progress)],
    );
    await until(async () => [await app.get(Jobs).find(resumedId)].filter((one) => one?.state === 'done'), 1);
    expect((await app.get(Jobs).find(resumedId))!.progress).toMatchObject({ read: 6, known: 2, published: 4 });
    expect(await heard<WriteEvent>(topics.writes.name, at)).toHaveLength(11);
  });
});
