// Every write to the row of an attachment: each is one transaction under lock and fence, with its announcement. What the
// row becomes is decided on what it is then, because a newer desired version may have arrived while a call was on its way.
import {
  defaultRetryPolicy,
  nextStep,
  transition,
  type AttachmentFacts,
  type Failure,
  type LinkEvent,
  type LinkState,
} from '#core';
import type { Clock } from '#common/clock';
import type { AttachmentChange, AttachmentLinks, StoredAttachment } from '#storage';
import * as metrics from '../attachment.metrics.js';
import { announce, type AttachmentOutcome } from '../results.js';
import { failureOf, type NotOk } from './answers.js';

export interface RowPorts {
  links: AttachmentLinks;
  clock: Clock;
  random: () => number;
  /** a company must be reconnected by a person */
  reconnectNeeded: (realmId: string, reason: string) => Promise<void>;
  /** something was written to the outbox */
  announced: () => void;
}

/** What one step leads to. */
export type Next =
  | { kind: 'again'; stored: StoredAttachment; learnt?: Learnt }
  | { kind: 'end'; outcome: string; code?: string | undefined; reason?: string | undefined };
export type Learnt = Pick<AttachmentFacts, 'twins' | 'taken' | 'targetNow'>;
type Side = 'SOURCE' | 'TARGET';
type Stop = Extract<LinkEvent, { kind: 'held' | 'failed' | 'answer-lost' | 'refused-for-now' | 'parent-missing' }>;
type Change = AttachmentChange & { outcome?: AttachmentOutcome; tid?: string | undefined };

export const overtaken: Next = { kind: 'end', outcome: 'overtaken' };

export class RowKeeper {
  /** What this process did for attachments that are not settled yet: the word for their announcement. */
  private readonly done = new Map<string, AttachmentOutcome['outcome']>();

  constructor(
    private readonly realmId: string,
    private readonly fence: bigint,
    private readonly ports: RowPorts,
  ) {}

  /** An upload outweighs an update of the same go. */
  noteDone(stored: StoredAttachment, outcome: 'attached' | 'updated'): void {
    if (this.did(stored) !== 'attached') this.done.set(keyOf(stored), outcome);
  }

  forget(stored: StoredAttachment): void {
    this.done.delete(keyOf(stored));
  }

  private did(stored: StoredAttachment): AttachmentOutcome['outcome'] | undefined {
    return this.done.get(keyOf(stored));
  }

  /** Nothing more to do for the version that was looked at. A newer one goes on at once. */
  async settle(stored: StoredAttachment): Promise<Next> {
    const { version } = stored.link.desired;
    // A row found "sending" was interrupted between its effect and this moment: the effect was an upload.
    const outcome: AttachmentOutcome['outcome'] | undefined =
      this.did(stored) ?? (stored.link.state.kind === 'ready' ? undefined : 'attached');
    const after = await this.change(stored, (now) => {
      if (now.link.desired.version !== version) return { state: now.link.state };
      return {
        state: transition(now.link.state, { kind: 'settled', moved: false }),
        attempts: 0,
        ...(now.link.applied ? { applied: { ...now.link.applied, version } } : {}),
        ...(outcome && !now.link.desired.deleted ? { outcome: { outcome } } : {}),
      };
    });
    if (!after) return overtaken;
    if (after.link.state.kind !== 'settled') return { kind: 'again', stored: after };
    this.forget(stored);
    return { kind: 'end', outcome: outcome ?? 'unchanged' };
  }

  /** Writes down that a call follows. Undefined: the row is no longer as it was planned on. */
  async claim(stored: StoredAttachment, requestId?: string): Promise<StoredAttachment | undefined> {
    const { version } = stored.link.desired;
    const after = await this.change(stored, (now) => {
      if (now.link.desired.version !== version) return undefined;
      const state =
        now.link.state.kind === 'sending' ? now.link.state : transition(now.link.state, { kind: 'claimed' });
      return { state, ...(requestId === undefined ? {} : { requestId }) };
    });
    return after;
  }

  /** One step is done; the row says what is known by it. */
  async goOn(stored: StoredAttachment, change: Omit<AttachmentChange, 'state'>): Promise<Next> {
    const after = await this.change(stored, (now) => ({
      ...change,
      state: now.link.state.kind === 'ready' ? transition(now.link.state, { kind: 'claimed' }) : now.link.state,
    }));
    return after ? { kind: 'again', stored: after } : overtaken;
  }

