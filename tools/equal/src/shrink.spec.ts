// A failing history gets shorter, stays failing, and costs no more runs than allowed.
import * as fc from 'fast-check';
import { shrink } from './shrink.js';

const list = (n: number) => Array.from({ length: n }, (_, i) => i);

it('finds the two acts of sixty that fail together', async () => {
  const culprits = [13, 41];
  const fails = (acts: readonly number[]) => Promise.resolve(culprits.every((one) => acts.includes(one)));
  expect(await shrink(list(60), fails, 100)).toEqual(culprits);
});

it('says that no act is needed when the company itself already differs', async () => {
  expect(await shrink(list(60), () => Promise.resolve(true), 100)).toEqual([]);
});

it('always returns a list that fails, within the allowed runs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.nat(39), { minLength: 1, maxLength: 4 }),
      fc.nat(12),
      async (length, wanted, runs) => {
        const culprits = wanted.map((one) => one % length);
        let used = 0;
        const fails = (acts: readonly number[]) => {
          used++;
          return Promise.resolve(culprits.every((one) => acts.includes(one)));
        };
        const found = await shrink(list(length), fails, runs);
        expect(culprits.every((one) => found.includes(one))).toBe(true);
        expect(used).toBeLessThanOrEqual(runs);
      },
    ),
  );
});
