// Misbehaviour on order: rules that pick requests and say what goes wrong with them. A rule is asked once, when the
// request has been read; the fault it answers says at which point of the request the server must act on it.
import { randomUUID } from 'node:crypto';
import type { Clock, Rec } from '../types.js';
import { throttleAnswer } from '../limits/index.js';

export const faultKinds = [
  'http',
  'throttle',
  'timeout-before-commit',
  'timeout-after-commit',
  'reset-before-commit',
  'reset-after-commit',
  'truncate-body',
  'slow',
  'stale',
  'partial-batch',
  'drop-link',
  'html-503',
  'unauthorized',
  'forbidden',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Where the server acts: instead of the work, instead of the answer, or on the bytes of the answer. */
export type FaultPoint = 'before-commit' | 'after-commit' | 'answer';

export interface FaultRequest {
  realmId?: string;
  method: string;
  /** With or without the query; patterns see what is given. */
  path: string;
  /** create, update, delete, void, read, query, batch, cdc, report, upload, download, send, pdf, token, revoke ... */
  operation?: string;
  entity?: string;
}

export interface Fault {
  readonly ruleId: string;
  readonly kind: FaultKind;
  readonly point: FaultPoint;
  /** `http`, `throttle`, `html-503`, `unauthorized`, `forbidden`: the answer to give. */
  readonly answer?: { status: number; contentType: string; body: string };
  /** `timeout-*`: how long to hold the connection before it is closed; `slow`: how long before the first byte. */
  readonly delayMs?: number;
  /** `slow`: pace of the body. */
  readonly bytesPerSecond?: number;
  /** `truncate-body`: how much of the body is sent before the connection closes (0 to 1). */
  readonly keep?: number;
  /** `partial-batch`: how many items are carried out; the others answer a SystemFault 10000 and change nothing. */
  readonly items?: number;
}

export interface FaultRule {
  id: string;
  match: { realmId?: string; method?: string; pathPattern?: string; operation?: string; entity?: string };
  fault: FaultKind;
  parameters: Rec;
  times?: number;
  probability?: number;
  /** Lets so many matching requests pass first: "the third create fails" is skip 2, times 1. */
  skip?: number;
  afterMs?: number;
  applied: number;
}

interface LiveRule extends FaultRule {
  readonly activeFrom: number;
  readonly pattern?: RegExp;
  readonly random: () => number;
  seen: number;
}

const ruleFields = new Set(['match', 'fault', 'times', 'probability', 'skip', 'afterMs', 'seed']);

export class FaultRules {
  private readonly rules = new Map<string, LiveRule>();

  constructor(private readonly clock: Clock) {}

  /** Parameters of a fault (status, body, ms ...) stand beside `fault` or in `{fault: {kind, ...}}`. Throws RangeError. */
  add(given: Rec): { id: string } {
    const { match = {}, times, probability, skip, afterMs, seed } = given;
    const inFault: Rec = typeof given.fault === 'object' && given.fault !== null ? given.fault : {};
    const kind: unknown =
      typeof given.fault === 'string' ? given.fault : (inFault.kind ?? inFault.type ?? inFault.name);
    if (!faultKinds.includes(kind as FaultKind))
      throw new RangeError(`No fault is called '${String(kind)}'. Known: ${faultKinds.join(', ')}.`);
    for (const [name, value] of Object.entries({ times, probability, skip, afterMs })) {
      if (value !== undefined && value !== null && !(typeof value === 'number' && value >= 0))
        throw new RangeError(`'${name}' takes a number from 0 up.`);
    }
    const beside = Object.fromEntries(Object.entries(given).filter(([name]) => !ruleFields.has(name)));
    const rule: LiveRule = {
      id: randomUUID(),
      match: match as FaultRule['match'],
      fault: kind as FaultKind,
      parameters: { ...beside, ...inFault },
      times: times ?? undefined,
      probability: probability ?? undefined,
      skip: skip ?? undefined,
      afterMs: afterMs ?? undefined,
      applied: 0,
      seen: 0,
      activeFrom: this.clock.now() + Number(afterMs ?? 0),
      pattern: match?.pathPattern === undefined ? undefined : pathPattern(String(match.pathPattern)),
      random: seededRandom(Number(seed ?? 1)),
    };
    this.rules.set(rule.id, rule);
    return { id: rule.id };
  }

  list(): FaultRule[] {
    return [...this.rules.values()].map(
      ({ id, match, fault, parameters, times, probability, skip, afterMs, applied }) => ({
        id,
        match,
        fault,
        parameters,
        times,
        probability,
        skip,
        afterMs,
        applied,
      }),
    );
  }

  remove(id: string): boolean {
    return this.rules.delete(id);
  }

  clear(): void {
    this.rules.clear();
  }

  /** The fault this request meets, if any; asking uses it up. The oldest rule that matches decides. */
  match(request: FaultRequest): Fault | undefined {
    if (this.rules.size === 0) return undefined;
    const now = this.clock.now();
    for (const rule of this.rules.values()) {
      if (now < rule.activeFrom || (rule.times !== undefined && rule.applied >= rule.times) || !matches(rule, request))
        continue;
      if (rule.seen++ < (rule.skip ?? 0)) continue;
      if (rule.probability !== undefined && rule.random() >= rule.probability) continue;
      rule.applied++;
      return faultOf(rule, now);
    }
    return undefined;
  }
}

function matches(rule: LiveRule, request: FaultRequest): boolean {
  const { realmId, method, operation, entity } = rule.match;
  return (
    (realmId === undefined || String(realmId) === request.realmId) &&
    sameWord(method, request.method) &&
    sameWord(operation, request.operation) &&
    sameWord(entity, request.entity) &&
    (rule.pattern === undefined || rule.pattern.test(request.path))
  );
}

const sameWord = (wanted: string | undefined, given: string | undefined): boolean =>
  wanted === undefined || wanted.toLowerCase() === given?.toLowerCase();

// A regular expression, or with bare stars a glob such as "/v3/company/*" followed by "/invoice".
function pathPattern(text: string): RegExp {
  const glob = /(^|[^.)\]])\*/.test(text);
  try {
    return glob
      ? new RegExp(text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*'), 'i')
      : new RegExp(text, 'i');
  } catch {
    throw new RangeError(`pathPattern '${text}' is neither a regular expression nor a pattern with stars.`);
  }
}

