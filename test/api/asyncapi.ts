// docs/asyncapi.json: the topics as AsyncAPI 3, from the catalogue, the value schemas and who reads and writes what.
import { topics, valueSchemas } from '#contracts';
import { parts } from '../../tools/deploy/src/k8s/architecture.js';

const text = { type: 'string' };

/** CloudEvents in binary mode: what every record carries beside its value (libs/contracts/src/headers.ts). */
const headers = {
  type: 'object',
  required: ['ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'ce_time'],
  properties: {
    ce_specversion: { const: '1.0' },
    ce_id: { ...text, description: 'Deterministic: the same fact told twice carries the same id.' },
    ce_type: text,
    ce_source: text,
    ce_subject: { ...text, description: "The record's key unless said otherwise." },
    ce_time: { ...text, format: 'date-time' },
    'content-type': { const: 'application/json' },
    traceparent: { ...text, description: 'W3C trace context of the change.' },
  },
};

/** What lies in dead.letters.v1: the original bytes, with why (libs/kafka/src/dead-letters.ts). */
const anyBytes = { description: 'The value of the record that could not be handled, byte for byte.' };

export function asyncApi(version: string): object {
  const named = Object.entries(topics);
  const channels = named.map(([name, topic]) => [
    name,
    {
      address: topic.name,
      description: `Key: ${topic.key}.`,
      messages: { [name]: { $ref: `#/components/messages/${name}` } },
      bindings: {
        kafka: {
          topic: topic.name,
          partitions: topic.partitions,
          topicConfiguration: {
            'cleanup.policy': topic.config['cleanup.policy'].split(','),
            'retention.ms': Number(topic.config['retention.ms']),
          },
          bindingVersion: '0.5.0',
        },
      },
    },
  ]);
  const messages = named.map(([name, topic]) => [
    name,
    {
      name: topic.eventType,
      title: topic.eventType,
      contentType: 'application/json',
      headers: { $ref: '#/components/schemas/Headers' },
      payload: payloadOf(topic.name),
      bindings: { kafka: { key: { ...text, description: topic.key }, bindingVersion: '0.5.0' } },
    },
  ]);
  const operations = Object.entries(parts).flatMap(([app, { reads, writes, group }]) => [
    ...reads.map((name) => [
      `${app}.receives.${name}`,
      {
        action: 'receive',
        channel: { $ref: `#/channels/${name}` },
        summary: `${app} reads ${topics[name].name} (group ${group}).`,
      },
    ]),
    ...writes.map((name) => [
      `${app}.sends.${name}`,
      { action: 'send', channel: { $ref: `#/channels/${name}` }, summary: `${app} writes ${topics[name].name}.` },
    ]),
  ]);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'qbo-sync topics',
      version,
      description:
        'Every topic and its records. A value is preceded by five bytes (0, then the id of its schema in the registry, big-endian); schemas only grow (BACKWARD_TRANSITIVE). Topics carry the prefix of the installation (SYNC_TOPIC_PREFIX).',
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(channels) as object,
    operations: Object.fromEntries(operations) as object,
    components: { messages: Object.fromEntries(messages) as object, schemas: { Headers: headers } },
  };
}

function payloadOf(topic: string): object {
  const schema = valueSchemas[topic];
  if (!schema) return anyBytes;
  const { $schema: _draft, ...payload } = schema;
  return payload;
}
