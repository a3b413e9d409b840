// Carries written-down calls to QBO and settles them. The order is the promise: claim committed, then sent, then settled
// in one transaction; a crash between any two leaves a row from which the next process goes on with the same bytes.
import { failpoint } from '#common/failpoints';
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import { isTracing, openSpan, traced, tracedTogether } from '#common/tracing';
import { frozenFault, holderTypesOf, mayBeAsleep, roundingPolicy, withIdentity, type Json } from '#core';
import type { BatchAnswer, QboAnswer, QboClient, RequestClass } from '#qbo';
import { keyText, type CallRecord, type Lane, type LinkKey, type Links, type OpenCall } from '#storage';
import * as metrics from '../qbo-writer.metrics.js';
import { answersOf } from './answers.js';
import type { Pairs, Written } from '../pairs/pairs.js';
import { composeCall, wireOf, type PlannedWrite } from './compose.js';
import { TurnQueue } from '../realm/turn-queue.js';
import type { SyncSettings } from '../round/sync-settings.js';
import type { ReadBack } from './read-back.js';
import { settleCall, type AttemptEnd, type CallAnswer } from './settling.js';

export interface SenderPorts {
  links: Links;
  client: QboClient;
  clock: Clock;
  log: Log;
  readBack: ReadBack;
  settings: SyncSettings;
  pairs: Pairs;
  /** how long QBO took for a call of these types */
  answered?: (types: readonly string[], tookMs: number) => void;
  /** in [0, 1) */
  random: () => number;
}

/** What the loop must know about a call's end. */
export interface CallOutcome {
  /** stays open: to be sent again when due */
  open: boolean;
  woken: number;
  /** only a person can give the company's connection back */
  disconnected?: Disconnected | undefined;
  /** not this call's fault: leave the realm alone for a moment */
  pause: boolean;
}

/** `saidByQbo`: QBO itself declined the token. Else custody did, and has marked the company when that became true. */
export interface Disconnected {
  reason: string;
  saidByQbo: boolean;
}

export function disconnectedBy(answer: QboAnswer<unknown>): Disconnected | undefined {
  if (answer.kind !== 'unauthorized' || !answer.reconnect) return undefined;
  return { reason: answer.reason, saidByQbo: 'tid' in answer };
}

/** QBO does not say how long it remembers a request id (qbo-api.md 4). Within a day it is believed to. */
const requestIdTrustMs = 24 * 60 * 60_000;
/** Nor whether it replays a failure: a call that stays unanswered this often is looked for in the target instead. */
const sendsBeforeReadBack = 8;

export class Sender {
  private readonly bulkTurn = new TurnQueue();

  constructor(
    private readonly realmId: string,
    private readonly fence: bigint,
    private readonly ports: SenderPorts,
  ) {}

  /** Undefined when no member was still to be sent. @throws FenceLost */
  async claim(members: readonly PlannedWrite[]): Promise<CallRecord | undefined> {
    await failpoint('writer.before-claim');
    return this.inTurn(members, () =>
      this.ports.links.claim(this.realmId, this.fence, members, this.ports.clock.now(), (claimed) =>
        composeCall(this.realmId, claimed),
      ),
    );
  }

  /** Sends a call that was just claimed; `sent` is told when the governor lets it go. @throws FenceLost */
  async send(
    call: CallRecord,
    members: readonly PlannedWrite[],
    signal: AbortSignal,
    sent?: () => void,
  ): Promise<CallOutcome> {
    await failpoint('writer.claimed');
    const lane = members[0]!.stored.lane;
    const chosen = new Map(members.map((member) => [keyText(member.key), member.stored.traceparent]));
    const traces = call.attempts.map((attempt) => ({
      name: `${attempt.operation} ${attempt.entityType}`,
      traceparent: chosen.get(keyText(attempt)),
    }));
    const { answer, traceparent } = await tracedTogether('batch', traces, {}, async (_spans, whole) => ({
      answer: await this.exchange(call, lane, signal, sent),
      traceparent: whole.traceparent,
    }));
    return this.inTurn(members, () => this.settle(call, answer, { sentBefore: false, settledBefore: [] }, traceparent));
  }

  /**
   * A backfill's batches are let go together and answered together. Written down side by side, ten of them keep the database
   * and this process from everybody else for seconds; one after the other they are done as soon.
   */
  private async inTurn<T>(members: readonly PlannedWrite[], work: () => Promise<T>): Promise<T> {
    const { lane } = members[0]!.stored;
    if (members.length === 1 || lane === 'live') return work();
    const done = await this.bulkTurn.take(lane);
    try {
      return await work();
    } finally {
      done();
    }
  }