function faultOf(rule: LiveRule, now: number): Fault {
  const { id: ruleId, fault: kind, parameters } = rule;
  const before = { ruleId, kind, point: 'before-commit' as const };
  const delayMs = Number(parameters.ms ?? parameters.delayMs ?? (kind.startsWith('timeout') ? 120_000 : 0));
  switch (kind) {
    case 'http':
      return {
        ...before,
        point: parameters.afterCommit === true ? 'after-commit' : 'before-commit',
        answer: httpAnswer(parameters, now),
      };
    case 'throttle':
      return { ...before, answer: throttleAnswer(parameters.format === 'json' ? 'json' : 'xml', now) };
    case 'html-503':
      return {
        ...before,
        answer: {
          status: 503,
          contentType: 'text/html',
          body: '<html><head><title>503 Service Temporarily Unavailable</title></head>\r\n<body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>',
        },
      };
    case 'unauthorized':
      return {
        ...before,
        answer: gatewayAnswer(401, '3200', 'AuthenticationFailed', 'Token expired', 'AUTHENTICATION', now),
      };
    case 'forbidden':
      return {
        ...before,
        answer: gatewayAnswer(
          403,
          '3100',
          'ApplicationAuthorizationFailed',
          'The application is not authorized for this company',
          'AUTHORIZATION',
          now,
        ),
      };
    case 'timeout-before-commit':
      return { ...before, delayMs };
    case 'timeout-after-commit':
      return { ...before, point: 'after-commit', delayMs };
    case 'reset-after-commit':
      return { ...before, point: 'after-commit' };
    case 'truncate-body':
      return { ...before, point: 'answer', keep: Number(parameters.keep ?? 0.5) };
    case 'slow':
      return {
        ...before,
        point: 'answer',
        delayMs,
        bytesPerSecond: parameters.bytesPerSecond === undefined ? undefined : Number(parameters.bytesPerSecond),
      };
    case 'partial-batch':
      return { ...before, items: parameters.items === undefined ? undefined : Number(parameters.items) };
    case 'reset-before-commit':
    case 'stale':
    case 'drop-link':
      return before;
  }
}

function httpAnswer(parameters: Rec, now: number): Fault['answer'] {
  const status = Number(parameters.status ?? 500);
  const { body } = parameters;
  if (body === undefined) {
    const error = {
      Message: 'An application error has occurred while processing your request',
      Detail: 'System Failure Error',
      code: '10000',
    };
    return {
      status,
      contentType: 'application/json',
      body: JSON.stringify({ Fault: { Error: [error], type: 'SystemFault' }, time: new Date(now).toISOString() }),
    };
  }
  if (typeof body === 'string') return { status, contentType: String(parameters.contentType ?? 'text/plain'), body };
  return { status, contentType: 'application/json', body: JSON.stringify(body) };
}

/** The gateway's own JSON: lower case, everything null but the fault. */
export function gatewayAnswer(
  status: number,
  code: string,
  name: string,
  detail: string,
  type: string,
  now: number,
): { status: number; contentType: string; body: string } {
  const error = { message: `message=${name}; errorCode=00${code}; statusCode=${status}`, detail, code, element: null };
  const body = {
    warnings: null,
    intuitObject: null,
    fault: { error: [error], type },
    report: null,
    queryResponse: null,
    batchItemResponse: [],
    attachableResponse: [],
    syncErrorResponse: null,
    requestId: null,
    time: now,
    status: null,
    cdcresponse: [],
  };
  return { status, contentType: 'application/json;charset=UTF-8', body: JSON.stringify(body) };
}

/**
 * `drop-link`: the same body without its first LinkedTxn; undefined when it has none. The body itself stays as it is.
 * A line that is nothing but its link (payments, deposits) goes with it, else the write would be refused instead of forgotten.
 */
export function withoutFirstLink(body: Rec): Rec | undefined {
  const lines: unknown = body.Line;
  if (Array.isArray(lines)) {
    const at = lines.findIndex((line: Rec | null) => Array.isArray(line?.LinkedTxn) && line.LinkedTxn.length > 0);
    if (at >= 0) {
      const line = lines[at] as Rec;
      const links = line.LinkedTxn as unknown[];
      const bare = line.DetailType === undefined && links.length === 1;
      return { ...body, Line: bare ? lines.toSpliced(at, 1) : lines.with(at, { ...line, LinkedTxn: links.slice(1) }) };
    }
  }
  if (Array.isArray(body.LinkedTxn) && body.LinkedTxn.length > 0)
    return { ...body, LinkedTxn: body.LinkedTxn.slice(1) };
  return undefined;
}

/** mulberry32: small, seeded, good enough to decide who is unlucky. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
