// Turns whatever was thrown into a problem. What nobody foresaw is logged with its cause and answered without it.
import { Catch, HttpException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { createLog } from '../logging/index.js';
import { Problem, problemBody } from './problem.js';
import type { ProblemFacts } from './problem.js';

const log = createLog('http');

@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): Observable<never> | undefined {
    // A batch's failure reaches its server as it was thrown, to be handed in again.
    if (host.getType() === 'rpc') return throwError(() => thrown);
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const facts = factsOf(thrown);
    if (facts.status >= 500 && !(thrown instanceof Problem)) {
      log.error({ err: thrown, method: request.method, url: request.url }, 'request failed');
    }
    const reply = http.getResponse<FastifyReply>();
    if (facts.status === 401) void reply.header('www-authenticate', 'Bearer');
    if (facts.status === 503) void reply.header('retry-after', '1');
    void reply
      .status(facts.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(JSON.stringify(problemBody(facts, request.url)));
    return undefined;
  }
}

const known: Record<number, Pick<ProblemFacts, 'code' | 'title' | 'hint'>> = {
  400: { code: 'REQUEST.MALFORMED', title: 'Malformed request', hint: 'Send JSON with content-type application/json.' },
  404: { code: 'ROUTE.UNKNOWN', title: 'No such address', hint: 'docs/api.md lists every route.' },
  413: { code: 'REQUEST.TOO_LARGE', title: 'Body too large', hint: 'Send at most one mebibyte.' },
  415: {
    code: 'REQUEST.MEDIA_TYPE',
    title: 'Unsupported content type',
    hint: 'Send JSON with content-type application/json.',
  },
};

function factsOf(thrown: unknown): ProblemFacts {
  if (thrown instanceof Problem) return thrown.facts;
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusOf(thrown);
  const entry = known[status];
  if (entry) return { status, ...entry, detail: (thrown as Error).message };
  if (isDatabaseAway(thrown)) {
    return {
      status: 503,
      code: 'DATABASE.UNAVAILABLE',
      title: 'The database does not answer',
      detail: 'PostgreSQL is away; nothing was changed, or it will be undone.',
      hint: 'Try again; GET /health/ready says when it is back.',
    };
  }
  return {
    status: 500,
    code: 'INTERNAL',
    title: 'Something broke here',
    detail: 'An unforeseen error; the log of this process has it.',
    hint: 'Look for "request failed" in the log of this process at this moment.',
  };
}

/** Fastify's own errors carry a status. */
function statusOf(thrown: unknown): number {
  const status = (thrown as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' ? status : 500;
}

// Class 08 (connection) and 57P (shutdown) of PostgreSQL, the socket's own codes, and what the pool says without one.
function isDatabaseAway(thrown: unknown): boolean {
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  return (
    /^(08|57P)|^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE)$/.test(String(code ?? '')) ||
    /^Connection terminated|timeout exceeded when trying to connect/.test(String(message ?? ''))
  );
}
