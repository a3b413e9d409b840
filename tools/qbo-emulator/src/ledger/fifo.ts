// First in, first out: the stock of one item as a sorted list of movements and what each of them costs. The costs are a
// pure function of the set of movements (date, inbound before outbound, the starting quantity before documents, transaction
// id), so the order in which they are told or edited never matters. Appending at the end costs one step; a back-dated change recomputes from the
// nearest checkpoint, and only when somebody looks (`settle`).
import { plus, share, type Cents, type Units } from '../money/index.js';
import type { Line } from './posting.js';

export type MovementKind =
  | 'start' // starting quantity, value given
  | 'purchase' // inbound at the line's amount
  | 'adjust-in' // inbound at the item's purchase cost
  | 'return' // inbound at the newest consumed cost
  | 'sale' // outbound at FIFO cost
  | 'adjust-out' // outbound at FIFO cost
  | 'vendor-credit'; // outbound at FIFO cost; the document itself takes `value` from the asset

export class Movement {
  /** What the stock account gained (inbound) or lost (outbound) by this movement; set by the stock. */
  cost: Cents;
  /** The pair of ledger lines that carries a computed cost; absent when the document's own lines do. */
  assetLine: Line | undefined;
  costLine: Line | undefined;
  /** The item's starting quantity: entered with the item, so before every document that names it, whatever its id. */
  readonly isOpening: boolean;

  constructor(
    readonly item: string,
    readonly kind: MovementKind,
    readonly units: Units, // always positive
    readonly value: Cents,
    readonly ymd: number,
    readonly order: number,
    readonly line: number,
    readonly type: string,
    readonly id: string,
  ) {
    // A vendor credit's own line takes `value`; only a cost that differs from it has to be booked.
    this.cost = kind === 'vendor-credit' ? value : 0;
    this.isOpening = type === 'InventoryStartingValue';
  }

  get inbound(): boolean {
    return this.kind === 'start' || this.kind === 'purchase' || this.kind === 'adjust-in' || this.kind === 'return';
  }
}

function compare(a: Movement, b: Movement): number {
  if (a.ymd !== b.ymd) return a.ymd - b.ymd;
  if (a.inbound !== b.inbound) return a.inbound ? -1 : 1;
  if (a.isOpening !== b.isOpening) return a.isOpening ? -1 : 1;
  if (a.order !== b.order) return a.order - b.order;
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  return a.line - b.line;
}

/** Quantity with the value it stands for; a unit cost without rounding. */
interface Lot {
  units: Units;
  value: Cents;
}

interface Short {
  readonly movement: Movement;
  /** Still to be covered by a later inbound. */
  units: Units;
  settled: Cents;
  /** Interim cost of what is still uncovered: last known unit cost. */
  readonly interim: Lot;
}

interface State {
  layers: Lot[];
  shorts: Short[];
  lastKnown: Lot;
  lastConsumed: Lot | undefined;
}

const CHECKPOINT_EVERY = 64;

export class ItemStock {
  readonly movements: Movement[] = [];
  /** Quantity on hand over all dates. */
  units: Units = 0;
  /** First index whose cost is not yet computed. */
  private settled = 0;
  private state: State = emptyState();
  private readonly checkpoints: State[] = []; // checkpoints[k] = state before movement (k + 1) * CHECKPOINT_EVERY

  constructor(readonly item: string) {}

