// The governor of every realm, shared by all processes: the pure pacing state of libs/core in one row per realm. A process
// decides on its own copy and stores the outcome with one statement, which holds only if nobody stored another meanwhile
// and if its idea of the database's time is right; then the calls go. Answers ride along with the next grant. So a call
// costs one statement, whoever else is on the realm (docs/adr/0004-one-row-per-realm.md).
//
// Per realm a process has one loop, in one of these modes:
//   absent    nobody waits and no answer is to be told; the copy of the row is kept for a while
//   turning   it decides for the heads of its lanes and stores; the only mode in which statements run
//   asleep    the decision was "not before T": sleeps until T, or until an answer, a new caller or a refusal wakes it
// `close` ends all of them for good: who waits is refused, answers are stored once more, and no timer stays behind.
// Lanes (kind, class, our service) are queues of which only the head asks.
//
// What is not trusted: a row whose version went back (the database was restored), a row last written before a start of
// PostgreSQL that nobody here lived through, a state of another form: the realm is frozen for a minute, after which every
// window of QBO is empty of what we do not know.
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { createLog } from '#common/logging';
import {
  admit,
  betterOffset,
  bury,
  callClasses,
  complete,
  databaseTime,
  defaultPacingPolicy,
  initialPacing,
  outlook,
  readDelayMs,
  resumed,
  storedPacing,
  unknownPast,
  usage,
} from '#core';
import type {
  CallClass,
  Called,
  ClockOffset,
  DatabaseTime,
  ReadPurpose,
  PacingPolicy,
  PacingState,
  PacingUse,
  QuotaOutlook,
} from '#core';
import { Database, type Tx } from '../database.js';
import {
  platformOpen,
  quotaGrants,
  quotaRefused,
  quotaStatements,
  quotaWaitSeconds,
  readsGuard,
} from './governor.metrics.js';
import { circuitColumn, PlatformCircuitStore } from './platform-circuit-store.js';
import { ReadMeter } from './read-meter.js';

export interface GovernorRequest {
  kind: 'single' | 'batch';
  /** which of our services asks; it has a queue of its own */
  app: string;
  class: CallClass;
}

type GovernorStatement = 'read' | 'write' | 'alive';

export type GovernorOutcome = 'ok' | 'throttled' | 'unsent';

/** Leave to send one request. `complete` when its answer is in: the platform's windows are freed at response time. */
export interface GovernorGrant {
  /** False when so much time passed since the grant that others may have given this process up: ask again instead. */
  fresh(): boolean;
  complete(outcome: GovernorOutcome, called?: Called): Promise<void>;
}

export interface QuotaUse {
  /** slots of the minute in use: in flight, or answered within the last 60 s */
  lastMinute: number;
  inFlight: number;
  batches: number;
  perMinute: number;
  byClass: Record<CallClass, number>;
  /** share of the full rate after a 429 */
  factor: number;
  /** calls a minute that the realm gives us now */
  limit: number;
  /** another app uses the same company's quota, as far as 429s tell */
  shared: boolean;
  frozenUntil: Date | undefined;
  updatedAt: Date;
}

/** This process stops: it lets nobody go any more. */
export class GovernorClosed extends Error {
  override readonly name = 'GovernorClosed';

  constructor() {
    super('this process stops: its governor lets nobody go any more');
  }
}

interface Waiting {
  sinceMs: number;
  resolve: (grant: GovernorGrant) => void;
  refuse: (reason: Error) => void;
}

interface Lane {
  key: string;
  request: GovernorRequest;
  queue: Waiting[];
}

interface Told {
  grantId: number;
  outcome: GovernorOutcome;
  called: Called | undefined;
  /** in the database's time, at the latest */
  atMs: number;
  stored?: () => void;
}

interface Realm {
  id: string;
  lanes: Map<string, Lane>;
  /** answers not stored yet */
  told: Told[];
  /** grants handed out here and not answered */
  mine: Set<number>;
  /** our copy of the row */
  state: PacingState | undefined;
  version: number;
  readMs: number;
  /** when our copy was last known to be the row */
  currentMs: number;
  nap: AbortController | undefined;
  /** its loop runs */
  turning: boolean;
  /** something happened since its last decision began */
  woken: boolean;
  usedMs: number;
}

interface Row {
  state: unknown;
  version: string;
  updatedMs: string;
  nowMs: string;
  startedMs: string;
  alive: string[];
}

