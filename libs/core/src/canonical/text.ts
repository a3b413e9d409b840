// Canonical JSON text: keys sorted, no white space, so that equal values have equal bytes and one hash.
import { createHash } from 'node:crypto';
import { remembered } from './remembered.js';

const nameText = remembered((name) => `${JSON.stringify(name)}:`);

export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((element) => canonicalText(element ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    let fields = '';
    for (const name of Object.keys(value).sort()) {
      const field: unknown = (value as Record<string, unknown>)[name];
      if (field !== undefined) fields += `${fields === '' ? '' : ','}${nameText(name)}${canonicalText(field)}`;
    }
    return `{${fields}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