  /** Sends an open call again, byte for byte; when that cannot be trusted any more, asks the target. @throws FenceLost */
  async resend(call: OpenCall, signal: AbortSignal): Promise<CallOutcome> {
    const { links, clock } = this.ports;
    const tooOld = clock.nowMs() - call.claimedAt.getTime() > requestIdTrustMs;
    if (tooOld || call.sends >= sendsBeforeReadBack) return this.readBack(call, signal);
    await failpoint('writer.before-resend');
    if (!(await links.noteSend(this.realmId, this.fence, call.id))) return { open: false, woken: 0, pause: false };
    // Whose changes these are is known when the rows are read again: each settle span links here.
    const { answer, traceparent } = await traced('resend', { parent: 'root' }, async (span) => ({
      answer: await this.exchange(call, 'live', signal),
      traceparent: span.traceparent,
    }));
    return this.settle(call, answer, { sentBefore: true, settledBefore: call.settled }, traceparent);
  }

  private async exchange(
    call: CallRecord,
    lane: Lane,
    signal: AbortSignal,
    sent?: () => void,
  ): Promise<QboAnswer<Json> | QboAnswer<BatchAnswer>> {
    const { client, clock, answered } = this.ports;
    const wire = wireOf(call);
    if (wire.kind === 'batch') metrics.batchItems.observe(call.attempts.length);
    let sentAtMs = 0;
    const letGo = () => {
      sentAtMs = clock.nowMs();
      sent?.();
    };
    const options = { class: lane satisfies RequestClass, signal, sent: letGo };
    const answer =
      wire.kind === 'batch'
        ? await client.batch(this.realmId, wire, options)
        : await client.write(this.realmId, wire.write, options);
    if (answer.kind === 'ok') {
      answered?.(
        call.attempts.map((attempt) => attempt.entityType),
        clock.nowMs() - sentAtMs,
      );
    }
    return answer;
  }

  private async readBack(call: OpenCall, signal: AbortSignal): Promise<CallOutcome> {
    const answers = [];
    for (const [position, attempt] of call.attempts.entries()) {
      const settled = call.settled.includes(position);
      answers.push(
        settled
          ? ({ kind: 'done' } as const)
          : await this.ports.readBack.answerFor(attempt, call.claimedAt, this.ports.clock.now(), signal),
      );
    }
    return this.finish(call, { answers, settledBefore: call.settled });
  }

  private settle(
    call: CallRecord,
    answer: QboAnswer<Json> | QboAnswer<BatchAnswer>,
    { sentBefore, ...past }: Pick<CallAnswer, 'settledBefore'> & { sentBefore: boolean },
    traceparent: string | undefined,
  ): Promise<CallOutcome> {
    const answers = answersOf(answer, call.kind, call.attempts.length, sentBefore);
    const facts: CallAnswer = {
      answers,
      ...past,
      httpStatus: 'status' in answer ? answer.status : undefined,
      tid: 'tid' in answer ? answer.tid : undefined,
    };
    return this.finish(call, facts, answer, traceparent);
  }

  private async finish(
    call: CallRecord,
    facts: CallAnswer,
    answer?: QboAnswer<Json> | QboAnswer<BatchAnswer>,
    callTrace?: string,
  ): Promise<CallOutcome> {
    const { links, clock, random, pairs } = this.ports;
    await failpoint('writer.answered');
    const startedAtMs = Date.now();
    const at = clock.now();
    let ends: AttemptEnd[] = [];
    let open = false;
    const holders = await this.holdersOf(call, facts);
    const sleepers = await this.sleepersOf(call, facts);
    const settings = await this.ports.settings.known();
    const rounding = (syncId: string) => roundingPolicy(settings.get(syncId)?.settings);
    const attempts = call.attempts.filter((_, position) => !facts.settledBefore.includes(position));
    const keys: LinkKey[] = [...attempts, ...[...holders.values(), ...sleepers.values()].flat()];
    const mirrorings = await pairs.prepare(writtenBy(call, facts));
    const written = await links.decide(
      this.realmId,
      this.fence,
      keys,
      at,
      (rows) => {
        const decided = settleCall(call, { ...facts, holders, sleepers, rounding }, rows, { at, jitter: random });
        ends = decided.ends;
        open = decided.call.state === 'unknown';
        return pairs.mirrored(decided, mirrorings, rows);
      },
      call.id,
      mirrorings.map(({ place }) => place),
    );
    if (!written) return { open: false, woken: 0, pause: false };
    await failpoint('writer.settled');
    for (const end of ends) this.report(end, facts.tid, at);
    if (isTracing()) traceSettled(ends, startedAtMs, callTrace);
    return {
      open,
      woken: written.woken,
      pause: answer !== undefined && ['throttled', 'unsent'].includes(answer.kind),
      ...(answer === undefined ? {} : { disconnected: disconnectedBy(answer) }),
    };
  }

