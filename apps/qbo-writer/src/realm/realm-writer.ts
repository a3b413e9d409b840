// The loop of one target company: takes ready links in a fair order and makes the target match. One process at a time runs
// it (lease with a fence); if it dies anywhere, the rows still say what to do.
//
// A turn (storage: turns.ts) chooses work and nothing else. What was chosen is in hand and goes its way beside the loop:
//   planning   names and transactions of each lane by themselves, so that a live edit never waits behind a backfill's look-ups
//   stock      planned transactions of a lane, until a call has room for them; names go one after the other (turn-queue.ts)
//   on its way claimed, sent, being settled; live has two calls of its own beside those that bulk may use
// Whatever ends wakes the loop. With nothing in hand and nothing to choose the company is put to rest: no statement is made
// for it until its next moment or until somebody makes work (storage: realm-work.ts).
//
// Modes
//   running   turns follow each other while there is work
//   draining  stop() was asked: no new turn, calls in flight are let finish (their answers are worth more than a second).
//   stopped   nothing in flight; the lease may be given back.
//   lost      another process has the realm. Nothing more is written: every statement would fail by its fence anyway.
import {
  CallCosts,
  closedBooksCodes,
  frozenByHand,
  isEnteredBefore,
  othersFirstCodes,
  packCalls,
  waitingOn,
  type Packable,
  type QuotaOutlook,
} from '#core';
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import { tracedTogether } from '#common/tracing';
import type { QboClient } from '#qbo';
import {
  FenceLost,
  keyOf,
  keyText,
  type CallRecord,
  type Companies,
  type Database,
  type Grants,
  type Lane,
  type LinkKey,
  type Links,
  type MappingLayers,
  type OpenCall,
  type RealmLoop,
  type RealmWork,
  type Seat,
  type StoredLink,
  type Syncs,
  type Turn,
} from '#storage';
import { fitsBatch, isSendable, plannedWrite, type PlannedWrite, type SendablePlan } from '../calls/compose.js';
import { ReadBack } from '../calls/read-back.js';
import { touchedBy } from '../calls/touched.js';
import { disconnectedBy, Sender, type CallOutcome, type Disconnected } from '../calls/sender.js';
import * as metrics from '../qbo-writer.metrics.js';
import { Pairs } from '../pairs/pairs.js';
import { announceHeld } from '../results.js';
import { ClosedBooks } from '../round/closed-books.js';
import { FrozenByHand } from '../round/frozen-by-hand.js';
import { OthersFirst } from '../round/others-first.js';
import { batchedTypes, namedTypes, Planner, type Planned } from '../round/planner.js';
import { Sweep } from '../round/sweep.js';
import { SyncSettings } from '../round/sync-settings.js';
import { TargetReader, TargetUnavailable } from '../round/target-reader.js';
import { changeWithoutCall, settingsBehind, writtenWithoutCall } from '../round/without-call.js';
import { TurnQueue } from './turn-queue.js';

export interface RealmWriterPorts {
  db: Database;
  links: Links;
  work: RealmWork;
  syncs: Syncs;
  layers: MappingLayers;
  companies: Companies;
  grants: Grants;
  client: QboClient;
  clock: Clock;
  log: Log;
  random: () => number;
  /** what the governor would say now */
  outlook: (realmId: string, lane: Lane) => Promise<QuotaOutlook>;
  /** how much rarer sweeps are, so that the month's reads last */
  sweepSlowness?: () => number;
  /** something was written to the outbox */
  announced: () => void;
}

export interface RealmWriterOptions {
  batchSize: number;
  callsInFlight: number;
  /** how often a target is compared with what was written there */
  sweepIntervalMs?: number;
  /** how often links that wait, calls that are open and what is held for others are looked at without a wake */
  waitingLookMs?: number;
}

