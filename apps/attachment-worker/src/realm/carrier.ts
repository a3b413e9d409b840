// Carries one attachment: plan, one step, plan again, until it is settled or has a reason to stop. Every step ends in one
// transaction, so a kill -9 between two of them loses nothing and repeats nothing:
//   upload  the request id is written down before the first byte is sent; after a lost answer the target is asked for the
//           copy first, and only then the same request is made again with the same id
//   verify  hashes are written down only when both copies were read to their end
// The source is opened before anything is claimed, so trouble there leaves no upload in doubt.
import {
  metadataIn,
  nextStep,
  defaultRetryPolicy,
  planAttachment,
  requestIdFor,
  transition,
  type Anchor,
  type AttachmentFacts,
  type AttachmentMetadata,
  type AttachmentPlan,
  type Failure,
  type Json,
  type LinkEvent,
  type LinkState,
  type WriteOperation,
} from '#core';
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import type { QboClient } from '#qbo';
import type { AttachmentChange, AttachmentLinks, StoredAttachment } from '#storage';
import * as metrics from '../attachment.metrics.js';
import { HashedBytes, type Fingerprint } from '../hashed-bytes.js';
import { announce, type AttachmentOutcome } from '../results.js';
import { failureOf, isMissing, type NotOk } from './answers.js';

export interface CarrierPorts {
  links: AttachmentLinks;
  client: QboClient;
  clock: Clock;
  log: Log;
  random: () => number;
  /** a company must be reconnected by a person */
  reconnectNeeded: (realmId: string, reason: string) => Promise<void>;
  /** something was written to the outbox */
  announced: () => void;
}

/** What one step leads to. */
type Next =
  | { kind: 'again'; stored: StoredAttachment; learnt?: Learnt }
  | { kind: 'end'; outcome: string; code?: string; reason?: string };
type Learnt = Pick<AttachmentFacts, 'twins' | 'taken' | 'targetNow'>;
type Side = 'SOURCE' | 'TARGET';
type Change = AttachmentChange & { outcome?: AttachmentOutcome; tid?: string | undefined };

const callClass = { class: 'attachments' } as const;
/** find-twin, upload, verify, discard three times over, update: more steps than that in one go is a defect. */
const mostSteps = 20;

export class Carrier {
  constructor(
    private readonly realmId: string,
    private readonly fence: bigint,
    private readonly ports: CarrierPorts,
    private readonly stopping: AbortSignal,
  ) {}

  /** @throws FenceLost */
  async carry(first: StoredAttachment): Promise<void> {
    const timer = metrics.carrySeconds.startTimer();
    const steps: string[] = [];
    let next: Next = { kind: 'again', stored: first };
    while (next.kind === 'again' && steps.length < mostSteps && !this.stopping.aborted) {
      const facts = { ...next.learnt, anchorOf: await this.anchorsOf(next.stored) };
      const plan = planAttachment(next.stored.link, facts);
      metrics.stepsTotal.inc({ plan: plan.kind });
      steps.push(plan.kind);
      next = await this.step(next.stored, plan, next.learnt ?? {});
    }
    timer();
    const facts = {
      realm: first.targetRealmId,
      sync: first.syncId,
      entityKey: `${first.sourceRealmId}/Attachable/${first.attachableId}`,
      changeId: first.changeId,
      traceparent: first.traceparent,
      steps,
      ...(next.kind === 'end' ? { outcome: next.outcome, code: next.code, reason: next.reason } : {}),
    };
    this.ports.log.info(facts, 'attachment.carried');
  }

  private async anchorsOf(stored: StoredAttachment): Promise<AttachmentFacts['anchorOf']> {
    const names = stored.link.desired.references.map(({ entityType, sourceId }) => `${entityType}/${sourceId}`);
    const states = await this.ports.links.anchors(stored.syncId, names);
    return (entityType, sourceId): Anchor => {
      const state = states.get(`${entityType}/${sourceId}`) ?? 'pending';
      return typeof state === 'string' ? { kind: state } : { kind: 'there', targetId: state.targetId };
    };
  }

