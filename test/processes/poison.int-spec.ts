// Poison through real Kafka: hostile records are put aside one by one, each with its cause, everything around them is carried,
// and what was put aside can be tried again, once, with an audit entry (I-13).
import { randomUUID } from 'node:crypto';
import { topics } from '#contracts';
import type { AuditEvent } from '#contracts';
import { BatchServer, InvalidEvent, KafkaClient, RecordRejected } from '#kafka';
import type { RecordBatch } from '#kafka';
import { freshTopicPrefix, infrastructure } from '#testing';
import { readLetters, redrive } from '../../tools/dead-letters/src/letters.js';

const topic = topics.audit.name;
const organizationId = randomUUID();

let client: KafkaClient;
let server: BatchServer;
const handled: AuditEvent[] = [];
/** subjects that the handler cannot take yet */
const unfit = new Set<string>();

beforeAll(async () => {
  client = await KafkaClient.connect({ ...infrastructure(), topicPrefix: freshTopicPrefix(), clientId: 'poison' });
  server = new BatchServer({ client, groupId: 'sync-poison' });
  server.addHandler(
    topic,
    (batch: RecordBatch<AuditEvent>) => {
      const at = batch.records.findIndex(({ value }) => unfit.has(value!.subject));
      if (at >= 0) throw new RecordRejected(at, 'SPEC.UNFIT', 'not yet');
      handled.push(...batch.records.map(({ value }) => value!));
      return Promise.resolve(undefined as never);
    },
    true,
  );
  server.listen(() => undefined);
  await server.ready();
});
afterAll(async () => {
  await server.close();
  await client.close();
});

const event = (subject: string, details: AuditEvent['details'] = {}) => ({
  ...{ topic, key: organizationId, id: randomUUID(), time: new Date() },
  value: { organizationId, actor: 'spec', action: 'poison', subject, at: 'now', details } satisfies AuditEvent,
});
const subjects = (): string[] => handled.map(({ subject }) => subject);
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await what()) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await what()).toBe(true);
}
const nested = (depth: number): object => {
  let inner: object = {};
  for (let n = 0; n < depth; n++) inner = { inner };
  return inner;
};

it('carries what is odd and sound: ten thousand lines, names of the language, half characters, every zero byte', async () => {
  const odd: Record<string, AuditEvent['details']> = {
    lines: { Line: Array.from({ length: 10_000 }, (_, n) => ({ Id: String(n), Amount: n / 100 })) },
    prototype: JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}'),
    // Half of a pair: no UTF-8 can hold it, so it becomes the replacement character.
    text: { half: '\ud800', zero: 'a\u0000b', leftwards: '\u202eevil', none: '\u200b' },
    deep: nested(500) as AuditEvent['details'],
    number: JSON.parse('{"big": 1e308, "small": 5e-324, "long": 12345678901234567890}'),
  };
  for (const [subject, details] of Object.entries(odd)) await client.producer.publish(event(subject, details));
  await until(() => Object.keys(odd).every((subject) => subjects().includes(subject)));
  expect((handled.find(({ subject }) => subject === 'lines')!.details.Line as unknown[]).length).toBe(10_000);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it('refuses by itself what no broker or reader could take, and publishes what came with it', async () => {
  const ring: { inner?: unknown } = {};
  ring.inner = ring;
  const oversized = event('oversized', { text: 'x'.repeat(1_100_000) });
  for (const wrong of [oversized, event('ring', ring as never), event('bottomless', nested(200_000) as never)])
    await expect(client.producer.publish(wrong)).rejects.toBeInstanceOf(InvalidEvent);
  await client.producer.publish(event('after them'));
  await until(() => subjects().includes('after them'));
});

it('puts hostile bytes aside one by one with their cause; a record is redriven once, with an audit entry', async () => {
  const sound = client.codec.encode(topic, event('frame').value);
  const framed = (text: string) => Buffer.concat([sound.subarray(0, 5), Buffer.from(text)]);
  const hostile: [code: string, value: Buffer][] = [
    ['VALUE.NOT_FRAMED', Buffer.from('<html>503</html>')],
    ['VALUE.NOT_JSON', framed('{"organizationId": "a", ')],
    ['VALUE.NOT_JSON', framed('[1,2')],
    ['VALUE.INVALID', framed('[]')],
    ['VALUE.INVALID', framed('{"organizationId": 7, "actor": [], "action": null}')],
    ['VALUE.INVALID', framed('['.repeat(50_000) + ']'.repeat(50_000))],
  ];
  unfit.add('later');
  const headers = { ce_specversion: '1.0', ce_id: 'x', ce_type: 't', ce_source: 's', ce_time: '2026-01-01T00:00:00Z' };
  for (const [, value] of hostile)
    await client.producer.sendAll([{ topic, message: { key: organizationId, value, headers } }]);
  await client.producer.publishAll([event('before'), event('later'), event('behind')]);
  await until(() => subjects().includes('behind'));
  const letters = await readLetters(client);
  expect(letters.map(({ code }) => code).sort()).toEqual([...hostile.map(([code]) => code), 'SPEC.UNFIT'].sort());
  expect(
    letters.every(({ topic: from, key, message }) => from === topic && key === organizationId && message !== ''),
  ).toBe(true);

  unfit.clear();
  const decision = { author: 'ann', reason: 'the handler is mended' };
  const o = { organizationOf: () => Promise.resolve(organizationId), now: () => new Date() };
  const chosen = letters.filter(({ code }) => code === 'SPEC.UNFIT');
  // A second group that reads the topic writes a letter of its own of the same record.
  const twice = [...chosen, { ...chosen[0]!, place: '99/0', group: 'another' }];
  expect((await redrive(client, twice, decision, o)).map(({ kind }) => kind)).toEqual(['redriven', 'redriven with']);
  await until(() => subjects().includes('later'));
  // The audit entry comes through the very same topic here.
  await until(() => handled.some(({ action }) => action === 'dead-letter.redriven'));
  const entry = handled.find(({ action }) => action === 'dead-letter.redriven')!;
  expect(entry).toMatchObject({ actor: 'ann', details: { place: chosen[0]!.place, reason: decision.reason } });
  expect(await redrive(client, chosen, decision, o)).toMatchObject([{ kind: 'refused' }]);
  expect(subjects().filter((subject) => subject === 'later')).toHaveLength(1);

  // What is still unfit becomes another letter, not a loop.
  const [html] = letters.filter(({ code }) => code === 'VALUE.NOT_FRAMED');
  await redrive(client, [html!], decision, o);
  await until(async () => (await readLetters(client)).length === letters.length + 1);
});
