// A row of `links` and how it reads as the core's Link. The core sees what decisions need; the rest is bookkeeping.
import type { Json, Link, LinkState, Reference } from '#core';

export type Lane = 'live' | 'bulk';

export interface LinkKey {
  readonly syncId: string;
  readonly entityType: string;
  readonly sourceId: string;
}

/** One link with its bookkeeping. */
export interface StoredLink extends LinkKey {
  readonly organizationId: string;
  readonly sourceRealmId: string;
  readonly targetRealmId: string;
  readonly lane: Lane;
  readonly mappingVersion: string;
  readonly changeId: string;
  readonly traceparent: string | undefined;
  readonly desiredAt: Date;
  readonly dueAt: Date;
  /** code of the last refusal of this desired version */
  readonly lastFault: string | undefined;
  /** the source merged this record into that one of the same type */
  readonly mergedInto: string | undefined;
  readonly link: Link;
}

export interface LinkRecord {
  sync_id: string;
  entity_type: string;
  source_id: string;
  organization_id: string;
  source_realm_id: string;
  target_realm_id: string;
  state: LinkState['kind'];
  lane: Lane;
  desired_version: string;
  desired_hash: string;
  desired_op: Link['desired']['op'];
  desired_payload: Json | null;
  desired_references: Reference[];
  natural_key: Record<string, string> | null;
  mapping_version: string;
  change_id: string;
  traceparent: string | null;
  applied_version: string | null;
  applied_hash: string | null;
  applied_payload: Json | null;
  target_id: string | null;
  target_sync_token: string | null;
  target_deleted: boolean;
  waiting_on: string[];
  due_at: Date;
  attempts: number;
  failure_code: string | null;
  failure_reason: string | null;
  generation: number;
  desired_at: Date;
  merged_into: string | null;
  exclusion: string | null;
}

/** Of `links`, as a LinkRecord. */
export const columns = `sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane,
  desired_version, desired_hash, desired_op, desired_payload, desired_references, natural_key, mapping_version::text,
  change_id, traceparent, applied_version, applied_hash, applied_payload, target_id, target_sync_token, target_deleted,
  waiting_on, due_at, attempts, failure_code, failure_reason, generation, desired_at, merged_into, exclusion`;

export function storedLink(row: LinkRecord): StoredLink {
  return {
    syncId: row.sync_id,
    entityType: row.entity_type,
    sourceId: row.source_id,
    organizationId: row.organization_id,
    sourceRealmId: row.source_realm_id,
    targetRealmId: row.target_realm_id,
    lane: row.lane,
    mappingVersion: String(row.mapping_version),
    changeId: row.change_id,
    traceparent: row.traceparent ?? undefined,
    desiredAt: row.desired_at,
    dueAt: row.due_at,
    lastFault: row.failure_code ?? undefined,
    mergedInto: row.merged_into ?? undefined,
    link: linkOf(row),
  };
}

/** How a link is named among those that wait for it: "Customer/58". */
export function waitName(key: { entityType: string; sourceId: string }): string {
  return `${key.entityType}/${key.sourceId}`;
}

function linkOf(row: LinkRecord): Link {
  return {
    entityType: row.entity_type,
    sourceId: row.source_id,
    state: stateOf(row),
    desired: {
      version: row.desired_version,
      hash: row.desired_hash,
      op: row.desired_op,
      references: row.desired_references,
      ...(row.desired_payload === null ? {} : { payload: row.desired_payload }),
      ...(row.natural_key === null ? {} : { naturalKey: row.natural_key }),
      ...(row.desired_op === 'fail' ? { failure: failureOf(row) } : {}),
      ...(row.exclusion === null ? {} : { exclusion: row.exclusion }),
    },
    ...(row.applied_version === null || row.applied_hash === null
      ? {}
      : {
          applied: {
            version: row.applied_version,
            hash: row.applied_hash,
            ...(row.applied_payload === null ? {} : { payload: row.applied_payload }),
          },
        }),
    ...(row.target_id === null
      ? {}
      : {
          target: {
            id: row.target_id,
            deleted: row.target_deleted,
            ...(row.target_sync_token === null ? {} : { syncToken: row.target_sync_token }),
          },
        }),
    generation: row.generation,
    attempts: row.attempts,
  };
}

function stateOf(row: LinkRecord): LinkState {
  const { code, reason } = failureOf(row);
  switch (row.state) {
    case 'ready':
    case 'sending':
    case 'settled':
      return { kind: row.state };
    case 'waiting':
      return { kind: 'waiting', on: row.waiting_on };
    case 'backoff':
      return { kind: 'backoff', dueAtMs: row.due_at.getTime(), code, reason };
    case 'uncertain':
      return { kind: 'uncertain', dueAtMs: row.due_at.getTime(), reason };
    case 'held':
    case 'failed':
      return { kind: row.state, code, reason };
    default:
      return row.state satisfies never;
  }
}

function failureOf(row: LinkRecord): { code: string; reason: string } {
  return { code: row.failure_code ?? '', reason: row.failure_reason ?? '' };
}
