// What the server sends back, and the three shapes a fault can have: the accounting service's JSON, the gateway's
// lower-case JSON for authentication, and XML, which is also what a caller gets that did not ask for JSON.
import { QboFault, type Rec } from '../types.js';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export const JSON_TYPE = 'application/json;charset=UTF-8';
export const XML_TYPE = 'application/xml;charset=UTF-8';

export function jsonAnswer(status: number, body: unknown): Answer {
  return { status, contentType: JSON_TYPE, body: JSON.stringify(body) };
}

export function asFault(error: unknown): QboFault {
  if (error instanceof QboFault) return error;
  return new QboFault(
    '10000',
    'An application error has occurred while processing your request',
    'System Failure Error: an unexpected error occurred',
    undefined,
    500,
    'SystemFault',
  );
}

export function faultRec(fault: QboFault): Rec {
  return {
    Error: [
      {
        Message: fault.message,
        Detail: fault.detail,
        code: fault.code,
        ...(fault.element !== undefined && { element: fault.element }),
      },
    ],
    type: fault.faultType,
  };
}

const GATEWAY_TYPES = new Set(['AUTHENTICATION', 'AUTHORIZATION', 'SERVICE']);

export function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (c) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[c]!);
}

function xmlFault(fault: QboFault, time: string): string {
  // Recorded: an empty element where none is meant, but none at all in the faults of queries.
  const element =
    fault.element === undefined && /^400\d$/.test(fault.code) ? '' : ` element="${escapeXml(fault.element ?? '')}"`;
  return (
    `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3" time="${time}">` +
    `<Fault type="${escapeXml(fault.faultType)}"><Error code="${escapeXml(fault.code)}"${element}>` +
    `<Message>${escapeXml(fault.message)}</Message><Detail>${escapeXml(fault.detail)}</Detail></Error></Fault></IntuitResponse>`
  );
}

export function faultAnswer(fault: QboFault, wantsJson: boolean, time: string, nowMs: number): Answer {
  if (!wantsJson) return { status: fault.status, contentType: XML_TYPE, body: xmlFault(fault, time) };
  if (!GATEWAY_TYPES.has(fault.faultType)) return jsonAnswer(fault.status, { Fault: faultRec(fault), time });
  return jsonAnswer(fault.status, {
    warnings: null,
    intuitObject: null,
    fault: {
      error: [{ message: fault.message, detail: fault.detail, code: fault.code, element: fault.element ?? null }],
      type: fault.faultType,
    },
    report: null,
    queryResponse: null,
    batchItemResponse: [],
    attachableResponse: [],
    syncErrorResponse: null,
    requestId: null,
    time: nowMs,
    status: null,
    cdcresponse: [],
  });
}
