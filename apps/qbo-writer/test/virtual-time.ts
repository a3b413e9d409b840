// Time that moves only when nothing is at work: hours of quota in minutes, with the real database and the real emulator. Every
// statement and request is counted while it runs; when none is, the clock jumps to the next sleeper.
import type { Clock } from '#common/clock';
import type { Database } from '#storage';

interface Sleeper {
  atMs: number;
  order: number;
  wake: () => void;
}

/** Promise chains between two statements are over after so many turns of the event loop. */
const quietTurns = 3;

export class VirtualTime implements Clock {
  private current: number;
  private order = 0;
  private sleepers: Sleeper[] = [];
  private atWork = 0;
  private idle: (() => void) | undefined;
  private stopped = false;

  constructor(startMs = Date.now()) {
    this.current = startMs;
    void this.run();
  }

  nowMs(): number {
    return this.current;
  }

  now(): Date {
    return new Date(this.current);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        this.sleepers = this.sleepers.filter((one) => one !== sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { atMs: this.current + Math.max(0, ms), order: this.order++, wake };
      this.sleepers.push(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Time stands still until this is over. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.atWork++;
    try {
      return await work();
    } finally {
      this.atWork--;
      if (this.atWork === 0) this.idle?.();
    }
  }

  /** A database whose statements stop time. */
  watching(db: Database): Database {
    const counted = new Set<string | symbol>(['query', 'withTransaction', 'withTenant', 'withSession']);
    return new Proxy(db, {
      get: (target, name, receiver) => {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function' || !counted.has(name)) return value;
        const call = value as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => this.during(() => call.apply(target, args));
      },
    });
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(): Promise<void> {
    for (let quiet = 0; !this.stopped;) {
      if (this.atWork > 0) {
        quiet = 0;
        await new Promise<void>((resolve) => (this.idle = resolve));
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (this.atWork > 0) continue;
      if (++quiet < quietTurns) continue;
      quiet = 0;
      const [next] = [...this.sleepers].sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      if (!next) continue;
      this.current = Math.max(this.current, next.atMs);
      next.wake();
    }
  }
}
