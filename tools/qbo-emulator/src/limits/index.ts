// Every quota of the accounting API as sliding windows over emulator time, each of them switchable and changeable, with
// the peaks that show how close a client came. A refused request is not counted: it must not keep its sender shut out.
import type { Clock } from '../types.js';

export type RequestKind = 'single' | 'batch' | 'report';

/** Off means: counted for the statistics, never refused. */
export interface Limit {
  on: boolean;
  max: number;
}

// [documented: LIMITS] but where noted. Two that the current page no longer lists start switched off.
const defaults = {
  /** Requests of all apps to one company per minute, batch requests included. */
  realmPerMinute: { on: true, max: 500 },
  /** Requests of one app to one company per second. */
  appPerSecond: { on: true, max: 10 },
  /** All Intuit endpoints together, per company and app per minute. */
  appPerMinute: { on: true, max: 800 },
  batchAppPerMinute: { on: true, max: 40 },
  batchRealmPerMinute: { on: true, max: 120 },
  /** In flight per company and app: the rule of 2016, probably replaced by appPerSecond. */
  inFlight: { on: false, max: 10 },
  /** Reports per company and minute: older page only. */
  reportsPerMinute: { on: false, max: 200 },
  /** CorePlus reads per app and calendar month (Builder tier): beyond it 429 until the month rolls over. */
  meteredPerMonth: { on: false, max: 500_000 },
  emailsPerDay: { on: true, max: 40 },
  /** Sizes: the engine asks `sizeOf` where they apply. */
  batchItems: { on: true, max: 30 },
  objectsPerResponse: { on: true, max: 1000 },
  linesPerTransaction: { on: true, max: 10_000 },
  taxableLines: { on: true, max: 750 },
  uploadBytes: { on: true, max: 100 * 1024 * 1024 },
  serverTimeoutMs: { on: true, max: 120_000 },
} satisfies Record<string, Limit>;

export type LimitName = keyof typeof defaults;
export type Dimension = LimitName;

export interface Latency {
  meanMs: number;
  jitterMs: number;
  /** Additional mean per entity type. */
  perEntity?: Record<string, number>;
}

export interface LimitsConfiguration {
  limits: Record<LimitName, Limit>;
  latency: Latency;
  /** What a throttled JSON client gets: real ones are answered in XML, which is what crashes them. */
  throttleBody: 'xml' | 'json';
}

/** Timestamps of the last `spanMs`; old ones leave from the front. */
class Window {
  private times: number[] = [];
  private head = 0;
  peak = 0;

  constructor(private readonly spanMs: number) {}

  count(now: number): number {
    const oldest = now - this.spanMs;
    while (this.head < this.times.length && this.times[this.head]! <= oldest) this.head++;
    if (this.head > 1024 && this.head * 2 > this.times.length) {
      this.times = this.times.slice(this.head);
      this.head = 0;
    }
    return this.times.length - this.head;
  }

  add(now: number): void {
    this.times.push(now);
    this.peak = Math.max(this.peak, this.count(now));
  }
}

const second = 1_000;
const minute = 60_000;
const day = 86_400_000;

class AppUse {
  readonly perSecond = new Window(second);
  readonly perMinute = new Window(minute);
  readonly batches = new Window(minute);
  inFlight = 0;
}

class RealmUse {
  readonly perMinute = new Window(minute);
  readonly batches = new Window(minute);
  readonly reports = new Window(minute);
  readonly emails = new Window(day);
  readonly apps = new Map<string, AppUse>();
  readonly throttled: Partial<Record<Dimension, number>> = {};
  requests = 0;
  batchCalls = 0;
  reportCalls = 0;
  metered = 0;
  inFlight = 0;
  peakInFlight = 0;
}

export type Admission = { ok: true; done(succeeded?: boolean): void } | { ok: false; dimension: Dimension };

export class Limits {
  private readonly realms = new Map<string, RealmUse>();
  /** Metered reads by app and calendar month. */
  private readonly metered = new Map<string, number>();
  private configuration: LimitsConfiguration = initialConfiguration();

  constructor(
    private readonly clock: Clock,
    private readonly random: () => number = Math.random,
  ) {}

