// The month's reads: the forecast, and which reads are slowed when it does not fit. Never those of live capture.
import fc from 'fast-check';
import { callClasses, qboLimits } from './policy.js';
import { monthOf, purposeOf, readDelayMs, readMonth, readPurposes, sweepSlowness } from './read-budget.js';

const dayMs = 86_400_000;
const allowance = qboLimits.meteredReadsPerMonth.max;
/** Ten days into a month of thirty. */
const eleventh = new Date('2026-11-11T00:00:00Z');

describe('the month of metered reads', () => {
  it.each<[string, number, number, number, string]>([
    ['a thousand a day end at thirty thousand', 10_000, 3_000, 30_000, 'none'],
    ['a big backfill on the first day is not what the month goes on like', 200_000, 3_000, 220_000, 'none'],
    ['fifteen thousand a day come near the allowance', 160_000, 45_000, 460_000, 'sweeps slowed'],
    ['twenty thousand a day go beyond it', 200_000, 60_000, 600_000, 'bulk slowed'],
    ['nearly all is spent, and nothing was read lately', 460_000, 0, 460_000, 'bulk slowed'],
  ])('%s', (_name, metered, lastThreeDays, forecast, guard) => {
    expect(readMonth(metered, lastThreeDays, 3 * dayMs, eleventh, allowance)).toEqual({
      metered,
      forecast,
      allowance,
      guard,
    });
  });

  it('takes an hour of work for an hour of work', () => {
    const early = new Date('2026-11-01T01:00:00Z');
    expect(readMonth(2_000, 2_000, 3_600_000, early, allowance).guard).toBe('none');
  });

  it('slows sweeps before bulk, and nothing that is live, whatever the numbers', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.constantFrom(...callClasses), (metered, recent, of) => {
        const { guard } = readMonth(metered, recent, 3 * dayMs, eleventh, allowance);
        for (const call of ['cdc', 'query', 'read', 'report', 'companyinfo', 'download']) {
          const delayed = readDelayMs(guard, purposeOf(call, of)) > 0;
          if (of !== 'bulk') expect(delayed).toBe(false);
          if (delayed) expect(sweepSlowness(guard)).toBeGreaterThan(1);
        }
      }),
    );
    expect(readPurposes.filter((purpose) => readDelayMs('bulk slowed', purpose) > 0)).toEqual(['sweep', 'bulk']);
  });

  it('is a calendar month in UTC', () => {
    expect(monthOf(new Date('2026-12-31T23:59:59Z'))).toBe('2026-12-01');
  });
});
