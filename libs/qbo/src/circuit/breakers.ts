// Circuit breakers (opossum): one per realm, one for the platform. They open on a QBO that does not answer, never on a QBO
// that answers "no": refusals, throttling and dead tokens are results of business and leave the circuit closed.
//
// The realm's breaker counts every call without a trustworthy answer. The platform's counts only what cannot be one company's
// trouble: no connection, or a gateway answering in QBO's place (502, 503, 504). So a broken company does not stop its neighbours.
import CircuitBreaker from 'opossum';
import type { QboAnswer } from '../answer.js';

export interface BreakerPolicy {
  /** share of failed calls that opens the circuit, in percent */
  readonly errorThresholdPercentage: number;
  /** calls within the window before the share means anything */
  readonly volumeThreshold: number;
  readonly windowMs: number;
  /** how long an open circuit waits before it lets one call try */
  readonly resetMs: number;
}

// A realm makes at most 500 calls a minute: ten calls are about a second of a busy backfill, or a minute of quiet work.
const realmPolicy: BreakerPolicy = {
  errorThresholdPercentage: 50,
  volumeThreshold: 10,
  windowMs: 30_000,
  resetMs: 5_000,
};
// Higher bar: opening it stops every tenant.
const platformPolicy: BreakerPolicy = {
  errorThresholdPercentage: 80,
  volumeThreshold: 20,
  windowMs: 30_000,
  resetMs: 5_000,
};

export type BreakerState = 'closed' | 'open' | 'half-open';
export type BreakerScope = 'realm' | 'platform';

type Call = () => Promise<QboAnswer<unknown>>;

/** Carries an answer through opossum's reject path, which is how a failure is counted there. */
class CallFailed extends Error {
  constructor(
    readonly answer: QboAnswer<unknown>,
    readonly platformWide: boolean,
  ) {
    super('the call had no trustworthy answer');
  }
}

export class Breakers {
  private readonly platform: CircuitBreaker<[Call], QboAnswer<unknown>>;
  private readonly realms = new Map<string, CircuitBreaker<[Call], QboAnswer<unknown>>>();

  constructor(
    private readonly onChange: (scope: BreakerScope, state: BreakerState, realmId?: string) => void = () => {},
    private readonly policies: { realm?: Partial<BreakerPolicy>; platform?: Partial<BreakerPolicy> } = {},
  ) {
    this.platform = this.make(
      'platform',
      { ...platformPolicy, ...policies.platform },
      (error) => !isPlatformWide(error),
    );
  }

  /** Why a call to this realm would not be sent now; undefined when it would. */
  refusal(realmId: string): string | undefined {
    if (refuses(this.ofRealm(realmId))) return 'circuit of this company is open';
    return refuses(this.platform) ? 'circuit of the platform is open' : undefined;
  }

  async run<T>(realmId: string, call: () => Promise<QboAnswer<T>>): Promise<QboAnswer<T>> {
    const realm = this.ofRealm(realmId);
    // Asked before firing: a realm's open circuit must not count as the platform's failure. opossum starts the call in the
    // same turn, so nothing changes in between.
    const refusal = this.refusal(realmId);
    if (refusal !== undefined) return { kind: 'unsent', reason: refusal };
    try {
      const guarded: Call = () => realm.fire(() => failOnSilence(call));
      return (await this.platform.fire(guarded)) as QboAnswer<T>;
    } catch (error) {
      if (error instanceof CallFailed) return error.answer as QboAnswer<T>;
      throw error;
    }
  }

  state(realmId?: string): BreakerState {
    const breaker = realmId === undefined ? this.platform : this.realms.get(realmId);
    return breaker === undefined || breaker.closed ? 'closed' : breaker.halfOpen ? 'half-open' : 'open';
  }

  /** Number of realms whose circuit is not closed. */
  openRealms(): number {
    return [...this.realms.values()].filter((breaker) => !breaker.closed).length;
  }

  shutdown(): void {
    this.platform.shutdown();
    for (const breaker of this.realms.values()) breaker.shutdown();
  }

  private ofRealm(realmId: string): CircuitBreaker<[Call], QboAnswer<unknown>> {
    let breaker = this.realms.get(realmId);
    if (!breaker) {
      breaker = this.make('realm', { ...realmPolicy, ...this.policies.realm }, () => false, realmId);
      this.realms.set(realmId, breaker);
    }
    return breaker;
  }

  private make(
    scope: BreakerScope,
    policy: BreakerPolicy,
    isNoFailure: (error: unknown) => boolean,
    realmId?: string,
  ): CircuitBreaker<[Call], QboAnswer<unknown>> {
    const breaker = new CircuitBreaker<[Call], QboAnswer<unknown>>((call: Call) => call(), {
      // The transport has its own time-outs and knows what a cut call means; a second clock here would only blur that.
      timeout: false,
      errorThresholdPercentage: policy.errorThresholdPercentage,
      volumeThreshold: policy.volumeThreshold,
      rollingCountTimeout: policy.windowMs,
      rollingCountBuckets: 10,
      rollingPercentilesEnabled: false,
      resetTimeout: policy.resetMs,
      errorFilter: isNoFailure,
    });
    breaker.on('open', () => this.onChange(scope, 'open', realmId));
    breaker.on('halfOpen', () => this.onChange(scope, 'half-open', realmId));
    breaker.on('close', () => this.onChange(scope, 'closed', realmId));
    return breaker;
  }
}

function refuses(breaker: CircuitBreaker<[Call], QboAnswer<unknown>>): boolean {
  return !breaker.closed && !breaker.pendingClose;
}

function isPlatformWide(error: unknown): boolean {
  return error instanceof CallFailed && error.platformWide;
}

async function failOnSilence(call: Call): Promise<QboAnswer<unknown>> {
  const answer = await call();
  if (answer.kind === 'unsent') throw new CallFailed(answer, true);
  if (answer.kind === 'uncertain') throw new CallFailed(answer, [502, 503, 504].includes(answer.status ?? 0));
  return answer;
}
