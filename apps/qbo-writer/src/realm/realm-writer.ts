// The loop of one target company: takes ready links in a fair order and makes the target match. One process at a time runs
// it (lease with a fence); if it dies anywhere, the rows still say what to do.
//
// Modes
//   running   rounds follow each other while there is work; without work the loop sleeps until woken, until something falls
//             due, or until its idle look. Calls run beside the loop: at most one for names, a few for transactions.
//   draining  stop() was asked: no new round, calls in flight are let finish (their answers are worth more than a second).
//   stopped   nothing in flight; the lease may be given back.
//   lost      another process has the realm. Nothing more is written: every statement would fail by its fence anyway.
import { setImmediate as turn } from 'node:timers/promises';
import {
  definitionOf,
  settle,
  transition,
  defaultRetryPolicy,
  unknownContent,
  waitingOn,
  type LinkState,
  type Outcome,
  type Plan,
} from '#core';
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import type { QboClient } from '#qbo';
import {
  FenceLost,
  keyText,
  type CallRecord,
  type Companies,
  type Database,
  type Grants,
  type Lane,
  type LinkChange,
  type Links,
  type MappingLayers,
  type OpenCall,
  type StoredLink,
  type Syncs,
} from '#storage';
import { fitsBatch, isSendable, plannedWrite, type PlannedWrite, type SendablePlan } from '../calls/compose.js';
import { ReadBack } from '../calls/read-back.js';
import { touchedBy } from '../calls/touched.js';
import { disconnectedBy, Sender, type CallOutcome, type Disconnected } from '../calls/sender.js';
import * as metrics from '../qbo-writer.metrics.js';
import { Pairs, type Written } from '../pairs/pairs.js';
import { announce, announceHeld } from '../results.js';
import { BalancesLeft } from '../round/balances-left.js';
import { ClosedBooks } from '../round/closed-books.js';
import { FrozenByHand } from '../round/frozen-by-hand.js';
import { batchedTypes, namedTypes, Planner, type Planned } from '../round/planner.js';
import { SyncSettings } from '../round/sync-settings.js';
import { TargetReader, TargetUnavailable } from '../round/target-reader.js';

export interface RealmWriterPorts {
  db: Database;
  links: Links;
  syncs: Syncs;
  layers: MappingLayers;
  companies: Companies;
  grants: Grants;
  client: QboClient;
  clock: Clock;
  log: Log;
  random: () => number;
  /** something was written to the outbox */
  announced: () => void;
}

export interface RealmWriterOptions {
  batchSize: number;
  callsInFlight: number;
}

/** Names planned together share look-ups; more at once would keep a live edit waiting behind a backfill's names. */
const namesPerRound = 20;
/** A look at everything without being woken: work that another process took in, a sync that was resumed. */
const idleLookMs = 1_000;
/** How often links that wait, and calls that are open, are looked at without a wake. */
const waitingLookMs = 10_000;
/** After an answer that was nobody's fault (throttled, breaker open), and after our own database failed. */
const pauseMs = 1_000;
/** A company without its connection is looked at this often. */
const disconnectedLookMs = 1_000;
/** And one that has it, this often: a busy loop need not ask before every round. */
const connectionLookMs = 500;
const postponeMs = 2_000;
/** Longer than a restart of PostgreSQL, shorter than a person's patience. */
const giveUpMs = 30_000;

type Mode = 'running' | 'draining' | 'stopped' | 'lost';

export class RealmWriter {
  private mode: Mode = 'running';
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private wakes = 0;
  private liveWakes = 0;
  private readonly inFlight = new Set<Promise<void>>();
  private readonly openInHand = new Set<string>();
  private readonly touched = new Map<string, number>();
  private transactionCalls = 0;
  private namesInHand = false;
  private hasOpenCalls = true;
  private nextWaitingLookMs = 0;
  private pausedUntilMs = 0;
  /** true at first: links may be held from before this process had the realm */
  private blocked = true;
  private connectedUntilMs = 0;
  private lastWorkMs: number;
  private failingSinceMs: number | undefined;
  private readonly pairs: Pairs;
  private readonly planner: Planner;
  private readonly sender: Sender;
  private readonly closedBooks: ClosedBooks;
  private readonly frozenByHand: FrozenByHand;
  private readonly balancesLeft: BalancesLeft;
  private readonly finished: Promise<void>;

