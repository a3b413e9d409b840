// The QBO client: every call of the accounting API that the sync makes, each ending in a QboAnswer. Around each call stand,
// from the outside in: the token (renewed once on a 401), the governor, the circuit breakers, the transport.
// It refuses to retry anything else: what to do after "uncertain" or "refused" is decided by who knows what was at stake.
import { failpoint } from '#common/failpoints';
import type { Readable } from 'node:stream';
import type { Clock } from '#common/clock';
import { traced } from '#common/tracing';
import { purposeOf, withIdentity, type CallPurpose, type Json, type ReadPurpose } from '#core';
import type { BatchItemAnswer, QboAnswer } from './answer.js';
import { Breakers } from './circuit/breakers.js';
import type { QboEnvironment } from './environment.js';
import { faultsOfJson, interpret, serverFaultCodes } from './http/faults.js';
import { multipartBody, type UploadParts } from './http/multipart.js';
import { Transport, type HttpRequest } from './http/transport.js';
import type { CallFacts, GovernorGate, RequestClass, TokenSource } from './ports.js';

export interface CallOptions {
  /** reserve class at the governor; default 'live' */
  class?: RequestClass;
  signal?: AbortSignal;
  /** what a read is for, at the meter; told by call and class when absent */
  purpose?: ReadPurpose;
  /** told when the governor gave leave and the request goes out */
  sent?: () => void;
}

export type WriteOperation = 'create' | 'update' | 'delete' | 'void';

export interface WriteRequest {
  entityType: string;
  operation: WriteOperation;
  /** the exact bytes to send; sent again unchanged when the outcome stayed uncertain */
  body: string;
  /** at most 50 characters */
  requestId: string;
  /** How this type is voided (qbo-api.md 2.5): `?operation=void`, or an update with `include=void`. */
  voidForm?: 'operation-void' | 'include-void' | 'none';
  /** where this write goes instead of the type's own address: `taxservice/taxcode`, whose answer is the bare object */
  address?: string | undefined;
  /** `allowduplicatedocnum`: a document number already used is no fault (6140) */
  include?: string;
}

export interface QueryPage {
  rows: Json[];
  totalCount: number | undefined;
  startPosition: number | undefined;
}

export interface CdcPage {
  /** changed objects by type; a deleted one has `status: "Deleted"` */
  objects: Record<string, Json[]>;
  /** objects in the response; 1,000 means it may have been cut (qbo-api.md 6) */
  count: number;
  time: string | undefined;
}

export interface BatchAnswer {
  /** by bId; an item the answer does not mention is absent */
  items: Map<string, BatchItemAnswer>;
}

export interface Download {
  content: Readable;
  contentType: string;
  size: number | undefined;
}

interface QboClientPorts {
  environment: QboEnvironment;
  tokens: TokenSource;
  gate: GovernorGate;
  clock: Clock;
  /** the app QBO counts limits by, at the governor: the Intuit app, whichever of our processes asks */
  app: string;
  userAgent?: string;
  breakers?: Breakers;
  transport?: Transport;
  observe?: (facts: CallFacts) => void;
}

/** The newest minor version; lower ones are served as 75 since August 2025, so it only documents what we expect. */
const minorVersion = '75';
/** What Intuit counts against the month: data out. Writes and batches of writes are free, queries in a batch count each. */
const metered: ReadonlySet<CallFacts['call']> = new Set(['query', 'cdc', 'read', 'report', 'companyinfo', 'download']);
const queryItem = /"Query"\s*:/g;
const batchItem = /"bId"\s*:/g;
/** QBO allows the statement in the address; longer ones go as a body so that no proxy on the way cuts them. */
const longestStatementInAddress = 1_500;

export class QboClient {
  readonly breakers: Breakers;
  private readonly transport: Transport;

  constructor(private readonly ports: QboClientPorts) {
    this.breakers = ports.breakers ?? new Breakers();
    if (ports.gate.platform) this.breakers.share(ports.gate.platform);
    this.transport = ports.transport ?? new Transport();
  }

  query(realmId: string, statement: string, options: CallOptions = {}): Promise<QboAnswer<QueryPage>> {
    const short = encodeURIComponent(statement).length <= longestStatementInAddress;
    const request = short
      ? this.get(realmId, 'query', { query: statement })
      : this.post(realmId, 'query', {}, statement, 'application/text');
    return this.call(realmId, 'query', 'single', request, options, (envelope) => {
      const response: Json | undefined = envelope.QueryResponse;
      if (response === undefined || response === null) return undefined;
      // The key is the type as QBO spells it (CreditCardPaymentTxn for creditcardpayment); nothing found means no key at all.
      const rows = Object.values(response).find((value) => Array.isArray(value)) as Json[] | undefined;
      return { rows: rows ?? [], totalCount: response.totalCount, startPosition: response.startPosition };
    });
  }

