// Intuit's signature: base64 of HMAC-SHA256 over the raw body bytes with the app's verifier token, compared in constant
// time.
import { createHmac, timingSafeEqual } from 'node:crypto';

export function signatureHolds(body: Buffer, signature: unknown, verifierToken: string): boolean {
  if (typeof signature !== 'string') return false;
  const expected = createHmac('sha256', verifierToken).update(body).digest();
  // Decoding drops whatever is not base64; the length check keeps timingSafeEqual from throwing.
  const given = Buffer.from(signature, 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
