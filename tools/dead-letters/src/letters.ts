// Dead letters as a person works with them: what lies there and why, and "try again". A letter carries its record byte for
// byte (libs/kafka/src/dead-letters.ts), so trying again is publishing that record once more, to the topic and under the key
// it had; consumers know versions and ids, so a record that was handled after all changes nothing.
//
// Once: the audit event of a redrive has an id that follows from where the record was, and a letter whose event is in the log
// is not redriven again. Two groups that read the same topic write a letter each; it is one record, and goes once: redriven
// by every letter, a record that nobody can read would double each time. The record goes first: a crash in between costs a second, harmless redrive and never a lost one.
import { createHash } from 'node:crypto';
import { headerText, topicNamed, topics, type AuditEvent, type RawHeaders } from '#contracts';
import type { KafkaClient } from '#kafka';

export interface Letter {
  /** partition/offset in dead.letters.v1 */
  place: string;
  /** where the record was */
  topic: string;
  /** topic/partition/offset of the record: the same for the letters of several groups */
  origin: string;
  key: string;
  code: string;
  message: string;
  group: string;
  at: Date;
  value: Buffer | null;
  /** of the record itself */
  headers: Record<string, string | Buffer>;
}

export interface Decision {
  author: string;
  reason: string;
}

/** Whose a letter is: an organization by its id, or a company by its realm. */
export type Owner = { organizationId: string } | { realmId: string };

export type Redriven = { letter: Letter } & (
  | { kind: 'redriven' }
  /** it is the same record as that of another letter, which was redriven just now */
  | { kind: 'redriven with'; place: string }
  | { kind: 'refused'; why: string }
);

const prefix = '__connect.errors.';

export async function readLetters(client: KafkaClient): Promise<Letter[]> {
  const topic = client.topicPrefix + topics.deadLetters.name;
  const ranges = (await client.port.offsets(topic)).map(({ partition, low, high }) => ({
    partition,
    from: low,
    to: high,
  }));
  const found: Letter[] = [];
  await client.port.readRanges({
    topic,
    ranges,
    onBatch: ({ partition, records }) => {
      for (const record of records) {
        const said = (name: string) => headerText(record.headers, prefix + name) ?? '';
        found.push({
          place: `${partition}/${record.offset}`,
          topic: said('topic'),
          origin: `${said('topic')}/${said('partition')}/${said('offset')}`,
          key: record.key?.toString('utf8') ?? '',
          code: said('exception.class.name'),
          message: said('exception.message'),
          group: said('connector.name'),
          at: new Date(Number(record.timestamp)),
          value: record.value,
          headers: ownHeaders(record.headers),
        });
      }
      return Promise.resolve();
    },
  });
  return found.sort((a, b) => a.at.getTime() - b.at.getTime() || (a.place < b.place ? -1 : 1));
}

/** Keys begin with the realm, but for audit events, whose key is the organization (catalogue of topics). */
export function ownerOf({ topic, key }: Pick<Letter, 'topic' | 'key'>): Owner {
  return topic === topics.audit.name ? { organizationId: key } : { realmId: key.split('/')[0]! };
}

/** Letters whose redrive is in the audit log already, by place. */
export async function redrivenBefore(client: KafkaClient, letters: readonly Letter[]): Promise<Set<string>> {
  const places = new Map<string, string[]>();
  for (const { origin, place } of letters) {
    const id = redriveId(origin);
    places.set(id, [...(places.get(id) ?? []), place]);
  }
  const found = new Set<string>();
  await client.reader.read(topics.audit.name, {}, (batch) => {
    for (const { id } of batch.records) for (const place of places.get(id) ?? []) found.add(place);
    return Promise.resolve();
  });
  return found;
}

export async function redrive(
  client: KafkaClient,
  letters: readonly Letter[],
  { author, reason }: Decision,
  o: { organizationOf: (owner: Owner) => Promise<string | undefined>; now: () => Date },
): Promise<Redriven[]> {
  const before = await redrivenBefore(client, letters);
  const outcomes: Redriven[] = [];
  /** origin -> place of the letter it went with */
  const gone = new Map<string, string>();
  for (const letter of letters) {
    const refused = (why: string) => void outcomes.push({ letter, kind: 'refused', why });
    if (before.has(letter.place)) {
      refused('it was redriven before; what became of it is a later letter, or handled');
      continue;
    }
    const together = gone.get(letter.origin);
    if (together !== undefined) {
      outcomes.push({ letter, kind: 'redriven with', place: together });
      continue;
    }
    if (!topicNamed(letter.topic)) {
      refused(`no topic "${letter.topic}" is in the catalogue`);
      continue;
    }
    if (letter.value === null) {
      refused('its record was never published; a look at the company reads it again: npm run syncctl -- look REALM');
      continue;
    }
    const organizationId = await o.organizationOf(ownerOf(letter));
    if (organizationId === undefined) {
      refused(`its key "${letter.key}" belongs to no company that is connected`);
      continue;
    }
    const { topic, key, value, headers, place, code } = letter;
    await client.producer.sendAll([{ topic, message: { key, value, headers } }]);
    const at = o.now();
    const event: AuditEvent = {
      ...{
        organizationId,
        actor: author,
        action: 'dead-letter.redriven',
        subject: `${topic} ${key}`,
        at: at.toISOString(),
      },
      details: { author, reason, place, code },
    };
    const audit = topics.audit.name;
    await client.producer.publish({
      topic: audit,
      key: organizationId,
      id: redriveId(letter.origin),
      time: at,
      value: event,
    });
    gone.set(letter.origin, place);
    outcomes.push({ letter, kind: 'redriven' });
  }
  return outcomes;
}

/** A UUID, as every audit event's id is. */
function redriveId(origin: string): string {
  const hex = createHash('sha256').update(`redrive of ${origin}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

function ownHeaders(headers: RawHeaders): Record<string, string | Buffer> {
  const own: Record<string, string | Buffer> = {};
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined && !name.startsWith(prefix)) own[name] = first;
  }
  return own;
}
