// What a person sees: phases, a live line, tables. On a terminal the live line is rewritten in place; elsewhere it is a
// plain line, at most one every two seconds; with --quiet only phases and results remain.
const plainEveryMs = 2000;

export class Screen {
  private liveShown = false;
  private lastPlainMs = -Infinity;
  private readonly startedMs = performance.now();

  constructor(
    private readonly o: { quiet: boolean; terminal: boolean },
    private readonly write: (text: string) => void = (text) => void process.stdout.write(text),
  ) {}

  phase(text: string): void {
    const seconds = ((performance.now() - this.startedMs) / 1000).toFixed(1);
    this.line(`» ${seconds.padStart(5)} s  ${text}`);
  }

  /** Said unless --quiet. */
  detail(text: string): void {
    if (!this.o.quiet) this.line(`  ${text}`);
  }

  line(text: string): void {
    this.clearLive();
    this.write(`${text}\n`);
  }

  live(text: string): void {
    if (this.o.quiet) return;
    if (this.o.terminal) {
      this.write(`\r\u001b[2K  ${text.slice(0, 150)}`);
      this.liveShown = true;
    } else if (performance.now() - this.lastPlainMs >= plainEveryMs) {
      this.lastPlainMs = performance.now();
      this.write(`  ${text}\n`);
    }
  }

  /** Said unless --quiet; one that is the very answer is said always. */
  table(header: string[], rows: string[][], always = false): void {
    if (this.o.quiet && !always) return;
    this.clearLive();
    const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
    const print = (row: string[]) => {
      const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
      this.write(`  ${cells.join('  ')}\n`);
    };
    print(header);
    print(widths.map((width) => '-'.repeat(width)));
    rows.forEach(print);
  }

  private clearLive(): void {
    if (this.liveShown) this.write('\r\u001b[2K');
    this.liveShown = false;
  }
}

/** `120/310 records, 41/s, 5 s to go` */
export function progressLine(done: number, expected: number, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  const left = Math.max(0, expected - done);
  const eta = rate > 0 ? `${Math.ceil(left / rate)} s to go` : 'no rate yet';
  return `${done}/${expected} records, ${rate.toFixed(0)}/s, ${left === 0 ? 'all there' : eta}`;
}
