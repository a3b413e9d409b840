// JSON logs by pino. One root per process; createLog gives a named child. Whatever is logged, and however deep in an
// error it hides, no token, secret or password leaves the process: the finished line is masked just before it is written.
import { LoggerModule } from 'nestjs-pino';
import type { DynamicModule } from '@nestjs/common';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { traceFields } from '../tracing/index.js';

/** Fields used everywhere: realm, entityKey, changeId, traceparent, err. `traceId` and `spanId` follow by themselves. */
export type Log = Logger;

const secretNames =
  'authorization|cookie|set-cookie|access_?token|refresh_?token|id_?token|client_?secret|verifier_?token|token_?key|admin_?key|password|x-api-key|intuit-signature';
// `"name":"`, where every quote may be escaped any number of times: JSON inside a string inside JSON.
const secretField = new RegExp(`"(?:${secretNames})(\\\\*)"\\s*:\\s*\\[?\\s*\\1"`, 'gi');
const secretHeader = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;
const secretParameter = new RegExp(`\\b(${secretNames})=[^&\\s"\\\\]+`, 'gi');
const urlPassword = /(:\/\/[^:/@\s"]{1,256}):[^@/\s"]{1,256}@/g;

/** Masks secrets in a finished JSON line, in one pass over it; exported for the test that tries to smuggle one out. */
export function maskSecrets(line: string): string {
  return maskFields(line)
    .replace(secretHeader, '$1 [masked]')
    .replace(secretParameter, '$1=[masked]')
    .replace(urlPassword, '$1:[masked]@');
}

function maskFields(line: string): string {
  let masked = '';
  let copiedTo = 0;
  secretField.lastIndex = 0;
  for (let found = secretField.exec(line); found; found = secretField.exec(line)) {
    const begin = found.index + found[0].length;
    const end = endOfText(line, begin, found[1]!.length);
    masked += `${line.slice(copiedTo, begin)}[masked]`;
    copiedTo = end;
    secretField.lastIndex = end;
  }
  return masked === '' ? line : masked + line.slice(copiedTo);
}

/** Where the escaped closing quote of a text begins, when its own quotes carry `escapes` backslashes. */
function endOfText(line: string, begin: number, escapes: number): number {
  // A backslash inside the text is written with 2 * (escapes + 1), a quote inside it with 2 * escapes + 1 before it.
  const unit = 2 * (escapes + 1);
  let run = 0;
  for (let i = begin; i < line.length; i++) {
    if (line[i] === '\\') run++;
    else {
      if (line[i] === '"' && run >= escapes && (run - escapes) % unit === 0) return i - escapes;
      run = 0;
    }
  }
  return line.length;
}

interface LogOptions {
  service: string;
  level: string;
  destination?: DestinationStream;
}

// Until a process says otherwise (tests, tools) only warnings are written; tests take the lines themselves, to show them
// with a failure (tools/dev/test-environment.cjs).
const { [Symbol.for('sync.logLines')]: taken } = globalThis as { [taken: symbol]: DestinationStream | undefined };
let root = makeRoot({ service: 'sync', level: 'warn', ...(taken && { destination: taken }) });
const children: Logger[] = [];

function makeRoot(o: LogOptions): Logger {
  return pino(
    {
      level: o.level,
      base: { service: o.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: traceFields,
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

// Below a mounted middleware `url` has lost its beginning.
const pathOf = (request: { url?: string; originalUrl?: string }): string => request.originalUrl ?? request.url ?? '';

/** nestjs-pino on the same root. Its default routes match nothing on Fastify (Nest 12), hence '*'. */
export function loggingModule(): DynamicModule {
  return LoggerModule.forRoot({
    forRoutes: ['*'],
    pinoHttp: {
      logger: root,
      // Probes and scrapes come every few seconds and say nothing.
      autoLogging: { ignore: (request) => /^\/(health|metrics)(\/|$)/.test(pathOf(request)) },
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