  add(movement: Movement): void {
    let low = 0;
    let high = this.movements.length;
    if (high > 0 && compare(this.movements[high - 1], movement) < 0) low = high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.movements[middle], movement) < 0) low = middle + 1;
      else high = middle;
    }
    this.movements.splice(low, 0, movement);
    this.units = plus(this.units, movement.inbound ? movement.units : -movement.units);
    this.rewindTo(low);
  }

  remove(movement: Movement): void {
    let low = 0;
    let high = this.movements.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.movements[middle], movement) < 0) low = middle + 1;
      else high = middle;
    }
    const at = this.movements[low] === movement ? low : this.movements.indexOf(movement);
    if (at < 0) return;
    this.movements.splice(at, 1);
    this.units = plus(this.units, movement.inbound ? -movement.units : movement.units);
    this.rewindTo(at);
  }

  get dirty(): boolean {
    return this.settled < this.movements.length || this.rewound;
  }
  private rewound = false;

  private rewindTo(index: number): void {
    if (index >= this.settled) return;
    const checkpoint = Math.floor(index / CHECKPOINT_EVERY);
    this.checkpoints.length = Math.min(this.checkpoints.length, checkpoint);
    const kept = this.checkpoints.length;
    this.state = kept === 0 ? emptyState() : copyState(this.checkpoints[kept - 1]);
    this.settled = kept * CHECKPOINT_EVERY;
    this.rewound = true;
  }

  /** Computes what is open; tells of every movement whose cost differs from what it was. */
  settle(changed: (movement: Movement, from: Cents) => void): void {
    const before = new Map<Movement, Cents>();
    const set = (movement: Movement, cost: Cents): void => {
      if (movement.cost === cost) return;
      if (!before.has(movement)) before.set(movement, movement.cost);
      movement.cost = cost;
    };
    // A checkpoint may hold short sales that were covered after it: they stand at their checkpoint cost again.
    if (this.rewound) for (const short of this.state.shorts) set(short.movement, costOf(short));
    this.rewound = false;
    for (; this.settled < this.movements.length; this.settled++) {
      if (this.settled > 0 && this.settled % CHECKPOINT_EVERY === 0) {
        this.checkpoints[this.settled / CHECKPOINT_EVERY - 1] = copyState(this.state);
      }
      const movement = this.movements[this.settled];
      if (movement.inbound) this.receive(movement, set);
      else this.issue(movement, set);
    }
    for (const [movement, from] of before) if (movement.cost !== from) changed(movement, from);
  }

  private receive(movement: Movement, set: (m: Movement, cost: Cents) => void): void {
    const { state } = this;
    let value = movement.value;
    if (movement.kind === 'return') {
      const unit = state.lastConsumed ?? state.lastKnown;
      value = costShare(unit, movement.units);
    }
    set(movement, value);
    let units = movement.units;
    if (units === 0) return;
    state.lastKnown = { units, value };
    while (units > 0 && state.shorts.length > 0) {
      const short = state.shorts[0];
      const taken = Math.min(units, short.units);
      const cost = share(value, taken, units);
      units -= taken;
      value -= cost;
      short.units -= taken;
      short.settled = plus(short.settled, cost);
      set(short.movement, costOf(short));
      if (short.units === 0) state.shorts.shift();
    }
    if (units > 0) state.layers.push({ units, value });
  }

  private issue(movement: Movement, set: (m: Movement, cost: Cents) => void): void {
    const { state } = this;
    let needed = movement.units;
    let cost = 0;
    while (needed > 0 && state.layers.length > 0) {
      const layer = state.layers[0];
      const taken = Math.min(needed, layer.units);
      const part = share(layer.value, taken, layer.units);
      state.lastConsumed = { units: taken, value: part };
      cost = plus(cost, part);
      needed -= taken;
      layer.units -= taken;
      layer.value -= part;
      if (layer.units === 0) state.layers.shift();
    }
    if (needed > 0) {
      const short: Short = { movement, units: needed, settled: cost, interim: { ...state.lastKnown } };
      state.shorts.push(short);
      cost = costOf(short);
    }
    set(movement, cost);
  }

  /** Value of what is on hand: equals what the movements put on the stock account. */
  value(): Cents {
    let sum = 0;
    for (const m of this.movements) sum = plus(sum, m.inbound ? m.cost : -m.cost);
    return sum;
  }
}

function emptyState(): State {
  return { layers: [], shorts: [], lastKnown: { units: 0, value: 0 }, lastConsumed: undefined };
}

function copyState(state: State): State {
  return {
    layers: state.layers.map((lot) => ({ ...lot })),
    shorts: state.shorts.map((short) => ({ ...short })),
    lastKnown: state.lastKnown,
    lastConsumed: state.lastConsumed,
  };
}

function costOf(short: Short): Cents {
  return plus(short.settled, costShare(short.interim, short.units));
}

/** A hundred billion: no cost QBO could show is larger. Keeps absurd unit costs from breaking reads. */
const LARGEST_COST = 1e13;

function costShare(lot: Lot, units: Units): Cents {
  if (lot.units === 0) return 0;
  if (Math.abs((lot.value / lot.units) * units) > LARGEST_COST) return Math.sign(lot.value) * LARGEST_COST;
  return share(lot.value, units, lot.units);
}
