// Lag of our consumer groups, in records. A reading costs a few dozen requests to the brokers, so everybody who asks while
// one is under way shares the next one; never the one under way, which may have missed what the caller has just seen.
import { Injectable } from '@nestjs/common';
import { topics } from '#contracts';
import { GroupLag, KafkaClient } from '#kafka';

export interface TopicLag {
  groupId: string;
  topic: string;
  lag: number;
}

/** Who consumes what (docs/architecture.md). A group that never committed is behind by everything. */
export const consumption: Readonly<Record<string, readonly string[]>> = {
  'sync-ingest': [topics.notifications.name],
  'sync-mapper': [topics.changes.name],
  'sync-qbo-writer': [topics.writes.name],
  'sync-attachment-worker': [topics.attachments.name],
  'sync-audit': [
    topics.notifications.name,
    topics.changes.name,
    topics.writes.name,
    topics.results.name,
    topics.attachments.name,
    topics.audit.name,
  ],
};

@Injectable()
export class KafkaLag {
  private current: Promise<unknown> = Promise.resolve();
  private next: Promise<TopicLag[] | undefined> | undefined;

  constructor(
    private readonly groups: GroupLag,
    private readonly client: KafkaClient,
  ) {}

  /** undefined when the brokers do not answer: the rest of a page is worth showing without it. */
  read(): Promise<TopicLag[] | undefined> {
    this.next ??= this.current.then(() => {
      this.next = undefined;
      const reading = this.ask().catch(() => undefined);
      this.current = reading;
      return reading;
    });
    return this.next;
  }

  /** Records that nobody could take and retention has not removed. */
  deadLetters(): Promise<number> {
    return this.everything(topics.deadLetters.name);
  }

  private async ask(): Promise<TopicLag[]> {
    const committed = await this.groups.lag(Object.keys(consumption));
    const found: TopicLag[] = [];
    for (const [groupId, names] of Object.entries(consumption)) {
      for (const topic of names) {
        const partitions = committed.filter((entry) => entry.groupId === groupId && entry.topic === topic);
        const lag =
          partitions.length > 0
            ? partitions.reduce((sum, entry) => sum + Math.max(0, entry.lag), 0)
            : await this.everything(topic);
        found.push({ groupId, topic, lag });
      }
    }
    return found;
  }

  private async everything(topic: string): Promise<number> {
    const offsets = await this.client.port.offsets(this.client.topicPrefix + topic);
    return offsets.reduce((sum, { low, high }) => sum + Number(high - low), 0);
  }
}
