// Custody of the OAuth grants: hands out access tokens, renews them, and never loses a refresh token it was given.
//
// A grant is in one of these states, told by its row:
//   fresh      access token younger than 50 minutes. Handed out from memory; no lock, no call.
//   due        older, or refused with a 401. One renewal at a time per company over all processes (row lock), and whoever
//              waited for the lock finds the new pair instead of renewing again (I-07).
//   renewing   refresh_started_at is set and committed before Intuit is called. If this process dies now, the next one sees
//              it and knows that the stored refresh token may already be dead: it tries that, then the one before it, once.
//   reconnect  Intuit said invalid_grant: only a person can mend it. No call is made any more until new tokens are stored.
// A call whose outcome is unknown leaves the row in `renewing`; the access token in hand is used up to its very end.
import { failpoint } from '#common/failpoints';
import type { Clock } from '#common/clock';
import type { TokenAnswer, TokenSource } from '../ports.js';
import type { TokenEndpoint, TokenOutcome, TokenPair } from './intuit.js';
import type { TokenSeal } from './seal.js';

export interface StoredGrant {
  realmId: string;
  organizationId: string;
  accessTokenSealed: string;
  refreshTokenSealed: string;
  previousRefreshTokenSealed: string | null;
  accessExpiresAt: Date;
  refreshStartedAt: Date | null;
  /** rises with every stored pair */
  grantVersion: string;
  /** why a person must reconnect; null while the grant is alive */
  reconnectReason: string | null;
}

export interface SealedPair {
  accessTokenSealed: string;
  refreshTokenSealed: string;
  accessExpiresAt: Date;
  refreshExpiresAt: Date;
  refreshHardExpiresAt: Date | null;
  refreshedAt: Date;
}

/** Storage's side of custody. */
export interface GrantStore {
  find(realmId: string): Promise<StoredGrant | undefined>;
  /** Runs `renew` as the only one for this realm, with the row as it is under the lock. */
  alone<T>(realmId: string, renew: (grant: StoredGrant, held: HeldGrant) => Promise<T>): Promise<T>;
}

/** What may be done to the row while holding it. Each is durable when its promise resolves. */
export interface HeldGrant {
  noteRefreshStarted(at: Date): Promise<void>;
  store(pair: SealedPair): Promise<void>;
  markReconnectNeeded(reason: string): Promise<void>;
}

/** The token is renewed this long before its end: at 50 of 60 minutes. */
const renewBeforeEndMs = 10 * 60_000;
/** A token this close to its end is not sent: the clocks of two machines differ. */
const unusableBeforeEndMs = 30_000;
/** A refused token is not asked about again sooner: a revoked company would otherwise turn every call into a renewal. */
const renewalPauseMs = 5_000;
/** A grant found dead is looked up in the row again this often, for the reconnect that another process stored. */
const deadRecheckMs = 2_000;

interface Held {
  token: string;
  version: string;
  expiresAtMs: number;
}

export interface CustodyEvents {
  renewed?(facts: { realmId: string; outcome: string; reason?: string }): void;
}

export class TokenCustody implements TokenSource {
  private readonly held = new Map<string, Held>();
  private readonly refused = new Map<string, string>();
  private readonly dead = new Map<string, { reason: string; atMs: number }>();
  private readonly paused = new Map<string, { untilMs: number; reason: string }>();
  private readonly inFlight = new Map<string, Promise<TokenAnswer>>();

  constructor(
    private readonly ports: {
      grants: GrantStore;
      endpoint: TokenEndpoint;
      seal: TokenSeal;
      clock: Clock;
      events?: CustodyEvents;
    },
  ) {}

  async accessToken(realmId: string): Promise<TokenAnswer> {
    const held = this.held.get(realmId);
    if (held && this.isFresh(realmId, held)) return { kind: 'token', value: held.token };
    const dead = this.dead.get(realmId);
    if (dead && this.now() - dead.atMs < deadRecheckMs) return { kind: 'reconnect', reason: dead.reason };
    let flight = this.inFlight.get(realmId);
    if (!flight) {
      flight = this.fetch(realmId).finally(() => this.inFlight.delete(realmId));
      this.inFlight.set(realmId, flight);
    }
    return flight;
  }

  refuse(realmId: string, token: string): void {
    this.refused.set(realmId, token);
  }

  /** Seals a new pair for storage: at connect, and after every renewal. */
  sealPair(organizationId: string, realmId: string, pair: TokenPair): SealedPair {
    const now = this.now();
    return {
      accessTokenSealed: this.ports.seal.seal({ organizationId, realmId, field: 'access' }, pair.accessToken),
      refreshTokenSealed: this.ports.seal.seal({ organizationId, realmId, field: 'refresh' }, pair.refreshToken),
      accessExpiresAt: new Date(now + pair.expiresIn * 1_000),
      refreshExpiresAt: new Date(now + pair.refreshExpiresIn * 1_000),
      refreshHardExpiresAt:
        pair.refreshHardExpiresIn === undefined ? null : new Date(now + pair.refreshHardExpiresIn * 1_000),
      refreshedAt: new Date(now),
    };
  }

  /** Forgets what is in memory: the row was changed on purpose (reconnect, disconnect). */
  forget(realmId: string): void {
    this.held.delete(realmId);
    this.refused.delete(realmId);
    this.dead.delete(realmId);
    this.paused.delete(realmId);
  }

