import fc from 'fast-check';
import { appNames } from '../../dev/src/apps.js';
import {
  canKill,
  endsAProcess,
  goesOnBeside,
  manyJoined,
  nemeses,
  planOf,
  type Nemesis,
  type PlanOptions,
} from './plan.js';

const options = (o: Partial<PlanOptions> = {}): PlanOptions => ({
  ...{ seed: 1, changes: 3000, kills: 30, nemeses: new Set(nemeses), brokers: 3, companies: 4, links: ['a', 'b'] },
  ...o,
});
const anyOptions = fc
  .record({
    seed: fc.nat(),
    changes: fc.integer({ min: 1, max: 5000 }),
    kills: fc.nat({ max: 60 }),
    wanted: fc.subarray([...nemeses], { minLength: 1 }),
    brokers: fc.constantFrom<1 | 3>(1, 3),
    brief: fc.boolean(),
    joinedShare: fc.constantFrom(undefined, manyJoined),
  })
  .map(({ wanted, joinedShare, ...o }) =>
    options({ ...o, ...(joinedShare && { joinedShare }), nemeses: new Set<Nemesis>(wanted) }),
  );

it('the same seed makes the same plan, another seed another one', () => {
  expect(planOf(options())).toEqual(planOf(options()));
  expect(planOf(options({ seed: 2 }))).not.toEqual(planOf(options()));
});

it('ends exactly as many processes as asked, where anything may be ended at all', () => {
  fc.assert(
    fc.property(anyOptions, (o) => {
      const ended = planOf(o).filter(({ act }) => endsAProcess(act)).length;
      expect(ended).toBe(canKill(o.nemeses) ? o.kills : 0);
    }),
  );
});

it('acts come in the order of changes, none after the last change', () => {
  fc.assert(
    fc.property(anyOptions, (o) => {
      const moments = planOf(o).map(({ atChange }) => atChange);
      expect(moments).toEqual([...moments].sort((a, b) => a - b));
      for (const moment of moments) expect(moment).toBeLessThanOrEqual(o.changes);
    }),
  );
});

it('a writer is removed only when one was added', () => {
  fc.assert(
    fc.property(anyOptions, (o) => {
      let more = 0;
      for (const { act } of planOf(o)) {
        if (act.kind === 'writer-added') more++;
        if (act.kind === 'writer-removed') more--;
        expect(more).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

it('never two brokers, and never PostgreSQL twice, at the same time', () => {
  fc.assert(
    fc.property(anyOptions, (o) => {
      const ours = planOf(o).filter(({ act }) => !goesOnBeside(act));
      ours.forEach(({ act, joined }, i) => {
        if (!joined) return;
        expect(ours[i - 1]!.joined).toBe(false);
        expect(act.kind.split('-')[0]).not.toBe(ours[i - 1]!.act.kind.split('-')[0]);
      });
    }),
  );
});

it('what was not asked for does not come', () => {
  const kinds = planOf(options({ nemeses: new Set(['quickbooks', 'postgres']) })).map(({ act }) => act.kind);
  expect(new Set(kinds)).toEqual(new Set(['quickbooks', 'postgres-kill', 'postgres-stop']));
});

it('nothing of a brief plan must rest for a minute, and every other trouble of QuickBooks comes', () => {
  const troubles = (more: Partial<PlanOptions>): Set<string> =>
    new Set(
      Array.from({ length: 40 }, (_, seed) => planOf(options({ seed, ...more })))
        .flat()
        .flatMap(({ act }) => (act.kind === 'quickbooks' ? [act.trouble] : [])),
    );
  const whole = troubles({});
  whole.delete('throttled');
  expect(troubles({ brief: true })).toEqual(whole);
});

it('thirty kills meet every kind of act, and every app', () => {
  const plan = planOf(options());
  expect(new Set(plan.map(({ act }) => act.kind)).size).toBe(15);
  const apps = plan.flatMap(({ act }) => (act.kind === 'app-kill' ? [act.app] : []));
  expect(new Set(apps)).toEqual(new Set(appNames));
});

it('in a long run about half of the blows at our own processes come while another one is felt, and enough come alone', () => {
  const ours = planOf(options({ changes: 6000, kills: 60, joinedShare: manyJoined })).filter(
    ({ act }) => !goesOnBeside(act),
  );
  const met = ours.filter(({ joined }, i) => joined || ours[i + 1]?.joined === true).length;
  expect(met / ours.length).toBeGreaterThan(0.5);
  expect(met / ours.length).toBeLessThan(0.85);
});
