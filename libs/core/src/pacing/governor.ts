// The governor's state and what happens to it: a call asks to be sent, a call was answered, a process died, the state
// cannot be trusted. The state is JSON-safe and of one realm; every process that touches the realm decides on the same one.
//
// What a server may count at most is proven, not hoped for, whatever the network does:
// - A call holds a slot of the minute from its grant until 60 s after its answer, less the part of its way that is known (see
//   the next). The server counted it before that, so every 60 s of the server hold at most as many calls as we hold slots.
//   Batches alike: without what is known of their work each held its slot 62 s, and forty a minute were 38.6. They are kept by the
//   second, each with its millisecond: freed by the whole second they cost 1.5 % of the quota (share 0.983 against 0.997), and
//   made calls go in clumps, in which a batch that was free just after the tick found no slot until the next.
// - A call holds a slot of the second from its grant until 1 s after its answer, less the part of its way that is known:
//   the least delay of the last minutes less the spread of the measured delays (up to three times that while there were few), and
//   at most the mean less 100 ms, because a route may change from one call to the next. Delays are measured from the
//   sending, not from the grant. On a steady network the limit is 9.1/s and more; the more the answers jitter, the longer slots
//   are held and the wider sends are spaced. Spacing by the clock alone (120 ms) let eleven calls into a second as soon as one
//   was delayed by more than 200 ms. Of a batch the work of its items is known as well.
// - Time is the database's, and a process knows it to within half a round trip: it lets go at the earliest that it may be, and
//   an answer came at the latest that it may have.
// - Spacing (GCRA with a short catch-up) is for smoothness only: the minute is spent evenly, so whoever comes next never
//   waits long.
//
// Classes: the next free slot goes to the most urgent class that wants one and has not had its floor, then to the most
// urgent one. Nothing is kept free for a class that wants nothing; one that wants gets the very next slot.
import { callClasses, type CallClass, type PacingPolicy } from './policy.js';

export interface PacingState {
  /** the shape of this state; another one is not understood */
  form: 2;
  /** grants not answered yet */
  open: OpenGrant[];
  /** answered calls of the last minute, by the second in which they were counted at the latest: at most 62 entries */
  answered: Answered[];
  /** answered within the last second; of a batch, how many items it had */
  recent: { app: string; atMs: number; items?: number }[];
  /** per app: when the spacing is due again; per app and class (`gapOf`): when the class may send again */
  nextSendMs: Record<string, number>;
  nextBatchMs: Record<string, number>;
  /** who waits for a slot, so that a less urgent class lets it pass */
  wants: Want[];
  /** per process: how long answers take */
  delays: Record<string, Delay>;
  frozenUntilMs: number;
  ceiling: Ceiling;
  nextGrantId: number;
}

interface OpenGrant {
  id: number;
  app: string;
  kind: 'single' | 'batch';
  class: CallClass;
  /** the process that sends it */
  by: string;
  atMs: number;
}

interface Answered {
  second: number;
  total: number;
  /** when in this second, in order; absent in a state of an older release: at its end */
  ms?: number[];
  calls: Partial<Record<CallClass, number>>;
  /** batches among them, per app */
  batches: Record<string, number>;
  /** when in this second the last of them was counted at the latest */
  batchMs?: number;
}

interface Want {
  class: CallClass;
  /** what it waits for: any slot, or one for a batch */
  slot: 'call' | 'batch';
  by: string;
  untilMs: number;
}

/** How long the calls of a process take: single ones, and the further items of batches. */
interface Delay extends Spread {
  items?: Spread;
  lastMs: number;
}

interface Spread {
  samples: number;
  meanMs: number;
  /** least of this span and of the one before */
  leastMs: number;
  leastBeforeMs: number;
  sinceMs: number;
}

/** What the realm gives us: less than the limit after a 429. */
interface Ceiling {
  /** share of the limit at `atMs`; grows from there */
  share: number;
  atMs: number;
  /** the calls of a minute at which the last 429 met us, when that was so far below the limit that somebody else must use the rest */
  knee?: number | undefined;
  /** how long growth rests below the knee before it probes beyond */
  restMs: number;
}

