// What a person decides through the admin API reaches the target: sweep, redrive and changed settings, asked over HTTP, carried
// out by a running writer, on real PostgreSQL and Kafka with the emulator as QuickBooks.
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { systemClock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle, ServiceModule } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { desiredHash, type Json } from '#core';
import { freshTopicPrefix, infrastructure } from '#testing';
import { ControlModule } from '../../apps/control/src/control.module.js';
import { Installation } from '../../apps/qbo-writer/test/installation.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked at field by field
type Answer = any;

describe('a decision of a person', () => {
  const adminKey = 'a key that only this test knows';
  const decision = { author: 'Ann', reason: 'looked at both books' };
  const lifecycle = new Lifecycle();
  let w: Installation;
  let app: NestFastifyApplication;
  let address: string;

  beforeAll(async () => {
    w = await Installation.start();
    const { brokers, registryUrl } = infrastructure();
    const control = ControlModule.forRoot({
      ...{ ...w.database, databasePool: 4, brokers, registryUrl, topicPrefix: freshTopicPrefix() },
      ...{ qboEnvironment: w.emulator.url, qboClientId: w.app.clientId, qboClientSecret: w.app.clientSecret },
      ...{ tokenKey: Buffer.alloc(32, 1).toString('base64'), adminKey },
    });
    const root = ServiceModule.forRoot({
      ...{ clock: systemClock, lifecycle, health: new Health(systemClock) },
      app: control,
    });
    app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    await app.listen(0, '127.0.0.1');
    address = await app.getUrl();
  });
  afterAll(async () => {
    await lifecycle.drain(createLog('spec'));
    await app.close();
    await w.stop();
  });
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  async function ask(method: string, path: string, body: object = {}): Promise<Answer> {
    const response = await fetch(`${address}/v1/syncs/${w.syncId}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Answer;
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async function until(reached: () => Promise<boolean>): Promise<void> {
    for (const giveUpAt = Date.now() + 20_000; !(await reached()); await systemClock.sleep(20))
      if (Date.now() > giveUpAt) throw new Error(`not reached: ${JSON.stringify((await ask('GET', '/links')).items)}`);
  }

  const notes = async (customer: Json) => (await w.targetRecord('Customer', customer.Id)).Notes as unknown;
  const state = async (customer: Json) => (await w.link('Customer', customer.Id)).state;

  async function customers(...names: string[]): Promise<Json[]> {
    const made: Json[] = [];
    for (const DisplayName of names) made.push(await w.save('Customer', { DisplayName, Notes: 'ours' }));
    w.startWriter();
    await w.carry('Customer', ...made);
    await w.quiet();
    return made;
  }

  async function editedThere(customer: Json, Notes: string): Promise<void> {
    const { Id, SyncToken } = await w.targetRecord('Customer', customer.Id);
    await w.write(w.target, 'Customer', { Id, SyncToken, sparse: true, Notes });
  }

  async function swept(): Promise<Json> {
    const { requestedAt } = await ask('POST', '/sweep');
    let last: Answer;
    await until(async () => {
      ({ last } = (await ask('GET', '')).sweep);
      return last !== null && last.full === true && new Date(last.at) >= new Date(requestedAt as string);
    });
    return last as Json;
  }

  it('to compare the whole target finds what was edited there, and it is written back', async () => {
    const [ada] = await customers('Ada', 'Bob');
    await editedThere(ada!, 'theirs');
    expect(await swept()).toMatchObject({ drifted: 1, gone: 0 });
    await until(async () => (await notes(ada!)) === 'ours');
    await w.quiet();
  });

  it('to hold edits from now on, to let one go, and to keep them at last, is taken up by the running writer', async () => {
    const [ada] = await customers('Ada');
    expect(await ask('PATCH', '', { settings: { drift: 'hold' }, ...decision })).toMatchObject({ settingsVersion: 2 });
    await editedThere(ada!, 'theirs');
    await swept();
    await until(async () => (await state(ada!)) === 'held');
    expect(await notes(ada!)).toBe('theirs');
    const released = await ask('POST', `/links/Customer/${String(ada!.Id)}/redrive`, decision);
    expect(released).toMatchObject({ released: 1 });
    await until(async () => (await notes(ada!)) === 'ours' && (await state(ada!)) === 'settled');

    // What is held goes on by itself under settings that would not hold it.
    await editedThere(ada!, 'theirs again');
    await swept();
    await until(async () => (await state(ada!)) === 'held');
    expect(await ask('PATCH', '', { settings: { drift: null }, ...decision })).toMatchObject({ reconsidered: 1 });
    await until(async () => (await notes(ada!)) === 'ours' && (await state(ada!)) === 'settled');

    // And what was left there is written back once it is no longer kept.
    await ask('PATCH', '', { settings: { drift: { Customer: { fields: { Notes: 'keep' } } } }, ...decision });
    await editedThere(ada!, 'kept');
    await swept();
    await until(async () => (await w.link('Customer', ada!.Id)).differences?.[0]?.cause === 'DRIFT.KEPT');
    expect(await notes(ada!)).toBe('kept');
    expect(await ask('PATCH', '', { settings: { drift: null }, ...decision })).toMatchObject({ reconsidered: 1 });
    await until(async () => (await notes(ada!)) === 'ours' && (await state(ada!)) === 'settled');
  });

  it('about names that something else has lets the held ones go under another name', async () => {
    await w.write(w.target, 'Vendor', { DisplayName: 'Acme' });
    const acme = await w.save('Customer', { DisplayName: 'Acme' });
    w.startWriter();
    await w.carry('Customer', acme);
    await until(async () => (await state(acme)) === 'held');
    const settings = { collisions: { names: 'suffix' } };
    expect(await ask('PATCH', '', { settings, ...decision })).toMatchObject({ reconsidered: 1 });
    await w.quiet();
    expect(await w.targetRecord('Customer', acme.Id)).toMatchObject({ DisplayName: 'Acme (C)' });
  });

  it('to remove copies of what the mapping leaves out removes those that were left before', async () => {
    const [ada] = await customers('Ada', 'Bob');
    const { payload: _payload, naturalKey: _key, ...event } = w.event('Customer', ada!);
    const failure = { code: 'MAPPING.EXCLUDED', message: 'small fry' };
    await w.take([
      { ...event, op: 'exclude', desiredHash: desiredHash('exclude', undefined, []), references: [], failure },
    ]);
    await until(async () => (await w.link('Customer', ada!.Id)).op === 'exclude' && (await state(ada!)) === 'settled');
    expect(await w.targetRecord('Customer', ada!.Id)).toMatchObject({ Active: true });
    expect(await ask('PATCH', '', { settings: { excluded: 'remove' }, ...decision })).toMatchObject({
      reconsidered: 1,
    });
    await until(async () => (await w.targetRecord('Customer', ada!.Id)).Active === false);
    await w.quiet();
  });
});
