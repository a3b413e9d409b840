// The life of a process, on the smallest real service: configuration mistakes, the early door, readiness, stop, force.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = process.cwd();
let folder: string;

// HELD keeps the start waiting until the stop; STUCK keeps the stop waiting for ever; LATER rejects a promise nobody holds.
const program = `
import 'reflect-metadata';
import { createInterface } from 'node:readline';
import { Module } from '@nestjs/common';
import { int, secret } from '${root}/dist/libs/common/src/config/index.js';
import { Lifecycle, runService } from '${root}/dist/libs/common/src/lifecycle/index.js';
class Service { constructor(lifecycle) {
  lifecycle.onDrain('work', () => new Promise((resolve) => process.env.STUCK ? undefined : setTimeout(() => { console.log('drained'); resolve(); }, 50)));
} }
Reflect.defineMetadata('design:paramtypes', [Lifecycle], Service);
Module({ providers: [
  { provide: Service, inject: [Lifecycle], useFactory: async (lifecycle) => {
    if (process.env.HELD) await new Promise((resolve) => { createInterface({ input: process.stdin }).once('line', resolve); lifecycle.stopping.addEventListener('abort', () => resolve()); });
    return new Service(lifecycle);
  } },
] })(Service);
await runService({ name: 'spec', config: { a: int('A', { doc: 'A number.', unit: 'rows' }), key: secret('KEY', { doc: 'A key.' }) }, module: () => Service });
if (process.env.LATER) setTimeout(() => Promise.reject(new Error('nobody caught this')), 50);
`;

interface Running {
  process: ChildProcess;
  output: () => string;
  line: (pattern: RegExp) => Promise<string>;
  exited: Promise<number | null>;
}

function start(env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, [join(folder, 'service.mjs')], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.push(child);
  let said = '';
  const waiting: { pattern: RegExp; resolve: (line: string) => void }[] = [];
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      said += `${line}\n`;
      lines.push(line);
      for (const waiter of waiting) if (waiter.pattern.test(line)) waiter.resolve(line);
    });
  }
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve) => {
      const known = lines.find((each) => pattern.test(each));
      if (known !== undefined) resolve(known);
      else waiting.push({ pattern, resolve });
    });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { process: child, output: () => said, line, exited };
}

const running: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-service-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'service.mjs'), program);
});
afterEach(() => running.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(() => rm(folder, { recursive: true, force: true }));

const right = { A: '1', KEY: 'sesame-open' };
const freePort = async (): Promise<string> => String(20_000 + Math.floor(Math.random() * 10_000));

it('refuses to start with a wrong configuration: exit 78, every mistake, no secret', async () => {
  const it = start({ A: 'many', SYNC_LOG_LEVEL: 'loud', SYNC_HTTP_PORT: '70000' });
  expect(await it.exited).toBe(78);
  expect(it.output()).toMatch(/^spec: 4 mistakes in the configuration:/);
  for (const name of [
    'A must be a whole number',
    'KEY is not set',
    'SYNC_LOG_LEVEL must be one of',
    'SYNC_HTTP_PORT must be at most 65535',
  ]) {
    expect(it.output()).toContain(name);
  }
});

it('says its settings with secrets masked, serves health and metrics, and leaves after draining', async () => {
  const it = start(right);
  const { address } = JSON.parse(await it.line(/"msg":"ready"/)) as { address: string };
  expect(it.output()).toContain('"KEY":"******** (11 characters)"');
  expect(it.output()).not.toContain('sesame');
  const live = await fetch(`${address}/health/live`);
  expect([live.status, await live.json()]).toEqual([200, { status: 'ok', checks: { 'event-loop': true } }]);
  expect((await fetch(`${address}/health/ready`)).status).toBe(200);
  expect(await (await fetch(`${address}/metrics`)).text()).toContain('nodejs_eventloop_lag_seconds');
  it.process.kill('SIGTERM');
  expect(await it.exited).toBe(0);
  expect(it.output()).toMatch(/"msg":"stopping"[\s\S]*drained[\s\S]*"msg":"stopped"/);
});

it('answers health while its start waits: live, not ready; a stop then ends it at once', async () => {
  const port = await freePort();
  const it = start({ ...right, HELD: '1', SYNC_HTTP_PORT: port });
  await it.line(/"msg":"starting"/);
  const ask = async (path: string): Promise<number> => {
    for (;;) {
      try {
        return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  expect(await ask('/health/live')).toBe(200);
  expect(await ask('/health/ready')).toBe(503);
  expect(await ask('/v1/anything')).toBe(503);
  it.process.kill('SIGTERM');
  expect(await it.exited).toBe(0);
});

it('a second signal forces: exit 1 although work is stuck', async () => {
  const it = start({ ...right, STUCK: '1' });
  await it.line(/"msg":"ready"/);
  it.process.kill('SIGTERM');
  await it.line(/"msg":"stopping"/);
  it.process.kill('SIGINT');
  expect(await it.exited).toBe(1);
});

it('work that never ends is left after the stop time-out: exit 1', async () => {
  const it = start({ ...right, STUCK: '1', SYNC_STOP_TIMEOUT: '1s' });
  await it.line(/"msg":"ready"/);
  it.process.kill('SIGTERM');
  expect(await it.exited).toBe(1);
  expect(it.output()).toContain('work did not end in time');
});

it('an unhandled rejection is fatal: logged, exit 1', async () => {
  const it = start({ ...right, LATER: '1' });
  expect(await it.exited).toBe(1);
  expect(it.output()).toMatch(/"level":"fatal".*nobody caught this/);
});

it('--settings prints what can be configured and starts nothing', async () => {
  const child = spawn(process.execPath, [join(folder, 'service.mjs'), '--settings'], { cwd: folder, env: {} });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  expect((JSON.parse(said) as { env: string }[]).map(({ env }) => env)).toEqual(
    expect.arrayContaining(['A', 'KEY', 'SYNC_HTTP_PORT']),
  );
});
