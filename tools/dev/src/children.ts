// Child processes that never outlive their parent. Each child is a leader of its own process group, so that Ctrl-C reaches
// only the parent and the stop is ordered. One small guard process holds a pipe from the parent: whatever ends the parent
// (kill -9 included), the pipe closes, and the guard stops every child that is still there, then removes what was meant
// to be temporary. Proved by test/dev/orphans.int-spec.ts.
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

// Lines from the parent: `+pid signal`, `-pid`, `rm path`. Kept as text, so that it needs no file of its own to be found.
// A pid is only signalled while its start time is the one noted when it was added: pids are reused.
const guardProgram = `
const fs = require('node:fs');
const born = (pid) => { try { const s = fs.readFileSync('/proc/' + pid + '/stat', 'utf8'); return s.slice(s.lastIndexOf(')')).split(' ')[20]; } catch { return undefined; } };
const alive = (pid) => { try { process.kill(pid, 0); } catch { return false; } return true; };
const children = new Map(); const paths = new Set(); let rest = '';
process.on('SIGINT', () => {}); process.on('SIGTERM', () => {});
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\\n'); rest = lines.pop();
  for (const line of lines) {
    const [, op, arg, signal] = /^(\\+|-|rm )(\\S+) ?(\\S*)/.exec(line) ?? [];
    if (op === '+') children.set(Number(arg), { signal, born: born(arg) });
    if (op === '-') children.delete(Number(arg));
    if (op === 'rm ') paths.add(decodeURIComponent(arg));
  }
});
process.stdin.on('end', async () => {
  const left = () => [...children].filter(([pid, c]) => alive(pid) && born(pid) === c.born);
  const send = (signal) => { for (const [pid, c] of left()) { try { process.kill(signal ? -pid : pid, signal ?? c.signal); } catch {} } };
  send();
  for (let i = 0; i < 100 && left().length > 0; i++) await new Promise((r) => setTimeout(r, 50));
  send('SIGKILL');
  for (const path of paths) fs.rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  process.exit(0);
});
`;

export interface ChildOptions {
  name: string;
  command: string;
  args: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** everything the child says goes here as well */
  logFile?: string;
  /** how it is asked to stop; default SIGTERM */
  stopSignal?: NodeJS.Signals;
  /** after this it is killed; default 10 s */
  killAfterMs?: number;
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

/** Running child. `exited` resolves once, with the exit code or the signal's name. */
export class Child {
  readonly pid: number;
  readonly exited: Promise<number | NodeJS.Signals>;
  private ended: number | NodeJS.Signals | undefined;
  private readonly lastLines: string[] = [];

  constructor(
    private readonly process: ChildProcess,
    readonly options: ChildOptions,
    lines: (listener: (line: string, stream: 'stdout' | 'stderr') => void) => void,
  ) {
    this.pid = process.pid!;
    this.exited = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        this.ended = code ?? signal ?? 1;
        resolve(this.ended);
      });
    });
    lines((line, stream) => {
      this.lastLines.push(line);
      if (this.lastLines.length > 40) this.lastLines.shift();
      options.onLine?.(line, stream);
    });
  }

  get running(): boolean {
    return this.ended === undefined;
  }

  /** What it said last: the body of an error message. */
  tail(): string {
    return this.lastLines.slice(-15).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.process.kill(signal);
  }

  /** Asks, waits, then kills. Idempotent. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.signal(this.options.stopSignal ?? 'SIGTERM');
    const kill = setTimeout(() => this.signal('SIGKILL'), this.options.killAfterMs ?? 10_000);
    await this.exited;
    clearTimeout(kill);
  }
}

export class Children {
  private guard: ChildProcess | undefined;
  private readonly children = new Set<Child>();

  get guardPid(): number | undefined {
    return this.guard?.pid;
  }

  /** Starts the guard; called by the first spawn as well. */
  watch(): void {
    if (this.guard) return;
    this.guard = spawn(process.execPath, ['-e', guardProgram], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.guard.unref();
    // A guard that was killed by hand must not take the parent with it (EPIPE).
    this.guard.stdin!.on('error', () => undefined);
    (this.guard.stdin as unknown as { unref(): void }).unref();
  }

  /** Removes `path` if this process ends without stop(). */
  removeLater(path: string): void {
    this.watch();
    this.tell(`rm ${encodeURIComponent(path)}`);
  }

  spawn(options: ChildOptions): Promise<Child> {
    this.watch();
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    return new Promise<Child>((resolve, reject) => {
      const { command, args, cwd, env, uid, gid } = options;
      const started = spawn(command, [...args], { cwd, env: env ?? process.env, uid, gid, stdio, detached: true });
      started.once('error', reject);
      started.once('spawn', () => {
        this.tell(`+${started.pid} ${options.stopSignal ?? 'SIGTERM'}`);
        const child = new Child(started, options, (listener) => listen(started, options.logFile, listener));
        this.children.add(child);
        void child.exited.then(() => {
          this.children.delete(child);
          this.tell(`-${child.pid}`);
        });
        resolve(child);
      });
    });
  }

  /** Stops all at once and lets the guard go. */
  async stop(): Promise<void> {
    await Promise.all([...this.children].map((child) => child.stop()));
    const guard = this.guard;
    this.guard = undefined;
    if (guard && guard.exitCode === null) {
      const gone = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
      guard.ref();
      guard.stdin!.end();
      await gone;
    }
  }

  private tell(line: string): void {
    this.guard?.stdin?.write(`${line}\n`);
  }
}

function listen(
  child: ChildProcess,
  logFile: string | undefined,
  listener: (line: string, stream: 'stdout' | 'stderr') => void,
): void {
  const log = logFile ? createWriteStream(logFile, { flags: 'a' }) : undefined;
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[stream]! }).on('line', (line) => {
      log?.write(`${line}\n`);
      listener(line, stream);
    });
  }
  child.once('close', () => log?.end());
}
