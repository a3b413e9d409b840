// The emulator's two clocks. RealClock runs with the wall and can be pushed ahead; VirtualClock stands still until told.
// Everything that expires, slides or repeats (tokens, windows, webhook ladders) asks one of them and never Date.now().
import type { TimedClock } from '../types.js';

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Due alarms first by time, then by the order they were set: equal times must not depend on chance. */
class Alarms {
  private pending: Alarm[] = [];
  private counter = 0;

  add(at: number, fn: () => void): Alarm {
    const alarm = { at, order: this.counter++, fn };
    let index = this.pending.length;
    while (index > 0 && this.pending[index - 1]!.at > at) index--;
    this.pending.splice(index, 0, alarm);
    return alarm;
  }

  remove(alarm: Alarm): void {
    const index = this.pending.indexOf(alarm);
    if (index >= 0) this.pending.splice(index, 1);
  }

  next(): Alarm | undefined {
    return this.pending[0];
  }

  takeDue(now: number): Alarm | undefined {
    const first = this.pending[0];
    return first && first.at <= now ? this.pending.shift() : undefined;
  }
}

// An alarm may answer a promise (a webhook delivery over real HTTP). An advance waits for it, so that it can set its own
// next alarm before time moves on: one long advance equals many short ones.
async function ring(alarm: Alarm): Promise<void> {
  await alarm.fn();
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Time stands still between calls of `advance` or `set`; alarms ring on the way, each at its own time. */
export class VirtualClock implements TimedClock {
  private readonly alarms = new Alarms();

  /** Begins at the present second: clients bring their own clocks, and a restart must not fall behind what was stored. */
  constructor(private nowMs: number = Math.floor(Date.now() / 1000) * 1000) {}

  now(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    const alarm = this.alarms.add(this.nowMs + Math.max(0, delayMs), fn);
    return () => this.alarms.remove(alarm);
  }

  advance(ms: number): Promise<void> {
    return this.set(this.nowMs + ms);
  }

  async set(target: number): Promise<void> {
    assertForward(this.nowMs, target);
    for (let alarm = this.alarms.takeDue(target); alarm; alarm = this.alarms.takeDue(target)) {
      this.nowMs = Math.max(this.nowMs, alarm.at);
      await ring(alarm);
    }
    this.nowMs = Math.max(this.nowMs, target);
  }
}

/** Runs with the wall clock plus whatever has been added by `advance`; alarms that the jump passed ring at once. */
export class RealClock implements TimedClock {
  private aheadMs = 0;
  private readonly alarms = new Alarms();
  private wakeUp: NodeJS.Timeout | undefined;

  constructor(private readonly wall: () => number = Date.now) {}

  now(): number {
    return this.wall() + this.aheadMs;
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    const alarm = this.alarms.add(this.now() + Math.max(0, delayMs), fn);
    this.armWakeUp();
    return () => {
      this.alarms.remove(alarm);
      this.armWakeUp();
    };
  }

  advance(ms: number): Promise<void> {
    return this.set(this.now() + ms);
  }

  async set(target: number): Promise<void> {
    assertForward(this.now(), target, 1000);
    // The jump is made alarm by alarm, so that an alarm sees the time it was set for and may set another on the way.
    for (let next = this.alarms.next(); next && next.at <= target; next = this.alarms.next()) {
      this.aheadMs += Math.max(0, next.at - this.now());
      this.alarms.takeDue(next.at);
      await ring(next);
    }
    this.aheadMs += Math.max(0, target - this.now());
    this.armWakeUp();
  }

  private armWakeUp(): void {
    clearTimeout(this.wakeUp);
    const next = this.alarms.next();
    if (!next) return;
    // setTimeout holds at most 2^31-1 ms; a later alarm is simply looked at again then.
    const delayMs = Math.min(Math.max(0, next.at - this.now()), 2_000_000_000);
    this.wakeUp = setTimeout(() => {
      for (let due = this.alarms.takeDue(this.now()); due; due = this.alarms.takeDue(this.now())) due.fn();
      this.armWakeUp();
    }, delayMs);
    // An idle emulator must be able to exit: a pending alarm does not keep the process alive, its server does.
    this.wakeUp.unref();
  }
}

function assertForward(now: number, target: number, toleranceMs = 0): void {
  if (!Number.isFinite(target)) throw new RangeError('A clock is set to a number of milliseconds.');
  if (target < now - toleranceMs) throw new RangeError('Emulator time never runs backwards.');
}
