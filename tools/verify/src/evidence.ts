// Everything the checker judges from, as plain data: what QuickBooks says of itself, what the topics hold, what the tables
// remember. Gathered once (gather/), then only read.
import type { Raw } from '#testing';

/** What a request did to a record, as the emulator's journal tells it. */
export interface Effect {
  type: string;
  id: string;
  act: 'create' | 'update' | 'delete' | 'void';
  token?: string;
  /** items of a batch: `batch id|bId` */
  requestid?: string;
}

export interface JournalRow {
  n: number;
  time: string;
  startedAt: string;
  app?: string;
  method: string;
  path: string;
  status: number;
  requestid?: string;
  tid: string;
  fault?: string;
  lost?: true;
  effects?: Effect[];
}

export interface PostingLine {
  txnType: string;
  txnId: string;
  date: string;
  accountId: string;
  debit: string;
  credit: string;
  name?: { type: string; id: string };
}

export interface CompanyEvidence {
  realmId: string;
  records: Record<string, Raw[]>;
  deleted: Record<string, Raw[]>;
  /** `Type/id` -> who made it through the API; records made by a person in QuickBooks itself are not mentioned */
  makers: Record<string, { app?: string; at: string; requestid?: string }>;
  journal: JournalRow[];
  /** false: the journal's beginning is gone */
  journalWhole: boolean;
  ledger: PostingLine[];
}

export interface TokenCall {
  n: number;
  startedAt: string;
  time: string;
  app?: string;
  grantType: string;
  realmId?: string;
  status: number;
  expiresInMs?: number;
  error?: string;
  rotated: boolean;
  lost: boolean;
}

export interface TokenEvidence {
  grants: {
    clientId: string;
    realmId: string;
    live: boolean;
    startedAt: string;
    refreshSha256: string;
    previousSha256?: string;
  }[];
  calls: TokenCall[];
}

export interface SyncRow {
  id: string;
  organization_id: string;
  source_realm_id: string;
  target_realm_id: string;
  state: string;
  created_at: Date;
}

export interface LinkRow {
  sync_id: string;
  entity_type: string;
  source_id: string;
  organization_id: string;
  source_realm_id: string;
  target_realm_id: string;
  state: string;
  lane: string;
  desired_version: string;
  desired_op: string;
  applied_version: string | null;
  target_id: string | null;
  target_deleted: boolean;
  waiting_on: string[];
  failure_code: string | null;
  failure_reason: string | null;
  generation: number;
  merged_into: string | null;
  differences: unknown[] | null;
  settled_at: Date | null;
}

/** Files stand in a table of their own; here they look like links of type Attachable. */
export interface FileRow {
  sync_id: string;
  attachable_id: string;
  organization_id: string;
  source_realm_id: string;
  target_realm_id: string;
  state: string;
  desired_version: string;
  desired_deleted: boolean;
  target_id: string | null;
  request_id: string | null;
  source_sha256: string | null;
  target_sha256: string | null;
  waiting_on: string[];
  failure_code: string | null;
  failure_reason: string | null;
}

export interface CallRow {
  id: string;
  target_realm_id: string;
  request_id: string;
  kind: string;
  fence: string;
  state: string;
  sends: number;
  http_status: number | null;
  tid: string | null;
  claimed_at: Date;
  answered_at: Date | null;
}

export interface AttemptRow {
  call_id: string;
  position: number;
  sync_id: string;
  entity_type: string;
  source_id: string;
  operation: string;
  request_id: string;
  version: string;
  desired_hash: string;
  generation: number;
  body_md5: string;
  /** top-level fields of what was sent; absent where only an announcement tells of the attempt */
  fields?: string[];
  outcome: string | null;
  code: string | null;
  reason: string | null;
}

export interface LogRow {
  at: Date;
  stage: string;
  organization_id: string | null;
  sync_id: string | null;
  realm_id: string;
  entity_type: string;
  entity_id: string;
  version: string | null;
  target_realm_id: string | null;
  target_id: string | null;
  target_sync_token: string | null;
  outcome: string | null;
  request_id: string | null;
  code: string | null;
  duration_ms: number | null;
  lane: string | null;
}

export interface AuditRow {
  organization_id: string;
  sequence: string;
  event_id: string;
  at: Date;
  actor: string;
  action: string;
  subject: string;
  details: Raw;
  previous_hash: string;
  hash: string;
}

export interface Tables {
  organizations: { id: string }[];
  companies: { realm_id: string; organization_id: string; status: string; status_reason: string | null }[];
  grants: {
    realm_id: string;
    organization_id: string;
    refresh_token_sealed: string;
    grant_version: string;
    refresh_started_at: Date | null;
  }[];
  syncs: SyncRow[];
  layers: { layer: string; organization_id: string | null; sync_id: string | null; rules: Raw }[];
  jobs: {
    id: string;
    sync_id: string;
    kind: string;
    state: string;
    params: Raw;
    error: string | null;
    started_at: Date | null;
    finished_at: Date | null;
  }[];
  cursors: { realm_id: string; complete_up_to: Date | null }[];
  links: LinkRow[];
  files: FileRow[];
  calls: CallRow[];
  attempts: AttemptRow[];
  log: LogRow[];
  audit: AuditRow[];
  outbox: { waiting: number; refused: number };
}

export interface TopicRecord {
  partition: number;
  offset: string;
  at: Date;
  key: string | null;
  id: string | undefined;
  /** null: a tombstone; undefined: could not be read */
  value: Raw;
}

export interface Topics {
  notifications: TopicRecord[];
  changes: TopicRecord[];
  writes: TopicRecord[];
  results: TopicRecord[];
  deadLetters: TopicRecord[];
}

export interface Rest {
  /** what still moves; empty: at rest */
  motion: string[];
  /** how long it took to come to rest since the checker began to look */
  afterMs: number;
  limitMs: number;
}

/** A replay that the checker, or whoever called it, made after everything was at rest. */
export interface ReplayEvidence {
  /** records that it looked at */
  read: number;
  /** writes and batch items that reached each target because of it */
  writes: { realmId: string; writes: number }[];
}

/** A span in which somebody's edits were kept waiting on purpose. */
export interface KeptWaiting {
  fromMs: number;
  toMs: number;
  /** a company, as source or as target */
  whom: 'everybody' | string;
  why: string;
}

export interface Evidence {
  companies: ReadonlyMap<string, CompanyEvidence>;
  tokens: TokenEvidence;
  tables: Tables;
  topics: Topics;
  rest: Rest;
  /** the Intuit apps that are this system */
  ourApps: ReadonlySet<string>;
  replay?: ReplayEvidence | undefined;
  /** opens the sealed tokens; without it I-07 judges the calls only */
  tokenKey?: Buffer | undefined;
  /** processes that were killed while tokens may have been renewed: each may cost one more renewal */
  interruptions: number;
  /** what was done to the installation on purpose; what its QuickBooks was told to do stands in the companies' journals */
  kept: readonly KeptWaiting[];
  /** calls may be forgotten; what was announced of them stands for them */
  restored?: boolean;
}
