// QBO's limits as dated data with their source, and how we go about them. Numbers that QBO sets stand in `qboLimits`;
// numbers that are our choice stand in the policy with their reason.

/** Most urgent first: who is served first when several want the next slot. */
export const callClasses = ['interactive', 'live', 'attachments', 'bulk'] as const;
export type CallClass = (typeof callClasses)[number];

export interface QboLimit {
  readonly max: number;
  /** what is counted */
  readonly of: string;
  /** the day the source was read */
  readonly asOf: string;
  readonly source: string;
  readonly certainty: 'documented' | 'reported';
}

const limitsPage = 'https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features';
const partnerPage = 'https://developer.intuit.com/intuit-app-partner-program';
const limit = (max: number, of: string, certainty: QboLimit['certainty'] = 'documented', source = limitsPage) => ({
  max,
  of,
  asOf: '2026-11-01',
  source,
  certainty,
});

/** "App" is the Intuit app (client id): all services of an installation are one. */
export const qboLimits = {
  perMinute: limit(500, 'requests of all apps to one realm in a minute, batches included'),
  perSecond: limit(10, 'requests of one app to one realm in a second'),
  // An older page; a tester ran 20 without trouble in December 2025. Kept to, because it costs nothing below 1 s an answer.
  inFlight: limit(10, 'requests of one app to one realm waiting for an answer', 'reported'),
  batchesPerMinute: limit(40, 'batch requests of one app to one realm in a minute'),
  batchesPerMinuteOfRealm: limit(120, 'batch requests of all apps to one realm in a minute'),
  batchItems: limit(30, 'operations in one batch'),
  // Never met: requests to the accounting API are the lesser part of what 800 allow beside 500.
  allEndpointsPerMinute: limit(800, 'requests of one app for one realm to all of Intuit in a minute'),
  meteredReadsPerMonth: limit(
    500_000,
    'successful reads of one workspace in a month (Builder)',
    'documented',
    partnerPage,
  ),
} as const satisfies Record<string, QboLimit>;

export interface PacingPolicy {
  /** date of the limits these numbers were read from */
  readonly asOf: string;
  /** requests per realm in any 60 s window, batch requests included */
  readonly perMinute: number;
  /** requests per realm and app in any 1 s window */
  readonly perSecond: number;
  /** requests per realm and app waiting for an answer */
  readonly inFlight: number;
  /** batch requests per realm and app in any 60 s window */
  readonly batchesPerMinute: number;
  /** batch requests per realm, of all apps, in any 60 s window */
  readonly batchesPerMinuteOfRealm: number;
  /** operations in one batch */
  readonly batchItems: number;
  /** mean time between two sends at the full rate */
  readonly spacingMs: number;
  /** how far a sender that came late (or was idle) may catch up by sending closer than the spacing */
  readonly burstMs: number;
  /** the same two for batches */
  readonly batchSpacingMs: number;
  readonly batchBurstMs: number;
  /** slots of the minute each class is sure of; what its owner does not use others may, until the owner wants it */
  readonly floors: Readonly<Record<CallClass, number>>;
  /** calls in flight that a class leaves free: these cannot be lent, a slow answer does not come back on demand */
  readonly inFlightLeft: Readonly<Record<CallClass, number>>;
  /** slots of the minute that a class leaves free, for the same reason: one that is lent comes back after a minute */
  readonly minuteLeft: Readonly<Record<CallClass, number>>;
  /** least time between two sends of a class */
  readonly gapMs: Readonly<Record<CallClass, number>>;
  /** after a 429: nothing is sent for this long */
  readonly freezeMs: number;
  /** after a 429: the rate is multiplied by this */
  readonly cutFactor: number;
  /** and grows back by this share of the full rate each minute */
  readonly growthPerMinute: number;
  readonly minFactor: number;
  /** a grant without an answer after this long belonged to a process that nobody knows any more */
  readonly grantTimeoutMs: number;
}

const minuteMs = 60_000;

export const defaultPacingPolicy: PacingPolicy = {
  asOf: qboLimits.perMinute.asOf,
  perMinute: qboLimits.perMinute.max,
  perSecond: qboLimits.perSecond.max,
  inFlight: qboLimits.inFlight.max,
  batchesPerMinute: qboLimits.batchesPerMinute.max,
  batchesPerMinuteOfRealm: qboLimits.batchesPerMinuteOfRealm.max,
  batchItems: qboLimits.batchItems.max,
  spacingMs: minuteMs / qboLimits.perMinute.max,
  // Eight calls: a sender that wakes late makes up for it, and a handful of live edits does not queue. What keeps ten in
  // a second is not the spacing (see governor.ts).
  burstMs: 960,
  batchSpacingMs: minuteMs / qboLimits.batchesPerMinute.max,
  // Half of a minute's batches at once, so that a job of 600 records starts at full speed; the rest is spread, so that a
  // live batch never finds the whole minute spent.
  batchBurstMs: minuteMs / 2,
  // Live work is the promise (seconds), so its floor is the largest; bulk's keeps a backfill moving through a busy day.
  floors: { interactive: 50, live: 200, attachments: 50, bulk: 100 },
  inFlightLeft: { interactive: 0, live: 1, attachments: 2, bulk: 2 },
  // Where the minute is spent, a moment in which nobody could send comes back a minute later as one in which no slot is freed:
  // a live edit passes through it by this one, which is 0.06 % of the rows that a minute carries.
  minuteLeft: { interactive: 0, live: 0, attachments: 1, bulk: 1 },
  // What goes out together comes back together: ten calls at once take the second's ten slots and free them at once, a second
  // later, and so on as long as there is a backlog; a live edit then waits for up to a second for its slot. One by one, at the
  // second's own rate, bulk loses nothing but the first second (libs/core/src/batching/backlog.spec.ts).
  gapMs: { interactive: 0, live: 0, attachments: 0, bulk: 1_000 / qboLimits.perSecond.max },
  freezeMs: minuteMs,
  cutFactor: 0.7,
  growthPerMinute: 0.02,
  minFactor: 0.1,
  // Longer than QBO's own patience (120 s) and ours with it (130 s).
  grantTimeoutMs: 140_000,
};

/** For tests against an emulator whose limits are off: pacing would only make them slow. */
export const unpacedPolicy: PacingPolicy = {
  ...defaultPacingPolicy,
  perMinute: 100_000,
  perSecond: 100_000,
  inFlight: 1_000,
  batchesPerMinute: 100_000,
  batchesPerMinuteOfRealm: 100_000,
  spacingMs: 0,
  batchSpacingMs: 0,
  gapMs: { interactive: 0, live: 0, attachments: 0, bulk: 0 },
  freezeMs: 300,
};