  constructor(
    readonly realmId: string,
    readonly fence: bigint,
    private readonly ports: RealmWriterPorts,
    private readonly options: RealmWriterOptions,
  ) {
    const { links, syncs, layers, client, clock, log, random } = ports;
    const reader = new TargetReader(realmId, { client, clock });
    const settings = new SyncSettings(realmId, syncs);
    this.pairs = new Pairs(realmId, { links, syncs, layers, clock });
    this.planner = new Planner({ links, settings, reader, pairs: this.pairs });
    this.sender = new Sender(realmId, fence, {
      links,
      client,
      clock,
      log,
      random,
      pairs: this.pairs,
      readBack: new ReadBack({ reader, links }),
      settings,
    });
    this.closedBooks = new ClosedBooks(realmId, fence, { links, reader, clock, log });
    this.frozenByHand = new FrozenByHand(realmId, fence, { links, reader, clock, log });
    this.balancesLeft = new BalancesLeft(realmId, fence, { links, clock });
    this.lastWorkMs = clock.nowMs();
    this.finished = this.run();
  }

  /** There may be something to do. */
  wake(lane: Lane): void {
    this.wakes++;
    if (lane === 'live') this.liveWakes++;
    this.nap.abort();
  }

  /** How long nothing was done. */
  idleMs(): number {
    return this.inFlight.size > 0 ? 0 : this.ports.clock.nowMs() - this.lastWorkMs;
  }

  get isLost(): boolean {
    return this.mode === 'lost';
  }

  /** Lets calls in flight finish and settle, then ends. */
  async stop(): Promise<void> {
    if (this.mode === 'running') this.mode = 'draining';
    this.stopping.abort();
    this.nap.abort();
    await this.finished;
  }

  /** The lease is gone: write nothing more. Answers that come later belong to the next owner, who sends the same again. */
  lose(): void {
    if (this.mode === 'stopped') return;
    this.mode = 'lost';
    this.stopping.abort();
    this.nap.abort();
  }

  private async run(): Promise<void> {
    while (this.mode === 'running') {
      const wakes = this.wakes;
      let sleepMs: number;
      try {
        sleepMs = await this.round();
        this.failingSinceMs = undefined;
      } catch (error) {
        if (error instanceof FenceLost) return this.enterLost(error);
        if (error instanceof TargetUnavailable) await this.onUnavailable(error);
        else this.onBroken(error);
        sleepMs = pauseMs;
      }
      if (sleepMs <= 0 || wakes !== this.wakes) {
        await turn();
        continue;
      }
      this.nap = new AbortController();
      if (wakes === this.wakes && this.mode === 'running') await this.ports.clock.sleep(sleepMs, this.nap.signal);
    }
    await Promise.all(this.inFlight);
    if (this.mode === 'draining') this.mode = 'stopped';
  }

  /** A loop that only fails must not keep its company from a healthier process: after a while the lease runs out. */
  private onBroken(error: unknown): void {
    const { clock, log } = this.ports;
    this.failingSinceMs ??= clock.nowMs();
    log.error({ err: error, realm: this.realmId }, 'writer round failed, will try again');
    if (clock.nowMs() - this.failingSinceMs < giveUpMs) return;
    log.error({ realm: this.realmId }, 'writer rounds keep failing, the company is given up to another process');
    this.lose();
  }

  private enterLost(error: FenceLost): void {
    this.lose();
    this.ports.log.warn(
      { realm: this.realmId, fence: String(error.fence) },
      'another process writes for this company now',
    );
  }

  /** One look at the work; answers how long to sleep unless woken (0: look again at once). */
  private async round(): Promise<number> {
    const { links, clock } = this.ports;
    const now = clock.nowMs();
    if (now < this.pausedUntilMs) return this.pausedUntilMs - now;
    if (await this.isDisconnected()) return disconnectedLookMs;
    const nextDue = await links.releaseDue(this.realmId, clock.now());
    if (now >= this.nextWaitingLookMs) {
      const at = clock.now();
      await links.recheckWaiting(this.realmId, this.fence, at, (held) => held.map((one) => announceHeld(one, at)));
      // A loop that came and went would ask the target each time.
      if (await this.closedBooks.look(this.stopping.signal)) this.lastWorkMs = now;
      if (await this.frozenByHand.look(this.stopping.signal)) this.lastWorkMs = now;
      if (await this.balancesLeft.look()) this.lastWorkMs = now;
      // A call that another owner wrote down in the moment of handing over.
      this.hasOpenCalls = true;
      // At most a twentieth of the time goes into it, however many links wait.
      const tookMs = clock.nowMs() - now;
      this.nextWaitingLookMs = clock.nowMs() + Math.max(waitingLookMs, 20 * tookMs);
    }
    if (this.hasOpenCalls) await this.resendOpenCalls();
    const named = this.namesInHand ? 0 : await this.startNames();
    const batched = await this.startTransactions();
    if (named + batched > 0) {
      this.lastWorkMs = now;
      return 0;
    }
    const untilDue = nextDue === undefined ? idleLookMs : Math.max(10, nextDue.getTime() - clock.nowMs());
    return Math.min(idleLookMs, untilDue);
  }