  cdc(
    realmId: string,
    types: readonly string[],
    sinceIso: string,
    options: CallOptions = {},
  ): Promise<QboAnswer<CdcPage>> {
    const request = this.get(realmId, 'cdc', { entities: types.join(','), changedSince: sinceIso });
    return this.call(realmId, 'cdc', 'single', request, options, (envelope) => {
      if (!Array.isArray(envelope.CDCResponse)) return undefined;
      const objects: Record<string, Json[]> = {};
      let count = 0;
      for (const response of envelope.CDCResponse.flatMap(
        (part: Json) => (part.QueryResponse as Json[] | undefined) ?? [],
      )) {
        for (const [type, rows] of Object.entries(response as Json)) {
          if (!Array.isArray(rows)) continue;
          (objects[type] ??= []).push(...(rows as Json[]));
          count += rows.length;
        }
      }
      return { objects, count, time: envelope.time };
    });
  }

  read(realmId: string, entityType: string, id: string, options: CallOptions = {}): Promise<QboAnswer<Json>> {
    const request = this.get(realmId, `${segment(entityType)}/${encodeURIComponent(id)}`, {});
    return this.call(realmId, 'read', 'single', request, options, (envelope) => objectOf(envelope, entityType));
  }

  companyInfo(realmId: string, options: CallOptions = {}): Promise<QboAnswer<Json>> {
    const request = this.get(realmId, `companyinfo/${realmId}`, {});
    return this.call(realmId, 'companyinfo', 'single', request, options, (envelope) =>
      objectOf(envelope, 'CompanyInfo'),
    );
  }

  trialBalance(
    realmId: string,
    parameters: Record<string, string> = {},
    options: CallOptions = {},
  ): Promise<QboAnswer<Json>> {
    return this.report(realmId, 'TrialBalance', parameters, options);
  }

  report(
    realmId: string,
    name: string,
    parameters: Record<string, string>,
    options: CallOptions = {},
  ): Promise<QboAnswer<Json>> {
    const request = this.get(realmId, `reports/${name}`, parameters);
    return this.call(realmId, 'report', 'single', request, options, (envelope) =>
      envelope.Header ? envelope : undefined,
    );
  }

  /** One write. The answer is the stored object; of a deletion, `{Id, status: "Deleted"}`. */
  write(realmId: string, write: WriteRequest, options: CallOptions = {}): Promise<QboAnswer<Json>> {
    const parameters: Record<string, string> = { requestid: write.requestId };
    if (write.operation === 'delete') parameters.operation = 'delete';
    if (write.operation === 'void' && write.voidForm === 'include-void') {
      parameters.operation = 'update';
      parameters.include = 'void';
    } else if (write.operation === 'void') {
      parameters.operation = 'void';
    }
    if (write.include !== undefined && write.operation !== 'void') parameters.include = write.include;
    const address = write.address ?? segment(write.entityType);
    const request = this.post(realmId, address, parameters, write.body, 'application/json');
    return this.call(realmId, 'write', 'single', request, options, (envelope) =>
      write.address === undefined ? objectOf(envelope, write.entityType) : taxCodeOf(envelope),
    );
  }

  /** Up to 30 items in one request. Items succeed and fail each for itself. */
  batch(
    realmId: string,
    batch: { requestId: string; body: string },
    options: CallOptions = {},
  ): Promise<QboAnswer<BatchAnswer>> {
    const request = this.post(realmId, 'batch', { requestid: batch.requestId }, batch.body, 'application/json');
    const queries = batch.body.match(queryItem)?.length ?? 0;
    const items = batch.body.match(batchItem)?.length ?? 1;
    return this.call(realmId, 'batch', 'batch', request, { ...options, queries, items }, (envelope) => {
      if (!Array.isArray(envelope.BatchItemResponse)) return undefined;
      const items = new Map<string, BatchItemAnswer>();
      for (const item of envelope.BatchItemResponse as Json[]) {
        const faults = faultsOfJson(item);
        const verdict = faults.some((fault) => !serverFaultCodes.has(fault.code));
        if (faults.length > 0) items.set(String(item.bId), { kind: verdict ? 'refused' : 'uncertain', faults });
        else {
          const value = Object.entries(item).find(
            ([key, part]) => key !== 'bId' && part !== null && typeof part === 'object',
          );
          if (value) items.set(String(item.bId), { kind: 'ok', value: value[1] as Json });
        }
      }
      return { items };
    });
  }

