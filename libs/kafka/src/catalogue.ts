// Brings the topic catalogue into being and compares what is there with what is meant. A setting that differs is logged,
// not changed: an operator may have chosen a longer retention. A partition count that differs is refused, because keys
// would move to other partitions and order per entity would break.
import type { Log } from '#common/logging';
import { topics } from '#contracts';
import type { LogClient } from './port.js';

export interface Deviation {
  topic: string;
  setting: string;
  expected: string;
  found: string;
}

export class CatalogueMismatch extends Error {
  constructor(readonly deviations: Deviation[]) {
    super(
      `topics differ from the catalogue: ${deviations.map((d) => `${d.topic} ${d.setting} is ${d.found}, expected ${d.expected}`).join('; ')}`,
    );
    this.name = 'CatalogueMismatch';
  }
}

/**
 * @throws CatalogueMismatch when a partition count or a clean-up policy differs; waiting will not help
 * @throws Error when a topic that was made just now (by us or by another process) is not visible yet; waiting will
 */
export async function ensureCatalogue(client: LogClient, topicPrefix: string, log: Log): Promise<Deviation[]> {
  const wishes = Object.values(topics).map(({ name, partitions, config }) => ({
    name: topicPrefix + name,
    partitions,
    config,
  }));
  await client.createTopics(wishes);
  const settings = [...new Set(wishes.flatMap(({ config }) => Object.keys(config)))];
  const states = await client.describeTopics(
    wishes.map(({ name }) => name),
    settings,
  );
  const invisible = wishes.filter(({ name }) => !states.some((state) => state.name === name));
  if (invisible.length > 0) throw new Error(`topics not visible yet: ${invisible.map(({ name }) => name).join(', ')}`);
  const deviations: Deviation[] = [];
  for (const { name, partitions, config } of wishes) {
    const state = states.find((candidate) => candidate.name === name)!;
    const compare = (setting: string, expected: string, found: string) => {
      if (expected !== found) deviations.push({ topic: name, setting, expected, found });
    };
    compare('partitions', String(partitions), String(state.partitions));
    for (const [setting, expected] of Object.entries(config))
      compare(setting, expected, state.config[setting] ?? 'unset');
  }
  const fatal = deviations.filter(({ setting }) => setting === 'partitions' || setting === 'cleanup.policy');
  if (fatal.length > 0) throw new CatalogueMismatch(fatal);
  for (const deviation of deviations) log.warn(deviation, 'topic setting differs from the catalogue');
  return deviations;
}
