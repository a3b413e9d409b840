// Where a group begins in this process: where the database stands that keeps the group's effects, not where Kafka believes it.
// In ordinary life the database is a moment behind, and a moment's records are handled twice, which every handler knows. After
// a restore it is hours behind, and those hours come again. And a topic that ends before the place that was reached has lost
// its records: it is read from its start, and whoever can make its records anew is asked to.
//
// A partition is looked at when it is assigned to this process for the first time; places are noted while they move.
import type { TopicName } from '#contracts';
import type { KafkaClient } from './kafka-client.js';
import type { PartitionPlace } from './port.js';

/** Up to where a group has read, kept where the group's effects are kept: storage, consumer-places.ts. Topics with prefix. */
export interface ConsumerPlaces {
  load(groupId: string): Promise<readonly PartitionPlace[]>;
  note(groupId: string, places: readonly PartitionPlace[]): Promise<void>;
}

/** How far the database is behind in ordinary life, and so how much is handled twice after a restart. */
const noteMs = 2_000;

export class GroupPlaces {
  private readonly begun = new Set<string>();
  /** where a partition was told to begin, until a batch from there was handled */
  private readonly sought = new Map<string, PartitionPlace>();
  private readonly moved = new Map<string, PartitionPlace>();
  private readonly stopping = new AbortController();
  private noting: Promise<void> = Promise.resolve();

  constructor(
    private readonly o: {
      client: KafkaClient;
      groupId: string;
      store: ConsumerPlaces;
      logLost: ((topic: TopicName) => Promise<unknown>) | undefined;
    },
  ) {}

  start(): void {
    this.noting = this.run();
  }

  /** What was read is in the database by now: the last note. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.noting;
  }

  /** A batch was committed: what it held is in the database. */
  passed(place: PartitionPlace): void {
    this.moved.set(nameOf(place), place);
    this.sought.delete(nameOf(place));
  }

  /** @throws when Kafka or the database does not answer */
  async beginAt(assigned: readonly { topic: string; partition: number }[]): Promise<PartitionPlace[]> {
    const { client, groupId, store, logLost } = this.o;
    const fresh = assigned.filter((one) => !this.begun.has(nameOf(one)));
    const again = assigned.flatMap((one) => this.sought.get(nameOf(one)) ?? []);
    if (fresh.length === 0) return again;
    const places = new Map((await store.load(groupId)).map((place) => [nameOf(place), place.next]));
    const back: PartitionPlace[] = [];
    const first: PartitionPlace[] = [];
    const lost = new Map<string, bigint>();
    let behind = 0n;
    for (const topic of new Set(fresh.map((one) => one.topic))) {
      const ends = await client.port.offsets(topic);
      const committed = await client.port.committed(client.topicPrefix + groupId, topic);
      for (const { partition } of fresh.filter((one) => one.topic === topic)) {
        const place = places.get(nameOf({ topic, partition }));
        const end = ends.find((one) => one.partition === partition);
        if (!end) continue;
        const offset = committed.find((one) => one.partition === partition)?.offset;
        if (place === undefined) {
          // Noted now, so that a restore to this moment knows where it was.
          first.push({ topic, partition, next: offset ?? end.low });
          continue;
        }
        if (end.high < place) {
          lost.set(topic, (lost.get(topic) ?? 0n) + place - end.high);
          back.push({ topic, partition, next: end.low });
          continue;
        }
        const next = place < end.low ? end.low : place;
        if (offset === undefined || offset <= next) continue;
        behind += offset - next;
        back.push({ topic, partition, next });
      }
    }
    for (const [topic, records] of lost) {
      const name = topic.slice(client.topicPrefix.length) as TopicName;
      client.log.error(
        { group: groupId, topic: name, records: String(records) },
        'Kafka lost records of this topic that were read before: it is read from its start, what it held is made anew',
      );
      await logLost?.(name);
    }
    if (behind > 0n) {
      client.log.warn(
        { group: groupId, records: String(behind) },
        'the database is behind Kafka: records are handed in again (a moment after a crash, everything since then after a restore)',
      );
    }
    // Said once: the next process must not find the same loss again.
    await store.note(groupId, [...first, ...back.filter(({ topic }) => lost.has(topic))]);
    for (const one of fresh) this.begun.add(nameOf(one));
    for (const place of back) this.sought.set(nameOf(place), place);
    return [...again, ...back];
  }

  private async run(): Promise<void> {
    const { client, groupId, store } = this.o;
    while (!this.stopping.signal.aborted) {
      await client.clock.sleep(noteMs, this.stopping.signal);
      const moved = [...this.moved.values()];
      if (moved.length === 0) continue;
      try {
        await store.note(groupId, moved);
        for (const place of moved) if (this.moved.get(nameOf(place)) === place) this.moved.delete(nameOf(place));
      } catch (error) {
        client.log.warn({ group: groupId, reason: (error as Error).message }, 'places not noted, will try again');
      }
    }
  }
}

const nameOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}/${partition}`;
