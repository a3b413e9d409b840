// A row of `attachment_links` and how it reads as the core's AttachmentLink.
import type { AttachmentLink, AttachmentMetadata, DesiredAttachment, LinkState } from '#core';

export interface AttachmentKey {
  readonly syncId: string;
  readonly attachableId: string;
}

/** One attachment with its bookkeeping. */
export interface StoredAttachment extends AttachmentKey {
  readonly organizationId: string;
  readonly sourceRealmId: string;
  readonly targetRealmId: string;
  readonly lane: 'live' | 'bulk';
  readonly changeId: string;
  readonly traceparent: string | undefined;
  readonly desiredAt: Date;
  readonly requestId: string | undefined;
  /** for people: what a waiting attachment waits for */
  readonly waitsBecause: string | undefined;
  readonly link: AttachmentLink;
}

export interface AttachmentRecord {
  sync_id: string;
  attachable_id: string;
  organization_id: string;
  source_realm_id: string;
  target_realm_id: string;
  state: LinkState['kind'];
  lane: 'live' | 'bulk';
  desired_version: string;
  desired_deleted: boolean;
  desired: Omit<DesiredAttachment, 'version' | 'deleted'>;
  change_id: string;
  traceparent: string | null;
  applied_version: string | null;
  applied: AttachmentMetadata | null;
  discarded: number;
  target_id: string | null;
  target_sync_token: string | null;
  request_id: string | null;
  source_sha256: string | null;
  target_sha256: string | null;
  bytes: string | null;
  waiting_on: string[];
  due_at: Date;
  attempts: number;
  failure_code: string | null;
  failure_reason: string | null;
  desired_at: Date;
}

export function storedAttachment(row: AttachmentRecord): StoredAttachment {
  const { applied, applied_version: appliedVersion } = row;
  const link: AttachmentLink = {
    attachableId: row.attachable_id,
    state: stateOf(row),
    desired: { ...row.desired, version: row.desired_version, deleted: row.desired_deleted },
    applied: applied && appliedVersion ? { version: appliedVersion, metadata: applied } : undefined,
    target:
      row.target_id === null
        ? undefined
        : { id: row.target_id, syncToken: row.target_sync_token ?? undefined, deleted: false },
    uploadOpen: row.request_id !== null && row.target_id === null,
    discarded: row.discarded,
    attempts: row.attempts,
    sourceSha256: row.source_sha256 ?? undefined,
    targetSha256: row.target_sha256 ?? undefined,
    bytes: row.bytes === null ? undefined : Number(row.bytes),
  };
  return {
    syncId: row.sync_id,
    attachableId: row.attachable_id,
    organizationId: row.organization_id,
    sourceRealmId: row.source_realm_id,
    targetRealmId: row.target_realm_id,
    lane: row.lane,
    changeId: row.change_id,
    traceparent: row.traceparent ?? undefined,
    desiredAt: row.desired_at,
    requestId: row.request_id ?? undefined,
    waitsBecause: row.state === 'waiting' ? (row.failure_reason ?? undefined) : undefined,
    link,
  };
}

function stateOf(row: AttachmentRecord): LinkState {
  const code = row.failure_code ?? '';
  const reason = row.failure_reason ?? '';
  const dueAtMs = row.due_at.getTime();
  switch (row.state) {
    case 'waiting':
      return { kind: 'waiting', on: row.waiting_on };
    case 'backoff':
      return { kind: 'backoff', dueAtMs, code, reason };
    case 'uncertain':
      return { kind: 'uncertain', dueAtMs, reason };
    case 'held':
    case 'failed':
      return { kind: row.state, code, reason };
    default:
      return { kind: row.state };
  }
}
