// The thirteen invariants judged over gathered evidence, in the lines that a person reads: one per invariant, and the whole
// life of the first offender of each that is broken. Pure.
import { Books } from './books.js';
import type { Evidence } from './evidence.js';
import { invariants } from './invariants/index.js';
import { lifeOf } from './life.js';
import type { Verdict } from './verdict.js';

export interface Judgement {
  id: string;
  verdict: Verdict;
}

export interface Report {
  judgements: Judgement[];
  held: number;
  violations: number;
  /** every line a person reads, the closing one last */
  lines: string[];
  ok: boolean;
  /** how long everything took to come to rest */
  restMs: number;
}

const shownViolations = 10;

export function reportOf(evidence: Evidence, only?: readonly string[]): Report {
  const books = new Books(evidence);
  const judgements: Judgement[] = Object.entries(invariants)
    .filter(([id]) => only === undefined || only.includes(id))
    .map(([id, judge]) => ({ id, verdict: judge(books) }));
  const lines: string[] = [];
  let violations = 0;
  let notJudged = 0;
  for (const { id, verdict } of judgements) {
    if (verdict.kind === 'ok') lines.push(`${id} ok: ${verdict.evidence}`);
    else if (verdict.kind === 'not judged') {
      notJudged++;
      lines.push(`${id} not judged: ${verdict.why}`);
    } else {
      violations += verdict.violations.length;
      const [first] = verdict.violations;
      lines.push(`${id} VIOLATED ${verdict.violations.length} times: ${first!.what}`);
      if (first!.record) for (const line of lifeOf(books, first!.record)) lines.push(`    ${line}`);
      for (const { what } of verdict.violations.slice(1, shownViolations)) lines.push(`  also: ${what}`);
      if (verdict.violations.length > shownViolations)
        lines.push(`  and ${verdict.violations.length - shownViolations} more`);
    }
  }
  const held = judgements.filter(({ verdict }) => verdict.kind === 'ok').length;
  lines.push(
    `verify: invariants=${held}/${judgements.length} violations=${violations}${notJudged > 0 ? ` not_judged=${notJudged}` : ''}`,
  );
  const ok = violations === 0 && held === judgements.length;
  return { judgements, held, violations, lines, ok, restMs: evidence.rest.afterMs };
}
