// One case per throttle dimension: at the limit it passes, one above is refused, and the window slides.
import { VirtualClock } from '../clock/index.js';
import { type LimitName, Limits, type RequestKind, throttleAnswer } from './index.js';

interface Case {
  limit: LimitName;
  max: number;
  windowMs: number;
  kind: RequestKind;
  /** Which app sends request number n: limits per company are reached by several apps together. */
  app: (n: number) => string;
}
const one = (): string => 'app';
const many = (n: number): string => `app${n}`;
const cases: Case[] = [
  { limit: 'realmPerMinute', max: 500, windowMs: 60_000, kind: 'single', app: many },
  { limit: 'appPerSecond', max: 10, windowMs: 1_000, kind: 'single', app: one },
  { limit: 'appPerMinute', max: 800, windowMs: 60_000, kind: 'single', app: one },
  { limit: 'batchAppPerMinute', max: 40, windowMs: 60_000, kind: 'batch', app: one },
  { limit: 'batchRealmPerMinute', max: 120, windowMs: 60_000, kind: 'batch', app: many },
  { limit: 'reportsPerMinute', max: 200, windowMs: 60_000, kind: 'report', app: one },
];

function only(clock: VirtualClock, ...names: LimitName[]): Limits {
  const limits = new Limits(clock);
  limits.configure({ all: false, ...Object.fromEntries(names.map((name) => [name, true])) });
  return limits;
}

describe.each(cases)('$limit', ({ limit, max, windowMs, kind, app }) => {
  it(`lets ${max} pass, refuses the next, and lets one more in as the oldest leaves the window`, async () => {
    const clock = new VirtualClock();
    const limits = only(clock, limit);
    const admit = (n: number): boolean => limits.admit('r', app(n), kind, 0).ok;
    expect(admit(0)).toBe(true);
    await clock.advance(windowMs / 2);
    for (let n = 1; n < max; n++) expect(admit(n)).toBe(true);
    expect(limits.admit('r', app(max), kind, 0)).toEqual({ ok: false, dimension: limit });
    await clock.advance(windowMs / 2 - 1);
    expect(admit(max)).toBe(false);
    await clock.advance(1);
    expect(admit(max)).toBe(true);
    expect(admit(max)).toBe(false);
    expect(limits.stats('r').throttledBy).toEqual({ [limit]: 3 });
    expect(limits.admit('another company', app(0), kind, 0).ok).toBe(true);
  });
});

it('counts what is in flight, and a request that ended makes room at once', () => {
  const limits = only(new VirtualClock(), 'inFlight');
  const open = Array.from({ length: 10 }, () => limits.admit('r', 'app', 'single', 0));
  expect(limits.admit('r', 'app', 'single', 0)).toEqual({ ok: false, dimension: 'inFlight' });
  const [first] = open;
  if (first?.ok) {
    first.done();
    first.done();
  }
  expect(limits.admit('r', 'app', 'single', 0).ok).toBe(true);
  expect(limits.admit('r', 'app', 'single', 0).ok).toBe(false);
  expect(limits.stats('r').peakInFlight).toBe(10);
});

it('blocks metered reads, not writes, beyond the monthly quota until the month rolls over; failed calls are free', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 31, 23, 0));
  const limits = only(clock);
  limits.configure({ meteredPerMonth: 2 });
  const read = (succeeded: boolean): boolean => {
    const admission = limits.admit('r', 'app', 'single', 1);
    if (admission.ok) admission.done(succeeded);
    return admission.ok;
  };
  expect([read(true), read(false), read(true), read(true)]).toEqual([true, true, true, false]);
  expect(limits.admit('r', 'app', 'single', 0).ok).toBe(true);
  await clock.advance(3_600_000);
  expect(read(true)).toBe(true);
});

it('allows forty e-mails a day', async () => {
  const clock = new VirtualClock();
  const limits = new Limits(clock);
  for (let n = 0; n < 40; n++) expect(limits.admitEmail('r')).toBe(true);
  expect(limits.admitEmail('r')).toBe(false);
  await clock.advance(86_400_000);
  expect(limits.admitEmail('r')).toBe(true);
});

it('each limit can be changed, switched off and on again; sizes are infinite when off; unknown names are refused', () => {
  const limits = new Limits(new VirtualClock());
  limits.configure({ appPerSecond: 1, batchItems: { on: true, max: 10 } });
  expect([limits.admit('r', 'a', 'single', 0).ok, limits.admit('r', 'a', 'single', 0).ok]).toEqual([true, false]);
  limits.configure({ appPerSecond: false });
  expect(limits.admit('r', 'a', 'single', 0).ok).toBe(true);
  limits.configure({ appPerSecond: true });
  expect(limits.current().limits.appPerSecond).toEqual({ on: true, max: 1 });
  expect(limits.sizeOf('batchItems')).toBe(10);
  limits.configure({ batchItems: false });
  expect(limits.sizeOf('batchItems')).toBe(Number.POSITIVE_INFINITY);
  expect(() => limits.configure({ perFortnight: 3 })).toThrow(/No limit is called 'perFortnight'/);
});

it('keeps answers back by the mean, the jitter and what an entity costs', () => {
  const limits = new Limits(new VirtualClock(), () => 1);
  limits.configure({ latency: { meanMs: 100, jitterMs: 20, perEntity: { Invoice: 50 } } });
  expect(limits.latencyMs()).toBe(120);
  expect(limits.latencyMs('Invoice')).toBe(170);
});

it('answers a throttled client in XML, or in the gateway JSON by option', () => {
  expect(throttleAnswer('xml', 0).body).toContain(
    '<Fault type="SERVICE"><Error code="3001"><Message>message=ThrottleExceeded; errorCode=003001; statusCode=429',
  );
  expect(JSON.parse(throttleAnswer('json', 0).body)).toMatchObject({ fault: { error: [{ code: '3001' }] } });
});
