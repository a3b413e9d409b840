// The governor's state and its two events: a call asks to be sent, a call was answered. The state is JSON-safe: it lives
// in one row per realm and is changed under that row's lock, so every process paces by the same window.
//
// Two rules, from measurement and proof (kafka.md 5.2):
// - The minute is a log. A call holds a slot from its grant until 60 s after its answer. Whatever the network does, the
//   server counted it at or before the answer, so every window of 60 s on the server holds at most as many calls as we
//   hold slots: at most 500. Answers are counted by the second and freed when the whole second has passed, which costs
//   one per cent and makes the row 60 numbers instead of 500.
// - The second is a spacing. GCRA: each send is due one interval after the one before, bursts of one. A bucket with a
//   burst of 10 gave hundreds of 429s an hour, spacing gave none.
import type { CallClass, PacingPolicy } from './policy.js';

export interface PacingState {
  policy: PacingPolicy;
  /** grants not answered yet */
  open: OpenGrant[];
  /** answered calls of the last minute, counted by the second of their answer: at most 62 entries */
  answered: { second: number; calls: number; batches: Record<string, number> }[];
  /** per app: earliest time of its next send */
  nextSendMs: Record<string, number>;
  frozenUntilMs: number;
  /** share of the full rate at `factorAtMs` */
  factor: number;
  factorAtMs: number;
  nextGrantId: number;
}

interface OpenGrant {
  id: number;
  app: string;
  kind: 'single' | 'batch';
  atMs: number;
}

export interface CallRequest {
  kind: 'single' | 'batch';
  app: string;
  class: CallClass;
}

export type Decision = { kind: 'go'; grantId: number } | { kind: 'wait'; untilMs: number };

const minuteMs = 60_000;
/** How soon to ask again when a slot depends on an answer, whose time nobody knows. */
const recheckMs = 50;

export function initialPacing(policy: PacingPolicy): PacingState {
  return {
    policy,
    open: [],
    answered: [],
    nextSendMs: {},
    frozenUntilMs: 0,
    factor: 1,
    factorAtMs: 0,
    nextGrantId: 1,
  };
}

/** Asks for one call. The returned state must be kept whatever the decision is. */
export function admit(
  previous: PacingState,
  policy: PacingPolicy,
  nowMs: number,
  call: CallRequest,
): { state: PacingState; decision: Decision } {
  const state = aged({ ...previous, policy }, nowMs);
  const untilMs = earliest(state, nowMs, call);
  if (untilMs > nowMs) return { state, decision: { kind: 'wait', untilMs } };
  const grantId = state.nextGrantId;
  const intervalMs = policy.spacingMs / factorAt(state, nowMs);
  return {
    state: {
      ...state,
      open: [...state.open, { id: grantId, app: call.app, kind: call.kind, atMs: nowMs }],
      nextSendMs: { ...state.nextSendMs, [call.app]: Math.ceil(nowMs + intervalMs) },
      nextGrantId: grantId + 1,
    },
    decision: { kind: 'go', grantId },
  };
}

/** A call was answered. An unknown or timed-out grant is ignored, so reporting twice is harmless. */
export function complete(
  previous: PacingState,
  nowMs: number,
  grantId: number,
  outcome: 'ok' | 'throttled',
): PacingState {
  const state = aged(previous, nowMs);
  const grant = state.open.find((open) => open.id === grantId);
  if (!grant) return state;
  const freed = counted({ ...state, open: state.open.filter((open) => open !== grant) }, grant, nowMs);
  return outcome === 'throttled' ? frozen(freed, nowMs) : freed;
}

