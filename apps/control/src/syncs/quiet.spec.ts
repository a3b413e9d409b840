// Quiet means: nothing will change any more by itself.
import { motionOf } from './quiet.js';

const still = { links: {}, attachments: {}, unfinishedJobs: 0, lookPending: false, outbox: 0, kafkaLag: 0 };

describe('a sync is quiet', () => {
  it.each([
    ['when nothing moves', {}],
    ['while records wait for a person', { links: { held: 2, failed: 1, settled: 9 } }],
    ['while a record waits for one that never comes', { links: { waiting: 1 } }],
  ])('%s', (_title, change) => {
    expect(motionOf({ ...still, ...change })).toEqual([]);
  });
});

describe('a sync is not quiet', () => {
  it.each([
    ['while links are to be sent', { links: { ready: 2, uncertain: 1 } }, ['2 links ready', '1 links uncertain']],
    ['while a file is on its way', { attachments: { sending: 1 } }, ['1 attachments sending']],
    ['while a job runs', { unfinishedJobs: 1 }, ['1 jobs unfinished']],
    ['while the source is to be looked at', { lookPending: true }, ['a look at the source is due']],
    ['while results are unannounced', { outbox: 3 }, ['3 announcements unpublished']],
    ['while records stand in Kafka', { kafkaLag: 4 }, ['4 records not yet consumed']],
    ['when Kafka cannot be asked', { kafkaLag: undefined }, ['Kafka cannot be asked']],
  ])('%s', (_title, change, expected) => {
    expect(motionOf({ ...still, ...change })).toEqual(expected);
  });
});