  private step(stored: StoredAttachment, plan: AttachmentPlan, learnt: Learnt): Promise<Next> {
    switch (plan.kind) {
      case 'noop':
        return this.settle(stored);
      case 'wait':
        return this.stop(
          stored,
          { kind: 'parent-missing', on: plan.on },
          { outcome: 'waiting', reason: plan.on.join(', ') },
        );
      case 'find-twin':
        return this.findTwin(stored, plan, learnt);
      case 'adopt':
        return this.goOn(stored, {
          target: { id: plan.targetId, syncToken: plan.syncToken },
          targetSha256: null,
          applied: { version: stored.link.desired.version, metadata: plan.metadata },
        });
      case 'upload':
        return this.upload(stored, plan.metadata, plan.fileName);
      case 'create-note':
        return this.createNote(stored, plan.metadata);
      case 'verify':
        return this.verify(stored, plan.targetId, plan.hashSource);
      case 'discard':
        return this.remove(stored, plan.body, true);
      case 'delete':
        return this.remove(stored, plan.body, false);
      case 'update':
        return this.update(stored, plan.body, plan.metadata);
      case 'read':
        return this.read(stored, plan.targetId, learnt);
      case 'fail':
        return this.stop(
          stored,
          { kind: 'failed', code: plan.code, reason: plan.reason },
          { outcome: 'failed', code: plan.code, reason: plan.reason },
        );
      default:
        return plan satisfies never;
    }
  }

  /** Nothing more to do for the version that was looked at. A newer one goes on at once. */
  private async settle(stored: StoredAttachment): Promise<Next> {
    const { version } = stored.link.desired;
    // A row found "sending" was interrupted between its effect and this moment: the effect was an upload.
    const outcome: AttachmentOutcome['outcome'] | undefined =
      this.done.get(stored.attachableId) ?? (stored.link.state.kind === 'ready' ? undefined : 'attached');
    const after = await this.change(stored, (now) => {
      if (now.link.desired.version !== version) return { state: now.link.state };
      return {
        state: transition(now.link.state, { kind: 'settled', moved: false }),
        attempts: 0,
        ...(now.link.applied ? { applied: { ...now.link.applied, version } } : {}),
        ...(outcome && !now.link.desired.deleted ? { outcome: { outcome } } : {}),
      };
    });
    if (!after) return { kind: 'end', outcome: 'overtaken' };
    if (after.link.state.kind !== 'settled') return { kind: 'again', stored: after };
    this.done.delete(stored.attachableId);
    return { kind: 'end', outcome: outcome ?? 'unchanged' };
  }

  /** What this process did for attachments that are not settled yet: the word for their announcement. */
  private readonly done = new Map<string, AttachmentOutcome['outcome']>();

  private async findTwin(
    stored: StoredAttachment,
    plan: Extract<AttachmentPlan, { kind: 'find-twin' }>,
    learnt: Learnt,
  ): Promise<Next> {
    const { anchor, fileName } = plan;
    const condition = anchor
      ? `AttachableRef.EntityRef.Type = ${quoted(anchor.type)} and AttachableRef.EntityRef.value = ${quoted(anchor.value)}`
      : `FileName = ${quoted(fileName)}`;
    const answer = await this.ports.client.query(
      this.realmId,
      `select * from Attachable where ${condition} startposition 1 maxresults 1000`,
      { ...callClass, signal: this.stopping },
    );
    if (answer.kind !== 'ok') return this.failed(stored, answer, 'TARGET');
    const twins = answer.value.rows;
    const taken = await this.ports.links.taken(
      stored,
      twins.map((twin) => String(twin.Id)),
    );
    return { kind: 'again', stored, learnt: { ...learnt, twins, taken } };
  }

