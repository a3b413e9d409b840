// What number a copy carries. The number people see on paper is worth keeping; a prefix or suffix tells two companies'
// documents apart where the target has its own. QBO takes 21 characters; what is longer and to be held stays whole here, so
// that the person who is asked (NUMBER.TOO_LONG, links/collisions.ts) reads what it would be.
import { MappingFailure } from './failure.js';
import type { DocumentNumberPolicy, TooLong } from './rules.js';

/** Stands in a natural key when the number must be nobody else's in the target. No type has a field of this name. */
export const freeNumberKey = 'NumberMustBeFree';

/** undefined: the document is sent without a number. @throws MappingFailure */
export function documentNumber(number: unknown, policy: DocumentNumberPolicy, maxLength: number): string | undefined {
  const own = number === undefined || number === null ? '' : String(number);
  switch (policy.kind) {
    case 'drop':
      return undefined;
    case 'keep':
    case 'hold':
      return own === '' ? undefined : fitted('', own, '', policy.tooLong, maxLength);
    case 'prefix':
      return own === '' ? undefined : fitted(String(policy.text), own, '', policy.tooLong, maxLength);
    case 'suffix':
      return own === '' ? undefined : fitted('', own, String(policy.text), policy.tooLong, maxLength);
    default:
      throw new MappingFailure('MAPPING.BAD_RULE', 'there is no such document number policy');
  }
}

function fitted(
  before: string,
  own: string,
  after: string,
  tooLong: TooLong = 'hold',
  maxLength: number,
): string | undefined {
  const whole = before + own + after;
  if (whole.length <= maxLength) return whole;
  if (tooLong === 'drop') return undefined;
  const room = maxLength - before.length - after.length;
  if (tooLong !== 'cut' || room < 1) return whole;
  // The end of a number tells documents apart, its beginning the series.
  return before + own.slice(-room) + after;
}
