// JSON logs by pino. One root per process; createLog gives a named child. Whatever is logged, and however deep in an
// error it hides, no token, secret or password leaves the process: the finished line is masked just before it is written.
import { LoggerModule } from 'nestjs-pino';
import type { DynamicModule } from '@nestjs/common';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

/** Fields used everywhere: realm, entityKey, changeId, traceparent, err. */
export type Log = Logger;

const secretNames =
  'authorization|cookie|set-cookie|access_?token|refresh_?token|id_?token|client_?secret|verifier_?token|token_?key|admin_?key|password|x-api-key|intuit-signature';
// A quote may be escaped any number of times: JSON inside a string inside JSON.
const secretField = new RegExp(`(\\\\*")(${secretNames})\\1(\\s*:\\s*)\\1(?:(?!\\1)[^\\n])*\\1`, 'gi');
const secretHeader = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;
const secretParameter = new RegExp(`\\b(${secretNames})=[^&\\s"\\\\]+`, 'gi');
const urlPassword = /([a-z][a-z0-9+.-]*:\/\/[^:/@\s"]+):[^@/\s"]+@/gi;

/** Masks secrets in a finished JSON line; exported for the test that tries to smuggle one out. */
export function maskSecrets(line: string): string {
  return line
    .replace(secretField, '$1$2$1$3$1[masked]$1')
    .replace(secretHeader, '$1 [masked]')
    .replace(secretParameter, '$1=[masked]')
    .replace(urlPassword, '$1:[masked]@');
}

interface LogOptions {
  service: string;
  level: string;
  destination?: DestinationStream;
}

// Until a process says otherwise (tests, tools) only warnings are written.
let root = makeRoot({ service: 'sync', level: 'warn' });
const children: Logger[] = [];

function makeRoot(o: LogOptions): Logger {
  return pino(
    {
      level: o.level,
      base: { service: o.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: maskSecrets },
    },
    o.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** Called once by the process's start; children that exist already follow the level. */
export function configureLogging(o: LogOptions): Log {
  root = makeRoot(o);
  for (const child of children) child.level = o.level;
  return root;
}

/** A named log. Make one per class or module, not one per request: it is remembered. */
export function createLog(name: string): Log {
  const child = root.child({ part: name });
  children.push(child);
  return child;
}

/** nestjs-pino on the same root. Its default routes match nothing on Fastify (Nest 12), hence '*'. */
export function loggingModule(): DynamicModule {
  return LoggerModule.forRoot({
    forRoutes: ['*'],
    pinoHttp: {
      logger: root,
      // Probes and scrapes come every few seconds and say nothing.
      autoLogging: { ignore: (request) => /^\/(health|metrics)(\/|$)/.test(request.url ?? '') },
      customLogLevel: (_request, response, error) =>
        error || response.statusCode >= 500 ? 'error' : response.statusCode >= 400 ? 'info' : 'debug',
      serializers: {
        req: (request: { id: unknown; method: string; url: string }) => ({
          id: request.id,
          method: request.method,
          url: request.url,
        }),
        res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
      },
    },
  });
}
