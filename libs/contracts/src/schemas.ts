// JSON Schema (draft-07) of every topic's value, as registered in the schema registry under `<topic>-value`.
//
// Every object of ours is closed (`additionalProperties: false`): only then does the registry's BACKWARD_TRANSITIVE check
// judge sensibly (a new optional field passes; a removed property, a changed type or a new required field is refused).
// Raw QBO objects (`snapshot`, `payload`, `details`) are open: their shape is Intuit's. `title` is the topic: a record
// whose schema id belongs to another topic is recognised by it.
import type { TopicName } from './topics.js';

/** The part of JSON Schema used here. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly minimum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
}

const text: JsonSchema = { type: 'string' };
/** An id, a realm, a hash: never empty. */
const id: JsonSchema = { type: 'string', minLength: 1 };
const flag: JsonSchema = { type: 'boolean' };
const whole: JsonSchema = { type: 'integer' };
const rawObject: JsonSchema = { type: 'object' };
const oneOf = (...values: string[]): JsonSchema => ({ type: 'string', enum: values });
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

/** A closed object: names ending in `?` are optional. */
function closed(fields: Record<string, JsonSchema>): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [name, schema] of Object.entries(fields)) {
    properties[name.replace(/\?$/, '')] = schema;
    if (!name.endsWith('?')) required.push(name);
  }
  return { type: 'object', properties, required, additionalProperties: false };
}

const lane = oneOf('live', 'bulk');

const values = {
  'qbo.notifications.v1': closed({
    realmId: id,
    source: oneOf('webhook', 'operator'),
    receivedAt: id,
    entities: listOf(
      closed({ entityType: text, id: text, operation: text, 'eventId?': text, 'time?': text, 'deletedId?': text }),
    ),
  }),
  'qbo.changes.v1': closed({
    realmId: id,
    entityType: id,
    id,
    version: id,
    deleted: flag,
    'mergedInto?': id,
    contentHash: id,
    lane,
    origin: closed({ kind: oneOf('cdc', 'query', 'backfill', 'sweep'), 'jobId?': id }),
    'notifiedAt?': id,
    'snapshot?': rawObject,
  }),
  'sync.writes.v1': closed({
    syncId: id,
    organizationId: id,
    sourceRealmId: id,
    targetRealmId: id,
    entityType: id,
    sourceId: id,
    version: id,
    lane,
    op: oneOf('upsert', 'delete', 'void', 'fail', 'exclude'),
    desiredHash: id,
    'payload?': rawObject,
    references: listOf(closed({ path: listOf(text), entityType: id, sourceId: id })),
    'naturalKey?': { type: 'object', additionalProperties: text },
    'mergedInto?': id,
    mappingVersion: whole,
    changeId: id,
    'failure?': closed({ code: id, message: text }),
  }),
  'sync.results.v1': closed({
    syncId: id,
    organizationId: id,
    sourceRealmId: id,
    targetRealmId: id,
    entityType: id,
    sourceId: id,
    version: id,
    changeId: id,
    outcome: oneOf(
      'created',
      'updated',
      'deleted',
      'voided',
      'adopted',
      'unchanged',
      'held',
      'failed',
      'attached',
      'drift',
    ),
    'targetId?': text,
    'targetSyncToken?': text,
    attempt: { type: 'integer', minimum: 0 },
    'requestId?': text,
    'tid?': text,
    'code?': text,
    'reason?': text,
    lane,
    settledAt: id,
    durationMs: { type: 'number' },
  }),
  'sync.attachments.v1': closed({
    syncId: id,
    organizationId: id,
    sourceRealmId: id,
    targetRealmId: id,
    attachableId: id,
    version: id,
    lane,
    deleted: flag,
    changeId: id,
    'fileName?': text,
    'contentType?': text,
    'size?': { type: 'number' },
    'note?': text,
    'category?': text,
    references: listOf(closed({ entityType: id, sourceId: id, includeOnSend: flag })),
  }),
  'audit.events.v1': closed({
    organizationId: id,
    actor: text,
    action: id,
    subject: text,
    at: id,
    details: rawObject,
  }),
} satisfies Record<Exclude<TopicName, 'dead.letters.v1'>, JsonSchema>;

/** By topic name. Dead letters have none: they carry bytes that nobody could read. */
export const valueSchemas: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  Object.entries(values).map(([topic, schema]) => [
    topic,
    { $schema: 'http://json-schema.org/draft-07/schema#', title: topic, ...schema },
  ]),
);
