// Circuit breakers (opossum): one per realm, one for the platform. They open on a QBO that does not answer, never on a QBO
// that answers "no": refusals, throttling and dead tokens are results of business and leave the circuit closed.
//
// The realm's breaker counts every call without a trustworthy answer. The platform's counts only what cannot be one company's
// trouble (core: isPlatformTrouble), so a broken company does not stop its neighbours. When it opens here, it opens the circuit
// that all processes share (core: platform-circuit.ts); from then on that one says who waits, who probes and who begins when.
//
// An open circuit is tried by one call of real work. That is a write where there is one: reads may be answered by what still
// stands while nothing can be stored. Only where no write came for a while (a source is never written to) a read tries.
import CircuitBreaker from 'opossum';
import { isPlatformTrouble, type CallPurpose, type RealmHealth } from '#core';
import type { QboAnswer } from '../answer.js';
import type { SharedCircuit } from '../ports.js';

export interface BreakerPolicy {
  /** share of failed calls that opens the circuit, in percent */
  readonly errorThresholdPercentage: number;
  /** calls within the window before the share means anything */
  readonly volumeThreshold: number;
  readonly windowMs: number;
  /** how long an open circuit waits before it lets one call try */
  readonly resetMs: number;
  /** and how much longer before that call may be a read; default twice as long again */
  readonly readsLaterMs?: number;
}

