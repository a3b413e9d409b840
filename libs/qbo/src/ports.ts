// What this library asks of its surroundings: a token for a realm, and leave to send. Satisfied by oauth/custody.ts and by
// the store of the governor, wired together in the apps.

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
  complete(outcome: 'ok' | 'throttled' | 'unsent'): Promise<void>;
}

export interface GovernorGate {
  acquire(realmId: string, request: GovernorRequest, signal?: AbortSignal): Promise<GovernorGrant>;
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
