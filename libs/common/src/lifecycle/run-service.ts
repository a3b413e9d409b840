// Turns a module into an OS process. Modes: starting -> serving -> stopping -> gone.
// starting: the HTTP server already answers /health/live (200) and /health/ready (503), so that a start which waits for
//   Kafka or PostgreSQL looks slow, never dead. serving: the app's routes. stopping (first SIGTERM or SIGINT): not ready,
//   waits abort, drains run, consumers leave their groups, requests in flight end, pools close, exit 0; a second signal
//   exits 1 at once. Exit codes: 0 stopped, 1 broken or forced, 78 (EX_CONFIG) wrong configuration.
// `--settings` prints what can be configured and ends.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomStrategy } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { systemClock } from '../clock/index.js';
import {
  ConfigurationError,
  describeConfig,
  httpSettings,
  listSettings,
  loadConfig,
  logSettings,
  stopSettings,
} from '../config/index.js';
import type { Environment, Spec, Values } from '../config/index.js';
import { armFailpoints, failpointsRefused } from '../failpoints/index.js';
import { Health } from '../health/index.js';
import { configureLogging } from '../logging/index.js';
import type { Log } from '../logging/index.js';
import { startProcessMetrics } from '../metrics/index.js';
import { startTracing, tracingSettings } from '../tracing/index.js';
import { Lifecycle } from './lifecycle.js';
import { ServiceModule } from './service-module.js';

type Strategy = CustomStrategy['strategy'];
type Microservice = CustomStrategy | Strategy;

export interface ServiceOptions<S extends Spec> {
  name: string;
  config: S;
  module: (config: Values<S>) => Type | DynamicModule;
  /** consumers; made when the module is complete, closed before pools are */
  microservice?: (app: NestFastifyApplication, config: Values<S>) => Microservice | Microservice[];
  /** largest body any route accepts, in bytes; above it 413 */
  bodyLimit?: number;
  env?: Environment;
}

const processSettings = { ...httpSettings, ...logSettings, ...stopSettings, ...tracingSettings };
type ProcessValues = Values<typeof processSettings>;
/** Requests in flight get this long when the server closes; the longest route is far below it. */
const httpCloseTimeoutMs = 5000;
const mebibyte = 1024 * 1024;

export async function runService<S extends Spec>(o: ServiceOptions<S>): Promise<void> {
  const spec = { ...processSettings, ...o.config };
  if (process.argv.includes('--settings')) {
    // For people and for .env.example: what can be set, without starting anything.
    process.stdout.write(`${JSON.stringify(listSettings(spec))}\n`);
    return;
  }
  // eslint-disable-next-line no-restricted-properties -- the one place that reads the environment for all apps
  const env = o.env ?? process.env;
  let config: Values<S> & ProcessValues;
  try {
    const refused = failpointsRefused(env);
    if (refused !== undefined) throw new ConfigurationError([refused]);
    config = loadConfig(spec, env) as Values<S> & ProcessValues;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${o.name}: ${error.message}\n`);
    process.exit(78);
  }
  const log = configureLogging({ service: o.name, level: config.logLevel });
  log.info({ config: describeConfig(spec, config as Values<typeof spec>) }, 'starting');
  if (env.SYNC_FAILPOINTS) {
    armFailpoints(env.SYNC_FAILPOINTS);
    log.warn({ folder: env.SYNC_FAILPOINTS }, 'failpoints are on: this process may be ended on purpose');
  }
  startProcessMetrics(o.name);
  const stopTracing = await startTracing(o.name, config);

  const lifecycle = new Lifecycle();
  const health = new Health(systemClock);
  const door = new Door(health);
  let app: NestFastifyApplication | undefined;
  let strategies: Strategy[] = [];

  const die = (reason: string) => (error: unknown) => {
    log.fatal({ err: error }, reason);
    process.exit(1);
  };
  process.on('unhandledRejection', die('unhandled rejection'));
  process.on('uncaughtException', die('uncaught exception'));

  let stop: Promise<void> | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stop) {
        log.warn({ signal }, 'second signal: leaving at once');
        process.exit(1);
      }
      log.info({ signal }, 'stopping');
      stop = leave();
    });
  }

  async function leave(): Promise<void> {
    setTimeout(() => {
      log.error({ stopTimeoutMs: config.stopTimeoutMs }, 'work did not end in time: leaving');
      process.exit(1);
    }, config.stopTimeoutMs).unref();
    try {
      health.accept(false);
      const failed = await lifecycle.drain(log);
      await closeAll(strategies);
      await door.close();
      await app?.close();
      // A collector that is away must not make the stop fail.
      await stopTracing().catch((error: unknown) => log.warn({ err: error }, 'last traces not sent'));
      log.info({ failed }, 'stopped');
      process.exit(failed.length > 0 ? 1 : 0);
    } catch (error) {
      die('stop failed')(error);
    }
  }

  try {
    const address = await door.open(config.httpHost, config.httpPort);
    const root = ServiceModule.forRoot({ clock: systemClock, lifecycle, health, app: o.module(config) });
    const adapter = new FastifyAdapter({ bodyLimit: o.bodyLimit ?? mebibyte, forceCloseConnections: true });
    app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
      rawBody: true,
      bufferLogs: true,
      abortOnError: false,
    });
    app.useLogger(app.get(Logger));
    const made = o.microservice ? [o.microservice(app, config)].flat() : [];
    strategies = made.map((m) => ('strategy' in m ? m.strategy : m));
    for (const strategy of strategies) app.connectMicroservice({ strategy }, { inheritAppConfig: true });
    await app.init();
    await adapter.getInstance().ready();
    if (lifecycle.stopping.aborted) return;
    await app.startAllMicroservices();
    if (lifecycle.stopping.aborted) return;
    door.serve((request, response) => adapter.getInstance().routing(request, response));
    health.accept(true);
    log.info({ address, startedInMs: Math.round(performance.now()) }, 'ready');
  } catch (error) {
    // A stop during the start makes waits end with errors: that is the stop working.
    if (lifecycle.stopping.aborted) return;
    startFailed(log, error);
  }
}

function startFailed(log: Log, error: unknown): never {
  log.fatal({ err: error }, 'start failed');
  process.exit(1);
}

/** Closes consumers; Nest closes them again with the app, so a second close does nothing. */
async function closeAll(strategies: Strategy[]): Promise<void> {
  await Promise.all(
    strategies.map(async (strategy) => {
      await strategy.close();
      strategy.close = () => undefined;
    }),
  );
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The HTTP server, open from the first moment; answers health itself until the app takes over. */
class Door {
  private readonly server: Server;
  private handler: Handler;

  constructor(private readonly health: Health) {
    this.handler = (request, response) => void this.answerWhileStarting(request, response);
    this.server = createServer((request, response) => this.handler(request, response));
  }

  open(host: string, port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        const bound = this.server.address();
        const boundPort = typeof bound === 'object' && bound ? bound.port : port;
        resolve(`http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`);
      });
    });
  }

  serve(handler: Handler): void {
    this.handler = handler;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeIdleConnections();
    const cut = setTimeout(() => this.server.closeAllConnections(), httpCloseTimeoutMs);
    await closed;
    clearTimeout(cut);
  }

  private async answerWhileStarting(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0];
    const report =
      path === '/health/live' ? this.health.live() : path === '/health/ready' ? await this.health.ready() : undefined;
    const status = report?.status === 'ok' ? 200 : 503;
    response.writeHead(status, { 'content-type': 'application/json', ...(!report && { 'retry-after': '1' }) });
    response.end(JSON.stringify(report ?? { status: 503, title: 'starting' }));
  }
}