// A realm makes at most 500 calls a minute: ten calls are about a second of a busy backfill, or a minute of quiet work.
const realmPolicy: BreakerPolicy = {
  errorThresholdPercentage: 50,
  volumeThreshold: 10,
  windowMs: 30_000,
  resetMs: 5_000,
};
// Counts only failures that most companies share, so half of the calls of a few seconds is a high bar all the same.
const platformPolicy: BreakerPolicy = {
  errorThresholdPercentage: 50,
  volumeThreshold: 10,
  windowMs: 10_000,
  resetMs: 5_000,
};
/** How a company's last call ended says something about it for so long. */
const healthMs = 30_000;

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
  private shared: SharedCircuit | undefined;
  /** how each company's calls ended lately */
  private readonly health = new Map<string, RealmHealth>();
  /** per open circuit: when it becomes half-open */
  private readonly halfOpenMs = new WeakMap<object, number>();
  private readonly platform: CircuitBreaker<[Call], QboAnswer<unknown>>;
  private readonly realms = new Map<string, CircuitBreaker<[Call], QboAnswer<unknown>>>();

  constructor(
    private readonly onChange: (scope: BreakerScope, state: BreakerState, realmId?: string) => void = () => {},
    private readonly policies: { realm?: Partial<BreakerPolicy>; platform?: Partial<BreakerPolicy> } = {},
  ) {
    this.platform = this.make(
      'platform',
      { ...platformPolicy, ...policies.platform },
      (error) => !(error instanceof CallFailed && error.platformWide),
    );
  }

  /** From now on the platform's circuit is the one of all processes. */
  share(circuit: SharedCircuit): void {
    this.shared = circuit;
  }

  /** Why a call to this realm would not be sent now; undefined when it would. */
  refusal(realmId: string, purpose: CallPurpose = 'write'): string | undefined {
    if (this.refuses(this.ofRealm(realmId), purpose)) return 'circuit of this company is open';
    const leave = this.shared?.leave(realmId, purpose);
    if (leave?.kind === 'refused') {
      return leave.why === 'open' ? platformIsOpen : 'the platform is back, this company begins later';
    }
    // Shared and closed: what this process alone thinks of the platform was told already, and was overruled.
    if (this.shared) return undefined;
    return this.refuses(this.platform, purpose) ? platformIsOpen : undefined;
  }

  async run<T>(
    realmId: string,
    call: () => Promise<QboAnswer<T>>,
    purpose: CallPurpose = 'write',
  ): Promise<QboAnswer<T>> {
    // Asked before firing: a realm's open circuit must not count as the platform's failure. opossum starts the call in the
    // same turn, so nothing changes in between.
    const refusal = this.refusal(realmId, purpose);
    if (refusal !== undefined) return { kind: 'unsent', reason: refusal };
    if (this.shared?.leave(realmId, purpose).kind === 'probe') return this.probe(this.shared, realmId, call);
    // The shared circuit is closed: ours begins to count anew.
    if (this.shared && !this.platform.closed) this.platform.close();
    return this.fire(realmId, call);
  }

  /** The platform's probe, if this process wins it. Whoever does not is told to wait. */
  private async probe<T>(
    shared: SharedCircuit,
    realmId: string,
    call: () => Promise<QboAnswer<T>>,
  ): Promise<QboAnswer<T>> {
    // Without the database nobody wins.
    if (!(await shared.takeProbe().catch(() => false))) return { kind: 'unsent', reason: platformIsOpen };
    let answered = false;
    try {
      // The company's own circuit may have been half-open too, and given its one call away meanwhile.
      if (this.refuses(this.ofRealm(realmId), 'write')) return { kind: 'unsent', reason: platformIsOpen };
      if (!this.platform.closed) this.platform.close();
      const answer = await this.fire(realmId, call);
      answered = answer.kind !== 'unsent' && answer.kind !== 'uncertain';
      return answer;
    } finally {
      // Lost with the database: the next probe comes when this one must be over.
      await shared.probed(answered).catch(() => undefined);
    }
  }

  private async fire<T>(realmId: string, call: () => Promise<QboAnswer<T>>): Promise<QboAnswer<T>> {
    const realm = this.ofRealm(realmId);
    try {
      const guarded: Call = () => realm.fire(() => this.failOnSilence(realmId, call));
      return (await this.platform.fire(guarded)) as QboAnswer<T>;
    } catch (error) {
      if (error instanceof CallFailed) return error.answer as QboAnswer<T>;
      throw error;
    }
  }

  state(realmId?: string): BreakerState {
    if (realmId === undefined && this.shared) return this.shared.current.open ? 'open' : 'closed';
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
    breaker.on('open', () => this.changed(scope, 'open', realmId));
    breaker.on('halfOpen', () => {
      this.halfOpenMs.set(breaker, performance.now());
      this.changed(scope, 'half-open', realmId);
    });
    breaker.on('close', () => this.changed(scope, 'closed', realmId));
    return breaker;
  }

  private changed(scope: BreakerScope, state: BreakerState, realmId?: string): void {
    this.onChange(scope, state, realmId);
    // Told as far as the database is there; our own circuit stands either way.
    if (realmId !== undefined) this.shared?.tell(realmId, state).catch(() => undefined);
    else if (state === 'open') this.shared?.trip().catch(() => undefined);
  }

  private refuses(breaker: CircuitBreaker<[Call], QboAnswer<unknown>>, purpose: CallPurpose): boolean {
    if (breaker.closed) return false;
    if (!breaker.pendingClose) return true;
    const policy = breaker === this.platform ? this.policies.platform : this.policies.realm;
    const readsLaterMs = policy?.readsLaterMs ?? 2 * (policy?.resetMs ?? realmPolicy.resetMs);
    return purpose === 'read' && performance.now() < (this.halfOpenMs.get(breaker) ?? 0) + readsLaterMs;
  }

  private async failOnSilence(realmId: string, call: Call): Promise<QboAnswer<unknown>> {
    const answer = await call();
    const nowMs = performance.now();
    const before = this.health.get(realmId) ?? { lastAnswerMs: -Infinity, lastSilenceMs: -Infinity };
    if (answer.kind !== 'unsent' && answer.kind !== 'uncertain') {
      this.health.set(realmId, { ...before, lastAnswerMs: nowMs });
      return answer;
    }
    this.health.set(realmId, { ...before, lastSilenceMs: nowMs });
    throw new CallFailed(answer, isPlatformTrouble(this.health.values(), nowMs, healthMs));
  }
}

const platformIsOpen = 'circuit of the platform is open';
