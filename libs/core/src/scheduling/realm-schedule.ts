// Whose turn it is among the companies of one process: deficit round robin over those that can act now, live work first with
// a floor for bulk, and a heap for those that sleep. No clock, no I/O: time arrives as an argument.
//
// A company is in one of four places:
//   ring live / ring bulk   it can act now and waits for its turn; with work in both lanes it stands in the live ring
//   in turn                 it was given a turn that has not ended; wakes that come meanwhile are kept for the end
//   resting                 in the heap until its moment, or out of it until woken
//
// Deficit round robin: at each turn a company may spend `quantum` rows and what it left of its last turn while it had more to
// do; who overdrew waits that much longer. So each gets the same share of rows however greedy a neighbour is, at a cost per
// turn that does not depend on how many there are. Sleeping companies are touched only when their moment comes.
import { Heap } from './heap.js';

export type TurnLane = 'live' | 'bulk';

export interface SchedulePolicy {
  /** rows a company may take at one turn */
  quantum: number;
  /** while bulk waits, at least every n-th turn is bulk: live edits of many companies cannot stop all backfills */
  bulkEvery: number;
}

export const defaultSchedulePolicy: SchedulePolicy = {
  // Four batches of 30: what a company can have on its way at QBO while the next turn is prepared.
  quantum: 120,
  bulkEvery: 10,
};

export interface TurnGiven {
  realmId: string;
  lane: TurnLane;
  /** rows it may take */
  allowance: number;
}

export interface TurnEnd {
  /** rows it took */
  spent: number;
  /** it has more to do in this lane */
  again?: TurnLane | undefined;
  /** else it sleeps until then unless woken; Infinity: until woken */
  untilMs?: number | undefined;
}

interface Seat {
  realmId: string;
  place: TurnLane | 'in turn' | 'resting';
  wants: Record<TurnLane, boolean>;
  deficit: number;
  before: Seat | undefined;
  after: Seat | undefined;
  /** an entry of the heap with another stamp is of a rest that was cut short */
  stamp: number;
}

class Ring {
  private first: Seat | undefined;
  private last: Seat | undefined;
  size = 0;

  get head(): Seat | undefined {
    return this.first;
  }

  push(seat: Seat): void {
    seat.before = this.last;
    seat.after = undefined;
    if (this.last) this.last.after = seat;
    else this.first = seat;
    this.last = seat;
    this.size++;
  }

  remove(seat: Seat): void {
    if (seat.before) seat.before.after = seat.after;
    else this.first = seat.after;
    if (seat.after) seat.after.before = seat.before;
    else this.last = seat.before;
    seat.before = seat.after = undefined;
    this.size--;
  }
}

export class RealmSchedule {
  private readonly seats = new Map<string, Seat>();
  private readonly rings = { live: new Ring(), bulk: new Ring() };
  private resting = new Heap<{ atMs: number; seat: Seat; stamp: number }>((a, b) => a.atMs - b.atMs);
  private liveSinceBulk = 0;

  constructor(readonly policy: SchedulePolicy = defaultSchedulePolicy) {}

  get size(): number {
    return this.seats.size;
  }

  /** Companies that could act now. */
  get waiting(): number {
    return this.rings.live.size + this.rings.bulk.size;
  }

  /** A new company wants its first turn. */
  join(realmId: string, lane: TurnLane = 'bulk'): void {
    if (this.seats.has(realmId)) throw new RangeError(`company ${realmId} has its seat already`);
    const seat: Seat = {
      realmId,
      place: 'resting',
      wants: { live: false, bulk: false },
      deficit: 0,
      before: undefined,
      after: undefined,
      stamp: 0,
    };
    this.seats.set(realmId, seat);
    seat.wants[lane] = true;
    this.enterRing(seat);
  }

