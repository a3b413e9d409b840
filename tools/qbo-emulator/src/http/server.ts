// The socket side: reads requests, decides which part of the emulator they belong to, applies quotas, latency and fault
// rules around the accounting API, and writes answers. Everything a client could hang or crash is contained here.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { Emulator, type EmulatorOptions } from '../emulator.js';
import type { Seat } from '../seat.js';
import { withoutFirstLink, type Fault } from '../faults/index.js';
import { throttleAnswer } from '../limits/index.js';
import { Steering } from '../steering/steering.js';
import { QboFault, type Rec } from '../types.js';
import { Accounting, type CallOptions } from './accounting.js';
import { asFault, faultAnswer, jsonAnswer, type Answer } from './answer.js';
import { header, purposeOf, type Call, type Purpose } from './call.js';

const QBO_VERSION = '1957.164';
const LARGEST_BODY = 105 * 1024 * 1024;
/** Compressing smaller answers costs more than it saves on a loopback. */
const COMPRESS_FROM_BYTES = 8 * 1024;

class BodyTooLarge extends Error {}

export interface RunningEmulator {
  readonly emulator: Emulator;
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly port?: number;
  readonly host?: string;
  /** how clients reach it, when that is not the address it listens on: download links and OAuth addresses begin with it */
  readonly publicUrl?: string;
  readonly clock?: 'real' | 'virtual';
  readonly dataDir?: string;
  readonly progress?: (text: string) => void;
}

export async function startEmulator(options: ServerOptions = {}): Promise<RunningEmulator> {
  let url = '';
  const emulatorOptions: EmulatorOptions = {
    clock: options.clock ?? 'real',
    baseUrl: () => url,
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    ...(options.progress && { progress: options.progress }),
  };
  const emulator = new Emulator(emulatorOptions);
  const door = new Door(emulator);
  const server = createServer(
    { keepAliveTimeout: 65_000, maxHeaderSize: 256 * 1024 },
    (req, res) => void door.serve(req, res),
  );
  server.on('clientError', (_error, socket) => socket.destroy());
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const port = (server.address() as AddressInfo).port;
  url = options.publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { emulator, url, port, close: () => closeServer(server, emulator) };
}

async function closeServer(server: Server, emulator: Emulator): Promise<void> {
  emulator.webhooks.reset(false);
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  emulator.stop();
}

class Door {
  private readonly accounting: Accounting;
  private readonly steering: Steering;
  private readonly tidPrefix = randomBytes(4).toString('hex');
  private tidCount = 0;

  constructor(private readonly emulator: Emulator) {
    this.accounting = new Accounting(emulator);
    this.steering = new Steering(emulator);
  }

