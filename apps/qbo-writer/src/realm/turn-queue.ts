// One at a time per company: names, because QBO contends on them, and the writing down of a backfill's batches. Live work goes
// before bulk work that waits; what is on its way is let finish.
import type { Lane } from '#storage';

export class TurnQueue {
  private busy = false;
  private readonly waiting: Record<Lane, (() => void)[]> = { live: [], bulk: [] };

  /** Resolves when it is this one's turn; what it resolves to ends the turn. */
  async take(lane: Lane): Promise<() => void> {
    if (this.busy) await new Promise<void>((resolve) => this.waiting[lane].push(resolve));
    this.busy = true;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const next = this.waiting.live.shift() ?? this.waiting.bulk.shift();
      // Stays busy when there is a next one: nobody may slip in between.
      if (next) next();
      else this.busy = false;
    };
  }
}