// Slots given back by another process are not announced; whoever waits for one looks again after this long at most.
const maxNapMs = 500;
// Answers wait this long for a grant to ride along with; so long at most others hold a slot for taken that is free.
const tellMs = 150;
// A copy older than this is read again before it is believed that there is no slot.
const staleMs = 25;
// And in any case so often: a process that died is noticed by reading.
const readAgainMs = 5_000;
// Intuit counts per realm and registered app (client id). All services of an installation are one such app, so they share
// its 10 in flight, its second and its batches; with one name per service each would have taken them for itself.
const intuitApp = 'installation';
// Back-off while PostgreSQL is away: without the row nothing may be sent.
const rowAwayMs = 1_000;
// A process says every 3 s that it lives, while it has calls or callers. Silent for 10 s it is given up: what it left in
// flight counts as answered then. It sends nothing that it was granted more than 5 s ago.
const beatMs = 3_000;
const goneAfterMs = 10_000;
const freshMs = 5_000;
// A choice between batch and singles may rest on a copy this old.
const outlookGoodMs = 250;
// Farther off than this the statement refuses to store: a clock was set.
const clockToleranceMs = 250;
const minuteMs = 60_000;
// The platform was away at least this long: companies begin at a part of their rate.
const rampAfterMs = 10_000;
const keepCopyMs = 10 * minuteMs;
const copiesBeforeTidying = 1_000;

@Injectable()
export class GovernorStore {
  policy: PacingPolicy = defaultPacingPolicy;
  /** Tests that move the time themselves say 'clock'; processes share the database's. */
  timeOf: 'database' | 'clock' = 'database';

  /** shared by all processes, heard with the governor's own statements */
  readonly platform: PlatformCircuitStore;
  readonly reads: ReadMeter;

  private readonly process = randomUUID().slice(0, 13);
  private readonly realms = new Map<string, Realm>();
  private offset: ClockOffset | undefined;
  private beatAtMs = -Infinity;
  private beating: AbortController | undefined;
  /** calls of this process on their way */
  private inFlight = 0;
  private closed = false;
  /** loops of realms that run */
  private readonly turns = new Set<Promise<void>>();

  constructor(
    private readonly db: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const log = createLog('quota');
    this.platform = new PlatformCircuitStore(
      db,
      () => this.nowMs(),
      this.process,
      (circuit) => {
        platformOpen.set(circuit.open ? 1 : 0);
        const { sinceMs, spreadMs } = circuit;
        if (circuit.open) log.error({ since: new Date(sinceMs) }, 'QuickBooks does not answer: all companies wait');
        else
          log.info(
            { since: new Date(sinceMs), spreadMs },
            'QuickBooks answers again: companies begin one after another',
          );
      },
    );
    this.reads = new ReadMeter(db, clock, (month) => {
      readsGuard.set(['none', 'sweeps slowed', 'bulk slowed'].indexOf(month.guard));
      log.warn({ ...month }, 'metered reads of this month: what is slowed has changed; live capture never is');
    });
  }

  /** Nest's hook, when drains and consumers have ended. The database itself goes later. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.close();
    // What was read and not written yet is not lost with a rollout.
    await this.reads.write().catch(() => undefined);
  }

  /** Whoever waits is refused with GovernorClosed, and whoever still comes. Idempotent; does not reject. */
  async close(): Promise<void> {
    this.closed = true;
    this.beating?.abort();
    for (const realm of this.realms.values()) {
      for (const lane of realm.lanes.values()) {
        for (const waiting of lane.queue.splice(0)) waiting.refuse(new GovernorClosed());
      }
      realm.nap?.abort();
    }
    await Promise.all(this.turns);
  }

  /** Before a read asks for its slot: a read that the month's allowance can do without is slowed. */
  async readLeave(purpose: ReadPurpose, signal?: AbortSignal): Promise<void> {
    const delayMs = readDelayMs(this.reads.month?.guard ?? 'none', purpose);
    if (delayMs > 0) await this.clock.sleep(delayMs, signal);
  }

