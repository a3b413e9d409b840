// The circuit of the whole platform, as one state that all processes share: what stops every company, who may find out whether
// QuickBooks is back, and in which order the companies begin again. Pure; the state is JSON-safe.
//
//   closed  calls go. After a heal each company begins at a moment of its own, spread over a while: thousands of them must not
//           meet a platform that has just got up. A platform that falls again at once is tripped like any other time.
//   open    no call goes, except the probe: one process wins it, by a change that only one can make, and sends one call
//           of its work. An answer, whatever it says, closes the circuit; silence makes the next probe wait longer.
export interface PlatformCircuit {
  open: boolean;
  /** counts changes: an older copy never replaces a newer one */
  version: number;
  /** since when it is open or closed */
  sinceMs: number;
  /** open: not before this may somebody probe */
  probeAtMs: number;
  /** probes without an answer since it opened */
  failedProbes: number;
  /** closed: over how long the companies begin again, from `sinceMs` */
  spreadMs: number;
}

export type CallPurpose = 'write' | 'read';

export type PlatformLeave =
  | { kind: 'go' }
  /** ask for the probe, and send if it is won */
  | { kind: 'probe' }
  | { kind: 'refused'; untilMs: number; why: 'open' | 'begins later' };

const firstProbeMs = 5_000;
const longestProbeMs = 60_000;
/** Longer than any call may take (the transport gives up after 130 s): a winner that died is followed by another. */
const probeTakesMs = 150_000;
/** A read may be answered by what still stands while nothing can be stored. It probes only where nobody had a write to send. */
const writesFirstMs = 10_000;
/** The spread follows the outage, since so does what piled up: no need to wait a minute after five seconds. */
const longestSpreadMs = 30_000;

export const closedPlatform: PlatformCircuit = {
  open: false,
  version: 0,
  sinceMs: 0,
  probeAtMs: 0,
  failedProbes: 0,
  spreadMs: 0,
};

export function platformLeave(
  circuit: PlatformCircuit,
  nowMs: number,
  realmId: string,
  purpose: CallPurpose,
): PlatformLeave {
  if (!circuit.open) {
    const beginsMs = circuit.sinceMs + beginsAfterMs(realmId, circuit.spreadMs);
    return nowMs < beginsMs ? { kind: 'refused', untilMs: beginsMs, why: 'begins later' } : { kind: 'go' };
  }
  const fromMs = circuit.probeAtMs + (purpose === 'write' ? 0 : writesFirstMs);
  return nowMs < fromMs ? { kind: 'refused', untilMs: fromMs, why: 'open' } : { kind: 'probe' };
}

/** Undefined: it is open already, and stays as it is. */
export function tripped(circuit: PlatformCircuit, nowMs: number): PlatformCircuit | undefined {
  if (circuit.open) return undefined;
  return {
    open: true,
    version: circuit.version + 1,
    sinceMs: nowMs,
    probeAtMs: nowMs + firstProbeMs,
    failedProbes: 0,
    spreadMs: 0,
  };
}

/** The probe is taken: nobody else takes it until it is told how it went, or its taker must be dead. */
export function probeTaken(circuit: PlatformCircuit, nowMs: number): PlatformCircuit | undefined {
  if (!circuit.open || nowMs < circuit.probeAtMs) return undefined;
  return { ...circuit, version: circuit.version + 1, probeAtMs: nowMs + probeTakesMs };
}

export function probed(circuit: PlatformCircuit, nowMs: number, answered: boolean): PlatformCircuit | undefined {
  if (!circuit.open) return undefined;
  const version = circuit.version + 1;
  if (answered) {
    const spreadMs = Math.min(longestSpreadMs, nowMs - circuit.sinceMs);
    return { open: false, version, sinceMs: nowMs, probeAtMs: 0, failedProbes: 0, spreadMs };
  }
  const failedProbes = circuit.failedProbes + 1;
  const waitMs = Math.min(longestProbeMs, firstProbeMs * 2 ** failedProbes);
  return { ...circuit, version, failedProbes, probeAtMs: nowMs + waitMs };
}

/** FNV-1a: the same place for a company in every process, without asking anybody. */
function beginsAfterMs(realmId: string, spreadMs: number): number {
  let hash = 2_166_136_261;
  for (let at = 0; at < realmId.length; at += 1) hash = Math.imul(hash ^ realmId.charCodeAt(at), 16_777_619) >>> 0;
  // Its low bits alone know little of the last digit; mixed once more.
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507) >>> 0;
  return Math.floor((((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296) * spreadMs);
}

/** How calls to one company ended lately, as one process saw it. */
export interface RealmHealth {
  lastAnswerMs: number;
  lastSilenceMs: number;
}

/**
 * A silence of one company may be its own trouble, whatever it looks like: a gateway's 503 too can be meant for one of its
 * shards. It is the platform's when most of the companies called lately end so. With one company there is nothing to tell
 * apart, and its own circuit does all that is needed.
 */
export function isPlatformTrouble(companies: Iterable<RealmHealth>, nowMs: number, windowMs: number): boolean {
  let silent = 0;
  let answering = 0;
  for (const { lastAnswerMs, lastSilenceMs } of companies) {
    if (Math.max(lastAnswerMs, lastSilenceMs) < nowMs - windowMs) continue;
    if (lastSilenceMs > lastAnswerMs) silent += 1;
    else answering += 1;
  }
  return silent >= 2 && silent > 4 * answering;
}
