import { spentLine, Stretches } from './spent.js';

it('all time belongs to one stretch or another, and what comes twice is added up', () => {
  let now = 0;
  const stretches = new Stretches(() => now);
  for (const [name, ms] of [
    ['start', 4_000],
    ['blows', 10_000],
    ['start', 500],
  ] as const) {
    now += ms;
    stretches.ended(name);
  }
  expect(stretches.spent).toEqual({ start: 4_500, blows: 10_000 });
});

it('several rounds are told as one, with the time of a kill', () => {
  expect(spentLine([{ start: 4_000, blows: 10_000 }, { start: 6_000 }], 4)).toBe(
    'seconds: 20.0 = start 10.0, blows 10.0; 5.0 a kill',
  );
  expect(spentLine([{ start: 4_000 }], 0)).toBe('seconds: 4.0 = start 4.0');
});
