// How far groups are behind, in records: end of the log less what was committed.
import { topics } from '#contracts';
import type { LogClient } from './port.js';

export interface PartitionLag {
  groupId: string;
  topic: string;
  partition: number;
  lag: number;
  /** where the group goes on, and where the log ends */
  committed: bigint;
  end: bigint;
}

export class GroupLag {
  constructor(private readonly o: { client: LogClient; topicPrefix: string }) {}

  /** Topics a group never committed are left out: it does not read them. Group ids and topics without the prefix. */
  async lag(groupIds: readonly string[]): Promise<PartitionLag[]> {
    const found: PartitionLag[] = [];
    for (const { name } of Object.values(topics)) {
      const topic = this.o.topicPrefix + name;
      const ends = await this.o.client.offsets(topic);
      // Topic after topic, so that no record slips by unseen from one to the next; the groups of one topic may be asked at once.
      const places = await Promise.all(
        groupIds.map(async (groupId) => ({
          groupId,
          committed: await this.o.client.committed(this.o.topicPrefix + groupId, topic),
        })),
      );
      for (const { groupId, committed } of places) {
        if (committed.every(({ offset }) => offset === undefined)) continue;
        for (const { partition, low, high } of ends) {
          const offset = committed.find((entry) => entry.partition === partition)?.offset ?? low;
          found.push({ groupId, topic: name, partition, lag: Number(high - offset), committed: offset, end: high });
        }
      }
    }
    return found;
  }
}