/** Names planned together share look-ups; more at once would plan on what the first of them changes. */
const namesPerRound = 20;
/** Planned transactions in stock, in batches: enough that a call that ends finds its successor planned. */
const batchesInStock = 4;
/** What was planned longer ago is planned anew: its parents, policies and twins may have changed. */
const stockKeptMs = 30_000;
/** Calls that only live work may use, beside those that bulk may: it never waits for a bulk call to end. */
const liveCalls = 2;
/** While something is in hand: how often the work is looked at without a wake. */
const busyLookMs = 1_000;
const defaultWaitingLookMs = 10_000;
/** After an answer that was nobody's fault (throttled, breaker open), and after our own database failed. */
const pauseMs = 1_000;
/** A company that has its connection is asked about it this often: a busy loop need not ask before every turn. */
const connectionLookMs = 500;
/** Work that is there but not ours to do just now (a sync being paused at this moment): looked at again ever slower. */
const firstLookAgainMs = 10;
/** What could not be claimed is left alone that long. */
const refusedRestMs = 100;
const defaultSweepMs = 6 * 60 * 60_000;
/** Longer than a restart of PostgreSQL, shorter than a person's patience. */
const giveUpMs = 30_000;

type Mode = 'running' | 'draining' | 'stopped' | 'lost';
type Rest = Parameters<Turn['end']>[0];
type Stocked = Packable & { write: PlannedWrite; plannedAtMs: number };

/** What is held for these may go on by itself: it is looked at now and then. */
const watchedCodes = [...closedBooksCodes, frozenByHand, ...othersFirstCodes];

const lanes: readonly Lane[] = ['live', 'bulk'];

export class RealmWriter implements RealmLoop {
  private mode: Mode = 'running';
  private readonly stopping = new AbortController();
  private readonly inFlight = new Set<Promise<void>>();
  private readonly openInHand = new Set<string>();
  /** chosen and not settled, parked or let go yet */
  private readonly inHand = new Map<string, LinkKey>();
  private readonly planning = new Set<string>();
  private readonly stock: Record<Lane, Stocked[]> = { live: [], bulk: [] };
  private readonly backlog: Record<Lane, boolean> = { live: false, bulk: false };
  private readonly calls: Record<Lane, number> = { live: 0, bulk: 0 };
  /** of those, batches; and of these, the ones that the governor has not let go yet */
  private batches = 0;
  private batchesInLine = 0;
  private readonly touched = new Map<string, number>();
  private readonly nameTurn = new TurnQueue();
  private readonly costs = new CallCosts();
  private hasOpenCalls = true;
  private nextWaitingLookMs = 0;
  /** up to here those who wait were looked at, when there are more of them */
  private waitsSeen: LinkKey | undefined;
  private nextSweepLookMs = 0;
  private sweeping = false;
  private pausedUntilMs = 0;
  /** true at first: links may be held from before this process had the realm */
  private blocked = true;
  private connectedUntilMs = 0;
  private lastWorkMs: number;
  /** something is held until the target changes; a loop that came and went would ask the target for that each time */
  private watchesTarget = false;
  private looksAgain = 0;
  private failingSinceMs: number | undefined;
  private readonly pairs: Pairs;
  private readonly planner: Planner;
  private readonly sender: Sender;
  private readonly sweep: Sweep;
  private readonly closedBooks: ClosedBooks;
  private readonly frozenByHand: FrozenByHand;
  private readonly othersFirst: OthersFirst;
  private readonly waitingLookMs: number;
  private readonly finished: Promise<void>;

  constructor(
    readonly realmId: string,
    readonly fence: bigint,
    private readonly seat: Seat,
    private readonly ports: RealmWriterPorts,
    private readonly options: RealmWriterOptions,
  ) {
    const { links, syncs, layers, client, clock, log, random } = ports;
    const reader = new TargetReader(realmId, { client, clock });
    const settings = new SyncSettings(realmId, syncs);
    this.pairs = new Pairs(realmId, { links, syncs, layers, clock });
    this.planner = new Planner({ links, settings, reader, pairs: this.pairs, clock });
    this.sender = new Sender(realmId, fence, {
      links,
      client,
      clock,
      log,
      random,
      pairs: this.pairs,
      readBack: new ReadBack({ reader, links }),
      settings,
      answered: (types, tookMs) => this.costs.learn(types, tookMs),
    });
    const { sweepIntervalMs: intervalMs = defaultSweepMs, waitingLookMs = defaultWaitingLookMs } = options;
    this.waitingLookMs = waitingLookMs;
    this.sweep = new Sweep(realmId, fence, {
      links,
      client,
      clock,
      log,
      intervalMs,
      ...(ports.sweepSlowness && { slowness: ports.sweepSlowness }),
    });
    this.closedBooks = new ClosedBooks(realmId, fence, { links, reader, clock, log });
    this.frozenByHand = new FrozenByHand(realmId, fence, { links, reader, clock, log });
    this.othersFirst = new OthersFirst(realmId, fence, { links, clock });
    this.lastWorkMs = clock.nowMs();
    this.finished = this.run();
  }

