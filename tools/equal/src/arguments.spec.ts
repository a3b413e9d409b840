import { readArguments } from './arguments.js';

it('takes seeds one by one and as ranges', () => {
  expect(readArguments(['--seeds', '1-3,40'])).toMatchObject({ seeds: [1, 2, 3, 40] });
  expect(readArguments(['--seed', '9'])).toMatchObject({
    seeds: [9],
    how: ['live', 'backfill'],
    kills: 0,
    faults: false,
  });
});

it.each([
  [['--seeds', '5-1'], /--seeds/],
  [['--seed', 'one'], /--seeds/],
  [['--acts', '-3'], /--acts/],
  [['--how', 'sideways'], /--how/],
  [['--company', 'mine'], /--company/],
  [['--kills', 'some'], /--kills/],
])('refuses %j in words', (args, sentence) => {
  expect(() => readArguments(args)).toThrow(sentence);
});
