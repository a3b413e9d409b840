// The month's metered reads: how many there will be at its end as things go, and what is done about it in time. Writes are free,
// reads are counted and beyond the allowance QuickBooks refuses them all, live ones included. So the cheap ones to do without are
// slowed first: sweeps of targets (they find what people do there, later is good enough), then bulk look-ups and backfills.
// Capture of live edits is never slowed: it is what the allowance is for.
export const readPurposes = ['capture', 'look-up', 'sweep', 'bulk', 'files', 'person'] as const;
export type ReadPurpose = (typeof readPurposes)[number];

export interface ReadMonth {
  /** reads so far */
  metered: number;
  /** as the last days went, to the month's end */
  forecast: number;
  allowance: number;
  guard: ReadGuard;
}

export type ReadGuard = 'none' | 'sweeps slowed' | 'bulk slowed';

const dayMs = 24 * 60 * 60_000;
/** Fewer hours say nothing about a day: a backfill of this morning is not what the month goes on like. */
const leastBasisMs = dayMs;
/** Sweeps are slowed while the forecast still fits, by a tenth: what is forecast is never exact. */
const careful = 0.9;

/**
 * @param recent reads of the last `recentMs`, the basis of the forecast: a big backfill early in the month must not be taken for
 *   how the month goes on, nor a quiet week for the busy one after it
 */
export function readMonth(metered: number, recent: number, recentMs: number, now: Date, allowance: number): ReadMonth {
  const left = monthEnd(now).getTime() - now.getTime();
  const forecast = Math.round(metered + (recent / Math.max(leastBasisMs, recentMs)) * left);
  return { metered, forecast, allowance, guard: readGuard(metered, forecast, allowance) };
}

/** Bulk is slowed when the month would not last, or when nearly all is spent already. */
function readGuard(metered: number, forecast: number, allowance: number): ReadGuard {
  if (forecast > allowance || metered >= careful * allowance) return 'bulk slowed';
  return forecast > careful * allowance ? 'sweeps slowed' : 'none';
}

/** How much longer the pause between two sweeps is: a quarter as many, then a sixteenth. */
export function sweepSlowness(guard: ReadGuard): number {
  return { none: 1, 'sweeps slowed': 4, 'bulk slowed': 16 }[guard];
}

/** What a read of this purpose waits before it asks for its slot. Two seconds: thirty reads a minute for each that waits. */
export function readDelayMs(guard: ReadGuard, purpose: ReadPurpose): number {
  return guard === 'bulk slowed' && (purpose === 'bulk' || purpose === 'sweep') ? 2_000 : 0;
}

/** What a read is for, where its caller does not say: told by its class. */
export function purposeOf(call: string, callClass: string): ReadPurpose {
  if (callClass === 'interactive') return 'person';
  if (callClass === 'attachments' || call === 'download') return 'files';
  if (callClass === 'bulk') return call === 'cdc' ? 'sweep' : 'bulk';
  return call === 'cdc' ? 'capture' : 'look-up';
}

/** `2026-11-01`: how Intuit's month is named here. UTC, because no time zone is documented. */
export function monthOf(now: Date): string {
  return monthStart(now).toISOString().slice(0, 10);
}

function monthStart(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
}

function monthEnd(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
}