export interface CallRequest {
  kind: 'single' | 'batch';
  /** the Intuit app */
  app: string;
  class: CallClass;
  /** the asking process */
  by: string;
}

export type Decision = { kind: 'go'; grantId: number } | { kind: 'wait'; untilMs: number };

const minuteMs = 60_000;
const secondMs = 1_000;
/** Clocks of processes are set by the database's to within a few milliseconds. */
const clockMarginMs = 10;
/** How soon to ask again when a slot depends on an answer, whose time nobody knows. */
const recheckMs = 50;
/** How long a class lets a more urgent one pass before it asks again. */
const yieldMs = 25;
/** A want is renewed by whoever waits; one that is not renewed belonged to a process that died or went away. */
const wantMs = 750;
/** Fewer samples say nothing about the least delay. */
const enoughSamples = 20;
/** The fewer there were, the farther below the least of them the next may be: after 20 by three times the spread. */
const fewSamples = 40;
const manySamples = 200;
/** Over fewer items the unevenness of the way is a large part of what each seems to take. */
const tellingItems = 10;
/**
 * However even the answers were, a call may take this much longer on its way than the next: routes change. Ten calls a second that
 * hold their slots so much longer are 9.1: room beside the minute's 8.3 (with 150 ms a backlog carried 1 % less).
 */
const unevenMs = 100;
const delaySpanMs = 60_000;
const delayForgottenMs = 5 * 60_000;
/** A 429 below this share of the limit is somebody else's doing; above it the server may count otherwise than we do. */
const alone = 0.9;
/** Below this share one 429 proves nothing about the minute. */
const meaningful = 0.2;
const belowKnee = 0.95;
const firstRestMs = 5 * 60_000;
const longestRestMs = 60 * 60_000;

export function initialPacing(): PacingState {
  return {
    form: 2,
    open: [],
    answered: [],
    recent: [],
    nextSendMs: {},
    nextBatchMs: {},
    wants: [],
    delays: {},
    frozenUntilMs: 0,
    ceiling: { share: 1, atMs: 0, restMs: firstRestMs },
    nextGrantId: 1,
  };
}

/** What was stored. Of a state that is not understood nothing is known: what was sent in the last minute may be anything. */
export function storedPacing(stored: unknown, nowMs: number): PacingState {
  if (stored !== null && typeof stored === 'object' && (stored as PacingState).form === 2) return stored as PacingState;
  return unknownPast(initialPacing(), nowMs);
}

/** Calls may have been sent that this state does not hold (a database restored to an earlier moment): waits them out. */
export function unknownPast(state: PacingState, nowMs: number, untilMs = nowMs + minuteMs): PacingState {
  // A second beyond the minute: calls that were on their way at that moment.
  return { ...state, frozenUntilMs: Math.max(state.frozenUntilMs, untilMs + secondMs) };
}

/**
 * Asks for one call. `keep` says whether the returned state holds news worth storing; a state with a grant in it must be
 * stored before the call is sent.
 */
export function admit(
  previous: PacingState,
  policy: PacingPolicy,
  nowMs: number,
  call: CallRequest,
): { state: PacingState; decision: Decision; keep: boolean } {
  const state = aged(previous, policy, nowMs);
  const found = earliest(state, policy, nowMs, call);
  if (found.untilMs > nowMs) {
    // Its own class keeps it: nobody is to let it pass.
    if (found.slot === 'none') return { state, decision: { kind: 'wait', untilMs: found.untilMs }, keep: false };
    const wanting = wanted(state, nowMs, call, found.slot);
    return { state: wanting, decision: { kind: 'wait', untilMs: found.untilMs }, keep: wanting !== state };
  }
  const grantId = state.nextGrantId;
  const { app, kind, by } = call;
  const slower = policy.perMinute / limitAt(state, policy, nowMs);
  return {
    state: {
      ...state,
      open: [...state.open, { id: grantId, app, kind, class: call.class, by, atMs: nowMs }],
      wants: state.wants.filter((want) => want.by !== by || want.class !== call.class || want.slot === 'batch'),
      nextSendMs: {
        ...state.nextSendMs,
        [app]: due(state.nextSendMs[app], nowMs, policy.burstMs, policy.spacingMs * slower),
        ...(policy.gapMs[call.class] > 0 && { [gapOf(call)]: nowMs + policy.gapMs[call.class] }),
      },
      ...(kind === 'batch' && {
        wants: state.wants.filter((want) => want.by !== by || want.class !== call.class),
        nextBatchMs: {
          ...state.nextBatchMs,
          [app]: due(state.nextBatchMs[app], nowMs, policy.batchBurstMs, policy.batchSpacingMs * slower),
        },
      }),
      nextGrantId: grantId + 1,
    },
    decision: { kind: 'go', grantId },
    keep: true,
  };
}