  async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const body = await readAll(req);
      const url = addressOf(req.url ?? '/');
      await this.dispatch(req, res, url, body);
    } catch (error) {
      if (res.headersSent || res.destroyed) {
        res.destroy();
        return;
      }
      const tooLarge = error instanceof BodyTooLarge;
      if (!tooLarge && !(error instanceof QboFault)) this.emulator.onUnexpected(error);
      const fault = tooLarge
        ? new QboFault('6030', 'Upload too large', 'The request is larger than 100 MB', undefined, 413)
        : asFault(error);
      const time = new Date(this.emulator.clock.now()).toISOString();
      this.write(
        req,
        res,
        faultAnswer(fault, /json/.test(header(req.headers, 'accept')), time, this.emulator.clock.now()),
        this.tid(),
      );
    }
  }

  private async dispatch(req: IncomingMessage, res: ServerResponse, url: URL, body: Buffer): Promise<void> {
    const path = url.pathname;
    if (path.startsWith('/v3/company/')) return this.serveAccounting(req, res, url, body);
    if (path.startsWith('/_emulator')) {
      const answer = await this.steering.answer(req.method ?? 'GET', path, url.searchParams, body);
      return this.write(req, res, answer, this.tid());
    }
    if (path.startsWith('/files/')) return this.serveFile(req, res, path.slice('/files/'.length));
    const purpose = path.includes('revoke') ? 'revoke' : path.includes('tokens/bearer') ? 'token' : 'oauth';
    const fault = this.emulator.faults.match({
      method: req.method ?? 'GET',
      path: `${path}${url.search}`,
      operation: purpose,
    });
    const request = {
      method: req.method ?? 'GET',
      path,
      query: url.searchParams,
      headers: req.headers,
      body: body.toString('utf8'),
    };
    const { oauth, clock } = this.emulator;
    const startedAtMs = clock.now();
    const addressee = purpose === 'token' ? oauth.addressee(request) : undefined;
    const note = (status: number, answered: string, lost: boolean): void => {
      if (addressee)
        oauth.noteCall(addressee, { startedAtMs, status, body: answered, lost: lost || req.socket.destroyed });
    };
    if (fault?.point === 'before-commit' && (await this.misbehaveBefore(req, res, fault)))
      return note(fault.answer?.status ?? 0, fault.answer?.body ?? '', !fault.answer);
    const given = await oauth.handle(request);
    if (!given)
      return this.write(
        req,
        res,
        jsonAnswer(404, { error: { code: 'NOT_FOUND', message: `nothing lives at ${path}` } }),
        this.tid(),
      );
    if (req.method === 'POST') this.emulator.keepAccess();
    const lost = given.lost === true || (fault?.point === 'after-commit' && !fault.answer);
    if (given.lost) {
      note(given.status, given.body, lost);
      res.destroy();
      return;
    }
    const answer: Answer = {
      status: given.status,
      contentType: given.headers['content-type'] ?? given.headers['Content-Type'] ?? 'application/json',
      body: given.body,
      headers: given.headers,
    };
    if (fault?.point === 'after-commit') await this.loseAnswer(req, res, fault);
    else await this.deliver(req, res, answer, this.tid(), fault);
    note(given.status, given.body, lost);
  }

  /** What was asked is done; the client gets another answer, or none. */
  private async loseAnswer(req: IncomingMessage, res: ServerResponse, fault: Fault): Promise<void> {
    if (fault.answer) return this.write(req, res, fault.answer, this.tid());
    if (fault.kind === 'timeout-after-commit') await wait(fault.delayMs ?? 120_000);
    res.destroy();
  }

  private serveFile(req: IncomingMessage, res: ServerResponse, opaque: string): void {
    const found = this.emulator.downloads.get(opaque);
    const seat = found && this.emulator.seat(found.realmId);
    const content = found && seat?.files.get(found.attachableId);
    if (!found || !content || found.diesAtMs <= this.emulator.clock.now()) {
      const body =
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>';
      return this.write(req, res, { status: 403, contentType: 'application/xml', body }, this.tid());
    }
    const rec = seat!.company.get('Attachable', found.attachableId);
    this.write(
      req,
      res,
      { status: 200, contentType: rec?.['ContentType'] ?? 'application/octet-stream', body: content },
      this.tid(),
    );
  }

  // --- the accounting API with everything around it -----------------------------------------------------------------
  private async serveAccounting(req: IncomingMessage, res: ServerResponse, url: URL, raw: Buffer): Promise<void> {
    const { emulator } = this;
    const tid = this.tid();
    const [, , , realmId = '', ...segments] = url.pathname.split('/').map(decoded);
    while (segments.at(-1) === '') segments.pop();
    const wantsJson = /json/i.test(header(req.headers, 'accept')) || url.searchParams.get('format') === 'json';
    const call: Call = {
      method: req.method ?? 'GET',
      realmId,
      segments,
      query: url.searchParams,
      headers: req.headers,
      body: raw,
      wantsJson,
    };
    let clientId: string | undefined;
    let startedAtMs = emulator.clock.now();
    const note = (status: number, bytes: number, how: { fault?: string | undefined; lost?: boolean } = {}): void => {
      const seat = emulator.seat(realmId);
      if (seat) {
        const effects = emulator.takeEffects(seat);
        emulator.journal(seat, {
          time: new Date(emulator.clock.now()).toISOString(),
          startedAt: new Date(startedAtMs).toISOString(),
          app: clientId,
          method: call.method,
          path: `${url.pathname}${url.search}`,
          status,
          requestid: url.searchParams.get('requestid') ?? undefined,
          tid,
          bytes,
          ...(how.fault !== undefined && { fault: how.fault }),
          ...(how.lost && { lost: true as const }),
          ...(effects.length > 0 && { effects }),
        });
      }
    };
    const finish = async (answer: Answer, fault?: Fault): Promise<void> => {
      note(answer.status, Buffer.byteLength(answer.body), {
        fault: fault?.kind,
        lost: fault?.kind === 'truncate-body',
      });
      await this.deliver(req, res, answer, tid, fault);
    };
    const refuse = (error: unknown): Promise<void> => {
      const time = emulator.seat(realmId)?.company.envelopeNow() ?? new Date(emulator.clock.now()).toISOString();
      return finish(faultAnswer(asFault(error), wantsJson, time, emulator.clock.now()));
    };
    let seat: Seat | undefined;
    let purpose: Purpose;
    try {
      clientId = emulator.oauth.authorize(req.headers.authorization, realmId).clientId;
      seat = emulator.seat(realmId);
      if (!seat)
        throw new QboFault(
          '130',
          'Wrong cluster',
          `No company ${realmId.slice(0, 25)} lives here`,
          undefined,
          403,
          'AUTHORIZATION',
        );
      purpose = purposeOf(call);
    } catch (error) {
      return refuse(error);
    }
    startedAtMs = emulator.clock.now();
    const admission = emulator.limits.admit(realmId, clientId, purpose.kind, meteredReads(purpose, raw));
    if (!admission.ok) return finish(throttled(emulator));
    try {
      const fault = emulator.faults.match({
        realmId,
        method: call.method,
        path: `${url.pathname}${url.search}`,
        operation: purpose.operation,
        ...(purpose.entity !== undefined && { entity: purpose.entity }),
      });
      const latencyMs = emulator.limits.latencyMs(purpose.entity);
      const patienceMs = emulator.limits.sizeOf('serverTimeoutMs');
      if (latencyMs > 0) await wait(Math.min(latencyMs, patienceMs));
      if (fault?.answer && fault.point === 'before-commit') {
        admission.done(false);
        return await finish(fault.answer, fault);
      }
      if (fault?.point === 'before-commit' && (await this.misbehaveBefore(req, res, fault))) {
        admission.done(false);
        note(0, 0, { fault: fault.kind, lost: true });
        return;
      }
      const answer = this.accounting.answer(seat, call, clientId, optionsOf(fault));
      admission.done(answer.status < 300);
      // The server gives up waiting for itself: what was asked is done all the same.
      if (latencyMs > patienceMs) return await finish(GATEWAY_TIMEOUT);
      if (fault?.point === 'after-commit') {
        if (fault.answer) return await finish(fault.answer, fault);
        note(answer.status, 0, { fault: fault.kind, lost: true });
        if (fault.kind === 'timeout-after-commit') await wait(fault.delayMs ?? 120_000);
        res.destroy();
        return;
      }
      await finish(answer, fault);
    } finally {
      admission.done(false);
    }
  }

  /** True when the request is over: nothing was done and the connection is gone. */
  private async misbehaveBefore(req: IncomingMessage, res: ServerResponse, fault: Fault): Promise<boolean> {
    if (fault.answer) {
      this.write(req, res, fault.answer, this.tid());
      return true;
    }
    if (fault.kind === 'timeout-before-commit') await wait(fault.delayMs ?? 120_000);
    if (fault.kind !== 'timeout-before-commit' && fault.kind !== 'reset-before-commit') return false;
    res.destroy();
    return true;
  }

  private async deliver(
    req: IncomingMessage,
    res: ServerResponse,
    answer: Answer,
    tid: string,
    fault?: Fault,
  ): Promise<void> {
    if (fault?.kind === 'slow' && fault.delayMs) await wait(fault.delayMs);
    if (fault?.kind === 'truncate-body' || (fault?.kind === 'slow' && fault.bytesPerSecond)) {
      const body = Buffer.from(answer.body);
      res.writeHead(answer.status, { ...headersOf(answer, tid), 'content-length': String(body.length) });
      if (fault.kind === 'truncate-body') {
        res.write(body.subarray(0, Math.floor(body.length * (fault.keep ?? 0.5))), () => res.destroy());
        return;
      }
      const perSlice = Math.max(1, Math.floor((fault.bytesPerSecond ?? 1000) / 10));
      for (let at = 0; at < body.length && !res.destroyed; at += perSlice) {
        res.write(body.subarray(at, at + perSlice));
        await wait(100);
      }
      res.end();
      return;
    }
    this.write(req, res, answer, tid);
  }

  private write(req: IncomingMessage, res: ServerResponse, answer: Answer, tid: string): void {
    if (res.destroyed) return;
    let body: Buffer | string = answer.body;
    const headers = headersOf(answer, tid);
    if (Buffer.byteLength(body) >= COMPRESS_FROM_BYTES && /\bgzip\b/.test(header(req.headers, 'accept-encoding'))) {
      body = gzipSync(body, { level: 1 });
      headers['content-encoding'] = 'gzip';
    }
    headers['content-length'] = String(Buffer.byteLength(body));
    res.writeHead(answer.status, headers);
    res.end(req.method === 'HEAD' ? undefined : body);
  }

  private tid(): string {
    this.tidCount += 1;
    return `1-${this.tidPrefix}-${this.tidCount.toString(16).padStart(24, '0')}`;
  }
}

