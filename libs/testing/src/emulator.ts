// A QuickBooks Online of one's own: starts tools/qbo-emulator as a child process (its code is never imported: it must be
// able to disagree with us) and steers it over HTTP. The child ends when our pipe to it closes, also after kill -9.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { question } from './question.js';
import { repositoryRoot } from './repository.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- raw QBO JSON and the emulator's free-form answers
export type Raw = any;

export interface EmulatorApp {
  clientId: string;
  clientSecret: string;
  verifierToken: string;
}

export interface EmulatorGrant {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  refreshTokenExpiresIn: number;
}

export interface EmulatorFault {
  match?: { realmId?: string; method?: string; pathPattern?: string; operation?: string; entity?: string };
  fault: string;
  times?: number;
  probability?: number;
  afterMs?: number;
  [detail: string]: unknown;
}

/** More than the connections that a proof leaves behind: each may have been closed unseen. */
const questionTries = 8;

/** Steers an emulator that runs anywhere. A refusal throws with the emulator's own words. */
export class EmulatorClient {
  private readonly realms = new Set<string>();
  private provoked: string | undefined;

  constructor(readonly url: string) {}

  /** This test makes 429s on purpose: `whyQuotaBroke` is not to be asked at its end. Says why. */
  provokesThrottling(why: string): void {
    this.provoked = why;
  }

  /**
   * What the emulator's own counters say against the client under test, limit by limit as far as they are switched on; of
   * the companies made through this client. Asked at the end of every test and tool that ran against an emulator.
   * @param clientId whose refusals count; every app's when absent
   */
  async whyQuotaBroke(clientId?: string): Promise<string[]> {
    if (this.provoked !== undefined || this.realms.size === 0) return [];
    const { limits } = await this.steer<{ limits: Record<string, { on: boolean; max: number }> }>('GET', 'limits');
    const wrong: string[] = [];
    for (const realmId of this.realms) {
      const stats = await this.stats(realmId);
      const within = (limit: string, peak: string) => {
        const { on, max } = limits[limit]!;
        if (on && stats[peak] > max) wrong.push(`company ${realmId}: ${peak} ${stats[peak]} of ${max}`);
      };
      within('realmPerMinute', 'peakPerMinute');
      within('appPerSecond', 'peakPerSecond');
      within('batchRealmPerMinute', 'peakBatchesPerMinute');
      within('inFlight', 'peakInFlight');
      const refused = stats.throttled === 0 ? 0 : await this.refusals(realmId, clientId);
      if (refused > 0) wrong.push(`company ${realmId}: ${refused} x 429 (${JSON.stringify(stats.throttledBy)})`);
    }
    return wrong;
  }

  private async refusals(realmId: string, clientId: string | undefined): Promise<number> {
    const { requests } = await this.requests(realmId);
    return (requests as Raw[]).filter(
      (row) => row.status === 429 && row.fault === undefined && (clientId === undefined || row.app === clientId),
    ).length;
  }

  createApp(
    o: { name?: string; redirectUris?: string[]; webhookUrl?: string; webhookFormat?: 'cloudevents' | 'legacy' } = {},
  ) {
    return this.steer<EmulatorApp>('POST', 'apps', { name: 'test', redirectUris: [], ...o });
  }

  async createCompany(o: { name: string; realmId?: string; preset?: string; [detail: string]: unknown }) {
    const made = await this.steer<{ realmId: string; name: string; counts: Record<string, number> }>(
      'POST',
      'companies',
      { preset: 'empty', ...o },
    );
    this.realms.add(made.realmId);
    return made;
  }

  grant(clientId: string, realmId: string) {
    return this.steer<EmulatorGrant>('POST', 'grants', { clientId, realmId });
  }

  /** The person disconnects the app. */
  revokeGrant(clientId: string, realmId: string) {
    return this.steer<Raw>('DELETE', 'grants', { clientId, realmId });
  }

  /** A person at work in a company. */
  edit(
    realmId: string,
    o: { count: number; seed: number; mix?: Record<string, number>; movingPrices?: boolean; awkward?: boolean },
  ) {
    return this.steer<Raw>('POST', `companies/${realmId}/edits`, o);
  }

  /** Two names become one in the product's own screen. */
  merge(realmId: string, type: string, loser: string, winner: string) {
    return this.steer<Raw>('POST', `companies/${realmId}/merge`, { type, loser, winner });
  }

  /** A person adjusts what an inventory item began with. */
  adjustStartingValue(realmId: string, o: { itemId: string; quantity: number; value: number }) {
    return this.steer<Raw>('POST', `companies/${realmId}/starting-value`, o);
  }