  /** Resolves when the request may be sent. Rejects only with the signal's reason, or with GovernorClosed. */
  acquire(realmId: string, request: GovernorRequest, signal?: AbortSignal): Promise<GovernorGrant> {
    return new Promise<GovernorGrant>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      if (this.closed) return reject(new GovernorClosed());
      const realm = this.realm(realmId);
      const key = `${request.kind} ${request.class} ${request.app}`;
      let lane = realm.lanes.get(key);
      if (!lane) realm.lanes.set(key, (lane = { key, request, queue: [] }));
      const waiting: Waiting = {
        sinceMs: this.clock.nowMs(),
        resolve: (grant) => {
          signal?.removeEventListener('abort', leave);
          resolve(grant);
        },
        refuse: (reason) => {
          signal?.removeEventListener('abort', leave);
          reject(reason);
        },
      };
      const leave = () => {
        const place = lane.queue.indexOf(waiting);
        // Not in the queue: it has its grant this very moment, and its receiver handles the abort.
        if (place < 0) return;
        lane.queue.splice(place, 1);
        reject(signal!.reason as Error);
      };
      signal?.addEventListener('abort', leave, { once: true });
      lane.queue.push(waiting);
      this.stir(realm, lane.queue.length === 1);
    });
  }

  /** What it would say now, without asking for leave: to choose between a batch and single requests. */
  async outlook(realmId: string, callClass: CallClass): Promise<QuotaOutlook> {
    const call = { app: intuitApp, class: callClass, by: this.process };
    const known = this.realms.get(realmId);
    // Our copy, while it is used, is as good as the row: it is stored before anything is sent on it.
    if (known?.state && this.nowMs() - known.currentMs < outlookGoodMs) {
      return outlook(known.state, this.policy, this.nowMs(), call);
    }
    const [row] = await this.db.query<{ state: unknown }>('select state from governor_state where realm_id = $1', [
      realmId,
    ]);
    const state = row ? storedPacing(row.state, this.nowMs()) : initialPacing();
    return outlook(state, this.policy, this.nowMs(), call);
  }

  async quotaUse(realmIds: readonly string[]): Promise<Map<string, QuotaUse>> {
    const rows = await this.db.query<{ realm_id: string; state: unknown; updated_at: Date }>(
      'select realm_id, state, updated_at from governor_state where realm_id = any($1)',
      [realmIds],
    );
    const nowMs = this.nowMs();
    return new Map(
      rows.map(({ realm_id, state: stored, updated_at }) => {
        const state = storedPacing(stored, nowMs);
        const use: PacingUse = usage(state, this.policy, nowMs);
        return [
          realm_id,
          {
            lastMinute: use.held,
            inFlight: use.inFlight,
            batches: use.batches,
            perMinute: this.policy.perMinute,
            byClass: use.byClass,
            factor: use.factor,
            limit: Math.floor(use.limit),
            shared: use.shared,
            frozenUntil: use.frozen ? new Date(state.frozenUntilMs) : undefined,
            updatedAt: updated_at,
          },
        ];
      }),
    );
  }

  private realm(id: string): Realm {
    let realm = this.realms.get(id);
    if (!realm) {
      if (this.realms.size >= copiesBeforeTidying) this.tidy();
      realm = {
        id,
        lanes: new Map(),
        told: [],
        mine: new Set(),
        state: undefined,
        version: 0,
        readMs: -Infinity,
        currentMs: -Infinity,
        nap: undefined,
        turning: false,
        woken: false,
        usedMs: 0,
      };
      this.realms.set(id, realm);
    }
    realm.usedMs = this.clock.nowMs();
    return realm;
  }

  /** Realms nobody here has called for a while; their next call reads the row anew. */
  private tidy(): void {
    const oldest = this.clock.nowMs() - keepCopyMs;
    for (const [id, { turning, mine, usedMs }] of this.realms) {
      if (!turning && mine.size === 0 && usedMs < oldest) this.realms.delete(id);
    }
  }

  private stir(realm: Realm, now: boolean): void {
    if (realm.turning) {
      if (!now) return;
      // It may be between a decision and the nap after it.
      realm.woken = true;
      realm.nap?.abort();
      return;
    }
    this.begin(realm);
  }

  private begin(realm: Realm, firstMs = 0): void {
    const turn = this.turn(realm, firstMs).finally(() => this.turns.delete(turn));
    this.turns.add(turn);
  }

  /** Never rejects. `turning` falls in the same breath as nobody is found waiting, so nobody comes in between. */
  private async turn(realm: Realm, firstMs: number): Promise<void> {
    realm.turning = true;
    if (firstMs > 0) await this.nap(realm, firstMs);
    let slept = true;
    while (this.busy(realm)) {
      let untilMs: number;
      realm.woken = false;
      try {
        await this.beat();
        untilMs = await this.decide(realm, slept);
      } catch {
        // Not the waiting call's fault: it waits until the row can be asked, and its signal still ends it.
        realm.readMs = -Infinity;
        // Nobody waits: answers that cannot be told are left to the next reading, which takes them for answered then.
        if (realm.lanes.size === 0 || this.closed) for (const one of realm.told.splice(0)) one.stored?.();
        untilMs = this.nowMs() + rowAwayMs;
      }
      if (!this.busy(realm)) break;
      // At least a millisecond: a clock a hair behind the decision's must not spin.
      slept = await this.nap(realm, Math.max(1, untilMs - this.nowMs()));
    }
    realm.turning = false;
  }

  /** @returns false when it was woken early */
  private async nap(realm: Realm, ms: number): Promise<boolean> {
    const nap = (realm.nap = new AbortController());
    if (realm.woken || this.closed) nap.abort();
    await this.clock.sleep(ms, nap.signal);
    realm.nap = undefined;
    return !nap.signal.aborted;
  }

  private busy(realm: Realm): boolean {
    if (realm.told.length > 0) return true;
    for (const [key, lane] of realm.lanes) {
      if (lane.queue.length > 0) return true;
      realm.lanes.delete(key);
    }
    return false;
  }

  /** One decision for everybody who waits here, stored and handed out. @returns when to decide again */
  private async decide(realm: Realm, slept: boolean): Promise<number> {
    if (this.nowMs() - realm.readMs >= readAgainMs) await this.read(realm);
    for (;;) {
      const plan = this.plan(realm);
      if (plan.granted.length === 0 && realm.lanes.size > 0 && slept && plan.nowMs - realm.currentMs > staleMs) {
        // As far as our copy knows there is no slot; somebody may have given one back. Woken early, it sleeps on.
        await this.read(realm);
        continue;
      }
      if (!plan.store) return plan.untilMs;
      const untilMs = await this.store(realm);
      if (untilMs !== undefined) return untilMs;
      await this.read(realm);
    }
  }

  /**
   * Decides anew with a connection in hand, and stores: a decision that stood in line for one would be too old for its row, and
   * with many companies waiting the line would be all there is. @returns undefined when our copy was not the row
   */
  private store(realm: Realm): Promise<number | undefined> {
    return this.db.withSession(async (session) => {
      const plan = this.plan(realm);
      if (!plan.store) return plan.untilMs;
      if (!(await this.write(session, realm, plan.state, plan.time))) return undefined;
      realm.told.splice(0, plan.told.length);
      for (const one of plan.told) one.stored?.();
      for (const { lane, grantId } of plan.granted) this.hand(realm, lane, grantId);
      return Math.min(plan.untilMs, plan.nowMs + maxNapMs);
    });
  }

  private plan(realm: Realm) {
    const time = this.time();
    // At the earliest: what time frees must be free for certain.
    const nowMs = time.fromMs;
    const told = [...realm.told];
    const { state, granted, keep, untilMs } = this.admitted(realm, told, nowMs);
    const oldest = told[0];
    const tell =
      oldest !== undefined &&
      (this.closed || nowMs - oldest.atMs >= tellMs || told.some((one) => one.outcome === 'throttled'));
    const store = keep || tell;
    const tellAtMs = oldest && !store ? oldest.atMs + tellMs : Infinity;
    return { state, granted, told, time, nowMs, store, untilMs: Math.min(untilMs, tellAtMs, nowMs + maxNapMs) };
  }

  private admitted(realm: Realm, told: readonly Told[], nowMs: number) {
    const { policy } = this;
    let state = realm.state!;
    const circuit = this.platform.current;
    // Nobody piled anything up in an outage of seconds.
    if (!circuit.open && circuit.spreadMs >= rampAfterMs) state = resumed(state, policy, circuit.sinceMs);
    for (const { grantId, outcome, atMs, called } of told)
      state = complete(state, policy, atMs, grantId, outcome, called);
    const granted: { lane: Lane; grantId: number }[] = [];
    let untilMs = Infinity;
    let keep = false;
    const lanes = [...realm.lanes.values()].sort((a, b) => urgency(a) - urgency(b));
    for (const lane of lanes) {
      for (let place = 0; place < lane.queue.length; place += 1) {
        const admitted = admit(state, policy, nowMs, { ...lane.request, app: intuitApp, by: this.process });
        state = admitted.state;
        keep ||= admitted.keep;
        if (admitted.decision.kind === 'wait') {
          untilMs = Math.min(untilMs, admitted.decision.untilMs);
          break;
        }
        granted.push({ lane, grantId: admitted.decision.grantId });
      }
    }
    return { state, granted, untilMs, keep };
  }

  private hand(realm: Realm, lane: Lane, grantId: number): void {
    const grantedMs = this.clock.nowMs();
    realm.mine.add(grantId);
    this.inFlight += 1;
    if (!this.beating && !this.closed) void this.keepAlive();
    const grant: GovernorGrant = {
      fresh: () => this.clock.nowMs() - grantedMs < freshMs,
      complete: (outcome, called) => this.answered(realm, grantId, outcome, called),
    };
    const first = lane.queue.shift();
    // Lanes of one class take turns: singles must not starve the batches beside them.
    realm.lanes.delete(lane.key);
    realm.lanes.set(lane.key, lane);
    const { kind, class: of } = lane.request;
    quotaGrants.inc({ kind, class: of });
    if (!first) {
      // Everybody left while the row was asked.
      void grant.complete('unsent');
      return;
    }
    quotaWaitSeconds.observe({ class: of }, Math.max(0, grantedMs - first.sinceMs) / 1_000);
    first.resolve(grant);
  }

  /** An answer is told with the next grant, or soon after; only a refusal is waited for until everybody can see it. */
  private answered(realm: Realm, grantId: number, outcome: GovernorOutcome, called?: Called): Promise<void> {
    if (!realm.mine.delete(grantId)) return Promise.resolve();
    this.inFlight -= 1;
    if (this.inFlight === 0) this.beating?.abort();
    const told: Told = { grantId, outcome, called, atMs: this.time().toMs };
    realm.told.push(told);
    if (outcome !== 'throttled') {
      // A slot is free: whoever sleeps here looks again. With nobody waiting, answers of a burst are told together.
      if (realm.lanes.size > 0 || realm.turning) this.stir(realm, true);
      else this.begin(realm, tellMs);
      return Promise.resolve();
    }
    quotaRefused.inc();
    const stored = new Promise<void>((resolve) => (told.stored = resolve));
    this.stir(realm, true);
    return stored;
  }

  private async write(session: Tx, realm: Realm, state: PacingState, { fromMs, toMs }: DatabaseTime): Promise<boolean> {
    const [stored] = await this.timed<{ nowMs: string }>(
      session,
      'write',
      `update governor_state set state = $2, version = version + 1, updated_at = to_timestamp($4::float8 / 1000)
       where realm_id = $1 and version = $3 and abs(extract(epoch from clock_timestamp()) * 1000 - $4::float8) < $5
       returning extract(epoch from clock_timestamp()) * 1000 as "nowMs", ${circuitColumn}`,
      [
        realm.id,
        JSON.stringify(state),
        realm.version,
        (fromMs + toMs) / 2,
        this.timeOf === 'database' ? clockToleranceMs : Number.MAX_SAFE_INTEGER,
      ],
    );
    if (!stored) return false;
    realm.state = state;
    realm.version += 1;
    realm.currentMs = fromMs;
    return true;
  }

  private async read(realm: Realm): Promise<void> {
    const [row] = await this.timedAlone<Row>(
      'read',
      `select state, version, extract(epoch from updated_at) * 1000 as "updatedMs",
         extract(epoch from clock_timestamp()) * 1000 as "nowMs",
         extract(epoch from pg_postmaster_start_time()) * 1000 as "startedMs", ${circuitColumn},
         (select coalesce(array_agg(process), '{}') from governor_processes
          where seen_at > coalesce(to_timestamp($2::float8 / 1000), clock_timestamp()) - $3::float8 * interval '1 ms') as alive
       from governor_state where realm_id = $1`,
      [realm.id, this.ownTime(), goneAfterMs],
    );
    const nowMs = this.nowMs();
    if (!row) return this.first(realm, nowMs);
    const version = Number(row.version);
    let state = storedPacing(row.state, nowMs);
    if (version < realm.version) state = unknownPast(state, nowMs);
    else if (realm.version === 0) state = this.sinceStart(state, row, nowMs);
    const alive = new Set(row.alive);
    realm.state = bury(state, this.policy, nowMs, ({ id, by, atMs }) =>
      // Ours but not in our hands: stored by a statement whose answer was lost.
      by === this.process
        ? !realm.mine.has(id) && !this.telling(realm, id)
        : !alive.has(by) && atMs < nowMs - goneAfterMs,
    );
    realm.version = version;
    realm.readMs = realm.currentMs = nowMs;
  }

  private telling(realm: Realm, grantId: number): boolean {
    return realm.told.some((one) => one.grantId === grantId);
  }

  /** PostgreSQL may have been started on older data than it once had; a process that knows the row can tell, we cannot. */
  private sinceStart(state: PacingState, row: Row, nowMs: number): PacingState {
    const startedMs = Number(row.startedMs);
    if (this.timeOf === 'clock' || Number(row.updatedMs) >= startedMs || nowMs - startedMs >= minuteMs) return state;
    return unknownPast(state, nowMs, startedMs + minuteMs);
  }

  private async first(realm: Realm, nowMs: number): Promise<void> {
    const fresh = initialPacing();
    // We knew a row and there is none: the database was set back to before it.
    const state = realm.version > 0 ? unknownPast(fresh, nowMs) : fresh;
    await this.timedAlone(
      'write',
      `insert into governor_state (realm_id, state, updated_at, version)
       values ($1, $2, to_timestamp($3::float8 / 1000), $4) on conflict do nothing`,
      [realm.id, JSON.stringify(state), nowMs, realm.version + 1],
    );
    await this.read(realm);
  }

  /** Says that this process lives; before the first grant, and then while it has something to do. */
  private async beat(): Promise<void> {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.beatAtMs < beatMs) return;
    const first = this.beatAtMs === -Infinity || nowMs - this.beatAtMs > goneAfterMs;
    this.beatAtMs = nowMs;
    const sent = this.sayAlive();
    // Only the first is waited for: until it is there, others would take this process for dead.
    if (first) await sent;
    else sent.catch(() => (this.beatAtMs = -Infinity));
  }

  private async sayAlive(): Promise<void> {
    await this.timedAlone(
      'alive',
      `with gone as (delete from governor_processes
         where seen_at < coalesce(to_timestamp($2::float8 / 1000), clock_timestamp()) - interval '1 day')
       insert into governor_processes (process, seen_at)
       values ($1, coalesce(to_timestamp($2::float8 / 1000), clock_timestamp()))
       on conflict (process) do update set seen_at = excluded.seen_at
       returning extract(epoch from clock_timestamp()) * 1000 as "nowMs"`,
      [this.process, this.ownTime()],
    );
  }

  /** Calls in flight go on while nobody asks for new ones: the process keeps saying that it lives. */
  private async keepAlive(): Promise<void> {
    while (this.inFlight > 0 && !this.closed) {
      this.beating = new AbortController();
      await this.clock.sleep(beatMs, this.beating.signal);
      if (this.inFlight > 0 && !this.closed) await this.beat().catch(() => undefined);
    }
    this.beating = undefined;
  }

  /** The time that statements shall take instead of the database's: none, but in tests that move it. */
  private ownTime(): number | null {
    return this.timeOf === 'clock' ? this.clock.nowMs() : null;
  }

  /** The database's time, at the earliest. */
  private nowMs(): number {
    return this.time().fromMs;
  }

  /** The database's time, as far as this process can tell. */
  private time(): DatabaseTime {
    return databaseTime(this.timeOf === 'database' ? this.offset : undefined, this.clock.nowMs());
  }

  private timedAlone<R extends object>(what: GovernorStatement, sql: string, parameters: unknown[]): Promise<R[]> {
    return this.db.withSession((session) => this.timed<R>(session, what, sql, parameters));
  }

  /** On a connection in hand: what it stood in line for must not be taken for a clock that is off. */
  private async timed<R extends object>(
    session: Tx,
    what: GovernorStatement,
    sql: string,
    parameters: unknown[],
  ): Promise<R[]> {
    quotaStatements.inc({ what });
    const sentMs = this.clock.nowMs();
    const rows = await session.query<R & { nowMs?: string; circuit?: unknown }>(sql, parameters);
    this.platform.heard(rows[0]?.circuit);
    const databaseMs = Number(rows[0]?.nowMs);
    if (!Number.isNaN(databaseMs)) {
      this.offset = betterOffset(this.offset, { sentMs, receivedMs: this.clock.nowMs(), databaseMs });
    }
    return rows;
  }
}

const urgency = ({ request }: Lane): number => callClasses.indexOf(request.class);
