// The sample company: Fern & Stone, a small landscaper of our own invention, with one of every type and every kind of
// link and a year of ordinary business around them. Always the same, whatever the day it is made on.
import type { Actor } from './actor.js';
import { type Furnished, generate } from './generated.js';

export const sampleCompanyName = 'Fern & Stone Landscapes';

export function furnishSample(actor: Actor, currency?: string): Furnished {
  return generate(actor, { seed: 1871, transactions: 160, years: 1, currency });
}
