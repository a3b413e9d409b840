// One step again and again: what looks for work by itself, and says when to look next. A step that fails (PostgreSQL or Kafka is
// away) is told and tried again with back-off, for whoever looks remembers nothing between two steps.
//
// Modes: idle -> running (start) -> stopped (stop, for good). In `running` one step is in hand at most; `stop` waits for it.
import type { Clock } from '../clock/index.js';
import type { Log } from '../logging/index.js';
import { backoffCeilingMs } from './available.js';

export interface RepeatedOptions {
  clock: Clock;
  log: Log;
  /** told when a step failed: what is not done */
  failed: string;
  /** ends it as well, sooner than `stop` */
  stopping?: AbortSignal;
  /** the longest pause after failures */
  maxPauseMs?: number;
}

const minPauseMs = 200;
const defaultMaxPauseMs = 10_000;

export class Repeated {
  private readonly ending = new AbortController();
  private readonly signal: AbortSignal;
  private loop: Promise<void> | undefined;

  /** `step` answers how long to pause, in ms; 0 is not at all. Its signal aborts when it shall end. */
  constructor(
    private readonly step: (stopping: AbortSignal) => Promise<number>,
    private readonly o: RepeatedOptions,
  ) {
    this.signal = AbortSignal.any([this.ending.signal, ...(o.stopping ? [o.stopping] : [])]);
  }

  /** Once; a second start changes nothing. */
  start(): void {
    this.loop ??= this.run();
  }

  /** Resolves when the step in hand has ended. Never rejects. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { clock, log, failed, maxPauseMs = defaultMaxPauseMs } = this.o;
    for (let failures = 0; !this.signal.aborted;) {
      let pauseMs: number;
      try {
        pauseMs = await this.step(this.signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        // Jitter, but never nothing: processes that lost the same database must not come back in step.
        pauseMs = Math.max(100, Math.random() * backoffCeilingMs(failures, minPauseMs, maxPauseMs));
        log.warn({ err: error, failures }, `${failed}, will try again`);
      }
      if (pauseMs > 0) await clock.sleep(pauseMs, this.signal);
    }
  }
}
