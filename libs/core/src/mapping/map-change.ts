// The evaluator: total. Whatever the rules or the snapshot hold, the answer is a `Mapped`.
import type { Mapped, SourceChange } from './mapped.js';
import type { RuleSet } from './rules.js';

export function mapChange(_change: SourceChange, _rules: RuleSet): Mapped {
  throw new Error('not built yet');
}
