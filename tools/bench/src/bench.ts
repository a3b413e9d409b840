// What a benchmark is here, and what they share. A figure that depends on the machine means little to somebody else, so a
// benchmark prints ratios of two things measured in turns within one run, on one line: `bench NAME metric=value ...`.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { startTestInfrastructure } from '#testing';
import type { Addresses } from '#testing';

export interface BenchRun {
  /** ends within 60 s: fewer records and rounds, same line */
  quick: boolean;
  /** progress for a person */
  say(text: string): void;
}

export type Metrics = Record<string, number | string>;

export interface Bench {
  about: string;
  run(o: BenchRun): Promise<Metrics>;
}

/** Kafka, registry and PostgreSQL for the time of `work`: those of the environment, or our own. */
export async function withInfrastructure<T>(work: (addresses: Addresses) => Promise<T>): Promise<T> {
  const { addresses, stop } = await startTestInfrastructure(process.env);
  try {
    return await work(addresses);
  } finally {
    await stop();
  }
}

/** A program of ours as a child; resolves when it has printed what `ready` finds, with the first group of the match. */
export async function startProgram(
  file: string,
  env: Record<string, string>,
  ready: RegExp,
): Promise<{ found: string; stop(): Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  const found = await new Promise<string>((resolve, reject) => {
    void exited.then(() => reject(new Error(`${file} ended before it was ready: ${said.slice(-2000)}`)));
    child.stdout!.on('data', (chunk: Buffer) => {
      if (said.length > 100_000) return;
      said += chunk.toString();
      const match = ready.exec(said);
      if (match) resolve(match[1] ?? '');
    });
  });
  return {
    found,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
