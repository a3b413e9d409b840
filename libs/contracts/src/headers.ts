// CloudEvents 1.0 in binary mode over Kafka headers: attributes in `ce_*`, the value stays plain JSON. The id is
// deterministic: the same fact told twice carries the same id, so every consumer can drop the second telling.
import { createHash } from 'node:crypto';
import type { ChangeEvent } from './events.js';
import { entityKey } from '#core';

export interface EventAttributes {
  id: string;
  type: string;
  source: string;
  subject: string;
  time: Date;
  /** W3C trace context, carried from the webhook door to the target */
  traceparent?: string;
}

/** Header values as a client hands them over: bytes, text, or (repeated header) a list. */
export type RawHeaders = { readonly [name: string]: Buffer | string | (Buffer | string)[] | undefined };

export function encodeHeaders(event: EventAttributes): Record<string, string> {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_type: event.type,
    ce_source: event.source,
    ce_subject: event.subject,
    ce_time: event.time.toISOString(),
    'content-type': 'application/json',
  };
  if (event.traceparent) headers.traceparent = event.traceparent;
  return headers;
}

/** One attribute, or undefined when it is absent or empty. A repeated header counts as its first value. */
export function headerText(headers: RawHeaders | undefined, name: string): string | undefined {
  const found = headers?.[name];
  const value = Array.isArray(found) ? found[0] : found;
  if (value === undefined) return undefined;
  const text = typeof value === 'string' ? value : value.toString('utf8');
  return text === '' ? undefined : text;
}

/** The attributes, or the names of those that are missing or malformed. */
export function decodeHeaders(headers: RawHeaders | undefined): EventAttributes | { invalid: string[] } {
  const id = headerText(headers, 'ce_id');
  const type = headerText(headers, 'ce_type');
  const source = headerText(headers, 'ce_source');
  const timeText = headerText(headers, 'ce_time');
  const time = new Date(timeText ?? NaN);
  const invalid: string[] = [];
  if (headerText(headers, 'ce_specversion') !== '1.0') invalid.push('ce_specversion');
  if (id === undefined) invalid.push('ce_id');
  if (type === undefined) invalid.push('ce_type');
  if (source === undefined) invalid.push('ce_source');
  if (Number.isNaN(time.getTime())) invalid.push('ce_time');
  if (invalid.length > 0) return { invalid };
  const traceparent = headerText(headers, 'traceparent');
  return {
    id: id!,
    type: type!,
    source: source!,
    subject: headerText(headers, 'ce_subject') ?? '',
    time,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/**
 * A deterministic event id: 32 hex digits of SHA-256 over the parts. Lengths are hashed too, so ("ab", "c") and
 * ("a", "bc") differ. 128 bits: a collision among 10^15 events has odds below 10^-8.
 */
export function eventIdOf(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part};`);
  return hash.digest('hex').slice(0, 32);
}

/** A change is the same fact whoever reads it again: entity, version and lane say which. */
export function changeEventId(change: Pick<ChangeEvent, 'realmId' | 'entityType' | 'id' | 'version' | 'lane'>): string {
  return eventIdOf('change', entityKey(change.realmId, change.entityType, change.id), change.version, change.lane);
}