  /**
   * A call that was not ok: by whose fault it was, the row backs off, is in doubt, held or failed.
   * @param change what else is known now, e.g. that no upload is in doubt
   */
  async failed(
    stored: StoredAttachment,
    answer: NotOk,
    side: Side,
    change: Omit<AttachmentChange, 'state'> = {},
  ): Promise<Next> {
    const failure = failureOf(answer);
    // An answer of QBO itself. A grant that custody found dead is marked by custody; marking it again here could undo a
    // reconnect of the last two seconds, which custody has not looked up yet.
    if (failure.kind === 'unauthorized' && 'tid' in answer && answer.tid !== undefined) {
      const realm = side === 'SOURCE' ? stored.sourceRealmId : stored.targetRealmId;
      await this.ports.reconnectNeeded(realm, failure.reason);
    }
    const counted = failure.kind === 'refused' || failure.kind === 'uncertain';
    const attempts = stored.link.attempts + (counted ? 1 : 0);
    const step = nextStep(failure, Math.max(1, attempts), defaultRetryPolicy, this.ports.random());
    const code = step.kind === 'hold' && step.until === 'reconnected' ? `${side}.RECONNECT_NEEDED` : codeOf(failure);
    const known = {
      ...change,
      attempts,
      // Forgetting the token makes the next plan a read.
      ...(step.kind === 'reread' && stored.link.target ? { target: { id: stored.link.target.id } } : {}),
    };
    const { reason } = failure;
    if (step.kind === 'hold') return this.stop(stored, { kind: 'held', code, reason }, known);
    if (step.kind === 'fail') return this.stop(stored, { kind: 'failed', code, reason }, known);
    const dueAtMs = this.ports.clock.nowMs() + step.delayMs;
    // Only a call that was claimed leaves something in doubt; a read whose answer was cut is read again.
    const inDoubt = step.kind === 'uncertain' && stored.link.state.kind === 'sending';
    return inDoubt
      ? this.stop(stored, { kind: 'answer-lost', dueAtMs, reason }, known)
      : this.stop(stored, { kind: 'refused-for-now', dueAtMs, code, reason }, known);
  }

  /** Leaves the row in another state than settled. Held and failed are announced. */
  async stop(stored: StoredAttachment, event: Stop, change: Omit<AttachmentChange, 'state'> = {}): Promise<Next> {
    const { version } = stored.link.desired;
    const told = event.kind === 'held' || event.kind === 'failed';
    const after = await this.change(stored, (now) => {
      const overtaken = now.link.desired.version !== version;
      // A newer desired version may not need that parent, and may mend what this one could not do.
      if (overtaken && (event.kind === 'failed' || event.kind === 'parent-missing')) {
        return { ...change, attempts: 0, state: transition(now.link.state, { kind: 'settled', moved: true }) };
      }
      const state = entered(now.link.state, event);
      if (!told) return { ...change, state };
      return { ...change, state, outcome: { outcome: event.kind, code: event.code, reason: event.reason } };
    });
    const { code, reason } = { code: undefined, reason: undefined, ...event };
    return { kind: 'end', outcome: after?.link.state.kind ?? 'overtaken', code, reason };
  }

  /** Every write to the row goes through here, under lock and fence, with its announcement. */
  async change(
    stored: StoredAttachment,
    decide: (now: StoredAttachment) => Change | undefined,
  ): Promise<StoredAttachment | undefined> {
    const { links, clock } = this.ports;
    const at = clock.now();
    let told: AttachmentOutcome | undefined;
    const after = await links.change(this.realmId, this.fence, stored, at, (now) => {
      const decided = decide(now);
      if (!decided) return undefined;
      const { outcome, tid, ...change } = decided;
      told = outcome;
      const facts = { at, tid, targetId: change.target?.id, targetSyncToken: change.target?.syncToken };
      return { change, announce: outcome && announce(now, outcome, facts) };
    });
    if (told) {
      metrics.settledTotal.inc({ outcome: told.outcome });
      this.ports.announced();
    }
    return after;
  }
}

function keyOf({ syncId, attachableId }: StoredAttachment): string {
  return `${syncId}/${attachableId}`;
}

/** Waiting, backing off and giving up are possible from "uncertain" only by way of a claim. */
function entered(state: LinkState, event: LinkEvent): LinkState {
  const claimed = state.kind === 'uncertain' && event.kind === 'parent-missing';
  return transition(claimed ? transition(state, { kind: 'claimed' }) : state, event);
}

function codeOf(failure: Failure): string {
  return failure.kind === 'refused' ? `QBO.${failure.code}` : `QBO.${failure.kind.toUpperCase()}`;
}