  /** There may be something to do. */
  wake(lane: Lane): void {
    this.seat.wake(lane);
  }

  /** How long nothing was done. */
  idleMs(): number {
    if (this.inFlight.size > 0) return 0;
    return this.watchesTarget ? 1 : this.ports.clock.nowMs() - this.lastWorkMs;
  }

  get isLost(): boolean {
    return this.mode === 'lost';
  }

  /** Lets calls in flight finish and settle, then ends. */
  async stop(): Promise<void> {
    if (this.mode === 'running') this.mode = 'draining';
    this.stopping.abort();
    this.seat.leave();
    await this.finished;
  }

  /** The lease is gone: write nothing more. Answers that come later belong to the next owner, who sends the same again. */
  lose(): void {
    if (this.mode === 'stopped') return;
    this.mode = 'lost';
    this.stopping.abort();
    this.seat.leave();
  }

  private async run(): Promise<void> {
    for (let turn = await this.seat.next(); turn !== undefined; turn = await this.seat.next()) {
      if (this.mode !== 'running') break;
      let rest: Rest;
      try {
        rest = await this.round(turn);
      } catch (error) {
        this.onBroken(error);
        rest = { spent: 0, restMs: pauseMs };
      }
      turn.end(rest);
    }
    await Promise.all(this.inFlight);
    if (this.mode === 'draining') this.mode = 'stopped';
  }

  /** A loop that only fails must not keep its company from a healthier process: after a while it is given up. */
  private onBroken(error: unknown): void {
    if (error instanceof FenceLost) return this.enterLost(error);
    const { clock, log } = this.ports;
    if (error instanceof TargetUnavailable) return this.onUnavailable(error);
    this.failingSinceMs ??= clock.nowMs();
    this.pausedUntilMs = clock.nowMs() + pauseMs;
    // A call that was written down and not settled is an open call now, and sent again byte for byte.
    this.hasOpenCalls = true;
    log.error({ err: error, realm: this.realmId }, 'writing failed, will try again');
    if (clock.nowMs() - this.failingSinceMs < giveUpMs) return;
    log.error({ realm: this.realmId }, 'writing keeps failing, the company is given up to another process');
    this.lose();
  }

  private enterLost(error: FenceLost): void {
    this.lose();
    this.ports.log.warn(
      { realm: this.realmId, fence: String(error.fence) },
      'another process writes for this company now',
    );
  }

  /** One look at the work: chooses, starts what was chosen, and says when to look again. */
  private async round(turn: Turn): Promise<Rest> {
    const { links, clock } = this.ports;
    const now = clock.nowMs();
    if (now < this.pausedUntilMs) return { spent: 0, restMs: this.pausedUntilMs - now };
    if (await this.isDisconnected()) return { spent: 0, restMs: await this.rest() };
    const nextDue = await links.releaseDue(this.realmId, clock.now());
    if (now >= this.nextWaitingLookMs) await this.lookAtWaiting(now);
    if (this.hasOpenCalls) await this.resendOpenCalls();
    let spent = 0;
    for (const lane of turn.lane === 'live' ? (['live'] as const) : lanes)
      spent += await this.choose(lane, turn.allowance - spent);
    if (spent > 0) this.lastWorkMs = now;
    // Whoever had live work may have bulk work too, when its turn comes.
    if (turn.lane === 'live') return { spent, again: 'bulk' };
    if (spent > 0 || this.inFlight.size > 0) {
      this.looksAgain = 0;
      const untilDue = nextDue === undefined ? busyLookMs : Math.max(10, nextDue.getTime() - clock.nowMs());
      return { spent, restMs: Math.min(busyLookMs, untilDue) };
    }
    this.failingSinceMs = undefined;
    return { spent, restMs: await this.rest() };
  }

