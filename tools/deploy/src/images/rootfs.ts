// Carries the recipe out in a folder and starts the result: the same tree, program, environment, user and read-only root as
// in a container. What a folder cannot show: the bare image's own files (Node runs on this machine's C library).
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, copyFile, link, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assemble } from './assemble.js';
import type { Assembled } from './assemble.js';
import type { Image } from './catalogue.js';
import { stepsOf } from './recipe.js';

export interface RootFileSystem {
  folder: string;
  contents: Assembled;
  /** where the process runs, as which user, with which fixed environment */
  workingFolder: string;
  user: number;
  environment: Readonly<Record<string, string>>;
  start: readonly string[];
  health: readonly string[];
}

export async function buildRootFileSystem(image: Image, root: string, folder: string): Promise<RootFileSystem> {
  await mkdir(folder, { recursive: true });
  const inside = (path: string): string => join(folder, path);
  const built = { folder, environment: {} } as { -readonly [K in keyof RootFileSystem]: RootFileSystem[K] };
  for (const step of stepsOf(image)) {
    switch (step.kind) {
      case 'copy':
        if (step.from === 'assembled') built.contents = await assemble(image, root, inside(step.to));
        else await sameFile(process.execPath, inside(step.to));
        break;
      case 'environment':
        built.environment = { ...built.environment, ...step.values };
        break;
      case 'folder':
        built.workingFolder = step.path;
        break;
      case 'user':
        built.user = step.id;
        break;
      case 'port':
        break;
      case 'health':
        built.health = step.command;
        break;
      case 'start':
        built.start = step.command;
        break;
    }
  }
  return built;
}

/** Node's binary has 120 MB: a second name for it where the file system allows. */
async function sameFile(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { force: true });
  await link(source, target).catch(async () => {
    await copyFile(source, target);
    await chmod(target, 0o555);
  });
}

/** Paths of a command are the container's: here they lie in the folder. */
function here(folder: string, command: readonly string[]): string[] {
  return command.map((part) => (/^\/(app|usr)\//.test(part) ? join(folder, part) : part));
}

/**
 * Starts the image's process. As root: as the image's own user, who can write nowhere in the tree. Otherwise as whoever
 * asks, which the read-only bits bind as well.
 */
export function startFrom(
  { folder, start, workingFolder, environment, user }: RootFileSystem,
  o: { environment: Readonly<Record<string, string>>; arguments?: readonly string[] },
): ChildProcess {
  const [command, ...parts] = here(folder, start);
  const root = process.getuid?.() === 0;
  return spawn(command!, [...parts, ...(o.arguments ?? [])], {
    cwd: join(folder, workingFolder),
    // Nothing of this process's environment: what an image needs is in its recipe or in `o`.
    env: { ...environment, ...o.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(root && { uid: user, gid: user }),
  });
}

/** Runs the image's own health check against another port; answers whether it passed. */
export function healthy({ folder, health }: RootFileSystem, port: number): Promise<boolean> {
  const [command, ...parts] = here(folder, health).map((part) =>
    part.replace(/^(http:\/\/127\.0\.0\.1:)\d+/, `$1${port}`),
  );
  return new Promise((resolve) => {
    spawn(command!, parts, { stdio: 'ignore', env: {} }).once('close', (code) => resolve(code === 0));
  });
}
