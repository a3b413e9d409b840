// One request to the accounting API after the socket: decoded body, parsed address, and what it asks for.
import { entityAtEndpoint, entityNamed, type EntityType } from '../catalogue/catalogue.js';
import { isUtf8 } from 'node:buffer';
import { refusal, requiredMissing } from '../engine/refusals.js';
import type { Rec } from '../types.js';
import { fromXml } from '../xml/index.js';

export interface Call {
  readonly method: string;
  readonly realmId: string;
  /** What follows the realm, without slashes at the ends. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly wantsJson: boolean;
}

export interface Purpose {
  readonly operation: string;
  readonly entity?: string;
  readonly kind: 'single' | 'batch' | 'report';
  readonly write: boolean;
}

const SPECIAL: Record<string, Purpose> = {
  query: { operation: 'query', kind: 'single', write: false },
  cdc: { operation: 'cdc', kind: 'single', write: false },
  batch: { operation: 'batch', kind: 'batch', write: true },
  upload: { operation: 'upload', entity: 'Attachable', kind: 'single', write: true },
  download: { operation: 'download', entity: 'Attachable', kind: 'single', write: false },
  reports: { operation: 'report', kind: 'report', write: false },
};

export function header(headers: Call['headers'], name: string): string {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

export function purposeOf(call: Call): Purpose {
  const [first = '', second, third] = call.segments;
  const special = SPECIAL[first];
  if (special) return special;
  const type = first === 'taxservice' ? entityAtEndpoint('taxservice/taxcode') : entityAtEndpoint(first);
  const entity = type?.entity;
  const single = { kind: 'single' as const, ...(entity !== undefined && { entity }) };
  if (third === 'pdf') return { operation: 'pdf', write: false, ...single };
  if (third === 'send') return { operation: 'send', write: true, ...single };
  if (call.method !== 'POST') return { operation: 'read', write: false, ...single };
  return { operation: writeOperation(call, second), write: true, ...single };
}

/** create, update, delete or void, by the address alone; an update without `operation` shows in the body's Id. */
export function writeOperation(call: Call, _segment?: string): string {
  const operation = call.query.get('operation')?.toLowerCase() ?? '';
  const include = includeWords(call);
  if (operation === 'void' || include.has('void')) return 'void';
  if (operation === 'delete') return 'delete';
  if (operation === 'update') return 'update';
  // Cheap look instead of a parse: the class of a fault rule and the journal may be one step less sure than the write.
  return /"Id"\s*:\s*"?-?\d|<Id>/.test(call.body.toString('latin1', 0, Math.min(call.body.length, 4096)))
    ? 'update'
    : 'create';
}

export function includeWords(call: Call): Set<string> {
  const words = call.query.getAll('include').flatMap((v) => v.toLowerCase().split(','));
  return new Set(words.map((w) => w.trim()).filter((w) => w !== ''));
}

export function readBody(call: Call, expected: EntityType | undefined): Rec {
  const { body } = call;
  const contentType = header(call.headers, 'content-type').toLowerCase();
  if (body.length === 0) throw requiredMissing(expected?.entity ?? 'Request body');
  if (!isUtf8(body)) throw refusal('500', 'Unsupported Operation : the request body is not UTF-8');
  const text = body.toString('utf8');
  if (contentType.includes('xml') || (/^\s*</.test(text) && !contentType.includes('json'))) return fromXml(text).body;
  if (contentType !== '' && !/json|text|urlencoded|octet-stream/.test(contentType)) {
    throw refusal(
      '1050',
      `Invalid content type : ${contentType.slice(0, 60)}, expected application/json or application/xml`,
    );
  }
  return parseJson(text);
}

export function parseJson(text: string): Rec {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    // Only the position is told: the service's own text is that of its JSON library, which nobody should match on.
    const reason = error instanceof Error ? error.message.slice(0, 120) : 'not JSON';
    throw refusal('2010', `Property Name:${reason} specified is unsupported or invalid`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw refusal('2010', 'Property Name:the request body is not an object specified is unsupported or invalid');
  }
  return parsed as Rec;
}

export function typeForSegment(segment: string): EntityType | undefined {
  return entityAtEndpoint(segment);
}

export { entityNamed };