  /** Without a connection everything is held, saying so; with it again, everything goes on. */
  private async isDisconnected(): Promise<boolean> {
    const { companies, links, clock, log } = this.ports;
    if (clock.nowMs() < this.connectedUntilMs) return false;
    const company = await companies.find(this.realmId);
    if (company === undefined || company.status !== 'connected') {
      const reason = company?.statusReason ?? 'the target company is not connected';
      const held = await links.holdRealm(this.realmId, this.fence, reason);
      if (held > 0) log.warn({ realm: this.realmId, held }, 'target company needs to be reconnected, its work is held');
      this.blocked = true;
      return true;
    }
    if (this.blocked) {
      const released = await links.releaseRealm(this.realmId, clock.now());
      if (released > 0) log.info({ realm: this.realmId, released }, 'target company is connected, its work goes on');
      this.hasOpenCalls = true;
      this.blocked = false;
    }
    this.connectedUntilMs = clock.nowMs() + connectionLookMs;
    return false;
  }

  private async onUnavailable({ answer }: TargetUnavailable): Promise<void> {
    this.ports.log.info(
      { realm: this.realmId, answer: answer.kind, reason: 'reason' in answer ? answer.reason : undefined },
      'target could not be asked',
    );
    const disconnected = disconnectedBy(answer);
    if (disconnected) await this.onDisconnected(disconnected);
    if (answer.kind === 'refused')
      this.ports.log.error({ realm: this.realmId, faults: answer.faults }, 'target refused a look-up');
    this.pausedUntilMs = this.ports.clock.nowMs() + pauseMs;
  }

  private async onDisconnected({ reason, saidByQbo }: Disconnected): Promise<void> {
    this.blocked = true;
    this.connectedUntilMs = 0;
    // What custody found dead it has marked itself, once; its memory of that may be older than a new connection.
    if (!saidByQbo) return;
    await this.ports.grants.markReconnectNeeded(this.ports.db, this.realmId, reason);
  }

  private async resendOpenCalls(): Promise<void> {
    const { links, clock } = this.ports;
    const open = await links.openCalls(this.realmId);
    const mine = open.filter((call) => !this.openInHand.has(call.id));
    this.hasOpenCalls = open.length > 0;
    // A call of another incarnation is due at once: nobody waits for its answer any more.
    const due = mine.filter((call) => call.state === 'claimed' || call.dueAt.getTime() <= clock.nowMs());
    for (const call of due) this.startResend(call);
  }

  private startResend(call: OpenCall): void {
    this.openInHand.add(call.id);
    this.transactionCalls++;
    this.launch(async () => {
      try {
        this.after(await this.sender.resend(call, this.stopping.signal));
      } finally {
        this.openInHand.delete(call.id);
        this.transactionCalls--;
      }
    });
  }

  /** Names: planned together, sent one after the other. */
  private async startNames(): Promise<number> {
    const stored = await this.ports.links.pick(this.realmId, namedTypes, namesPerRound);
    const { writes, decided } = await this.prepare(stored);
    if (writes.length === 0) return decided;
    this.namesInHand = true;
    const wokenBefore = this.liveWakes;
    this.launch(async () => {
      try {
        for (const write of writes) {
          if (this.mode !== 'running' || this.ports.clock.nowMs() < this.pausedUntilMs) return;
          // A live edit came: plan anew, it goes first.
          if (write.stored.lane === 'bulk' && this.liveWakes !== wokenBefore) return;
          const call = await this.sender.claim([write]);
          if (call) await this.sendHeld(call, [write]);
        }
      } finally {
        this.namesInHand = false;
      }
    });
    return decided + writes.length;
  }

