import * as fc from 'fast-check';
import { classifyFault, type FaultClass } from './fault-class.js';
import { backoffMs, defaultRetryPolicy, nextStep } from './next-step.js';

describe('the fault router', () => {
  const cases: [string, number, string, FaultClass][] = [
    ['3200', 401, 'Token expired', 'authenticate'],
    ['003200', 401, 'AuthenticationFailed', 'authenticate'],
    ['120', 401, 'Authorization failure', 'operator'],
    ['3100', 403, 'ApplicationAuthorizationFailed', 'operator'],
    ['3001', 429, 'ThrottleExceeded', 'wait'],
    ['610', 400, 'Object Not Found', 'parent-missing'],
    ['2500', 400, 'Invalid Reference Id', 'parent-missing'],
    ['5010', 400, 'Stale Object Error', 'reread'],
    ['6240', 400, 'Duplicate Name Exists Error', 'duplicate-adopt'],
    ['6140', 400, 'Duplicate Document Number Error', 'duplicate-adopt'],
    ['6540', 400, 'deposited transaction', 'reread'],
    ['6200', 400, 'Account Period Closed', 'operator'],
    ['6210', 400, 'Account Period Closed, Cannot Update', 'operator'],
    ['6190', 400, 'Invalid Company Status', 'operator'],
    ['900', 400, 'Parent cannot be child', 'never'],
    ['2020', 400, 'Required param missing', 'never'],
    ['6070', 400, 'Amount is not equal to UnitPrice * Qty', 'never'],
    ['10000', 500, 'An application error has occurred', 'wait'],
    ['', 503, 'Service Unavailable', 'wait'],
    ['', 504, '', 'wait'],
    ['77777', 400, 'a code nobody has seen', 'never'],
    ['6000', 400, 'Business Validation Error: the customer was made inactive', 'parent-missing'],
    ['6000', 400, 'The amount is larger than the open balance', 'reread'],
    ['6000', 400, 'The accounting period has been closed', 'operator'],
    ['6000', 400, 'something new', 'never'],
  ];
  it.each(cases)('code %s with status %i (%s) is %s', (code, status, text, expected) => {
    expect(classifyFault(code, status, text)).toBe(expected);
  });
});

describe('the next step', () => {
  const refused = (faultClass: FaultClass, attempt: number) =>
    nextStep({ kind: 'refused', class: faultClass, code: '1', reason: 'r' }, attempt, defaultRetryPolicy, 0.5).kind;

  const cases: [FaultClass, number, string][] = [
    ['never', 1, 'fail'],
    ['operator', 1, 'hold'],
    ['authenticate', 1, 'hold'],
    ['wait', 1, 'retry'],
    ['wait', 7, 'retry'],
    ['wait', 8, 'fail'],
    ['reread', 5, 'reread'],
    ['reread', 6, 'fail'],
    ['parent-missing', 1, 'wait-for-parent'],
    ['duplicate-adopt', 1, 'adopt'],
    // A name held by a record of another type has no twin: it must not be looked for for ever.
    ['duplicate-adopt', 3, 'fail'],
  ];
  it.each(cases)('of "%s" at attempt %i is %s', (faultClass, attempt, step) => {
    expect(refused(faultClass, attempt)).toBe(step);
  });

  it.each(['throttled', 'unsent'] as const)(
    'of %s is a retry at any attempt: it is not the fault of the record',
    (kind) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 10_000 }),
          (attempt) => nextStep({ kind, reason: 'r' }, attempt, defaultRetryPolicy, 0).kind === 'retry',
        ),
      );
    },
  );

  it('of a lost answer is never a fresh create', () => {
    expect(nextStep({ kind: 'uncertain', reason: 'cut' }, 1, defaultRetryPolicy, 0).kind).toBe('uncertain');
  });

  it('waits between half the ceiling and the ceiling, never longer than the policy', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, jitter) => {
          const { baseMs, maxMs } = defaultRetryPolicy;
          const ceiling = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
          const delay = backoffMs(attempt, defaultRetryPolicy, jitter);
          expect(delay).toBeGreaterThanOrEqual(Math.floor(ceiling / 2));
          expect(delay).toBeLessThanOrEqual(ceiling);
        },
      ),
    );
  });
});
