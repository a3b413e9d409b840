// Waiting for something outside this process (Kafka, PostgreSQL, the registry): back-off with full jitter, one log line
// per step, given up only when the process stops.
import type { Clock } from '../clock/index.js';
import type { Log } from '../logging/index.js';

export class StoppedWaiting extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(`stopped while waiting for ${what}`, options);
    this.name = 'StoppedWaiting';
  }
}

/** Upper bound of the pause after failure number `failures` (1, 2, ...); the pause itself is a random part of it. */
export function backoffCeilingMs(failures: number, minMs: number, maxMs: number): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
}

/** @throws StoppedWaiting when `signal` aborts */
export async function untilAvailable<T>(
  what: string,
  attempt: () => Promise<T>,
  o: { clock: Clock; log: Log; signal: AbortSignal; minMs?: number; maxMs?: number; random?: () => number },
): Promise<T> {
  const { clock, log, signal, minMs = 200, maxMs = 10_000, random = Math.random } = o;
  for (let failures = 1; ; failures++) {
    if (signal.aborted) throw new StoppedWaiting(what);
    try {
      const value = await attempt();
      if (failures > 1) log.info({ what, failures: failures - 1 }, 'available again');
      return value;
    } catch (error) {
      if (signal.aborted) throw new StoppedWaiting(what, { cause: error });
      const ceilingMs = backoffCeilingMs(failures, minMs, maxMs);
      // Full jitter, but never nothing: six processes that lost the same broker must not come back in step.
      const pauseMs = Math.max(1, Math.round(random() * ceilingMs));
      log.warn({ what, failures, pauseMs, reason: (error as Error).message }, 'not available, will try again');
      await clock.sleep(pauseMs, signal);
    }
  }
}
