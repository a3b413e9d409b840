import { appendFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { mostChanges, RoundsFile, roundsOf, type RoundDone } from './rounds.js';

it('a run that fits is one round with the seed that was asked for', () => {
  expect(roundsOf({ seed: 7, changes: 3000, kills: 30 })).toEqual([{ round: 0, seed: 7, changes: 3000, kills: 30 }]);
});

it('rounds deal out all changes and kills, evenly, each with a seed of its own', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(200_000), fc.nat(2_000), (seed, changes, kills) => {
      const rounds = roundsOf({ seed, changes, kills });
      const sum = (of: (one: (typeof rounds)[number]) => number): number => rounds.reduce((all, r) => all + of(r), 0);
      expect([sum((r) => r.changes), sum((r) => r.kills)]).toEqual([changes, kills]);
      expect(Math.max(...rounds.map((r) => r.changes))).toBeLessThanOrEqual(mostChanges);
      const each = rounds.map((r) => r.kills);
      expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(1);
      expect(new Set(rounds.map((r) => r.seed)).size).toBe(rounds.length);
    }),
  );
});

it('goes on after the last round that was written down whole', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'chaos-')), 'rounds.jsonl');
  const counted = { lost: 0, doubled: 0, reordered: 0, overQuota: 0, invariantsHeld: 13, invariants: 13 };
  const done: RoundDone = { round: 0, seed: 1, changes: 10, kills: 1, counted, samples: [], spent: {} };
  await new RoundsFile(path).add(done);
  await appendFile(path, '{"round":1,"se');
  expect(await new RoundsFile(path).done()).toEqual([done]);
  await new RoundsFile(path).add({ ...done, round: 1 });
  expect((await new RoundsFile(path).done()).map(({ round }) => round)).toEqual([0, 1]);
});

it('rounds may be made smaller, so that an interruption costs less', () => {
  expect(
    roundsOf({ seed: 7, changes: 90, kills: 4, perRound: 30 }).map(({ changes, kills }) => [changes, kills]),
  ).toEqual([
    [30, 1],
    [30, 1],
    [30, 2],
  ]);
});
