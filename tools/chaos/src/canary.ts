// A small pair of companies with no trouble of its own: what is written there arrives as soon as the system works again, whatever
// quota or fault holds the others up. Several records at a time, so that they lie in several partitions.
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorClient, Raw } from '#testing';
import type { Accounting } from '../../installation/src/accounting.js';

const records = 6;
const lookMs = 150;

export class Canary {
  private written = 0;

  constructor(
    private readonly emulator: EmulatorClient,
    private readonly source: Accounting,
    private readonly target: string,
  ) {}

  /** @returns when the last of them arrived, undefined if not within the limit */
  async sing(limitMs: number): Promise<number | undefined> {
    const song = ++this.written;
    const names = Array.from({ length: records }, (_, n) => `Canary ${song} ${n}`);
    const startedMs = performance.now();
    await this.source.writeAll(
      'Customer',
      names.map((DisplayName) => ({ DisplayName })),
    );
    while (performance.now() - startedMs < limitMs) {
      const { records: there } = (await this.emulator.dump(this.target)) as { records: Record<string, Raw[]> };
      const arrived = new Set((there.Customer ?? []).map((record) => String(record.DisplayName)));
      if (names.every((name) => arrived.has(name))) return performance.now();
      await sleep(lookMs);
    }
    return undefined;
  }
}