/** What a call was. */
export interface Called {
  /** of a batch: its work takes longer the more it has */
  items?: number | undefined;
  /**
   * From its sending to its answer. Not from its grant: what lies between them is our own process's, and that changes from one
   * call to the next. Taken for a part of every call's way it let an eleventh call into a second.
   */
  tookMs?: number | undefined;
}

/**
 * A call was answered, at `nowMs` at the latest. An unknown or timed-out grant is ignored, so reporting twice is harmless. Frees
 * nothing: that it may be so late does not mean that it is.
 */
export function complete(
  state: PacingState,
  policy: PacingPolicy,
  nowMs: number,
  grantId: number,
  outcome: 'ok' | 'throttled' | 'unsent',
  called: Called = {},
): PacingState {
  const grant = state.open.find((open) => open.id === grantId);
  if (!grant) return state;
  const { items = 1, tookMs = nowMs - grant.atMs } = called;
  const open = state.open.filter((one) => one !== grant);
  // Never sent: the server cannot have counted it.
  if (outcome === 'unsent') return { ...state, open };
  const measured = { ...state, open, delays: withSample(state.delays, grant, tookMs, items, nowMs) };
  // The server counted it before that part of its way which every call takes after being counted, or the next before.
  const countedMs = nowMs - Math.floor(Math.min(tookMs, knownOf(measured, grant.by)(items)));
  const freed = counted(measured, grant, nowMs, items, countedMs);
  return outcome === 'throttled' ? frozen(freed, policy, nowMs) : freed;
}

/** Grants of processes that are gone: sent or not, nobody will report them. They count as answered now. */
export function bury(
  previous: PacingState,
  policy: PacingPolicy,
  nowMs: number,
  gone: (grant: { id: number; by: string; atMs: number }) => boolean,
): PacingState {
  const state = aged(previous, policy, nowMs);
  const lost = state.open.filter(gone);
  if (lost.length === 0) return state;
  const open = state.open.filter((grant) => !lost.includes(grant));
  return lost.reduce((current, grant) => counted(current, grant, nowMs), { ...state, open });
}

/** The first moment at which nothing forbids the call, as far as is known now, and what kind of slot it waits for. */
function earliest(
  state: PacingState,
  policy: PacingPolicy,
  nowMs: number,
  call: CallRequest,
): { untilMs: number; slot: 'call' | 'batch' | 'none' } {
  const ofApp = state.open.filter((grant) => grant.app === call.app);
  const minute = Math.max(1, Math.floor(limitAt(state, policy, nowMs)) - policy.minuteLeft[call.class]);
  let untilMs = Math.max(nowMs, state.frozenUntilMs, Math.ceil(state.nextSendMs[call.app] ?? 0));
  if (ofApp.length >= policy.inFlight - policy.inFlightLeft[call.class]) untilMs = Math.max(untilMs, nowMs + recheckMs);
  untilMs = Math.max(
    untilMs,
    secondFree(state, policy, nowMs, call, ofApp.length),
    slotFree(state, nowMs, minute, state.open.length, callsIn, callFreeMs),
  );
  let slot: 'call' | 'batch' | 'none' = 'call';
  if (call.kind === 'batch') {
    const inRealm = state.open.filter((grant) => grant.kind === 'batch');
    const inApp = inRealm.filter((grant) => grant.app === call.app).length;
    const batchMs = Math.max(
      Math.ceil(state.nextBatchMs[call.app] ?? 0),
      slotFree(state, nowMs, policy.batchesPerMinute, inApp, (entry) => entry.batches[call.app] ?? 0, batchFreeMs),
      slotFree(state, nowMs, policy.batchesPerMinuteOfRealm, inRealm.length, batchesIn, batchFreeMs),
    );
    // What a batch waits for alone must not make singles wait with it.
    if (batchMs > untilMs) [untilMs, slot] = [batchMs, 'batch'];
  }
  if (untilMs <= nowMs && yields(state, policy, nowMs, call)) untilMs = nowMs + yieldMs;
  const gapMs = state.nextSendMs[gapOf(call)] ?? 0;
  if (gapMs > untilMs) [untilMs, slot] = [gapMs, 'none'];
  return { untilMs, slot };
}