  private async upload(stored: StoredAttachment, metadata: AttachmentMetadata, fileName: string): Promise<Next> {
    const { client } = this.ports;
    const { desired } = stored.link;
    const opened = await client.download(stored.sourceRealmId, stored.attachableId, {
      ...callClass,
      signal: this.stopping,
    });
    if (opened.kind !== 'ok') return this.failed(stored, opened, 'SOURCE');
    const { content, size, contentType } = opened.value;
    try {
      const claimed = await this.claim(stored, this.requestId(stored, 'upload'));
      if (!claimed) return { kind: 'end', outcome: 'overtaken' };
      const expected = desired.size ?? size;
      const bytes = this.hashed(content, expected, 'upload');
      const answer = await client.upload(
        this.realmId,
        {
          requestId: claimed.requestId!,
          metadata: JSON.stringify(metadata),
          content: bytes,
          fileName,
          contentType: desired.contentType ?? contentType ?? 'application/octet-stream',
          size: expected,
        },
        callClass,
      );
      if (answer.kind !== 'ok') return await this.failed(claimed, answer, 'TARGET', stored.link.uploadOpen);
      this.done.set(stored.attachableId, 'attached');
      return await this.goOn(claimed, {
        ...created(answer.value, desired.version),
        ...sourceSide(bytes.fingerprint()),
      });
    } finally {
      content.destroy();
    }
  }

  private async createNote(stored: StoredAttachment, metadata: AttachmentMetadata): Promise<Next> {
    const claimed = await this.claim(stored, this.requestId(stored, 'create'));
    if (!claimed) return { kind: 'end', outcome: 'overtaken' };
    const answer = await this.write(claimed, 'create', metadata, claimed.requestId!);
    if (answer.kind !== 'ok') return this.failed(claimed, answer, 'TARGET', stored.link.uploadOpen);
    this.done.set(stored.attachableId, 'attached');
    return this.goOn(claimed, created(answer.value, stored.link.desired.version));
  }

  /** Reads both copies to their end. A hash is only ever of bytes that were read here. */
  private async verify(stored: StoredAttachment, targetId: string, hashSource: boolean): Promise<Next> {
    const claimed = await this.claim(stored);
    if (!claimed) return { kind: 'end', outcome: 'overtaken' };
    const source = hashSource ? await this.fingerprint(stored.sourceRealmId, stored.attachableId) : undefined;
    if (source && 'answer' in source) return this.failed(claimed, source.answer, 'SOURCE');
    const target = await this.fingerprint(this.realmId, targetId);
    if ('answer' in target) {
      // Gone since: the next plan sees it by reading.
      if (isMissing(target.answer)) return { kind: 'again', stored: claimed, learnt: { targetNow: null } };
      return this.failed(claimed, target.answer, 'TARGET');
    }
    this.done.set(stored.attachableId, this.done.get(stored.attachableId) ?? 'attached');
    return this.goOn(claimed, { targetSha256: target.sha256, ...sourceSide(source) });
  }

  private async fingerprint(realmId: string, attachableId: string): Promise<Fingerprint | { answer: NotOk }> {
    const opened = await this.ports.client.download(realmId, attachableId, { ...callClass, signal: this.stopping });
    if (opened.kind !== 'ok') return { answer: opened };
    const { content, size } = opened.value;
    try {
      return await this.hashed(content, size, 'verify').drained();
    } catch (error) {
      // A cut stream: nothing was changed by reading, so it is simply read again later.
      return { answer: { kind: 'unsent', reason: `the file was cut: ${(error as Error).message}` } };
    } finally {
      content.destroy();
    }
  }

  private async update(stored: StoredAttachment, body: Json, metadata: AttachmentMetadata): Promise<Next> {
    const claimed = await this.claim(stored);
    if (!claimed) return { kind: 'end', outcome: 'overtaken' };
    const requestId = this.requestId(stored, 'update', String(body.SyncToken));
    const answer = await this.write(claimed, 'update', body, requestId);
    if (answer.kind !== 'ok') return this.failed(claimed, answer, 'TARGET');
    if (!this.done.has(stored.attachableId)) this.done.set(stored.attachableId, 'updated');
    return this.goOn(claimed, {
      target: keyIn(answer.value),
      applied: { version: stored.link.desired.version, metadata },
    });
  }

