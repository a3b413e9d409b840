// Topics at start: made when missing, judged when there.
import { topics } from '#contracts';
import { createLog } from '#common/logging';
import { CatalogueMismatch, ensureCatalogue } from './catalogue.js';
import { MemoryLog } from './memory-log.js';

describe('the topic catalogue at start', () => {
  const log = createLog('spec');
  const wish = (change: { partitions?: number; config?: Record<string, string> } = {}) => ({
    ...topics.changes,
    config: { ...topics.changes.config, ...change.config },
    partitions: change.partitions ?? topics.changes.partitions,
  });

  it('makes all topics, and finds nothing odd the second time', async () => {
    const client = new MemoryLog();
    expect(await ensureCatalogue(client, 'a.', log)).toEqual([]);
    expect(await ensureCatalogue(client, 'a.', log)).toEqual([]);
    expect(await client.describeTopics(['a.qbo.changes.v1'])).toMatchObject([{ partitions: 12 }]);
  });

  it.each([
    ['another partition count, because keys would move', { partitions: 6 }],
    [
      'another clean-up policy, because the state of companies would be deleted',
      { config: { 'cleanup.policy': 'delete' } },
    ],
  ])('refuses %s', async (_, change) => {
    const client = new MemoryLog();
    await client.createTopics([wish(change)]);
    await expect(ensureCatalogue(client, '', log)).rejects.toBeInstanceOf(CatalogueMismatch);
  });

  it('waits for topics that are made but not visible yet, instead of calling them wrong', async () => {
    const client = new MemoryLog();
    let looks = 0;
    const describe = client.describeTopics.bind(client);
    client.describeTopics = (names, settings) => (++looks === 1 ? Promise.resolve([]) : describe(names, settings));
    const error: unknown = await ensureCatalogue(client, '', log).catch((e: unknown) => e);
    expect(error).not.toBeInstanceOf(CatalogueMismatch);
    expect((error as Error).message).toMatch(/not visible yet/);
    expect(await ensureCatalogue(client, '', log)).toEqual([]);
  });

  it('names a setting that an operator changed and leaves it', async () => {
    const client = new MemoryLog();
    await client.createTopics([wish({ config: { 'min.compaction.lag.ms': '1' } })]);
    expect(await ensureCatalogue(client, '', log)).toEqual([
      { topic: 'qbo.changes.v1', setting: 'min.compaction.lag.ms', expected: '604800000', found: '1' },
    ]);
  });
});