function headersOf(answer: Answer, tid: string): Record<string, string> {
  return { ...answer.headers, 'content-type': answer.contentType, intuit_tid: tid, 'qbo-version': QBO_VERSION };
}

/** CorePlus reads of a call: one for a read, one for each query item of a batch, none for writes. */
function meteredReads(purpose: Purpose, body: Buffer): number {
  if (purpose.operation !== 'batch') return purpose.write ? 0 : 1;
  return body.toString('latin1').match(/"(?:CDC|Report)?Query"\s*:|<(?:CDC|Report)?Query>/g)?.length ?? 0;
}

function optionsOf(fault: Fault | undefined): CallOptions {
  if (!fault) return {};
  if (fault.kind === 'stale') return { stale: true };
  if (fault.kind === 'partial-batch') return { batchItems: fault.items ?? 0 };
  if (fault.kind === 'drop-link') return { changeBody: (body: Rec) => withoutFirstLink(body) ?? body };
  return {};
}

const GATEWAY_TIMEOUT: Answer = {
  status: 504,
  contentType: 'text/html',
  body: '<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway Time-out</h1></body></html>',
};

function throttled(emulator: Emulator): Answer {
  return throttleAnswer(emulator.limits.throttleBody, emulator.clock.now());
}

/** Nothing a client writes in its request line may throw: what is no address is an address nobody lives at. */
function addressOf(target: string): URL {
  return URL.canParse(target, 'http://emulator') ? new URL(target, 'http://emulator') : new URL('http://emulator/-');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

async function readAll(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  // Clients send the header on requests without a body too; there is nothing to unpack then.
  const encoding = header(req.headers, 'content-encoding').toLowerCase();
  if (body.length === 0 || encoding === '' || encoding === 'identity') return body;
  try {
    if (encoding.includes('gzip')) return gunzipSync(body, { maxOutputLength: LARGEST_BODY });
    if (encoding.includes('deflate')) return inflateSync(body, { maxOutputLength: LARGEST_BODY });
  } catch {
    throw new QboFault(
      '500',
      'Unsupported Operation',
      'Unsupported Operation : the request body could not be unpacked',
    );
  }
  return body;
}