  private async fetch(realmId: string): Promise<TokenAnswer> {
    const grant = await this.ports.grants.find(realmId);
    if (!grant) return this.enterDead(realmId, 'this company has no grant');
    if (grant.reconnectReason !== null) return this.enterDead(realmId, grant.reconnectReason);
    this.dead.delete(realmId);
    const held = this.hold(grant);
    if (this.isFresh(realmId, held)) return { kind: 'token', value: held.token };
    const pause = this.paused.get(realmId);
    if (pause && this.now() < pause.untilMs) return this.lastResort(realmId, held, pause.reason);
    return this.ports.grants.alone(realmId, (current, row) => this.renew(current, row));
  }

  private async renew(grant: StoredGrant, row: HeldGrant): Promise<TokenAnswer> {
    const { realmId } = grant;
    if (grant.reconnectReason !== null) return this.enterDead(realmId, grant.reconnectReason);
    // Whoever held the lock before may have renewed already.
    const held = this.hold(grant);
    if (this.isFresh(realmId, held)) return { kind: 'token', value: held.token };

    const interrupted = grant.refreshStartedAt !== null;
    await failpoint('token.before-note');
    await row.noteRefreshStarted(new Date(this.now()));
    await failpoint('token.noted');
    let outcome = await this.ports.endpoint.refresh(this.openRefresh(grant, grant.refreshTokenSealed));
    if (isDead(outcome) && interrupted && grant.previousRefreshTokenSealed !== null) {
      // An earlier renewal was cut. Should Intuit have kept the previous value alive, this one try saves the connection.
      outcome = await this.ports.endpoint.refresh(this.openRefresh(grant, grant.previousRefreshTokenSealed));
    }
    this.report(realmId, outcome);
    switch (outcome.kind) {
      case 'tokens': {
        await failpoint('token.answered');
        await row.store(this.sealPair(grant.organizationId, realmId, outcome.pair));
        await failpoint('token.stored');
        this.refused.delete(realmId);
        this.paused.delete(realmId);
        const renewed: Held = {
          token: outcome.pair.accessToken,
          version: String(BigInt(grant.grantVersion) + 1n),
          expiresAtMs: this.now() + outcome.pair.expiresIn * 1_000,
        };
        this.held.set(realmId, renewed);
        return { kind: 'token', value: renewed.token };
      }
      case 'refused':
        if (isDead(outcome)) {
          const reason =
            'QuickBooks no longer accepts this connection; someone with access to the company must reconnect it';
          await row.markReconnectNeeded(reason);
          return this.enterDead(realmId, reason);
        }
        // invalid_client and its kin are our own settings: every company would be marked for nothing.
        return this.enterPaused(realmId, held, `the token endpoint refused: ${outcome.reason}`);
      case 'uncertain':
      case 'unsent':
        return this.enterPaused(realmId, held, `the token endpoint did not answer: ${outcome.reason}`);
      default:
        return outcome satisfies never;
    }
  }

  private enterPaused(realmId: string, held: Held, reason: string): TokenAnswer {
    this.paused.set(realmId, { untilMs: this.now() + renewalPauseMs, reason });
    return this.lastResort(realmId, held, reason);
  }

  private enterDead(realmId: string, reason: string): TokenAnswer {
    this.held.delete(realmId);
    this.dead.set(realmId, { reason, atMs: this.now() });
    return { kind: 'reconnect', reason };
  }

  /** No renewal just now: the token in hand serves to its end, unless QBO itself refused it. */
  private lastResort(realmId: string, held: Held, reason: string): TokenAnswer {
    const usable = held.expiresAtMs - this.now() > unusableBeforeEndMs && this.refused.get(realmId) !== held.token;
    return usable ? { kind: 'token', value: held.token } : { kind: 'unavailable', reason };
  }

  private isFresh(realmId: string, held: Held): boolean {
    return held.expiresAtMs - this.now() > renewBeforeEndMs && this.refused.get(realmId) !== held.token;
  }

  private hold(grant: StoredGrant): Held {
    const known = this.held.get(grant.realmId);
    if (known?.version === grant.grantVersion) return known;
    const { organizationId, realmId } = grant;
    const held: Held = {
      token: this.ports.seal.open({ organizationId, realmId, field: 'access' }, grant.accessTokenSealed),
      version: grant.grantVersion,
      expiresAtMs: grant.accessExpiresAt.getTime(),
    };
    this.held.set(realmId, held);
    return held;
  }

  private openRefresh(grant: StoredGrant, sealed: string): string {
    return this.ports.seal.open(
      { organizationId: grant.organizationId, realmId: grant.realmId, field: 'refresh' },
      sealed,
    );
  }

  private report(realmId: string, outcome: TokenOutcome): void {
    this.ports.events?.renewed?.({
      realmId,
      outcome: outcome.kind === 'refused' ? outcome.error : outcome.kind,
      ...('reason' in outcome ? { reason: outcome.reason } : {}),
    });
  }

  private now(): number {
    return this.ports.clock.nowMs();
  }
}

function isDead(outcome: TokenOutcome): boolean {
  return outcome.kind === 'refused' && outcome.error === 'invalid_grant';
}
