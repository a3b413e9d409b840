// What the closing line says, counted from what stood outside of the system under test: the comparison of the emulator's dumps
// and ledgers, the checker's verdicts over journals and topics, the emulator's own counters. Pure.
import type { Judgement } from '../../equal/src/judgement.js';
import type { Report } from '../../verify/src/report.js';

export interface Counted {
  lost: number;
  doubled: number;
  reordered: number;
  overQuota: number;
  invariantsHeld: number;
  invariants: number;
}

const doubling: ReadonlySet<string> = new Set(['extra', 'shared']);

/** @param quotaBroken one entry per limit of QuickBooks that was exceeded */
export function countsOf(
  judgements: readonly Pick<Judgement, 'differences'>[],
  { judgements: verdicts }: Pick<Report, 'judgements'>,
  quotaBroken: readonly string[],
): Counted {
  const violated = (id: string): string[] => {
    const verdict = verdicts.find((one) => one.id === id)?.verdict;
    if (verdict?.kind !== 'violated') return [];
    return verdict.violations.map(({ record, what }) => (record ? `${record.type}/${record.id}` : what));
  };
  const lost = new Set(violated('I-01'));
  const doubled = new Set(violated('I-02'));
  for (const [sync, { differences }] of judgements.entries())
    for (const { what, key } of differences) {
      // The checker names the record alone; one that both name counts once.
      const into = doubling.has(what) ? doubled : lost;
      if (!into.has(key)) into.add(`${sync}/${key}`);
    }
  return {
    ...{ lost: lost.size, doubled: doubled.size, reordered: new Set(violated('I-03')).size },
    overQuota: Math.max(quotaBroken.length, violated('I-06').length),
    invariantsHeld: verdicts.filter(({ verdict }) => verdict.kind === 'ok').length,
    invariants: verdicts.length,
  };
}

export const sumOf = (all: readonly Counted[]): Counted =>
  all.reduce((sum, one) => ({
    lost: sum.lost + one.lost,
    doubled: sum.doubled + one.doubled,
    reordered: sum.reordered + one.reordered,
    overQuota: sum.overQuota + one.overQuota,
    // As many as held in every round.
    invariantsHeld: Math.min(sum.invariantsHeld, one.invariantsHeld),
    invariants: one.invariants,
  }));

export const isGood = (c: Counted): boolean =>
  c.lost + c.doubled + c.reordered + c.overQuota === 0 && c.invariantsHeld === c.invariants && c.invariants === 13;

export const closingLine = (seed: number, changes: number, kills: number, c: Counted): string =>
  `chaos: seed=${seed} changes=${changes} kills=${kills} lost=${c.lost} doubled=${c.doubled} reordered=${c.reordered} ` +
  `over_quota=${c.overQuota} invariants=${c.invariantsHeld}/${c.invariants}`;
