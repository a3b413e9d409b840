// Persons at work in the source companies, by turns, at a steady pace: change after change until the number that was asked for.
// Which change comes n-th follows from the seed alone, whatever happens to the system that carries it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorClient } from '#testing';
import type { Journal } from './journal.js';

export class Load {
  private made = 0;
  private dueMs = performance.now();

  constructor(
    private readonly emulator: EmulatorClient,
    private readonly sources: readonly string[],
    private readonly seed: number,
    private readonly perSecond: number,
    private readonly journal: Journal,
  ) {}

  get done(): number {
    return this.made;
  }

  async until(changes: number): Promise<void> {
    // A pause is not caught up with: the pace is what a company sees.
    this.dueMs = Math.max(this.dueMs, performance.now());
    while (this.made < changes) {
      const realmId = this.sources[this.made % this.sources.length]!;
      const answer = (await this.emulator.edit(realmId, { count: 1, seed: this.seed * 1_000_003 + this.made })) as {
        done: unknown[];
      };
      if (answer.done.length !== 1) throw new Error(`the person at work in ${realmId} found nothing to do`);
      this.journal.write({ what: 'change', n: this.made, company: realmId, done: answer.done[0] });
      this.made++;
      this.dueMs += 1000 / this.perSecond;
      const waitMs = this.dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
    }
  }
}
