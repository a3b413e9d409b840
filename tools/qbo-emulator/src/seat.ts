// One company's seat in the emulator: its engine, and everything that is counted or remembered about its requests.
import type { Company } from './company/company.js';
import type { Engine } from './engine/engine.js';

/** What a request did to a record; a replayed request id did nothing. */
export interface Effect {
  readonly type: string;
  readonly id: string;
  readonly act: string;
  /** SyncToken the record has since */
  readonly token?: string;
  /** of the request; items of a batch: `batch id|bId` */
  readonly requestid?: string;
}

export interface JournalEntryRow {
  readonly n: number;
  /** when it was answered */
  readonly time: string;
  /** when it was admitted, which is the moment that quotas count */
  readonly startedAt: string;
  readonly app: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly requestid: string | undefined;
  readonly tid: string;
  readonly bytes: number;
  /** a fault rule made this answer, or took it away */
  readonly fault?: string;
  /** the client never got it */
  readonly lost?: true;
  readonly effects?: readonly Effect[];
}

export interface RememberedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly atMs: number;
}

/** One company with everything that is counted or remembered about it. */
export interface Seat {
  readonly company: Company;
  readonly engine: Engine;
  readonly requestIds: Map<string, RememberedAnswer>;
  readonly journal: JournalEntryRow[];
  journalCount: number;
  readonly counts: { reads: number; writes: number; batchItems: number; cdcCalls: number; replayed: number };
  readonly created: Record<string, number>;
  readonly makers: Map<string, { clientId: string | undefined; atMs: number; requestid?: string }>;
  /** of the request in hand; the journal takes them */
  effects: Effect[];
  /** Bytes of uploaded files by attachable id. */
  readonly files: Map<string, Buffer>;
}