  /** Deletes the target's copy: because the source's is gone, or because its bytes are wrong. */
  private async remove(stored: StoredAttachment, body: Json, discard: boolean): Promise<Next> {
    const claimed = await this.claim(stored);
    if (!claimed) return { kind: 'end', outcome: 'overtaken' };
    const requestId = this.requestId(stored, 'delete', `${String(body.Id)}/${String(body.SyncToken)}`);
    const answer = await this.write(claimed, 'delete', body, requestId);
    if (answer.kind !== 'ok' && !isMissing(answer)) return this.failed(claimed, answer, 'TARGET');
    const forgotten = {
      target: null,
      applied: null,
      requestId: null,
      sourceSha256: null,
      targetSha256: null,
      bytes: null,
    };
    if (discard) {
      const { discarded, attempts } = stored.link;
      return this.goOn(claimed, { ...forgotten, discarded: discarded + 1, attempts: attempts + 1 });
    }
    const removed = { outcome: 'deleted' } as const;
    const after = await this.change(claimed, (now) => ({
      ...forgotten,
      discarded: 0,
      attempts: 0,
      state: transition(now.link.state, { kind: 'settled', moved: !now.link.desired.deleted }),
      outcome: removed,
      tid: answer.kind === 'ok' ? answer.tid : undefined,
    }));
    this.done.delete(stored.attachableId);
    return after?.link.state.kind === 'ready' ? { kind: 'again', stored: after } : { kind: 'end', ...removed };
  }

  private async read(stored: StoredAttachment, targetId: string, learnt: Learnt): Promise<Next> {
    const answer = await this.ports.client.read(this.realmId, 'Attachable', targetId, {
      ...callClass,
      signal: this.stopping,
    });
    if (answer.kind === 'ok') return { kind: 'again', stored, learnt: { ...learnt, targetNow: answer.value } };
    if (isMissing(answer)) return { kind: 'again', stored, learnt: { ...learnt, targetNow: null } };
    return this.failed(stored, answer, 'TARGET');
  }

  private write(stored: StoredAttachment, operation: 'create' | 'update' | 'delete', body: object, requestId: string) {
    const request = { entityType: 'Attachable', operation, body: JSON.stringify(body), requestId };
    return this.ports.client.write(stored.targetRealmId, request, callClass);
  }

  /**
   * The bytes of an Attachable never change, so an upload is one question whatever version asks it: the id does not depend
   * on the version, or an edit of the note during a lost upload would make a second copy.
   */
  private requestId(stored: StoredAttachment, operation: WriteOperation, basis = ''): string {
    const makes = operation === 'upload' || operation === 'create';
    return requestIdFor({
      syncId: stored.syncId,
      entityType: 'Attachable',
      sourceId: stored.attachableId,
      version: makes ? '' : stored.link.desired.version,
      operation,
      generation: stored.link.discarded,
      basis,
    });
  }

  private hashed(content: AsyncIterable<Uint8Array>, expected: number | undefined, direction: 'upload' | 'verify') {
    return new HashedBytes(content, { expected, onBytes: (count) => metrics.bytesTotal.inc({ direction }, count) });
  }

  /** Writes down that a call follows. Undefined: the row is no longer as it was planned on. */
  private async claim(stored: StoredAttachment, requestId?: string): Promise<StoredAttachment | undefined> {
    const { version } = stored.link.desired;
    const after = await this.change(stored, (now) => {
      if (now.link.desired.version !== version) return undefined;
      const state =
        now.link.state.kind === 'sending' ? now.link.state : transition(now.link.state, { kind: 'claimed' });
      return { state, ...(requestId === undefined ? {} : { requestId }) };
    });
    return after;
  }