  /** Asked only after a refusal that says so: who of ours holds the record frozen. */
  private async holdersOf(call: CallRecord, { answers }: CallAnswer): Promise<Map<string, LinkKey[]>> {
    const holders = new Map<string, LinkKey[]>();
    for (const [position, attempt] of call.attempts.entries()) {
      const answer = answers[position];
      if (answer?.kind !== 'failed' || answer.failure.kind !== 'refused' || answer.failure.code !== frozenFault)
        continue;
      const { Id: targetId } = JSON.parse(attempt.body) as Json;
      const types = holderTypesOf(attempt.entityType);
      holders.set(keyText(attempt), await this.ports.links.holdersOf(attempt.syncId, types, String(targetId)));
    }
    return holders;
  }

  /** Asked only after a refusal that says so: what the refused ones refer to and takes no documents, by our own hand. */
  private sleepersOf(call: CallRecord, { answers }: CallAnswer): Promise<Map<string, LinkKey[]>> {
    const refused = call.attempts.filter((_, position) => {
      const answer = answers[position];
      return answer?.kind === 'failed' && mayBeAsleep(answer.failure);
    });
    return this.ports.links.restingParents(refused);
  }

  private report(
    { stored, attempt, outcome, result, differences, attempts }: AttemptEnd,
    tid: string | undefined,
    at: Date,
  ): void {
    metrics.attemptsTotal.inc({ operation: attempt.operation, outcome, lane: stored.lane });
    const tookMs = at.getTime() - stored.desiredAt.getTime();
    const succeeded = result !== undefined && !['held', 'failed'].includes(result.outcome);
    if (succeeded) metrics.settleSeconds.observe({ lane: stored.lane }, tookMs / 1_000);
    const facts = {
      realm: stored.targetRealmId,
      sync: stored.syncId,
      entityKey: `${stored.sourceRealmId}/${stored.entityType}/${stored.sourceId}`,
      changeId: stored.changeId,
      traceparent: stored.traceparent,
      operation: attempt.operation,
      outcome,
      requestId: attempt.requestId,
      attempt: attempts,
      tid,
      durationMs: tookMs,
      ...(result?.code === undefined ? {} : { code: result.code, reason: result.reason }),
    };
    if (differences.length > 0)
      this.ports.log.info({ ...facts, differences: differences.slice(0, 5) }, 'write.settled with a difference');
    else if (result?.outcome === 'failed') this.ports.log.warn(facts, 'write.failed');
    else this.ports.log.info(facts, result ? 'write.settled' : 'write.postponed');
  }
}

/** Told after the fact: whose rows these are is known only from within the transaction that settles them. */
function traceSettled(ends: readonly AttemptEnd[], startedAtMs: number, callTrace: string | undefined): void {
  for (const { stored, outcome, attempts } of ends) {
    openSpan(`settle ${stored.entityType}`, {
      parent: stored.traceparent ?? 'root',
      links: [callTrace],
      startedAtMs,
      attributes: { 'sync.outcome': outcome, 'sync.attempt': attempts, 'sync.id': stored.syncId },
    }).end();
  }
}

/** The writes of a call that were done, as the mirrors must know them. */
function writtenBy(call: CallRecord, { answers, settledBefore }: CallAnswer): Written[] {
  return call.attempts.flatMap((attempt, position): Written[] => {
    const answer = answers[position]!;
    const { syncId, entityType, sourceId, operation } = attempt;
    const isGone = answer.kind === 'failed' && answer.failure.kind === 'refused' && answer.failure.code === '610';
    const isDone = answer.kind === 'done' || (isGone && operation === 'delete');
    if (!isDone || settledBefore.includes(position)) return [];
    const { Id: sentId, SyncToken: _token, sparse: _sparse, ...fields } = JSON.parse(attempt.body) as Json;
    const record = answer.kind === 'done' && answer.record ? withIdentity(entityType, answer.record) : undefined;
    const targetId: unknown = record?.Id ?? sentId;
    if (targetId === undefined || targetId === null) return [];
    // Made anew in the next step: what is deleted here is not gone for good.
    const removed = ['delete', 'deactivate'].includes(operation) && !attempt.partial && attempt.deferred.length === 0;
    return [
      {
        ...{ syncId, entityType, sourceId, removed },
        targetId: String(targetId as string),
        record: operation === 'delete' ? undefined : record,
        // A void zeroes what the record posts.
        written: operation === 'void' ? ['Line', 'PrivateNote', ...Object.keys(fields)] : Object.keys(fields),
        pendingBefore: attempt.told?.pending ?? {},
        changeId: `echo:${attempt.requestId}`,
      },
    ];
  });
}
