// The schemas say what the TypeScript types say: a full event of each type passes, and nothing else does.
import { Ajv } from 'ajv';
import type { AttachmentEvent, AuditEvent, ChangeEvent, NotificationEvent, ResultEvent, WriteEvent } from './index.js';
import { topics, topicNamed, valueSchemas } from './index.js';

/** Every field present, so that a field forgotten in a schema fails here (and one forgotten here fails the compiler). */
type Full<T> = { [K in keyof Required<T>]: NonNullable<T[K]> };
const notification: Full<NotificationEvent> = {
  realmId: '1',
  source: 'webhook',
  receivedAt: '2026-11-20T09:15:02.004Z',
  entities: [{ entityType: 'Invoice', id: '2', operation: 'updated', eventId: 'e', time: 't', deletedId: '3' }],
};
const change: Full<ChangeEvent> = {
  realmId: '1',
  entityType: 'Invoice',
  id: '2',
  version: 'v',
  deleted: false,
  mergedInto: '4',
  contentHash: 'h',
  lane: 'live',
  origin: { kind: 'backfill', jobId: 'j' },
  notifiedAt: 't',
  snapshot: { Anything: [{ goes: 1 }] },
};
const sync = { syncId: 's', organizationId: 'o', sourceRealmId: '1', targetRealmId: '2', version: 'v' };
const write: Full<WriteEvent> = {
  ...sync,
  entityType: 'Invoice',
  sourceId: '2',
  lane: 'bulk',
  op: 'upsert',
  desiredHash: 'h',
  payload: { Line: [] },
  references: [{ path: ['CustomerRef'], entityType: 'Customer', sourceId: '9' }],
  naturalKey: { DocNumber: '1001' },
  mergedInto: '4',
  mappingVersion: 3,
  changeId: 'c',
  failure: { code: 'X', message: 'why' },
};
const result: Full<ResultEvent> = {
  ...sync,
  entityType: 'Invoice',
  sourceId: '2',
  changeId: 'c',
  outcome: 'created',
  targetId: '7',
  targetSyncToken: '0',
  attempt: 1,
  requestId: 'r',
  tid: 't',
  code: 'c',
  reason: 'r',
  lane: 'live',
  settledAt: 't',
  durationMs: 12.5,
};
const attachment: Full<AttachmentEvent> = {
  ...sync,
  attachableId: '5',
  lane: 'live',
  deleted: false,
  changeId: 'c',
  fileName: 'f.pdf',
  contentType: 'application/pdf',
  size: 10,
  note: 'n',
  category: 'Receipt',
  references: [{ entityType: 'Invoice', sourceId: '2', includeOnSend: true }],
};
const audit: Full<AuditEvent> = {
  organizationId: 'o',
  actor: 'admin',
  action: 'sync.created',
  subject: 's',
  at: 't',
  details: { any: 'thing' },
};
const full: [string, object][] = [
  [topics.notifications.name, notification],
  [topics.changes.name, change],
  [topics.writes.name, write],
  [topics.results.name, result],
  [topics.attachments.name, attachment],
  [topics.audit.name, audit],
];
const ajv = new Ajv({ strict: true });
const validators = new Map(Object.entries(valueSchemas).map(([topic, schema]) => [topic, ajv.compile(schema)]));

describe('value schemas', () => {
  it('cover every topic but dead letters', () => {
    const others = Object.values(topics).map((topic) => topic.name);
    expect([...validators.keys(), topics.deadLetters.name].sort()).toEqual([...others].sort());
  });

  it.each(full)('%s accepts an event with every field', (topic, event) => {
    const validate = validators.get(topic)!;
    expect(validate(event) || validate.errors).toBe(true);
  });

  it.each(full)(
    '%s knows each field as its type does: required ones are missed, unknown ones refused',
    (topic, event) => {
      const validate = validators.get(topic)!;
      const schema = valueSchemas[topic]!;
      expect(Object.keys(schema.properties!).sort()).toEqual(Object.keys(event).sort());
      for (const name of Object.keys(event)) {
        const { [name]: _gone, ...rest } = event as Record<string, unknown>;
        expect([name, validate(rest)]).toEqual([name, !schema.required!.includes(name)]);
      }
      expect(validate({ ...event, unheardOf: 1 })).toBe(false);
    },
  );

  it('carry their topic as title, by which a record of another topic is recognised', () => {
    for (const [topic, schema] of Object.entries(valueSchemas)) expect(schema.title).toBe(topic);
  });

  it('close every object of ours', () => {
    const open = new Set(['snapshot', 'payload', 'details']);
    const walk = (name: string, schema: (typeof valueSchemas)[string]): void => {
      if (schema.type === 'object' && !open.has(name))
        expect([name, schema.additionalProperties === undefined]).toEqual([name, false]);
      for (const [child, inner] of Object.entries(schema.properties ?? {})) walk(child, inner);
      if (schema.items) walk(name, schema.items);
    };
    for (const [topic, schema] of Object.entries(valueSchemas)) walk(topic, schema);
  });
});

describe('the topic catalogue', () => {
  it('finds a topic by name', () => {
    expect(topicNamed('qbo.changes.v1')).toBe(topics.changes);
    expect(topicNamed('qbo.changes.v9')).toBeUndefined();
  });

  it('compacts changes and nothing else', () => {
    const compacted = Object.values(topics).filter((topic) => topic.config['cleanup.policy'] === 'compact');
    expect(compacted).toEqual([topics.changes]);
  });
});