  private async goOn(stored: StoredAttachment, change: Omit<AttachmentChange, 'state'>): Promise<Next> {
    const after = await this.change(stored, (now) => ({
      ...change,
      state: now.link.state.kind === 'ready' ? transition(now.link.state, { kind: 'claimed' }) : now.link.state,
    }));
    return after ? { kind: 'again', stored: after } : { kind: 'end', outcome: 'overtaken' };
  }

  /** @param openBefore an earlier sending of this upload may have happened: "not sent" now says nothing about then */
  private async failed(
    stored: StoredAttachment,
    answer: NotOk,
    side: Side,
    openBefore = stored.link.uploadOpen,
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
    const certain = failure.kind !== 'uncertain' && (failure.kind === 'refused' || !openBefore);
    const kept = {
      attempts,
      // Certainly not made: no upload is in doubt.
      ...(certain && !stored.link.target ? { requestId: null } : {}),
      ...(step.kind === 'reread' && stored.link.target ? { target: { id: stored.link.target.id } } : {}),
    };
    if (step.kind === 'hold') {
      return this.stop(
        stored,
        { kind: 'held', code, reason: step.reason },
        { outcome: 'held', code, reason: step.reason },
        kept,
      );
    }
    if (step.kind === 'fail') {
      return this.stop(
        stored,
        { kind: 'failed', code, reason: step.reason },
        { outcome: 'failed', code, reason: step.reason },
        kept,
      );
    }
    const dueAtMs = this.ports.clock.nowMs() + step.delayMs;
    const { reason } = failure;
    // Only a write leaves something in doubt; a read whose answer was cut is read again.
    const inDoubt = step.kind === 'uncertain' && stored.link.state.kind === 'sending';
    const event: LinkEvent = inDoubt
      ? { kind: 'answer-lost', dueAtMs, reason }
      : { kind: 'refused-for-now', dueAtMs, code, reason };
    return this.stop(stored, event, { outcome: inDoubt ? 'uncertain' : 'backoff', code, reason }, kept);
  }

  /** Leaves the row in another state than settled. Held and failed are announced. */
  private async stop(
    stored: StoredAttachment,
    event: LinkEvent,
    end: { outcome: string; code?: string; reason?: string },
    change: Omit<AttachmentChange, 'state'> = {},
  ): Promise<Next> {
    const told = event.kind === 'held' || event.kind === 'failed';
    await this.change(stored, (now) => ({
      ...change,
      state: entered(now.link.state, event),
      ...(told ? { outcome: { outcome: event.kind, code: event.code, reason: event.reason } } : {}),
    }));
    return { kind: 'end', ...end };
  }

  /** Every write to the row goes through here, under lock and fence, with its announcement. */
  private async change(
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

/** Waiting, backing off and giving up are possible from "uncertain" only by way of a claim. */
function entered(state: LinkState, event: LinkEvent): LinkState {
  const claimed = state.kind === 'uncertain' && event.kind === 'parent-missing';
  return transition(claimed ? transition(state, { kind: 'claimed' }) : state, event);
}

/** A new copy: whatever hash is known was of another one. */
function created(record: Json, version: string): Pick<AttachmentChange, 'target' | 'applied' | 'targetSha256'> {
  return { target: keyIn(record), applied: { version, metadata: metadataIn(record) }, targetSha256: null };
}

function keyIn(record: Json): { id: string; syncToken: string } {
  return { id: String(record.Id), syncToken: String(record.SyncToken) };
}

function sourceSide(fingerprint: Fingerprint | undefined): Pick<AttachmentChange, 'sourceSha256' | 'bytes'> {
  return fingerprint ? { sourceSha256: fingerprint.sha256, bytes: fingerprint.bytes } : {};
}

function codeOf(failure: Failure): string {
  return failure.kind === 'refused' ? `QBO.${failure.code}` : `QBO.${failure.kind.toUpperCase()}`;
}

/** QBO's query language escapes by backslash (qbo-api.md 5.1). */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