  leave(realmId: string): void {
    const seat = this.seats.get(realmId);
    if (!seat) return;
    this.seats.delete(realmId);
    if (seat.place === 'live' || seat.place === 'bulk') this.rings[seat.place].remove(seat);
    seat.stamp++;
    seat.place = 'resting';
  }

  /** It may be able to act now. */
  wake(realmId: string, lane: TurnLane): void {
    const seat = this.seats.get(realmId);
    if (!seat) return;
    const better = lane === 'live' && !seat.wants.live;
    seat.wants[lane] = true;
    if (seat.place === 'resting') this.enterRing(seat);
    else if (seat.place === 'bulk' && better) {
      this.rings.bulk.remove(seat);
      this.enterRing(seat);
    }
  }

  /** Whose turn it is; undefined when nobody can act now. `lanes` narrows it while there is no room for bulk. */
  next(nowMs: number, lanes: readonly TurnLane[] = ['live', 'bulk']): TurnGiven | undefined {
    this.wakeRested(nowMs);
    const lane = this.laneOfTurn(lanes);
    if (lane === undefined) return undefined;
    const ring = this.rings[lane];
    // Ends: each pass over the ring makes every deficit in it larger.
    for (;;) {
      const seat = ring.head!;
      ring.remove(seat);
      seat.deficit += this.policy.quantum;
      if (seat.deficit <= 0) {
        ring.push(seat);
        continue;
      }
      seat.place = 'in turn';
      seat.wants[lane] = false;
      this.liveSinceBulk = lane === 'bulk' ? 0 : this.liveSinceBulk + 1;
      return { realmId: seat.realmId, lane, allowance: seat.deficit };
    }
  }

  /** The turn is over. */
  end(realmId: string, { spent, again, untilMs = Number.POSITIVE_INFINITY }: TurnEnd): void {
    const seat = this.seats.get(realmId);
    if (!seat) return;
    if (seat.place !== 'in turn') throw new Error(`company ${realmId} ends a turn it does not have`);
    seat.deficit -= spent;
    if (again) seat.wants[again] = true;
    if (seat.wants.live || seat.wants.bulk) return this.enterRing(seat);
    // What was not needed is not saved up: else a quiet company could flood its neighbours later.
    seat.deficit = Math.min(seat.deficit, 0);
    seat.place = 'resting';
    if (Number.isFinite(untilMs)) this.resting.push({ atMs: untilMs, seat, stamp: seat.stamp });
    if (this.resting.size > 2 * this.seats.size + 64) this.dropCutShort();
  }

  /** The next moment at which a rest ends; Infinity when none does by itself. */
  nextWakeMs(): number {
    for (;;) {
      const first = this.resting.peek();
      if (!first) return Number.POSITIVE_INFINITY;
      if (first.stamp === first.seat.stamp) return first.atMs;
      this.resting.pop();
    }
  }

  private laneOfTurn(lanes: readonly TurnLane[]): TurnLane | undefined {
    const live = this.rings.live.size > 0 && lanes.includes('live');
    const bulk = this.rings.bulk.size > 0 && lanes.includes('bulk');
    if (live && bulk) return this.liveSinceBulk + 1 >= this.policy.bulkEvery ? 'bulk' : 'live';
    return live ? 'live' : bulk ? 'bulk' : undefined;
  }

  private wakeRested(nowMs: number): void {
    while (this.nextWakeMs() <= nowMs) {
      const { seat } = this.resting.pop()!;
      seat.wants.bulk = true;
      this.enterRing(seat);
    }
  }

  private enterRing(seat: Seat): void {
    seat.stamp++;
    seat.place = seat.wants.live ? 'live' : 'bulk';
    this.rings[seat.place].push(seat);
  }

  private dropCutShort(): void {
    const kept = this.resting.entries().filter(({ seat, stamp }) => seat.stamp === stamp);
    this.resting = new Heap((a, b) => a.atMs - b.atMs);
    for (const entry of kept) this.resting.push(entry);
  }
}
