// What has to finish before this process may leave. Modes: running -> stopping (once, for good). In `running` drains are
// registered; `drain()` enters `stopping`: the signal aborts, then every drain runs, in the order of registration.
import type { Log } from '../logging/index.js';

export class Lifecycle {
  private readonly drains: { name: string; fn: () => Promise<void> }[] = [];
  private readonly controller = new AbortController();

  /** Aborts when the stop begins: pass it to sleeps and waits. */
  get stopping(): AbortSignal {
    return this.controller.signal;
  }

  /** Runs at the stop, before consumers, HTTP and pools close. */
  onDrain(name: string, fn: () => Promise<void>): void {
    this.drains.push({ name, fn });
  }

  /** Ends waits; idempotent. */
  beginStop(): void {
    this.controller.abort();
  }

  /** Every drain runs, also after one failed; answers the names of those that failed. */
  async drain(log: Log): Promise<string[]> {
    this.beginStop();
    const failed: string[] = [];
    for (const { name, fn } of this.drains) {
      try {
        await fn();
      } catch (error) {
        failed.push(name);
        log.error({ err: error, drain: name }, 'drain failed');
      }
    }
    return failed;
  }
}
