// Where the checkout is, for programs that start other programs of it. Tests are compiled to CommonJS and the tools to
// modules, so neither __dirname nor import.meta would do for both.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function repositoryRoot(from: string = process.cwd()): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'tools', 'dev', 'run.mjs'))) return folder;
    if (folder === dirname(folder)) throw new Error(`${from} is not inside the repository`);
  }
}
