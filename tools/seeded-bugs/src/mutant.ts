// A whole build with one bug in it, in a folder of its own (`.cache/seeded-bugs/NAME`): for proofs that run programs instead
// of tests. Nothing in dist/ is touched, and the folder's own package.json makes its imports lead to itself.
import { spawn } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { planted, seededBugs, takenOutRules, type SeededBug } from './bugs.js';

interface Builder {
  build(o: { out: string; rewrite: (file: string, source: string) => string }): Promise<number>;
}

/** Answers the folder that stands for the repository. @throws when a text to replace is gone */
export async function buildMutant(name: string, bugs: readonly SeededBug['name'][] = [name]): Promise<string> {
  const all = [...seededBugs, ...takenOutRules];
  const chosen = bugs.map((wanted) => {
    const bug = all.find((one) => one.name === wanted);
    if (!bug) throw new Error(`there is no seeded bug "${wanted}"`);
    return bug;
  });
  const folder = join(process.cwd(), '.cache', 'seeded-bugs', name);
  await mkdir(folder, { recursive: true });
  await copyFile('package.json', join(folder, 'package.json'));
  const builder = (await import(pathToFileURL(join(process.cwd(), 'tools', 'dev', 'build.mjs')).href)) as Builder;
  const rewrite = (file: string, source: string) => chosen.reduce((text, bug) => planted(bug, file, text), source);
  await builder.build({ out: join(folder, 'dist'), rewrite });
  return folder;
}

/** Runs a program of the build with that bug in it; answers its exit code. */
export async function runWith(name: string, program: string, args: readonly string[]): Promise<number> {
  const folder = await buildMutant(name);
  const child = spawn(process.execPath, [join(folder, 'dist', `${program}.js`), ...args], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