/** The first moment at which nothing forbids the call, as far as is known now. */
function earliest(state: PacingState, nowMs: number, call: CallRequest): number {
  const { policy } = state;
  const minute = Math.max(1, policy.perMinute - policy.reserve[call.class]);
  const ofApp = state.open.filter((grant) => grant.app === call.app);
  let untilMs = Math.max(nowMs, state.frozenUntilMs, state.nextSendMs[call.app] ?? 0);
  if (ofApp.length >= policy.inFlight) untilMs = Math.max(untilMs, nowMs + recheckMs);
  untilMs = Math.max(
    untilMs,
    slotFree(state, nowMs, minute, state.open.length, (entry) => entry.calls),
  );
  if (call.kind === 'batch') {
    const open = ofApp.filter((grant) => grant.kind === 'batch').length;
    const free = slotFree(state, nowMs, policy.batchesPerMinute, open, (entry) => entry.batches[call.app] ?? 0);
    untilMs = Math.max(untilMs, free);
  }
  return untilMs;
}

/** When fewer than `limit` slots are held: now, or when enough of the oldest answers are a minute old. */
function slotFree(
  state: PacingState,
  nowMs: number,
  limit: number,
  open: number,
  countOf: (entry: PacingState['answered'][number]) => number,
): number {
  let held = open + state.answered.reduce((sum, entry) => sum + countOf(entry), 0);
  if (held < limit) return nowMs;
  for (const entry of state.answered) {
    held -= countOf(entry);
    if (held < limit) return freeAtMs(entry.second);
  }
  return nowMs + recheckMs;
}

/** The last answer of that second is then 60 s old. */
function freeAtMs(second: number): number {
  return (second + 1) * 1000 + minuteMs;
}

/** Lets go of what time has freed. A grant without an answer belonged to a process that died: its slot counts a minute more. */
function aged(state: PacingState, nowMs: number): PacingState {
  const { grantTimeoutMs } = state.policy;
  const lost = state.open.filter((grant) => nowMs - grant.atMs >= grantTimeoutMs);
  const open = state.open.filter((grant) => !lost.includes(grant));
  const all = lost.reduce((current, grant) => counted(current, grant, grant.atMs + grantTimeoutMs), { ...state, open });
  return { ...all, answered: all.answered.filter((entry) => freeAtMs(entry.second) > nowMs) };
}

function counted(state: PacingState, grant: OpenGrant, answeredMs: number): PacingState {
  const second = Math.floor(answeredMs / 1000);
  const at = state.answered.findIndex((entry) => entry.second === second);
  const entry = state.answered[at] ?? { second, calls: 0, batches: {} };
  const batches =
    grant.kind === 'batch' ? { ...entry.batches, [grant.app]: (entry.batches[grant.app] ?? 0) + 1 } : entry.batches;
  const next = { second, calls: entry.calls + 1, batches };
  const others = state.answered.filter((_, index) => index !== at);
  return { ...state, answered: [...others, next].sort((a, b) => a.second - b.second) };
}

/** A 429: somebody else uses the same 500, or the server counts otherwise than we do. */
function frozen(state: PacingState, nowMs: number): PacingState {
  const { freezeMs, cutFactor, minFactor } = state.policy;
  // Several calls in flight meet the same full window: that is one piece of news, not a reason to cut several times.
  if (nowMs < state.frozenUntilMs) return state;
  return {
    ...state,
    frozenUntilMs: nowMs + freezeMs,
    factor: Math.max(minFactor, factorAt(state, nowMs) * cutFactor),
    // growth begins when the freeze ends
    factorAtMs: nowMs + freezeMs,
  };
}

function factorAt(state: PacingState, nowMs: number): number {
  const minutes = Math.max(0, nowMs - state.factorAtMs) / minuteMs;
  return Math.min(1, state.factor + minutes * state.policy.growthPerMinute);
}

/** How much of the minute is in use, for people: held slots of the limit. */
export function usage(
  state: PacingState,
  nowMs: number,
): { held: number; limit: number; factor: number; frozen: boolean } {
  const current = aged(state, nowMs);
  const held = current.open.length + current.answered.reduce((sum, entry) => sum + entry.calls, 0);
  return {
    held,
    limit: current.policy.perMinute,
    factor: factorAt(current, nowMs),
    frozen: current.frozenUntilMs > nowMs,
  };
}
