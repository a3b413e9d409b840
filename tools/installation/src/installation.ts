// Everything as OS processes: infrastructure, emulator, the six apps. All of them end with this process, however it ends.
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RegistrySchemas, ValueCodec } from '#kafka';
import { EmulatorClient } from '#testing';
import type { EmulatorApp } from '#testing';
import { appNames } from '../../dev/src/apps.js';
import type { AppName } from '../../dev/src/apps.js';
import { freePort, startInfrastructure } from '../../dev/src/infrastructure.js';
import type { Child, Infrastructure, InfrastructureOptions } from '../../dev/src/infrastructure.js';
import { Control } from './control.js';
import { installationFile } from '../../verify/src/arguments.js';
import { restOf, verify } from '../../verify/src/verify.js';
import type { Report } from '../../verify/src/report.js';
import type { Places, VerifyOptions } from '../../verify/src/verify.js';

// On a machine that is busy with other work six processes take a minute to load.
const startTimeoutMs = 180_000;

export class Installation {
  readonly adminKey = randomBytes(24).toString('hex');
  private readonly apps = new Map<AppName, Child>();
  private environment: NodeJS.ProcessEnv = {};
  private unexpected: ((error: Error) => void) | undefined;
  private stopping = false;
  private kills = 0;
  private supervised = false;
  private ownSettings: (app: AppName) => Record<string, string> = () => ({});
  /** whose dist/ the apps are started from */
  private build = process.cwd();

  private constructor(
    readonly infrastructure: Infrastructure,
    readonly emulator: EmulatorClient,
    private readonly ports: Map<AppName, number>,
    private readonly logs: string,
  ) {
    // Whoever waits for it hears of it; nobody waiting is no reason to crash.
    this.broken.catch(() => undefined);
  }

  /** Infrastructure and emulator; the apps follow when they can be configured. */
  static async start(
    say: (text: string) => void,
    o: Pick<InfrastructureOptions, 'nodes' | 'between'> = {},
  ): Promise<Installation> {
    const infrastructure = await startInfrastructure({ say, ...o });
    try {
      const logs = infrastructure.folder
        ? join(infrastructure.folder, 'logs')
        : await mkdtemp(join(tmpdir(), 'qbo-sync-logs-'));
      await mkdir(logs, { recursive: true });
      registerSchemas(infrastructure);
      const emulator = await startEmulator(infrastructure, logs);
      const ports = new Map<AppName, number>();
      for (const app of appNames) ports.set(app, await freePort());
      return new Installation(infrastructure, emulator, ports, logs);
    } catch (error) {
      await infrastructure.stop();
      throw error;
    }
  }

  /** Ours, as QuickBooks knows it. @param webhookUrl where its webhooks go when not straight to the door */
  ourApp(webhookUrl = `${this.url('ingest')}/webhooks/intuit`): Promise<EmulatorApp> {
    return this.emulator.createApp({ name: 'qbo-sync', webhookUrl, webhookFormat: 'cloudevents' });
  }

  /** The admin API, as its operator. */
  get control(): Control {
    return new Control(this.url('control'), this.url('audit'), this.adminKey);
  }

  url(app: AppName): string {
    return `http://127.0.0.1:${this.ports.get(app)}`;
  }

  /** Rejects when an app ends that should not. */
  readonly broken: Promise<never> = new Promise((_, reject) => (this.unexpected = reject));

  /**
   * @param settings more of the apps' environment, over the tool's own
   * @param own what one app has for itself; asked at each of its starts
   */
  async startApps(
    intuitApp: EmulatorApp,
    settings: Record<string, string> = {},
    own: (app: AppName) => Record<string, string> = () => ({}),
  ): Promise<void> {
    this.ownSettings = own;
    // Services that were given may hold other installations: a corner of our own.
    const corner = `corner_${randomBytes(4).toString('hex')}`;
    const shared = this.infrastructure.given.length > 0;
    this.environment = {
      ...process.env,
      ...this.infrastructure.addresses,
      ...(shared && { SYNC_TOPIC_PREFIX: `${corner}.`, SYNC_DATABASE_SCHEMA: corner }),
      NODE_OPTIONS: '--disable-warning=TimeoutNegativeWarning',
      // Six processes load the same modules: compiled once.
      NODE_COMPILE_CACHE: join(process.cwd(), '.cache', 'compiled'),
      SYNC_QBO_ENVIRONMENT: this.emulator.url,
      SYNC_QBO_CLIENT_ID: intuitApp.clientId,
      SYNC_QBO_CLIENT_SECRET: intuitApp.clientSecret,
      SYNC_QBO_WEBHOOK_VERIFIER_TOKEN: intuitApp.verifierToken,
      SYNC_TOKEN_KEY: randomBytes(32).toString('base64'),
      SYNC_ADMIN_KEY: this.adminKey,
      SYNC_HTTP_HOST: '127.0.0.1',
      // A watcher's patience: lost webhooks are found within seconds instead of minutes, a killed writer's companies are
      // free again after three.
      SYNC_CAPTURE_LOOK_INTERVAL: '3s',
      SYNC_WRITER_LEASE: '3s',
      SYNC_DATABASE_POOL: '6',
      ...settings,
    };
    // Where `npm run verify` finds what runs here; it holds keys.
    await mkdir(dirname(installationFile), { recursive: true });
    await writeFile(installationFile, JSON.stringify(this.places()), { mode: 0o600 });
    // All at once, as after a power cut: they agree among themselves who migrates and who makes the topics.
    await Promise.all(appNames.map((app) => this.startApp(app)));
  }

