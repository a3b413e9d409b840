// The one clock of the governor is the database's: a window shared by processes must not depend on whose clock is late.
// Each process knows how far its own clock is off from the answers to its statements; the quickest of late ones is the
// best witness, because the database looked at its clock somewhere between the sending and the answer.

export interface ClockOffset {
  /** add this to the process's time */
  offsetMs: number;
  /** half of it is the most the offset can be wrong by */
  roundTripMs: number;
  atMs: number;
}

/** Clocks drift by tens of parts per million: half a millisecond in this time. */
const bestForMs = 10_000;

export function betterOffset(
  known: ClockOffset | undefined,
  exchange: { sentMs: number; receivedMs: number; databaseMs: number },
): ClockOffset {
  const { sentMs, receivedMs, databaseMs } = exchange;
  const roundTripMs = Math.max(0, receivedMs - sentMs);
  const fresh = { offsetMs: databaseMs - (sentMs + receivedMs) / 2, roundTripMs, atMs: receivedMs };
  if (!known || receivedMs - known.atMs >= bestForMs || receivedMs < known.atMs) return fresh;
  // Farther apart than both can be wrong by: somebody set a clock.
  if (Math.abs(fresh.offsetMs - known.offsetMs) > (roundTripMs + known.roundTripMs) / 2 + 1) return fresh;
  return roundTripMs <= known.roundTripMs ? fresh : known;
}

/** Not before `fromMs` and not after `toMs`; whole milliseconds. */
export interface DatabaseTime {
  fromMs: number;
  toMs: number;
}

/** The database's time while this process's clock shows `ownMs`. */
export function databaseTime(offset: ClockOffset | undefined, ownMs: number): DatabaseTime {
  const { offsetMs = 0, roundTripMs = 0 } = offset ?? {};
  return {
    fromMs: Math.floor(ownMs + offsetMs - roundTripMs / 2),
    toMs: Math.ceil(ownMs + offsetMs + roundTripMs / 2),
  };
}