  /**
   * Changes any part: `{realmPerMinute: 100}` sets and switches on, `true` and `false` (or null) switch, `{on, max}` says
   * both, `all: false` switches every limit. `latency` and `throttleBody` are set whole. Unknown names are refused.
   */
  configure(patch: object): void {
    const next = structuredClone(this.configuration);
    for (const [name, value] of Object.entries(patch as Record<string, unknown>)) {
      if (name === 'latency') next.latency = readLatency(value);
      else if (name === 'throttleBody') next.throttleBody = value === 'json' ? 'json' : 'xml';
      else if (name === 'all' || name === 'enabled') {
        for (const limit of Object.values(next.limits)) limit.on = value === true;
      } else if (name in next.limits)
        next.limits[name as LimitName] = readLimit(name, value, next.limits[name as LimitName]);
      else
        throw new RangeError(
          `No limit is called '${name}'. Known: ${[...Object.keys(next.limits), 'latency', 'throttleBody', 'all'].join(', ')}.`,
        );
    }
    this.configuration = next;
  }

  current(): LimitsConfiguration {
    return structuredClone(this.configuration);
  }

  /** The largest allowed size, or Infinity when that limit is off. */
  sizeOf(name: LimitName): number {
    const limit = this.configuration.limits[name];
    return limit.on ? limit.max : Number.POSITIVE_INFINITY;
  }

  get throttleBody(): 'xml' | 'json' {
    return this.configuration.throttleBody;
  }

  /** `metered`: how many CorePlus reads the request is (0 for a write; each query item of a batch is one). */
  admit(realmId: string, clientId: string, kind: RequestKind, metered: number): Admission {
    const now = this.clock.now();
    const realm = this.realm(realmId);
    const app = appOf(realm, clientId);
    const month = monthKey(clientId, now);
    const dimension = this.exceeded(realm, app, kind, metered > 0 ? month : undefined, now);
    if (dimension) {
      realm.throttled[dimension] = (realm.throttled[dimension] ?? 0) + 1;
      return { ok: false, dimension };
    }
    realm.requests++;
    realm.perMinute.add(now);
    app.perSecond.add(now);
    app.perMinute.add(now);
    if (kind === 'batch') {
      realm.batchCalls++;
      realm.batches.add(now);
      app.batches.add(now);
    }
    if (kind === 'report') {
      realm.reportCalls++;
      realm.reports.add(now);
    }
    app.inFlight++;
    realm.inFlight++;
    realm.peakInFlight = Math.max(realm.peakInFlight, realm.inFlight);
    let open = true;
    return {
      ok: true,
      // Only successful calls are metered. Called twice (an answer and a closed socket) it counts once.
      done: (succeeded = true) => {
        if (!open) return;
        open = false;
        app.inFlight--;
        realm.inFlight--;
        if (!succeeded || metered === 0) return;
        realm.metered += metered;
        this.metered.set(month, (this.metered.get(month) ?? 0) + metered);
      },
    };
  }

  admitEmail(realmId: string): boolean {
    const { emails } = this.realm(realmId);
    const now = this.clock.now();
    if (this.reached('emailsPerDay', emails.count(now))) return false;
    emails.add(now);
    return true;
  }

  /** How long to keep the answer to a request back. */
  latencyMs(entity?: string): number {
    const { meanMs, jitterMs, perEntity } = this.configuration.latency;
    const extra = entity === undefined ? 0 : (perEntity?.[entity] ?? 0);
    const jitter = jitterMs === 0 ? 0 : (this.random() * 2 - 1) * jitterMs;
    return Math.max(0, Math.round(meanMs + extra + jitter));
  }

  stats(realmId: string): {
    requests: number;
    batchCalls: number;
    reportCalls: number;
    metered: number;
    throttled: number;
    throttledBy: Partial<Record<Dimension, number>>;
    peakPerMinute: number;
    peakPerSecond: number;
    peakInFlight: number;
    peakBatchesPerMinute: number;
    meteredThisMonth: Record<string, number>;
  } {
    const realm = this.realm(realmId);
    const apps = [...realm.apps];
    const now = this.clock.now();
    return {
      requests: realm.requests,
      batchCalls: realm.batchCalls,
      reportCalls: realm.reportCalls,
      metered: realm.metered,
      throttled: Object.values(realm.throttled).reduce((sum, one) => sum + one, 0),
      throttledBy: { ...realm.throttled },
      peakPerMinute: realm.perMinute.peak,
      peakPerSecond: Math.max(0, ...apps.map(([, app]) => app.perSecond.peak)),
      peakInFlight: realm.peakInFlight,
      peakBatchesPerMinute: realm.batches.peak,
      meteredThisMonth: Object.fromEntries(apps.map(([id]) => [id, this.metered.get(monthKey(id, now)) ?? 0])),
    };
  }

