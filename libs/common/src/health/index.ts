// Health. Live = this process can run code and its loops move; it never asks whether Kafka or PostgreSQL answer, or an
// outage there would become a restart storm here. Ready = it can do its work now: every registered probe says true.
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Clock } from '../clock/index.js';

export type Probe = () => Promise<true | string> | true | string;

export interface Watchdog {
  /** Work moved. Starts or restarts the count. */
  progress(): void;
  /** Nothing is expected to move until the next progress(). */
  idle(): void;
}

export interface HealthReport {
  status: 'ok' | 'failing';
  /** name -> true, or what is wrong */
  checks: Record<string, true | string>;
}

const probeTimeoutMs = 2000;
const tickMs = 1000;
// A loop that has not turned for ten ticks is stuck, not busy: the longest planned computation is far below one second.
const maxLoopSilenceMs = 10 * tickMs;

export class Health {
  private readonly probes = new Map<string, Probe>();
  private readonly watchdogs = new Map<string, { maxSilenceMs: number; lastMs: number | undefined }>();
  private acceptingWork = false;
  private lastTickMs: number;
  private readonly ticker: NodeJS.Timeout;

  constructor(private readonly clock: Clock) {
    this.lastTickMs = clock.nowMs();
    this.ticker = setInterval(() => (this.lastTickMs = this.clock.nowMs()), tickMs);
    this.ticker.unref();
  }

  /** Something readiness depends on. A probe that throws or takes longer than two seconds counts as failing. */
  register(name: string, probe: Probe): void {
    this.probes.set(name, probe);
  }

  /** A loop that must move: fails liveness when `maxSilenceMs` pass between progress() and the next call. */
  watchdog(name: string, o: { maxSilenceMs: number }): Watchdog {
    const state: { maxSilenceMs: number; lastMs: number | undefined } = { ...o, lastMs: undefined };
    this.watchdogs.set(name, state);
    return {
      progress: () => void (state.lastMs = this.clock.nowMs()),
      idle: () => void (state.lastMs = undefined),
    };
  }

  /** Set by the process's start and stop; before the first and after the last of them nothing is ready. */
  accept(accepting: boolean): void {
    this.acceptingWork = accepting;
  }

  live(): HealthReport {
    const now = this.clock.nowMs();
    const checks: HealthReport['checks'] = {};
    const loopSilence = now - this.lastTickMs;
    checks['event-loop'] = loopSilence <= maxLoopSilenceMs || `timers have not fired for ${loopSilence} ms`;
    for (const [name, { maxSilenceMs, lastMs }] of this.watchdogs) {
      const silence = lastMs === undefined ? 0 : now - lastMs;
      checks[name] = silence <= maxSilenceMs || `no progress for ${silence} ms (limit ${maxSilenceMs} ms)`;
    }
    return report(checks);
  }

  async ready(): Promise<HealthReport> {
    const checks: HealthReport['checks'] = { process: this.acceptingWork || 'starting or stopping' };
    await Promise.all(
      [...this.probes].map(async ([name, probe]) => {
        checks[name] = await ask(probe);
      }),
    );
    return report(checks);
  }

  close(): void {
    clearInterval(this.ticker);
  }
}

function report(checks: HealthReport['checks']): HealthReport {
  return { status: Object.values(checks).every((check) => check === true) ? 'ok' : 'failing', checks };
}

async function ask(probe: Probe): Promise<true | string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${probeTimeoutMs} ms`), probeTimeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve(probe()), late]);
  } catch (error) {
    return (error as Error).message || 'failed';
  } finally {
    clearTimeout(timer);
  }
}

interface Reply {
  status(code: number): unknown;
}

@Controller('health')
export class HealthController {
  constructor(@Inject(Health) private readonly health: Health) {}

  @Get('live')
  live(@Res({ passthrough: true }) reply: Reply): HealthReport {
    return answer(this.health.live(), reply);
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: Reply): Promise<HealthReport> {
    return answer(await this.health.ready(), reply);
  }
}

function answer(health: HealthReport, reply: Reply): HealthReport {
  reply.status(health.status === 'ok' ? 200 : 503);
  return health;
}
