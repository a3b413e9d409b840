// Where topics end and how far each group is behind.
import { Kafka, logLevel } from 'kafkajs';
import { topics } from '#contracts';
import { guardIdleTimers } from '#kafka';
import { parts } from '../../deploy/src/k8s/architecture.js';

export async function positionsOf(brokers: string[], prefix: string): Promise<object> {
  guardIdleTimers();
  const kafka = new Kafka({ clientId: 'support-bundle', brokers, logLevel: logLevel.NOTHING, retry: { retries: 2 } });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const found: object[] = [];
    for (const { name } of Object.values(topics)) {
      if (!existing.has(prefix + name)) {
        found.push({ topic: name, missing: true });
        continue;
      }
      const ends = await admin.fetchTopicOffsets(prefix + name);
      const groups: Record<string, number> = {};
      for (const { group } of Object.values(parts)) {
        if (group === undefined) continue;
        const [committed] = await admin.fetchOffsets({ groupId: prefix + group, topics: [prefix + name] });
        const known = new Map(committed!.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
        if ([...known.values()].every((offset) => offset < 0n)) continue;
        groups[group] = ends.reduce((sum, { partition, low, high }) => {
          const at = known.get(partition) ?? -1n;
          return sum + Number(BigInt(high) - (at < 0n ? BigInt(low) : at));
        }, 0);
      }
      found.push({
        topic: name,
        ends: Object.fromEntries(ends.map(({ partition, low, high }) => [partition, `${low}..${high}`])),
        lag: groups,
      });
    }
    return { topics: found };
  } finally {
    await admin.disconnect();
  }
}
