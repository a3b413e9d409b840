// How long each publisher waited for Kafka after each kill: the longest time without an acknowledgement between the kill and
// the moment when all copies are in step again. Waits that began before the kill count from the kill.
export class Stalls {
  private readonly found: number[] = [];
  /** since the kill: last acknowledgement and longest wait, per publisher */
  private open: { lastMs: number; longestMs: number }[] | undefined;

  constructor(private readonly nowMs: () => number) {}

  killed(publishers: number): void {
    this.healed();
    const lastMs = this.nowMs();
    this.open = Array.from({ length: publishers }, () => ({ lastMs, longestMs: 0 }));
  }

  acknowledged(publisher: number): void {
    const one = this.open?.[publisher];
    if (!one) return;
    const now = this.nowMs();
    one.longestMs = Math.max(one.longestMs, now - one.lastMs);
    one.lastMs = now;
  }

  /** A wait that has not ended counts as far as it has come. */
  healed(): void {
    const now = this.nowMs();
    for (const { lastMs, longestMs } of this.open ?? []) this.found.push(Math.max(longestMs, now - lastMs));
    this.open = undefined;
  }

  percentile(share: number): number {
    const sorted = [...this.found].sort((a, b) => a - b);
    return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
  }
}
