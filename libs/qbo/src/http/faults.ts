// From the bytes of an HTTP answer to an outcome. QBO declines in three shapes (service JSON, lower-case gateway JSON, XML,
// the last also for clients that asked for JSON), sometimes inside a 200 (qbo-api.md 11.1), so the status alone says nothing.
import type { Json } from '#core';
import type { QboAnswer, QboFault } from '../answer.js';

export interface RawAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly tid: string | undefined;
  readonly text: string;
}

/** Codes under which the platform says "too many", whatever the status: 3001 (003001) of the gateway. */
const throttleCodes = new Set(['3001', '003001']);
/** Codes that mean: this access token does not work. A refresh may help, once. */
const tokenCodes = new Set(['3200', '003200', '100', '110', '3202']);
/** Codes that no refresh mends: the user lost the right (120), or the token belongs to another company or environment (3100). */
const grantCodes = new Set(['120', '3100', '003100']);
/** A SystemFault without a verdict on the request: it may have been carried out before something broke. */
export const serverFaultCodes: ReadonlySet<string> = new Set(['10000', '130', '140', '150']);

/** Reads the whole answer. `pick` takes the value out of a JSON envelope that carries no fault. */
export function interpret<T>(raw: RawAnswer, pick: (envelope: Json) => T | undefined): QboAnswer<T> {
  const { status, tid } = raw;
  const envelope = parseJson(raw.text);
  // An upload answers per file, with the fault one level down.
  const faults = envelope ? [envelope, ...filesOf(envelope)].flatMap(faultsOfJson) : faultsOfXml(raw.text);

  if (status === 429 || faults.some((f) => throttleCodes.has(f.code))) {
    return { kind: 'throttled', reason: faults[0]?.message ?? `HTTP ${status}`, status, tid };
  }
  const lostGrant = faults.find((f) => grantCodes.has(f.code));
  if (lostGrant && (status === 401 || status === 403 || status === 200)) {
    return { kind: 'unauthorized', reason: `${lostGrant.code} ${lostGrant.message}`, reconnect: true, tid };
  }
  if (status === 401 || faults.some((f) => tokenCodes.has(f.code))) {
    const fault = faults[0];
    return {
      kind: 'unauthorized',
      reason: fault ? `${fault.code} ${fault.message}` : 'HTTP 401',
      reconnect: false,
      tid,
    };
  }
  const verdicts = faults.filter((f) => !serverFaultCodes.has(f.code));
  if (verdicts.length > 0) return { kind: 'refused', faults, status, tid };
  if (faults.length > 0 || status >= 500) {
    const said = faults[0] ? `${faults[0].code} ${faults[0].message}` : 'no fault named';
    return { kind: 'uncertain', reason: `HTTP ${status}, ${said}`, status, tid };
  }
  if (status >= 400) {
    // A gateway page instead of a fault (an unknown address gives 404 so): the accounting service never saw the request.
    const fault: QboFault = {
      code: `HTTP_${status}`,
      message: `HTTP ${status}`,
      detail: raw.text.slice(0, 200),
      type: 'Gateway',
    };
    return { kind: 'refused', faults: [fault], status, tid };
  }
  if (status < 200 || status >= 300) return { kind: 'uncertain', reason: `HTTP ${status}`, status, tid };
  const value = envelope && pick(envelope);
  if (value === undefined) {
    return {
      kind: 'uncertain',
      reason: `HTTP ${status} whose body is not the expected answer (${raw.text.length} characters)`,
      status,
      tid,
    };
  }
  return { kind: 'ok', value, status, tid };
}

function filesOf(envelope: Json): Json[] {
  return Array.isArray(envelope.AttachableResponse) ? (envelope.AttachableResponse as Json[]) : [];
}

/** The faults of a JSON object in either spelling; none when it carries no fault. */
export function faultsOfJson(envelope: Json): QboFault[] {
  const fault = envelope.Fault ?? envelope.fault;
  if (fault === null || typeof fault !== 'object') return [];
  const errors = fault.Error ?? fault.error;
  const type = String(fault.type ?? '');
  const list: Json[] = Array.isArray(errors) ? errors : errors && typeof errors === 'object' ? [errors] : [];
  if (list.length === 0) return [{ code: '', message: `fault without an error (${type})`, detail: '', type }];
  return list.map((error) =>
    toFault(type, error.code, error.Message ?? error.message, error.Detail ?? error.detail, error.element),
  );
}

/** The faults of an XML answer, read without a general XML parser: faults are flat and QBO writes no CDATA in them. */
export function faultsOfXml(text: string): QboFault[] {
  const fault = /<Fault\b([^>]*)>([\s\S]*?)<\/Fault>/.exec(text);
  if (!fault) return [];
  const type = attribute(fault[1]!, 'type') ?? '';
  const errors = [...fault[2]!.matchAll(/<Error\b([^>]*?)(?:\/>|>([\s\S]*?)<\/Error>)/g)];
  return errors.map(([, attributes, inside]) =>
    toFault(
      type,
      attribute(attributes!, 'code'),
      element(inside ?? '', 'Message'),
      element(inside ?? '', 'Detail'),
      attribute(attributes!, 'element'),
    ),
  );
}

function toFault(type: string, code: unknown, message: unknown, detail: unknown, elementName: unknown): QboFault {
  const text = message === undefined || message === null ? '' : String(message);
  // Gateway messages hide the real code: "message=ThrottleExceeded; errorCode=003001; statusCode=429".
  const hidden = /errorCode=0*(\d+)/.exec(text)?.[1];
  const named = code === undefined || code === null || code === '' ? undefined : String(code);
  return {
    code: named ?? hidden ?? '',
    message: text,
    detail: detail === undefined || detail === null ? '' : String(detail),
    ...(elementName ? { element: String(elementName) } : {}),
    type,
  };
}

function parseJson(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    // Not JSON: XML, a gateway's HTML, or an answer cut in the middle. The caller judges by what is left.
    return undefined;
  }
}

function attribute(attributes: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
  return found === undefined ? undefined : unescapeXml(found);
}

function element(inside: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(inside)?.[1];
  return found === undefined ? undefined : unescapeXml(found);
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (decimal) return String.fromCodePoint(Number(decimal));
      if (hex) return String.fromCodePoint(parseInt(hex, 16));
      return entities[name!] ?? whole;
    },
  );
}