  places(): Places {
    const { environment: env } = this;
    return {
      brokers: env.SYNC_KAFKA_BROKERS!.split(','),
      registryUrl: env.SYNC_REGISTRY_URL,
      topicPrefix: env.SYNC_TOPIC_PREFIX ?? '',
      databaseUrl: env.SYNC_DATABASE_URL!,
      databaseSchema: env.SYNC_DATABASE_SCHEMA ?? 'public',
      emulatorUrl: this.emulator.url,
      clientId: env.SYNC_QBO_CLIENT_ID,
      tokenKey: env.SYNC_TOKEN_KEY,
      control: { url: this.url('control'), auditUrl: this.url('audit'), adminKey: this.adminKey },
      apps: Object.fromEntries(appNames.map((app) => [app, this.url(app)])),
      logs: this.logs,
    };
  }

  /** Nothing moves any more; what still does after the checker's patience, when it does. */
  async restless(): Promise<string[]> {
    return (await restOf(this.places())).motion;
  }

  /** The thirteen invariants, judged by the checker from what stands outside of the apps. Last thing before the stop. */
  judge(o: VerifyOptions = {}): Promise<Report> {
    return verify(this.places(), { interruptions: this.kills, ...o });
  }

  async startApp(app: AppName): Promise<void> {
    const child = await this.spawn(app);
    this.apps.set(app, child);
    void child.exited.then((code) => {
      if (this.stopping || this.apps.get(app) !== child) return;
      if (this.supervised) return void this.startAgain(app);
      this.unexpected!(new Error(`${app} ended (${code}):\n${child.tail()}`));
    });
    await this.untilReady(app, child);
  }

  /** Apps that are started from here on come from this folder's build; a rolling upgrade. */
  use(folder: string): void {
    this.build = folder;
  }

  /** Settings for whatever is started from here on, over those given at first: a rollout of a changed configuration. */
  reconfigure(settings: Record<string, string>): void {
    this.environment = { ...this.environment, ...settings };
  }

  /** Ends an app as a rollout does: it finishes what it has in hand. It is not started again by itself. */
  async retire(app: AppName): Promise<void> {
    const child = this.apps.get(app)!;
    this.apps.delete(app);
    child.signal('SIGTERM');
    await child.exited;
  }

  /** A second process of an app, of the build in use, beside the first for `forMs`; then it takes its place. */
  async replaceSideBySide(app: AppName, forMs: number): Promise<void> {
    const before = this.apps.get(app)!;
    // Forgotten first: its end is wanted.
    this.apps.delete(app);
    this.ports.set(app, await freePort());
    await this.startApp(app);
    await sleep(forMs);
    before.signal('SIGTERM');
    await before.exited;
  }

  private spawn(app: AppName): Promise<Child> {
    return this.infrastructure.children.spawn({
      name: app,
      command: process.execPath,
      args: [`dist/apps/${app}/src/main.js`],
      cwd: this.build,
      env: { ...this.environment, ...this.ownSettings(app), SYNC_HTTP_PORT: String(this.ports.get(app)) },
      logFile: join(this.logs, `${app}.log`),
    });
  }

  /** From here on an app that ends, however, is started again, as a container platform would. */
  supervise(): void {
    this.supervised = true;
  }

  private async startAgain(app: AppName): Promise<void> {
    this.kills++;
    // One that ends during its start is started by its own exit; one that never comes up is missed by `ready`.
    await this.startApp(app).catch(() => undefined);
  }

  /** kill -9; the supervisor starts it again. */
  crash(app: AppName): void {
    this.apps.get(app)?.signal('SIGKILL');
  }