/** Somebody more deserving waits for the same slot. */
function yields(state: PacingState, policy: PacingPolicy, nowMs: number, call: CallRequest): boolean {
  const rank = rankOf(state, policy, nowMs);
  return state.wants.some(
    (want) =>
      want.class !== call.class &&
      (want.slot === 'call' || call.kind === 'batch') &&
      rank(want.class) < rank(call.class),
  );
}

function rankOf(state: PacingState, policy: PacingPolicy, nowMs: number): (of: CallClass) => number {
  const share = limitAt(state, policy, nowMs) / policy.perMinute;
  return (of) => {
    let held = 0;
    for (const grant of state.open) if (grant.class === of) held += 1;
    for (const entry of state.answered) held += entry.calls[of] ?? 0;
    const place = callClasses.indexOf(of);
    return held < policy.floors[of] * share ? place : place + callClasses.length;
  };
}

function wanted(
  state: PacingState,
  nowMs: number,
  { class: of, by }: CallRequest,
  slot: 'call' | 'batch',
): PacingState {
  const same = (want: Want) => want.class === of && want.by === by && want.slot === slot;
  const known = state.wants.find(same);
  // Renewed when a third is left: the state is stored for it.
  if (known && known.untilMs - nowMs > wantMs / 3) return state;
  return {
    ...state,
    wants: [...state.wants.filter((want) => !same(want)), { class: of, slot, by, untilMs: nowMs + wantMs }],
  };
}

const gapOf = (call: Pick<CallRequest, 'app' | 'class'>): string => `${call.app} ${call.class}`;

function due(previous: number | undefined, nowMs: number, burstMs: number, intervalMs: number): number {
  return Math.max(previous ?? 0, nowMs - burstMs) + intervalMs;
}

/** When fewer than ten calls can still meet this one within a second of the server. */
function secondFree(
  state: PacingState,
  policy: PacingPolicy,
  nowMs: number,
  { app, by }: CallRequest,
  open: number,
): number {
  const knownMs = knownOf(state, by);
  const leaving = state.recent
    .filter((one) => one.app === app)
    .map(({ atMs, items = 1 }) => Math.ceil(atMs + secondMs + clockMarginMs - Math.min(secondMs, knownMs(items))))
    .filter((leavesMs) => leavesMs > nowMs);
  const over = open + leaving.length - policy.perSecond;
  if (over < 0) return nowMs;
  return leaving.sort((a, b) => a - b)[over] ?? nowMs + recheckMs;
}

/** Of a call with so many items: the part of its way that is known, in ms. */
function knownOf(state: PacingState, by: string): (items: number) => number {
  const [callMs, itemMs] = [knownDelayMs(state, by), knownItemMs(state)];
  return (items) => Math.max(0, callMs + (items - 1) * itemMs);
}

/**
 * The part of a call's way that every call takes: a lower bound of (way there + work + way back). Least measured delay less
 * the distance of the mean from it, and the least over all processes: one of which nothing is known knows nothing.
 */
