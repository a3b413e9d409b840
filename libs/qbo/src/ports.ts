// What this library asks of its surroundings: a token for a realm, and leave to send. Satisfied by oauth/custody.ts and by
// the store of the governor, wired together in the apps.
import type { CallPurpose, PlatformCircuit, PlatformLeave, ReadPurpose } from '#core';

export interface TokenSource {
  accessToken(realmId: string): Promise<TokenAnswer>;
  /** QBO said 401 to this token: do not hand it out again. */
  refuse(realmId: string, token: string): void;
}

export type TokenAnswer =
  | { kind: 'token'; value: string }
  /** only a person can renew the grant */
  | { kind: 'reconnect'; reason: string }
  /** no usable token just now, another try may work */
  | { kind: 'unavailable'; reason: string };

export type RequestClass = 'interactive' | 'live' | 'attachments' | 'bulk';

export interface GovernorRequest {
  kind: 'single' | 'batch';
  app: string;
  class: RequestClass;
}

/** Leave to send one request; `complete` when its answer is in, because the platform's windows are freed at response time. */
export interface GovernorGrant {
  /** false: too long ago to send on; absent: never */
  fresh?(): boolean;
  /** `items`: of a batch, whose work takes longer the more it has; `tookMs`: from its sending to its answer */
  complete(
    outcome: 'ok' | 'throttled' | 'unsent',
    called?: { items?: number | undefined; tookMs?: number | undefined },
  ): Promise<void>;
}

export interface GovernorGate {
  acquire(realmId: string, request: GovernorRequest, signal?: AbortSignal): Promise<GovernorGrant>;
  /** the platform's circuit, shared by all processes; without it each has its own */
  readonly platform?: SharedCircuit;
  /** where reads are counted against the month's allowance */
  readonly reads?: { count(realmId: string, purpose: ReadPurpose, reads: number): void };
  /** resolves when a read of this purpose may stand in line; rejects never */
  readLeave?(purpose: ReadPurpose, signal?: AbortSignal): Promise<void>;
}

export interface SharedCircuit {
  /** as last heard */
  readonly current: PlatformCircuit;
  leave(realmId: string, purpose: CallPurpose): PlatformLeave;
  trip(): Promise<void>;
  /** whether this process may send one call to find out */
  takeProbe(): Promise<boolean>;
  probed(answered: boolean): Promise<void>;
  /** a company's own circuit changed, to be shown */
  tell(realmId: string, state: 'closed' | 'open' | 'half-open'): Promise<void>;
}

/** One line per call, for metrics and logs. */
export interface CallFacts {
  realmId: string;
  call: 'query' | 'cdc' | 'read' | 'write' | 'batch' | 'upload' | 'download' | 'report' | 'companyinfo';
  outcome: string;
  /** waiting for the governor */
  waitedMs: number;
  /** from sending to the answer */
  tookMs: number;
  tid?: string | undefined;
}
