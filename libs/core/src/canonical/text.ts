// Canonical JSON text: keys sorted, no white space, so that equal values have equal bytes and one hash.
import { createHash } from 'node:crypto';

export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((element) => canonicalText(element ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => `${JSON.stringify(name)}:${canonicalText(field)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