  /** One more process of an app, beside the first: not supervised, nobody waits for it. */
  async startAnother(app: AppName): Promise<Child> {
    return this.infrastructure.children.spawn({
      name: `another ${app}`,
      command: process.execPath,
      args: [`dist/apps/${app}/src/main.js`],
      env: { ...this.environment, ...this.ownSettings(app), SYNC_HTTP_PORT: '0' },
      logFile: join(this.logs, `another-${app}.log`),
    });
  }

  /** Changes with every restart; undefined while it is down. */
  pidOf(app: AppName): number | undefined {
    const child = this.apps.get(app);
    return child?.running ? child.pid : undefined;
  }

  signal(app: AppName, signal: NodeJS.Signals): void {
    this.apps.get(app)?.signal(signal);
  }

  /** The app of a pid, for whoever learns of a process from outside. */
  appOf(pid: number): AppName | undefined {
    return [...this.apps].find(([, child]) => child.pid === pid)?.[0];
  }

  /** Every app answers that it is ready. */
  async ready(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    for (const app of appNames) {
      for (let child = this.apps.get(app)!; ; child = this.apps.get(app)!) {
        try {
          await this.untilReady(app, child);
          break;
        } catch (error) {
          // Ended while we waited: its successor counts.
          if (!this.supervised || performance.now() > deadline) throw error;
          await sleep(200);
        }
      }
    }
  }

  /** As a power cut; the app is not started again by itself. */
  async kill(app: AppName): Promise<number> {
    const child = this.apps.get(app)!;
    this.apps.delete(app);
    this.kills++;
    child.signal('SIGKILL');
    await child.exited;
    return child.pid;
  }

  /** What an app has said so far, over all its lives. */
  said(app: AppName): Promise<string> {
    return readFile(join(this.logs, `${app}.log`), 'utf8');
  }

  /** Copies the logs to where they outlive the stop. */
  async keepLogs(as = 'demo-logs'): Promise<string> {
    const kept = join(process.cwd(), '.cache', as);
    await mkdir(kept, { recursive: true });
    await cp(this.logs, kept, { recursive: true, force: true });
    return kept;
  }

  /** Throws when QuickBooks counted more of us than it allows: the last word on every tool and end-to-end test. */
  async stop(): Promise<void> {
    this.stopping = true;
    const wrong = await this.emulator
      .whyQuotaBroke(this.environment.SYNC_QBO_CLIENT_ID)
      // An emulator that is gone (or whose journal is) was the matter of whoever ended it.
      .catch(() => []);
    await Promise.all([...this.apps.values()].map((child) => child.stop()));
    await this.infrastructure.stop();
    await rm(this.logs, { recursive: true, force: true });
    await rm(installationFile, { force: true });
    if (wrong.length > 0) throw new Error(`a quota of QuickBooks was exceeded (I-06): ${wrong.join('; ')}`);
  }

  private async untilReady(app: AppName, child: Child): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    let last = 'no answer';
    while (performance.now() < deadline) {
      if (!child.running) throw new Error(`${app} ended at its start (${await child.exited}):\n${child.tail()}`);
      try {
        const response = await fetch(`${this.url(app)}/health/ready`, { signal: AbortSignal.timeout(3000) });
        last = await response.text();
        if (response.ok) return;
      } catch {
        // Not listening yet.
      }
      await sleep(100);
    }
    throw new Error(`${app} was not ready within ${startTimeoutMs / 1000} s: ${last}`);
  }
}

/**
 * Six apps that bring the same schemas to a registry that has just started are in each other's way for seconds; who finds them there
 * asks one question per schema. They load meanwhile, and would do it themselves if this failed.
 */
function registerSchemas({ addresses, given }: Infrastructure): void {
  if (given.length > 0) return;
  const schemas = new RegistrySchemas(addresses.SYNC_REGISTRY_URL, 'installation');
  new ValueCodec(schemas, '').registerAll().catch(() => undefined);
}

async function startEmulator({ children }: Infrastructure, logs: string): Promise<EmulatorClient> {
  let found: (url: string) => void = () => undefined;
  const ready = new Promise<string>((resolve) => (found = resolve));
  const child = await children.spawn({
    name: 'emulator',
    command: process.execPath,
    args: ['dist/tools/qbo-emulator/src/main.js', '--port', '0'],
    logFile: join(logs, 'emulator.log'),
    onLine: (line) => {
      const url = /qbo-emulator listening on (http:\S+)/.exec(line)?.[1];
      if (url) found(url);
    },
  });
  const ended = child.exited.then((code) => {
    throw new Error(`The emulator ended (${code}):\n${child.tail()}`);
  });
  ended.catch(() => undefined);
  return new EmulatorClient(await Promise.race([ready, ended]));
}
