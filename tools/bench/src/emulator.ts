// The emulator's own speed. It measures itself, in a process of its own: nothing here may share code with it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Bench, BenchRun, Metrics } from './bench.js';

// Node loads the module by path and prints its figures; an import here would be an arrow that must not exist.
const program = `
  const { benchEmulator } = await import(process.argv[1]);
  const figures = await benchEmulator({
    quick: process.argv[2] === 'quick',
    command: [process.execPath, process.argv[3]],
    log: (line) => process.stderr.write(line + '\\n'),
  });
  process.stdout.write(JSON.stringify(figures));
`;

export const bench: Bench = {
  about: 'creates, batch items, start and queries of the QBO emulator',
  run: async ({ quick }: BenchRun): Promise<Metrics> => {
    const folder = join(process.cwd(), 'dist', 'tools', 'qbo-emulator', 'src');
    const args = [
      '--input-type=module',
      '-e',
      program,
      join(folder, 'bench.js'),
      quick ? 'quick' : 'full',
      join(folder, 'main.js'),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`the emulator's benchmark ended with ${code}`);
    const figures = JSON.parse(said) as Record<string, number>;
    return Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [
        name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
        round(value),
      ]),
    );
  },
};

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
