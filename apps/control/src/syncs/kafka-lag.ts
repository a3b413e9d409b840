// Lag of our consumer groups, in records. One reading serves everybody who asks within a second: it costs a few dozen
// requests to the brokers, and a page that refreshes must not become their load.
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { topics } from '#contracts';
import { GroupLag, KafkaClient } from '#kafka';

export interface TopicLag {
  groupId: string;
  topic: string;
  lag: number;
}

/** Who consumes what (docs/architecture.md). A group that never committed is behind by everything. */
const consumption: Readonly<Record<string, readonly string[]>> = {
  'sync-mapper': [topics.changes.name],
  'sync-qbo-writer': [topics.writes.name],
  'sync-attachment-worker': [topics.attachments.name],
  'sync-audit': [
    topics.notifications.name,
    topics.changes.name,
    topics.writes.name,
    topics.results.name,
    topics.audit.name,
  ],
};
const freshMs = 1000;

@Injectable()
export class KafkaLag {
  private last: { atMs: number; reading: Promise<TopicLag[] | undefined> } | undefined;

  constructor(
    private readonly groups: GroupLag,
    private readonly client: KafkaClient,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** undefined when the brokers do not answer: the rest of a page is worth showing without it. */
  read(): Promise<TopicLag[] | undefined> {
    const now = this.clock.nowMs();
    if (!this.last || now - this.last.atMs >= freshMs) {
      this.last = { atMs: now, reading: this.ask().catch(() => undefined) };
    }
    return this.last.reading;
  }

  private async ask(): Promise<TopicLag[]> {
    const committed = await this.groups.lag(Object.keys(consumption));
    const found: TopicLag[] = [];
    for (const [groupId, names] of Object.entries(consumption)) {
      for (const topic of names) {
        const partitions = committed.filter((entry) => entry.groupId === groupId && entry.topic === topic);
        const lag =
          partitions.length > 0 ? partitions.reduce((sum, entry) => sum + entry.lag, 0) : await this.everything(topic);
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
