// What a call to QBO can come back with. A union that says what the caller may do next, never an exception: a refusal is
// an outcome of business, and "we do not know" is as much an answer as "no".
import type { Json } from '#core';

/** One `Fault.Error` of any of the shapes QBO answers in, under one spelling. */
export interface QboFault {
  readonly code: string;
  readonly message: string;
  readonly detail: string;
  readonly element?: string;
  /** ValidationFault, SystemFault, AuthenticationFault, SERVICE, ... */
  readonly type: string;
}

export type QboAnswer<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly tid: string | undefined; readonly status: number }
  /** QBO understood and declined; nothing was changed. */
  | {
      readonly kind: 'refused';
      readonly faults: readonly QboFault[];
      readonly status: number;
      readonly tid: string | undefined;
    }
  /** A limit of the platform; the governor has been told. Nothing was changed. */
  | { readonly kind: 'throttled'; readonly reason: string; readonly status: number; readonly tid: string | undefined }
  /**
   * No usable token, also after one refresh. `reconnect`: only a person can mend it (grant revoked or worn out, the user
   * lost the right, wrong company); otherwise the token could not be renewed just now.
   */
  | {
      readonly kind: 'unauthorized';
      readonly reason: string;
      readonly reconnect: boolean;
      readonly tid?: string | undefined;
    }
  /** The request may have left and no trustworthy answer came: it may or may not have happened. */
  | { readonly kind: 'uncertain'; readonly reason: string; readonly status?: number; readonly tid?: string | undefined }
  /** Certainly not sent: breaker open, no connection, stopping. */
  | { readonly kind: 'unsent'; readonly reason: string };

/** One item of a batch answer. */
export type BatchItemAnswer =
  | { readonly kind: 'ok'; readonly value: Json }
  | { readonly kind: 'refused'; readonly faults: readonly QboFault[] }
  /** a SystemFault without a verdict: it may have been carried out before something broke */
  | { readonly kind: 'uncertain'; readonly faults: readonly QboFault[] };

/** A line for logs: "6240 Duplicate Name Exists Error: ...". Faults carry texts people wrote, never tokens. */
export function faultText(faults: readonly QboFault[]): string {
  return faults.map((f) => `${f.code} ${f.message}${f.detail ? `: ${f.detail}` : ''}`).join('; ') || 'no fault named';
}
