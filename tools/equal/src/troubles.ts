// What goes wrong during a history, from its seed: a QuickBooks that misbehaves in every way it is known to, and processes of
// ours that are killed in the middle of their work and started again.
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorClient, EmulatorFault } from '#testing';
import { appNames, type AppName } from '../../dev/src/apps.js';
import type { Chance } from '../../demo/src/chance.js';
import type { Installation } from '../../installation/src/installation.js';

/**
 * Shares of requests, per company. Throttling and refused tokens by number instead: each 429 stops a company for a minute, as
 * it must, and one is enough to see what follows.
 */
const misbehaviour: readonly EmulatorFault[] = [
  { fault: 'throttle', times: 1, skip: 40 },
  { fault: 'unauthorized', times: 2, probability: 0.05 },
  { fault: 'reset-after-commit', probability: 0.03 },
  { fault: 'reset-before-commit', probability: 0.02 },
  { fault: 'timeout-after-commit', ms: 3_000, probability: 0.01 },
  { fault: 'truncate-body', probability: 0.02 },
  { fault: 'http', status: 500, probability: 0.02 },
  { fault: 'http', status: 500, afterCommit: true, probability: 0.02 },
  { fault: 'html-503', probability: 0.02 },
  { fault: 'slow', ms: 1_500, probability: 0.02 },
  { fault: 'partial-batch', match: { operation: 'batch' }, probability: 0.1 },
];

/** From now on for this company. */
export async function misbehave(emulator: EmulatorClient, realmId: string, seed: number): Promise<void> {
  for (const [n, fault] of misbehaviour.entries())
    await emulator.fault({ ...fault, match: { ...fault.match, realmId }, seed: seed * 100 + n });
}

/** Which fault came how often. */
export async function misbehaved(emulator: EmulatorClient): Promise<string> {
  const rules = await emulator.steer<{ fault: string; applied: number }[]>('GET', 'faults');
  const counts = new Map<string, number>();
  for (const { fault, applied } of rules) counts.set(fault, (counts.get(fault) ?? 0) + applied);
  return [...counts].map(([fault, times]) => `${fault} ${times}`).join(', ');
}

/** Kills by turns, one process at a time, in the order that the seed gives; the writer comes first, it has most to lose. */
export class Killer {
  private readonly order: AppName[];
  private readonly done: AppName[] = [];

  constructor(
    private readonly installation: Installation,
    private readonly random: () => number,
  ) {
    const others = appNames.filter((app) => app !== 'qbo-writer').sort(() => this.random() - 0.5);
    this.order = ['qbo-writer', others[0]!, 'qbo-writer', ...others.slice(1)];
  }

  async run(kills: number): Promise<void> {
    for (let n = 0; n < kills; n++) {
      // Between one and five seconds: in the first burst, in the middle, in what is left.
      await sleep(1_000 + this.random() * 4_000);
      const app = this.order[this.done.length % this.order.length]!;
      await this.installation.kill(app);
      this.done.push(app);
      // Long enough that the others notice, now and then longer than a lease.
      await sleep(this.random() * 4_000);
      await this.installation.startApp(app);
    }
  }

  told(): string {
    return this.done.join(', ');
  }
}

/** Work with so many kills in the middle of it. */
export async function amidKills(
  kills: number,
  installation: Installation,
  chance: Chance,
  work: () => Promise<void>,
  say: (text: string) => void,
): Promise<void> {
  if (kills === 0) return work();
  const killer = new Killer(installation, () => chance.next());
  await Promise.all([work(), killer.run(kills)]);
  say(`killed and started again: ${killer.told()}`);
}
