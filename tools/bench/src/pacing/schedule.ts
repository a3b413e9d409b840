// One life of one company's quota in virtual time: processes with clocks of their own, networks that jitter and stall,
// answers that are slow, crashes, hand-overs, other apps, a database that is set back; and a server that counts for itself
// and knows nothing of the governor. Everything follows from a seed.
import {
  admit,
  betterOffset,
  bury,
  complete,
  databaseTime,
  defaultPacingPolicy,
  initialPacing,
  unknownPast,
  type CallClass,
  type ClockOffset,
  type DatabaseTime,
  type PacingState,
} from '#core';

export interface Schedule {
  seed: number;
  minutes: number;
  processes: ProcessPlan[];
  serverMs: { min: number; max: number };
  /** and beside that, for each item of a batch */
  itemMs: { min: number; max: number };
  /** another Intuit app on the same company: calls a minute, in lumps or evenly */
  otherApp: { perMinute: number; lump: number };
  /** moments at which the database is set back, and by how much */
  restores: { atMs: number; byMs: number }[];
}

export interface ProcessPlan {
  /** its clock against the truth */
  skewMs: number;
  /** the most that a statement takes to PostgreSQL, and its answer back */
  databaseMs: number;
  oneWayMs: number;
  jitterMs: number;
  /** from a moment on everything is otherwise, from one call to the next: a starved process is not, a route is shorter */
  regimes: Regime[];
  /** nothing of this process goes through: at its end all goes at once */
  stalls: { atMs: number; forMs: number }[];
  /** kill -9; a successor with another identity takes over after a while */
  crashes: { atMs: number; downMs: number }[];
  lanes: LanePlan[];
}

export interface Regime {
  atMs: number;
  /** between a grant and its sending */
  lagMs: number;
  /** beyond the process's own */
  wayMs: number;
}

export interface LanePlan {
  class: CallClass;
  /** how many callers stand in this lane at once */
  callers: number;
  batchShare: number;
  /** pause of a caller between two calls; 0 is saturation */
  pauseMs: number;
}

export interface Counted {
  calls: number;
  /** calls accepted from one minute on until the end, by all lanes */
  steady: number;
  throttled: number;
  peakPerMinute: number;
  peakPerSecond: number;
  peakInFlight: number;
  peakBatchesPerMinute: number;
}

/** As QBO counts: windows over arrivals; a refused call is not counted. */
class Server {
  private readonly minute: number[] = [];
  private readonly second: number[] = [];
  private readonly batches: number[] = [];
  private inFlight = 0;
  readonly counted: Counted = {
    calls: 0,
    steady: 0,
    throttled: 0,
    peakPerMinute: 0,
    peakPerSecond: 0,
    peakInFlight: 0,
    peakBatchesPerMinute: 0,
  };
  private ours = 0;

  constructor(private readonly steadyFromMs: number) {}

  /** @returns whether it is let in; then `leave` follows */
  arrive(nowMs: number, batch: boolean, other = false): boolean {
    const { counted } = this;
    trim(this.minute, nowMs - 60_000);
    trim(this.second, nowMs - 1_000);
    trim(this.batches, nowMs - 60_000);
    if (this.minute.length >= 500) {
      if (!other) counted.throttled += 1;
      return false;
    }
    this.minute.push(nowMs);
    if (other) return true;
    // What is broken is recorded, not refused: a refusal would hide the next one.
    this.second.push(nowMs);
    if (batch) this.batches.push(nowMs);
    this.inFlight += 1;
    this.ours += 1;
    counted.calls += 1;
    if (nowMs >= this.steadyFromMs) counted.steady += 1;
    counted.peakPerMinute = Math.max(counted.peakPerMinute, this.minute.length);
    counted.peakPerSecond = Math.max(counted.peakPerSecond, this.second.length);
    counted.peakBatchesPerMinute = Math.max(counted.peakBatchesPerMinute, this.batches.length);
    counted.peakInFlight = Math.max(counted.peakInFlight, this.inFlight);
    return true;
  }

  leave(): void {
    this.inFlight -= 1;
  }
}

