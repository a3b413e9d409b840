// Time as a dependency: every stateful class takes a Clock, so that tests advance time instead of waiting for it.
// ManualClock promises that sleepers wake in the order of their due times and that each one's follow-up work runs
// before the next one wakes.

export interface Clock {
  /** epoch milliseconds, UTC */
  nowMs(): number;
  now(): Date;
  /** Resolves after `ms`, or at once when `signal` aborts: a stopping loop falls through to its own check. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Nest token; the service module provides it globally. */
export const CLOCK = Symbol('Clock');

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise<void>((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      // setTimeout fires at once for more than 24.8 days; nobody here means to sleep that long.
      const timer = setTimeout(done, Math.max(0, Math.min(ms, 2_147_483_647)));
      signal?.addEventListener('abort', done, { once: true });
    }),
};

interface Sleeper {
  dueMs: number;
  order: number;
  wake: () => void;
}

/** A clock that moves only when told. 2026-01-01T00:00:00Z unless a start is given. */
export class ManualClock implements Clock {
  private current: number;
  private order = 0;
  private sleepers: Sleeper[] = [];

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.current = startMs;
  }

  nowMs(): number {
    return this.current;
  }

  now(): Date {
    return new Date(this.current);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise<void>((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        this.sleepers = this.sleepers.filter((s) => s !== sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { dueMs: this.current + Math.max(0, ms), order: this.order++, wake };
      this.sleepers.push(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** How many sleepers wait: lets a test see that a loop has gone to rest. */
  get sleeping(): number {
    return this.sleepers.length;
  }

  /** Moves time on, waking sleepers one by one; a sleeper that sleeps again inside the span is woken again. */
  async advance(ms: number): Promise<void> {
    const end = this.current + ms;
    await settle();
    for (;;) {
      const next = this.sleepers
        .filter((s) => s.dueMs <= end)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (!next) break;
      this.current = Math.max(this.current, next.dueMs);
      next.wake();
      await settle();
    }
    this.current = end;
    await settle();
  }
}

// One turn of the event loop runs every promise reaction that is already due, however long the chain.
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
