// A long run in rounds. Each round is an installation of its own with books of its own: the emulator keeps a company's last 20,000
// requests, and a judgement needs them all. What a finished round found stands in a file, so that a run that was
// interrupted after hours goes on with the round it was in. Pure but for that file.
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Counted } from './count.js';
import type { Sample } from './recovery.js';
import type { Spent } from './spent.js';

export interface RoundPlan {
  round: number;
  seed: number;
  changes: number;
  kills: number;
}

export interface RoundDone extends RoundPlan {
  counted: Counted;
  samples: readonly Sample[];
  spent: Spent;
}

/** The busiest company has about as many requests: a third of those that are kept, so that retries and replays have room. */
export const mostChanges = 6_000;

/** Changes and kills dealt out evenly; every seed and size makes the same rounds. */
export function roundsOf({
  seed,
  changes,
  kills,
  perRound = mostChanges,
}: {
  seed: number;
  changes: number;
  kills: number;
  perRound?: number;
}): RoundPlan[] {
  const rounds = Math.max(1, Math.ceil(changes / perRound));
  const share = (all: number, round: number): number =>
    Math.floor((all * (round + 1)) / rounds) - Math.floor((all * round) / rounds);
  return Array.from({ length: rounds }, (_, round) => ({
    ...{ round, changes: share(changes, round), kills: share(kills, round) },
    // One round has the seed that was asked for; more have their own, far from those of the next seeds.
    seed: rounds === 1 ? seed : seed * 10_007 + round,
  }));
}

export class RoundsFile {
  constructor(private readonly path: string) {}

  async done(): Promise<RoundDone[]> {
    const text = await readFile(this.path, 'utf8').catch(() => '');
    // The last line may have been cut by whatever ended the run.
    return text.split('\n').flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as RoundDone];
      } catch {
        return [];
      }
    });
  }

  async add(done: RoundDone): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    // A line of its own, whatever was cut before it.
    await appendFile(this.path, `\n${JSON.stringify(done)}\n`);
  }
}
