// A stall is what a publisher felt, no less.
import { Stalls } from './stalls.js';

it('is the longest wait of each publisher between the kill and the recovery, counted from the kill', () => {
  let now = 0;
  const stalls = new Stalls(() => now);
  stalls.acknowledged(0);
  now = 1_000;
  stalls.killed(2);
  now = 1_100;
  stalls.acknowledged(0);
  now = 4_100;
  stalls.acknowledged(0);
  now = 5_000;
  // The second publisher never heard anything.
  stalls.healed();
  expect([stalls.percentile(0.5), stalls.percentile(1)]).toEqual([3_000, 4_000]);
});

it('is nothing without a kill', () => {
  expect(new Stalls(() => 0).percentile(0.99)).toBe(0);
});
