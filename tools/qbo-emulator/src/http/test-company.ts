// For specs and the self-check: a running emulator with one company and a client that is authorised, over a real socket.
// Quotas are off unless a case is about them; the clock is virtual, so that nothing waits.
import type { Rec } from '../types.js';
import { startEmulator, type RunningEmulator, type ServerOptions } from './server.js';

export interface Reply {
  readonly status: number;
  readonly body: Rec;
  readonly text: string;
  readonly headers: Headers;
}

export class TestCompany {
  private constructor(
    readonly running: RunningEmulator,
    readonly realmId: string,
    readonly clientId: string,
    readonly clientSecret: string,
    readonly token: string,
    readonly refreshToken: string,
  ) {}

  static async open(company: Rec = {}, options: ServerOptions = {}): Promise<TestCompany> {
    const running = await startEmulator({ clock: 'virtual', ...options });
    running.emulator.logDefects = true;
    const steer = (path: string, body: Rec, method = 'POST'): Promise<Reply> =>
      send(running.url, method, `/_emulator${path}`, body);
    await steer('/limits', { all: false }, 'PUT');
    const app = (await steer('/apps', { name: 'spec' })).body;
    const made = (await steer('/companies', { name: 'Spec Company', preset: 'empty', ...company })).body;
    if (!made['realmId']) throw new Error(`no company: ${JSON.stringify(made)}`);
    const grant = (await steer('/grants', { clientId: app['clientId'], realmId: made['realmId'] })).body;
    return new TestCompany(
      running,
      made['realmId'],
      app['clientId'],
      app['clientSecret'],
      grant['accessToken'],
      grant['refreshToken'],
    );
  }

  close(): Promise<void> {
    return this.running.close();
  }

  steer(method: string, path: string, body?: Rec): Promise<Reply> {
    return send(this.running.url, method, `/_emulator${path}`, body);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call('GET', path, undefined, headers);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call('POST', path, body, headers);
  }

  call(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return send(this.running.url, method, `/v3/company/${this.realmId}${path}`, body, {
      authorization: `Bearer ${this.token}`,
      ...headers,
    });
  }

  query(statement: string): Promise<Rec> {
    return this.get(`/query?query=${encodeURIComponent(statement)}`).then((r) => r.body['QueryResponse'] ?? r.body);
  }

  /** Creates and insists. */
  async make(type: string, body: Rec): Promise<Rec> {
    const reply = await this.post(`/${type.toLowerCase()}`, body);
    const rec = reply.body[type] ?? reply.body[`${type}Txn`];
    if (!rec) throw new Error(`${type} refused: ${reply.text}`);
    return rec;
  }

  async read(type: string, id: string): Promise<Rec> {
    const reply = await this.get(`/${type.toLowerCase()}/${id}`);
    const rec = reply.body[type] ?? reply.body[`${type}Txn`];
    if (!rec) throw new Error(`${type} ${id} unreadable: ${reply.text}`);
    return rec;
  }

  async accountId(name: string): Promise<string> {
    const found = await this.query(`select * from Account where Name = '${name}'`);
    return found['Account'][0].Id;
  }
}

export async function send(
  base: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData;
  const response = await fetch(base + path, {
    method,
    headers: {
      accept: 'application/json',
      ...(body !== undefined && !(body instanceof FormData) && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  let parsed: Rec = {};
  try {
    parsed = JSON.parse(text) as Rec;
  } catch {
    // XML, PDF or a bare address: the spec looks at `text`.
  }
  return { status: response.status, body: parsed, text, headers: response.headers };
}

/** The code of the first fault, whichever shape it has. */
export function faultCode(reply: Reply): string | undefined {
  return (
    reply.body['Fault']?.Error?.[0]?.code ??
    reply.body['fault']?.error?.[0]?.code ??
    /code="(\d+)"/.exec(reply.text)?.[1]
  );
}

export function salesLine(itemId: string, amount: number, more: Rec = {}): Rec {
  return {
    Amount: amount,
    DetailType: 'SalesItemLineDetail',
    SalesItemLineDetail: { ItemRef: { value: itemId }, ...more },
  };
}

export function expenseLine(accountId: string, amount: number, more: Rec = {}): Rec {
  return {
    Amount: amount,
    DetailType: 'AccountBasedExpenseLineDetail',
    AccountBasedExpenseLineDetail: { AccountRef: { value: accountId }, ...more },
  };
}