  /** Transactions: independent ones together in a batch, a lone one by itself (its answer comes sooner). */
  private async startTransactions(): Promise<number> {
    const slots = this.options.callsInFlight - this.transactionCalls;
    if (slots <= 0) return 0;
    const stored = await this.ports.links.pick(this.realmId, batchedTypes, slots * this.options.batchSize);
    const { writes, decided } = await this.prepare(stored);
    let started = 0;
    for (const group of this.groups(writes, slots)) {
      const call = await this.sender.claim(group);
      if (!call) continue;
      started += call.attempts.length;
      this.startCall(call, group);
    }
    return decided + started;
  }

  private startCall(call: CallRecord, group: PlannedWrite[]): void {
    const touched = group.flatMap((write) => touchedBy(write));
    for (const key of touched) this.touched.set(key, (this.touched.get(key) ?? 0) + 1);
    this.transactionCalls++;
    this.launch(async () => {
      try {
        await this.sendHeld(call, group);
      } finally {
        this.transactionCalls--;
        for (const key of touched) {
          const left = this.touched.get(key)! - 1;
          if (left === 0) this.touched.delete(key);
          else this.touched.set(key, left);
        }
      }
    });
  }

  /** A claimed call is in this process's hands until it is settled; if that fails, the rows have it and it is sent again. */
  private async sendHeld(call: CallRecord, members: readonly PlannedWrite[]): Promise<void> {
    this.openInHand.add(call.id);
    try {
      this.after(await this.sender.send(call, members, this.stopping.signal));
    } finally {
      this.openInHand.delete(call.id);
    }
  }

  /**
   * Groups of writes that do not touch each other. Two writes around one invoice in one batch would race for its SyncToken,
   * and QBO promises no order within a batch.
   */
  private groups(writes: readonly PlannedWrite[], slots: number): PlannedWrite[][] {
    const groups: { lane: Lane; members: PlannedWrite[] }[] = [];
    const taken = new Set(this.touched.keys());
    for (const write of writes) {
      const keys = touchedBy(write);
      if (keys.some((key) => taken.has(key))) continue;
      const { lane } = write.stored;
      const open = fitsBatch(write)
        ? groups.find((g) => g.lane === lane && g.members.length < this.options.batchSize && fitsBatch(g.members[0]!))
        : undefined;
      if (open) open.members.push(write);
      else if (groups.length < slots) groups.push({ lane, members: [write] });
      else continue;
      for (const key of keys) taken.add(key);
    }
    return groups.map((g) => g.members);
  }

  /** Plans, writes down everything that needs no call, and answers what does. */
  private async prepare(stored: readonly StoredLink[]): Promise<{ writes: PlannedWrite[]; decided: number }> {
    const free = stored.filter((one) => !this.touched.has(keyText(one)));
    if (free.length === 0) return { writes: [], decided: 0 };
    const planned = await this.planner.plan(free, free[0]!.lane, this.stopping.signal);
    const writes: PlannedWrite[] = [];
    const without: Planned[] = [];
    const waiting: Planned[] = [];
    for (const one of planned) {
      if (isSendable(one.plan)) writes.push(await this.written(one, one.plan));
      else if (one.plan.kind === 'wait') waiting.push(one);
      else without.push(one);
    }
    await this.park(waiting);
    await this.decide(without);
    return { writes: inOrder(stored, writes), decided: waiting.length + without.length };
  }

  private async written({ stored, pair }: Planned, plan: SendablePlan): Promise<PlannedWrite> {
    const write = plannedWrite(stored, plan, pair?.other?.pending);
    const mirror = this.pairs.mirrorKey((await this.pairs.all()).get(stored.syncId), stored.entityType, write.targetId);
    return mirror ? { ...write, mirror } : write;
  }

  private async park(waiting: readonly Planned[]): Promise<void> {
    const waits = waiting.map(({ stored, plan }) => ({
      key: keyOf(stored),
      version: stored.link.desired.version,
      on: plan.kind === 'wait' ? waitingOn(plan.missing) : [],
    }));
    await this.ports.links.park(this.realmId, this.fence, waits, this.ports.clock.now());
    for (const { stored } of waiting) metrics.decisionsTotal.inc({ plan: 'wait', lane: stored.lane });
  }