function knownDelayMs(state: PacingState, by: string): number {
  if (!state.delays[by]) return 0;
  return Math.min(...Object.values(state.delays).map((delay) => Math.min(sureMs(delay), delay.meanMs - unevenMs)));
}

/**
 * The same for each further item of a batch: its work alone. Measured by itself, because beside single calls a batch of 30 looks
 * like one that was held up on its way; every batch then widened the spacing of all calls (see docs/performance.md, migrate).
 */
function knownItemMs(state: PacingState): number {
  const measured = Object.values(state.delays).flatMap(({ items }) => (items ? [sureMs(items)] : []));
  return measured.length === 0 ? 0 : Math.min(...measured);
}

function sureMs({ samples, leastMs, leastBeforeMs, meanMs }: Spread): number {
  if (samples < enoughSamples) return 0;
  const least = Math.min(leastMs, leastBeforeMs);
  return Math.min(secondMs, Math.max(0, least - (meanMs - least) * (1 + fewSamples / samples)));
}

function withSample(
  delays: PacingState['delays'],
  { by, kind }: OpenGrant,
  tookMs: number,
  items: number,
  nowMs: number,
): PacingState['delays'] {
  const known = delays[by];
  const next =
    kind === 'batch' ? withBatch(known, tookMs, items, nowMs) : { ...known, ...sampled(known, tookMs, nowMs) };
  return { ...delays, [by]: { ...next, lastMs: nowMs } };
}

/**
 * What its items took beyond a single call of the same process: without that the way of a far process would be taken for work,
 * and a near one let its calls come too soon after (eleven in a second). As far above the mean as the least is below it,
 * for what belongs to the way must not be counted as work.
 */
function withBatch(known: Delay | undefined, tookMs: number, items: number, nowMs: number): Omit<Delay, 'lastMs'> {
  const delay: Omit<Delay, 'lastMs'> = known ?? { ...sampled(undefined, 0, nowMs), samples: 0 };
  if (items < tellingItems || delay.samples < enoughSamples) return delay;
  const singleMs = 2 * delay.meanMs - Math.min(delay.leastMs, delay.leastBeforeMs);
  return { ...delay, items: sampled(delay.items, Math.max(0, tookMs - singleMs) / (items - 1), nowMs) };
}

function sampled(known: Spread | undefined, tookMs: number, nowMs: number): Spread {
  const { samples, meanMs, leastMs, leastBeforeMs, sinceMs } =
    known && known.samples > 0
      ? known
      : { samples: 0, meanMs: tookMs, leastMs: tookMs, leastBeforeMs: tookMs, sinceMs: nowMs };
  const turned = nowMs - sinceMs >= delaySpanMs;
  // Rounded: it is stored.
  const tenth = (ms: number) => Math.round(ms * 10) / 10;
  return {
    samples: Math.min(samples + 1, manySamples),
    meanMs: tenth(meanMs + (tookMs - meanMs) / enoughSamples),
    leastMs: tenth(turned ? tookMs : Math.min(leastMs, tookMs)),
    leastBeforeMs: turned ? leastMs : tenth(Math.min(leastBeforeMs, tookMs)),
    sinceMs: turned ? nowMs : sinceMs,
  };
}

/** When fewer than `limit` slots are held: now, or when enough of the oldest answers are a minute old. */
function slotFree(
  { answered }: PacingState,
  nowMs: number,
  limit: number,
  open: number,
  countOf: (entry: Answered) => number,
  freeMsOf: (entry: Answered, place: number) => number,
): number {
  let held = open + answered.reduce((sum, entry) => sum + countOf(entry), 0);
  let freeMs = nowMs;
  for (const entry of answered) {
    const count = countOf(entry);
    for (let place = 0; place < count; place += 1) {
      if (held < limit) return Math.max(nowMs, freeMs);
      held -= 1;
      freeMs = freeMsOf(entry, place);
    }
  }
  return held < limit ? Math.max(nowMs, freeMs) : nowMs + recheckMs;
}

function callsIn(entry: Answered): number {
  return entry.total;
}

