// The partition of a key is the same as everywhere else in the Kafka world.
import { murmur2, partitionOf } from './murmur2.js';

describe('murmur2', () => {
  // From Apache Kafka's own UtilsTest.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of "%s" is %d, as in Java', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it('gives every key a partition that exists', () => {
    for (let n = 0; n < 1000; n++) {
      const partition = partitionOf(`9130350000000001/Invoice/${n}`, 12);
      expect(partition >= 0 && partition < 12).toBe(true);
    }
  });
});