  /** Nothing in hand: how long to sleep unless woken. */
  private async rest(): Promise<number> {
    const { work, links, clock } = this.ports;
    const next = await work.rest('writer', this.realmId, (tx) =>
      links.nextMoment(tx, this.realmId, clock.now(), {
        waitingLookMs: this.waitingLookMs,
        watched: watchedCodes,
      }),
    );
    const now = clock.nowMs();
    const nextPageMs = this.waitsSeen === undefined ? Number.POSITIVE_INFINITY : this.nextWaitingLookMs - now;
    const restMs = Math.min(next === undefined ? Number.POSITIVE_INFINITY : next.getTime() - now, nextPageMs);
    if (restMs > 0) {
      this.looksAgain = 0;
      return restMs;
    }
    // A sweep may be what is due: nothing else asks for it in a company at rest.
    if (now >= this.nextSweepLookMs) {
      this.nextSweepLookMs = now + busyLookMs;
      this.launch('bulk', async () => void (await this.sweepDue()));
    }
    return Math.min(busyLookMs, firstLookAgainMs * 2 ** this.looksAgain++);
  }

  private async lookAtWaiting(now: number): Promise<void> {
    const { links, clock } = this.ports;
    const at = clock.now();
    const announce = (held: readonly StoredLink[]) => held.map((one) => announceHeld(one, at));
    const { next } = await links.recheckWaiting(this.realmId, this.fence, at, announce, this.waitsSeen);
    this.waitsSeen = next;
    if (next !== undefined) this.lastWorkMs = now;
    // A call that another owner wrote down in the moment of handing over.
    this.hasOpenCalls = true;
    // Beside the loop: it may have to ask the target.
    this.launch('bulk', async () => {
      const books = await this.closedBooks.look(this.stopping.signal);
      const frozen = await this.frozenByHand.look(this.stopping.signal);
      const others = await this.othersFirst.look();
      const swept = await this.sweepDue();
      this.watchesTarget = books || frozen || others || swept;
    });
    // At most a twentieth of the time goes into it, however many links wait; the next page of them comes sooner.
    const tookMs = clock.nowMs() - now;
    const untilNextMs = next === undefined ? this.waitingLookMs : this.waitingLookMs / 2;
    this.nextWaitingLookMs = clock.nowMs() + Math.max(untilNextMs, 20 * tookMs);
  }

