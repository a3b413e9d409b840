// What number a copy carries. The number people see on paper is worth keeping; a prefix or suffix tells two companies'
// documents apart where the target has its own. QBO takes 21 characters.
import { MappingFailure } from './failure.js';
import type { DocumentNumberPolicy } from './rules.js';

/** undefined: the document is sent without a number. @throws MappingFailure */
export function documentNumber(number: unknown, policy: DocumentNumberPolicy, maxLength: number): string | undefined {
  const own = number === undefined || number === null ? '' : String(number);
  switch (policy.kind) {
    case 'drop':
      return undefined;
    case 'keep':
      return own === '' ? undefined : fitted('', own, '', { ...policy, tooLong: 'fail' }, maxLength);
    case 'prefix':
      return own === '' ? undefined : fitted(String(policy.text), own, '', policy, maxLength);
    case 'suffix':
      return own === '' ? undefined : fitted('', own, String(policy.text), policy, maxLength);
    default:
      throw new MappingFailure('MAPPING.BAD_RULE', 'there is no such document number policy');
  }
}

function fitted(
  before: string,
  own: string,
  after: string,
  { tooLong = 'fail' }: { tooLong?: 'fail' | 'cut' },
  maxLength: number,
): string {
  const whole = before + own + after;
  if (whole.length <= maxLength) return whole;
  const room = maxLength - before.length - after.length;
  if (tooLong !== 'cut' || room < 1) {
    throw new MappingFailure('MAPPING.TOO_LONG', `document number "${whole}": QBO takes ${maxLength} characters`);
  }
  // The end of a number tells documents apart, its beginning the series.
  return before + own.slice(-room) + after;
}
