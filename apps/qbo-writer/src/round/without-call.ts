// What a plan that needs no call leaves behind: the change on its link, what the opposite sync hears of it, what is announced.
import {
  defaultRetryPolicy,
  definitionOf,
  settle,
  transition,
  unknownContent,
  type Difference,
  type LinkState,
  type Outcome,
  type Plan,
} from '#core';
import { keyOf, type LinkChange, type StoredLink } from '#storage';
import type { Written } from '../pairs/pairs.js';
import { announce } from '../results.js';
import type { Planned } from './planner.js';

const postponeMs = 2_000;

/** What a plan without a call says about the two records, for the opposite sync. */
export function writtenWithoutCall({ stored, plan }: Planned): Written[] {
  const { link, changeId } = stored;
  const about = { ...keyOf(stored), written: [], pendingBefore: {}, changeId: `echo:${changeId}` };
  if (plan.kind === 'adopt') return [{ ...about, targetId: plan.targetId, record: plan.beforeImage, removed: false }];
  const isGone = plan.kind === 'noop' && link.desired.op === 'delete' && link.target !== undefined;
  return isGone ? [{ ...about, targetId: link.target!.id, removed: true }] : [];
}

/** What a link becomes by a plan that needs no call. */
export function changeWithoutCall(stored: StoredLink, plan: Plan, at: Date): LinkChange {
  const { link } = stored;
  const { version, hash } = link.desired;
  const stays = {
    key: keyOf(stored),
    attempts: link.attempts,
    applied: link.applied,
    target: link.target,
    wakes: false,
  };
  const announced = (outcome: Outcome, targetId = link.target?.id, targetSyncToken = link.target?.syncToken) =>
    announce(stored, { outcome, version, targetId, targetSyncToken, attempt: 0, settledAt: at });
  switch (plan.kind) {
    case 'noop':
    case 'adopt': {
      const twin = plan.kind === 'adopt' ? { twin: { id: plan.targetId, syncToken: plan.syncToken } } : {};
      const settled = settle(
        link,
        {
          operation: plan.kind,
          gone: plan.kind === 'noop' && plan.why === 'already-removed',
          version,
          hash,
          ...twin,
          ...(plan.applied === undefined ? {} : { applied: plan.applied }),
        },
        { kind: 'done' },
        { nowMs: at.getTime(), jitter: 0, policy: defaultRetryPolicy },
      );
      return {
        ...stays,
        state: settled.state,
        attempts: settled.attempts,
        applied: settled.applied,
        target: settled.target,
        wakes: settled.wakes && settled.target !== undefined,
        beforeImage: plan.kind === 'adopt' ? plan.beforeImage : undefined,
        origin: settled.origin,
        rolledBack: plan.kind === 'noop' ? plan.rolledBack : undefined,
        differences: plan.kind === 'noop' && plan.kept ? plan.kept.map(leftThere) : undefined,
        announce:
          settled.result && announced(told(settled.result, plan), settled.target?.id, settled.target?.syncToken),
      };
    }
    case 'gone':
      // Still ready, and made again in the next round: under another request id, for another record stood there before.
      return {
        ...stays,
        state: link.state,
        applied: link.applied && { ...link.applied, hash: `gone:${link.applied.hash}` },
        target: link.target && { ...link.target, deleted: true },
      };
    case 'pair':
      // Still ready: planned again on top of this.
      return {
        ...stays,
        state: link.state,
        applied: { version: '', hash: unknownContent },
        target: {
          id: plan.targetId,
          deleted: false,
          ...(plan.syncToken === undefined ? {} : { syncToken: plan.syncToken }),
        },
        wakes: true,
      };
    case 'postpone': {
      const dueAtMs = at.getTime() + (plan.delayMs ?? postponeMs);
      return {
        ...stays,
        state: transition(link.state, { kind: 'refused-for-now', dueAtMs, code: plan.code, reason: plan.reason }),
      };
    }
    case 'hold': {
      const state: LinkState = transition(link.state, { kind: 'held', code: plan.code, reason: plan.reason });
      const held = { ...stays, state, announce: announced({ outcome: 'held', code: plan.code, reason: plan.reason }) };
      if (plan.asked) {
        const applied = { ...(link.applied ?? { version: '' }), hash: plan.asked.mark };
        const { syncToken } = plan.asked;
        return {
          ...held,
          applied,
          target: link.target && syncToken !== undefined ? { ...link.target, syncToken } : link.target,
        };
      }
      if (!plan.seen || !link.applied || !link.target) return held;
      const { payload, syncToken } = plan.seen;
      return {
        ...held,
        // A hash that nothing is desired under: an edit of the source back to what we applied is work now.
        applied: { ...link.applied, hash: `drifted:${link.applied.hash}`, payload },
        target: { ...link.target, syncToken },
      };
    }
    case 'fail': {
      const state: LinkState = transition(link.state, { kind: 'failed', code: plan.code, reason: plan.reason });
      return { ...stays, state, announce: announced({ outcome: 'failed', code: plan.code, reason: plan.reason }) };
    }
    default:
      throw new Error(`a plan "${plan.kind}" for ${definitionOf(stored.entityType).type} needs a call`);
  }
}

/**
 * Versions of the settings that stand behind what stays undone. Were they changed meanwhile, nobody would come back to it: who
 * changes them lets go what is held, and this would be held a moment later. What is decided again costs a round.
 */
export function settingsBehind(planned: readonly Planned[]): Map<string, number> {
  const isLeft = ({ plan }: Planned): boolean =>
    plan.kind === 'hold' || (plan.kind === 'noop' && (plan.kept !== undefined || plan.why === 'excluded'));
  return new Map(
    planned
      .filter(isLeft)
      .flatMap(({ stored, settingsVersion }) =>
        settingsVersion === undefined ? [] : [[stored.syncId, settingsVersion] as const],
      ),
  );
}

/** What is known of a decision without a call beside its outcome. */
function told(outcome: Outcome, plan: Plan): Outcome {
  if (plan.kind !== 'noop' || plan.code === undefined) return outcome;
  const why = { code: plan.code, ...(plan.reason === undefined ? {} : { reason: plan.reason }) };
  return { ...outcome, ...(plan.why === 'overruled' ? { outcome: 'drift' } : {}), ...why };
}

/** Listed on the link: the two records differ on purpose. */
function leftThere({ path, sent, answered }: Difference) {
  return { path, sent: sent ?? null, answered: answered ?? null, cause: 'DRIFT.KEPT' };
}
