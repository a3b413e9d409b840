// How long calls take, learned from their answers: what a request costs by itself, and what each type adds per item. Only
// estimates hang on it (single or batch, which types apart), so it lives in memory and begins from a guess.

/** Before anything was seen. Intuit advises 10 to 15 heavy documents a batch because of its time-out of 120 s. */
const firstGuess = { callMs: 300, itemMs: 100 };
/** A slow hour is noticed within some ten calls, one slow call does not turn everything about. */
const weightOfNew = 0.2;

export class CallCosts {
  private callMs = firstGuess.callMs;
  private readonly itemMs = new Map<string, number>();

  /** A call was answered after so long. */
  learn(types: readonly string[], tookMs: number): void {
    if (types.length === 0 || !Number.isFinite(tookMs) || tookMs < 0) return;
    if (types.length === 1) {
      // A lone item tells the two apart only together with the batches: what is known of the type is taken off.
      this.callMs = mixed(this.callMs, Math.max(1, tookMs - Math.min(this.itemOf(types[0]!), tookMs / 2)));
      return;
    }
    const known = types.reduce((sum, type) => sum + this.itemOf(type), 0);
    const itemsMs = Math.max(types.length * 0.5, tookMs - Math.min(this.callMs, tookMs / 2));
    // Each type is blamed by its part of what was expected.
    for (const type of new Set(types)) {
      this.itemMs.set(type, mixed(this.itemOf(type), (this.itemOf(type) / known) * itemsMs));
    }
  }

  get perCallMs(): number {
    return this.callMs;
  }

  itemOf(type: string): number {
    return this.itemMs.get(type) ?? firstGuess.itemMs;
  }
}

function mixed(old: number, seen: number): number {
  return old + weightOfNew * (seen - old);
}