function trim(times: number[], oldest: number): void {
  let gone = 0;
  while (gone < times.length && times[gone]! <= oldest) gone += 1;
  if (gone > 0) times.splice(0, gone);
}

interface Queue {
  lane: LanePlan;
  waiting: number;
}

interface Life {
  plan: ProcessPlan;
  by: string;
  alive: boolean;
  diedMs: number;
  offset: ClockOffset | undefined;
}

const policy = defaultPacingPolicy;
const deadAfterMs = 10_000;
const app = 'intuit app';

export function play(schedule: Schedule): Counted {
  const random = seeded(schedule.seed);
  const endMs = schedule.minutes * 60_000;
  const server = new Server(60_000);
  const events = new Agenda();
  let state: PacingState = initialPacing();
  const history: { atMs: number; state: PacingState }[] = [];
  const lives = new Map<string, Life>();
  let names = 0;

  const born = (plan: ProcessPlan, atMs: number): void => {
    const life: Life = { plan, by: `p${(names += 1)}`, alive: true, diedMs: Infinity, offset: undefined };
    lives.set(life.by, life);
    const next = plan.crashes.find((crash) => crash.atMs > atMs);
    if (next) {
      events.at(next.atMs, (nowMs) => {
        life.alive = false;
        life.diedMs = nowMs;
        events.at(nowMs + next.downMs, (thenMs) => born(plan, thenMs));
      });
    }
    for (const lane of plan.lanes) {
      const queue: Queue = { lane, waiting: 0 };
      for (let caller = 0; caller < lane.callers; caller += 1) {
        events.at(atMs + random() * 50, (nowMs) => come(life, queue, nowMs));
      }
    }
  };

  /** What this process takes for the database's time, from one more statement to it. */
  const clockOf = (life: Life, nowMs: number): DatabaseTime => {
    const out = random() * life.plan.databaseMs;
    const back = random() * life.plan.databaseMs;
    const own = nowMs + life.plan.skewMs;
    life.offset = betterOffset(life.offset, { sentMs: own - out - back, receivedMs: own, databaseMs: nowMs - back });
    return databaseTime(life.offset, own);
  };

  const stalled = (life: Life, nowMs: number): number => {
    const stall = life.plan.stalls.find((one) => nowMs >= one.atMs && nowMs < one.atMs + one.forMs);
    return stall ? stall.atMs + stall.forMs : nowMs;
  };

  /** Only the head of a queue asks. */
  const come = (life: Life, queue: Queue, nowMs: number): void => {
    queue.waiting += 1;
    if (queue.waiting === 1) ask(life, queue, nowMs, random() < queue.lane.batchShare);
  };

  const ask = (life: Life, queue: Queue, nowMs: number, batch: boolean): void => {
    if (!life.alive || nowMs >= endMs) return;
    const { lane } = queue;
    const { fromMs: atMs } = clockOf(life, nowMs);
    state = bury(state, policy, atMs, ({ by }) => (lives.get(by)?.diedMs ?? Infinity) + deadAfterMs < nowMs);
    const call = { kind: batch ? ('batch' as const) : ('single' as const), app, class: lane.class, by: life.by };
    const admitted = admit(state, policy, atMs, call);
    state = admitted.state;
    if (admitted.decision.kind === 'wait') {
      const waitMs = Math.max(1, admitted.decision.untilMs - atMs);
      // As the planner does: who would wait long for a batch sends singles.
      const instead = batch && waitMs > 100;
      events.at(nowMs + (instead ? 1 : Math.min(500, waitMs)), (at) => ask(life, queue, at, batch && !instead));
      return;
    }
    queue.waiting -= 1;
    if (queue.waiting > 0) events.at(nowMs, (at) => ask(life, queue, at, random() < lane.batchShare));
    send(life, queue, nowMs, admitted.decision.grantId, batch);
  };

  const send = (life: Life, queue: Queue, nowMs: number, grantId: number, batch: boolean): void => {
    // As planned with a backlog, and what is left of it.
    const items = batch ? (random() < 0.7 ? 30 : 2 + Math.floor(random() * 28)) : 1;
    const regime = (atMs: number) => life.plan.regimes.findLast((one) => one.atMs <= atMs);
    const leg = (atMs: number) =>
      atMs + life.plan.oneWayMs + (regime(atMs)?.wayMs ?? 0) + random() * life.plan.jitterMs;
    const sentMs = nowMs + (regime(nowMs)?.lagMs ?? 0);
    events.at(leg(stalled(life, sentMs)), (arrivedMs) => {
      const letIn = server.arrive(Math.floor(arrivedMs), batch);
      const { min, max } = schedule.serverMs;
      const perItem = schedule.itemMs.min + random() * (schedule.itemMs.max - schedule.itemMs.min);
      const workMs = min + random() * (max - min) + (batch ? items * perItem : 0);
      events.at(arrivedMs + (letIn ? workMs : 1), (doneMs) => {
        if (letIn) server.leave();
        events.at(leg(stalled(life, doneMs)), (answeredMs) => {
          if (!life.alive) return;
          const { toMs: told } = clockOf(life, answeredMs);
          const did = { items, tookMs: answeredMs - sentMs };
          // Told to the row a little later, with the time of the answer.
          events.at(answeredMs + random() * 150, () => {
            if (life.alive) state = complete(state, policy, told, grantId, letIn ? 'ok' : 'throttled', did);
          });
          events.at(answeredMs + queue.lane.pauseMs * random() * 2, (at) => {
            if (life.alive) come(life, queue, at);
          });
        });
      });
    });
  };

  for (const plan of schedule.processes) born(plan, 0);
  for (const { atMs, byMs } of schedule.restores) {
    events.at(atMs, (nowMs) => {
      const earlier = history.findLast((moment) => moment.atMs <= nowMs - byMs);
      // The version of the row went back: every process that knew a later one says so.
      state = unknownPast(earlier?.state ?? initialPacing(), Math.floor(nowMs) + 4);
    });
  }
  if (schedule.restores.length > 0) {
    const keep = (nowMs: number): void => {
      history.push({ atMs: nowMs, state });
      if (nowMs < endMs) events.at(nowMs + 1_000, keep);
    };
    events.at(0, keep);
  }
  const { perMinute, lump } = schedule.otherApp;
  if (perMinute > 0) {
    const other = (nowMs: number): void => {
      for (let call = 0; call < lump; call += 1) server.arrive(Math.floor(nowMs), false, true);
      if (nowMs < endMs) events.at(nowMs + (lump * 60_000 * 2 * random()) / perMinute, other);
    };
    events.at(random() * 1_000, other);
  }
  events.run(endMs);
  return server.counted;
}