  /** Whether something was swept; one look at a time. */
  private async sweepDue(): Promise<boolean> {
    if (this.sweeping) return false;
    this.sweeping = true;
    try {
      return await this.sweep.look(this.stopping.signal);
    } finally {
      this.sweeping = false;
    }
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
      // Nobody looks at those who wait now, so no page of them is due either.
      this.waitsSeen = undefined;
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

  private onUnavailable({ answer }: TargetUnavailable): void {
    this.ports.log.info(
      { realm: this.realmId, answer: answer.kind, reason: 'reason' in answer ? answer.reason : undefined },
      'target could not be asked',
    );
    this.pausedUntilMs = this.ports.clock.nowMs() + pauseMs;
    if (answer.kind === 'refused')
      this.ports.log.error({ realm: this.realmId, faults: answer.faults }, 'target refused a look-up');
    const disconnected = disconnectedBy(answer);
    if (disconnected) this.launch('live', () => this.onDisconnected(disconnected));
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
    const open = await links.openCalls(this.realmId, [...this.openInHand]);
    const mine = open.filter((call) => !this.openInHand.has(call.id));
    this.hasOpenCalls = mine.length > 0;
    // A call of another incarnation is due at once: nobody waits for its answer any more.
    const due = mine.filter((call) => call.state === 'claimed' || call.dueAt.getTime() <= clock.nowMs());
    for (const call of due) this.startResend(call);
  }

  private startResend(call: OpenCall): void {
    this.openInHand.add(call.id);
    this.calls.bulk++;
    this.launch('bulk', async () => {
      try {
        this.after(await this.sender.resend(call, this.stopping.signal));
      } finally {
        this.openInHand.delete(call.id);
        this.calls.bulk--;
      }
    });
  }

  /** Takes names and transactions of a lane as there is room for them; answers how many rows. */
  private async choose(lane: Lane, allowance: number): Promise<number> {
    this.dropOldStock(lane);
    let spent = 0;
    if (!this.planning.has(`names ${lane}`)) {
      const names = await this.pick(lane, namedTypes, Math.min(namesPerRound, allowance), 'pickAwaited');
      spent += names.length;
      if (names.length > 0) this.startNames(lane, names);
    }
    const { batchSize } = this.options;
    if (!this.planning.has(`transactions ${lane}`) && this.stock[lane].length < batchSize) {
      const limit = Math.min(batchesInStock * batchSize - this.stock[lane].length, allowance - spent);
      const rows = await this.pick(lane, batchedTypes, limit);
      this.backlog[lane] = rows.length > 0 && rows.length === limit;
      spent += rows.length;
      if (rows.length > 0) this.startTransactions(lane, rows);
    }
    await this.sendStock(lane);
    return spent;
  }

  private async pick(
    lane: Lane,
    types: readonly string[],
    limit: number,
    how: 'pick' | 'pickAwaited' = 'pick',
  ): Promise<StoredLink[]> {
    if (limit <= 0) return [];
    const except = [...this.inHand.values()];
    const rows = await this.ports.links[how](this.realmId, types, limit, { lane, except });
    for (const row of rows) this.inHand.set(keyText(row), keyOf(row));
    this.seat.hold(rows.length);
    return rows;
  }

  private letGo(keys: readonly LinkKey[]): void {
    let rows = 0;
    for (const key of keys) if (this.inHand.delete(keyText(key))) rows++;
    this.seat.hold(-rows);
  }

  /** Names: planned together, sent one after the other. */
  private startNames(lane: Lane, stored: readonly StoredLink[]): void {
    this.planning.add(`names ${lane}`);
    this.launch(lane, async () => {
      try {
        for (const write of await this.prepare(stored, lane)) {
          const done = await this.nameTurn.take(lane);
          try {
            if (this.mode !== 'running' || this.ports.clock.nowMs() < this.pausedUntilMs) return;
            const call = await this.claim([write]);
            if (call) await this.sendHeld(call, [write]);
          } finally {
            done();
          }
        }
      } finally {
        this.planning.delete(`names ${lane}`);
        this.letGo(stored);
      }
    });
  }

  /** Transactions: planned together and put into stock. */
  private startTransactions(lane: Lane, stored: readonly StoredLink[]): void {
    this.planning.add(`transactions ${lane}`);
    this.launch(lane, async () => {
      let writes: PlannedWrite[] = [];
      try {
        writes = await this.prepare(stored, lane);
      } finally {
        this.planning.delete(`transactions ${lane}`);
        const planned = new Set(writes.map((write) => keyText(write.key)));
        this.letGo(stored.filter((one) => !planned.has(keyText(one))));
      }
      const plannedAtMs = this.ports.clock.nowMs();
      this.stock[lane].push(...writes.map((write) => this.stocked(write, plannedAtMs)));
      await this.sendStock(lane);
    });
  }

  private stocked(write: PlannedWrite, plannedAtMs: number): Stocked {
    return {
      write,
      plannedAtMs,
      keys: touchedBy(write),
      batchable: fitsBatch(write),
      itemMs: this.costs.itemOf(write.key.entityType),
      bytes: Buffer.byteLength(write.attempt.body),
    };
  }

  /** What has room goes out, in batches or alone (core: pack.ts). */
  private async sendStock(lane: Lane): Promise<void> {
    if (this.stock[lane].length === 0 || this.roomForCalls(lane) <= 0) return;
    const outlook = await this.ports.outlook(this.realmId, lane);
    if (this.mode !== 'running' || this.ports.clock.nowMs() < this.pausedUntilMs) return;
    // Without a pause from here on: two at once must not take the same.
    const { calls, left } = packCalls(this.stock[lane], {
      calls: this.roomForCalls(lane),
      callsInAll: this.options.callsInFlight,
      batchesOnTheirWay: this.batches,
      batchesInLine: this.batchesInLine,
      batchSize: this.options.batchSize,
      touched: new Set(this.touched.keys()),
      backlog: this.backlog[lane],
      callMs: this.costs.perCallMs,
      outlook,
    });
    this.stock[lane] = left;
    for (const call of calls) this.startCall(lane, call);
  }

  private roomForCalls(lane: Lane): number {
    const own = lane === 'live' ? liveCalls : 0;
    return this.options.callsInFlight + own - this.calls.live - this.calls.bulk;
  }

  private dropOldStock(lane: Lane): void {
    const before = this.ports.clock.nowMs() - stockKeptMs;
    const old = this.stock[lane].filter((one) => one.plannedAtMs < before);
    if (old.length === 0) return;
    this.stock[lane] = this.stock[lane].filter((one) => one.plannedAtMs >= before);
    this.letGo(old.map((one) => one.write.key));
  }

  private startCall(lane: Lane, members: readonly Stocked[]): void {
    const touched = members.flatMap(({ keys }) => keys);
    const writes = members.map(({ write }) => write);
    for (const key of touched) this.touched.set(key, (this.touched.get(key) ?? 0) + 1);
    const isBatch = members.length > 1;
    this.calls[lane]++;
    if (isBatch) this.batches++;
    let inLine = isBatch;
    if (inLine) this.batchesInLine++;
    const leaveLine = (): void => {
      if (inLine) this.batchesInLine--;
      inLine = false;
    };
    this.launch(lane, async () => {
      try {
        const call = await this.claim(writes);
        if (call) await this.sendHeld(call, writes, leaveLine);
      } finally {
        leaveLine();
        this.calls[lane]--;
        if (isBatch) this.batches--;
        for (const key of touched) {
          const left = this.touched.get(key)! - 1;
          if (left === 0) this.touched.delete(key);
          else this.touched.set(key, left);
        }
        this.letGo(writes.map(({ key }) => key));
      }
      await this.sendStock(lane);
    });
  }

  private async claim(writes: readonly PlannedWrite[]): Promise<CallRecord | undefined> {
    const call = await this.sender.claim(writes);
    // What was not to be had (newer by now, or its mirror is on its way) would be chosen again at once, and again.
    if (call === undefined) await this.ports.clock.sleep(refusedRestMs, this.stopping.signal);
    return call;
  }

  /** A claimed call is in this process's hands until it is settled; if that fails, the rows have it and it is sent again. */
  private async sendHeld(call: CallRecord, members: readonly PlannedWrite[], sent?: () => void): Promise<void> {
    this.openInHand.add(call.id);
    try {
      this.after(await this.sender.send(call, members, this.stopping.signal, sent));
    } finally {
      this.openInHand.delete(call.id);
    }
  }

  /** Plans, writes down everything that needs no call, and answers what does. */
  private async prepare(stored: readonly StoredLink[], lane: Lane): Promise<PlannedWrite[]> {
    const planned = await this.plan(stored, lane);
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
    return inOrder(stored, writes);
  }

  private plan(stored: readonly StoredLink[], lane: Lane): Promise<Planned[]> {
    const traces = stored.map(({ entityType, traceparent }) => ({ name: `plan ${entityType}`, traceparent }));
    return tracedTogether('plan', traces, {}, async (spans) => {
      const planned = await this.planner.plan(stored, lane, this.stopping.signal);
      const kinds = new Map(planned.map((one) => [keyText(one.stored), one.plan.kind]));
      for (const [at, one] of stored.entries()) spans[at]!.set({ 'sync.plan': kinds.get(keyText(one)) ?? 'none' });
      return planned;
    });
  }

  private async written({ stored, pair, receipt }: Planned, plan: SendablePlan): Promise<PlannedWrite> {
    const write = { ...plannedWrite(stored, plan, pair?.other?.pending), ...(receipt ? { receipt } : {}) };
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
    const decided = await links.decide(
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
      settingsBehind(without),
    );
    if (!decided) return;
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
    if (disconnected) this.launch('live', () => this.onDisconnected(disconnected));
    this.ports.announced();
  }

  /** Work beside the loop. Whatever ends it wakes the loop, so that freed room is used at once. */
  private launch(lane: Lane, work: () => Promise<void>): void {
    const task = work()
      .then(() => {
        this.failingSinceMs = undefined;
      })
      .catch((error: unknown) => this.onBroken(error))
      .finally(() => {
        this.inFlight.delete(task);
        this.lastWorkMs = this.ports.clock.nowMs();
        this.wake(lane);
      });
    this.inFlight.add(task);
  }
}

/**
 * In the order they were picked; planning may have turned it about. What brings in goods, among itself, in the order in which
 * it was entered (core: stock-order.ts).
 */
function inOrder(stored: readonly StoredLink[], writes: PlannedWrite[]): PlannedWrite[] {
  const place = new Map(stored.map((one, index) => [keyText(one), index]));
  const picked = writes.sort((a, b) => place.get(keyText(a.key))! - place.get(keyText(b.key))!);
  const receipts = picked
    .filter((write) => write.receipt)
    .sort((a, b) => (isEnteredBefore(a.key.sourceId, b.key.sourceId) ? -1 : 1));
  return picked.map((write) => (write.receipt ? receipts.shift()! : write));
}