function callFreeMs({ second, ms }: Answered, place: number): number {
  return second * secondMs + (ms?.[place] ?? secondMs) + minuteMs + clockMarginMs;
}

function batchesIn(entry: Answered): number {
  let sum = 0;
  for (const app in entry.batches) sum += entry.batches[app]!;
  return sum;
}

function batchFreeMs({ second, batchMs }: Answered): number {
  return second * secondMs + (batchMs ?? secondMs) + minuteMs + clockMarginMs;
}

/** The last answer of that second is then 60 s old. */
function wholeFreeMs({ second }: Answered): number {
  return (second + 1) * secondMs + minuteMs + clockMarginMs;
}

/** Calls answered less than a minute ago. */
function heldIn(entry: Answered, nowMs: number): number {
  if (!entry.ms) return entry.total;
  return entry.ms.filter((_, place) => callFreeMs(entry, place) > nowMs).length;
}

/** Lets go of what time has freed; the same state when that is nothing. */
function aged(state: PacingState, policy: PacingPolicy, nowMs: number): PacingState {
  const { grantTimeoutMs } = policy;
  const lost = state.open.filter((grant) => nowMs - grant.atMs >= grantTimeoutMs);
  let next = state;
  if (lost.length > 0) {
    const open = state.open.filter((grant) => !lost.includes(grant));
    next = lost.reduce((all, grant) => counted(all, grant, grant.atMs + grantTimeoutMs), { ...state, open });
  }
  const answered = still(next.answered, (entry) => wholeFreeMs(entry) > nowMs);
  const recent = still(next.recent, ({ atMs }) => atMs + secondMs + clockMarginMs > nowMs);
  const wants = still(next.wants, (want) => want.untilMs > nowMs);
  const delays = withoutForgotten(next.delays, nowMs);
  if (answered === next.answered && recent === next.recent && wants === next.wants && delays === next.delays)
    return next;
  return { ...next, answered, recent, wants, delays };
}

function still<T>(all: T[], stays: (one: T) => boolean): T[] {
  return all.every(stays) ? all : all.filter(stays);
}

function withoutForgotten(delays: PacingState['delays'], nowMs: number): PacingState['delays'] {
  for (const by in delays) {
    if (nowMs - delays[by]!.lastMs < delayForgottenMs) continue;
    return Object.fromEntries(Object.entries(delays).filter(([, delay]) => nowMs - delay.lastMs < delayForgottenMs));
  }
  return delays;
}

function counted(
  state: PacingState,
  grant: OpenGrant,
  answeredMs: number,
  items = 1,
  countedMs = answeredMs,
): PacingState {
  const second = Math.floor(countedMs / secondMs);
  const inSecondMs = countedMs - second * secondMs;
  const at = state.answered.findLastIndex((entry) => entry.second === second);
  const entry: Answered = state.answered[at] ?? { second, total: 0, ms: [], calls: {}, batches: {} };
  const isBatch = grant.kind === 'batch';
  const next: Answered = {
    ...entry,
    total: entry.total + 1,
    calls: { ...entry.calls, [grant.class]: (entry.calls[grant.class] ?? 0) + 1 },
    ...(isBatch && { batches: { ...entry.batches, [grant.app]: (entry.batches[grant.app] ?? 0) + 1 } }),
    // A process of an older release counts without these: then the end of the second holds for all of it.
    ...(entry.ms && { ms: [...entry.ms, inSecondMs].sort((a, b) => a - b) }),
    ...(entry.ms && isBatch && { batchMs: Math.max(inSecondMs, entry.batchMs ?? 0) }),
  };
  const answered =
    at >= 0 ? state.answered.with(at, next) : [...state.answered, next].sort((a, b) => a.second - b.second);
  return {
    ...state,
    answered,
    recent: [...state.recent, { app: grant.app, atMs: answeredMs, ...(items > 1 && { items }) }],
  };
}

/**
 * A 429. Several calls in flight meet the same full window: that is one piece of news, not a reason to cut several times.
 * Well below our own limit it tells what others leave us: growth goes to just below that, rests there, and probes beyond;
 * the rest doubles each time the probe meets the same wall.
 */