export function seeded(seed: number): () => number {
  // mulberry32
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Happening = (nowMs: number) => void;

/** What happens when: a binary heap by time, then by order of entry. */
class Agenda {
  private readonly heap: { atMs: number; order: number; happen: Happening }[] = [];
  private order = 0;

  at(atMs: number, happen: Happening): void {
    const { heap } = this;
    heap.push({ atMs, order: (this.order += 1), happen });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.before(child, parent)) break;
      this.swap(child, parent);
      child = parent;
    }
  }

  run(untilMs: number): void {
    const { heap } = this;
    while (heap.length > 0 && heap[0]!.atMs <= untilMs) {
      const first = heap[0]!;
      const last = heap.pop()!;
      if (heap.length > 0) {
        heap[0] = last;
        this.sink();
      }
      first.happen(first.atMs);
    }
  }

  private sink(): void {
    for (let parent = 0; ;) {
      const left = parent * 2 + 1;
      const right = left + 1;
      let least = parent;
      if (left < this.heap.length && this.before(left, least)) least = left;
      if (right < this.heap.length && this.before(right, least)) least = right;
      if (least === parent) return;
      this.swap(parent, least);
      parent = least;
    }
  }

  private before(a: number, b: number): boolean {
    const [one, other] = [this.heap[a]!, this.heap[b]!];
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b]!, this.heap[a]!];
  }
}