  /** Forgets use and peaks; the configuration stays unless asked. */
  reset(configurationToo = false): void {
    this.realms.clear();
    this.metered.clear();
    if (configurationToo) this.configuration = initialConfiguration();
  }

  private exceeded(
    realm: RealmUse,
    app: AppUse,
    kind: RequestKind,
    month: string | undefined,
    now: number,
  ): Dimension | undefined {
    if (month !== undefined && this.reached('meteredPerMonth', this.metered.get(month) ?? 0)) return 'meteredPerMonth';
    if (this.reached('inFlight', app.inFlight)) return 'inFlight';
    if (this.reached('appPerSecond', app.perSecond.count(now))) return 'appPerSecond';
    if (kind === 'batch' && this.reached('batchAppPerMinute', app.batches.count(now))) return 'batchAppPerMinute';
    if (kind === 'batch' && this.reached('batchRealmPerMinute', realm.batches.count(now))) return 'batchRealmPerMinute';
    if (kind === 'report' && this.reached('reportsPerMinute', realm.reports.count(now))) return 'reportsPerMinute';
    if (this.reached('realmPerMinute', realm.perMinute.count(now))) return 'realmPerMinute';
    if (this.reached('appPerMinute', app.perMinute.count(now))) return 'appPerMinute';
    return undefined;
  }

  private reached(name: LimitName, used: number): boolean {
    const limit = this.configuration.limits[name];
    return limit.on && used >= limit.max;
  }

  private realm(realmId: string): RealmUse {
    let use = this.realms.get(realmId);
    if (!use) this.realms.set(realmId, (use = new RealmUse()));
    return use;
  }
}

function appOf(realm: RealmUse, clientId: string): AppUse {
  let use = realm.apps.get(clientId);
  if (!use) realm.apps.set(clientId, (use = new AppUse()));
  return use;
}

function initialConfiguration(): LimitsConfiguration {
  return { limits: structuredClone(defaults), latency: { meanMs: 0, jitterMs: 0 }, throttleBody: 'xml' };
}

const monthKey = (clientId: string, now: number): string => `${new Date(now).toISOString().slice(0, 7)} ${clientId}`;

function readLimit(name: string, value: unknown, present: Limit): Limit {
  if (typeof value === 'boolean') return { ...present, on: value };
  if (value === null) return { ...present, on: false };
  if (typeof value === 'number') return { on: true, max: sensible(name, value) };
  if (typeof value === 'object') {
    const { on = true, max = present.max } = value as Partial<Limit>;
    return { on: on === true, max: sensible(name, max) };
  }
  throw new RangeError(`Limit '${name}' takes a number, true, false or {on, max}.`);
}

function sensible(name: string, max: unknown): number {
  if (typeof max !== 'number' || !(max >= 0)) throw new RangeError(`Limit '${name}' takes a number from 0 up.`);
  return max;
}

function readLatency(value: unknown): Latency {
  const { meanMs = 0, jitterMs = 0, perEntity } = (value ?? {}) as Partial<Latency>;
  return { meanMs: sensible('latency.meanMs', meanMs), jitterMs: sensible('latency.jitterMs', jitterMs), perEntity };
}

const throttleMessage = 'message=ThrottleExceeded; errorCode=003001; statusCode=429';

/** The body of a 429. Never with rate headers or Retry-After: nobody has seen them on the accounting API. */
export function throttleAnswer(
  format: 'xml' | 'json',
  nowMs: number,
): { status: 429; contentType: string; body: string } {
  const detail = 'The request limit was reached. Please try again in a minute.';
  if (format === 'json') {
    const fault = { error: [{ message: throttleMessage, detail, code: '3001', element: null }], type: 'SERVICE' };
    const empty = {
      warnings: null,
      intuitObject: null,
      fault,
      report: null,
      queryResponse: null,
      batchItemResponse: [],
    };
    return {
      status: 429,
      contentType: 'application/json;charset=UTF-8',
      body: JSON.stringify({
        ...empty,
        attachableResponse: [],
        syncErrorResponse: null,
        requestId: null,
        time: nowMs,
        status: null,
        cdcresponse: [],
      }),
    };
  }
  const body =
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' +
    `<IntuitResponse time="${new Date(nowMs).toISOString()}" xmlns="http://schema.intuit.com/finance/v3">` +
    `<Fault type="SERVICE"><Error code="3001"><Message>${throttleMessage}</Message><Detail>${detail}</Detail></Error></Fault></IntuitResponse>`;
  return { status: 429, contentType: 'application/xml', body };
}