function frozen(state: PacingState, policy: PacingPolicy, nowMs: number): PacingState {
  if (nowMs < state.frozenUntilMs) return state;
  const { freezeMs, cutFactor, minFactor, perMinute } = policy;
  const before = limitAt(state, policy, nowMs);
  const held = state.open.length + state.answered.reduce((sum, entry) => sum + heldIn(entry, nowMs), 0);
  const troubled = before < perMinute;
  const knee = held < alone * perMinute && (held >= meaningful * perMinute || troubled) ? held : undefined;
  const wall = state.ceiling.knee;
  const same = troubled && knee !== undefined && wall !== undefined && Math.abs(knee - wall) <= wall / 4;
  return {
    ...state,
    frozenUntilMs: nowMs + freezeMs,
    ceiling: {
      share: Math.max(minFactor, (cutFactor * Math.min(before, knee ?? before)) / perMinute),
      // growth begins when the freeze ends
      atMs: nowMs + freezeMs,
      ...(knee !== undefined && { knee }),
      restMs: same ? Math.min(longestRestMs, state.ceiling.restMs * 2) : firstRestMs,
    },
  };
}

/**
 * The platform came back at `healedMs`: the realm begins slower, as after a 429, and its rate grows back. Once per heal, whoever
 * notices it: the ceiling's time tells that it was done.
 */
export function resumed(state: PacingState, policy: PacingPolicy, healedMs: number): PacingState {
  if (state.ceiling.atMs >= healedMs) return state;
  const share = Math.min(policy.cutFactor, limitAt(state, policy, healedMs) / policy.perMinute);
  return { ...state, ceiling: { ...state.ceiling, share, atMs: healedMs } };
}

/** Calls a minute that the realm gives us now. */
function limitAt({ ceiling }: PacingState, policy: PacingPolicy, nowMs: number): number {
  const { perMinute } = policy;
  const perMs = (policy.growthPerMinute * perMinute) / minuteMs;
  const sinceMs = Math.max(0, nowMs - ceiling.atMs);
  const start = ceiling.share * perMinute;
  const top = ceiling.knee === undefined ? perMinute : Math.max(start, ceiling.knee * belowKnee);
  const grown = start + sinceMs * perMs;
  if (grown <= top) return grown;
  const beyondMs = Math.max(0, sinceMs - (top - start) / perMs - ceiling.restMs);
  return Math.min(perMinute, top + beyondMs * perMs);
}

export interface PacingUse {
  /** slots of the minute in use: in flight, or answered within the last 60 s */
  held: number;
  inFlight: number;
  batches: number;
  /** calls a minute the realm gives us now: less than QBO's limit after a 429 */
  limit: number;
  /** the same as share of QBO's limit */
  factor: number;
  frozen: boolean;
  /** somebody else uses the same company's quota, as far as 429s tell */
  shared: boolean;
  byClass: Record<CallClass, number>;
}

/** How much of the minute is in use, for people. */
export function usage(state: PacingState, policy: PacingPolicy, nowMs: number): PacingUse {
  const current = aged(state, policy, nowMs);
  const byClass = Object.fromEntries(callClasses.map((of) => [of, 0])) as Record<CallClass, number>;
  for (const grant of current.open) byClass[grant.class] += 1;
  for (const { calls } of current.answered) for (const of of callClasses) byClass[of] += calls[of] ?? 0;
  const limit = limitAt(current, policy, nowMs);
  return {
    held: current.open.length + current.answered.reduce((sum, entry) => sum + heldIn(entry, nowMs), 0),
    inFlight: current.open.length,
    batches:
      current.open.filter(({ kind }) => kind === 'batch').length +
      current.answered.reduce((sum, entry) => sum + batchesIn(entry), 0),
    limit,
    factor: limit / policy.perMinute,
    frozen: current.frozenUntilMs > nowMs,
    shared: limit < policy.perMinute && current.ceiling.knee !== undefined,
    byClass,
  };
}
