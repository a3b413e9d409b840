// Gives the companies of one process their turns (core: realm-schedule.ts) at its database and its memory. A turn is the
// choosing of work: short statements, never a call to QBO, so a company whose QuickBooks is slow keeps nobody waiting. What
// was chosen is in hand until it is settled, and the rows in hand of all companies together are bounded.
//
// One sleeper in all, for the earliest rest; a company that rests costs an entry in a heap.
import type { Clock } from '#common/clock';
import { defaultSchedulePolicy, RealmSchedule, type SchedulePolicy, type TurnEnd, type TurnLane } from '#core';

export interface TurnsOptions {
  /** turns at once: each uses one connection of the pool at a time */
  atOnce: number;
  /** rows in hand of all companies together; above it only live work is chosen */
  rowsInHand: number;
  policy?: SchedulePolicy;
}

/** A backfill row in hand is some 3 kB with its plan: 60 MB at most. */
export const defaultTurns: TurnsOptions = { atOnce: 4, rowsInHand: 20_000 };
/** Live work may go that much over the bound: it is small and people wait for it. */
const liveOverdraft = 1.25;

export interface Turn {
  lane: TurnLane;
  /** rows that may be taken */
  allowance: number;
  /** `restMs`: sleep that long unless woken; Infinity: until woken. Ends once; more calls do nothing. */
  end(end: { spent: number; again?: TurnLane | undefined; restMs?: number | undefined }): void;
}

export interface Seat {
  /** The next turn; undefined after `leave`. One at a time. */
  next(): Promise<Turn | undefined>;
  wake(lane: TurnLane): void;
  /** rows taken (or, negative, let go) */
  hold(rows: number): void;
  leave(): void;
}

export class Turns {
  private readonly schedule: RealmSchedule;
  private readonly asking = new Map<string, (turn: Turn | undefined) => void>();
  /** given a turn by the schedule before its loop asked */
  private readonly early = new Map<string, Turn>();
  /** the seat that each company has now: a company may get a new one while a turn of the old one still runs */
  private readonly seats = new Map<string, symbol>();
  private running = 0;
  private inHand = 0;
  private nap: { atMs: number; abort: AbortController } | undefined;
  private dispatching = false;

  constructor(
    private readonly clock: Clock,
    private readonly o: TurnsOptions = defaultTurns,
  ) {
    this.schedule = new RealmSchedule(o.policy ?? defaultSchedulePolicy);
  }

  get rowsInHand(): number {
    return this.inHand;
  }

  join(realmId: string, lane: TurnLane = 'bulk'): Seat {
    this.schedule.join(realmId, lane);
    this.seats.set(realmId, Symbol(realmId));
    let held = 0;
    let left = false;
    queueMicrotask(() => this.dispatch());
    return {
      next: () => this.ask(realmId, left),
      wake: (woken) => {
        if (left) return;
        this.schedule.wake(realmId, woken);
        this.dispatch();
      },
      hold: (rows) => {
        // What ends after the seat was left was let go with it.
        if (left) return;
        held += rows;
        this.inHand += rows;
        if (rows < 0) this.dispatch();
      },
      leave: () => {
        if (left) return;
        left = true;
        this.inHand -= held;
        held = 0;
        this.schedule.leave(realmId);
        this.seats.delete(realmId);
        this.early.get(realmId)?.end({ spent: 0 });
        this.early.delete(realmId);
        this.asking.get(realmId)?.(undefined);
        this.asking.delete(realmId);
        this.dispatch();
      },
    };
  }

  private ask(realmId: string, left: boolean): Promise<Turn | undefined> {
    if (left) return Promise.resolve(undefined);
    const early = this.early.get(realmId);
    if (early) {
      this.early.delete(realmId);
      return Promise.resolve(early);
    }
    return new Promise((resolve) => this.asking.set(realmId, resolve));
  }

  private dispatch(): void {
    if (this.dispatching) return;
    this.dispatching = true;
    try {
      while (this.running < this.o.atOnce) {
        const given = this.schedule.next(this.clock.nowMs(), this.lanesWithRoom());
        if (!given) break;
        const turn = this.turn(given.realmId, given.lane, given.allowance);
        const resolve = this.asking.get(given.realmId);
        this.asking.delete(given.realmId);
        if (resolve) resolve(turn);
        else this.early.set(given.realmId, turn);
      }
    } finally {
      this.dispatching = false;
    }
    this.sleepUntilNext();
  }

  private lanesWithRoom(): TurnLane[] {
    const { rowsInHand } = this.o;
    if (this.inHand < rowsInHand) return ['live', 'bulk'];
    return this.inHand < rowsInHand * liveOverdraft ? ['live'] : [];
  }

  private turn(realmId: string, lane: TurnLane, allowance: number): Turn {
    this.running++;
    const seat = this.seats.get(realmId);
    let ended = false;
    return {
      lane,
      allowance,
      end: ({ spent, again, restMs }) => {
        if (ended) return;
        ended = true;
        this.running--;
        const end: TurnEnd = {
          spent,
          again,
          untilMs: restMs === undefined ? undefined : this.clock.nowMs() + Math.max(1, restMs),
        };
        if (seat === this.seats.get(realmId)) this.schedule.end(realmId, end);
        this.dispatch();
      },
    };
  }

  private sleepUntilNext(): void {
    // With all turns taken the end of one dispatches again.
    const atMs = this.running < this.o.atOnce ? this.schedule.nextWakeMs() : Number.POSITIVE_INFINITY;
    if (this.nap && this.nap.atMs <= atMs) return;
    this.nap?.abort.abort();
    this.nap = undefined;
    if (!Number.isFinite(atMs)) return;
    const nap = { atMs, abort: new AbortController() };
    this.nap = nap;
    void this.clock.sleep(Math.max(1, atMs - this.clock.nowMs()), nap.abort.signal).then(() => {
      if (this.nap !== nap) return;
      this.nap = undefined;
      this.dispatch();
    });
  }
}
