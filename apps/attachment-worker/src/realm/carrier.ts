// Carries one attachment: plan, one step, plan again, until it is settled or has a reason to stop. Every step ends in one
// transaction, so a kill -9 between two of them loses nothing and repeats nothing:
//   upload  the request id is written down before the first byte is sent; after a lost answer the target is asked for the
//           copy first, and only then the same request is made again with the same id
//   verify  hashes are written down only when both copies were read to their end
import {
  planAttachment,
  transition,
  type AttachmentFacts,
  type AttachmentMetadata,
  type AttachmentPlan,
  type Json,
} from '#core';
import type { Log } from '#common/logging';
import { traced } from '#common/tracing';
import type { QboClient } from '#qbo';
import type { StoredAttachment } from '#storage';
import * as metrics from '../attachment.metrics.js';
import { isMissing } from './answers.js';
import { certainlyNotMade, created, keyIn, requestIdOf } from './copy.js';
import { overtaken, RowKeeper, type Learnt, type Next, type RowPorts } from './row-keeper.js';
import { Transfer } from './transfer.js';

export interface CarrierPorts extends RowPorts {
  client: QboClient;
  log: Log;
}

const callClass = { class: 'attachments' } as const;
/** find-twin, upload, verify, discard three times over, update: more steps than that in one go is a defect. */
const mostSteps = 20;
/** What is known of a copy that is gone. */
const forgotten = { target: null, applied: null, requestId: null, sourceSha256: null, targetSha256: null, bytes: null };

export class Carrier {
  private readonly rows: RowKeeper;
  private readonly transfer: Transfer;

  constructor(
    private readonly realmId: string,
    fence: bigint,
    private readonly ports: CarrierPorts,
    private readonly stopping: AbortSignal,
  ) {
    this.rows = new RowKeeper(realmId, fence, ports);
    this.transfer = new Transfer(realmId, ports.client, this.rows, stopping);
  }

  /** @throws FenceLost */
  carry(first: StoredAttachment): Promise<void> {
    return traced('carry Attachable', { parent: first.traceparent ?? 'root' }, () => this.carryThrough(first));
  }

  private async carryThrough(first: StoredAttachment): Promise<void> {
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
    return (entityType, sourceId) => states.get(`${entityType}/${sourceId}`) ?? { kind: 'pending' };
  }

  private step(stored: StoredAttachment, plan: AttachmentPlan, learnt: Learnt): Promise<Next> {
    switch (plan.kind) {
      case 'noop':
        return this.rows.settle(stored);
      case 'wait':
        return this.rows.stop(stored, { kind: 'parent-missing', on: plan.on });
      case 'find-twin':
        return this.findTwin(stored, plan, learnt);
      case 'adopt':
        return this.rows.goOn(stored, {
          target: { id: plan.targetId, syncToken: plan.syncToken },
          targetSha256: null,
          applied: { version: stored.link.desired.version, metadata: plan.metadata },
        });
      case 'upload':
        return this.transfer.upload(stored, plan.metadata, plan.fileName);
      case 'create-note':
        return this.createNote(stored, plan.metadata);
      case 'verify':
        return this.transfer.verify(stored, plan.targetId, plan.hashSource);
      case 'discard':
        return this.remove(stored, plan.body, true);
      case 'delete':
        return this.remove(stored, plan.body, false);
      case 'update':
        return this.update(stored, plan.body, plan.metadata);
      case 'read':
        return this.read(stored, plan.targetId, learnt);
      case 'fail':
        return this.rows.stop(stored, { kind: 'failed', code: plan.code, reason: plan.reason });
      default:
        return plan satisfies never;
    }
  }

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
    if (answer.kind !== 'ok') return this.rows.failed(stored, answer, 'TARGET');
    const twins = answer.value.rows;
    const taken = await this.ports.links.taken(
      stored,
      twins.map((twin) => String(twin.Id)),
    );
    return { kind: 'again', stored, learnt: { ...learnt, twins, taken } };
  }

  private async createNote(stored: StoredAttachment, metadata: AttachmentMetadata): Promise<Next> {
    const claimed = await this.rows.claim(stored, requestIdOf(stored, 'create'));
    if (!claimed) return overtaken;
    const answer = await this.write(claimed, 'create', metadata, claimed.requestId!);
    if (answer.kind !== 'ok') return this.rows.failed(claimed, answer, 'TARGET', certainlyNotMade(answer, stored));
    this.rows.noteDone(stored, 'attached');
    return this.rows.goOn(claimed, created(answer.value, stored.link.desired.version));
  }

  private async update(stored: StoredAttachment, body: Json, metadata: AttachmentMetadata): Promise<Next> {
    const claimed = await this.rows.claim(stored);
    if (!claimed) return overtaken;
    const requestId = requestIdOf(stored, 'update', String(body.SyncToken));
    const answer = await this.write(claimed, 'update', body, requestId);
    if (answer.kind !== 'ok') return this.rows.failed(claimed, answer, 'TARGET');
    this.rows.noteDone(stored, 'updated');
    return this.rows.goOn(claimed, {
      target: keyIn(answer.value),
      applied: { version: stored.link.desired.version, metadata },
    });
  }

  /** Deletes the target's copy: because the source's is gone, or because its bytes are wrong. */
  private async remove(stored: StoredAttachment, body: Json, discard: boolean): Promise<Next> {
    const claimed = await this.rows.claim(stored);
    if (!claimed) return overtaken;
    const requestId = requestIdOf(stored, 'delete', `${String(body.Id)}/${String(body.SyncToken)}`);
    const answer = await this.write(claimed, 'delete', body, requestId);
    if (answer.kind !== 'ok' && !isMissing(answer)) return this.rows.failed(claimed, answer, 'TARGET');
    if (discard) {
      const { discarded, attempts } = stored.link;
      return this.rows.goOn(claimed, { ...forgotten, discarded: discarded + 1, attempts: attempts + 1 });
    }
    const removed = { outcome: 'deleted' } as const;
    const after = await this.rows.change(claimed, (now) => ({
      ...forgotten,
      discarded: 0,
      attempts: 0,
      state: transition(now.link.state, { kind: 'settled', moved: !now.link.desired.deleted }),
      outcome: removed,
      tid: answer.kind === 'ok' ? answer.tid : undefined,
    }));
    this.rows.forget(stored);
    return after?.link.state.kind === 'ready' ? { kind: 'again', stored: after } : { kind: 'end', ...removed };
  }

  private async read(stored: StoredAttachment, targetId: string, learnt: Learnt): Promise<Next> {
    const answer = await this.ports.client.read(this.realmId, 'Attachable', targetId, {
      ...callClass,
      signal: this.stopping,
    });
    if (answer.kind === 'ok') return { kind: 'again', stored, learnt: { ...learnt, targetNow: answer.value } };
    if (isMissing(answer)) return { kind: 'again', stored, learnt: { ...learnt, targetNow: null } };
    return this.rows.failed(stored, answer, 'TARGET');
  }

  private write(stored: StoredAttachment, operation: 'create' | 'update' | 'delete', body: object, requestId: string) {
    const request = { entityType: 'Attachable', operation, body: JSON.stringify(body), requestId };
    return this.ports.client.write(stored.targetRealmId, request, callClass);
  }
}

/** QBO's query language escapes by backslash (qbo-api.md 5.1). */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
