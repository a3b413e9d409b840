// Puts together what one image holds under /app: its compiled programs, and of node_modules only the files they reach. The
// files come from the real import graph (@vercel/nft follows import, require, "imports" and "exports"), so a package that
// another app needs is not in this image, and neither is anything of the tests.
import { chmod, copyFile, mkdir, readFile, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';
import type { Image } from './catalogue.js';

export interface Assembled {
  /** relative to the folder, sorted */
  files: string[];
  packages: string[];
  bytes: number;
}

/**
 * Fills `folder` with the image's /app and takes every right to write away from it.
 * @param root the repository, with dist/ built
 */
export async function assemble(image: Image, root: string, folder: string): Promise<Assembled> {
  await removeReadOnly(folder);
  await mkdir(folder, { recursive: true });
  const traced = await trace(image, root);
  let bytes = 0;
  for (const [file, source] of traced) {
    const target = join(folder, file);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
    bytes += (await stat(target)).size;
  }
  await copyFile(join(root, 'tools/deploy/src/images/health.mjs'), join(folder, 'health.mjs'));
  await writeFile(join(folder, 'package.json'), await manifest(image, root));
  await makeReadOnly(folder);
  const files = [...traced.keys(), 'health.mjs', 'package.json'].sort();
  return { files, packages: packagesOf(files), bytes };
}

/** path inside the image -> file to copy */
async function trace(image: Image, root: string): Promise<Map<string, string>> {
  const modules = await realpath(join(root, 'node_modules'));
  const resolve = createRequire(join(root, 'package.json')).resolve;
  const entries = [
    ...image.programs.map((program) => join(root, program)),
    ...image.loadedByName.map((n) => resolve(n)),
  ];
  // Optional peers (other databases, other transports) are not installed and not wanted: unresolved names are no error
  // here. What is missing all the same shows when the app is started from the folder.
  const { fileList } = await nodeFileTrace(entries, { base: '/', processCwd: root });
  const found = new Map<string, string>();
  for (const each of fileList) {
    const source = join('/', each);
    const inModules = relative(modules, source);
    const inside = inModules.startsWith('..') ? relative(root, source) : join('node_modules', inModules);
    if (inside.startsWith('..')) throw new Error(`${source} is outside of the repository and of its node_modules`);
    // node_modules itself, where it is a link; and our own manifest, which is written new.
    if (inside === 'node_modules' || inside === 'package.json' || (await stat(source)).isDirectory()) continue;
    found.set(inside, source);
  }
  return found;
}

/** Name, kind and aliases: what Node reads. No scripts, no dependency names: nothing is installed in an image. */
async function manifest(image: Image, root: string): Promise<string> {
  const { name, version, type, imports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  return `${JSON.stringify({ name: `${String(name)}-${image.name}`, version, private: true, type, imports }, null, 2)}\n`;
}

export function packagesOf(files: readonly string[]): string[] {
  const names = files.map((file) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

async function everythingIn(folder: string): Promise<{ path: string; isFolder: boolean }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map((entry) => ({
    path: entry.parentPath + sep + entry.name,
    isFolder: entry.isDirectory(),
  }));
}

async function makeReadOnly(folder: string): Promise<void> {
  for (const { path, isFolder } of (await everythingIn(folder)).reverse()) await chmod(path, isFolder ? 0o555 : 0o444);
  await chmod(folder, 0o555);
}

async function removeReadOnly(folder: string): Promise<void> {
  const known = await stat(folder).catch(() => undefined);
  if (!known) return;
  await chmod(folder, 0o755);
  for (const { path, isFolder } of await everythingIn(folder)) if (isFolder) await chmod(path, 0o755);
  await rm(folder, { recursive: true, force: true });
}
