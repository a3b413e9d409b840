// Transpiles every .ts under apps, libs and tools to dist/ with swc, only files that changed. No type check: that is
// `npm run check` (tsc). `npm run build` is the type-checked production build by the Nest CLI. Measured on two cores:
// swc 0.09 of one tsc run, which is what keeps `npm run demo` inside its minute.
import { transform } from '@swc/core';
import { cp, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const roots = ['apps', 'libs', 'tools'];
const options = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2023',
    keepClassNames: true,
    experimental: { keepImportAttributes: true },
  },
  module: { type: 'nodenext' },
  sourceMaps: true,
  swcrc: false,
};

async function mtimeMs(path) {
  return stat(path).then(
    (s) => s.mtimeMs,
    () => -1,
  );
}

async function* sources(dir) {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else yield path;
  }
}

// A reader (a process that starts now) must never see half a file: write beside it, then rename.
async function writeWhole(path, text) {
  const partial = `${path}.${process.pid}.partial`;
  await writeFile(partial, text);
  await rename(partial, path);
}

async function buildOne(source, out, rewrite) {
  const file = relative(root, source);
  const target = join(out, file).replace(/\.ts$/, '.js');
  // What is rewritten may be rewritten otherwise than the last time.
  if (!rewrite && (await mtimeMs(target)) > (await mtimeMs(source))) return false;
  await mkdir(dirname(target), { recursive: true });
  if (!source.endsWith('.ts')) {
    await cp(source, target);
    return true;
  }
  const text = await readFile(source, 'utf8');
  const { code, map } = await transform(rewrite ? rewrite(file, text) : text, { ...options, filename: source });
  await writeWhole(`${target}.map`, map);
  await writeWhole(target, `${code}\n//# sourceMappingURL=${target.split('/').pop()}.map\n`);
  return true;
}

/**
 * Brings dist/ up to date; answers how many files were written. Proofs build elsewhere (`out`) and may change what is
 * compiled (`rewrite`, file and text to text): tools/seeded-bugs.
 */
export async function build({ out = join(root, 'dist'), rewrite } = {}) {
  const jobs = [];
  for (const dir of roots) {
    for await (const path of sources(join(root, dir))) {
      const wanted = path.endsWith('.json') || (path.endsWith('.ts') && !/\.(int-)?spec\.ts$|\.d\.ts$/.test(path));
      if (wanted) jobs.push(buildOne(path, out, rewrite));
    }
  }
  return (await Promise.all(jobs)).filter(Boolean).length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const written = await build();
  process.stderr.write(`build: ${written} files written\n`);
}
