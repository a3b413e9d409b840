// QBO's limits as dated data (qbo-api.md 8.1), and how close to them we go.
export type CallClass = 'interactive' | 'live' | 'attachments' | 'bulk';

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
  /** least time between two sends of one app: 120 ms is 500/min, the rest is room for jitter on the way */
  readonly spacingMs: number;
  /** slots of the minute that a class leaves free for the classes above it */
  readonly reserve: Readonly<Record<CallClass, number>>;
  /** after a 429: nothing is sent for this long */
  readonly freezeMs: number;
  /** after a 429: the rate is multiplied by this */
  readonly cutFactor: number;
  /** and grows back by this share of the full rate each minute */
  readonly growthPerMinute: number;
  readonly minFactor: number;
  /** a grant without an answer after this long belonged to a process that died */
  readonly grantTimeoutMs: number;
}

export const defaultPacingPolicy: PacingPolicy = {
  asOf: '2026-11',
  perMinute: 500,
  perSecond: 10,
  inFlight: 10,
  batchesPerMinute: 40,
  spacingMs: 120,
  reserve: { interactive: 0, live: 2, attachments: 4, bulk: 8 },
  freezeMs: 60_000,
  cutFactor: 0.7,
  growthPerMinute: 0.02,
  minFactor: 0.1,
  grantTimeoutMs: 120_000,
};
