// The promises of the embedded infrastructure, on the real thing: nothing outlives its parent, old data starts again,
// two instances do not meet, a missing Java is one sentence.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';

interface Instance {
  process: ChildProcess;
  brokers: string;
  registryUrl: string;
  databaseUrl: string;
  folder: string;
  exited: Promise<number | null>;
}

const root = process.cwd();
// Embedded also when the run itself was given services.
const ownEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  SYNC_KAFKA_BROKERS: '',
  SYNC_REGISTRY_URL: '',
  SYNC_DATABASE_URL: '',
};

const launched: ChildProcess[] = [];

function launch(args: string[], env: NodeJS.ProcessEnv = ownEnvironment): ChildProcess {
  const program = ['tools/dev/run.mjs', 'tools/dev/src/infra-main', '--json', ...args];
  const child = spawn(process.execPath, program, { cwd: root, env, stdio: ['pipe', 'pipe', 'pipe'] });
  launched.push(child);
  return child;
}

afterEach(async () => {
  for (const child of launched.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await exitOf(child);
  }
});

const exitOf = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', resolve));

async function start(args: string[] = []): Promise<Instance> {
  const child = launch(args);
  const exited = exitOf(child);
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once('line', resolve);
    void exited.then(() => reject(new Error(said)));
  });
  const at = JSON.parse(line) as Record<string, string>;
  return {
    process: child,
    brokers: at.SYNC_KAFKA_BROKERS!,
    registryUrl: at.SYNC_REGISTRY_URL!,
    databaseUrl: at.SYNC_DATABASE_URL!,
    folder: at.folder!,
    exited,
  };
}

const portsOf = (i: Instance): number[] => [
  ...i.brokers.split(',').map((broker) => Number(broker.split(':')[1])),
  Number(new URL(i.registryUrl).port),
  Number(new URL(i.databaseUrl).port),
];

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

async function stillOpen(ports: number[]): Promise<number[]> {
  const open = await Promise.all(ports.map(listens));
  return ports.filter((_, i) => open[i]);
}

async function untilClosed(ports: number[], withinMs: number): Promise<number[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const open = await stillOpen(ports);
    if (open.length === 0 || performance.now() > deadline) return open;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function query(databaseUrl: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const registryCall = async (i: Instance, path: string, body?: unknown) => {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${i.registryUrl}${path}`, init || {});
  return (await response.json()) as unknown;
};

it('leaves no process, open port or folder behind when its parent is killed with SIGKILL', async () => {
  const instance = await start();
  const ports = portsOf(instance);
  expect(await stillOpen(ports)).toEqual(ports);
  instance.process.kill('SIGKILL');
  await instance.exited;
  expect(await untilClosed(ports, 10_000)).toEqual([]);
  for (let i = 0; i < 100 && existsSync(instance.folder); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(existsSync(instance.folder)).toBe(false);
});

it('runs beside another instance, refuses its folder, and starts again on its data and ports after kill -9', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'qbo-sync-test-'));
  try {
    const first = await start(['--data', folder]);
    await query(first.databaseUrl, 'create table kept (n int)');
    await query(first.databaseUrl, 'insert into kept values (42)');
    const schema = '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{}}';
    const registered = await registryCall(first, '/subjects/kept/versions', { schema, schemaType: 'JSON' });
    expect(registered).toHaveProperty('id');

    const refused = launch(['--data', folder]);
    let said = '';
    refused.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect(await exitOf(refused)).toBe(1);
    expect(said.trim()).toBe(
      `infra: ${folder} is in use by process ${first.process.pid}; stop that one or give another folder.`,
    );

    const neighbour = await start();
    expect(portsOf(neighbour).filter((port) => portsOf(first).includes(port))).toEqual([]);
    neighbour.process.kill('SIGTERM');
    expect(await neighbour.exited).toBe(0);

    first.process.kill('SIGKILL');
    await first.exited;
    // At once: the new one waits for the old one's guard.
    const again = await start(['--data', folder]);
    expect(portsOf(again)).toEqual(portsOf(first));
    expect(await query(again.databaseUrl, 'select n from kept')).toEqual([{ n: 42 }]);
    expect(await registryCall(again, '/subjects')).toEqual(['kept']);
    again.process.kill('SIGINT');
    expect(await again.exited).toBe(0);
    expect(await stillOpen(portsOf(again))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('ends when the pipe from whoever started it closes', async () => {
  const instance = await start(['--until-eof']);
  instance.process.stdin!.end();
  expect(await instance.exited).toBe(0);
  expect(await stillOpen(portsOf(instance))).toEqual([]);
});

it('uses the services that the environment names, and starts nothing', async () => {
  const given = {
    SYNC_KAFKA_BROKERS: '127.0.0.1:1',
    SYNC_REGISTRY_URL: 'http://127.0.0.1:2',
    SYNC_DATABASE_URL: 'postgres://a:b@127.0.0.1:3/c',
  };
  const child = launch(['--until-eof'], { ...process.env, ...given });
  const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout! }).once('line', resolve));
  expect(JSON.parse(line)).toEqual(given);
  child.stdin!.end();
  expect(await exitOf(child)).toBe(0);
});

describe('says in one sentence what to install', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'qbo-sync-path-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A PATH with these programs of the real one only. */
  async function pathWith(programs: string[]): Promise<string> {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    for (const program of programs) {
      const found = (process.env.PATH ?? '').split(delimiter).find((dir) => existsSync(join(dir, program)));
      if (found) await symlink(join(found, program), join(bin, program));
    }
    return bin;
  }

  async function complaint(env: NodeJS.ProcessEnv): Promise<string> {
    const child = launch([], { ...ownEnvironment, JAVA_HOME: undefined, ...env });
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect(await exitOf(child)).toBe(1);
    return said.trim();
  }

  it('without Java', async () => {
    const said = await complaint({ PATH: await pathWith(['id', 'uname']) });
    expect(said.split('\n')).toHaveLength(1);
    expect(said).toMatch(
      /needs Java.*install Java 17 or newer and Maven.*apt-get install -y openjdk-17-jre-headless maven/,
    );
  });

  it('without Maven and with nothing fetched yet', async () => {
    const said = await complaint({ PATH: await pathWith(['java', 'id']), SYNC_CACHE_DIR: join(folder, 'cache') });
    const last = said.split('\n').at(-1)!;
    expect(last).toMatch(/"mvn" is not installed: install it .*apt-get install -y maven/);
    expect(await readFile(join(folder, 'cache', 'any'), 'utf8').catch(() => 'nothing half-made')).toBe(
      'nothing half-made',
    );
  });
});
