// The topic catalogue: names, keys and policies of design.md section 5. Everything that creates, checks, consumes or
// documents a topic reads from here.
export interface TopicDefinition {
  readonly name: string;
  /** what the record key holds */
  readonly key: string;
  /** CloudEvents type of its records */
  readonly eventType: string;
  readonly partitions: number;
  /** Kafka topic settings, exactly as the broker names them */
  readonly config: Readonly<Record<string, string>>;
}

const day = 24 * 60 * 60 * 1000;
const partitions = 12;
const deleteAfter = (days: number) => ({ 'cleanup.policy': 'delete', 'retention.ms': String(days * day) });
// The broker's default limit is 1 MiB. A document of QBO with a thousand lines can exceed it, and one record that never
// fits would stop the capture of its company.
const largeRecords = { 'max.message.bytes': String(8 * 1024 * 1024) };

export const topics = {
  notifications: {
    name: 'qbo.notifications.v1',
    key: 'source realm',
    eventType: 'qbo.notification.received',
    partitions,
    config: deleteAfter(7),
  },
  changes: {
    name: 'qbo.changes.v1',
    key: 'realm/type/id',
    eventType: 'qbo.entity.changed',
    partitions,
    // Compacted: the replayable state of every company. Seven days of lag keep every single change readable for a week.
    config: {
      'cleanup.policy': 'compact',
      'min.compaction.lag.ms': String(7 * day),
      'retention.ms': '-1',
      ...largeRecords,
    },
  },
  writes: {
    name: 'sync.writes.v1',
    key: 'target realm',
    eventType: 'sync.write.desired',
    partitions,
    config: { ...deleteAfter(7), ...largeRecords },
  },
  results: {
    name: 'sync.results.v1',
    key: 'target realm',
    eventType: 'sync.write.settled',
    partitions,
    config: deleteAfter(30),
  },
  attachments: {
    name: 'sync.attachments.v1',
    key: 'target realm',
    eventType: 'sync.attachment.desired',
    partitions,
    config: deleteAfter(7),
  },
  audit: {
    name: 'audit.events.v1',
    key: 'organization',
    eventType: 'audit.event.recorded',
    partitions,
    config: deleteAfter(30),
  },
  deadLetters: {
    name: 'dead.letters.v1',
    key: 'original key',
    eventType: 'dead.letter.recorded',
    partitions,
    config: { ...deleteAfter(30), ...largeRecords },
  },
} as const satisfies Record<string, TopicDefinition>;

export type TopicName = (typeof topics)[keyof typeof topics]['name'];

const byName: ReadonlyMap<string, TopicDefinition> = new Map(Object.values(topics).map((topic) => [topic.name, topic]));

/** The catalogue entry of a topic, by name. */
export function topicNamed(name: string): TopicDefinition | undefined {
  return byName.get(name);
}