  /** Uploads one file with its Attachable metadata. The answer is the stored Attachable. */
  upload(realmId: string, parts: UploadParts, options: CallOptions = {}): Promise<QboAnswer<Json>> {
    const multipart = multipartBody(parts);
    const request: HttpRequest = {
      method: 'POST',
      url: this.address(realmId, 'upload', { requestid: parts.requestId }),
      headers: {
        'content-type': multipart.contentType,
        ...(multipart.contentLength === undefined ? {} : { 'content-length': String(multipart.contentLength) }),
      },
      body: multipart.body,
    };
    // The content can be read once: a second try after a 401 would send nothing, so the caller gets the 401.
    return this.call(realmId, 'upload', 'single', request, { class: 'attachments', ...options }, (envelope) => {
      const response: Json | undefined = Array.isArray(envelope.AttachableResponse)
        ? envelope.AttachableResponse[0]
        : undefined;
      if (response === undefined) return undefined;
      return response.Attachable as Json | undefined;
    });
  }

  /** The bytes of an attachment: asks for the short-lived address, then opens it. The caller consumes or destroys the stream. */
  async download(realmId: string, attachableId: string, options: CallOptions = {}): Promise<QboAnswer<Download>> {
    const request = this.get(realmId, `download/${encodeURIComponent(attachableId)}`, {});
    const place = await this.call<string>(
      realmId,
      'download',
      'single',
      request,
      { class: 'attachments', ...options },
      undefined,
    );
    if (place.kind !== 'ok') return place;
    const url = place.value.trim();
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      return {
        kind: 'uncertain',
        reason: 'the download address is not an address',
        status: place.status,
        tid: place.tid,
      };
    }
    // Without the token: the address is signed by itself and points at a storage service, not at QBO.
    const opened = await this.transport.stream({ method: 'GET', url, headers: {}, signal: options.signal });
    if (opened.kind !== 'answered') return { kind: opened.kind, reason: opened.reason };
    const { status, contentType, contentLength, body } = opened.answer;
    if (status !== 200) {
      body.destroy();
      // An address worn out between the two requests (15 minutes) answers 403 or 404; asking again gives a fresh one.
      return { kind: 'uncertain', reason: `the file's address answered HTTP ${status}`, status };
    }
    return { kind: 'ok', value: { content: body, contentType, size: contentLength }, status, tid: place.tid };
  }

  async close(): Promise<void> {
    this.breakers.shutdown();
    await this.transport.close();
  }

  /** `pick` absent: the answer is plain text (a download address) and is handed over as such. */
  private async call<T>(
    realmId: string,
    call: CallFacts['call'],
    kind: 'single' | 'batch',
    request: HttpRequest,
    options: CallOptions & { queries?: number; items?: number },
    pick: ((envelope: Json) => T | undefined) | undefined,
  ): Promise<QboAnswer<T>> {
    const reads = metered.has(call) ? 1 : (options.queries ?? 0);
    // Nobody mixes queries with writes in one batch; whoever did would be taken for a reader.
    const does: CallPurpose = reads > 0 ? 'read' : 'write';
    const purpose = options.purpose ?? purposeOf(call, options.class ?? 'live');
    if (does === 'read') await this.ports.gate.readLeave?.(purpose, options.signal);
    let waitedMs = 0;
    let tookMs = 0;
    const attempt = async (token: string): Promise<QboAnswer<T>> => {
      const askedAt = this.ports.clock.nowMs();
      let grant = await this.acquire(realmId, kind, options);
      // This process stood still between the grant and now: others may have taken it for dead.
      while (grant?.fresh?.() === false) {
        await grant.complete('unsent');
        grant = await this.acquire(realmId, kind, options);
      }
      if (grant === undefined) return { kind: 'unsent', reason: 'stopping' };
      const sentAt = this.ports.clock.nowMs();
      options.sent?.();
      waitedMs += sentAt - askedAt;
      let outcome: 'ok' | 'throttled' | 'unsent' = 'ok';
      try {
        await failpoint('qbo.admitted');
        const answer = await this.breakers.run(
          realmId,
          () => this.exchange(request, token, options.signal, pick),
          does,
        );
        await failpoint('qbo.answered');
        if (answer.kind === 'throttled' || answer.kind === 'unsent') outcome = answer.kind;
        return answer;
      } finally {
        const callMs = this.ports.clock.nowMs() - sentAt;
        tookMs += callMs;
        // Not awaited, and its failure ignored: the answer is worth more, and a grant nobody reports frees itself in time.
        grant.complete(outcome, { items: options.items, tookMs: callMs }).catch(() => undefined);
      }
    };
    const attributes = { 'http.request.method': request.method, 'sync.realm': realmId };
    const answer = await traced(`qbo ${call}`, { kind: 'client', attributes }, async (span) => {
      const answered = await this.withToken(realmId, attempt, typeof request.body !== 'object', does);
      span.set({
        'sync.outcome': answered.kind,
        'sync.quota_wait_ms': waitedMs,
        ...('status' in answered && answered.status !== undefined
          ? { 'http.response.status_code': answered.status }
          : {}),
        ...('tid' in answered && answered.tid !== undefined ? { 'intuit.tid': answered.tid } : {}),
      });
      return answered;
    });
    if (does === 'read' && answer.kind === 'ok') this.ports.gate.reads?.count(realmId, purpose, reads);
    this.ports.observe?.({
      realmId,
      call,
      outcome: answer.kind,
      waitedMs,
      tookMs,
      tid: 'tid' in answer ? answer.tid : undefined,
    });
    return answer;
  }

  private async withToken<T>(
    realmId: string,
    attempt: (token: string) => Promise<QboAnswer<T>>,
    repeatable: boolean,
    does: CallPurpose,
  ): Promise<QboAnswer<T>> {
    const refusal = this.breakers.refusal(realmId, does);
    if (refusal !== undefined) return { kind: 'unsent', reason: refusal };
    for (let round = 1; ; round++) {
      const token = await this.ports.tokens.accessToken(realmId);
      if (token.kind === 'reconnect') return { kind: 'unauthorized', reason: token.reason, reconnect: true };
      if (token.kind === 'unavailable') return { kind: 'unauthorized', reason: token.reason, reconnect: false };
      const answer = await attempt(token.value);
      if (answer.kind !== 'unauthorized' || answer.reconnect) return answer;
      this.ports.tokens.refuse(realmId, token.value);
      // One renewal per call: a token refused right after it was made is no matter of age.
      if (round === 2 || !repeatable) return answer;
    }
  }

  private async acquire(realmId: string, kind: 'single' | 'batch', options: CallOptions) {
    try {
      return await this.ports.gate.acquire(
        realmId,
        { kind, app: this.ports.app, class: options.class ?? 'live' },
        options.signal,
      );
    } catch (error) {
      // Aborted while waiting in line: nothing was sent. Anything else is the gate's own trouble and the caller's to see.
      if (options.signal?.aborted) return undefined;
      throw error;
    }
  }

  private async exchange<T>(
    request: HttpRequest,
    token: string,
    signal: AbortSignal | undefined,
    pick: ((envelope: Json) => T | undefined) | undefined,
  ): Promise<QboAnswer<T>> {
    const outcome = await this.transport.send({
      ...request,
      headers: {
        'user-agent': this.ports.userAgent ?? 'qbo-sync',
        accept: 'application/json',
        'accept-encoding': 'gzip',
        authorization: `Bearer ${token}`,
        ...request.headers,
      },
      // Only what waits may be cut short by a stop; a write in flight is let finish, its answer is worth more than the second.
      signal: request.method === 'GET' ? signal : undefined,
    });
    if (outcome.kind !== 'answered') return { kind: outcome.kind, reason: outcome.reason };
    const raw = outcome.answer;
    if (pick !== undefined) return interpret(raw, pick);
    if (raw.status === 200 && /^https?:\/\//.test(raw.text.trim())) {
      return { kind: 'ok', value: raw.text as T, status: raw.status, tid: raw.tid };
    }
    return interpret<T>(raw, () => undefined);
  }

  private get(realmId: string, path: string, parameters: Record<string, string>): HttpRequest {
    return { method: 'GET', url: this.address(realmId, path, parameters), headers: {} };
  }

  private post(
    realmId: string,
    path: string,
    parameters: Record<string, string>,
    body: string,
    contentType: string,
  ): HttpRequest {
    return {
      method: 'POST',
      url: this.address(realmId, path, parameters),
      headers: { 'content-type': contentType },
      body,
    };
  }

  private address(realmId: string, path: string, parameters: Record<string, string>): string {
    const query = Object.entries({ ...parameters, minorversion: minorVersion })
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join('&');
    return `${this.ports.environment.apiBase}/v3/company/${realmId}/${path}?${query}`;
  }
}

// The address segment is the type in lower case; the one type whose JSON key differs is CreditCardPayment.
function segment(entityType: string): string {
  return entityType === 'CreditCardPaymentTxn' ? 'creditcardpayment' : entityType.toLowerCase();
}

/** The tax service names what it made, not the record. */
function taxCodeOf({ TaxCodeId, TaxCode }: Json): Json | undefined {
  return TaxCodeId === undefined ? undefined : { Id: String(TaxCodeId), SyncToken: '0', Name: TaxCode as string };
}

function objectOf(envelope: Json, entityType: string): Json | undefined {
  const object: unknown =
    envelope[entityType] ?? Object.values(envelope).find((value) => value !== null && typeof value === 'object');
  return object === undefined || object === null ? undefined : withIdentity(entityType, object as Json);
}