  private async decide(without: readonly Planned[]): Promise<void> {
    if (without.length === 0) return;
    const { links, clock } = this.ports;
    const at = clock.now();
    const plans = new Map(
      without.map(({ stored, plan }) => [keyText(stored), { plan, version: stored.link.desired.version }]),
    );
    const mirrorings = await this.pairs.prepare(without.flatMap(writtenWithoutCall));
    await links.decide(
      this.realmId,
      this.fence,
      without.map(({ stored }) => keyOf(stored)),
      at,
      (rows) => {
        const changes = rows.flatMap((row) => {
          const planned = plans.get(keyText(row));
          // Newer intake overtook the plan: the next round plans the newer one.
          const stale = !planned || row.link.state.kind !== 'ready' || row.link.desired.version !== planned.version;
          return stale ? [] : [changeWithoutCall(row, planned.plan, at)];
        });
        return this.pairs.mirrored({ changes }, mirrorings, rows);
      },
      undefined,
      mirrorings.map(({ place }) => place),
    );
    for (const { stored, plan } of without) {
      metrics.decisionsTotal.inc({ plan: plan.kind, lane: stored.lane });
      const facts = {
        realm: stored.targetRealmId,
        sync: stored.syncId,
        entityKey: `${stored.sourceRealmId}/${stored.entityType}/${stored.sourceId}`,
        changeId: stored.changeId,
        traceparent: stored.traceparent,
        plan: plan.kind,
        ...('code' in plan ? { code: plan.code, reason: plan.reason } : {}),
      };
      this.ports.log.info(facts, 'write.decided');
    }
    this.ports.announced();
  }

  private after(outcome: CallOutcome): void {
    if (outcome.open) this.hasOpenCalls = true;
    if (outcome.pause) this.pausedUntilMs = this.ports.clock.nowMs() + pauseMs;
    const { disconnected } = outcome;
    if (disconnected) this.launch(() => this.onDisconnected(disconnected));
    this.ports.announced();
  }

  /** Work beside the loop. Whatever ends it wakes the loop, so that freed room is used at once. */
  private launch(work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => {
        if (error instanceof FenceLost) return this.enterLost(error);
        // Written down and not settled: it is an open call now, and sent again byte for byte.
        this.hasOpenCalls = true;
        this.pausedUntilMs = this.ports.clock.nowMs() + pauseMs;
        this.ports.log.error({ err: error, realm: this.realmId }, 'a call could not be settled, it will be sent again');
      })
      .finally(() => {
        this.inFlight.delete(task);
        this.lastWorkMs = this.ports.clock.nowMs();
        this.wake('bulk');
      });
    this.inFlight.add(task);
  }
}

function keyOf({ syncId, entityType, sourceId }: StoredLink) {
  return { syncId, entityType, sourceId };
}

/** In the order they were picked; planning may have turned it about. */
function inOrder(stored: readonly StoredLink[], writes: PlannedWrite[]): PlannedWrite[] {
  const place = new Map(stored.map((one, index) => [keyText(one), index]));
  return writes.sort((a, b) => place.get(keyText(a.key))! - place.get(keyText(b.key))!);
}

/** What a plan without a call says about the two records, for the opposite sync. */
function writtenWithoutCall({ stored, plan }: Planned): Written[] {
  const { link, changeId } = stored;
  const about = { ...keyOf(stored), written: [], pendingBefore: {}, changeId: `echo:${changeId}` };
  if (plan.kind === 'adopt') return [{ ...about, targetId: plan.targetId, record: plan.beforeImage, removed: false }];
  const isGone = plan.kind === 'noop' && link.desired.op === 'delete' && link.target !== undefined;
  return isGone ? [{ ...about, targetId: link.target!.id, removed: true }] : [];
}

/** What a link becomes by a plan that needs no call. */
function changeWithoutCall(stored: StoredLink, plan: Plan, at: Date): LinkChange {
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
        announce:
          settled.result && announced(told(settled.result, plan), settled.target?.id, settled.target?.syncToken),
      };
    }
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
      const dueAtMs = at.getTime() + postponeMs;
      return {
        ...stays,
        state: transition(link.state, { kind: 'refused-for-now', dueAtMs, code: plan.code, reason: plan.reason }),
      };
    }
    case 'hold': {
      const state: LinkState = transition(link.state, { kind: 'held', code: plan.code, reason: plan.reason });
      const held = { ...stays, state, announce: announced({ outcome: 'held', code: plan.code, reason: plan.reason }) };
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

/** What is known of a decision without a call beside its outcome. */
function told(outcome: Outcome, plan: Plan): Outcome {
  if (plan.kind !== 'noop' || plan.code === undefined) return outcome;
  const why = { code: plan.code, ...(plan.reason === undefined ? {} : { reason: plan.reason }) };
  return { ...outcome, ...(plan.why === 'overruled' ? { outcome: 'drift' } : {}), ...why };
}
