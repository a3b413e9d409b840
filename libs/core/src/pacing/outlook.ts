// What the governor would say to calls that are not made yet: a question, no grant. Asked to choose between a batch and
// single requests, and right only for the moment; who sends asks for leave all the same.
import type { QuotaOutlook } from '../batching/pack.js';
import { admit, type PacingState } from './governor.js';
import type { CallClass, PacingPolicy } from './policy.js';

export function outlook(
  state: PacingState,
  policy: PacingPolicy,
  nowMs: number,
  call: { app: string; class: CallClass; by: string },
): QuotaOutlook {
  const inMs = (kind: 'single' | 'batch'): number => {
    const { decision } = admit(state, policy, nowMs, { ...call, kind });
    return decision.kind === 'go' ? 0 : decision.untilMs - nowMs;
  };
  const minuteAgo = Math.floor(nowMs / 1000) - 61;
  const used =
    state.open.filter((grant) => grant.kind === 'batch').length +
    state.answered
      .filter((entry) => entry.second > minuteAgo)
      .reduce((sum, entry) => sum + (entry.batches[call.app] ?? 0), 0);
  return {
    singleInMs: inMs('single'),
    spacingMs: policy.spacingMs,
    batchInMs: inMs('batch'),
    batchSpacingMs: policy.batchSpacingMs,
    // None left: the one that time frees next.
    batches: Math.max(1, policy.batchesPerMinute - used),
  };
}
