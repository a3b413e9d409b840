// Bytes to QBO and back over kept-alive connections (undici). Its one promise: it tells "certainly not sent" apart from "may
// have been sent", because only the first may be answered by sending something else.
import { Agent, request, type Dispatcher } from 'undici';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { RawAnswer } from './faults.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: string | AsyncIterable<Buffer>;
  readonly signal?: AbortSignal | undefined;
}

export type HttpOutcome<T> =
  | { readonly kind: 'answered'; readonly answer: T }
  | { readonly kind: 'uncertain'; readonly reason: string }
  | { readonly kind: 'unsent'; readonly reason: string };

export interface StreamedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly contentLength: number | undefined;
  readonly tid: string | undefined;
  readonly body: Readable;
}

/**
 * QBO itself gives up after 120 s; waiting ten seconds longer means that its own "timed out" reaches us, rather than ours
 * cutting a request whose answer was on its way.
 */
export const answerTimeoutMs = 130_000;
export const connectTimeoutMs = 10_000;
/** Per origin. Ten in flight per realm is the platform's limit; a process serves several realms. */
const connectionsPerOrigin = 64;
/** Intuit's gateway closes idle connections after about a minute; leaving first avoids most resets. */
const keepAliveMs = 30_000;

/** Errors from before a byte of the request was written: nothing can have happened on the other side. */
const unsentCodes = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_INVALID_ARG',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const gunzipAsync = promisify(gunzip);

export class Transport {
  private readonly agent: Agent;

  constructor(options: { answerTimeoutMs?: number; connectTimeoutMs?: number } = {}) {
    const patience = options.answerTimeoutMs ?? answerTimeoutMs;
    this.agent = new Agent({
      connections: connectionsPerOrigin,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: patience,
      bodyTimeout: patience,
      connect: { timeout: options.connectTimeoutMs ?? connectTimeoutMs },
    });
  }

  /** Sends and reads the whole answer as text. */
  async send(req: HttpRequest): Promise<HttpOutcome<RawAnswer>> {
    const outcome = await this.open(req);
    if (outcome.kind !== 'answered') return outcome;
    const { statusCode, headers, body } = outcome.answer;
    try {
      const bytes = Buffer.from(await body.arrayBuffer());
      const plain = headerText(headers['content-encoding']) === 'gzip' ? await gunzipAsync(bytes) : bytes;
      return {
        kind: 'answered',
        answer: {
          status: statusCode,
          contentType: headerText(headers['content-type']) ?? '',
          tid: headerText(headers['intuit_tid']),
          text: plain.toString('utf8'),
        },
      };
    } catch (error) {
      // The head came and the body did not: the answer is cut, whatever the status promised.
      return { kind: 'uncertain', reason: `answer cut after HTTP ${statusCode}: ${describe(error)}` };
    }
  }

  /** Sends and hands the body over as a stream; the caller must consume or destroy it. */
  async stream(req: HttpRequest): Promise<HttpOutcome<StreamedAnswer>> {
    const outcome = await this.open(req);
    if (outcome.kind !== 'answered') return outcome;
    const { statusCode, headers, body } = outcome.answer;
    const length = headerText(headers['content-length']);
    return {
      kind: 'answered',
      answer: {
        status: statusCode,
        contentType: headerText(headers['content-type']) ?? '',
        contentLength: length === undefined ? undefined : Number(length),
        tid: headerText(headers['intuit_tid']),
        body,
      },
    };
  }

  private async open(req: HttpRequest): Promise<HttpOutcome<Dispatcher.ResponseData>> {
    if (req.signal?.aborted) return { kind: 'unsent', reason: 'stopping' };
    try {
      const answer = await request(req.url, {
        method: req.method,
        headers: req.headers,
        body: typeof req.body === 'object' ? Readable.from(req.body) : (req.body ?? null),
        dispatcher: this.agent,
        ...(req.signal ? { signal: req.signal } : {}),
      });
      return { kind: 'answered', answer };
    } catch (error) {
      const code = codeOf(error);
      const kind = code !== undefined && unsentCodes.has(code) ? 'unsent' : 'uncertain';
      return { kind, reason: describe(error) };
    }
  }

  async close(): Promise<void> {
    await this.agent.close();
  }
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

// Judged by `code`, not by class: errors of Node's core come from another realm under Jest.
function codeOf(error: unknown): string | undefined {
  const e = error as { code?: string; cause?: unknown; errors?: unknown[] };
  // A host with several addresses fails with an AggregateError; all its parts are connect errors.
  if (e.code) return e.code;
  if (Array.isArray(e.errors) && e.errors.length > 0) return codeOf(e.errors[0]);
  return e.cause ? codeOf(e.cause) : undefined;
}

function describe(error: unknown): string {
  const e = error as { message?: string };
  return [codeOf(error), e.message].filter(Boolean).join(' ') || 'no reason given';
}
