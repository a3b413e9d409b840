// The emulator's own speed: single creates and batch items over HTTP from a client in another process, then a company of
// 200,000 transactions held, started from disk, queried and balanced. Prints one line; tools/bench calls `benchEmulator`.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rec } from './types.js';

export interface EmulatorFigures {
  readonly createsPerS: number;
  readonly batchItemsPerS: number;
  readonly rssMb: number;
  readonly startS: number;
  readonly queryMs: number;
  readonly trialBalanceMs: number;
}

export interface BenchOptions {
  readonly quick?: boolean;
  /** How to start an emulator: program and arguments before `--port`. */
  readonly command: readonly string[];
  readonly log?: (line: string) => void;
}

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
  readonly startedMs: number;
}

async function start(command: readonly string[], args: readonly string[]): Promise<Server> {
  const from = performance.now();
  const child = spawn(command[0]!, [...command.slice(1), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const ready = /listening on (http:\S+)/.exec(text);
      if (ready) resolve(ready[1]!);
    });
    child.once('exit', (code) => reject(new Error(`the emulator ended with ${code} before it was ready`)));
  });
  return { child, url, startedMs: performance.now() - from };
}

async function stop({ child }: Server): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

function send(url: string, method: string, path: string, body?: unknown, token?: string): Promise<Rec> {
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const req = httpRequest(
      `${url}${path}`,
      {
        method,
        agent,
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (c: Buffer) => chunks.push(c));
        res.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if ((res.statusCode ?? 500) >= 300) reject(new Error(`${res.statusCode} ${answer.slice(0, 300)}`));
          else resolve(JSON.parse(answer) as Rec);
        });
      },
    );
    req.once('error', reject);
    req.end(text);
  });
}

async function inParallel(total: number, lanes: number, one: (n: number) => Promise<unknown>): Promise<number> {
  const from = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < total) await one(next++);
    }),
  );
  return (performance.now() - from) / 1000;
}

const invoice = (customerId: string, n: number): Rec => ({
  CustomerRef: { value: customerId },
  PrivateNote: `bench ${n}`,
  Line: [
    {
      Amount: 100 + (n % 900),
      DetailType: 'SalesItemLineDetail',
      Description: 'Bench line',
      SalesItemLineDetail: { ItemRef: { value: '1' }, Qty: 1, UnitPrice: 100 + (n % 900) },
    },
  ],
});

async function prepared(url: string): Promise<{ realmId: string; token: string; customers: string[]; path: string }> {
  await send(url, 'PUT', '/_emulator/limits', { all: false });
  const app = await send(url, 'POST', '/_emulator/apps', { name: 'bench' });
  const { realmId } = await send(url, 'POST', '/_emulator/companies', { name: 'Bench', preset: 'empty' });
  const grant = await send(url, 'POST', '/_emulator/grants', { clientId: app['clientId'], realmId });
  const token = grant['accessToken'] as string;
  const path = `/v3/company/${realmId}`;
  const customers: string[] = [];
  for (let n = 0; n < 20; n++) {
    const made = await send(url, 'POST', `${path}/customer`, { DisplayName: `Bench customer ${n}` }, token);
    customers.push(made['Customer'].Id);
  }
  return { realmId, token, customers, path };
}

function rssMbOf(pid: number): number {
  const kb = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kb ?? 0) / 1024);
}

async function median(times: number, one: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < times; n++) {
    const from = performance.now();
    await one();
    took.push(performance.now() - from);
  }
  return took.sort((a, b) => a - b)[Math.floor(times / 2)]!;
}

export async function benchEmulator(options: BenchOptions): Promise<EmulatorFigures> {
  const log = options.log ?? (() => undefined);
  const creates = options.quick ? 6_000 : 30_000;
  const batches = options.quick ? 400 : 1_500;
  const transactions = options.quick ? 30_000 : 200_000;

  const memoryOnly = await start(options.command, ['--port', '0']);
  let createsPerS: number;
  let batchItemsPerS: number;
  try {
    const { url } = memoryOnly;
    const { token, customers, path } = await prepared(url);
    const create = (n: number): Promise<Rec> =>
      send(url, 'POST', `${path}/invoice`, invoice(customers[n % 20]!, n), token);
    await inParallel(Math.min(1_000, creates), 8, create);
    createsPerS = creates / (await inParallel(creates, 8, create));
    log(`creates ${Math.round(createsPerS)}/s`);
    const batch = (n: number): Promise<Rec> =>
      send(
        url,
        'POST',
        `${path}/batch`,
        {
          BatchItemRequest: Array.from({ length: 30 }, (_, i) => ({
            bId: String(i),
            operation: 'create',
            Invoice: invoice(customers[(n + i) % 20]!, n * 30 + i),
          })),
        },
        token,
      );
    batchItemsPerS = (batches * 30) / (await inParallel(batches, 4, batch));
    log(`batch items ${Math.round(batchItemsPerS)}/s`);
  } finally {
    await stop(memoryOnly);
  }

  const dir = mkdtempSync(join(tmpdir(), 'qbo-emulator-bench-'));
  try {
    let kept = await start(options.command, ['--port', '0', '--data', dir]);
    const spec = { name: 'Large', preset: 'generated', transactions, years: 5, seed: 7 };
    const made = await send(kept.url, 'POST', '/_emulator/companies', spec);
    log(`generated ${JSON.stringify(made['counts'])}`);
    await stop(kept);
    kept = await start(options.command, ['--port', '0', '--data', dir]);
    try {
      const startS = kept.startedMs / 1000;
      log(`started in ${startS.toFixed(1)} s`);
      const { url } = kept;
      await send(url, 'PUT', '/_emulator/limits', { all: false });
      const app = await send(url, 'POST', '/_emulator/apps', { name: 'bench' });
      const grant = await send(url, 'POST', '/_emulator/grants', {
        clientId: app['clientId'],
        realmId: made['realmId'],
      });
      const token = grant['accessToken'] as string;
      const statement = encodeURIComponent(
        "select * from Invoice where TotalAmt > '10' startposition 2001 maxresults 1000",
      );
      const query = (): Promise<Rec> =>
        send(url, 'GET', `/v3/company/${made['realmId']}/query?query=${statement}`, undefined, token);
      await query();
      const queryMs = await median(9, query);
      const balance = (): Promise<Rec> => send(url, 'GET', `/_emulator/companies/${made['realmId']}/trial-balance`);
      await balance();
      const trialBalanceMs = await median(9, balance);
      return { createsPerS, batchItemsPerS, rssMb: rssMbOf(kept.child.pid!), startS, queryMs, trialBalanceMs };
    } finally {
      await stop(kept);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export function benchLine(f: EmulatorFigures): string {
  const n = (value: number, digits = 0): string => value.toFixed(digits);
  return `bench emulator creates_per_s=${n(f.createsPerS)} batch_items_per_s=${n(f.batchItemsPerS)} rss_mb=${f.rssMb} start_s=${n(f.startS, 1)} query_ms=${n(f.queryMs, 1)} trial_balance_ms=${n(f.trialBalanceMs, 1)}`;
}