  fault(o: EmulatorFault) {
    return this.steer<{ id: string }>('POST', 'faults', o);
  }

  clearFaults() {
    return this.steer<Raw>('DELETE', 'faults');
  }

  webhooks(o: Record<string, unknown>) {
    return this.steer<Raw>('PUT', 'webhooks', o);
  }

  /** What became of the notifications: `waiting` are not delivered, because their door was closed. */
  deliveries() {
    return this.steer<{ sent: number; delivered: number; waiting: number }>('GET', 'webhooks');
  }

  limits(o: Record<string, unknown>) {
    return this.steer<Raw>('PUT', 'limits', o);
  }

  advanceClock(advanceMs: number) {
    return this.steer<Raw>('PUT', 'clock', { advanceMs });
  }

  /** Where sources disagree about QuickBooks, what this company does. */
  switches(realmId: string, o: Record<string, unknown>) {
    return this.steer<Raw>('PUT', `companies/${realmId}/switches`, o);
  }

  stats(realmId: string) {
    return this.steer<Raw>('GET', `companies/${realmId}/stats`);
  }

  requests(realmId: string, after = 0) {
    return this.steer<Raw>('GET', `companies/${realmId}/requests?after=${after}`);
  }

  trialBalance(realmId: string) {
    return this.steer<Raw>('GET', `companies/${realmId}/trial-balance`);
  }

  ledger(realmId: string, query = '') {
    return this.steer<Raw>('GET', `companies/${realmId}/ledger${query}`);
  }

  dump(realmId: string) {
    return this.steer<Raw>('GET', `companies/${realmId}/dump`);
  }

  reset() {
    this.realms.clear();
    return this.steer<Raw>('POST', 'reset', {});
  }

  /** Any call of the steering interface. */
  async steer<T>(method: string, path: string, body?: unknown): Promise<T> {
    const request = {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    };
    const url = `${this.url}/_emulator/${path}`;
    // Who was busy for long, this program or the emulator with the dump of a large company, finds connections closed that look
    // open; a question is asked again, each time on another of them.
    const { status, text } = await question(url, request, { tries: method === 'GET' ? questionTries : 1 });
    if (status >= 300) throw new Error(`emulator: ${method} /_emulator/${path} answered ${status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** A call of the accounting API as any app would make it; answers status and body, refusals included. */
  async api(
    realmId: string,
    accessToken: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Raw }> {
    const response = await fetch(`${this.url}/v3/company/${realmId}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    try {
      return { status: response.status, body: JSON.parse(text) };
    } catch {
      return { status: response.status, body: text };
    }
  }
}

export interface RunningEmulator extends EmulatorClient {
  readonly pid: number;
  /** Throws when its counters say that a quota was exceeded. */
  stop(): Promise<void>;
  /** as a power cut: SIGKILL */
  kill(): Promise<void>;
}

// The shell becomes the program, so the pid is the program's; beside it waits a reader of our pipe.
const endsWithThePipe = 'exec 3<&0; (read _ <&3; kill -TERM $$) >/dev/null 2>&1 & exec "$@" </dev/null 3<&-';

export interface StartEmulatorOptions {
  port?: number;
  /** folder that keeps companies across restarts */
  data?: string;
  clock?: 'real' | 'virtual';
}

export async function startEmulator(o: StartEmulatorOptions = {}): Promise<RunningEmulator> {
  const args = ['--port', String(o.port ?? 0), '--quiet'];
  if (o.data !== undefined) args.push('--data', o.data);
  if (o.clock !== undefined) args.push('--clock', o.clock);
  const program = [process.execPath, 'tools/dev/run.mjs', 'tools/qbo-emulator/src/main', ...args];
  const child = spawn('/bin/sh', ['-c', endsWithThePipe, 'sh', ...program], {
    cwd: repositoryRoot(),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin.on('error', () => undefined);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)));
  const url = await new Promise<string>((resolve, reject) => {
    void exited.then(() => reject(new Error(`The emulator did not start:\n${said}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /qbo-emulator listening on (http:\S+)/.exec(line);
      if (found) resolve(found[1]!);
    });
  });
  const end = (signal: NodeJS.Signals) => async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    child.stdin.end();
  };
  const client = new EmulatorClient(url);
  const stop = async () => {
    // A test may have stopped it by other means; then there is nobody to ask.
    const wrong = child.exitCode === null && child.signalCode === null ? await client.whyQuotaBroke() : [];
    await end('SIGTERM')();
    if (wrong.length > 0) throw new Error(`a quota of QuickBooks was exceeded (I-06): ${wrong.join('; ')}`);
  };
  return Object.assign(client, { pid: child.pid!, stop, kill: end('SIGKILL') });
}
