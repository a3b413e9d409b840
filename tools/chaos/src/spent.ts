// Where the seconds of a round go: one stretch after the other, each by its name. The line that a person reads says it once, for all
// rounds together.
export type Spent = Readonly<Record<string, number>>;

export class Stretches {
  private readonly ms = new Map<string, number>();

  constructor(
    private readonly nowMs: () => number = () => performance.now(),
    private sinceMs = nowMs(),
  ) {}

  /** All since the last one ended, or since the beginning, was this. */
  ended(name: string): void {
    const now = this.nowMs();
    this.ms.set(name, (this.ms.get(name) ?? 0) + now - this.sinceMs);
    this.sinceMs = now;
  }

  get spent(): Spent {
    return Object.fromEntries([...this.ms].map(([name, ms]) => [name, Math.round(ms)]));
  }
}

export function spentLine(rounds: readonly Spent[], kills: number): string {
  const sums = new Map<string, number>();
  for (const [name, ms] of rounds.flatMap((spent) => Object.entries(spent))) sums.set(name, (sums.get(name) ?? 0) + ms);
  const all = [...sums.values()].reduce((sum, ms) => sum + ms, 0);
  const told = [...sums].map(([name, ms]) => `${name} ${seconds(ms)}`).join(', ');
  return `seconds: ${seconds(all)} = ${told}${kills === 0 ? '' : `; ${seconds(all / kills)} a kill`}`;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
