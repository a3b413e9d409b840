// W3C trace context: made where a change enters the system, carried in headers to the target.
import { randomBytes } from 'node:crypto';

export function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
